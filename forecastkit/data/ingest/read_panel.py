"""Read user data into a Panel, and keep a Schema for formatting results.

Rows are sorted, duplicates merged and missing time steps inserted. Arrays with as many elements as rows are computed in
parts.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from forecastkit.data.array_checks import as_array
from forecastkit.data.ingest.duplicates import RESAMPLING, RULES, merge_rows, refuse_duplicates
from forecastkit.data.ingest.find_keys import find_keys
from forecastkit.data.ingest.given_panel import more_rows, panel_with_schema
from forecastkit.data.ingest.irregular_times import (
    find_close_grid,
    find_own_weeks,
    find_resampled_grid,
    say_slots,
    warn_irregular,
)
from forecastkit.data.ingest.mixed_frequencies import refuse_mixed, warn_mixed_targets
from forecastkit.data.ingest.table import Table, check_names, framed, read_rows, to_pandas
from forecastkit.data.ingest.timezones import check_timezone, refuse_timezone
from forecastkit.data.levels import with_levels, with_sums
from forecastkit.data.memmap.dataset import MappedData
from forecastkit.data.panel import Panel, first_rows, pointers, spread
from forecastkit.data.row_labels import Places
from forecastkit.data.schema import WHERE, Schema, find_schema, holds_times
from forecastkit.data.slot_grid import refuse_no_slots, refuse_shared_slot
from forecastkit.data.time_grid import TimeGrid, find_time_grid
from forecastkit.utils.arrays import parts
from forecastkit.utils.exceptions import InputError, ParameterError
from forecastkit.utils.validation import check_choice, refuse

#: Rows that fill a smaller fraction of their steps may be irregular.
SPARSE = 0.5


def read_panel(X, y=None, *, levels: bool = False, **reading) -> tuple[Panel, Schema]:
    """Read training data: find the role of each column, check every cell, and place the rows on a regular grid.

    The panel shares no memory with the data.

    Parameters
    ----------
    X, y
        As in `Forecaster.fit`.
    levels : bool
        Whether to add the sums of all levels of a hierarchy, which the columns of `series_id` form.
    **reading
        The parameters `freq`, `timezone`, `duplicates`, `resample`, `slots`, `target`, `time`, `series_id`, `known`,
        `past` and `static` of a forecaster.

    Raises
    ------
    InputError
        If there are duplicates, invalid or missing times, text or infinite targets, or unknown or reserved names.
    """
    panel, schema = _read_panel(X, y, **reading)
    return with_sums(panel, schema) if levels else (panel, schema)


def _read_panel(
    X,
    y,
    *,
    freq=None,
    timezone: str | None = None,
    duplicates: str = "refuse",
    resample: str | None = None,
    slots: str | None = None,
    **roles,
) -> tuple[Panel, Schema]:
    check_choice(WHERE, "duplicates", duplicates, RULES)
    check_choice(WHERE, "resample", resample, RESAMPLING)
    check_choice(WHERE, "slots", slots, (None, "observed", "all"))
    if timezone is not None:
        check_timezone(timezone)
    if isinstance(X, Panel):
        return panel_with_schema(
            X, y, timezone=timezone, duplicates=duplicates, resample=resample, slots=slots, **roles
        )
    if isinstance(X, MappedData):
        reading = {"timezone": timezone, "duplicates": duplicates, "resample": resample, "slots": slots}
        return X.read(y, freq=freq, **reading, **roles)
    X, library = to_pandas(X)
    y, _ = to_pandas(y)
    check_names(X)
    X, y = framed(X, y), None if y is None else (y if isinstance(y, (pd.Series, pd.DataFrame)) else as_array(y))
    layout = {}
    if isinstance(X, pd.DataFrame):
        X, roles, layout = find_keys(X, y, roles, duplicates)
    found = find_schema(X, y, roles, library)
    schema = replace(found, timezone=timezone, duplicates=duplicates, resample=resample, **layout)
    return to_regular_grid(read_rows(schema, X, y), freq, slots)


def read_more(
    schema: Schema, grid: TimeGrid, X, y=None, *, follow: Panel | None = None, remembered: Panel | None = None
) -> Panel:
    """Read newer rows or another history in the layout and on the grid of the data at fit.

    Parameters
    ----------
    follow : Panel, optional
        Rows without times follow the cutoff of their series in this panel; by default they start at ordinal 0.
    remembered : Panel, optional
        Static covariates of series in this panel need not be repeated; by default those of `follow`.
    """
    if isinstance(X, Panel):
        panel = more_rows(schema, grid, X, y)
    else:
        remembered = follow if remembered is None else remembered
        panel = regularize(read_rows(schema, X, y, follow=follow, remembered=remembered), grid, follow)
    return with_levels(panel, schema.series_keys, schema.levels) if schema.levels else panel


def to_regular_grid(table: Table, freq: str | None = None, slots: str | None = None) -> tuple[Panel, Schema]:
    """Return the panel of a table on the grid of its own times, and its schema for placing further rows."""
    schema = table.schema
    if slots == "observed" and (table.timestamps is None or not holds_times(table.timestamps)):
        rule = "slots='observed' needs timestamps"
        refuse(WHERE, rule, "none" if table.timestamps is None else "whole numbers", "Leave it out.", ParameterError)
    if table.timestamps is None:
        if schema.timezone is not None:
            refuse_timezone("none")
        if schema.resample is not None:
            refuse_no_slots(WHERE, "none")
        return regularize(table, TimeGrid("position")), schema
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
    grid = _find_grid(places, freq, schema.resample, slots)
    if len(table.ids) > 1 and (
        slots == "observed" or (slots is None and (freq is None or schema.resample is not None))
    ):
        schema = replace(schema, weeks=find_own_weeks(grid, places, slots == "observed"))
    if slots is None and (schema.weeks or (freq is None and grid.kind == "business")):
        say_slots(grid, schema.weeks)
    if grid.rounding == "nearest":
        schema = replace(schema, resample="nearest")
    panel = regularize(replace(table, schema=schema), grid)
    if freq is None and grid.rounding == "exact" and len(entity) < SPARSE * panel.rows:
        warn_irregular(grid, timestamps, first_rows(places.entity))
    if freq is None and panel.channels > 1:
        warn_mixed_targets(panel, schema)
    return panel, schema


def _find_grid(places: Places, freq: str | None, resample: str | None, slots: str | None) -> TimeGrid:
    """Return the grid of increasing timestamps; mixed frequencies are refused."""
    if resample is not None:
        return find_resampled_grid(places, freq, resample, slots)
    several = freq is None and len(places.ids) > 1
    try:
        grid = find_time_grid(places.timestamps, first_rows(places.entity), freq, WHERE, places, slots)
    except InputError as error:
        if several:
            refuse_mixed(places, None)
        return find_close_grid(places, freq, error)
    if several:
        refuse_mixed(places, grid)
    return grid


def _rise(entity, number):
    """Return whether rows are ordered by series, and by time within each series."""
    for part in parts(len(entity)):
        after = slice(part.start, part.stop + 1)
        same, new = (compare(entity[after][1:], entity[after][:-1]) for compare in (np.equal, np.greater))
        if not (new | (same & (number[after][1:] > number[after][:-1]))).all():
            return False
    return True


def _check_duplicates(table, rows):
    """Refuse rows that repeat a series and time, unless duplicates are allowed."""
    if table.schema.duplicates == "refuse":
        again = np.zeros(len(table.entity), dtype=bool)
        again[rows] = True
        refuse_duplicates(table.places, again, settled=table.schema.timezone is not None)


def regularize(table: Table, grid: TimeGrid, follow: Panel | None = None) -> Panel:
    """Return the panel of a table on a grid; rows without times are numbered after the rows that they follow."""
    if table.timestamps is not None:
        _check_on_grid(table, grid)
        return _panel(table, grid, lambda part: grid.ordinals(table.timestamps[part])[0])
    begin = np.zeros(len(table.ids), dtype="int64")
    if follow is not None:
        at = follow.places(table.ids)
        begin = np.where(at >= 0, follow.cutoffs()[at] + 1, begin)
    if len(table.ids) == 1:  # in their order, without an array of positions: the series may be very long
        buffers = table.target, table.past, table.known, table.static
        return Panel(grid, table.ids, begin, pointers([len(table.target)]), *buffers)
    order = np.argsort(table.entity, kind="stable")
    ordinals = np.empty(len(order), dtype="int64")
    ordinals[order] = spread(np.bincount(table.entity, minlength=len(table.ids)))[1]
    ordinals += begin[table.entity]
    return _panel(table, grid, lambda part: ordinals[part])


def _check_on_grid(table, grid):
    """Refuse times that are not on the grid."""
    for part in parts(len(table.timestamps)):
        grid.check_kind(table.timestamps[part], WHERE)
        if not grid.ordinals(table.timestamps[part])[1].all():
            grid.ordinals_of(table.timestamps, WHERE, table.places)  # which refuses them all


def _panel(table: Table, grid: TimeGrid, ordinals: Callable[[slice], np.ndarray]) -> Panel:
    """Return the rows placed on the grid, with NaN for missing ones."""
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
    """Refuse rows that are so sparse that nearly all steps of the grid would be missing."""
    if steps > 50 * rows + 10_000:
        rule = f"rows must fill at least a fiftieth of their {grid.name} grid"
        refuse(WHERE, rule, f"{rows} rows for {steps} steps", "Pass freq= for a coarser grid.")


def _regular_buffers(table, place, rows):
    """Return buffers with each row of the table at its `place` among the rows of the panel."""
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
    """Return the observed rows of the panel and their buffers, with duplicates merged."""
    schema, buffers = table.schema, (table.target, table.past, table.known)
    coded = (np.zeros(table.target.shape[1], dtype=bool), *(_are_categories(schema, names) for names in
             (schema.past, schema.known)))  # fmt: skip
    if schema.resample is None:
        order = np.argsort(at, kind="stable")
        new = np.append(True, at[order][1:] != at[order][:-1])
        _check_duplicates(table, order[~new])
        return at[order][new], _merge_all(buffers, order, new, schema.duplicates, coded)
    number = table.timestamps.asi8
    order = np.lexsort((number, at))
    at, number = at[order], number[order]
    new_slot = np.append(True, at[1:] != at[:-1])
    new_time = new_slot | np.append(True, number[1:] != number[:-1])
    if not new_time.all():  # rows of one time are duplicates, however those of one slot are aggregated
        _check_duplicates(table, order[~new_time])
        buffers = _merge_all(buffers, order, new_time, schema.duplicates, coded)
        at, new_slot = at[new_time], new_slot[new_time]
        order = np.arange(len(at))
    if schema.resample == "nearest":
        if not new_slot.all():
            refuse_shared_slot(WHERE, int((~new_slot).sum()))
        return at, tuple(values[order] for values in buffers)
    return at[new_slot], _merge_all(buffers, order, new_slot, schema.resample, coded)


def _merge_all(buffers, order, new, rule, coded):
    """Return buffers with one row per group of the ordered rows; groups start where `new` is true."""
    first = np.flatnonzero(new)
    return tuple(merge_rows(values[order], first, rule, mask) for values, mask in zip(buffers, coded, strict=True))


def one_row_each(table: Table, ordinal: np.ndarray) -> tuple[Table, np.ndarray]:
    """Return the table with one row for each series and slot, and the ordinals of the slots."""
    low = ordinal.min()
    span = int(ordinal.max() - low) + 1
    at, (target, past, known) = _merged(table, table.entity.astype("int64") * span + (ordinal - low))
    entity, ordinal = np.divmod(at, span)
    return replace(table, entity=entity, timestamps=None, target=target, past=past, known=known), ordinal + low


def _are_categories(schema, names):
    """Return which columns of a buffer are categories."""
    kinds = [np.full(schema.width((name,)), name in schema.categories) for name in names]
    return np.concatenate(kinds) if kinds else np.zeros(0, dtype=bool)
