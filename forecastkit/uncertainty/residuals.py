"""Residuals (actual minus forecast) of windows: units, quantiles by step, and ranks for sample paths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from forecastkit.data.panel import Panel
from forecastkit.data.windows import Origins
from forecastkit.utils.arrays import parts
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import check_levels, refuse

#: Smallest ordinal, for series without training rows.
NEVER = np.iinfo("int64").min
#: Quantile levels of residuals that are stored.
LEVELS = (0.005, 0.01, 0.025, *(round(0.05 * i, 2) for i in range(1, 20)), 0.975, 0.99, 0.995)
# With this number the outermost levels of a 99 % interval are distinct ranks.
OWN_TABLE_RESIDUALS = 200
FEW_RESIDUALS = 60
# With fewer non-overlapping windows the sign of errors does not carry over to the next ones:
# `benchmarks/few_windows.py`, on training rows of M1 and M4 series.
MIN_SEPARATE_WINDOWS = 20
#: Largest number of windows whose error ranks are stored.
MAX_PATHS = 200


def series_of(scaler, panel: Panel, origins: Origins) -> np.ndarray:
    """Return the number of each origin's series among the trained ones, shape (n,); -1 for others."""
    entity = scaler.places(panel, trained=True)[origins.entity]
    return np.where(entity < 0, -1, entity * panel.channels + origins.channel)


def scale_of(scaler, panel: Panel, origins: Origins) -> np.ndarray:
    """Return the positive scale (n,) of each origin's series in the user's units; see `Scaler.error_units`."""
    return scaler.error_units(panel)[origins.entity, origins.channel]


def observed_after(panel: Panel, origins: Origins, horizon: int) -> np.ndarray:
    """Return the observed values after the origins, shape (n, horizon), NaN where missing."""
    rows = origins.row[:, None] + np.arange(1, horizon + 1)
    inside = rows < panel.indptr[origins.entity + 1][:, None]
    values = panel.target[np.minimum(rows, panel.rows - 1), origins.channel[:, None]].astype("float64")
    return np.where(inside, values, np.nan)


def series_number(panel: Panel, origins: Origins) -> np.ndarray:
    """Return the number of each origin's series in its panel, shape (n,), with channels varying fastest."""
    return origins.entity * panel.channels + origins.channel


