"""Validation of arguments. Errors are one sentence: where, the rule, what was found, and the remedy."""

import difflib
import inspect
import numbers
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any, NoReturn

import numpy as np

from forecastkit.utils.exceptions import InputError, ParameterError

#: Largest count of rows, steps or epochs.
MAX_COUNT = 2**40
#: Longest text of a found value in a message.
MAX_GOT = 400


def refuse(where: str, rule: str, got: object, remedy: str = "", error: type = InputError) -> NoReturn:
    """Raise `error` with the message ``where: rule, got found. Remedy.``"""
    got = str(got)
    if len(got) > MAX_GOT:
        got = f"{got[:MAX_GOT]}... ({len(got):,} characters)"
    raise error(f"{where}: {rule}, got {got}." + (f" {remedy}" if remedy else ""))


def first_few(items: Iterable, most: int = 3) -> str:
    """Return the first `most` items as text, followed by the number of further items."""
    items = list(items)
    shown = ", ".join(str(item) for item in items[:most])
    return shown + (f", ... and {len(items) - most} more" if len(items) > most else "")


def did_you_mean(name: object, options: Iterable) -> str:
    """Return a sentence that suggests the most similar option, or lists the options."""
    options = sorted(str(option) for option in options)
    near = difflib.get_close_matches(str(name), options, n=1, cutoff=0.6)
    return f"Did you mean {near[0]!r}?" if near else f"There are: {first_few(options, 12)}."


def check_choice(where: str, parameter: str, value: object, options: Iterable) -> None:
    """Raise ParameterError if the value is not one of the options."""
    options = list(options)
    if not any(value is option or (type(value) is type(option) and value == option) for option in options):
        shown = first_few((repr(option) for option in options), 12)
        named = [option for option in options if isinstance(option, str)]
        near = difflib.get_close_matches(str(value), named, n=1, cutoff=0.6)
        remedy = f"Did you mean {near[0]!r}?" if near else ""
        refuse(where, f"{parameter} must be one of {shown}", repr(value), remedy, ParameterError)


def check_int(where: str, parameter: str, value: object, low: int = 1, optional: bool = False) -> None:
    """Raise ParameterError unless the value is an integer from `low` to `MAX_COUNT`.

    None is accepted if `optional`.
    """
    if optional and value is None:
        return
    is_integer = isinstance(value, numbers.Integral) and not isinstance(value, (bool, np.bool_))
    if not is_integer or value < low:
        refuse(where, f"{parameter} must be a whole number of at least {low}", repr(value), error=ParameterError)
    if value > MAX_COUNT:
        refuse(where, f"{parameter} must be at most {MAX_COUNT}", repr(value), error=ParameterError)


def check_real(where: str, parameter: str, value: object, low: float, high: float, optional: bool = False) -> None:
    """Raise ParameterError unless the value is a finite number in [low, high], or None if `optional`."""
    if optional and value is None:
        return
    is_number = isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_)) and np.isfinite(value)
    if not is_number or not low <= value <= high:
        refuse(where, f"{parameter} must be a number in [{low:g}, {high:g}]", repr(value), error=ParameterError)


def check_levels(where: str, levels: object) -> tuple[float, ...]:
    """Return quantile levels as a tuple; refuse levels that are not strictly increasing numbers inside (0, 1)."""
    try:
        levels = tuple(float(level) for level in np.atleast_1d(np.asarray(levels, dtype="float64")))
    except (TypeError, ValueError):
        refuse(where, "quantile_levels must be numbers inside (0, 1)", repr(levels), error=ParameterError)
    if not levels or not all(0 < level < 1 for level in levels):
        refuse(where, "quantile_levels must lie inside (0, 1)", list(levels), error=ParameterError)
    if any(a >= b for a, b in pairwise(levels)):
        refuse(where, "quantile_levels must be strictly increasing", list(levels), "Sort them.", ParameterError)
    return levels


def draw_seed(random_state: Any) -> int:
    """Return a seed drawn from a `random_state` as scikit-learn understands it: None, a seed or a generator."""
    if random_state is None or isinstance(random_state, (int, np.integer)):
        state = np.random.mtrand._rand if random_state is None else np.random.RandomState(random_state)
    else:
        from sklearn.utils import check_random_state  # here: its import takes longer than a forecast

        state = check_random_state(random_state)
    return int(state.randint(2**31 - 1))


def check_names(where: str, what: str, given: Iterable, options: Iterable) -> None:
    """Raise ParameterError if a name is not among the options; the message suggests the most similar one."""
    options = list(options)
    for name in given:
        if name not in options:
            refuse(where, f"{what} must exist", repr(name), did_you_mean(name, options), ParameterError)


def check_options(function: Callable, given: Iterable, options: type) -> None:
    """Raise ParameterError if a keyword is not among the further options of a function, the keys of a TypedDict."""
    own = [name for name, one in inspect.signature(function).parameters.items() if one.kind is not one.VAR_KEYWORD]
    check_names(function.__name__, "the option", given, (*options.__annotations__, *own))
