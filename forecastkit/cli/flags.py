"""Flags that are constructor parameters of forecasters, and commands made from dataclasses of options. Light."""

import functools
import inspect
import os
import re
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Annotated

import typer

from forecastkit.cli.model_names import loss_names

#: Bytes of a file's name and of a whole path at most, on all usual file systems.
MAX_NAME, MAX_PATH = 255, 4095
#: Largest number that counts of rows, steps and epochs can be.
MAX_COUNT = 2**31 - 1


def parse_path(text: str) -> Path:
    """Return a path that a file can have."""
    if not text.strip():
        raise typer.BadParameter(f"must be the name of a file or folder, got {text!r}.")
    if "\0" in text:
        raise typer.BadParameter("must not contain a null character.")
    longest = max((len(os.fsencode(part)) for part in Path(text).parts), default=0)
    if longest > MAX_NAME or len(os.fsencode(text)) > MAX_PATH:
        got = f"{text[:40]}... of {len(os.fsencode(text)):,}"
        raise typer.BadParameter(f"a name must have at most {MAX_NAME} bytes, a path {MAX_PATH:,}, got {got}.")
    return Path(text)


def parse_folder(text: str) -> str:
    """`parse_path`, as the text that a saved model keeps."""
    return str(parse_path(text))


def parse_count(text: str) -> int:
    """Return a whole number from 1 on.

    Raises
    ------
    typer.BadParameter
        For any other text.
    """
    return _whole(text, 1)


def parse_count_from_zero(text: str) -> int:
    """Return a whole number from 0 on.

    Raises
    ------
    typer.BadParameter
        For any other text.
    """
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = -1
    if not least <= value <= MAX_COUNT:
        raise typer.BadParameter(f"must be a whole number from {least} to {MAX_COUNT}, got {text[:40]!r}.")
    return value


def option(help: str, *names: str, **settings):
    """Return an option whose default is not shown."""
    return typer.Option(*names, help=help, **{"show_default": False, **settings})


def path_option(help: str, *names: str, metavar: str = "FILE"):
    """Return an option that takes a path."""
    return option(help, *names, metavar=metavar, parser=parse_path)


@dataclass(frozen=True)
class Flag:
    """A constructor parameter as a flag."""

    type: type  #: Type of the value; lists are comma-separated text
    metavar: str  #: Placeholder of the value in the help
    help: str
    parser: Callable | None = None  #: Converts the text of the value

    def parameter(self, name: str) -> inspect.Parameter:
        """Return the flag as a parameter of a command."""
        settings = {} if self.parser is None else {"parser": self.parser}
        declared = option(self.help, f"--{name.replace('_', '-')}", metavar=self.metavar, **settings)
        return inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[self.type | None, declared]
        )


