"""Inverted Transformer: one token per target column, attention between columns."""

from dataclasses import dataclass

import keras
from keras import layers, ops

from forecastkit.networks.attention import SelfAttention, unwatched
from forecastkit.networks.backbone import Backbone, check_blocks
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


@dataclass(kw_only=True, eq=False, repr=False)
class InvertedTransformer(Backbone):
    """Transformer whose tokens are the target columns: each reads the whole lookback, and they attend to each other.

    It is the backbone that mixes target columns. With a single column only the feed-forward layers are used.

    Parameters
    ----------
    units : int
        Width of the tokens of segments and of columns; a multiple of `heads`.
    layers : int
        Number of blocks of attention between columns and a feed-forward layer.
    heads : int
        Number of attention heads.
    feedforward : int, optional
        Width of the feed-forward layers; twice the units by default.
    dropout : float
        Fraction dropped in training after attention, after the feed-forward layer, and before the head.

    References
    ----------
    Liu et al. (2024), "iTransformer: Inverted Transformers are effective for time series forecasting", ICLR.
    Departures: segments are embedded with their covariates and missing values before they are merged into the column's
    token; future tokens, which contain the future covariates, are inputs too and are added to the output; covariates
    have no separate tokens; pre-norm; columns without an observed value are not attended to; windows are normalized by
    their last value by default.
    """

    units: int = 128
    layers: int = 2
    heads: int = 4
    feedforward: int | None = None
    dropout: float = 0.1

    learning_rate = 1e-3
    mixes_channels = True

    def build(self) -> keras.layers.Layer:
        return InvertedEncoder(self.units, self.layers, self.heads, self.feedforward or 2 * self.units, self.dropout)

    def check(self) -> None:
        super().check()
        check_blocks(self)
