"""Inverted Transformer: one token per series, attention between series."""

from dataclasses import dataclass

import keras
from keras import layers, ops

from forecastkit.networks.attention import SelfAttention, unwatched
from forecastkit.networks.backbone import Backbone, check_blocks
from forecastkit.networks.layers import FeedForward


class InvertedEncoder(keras.layers.Layer):
    """One token from all those of a channel, blocks of attention among the channels, and tokens of the future again."""

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
                with unwatched():  # among series, not over time
                    variates = attention(variates, mask=observed, training=training)
            variates = feedforward(variates, training=training)
        ahead = self.spread(self.norm(variates))
        return future + ops.reshape(ahead, (-1, channels, steps, self.units))


@dataclass(kw_only=True, eq=False, repr=False)
class InvertedTransformer(Backbone):
    """Transformer whose tokens are the target columns: each reads the whole lookback, and they attend to each other.

    The one that mixes the series of a frame. A single target column has nobody to attend to and is left with the
    feed-forward layers.

    Parameters
    ----------
    units : int
        Width of every token, of segments as well as of whole columns; a multiple of `heads`.
    layers : int
        Blocks of attention among the columns and feed-forward on each.
    heads : int
    feedforward : int, optional
        Width inside the feed-forward layers. Default: twice the units.
    dropout : float
        Fraction dropped in training after attention, after feed-forward, and before the head.

    References
    ----------
    Liu et al. (2024), "iTransformer: Inverted Transformers are effective for time series forecasting", ICLR.
    Departures: segments are embedded before they are merged into the column's token, so that covariates and missing
    values enter with them; it also reads the tokens of the future, which carry future covariates, and they are added
    to its forecast; covariates are not tokens of their own; pre-norm; a column without an observed value is not
    attended to; windows have their last value taken out unless `normalization` says otherwise.
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
