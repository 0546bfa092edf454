"""Mean and scale of each series, and the measurement faults that must not decide them.

A fault is an extreme isolated value of a series, such as 1e9 among values of 100 to 250.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from forecastkit.data.panel import Panel, first_rows, owners
from forecastkit.data.row_labels import name_cell
from forecastkit.utils.arrays import allocate_like, map_rows, safe_units
from forecastkit.utils.validation import first_few
from forecastkit.utils.warn import warn_user

CHUNK = 1 << 18
#: Bound of standardized values, because networks square them in float32.
MAX_STANDARDIZED = 1e15
#: Standard deviations below this fraction of the mean are rounding errors of a constant.
MIN_RELATIVE_SCALE = 1e-13
#: Unit of the errors of a constant series, as a fraction of its value (of 1 if the value is 0).
CONSTANT_UNIT = 1e-12
#: A value is a fault if its distance from the median, in robust standard deviations, exceeds `FAR`,
FAR = 100.0
#: if it increases the standard deviation of its series at least by this factor,
MIN_INFLATION = 3.0
#: if its neighbours are closer to the median than this fraction of its distance (unlike after a level shift),
MAX_NEIGHBOUR = 0.5
#: and if at most this fraction of the values of its series is that extreme.
MAX_FRACTION = 0.01
#: Fewest observed values of a series in which faults are detected.
MIN_VALUES = 10
#: Where most values are equal (intermittent demand), the distance is measured by the typical distance of the others, at
#: least so many, and is a fault if it exceeds so many times as much: single large orders occur.
MIN_OTHERS, FAR_INTERMITTENT = 4, 1000.0
#: A value after the training rows is a fault if its distance from the training mean exceeds `FAR` times the largest one
#: in training, unless all of so many rows before it are missing or as extreme: that is a new level.
NEW_LEVEL = 3
#: Why a value is a fault, in warnings.
FAR_FROM_OTHERS = f"more than {FAR:g} standard deviations from the other values of the series"
#: Interquartile range of a normal distribution, in standard deviations.
NORMAL_RANGE = 1.349


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


@dataclass(frozen=True)
class BrokenReadings:
    """Faults among the targets; every attribute has shape (n,)."""

    entity: np.ndarray
    channel: np.ndarray
    ordinal: np.ndarray  #: Time step on the grid
    value: np.ndarray  #: The faulty value. A cell that later holds another value has been corrected.

    def __len__(self) -> int:
        return len(self.entity)

    def at(self, which: np.ndarray) -> "BrokenReadings":
        """Return the faults selected by an index array or mask."""
        return BrokenReadings(self.entity[which], self.channel[which], self.ordinal[which], self.value[which])

    def union(self, others: "BrokenReadings") -> "BrokenReadings":
        """Return the union of both sets of faults."""
        pairs = zip(vars(self).values(), vars(others).values(), strict=True)
        both = BrokenReadings(*map(np.concatenate, pairs))
        cells = np.stack([both.entity, both.channel, both.ordinal])
        return both.at(np.unique(cells, axis=1, return_index=True)[1])

    @classmethod
    def none(cls) -> "BrokenReadings":
        """Return an empty set of faults."""
        return cls(*(np.empty(0, dtype=kind) for kind in ("int64", "int64", "int64", "float64")))

    @classmethod
    def find(cls, panel: Panel, moments: Moments) -> "BrokenReadings":
        """Find the faults among the targets of a panel with these moments.

        Distances are measured by the median and the interquartile range, which a few faults do not affect; where that
        range is 0 (intermittent demand), by the values that differ from the median.
        """
        found = []
        for entity, channel in _suspects(panel, moments):
            first, stop = panel.indptr[entity], panel.indptr[entity + 1]
            places = _faults(panel.target[first:stop, channel].astype("float64"))
            of = np.full(len(places), entity), np.full(len(places), channel), panel.start[entity] + places
            found.append((*of, panel.target[first + places, channel]))
        return cls(*map(np.concatenate, zip(*found, strict=True))) if found else cls.none()

    @classmethod
    def find_newer(cls, panel: Panel, center: np.ndarray, largest: np.ndarray, until: np.ndarray) -> "BrokenReadings":
        """Find faults after the ordinals `until` (E,) of the last training rows; later rows never decide about a row.

        `center` (E, C) is the mean of the training values of each series and `largest` the largest distance from it.
        Series whose distance is 0 or NaN are not searched.
        """
        limit, begin = FAR * np.where(largest > 0, largest, np.inf), panel.row_at(np.arange(len(panel.ids)), until) + 1
        rows, channels = [], []
        for part, group in chunks(panel.indptr):
            row = np.arange(part.start, part.stop)
            with np.errstate(over="ignore"):
                far = np.abs(panel.target[part] - center[group]) > limit[group]
            at, channel = np.nonzero(far & (row >= begin[group])[:, None])
            near = np.zeros(len(at), dtype=bool)
            for back in range(1, NEW_LEVEL + 1):
                before = np.maximum(row[at] - back, 0)
                value = panel.target[before, channel]
                distance = np.abs(value - center[group[at], channel])
                near |= (row[at] - back >= panel.indptr[group[at]]) & (distance <= limit[group[at], channel])
            rows.append(row[at[near]])
            channels.append(channel[near])
        row, channel = (np.concatenate([np.empty(0, dtype="int64"), *given]) for given in (rows, channels))
        entity = np.searchsorted(panel.indptr, row, side="right") - 1
        return cls(entity, channel, panel.ordinal_at(entity, row), panel.target[row, channel])

    def rows(self, panel: Panel, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows and channels of the faults in a panel, without corrected faults and those of other series.

        `places` (E,) is the number of each of the panel's entities in `entity`; -1 for entities that were not searched.
        """
        # Inverse of `places`: the panel's entity for each searched entity, -1 if the panel does not have it.
        at = np.full(int(max(places.max(initial=-1), self.entity.max(initial=-1))) + 1, -1)
        at[places[places >= 0]] = np.flatnonzero(places >= 0)
        entity = at[self.entity]
        inside = entity >= 0
        inside[inside] &= (self.ordinal >= panel.start[entity])[inside] & (self.ordinal <= panel.ends[entity])[inside]
        row, channel = panel.row_at(entity[inside], self.ordinal[inside]), self.channel[inside]
        same = panel.target[row, channel] == self.value[inside]
        return row[same], channel[same]

    def blanked(self, panel: Panel, places: np.ndarray) -> Panel:
        """Return the panel with these cells replaced by NaN; `places` as in `rows`."""
        if not len(self):
            return panel
        target = map_rows(np.copy, panel.target)
        target[self.rows(panel, places)] = np.nan
        return replace(panel, target=target)


