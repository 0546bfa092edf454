"""Layers: Selective state space, trained by a parallel scan."""

import math

import keras
from keras import layers, ops

from forecastkit.networks.layers import Dropout, draw_seed, own_mask
from forecastkit.networks.linear_scan import delayed, linear_scan


class SelectiveStateSpace(keras.layers.Layer):
    """Pre-norm residual block of a short convolution and a selective recurrence with a gated output.

    Every channel ``x`` has ``states`` states with ``h_t = exp(d_t A) h_{t-1} + d_t B_t x_t`` and the output
    ``y_t = C_t h_t + D x_t``, where the step size ``d_t`` > 0 of each channel and the vectors ``B_t`` and ``C_t`` are
    computed from the token. Tokens where ``mask`` (batch, tokens) is 0 have step size 0, which keeps the states.
    """

    def __init__(self, expand: int, states: int, kernel: int, dropout: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.expand, self.states, self.kernel, self.dropout = expand, states, kernel, dropout
        own_mask(self)

    def build(self, shape):
        units, inner = shape[-1], self.expand * shape[-1]
        self.rank = -(-units // 16)
        self.norm = layers.LayerNormalization(epsilon=1e-5)
        self.enter = layers.Dense(2 * inner, use_bias=False)
        self.select = layers.Dense(self.rank + 2 * self.states, use_bias=False)
        self.pace = layers.Dense(inner, bias_initializer=spread_paces)
        self.leave = layers.Dense(units, use_bias=False)
        self.drop = Dropout(self.dropout)
        widths = (units, units, inner, self.rank, inner)
        for layer, width in zip((self.norm, self.enter, self.select, self.pace, self.leave), widths, strict=True):
            layer.build((*shape[:-1], width))
        limit = self.kernel**-0.5
        start = keras.initializers.RandomUniform(-limit, limit, draw_seed())
        self.filter = self.add_weight(name="filter", shape=(self.kernel, inner), initializer=start)
        self.filter_bias = self.add_weight(name="filter_bias", shape=(inner,), initializer="zeros")
        self.log_decay = self.add_weight(name="log_decay", shape=(self.states, inner), initializer=increasing_decays)
        self.skip = self.add_weight(name="skip", shape=(inner,), initializer="ones")

    def call(self, tokens, mask=None, training=None):
        values, gate = ops.split(self.enter(self.norm(tokens)), 2, axis=-1)
        if mask is not None:
            mask = ops.cast(mask, values.dtype)[..., None]
            values = values * mask
        values = ops.silu(self.convolve(values))
        out = self.leave(self.recur(values, mask) * ops.silu(gate))
        return tokens + self.drop(out, training=training)

    def convolve(self, values):
        """Apply a causal depthwise convolution over `kernel` tokens."""
        taps = (self.filter[lag] * delayed(values, lag) for lag in range(self.kernel))
        return sum(taps, self.filter_bias)

    def recur(self, values, mask):
        """Return the outputs (batch, tokens, channels) of the selective recurrence; states are on axis 2."""
        selected = self.select(values)
        pace, input_vector, output_vector = ops.split(selected, [self.rank, self.rank + self.states], axis=-1)
        pace = ops.softplus(self.pace(pace))
        if mask is not None:
            pace = pace * mask
        keep = ops.exp(pace[:, :, None] * -ops.exp(self.log_decay))
        states = linear_scan(keep, (pace * values)[:, :, None] * input_vector[..., None])
        return ops.sum(states * output_vector[..., None], axis=2) + self.skip * values


def increasing_decays(shape, dtype=None):
    """Initialize ``log(-A)`` (states, channels) with decay rates 1, 2, 3, ... for every channel."""
    decays = ops.log(ops.arange(1, shape[0] + 1, dtype=dtype or "float32"))
    return ops.broadcast_to(decays[:, None], shape)


def spread_paces(shape, dtype=None):
    """Initialize the bias of the step sizes: softplus(bias) is log-uniformly spaced from 0.001 to 0.1."""
    step_sizes = ops.exp(ops.linspace(math.log(0.001), math.log(0.1), shape[0], dtype=dtype or "float32"))
    return step_sizes + ops.log(-ops.expm1(-step_sizes))  # the inverse of softplus, without overflow
