"""The panel: N series as flat arrays on one regular time grid, without column names."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from forecastkit.data.earlier import Earlier
from forecastkit.data.time_grid import TimeGrid
from forecastkit.utils.arrays import allocate_like, is_mapped
from forecastkit.utils.validation import first_few, refuse

if TYPE_CHECKING:
    from forecastkit.data.schema import Schema

ROW_BUFFERS = ("target", "past", "known")
#: Number of rows searched at a time for the last observed values.
MAX_CELLS = 4_000_000
#: Largest number of grid steps per row when series are merged.
SPARSEST = 50


def spread(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the group of every item, and its position in the group, for contiguous groups of these sizes."""
    counts = np.asarray(counts, dtype="int64")
    group = np.repeat(np.arange(len(counts)), counts)
    start = np.repeat(np.cumsum(counts) - counts, counts)
    return group, np.arange(len(group)) - start


@dataclass(frozen=True)
class Panel:
    """Entities (a series identifier with all its target columns) as rows of flat arrays.

    Entity ``e`` has the rows ``indptr[e]:indptr[e + 1]``; its row ``i`` is at ordinal ``start[e] + i`` of the grid.
    Missing values and missing rows are NaN. Rows after the last observed target may contain future covariates.

    Parameters
    ----------
    grid : TimeGrid
    ids : tuple
        Identifiers of the E entities.
    start : ndarray of shape (E,), int64
        Ordinal of each entity's first row.
    indptr : ndarray of shape (E + 1,), int64
    target : ndarray of shape (R, C), float32 or float64
    past, known : ndarray of shape (R, features), float32
    static : ndarray of shape (E, features), float32
    schema : Schema, optional
        Column names, if the panel is passed to `fit` instead of a frame. Forecasters store it separately.
    earlier : Earlier, optional
        Sums over rows before the first ones, to which `between` adds the rows that it drops there.
    """

    grid: TimeGrid
    ids: tuple
    start: np.ndarray
    indptr: np.ndarray
    target: np.ndarray
    past: np.ndarray
    known: np.ndarray
    static: np.ndarray
    schema: "Schema | None" = field(default=None, repr=False, compare=False)
    earlier: Earlier | None = field(default=None, repr=False, compare=False)

    @property
    def lengths(self) -> np.ndarray:
        return np.diff(self.indptr)

    @property
    def rows(self) -> int:
        return int(self.indptr[-1])

    @property
    def channels(self) -> int:
        return self.target.shape[1]

    @property
    def ends(self) -> np.ndarray:
        """Return the ordinal of each entity's last row, shape (E,)."""
        return self.start + self.lengths - 1

    def last_observed(self) -> np.ndarray:
        """Return each entity's last row with an observed target; the row before its first if there is none."""
        return self._last_observed.copy()

    def observed(self) -> np.ndarray:
        """Return whether each entity has an observed value in each target column, shape (E, C)."""
        return ~np.isnan(np.fmax.reduceat(self.target, self.indptr[:-1], axis=0))

    def first_observed(self) -> np.ndarray:
        """Return each entity's first row with an observed target; the row after its last if there is none."""
        return self._search(self.indptr[:-1].copy(), 1)

    def _search(self, row, way):
        """Return the first row with an observed target from `row` in direction `way`, else the first outside the
        entity.
        """
        reach = np.arange(1)
        lost = np.flatnonzero(self.lengths > 0)
        while len(lost):
            rows = row[lost, None] + way * reach
            low, stop = self.indptr[lost, None], self.indptr[lost + 1, None]
            inside = (rows >= low) & (rows < stop)
            seen = inside & ~np.isnan(self.target[np.where(inside, rows, low)]).all(axis=2)
            found, over = seen.any(axis=1), ~inside.all(axis=1)
            steps = np.where(found, seen.argmax(axis=1), inside.sum(axis=1))
            row[lost] += way * steps
            lost = lost[~found & ~over]
            # The distance doubles: most gaps are short, and the cost of a long one is proportional to its length.
            reach = np.arange(max(1, min(2 * len(reach), MAX_CELLS // max(len(lost), 1))))
        return row

    def cutoffs(self) -> np.ndarray:
        """Return the ordinal of each entity's last row with an observed target."""
        return self.start + self.last_observed() - self.indptr[:-1]

    def places(self, ids: Sequence) -> np.ndarray:
        """Return the number of the entity of each identifier, -1 if there is none."""
        if ids is self.ids:
            return np.arange(len(self.ids))
        index = self._index
        return np.array([index.get(name, -1) for name in ids], dtype="int64")

    @cached_property
    def _last_observed(self) -> np.ndarray:
        """See `last_observed`; cached, because a forecast needs it several times."""
        return self._search(self.indptr[1:] - 1, -1)

    @cached_property
    def _index(self) -> dict:
        """Number of each identifier, cached."""
        return {name: e for e, name in enumerate(self.ids)}

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name not in ("_index", "_last_observed")}

    def ordinals(self) -> np.ndarray:
        """Return the ordinal of every row, shape (R,)."""
        entity, place = spread(self.lengths)
        return self.start[entity] + place

    def row_at(self, entity: np.ndarray, ordinal: np.ndarray) -> np.ndarray:
        """Return the row of an entity at an ordinal, without checking the entity's bounds."""
        return self.indptr[entity] + (ordinal - self.start[entity])

    def ordinal_at(self, entity: np.ndarray, row: np.ndarray) -> np.ndarray:
        """Return the ordinal of an entity's row."""
        return self.start[entity] + row - self.indptr[entity]

    def between(self, first: np.ndarray, stop: np.ndarray) -> "Panel":
        """Return the panel restricted to rows ``first[e] <= row < stop[e]``; a view for a single entity."""
        first = np.clip(first, self.indptr[:-1], self.indptr[1:])
        stop = np.clip(stop, first, self.indptr[1:])
        if (first == self.indptr[:-1]).all() and (stop == self.indptr[1:]).all():
            return self
        start, earlier = self.start + (first - self.indptr[:-1]), self.earlier
        if earlier is not None and (first > self.indptr[:-1]).any():
            earlier = earlier.plus(replace(self, earlier=None).between(self.indptr[:-1], first))
        pieces = self._pieces(first, stop)
        return replace(self, start=start, indptr=pointers(stop - first), earlier=earlier, **pieces)

    def sums_before(self) -> Earlier:
        """Return the sums over rows before the first ones; over no rows if there are none."""
        return Earlier.none(len(self.ids), self.channels) if self.earlier is None else self.earlier

    def take(self, entities: np.ndarray) -> "Panel":
        """Return the panel restricted to these entities, in this order."""
        entities = np.asarray(entities, dtype="int64")
        if np.array_equal(entities, np.arange(len(self.ids))):
            return self
        ids, first, stop = tuple(self.ids[e] for e in entities), self.indptr[entities], self.indptr[entities + 1]
        return replace(
            self,
            ids=ids,
            start=self.start[entities],
            indptr=pointers(stop - first),
            static=self.static[entities],
            earlier=None if self.earlier is None else self.earlier.take(entities),
            **self._pieces(first, stop),
        )

    def _pieces(self, first, stop):
        """Return the row buffers restricted to these ranges of rows."""
        if len(first) == 1:
            return {name: getattr(self, name)[first[0] : stop[0]] for name in ROW_BUFFERS}
        return {name: _joined(getattr(self, name), first, stop) for name in ROW_BUFFERS}

    def merge(self, newer: "Panel") -> tuple["Panel", int]:
        """Merge newer values into this panel; missing values replace nothing.

        Returns the panel over the union of ids and times, and the number of known rows that were given again.
        """
        place = {name: e for e, name in enumerate(self.ids)}
        ids = (*self.ids, *(name for name in newer.ids if name not in place))
        where = {name: e for e, name in enumerate(ids)}
        ours, theirs = np.arange(len(self.ids)), np.array([where[name] for name in newer.ids], dtype="int64")
        far = np.iinfo("int64")
        start, end = np.full(len(ids), far.max), np.full(len(ids), far.min)
        for panel, at in ((self, ours), (newer, theirs)):
            np.minimum.at(start, at, panel.start)
            np.maximum.at(end, at, panel.ends)
        indptr = pointers(end - start + 1)
        if indptr[-1] > SPARSEST * (self.rows + newer.rows) + 10_000:
            self._refuse_far(newer)
        if self.earlier is not None:
            self._refuse_early(start)
        rows = [self._rows_in(at, panel, start, indptr) for panel, at in ((self, ours), (newer, theirs))]
        merged = {
            name: regularize(indptr[-1], getattr(self, name), rows[0], getattr(newer, name), rows[1])
            for name in ROW_BUFFERS
        }
        static = regularize(len(ids), self.static, ours, newer.static, theirs)
        known_before = np.zeros(indptr[-1], dtype=bool)
        known_before[rows[0][~np.isnan(self.target).all(axis=1)]] = True
        again = int(known_before[rows[1][~np.isnan(newer.target).all(axis=1)]].sum())
        earlier = None if self.earlier is None else self.earlier.extended(len(ids))
        return replace(self, ids=ids, start=start, indptr=indptr, static=static, earlier=earlier, **merged), again

    def _refuse_early(self, start):
        """Refuse rows before the first ones, of which only sums are known."""
        early = np.flatnonzero((start[: len(self.ids)] < self.start) & self.earlier.count.any(axis=1))
        if len(early):
            e = early[:1]
            name = "" if self.ids[e[0]] is None else f" of {self.ids[e[0]]!r}"
            (first,), (got,) = self.grid.timestamps(self.start[e]), self.grid.timestamps(start[e])
            rule = f"rows{name} must lie at or after {first}, the first one that observe() has kept"
            refuse("update", rule, str(got), "Fit afresh to correct earlier rows.")

    def _refuse_far(self, newer):
        at = self.places(newer.ids)
        apart = np.where(at < 0, 0, np.maximum(newer.start - self.ends[at], self.start[at] - newer.ends))
        far = int(np.argmax(apart))
        known = self.grid.timestamps(self.ends[at[far : far + 1]])[0]
        name = "" if newer.ids[far] is None else f" of {newer.ids[far]!r}"
        rule = f"newer rows must fill at least a fiftieth of the {self.grid.name} grid between them and the known ones"
        got = f"rows{name} from {self.grid.timestamps(newer.start[far : far + 1])[0]} on after a last one at {known}"
        refuse("update", rule, got, "Give the rows between, or pass newer series as history=.")

    @staticmethod
    def _rows_in(at, panel, start, indptr):
        entity, place = spread(panel.lengths)
        return indptr[at][entity] + (panel.start[entity] - start[at][entity]) + place

    def pad(self, rows: int | np.ndarray) -> "Panel":
        """Return the panel with `rows` empty rows appended to every entity; one number, or one per entity (E,)."""
        if not np.any(rows):
            return self
        counts = self.lengths + rows
        entity, place = spread(self.lengths)
        indptr = pointers(counts)
        at = indptr[:-1][entity] + place
        grown = {name: regularize(indptr[-1], getattr(self, name), at) for name in ROW_BUFFERS}
        return replace(self, indptr=indptr, **grown)

    def copy(self) -> "Panel":
        """Return a panel that shares no arrays with this one."""
        return replace(
            self,
            **{
                f.name: getattr(self, f.name).copy()
                for f in fields(self)
                if isinstance(getattr(self, f.name), np.ndarray)
            },
        )


def _joined(values, first, stop):
    """Concatenate these ranges of rows."""
    shape = int((stop - first).sum()), values.shape[1]
    if not values.shape[1]:
        return np.empty(shape, values.dtype)
    ranges = zip(first.tolist(), stop.tolist(), strict=True)
    parts = [values[:0], *(values[low:high] for low, high in ranges)]  # the first one for a panel without entities
    return np.concatenate(parts, out=allocate_like(shape, values, values.dtype) if is_mapped(values) else None)


def owners(indptr: np.ndarray, low: int, high: int) -> np.ndarray:
    """Return the group of each of the rows ``low:high`` for contiguous groups with these row pointers."""
    first, last = np.searchsorted(indptr, low, side="right") - 1, np.searchsorted(indptr, high)
    inside = np.clip(indptr[first : last + 1], low, high)  # of these groups only: there may be millions of others
    return np.repeat(np.arange(first, last), np.diff(inside))


def first_rows(entity: np.ndarray) -> np.ndarray:
    """Return the first row of each series, for rows sorted by series."""
    return np.flatnonzero(np.append(True, entity[1:] != entity[:-1]))


def pointers(counts: np.ndarray) -> np.ndarray:
    """Return row pointers of groups of these sizes."""
    return np.concatenate([[0], np.cumsum(counts)]).astype("int64")


def regularize(
    length: int, values: np.ndarray, at: np.ndarray, newer: np.ndarray | None = None, newer_at: np.ndarray | None = None
) -> np.ndarray:
    """Return an array of NaN with `values` at rows `at`, overwritten by the non-missing values of `newer`."""
    dtype = values.dtype if newer is None else np.result_type(values, newer)
    out = np.full((int(length), values.shape[1]), np.nan, dtype=dtype)
    out[at] = values
    if newer is not None:
        given = ~np.isnan(newer)
        out[newer_at] = np.where(given, newer, out[newer_at])
    return out


def check_observed(where: str, schema: "Schema", panel: Panel) -> None:
    """Refuse series without a single observed target."""
    several = len(schema.target) > 1
    blank = [
        " of ".join(repr(n) for n in (schema.target[c] if several else None, panel.ids[e]) if n is not None)
        for e, c in np.argwhere(~panel.observed())
    ]
    if blank:
        rule = "every series must have an observed target"
        refuse(where, rule, f"none in {first_few(blank) or 'the data'}", "All its cells are missing.")
