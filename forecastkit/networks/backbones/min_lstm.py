"""Minimal long short-term memory, trained by a parallel scan."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


from forecastkit.networks.backbones.min_gru import MinGRU


@dataclass(kw_only=True, eq=False, repr=False)
class MinLSTM(MinGRU):
    """Minimal long short-term memory: blocks of a parallel recurrence and a feed-forward layer over past and future.

    References
    ----------
    Feng et al. (2024), "Were RNNs all we needed?", arXiv:2410.01201, section 3.2, in the form that does not depend on
    the time scale. See `MinGRU` for the departures.
    """

    @staticmethod
    def _block() -> "type[keras.layers.Layer]":
        from forecastkit.networks.architectures.min_lstm import MinimalLSTM

        return MinimalLSTM
