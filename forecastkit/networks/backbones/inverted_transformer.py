"""Inverted Transformer: one token per target column, attention between columns."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


from forecastkit.networks.backbone import Backbone


@dataclass(kw_only=True, eq=False, repr=False)
class InvertedTransformer(Backbone):
    """Transformer whose tokens are the target columns: each reads the whole lookback, and they attend to each other.

    It is the backbone that mixes target columns. With a single column only the feed-forward layers are used.

    Parameters
    ----------
    units : int
        Width of the tokens of segments and of columns; a multiple of `heads`.
    layers : int
        Number of blocks of attention between columns and a feed-forward layer.
    heads : int
        Number of attention heads.
    feedforward : int, optional
        Width of the feed-forward layers; twice the units by default.
    dropout : float
        Fraction dropped in training after attention, after the feed-forward layer, and before the head.

    References
    ----------
    Liu et al. (2024), "iTransformer: Inverted Transformers are effective for time series forecasting", ICLR.
    Departures: segments are embedded with their covariates and missing values before they are merged into the column's
    token; future tokens, which contain the future covariates, are inputs too and are added to the output; covariates
    have no separate tokens; pre-norm; columns without an observed value are not attended to; windows are normalized by
    their last value by default.
    """

    units: int = 128
    layers: int = 2
    heads: int = 4
    feedforward: int | None = None
    dropout: float = 0.1

    counts = ("layers", "heads", "feedforward")
    learning_rate = 1e-3
    mixes_channels = True

    def build(self) -> "keras.layers.Layer":
        from forecastkit.networks.architectures.inverted_transformer import InvertedEncoder

        return InvertedEncoder(self.units, self.layers, self.heads, self.feedforward or 2 * self.units, self.dropout)
