"""Transformer blocks with recurrent layers instead of attention."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


from forecastkit.networks.backbone import CELLS, Backbone
from forecastkit.utils import validation


@dataclass(kw_only=True, eq=False, repr=False)
class RecurrentBlocks(Backbone):
    """Transformer blocks in which a recurrent layer replaces self-attention.

    Parameters
    ----------
    units : int
        Width of tokens and states.
    layers : int
        Number of blocks.
    cell : {'gru', 'lstm', 'rnn'}
        Kind of the recurrent layer.
    feedforward : int, optional
        Width of the feed-forward layers; twice the units by default.
    dropout : float
        Fraction dropped in training after the recurrence, after the feed-forward layer, and before the head.

    References
    ----------
    Domhan (2018), "How much attention do you need? A granular analysis of neural machine translation architectures",
    ACL, who replaces self-attention in encoders and decoders. Departures: one stack instead of encoder and decoder; the
    recurrence reads the past in one direction and takes one step into each future token; missing values are indicated
    among the inputs; pre-norm; GELU; no positional encodings, because the recurrence encodes the order.
    """

    units: int = 128
    layers: int = 1
    cell: str = "gru"
    feedforward: int | None = None
    dropout: float = 0.1

    counts = ("layers", "feedforward")
    learning_rate = 1e-3
    broadcasts = True

    def build(self) -> "keras.layers.Layer":
        from forecastkit.networks.architectures.recurrent_blocks import Blocks, RecurrentBlock

        width = self.feedforward or 2 * self.units
        return Blocks([RecurrentBlock(self.cell, self.units, width, self.dropout) for _ in range(self.layers)])

    def check(self) -> None:
        super().check()
        where = type(self).__name__
        validation.check_choice(where, "cell", self.cell, CELLS)
