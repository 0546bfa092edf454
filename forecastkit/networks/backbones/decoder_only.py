"""Decoder-only causal Transformer over past and future tokens."""

from dataclasses import dataclass

import keras

from forecastkit.networks.backbones.transformer import Encoder, Transformer


@dataclass(kw_only=True, eq=False, repr=False)
class DecoderOnly(Transformer):
    """Causal decoder-only Transformer over segments: the tokens of the past, then those of the future.

    A token attends to itself and to earlier ones, so that a forecast depends on what is known of the future up to its
    own segment and not after it.

    Parameters
    ----------
    units, layers, heads, feedforward, positions, dropout
        As in `Transformer`.

    References
    ----------
    Liu et al. (2018), "Generating Wikipedia by summarizing long sequences", ICLR, which drops the encoder; over
    segments of a series as in Das et al. (2024), "A decoder-only foundation model for time-series forecasting", ICML.
    Departures: the whole horizon is forecast at once from learned queries at its places, instead of a segment at a
    time with each forecast fed back; the loss is taken on the horizon only, not on the next segment after every token
    of the past; one dense layer embeds a segment instead of a residual block; pre-norm; GELU.
    """

    def build(self) -> keras.layers.Layer:
        return Encoder(**self.arguments(), causal=True)
