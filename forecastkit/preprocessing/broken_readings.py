"""Readings so far from all others of their series that they are faults, such as 1e9 among 100 to 250."""

import warnings
from dataclasses import dataclass

import numpy as np

from forecastkit.data.ingest.target_checks import name_cell
from forecastkit.data.panel import Panel
from forecastkit.preprocessing.moments import Moments, chunks
from forecastkit.utils.validation import some

#: A reading is a fault from this distance from the median on, in robust standard deviations,
FAR = 100.0
#: where it makes the standard deviation of its series at least so many times larger,
WILD = 3.0
#: where its neighbours are nearer than this fraction of that distance, as those of a new level are not,
ALONE = 0.5
#: and where no more than this fraction of the readings of its series are such.
RARE = 0.01
#: Readings that a series must have for any of them to be a fault.
FEWEST = 10
#: Interquartile range of a normal distribution in standard deviations.
NORMAL_RANGE = 1.349


@dataclass(frozen=True)
class BrokenReadings:
    """Cells of targets that are faults. Shape (n,) each.

    Attributes
    ----------
    entity, channel : ndarray of int
    ordinal : ndarray of int
        Place on the grid.
    value : ndarray
        What was read: a cell that holds another value later has been corrected.
    """

    entity: np.ndarray
    channel: np.ndarray
    ordinal: np.ndarray
    value: np.ndarray

    def __len__(self) -> int:
        return len(self.entity)

    def at(self, which: np.ndarray) -> "BrokenReadings":
        """Some of them."""
        return BrokenReadings(self.entity[which], self.channel[which], self.ordinal[which], self.value[which])

    def and_those(self, others: "BrokenReadings") -> "BrokenReadings":
        """Both, each once."""
        pairs = zip(vars(self).values(), vars(others).values(), strict=True)
        both = BrokenReadings(*map(np.concatenate, pairs))
        cells = np.stack([both.entity, both.channel, both.ordinal])
        return both.at(np.unique(cells, axis=1, return_index=True)[1])

    @classmethod
    def none(cls) -> "BrokenReadings":
        """Where there are none."""
        return cls(*(np.empty(0, dtype=kind) for kind in ("int64", "int64", "int64", "float64")))

    @classmethod
    def find(cls, panel: Panel, moments: Moments) -> "BrokenReadings":
        """Those of a panel's targets, which have these moments.

        A reading is far out by the median and the interquartile range, which a few faults do not move. Series that are
        constant but for rare values, such as intermittent demand, have no interquartile range and no faults.
        """
        found = []
        for entity, channel in _suspects(panel, moments):
            first, stop = panel.indptr[entity], panel.indptr[entity + 1]
            places = _faults(panel.target[first:stop, channel].astype("float64"))
            of = np.full(len(places), entity), np.full(len(places), channel), panel.start[entity] + places
            found.append((*of, panel.target[first + places, channel]))
        return cls(*map(np.concatenate, zip(*found, strict=True))) if found else cls.none()

    def rows(self, panel: Panel, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows and channels of these cells in a panel whose entities are at `places` (E,) among those of the search."""
        # Of each entity of the search, which of the panel's it is.
        at = np.full(int(max(places.max(initial=-1), self.entity.max(initial=-1))) + 1, -1)
        at[places[places >= 0]] = np.flatnonzero(places >= 0)
        entity = at[self.entity]
        inside = entity >= 0
        inside[inside] &= (self.ordinal >= panel.start[entity])[inside] & (self.ordinal <= panel.ends[entity])[inside]
        row, channel = panel.row_at(entity[inside], self.ordinal[inside]), self.channel[inside]
        same = panel.target[row, channel] == self.value[inside]
        return row[same], channel[same]


def _suspects(panel, moments):
    """Series and channels in which one value is about as far out as a single one can be, (n, 2).

    Of n values one alone is at most ``sqrt(n)`` standard deviations from the mean, and as far where it is a fault:
    hardly any series of another kind has to be sorted.
    """
    filled = np.flatnonzero(panel.lengths > 0)
    if not len(filled):
        return np.empty((0, 2), dtype="int64")
    begin, center = panel.indptr[filled], moments.center[filled]
    size = np.maximum(np.maximum(np.abs(center), moments.scale[filled]), np.finfo("float64").tiny)
    # In units of a size, as differences of values near 1e308 are no numbers.
    highest, lowest = (extreme.reduceat(panel.target, begin, axis=0) / size for extreme in (np.fmax, np.fmin))
    furthest = np.fmax(highest - center / size, center / size - lowest)
    count = np.zeros(moments.center.shape)
    for rows, group in chunks(panel.indptr):
        for channel, observed in enumerate(~np.isnan(panel.target[rows]).T):
            count[:, channel] += np.bincount(group, weights=observed, minlength=len(count))
    count, spread = count[filled], moments.scale[filled] / size
    far = (count >= FEWEST) & (furthest >= 0.8 * np.minimum(np.sqrt(count), RARE**-0.5) * spread) & (spread > 0)
    entity, channel = np.nonzero(far)
    return np.stack([filled[entity], channel], axis=1)


def _faults(values: np.ndarray) -> np.ndarray:
    """Places of the faults among the values (n,) of one series, NaN missing."""
    observed = np.flatnonzero(~np.isnan(values))
    size = np.abs(values[observed]).max()
    seen = values[observed] / size
    low, median, high = np.quantile(seen, (0.25, 0.5, 0.75))
    distance = np.abs(seen - median)
    far = distance > FAR * (high - low) / NORMAL_RANGE
    if high == low or not far.any() or far.sum() > max(1, RARE * len(seen)):
        return np.empty(0, dtype="int64")
    far &= _stand_alone(seen, distance, far)
    if not far.any() or seen.std() < WILD * seen[~far].std():
        return np.empty(0, dtype="int64")
    return observed[far]


def _stand_alone(seen, distance, far):
    """Whether the values next to each run of far ones are much nearer, on both sides where there are two."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], far.astype("int8"), [0]])))
    alone = np.zeros(len(far), dtype=bool)
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        beside = distance[[place for place in (begin - 1, end) if 0 <= place < len(far)]]
        alone[begin:end] = (beside < ALONE * distance[begin:end].min()).all()
    return alone


def warn_broken(where: str, panel: Panel, names: tuple, until: np.ndarray | None = None) -> None:
    """Warn of faults, each by value, series and time; of those after the ordinals `until` (E,) where given.

    Parameters
    ----------
    where : str
    panel : Panel
        Series that are not in `until` come after those that are.
    names : tuple
        Of the target columns.
    until : ndarray of int, optional
    """
    broken = BrokenReadings.find(panel, Moments.of(panel.target, panel.indptr))
    if until is not None:
        known = np.concatenate([until, np.full(len(panel.ids) - len(until), np.iinfo("int64").min)])
        broken = broken.at(broken.ordinal > known[broken.entity])
    if not len(broken):
        return
    rows = panel.row_at(broken.entity, broken.ordinal)
    cells = [name_cell(panel, names, *cell) for cell in zip(rows[:3], broken.channel[:3], strict=True)]
    several = len(broken) > 1
    warnings.warn(
        f"{where}: {some([*cells, *rows[3:]])} {'are' if several else 'is'} more than {FAR:g} standard deviations from "
        f"the other values of the series and {'are' if several else 'is'} treated as missing. Blank or correct faults.",
        UserWarning,
        stacklevel=3,
    )
