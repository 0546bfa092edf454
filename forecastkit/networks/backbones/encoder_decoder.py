"""Encoder-decoder Transformer."""

from dataclasses import dataclass

import keras
from keras import layers

from forecastkit.networks.attention import CrossAttention, Positions, SelfAttention, unwatched
from forecastkit.networks.backbones.transformer import Transformer
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


@dataclass(kw_only=True, eq=False, repr=False)
class EncoderDecoder(Transformer):
    """Encoder-decoder Transformer: queries of the horizon attend to each other and to the encoded past.

    Future covariates are inputs of the decoder, in which every token is one segment of the horizon.

    Parameters
    ----------
    layers : int
        Number of blocks of the encoder and of the decoder.
    units, heads, feedforward, positions, dropout
        As in `Transformer`.

    References
    ----------
    Vaswani et al. (2017), "Attention is all you need", NeurIPS. Departures: tokens are segments; the decoder forecasts
    all segments at once from learned queries (like the placeholders of Zhou et al. 2021, "Informer", AAAI), without a
    causal mask or feedback of forecasts; these queries serve as the decoder's positions for all additive encodings;
    pre-norm, with a normalization after each stack; GELU.
    """

    def build(self) -> keras.layers.Layer:
        return Stacks(**self.arguments())