COLUMN_ROLES = {
    "target": Flag(str, "COLUMNS", "Columns to forecast, comma-separated. Default: detected."),
    "time": Flag(str, "COLUMNS", "Column of timestamps, or the columns that make one: date,hour. Default: detected."),
    "series_id": Flag(str, "COLUMNS", "Columns that name the series of a long table. Default: detected."),
    "known": Flag(
        str, "COLUMNS", "Covariates known in advance, such as holidays or weather forecasts, comma-separated."
    ),
    "past": Flag(
        str,
        "COLUMNS",
        "Covariates known only up to the cutoff, comma-separated. Default: other numeric columns beside --target.",
    ),
    "static": Flag(str, "COLUMNS", "Columns that are constant within each series, comma-separated."),
    "freq": Flag(str, "ALIAS", "Frequency as a pandas alias, such as h, D or MS. Default: detected."),
    "timezone": Flag(str, "ZONE", "Time zone of the timestamps, such as Europe/Berlin."),
    "duplicates": Flag(
        str, "RULE", "How to merge rows of the same series and time: mean, first, last, sum, max or min."
    ),
    "resample": Flag(
        str,
        "RULE",
        "How to aggregate the rows of each step of --freq: mean, sum, first, last, max or min; nearest moves each row "
        "to the nearest step.",
    ),
    "slots": Flag(
        str,
        "WHICH",
        "Times of the week to forecast: observed (only those with rows, such as opening hours) or all. Default: "
        "observed where the pattern is clear.",
    ),
}
SIZES = {
    "horizon": Flag(
        int, "N", "Number of steps to forecast. Default: by the frequency, at most a fifth of the rows.", parse_count
    ),
    "lookback": Flag(
        int,
        "N",
        "Number of past steps that a forecast uses. Default: three of the longest season, at most a quarter of the "
        "rows; the linear forecast and networks also try others.",
        parse_count,
    ),
    "season_length": Flag(
        int, "N", "Number of steps in the main season. Default: chosen by the frequency.", parse_count
    ),
    "validation_size": Flag(
        str, "SIZE", "Last rows used for early stopping and intervals: a number (12) or a fraction. Default: 0.2."
    ),
}
BOUNDS = {
    "lower": Flag(
        str,
        "BOUND",
        "Lower bound of forecasts: a number, or a=0,b=5 by series or target. Default: 0 for nonnegative data.",
    ),
    "upper": Flag(str, "BOUND", "Upper bound of forecasts: a number, or by series or target (a=100,b=200)."),
}
TRAINING = {
    "holidays": Flag(str, "COUNTRY", "Use the public holidays of a country or region, such as DE or US-CA."),
    "fourier": Flag(str, "TERMS", "Fourier terms for every season (3) or by season length (24:3,168:2)."),
    "patch": Flag(int, "N", "Number of steps in one token of the network; 1 for single steps.", parse_count),
    "quantile_levels": Flag(str, "LEVELS", "Quantiles to train for, comma-separated, such as 0.1,0.5,0.9."),
    "loss": Flag(str, "NAME", f"Loss or distribution of a network: {', '.join(loss_names())}."),
    "epochs": Flag(int, "N", "Maximum number of epochs.", parse_count),
    "windows_per_epoch": Flag(int, "N", "Number of training windows sampled in each epoch.", parse_count),
    "batch_size": Flag(int, "N", "Number of windows in each training step.", parse_count),
    "learning_rate": Flag(float, "X", "Peak learning rate."),
    "patience": Flag(int, "N", "Epochs without improvement after which training stops.", parse_count),
    "time_limit": Flag(float, "SECONDS", "Maximum training time in seconds."),
    "random_state": Flag(int, "N", "Random seed, for reproducible forecasts. Default: 0.", parse_count_from_zero),
}
PARAMETERS = {**COLUMN_ROLES, **SIZES, **BOUNDS, **TRAINING}
#: A single training run can be resumed too.
TRAIN_PARAMETERS = {
    **PARAMETERS,
    "resume": Flag(
        str, "FOLDER", "Save every epoch in this folder; the same command continues an interrupted run.", parse_folder
    ),
}
#: A comparison sets seeds and time limits itself.
COMPARE_PARAMETERS = {name: flag for name, flag in PARAMETERS.items() if name not in ("random_state", "time_limit")}
#: Other parameters of the library that are flags of some command.
OTHER_FLAGS = (
    "resume",
    "history",
    "start",
    "folds",
    "n_folds",
    "stride",
    "budget",
    "seeds",
    "metric",
    "space",
    "search",
)


def command(app: typer.Typer, options: type, flags: dict[str, Flag] | None = None) -> Callable[[Callable], Callable]:
    """Decorator: add a function of one dataclass of options to the app, each field an option of the command line.

    Parameters
    ----------
    app : typer.Typer
    options : type
        A dataclass with keyword fields annotated as typer wants them.
    flags : dict of str to Flag, optional
        Flags that replace the field `parameters`, which becomes a dict of those that were set.
    """
    parameters = []
    for field in fields(options):
        if field.name == "parameters":
            parameters += [flag.parameter(name) for name, flag in flags.items()]
            continue
        default = inspect.Parameter.empty if field.default is MISSING else field.default
        parameters.append(
            inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=field.type)
        )

    def extend(function: Callable) -> Callable:
        @functools.wraps(function)
        def run(**given):
            if flags is not None:
                values = {name: given.pop(name) for name in flags}
                given["parameters"] = {name: value for name, value in values.items() if value is not None}
            return function(options(**given))

        run.__signature__ = inspect.Signature(parameters)
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return app.command(function.__name__)(run)

    return extend


def as_flags(sentence: str) -> str:
    """Return a sentence about parameters as one about flags: ``series_id=`` becomes ``--series-id``."""
    names = "|".join([*PARAMETERS, *OTHER_FLAGS])

    def as_flag(found: re.Match) -> str:
        value = found[3] if found[2] is None else found[2] if found[2].isidentifier() else f"'{found[2]}'"
        return f"--{found[1].replace('_', '-')} {value}".rstrip()

    return re.sub(rf"\b({names})=(?:'([^']*)'|(\w?))", as_flag, sentence)
