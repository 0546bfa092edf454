"""Layers: Transformer encoder over past and future tokens."""

import keras
from keras import layers, ops

from forecastkit.networks.attention import Positions, SelfAttention
from forecastkit.networks.layers import FeedForward, own_mask


class Encoder(keras.layers.Layer):
    """Blocks of attention and feed-forward layers over past and future tokens."""

    def __init__(self, depth, heads, feedforward, positions, dropout, causal=False, **kwargs):
        super().__init__(**kwargs)
        own_mask(self)
        self.positions = Positions(positions)
        self.blocks = [
            (SelfAttention(heads, dropout, positions == "rotary", causal), FeedForward(feedforward, dropout))
            for _ in range(depth)
        ]
        self.norm = layers.LayerNormalization(epsilon=1e-5)

    def call(self, past, future, mask=None, training=None):
        steps = future.shape[1]
        if mask is not None:
            mask = ops.pad(mask, [[0, 0], [0, steps]], constant_values=1)
        tokens = self.positions(ops.concatenate([past, future], axis=1))
        for attention, feedforward in self.blocks:
            # The past tokens of the last block's output are not used.
            last = attention is self.blocks[-1][0]
            tokens = attention(tokens, mask=mask, training=training, steps=steps if last else None)
            tokens = feedforward(tokens, training=training)
        return self.norm(tokens)
