"""Build a Panel from unordered rows: sort, merge duplicates, insert missing time steps.

Rows may be many: what is as long as they are is made a part at a time.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecastkit.data.ingest.duplicates import merge_rows, refuse_duplicates
from forecastkit.data.ingest.mixed_frequencies import refuse_mixed, warn_mixed_targets
from forecastkit.data.ingest.timezones import refuse_timezone
from forecastkit.data.panel import Panel, pointers, spread
from forecastkit.data.row_labels import Places
from forecastkit.data.schema import WHERE, Schema, holds_times
from forecastkit.data.time_grid import TimeGrid, find_time_grid
from forecastkit.utils.exceptions import InputError
from forecastkit.utils.validation import refuse

#: Rows of a part.
PART = 1 << 18


@dataclass(frozen=True)
class Table:
    """Rows as they came, in their order: which entity, which stamp, and the columns by role (float, NaN missing)."""

    schema: Schema
    entity: np.ndarray
    ids: tuple
    timestamps: pd.Index | None
    target: np.ndarray
    past: np.ndarray
    known: np.ndarray
    static: np.ndarray

    @property
    def places(self) -> Places:
        return Places(self.entity, self.ids, self.timestamps)


def parts(rows: int) -> Iterator[slice]:
    """The rows, a part at a time."""
    return (slice(low, min(low + PART, rows)) for low in range(0, rows, PART))


def to_regular_grid(table: Table, freq: str | None = None) -> Panel:
    """The panel of a table on the grid that its own times show."""
    if table.timestamps is None:
        if table.schema.timezone is not None:
            refuse_timezone("none")
        return regularize(table, TimeGrid("position"))
    entity, timestamps = table.entity, table.timestamps
    number = timestamps.asi8 if holds_times(timestamps) else np.asarray(timestamps, dtype="int64")
    if not _rise(entity, number):
        order = np.lexsort((number, entity))
        entity, number = entity[order], number[order]
        repeated = np.append(False, (entity[1:] == entity[:-1]) & (number[1:] == number[:-1]))
        if repeated.any():
            _check_duplicates(table, order[repeated])
            order, entity = order[~repeated], entity[~repeated]
        timestamps = timestamps[order]
    places = Places(entity, table.ids, timestamps)
    grid = _find_grid(places, freq)
    panel = regularize(table, grid)
    if freq is None:
        warn_mixed_targets(panel, table.schema)
    return panel


def _find_grid(places: Places, freq: str | None) -> TimeGrid:
    """The grid that rising timestamps lie on; series of another frequency than the others are refused by name."""
    try:
        grid = find_time_grid(places.timestamps, places.first(), freq, WHERE, places)
    except InputError:
        if freq is None:
            refuse_mixed(places, None)
        raise
    if freq is None:
        refuse_mixed(places, grid)
    return grid


def _rise(entity, number):
    """Whether series follow each other, and times rise within each."""
    for part in parts(len(entity)):
        after = slice(part.start, part.stop + 1)
        same, new = (compare(entity[after][1:], entity[after][:-1]) for compare in (np.equal, np.greater))
        if not (new | (same & (number[after][1:] > number[after][:-1]))).all():
            return False
    return True


def _check_duplicates(table, rows):
    """Refuse these rows, which are not the first of their series and time, unless they may be."""
    if table.schema.duplicates == "refuse":
        again = np.zeros(len(table.entity), dtype=bool)
        again[rows] = True
        refuse_duplicates(table.places, again, settled=table.schema.timezone is not None)


def regularize(table: Table, grid: TimeGrid, follow: Panel | None = None) -> Panel:
    """The panel of a table on a grid; rows without times are counted, from the end of the series they follow."""
    if table.timestamps is not None:
        _check_on_grid(table, grid)
        return _panel(table, grid, lambda part: grid.ordinals(table.timestamps[part])[0])
    begin = np.zeros(len(table.ids), dtype="int64")
    if follow is not None:
        at = follow.places(table.ids)
        begin = np.where(at >= 0, follow.cutoffs()[at] + 1, begin)
    if len(table.ids) == 1:  # as they came, without a table of places: the one series may be very long
        buffers = table.target, table.past, table.known, table.static
        return Panel(grid, table.ids, begin, pointers([len(table.target)]), *buffers)
    order = np.argsort(table.entity, kind="stable")
    ordinals = np.empty(len(order), dtype="int64")
    ordinals[order] = spread(np.bincount(table.entity, minlength=len(table.ids)))[1]
    ordinals += begin[table.entity]
    return _panel(table, grid, lambda part: ordinals[part])


def _check_on_grid(table, grid):
    """Refuse times that the grid does not have."""
    for part in parts(len(table.timestamps)):
        grid.check_kind(table.timestamps[part], WHERE)
        if not grid.ordinals(table.timestamps[part])[1].all():
            grid.ordinals_of(table.timestamps, WHERE, table.places)  # which refuses them all


def _panel(table: Table, grid: TimeGrid, ordinals: Callable[[slice], np.ndarray]) -> Panel:
    """The rows laid on the grid, NaN where there are none."""
    entities, rows = len(table.ids), len(table.entity)
    start = np.full(entities, np.iinfo("int64").max)
    end = np.full(entities, np.iinfo("int64").min)
    for part in parts(rows):
        numbers = ordinals(part)
        np.minimum.at(start, table.entity[part], numbers)
        np.maximum.at(end, table.entity[part], numbers)
    indptr = pointers(end - start + 1)
    check_sparse(rows, int(indptr[-1]), grid)
    shift = start - indptr[:-1]
    buffers = _regular_buffers(table, lambda part: ordinals(part) - shift[table.entity[part]], int(indptr[-1]))
    return Panel(grid, table.ids, start, indptr, *buffers, table.static)


def check_sparse(rows: int, steps: int, grid: TimeGrid) -> None:
    """Refuse rows that would be lost among the steps of the grid."""
    if steps > 50 * rows + 10_000:
        rule = f"rows must fill at least a fiftieth of their {grid.name} grid"
        refuse(WHERE, rule, f"{rows} rows for {steps} steps", "Pass freq= for a coarser grid.")


def _regular_buffers(table, place, rows):
    """The buffers of the table's rows, each laid at its `place` among the panel's rows."""
    buffers, count = (table.target, table.past, table.known), len(table.entity)
    if count == rows and _are_in_place(place, rows):
        return buffers
    taken = np.zeros(rows, dtype=bool)
    for part in parts(count):
        taken[place(part)] = True
    if np.count_nonzero(taken) < count:
        at, buffers = _merged(table, place(slice(0, count)))
        return tuple(_regularize(rows, values, lambda part: at[part]) for values in buffers)
    return tuple(_regularize(rows, values, place) for values in buffers)


def _are_in_place(place, rows):
    return all(np.array_equal(place(part), np.arange(part.start, part.stop)) for part in parts(rows))


def _regularize(rows, values, place):
    out = np.full((rows, values.shape[1]), np.nan, dtype=values.dtype)
    for part in parts(len(values)) if values.shape[1] else ():
        out[place(part)] = values[part]
    return out


def _merged(table, at):
    """The rows of the panel that the table has, and their buffers, several rows of one made one."""
    order = np.argsort(at, kind="stable")
    new = np.append(True, at[order][1:] != at[order][:-1])
    _check_duplicates(table, order[~new])
    first = np.flatnonzero(new)
    merged = [
        merge_rows(values[order], first, table.schema.duplicates, coded)
        for values, coded in (
            (table.target, np.zeros(table.target.shape[1], dtype=bool)),
            (table.past, _are_categories(table.schema, table.schema.past)),
            (table.known, _are_categories(table.schema, table.schema.known)),
        )
    ]
    return at[order][first], tuple(merged)


def _are_categories(schema, names):
    """Which columns of a buffer are categories."""
    kinds = [np.full(schema.width((name,)), name in schema.categories) for name in names]
    return np.concatenate(kinds) if kinds else np.zeros(0, dtype=bool)
