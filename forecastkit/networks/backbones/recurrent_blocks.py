"""Transformer blocks with a recurrent layer in the place of attention."""

from dataclasses import dataclass

import keras
from keras import layers

from forecastkit.networks.backbone import Backbone
from forecastkit.networks.layers import Dropout, FeedForward, Recurrence, own_mask
from forecastkit.utils import validation


class RecurrentBlock(keras.layers.Layer):
    """Pre-norm residual recurrence over the past, stepped into the future, and feed-forward on both."""

    def __init__(self, cell, units, feedforward, dropout, **kwargs):
        super().__init__(**kwargs)
        own_mask(self)
        self.norm = layers.LayerNormalization(epsilon=1e-5)
        self.recurrence = Recurrence(cell, units, sequences=True)
        self.drop = Dropout(dropout)
        self.feedforward = FeedForward(feedforward, dropout)

    def call(self, past, future, mask=None, training=None):
        states = self.recurrence(self.norm(past), self.norm(future))
        past, future = (
            tokens + self.drop(state, training=training) for tokens, state in zip((past, future), states, strict=True)
        )
        return self.feedforward(past, training=training), self.feedforward(future, training=training)


class Blocks(keras.layers.Layer):
    """Blocks on top of each other, each called as ``block(past, future, mask=None, training=None)``."""

    def __init__(self, blocks, **kwargs):
        super().__init__(**kwargs)
        own_mask(self)
        self.blocks = blocks
        self.norm = layers.LayerNormalization(epsilon=1e-5)

    def call(self, past, future, mask=None, training=None):
        for block in self.blocks:
            past, future = block(past, future, mask=mask, training=training)
        return self.norm(future)


@dataclass(kw_only=True, eq=False, repr=False)
class RecurrentBlocks(Backbone):
    """The Transformer block with its self-attention replaced by a recurrent layer; residuals and feed-forward are kept.

    Parameters
    ----------
    units : int
        Width of every token and state.
    layers : int
        Blocks.
    cell : {'gru', 'lstm', 'rnn'}
    feedforward : int, optional
        Width inside the feed-forward layers. Default: twice the units.
    dropout : float
        Fraction dropped in training after the recurrence, after feed-forward, and before the head.

    References
    ----------
    Domhan (2018), "How much attention do you need? A granular analysis of neural machine translation architectures",
    ACL, whose encoders and decoders replace self-attention so. Departures: one stack instead of encoder and decoder;
    the recurrence reads the past in one direction and is stepped once into each token of the future; missing values are
    a mask among the inputs; pre-norm; GELU. There are no positions, because the recurrence carries the order.
    """

    units: int = 128
    layers: int = 1
    cell: str = "gru"
    feedforward: int | None = None
    dropout: float = 0.1

    learning_rate = 1e-3
    broadcasts = True

    def build(self) -> keras.layers.Layer:
        width = self.feedforward or 2 * self.units
        return Blocks([RecurrentBlock(self.cell, self.units, width, self.dropout) for _ in range(self.layers)])

    def check(self) -> None:
        super().check()
        where = type(self).__name__
        validation.check_int(where, "layers", self.layers)
        validation.check_int(where, "feedforward", self.feedforward, optional=True)
        validation.check_choice(where, "cell", self.cell, Recurrence.KINDS)
