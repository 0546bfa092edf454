"""Search spaces: a dict, or a function of ``hp``, that gives parameters of a forecaster."""

import itertools
import math
import numbers
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from sklearn.base import clone

from forecastkit.data.schema import READING
from forecastkit.utils.exceptions import InputError, ParameterError
from forecastkit.utils.validation import did_you_mean, first_few, refuse

WHERE = "tune"
#: Parameters that define the forecasts or are set by the search, which cannot be searched.
FIXED = ("horizon", "season_length", "quantile_levels", "calibrate", *READING)
OF_A_RUN = ("random_state", "time_limit", "verbose", "callbacks", "resume")
#: Number of combinations in which a value that is invalid with the defaults is tried before it is refused.
TRIES = 64


@dataclass(frozen=True)
class Choice:
    """One of several values of any type; the oracle proposes their index."""

    name: str
    options: tuple

    def ask(self, hp):
        """Return the value that the oracle proposes."""
        return self.options[hp.Choice(self.name, list(range(len(self.options))))]

    def code(self, value):
        """Return the oracle's value for this parameter value, or None if it is not an option."""
        same = [place for place, option in enumerate(self.options) if type(option) is type(value) and option == value]
        return same[0] if same else None

    def samples(self, rng) -> list:
        """Return values to validate."""
        return list(self.options)

    def draw(self, rng):
        """Draw a value."""
        return self.options[rng.integers(len(self.options))]


@dataclass(frozen=True)
class Range:
    """A number between two bounds, both included."""

    name: str
    low: float
    high: float  #: An integer if both bounds are; then the values are integers
    log: bool = False  #: Whether values are uniformly distributed on a logarithmic scale

    @property
    def whole(self) -> bool:
        """Whether values are integers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def ask(self, hp):
        """Return the value that the oracle proposes."""
        kind = hp.Int if self.whole else hp.Float
        return kind(self.name, self.low, self.high, sampling="log" if self.log else "linear")

    def code(self, value):
        """Return the oracle's value for this parameter value, or None if it is out of range."""
        number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if not number or not self.low <= value <= self.high or (self.whole and value != int(value)):
            return None
        return int(value) if self.whole else float(value)

    def samples(self, rng) -> list:
        """Return values to validate."""
        return [self.low, self.high]

    def draw(self, rng):
        """Draw a value."""
        part = rng.random()
        span = self.high / self.low if self.log else self.high - self.low
        value = self.low * span**part if self.log else self.low + span * part
        return round(value) if self.whole else float(value)


class DictSpace:
    """A space given as a dict, with one dimension per parameter."""

    def __init__(self, dimensions):
        self.dimensions = list(dimensions)

    def build(self, hp) -> dict:
        """Return the forecaster's parameters for the oracle's proposal."""
        return {dimension.name: dimension.ask(hp) for dimension in self.dimensions}

    def names(self) -> list[str]:
        """Return the searched parameters."""
        return [dimension.name for dimension in self.dimensions]

    def codes(self, own: dict) -> dict:
        """Return the oracle's values for these parameters, if they are in the space."""
        codes = {dimension.name: dimension.code(own.get(dimension.name)) for dimension in self.dimensions}
        return {name: code for name, code in codes.items() if code is not None}

    def describe(self) -> str:
        """Return a text that identifies the space."""
        return repr(sorted(map(repr, self.dimensions)))

    def check(self, forecaster) -> None:
        """Refuse values that are invalid for the forecaster in every combination."""
        for name in self.names():
            _check_name(forecaster, name)
        rng = np.random.default_rng(0)
        for dimension in self.dimensions:
            for value in dimension.samples(rng):
                self._check_value(forecaster, dimension, value, rng)

    def _check_value(self, forecaster, dimension, value, rng):
        error = find_parameter_error(forecaster, {dimension.name: value})
        for _ in range(TRIES if error else 0):
            drawn = {other.name: other.draw(rng) for other in self.dimensions}
            if find_parameter_error(forecaster, {**drawn, dimension.name: value}) is None:
                return
        if error is not None:
            raise error


