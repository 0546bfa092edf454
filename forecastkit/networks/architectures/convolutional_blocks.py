"""Layers: Transformer blocks with causal convolutions instead of attention."""

import keras
from keras import layers, ops

from forecastkit.networks.layers import Dropout, FeedForward, own_mask
from forecastkit.networks.linear_scan import delayed


class ConvolutionalBlock(keras.layers.Layer):
    """Pre-norm residual gated convolution and feed-forward layer over past and future tokens.

    The convolution covers a token and the ``kernel - 1`` tokens before it at distances of ``dilation``. For every
    future token the tokens before it are the last past tokens. Tokens where ``mask`` (batch, past tokens) is 0 count as
    0.
    """

    def __init__(self, kernel: int, dilation: int, feedforward: int, dropout: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.kernel, self.dilation, self.dropout = kernel, dilation, dropout
        self.feedforward = FeedForward(feedforward, dropout)
        own_mask(self)

    def build(self, past_shape, future_shape):
        units = past_shape[-1]
        self.norm = layers.LayerNormalization(epsilon=1e-5)
        self.own = layers.Dense(2 * units)
        self.before = layers.Dense(2 * units, use_bias=False)
        self.drop = Dropout(self.dropout)
        for layer in (self.norm, self.own, self.feedforward):
            layer.build(past_shape)
        self.before.build((*past_shape[:-1], (self.kernel - 1) * units))

    def call(self, past, future, mask=None, training=None):
        seen = self.norm(past)
        if mask is not None:
            seen = seen * ops.cast(mask, seen.dtype)[..., None]
        earlier = self.look_back(seen)
        mixed = earlier[:, :-1] + self.own(seen), earlier[:, -1:] + self.own(self.norm(future))
        return tuple(
            self.feedforward(tokens + self.drop(gated(new), training=training), training=training)
            for tokens, new in zip((past, future), mixed, strict=True)
        )

    def look_back(self, seen):
        """Return the convolution over earlier tokens for every past token and the one after them."""
        # One matrix product over shifted copies is much faster on a CPU than a dilated convolution.
        longer = ops.pad(seen, [[0, 0], [0, 1], [0, 0]])
        lags = range(self.dilation, self.kernel * self.dilation, self.dilation)
        return self.before(ops.concatenate([delayed(longer, lag) for lag in lags], axis=-1))


def gated(both):
    """Return the gated linear unit: the first half times the sigmoid of the second."""
    value, gate = ops.split(both, 2, axis=-1)
    return value * ops.sigmoid(gate)
