"""Mean and standard deviation of series, exact at any size of the values."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from forecastkit.data.array_storage import allocate_like
from forecastkit.data.panel import owners

CHUNK = 1 << 18
#: Powers of two whose squares, summed over many rows, float64 holds.
LARGE_EXPONENT = 400
#: Standardised values at most: networks square them in float32.
FURTHEST = 1e15


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation per entity and column; a scale of 0 marks a constant column."""

    center: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, indptr: np.ndarray) -> "Moments":
        """Moments of the observed values of each entity, in float64 and a chunk of rows at a time."""
        size = _sizes(values, indptr)
        level = _levels(values, indptr) / size

        def mean(function):
            sums = np.zeros((2, *level.shape))
            for rows, group in chunks(indptr):
                part = values[rows].astype("float64") / size[group]
                observed = ~np.isnan(part)
                cells = np.where(observed, function(part, group), 0.0)
                for out, given in zip(sums, (cells, observed), strict=True):
                    for column in range(values.shape[1]):
                        out[:, column] += np.bincount(group, weights=given[:, column], minlength=len(level))
            return sums[0] / np.maximum(sums[1], 1.0)

        # Counted from a value of the series itself: a constant has exactly itself as its mean, and a scale of 0.
        center = level + mean(lambda part, group: part - level[group])
        scale = np.sqrt(mean(lambda part, group: (part - center[group]) ** 2))
        return cls(center * size, np.where(scale > 1e-9 * np.abs(center), scale, 0.0) * size)

    def and_those(self, other: "Moments") -> "Moments":
        """Of these entities and then the others."""
        return Moments(
            np.concatenate([self.center, other.center]),
            np.concatenate([self.scale, other.scale]),
        )

    def apply(self, values: np.ndarray, indptr: np.ndarray) -> np.ndarray:
        """Standardised values, float32, a chunk of rows at a time; constant columns become 0."""
        out = allocate_like(values.shape, values)
        divisor = np.where(self.scale == 0, np.inf, self.scale)
        for rows, group in chunks(indptr):
            with np.errstate(over="ignore"):  # of values near 1e308
                out[rows] = np.clip((values[rows] - self.center[group]) / divisor[group], -FURTHEST, FURTHEST)
        return out


def chunks(indptr: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Slices of rows, and the entity of each of their rows."""
    for low in range(0, int(indptr[-1]), CHUNK):
        high = min(low + CHUNK, int(indptr[-1]))
        yield slice(low, high), owners(indptr, low, high)


def _levels(values, indptr):
    """An observed value of each entity and column, 0 where there is none."""
    out = np.zeros((len(indptr) - 1, values.shape[1]))
    filled = np.flatnonzero(np.diff(indptr))
    if len(filled):
        out[filled] = np.fmax.reduceat(values, indptr[filled], axis=0)
    return np.nan_to_num(out)


def _sizes(values, indptr):
    """What each entity and column is divided by before it is squared: powers of two, which change no digit.

    1 but for values whose squares float64 does not hold.
    """
    out = np.ones((len(indptr) - 1, values.shape[1]))
    filled = np.flatnonzero(np.diff(indptr))
    if len(filled) and values.shape[1]:
        begin = indptr[filled]
        largest = np.fmax(np.fmax.reduceat(values, begin, axis=0), -np.fmin.reduceat(values, begin, axis=0))
        exponent = np.frexp(np.nan_to_num(largest.astype("float64")))[1]
        out[filled] = np.where(np.abs(exponent) > LARGE_EXPONENT, np.ldexp(1.0, np.clip(exponent, -1020, 1020)), 1.0)
    return out
