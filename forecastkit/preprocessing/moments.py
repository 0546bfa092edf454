"""How targets are standardized: center and scale of each series, and monotonic transforms before scaling."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from forecastkit.data.panel import Panel, first_rows, owners
from forecastkit.utils.arrays import allocate_like, safe_units

CHUNK = 1 << 18
#: Bound of standardized values, because networks square them in float32.
MAX_STANDARDIZED = 1e15
#: Standard deviations below this fraction of the mean are rounding errors of a constant.
MIN_RELATIVE_SCALE = 1e-13
#: Unit of the errors of a constant series, as a fraction of its value (of 1 if the value is 0).
CONSTANT_UNIT = 1e-12
#: For each name: the transform, its inverse, and the smallest value of its domain.
TRANSFORMS = {
    "sqrt": (np.sqrt, np.square, 0.0),
    "log1p": (np.log1p, np.expm1, 0.0),
    "log": (np.log, np.exp, np.nextafter(0.0, 1.0)),
}


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation per entity and column."""

    center: np.ndarray  #: (E, columns)
    scale: np.ndarray  #: (E, columns): 0 marks a constant column

    @classmethod
    def of(cls, values: np.ndarray, indptr: np.ndarray) -> "Moments":
        """Compute the moments of the observed values of each entity in float64, in chunks of rows."""
        size = _sizes(values, indptr)
        level = _levels(values, indptr) / size
        extreme = (size != 1.0).any()

        def mean(function):
            sums, counts = np.zeros(level.shape), np.zeros(level.shape)
            for rows, group in chunks(indptr):
                part = values[rows].astype("float64")
                if extreme:
                    part /= size[group]
                cells, missing = function(part, group), np.isnan(part)
                cells[missing] = 0.0
                first = first_rows(group)
                sums[group[first]] += np.add.reduceat(cells, first, axis=0)
                counts[group[first]] += np.diff(first, append=len(group))[:, None]
                if missing.any():
                    counts[group[first]] -= np.add.reduceat(missing, first, axis=0, dtype="float64")
            return sums / np.maximum(counts, 1.0)

        # Relative to a value of the series, the mean of a constant is exact and its scale is exactly 0.
        center = level + mean(lambda part, group: part - level[group])
        scale = np.sqrt(mean(lambda part, group: (part - center[group]) ** 2))
        return cls(center * size, np.where(scale > MIN_RELATIVE_SCALE * np.abs(center), scale, 0.0) * size)

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
        for rows, group in chunks(indptr) if values.shape[1] else ():
            with np.errstate(over="ignore"):  # differences of values near 1e308
                out[rows] = np.clip(
                    (values[rows] - self.center[group]) / divisor[group], -MAX_STANDARDIZED, MAX_STANDARDIZED
                )
        return out


def error_units(moments: Moments, panel: Panel, constant: np.ndarray | None = None) -> np.ndarray:
    """Return positive divisors (E, C) under which the errors of several series can be pooled.

    The divisor of a series is the scale of its training rows, by their moments; if these are constant, the standard
    deviation of all its rows, which are without faults; if those are constant too, `constant_unit`, as a series that
    has never changed is expected not to change. `constant` are targets that are constant in training although their
    scale is positive, as it is a mean.
    """
    scale = moments.scale if constant is None else np.where(constant, 0.0, moments.scale)
    still = np.flatnonzero((scale == 0).any(axis=1))
    if len(still):
        rows, scale = panel.take(still), scale.copy()
        scale[still] = np.where(scale[still] > 0, scale[still], Moments.of(rows.target, rows.indptr).scale)
    # Targets that are only divided have a center of 0, and their mean absolute value as their scale.
    return np.where(scale > 0, scale, constant_unit(np.where(moments.center == 0, moments.scale, moments.center)))


def constant_unit(size: np.ndarray) -> np.ndarray:
    """Return the unit of the errors of constant series of these values."""
    return CONSTANT_UNIT * np.where(size == 0, 1.0, np.abs(size))


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
    """Return divisors, per entity and column, that avoid overflow of squares, see `safe_units`."""
    out = np.ones((len(indptr) - 1, values.shape[1]))
    filled = np.flatnonzero(np.diff(indptr))
    if len(filled) and values.shape[1]:
        begin = indptr[filled]
        largest = np.fmax(np.fmax.reduceat(values, begin, axis=0), -np.fmin.reduceat(values, begin, axis=0))
        out[filled] = safe_units(largest)
    return out


def outside_domain(name: str, values: np.ndarray) -> np.ndarray:
    """Return which values are outside the domain of the transform."""
    return values < TRANSFORMS[name][2]


def forward(name: str | None, values: np.ndarray) -> np.ndarray:
    """Transform the values in their own dtype; NaN outside the domain. Without a name they are unchanged."""
    if name is None:
        return values
    with np.errstate(invalid="ignore", divide="ignore"):
        transformed = np.asarray(TRANSFORMS[name][0](values))
    outside = outside_domain(name, values)
    if outside.any():
        transformed[outside] = np.nan
    return transformed


def forward_clipped(name: str | None, values: np.ndarray) -> np.ndarray:
    """Transform the values after clipping them to the domain."""
    return values if name is None else forward(name, np.maximum(values, TRANSFORMS[name][2]))


def backward(name: str | None, values: np.ndarray) -> np.ndarray:
    """Invert `forward` after clipping to its image."""
    if name is None:
        return values
    _, undo, smallest = TRANSFORMS[name]
    # The image of log is unbounded; those of sqrt and log1p begin at 0, which is also the smallest value.
    return undo(values) if name == "log" else undo(np.maximum(values, smallest))
