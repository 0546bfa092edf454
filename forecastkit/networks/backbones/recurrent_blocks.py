"""Transformer blocks with recurrent layers instead of attention."""

from dataclasses import dataclass

import keras
from keras import layers

from forecastkit.networks.backbone import Backbone
from forecastkit.networks.layers import Dropout, FeedForward, Recurrence, own_mask
from forecastkit.utils import validation


class RecurrentBlock(keras.layers.Layer):
    """Pre-norm residual recurrence and feed-forward layer over past and future tokens."""

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
    """Stack of blocks that are called as ``block(past, future, mask=None, training=None)``."""

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
    """Transformer blocks in which a recurrent layer replaces self-attention.

    Parameters
    ----------
    units : int
        Width of tokens and states.
    layers : int
        Number of blocks.
    cell : {'gru', 'lstm', 'rnn'}
        Kind of the recurrent layer.
    feedforward : int, optional
        Width of the feed-forward layers; twice the units by default.
    dropout : float
        Fraction dropped in training after the recurrence, after the feed-forward layer, and before the head.

    References
    ----------
    Domhan (2018), "How much attention do you need? A granular analysis of neural machine translation architectures",
    ACL, who replaces self-attention in encoders and decoders. Departures: one stack instead of encoder and decoder; the
    recurrence reads the past in one direction and takes one step into each future token; missing values are indicated
    among the inputs; pre-norm; GELU; no positional encodings, because the recurrence encodes the order.
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
