"""Localise naive timestamps, resolving daylight-saving gaps and repeats."""

from dataclasses import dataclass
from typing import NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import numpy as np
import pandas as pd

from forecastkit.data.panel import Panel
from forecastkit.data.row_labels import Places
from forecastkit.data.schema import WHERE
from forecastkit.data.week_slots import DAY
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import did_you_mean, refuse

#: Fraction of a series' steps that must have one direction for its row order to resolve ambiguous times.
ONE_WAY = 0.75


@dataclass(frozen=True)
class Changes:
    """Clock changes within the series of a panel: repeated hours, those without own rows, and skipped hours."""

    repeated: int = 0
    dropped: int = 0
    skipped: int = 0


def check_timezone(timezone: str | None) -> None:
    """Refuse an unknown time zone."""
    if timezone is None:
        return
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):  # OSError: the name of a folder of zones
        remedy = did_you_mean(timezone, available_timezones()) if isinstance(timezone, str) else ""
        rule = "timezone must be the name of a time zone, such as 'Europe/Berlin'"
        refuse(WHERE, rule, repr(timezone), remedy, ParameterError)


def refuse_timezone(got: str) -> NoReturn:
    """Refuse a time zone for rows without timestamps."""
    refuse(WHERE, "timezone= needs times", got, "Leave it out.", ParameterError)


def in_zone(timestamps: pd.Index, places: Places, timezone: str, follow: Panel | None = None) -> pd.DatetimeIndex:
    """Return timestamps in a time zone; those of another zone are converted.

    Parameters
    ----------
    stamps : Index
        In the order of the rows.
    places : Places
        Series of the rows.
    timezone : str
    follow : Panel, optional
        The history that the rows follow.

    Raises
    ------
    InputError
        If a time is skipped by the zone's clocks, or a repeated one occurs more than twice in a series.

    Notes
    -----
    Of a time that occurs twice on the clock, the first row of a series is the earlier one. A single row is the later
    one if the rows of the series fell back before it, or if the history ends between both; otherwise it is the earlier
    one, and the repeated hour is missing. Decreasing rows are read from the end; without any order, the first of two
    rows is the earlier one.
    """
    if not isinstance(timestamps, pd.DatetimeIndex):
        kind = "periods" if isinstance(timestamps, pd.PeriodIndex) else "whole numbers"
        refuse_timezone(kind)
    if timestamps.tz is not None:
        return timestamps.tz_convert(timezone)
    earlier = _localised(timestamps, timezone, True)
    if (skipped := earlier.isna()).any():
        _check_skipped(timestamps, skipped, places, timezone)
        return timestamps.tz_localize(timezone, ambiguous=np.ones(len(timestamps), bool), nonexistent="shift_forward")
    later = _localised(timestamps, timezone, False)
    rows = np.flatnonzero(earlier.asi8 != later.asi8)
    if not len(rows):
        return earlier
    second = _are_second(timestamps, rows, places, earlier, later, follow)
    chosen = earlier.asi8.copy()
    chosen[rows[second]] = later.asi8[rows[second]]
    utc = pd.DatetimeIndex(chosen.view(f"M8[{timestamps.unit}]"), tz="UTC")
    return utc.tz_convert(timezone).rename(timestamps.name)


def _localised(timestamps, timezone, first):
    return timestamps.tz_localize(timezone, ambiguous=np.full(len(timestamps), first), nonexistent="NaT")


def _check_skipped(timestamps, skipped, places, timezone):
    """Refuse times within skipped hours; a day whose midnight is skipped begins an hour later."""
    if (timestamps == timestamps.normalize()).all():
        return
    rule = f"times must exist in {timezone}, whose clocks skip an hour"
    remedy = "If they are in another zone, such as UTC, set that timezone=, or drop the rows."
    refuse(WHERE, rule, f"{places.count(skipped, 'that does not', 'that do not')}", remedy)


