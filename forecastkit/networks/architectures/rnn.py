"""Layers: Simple recurrent network; also the base class of the gated ones, which differ only in their cell."""

import keras

from forecastkit.networks.layers import Recurrence


class Stack(keras.layers.Layer):
    """Stack of recurrent layers over past tokens with a step into future tokens."""

    def __init__(self, kind, units, depth, bidirectional=False, **kwargs):
        super().__init__(**kwargs)
        self.floors = [Recurrence(kind, units, bidirectional, sequences=i < depth - 1) for i in range(depth)]

    def call(self, past, future, mask=None, training=None):
        for recurrence in self.floors:
            past, future = recurrence(past, future)
        return future
