"""The command line `forecast`: one module per command, with its options and output."""

from forecastkit.cli.app import app
from forecastkit.cli.entry import main

__all__ = ["app", "main"]
