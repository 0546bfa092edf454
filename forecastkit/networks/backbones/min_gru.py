"""Minimal gated recurrent unit, trained by a parallel scan; also the base class of the minimal LSTM."""

from dataclasses import dataclass

import keras
from keras import layers, ops

from forecastkit.networks.backbone import Backbone
from forecastkit.networks.layers import Dropout, FeedForward, own_mask
from forecastkit.networks.linear_scan import linear_scan, spread_memories
from forecastkit.utils import validation


class MinimalGRU(keras.layers.Layer):
    """Residual block of a linear recurrence and a feed-forward layer.

    The state is ``h_t = (1 - z_t) h_{t-1} + z_t c_t`` with ``z_t = sigmoid(W_z x_t)`` and ``c_t = W_c x_t``. As gates
    depend only on the tokens, all steps are computed in parallel. Tokens where ``mask`` (batch, tokens) is 0 do not
    change the state.
    """

    def __init__(self, feedforward: int, dropout: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.dropout = dropout
        self.feedforward = FeedForward(feedforward, dropout)
        own_mask(self)

    def build(self, shape):
        self.norm = layers.LayerNormalization(epsilon=1e-5)
        self.candidate = layers.Dense(shape[-1])
        self.make_gates(shape)
        self.drop = Dropout(self.dropout)
        for layer in (self.norm, self.candidate, *self.gates, self.feedforward):
            layer.build(shape)

    def make_gates(self, shape):
        self.gates = [layers.Dense(shape[-1], bias_initializer=spread_memories(shape[-2]))]

    def call(self, tokens, mask=None, training=None):
        tokens = tokens + self.drop(self.recur(self.norm(tokens), mask), training=training)
        return self.feedforward(tokens, training=training)

    def recur(self, inputs, mask=None):
        """Return the states after every token, in the shape of the tokens."""
        gate = self.update_gate(inputs)
        if mask is not None:
            gate = gate * ops.cast(mask, gate.dtype)[..., None]
        return linear_scan(1.0 - gate, gate * self.candidate(inputs))

    def update_gate(self, inputs):
        """Return the update gate in [0, 1], the weight of the candidate in the new state."""
        return ops.sigmoid(self.gates[0](inputs))


class Sequence(keras.layers.Layer):
    """Causal blocks over the sequence of past and future tokens.

    Parameters
    ----------
    blocks : list of Layer
        Called as ``block(tokens, mask=None, training=None)``; outputs depend on the token and earlier ones only.
    """

    def __init__(self, blocks, **kwargs):
        super().__init__(**kwargs)
        own_mask(self)
        self.blocks = blocks
        self.norm = layers.LayerNormalization(epsilon=1e-5)

    def call(self, past, future, mask=None, training=None):
        steps = future.shape[1]
        if mask is not None:
            mask = ops.pad(mask, [[0, 0], [0, steps]], constant_values=1)
        tokens = ops.concatenate([past, future], axis=1)
        for block in self.blocks:
            tokens = block(tokens, mask=mask, training=training)
        return self.norm(tokens[:, -steps:])


@dataclass(kw_only=True, eq=False, repr=False)
class MinGRU(Backbone):
    """Minimal gated recurrent unit: blocks of a parallel recurrence and a feed-forward layer over past and future.

    Parameters
    ----------
    units : int
        Width of tokens and states.
    layers : int
        Number of blocks.
    feedforward : int, optional
        Width of the feed-forward layers; twice the units by default.
    dropout : float
        Fraction dropped in training after the recurrence, after the feed-forward layer, and before the head.

    References
    ----------
    Feng et al. (2024), "Were RNNs all we needed?", arXiv:2410.01201, section 3.1. Departures: the scan is not computed
    in logarithms, which the paper needs because its scan divides by products of gates; the one used here does not
    divide, and candidates can have either sign. Initial memory lengths range from two tokens to the whole lookback, as
    in Tallec and Ollivier (2018), "Can recurrent neural networks warp time?", ICLR; pre-norm residual blocks with a
    GELU feed-forward layer; no convolution. Future tokens follow the past tokens in the sequence, and tokens without an
    observed value do not change the state.
    """

    units: int = 128
    layers: int = 2
    feedforward: int | None = None
    dropout: float = 0.1

    learning_rate = 1e-3
    block = MinimalGRU

    def build(self) -> keras.layers.Layer:
        width = self.feedforward or 2 * self.units
        return Sequence([self.block(width, self.dropout) for _ in range(self.layers)])

    def check(self) -> None:
        super().check()
        validation.check_int(type(self).__name__, "layers", self.layers)
        validation.check_int(type(self).__name__, "feedforward", self.feedforward, optional=True)
