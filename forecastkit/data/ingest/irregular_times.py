"""Irregular timestamps: aggregation in slots, detection of a regular grid close to the rows, and remedies."""

from itertools import pairwise

import numpy as np
import pandas as pd

from forecastkit.data.panel import first_rows
from forecastkit.data.row_labels import Places
from forecastkit.data.schema import WHERE, holds_times
from forecastkit.data.slot_grid import (
    find_nearest_grid,
    find_slots,
    narrow_to_week,
    refuse_no_slots,
    suggest_slots,
)
from forecastkit.data.time_grid import TimeGrid, plain_timestamps, steps_within
from forecastkit.data.week_slots import (
    DAY,
    FEWEST_DAYS,
    MONDAY,
    WEEK,
    describe_week,
    divides_week,
    find_week,
    observed_week,
    shared_slots,
)
from forecastkit.utils.exceptions import DataWarning, InputError, ParameterError
from forecastkit.utils.validation import first_few, refuse
from forecastkit.utils.warn import warn_user

#: Rows, and times of the week of all series together, that are looked at together.
MOST_ROWS, MOST_CELLS = 1 << 18, 10_000_000
#: Largest fraction of the steps between irregular rows that equal one step of the grid.
USUAL = 0.5
#: The last slot of a series is incomplete if it has less than this fraction of the usual number of rows.
INCOMPLETE = 0.5


def find_resampled_grid(places: Places, freq: str | None, resample: str, slots: str | None = None) -> TimeGrid:
    """Return the grid on which rows are aggregated, or to which they are moved.

    Parameters
    ----------
    places : Places
        With increasing timestamps within each series, one series after another.
    freq, resample, slots
        As the parameters of `Forecaster`.

    Raises
    ------
    InputError
        If there are no timestamps, or the frequency has no slots that start with it; for 'nearest', if timestamps are
        not close to a regular grid.
    """
    timestamps, first = places.timestamps, first_rows(places.entity)
    if not holds_times(timestamps):
        refuse_no_slots(WHERE, "whole numbers")
    if resample == "nearest":
        grid = find_nearest_grid(timestamps, first, freq)
        if grid is None:
            rule = "resample='nearest' needs one row close to each step of a regular grid"
            refuse(WHERE, rule, first_few(map(str, timestamps)), suggest_slots(timestamps, first))
        return grid
    if freq is None:
        remedy = suggest_slots(timestamps, first)
        refuse(WHERE, "resample= needs the frequency of its slots in freq=", "none", remedy, ParameterError)
    grid = find_slots(timestamps, freq, WHERE)
    if slots != "all":
        grid = narrow_to_week(grid, timestamps, first, slots, WHERE)
    if resample == "sum":
        _warn_incomplete(grid, places, first)
    return grid


def find_close_grid(places: Places, freq: str | None, error: InputError) -> TimeGrid:
    """Return the grid close to all timestamps, with a warning; without one, raise the error with a remedy."""
    timestamps, first = places.timestamps, first_rows(places.entity)
    grid = find_nearest_grid(timestamps, first, freq)
    if grid is None:
        raise type(error)(f"{error} {suggest_slots(timestamps, first)}") if "regular grid" in str(error) else error
    _say_nearest(grid, places)
    return grid


def _say_nearest(grid: TimeGrid, places: Places) -> None:
    """Warn that timestamps were moved to the nearest step of a grid."""
    ordinals = grid.ordinals(places.timestamps)[0]
    moved = grid.timestamps(ordinals) != places.timestamps
    row = int(np.argmax(moved))
    example = f"{places.timestamps[row]} to {grid.timestamps(ordinals[[row]])[0]}"
    warn_user(
        f"{WHERE}: {int(moved.sum()):,} timestamps are moved to the nearest step of the {grid.name} grid, such as "
        f"{example}. Pass resample='nearest' to confirm, or resample='mean' and freq={grid.alias!r} for means.",
        DataWarning,
    )


def say_slots(grid: TimeGrid, weeks: dict) -> None:
    """Warn that only some times of the day are steps, and of series that have rows at fewer times than others."""
    if grid.kind == "business" and grid.slot < DAY:
        warn_user(
            f"{WHERE}: rows occur at {grid.week.count('1')} of {len(grid.week)} times of the week, and only these are "
            f"steps: {grid.name}. Pass slots='observed' to confirm, or slots='all' to forecast all times.",
            DataWarning,
        )
    if weeks:
        own = first_few([f"{name!r} at {describe_week(week, grid.phase % grid.slot)}" for name, week in weeks.items()])
        warn_user(
            f"{WHERE}: series with rows at fewer times of the week than others are forecast only at these: {own}. Pass "
            "slots='observed' to confirm, or slots='all' to forecast all times.",
            DataWarning,
        )


