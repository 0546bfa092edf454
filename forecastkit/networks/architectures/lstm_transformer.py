"""Layers: Transformer with an LSTM before every block."""

import keras
from keras import layers, ops

from forecastkit.networks.attention import SelfAttention
from forecastkit.networks.layers import FeedForward, Recurrence


class Hybrid(keras.layers.Layer):
    """Blocks of a recurrent layer, attention over past and future tokens, and a feed-forward layer."""

    def __init__(self, kind, units, depth, heads, feedforward, dropout, **kwargs):
        super().__init__(**kwargs)
        self.recurrences = [Recurrence(kind, units, sequences=True) for _ in range(depth)]
        self.blocks = [(SelfAttention(heads, dropout), FeedForward(feedforward, dropout)) for _ in range(depth)]
        self.norm = layers.LayerNormalization(epsilon=1e-5)

    def call(self, past, future, mask=None, training=None):
        steps = future.shape[1]
        if mask is not None:
            mask = ops.pad(mask, [[0, 0], [0, steps]], constant_values=1)
        for recurrence, (attention, feedforward) in zip(self.recurrences, self.blocks, strict=True):
            past, future = recurrence(past, future)
            tokens = ops.concatenate([past, future], axis=1)
            # The past tokens of the last block's output are not used.
            last = attention is self.blocks[-1][0]
            tokens = attention(tokens, mask=mask, training=training, steps=steps if last else None)
            tokens = feedforward(tokens, training=training)
            past, future = tokens[:, :-steps], tokens[:, -steps:]
        return self.norm(future)
