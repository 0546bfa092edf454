"""LSTM before every Transformer block."""

from dataclasses import dataclass

import keras
from keras import layers, ops

from forecastkit.backbone import Backbone
from forecastkit.layers import FeedForward, Recurrence, SelfAttention


class Hybrid(keras.layers.Layer):
    def __init__(self, kind, units, depth, heads, feedforward, dropout, **kwargs):
        super().__init__(**kwargs)
        self.recurrences = [Recurrence(kind, units, sequences=True) for _ in range(depth)]
        self.blocks = [(SelfAttention(heads, dropout), FeedForward(feedforward, dropout)) for _ in range(depth)]
        self.norm = layers.LayerNormalization(epsilon=1e-5)

    def call(self, past, future, mask=None, training=None):
        steps, n = future.shape[1], past.shape[1]
        if mask is not None:
            mask = ops.concatenate([mask, ops.ones_like(future[:, :, 0])], axis=1)
        for recurrence, (attention, feedforward) in zip(self.recurrences, self.blocks, strict=True):
            past, future = recurrence(past, future)
            tokens = ops.concatenate([past, future], axis=1)
            tokens = attention(tokens, mask=mask, training=training)
            tokens = feedforward(tokens, training=training)
            past, future = tokens[:, :n], tokens[:, n:]
        return self.norm(tokens[:, -steps:])


@dataclass(kw_only=True, eq=False, repr=False)
class LSTMTransformer(Backbone):
    units: int = 64
    layers: int = 1
    heads: int = 4
    feedforward: int | None = None
    dropout: float = 0.1

    learning_rate = 2e-3
    kind = "lstm"
    broadcasts = True

    def build(self):
        return Hybrid(self.kind, self.units, self.layers, self.heads, self.feedforward or 2 * self.units, self.dropout)
