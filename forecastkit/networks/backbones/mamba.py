"""Selective state space, trained by a parallel scan."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


from forecastkit.networks.backbone import Backbone


@dataclass(kw_only=True, eq=False, repr=False)
class Mamba(Backbone):
    """Selective state-space model over past and future tokens in sequence.

    Parameters
    ----------
    units : int
        Width of every token.
    layers : int
        Number of selective blocks.
    expand : int
        Number of channels in a block, as a multiple of the units.
    states : int
        Number of states per channel.
    kernel : int
        Kernel size of the convolution in tokens.
    dropout : float
        Fraction dropped in training after every block and before the head.

    References
    ----------
    Gu and Dao (2023), "Mamba: Linear-time sequence modeling with selective state spaces", arXiv:2312.00752, algorithm 2
    and section 3.4. Departures: layer normalization instead of RMS normalization; dropout; evenly spaced instead of
    random initial step sizes; 8 states instead of 16; the scan keeps all states in memory instead of using a fused
    kernel. Tokens without an observed value do not change the states.
    """

    units: int = 64
    layers: int = 1
    expand: int = 2
    states: int = 8
    kernel: int = 4
    dropout: float = 0.1

    counts = ("layers", "expand", "states", "kernel")
    learning_rate = 1e-3

    def build(self) -> "keras.layers.Layer":
        from forecastkit.networks.architectures.mamba import SelectiveStateSpace
        from forecastkit.networks.architectures.min_gru import Sequence

        sizes = (self.expand, self.states, self.kernel, self.dropout)
        return Sequence([SelectiveStateSpace(*sizes) for _ in range(self.layers)])
