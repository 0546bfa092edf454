"""Conformal adjustment of quantiles, from a validation block or from the latest errors.

References
----------
.. [1] Romano, Y., Patterson, E., & Candès, E. (2019). Conformalized quantile regression. NeurIPS. Departure: every
   quantile is corrected separately, so that asymmetry is preserved.
.. [2] Stankevičiūtė, K., Alaa, A., & van der Schaar, M. (2021). Conformal time-series forecasting. NeurIPS: quantiles
   by step of the horizon.
.. [3] Gibbs, I., & Candès, E. (2021). Adaptive conformal inference under distribution shift. NeurIPS: a fixed block
   loses its coverage under drift. Departure: quantiles of the latest windows instead of an adapted level.
.. [4] Vovk, V., Gammerman, A., & Shafer, G. (2005). Algorithmic Learning in a Random World. Springer: the rank of a
   finite sample. Departure: errors are interpolated between ranks.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecastkit.data.panel import Panel
from forecastkit.data.windows import Origins, Windows, grouped
from forecastkit.uncertainty.residuals import (
    LEVELS,
    NEVER,
    ResidualQuantiles,
    add_residuals,
    interpolate_levels,
    observed_after,
    residuals_of,
    series_number,
    series_of,
    trained_until,
)

#: Number of latest windows for rolling corrections, and the minimum.
MAX_LATEST, MIN_LATEST = 500, 60
#: Approximate number of windows per call.
CHUNK = 20_000
#: Largest number of stored validation errors.
MAX_CELLS = 40_000_000


@dataclass(frozen=True, eq=False)
class ConformalAdjustment:
    """Corrections of quantiles by series, step and level, in units of the series' scale."""

    levels: np.ndarray  #: (L,)
    #: (1 + own, horizon, L): the first table is shared by series with too few windows for a separate one
    tables: np.ndarray
    table_of: np.ndarray  #: (n_series,): index of each series' table

    @classmethod
    def fit(cls, forecaster, panel: Panel, validation_origins: Origins, forecast) -> "ConformalAdjustment":
        """Fit the corrections to windows that the forecaster was not trained on, and their `Forecast`."""
        actual = observed_after(panel, validation_origins, forecaster.horizon_)
        series, levels, fitted = series_number(panel, validation_origins), own_levels(forecast), []
        for level in levels:
            quantile = forecast.quantiles((level,))[..., 0]
            missed = residuals_of(forecaster, panel, validation_origins, actual, quantile).astype("float32")
            fitted.append(ResidualQuantiles.fit(missed, series, (level,), n_series=len(panel.ids) * panel.channels))
        return cls(np.array(levels), np.concatenate([one.tables for one in fitted], axis=-1), fitted[0].table_of)

    def at(self, levels, series: np.ndarray) -> np.ndarray:
        """Return corrections (n, horizon, len(levels)) of these series; -1 denotes a new series."""
        levels = np.clip(levels, self.levels[0], self.levels[-1])
        tables = interpolate_levels(self.tables, self.levels, levels)
        return tables[np.where(series < 0, 0, self.table_of[series])]


def own_levels(forecast) -> tuple[float, ...]:
    """Return the levels at which corrections are estimated: those of the default grid within the forecast's levels."""
    trained = forecast.levels
    if trained is None:
        return LEVELS
    return tuple(sorted({*trained, *(level for level in LEVELS if trained[0] < level < trained[-1])}))


