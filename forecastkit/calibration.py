"""What a forecaster learns about its own errors: residual quantiles, and validation scores beside two references."""

from dataclasses import dataclass, field

import numpy as np

from forecastkit import closed_form
from forecastkit.data.panel import Panel, spread
from forecastkit.data.windows import Origins, Windows
from forecastkit.intervals import ResidualQuantiles
from forecastkit.sampling import error_ranks

#: Steps of validation windows that residual quantiles and scores are taken from, at most, and windows at least.
MOST_STEPS, FEWEST_WINDOWS = 600_000, 1_000


def most_windows(horizon: int) -> int:
    """How many windows are judged at most: errors are as large as these times the horizon."""
    return max(FEWEST_WINDOWS, MOST_STEPS // horizon)


def judged_windows(panel: Panel, split: np.ndarray, stop: np.ndarray, horizon: int, most: int | None = None) -> Origins:
    """At most about `most` windows of the validation block, evenly spread, every channel of an origin together."""
    return Windows.validation(panel, split, stop, horizon).spaced(most or most_windows(horizon))


@dataclass(frozen=True)
class Judged:
    """Residual quantiles by step in units of each series' scale, ranks of errors along windows, and scores."""

    residuals: ResidualQuantiles | None = None
    paths: np.ndarray | None = None
    scores: dict = field(default_factory=dict)


def calibrate(forecaster, panel: Panel, split: np.ndarray, stop: np.ndarray) -> Judged:
    """What the validation block shows of a forecaster's errors.

    Without a validation block the residuals are those of training windows, and there are no scores.
    """
    horizon = forecaster.horizon_
    judged = judged_windows(panel, split, stop, horizon)
    held_out = len(judged) > 0
    if not held_out:
        judged = Windows.training(panel, stop, forecaster.lookback_, horizon).spaced(most_windows(horizon))
    if not len(judged):
        return Judged()
    scale = scale_of(forecaster.scaler_, panel, judged)[:, None]
    actual = observed_after(panel, judged, horizon)
    own = forecaster._points(forecaster._forecast(panel, judged))
    residuals = ((actual - own) / scale).astype("float32")
    if np.isnan(residuals).all():
        return Judged()
    residuals = by_series(residuals, judged, panel)
    quantiles, paths = ResidualQuantiles.fit(residuals), error_ranks(residuals)
    if not held_out:
        return Judged(quantiles, paths)

    def error(forecast):
        return float(np.nanmean(np.abs(actual - forecast) / scale))

    # One after the other: thousands of windows of a forecast are as large as many a data set.
    errors = {"seasonal_naive": error(closed_form.seasonal_naive(panel, judged, horizon, forecaster.season_length_))}
    errors["linear"] = error(forecaster._linear_reference(panel, split, judged, own))
    return Judged(quantiles, paths, _scores(error(own), errors, len(judged)))


def _scores(own, references, windows):
    """Mean absolute errors in units of each series' scale, and the skill against the references."""
    scores = {"mae": own}
    for name, error in references.items():
        scores[f"mae_{name}"] = error
        scores[f"skill_{name}"] = 1 - own / error if error > 0 else 0.0
    return {**scores, "windows": windows}


def linear_reference(forecaster, panel: Panel, split: np.ndarray, judged: Origins) -> np.ndarray:
    """Forecasts (n, horizon) of the closed-form linear model with the forecaster's sizes, fitted before `split`."""
    sizes = forecaster.lookback_, forecaster.horizon_
    buffers = forecaster._scaled(panel)
    ridge = closed_form.Ridge.fit(buffers, Windows.training(panel, split, *sizes), judged, *sizes)
    return forecaster.scaler_.restore(ridge.predict(buffers, judged), panel, judged)


def residual_quantiles(forecaster, panel: Panel, origins: Origins, levels) -> np.ndarray:
    """What is added to the points of these origins for quantiles, (n, horizon, len(levels))."""
    entity = forecaster.scaler_.places(panel, trained=True)[origins.entity]
    series = np.where(entity < 0, -1, entity * panel.channels + origins.channel)
    distinct, at = np.unique(series, return_inverse=True)
    scale = scale_of(forecaster.scaler_, panel, origins)
    return forecaster.residuals_.at(levels, distinct)[at] * scale[:, None, None]


def scale_of(scaler, panel: Panel, origins: Origins) -> np.ndarray:
    """Scale of each origin's series, (n,); 1 for constant ones."""
    scale = scaler.moments(panel).scale[origins.entity, origins.channel]
    return np.where(scale > 0, scale, 1.0)


def observed_after(panel: Panel, origins: Origins, horizon: int) -> np.ndarray:
    """What was observed at each step after the origins, (n, horizon), NaN where nothing."""
    rows = origins.row[:, None] + np.arange(1, horizon + 1)
    inside = rows < panel.indptr[origins.entity + 1][:, None]
    values = panel.target[np.minimum(rows, panel.rows - 1), origins.channel[:, None]].astype("float64")
    return np.where(inside, values, np.nan)


def by_series(values: np.ndarray, origins: Origins, panel: Panel) -> np.ndarray:
    """Values (n, horizon) of origins as (windows, series, horizon), NaN where a series has fewer windows."""
    series = origins.entity * panel.channels + origins.channel
    order = np.argsort(series, kind="stable")
    counts = np.bincount(series, minlength=len(panel.ids) * panel.channels)
    _, place = spread(counts)
    out = np.full((int(counts.max()), len(counts), values.shape[1]), np.nan, dtype=values.dtype)
    out[place, series[order]] = values[order]
    return out
