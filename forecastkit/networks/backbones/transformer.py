"""Transformer encoder over past and future tokens."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


from forecastkit.networks.backbone import POSITIONS, Backbone
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import check_choice, refuse


@dataclass(kw_only=True, eq=False, repr=False)
class Transformer(Backbone):
    """Transformer encoder over past and future tokens; the encoded future tokens give the forecast.

    Parameters
    ----------
    units : int
        Width of tokens; a multiple of `heads`.
    layers : int
        Number of blocks of attention and a feed-forward layer.
    heads : int
        Number of attention heads.
    feedforward : int, optional
        Width of the feed-forward layers; twice the units by default.
    positions : {'learned', 'sinusoidal', 'rotary', 'none'}
        Positional encoding: a learned or sinusoidal vector added to each token, or a rotation of queries and keys by
        their position, so that attention depends on distances.
    dropout : float
        Fraction dropped in training after attention, after the feed-forward layer, and before the head.

    References
    ----------
    Vaswani et al. (2017), "Attention is all you need", NeurIPS; tokens are segments as in Nie et al. (2023), "A time
    series is worth 64 words" (PatchTST), ICLR; rotary positions are those of Su et al. (2021), "RoFormer",
    arXiv:2104.09864. Departures: encoder only, in which future tokens are learned queries that attend and are attended
    to; pre-norm (Xiong et al. 2020, "On layer normalization in the Transformer architecture", ICML); GELU; learned
    positions by default; embeddings are not scaled by the root of their width.
    """

    units: int = 64
    layers: int = 2
    heads: int = 4
    feedforward: int | None = None
    positions: str = "learned"
    dropout: float = 0.1

    counts = ("layers", "heads", "feedforward")
    learning_rate = 2e-3

    def build(self) -> "keras.layers.Layer":
        from forecastkit.networks.architectures.transformer import Encoder

        return Encoder(**self.arguments())

    def arguments(self) -> dict:
        """Return the arguments of the layer."""
        return {
            "depth": self.layers,
            "heads": self.heads,
            "feedforward": self.feedforward or 2 * self.units,
            "positions": self.positions,
            "dropout": self.dropout,
        }

    def check(self) -> None:
        super().check()
        where = type(self).__name__
        check_choice(where, "positions", self.positions, POSITIONS)
        if self.positions == "rotary" and self.units // self.heads % 2:
            got = f"{self.units} units, {self.heads} heads"
            refuse(where, "rotary positions need an even number of units per head", got, error=ParameterError)
