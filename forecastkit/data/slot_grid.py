"""Grids for irregular timestamps: slots of a given frequency, and the regular grid that jittered ones are close to."""

from dataclasses import replace

import numpy as np
import pandas as pd

from forecastkit.data.aliases import FIXED, MONTHS, fixed_step, month_step, parse_offset
from forecastkit.data.time_grid import CLOSE, TimeGrid, narrowed, plain_timestamps, steps_within
from forecastkit.data.week_slots import DAY, find_week
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import refuse

#: Fraction of the slots between the first and the last timestamp that must contain one on a regular grid.
FILLED = 0.5
#: Longest step in microseconds of jittered timestamps; longer steps are those of calendars.
LONGEST = 14 * DAY
#: Units to which steps and phases of jittered timestamps are rounded, longest first.
UNITS = (DAY, FIXED["h"], FIXED["min"], FIXED["s"], 100_000, 10_000, 1_000, 1)

#: Steps that clocks and calendars are read in, by unit.
COUNTS = {
    "ms": (1, 10, 100),
    "s": (1, 2, 5, 10, 15, 20, 30),
    "min": (1, 2, 5, 10, 15, 20, 30),
    "h": (1, 2, 3, 4, 6, 8, 12),
    "D": (1,),
    "W": (1,),
}


