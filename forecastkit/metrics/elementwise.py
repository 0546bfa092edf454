"""Elementwise formulas behind the metrics; means and ratios that ignore missing values."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

Axis = int | tuple[int, ...] | None
#: Blocks without which their errors cannot be told, and how many must be for blocks of two horizons each.
FEWEST_BLOCKS, ENOUGH_LONG_BLOCKS = 2, 8


def mean(values: np.ndarray, seen: np.ndarray, axis: Axis = None) -> np.ndarray | float:
    """The mean of the values that were seen, NaN where none was."""
    return divide(np.where(seen, values, 0.0).sum(axis), seen.sum(axis))


def divide(a: ArrayLike, b: ArrayLike) -> np.ndarray | float:
    """``a / b``, NaN where b is zero."""
    a, b = np.asarray(a, dtype="float64"), np.asarray(b, dtype="float64")
    with np.errstate(divide="ignore", invalid="ignore"):
        return a / np.where(b == 0, np.nan, b)


def seen(values: np.ndarray) -> np.ndarray:
    return ~np.isnan(values)


def symmetric(actual: np.ndarray, forecast: np.ndarray) -> np.ndarray:
    size = np.abs(actual) + np.abs(forecast)
    return 200 * np.abs(actual - forecast) / np.where(size == 0, 1, size)


def pinball(actual: np.ndarray, quantile: np.ndarray, level: float) -> np.ndarray:
    above = actual - quantile
    return np.maximum(level * above, (level - 1) * above)


def inside(actual: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """1 inside the interval, 0 outside, NaN where an end is missing."""
    held = (lower <= actual) & (actual <= upper)
    return np.where(np.isnan(lower) | np.isnan(upper), np.nan, held)


def winkler(actual: np.ndarray, lower: np.ndarray, upper: np.ndarray, level: float) -> np.ndarray:
    miss = np.maximum(lower - actual, 0) + np.maximum(actual - upper, 0)
    return upper - lower + 2 / (1 - level) * miss


def level_weights(levels: ArrayLike) -> np.ndarray:
    """How much of (0, 1) lies nearest to each of these rising levels; adds up to 1."""
    levels = np.asarray(levels, dtype="float64")
    return np.diff(np.concatenate([[0.0], (levels[1:] + levels[:-1]) / 2, [1.0]]))


def time_blocks(place: np.ndarray, horizon: int, group: np.ndarray | int = 0) -> np.ndarray:
    """The block of each place in time, in steps from 0: two horizons long, or one where blocks would be few.

    Places of different groups are never in one block.
    """
    for length in (2 * horizon, horizon):
        block = group * (place.max(initial=0) + 1) + place // length
        if len(np.unique(block)) >= ENOUGH_LONG_BLOCKS:
            break
    return block


def block_error(values: np.ndarray, weight: np.ndarray, block: np.ndarray) -> float:
    """Standard error of the weighted mean of values whose blocks are independent; NaN for less than two blocks."""
    labels, place = np.unique(block, return_inverse=True)
    if len(labels) < FEWEST_BLOCKS:
        return float("nan")
    parts = np.bincount(place, weight * (values - np.average(values, weights=weight)))
    count = len(labels)
    return float(np.sqrt(count / (count - 1) * np.sum(parts**2)) / weight.sum())
