"""Detection of series with another frequency than the panel, such as monthly series among daily ones."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from forecastkit.data.panel import Panel, first_rows
from forecastkit.data.row_labels import Places
from forecastkit.data.schema import WHERE, Schema
from forecastkit.data.time_grid import TimeGrid, find_time_grid
from forecastkit.data.week_slots import DAY
from forecastkit.utils.exceptions import DataWarning, InputError
from forecastkit.utils.validation import first_few, refuse
from forecastkit.utils.warn import warn_user

#: Series that fill less of the panel's grid are examined.
SPARSE = 0.6
#: Fewest rows of a series with a separate frequency, in general and on a monthly grid, which is rarely matched by
#: chance; and fraction of that grid that must be filled.
MIN_ROWS, MIN_MONTHS, REGULAR = 8, 4, 0.75
#: Ratio of steps from which frequencies differ.
LONGER = 1.9
#: Number of series that are examined separately, those of the shortest and of the longest steps.
MAX_SERIES = 200


def refuse_mixed(places: Places, grid: TimeGrid | None) -> None:
    """Refuse series of different frequencies in one panel.

    Parameters
    ----------
    places : Places
        With increasing timestamps within each series, one series after another.
    grid : TimeGrid or None
        The grid of all timestamps; None without a common grid.

    Raises
    ------
    InputError
        If a series has a coarser frequency than the others.
    """
    first, timestamps = first_rows(places.entity), places.timestamps
    if not isinstance(timestamps, (pd.DatetimeIndex, pd.PeriodIndex)):
        return
    counts = np.diff(np.append(first, len(timestamps)))
    candidates = np.flatnonzero(counts >= MIN_MONTHS)
    if grid is not None:
        last = first + counts - 1
        steps = grid.ordinals(timestamps[last])[0] - grid.ordinals(timestamps[first])[0] + 1
        candidates = candidates[counts[candidates] < SPARSE * steps[candidates]]
    own = (
        (place, timestamps[first[place] : first[place] + counts[place]]) for place in _ends(candidates, first, places)
    )
    grids = [(places.ids[places.entity[first[place]]], found) for place, stamps in own if (found := _own_grid(stamps))]
    if grid is None and grids:
        grid = min((found for _, found in grids), key=_length)
    coarse = [f"{name!r} ({found.name})" for name, found in grids if _is_coarser(found, grid)]
    if coarse:
        longest = max((found for _, found in grids), key=_length)
        alias = longest.start_alias
        remedy = f"Fit them separately, or aggregate all with resample='mean' (or 'sum' ...) and freq={alias!r}."
        if grid.ordinals(timestamps)[1].all():
            remedy += f" With freq={grid.alias!r} alone the steps without rows are missing."
        refuse(WHERE, f"series must share one frequency ({grid.name})", first_few(coarse), remedy)


def warn_mixed_targets(panel: Panel, schema: Schema) -> None:
    """Warn of targets observed only at a coarser frequency, as in tables that were joined by time."""
    if not panel.grid.is_time or not panel.rows:
        return
    observed = ~np.isnan(panel.target)
    counts = np.add.reduceat(observed, panel.indptr[:-1], axis=0, dtype="int64")
    # Where no target is blank more often than another, its rows are those of the table: gaps of one frequency.
    sparse = (counts < SPARSE * panel.lengths[:, None]) & (counts >= MIN_MONTHS)
    if not sparse.any() or sparse.all():
        return
    coarse = []
    for entity, channel in np.argwhere(sparse)[:MAX_SERIES]:
        rows = np.flatnonzero(observed[panel.indptr[entity] : panel.indptr[entity + 1], channel])
        found = _own_grid(panel.grid.timestamps(panel.start[entity] + rows))
        if found and _is_coarser(found, panel.grid):
            series = "" if panel.ids[entity] is None else f" of {panel.ids[entity]!r}"
            coarse.append(f"{schema.target[channel]!r}{series} ({found.name})")
    if coarse:
        warn_user(
            f"{WHERE}: targets of a coarser frequency than the {panel.grid.name} rows: {first_few(coarse)}. "
            "Most steps of their forecasts never occur: fit them separately, or set resample='mean' and freq=.",
            DataWarning,
        )


def _ends(candidates: np.ndarray, first: np.ndarray, places: Places) -> Iterable:
    """Return these series, or only those with the shortest and longest steps if there are many."""
    if len(candidates) <= MAX_SERIES:
        return candidates
    stop = np.append(first[1:], len(places.timestamps)) - 1
    number = places.timestamps.asi8
    steps = (number[stop[candidates]] - number[first[candidates]]) / (stop - first)[candidates]
    order = candidates[np.argsort(steps, kind="stable")]
    return np.concatenate([order[: MAX_SERIES // 2], order[-MAX_SERIES // 2 :]])


def _own_grid(timestamps: pd.Index) -> TimeGrid | None:
    """Return the grid of one series, None if too few of its steps have rows."""
    try:
        grid = find_time_grid(timestamps, np.zeros(1, dtype="int64"))
    except InputError:
        return None
    ordinals = grid.ordinals(timestamps[[0, -1]])[0]
    fewest = MIN_MONTHS if grid.kind == "month" else MIN_ROWS
    filled = len(timestamps) / (ordinals[1] - ordinals[0] + 1)
    return grid if len(timestamps) >= fewest and filled >= REGULAR else None


def _is_coarser(grid: TimeGrid, other: TimeGrid) -> bool:
    return _length(grid) >= LONGER * _length(other)


def _length(grid: TimeGrid) -> float:
    """Return the mean length of a step in microseconds."""
    if grid.kind == "month":
        return grid.step * 365.25 / 12 * DAY
    return float(grid.slot or grid.step)
