"""Temporal Fusion Transformer: variable selection, LSTM, attention."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


from forecastkit.networks.backbone import Backbone


@dataclass(kw_only=True, eq=False, repr=False)
class TFT(Backbone):
    """Temporal Fusion Transformer with interpretable weights of its variables, shown by `fk.interpret`.

    Every covariate, calendar feature and static feature has separate tokens, which are combined with weights that
    depend on the window. An LSTM over past and future models short-term patterns, attention models long-term ones, and
    gates suppress components that do not improve the forecast.

    Parameters
    ----------
    units : int
        Width of tokens and states; a multiple of `heads`.
    layers : int
        Number of LSTM layers of the past and of the future.
    heads : int
        Number of attention heads. They share their values, so that their mean weights can be interpreted.
    dropout : float
        Fraction dropped in training before each gate except the last, and before the head.

    References
    ----------
    Lim et al. (2021), "Temporal Fusion Transformers for interpretable multi-horizon time series forecasting",
    International Journal of Forecasting 37(4). Departures: tokens are segments (``patch=1`` gives the paper's steps);
    the future has only the future covariates and a learned position in the horizon as variables; the target and the
    indicator of its missing values are one variable, and tokens without an observed value are not attended to; the
    variables of a group share their layer normalization; past tokens have no queries, because their outputs are not
    used; no dropout before the last gate; head, loss and window normalization are those of all networks here.
    """

    units: int = 64
    layers: int = 1
    heads: int = 4
    dropout: float = 0.1

    counts = ("layers", "heads")
    learning_rate = 1e-3
    selects_variables = True

    def build(self) -> "keras.layers.Layer":
        from forecastkit.networks.architectures.tft import TemporalFusion

        return TemporalFusion(self.units, self.layers, self.heads, self.dropout)
