"""The command line `forecast`: one module for each command, its options, and what it prints."""

from forecastkit.cli.app import app
from forecastkit.cli.entry import main

__all__ = ["app", "main"]
