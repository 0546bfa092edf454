"""Layers: Minimal gated recurrent unit, trained by a parallel scan; also the base class of the minimal LSTM."""

import keras
from keras import layers, ops

from forecastkit.networks.layers import Dropout, FeedForward, own_mask
from forecastkit.networks.linear_scan import linear_scan, spread_memories


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
