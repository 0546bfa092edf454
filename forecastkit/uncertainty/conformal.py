"""Conformal adjustment of quantiles, from a validation block or from the latest errors.

References
----------
.. [1] Romano, Y., Patterson, E., & Candès, E. (2019). Conformalized quantile regression. NeurIPS. Departure: every
   quantile is corrected on its own, so that what is asymmetric stays so.
.. [2] Stankevičiūtė, K., Alaa, A., & van der Schaar, M. (2021). Conformal time-series forecasting. NeurIPS: quantiles
   by step of the horizon.
.. [3] Gibbs, I., & Candès, E. (2021). Adaptive conformal inference under distribution shift. NeurIPS: why a fixed block
   does not do for long. Departure: quantiles of the latest windows instead of a level that is steered.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecastkit.data.panel import Panel
from forecastkit.data.windows import Origins, grouped
from forecastkit.uncertainty.residual_quantiles import LEVELS, ResidualQuantiles, read_between
from forecastkit.uncertainty.residuals import by_series, observed_after, scale_of, series_of

#: Latest windows that rolling corrections are taken from, and the fewest that they need.
LATEST, FEWEST = 500, 60
#: Windows forecast at a time, about.
AT_ONCE = 20_000


@dataclass(frozen=True, eq=False)
class ConformalAdjustment:
    """What is added to quantiles by series, step and level, in units of the series' scale.

    Attributes
    ----------
    levels : ndarray, (L,)
    tables : ndarray, (1 + own, horizon, L)
        The first is shared by series that have too few windows for one of their own.
    table_of : ndarray of int, (n_series,)
    """

    levels: np.ndarray
    tables: np.ndarray
    table_of: np.ndarray

    @classmethod
    def fit(cls, forecaster, panel: Panel, validation_origins: Origins) -> "ConformalAdjustment":
        """From windows that the forecaster was not trained on."""
        forecast = forecaster._forecast(panel, validation_origins)
        actual = observed_after(panel, validation_origins, forecaster.horizon_)
        scale = scale_of(forecaster.scaler_, panel, validation_origins)[:, None]
        levels, fitted = own_levels(forecaster), []
        for level in levels:
            quantile = forecaster._own_quantiles(panel, validation_origins, forecast, (level,))[..., 0]
            missed = ((actual - quantile) / scale).astype("float32")
            fitted.append(ResidualQuantiles.fit(by_series(missed, validation_origins, panel), (level,)))
        return cls(np.array(levels), np.concatenate([one.tables for one in fitted], axis=-1), fitted[0].table_of)

    def at(self, levels, series: np.ndarray) -> np.ndarray:
        """Corrections (n, horizon, len(levels)) of these series, -1 for one that was not there."""
        levels = np.clip(levels, self.levels[0], self.levels[-1])
        tables = read_between(self.tables, self.levels, levels)
        return tables[np.where(series < 0, 0, self.table_of[series])]


def own_levels(forecaster) -> tuple[float, ...]:
    """Levels that corrections are learned at: those of the usual grid that the forecaster can give."""
    trained = forecaster._trained_levels
    if trained is None:
        return LEVELS
    return tuple(sorted({*trained, *(level for level in LEVELS if trained[0] < level < trained[-1])}))


def corrected(forecaster, panel: Panel, origins: Origins, forecast: np.ndarray, levels) -> np.ndarray:
    """Quantiles (n, horizon, len(levels)) with corrections, never crossing."""
    scale = scale_of(forecaster.scaler_, panel, origins)[:, None, None]
    if forecaster.calibrate == "rolling":
        shift, known = _latest(forecaster, panel, origins, levels)
        bare = _bare(forecaster, panel, origins, forecast, levels) + shift * scale
        fixed = _fixed(forecaster, panel, origins, forecast, levels, scale)
        return np.sort(np.where(known, bare, fixed), axis=-1)
    return _fixed(forecaster, panel, origins, forecast, levels, scale)


def _fixed(forecaster, panel, origins, forecast, levels, scale):
    own = forecaster._own_quantiles(panel, origins, forecast, levels)
    if forecaster.corrections_ is None:
        return own
    series = series_of(forecaster.scaler_, panel, origins)
    return np.sort(own + forecaster.corrections_.at(levels, series) * scale, axis=-1)


def _bare(forecaster, panel, origins, forecast, levels):
    """What rolling corrections are added to: quantiles of the head, or the point for every level."""
    if forecaster._has_spread:
        return forecaster._own_quantiles(panel, origins, forecast, levels)
    return np.repeat(forecaster._points(forecast)[..., None], len(levels), axis=-1)


def _latest(forecaster, panel: Panel, origins: Origins, levels) -> tuple[np.ndarray, np.ndarray]:
    """Corrections (n, horizon, levels) from the windows that were over at each origin, and where there are enough."""
    shift = np.full((len(origins), forecaster.horizon_, len(levels)), np.nan)
    series = grouped(origins.entity * panel.channels + origins.channel)
    pairs = [(places, _windows_before(panel, origins[places], forecaster.horizon_)) for places in series]
    pairs = [(places, past) for places, past in pairs if len(past) >= FEWEST]
    # Many series at a time, as a forecast of one alone costs as much as one of hundreds.
    for part in grouped(np.cumsum([len(past) for _, past in pairs], dtype="int64") // AT_ONCE):
        chosen = [pairs[i] for i in part]
        missed = _missed(forecaster, panel, Origins.joined([past for _, past in chosen]), levels)
        ends = np.cumsum([len(past) for _, past in chosen])
        for (places, past), own in zip(chosen, np.split(missed, ends[:-1]), strict=True):
            shift[places] = _over(own, origins.row[places] - past.row[0], levels)
    return shift, ~np.isnan(shift)


def _windows_before(panel, own: Origins, horizon: int) -> Origins:
    """The windows of one series that corrections at these of its origins may look at."""
    begin = max(int(panel.indptr[own.entity[0]]), int(own.row.min()) - horizon - LATEST)
    rows = np.arange(begin, int(own.row.max()))
    return Origins(np.full(len(rows), own.entity[0]), rows, np.full(len(rows), own.channel[0]))


def _over(missed: np.ndarray, place: np.ndarray, levels) -> np.ndarray:
    """Corrections (n, horizon, levels) at these places among the windows, from those whose step was over there."""
    out = np.full((len(place), *missed.shape[1:]), np.nan)
    for step in range(missed.shape[1]):
        last = place - (step + 1)  # the latest window whose step was observed
        out[last >= 0, step] = _rolling(missed[:, step], levels)[last[last >= 0]]
    return out


def _missed(forecaster, panel, past, levels):
    """Actuals less bare quantiles (windows, horizon, levels), in units of the series' scale."""
    bare = _bare(forecaster, panel, past, forecaster._forecast(panel, past), levels)
    actual = observed_after(panel, past, forecaster.horizon_)
    return (actual[..., None] - bare) / scale_of(forecaster.scaler_, panel, past)[:, None, None]


def _rolling(missed: np.ndarray, levels) -> np.ndarray:
    """Conformal quantile of the latest values up to each, (windows, levels): level q of column q."""
    latest = [pd.Series(column).rolling(LATEST, min_periods=FEWEST) for column in missed.T]
    return np.stack([values.quantile(_part(level)) for values, level in zip(latest, levels, strict=True)], axis=1)


def _part(level: float) -> float:
    """The quantile of pandas, whose rank is ``1 + (n - 1) q``, at the conformal rank ``(n + 1) level``."""
    return float(np.clip(((LATEST + 1) * level - 1) / (LATEST - 1), 0.0, 1.0))
