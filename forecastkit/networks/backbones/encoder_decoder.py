"""Encoder-decoder Transformer: encoder of the past, decoder of the future tokens."""

from dataclasses import dataclass

import keras
from keras import layers

from forecastkit.networks.attention import CrossAttention, Positions, SelfAttention, unwatched
from forecastkit.networks.backbones.transformer import Transformer
from forecastkit.networks.layers import FeedForward, own_mask


class Stacks(keras.layers.Layer):
    """Blocks that encode the past, then blocks in which the future attends to itself and to the encoded past."""

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
        for among, across, feedforward in self.decoder:
            with unwatched():
                future = among(future, training=training)
            future = across(future, past, mask=mask, training=training)
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
    """The full encoder-decoder Transformer: queries of the horizon attend to each other and to the encoded past.

    What is known of the future enters the decoder, where every token is one segment of the horizon.

    Parameters
    ----------
    layers : int
        Blocks of the encoder, and as many of the decoder.
    units, heads, feedforward, positions, dropout
        As in `Transformer`.

    References
    ----------
    Vaswani et al. (2017), "Attention is all you need", NeurIPS. Departures: tokens are segments; the decoder forecasts
    all of them at once from learned queries (as that of Zhou et al. 2021, "Informer", AAAI, does from placeholders),
    so that it attends to itself without a causal mask and its own forecasts are never fed back; those queries are the
    decoder's positions under all additive schemes; pre-norm, with a norm after each stack; GELU.
    """

    def build(self) -> keras.layers.Layer:
        return Stacks(**self.arguments())
