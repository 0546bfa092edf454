"""KerasForecaster: a forecaster with any backbone."""

from dataclasses import dataclass

from sklearn.base import clone

from forecastkit.forecasters.neural import NeuralForecaster
from forecastkit.networks import backbones
from forecastkit.networks.backbone import Backbone, LayerBackbone
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