def clean(panel: Panel) -> tuple[Panel, Moments, BrokenReadings]:
    """Return the panel with its faults replaced by NaN, the moments of its targets without them, and the faults."""
    moments = Moments.of(panel.target, panel.indptr)
    broken = BrokenReadings.find(panel, moments)
    if len(broken):
        panel = broken.blanked(panel, np.arange(len(panel.ids)))
        moments = Moments.of(panel.target, panel.indptr)
    return panel, moments, broken


def without_broken(where: str, panel: Panel, names: tuple) -> Panel:
    """Return the panel with its faults replaced by NaN, and warn of each."""
    warn_broken(where, panel, names)
    return clean(panel)[0]


def _suspects(panel, moments):
    """Return the series and channels, shape (n, 2), that may contain faults.

    One of n values is at most ``sqrt(n)`` standard deviations from the mean, and a gross fault is close to that bound.
    The check needs only the moments and extremes, so that few series have to be sorted.
    """
    filled = np.flatnonzero(panel.lengths > 0)
    if not len(filled):
        return np.empty((0, 2), dtype="int64")
    begin, center = panel.indptr[filled], moments.center[filled]
    size = np.maximum(np.maximum(np.abs(center), moments.scale[filled]), np.finfo("float64").tiny)
    # Division by the size avoids overflow of differences of values near 1e308.
    highest, lowest = (extreme.reduceat(panel.target, begin, axis=0) / size for extreme in (np.fmax, np.fmin))
    furthest = np.fmax(highest - center / size, center / size - lowest)
    count = np.zeros(moments.center.shape)
    for rows, group in chunks(panel.indptr):
        for channel, observed in enumerate(~np.isnan(panel.target[rows]).T):
            count[:, channel] += np.bincount(group, weights=observed, minlength=len(count))
    count, spread = count[filled], moments.scale[filled] / size
    far = (
        (count >= MIN_VALUES)
        & (furthest >= 0.8 * np.minimum(np.sqrt(count), MAX_FRACTION**-0.5) * spread)
        & (spread > 0)
    )
    entity, channel = np.nonzero(far)
    return np.stack([filled[entity], channel], axis=1)


