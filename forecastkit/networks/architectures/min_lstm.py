"""Layers: Minimal long short-term memory, trained by a parallel scan."""

from keras import layers, ops

from forecastkit.networks.architectures.min_gru import MinimalGRU
from forecastkit.networks.linear_scan import spread_memories


class MinimalLSTM(MinimalGRU):
    """`MinimalGRU` with separate input and forget gates, normalized to sum to one.

    The state is ``h_t = f_t / (f_t + i_t) h_{t-1} + i_t / (f_t + i_t) c_t`` with ``f_t = sigmoid(W_f x_t)``,
    ``i_t = sigmoid(W_i x_t)`` and ``c_t = W_c x_t``.
    """

    def make_gates(self, shape):
        start = spread_memories(shape[-2])
        self.gates = [layers.Dense(shape[-1], bias_initializer=start), layers.Dense(shape[-1])]

    def update_gate(self, inputs):
        input_gate, forget_gate = (gate(inputs) for gate in self.gates)
        # i / (f + i) is computed from its logit, log i - log f, because the quotient is 0 / 0 if both gates are closed.
        return ops.sigmoid(ops.log_sigmoid(input_gate) - ops.log_sigmoid(forget_gate))
