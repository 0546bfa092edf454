"""Minimal gated recurrent unit, trained by a parallel scan; also the base class of the minimal LSTM."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


from forecastkit.networks.backbone import Backbone


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

    counts = ("layers", "feedforward")
    learning_rate = 1e-3

    @staticmethod
    def _block() -> "type[keras.layers.Layer]":
        """Return the layer that is repeated."""
        from forecastkit.networks.architectures.min_gru import MinimalGRU

        return MinimalGRU

    def build(self) -> "keras.layers.Layer":
        from forecastkit.networks.architectures.min_gru import Sequence

        width = self.feedforward or 2 * self.units
        return Sequence([self._block()(width, self.dropout) for _ in range(self.layers)])
