"""Hierarchies of series, and panels with the sums of their levels."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from forecastkit.data.panel import ROW_BUFFERS, Panel, pointers, spread
from forecastkit.data.schema import MAX_COLUMNS, Schema
from forecastkit.utils.validation import first_few, refuse

WHERE = "hierarchy"
#: Name of the series that is the sum of all others.
TOTAL = "total"
#: Largest number of series of all levels: reconciliation needs matrices of this size.
MAX_SERIES = 5_000
#: Largest deviation of a sum, relative to its size, at which actuals add up.
COHERENT = 1e-6


@dataclass(frozen=True)
class Hierarchy:
    """Series that are sums of other series.

    Parameters
    ----------
    names : tuple of str
        All series, from the total to the bottom level: ``'total'``, ``'north'``, ``'north/shop 1'``.
    levels : dict of str to tuple of str
        Series of each level, the total first.
    summing : ndarray of shape (series, bottom series)
        1 where a bottom series is a part of a series, else 0.
    """

    names: tuple[str, ...]
    levels: dict[str, tuple[str, ...]]
    summing: np.ndarray

    @classmethod
    def from_keys(cls, keys: pd.DataFrame) -> "Hierarchy":
        """Return the hierarchy of the columns of a frame, from the coarsest to the finest, with a total.

        Parameters
        ----------
        keys : DataFrame
            One row per bottom series, with text cells.
        """
        paths = {"/".join(keys.columns[: depth + 1]): joined(keys, depth + 1) for depth in range(len(keys.columns))}
        levels = {TOTAL: (TOTAL,), **{level: tuple(dict.fromkeys(path)) for level, path in paths.items()}}
        names = tuple(name for level in levels.values() for name in level)
        if len(set(names)) < len(names):
            twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
            refuse(WHERE, "series of different levels must have different names", first_few(map(repr, twice)))
        if len(names) > MAX_SERIES:
            refuse(WHERE, f"a hierarchy has at most {MAX_SERIES:,} series", f"{len(names):,}", "Leave out a level.")
        rows = [np.ones((1, len(keys)))]
        for level, path in paths.items():
            rows.append(np.array([[name == own for own in path] for name in levels[level]], dtype="float64"))
        return cls(names, levels, np.concatenate(rows))

    @property
    def bottom(self) -> tuple[str, ...]:
        """Series of the lowest level, in the order of the columns of `summing`."""
        return self.names[len(self.names) - self.summing.shape[1] :]

    def check_sums(self, values: np.ndarray, where: str) -> None:
        """Refuse values (series, n) whose sums do not add up; columns with NaN are not checked.

        Raises
        ------
        InputError
            If sums deviate; the message names the series that deviates most.
        """
        own = np.asarray(values, dtype="float64")
        sums = self.summing @ own[len(self.names) - self.summing.shape[1] :]
        wrong = np.abs(own - sums) / np.maximum(np.abs(sums), 1.0)
        if np.nanmax(wrong, initial=0.0) > COHERENT:
            series, column = np.unravel_index(np.nanargmax(wrong), wrong.shape)
            rule = "the actuals of a series must be the sum of its parts"
            got = f"{own[series, column]:g} of {self.names[series]!r}, where the parts sum to {sums[series, column]:g}"
            refuse(where, rule, got, "Make the levels with fk.aggregate.")


def joined(keys: pd.DataFrame, count: int) -> list[str]:
    """Return the names of series at the level of the first `count` columns."""
    columns = [keys.iloc[:, number].tolist() for number in range(count)]
    return ["/".join(cells) for cells in zip(*columns, strict=True)]


def with_sums(panel: Panel, schema: Schema) -> tuple[Panel, Schema]:
    """Return the panel with the sums of a hierarchy, and a schema by which they are added to further rows.

    A single series is its own total and is unchanged.
    """
    if not schema.is_panel:
        return panel, schema
    if schema.coded:
        rule = f"categories of more than {MAX_COLUMNS} levels have no mean over the series of a hierarchy"
        refuse(WHERE, rule, first_few(map(repr, schema.coded)), "Leave them out.")
    panel = with_levels(panel, schema.series_keys)
    bottom = tuple(panel.ids[e] for e in bottom_of(panel.ids))
    return panel, replace(schema, levels=bottom, weeks={})  # a sum has all times of its parts


def with_levels(panel: Panel, keys: tuple[str, ...], bottom: tuple = ()) -> Panel:
    """Return a panel whose first series are the sums of all levels of its bottom series, which follow.

    A sum is missing where one of its parts is, except, at fit, before a part begins. Covariates of a sum are the means
    of those of its parts. Sums that the panel has already are checked and computed again.

    Parameters
    ----------
    panel : Panel
        In identifiers, ``'total'`` instead of a key and all following ones denotes the sum over it.
    keys : tuple of str
        Columns that name the series, from the coarsest to the finest.
    bottom : tuple, optional
        Bottom series of the fit, whose order is kept.

    Raises
    ------
    InputError
        If given sums do not add up, bottom series are missing or new, or they end at different times.
    """
    own = _bottom_series(panel, bottom)
    hierarchy = hierarchy_of(own.ids, keys)
    first, stop = int(own.start.min()), int(own.ends.max()) + 1
    entity, place = spread(own.lengths)
    at = own.start[entity] + place - first
    blocks = {}
    for name in ROW_BUFFERS:
        values = getattr(own, name)
        blocks[name] = np.full((len(own.ids), stop - first, values.shape[1]), np.nan)
        blocks[name][entity, at] = values
    if not bottom:
        before = np.arange(first, stop) < own.start[:, None]
        blocks["target"][before] = 0.0
    sums = _sums(hierarchy, blocks["target"])
    ids = hierarchy_ids(hierarchy, own.ids)
    _check_given(panel, ids, sums, first)
    begins = np.where(hierarchy.summing > 0, own.start, np.iinfo("int64").max).min(axis=1)
    wide = {name: sums if name == "target" else _means(hierarchy, block) for name, block in blocks.items()}
    joined_rows = {
        name: np.concatenate([values[e, begin - first :] for e, begin in enumerate(begins)])
        for name, values in wide.items()
    }
    return replace(
        own,
        ids=ids,
        start=begins,
        indptr=pointers(stop - begins),
        static=_means(hierarchy, own.static[:, None])[:, 0].astype(own.static.dtype),
        earlier=None,
        **{name: rows.astype(getattr(own, name).dtype) for name, rows in joined_rows.items()},
    )


def hierarchy_of(bottom: tuple, keys: tuple[str, ...]) -> Hierarchy:
    """Return the hierarchy of bottom series that are named by one key or several; of one series without keys."""
    if not keys:
        return Hierarchy((TOTAL,), {TOTAL: (TOTAL,)}, np.ones((1, 1)))
    cells = [[str(key) for key in _as_keys(name)] for name in bottom]
    return Hierarchy.from_keys(pd.DataFrame(cells, columns=[str(key) for key in keys]))


def hierarchy_ids(hierarchy: Hierarchy, bottom: tuple) -> tuple:
    """Return the identifiers of all series of a hierarchy: keys of the bottom series, ``'total'`` for those summed."""
    found = []
    for depth, level in enumerate(hierarchy.levels.values()):
        for row in hierarchy.summing[len(found) : len(found) + len(level)]:
            part = _as_keys(bottom[int(np.argmax(row))])
            keys = (*part[:depth], *[TOTAL] * (len(part) - depth))
            found.append(keys if isinstance(bottom[0], tuple) else keys[0])
    return tuple(found)


def bottom_of(ids: tuple) -> list[int]:
    """Return the indices of the series that are not sums."""
    return [place for place, name in enumerate(ids) if TOTAL not in _as_keys(name)]


def _as_keys(name) -> tuple:
    return name if isinstance(name, tuple) else (name,)


def _bottom_series(panel: Panel, bottom: tuple) -> Panel:
    """Return the bottom series of a panel, which must be those of the fit and end at the same time."""
    lowest = bottom_of(panel.ids)
    found = [panel.ids[e] for e in lowest]
    if not lowest:
        refuse(WHERE, "there must be series below the total", "none")
    if bottom:
        if set(found) != set(bottom):
            lacking, new = [name for name in bottom if name not in found], set(found) - set(bottom)
            got = f"none of {first_few(map(repr, lacking))}" if lacking else f"also {first_few(map(repr, new))}"
            refuse(WHERE, "rows must be given for the bottom series of the fit, and for all of them", got)
        lowest = [lowest[found.index(name)] for name in bottom]
    own = panel.take(np.array(lowest))
    cutoffs = own.cutoffs()
    if (cutoffs != cutoffs[0]).any():
        times = panel.grid.timestamps(np.array([cutoffs.min(), cutoffs.max()]))
        got = f"{own.ids[int(cutoffs.argmin())]!r} at {times[0]} and {own.ids[int(cutoffs.argmax())]!r} at {times[1]}"
        refuse(WHERE, "all series of a hierarchy must end at the same time", got, "Leave out series that have ended.")
    return own


def _sums(hierarchy: Hierarchy, values: np.ndarray) -> np.ndarray:
    """Return sums (series, ...) of values (bottom series, ...); NaN where one is missing."""
    missing = np.isnan(values)
    sums = np.tensordot(hierarchy.summing, np.where(missing, 0.0, values), axes=1)
    return np.where(np.tensordot(hierarchy.summing, missing.astype("float64"), axes=1) > 0, np.nan, sums)


def _means(hierarchy: Hierarchy, values: np.ndarray) -> np.ndarray:
    """Return means (series, ...) of the observed values (bottom series, ...); NaN without any."""
    there = ~np.isnan(values)
    counts = np.tensordot(hierarchy.summing, there.astype("float64"), axes=1)
    sums = np.tensordot(hierarchy.summing, np.where(there, values, 0.0), axes=1)
    return np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)


def _check_given(panel: Panel, ids: tuple, sums: np.ndarray, first: int) -> None:
    """Refuse given sums that are not those of the bottom series; missing values are not compared."""
    names = {name: number for number, name in enumerate(ids)}
    for entity, name in enumerate(panel.ids):
        if TOTAL not in _as_keys(name):
            continue
        if name not in names:
            refuse(WHERE, "a sum must have parts", f"none of {name!r}")
        rows = panel.target[panel.indptr[entity] : panel.indptr[entity + 1]].astype("float64")
        low = int(panel.start[entity]) - first
        places = np.arange(low, low + len(rows))
        inside = (places >= 0) & (places < sums.shape[1])
        expected = sums[names[name], places[inside]]
        wrong = np.abs(rows[inside] - expected) > COHERENT * np.maximum(np.abs(expected), 1.0)
        if wrong.any():
            row, channel = np.argwhere(wrong)[0]
            time = panel.grid.timestamps(first + places[inside][row : row + 1])[0]
            got = f"{rows[inside][row, channel]:g} of {name!r} at {time}, where they sum to {expected[row, channel]:g}"
            refuse(WHERE, "the actuals of a series must be the sum of its parts", got, "Give the bottom series only.")
