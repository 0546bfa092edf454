"""Simple recurrent network; also the base of the gated ones, which differ in their cell only."""

from dataclasses import dataclass

import keras

from forecastkit.networks.backbone import Backbone
from forecastkit.networks.layers import Recurrence
from forecastkit.utils import validation


class Stack(keras.layers.Layer):
    """Recurrent layers on top of each other, each reading the past and stepping into the future."""

    def __init__(self, kind, units, depth, bidirectional=False, **kwargs):
        super().__init__(**kwargs)
        self.floors = [Recurrence(kind, units, bidirectional, sequences=i < depth - 1) for i in range(depth)]

    def call(self, past, future, mask=None, training=None):
        for floor in self.floors:
            past, future = floor(past, future)
        return future


@dataclass(kw_only=True, eq=False, repr=False)
class RNN(Backbone):
    """Simple recurrent network over the tokens of the past, stepped once into each token of the future.

    Parameters
    ----------
    units : int
        Width of tokens and states.
    layers : int
        Recurrent layers on top of each other.
    dropout : float
        Fraction of the states dropped in training, before the head only.

    References
    ----------
    Elman (1990), "Finding structure in time", Cognitive Science 14(2). Segments and the parallel step into the future
    follow Lin et al. (2023), "SegRNN", arXiv:2308.11200. Departures from SegRNN: one width for tokens and states,
    covariates and calendar in the tokens, the embedding of series only where asked for, missing values as a mask
    among the inputs, and with ``patch=1`` no embedding of the values at all.
    """

    units: int = 128
    layers: int = 1
    dropout: float = 0.2

    kind = "rnn"
    learning_rate = 2e-3
    broadcasts = True
    reads_steps = True
    embedding_activation = "relu"

    def build(self) -> keras.layers.Layer:
        return Stack(self.kind, self.units, self.layers)

    def check(self) -> None:
        super().check()
        validation.check_int(type(self).__name__, "layers", self.layers)
