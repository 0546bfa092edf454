"""Parsing of constructor parameters from command-line text."""

import ast
import csv
from collections.abc import Sequence
from functools import partial

from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import refuse

LISTS = ("target", "known", "past", "static")
#: One column, or several that form one key.
KEYS = ("time", "series_id")
#: Largest nesting and length of text that is parsed as a Python literal.
MAX_LITERAL = 10_000


def parse_parameters(given: dict, settings: Sequence[str] | None) -> dict:
    """Return constructor parameters from options and ``--set name=value``.

    Parameters
    ----------
    given : dict
        Option values by parameter name.
    settings : sequence of str, optional
        Later settings override earlier ones.
    """
    parameters = {name: _parse_flag(name, value) for name, value in given.items()}
    for setting in settings or ():
        name, sign, value = setting.partition("=")
        if not sign or not name.strip():
            refuse("--set", "must be NAME=VALUE", repr(setting), error=ParameterError)
        name = name.strip().replace("-", "_")
        parameters[name] = _parse_flag(name, value) if name in PARSERS else parse_literal(value)
    return parameters


def _parse_flag(name: str, value):
    return PARSERS[name](value) if name in PARSERS else value


def parse_list(flag: str, text: str) -> list[str]:
    """Parse comma-separated names; quotes protect commas."""
    try:
        names = [name.strip() for name in next(csv.reader([text], skipinitialspace=True), [])]
    except csv.Error:
        names = []
    if not names or "" in names:
        refuse(flag, "must be comma-separated names", repr(text), error=ParameterError)
    return names


def parse_key(flag: str, text: str) -> str | list[str]:
    """Parse one name or several comma-separated ones."""
    names = parse_list(flag, text)
    return names[0] if len(names) == 1 else names


def parse_levels(text: str) -> list[float]:
    """Parse quantile levels such as ``0.1,0.5,0.9``."""
    try:
        return [float(level) for level in text.strip("[]() ").split(",")]
    except ValueError:
        rule = "must be comma-separated numbers between 0 and 1"
        return refuse("--quantile-levels", rule, repr(text), error=ParameterError)


def parse_fourier(text: str) -> int | dict | None:
    """Parse a number of Fourier terms, or numbers by season length: ``3``, ``24:3,168:2``."""
    if text.strip().lower() == "none":
        return None
    try:
        if ":" not in text:
            return int(text)
        pairs = (pair.split(":") for pair in text.strip("{} ").split(","))
        return {parse_literal(season): int(number) for season, number in pairs}
    except (ValueError, TypeError):
        rule = "must be a number of terms, such as 3, or numbers by season length, such as 24:3,168:2"
        return refuse("--fourier", rule, repr(text), error=ParameterError)


def parse_bound(flag: str, text: str) -> float | dict[str, float] | None:
    """Return a bound of forecasts, or bounds by the name of a series or target: ``0``, ``a=0,b=5``."""
    if text.strip().lower() == "none":
        return None
    try:
        if "=" not in text:
            return float(text)
        pairs = (pair.rpartition("=") for pair in parse_list(flag, text))
        return {name.strip(): float(number) for name, _, number in pairs}
    except ValueError:
        rule = "must be a number, such as 0, or numbers by the name of a series or target, such as a=0,b=5"
        return refuse(flag, rule, repr(text), error=ParameterError)


def parse_size(flag: str, text: str) -> int | float:
    """Parse a number of rows or a fraction of them."""
    value = parse_literal(text)
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if not is_count and not (isinstance(value, float) and 0 <= value < 0.9):
        rule = "must be a number of rows, such as 24, or a fraction of them below 0.9, such as 0.1"
        refuse(flag, rule, repr(text), error=ParameterError)
    return value


def parse_literal(text: str):
    """Parse the value of ``--set name=value``: a number, true, false, none, a list, else text."""
    text = text.strip()
    words = {"none": None, "true": True, "false": False}
    if text.lower() in words:
        return words[text.lower()]
    if len(text) > MAX_LITERAL:
        return text
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text


#: Options whose text is not a single number or name.
PARSERS = {
    **{name: partial(parse_list, f"--{name}") for name in LISTS},
    **{name: partial(parse_key, f"--{name.replace('_', '-')}") for name in KEYS},
    "quantile_levels": parse_levels,
    **{name: partial(parse_bound, f"--{name}") for name in ("lower", "upper")},
    "fourier": parse_fourier,
    "validation_size": lambda text: parse_size("--validation-size", text),
}
