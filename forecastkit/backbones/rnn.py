"""Simple recurrent network; also the base of the gated ones, which differ in their cell only."""

from dataclasses import dataclass

import keras

from forecastkit import checks
from forecastkit.backbone import Backbone
from forecastkit.layers import Recurrence


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
    units: int = 128
    layers: int = 1
    dropout: float = 0.2

    kind = "rnn"
    broadcasts = True
    reads_steps = True
    embedding_activation = "relu"

    def build(self):
        return Stack(self.kind, self.units, self.layers)

    def check(self):
        super().check()
        checks.check_int(type(self).__name__, "layers", self.layers)