class FunctionSpace:
    """A space given as a function of ``hp`` that returns parameters of the forecaster."""

    def __init__(self, function):
        self.function = function

    def build(self, hp) -> dict:
        """Return the forecaster's parameters for the oracle's proposal."""
        parameters = self.function(hp)
        if not isinstance(parameters, dict) or not parameters:
            rule = "a space that is a function of hp must return a dict of parameters"
            refuse(WHERE, rule, repr(parameters), error=ParameterError)
        return parameters

    def names(self) -> list[str]:
        """Return the parameters of its first proposal."""
        import keras_tuner

        return list(self.build(keras_tuner.HyperParameters()))

    def codes(self, own: dict) -> dict:
        """Return no values, because the function cannot be inverted."""
        return {}

    def describe(self) -> str:
        """Return a text that changes with the code of the function."""
        return repr(_code_of(getattr(self.function, "__code__", None) or repr(self.function)))

    def check(self, forecaster) -> None:
        """Refuse a function whose first proposal has an unknown or invalid parameter."""
        import keras_tuner

        for name in self.names():
            _check_name(forecaster, name)
        parameters = self.build(keras_tuner.HyperParameters())
        if (error := find_parameter_error(forecaster, parameters)) is not None:
            raise error


def make_space(space, forecaster) -> DictSpace | FunctionSpace:
    """Return the search space of `tune` after validating all names and values."""
    if callable(space):
        made = FunctionSpace(space)
    elif isinstance(space, dict) and space:
        made = DictSpace([_dimension(name, values) for name, values in space.items()])
    else:
        rule = "space must be a dict of parameters to values, or a function of hp"
        refuse(WHERE, rule, repr(space), error=ParameterError)
    made.check(forecaster)
    return made


def find_parameter_error(forecaster, parameters: dict) -> InputError | None:
    """Return the validation error of the forecaster with these parameters, or None."""
    try:
        clone(forecaster).set_params(**parameters)._check_parameters()
    except InputError as error:
        return error
    return None


def _dimension(name, values) -> Choice | Range:
    if isinstance(values, tuple):
        return _range(name, values)
    if isinstance(values, str) or not isinstance(values, Iterable):
        rule = f"{name} in the space must be a list of choices, (low, high), or (low, high, 'log')"
        refuse(WHERE, rule, repr(values), f"One value alone is [{values!r}].", ParameterError)
    options = tuple(_plain(value) for value in values)
    if not options:
        refuse(WHERE, f"{name} in the space must have at least one choice", "none", error=ParameterError)
    double = [one for one, other in itertools.combinations(options, 2) if type(one) is type(other) and one == other]
    if double:
        refuse(
            WHERE, f"choices of {name} must differ", first_few(map(repr, double)), "Each counts once.", ParameterError
        )
    return Choice(name, options)


def _range(name, values):
    rule = f"{name} in the space must be (low, high) or (low, high, 'log'), two increasing numbers"
    bounds, kind = values[:2], values[2:]
    real = [isinstance(bound, numbers.Real) and not isinstance(bound, bool) for bound in bounds]
    if len(bounds) < 2 or not all(real) or kind not in ((), ("log",), ("linear",)):
        refuse(WHERE, rule, repr(values), "Choices are a list.", ParameterError)
    low, high = map(_plain, bounds)
    log = kind == ("log",)
    if not (math.isfinite(low) and math.isfinite(high) and low < high) or (log and low <= 0):
        refuse(WHERE, rule + (" above 0" if log else ""), repr(values), error=ParameterError)
    return Range(name, low, high, log)


def _plain(value):
    """Convert a NumPy number to a Python number, because the search is stored as JSON."""
    return value.item() if isinstance(value, np.generic) else value


def _check_name(forecaster, name):
    known = forecaster.get_params()
    if name in FIXED:
        rule = f"{name} determines what is forecast and cannot be searched"
        refuse(WHERE, rule, "it in the space", f"Pass {name}= to the forecaster.", ParameterError)
    if name not in known or name in OF_A_RUN:
        options = sorted({*known} - {*FIXED, *OF_A_RUN})
        where = f"{WHERE}: {type(forecaster).__name__}"
        refuse(where, "a parameter in the space must exist", repr(name), did_you_mean(name, options), ParameterError)


def _code_of(code):
    """Return the code of a function without source locations."""
    if not hasattr(code, "co_code"):
        return repr(code)
    return code.co_code.hex(), code.co_names, [_code_of(constant) for constant in code.co_consts]