@dataclass(frozen=True, eq=False)
class ValidationErrors:
    """Out-of-sample errors of the latest validation windows, for rolling corrections."""

    series: np.ndarray  #: (n,): number of each window's series in the fit, increasing
    ordinal: np.ndarray  #: (n,): origin of each window on the time grid, increasing within a series
    #: (L,): levels of the quantiles whose errors are stored; empty if errors of the point forecast are stored
    levels: np.ndarray
    errors: np.ndarray  #: (n, horizon, max(L, 1)), float32: in units of `residual_scale`

    @classmethod
    def fit(cls, forecaster, panel: Panel, split: np.ndarray, stop: np.ndarray, levels) -> "ValidationErrors | None":
        """Return errors of at most 500 windows of each series; None if memory allows fewer than corrections need."""
        levels = np.array(levels)
        cells = len(panel.ids) * panel.channels * forecaster.horizon_ * max(len(levels), 1)
        max_windows = min(MAX_LATEST, MAX_CELLS // cells)
        validation = Windows.validation(panel, split, stop, forecaster.horizon_)
        windows = Windows(
            np.maximum(validation.first, stop - forecaster.horizon_ - max_windows),
            stop - forecaster.horizon_,
            panel.channels,
        )
        if max_windows < MIN_LATEST or not len(windows):
            return None
        origins = windows.at(np.arange(len(windows)))
        series = series_number(panel, origins)
        origins = origins[np.lexsort((origins.row, series))]
        parts = [origins[low : low + CHUNK] for low in range(0, len(origins), CHUNK)]
        wanted_levels = levels if len(levels) else (0.5,)
        errors = np.concatenate([_quantile_errors(forecaster, panel, part, wanted_levels) for part in parts]).astype(
            "float32"
        )
        ordinal = panel.ordinal_at(origins.entity, origins.row)
        return cls(np.sort(series), ordinal, levels, errors)

    def of(self, series: int, levels) -> tuple[np.ndarray, np.ndarray]:
        """Return the ordinals (m,) of a series' windows and the errors (m, horizon, len(levels))."""
        at = slice(*np.searchsorted(self.series, [series, series + 1]))
        errors = self.errors[at]
        if len(self.levels):
            errors = interpolate_levels(errors, self.levels, np.clip(levels, self.levels[0], self.levels[-1]))
        else:
            errors = np.repeat(errors, len(levels), axis=-1)
        return self.ordinal[at], errors


def corrected(forecaster, panel: Panel, origins: Origins, forecast, levels) -> np.ndarray:
    """Quantiles (n, horizon, len(levels)) of a `Forecast` of these origins with corrections, never crossing."""
    fixed = _fixed(forecaster, panel, origins, forecast, levels)
    if forecaster.calibrate != "rolling":
        return fixed
    shift = _latest(forecaster, panel, origins, levels)
    base = _base_quantiles(forecast, levels)
    rolling = add_residuals(forecaster, panel, origins, base, shift)
    return np.sort(np.where(np.isnan(shift), fixed, rolling), axis=-1)


def _fixed(forecaster, panel, origins, forecast, levels):
    own = forecast.quantiles(levels)
    if forecaster.corrections_ is None:
        return own
    series = series_of(forecaster.scaler_, panel, origins)
    return np.sort(add_residuals(forecaster, panel, origins, own, forecaster.corrections_.at(levels, series)), axis=-1)


def _base_quantiles(forecast, levels):
    """Return the quantiles that rolling corrections are added to: those of the model, or its point forecast."""
    if forecast.has_spread:
        return forecast.quantiles(levels)
    return np.repeat(forecast.point()[..., None], len(levels), axis=-1)


def _latest(forecaster, panel: Panel, origins: Origins, levels) -> np.ndarray:
    """Return corrections (n, horizon, levels) from out-of-sample errors known at each origin; NaN if there are too few.

    The errors are those of the validation block, from the model before its final training, and those of windows after
    all training rows. Residuals of training rows would be too small.
    """
    horizon = forecaster.horizon_
    shift = np.full((len(origins), horizon, len(levels)), np.nan)
    until = trained_until(forecaster, panel)
    jobs = []
    for places in grouped(series_number(panel, origins)):
        own = origins[places]
        past = _windows_after(panel, own, horizon, until[own.entity[0]])
        kept = _validation_errors(forecaster, panel, own[:1], levels)
        if len(past) + len(kept[0]) >= MIN_LATEST:
            jobs.append((places, past, kept))
    # Many series are forecast per call, because a call for one series costs as much as one for hundreds.
    for part in grouped(np.cumsum([len(past) for _, past, _ in jobs], dtype="int64") // CHUNK):
        chosen = [jobs[i] for i in part]
        past = Origins.joined([past for _, past, _ in chosen])
        errors_of_quantiles = _quantile_errors(forecaster, panel, past, levels, until)
        ends = np.cumsum([len(past) for _, past, _ in chosen])
        for (places, own, (before, errors)), after in zip(
            chosen, np.split(errors_of_quantiles, ends[:-1]), strict=True
        ):
            ordinal = np.concatenate([before, panel.ordinal_at(own.entity, own.row)])
            at = panel.ordinal_at(origins.entity[places], origins.row[places])
            shift[places] = _corrections_at(np.concatenate([errors, after]), ordinal, at, levels)
    return shift


def _validation_errors(forecaster, panel, origin, levels):
    """Return ordinals and errors of the validation windows of one origin's series; empty if there are none."""
    series = int(series_of(forecaster.scaler_, panel, origin)[0])
    if series < 0 or forecaster.rolling_errors_ is None:
        return np.empty(0, dtype="int64"), np.empty((0, forecaster.horizon_, len(levels)))
    return forecaster.rolling_errors_.of(series, levels)


def _windows_after(panel, own: Origins, horizon: int, until: int) -> Origins:
    """Return the latest windows of one series before these origins that include a step after ordinal `until`."""
    entity, channel = own.entity[0], own.channel[0]
    begin = max(int(panel.indptr[entity]), int(own.row.min()) - horizon - MAX_LATEST)
    if until != NEVER:
        begin = max(begin, int(panel.row_at(entity, until)) - horizon + 1)
    rows = np.arange(begin, max(int(own.row.max()), begin))
    return Origins(np.full(len(rows), entity), rows, np.full(len(rows), channel))


def _corrections_at(errors_of_quantiles: np.ndarray, ordinal: np.ndarray, at: np.ndarray, levels) -> np.ndarray:
    """Return corrections (n, horizon, levels) from the windows whose step was observed at each origin."""
    out = np.full((len(at), *errors_of_quantiles.shape[1:]), np.nan)
    for step in range(errors_of_quantiles.shape[1]):
        seen = np.flatnonzero(~np.isnan(errors_of_quantiles[:, step]).any(axis=1))
        # A window's error at a step (from 0) is known step + 1 ordinals after its origin; later errors would be
        # look-ahead.
        last = np.searchsorted(ordinal[seen], at - (step + 1), side="right") - 1
        enough = last >= MIN_LATEST - 1
        out[enough, step] = _rolling(errors_of_quantiles[seen, step], last[enough], levels)
    return out


def _quantile_errors(forecaster, panel, past, levels, until=None):
    """Return errors of uncorrected quantiles (windows, horizon, levels); NaN at rows up to ordinals `until`."""
    if not len(past):
        return np.empty((0, forecaster.horizon_, len(levels)))
    quantiles = _base_quantiles(forecaster._forecast(panel, past), levels)
    actual = observed_after(panel, past, forecaster.horizon_)
    if until is not None:
        steps = np.arange(1, forecaster.horizon_ + 1)
        trained = panel.ordinal_at(past.entity, past.row)[:, None] + steps <= until[past.entity][:, None]
        actual = np.where(trained, np.nan, actual)
    columns = [residuals_of(forecaster, panel, past, actual, quantiles[..., i]) for i in range(len(levels))]
    return np.stack(columns, axis=-1)


def _rolling(errors: np.ndarray, last: np.ndarray, levels) -> np.ndarray:
    """Return conformal quantiles (n, levels) of the latest errors up to each position, level q for column q.

    The rank among n errors is ``(n + 1) q`` [4]_.
    """
    out = np.empty((len(last), len(levels)))
    full = last >= MAX_LATEST - 1
    for column, level in enumerate(levels):
        if full.any():
            latest = pd.Series(errors[:, column]).rolling(MAX_LATEST).quantile(_pandas_quantile(level, MAX_LATEST))
            out[full, column] = latest.to_numpy()[last[full]]
        for place in np.flatnonzero(~full):
            known = errors[: last[place] + 1, column]
            out[place, column] = np.quantile(known, _pandas_quantile(level, len(known)))
    return out


def _pandas_quantile(level: float, n: int) -> float:
    """Return the NumPy quantile, of rank ``1 + (n - 1) q``, that has the conformal rank ``(n + 1) level``."""
    return float(np.clip(((n + 1) * level - 1) / (n - 1), 0.0, 1.0))