def _faults(values: np.ndarray) -> np.ndarray:
    """Return the indices of the faults among the values (n,) of one series; NaN marks missing values."""
    observed = np.flatnonzero(~np.isnan(values))
    size = np.abs(values[observed]).max()
    seen = values[observed] / size
    low, median, high = np.quantile(seen, (0.25, 0.5, 0.75))
    distance = np.abs(seen - median)
    limit = FAR * (high - low) / NORMAL_RANGE if high > low else FAR_INTERMITTENT * _typical(distance[distance > 0])
    far = distance > limit
    if not far.any() or far.sum() > max(1, MAX_FRACTION * len(seen)):
        return np.empty(0, dtype="int64")
    far &= _are_isolated(distance, far)
    if not far.any() or seen.std() < MIN_INFLATION * seen[~far].std():
        return np.empty(0, dtype="int64")
    return observed[far]


def _typical(distances):
    """Return the size of the distances other than 0: the larger of their median and spread; infinite for few."""
    if len(distances) < MIN_OTHERS:
        return np.inf
    low, median, high = np.quantile(distances, (0.25, 0.5, 0.75))
    return max(median, (high - low) / NORMAL_RANGE)


def _are_isolated(distance, far):
    """Return which runs of far values have neighbours, on all existing sides, that are much closer to the median."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], far.astype("int8"), [0]])))
    isolated = np.zeros(len(far), dtype=bool)
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        neighbours = distance[[place for place in (begin - 1, end) if 0 <= place < len(far)]]
        isolated[begin:end] = (neighbours < MAX_NEIGHBOUR * distance[begin:end].min()).all()
    return isolated


def warn_broken(where: str, panel: Panel, names: tuple, until: np.ndarray | None = None) -> None:
    """Warn about faults with their value, series and time.

    If given, `until` has the ordinals up to which faults were reported before, of series without an element in it none:
    only later faults are reported. `names` are those of the target columns.
    """
    broken = BrokenReadings.find(panel, Moments.of(panel.target, panel.indptr))
    if until is not None:
        known = np.concatenate([until, np.full(len(panel.ids) - len(until), np.iinfo("int64").min)])
        broken = broken.at(broken.ordinal > known[broken.entity])
    warn_of_faults(where, panel, names, broken, FAR_FROM_OTHERS)


def warn_of_faults(where: str, panel: Panel, names: tuple, broken: BrokenReadings, why: str) -> None:
    """Warn that these faults of a panel, which are `why`, are treated as missing."""
    if not len(broken):
        return
    rows = panel.row_at(broken.entity, broken.ordinal)
    cells = [name_cell(panel, names, *cell) for cell in zip(rows[:3], broken.channel[:3], strict=True)]
    verb = "are" if len(broken) > 1 else "is"
    said = f"{where}: {first_few([*cells, *rows[3:]])} {verb} {why} and {verb} treated as missing"
    warn_user(f"{said}. Blank or correct faults.")
