"""Residual quantiles and validation scores of a forecaster."""

from dataclasses import dataclass, replace

import numpy as np

from forecastkit.baselines import simple
from forecastkit.baselines.ridge import Ridge
from forecastkit.baselines.seasonal_scales import scales_at
from forecastkit.data.panel import Panel
from forecastkit.data.windows import Origins, Windows
from forecastkit.metrics.functions import skill
from forecastkit.metrics.grouped_scores import GroupedScores
from forecastkit.uncertainty.conformal import MIN_LATEST, ConformalAdjustment, ValidationErrors, own_levels
from forecastkit.uncertainty.residuals import (
    MIN_SEPARATE_WINDOWS,
    ResidualQuantiles,
    error_ranks,
    independent_windows,
    observed_after,
    residuals_of,
    series_number,
    series_of,
)
from forecastkit.utils.arrays import is_mapped
from forecastkit.utils.warn import warn_user

#: Largest number of validation steps for residual quantiles and scores, and smallest number of windows.
MAX_STEPS, MIN_WINDOWS = 600_000, 1_000
#: Width of the latest rows in seasons or horizons, whichever are longer, and its minimum.
LENGTHS, LEAST_ROWS = 4, 8
#: Bounds of the ratio.
LEAST, MOST = 0.5, 2.0
#: Number of origins of the validation block whose scales are averaged for the reference.
REFERENCES = 5
#: Approximate number of values that are gathered at a time.
CELLS = 1 << 17


