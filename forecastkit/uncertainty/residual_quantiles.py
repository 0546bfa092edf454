"""Intervals from residuals: split-conformal quantiles by step, and reading quantiles between trained levels.

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

# Enough residuals that the outermost levels of a 99 % interval are ranks of their own.
OWN_TABLE_RESIDUALS = 200
FEW_RESIDUALS = 60
# Windows without a common step below which the side that errors lie on tells more of that time than of the next one:
# `benchmarks/few_windows.py`, on training parts of M1 and M4 series.
FEW_APART = 20


@dataclass(frozen=True, eq=False)
class ResidualQuantiles:
    """Quantiles of ``actual - forecast`` by step: what a point forecast needs to give quantiles.

    A level q above the median is the residual of rank ``ceil((n + 1) q)`` of n, one below it of rank
    ``floor((n + 1) q)``: a new residual, exchangeable with these, lies beyond it with a probability of at most 1 - q or
    q [1]_, [2]_. The median is the usual one. Where n is too small for a level, the outermost residual stands in.
    Residuals of neighbouring origins overlap in time and so are only roughly exchangeable.

    A step with fewer than 60 residuals takes those of its nearest steps too. Where fewer than 20 windows have no step
    in common, every residual counts with both signs, so that intervals lie about the forecast.

    A series with at least 200 residuals at each step has a table of its own; all others share one of all residuals.

    Attributes
    ----------
    levels : ndarray, (L,)
        The grid of levels, rising.
    tables : ndarray, (1 + own, horizon, L)
        Quantiles in units of the series' scale; the first table is the shared one.
    table_of : ndarray of int, (n_series,)
        The table of each series of the fit.
    held_out : bool
        Whether the residuals are of windows that were not trained on.
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
        """Take the quantiles of residuals.

        Parameters
        ----------
        residuals : array-like, (n_windows, horizon)
            ``actual - forecast`` in units of the series' scale; NaN is missing.
        series : array-like of int, (n_windows,)
            Number of each window's series.
        levels : sequence of float
            The grid of levels.
        independent_windows : array-like of int, (n_series,), optional
            How many windows of each series have no step in common; not looked at if not given.
        held_out : bool
            Whether the windows were not trained on.
        n_series : int
            How many series there are, where the last ones may have no window.

        Returns
        -------
        ResidualQuantiles

        Raises
        ------
        InputError
            If there is no residual at all.
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
        apart = np.full(n_series, FEW_APART) if independent_windows is None else np.asarray(independent_windows)
        few = apart < FEW_APART
        counts = np.stack([np.bincount(series, column, minlength=n_series) for column in seen.T], axis=1)
        enough = counts.min(axis=1) >= OWN_TABLE_RESIDUALS
        shared = _two_sided(residuals, apart.sum() < FEW_APART)
        tables = [_shared_table(shared, levels)]
        for number, rows in _rows_by_series(series):
            if enough[number]:
                tables.append(_conformal_quantiles(_two_sided(residuals[rows], few[number]), levels))
        return cls(levels, np.stack(tables), enough.cumsum() * enough, held_out)

    def at(self, levels: Sequence[float], series: ArrayLike | None = None) -> np.ndarray:
        """The quantiles of the residuals at `levels`, to be added to a point forecast.

        Parameters
        ----------
        levels : sequence of float
            Rising and within the grid (0.005 to 0.995); read off between its levels by straight lines.
        series : array-like of int, (n_series,), optional
            Positions in the fit, -1 for a series that was not there; all those of the fit if not given.

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
    """Quantiles at `levels` from those at `trained_levels`: straight lines between them, never beyond them.

    Parameters
    ----------
    values : array-like, (..., Q)
        Forecasts of the trained levels; sorted first, so that the result never crosses.
    trained_levels : sequence of float, (Q,)
    levels : sequence of float, (P,)
        Rising. What differs from the outermost trained level by rounding (``(1 - 0.8) / 2`` from 0.1) is taken as it.

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
            "Ask within them, or train with wider quantile_levels.",
            ParameterError,
        )
    return read_between(np.sort(values, axis=-1), trained, levels)


def read_between(values: np.ndarray, grid: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Values (..., len(levels)) read off between those (..., G) at the levels of a grid, by straight lines."""
    grid, levels = np.asarray(grid), np.asarray(levels)
    below = np.clip(np.searchsorted(grid, levels, side="right") - 1, 0, None)
    above = np.minimum(below + 1, len(grid) - 1)
    gap = np.where(above > below, grid[above] - grid[below], 1)
    weight = np.clip((levels - grid[below]) / gap, 0, 1).astype(np.result_type(values, np.float32))
    return values[..., below] + weight * (values[..., above] - values[..., below])


def _rows_by_series(series: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Number of each series that has windows, rising, and their rows."""
    order = np.argsort(series, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(series[order])) + 1):
        yield int(series[rows[0]]), rows


def _two_sided(sample: np.ndarray, few: bool) -> np.ndarray:
    """The sample (n, ...), with each number's opposite beside it where they are `few`."""
    return np.concatenate([sample, -sample]) if few else sample


def _conformal_quantiles(sample: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Finite-sample quantiles along the first axis of (n, ...), (..., L); NaN where there is no number.

    They cannot cross: ranks rise with the level, and so do means of two ranks about the median.
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
    """Quantiles by step of (n, horizon), (horizon, L); a step with few residuals borrows those of its neighbours.

    The spread changes slowly from step to step, while the outer quantiles of a dozen residuals are their extremes.
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
