"""Layers: Inverted Transformer: one token per target column, attention between columns."""

import keras
from keras import layers, ops

from forecastkit.networks.attention import SelfAttention, unwatched
from forecastkit.networks.layers import FeedForward


class InvertedEncoder(keras.layers.Layer):
    """Merges the tokens of a channel into one, applies attention between channels, and returns future tokens."""

    def __init__(self, units, depth, heads, feedforward, dropout, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.merge = layers.Dense(units)
        self.blocks = [(SelfAttention(heads, dropout), FeedForward(feedforward, dropout)) for _ in range(depth)]
        self.norm = layers.LayerNormalization(epsilon=1e-5)

    def build(self, past_shape, future_shape):
        self.spread = layers.Dense(future_shape[-2] * future_shape[-1])

    def call(self, past, future, mask=None, training=None):
        channels, steps = past.shape[1], future.shape[2]
        tokens = ops.concatenate([past, future], axis=2)
        variates = self.merge(ops.reshape(tokens, (-1, channels, tokens.shape[2] * self.units)))
        observed = None if mask is None else ops.max(mask, axis=-1)
        for attention, feedforward in self.blocks:
            if channels > 1:
                with unwatched():  # attention between channels, not over time
                    variates = attention(variates, mask=observed, training=training)
            variates = feedforward(variates, training=training)
        change = self.spread(self.norm(variates))
        return future + ops.reshape(change, (-1, channels, steps, self.units))
