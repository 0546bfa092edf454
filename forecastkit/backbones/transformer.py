"""Transformer encoder over past and future tokens together."""

from dataclasses import dataclass

import keras
from keras import layers, ops

from forecastkit import checks
from forecastkit.backbone import Backbone
from forecastkit.layers import FeedForward, Positions, SelfAttention


class Encoder(keras.layers.Layer):
    def __init__(self, depth, heads, feedforward, positions, dropout, **kwargs):
        super().__init__(**kwargs)
        self.positions = Positions(positions)
        self.blocks = [(SelfAttention(heads, dropout), FeedForward(feedforward, dropout)) for _ in range(depth)]
        self.norm = layers.LayerNormalization(epsilon=1e-5)

    def call(self, past, future, mask=None, training=None):
        steps = future.shape[1]
        if mask is not None:
            mask = ops.concatenate([mask, ops.ones_like(future[:, :, 0])], axis=1)
        tokens = self.positions(ops.concatenate([past, future], axis=1))
        for attention, feedforward in self.blocks:
            tokens = attention(tokens, mask=mask, training=training)
            tokens = feedforward(tokens, training=training)
        return self.norm(tokens[:, -steps:])


@dataclass(kw_only=True, eq=False, repr=False)
class Transformer(Backbone):
    units: int = 64
    layers: int = 2
    heads: int = 4
    feedforward: int | None = None
    positions: str = "learned"
    dropout: float = 0.1

    learning_rate = 2e-3

    def build(self):
        return Encoder(self.layers, self.heads, self.feedforward or 2 * self.units, self.positions, self.dropout)