def independent_windows(origins: Origins, panel: Panel, horizon: int) -> np.ndarray:
    """Return the approximate number of non-overlapping windows of each series, shape (n_series,).

    It is the number of blocks of one horizon in which windows begin.
    """
    series = series_number(panel, origins)
    block = (origins.row - panel.indptr[origins.entity]) // horizon
    wide = block.max(initial=0) + 1
    return np.bincount(np.unique(series * wide + block) // wide, minlength=len(panel.ids) * panel.channels)


def residual_scale(forecaster, panel: Panel, origins: Origins) -> np.ndarray:
    """Return the unit (n,) of each origin's residuals: the scale with which those of its series were computed.

    It is the scale of the transformed target at the time of validation, which later fits of the scaler do not change.
    For a new series it is the current scale.
    """
    today = forecaster.scaler_.positive_scale(panel, origins)
    series = series_of(forecaster.scaler_, panel, origins)
    scale = forecaster.residual_scale_.ravel()[series]
    return np.where((series < 0) | (scale == 0), today, scale)


def residuals_of(forecaster, panel: Panel, origins: Origins, actual: np.ndarray, forecast: np.ndarray) -> np.ndarray:
    """Return transformed actuals minus transformed forecasts (n, horizon), in units of `residual_scale`."""
    observed = forecaster.scaler_.transformed_values(actual)
    difference = observed - forecaster.scaler_.transformed_values(forecast, clip=True)
    return difference / residual_scale(forecaster, panel, origins)[:, None]


def add_residuals(
    forecaster, panel: Panel, origins: Origins, forecast: np.ndarray, residuals: np.ndarray
) -> np.ndarray:
    """Add residuals, as returned by `residuals_of`, to forecasts (n, horizon, levels), in the range of the target."""
    scaler, scale = forecaster.scaler_, residual_scale(forecaster, panel, origins)[:, None, None]
    values = np.empty(np.broadcast_shapes(forecast.shape, residuals.shape))
    for part in parts(len(values), values[:1].size):
        moved = scaler.transformed_values(forecast[part], clip=True) + residuals[part] * scale[part]
        values[part] = scaler.untransformed_values(moved)
    return values


def trained_until(forecaster, panel: Panel) -> np.ndarray:
    """Return the ordinal of the last training row of each series of the panel, shape (E,); `NEVER` for new series."""
    at = forecaster.history_.places(panel.ids)
    until = np.append(forecaster.trained_until_, NEVER)
    # Series added after the fit come last, and places of unknown series are negative.
    return until[np.where(at < 0, len(until) - 1, np.minimum(at, len(until) - 1))]


@dataclass(frozen=True, eq=False)
class ResidualQuantiles:
    """Quantiles of ``actual - forecast`` by step, from which quantiles of a point forecast are obtained.

    The quantile of a level q above the median is the residual of rank ``ceil((n + 1) q)`` of n, below the median of
    rank ``floor((n + 1) q)``. An exchangeable new residual exceeds it with a probability of at most 1 - q, or is below
    it with a probability of at most q [1]_, [2]_. The median is the usual one. If n is too small for a level, the
    outermost residual is used. Residuals of neighbouring origins overlap in time and are only approximately
    exchangeable.

    A step with fewer than 60 residuals also uses those of neighbouring steps. With fewer than 20 non-overlapping
    windows every residual is used with both signs, so that intervals are symmetric about the forecast.

    A series with at least 200 residuals at each step has a separate table; all other series share one of all residuals.
    """

    levels: np.ndarray  #: (L,): the grid of levels, increasing
    #: (1 + own, horizon, L): quantiles in units of the series' scale; the first table is the shared one
    tables: np.ndarray
    table_of: np.ndarray  #: (n_series,): index of the table of each series of the fit

    held_out: bool = True  #: Whether the residuals are those of windows that were not used in training

    @classmethod
    def fit(
        cls,
        residuals: ArrayLike,
        series: ArrayLike,
        levels: Sequence[float] = LEVELS,
        independent_windows: ArrayLike | None = None,
        held_out: bool = True,
        n_series: int = 0,
    ) -> ResidualQuantiles:
        """Compute the quantiles of residuals (n_windows, horizon), ``actual - forecast`` in units of the series' scale.

        `series` (n_windows,) is the number of each window's series, of `n_series`, which is needed if the last ones
        have no window. `independent_windows` (n_series,) is the number of non-overlapping windows of each; assumed to
        be large if not given. `held_out` says whether the windows were not used in training.
        """
        levels = np.array(check_levels("ResidualQuantiles", levels))
        residuals, series = np.asarray(residuals), np.asarray(series)
        if residuals.ndim != 2 or series.shape != residuals.shape[:1]:
            rule = "residuals must be (n_windows, horizon), and series (n_windows,)"
            refuse("ResidualQuantiles", rule, f"{residuals.shape} and {series.shape}")
        seen = ~np.isnan(residuals)
        if not seen.any():
            refuse(
                "ResidualQuantiles",
                "residuals must contain an observed value",
                "none",
                "Hold out more rows for validation.",
            )
        known = 0 if independent_windows is None else len(independent_windows)
        n_series = max(n_series, known, int(series.max()) + 1)
        separate_windows = (
            np.full(n_series, MIN_SEPARATE_WINDOWS) if independent_windows is None else np.asarray(independent_windows)
        )
        few = separate_windows < MIN_SEPARATE_WINDOWS
        counts = np.stack([np.bincount(series, column, minlength=n_series) for column in seen.T], axis=1)
        enough = counts.min(axis=1) >= OWN_TABLE_RESIDUALS
        shared = _two_sided(residuals, separate_windows.sum() < MIN_SEPARATE_WINDOWS)
        tables = [_shared_table(shared, levels)]
        for number, rows in _rows_by_series(series):
            if enough[number]:
                tables.append(_conformal_quantiles(_two_sided(residuals[rows], few[number]), levels))
        return cls(levels, np.stack(tables), enough.cumsum() * enough, held_out)

    def at(self, levels: Sequence[float], series: ArrayLike | None = None) -> np.ndarray:
        """Return quantiles of the residuals at `levels`, to be added to a point forecast.

        They are in units of each series' scale, (n_series, horizon, levels), and do not cross. `levels` increase and
        lie within the grid (0.005 to 0.995), others are refused; those between are interpolated linearly. `series` are
        the numbers of series in the fit, -1 for a new series; by default all series of the fit.
        """
        quantiles = interpolate_quantiles(self.tables, self.levels, levels)
        if series is None:
            return quantiles[self.table_of]
        series = np.asarray(series)
        return quantiles[np.where(series < 0, 0, self.table_of[series])]


def interpolate_quantiles(values: ArrayLike, trained_levels: Sequence[float], levels: Sequence[float]) -> np.ndarray:
    """Interpolate quantiles at increasing `levels` linearly between values (..., Q) at the `trained_levels`.

    Values are sorted, so that the result cannot cross. Levels that differ from an outermost trained level by rounding
    (``(1 - 0.8) / 2`` from 0.1) are set to it; others outside are refused.
    """
    trained = np.array(check_levels("interpolate_quantiles", trained_levels))
    levels = np.array(check_levels("interpolate_quantiles", levels))
    outside = levels[(levels < trained[0] - 1e-9) | (levels > trained[-1] + 1e-9)]
    if outside.size:
        rule = f"quantile levels must lie between the outermost known ones, {trained[0]:g} and {trained[-1]:g}"
        refuse(
            "quantiles",
            rule,
            f"{outside[0]:g}",
            "Request levels within them, or train with wider quantile_levels.",
            ParameterError,
        )
    return interpolate_levels(np.sort(values, axis=-1), trained, levels)


def interpolate_levels(values: np.ndarray, grid: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Interpolate values (..., len(levels)) linearly between those (..., G) at the levels of a grid."""
    grid, levels = np.asarray(grid), np.asarray(levels)
    below = np.clip(np.searchsorted(grid, levels, side="right") - 1, 0, None)
    above = np.minimum(below + 1, len(grid) - 1)
    gap = np.where(above > below, grid[above] - grid[below], 1)
    weight = np.clip((levels - grid[below]) / gap, 0, 1).astype(np.result_type(values, np.float32))
    return values[..., below] + weight * (values[..., above] - values[..., below])


def _rows_by_series(series: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the number of each series that has windows, in increasing order, and its rows."""
    order = np.argsort(series, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(series[order])) + 1):
        yield int(series[rows[0]]), rows


def _two_sided(sample: np.ndarray, few: bool) -> np.ndarray:
    """Return the sample (n, ...), extended by the negated values if there are `few`."""
    return np.concatenate([sample, -sample]) if few else sample


def _conformal_quantiles(sample: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return finite-sample quantiles (..., L) along the first axis of (n, ...); NaN without observations.

    They cannot cross, because ranks increase with the level, and so do means of two ranks about the median.
    """
    n = (~np.isnan(sample)).sum(axis=0)[..., None]
    # Rounded first: 0.55 * 100 is 55.00000000000001 and must not become rank 56.
    rank = np.round((n + 1) * levels, 9)
    low = np.where(levels > 0.5, np.ceil(rank), np.floor(rank))
    high = np.where(levels < 0.5, np.floor(rank), np.ceil(rank))
    # NaN sorts last, so the first n places hold the numbers.
    ordered = np.moveaxis(np.sort(sample, axis=0), 0, -1).astype("float64")
    low, high = (np.clip(r, 1, np.maximum(n, 1)).astype("int64") - 1 for r in (low, high))
    return (np.take_along_axis(ordered, low, axis=-1) + np.take_along_axis(ordered, high, axis=-1)) / 2


def _shared_table(sample: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return quantiles by step (horizon, L) of (n, horizon); steps with few residuals include neighbouring steps.

    The spread changes slowly from step to step, while outer quantiles of a dozen residuals are their extremes.
    """
    counts = (~np.isnan(sample)).sum(axis=0)
    if counts.min() >= FEW_RESIDUALS:
        return _conformal_quantiles(sample, levels)
    before = np.concatenate([[0], np.cumsum(counts)])
    rows = []
    for step in range(len(counts)):
        low, high = step, step + 1
        while before[high] - before[low] < FEW_RESIDUALS and high - low < len(counts):
            low, high = max(low - 1, 0), min(high + 1, len(counts))
        rows.append(_conformal_quantiles(sample[:, low:high].reshape(-1), levels))
    return np.stack(rows)


def error_ranks(residuals: np.ndarray, series: np.ndarray) -> np.ndarray:
    """Return ranks of residuals (windows, horizon) within their series and step, of complete windows, float32.

    Ranks are fractions in (0, 1); a residual is NaN where the actual is missing. There are at most 200 evenly spaced
    windows, and none if no window is complete.
    """
    first = np.concatenate([[0], np.cumsum(np.bincount(series))])[series]
    ranks, smallest_count = np.empty(residuals.shape), np.full(len(series), len(series))
    for step, values in enumerate(residuals.T):
        order = np.lexsort((values, series))  # by series; NaN values are last within a series
        place = np.empty(len(order), dtype="int64")
        place[order] = np.arange(len(order))
        counts = np.bincount(series, ~np.isnan(values))[series]
        ranks[:, step] = (place - first + 1) / (counts + 1)
        smallest_count = np.minimum(smallest_count, counts)
    complete = np.flatnonzero(~np.isnan(residuals).any(axis=1) & (smallest_count > 1))
    if len(complete) > MAX_PATHS:
        complete = complete[np.linspace(0, len(complete) - 1, MAX_PATHS).round().astype(int)]
    return ranks[complete].astype("float32")


def draw_ranks(paths: np.ndarray, shape: tuple[int, int, int], rng: np.random.Generator) -> np.ndarray:
    """Draw ranks (origins, paths, horizon) from those of past windows, with noise so that no rank repeats.

    Steps are drawn independently if no past window is complete. Draws are independent between origins and therefore
    between series.
    """
    noise = rng.random(shape)
    if len(paths) < 2:
        return noise
    chosen = paths[rng.integers(len(paths), size=shape[:2])]
    return np.clip(chosen + (noise - 0.5) / (len(paths) + 1), 1e-4, 1 - 1e-4)


def at_ranks(values: np.ndarray, levels, ranks: np.ndarray) -> np.ndarray:
    """Interpolate quantiles (n, horizon, L) at ranks (n, paths, horizon), constant beyond the outermost levels."""
    levels = np.asarray(levels)
    above = np.clip(np.searchsorted(levels, ranks), 1, len(levels) - 1)
    weight = np.clip((ranks - levels[above - 1]) / (levels[above] - levels[above - 1]), 0.0, 1.0)
    columns = values.transpose(0, 2, 1)  # (n, L, horizon): ranks index the levels of their step's column
    low, high = (np.take_along_axis(columns, place, axis=1) for place in (above - 1, above))
    return low + weight * (high - low)


def widened(values: np.ndarray, trained, errors: np.ndarray) -> np.ndarray:
    """Extend quantiles (n, horizon, Q) at the `trained` levels to `LEVELS`, using the spread of residuals beyond them.

    `errors` (n, horizon, levels) are quantiles of the residuals of the median forecast at `LEVELS`.
    """
    levels = np.asarray(LEVELS)
    within = np.clip(levels, trained[0], trained[-1])
    distinct, place = np.unique(within, return_inverse=True)
    inside = interpolate_quantiles(values, trained, distinct)[..., place]
    return inside + errors - interpolate_quantiles(errors, LEVELS, distinct)[..., place]