def _are_second(timestamps, rows, places, earlier, later, follow):
    """Return which of these rows with ambiguous times belong to the second of the repeated hours."""
    way = _ways(timestamps.asi8, places)
    entity, at = places.entity[rows], timestamps.asi8[rows]
    day = timestamps.values[rows].astype("datetime64[D]").astype("int64")
    # The rows of one change, in the order of time as far as it is known.
    order = np.lexsort((rows * np.where(way[entity] < 0, -1, 1), day, entity))
    fell = _falls(entity[order], day[order], at[order]) & (way[entity[order]] != 0)
    rank, count = np.empty((2, len(rows)), dtype="int64")
    rank[order], count[order] = _ranks(entity[order], at[order])
    if (count > 2).any():
        often = np.zeros(len(timestamps), dtype=bool)
        often[rows[count > 2]] = True
        rule = "a clock change repeats a time once: a series may have it twice"
        refuse(WHERE, rule, places.count(often, "more often", "more often"), "Remove duplicates first.")
    single = count == 1
    second = rank == 1
    second[order] |= fell & single[order]
    if follow is not None:
        second |= single & _ends_between(follow, places, entity, earlier[rows], later[rows])
    return second


def _ways(number, places):
    """Return whether the times of each series mostly increase (1), mostly decrease (-1), or neither (0)."""
    order = np.argsort(places.entity, kind="stable")
    entity, steps = places.entity[order], np.diff(number[order])
    inner = entity[1:] == entity[:-1]
    ups, downs = (np.bincount(entity[1:][inner & way], minlength=len(places.ids)) for way in (steps > 0, steps < 0))
    moves = np.maximum(ups + downs, 1)
    return np.where(ups >= ONE_WAY * moves, 1, np.where(downs > ONE_WAY * moves, -1, 0))


def _falls(entity, day, at):
    """Return where the time is earlier than in a previous row of the same series and day."""
    new = np.ones(len(at), dtype=bool)
    new[1:] = (entity[1:] != entity[:-1]) | (day[1:] != day[:-1])
    falls = np.cumsum(np.append(False, at[1:] < at[:-1]) & ~new)
    return falls > np.maximum.accumulate(np.where(new, falls, 0))


def _ranks(entity, at):
    """Return how often a time occurred earlier in its series, and how often it occurs in total."""
    order = np.lexsort((at, entity))
    new = np.ones(len(at), dtype=bool)
    new[1:] = (entity[order][1:] != entity[order][:-1]) | (at[order][1:] != at[order][:-1])
    first = np.flatnonzero(new)
    counts = np.diff(np.append(first, len(at)))
    rank, count = np.empty((2, len(at)), dtype="int64")
    rank[order] = np.arange(len(at)) - np.repeat(first, counts)
    count[order] = np.repeat(counts, counts)
    return rank, count


def _ends_between(follow, places, entity, earlier, later):
    """Return whether the history of a row's series ends at the first of two times or between them."""
    known = follow.places(places.ids)
    ends = _instants(follow.grid.timestamps(follow.cutoffs()))[known]
    after = (_instants(earlier) <= ends[entity]) & (ends[entity] < _instants(later))
    return after & (known[entity] >= 0)


def _instants(timestamps):
    return timestamps.as_unit("us").asi8


def clock_changes(panel: Panel) -> Changes:
    """Return the clock changes between the first and last observed row of every series."""
    grid = panel.grid
    if grid.tz is None or grid.kind != "fixed" or grid.step >= DAY or not panel.rows:
        return Changes()
    found = Changes()
    cutoffs = panel.cutoffs()
    for at, shift in _turns(grid, int(panel.start.min()), int(cutoffs.max())):
        inside = np.flatnonzero((panel.start < at) & (at <= cutoffs))
        if shift > 0:
            found = Changes(found.repeated, found.dropped, found.skipped + len(inside))
            continue
        rows = panel.row_at(inside, np.full(len(inside), at))[:, None] + np.arange(max(-shift // grid.step, 1))
        rows = np.minimum(rows, panel.indptr[inside + 1][:, None] - 1)
        there = int((~np.isnan(panel.target[rows])).any(axis=(1, 2)).sum())
        found = Changes(found.repeated + there, found.dropped + len(inside) - there, found.skipped)
    return found


def _turns(grid, first, last):
    """Return the ordinal of the first row after each clock change, and the change in microseconds."""
    stride = max(DAY // grid.step, 1)
    ordinals = np.arange(first, last + stride, stride)
    offsets = _offsets(grid, ordinals)
    for day in np.flatnonzero(np.diff(offsets)):
        near = np.arange(ordinals[day], ordinals[day + 1] + 1)
        steps = np.diff(_offsets(grid, near))
        for place in np.flatnonzero(steps):
            yield int(near[place + 1]), int(steps[place])


def _offsets(grid, ordinals):
    """Return the UTC offset in microseconds."""
    timestamps = grid.timestamps(ordinals)
    return _instants(timestamps.tz_localize(None)) - _instants(timestamps)
