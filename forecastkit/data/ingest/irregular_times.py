"""Irregular timestamps: aggregation in slots, detection of a regular grid close to the rows, and remedies."""

from itertools import islice, pairwise

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
from forecastkit.data.week_slots import BY_CHANCE, DAY, FEWEST_WEEKS, WEEK, divides_week
from forecastkit.utils.exceptions import DataWarning, InputError, ParameterError
from forecastkit.utils.validation import first_few, refuse
from forecastkit.utils.warn import warn_user

#: Largest number of series whose times of the week are compared with those of all.
MOST_SERIES = 1000
#: Fewer than this fraction of the steps between irregular rows are one step of the grid.
USUAL = 0.5
#: The last slot of a series is incomplete where it holds less than this fraction of the usual number of rows.
INCOMPLETE = 0.5


def find_resampled_grid(places: Places, freq: str | None, resample: str, slots: str | None = None) -> TimeGrid:
    """Return the grid on which rows are aggregated, or to which they are moved.

    Parameters
    ----------
    places : Places
        With timestamps that rise within each series, one series after another.
    freq, resample, slots
        As the parameters of `Forecaster`.

    Raises
    ------
    InputError
        Where there are no timestamps, or no frequency of slots that start with it; for 'nearest', where timestamps are
        close to no regular grid.
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


def say_slots(grid: TimeGrid, places: Places) -> None:
    """Warn that only some times of the day are taken as steps, and of series that lack some of these."""
    if grid.kind == "business" and grid.slot < DAY:
        warn_user(
            f"{WHERE}: rows occur at {grid.week.count('1')} of {len(grid.week)} times of the week, and only these are "
            f"steps: {grid.name}. Pass slots='observed' to confirm, or slots='all' to forecast all times.",
            DataWarning,
        )
    slot = grid.slot if grid.kind == "business" else grid.step
    if not grid.is_time or not divides_week(slot) or grid.kind == "month" or len(places.ids) < 2:
        return
    count = grid.week.count("1") if grid.kind == "business" else WEEK // slot
    first = first_rows(places.entity)
    lacking = []
    for begin, end in islice(pairwise([*first, len(places.entity)]), MOST_SERIES):
        wall = plain_timestamps(places.timestamps[begin:end], wall=True).as_unit("us").asi8
        own, weeks = np.count_nonzero(np.bincount(wall // slot % (WEEK // slot))), (wall[-1] - wall[0]) / WEEK
        by_chance = count * max(1 - len(wall) / max(own * weeks, 1), 0) ** weeks
        if own < count and weeks >= FEWEST_WEEKS and by_chance < BY_CHANCE:
            lacking.append(f"{places.ids[places.entity[begin]]!r} has {own}")
    if lacking:
        what = "days" if slot == DAY else "times"
        warn_user(
            f"{WHERE}: not all series have rows at all {count} {what} of the week that occur, but all of these are "
            f"forecast for each: {first_few(lacking)}. "
            f"Fit series of other {what} separately, or ignore these forecasts.",
            DataWarning,
        )


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
