"""Prediction intervals from residuals: split-conformal quantiles by step, and interpolation between levels.

References
----------
.. [1] Vovk, V., Gammerman, A., & Shafer, G. (2005). Algorithmic Learning in a Random World. Springer.
.. [2] Lei, J., G'Sell, M., Rinaldo, A., Tibshirani, R. J., & Wasserman, L. (2018). Distribution-free predictive
   inference for regression. Journal of the American Statistical Association, 113(523), 1094-1111.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import check_levels, refuse

__all__ = ["LEVELS", "ResidualQuantiles", "interpolate_quantiles"]

LEVELS = (0.005, 0.01, 0.025, *(round(0.05 * i, 2) for i in range(1, 20)), 0.975, 0.99, 0.995)

# With this number the outermost levels of a 99 % interval are distinct ranks.
OWN_TABLE_RESIDUALS = 200
FEW_RESIDUALS = 60
# With fewer non-overlapping windows the sign of errors does not carry over to the next ones:
# `benchmarks/few_windows.py`, on training rows of M1 and M4 series.
MIN_SEPARATE_WINDOWS = 20


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

    Attributes
    ----------
    levels : ndarray, (L,)
        The grid of levels, increasing.
    tables : ndarray, (1 + own, horizon, L)
        Quantiles in units of the series' scale; the first table is the shared one.
    table_of : ndarray of int, (n_series,)
        Index of the table of each series of the fit.
    held_out : bool
        Whether the residuals are those of windows that were not used in training.
    """

    levels: np.ndarray
    tables: np.ndarray
    table_of: np.ndarray

    held_out: bool = True

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
        """Compute the quantiles of residuals.

        Parameters
        ----------
        residuals : array-like, (n_windows, horizon)
            ``actual - forecast`` in units of the series' scale; NaN is missing.
        series : array-like of int, (n_windows,)
            Number of each window's series.
        levels : sequence of float
            The grid of levels.
        independent_windows : array-like of int, (n_series,), optional
            Number of non-overlapping windows of each series; assumed to be large if not given.
        held_out : bool
            Whether the windows were not used in training.
        n_series : int
            Number of series, needed if the last ones have no window.

        Returns
        -------
        ResidualQuantiles

        Raises
        ------
        InputError
            If all residuals are missing.
        """
        levels = np.array(check_levels("ResidualQuantiles", levels))
        residuals, series = np.asarray(residuals), np.asarray(series)
        if residuals.ndim != 2 or series.shape != residuals.shape[:1]:
            rule = "residuals must be (n_windows, horizon), and series (n_windows,)"
            refuse("ResidualQuantiles", rule, f"{residuals.shape} and {series.shape}")
        seen = ~np.isnan(residuals)
        if not seen.any():
            refuse("ResidualQuantiles", "residuals must hold a number", "none", "Hold out more rows for validation.")
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

        Parameters
        ----------
        levels : sequence of float
            Increasing and within the grid (0.005 to 0.995); other levels are interpolated linearly.
        series : array-like of int, (n_series,), optional
            Numbers of series in the fit, -1 for a new series; all series of the fit by default.

        Returns
        -------
        ndarray, (n_series, horizon, len(levels))
            In units of the series' scale, never crossing.

        Raises
        ------
        ParameterError
            If a level lies outside the grid.
        """
        quantiles = interpolate_quantiles(self.tables, self.levels, levels)
        if series is None:
            return quantiles[self.table_of]
        series = np.asarray(series)
        return quantiles[np.where(series < 0, 0, self.table_of[series])]


def interpolate_quantiles(values: ArrayLike, trained_levels: Sequence[float], levels: Sequence[float]) -> np.ndarray:
    """Interpolate quantiles at `levels` linearly between those at `trained_levels`.

    Parameters
    ----------
    values : array-like, (..., Q)
        Forecasts of the trained levels; they are sorted, so that the result cannot cross.
    trained_levels : sequence of float, (Q,)
    levels : sequence of float, (P,)
        Increasing. Levels that differ from an outermost trained level by rounding (``(1 - 0.8) / 2`` from 0.1) are set
        to it.

    Returns
    -------
    ndarray, (..., P)
        In the dtype of `values`.

    Raises
    ------
    ParameterError
        If a level lies outside the trained ones.
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