def find_own_weeks(grid: TimeGrid, places: Places, observed: bool) -> dict:
    """Return the times of the week of each series that lacks some of those of the grid.

    Parameters
    ----------
    grid : TimeGrid
        That of all series.
    places : Places
        With increasing timestamps within each series, one series after another.
    observed : bool
        Whether the times that occur are taken without the conditions of `find_week`.

    Returns
    -------
    dict
        Weeks, see `TimeGrid.week`, by the identifiers of these series.
    """
    slot, series = grid.slot, len(places.ids)
    if not divides_week(slot):
        return {}
    every = grid.week if grid.kind == "business" else "1" * (WEEK // slot)
    first, found = np.searchsorted(places.entity, np.arange(series + 1)), {}
    starts = np.searchsorted(first, np.arange(0, len(places.entity), MOST_ROWS))
    starts = np.union1d(starts, np.arange(0, series, max(MOST_CELLS // len(every), 1)))
    for low, high in pairwise(np.append(starts[starts < series], series)):
        at = first[low : high + 1] - first[low]
        rows = slice(first[low], first[high])
        wall = _wall_micros(grid, places.timestamps[rows])
        seen = np.zeros((high - low, len(every)), dtype=bool)
        seen[places.entity[rows] - low, (wall - MONDAY) % WEEK // slot] = True
        for own in np.flatnonzero(seen.any(axis=1) & (seen.sum(axis=1) < every.count("1"))):
            micros = wall[at[own] : at[own + 1]]
            if observed:
                week = observed_week(micros, slot)
            elif micros[-1] - micros[0] >= FEWEST_DAYS * DAY:
                week = find_week(micros, slot, slot, np.zeros(1, dtype="int64"), grid.tz is not None)
            else:
                week = None
            if week is not None and (week := shared_slots(week, every)) != every:
                found[places.ids[low + own]] = week
    return found


def _wall_micros(grid, timestamps):
    """Return the microseconds of timestamps by the clock on the wall, of moved ones those of their steps."""
    if grid.rounding == "nearest":
        timestamps = grid.timestamps(grid.ordinals(timestamps)[0])
    return plain_timestamps(timestamps, wall=True).as_unit("us").asi8


def warn_irregular(grid: TimeGrid, timestamps: pd.Index, first: np.ndarray) -> None:
    """Warn that timestamps have no regular step and most steps of their grid have no row, except for daily data."""
    if grid.kind != "fixed" or grid.step >= DAY:
        return
    ordinals = grid.ordinals(timestamps)[0]
    steps = steps_within(ordinals, first)
    if len(steps) and (steps == 1).mean() < USUAL:
        filled = len(ordinals) / (steps.sum() + len(first))
        warn_user(
            f"{WHERE}: rows fill {filled:.0%} of the steps of the {grid.name} grid, and the others are missing. "
            f"{suggest_slots(timestamps, first)}",
            DataWarning,
        )


def _warn_incomplete(grid: TimeGrid, places: Places, first: np.ndarray) -> None:
    """Warn that the last sum of a series has few rows, because its slot may be incomplete."""
    ordinals = grid.ordinals(places.timestamps)[0]
    new = np.append(True, (ordinals[1:] != ordinals[:-1]) | (places.entity[1:] != places.entity[:-1]))
    slots = np.flatnonzero(new)
    counts = np.diff(np.append(slots, len(ordinals)))
    last = np.searchsorted(slots, np.append(first[1:], len(ordinals))) - 1
    short = np.flatnonzero(counts[last] < INCOMPLETE * np.median(counts))
    if len(short):
        row = first[short[0]]
        name = places.ids[places.entity[row]]
        at = grid.timestamps(ordinals[[slots[last[short[0]]]]])[0]
        more = f", and of {len(short) - 1} more" if len(short) > 1 else ""
        warn_user(
            f"{WHERE}: the last sum{'' if name is None else f' of {name!r}'}, at {at}, is of {counts[last[short[0]]]} "
            f"rows where {np.median(counts):g} are usual{more}. Leave out the rows of a slot that is not over.",
            DataWarning,
        )
