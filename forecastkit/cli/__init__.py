"""The command line `forecast`: one module per command, with its options and output."""

try:
    from forecastkit.cli.app import app
    from forecastkit.cli.entry import main
except KeyboardInterrupt:  # `main` handles later ones
    raise SystemExit(130) from None

__all__ = ["app", "main"]
