"""Forecasters with a backbone: any one, or the one that the class is named after."""

import inspect
from dataclasses import dataclass, fields
from functools import cache

from forecastkit.forecasters.neural import NamedForecaster, NeuralForecaster
from forecastkit.networks import backbones
from forecastkit.networks.backbone import Backbone, LayerBackbone
from forecastkit.utils.estimator import clone
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import refuse


@dataclass(kw_only=True, eq=False, repr=False)
class KerasForecaster(NeuralForecaster):
    """Forecaster with any backbone, including user-defined ones.

    Parameters
    ----------
    backbone : str, Backbone, or class
        A name of the registry, an object such as ``LSTM(units=64)``, a subclass of `Backbone`, or a Keras layer class
        that is called as ``layer(past, future, mask=None, training=None)``, see `forecastkit.Backbone`.
    """

    backbone: str | Backbone | type = "gru"

    def _architecture(self):
        chosen = backbones.find(self.backbone) if isinstance(self.backbone, str) else self.backbone
        if isinstance(chosen, Backbone):
            return clone(chosen)
        if isinstance(chosen, type) and issubclass(chosen, Backbone):
            return chosen()
        if isinstance(chosen, type) and callable(getattr(chosen, "call", None)):
            return LayerBackbone(layer=chosen)
        return refuse(
            "KerasForecaster",
            "backbone must be a name, a Backbone or a class",
            repr(chosen),
            "Pass the layer's class, not a built layer.",
            ParameterError,
        )


def named(cls: type[NamedForecaster]) -> type[NamedForecaster]:
    """Make a dataclass whose constructor lists the parameters of the backbone last, although its fields come first."""
    made = dataclass(kw_only=True, eq=False, repr=False)(cls)
    signature, own = inspect.signature(made.__init__), {f.name for f in fields(cls.architecture)}
    parameters = sorted(signature.parameters.values(), key=lambda parameter: parameter.name in own)
    made.__init__.__signature__ = signature.replace(parameters=parameters)
    return made


@cache
def named_forecaster(backbone: type[Backbone]) -> type[NamedForecaster]:
    """Return the class `<Backbone>Forecaster` of a backbone for which `forecasters/networks.py` has none."""
    members = {
        "architecture": backbone,
        "__module__": "forecastkit.forecasters.networks",  # where pickle finds it
    }
    return named(type(f"{backbone.__name__}Forecaster", (NamedForecaster, backbone), members))
