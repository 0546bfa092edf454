from forecastkit.cli import main

raise SystemExit(main())
