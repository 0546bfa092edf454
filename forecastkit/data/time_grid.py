"""Regular time grids: conversion between timestamps and integer positions."""

import contextlib
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from forecastkit.data.aliases import FIXED, MONTHS, fixed_step, length_in_words, month_step, parse_offset, unit_of
from forecastkit.data.row_labels import Places
from forecastkit.data.week_slots import (
    BUSINESS,
    DAY,
    DAY_NAMES,
    WEEK,
    count_slots,
    describe_week,
    divides_week,
    find_week,
    observed_week,
    slot_times,
    week_seasons,
)
from forecastkit.utils.exceptions import InputError, ParameterError
from forecastkit.utils.validation import first_few, refuse

#: Largest whole-number time, such that the steps to be forecast fit in 64 bits.
MAX_POSITION = 1e18
#: Largest distance of a close timestamp from the nearest slot, as a fraction of a step.
CLOSE = 0.1
#: Number of timestamps that determine a grid if there are more.
MANY = 1 << 18


@dataclass(frozen=True)
class TimeGrid:
    """A regular time grid.

    Parameters
    ----------
    kind : {'position', 'fixed', 'month', 'business'}
        Unit of a step: rows, microseconds, calendar months, or the slots of `week` that occur.
    step : int
        Length of a step in that unit.
    phase : int
        Position of ordinal 0 in that unit, in [0, step). For 'business', microseconds from the start of a slot to its
        label.
    day : int
        Day of the month on monthly grids, the last one in months that are shorter; 0 is the last day, -1 the last
        weekday, -2 the first weekday.
    tz : str or None
        Time zone of the stamps. Steps shorter than a day are counted in UTC, longer ones in local time.
    unit : str
        Resolution of returned timestamps ('s', 'ms', 'us' or 'ns').
    period : str or None
        Alias of the user's PeriodIndex.
    week : str
        Slots of the week of a business grid, see `forecastkit.data.week_slots`: ``'1111110'`` leaves Sundays out.
    rounding : {'exact', 'down', 'nearest'}
        Treatment of timestamps off the grid: they are refused, assigned to the slot that starts before them, or to the
        nearest one if it is close.
    """

    kind: str
    step: int = 1
    phase: int = 0
    day: int = 1
    tz: str | None = None
    unit: str = "us"
    period: str | None = None
    week: str = BUSINESS
    rounding: str = field(default="exact", compare=False)

    def ordinals(self, timestamps: pd.Index) -> tuple[np.ndarray, np.ndarray]:
        """Return ordinals (int64) of timestamps, and which of them are on the grid, optionally after `rounding`.

        Timestamps without a zone are local times of the grid's zone.
        """
        if self.tz is not None and getattr(timestamps, "tz", None) is None:
            timestamps = _shown(timestamps, self.tz)
        units, exact = self._units(timestamps)
        if self.rounding == "nearest":
            ordinals, rest = np.divmod(units - self.phase + self.step // 2, self.step)
            return ordinals, np.abs(rest - self.step // 2) <= CLOSE * self.step
        ordinals, rest = np.divmod(units - self._origin, self.step)
        if self.rounding == "exact":
            return ordinals, exact & (rest == 0)
        return ordinals, exact if self.kind == "business" else np.ones(len(ordinals), dtype=bool)

    def ordinals_of(self, timestamps: pd.Index, where: str, places: Places | None = None) -> np.ndarray:
        """Return ordinals of timestamps; those that are not on the grid are refused, labelled by `places`."""
        self.check_kind(timestamps, where)
        ordinals, fits = self.ordinals(timestamps)
        if not fits.all():
            remedy = "Leave them out, or fit with slots='all'." if self.kind == "business" else ""
            rule = f"times must lie on the grid seen at fit ({self.name})"
            _refuse_off(rule, where, timestamps, fits, places, remedy)
        return ordinals

    def check_kind(self, timestamps: pd.Index, where: str) -> None:
        """Refuse timestamps of another kind than the grid's."""
        if self.is_time != isinstance(timestamps, (pd.DatetimeIndex, pd.PeriodIndex)):
            refuse(where, "times must be of the kind seen at fit", f"{type(timestamps).__name__}")
        zone = getattr(timestamps, "tz", None)
        if self.is_time and not self.period and (zone is None) != (self.tz is None):
            rule = f"times must have a zone, as at fit ({self.tz})" if zone is None else "times had no zone at fit"
            refuse(where, rule, first_few(timestamps, 1), "Set timezone= at fit, or tz_localize the times.")

    def timestamps(self, ordinals: np.ndarray) -> pd.Index:
        """Return the times at these ordinals as an index of the user's kind."""
        units = np.asarray(ordinals, dtype="int64") * self.step + self._origin
        if self.kind == "position":
            return pd.Index(units)
        if self.kind == "month":
            months = units.astype("datetime64[M]")
            index = pd.DatetimeIndex(_days_of(months, self.day).astype("datetime64[s]"))
        elif self.kind == "business":
            index = pd.DatetimeIndex(slot_times(units, self.week, self.phase).astype("datetime64[us]"))
        else:
            index = pd.DatetimeIndex(units.astype("datetime64[us]"))
        return self._like_input(index)

    def _units(self, timestamps):
        everywhere = np.ones(len(timestamps), dtype=bool)
        if self.kind == "position":
            return np.asarray(timestamps, dtype="int64"), everywhere
        timestamps = plain_timestamps(timestamps, wall=self.by_wall)
        if self.kind != "month":
            micros = timestamps.as_unit("us")
            exact = everywhere if timestamps.unit != "ns" or self.rounding != "exact" else micros == timestamps
            if self.kind == "fixed":
                return micros.asi8, exact
            number, is_open, labelled = count_slots(micros.asi8, self.week, self.phase)
            return number, is_open & (exact & labelled if self.rounding == "exact" else True)
        days = timestamps.values.astype("datetime64[D]")
        midnight = days == timestamps.values
        months = days.astype("datetime64[M]")
        return months.astype("int64"), midnight & (days == _days_of(months, self.day))

    def _like_input(self, index):
        """Return times in the unit, period or time zone of the data."""
        with contextlib.suppress(pd.errors.OutOfBoundsDatetime):  # after 2262 nanoseconds do not reach
            index = index.as_unit(self.unit)
        if self.period:
            return index.to_period(self.period)
        if self.tz is None:
            return index
        if self.by_wall:
            return _shown(index, self.tz)
        return index.tz_localize("UTC").tz_convert(self.tz)

    @property
    def _origin(self) -> int:
        """The unit of ordinal 0."""
        return 0 if self.kind == "business" else self.phase

    @property
    def slot(self) -> int:
        """Microseconds of a step, or of a slot of the week; 0 of months and positions."""
        return {"fixed": self.step, "business": WEEK // len(self.week)}.get(self.kind, 0)

    @property
    def by_wall(self) -> bool:
        """Whether steps are counted in local time (days and longer) rather than in UTC."""
        return self.kind in ("month", "business") or (self.kind == "fixed" and self.step % DAY == 0)

    @property
    def is_time(self) -> bool:
        return self.kind != "position"

    @property
    def seasons(self) -> tuple[int, ...]:
        """Usual season lengths in steps, the shortest first; (1,) without a season."""
        if self.kind == "position":
            return (1,)
        if self.kind == "business":
            return week_seasons(self.week)
        if self.kind == "month":
            return (12 // self.step,) if 12 % self.step == 0 else (1,)
        if self.step >= DAY:
            return {1: (7,), 7: (52,)}.get(self.step // DAY, (1,))
        if DAY % self.step:
            return (1,)
        daily = DAY // self.step
        return (daily, 7 * daily) if daily <= 1440 else (FIXED["h"] // self.step,)

    @property
    def name(self) -> str:
        """The frequency in words: 'hourly', '15 min', 'monthly'."""
        if self.kind == "position":
            return "by row"
        if self.kind == "business" and self.week == BUSINESS:
            return "business days"
        if self.kind == "business":
            apart = self.slot < DAY and "11" not in self.week  # such as lectures, for which the slot is not informative
            return f"{'weekly' if apart else length_in_words(self.slot)} ({describe_week(self.week, self.phase)})"
        if self.kind == "month":
            return {1: "monthly", 3: "quarterly", 12: "yearly"}.get(self.step, f"every {self.step} months")
        return length_in_words(self.step)

    @property
    def alias(self) -> str:
        """The frequency as a pandas alias, such as ``'15min'``; of slots of the week that of all slots."""
        if self.kind == "business" and self.week == BUSINESS:
            return "B"
        if self.kind == "month":
            unit = max((length, alias) for alias, length in MONTHS.items() if self.step % length == 0)
            business, end = "B" * (self.day < 0), "E" if self.day in (0, -1) else "S"
            return f"{_times(self.step // unit[0])}{business}{unit[1]}{end}"
        step = self.slot or self.step
        alias, length = next((a, n) for a, n in FIXED.items() if step % n == 0)
        if alias == "W":
            alias = f"W-{DAY_NAMES[(self.phase // DAY + 3) % 7].upper()}"  # 1970-01-01 was a Thursday
        return f"{_times(step // length)}{alias}"

    @property
    def start_alias(self) -> str:
        """The alias of slots with the length of the steps, labelled by their starts."""
        if self.kind == "month":
            return self.alias[:-1].replace("B", "") + "S"
        return self.alias.replace("B", "D") if self.kind == "business" else self.alias


def _times(count: int) -> str:
    """Return the number of units as in pandas aliases, empty for 1."""
    return "" if count == 1 else str(count)


def _shown(timestamps: pd.DatetimeIndex, tz: str) -> pd.DatetimeIndex:
    """Return the first of repeated local times, and the next local time after skipped ones."""
    return timestamps.tz_localize(tz, nonexistent="shift_forward", ambiguous=np.ones(len(timestamps), dtype=bool))


def plain_timestamps(timestamps: pd.Index, wall: bool) -> pd.DatetimeIndex:
    """Return timestamps without zone or period, in local time or UTC."""
    if isinstance(timestamps, pd.PeriodIndex):
        timestamps = timestamps.to_timestamp()
    if getattr(timestamps, "tz", None) is None:
        return timestamps
    return _wall(timestamps) if wall else timestamps.tz_convert("UTC").tz_localize(None)


def _wall(timestamps):
    """Return local times; days whose midnight is skipped start at midnight nevertheless."""
    wall = timestamps.tz_localize(None)
    late = np.flatnonzero(wall.values != wall.values.astype("datetime64[D]"))
    if len(late):
        midnight = wall[late].normalize()
        begins = _shown(midnight, timestamps.tz) == timestamps[late]
        values = wall.values.copy()
        values[late[begins]] = midnight.values[begins]
        wall = pd.DatetimeIndex(values, name=wall.name)
    return wall


def _refuse_off(rule, where, timestamps, fits, places, remedy=""):
    places = places or Places(np.zeros(len(timestamps), dtype="int8"), (None,), timestamps)
    refuse(where, rule, places.count(~fits, "off it", "off it"), remedy)


def find_time_grid(
    timestamps: pd.Index,
    first: np.ndarray,
    freq: str | None = None,
    where: str = "Panel",
    places: Places | None = None,
    slots: str | None = None,
) -> TimeGrid:
    """Find the grid of all timestamps.

    Parameters
    ----------
    stamps : Index of int, datetime or period
        Times of all series one after another, rising within each series.
    first : ndarray of int
        Where each series starts in `timestamps`.
    freq : str, optional
        Pandas alias that determines the grid.
    places : Places, optional
        Series of the timestamps, for error messages.
    slots : {None, 'observed', 'all'}
        Whether only the slots of the week that occur are steps. None: if their pattern is clear and `freq` is not
        given.

    Raises
    ------
    InputError
        If timestamps do not lie on a regular grid, or a single one does not determine a step.
    """
    if not isinstance(timestamps, (pd.DatetimeIndex, pd.PeriodIndex)):
        return _position_grid(np.asarray(timestamps, dtype="int64"), first)
    if len(timestamps) > MANY and slots != "observed" and (grid := _grid_of_head(timestamps, first, freq, slots)):
        return grid
    period = timestamps.freq if isinstance(timestamps, pd.PeriodIndex) else None
    tz = str(timestamps.tz) if getattr(timestamps, "tz", None) is not None else None
    wall = plain_timestamps(timestamps, wall=True)
    if wall.unit == "ns" and len(fine := timestamps[wall.as_unit("us") != wall]):
        refuse(where, "times must be whole microseconds", f"{len(fine)} finer: {first_few(fine)}")
    format_like_input = {"tz": tz, "unit": wall.unit, "period": timestamps.freqstr if period else None}
    offset = parse_offset(freq) if freq else period
    guessed = offset is None
    shape = _guess(timestamps, wall, first, where, slots) if guessed else _from_offset(offset, timestamps, wall)
    if slots == "observed":
        shape = narrowed(shape, wall.as_unit("us").asi8, where)
    grid = TimeGrid(**shape, **format_like_input)
    fits = grid.ordinals(timestamps)[1]
    if slots == "observed" and (steps_within(grid.ordinals(timestamps)[0], first) <= 0).any():
        rule = "slots='observed' needs times without clock changes"
        refuse(where, rule, "clock changes in slots that occur", "Leave it out.", ParameterError)
    if not fits.all():
        remedy = "Pass freq= if the grid is another one."
        _refuse_off(f"times must lie on one regular grid ({grid.name})", where, timestamps, fits, places, remedy)
    return grid


def _grid_of_head(timestamps, first, freq, slots):
    """Return the grid of the first rows if all others are on it too; rows are examined in parts to save memory."""
    try:
        grid = find_time_grid(timestamps[:MANY], first[first < MANY], freq, slots=slots)
    except InputError:
        return None
    parts = (timestamps[low : low + MANY] for low in range(MANY, len(timestamps), MANY))
    return grid if all(grid.ordinals(part)[1].all() for part in parts) else None


def _position_grid(values, first):
    if len(values) and np.abs(values.astype("float64")).max() > MAX_POSITION:
        refuse(
            "Panel",
            f"whole-number times must lie within ±{MAX_POSITION:.0e}",
            f"{values[np.abs(values.astype('float64')).argmax()]}",
            "Subtract the first one.",
        )
    steps = steps_within(values, first)
    step = int(np.gcd.reduce(steps)) if len(steps) else 1
    step = max(step, 1)
    return TimeGrid("position", step, int(values[0]) % step if len(values) else 0)


def steps_within(values: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Return differences of consecutive values within each series; series start at the rows `first`."""
    steps = np.diff(values)
    inner = np.ones(len(steps), dtype=bool)
    inner[np.asarray(first[1:], dtype="int64") - 1] = False
    return steps[inner]


def _guess(timestamps, wall, first, where, slots):
    days = wall.values.astype("datetime64[D]")
    micros = wall.as_unit("us").asi8
    steps = steps_within(micros, first)
    if not len(steps):
        refuse(where, "a frequency needs two times of one series", f"{len(timestamps)} time(s)", "Pass freq=.")
    zoned = getattr(timestamps, "tz", None) is not None
    if (days == wall.values).all() and steps.min() >= 28 * DAY and (shape := _guess_months(days, first)):
        return shape
    if slots is None and 0 < steps.min() < 7 * DAY and (steps != steps[0]).any():
        slot = int(np.gcd(np.gcd.reduce(steps), DAY))
        phase = int(micros[0] % slot)
        if week := find_week(micros - phase, slot, _most_frequent(steps), first, zoned):
            return {"kind": "business", "week": week, "phase": phase}
        if np.is_busday(days).all() and steps.min() == slot == DAY and (steps >= 3 * DAY).any():
            return {"kind": "business", "phase": phase}
    if zoned and steps.min() < DAY:
        micros = plain_timestamps(timestamps, wall=False).as_unit("us").asi8
        steps = steps_within(micros, first)
    step = int(np.gcd.reduce(steps)) if slots == "observed" else _most_frequent(steps)
    return {"kind": "fixed", "step": step, "phase": int(micros[0] % step)}


def _most_frequent(steps):
    if (steps == steps[0]).all():
        return int(steps[0])
    lengths, counts = np.unique(steps, return_counts=True)
    return int(lengths[counts.argmax()])


def narrowed(shape: dict, micros: np.ndarray, where: str) -> dict:
    """Return the kind, week and phase of a grid with only the slots of the week in which any of these times lies."""
    slot = shape["step"] if shape["kind"] == "fixed" else 0
    slot = DAY if slot and slot % DAY == 0 else slot
    if shape["kind"] == "business":
        return shape
    if not divides_week(slot):
        rule, got = "slots='observed' needs steps of minutes or hours that make whole days", "other steps"
        refuse(where, rule, got, "Leave it out.", ParameterError)
    phase = int(micros[0] % slot)
    return {"kind": "business", "step": 1, "week": observed_week(micros - phase, slot), "phase": phase}


def _days_of(months, day):
    """Return the day of each of these months, see `TimeGrid.day`."""
    first, last = months.astype("datetime64[D]"), (months + 1).astype("datetime64[D]") - 1
    if day == 0:
        return last
    if day < 0:
        return np.busday_offset(*((last, 0, "backward") if day == -1 else (first, 0, "forward")))
    return np.minimum(first + (day - 1), last)


def _guess_months(days, first):
    months = days.astype("datetime64[M]")
    number = (days - months.astype("datetime64[D]")).astype("int64") + 1
    own = int(number[0]) if (number == number[0]).all() and number[0] <= 28 else None
    candidates = (own,) if own is not None else (0, -1, -2, int(number.max()))
    day = next((day for day in candidates if (days == _days_of(months, day)).all()), None)
    if day is None:
        return None
    step = int(np.gcd.reduce(steps_within(months.astype("int64"), first)))
    return {"kind": "month", "step": step, "day": day, "phase": int(months[0].astype("int64") % step)}


def _from_offset(offset, timestamps, wall):
    alias = unit_of(offset)
    if alias in ("B", "C") and offset.n == 1:
        return {"kind": "business"}
    if step := fixed_step(offset):
        counted = plain_timestamps(timestamps[:1], wall=step % DAY == 0)  # shorter steps than a day in UTC
        return {"kind": "fixed", "step": step, "phase": int(counted.as_unit("us").asi8[0] % step)}
    step = month_step(offset)
    first = wall[0].to_datetime64().astype("datetime64[M]").astype("int64")
    # Timestamps of a period are its first days, although its offset denotes ends.
    starts = alias.endswith("S") or (wall.day == 1).all()
    business = alias.startswith("B")
    day = (-2 if alias.endswith("S") else -1) if business else 1 if starts else 0
    return {"kind": "month", "step": step, "day": day, "phase": int(first % step)}
