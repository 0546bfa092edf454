"""The formulas behind the metrics, value by value; means and quotients that leave out what is missing."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

Axis = int | tuple[int, ...] | None


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
