"""Flags that are constructor parameters of forecasters, declared once for all commands. Light: nothing is imported."""

import functools
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import typer


@dataclass(frozen=True)
class Flag:
    """A constructor parameter as a flag.

    Parameters
    ----------
    kind : type
        Of the text given: lists come as text, parted by commas.
    metavar : str
        What stands for the value in the help.
    help : str
    least : float, optional
        The smallest value.
    """

    kind: type
    metavar: str
    help: str
    least: float | None = None

    def parameter(self, name: str) -> inspect.Parameter:
        """The flag as a parameter of a command."""
        flag = f"--{name.replace('_', '-')}"
        option = typer.Option(flag, metavar=self.metavar, help=self.help, min=self.least, show_default=False)
        annotation = Annotated[self.kind | None, option]
        return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


ROLES = {
    "target": Flag(str, "COLUMNS", "Columns to forecast, parted by commas. Found if not given."),
    "time": Flag(str, "COLUMN", "The column of times. Found if not given."),
    "series_id": Flag(str, "COLUMN", "The column that names the series of a long table. Found if not given."),
    "known": Flag(str, "COLUMNS", "Columns known ahead, such as holidays or a weather forecast."),
    "past": Flag(str, "COLUMNS", "Columns known up to now only. Default: the other numeric ones beside a target."),
    "static": Flag(str, "COLUMNS", "Columns that are the same within a series."),
    "freq": Flag(str, "ALIAS", "Frequency as a pandas alias: h, D, MS. Found if not given."),
    "timezone": Flag(str, "ZONE", "Zone of the clock that times were written by, such as Europe/Berlin."),
    "duplicates": Flag(str, "RULE", "Make rows of one series and time one: mean, first, last, sum, max or min."),
}
SIZES = {
    "horizon": Flag(int, "N", "Steps to forecast. Chosen by the frequency if not given.", 1),
    "lookback": Flag(int, "N", "Steps of the past that a forecast sees. Chosen if not given.", 1),
    "season_length": Flag(int, "N", "Steps of the main season. Default: that of the frequency.", 1),
    "validation_size": Flag(str, "SIZE", "Last rows (12), or part of the rows (0.2), that stop the training."),
}
TRAINING = {
    "holidays": Flag(str, "COUNTRY", "Use the holidays of a country, or of its part: DE, US-CA."),
    "fourier": Flag(str, "WAVES", "Use so many waves of every season, or by its length: 3, or 24:3,168:2."),
    "patch": Flag(int, "N", "Steps that make one token of the network; 1 reads step by step.", 1),
    "quantile_levels": Flag(str, "LEVELS", "Train for these quantiles, such as 0.1,0.5,0.9."),
    "loss": Flag(str, "NAME", "mae, mse or huber."),
    "epochs": Flag(int, "N", "Epochs at most.", 1),
    "windows_per_epoch": Flag(int, "N", "Windows drawn in an epoch.", 1),
    "batch_size": Flag(int, "N", "Windows of a training step.", 1),
    "learning_rate": Flag(float, "X", "Peak learning rate."),
    "patience": Flag(int, "N", "Epochs without progress until training stops.", 1),
    "time_limit": Flag(float, "SECONDS", "Seconds of training at most."),
    "random_state": Flag(int, "N", "Seed; the same seed gives the same forecasts. Default: 0.", 0),
}
PARAMETERS = {**ROLES, **SIZES, **TRAINING}
#: Of a single training, beside its parameters.
KEPT = {"resume": Flag(str, "FOLDER", "Keep every epoch there; the same command goes on where it was killed.")}
#: A comparison sets seeds and time limits itself.
COMPARED = {name: flag for name, flag in PARAMETERS.items() if name not in ("random_state", "time_limit")}
#: Flags of single commands that library sentences name too.
NAMED_ALIKE = ("history", "start", "folds", "n_folds", "stride", "budget", "seeds", "metric", "space", "search")


def takes(flags: dict[str, Flag]) -> Callable[[Callable], Callable]:
    """Give a command these flags, in the place of its parameter `parameters`, where it finds the ones that were set."""

    def extend(command: Callable) -> Callable:
        signature = inspect.signature(command)
        extra = [flag.parameter(name) for name, flag in flags.items()]
        places = [extra if name == "parameters" else [own] for name, own in signature.parameters.items()]
        merged = [parameter for place in places for parameter in place]

        @functools.wraps(command)
        def run(**given):
            values = {name: given.pop(name) for name in flags}
            return command(**given, parameters={name: value for name, value in values.items() if value is not None})

        run.__signature__ = signature.replace(parameters=merged)
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in merged}
        return run

    return extend


def as_flags(sentence: str) -> str:
    """A sentence about parameters as one about flags: ``series_id=`` becomes ``--series-id``."""
    names = "|".join([*PARAMETERS, *KEPT, *NAMED_ALIKE])

    def as_flag(found: re.Match) -> str:
        return f"--{found[1].replace('_', '-')} {found[2] or found[3]}".rstrip()

    return re.sub(rf"\b({names})=(?:'(\w+)'|(\w?))", as_flag, sentence)
