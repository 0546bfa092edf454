"""A network that was trained: its weights, and how to build it again."""

import random
import threading

import numpy as np

from forecastkit.checks import ArtifactError, refuse
from forecastkit.data.windows import Origins
from forecastkit.engines import make_engine
from forecastkit.heads import make_head
from forecastkit.network import Network, Sizes

BUILDING = threading.RLock()


class TrainedNetwork:
    """A network and its weights. Pickles hold the weights and how to build it; nothing that is compiled.

    Parameters
    ----------
    backbone : Backbone
    sizes : Sizes
    normalization, loss : str
    levels : tuple of float or None
    seed : int
        Of the first weights.
    """

    def __init__(self, backbone, sizes: Sizes, normalization: str, loss: str, levels, seed: int = 0, weights=None):
        self.backbone, self.sizes, self.normalization = backbone, sizes, normalization
        self.loss, self.levels, self.seed, self.weights = loss, levels, seed, weights
        self._live = None

    @property
    def head(self):
        """What its outputs mean."""
        return make_head(self.loss, self.levels)

    def live(self, compiled: bool = False):
        """The Keras model and its engine, built on first use."""
        if self._live is None:
            with BUILDING:
                self._live = self._live or self._build(compiled)
        return self._live

    def _build(self, compiled):
        head = self.head
        state = random.getstate()
        random.seed(self.seed)  # Keras takes the seeds of weights and dropout from here
        try:
            network = Network(self.backbone, self.sizes, head, self.normalization)
            example = {name: np.zeros((1, *shape), dtype) for name, (shape, dtype) in self.sizes.inputs().items()}
            network(example)  # builds every layer
        finally:
            random.setstate(state)
        if self.weights is not None:
            self._take_weights(network)
        return network, make_engine(network, head, compiled=compiled)

    def _take_weights(self, network):
        wanted, kept = ([np.shape(weight) for weight in weights] for weights in (network.weights, self.weights))
        if wanted != kept:
            refuse(
                "load",
                f"the backbone {type(self.backbone).__name__} must be the one that was trained",
                "one with other weights",
                "Hand over the class as it was.",
                ArtifactError,
            )
        network.set_weights(self.weights)

    def predict(self, buffers, origins: Origins) -> np.ndarray:
        """Scaled forecasts (n, horizon, outputs)."""
        engine = self.live()[1]
        if not self.sizes.channels:
            return engine.predict(buffers, origins.table())
        distinct, place = origins.together()
        return engine.predict(buffers, distinct.table())[place, origins.channel]

    def _state(self) -> dict:
        """The arguments that build it again, for the artifact."""
        arguments = {name: value for name, value in self.__getstate__().items() if name != "_live"}
        return {**arguments, "weights": [np.asarray(weight) for weight in arguments["weights"]]}

    def __getstate__(self):
        weights = self._live[0].get_weights() if self._live else self.weights
        return {**self.__dict__, "weights": weights, "_live": None}
