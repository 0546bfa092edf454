"""Mean and standard deviation of series without overflow or loss of precision."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from forecastkit.data.array_storage import allocate_like
from forecastkit.data.panel import owners

CHUNK = 1 << 18
#: Largest binary exponent of values whose squares can be summed over many rows in float64.
LARGE_EXPONENT = 400
#: Bound of standardized values, because networks square them in float32.
MAX_STANDARDIZED = 1e15


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation per entity and column.

    Attributes
    ----------
    center : ndarray of shape (E, columns)
    scale : ndarray of shape (E, columns)
        0 marks a constant column.
    """

    center: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, indptr: np.ndarray) -> "Moments":
        """Compute the moments of the observed values of each entity in float64, in chunks of rows."""
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

        # Relative to a value of the series, the mean of a constant is exact and its scale is exactly 0.
        center = level + mean(lambda part, group: part - level[group])
        scale = np.sqrt(mean(lambda part, group: (part - center[group]) ** 2))
        return cls(center * size, np.where(scale > 1e-9 * np.abs(center), scale, 0.0) * size)

    def concatenate(self, other: "Moments") -> "Moments":
        """Return the moments of these entities followed by those of `other`."""
        return Moments(
            np.concatenate([self.center, other.center]),
            np.concatenate([self.scale, other.scale]),
        )

    def apply(self, values: np.ndarray, indptr: np.ndarray) -> np.ndarray:
        """Return standardized values, float32, computed in chunks of rows; constant columns become 0."""
        out = allocate_like(values.shape, values)
        divisor = np.where(self.scale == 0, np.inf, self.scale)
        for rows, group in chunks(indptr):
            with np.errstate(over="ignore"):  # differences of values near 1e308
                out[rows] = np.clip(
                    (values[rows] - self.center[group]) / divisor[group], -MAX_STANDARDIZED, MAX_STANDARDIZED
                )
        return out


def chunks(indptr: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield slices of rows and the entity of each row in them."""
    for low in range(0, int(indptr[-1]), CHUNK):
        high = min(low + CHUNK, int(indptr[-1]))
        yield slice(low, high), owners(indptr, low, high)


def _levels(values, indptr):
    """Return an observed value of each entity and column, 0 if there is none."""
    out = np.zeros((len(indptr) - 1, values.shape[1]))
    filled = np.flatnonzero(np.diff(indptr))
    if len(filled):
        out[filled] = np.fmax.reduceat(values, indptr[filled], axis=0)
    return np.nan_to_num(out)


def _sizes(values, indptr):
    """Return divisors, per entity and column, that avoid overflow of squares.

    They are 1 except for extreme values. Divisors are powers of two, so that no precision is lost.
    """
    out = np.ones((len(indptr) - 1, values.shape[1]))
    filled = np.flatnonzero(np.diff(indptr))
    if len(filled) and values.shape[1]:
        begin = indptr[filled]
        largest = np.fmax(np.fmax.reduceat(values, begin, axis=0), -np.fmin.reduceat(values, begin, axis=0))
        exponent = np.frexp(np.nan_to_num(largest.astype("float64")))[1]
        out[filled] = np.where(np.abs(exponent) > LARGE_EXPONENT, np.ldexp(1.0, np.clip(exponent, -1020, 1020)), 1.0)
    return out
