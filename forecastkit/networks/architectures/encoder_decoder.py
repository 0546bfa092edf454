"""Layers: Encoder-decoder Transformer."""

import keras
from keras import layers

from forecastkit.networks.attention import CrossAttention, Positions, SelfAttention, unwatched
from forecastkit.networks.layers import FeedForward, own_mask


class Stacks(keras.layers.Layer):
    """Encoder blocks over past tokens, and decoder blocks of self-attention and cross-attention over future tokens."""

    def __init__(self, depth, heads, feedforward, positions, dropout, **kwargs):
        super().__init__(**kwargs)
        own_mask(self)
        rotary = positions == "rotary"
        self.positions = Positions(positions)
        self.encoder = [
            (SelfAttention(heads, dropout, rotary), FeedForward(feedforward, dropout)) for _ in range(depth)
        ]
        self.encoded = layers.LayerNormalization(epsilon=1e-5)
        self.decoder = [
            (
                SelfAttention(heads, dropout, rotary),
                CrossAttention(heads, dropout, rotary),
                FeedForward(feedforward, dropout),
            )
            for _ in range(depth)
        ]
        self.norm = layers.LayerNormalization(epsilon=1e-5)

    def call(self, past, future, mask=None, training=None):
        past = self.encode(past, mask, training)
        for self_attention, cross_attention, feedforward in self.decoder:
            with unwatched():
                future = self_attention(future, training=training)
            future = cross_attention(future, past, mask=mask, training=training)
            future = feedforward(future, training=training)
        return self.norm(future)

    def encode(self, past, mask, training):
        past = self.positions(past)
        for attention, feedforward in self.encoder:
            with unwatched():
                past = attention(past, mask=mask, training=training)
            past = feedforward(past, training=training)
        return self.encoded(past)
