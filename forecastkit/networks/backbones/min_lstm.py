"""Minimal long short-term memory, trained by a parallel scan."""

from dataclasses import dataclass

from keras import layers, ops

from forecastkit.networks.backbones.min_gru import MinGRU, MinimalGRU
from forecastkit.networks.linear_scan import spread_memories


class MinimalLSTM(MinimalGRU):
    """As `MinimalGRU`, with a gate each for what enters and what is kept, made to sum to one.

    The state is ``h_t = f_t / (f_t + i_t) h_{t-1} + i_t / (f_t + i_t) c_t`` with ``f_t = sigmoid(W_f x_t)``,
    ``i_t = sigmoid(W_i x_t)`` and ``c_t = W_c x_t``.
    """

    def make_gates(self, shape):
        start = spread_memories(shape[-2])
        self.gates = [layers.Dense(shape[-1], bias_initializer=start), layers.Dense(shape[-1])]

    def share(self, given):
        enter, keep = (gate(given) for gate in self.gates)
        # i / (f + i) by its logit, log i - log f: the quotient would be 0 / 0 where both gates close.
        return ops.sigmoid(ops.log_sigmoid(enter) - ops.log_sigmoid(keep))


@dataclass(kw_only=True, eq=False, repr=False)
class MinLSTM(MinGRU):
    """Minimal long short-term memory: blocks of a parallel recurrence and feed-forward, read on into the future.

    Parameters
    ----------
    units, layers, feedforward, dropout
        As in `MinGRU`.

    References
    ----------
    Feng et al. (2024), "Were RNNs all we needed?", arXiv:2410.01201, section 3.2, in the form that does not depend on
    the time scale. What differs from it is said at `MinGRU`.
    """

    block = MinimalLSTM