def find_slots(timestamps: pd.Index, freq: str, where: str) -> TimeGrid:
    """Return the slots of a frequency, each from its start until before the start of the next.

    Parameters
    ----------
    timestamps : DatetimeIndex or PeriodIndex
    freq : str
        A pandas alias of a fixed step or of starts of months, quarters or years. Slots start at those of
        clock and calendar: hours at full hours, days at midnight, weeks on the weekday of the alias. Steps that do not
        divide a day start at the first midnight.

    Raises
    ------
    ParameterError
        If the alias denotes ends or business days.
    """
    offset = parse_offset(freq)
    zone = getattr(timestamps, "tz", None)
    earliest = plain_timestamps(timestamps[[timestamps.argmin()]], wall=True)
    shown = {"tz": None if zone is None else str(zone), "unit": earliest.unit, "rounding": "down"}
    midnight = earliest.normalize()
    day = int(midnight.as_unit("us").asi8[0] // DAY)
    if step := fixed_step(offset):
        if isinstance(offset, pd.offsets.Week) and offset.weekday is not None:
            day -= (day + 3 - offset.weekday) % 7  # 1970-01-01 was a Thursday
        start = day * DAY
        if zone is not None and step % DAY:  # steps shorter than a day are counted in UTC
            local = midnight.tz_localize(zone, nonexistent="shift_forward", ambiguous=np.ones(1, dtype=bool))
            start = int(local.as_unit("us").asi8[0])
        return TimeGrid("fixed", step, start % step, **shown)
    alias = offset.rule_code.split("-")[0]
    if alias in ("MS", "QS", "YS"):
        unit, step = MONTHS[alias[0]], month_step(offset)
        anchor = getattr(offset, "startingMonth", getattr(offset, "month", 1)) - 1
        month = int(midnight.values.astype("datetime64[M]").astype("int64")[0])
        return TimeGrid("month", step, (month - (month - anchor) % unit) % step, **shown)
    rule = "resample= needs slots that start with the frequency: a fixed step, 'MS', 'QS' or 'YS'"
    return refuse(where, rule, f"freq={freq!r}", "Pass a start, such as 'MS', or 'D'.", ParameterError)


def narrow_to_week(grid: TimeGrid, timestamps: pd.Index, first: np.ndarray, slots: str | None, where: str) -> TimeGrid:
    """The grid with only the slots of the week that hold timestamps, where these show a pattern or it is `observed`.

    Parameters
    ----------
    grid : TimeGrid
    timestamps : Index
        Of all series one after another, rising within each.
    first : ndarray of int
        First timestamp of each series.
    slots : {None, 'observed'}
    where : str
    """
    wall = plain_timestamps(grid.timestamps(grid.ordinals(timestamps)[0]), wall=True)
    micros = wall.as_unit("us").asi8
    if slots == "observed":
        return replace(grid, **narrowed({"kind": grid.kind, "step": grid.step}, micros, where))
    slot, phase = int(np.gcd(grid.step, DAY)), int(micros[0] % DAY)
    if grid.kind != "fixed" or slot != grid.step:
        return grid
    phase %= slot
    new = np.append(True, np.diff(micros) != 0)
    new[first] = True
    starts = np.searchsorted(np.flatnonzero(new), first)
    week = find_week(micros[new] - phase, slot, slot, starts, grid.tz is not None)
    return grid if week is None else replace(grid, kind="business", step=1, week=week, phase=phase)


def find_nearest_grid(timestamps: pd.Index, first: np.ndarray, freq: str | None = None) -> TimeGrid | None:
    """Return the grid whose slots contain at most one close timestamp of each series; None if there is none.

    Parameters
    ----------
    timestamps : Index
        Of all series one after another, rising within each.
    first : ndarray of int
        First timestamp of each series.
    freq : str, optional
        A pandas alias of the step. Default: the median step, rounded.
    """
    if not isinstance(timestamps, pd.DatetimeIndex) or len(timestamps) < 3:
        return None
    zone = None if timestamps.tz is None else str(timestamps.tz)
    for wall in (True, False) if zone else (True,):
        plain = plain_timestamps(timestamps, wall=wall)
        micros = plain.as_unit("us").asi8
        lengths = [fixed_step(parse_offset(freq))] if freq else _rounded_medians(steps_within(micros, first))
        for step in lengths:
            if not step or (zone and wall != (step % DAY == 0)):
                continue
            if (phase := _near_phase(micros, step)) is None:
                continue
            unit = plain.unit if plain.unit != "ns" else "us"
            grid = TimeGrid("fixed", step, phase, tz=zone, unit=unit, rounding="nearest")
            if _holds_one_each(grid, timestamps, first):
                return grid
    return None


def _rounded_medians(steps: np.ndarray) -> list[int]:
    """Return the median step rounded to each unit of which it is nearly a multiple, except months, which vary."""
    if not len(steps) or (median := float(np.median(steps))) > LONGEST:
        return []
    rounded = [round(median / unit) * unit for unit in UNITS]
    return list(dict.fromkeys(step for step in rounded if step and abs(step - median) <= CLOSE * step))


def _near_phase(micros: np.ndarray, step: int) -> int | None:
    """Return the phase of slots close to all timestamps: a multiple of the longest possible unit."""
    angles = micros % step * (2 * np.pi / step)
    mean = round(np.arctan2(np.sin(angles).mean(), np.cos(angles).mean()) / (2 * np.pi) * step)
    off = (micros - mean + step // 2) % step - step // 2
    centre = mean + (off.min() + off.max()) / 2  # the phase that minimizes the largest distance
    for unit in (step, *(unit for unit in UNITS if unit < step)):
        phase = round(centre / unit) * unit % step
        off = (micros - phase + step // 2) % step - step // 2
        if np.abs(off).max() <= CLOSE * step:
            return phase
    return None


def _holds_one_each(grid: TimeGrid, timestamps: pd.DatetimeIndex, first: np.ndarray) -> bool:
    ordinals, close = grid.ordinals(timestamps)
    last = np.append(first[1:], len(ordinals)) - 1
    slots = int((ordinals[last] - ordinals[first] + 1).sum())
    return bool(close.all() and (steps_within(ordinals, first) > 0).all() and len(ordinals) >= FILLED * slots)


def refuse_no_slots(where: str, got: str) -> None:
    """Refuse to resample rows that have no timestamps."""
    refuse(where, "resample= needs timestamps", got, "Leave it out.", ParameterError)


def suggest_slots(timestamps: pd.Index, first: np.ndarray) -> str:
    """Return a remedy for irregular timestamps: ``Pass resample='mean' (...) with freq='10min' ...``."""
    alias = "h"
    if isinstance(timestamps, (pd.DatetimeIndex, pd.PeriodIndex)):
        steps = steps_within(plain_timestamps(timestamps, wall=False).as_unit("us").asi8, first)
        if len(steps):
            alias = _usual_alias(float(np.median(steps)))
    return f"Pass resample='mean' (or 'sum', 'last' ...) with freq={alias!r} to aggregate the rows of each slot."


def _usual_alias(step: float) -> str:
    """Return the shortest common frequency that is not much shorter than a step in microseconds."""
    usual = [(n * FIXED[unit], f"{n}{unit}" if n > 1 else unit) for unit, counts in COUNTS.items() for n in counts]
    return next((alias for length, alias in sorted(usual) if length >= (1 - CLOSE) * step), "MS")


def refuse_shared_slot(where: str, count: int) -> None:
    """Refuse rows whose nearest step is also that of another row."""
    remedy = "Fit with resample='mean' (or 'sum', 'last' ...) and freq=."
    refuse(where, "with resample='nearest' each step must have one row", f"{count} more", remedy)
