"""Forecasters by the names and flags of the command line."""

import ast
import csv
from collections.abc import Sequence

from forecastkit.networks import backbones
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import did_you_mean, refuse

BASELINES = {
    "naive": "NaiveForecaster",
    "seasonal_naive": "SeasonalNaiveForecaster",
    "drift": "DriftForecaster",
    "mean": "MeanForecaster",
    "theta": "ThetaForecaster",
    "damped_trend": "DampedTrendForecaster",
    "linear": "LinearForecaster",
    "pretrained": "PretrainedForecaster",
}
#: Forecasters made of others, by name.
MADE_OF_OTHERS = {"auto": "AutoForecaster"}
LISTS = ("target", "known", "past", "static")


def check_model(name: str) -> None:
    """Refuse a name that is neither a backbone nor a baseline nor ``ensemble`` nor ``auto``."""
    names = (*backbones.names(), *BASELINES, *MADE_OF_OTHERS, "ensemble")
    if name not in names:
        refuse("--model", "the model must exist", repr(name), did_you_mean(name, names), ParameterError)


def is_network(name: str) -> bool:
    """Whether a model of this name holds a network."""
    return name not in BASELINES


def read_flags(given: dict, settings: Sequence[str]) -> dict:
    """Constructor parameters from the text of flags and of ``--set name=value``."""
    parameters = {name: _value(name, value) for name, value in given.items()}
    for setting in settings:
        name, sign, value = setting.partition("=")
        if not sign or not name.strip():
            refuse("--set", "must be NAME=VALUE", repr(setting), error=ParameterError)
        name = name.strip().replace("-", "_")
        parameters[name] = _value(name, value) if name in given.keys() | set(LISTS) else literal(value)
    return parameters


def _value(name: str, value):
    if name in LISTS:
        return [part.strip() for part in next(csv.reader([value], skipinitialspace=True))]
    if name == "quantile_levels":
        return read_levels(value)
    if name == "fourier":
        return read_waves(value)
    if name == "validation_size":
        return read_size("--validation-size", value)
    return value


def read_levels(text: str) -> list[float]:
    """Quantile levels from text such as ``0.1,0.5,0.9``."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        return refuse(
            "--quantile-levels", "must be numbers inside (0, 1), parted by commas", repr(text), error=ParameterError
        )


def read_waves(text: str) -> int | dict:
    """A number of waves, or numbers by the length of the season: ``3``, ``24:3,168:2``."""
    try:
        if ":" not in text:
            return int(text)
        pairs = (part.split(":") for part in text.split(","))
        return {literal(season): int(number) for season, number in pairs}
    except ValueError:
        rule = "must be a number of waves, such as 3, or numbers by season, such as 24:3,168:2"
        return refuse("--fourier", rule, repr(text), error=ParameterError)


def read_size(flag: str, text: str) -> int | float:
    """A number of rows, or a part of them."""
    value = literal(text)
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if not whole and not (isinstance(value, float) and 0 <= value < 0.9):
        refuse(
            flag,
            "must be a number of rows, such as 24, or a part of them, such as 0.1",
            repr(text),
            error=ParameterError,
        )
    return value


def literal(text: str):
    """The value of text, as in ``--set name=value``: a number, true, false, none, a list, else text."""
    text = text.strip()
    words = {"none": None, "true": True, "false": False}
    if text.lower() in words:
        return words[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def make_forecaster(name: str, parameters: dict):
    """An unfitted forecaster.

    Parameters
    ----------
    name : str
        Of a backbone, a baseline, ``auto``, or ``ensemble``: a GRU and the linear forecaster.
    parameters : dict
        Those that no model has are refused; those of networks are refused by baselines.
    """
    if name == "ensemble":
        return _ensemble(parameters)
    kind = forecaster_class(name)
    _check_names(name, kind, parameters)
    return kind(**parameters)


def forecaster_class(name: str) -> type:
    """The class `<Name>Forecaster`."""
    import forecastkit

    known = BASELINES | MADE_OF_OTHERS
    return getattr(forecastkit, known.get(name) or f"{backbones.class_names()[name]}Forecaster")


def _check_names(name, kind, parameters):
    known = set(kind._get_param_names()) - {"callbacks", "verbose"}
    for parameter in parameters:
        if parameter not in known | {"callbacks"}:
            rule = "the parameter must exist" if is_network(name) else "the parameter must exist without a network"
            refuse(name, rule, repr(parameter), did_you_mean(parameter, known), ParameterError)


def _ensemble(parameters):
    from forecastkit.forecasters.baselines import LinearForecaster
    from forecastkit.forecasters.ensemble import EnsembleForecaster

    common = {key: value for key, value in parameters.items() if key in LinearForecaster._get_param_names()}
    how = {key: parameters[key] for key in parameters if key == "how"}
    network = make_forecaster("gru", {key: value for key, value in parameters.items() if key != "how"})
    return EnsembleForecaster(forecasters=[network, LinearForecaster(**common)], **common, **how)
