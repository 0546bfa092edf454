"""Forecasters by the names of ``--model``."""

import forecastkit
from forecastkit.cli.model_names import COMBINED, SIMPLE, UNSAVED, model_names
from forecastkit.networks import backbones
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import did_you_mean, refuse

#: Parameters that are set by the command line.
RESERVED = ("callbacks", "verbose")


def check_model(name: str, saved: bool = False) -> None:
    """Refuse a name that is not in `model_names`.

    Parameters
    ----------
    name : str
    saved : bool
        Whether the model will be saved to a file.
    """
    if saved and name in UNSAVED:
        remedy = "Use it with backtest or compare, or in Python with joblib."
        refuse("--model", "the model must be one that can be saved to a file", repr(name), remedy, ParameterError)
    if name not in model_names():
        refuse("--model", "the model must exist", repr(name), did_you_mean(name, model_names()), ParameterError)


def is_network(name: str) -> bool:
    """Return whether a model of this name contains a network."""
    return name not in SIMPLE


def make_forecaster(name: str, parameters: dict):
    """Return an unfitted forecaster.

    Parameters
    ----------
    name : str
        One of `model_names`.
    parameters : dict

    Raises
    ------
    ParameterError
        If the forecaster has no such parameter.
    """
    if name == "ensemble":
        return _make_ensemble(parameters)
    kind = forecaster_class(name)
    _check_names(name, kind, parameters)
    return kind(**parameters)


def forecaster_class(name: str) -> type:
    """Return the class of a model name."""
    known = SIMPLE | COMBINED
    return getattr(forecastkit, known.get(name) or f"{backbones.class_names()[name]}Forecaster")


def _check_names(name, kind, parameters):
    known = set(kind._get_param_names()) - set(RESERVED)
    for parameter in parameters:
        if parameter not in known:
            rule = "the parameter must exist" if is_network(name) else "the parameter must exist without a network"
            remedy = did_you_mean(parameter, known)
            if name == "auto" and parameter in forecaster_class("gru")._get_param_names():
                remedy = "Pass --model gru, or another network, which has it."
            refuse(name, rule, repr(parameter), remedy, ParameterError)


def _make_ensemble(parameters):
    """Return an ensemble of a GRU and the linear forecaster, with the parameters that each of them has."""
    common = {key: value for key, value in parameters.items() if key in forecaster_class("linear")._get_param_names()}
    how = {key: parameters[key] for key in parameters if key == "how"}
    network = make_forecaster("gru", {key: value for key, value in parameters.items() if key != "how"})
    members = [network, make_forecaster("linear", common)]
    return forecaster_class("ensemble")(forecasters=members, **common, **how)
