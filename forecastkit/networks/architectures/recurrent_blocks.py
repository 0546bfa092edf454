"""Layers: Transformer blocks with recurrent layers instead of attention."""

import keras
from keras import layers

from forecastkit.networks.layers import Dropout, FeedForward, Recurrence, own_mask


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