def max_windows(horizon: int) -> int:
    """Return the largest number of validation windows, which bounds the memory of their errors."""
    return max(MIN_WINDOWS, MAX_STEPS // horizon)


def sample_validation_windows(
    panel: Panel, split: np.ndarray, stop: np.ndarray, horizon: int, most: int | None = None
) -> Origins:
    """Return about `most` evenly spaced windows of the validation block, with all channels of an origin."""
    return Windows.validation(panel, split, stop, horizon).spaced(most or max_windows(horizon))


@dataclass(frozen=True, eq=False)
class LocalScale:
    """Local scales of the trained series at the time of their validation windows.

    Residuals of the validation block describe the errors of its time. If the size or the variability of a series has
    changed since, that of its errors usually has too, so residual quantiles of point forecasts are multiplied by the
    ratio of the local scales (benchmarks/interval_rules.py compares such rules on development sets) [1]_.

    References
    ----------
    .. [1] Lei, J., G'Sell, M., Rinaldo, A., Tibshirani, R. J., & Wasserman, L. (2018). Distribution-free predictive
       inference for regression. Journal of the American Statistical Association, 113(523), section 5.2: residuals in
       units of a local spread.
    """

    lag: int  #: Steps between the values whose changes are averaged: a season, or 1 for short series
    width: int  #: Number of latest rows
    reference: np.ndarray  #: (2, n_series): mean absolute change and mean absolute value; NaN if unknown

    @classmethod
    def fit(cls, panel: Panel, split: np.ndarray, stop: np.ndarray, horizon: int, season: int) -> "LocalScale | None":
        """Return the scales before evenly spaced validation windows of a panel without faults; None without any."""
        first, last = split - 1, stop - horizon - 1
        held_out = np.flatnonzero((last >= first) & (split > panel.indptr[:-1]) & (split < stop))
        if not len(held_out) or is_mapped(panel.target):
            return None
        width = max(LENGTHS * max(season, horizon), LEAST_ROWS)
        lag = season if int(panel.lengths.max()) > 2 * season else 1
        rows = np.unique(np.linspace(first[held_out], last[held_out], REFERENCES).round().astype("int64"), axis=0)
        origins = Origins.every_channel(np.tile(held_out, len(rows)), rows.ravel(), panel.channels)
        found = scales(panel, origins, lag, width).reshape(2, len(rows), len(held_out), panel.channels)
        with np.errstate(invalid="ignore"):
            known = ~np.isnan(found)
            mean = np.where(known, found, 0.0).sum(axis=1) / known.sum(axis=1)
        reference = np.full((2, len(panel.ids), panel.channels), np.nan)
        reference[:, held_out] = mean
        return cls(lag, width, reference.reshape(2, -1))

    def ratio(self, panel: Panel, origins: Origins, series: np.ndarray, has_level: np.ndarray) -> np.ndarray:
        """Return the ratio (n,) of the scale at each origin to the reference of its series.

        It is the geometric mean of the ratios of the mean absolute change and of the mean absolute value, between
        `LEAST` and `MOST`. The latter counts where values have a meaningful size (`has_level`), as values that are
        never negative do. The ratio is 1 for series without a reference, and for new series, whose number in `series`
        is -1.
        """
        with np.errstate(invalid="ignore", divide="ignore"):  # of constant series
            change, level = scales(panel, origins, self.lag, self.width) / self.reference[:, series]
        product = _known(change) * np.where(has_level, _known(level), 1.0)
        return np.where(series < 0, 1.0, np.clip(np.sqrt(product), LEAST, MOST))


def _known(ratio: np.ndarray) -> np.ndarray:
    """Replace ratios of unknown or zero scales by 1; the limit keeps products finite."""
    return np.where(np.isfinite(ratio) & (ratio > 0), np.clip(ratio, 1e-9, 1e9), 1.0)


def scales(panel: Panel, origins: Origins, lag: int, width: int) -> np.ndarray:
    """Return the mean absolute change over `lag` steps and the mean absolute value of the latest rows, (2, n)."""
    out, chunk = np.empty((2, len(origins))), max(CELLS // (width + lag), 1)
    for low in range(0, len(origins), chunk):
        part = origins[low : low + chunk]
        rows = part.row[:, None] + np.arange(1 - width - lag, 1)
        inside = rows >= panel.indptr[part.entity][:, None]
        values = panel.target[np.maximum(rows, 0), part.channel[:, None]].astype("float64")
        values = np.where(inside, values, np.nan)
        out[0, low : low + chunk] = _mean_size(values[:, lag:] - values[:, :-lag])
        out[1, low : low + chunk] = _mean_size(values[:, lag:])
    return out


def _mean_size(values: np.ndarray) -> np.ndarray:
    """Return the mean absolute value of each row; NaN without observations."""
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore", over="ignore"):
        return np.where(known, np.abs(values), 0.0).sum(axis=1) / known.sum(axis=1)


@dataclass(frozen=True)
class ValidationResult:
    """Results on the validation block."""

    residuals: ResidualQuantiles | None = None  #: Residual quantiles by step, in units of each series' scale
    paths: np.ndarray | None = None  #: Ranks of errors within windows, see `forecastkit.uncertainty.residuals`
    corrections: ConformalAdjustment | None = None  #: Corrections of the model's quantiles, if `calibrate` is set
    rolling_errors: ValidationErrors | None = None  #: Validation errors for rolling corrections, if requested
    scores: "PendingScores | None" = None  #: None if there is no validation window
    #: Local scales of the series at the time of the residuals; None if these are those of training windows, of a
    #: transformed target, whose transform accounts for changes of size, or of a model with quantiles of its own
    local_scale: LocalScale | None = None


@dataclass
class FitData:
    """Data of a fit, from which results are computed on demand."""

    panel: Panel
    split: np.ndarray  #: (n_series,): the first row after the training rows of each series
    stop: np.ndarray  #: (n_series,): the first row after its validation rows
    scaler: object  #: Fitted to the rows before ``split``
    weight: np.ndarray | None  #: Sample weights of the rows

    @classmethod
    def of(cls, context, scaler) -> "FitData":
        """Return the data of a `FitContext`."""
        return cls(context.panel, context.split, context.stop, scaler, context.weight)


@dataclass
class PendingScores:
    """Forecasts of the validation windows, which are scored by the first call of `to_dict`."""

    forecasts: dict | None  #: (n, horizon): forecasts by name: '' the forecaster, 'linear' the reference if known
    origins: Origins | None
    data: FitData | None  #: Data on which the linear reference is fitted
    sizes: tuple[int, int, int]  #: Lookback, horizon and season length
    scores: dict | None = None  #: None until they are computed; the other attributes are then released

    def to_dict(self) -> dict:
        """Return ``mae`` and ``mase`` of the forecaster and the references, and its skill; see docs/evaluation.md."""
        if self.scores is None:
            self.scores = self._scores()
            self.forecasts = self.origins = self.data = None
        return self.scores

    def _scores(self) -> dict:
        panel, origins, (_, horizon, season) = self.data.panel, self.origins, self.sizes
        scale = scales_at(panel, origins, season)[0]
        rows = GroupedScores(observed_after(panel, origins, horizon), scale=scale[:, None])
        mae = float(rows.mae(self.forecasts[""])[0])
        scores = {"mae": mae, "mase": float(rows.mase(self.forecasts[""])[0])}
        references = {"seasonal_naive": simple.seasonal_naive(panel, origins, horizon, season)}
        references["linear"] = self.forecasts.get("linear")
        for name, forecast in references.items():
            forecast = self._linear() if forecast is None else forecast
            reference = float(rows.mae(forecast)[0])
            scores |= {f"mae_{name}": reference, f"mase_{name}": float(rows.mase(forecast)[0])}
            scores[f"skill_{name}"] = float(skill(mae, reference))
        known = {name: score for name, score in scores.items() if not np.isnan(score)}
        return {**known, "windows": len(origins)}

    def _linear(self) -> np.ndarray:
        """Return forecasts of a ridge regression fitted to the rows before the validation block."""
        panel, scaler, (lookback, horizon, _) = self.data.panel, self.data.scaler, self.sizes
        buffers = replace(scaler.buffers(panel, lookback, horizon), weight=self.data.weight)
        windows = Windows.training(panel, self.data.split, lookback, horizon)
        ridge = Ridge.fit(buffers, windows, self.origins, lookback, horizon)
        return scaler.restore(ridge.predict(buffers, self.origins), panel, self.origins)


def calibrate(forecaster, context) -> ValidationResult:
    """Compute residual quantiles, corrections and scores of a forecaster on the validation block of a `FitContext`.

    Without a validation block the residuals are those of training windows, and there are no scores. Broken readings
    count as missing.
    """
    panel, horizon = forecaster.scaler_.without_faults(context.panel), forecaster.horizon_
    split, stop = context.split, context.stop
    origins = sample_validation_windows(panel, split, stop, horizon, forecaster._most_validation_windows)
    held_out = len(origins) > 0
    if not held_out:
        origins = Windows.training(panel, stop, forecaster.lookback_, horizon).spaced(max_windows(horizon))
    if not len(origins):
        return ValidationResult()
    actual = observed_after(panel, origins, horizon)
    forecast = forecaster._forecast(panel, origins)
    own = forecast.point()
    residuals = residuals_of(forecaster, panel, origins, actual, own).astype("float32")
    if np.isnan(residuals).all():
        return ValidationResult()
    series = series_number(panel, origins)
    separate = independent_windows(origins, panel, horizon)
    quantiles = ResidualQuantiles.fit(residuals, series, independent_windows=separate, held_out=held_out)
    paths = error_ranks(residuals, series)
    if not held_out:
        return ValidationResult(quantiles, paths)
    corrections = rolling = None
    if forecaster.calibrate and forecast.has_spread and _enough(forecaster, int(separate.sum())):
        corrections = ConformalAdjustment.fit(forecaster, panel, origins, forecast)
    if forecaster.calibrate == "rolling":
        levels = own_levels(forecast) if forecast.has_spread else ()
        rolling = ValidationErrors.fit(forecaster, panel, split, stop, levels)
    lower, upper = forecaster._bounds_at(panel, origins)
    own = np.clip(own, lower[:, None], upper[:, None])
    scores = _pending_scores(forecaster, context, panel, origins, own)
    local = None
    if forecaster.scaler_.transform is None and not forecast.has_spread:
        local = LocalScale.fit(panel, split, stop, horizon, forecaster.season_length_)
    return ValidationResult(quantiles, paths, corrections, rolling, scores, local)


def _enough(forecaster, windows: int) -> bool:
    """Return whether quantiles can be calibrated on so many windows that do not overlap; warn if not.

    Corrections from a few windows describe their common error, not that of the next ones (benchmarks/calibration.py).
    """
    if windows >= MIN_SEPARATE_WINDOWS:
        return True
    until = f" before {MIN_LATEST} windows are known" if forecaster.calibrate == "rolling" else ""
    warn_user(
        f"{type(forecaster).__name__}: calibrate={forecaster.calibrate!r} needs {MIN_SEPARATE_WINDOWS} validation "
        f"windows that do not overlap, got {windows}, so quantiles are not calibrated{until}. "
        "Pass a larger validation_size=, or give more rows."
    )
    return False


def _pending_scores(forecaster, context, panel, origins, forecast_points):
    linear = forecaster._linear_reference(context, panel, origins, forecast_points)
    forecasts = {"": forecast_points} if linear is None else {"": forecast_points, "linear": linear}
    sizes = forecaster.lookback_, forecaster.horizon_, forecaster.season_length_
    data = replace(FitData.of(context, forecaster.scaler_), panel=panel)
    scores = PendingScores(forecasts, origins, data, sizes)
    if is_mapped(panel.target):  # the mapped file may be deleted before the scores are requested
        scores.to_dict()
    return scores


def residual_quantiles(forecaster, panel: Panel, origins: Origins, levels) -> np.ndarray:
    """Return quantiles of residuals at these origins, shape (n, horizon, len(levels)), for `add_residuals`."""
    series = series_of(forecaster.scaler_, panel, origins)
    distinct, at = np.unique(series, return_inverse=True)
    quantiles = forecaster.residuals_.at(levels, distinct)
    # Series that are not among the trained ones have the same quantiles, of which no copies are needed.
    quantiles = quantiles[at] if len(distinct) > 1 else np.broadcast_to(quantiles, (len(at), *quantiles.shape[1:]))
    local = forecaster.local_scale_
    if local is None:
        return quantiles
    has_level = forecaster._is_nonnegative(panel.channels)[origins.channel]
    ratio = local.ratio(forecaster.scaler_.without_faults(panel), origins, series, has_level)
    return quantiles * ratio[:, None, None]


def replace_in_sample(forecaster) -> None:
    """Replace residuals of training windows by those of a cross-validation, with a warning."""
    if forecaster.residuals_.held_out:
        return
    data = vars(forecaster).pop("fit_data_", None)
    found = cross_validated(forecaster, data) if data is not None and forecaster._cross_validates else None
    told = "from the errors on training windows, which are smaller than those to come"
    if found is not None:
        forecaster.residuals_, forecaster.residual_scale_ = found
        told = "from a second fit, on the earlier of the training rows and tested on the later ones"
    warn_user(
        f"{type(forecaster).__name__}: no validation window gave residuals, so intervals come {told}. Pass a larger "
        "validation_size=, or give more rows.",
    )


def cross_validated(forecaster, data: FitData) -> tuple[ResidualQuantiles, np.ndarray] | None:
    """Fit a clone on the earlier training rows and return its residuals on the later ones, with their units.

    It is used for forecasters without validation windows. If there are too few rows for the horizon, a shorter horizon
    is used, and the spread of later steps grows with the square root of the step, as for a random walk; None is
    returned if there are too few rows for any horizon. Units have the form of `residual_scale_`.
    """
    from sklearn.base import clone  # here: its import takes longer than a forecast

    panel = data.panel.between(data.panel.indptr[:-1], data.stop)
    longest_series = int(panel.lengths.max())
    horizon = min(forecaster.horizon_, (longest_series - 2) // 3)
    if horizon < 1:
        return None
    size = max(horizon, longest_series // 5)
    other = clone(forecaster).set_params(horizon=horizon, validation_size=size)
    silent = {"verbose": 0, "callbacks": None, "resume": None}
    other.set_params(**{name: value for name, value in silent.items() if name in other.get_params(deep=False)})
    other.lookback = min(forecaster.lookback_, longest_series - size - horizon)
    context = other._start_fit(panel, forecaster.schema_, data.weight)
    try:
        other._learn(context)
    finally:
        other._release(context)
    found = other.residuals_
    if found is None or not found.held_out:
        return None
    growth = np.sqrt(np.maximum(np.arange(1, forecaster.horizon_ + 1) / horizon, 1.0))
    last = np.minimum(np.arange(forecaster.horizon_), horizon - 1)
    tables = found.tables[:, last] * growth[:, None]
    return replace(found, tables=tables), other.residual_scale_
