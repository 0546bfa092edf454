"""What a forecaster learns about its own errors: residual quantiles, and validation scores beside two references."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.base import clone

from forecastkit.baselines import simple
from forecastkit.baselines.ridge import Ridge
from forecastkit.baselines.seasonal_scales import scales_at
from forecastkit.data.array_storage import is_mapped
from forecastkit.data.panel import Panel
from forecastkit.data.windows import Origins, Windows
from forecastkit.metrics.functions import skill
from forecastkit.metrics.grouped_scores import GroupedScores
from forecastkit.uncertainty.conformal import ConformalAdjustment, ValidationErrors, own_levels
from forecastkit.uncertainty.residual_quantiles import ResidualQuantiles
from forecastkit.uncertainty.residuals import (
    independent_windows,
    observed_after,
    residuals_of,
    series_number,
    series_of,
)
from forecastkit.uncertainty.sample_paths import error_ranks
from forecastkit.utils.warn import warn_user

#: Steps of validation windows that residual quantiles and scores are taken from, at most, and windows at least.
MOST_STEPS, FEWEST_WINDOWS = 600_000, 1_000


def most_windows(horizon: int) -> int:
    """How many windows are judged at most: errors are as large as these times the horizon."""
    return max(FEWEST_WINDOWS, MOST_STEPS // horizon)


def sample_validation_windows(
    panel: Panel, split: np.ndarray, stop: np.ndarray, horizon: int, most: int | None = None
) -> Origins:
    """At most about `most` windows of the validation block, evenly spread, every channel of an origin together."""
    return Windows.validation(panel, split, stop, horizon).spaced(most or most_windows(horizon))


@dataclass(frozen=True)
class ValidationResult:
    """What the validation block showed.

    Attributes
    ----------
    residuals : ResidualQuantiles or None
        By step, in units of each series' scale.
    paths : ndarray or None
        Ranks of errors along windows, see `forecastkit.uncertainty.sample_paths`.
    corrections : ConformalAdjustment or None
        Of quantiles that the model gives by itself, where they were asked for.
    rolling_errors : ValidationErrors or None
        What rolling corrections begin with, where they were asked for.
    scores : PendingScores or None
        None where there is no validation window.
    """

    residuals: ResidualQuantiles | None = None
    paths: np.ndarray | None = None
    corrections: ConformalAdjustment | None = None
    rolling_errors: ValidationErrors | None = None
    scores: "PendingScores | None" = None


@dataclass
class FitData:
    """What a fit was made from, for what is computed only where somebody asks for it.

    Attributes
    ----------
    panel : Panel
    split, stop : ndarray of int, (n_series,)
        Rows before ``split`` trained, those from there to ``stop`` validated.
    scaler : Scaler
        Of the rows before ``split``.
    weight : ndarray or None
        Of the rows.
    """

    panel: Panel
    split: np.ndarray
    stop: np.ndarray
    scaler: object
    weight: np.ndarray | None


@dataclass
class PendingScores:
    """Forecasts of the validation windows, which are scored when `to_dict` is called first.

    Attributes
    ----------
    forecasts : dict of str to ndarray of shape (n, horizon)
        Of the forecaster ('') and, where it is known already, of the linear reference.
    origins : Origins
    data : FitData
        What the linear reference is fitted on.
    sizes : tuple of int
        Lookback, horizon and season length.
    scores : dict or None
        None where they were not computed yet; then they take the place of all the above.
    """

    forecasts: dict | None
    origins: Origins | None
    data: FitData | None
    sizes: tuple[int, int, int]
    scores: dict | None = None

    def to_dict(self) -> dict:
        """``mae`` and ``mase`` of the forecaster and of the references, and its skill; docs/evaluation.md."""
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
        """Forecasts of a ridge regression on the rows before the validation block."""
        panel, scaler, (lookback, horizon, _) = self.data.panel, self.data.scaler, self.sizes
        buffers = replace(scaler.buffers(panel, lookback, horizon), weight=self.data.weight)
        windows = Windows.training(panel, self.data.split, lookback, horizon)
        ridge = Ridge.fit(buffers, windows, self.origins, lookback, horizon)
        return scaler.restore(ridge.predict(buffers, self.origins), panel, self.origins)


def calibrate(forecaster, panel: Panel, split: np.ndarray, stop: np.ndarray) -> ValidationResult:
    """What the validation block shows of a forecaster's errors.

    Without a validation block the residuals are those of training windows, and there are no scores. Broken readings
    count as missing: none of them decides a score or an interval.
    """
    panel, horizon = forecaster.scaler_.without_faults(panel), forecaster.horizon_
    origins = sample_validation_windows(panel, split, stop, horizon, forecaster._most_validation_windows)
    held_out = len(origins) > 0
    if not held_out:
        origins = Windows.training(panel, stop, forecaster.lookback_, horizon).spaced(most_windows(horizon))
    if not len(origins):
        return ValidationResult()
    actual = observed_after(panel, origins, horizon)
    forecast = forecaster._forecast(panel, origins)
    own = forecast.point()
    residuals = residuals_of(forecaster, panel, origins, actual, own).astype("float32")
    if np.isnan(residuals).all():
        return ValidationResult()
    series = series_number(panel, origins)
    quantiles = ResidualQuantiles.fit(
        residuals, series, independent_windows=independent_windows(origins, panel, horizon), held_out=held_out
    )
    paths = error_ranks(residuals, series)
    if not held_out:
        return ValidationResult(quantiles, paths)
    corrections = rolling = None
    if forecaster.calibrate and forecast.has_spread:
        corrections = ConformalAdjustment.fit(forecaster, panel, origins, forecast)
    if forecaster.calibrate == "rolling":
        levels = own_levels(forecast) if forecast.has_spread else ()
        rolling = ValidationErrors.fit(forecaster, panel, split, stop, levels)
    scores = _pending_scores(forecaster, panel, split, stop, origins, own)
    return ValidationResult(quantiles, paths, corrections, rolling, scores)


def _pending_scores(forecaster, panel, split, stop, origins, own):
    linear = forecaster._linear_reference(panel, origins, own)
    forecasts = {"": own} if linear is None else {"": own, "linear": linear}
    sizes = forecaster.lookback_, forecaster.horizon_, forecaster.season_length_
    scores = PendingScores(
        forecasts, origins, FitData(panel, split, stop, forecaster.scaler_, forecaster._weight), sizes
    )
    if is_mapped(panel.target):  # the file may be gone when they are read
        scores.to_dict()
    return scores


def residual_quantiles(forecaster, panel: Panel, origins: Origins, levels) -> np.ndarray:
    """Quantiles of residuals at these origins, (n, horizon, len(levels)), as `add_residuals` takes them."""
    distinct, at = np.unique(series_of(forecaster.scaler_, panel, origins), return_inverse=True)
    return forecaster.residuals_.at(levels, distinct)[at]


def replace_in_sample(forecaster) -> None:
    """Where no validation window gave a forecaster's residuals, take those of a cross-validation, and say so."""
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
    """Residuals of a forecaster fitted on the earlier rows of the training rows, on the later ones.

    For a forecaster without validation windows. Where the rows are too few for its horizon, a shorter one is tried,
    and the spread of the steps beyond grows from its last step as that of a random walk does.

    Parameters
    ----------
    forecaster : Forecaster
    data : FitData
        What it was fitted on.

    Returns
    -------
    residuals : ResidualQuantiles
    scale : ndarray
        Their units, as `residual_scale_` holds them. None instead of both where the rows are too few for any.
    """
    panel = data.panel.between(data.panel.indptr[:-1], data.stop)
    longest = int(panel.lengths.max())
    horizon = min(forecaster.horizon_, (longest - 2) // 3)
    if horizon < 1:
        return None
    size = max(horizon, longest // 5)
    other = clone(forecaster).set_params(horizon=horizon, validation_size=size)
    silent = {"verbose": 0, "callbacks": None, "resume": None}
    other.set_params(**{name: value for name, value in silent.items() if name in other.get_params(deep=False)})
    other.lookback = min(forecaster.lookback_, longest - size - horizon)
    other._weight = data.weight
    other._fit_panel(panel, forecaster.schema_, finish=False)
    other._put_down()
    found = other.residuals_
    if found is None or not found.held_out:
        return None
    growth = np.sqrt(np.maximum(np.arange(1, forecaster.horizon_ + 1) / horizon, 1.0))
    last = np.minimum(np.arange(forecaster.horizon_), horizon - 1)
    tables = found.tables[:, last] * growth[:, None]
    return replace(found, tables=tables), other.residual_scale_
