"""`python -m forecastkit` is the command `forecast`."""

import sys

from forecastkit.cli import main

sys.exit(main())
