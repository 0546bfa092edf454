"""Simple recurrent network; also the base class of the gated ones, which differ only in their cell."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecastkit.networks.backbone import Backbone

if TYPE_CHECKING:
    import keras


@dataclass(kw_only=True, eq=False, repr=False)
class RNN(Backbone):
    """Simple recurrent network over past tokens, with one parallel step into each future token.

    Parameters
    ----------
    units : int
        Width of tokens and states.
    layers : int
        Number of stacked recurrent layers.
    dropout : float
        Fraction of the states dropped in training before the head.

    References
    ----------
    Elman (1990), "Finding structure in time", Cognitive Science 14(2). Segments and the parallel step into the future
    follow Lin et al. (2023), "SegRNN", arXiv:2308.11200. Departures from SegRNN: tokens and states have the same width;
    tokens include covariates and calendar; the embedding of series is optional; missing values are indicated among the
    inputs; with ``patch=1`` values are not embedded.
    """

    units: int = 128
    layers: int = 1
    dropout: float = 0.2

    counts = ("layers",)
    kind = "rnn"
    learning_rate = 2e-3
    broadcasts = True
    reads_steps = True
    embedding_activation = "relu"

    def build(self) -> "keras.layers.Layer":
        from forecastkit.networks.architectures.rnn import Stack

        return Stack(self.kind, self.units, self.layers)
