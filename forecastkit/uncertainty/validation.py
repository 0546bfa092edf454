"""What a forecaster learns about its own errors: residual quantiles, and validation scores beside two references."""

from dataclasses import dataclass, field

import numpy as np

from forecastkit.baselines import simple
from forecastkit.baselines.ridge import Ridge
from forecastkit.data.panel import Panel
from forecastkit.data.windows import Origins, Windows
from forecastkit.uncertainty.conformal import ConformalAdjustment
from forecastkit.uncertainty.residual_quantiles import ResidualQuantiles
from forecastkit.uncertainty.residuals import by_series, independent_windows, observed_after, scale_of, series_of
from forecastkit.uncertainty.sample_paths import error_ranks

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
    scores : dict
    """

    residuals: ResidualQuantiles | None = None
    paths: np.ndarray | None = None
    corrections: ConformalAdjustment | None = None
    scores: dict = field(default_factory=dict)


def calibrate(forecaster, panel: Panel, split: np.ndarray, stop: np.ndarray) -> ValidationResult:
    """What the validation block shows of a forecaster's errors.

    Without a validation block the residuals are those of training windows, and there are no scores.
    """
    horizon = forecaster.horizon_
    validation_origins = sample_validation_windows(panel, split, stop, horizon, forecaster._most_validation_windows)
    held_out = len(validation_origins) > 0
    if not held_out:
        validation_origins = Windows.training(panel, stop, forecaster.lookback_, horizon).spaced(most_windows(horizon))
    if not len(validation_origins):
        return ValidationResult()
    scale = scale_of(forecaster.scaler_, panel, validation_origins)[:, None]
    actual = observed_after(panel, validation_origins, horizon)
    own = forecaster._points(forecaster._forecast(panel, validation_origins))
    residuals = ((actual - own) / scale).astype("float32")
    if np.isnan(residuals).all():
        return ValidationResult()
    residuals = by_series(residuals, validation_origins, panel)
    quantiles = ResidualQuantiles.fit(
        residuals, independent_windows=independent_windows(validation_origins, panel, horizon)
    )
    paths = error_ranks(residuals)
    if not held_out:
        return ValidationResult(quantiles, paths)
    wanted = forecaster.calibrate and forecaster._has_spread
    corrections = ConformalAdjustment.fit(forecaster, panel, validation_origins) if wanted else None

    def error(forecast):
        return float(np.nanmean(np.abs(actual - forecast) / scale))

    # One after the other: thousands of windows of a forecast are as large as many a data set.
    errors = {
        "seasonal_naive": error(simple.seasonal_naive(panel, validation_origins, horizon, forecaster.season_length_))
    }
    errors["linear"] = error(forecaster._linear_reference(panel, split, validation_origins, own))
    return ValidationResult(quantiles, paths, corrections, _scores(error(own), errors, len(validation_origins)))


def _scores(own, references, windows):
    """Mean absolute errors in units of each series' scale, and the skill against the references."""
    scores = {"mae": own}
    for name, error in references.items():
        scores[f"mae_{name}"] = error
        scores[f"skill_{name}"] = 1 - own / error if error > 0 else 0.0
    return {**scores, "windows": windows}


def linear_reference(forecaster, panel: Panel, split: np.ndarray, validation_origins: Origins) -> np.ndarray:
    """Forecasts (n, horizon) of the closed-form linear model with the forecaster's sizes, fitted before `split`."""
    sizes = forecaster.lookback_, forecaster.horizon_
    buffers = forecaster._scaled(panel)
    ridge = Ridge.fit(buffers, Windows.training(panel, split, *sizes), validation_origins, *sizes)
    return forecaster.scaler_.restore(ridge.predict(buffers, validation_origins), panel, validation_origins)


def residual_quantiles(forecaster, panel: Panel, origins: Origins, levels) -> np.ndarray:
    """What is added to the points of these origins for quantiles, (n, horizon, len(levels))."""
    distinct, at = np.unique(series_of(forecaster.scaler_, panel, origins), return_inverse=True)
    scale = scale_of(forecaster.scaler_, panel, origins)
    return forecaster.residuals_.at(levels, distinct)[at] * scale[:, None, None]
