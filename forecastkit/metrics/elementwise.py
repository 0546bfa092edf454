"""Elementwise formulas of the metrics; means and ratios that ignore missing values."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

Axis = int | tuple[int, ...] | None
#: Fewest blocks for a standard error; fewest blocks for which blocks are two horizons long.
MIN_BLOCKS, ENOUGH_LONG_BLOCKS = 2, 8
#: Fewest blocks for a comparison of two means; its one-sided level.
MIN_COMPARED, LEVEL = 3, 0.025


def mean(values: np.ndarray, seen: np.ndarray, axis: Axis = None) -> np.ndarray | float:
    """Return the mean of the values where `seen` is True, NaN where none is."""
    return divide(np.where(seen, values, 0.0).sum(axis), seen.sum(axis))


def divide(a: ArrayLike, b: ArrayLike) -> np.ndarray | float:
    """Return ``a / b``, NaN where b is zero."""
    a, b = np.asarray(a, dtype="float64"), np.asarray(b, dtype="float64")
    with np.errstate(divide="ignore", invalid="ignore"):
        return a / np.where(b == 0, np.nan, b)


def seen(values: np.ndarray) -> np.ndarray:
    """Return which values are not NaN."""
    return ~np.isnan(values)


def symmetric(actual: np.ndarray, forecast: np.ndarray) -> np.ndarray:
    """Return the symmetric percentage errors, 0 where actual and forecast are both zero."""
    size = np.abs(actual) + np.abs(forecast)
    return 200 * np.abs(actual - forecast) / np.where(size == 0, 1, size)


def pinball(actual: np.ndarray, quantile: np.ndarray, level: float | np.ndarray) -> np.ndarray:
    """Return the pinball losses of forecasts of one quantile level."""
    above = actual - quantile
    return np.maximum(level * above, (level - 1) * above)


def quantile_loss(actual: np.ndarray, quantiles: np.ndarray, levels: ArrayLike) -> np.ndarray:
    """Twice the pinball loss of quantiles (..., levels), averaged over them; of the median alone the absolute error."""
    levels = np.asarray(levels, dtype="float64")
    return 2 * pinball(actual[..., None], quantiles, levels).mean(axis=-1)


def inside(actual: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Return 1 inside the interval, 0 outside, NaN where a bound is missing."""
    held = (lower <= actual) & (actual <= upper)
    return np.where(np.isnan(lower) | np.isnan(upper), np.nan, held)


def winkler(actual: np.ndarray, lower: np.ndarray, upper: np.ndarray, level: float) -> np.ndarray:
    """Return the interval scores for a nominal coverage of `level`."""
    miss = np.maximum(lower - actual, 0) + np.maximum(actual - upper, 0)
    return upper - lower + 2 / (1 - level) * miss


def level_weights(levels: ArrayLike) -> np.ndarray:
    """Return the length of the part of (0, 1) that is nearest to each of the increasing levels; the sum is 1."""
    levels = np.asarray(levels, dtype="float64")
    return np.diff(np.concatenate([[0.0], (levels[1:] + levels[:-1]) / 2, [1.0]]))


def time_blocks(place: np.ndarray, horizon: int, group: np.ndarray | int = 0) -> np.ndarray:
    """Assign times to blocks that can be treated as independent.

    Parameters
    ----------
    place : ndarray of int, shape (n,)
        Times in steps from 0.
    horizon : int
        Blocks are two horizons long, or one where that would leave fewer than `ENOUGH_LONG_BLOCKS`.
    group : ndarray of int, shape (n,), or int
        Times of different groups never share a block.

    Returns
    -------
    ndarray of int, shape (n,)
        Block of each time.
    """
    for length in (2 * horizon, horizon):
        block = group * (place.max(initial=0) + 1) + place // length
        if len(np.unique(block)) >= ENOUGH_LONG_BLOCKS:
            break
    return block


def independent_blocks(time: np.ndarray, horizon: int, series: np.ndarray) -> np.ndarray:
    """Assign errors of several series to blocks of time, which all series share; a shock hits them together.

    Where times are in fewer than `MIN_COMPARED` blocks, blocks of different series count as independent.

    Parameters
    ----------
    time : ndarray of int, shape (n,)
        Ordinals of the cutoffs.
    horizon : int
    series : ndarray of int, shape (n,)

    Returns
    -------
    ndarray of int, shape (n,)
    """
    place = time - time.min(initial=0)
    block = time_blocks(place, horizon)
    return block if len(np.unique(block)) >= MIN_COMPARED else time_blocks(place, horizon, series)


def block_error(values: np.ndarray, weight: np.ndarray, block: np.ndarray) -> float:
    """Return the standard error of a weighted mean, clustered by blocks; NaN for fewer than two blocks."""
    labels, place = np.unique(block, return_inverse=True)
    if len(labels) < MIN_BLOCKS:
        return float("nan")
    # Deviations are summed within blocks first, so that correlation inside a block enters the variance.
    parts = np.bincount(place, weight * (values - np.average(values, weights=weight)))
    count = len(labels)
    return float(np.sqrt(count / (count - 1) * np.sum(parts**2)) / weight.sum())


def is_clearly_larger(own: np.ndarray, other: np.ndarray, block: np.ndarray) -> bool:
    """Return whether the mean of errors is larger than that of others on the same steps by more than chance.

    Parameters
    ----------
    own, other : ndarray, shape (n,)
        Errors of two models.
    block : ndarray of int, shape (n,)
        Block of each step: only errors of different blocks are independent.

    Returns
    -------
    bool
        By a one-sided t test of the mean difference, clustered by blocks, at `LEVEL`. False for fewer than
        `MIN_COMPARED` blocks.

    References
    ----------
    Diebold and Mariano (1995), "Comparing predictive accuracy", Journal of Business & Economic Statistics 13.
    """
    blocks = len(np.unique(block))
    if blocks < MIN_COMPARED:
        return False
    from scipy.special import stdtrit  # here: its import takes longer than a forecast

    difference = np.asarray(own, dtype="float64") - other
    error = block_error(difference, np.ones(len(difference)), block)
    return bool(difference.mean() > stdtrit(blocks - 1, 1 - LEVEL) * error)
