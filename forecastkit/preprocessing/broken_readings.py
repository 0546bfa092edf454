"""Detection of measurement faults: extreme isolated values of a series, such as 1e9 among values of 100 to 250."""

import warnings
from dataclasses import dataclass, replace

import numpy as np

from forecastkit.data.array_storage import map_rows
from forecastkit.data.ingest.target_checks import name_cell
from forecastkit.data.panel import Panel
from forecastkit.preprocessing.moments import Moments, chunks
from forecastkit.utils.validation import first_few

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
#: Interquartile range of a normal distribution, in standard deviations.
NORMAL_RANGE = 1.349


@dataclass(frozen=True)
class BrokenReadings:
    """Faults among the targets; every attribute has shape (n,).

    Attributes
    ----------
    entity, channel : ndarray of int
    ordinal : ndarray of int
        Time step on the grid.
    value : ndarray
        The faulty value. A cell that later holds another value has been corrected.
    """

    entity: np.ndarray
    channel: np.ndarray
    ordinal: np.ndarray
    value: np.ndarray

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
        """Find the faults among the targets of a panel.

        Distances are measured by the median and the interquartile range, which a few faults do not affect. Series that
        are constant except for rare values (intermittent demand) have an interquartile range of 0 and no faults.

        Parameters
        ----------
        panel : Panel
        moments : Moments
            Mean and standard deviation of the panel's targets.
        """
        found = []
        for entity, channel in _suspects(panel, moments):
            first, stop = panel.indptr[entity], panel.indptr[entity + 1]
            places = _faults(panel.target[first:stop, channel].astype("float64"))
            of = np.full(len(places), entity), np.full(len(places), channel), panel.start[entity] + places
            found.append((*of, panel.target[first + places, channel]))
        return cls(*map(np.concatenate, zip(*found, strict=True))) if found else cls.none()

    def rows(self, panel: Panel, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows and channels of the faults in a panel.

        Parameters
        ----------
        panel : Panel
        places : ndarray of int, shape (E,)
            Number of each of the panel's entities in `entity`; -1 for entities that were not searched.

        Returns
        -------
        row, channel : ndarray of int, shape (n,)
            Faults outside the panel and corrected faults are left out.
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


def without_broken(where: str, panel: Panel, names: tuple) -> Panel:
    """Return the panel with its faults replaced by NaN, and warn of each."""
    warn_broken(where, panel, names)
    broken = BrokenReadings.find(panel, Moments.of(panel.target, panel.indptr))
    return broken.blanked(panel, np.arange(len(panel.ids)))


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
    far = distance > FAR * (high - low) / NORMAL_RANGE
    if high == low or not far.any() or far.sum() > max(1, MAX_FRACTION * len(seen)):
        return np.empty(0, dtype="int64")
    far &= _are_isolated(seen, distance, far)
    if not far.any() or seen.std() < MIN_INFLATION * seen[~far].std():
        return np.empty(0, dtype="int64")
    return observed[far]


def _are_isolated(seen, distance, far):
    """Return which runs of far values have neighbours, on all existing sides, that are much closer to the median."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], far.astype("int8"), [0]])))
    isolated = np.zeros(len(far), dtype=bool)
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        neighbours = distance[[place for place in (begin - 1, end) if 0 <= place < len(far)]]
        isolated[begin:end] = (neighbours < MAX_NEIGHBOUR * distance[begin:end].min()).all()
    return isolated


def warn_broken(where: str, panel: Panel, names: tuple, until: np.ndarray | None = None) -> None:
    """Warn about faults with their value, series and time.

    Parameters
    ----------
    where : str
        Name of the calling function.
    panel : Panel
        Series without an element in `until` come last.
    names : tuple
        Names of the target columns.
    until : ndarray of int, shape (E,), optional
        Ordinals up to which faults were reported before; only later faults are reported.
    """
    broken = BrokenReadings.find(panel, Moments.of(panel.target, panel.indptr))
    if until is not None:
        known = np.concatenate([until, np.full(len(panel.ids) - len(until), np.iinfo("int64").min)])
        broken = broken.at(broken.ordinal > known[broken.entity])
    if not len(broken):
        return
    rows = panel.row_at(broken.entity, broken.ordinal)
    cells = [name_cell(panel, names, *cell) for cell in zip(rows[:3], broken.channel[:3], strict=True)]
    shown, several = first_few([*cells, *rows[3:]]), len(broken) > 1
    warnings.warn(
        f"{where}: {shown} {'are' if several else 'is'} more than {FAR:g} standard deviations from "
        f"the other values of the series and {'are' if several else 'is'} treated as missing. Blank or correct faults.",
        UserWarning,
        stacklevel=3,
    )
