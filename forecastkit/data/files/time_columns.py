"""Finds the column of times of a table, or the columns that make one time together."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecastkit.data.files import column_names, datetimes
from forecastkit.data.files.calendar_dates import regularity
from forecastkit.data.files.datetimes import (
    Times,
    is_categories,
    is_time,
    read_clock,
    read_numbers,
    read_times,
    show_cells,
)
from forecastkit.data.files.time_shapes import MONTHS, PERIODS, named_period
from forecastkit.utils.exceptions import InputError
from forecastkit.utils.validation import refuse

#: Cells that decide whether a column may hold times.
HEAD = 50
#: Parts of a time by their names, with the numbers that each may be.
PARTS = {
    "year": (column_names.YEARS, 1, 2300),
    "half": (column_names.HALVES, 1, 2),
    "quarter": (column_names.QUARTERS, 1, 4),
    "month": (column_names.MONTHS, 1, 12),
    "week": (column_names.WEEKS, 1, 53),
    "day": (column_names.DAYS, 1, 31),
    "hour": (column_names.HOURS, 0, 24),
    "minute": (column_names.MINUTES, 0, 59),
}
#: Parts that a date is made of, the finest first; each may be followed by hour and minute where it ends in a day.
DATE_PARTS = (("year", "month", "day"), ("year", "month"), ("year", "week"), ("year", "quarter"), ("year", "half"))
#: Parts of a time as text: ``FY2023``, ``Q1``, ``1st quarter``, ``KW 05``, ``H2``.
_PART_TEXTS = {
    "year": r"(?:fy|year|jahr)?[ '’.-]*(?P<number>\d{4})",
    **{
        part: rf"(?:{'|'.join(map(re.escape, PERIODS[part].split()))}|s)?[ .-]*(?P<number>\d{{1,2}})"
        rf"(?:st|nd|rd|th|er|e|º|ª|\.)?[ .-]*(?:{'|'.join(map(re.escape, PERIODS[part].split()))})?\.?"
        for part in ("quarter", "half", "week", "month")
    },
}


@dataclass(frozen=True)
class TimeColumns:
    """The time of each row.

    Attributes
    ----------
    name : str or None
        The column of times; where several make one, their names joined by ``_``. None where there is none.
    parts : tuple of str
        Those columns, where there are several.
    times : Times or None
    others : tuple of str
        Further columns that hold times.
    tied : bool
        Whether one of them is as likely the time as the one that was taken.
    """

    name: str | None = None
    parts: tuple[str, ...] = ()
    times: Times | None = None
    others: tuple[str, ...] = ()
    tied: bool = False

    @property
    def values(self) -> pd.Series | None:
        return None if self.times is None else self.times.values

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the times were read from."""
        return self.parts or (() if self.name is None else (self.name,))


def joined_name(parts: Sequence[str]) -> str:
    """Return the name of a time that several columns make."""
    return "_".join(map(str, parts))


def is_text(column: pd.Series) -> bool:
    """Return whether a column may hold times: text, coded or not, or times."""
    return not pd.api.types.is_numeric_dtype(column) and not (
        is_categories(column) and pd.api.types.is_numeric_dtype(column.cat.categories)
    )


def try_times(column: pd.Series) -> Times | None:
    """Return the times of a column of text or times, None where it is not one of times."""
    return datetimes.try_times(column) if is_text(column) else None


def begins_as_times(cells: pd.Series) -> bool:
    """Return whether the first cells of a column that are not blank are times, or most look like one."""
    cells = cells.dropna().head(HEAD)
    if not len(cells):
        return False
    cells = cells.astype(object) if is_categories(cells) else cells
    return try_times(cells) is not None or cells.map(lambda cell: is_time(str(cell))).mean() > 0.5


def find_text_times(free: pd.DataFrame, where: str) -> dict[str, Times]:
    """Return the columns of text or times that hold times in every cell.

    Raises
    ------
    InputError
        Where columns begin as times and none can be read to its end: better a word about the odd cells than rows taken
        in their order.
    """
    begun = [name for name in free if is_text(free[name]) and begins_as_times(free[name])]
    found = {name: times for name in begun if (times := try_times(free[name])) is not None}
    if begun and not found:
        name = min(begun, key=lambda name: column_names.likeness(name, column_names.TIMES))
        read_times(free[name], f"{where}: time column {name!r}")
    return found


def rank_times(found: dict[str, Times]) -> tuple[list[str], bool]:
    """Return the columns of times, the most likely first, and whether the first two tie.

    Columns that distinguish rows come first, then those with most times, starts of intervals, and names of times.
    """
    distinct = {name: times.values.nunique() if len(found) > 1 else 1 for name, times in found.items()}
    most = max(distinct.values(), default=0)
    keys = {
        name: (
            len(found) > 1 and distinct[name] < len(times.values),
            2 * distinct[name] < most,
            column_names.holds(name, column_names.LATER),
            *column_names.likeness(name, column_names.TIMES),
        )
        for name, times in found.items()
    }
    ranked = sorted(found, key=keys.__getitem__)
    return ranked, len(ranked) > 1 and keys[ranked[0]] == keys[ranked[1]]


# Several columns ------------------------------------------------------------------------------------------------------


def find_parts(free: pd.DataFrame, date: str | None, times: Times | None, where: str) -> tuple[str, ...]:
    """Columns that make one time together: a date with a clock or an hour, or the parts of a date; () where none do.

    Parameters
    ----------
    free : DataFrame
        The columns without another role.
    date : str or None
        A column of whole dates.
    times : Times or None
        Its times.
    where : str
        What a refusal calls the table.
    """
    if date is not None:
        clock = _find_clock(free.drop(columns=date), times.values, where)
        return (date, *clock) if clock else ()
    named = {part: _named_part(free, part, where) for part in PARTS}
    for wanted in DATE_PARTS:
        if all(named[part] for part in wanted):
            parts = [named[part] for part in wanted]
            if wanted[-1] == "day" and named["hour"]:
                parts += [named["hour"], *([named["minute"]] if named["minute"] else [])]
            return tuple(parts) if _can_join(free, parts) else ()
    return ()


def _named_part(free: pd.DataFrame, part: str, where: str) -> str | None:
    """Return the column that is called like a part of a time and holds one."""
    names, low, high = PARTS[part]
    for name in free:
        called = column_names.is_called(name, names) or _is_period(free[name], part, where)
        if called and _holds_part(free[name], part, low, high):
            return name
    return None


def _is_period(column: pd.Series, part: str, where: str) -> bool:
    """Return whether a column named period contains months or quarters such as ``M01`` and ``Q1``."""
    if not column_names.is_called(column.name, column_names.PERIODS) or not is_text(column):
        return False
    letter = {"month": "M", "quarter": "Q"}.get(part)
    cells = column.dropna().astype(str).str.strip()
    if letter is None or not cells.str.fullmatch(rf"{letter}\d\d?").all():
        return False
    beyond = (cells.str[1:].astype("int64") > PARTS[part][2]).reindex(column.index, fill_value=False).to_numpy()
    if beyond.any():
        rule = f"column {column.name!r} must contain {part}s"
        refuse(where, rule, show_cells(column, beyond), "Leave these rows out if they are averages of a year.")
    return True


def _holds_part(column: pd.Series, part: str, low: int, high: int) -> bool:
    if column.isna().any() or pd.api.types.is_bool_dtype(column):
        return False
    numbers = _part_numbers(column, part)
    if numbers is None:
        return False
    if part == "year" and numbers.min() < 1000:  # 0 and 1 count years
        return False
    return bool(np.isfinite(numbers).all() and (numbers == np.round(numbers)).all() and numbers.min() >= low
                and numbers.max() <= high)  # fmt: skip


def _part_numbers(column: pd.Series, part: str) -> np.ndarray | None:
    """Numbers of a part of a time, given as numbers or as text; None where a cell is no such part."""
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype="float64")
    if part not in _PART_TEXTS:
        return None
    text = column.astype(str).str.strip(" .").str.lower()
    months = text.map(MONTHS) if part == "month" else None
    if months is not None and not months.isna().any():
        return months.to_numpy(dtype="float64")
    short = text.str.fullmatch(r"fy[ '’.-]*\d{2}").all() if part == "year" else False
    text = text.str.replace(r"(\d{2})$", r"20\1", regex=True) if short else text
    numbers = text.str.extract(rf"^{_PART_TEXTS[part]}$")["number"]
    return None if numbers.isna().any() else numbers.to_numpy(dtype="float64")


def _find_clock(free: pd.DataFrame, dates: pd.Series, where: str) -> tuple[str, ...]:
    """Return the column of clock times, or those of hours and minutes, beside a column of whole dates."""
    if getattr(dates.dt, "tz", None) is not None or (dates != dates.dt.normalize()).any():
        return ()
    for name in free:
        if is_text(free[name]) and times_of_day(free[name]) is not None and _refines(dates, free[[name]]):
            return (name,)
    hour, minute = _named_part(free, "hour", where), _named_part(free, "minute", where)
    found = tuple(name for name in (hour, minute) if name is not None) if hour is not None else ()
    return found if found and _refines(dates, free[list(found)]) else ()


def _refines(dates: pd.Series, clock: pd.DataFrame) -> bool:
    """Return whether rows of one date have different times of day."""
    return len(clock.assign(**{"": dates}).drop_duplicates()) > dates.nunique()


def times_of_day(column: pd.Series) -> pd.Series | None:
    """Times since midnight of cells such as ``18:00``, ``18.00.00`` or ``6:00 pm``; of intervals their start.

    Hours alone, such as ``00 - 01`` or ``6 pm``, are times of day in a column that is called so. None where a cell is
    no time of day.
    """
    if column.isna().any():
        return None
    text = column.astype(str)
    hours = column_names.is_called(column.name, column_names.HOURS | column_names.CLOCKS)
    if not text.head(HEAD).str.contains(r"\d" if hours else r"\d[:.h]\d\d", regex=True).all():
        return None
    return read_clock(text.str.replace(r"(?<=\d)[.h](?=\d\d)", ":", regex=True))


def _can_join(frame: pd.DataFrame, parts: Sequence[str]) -> bool:
    try:
        join_times(frame, parts, "")
    except InputError:
        return False
    return True


def join_times(frame: pd.DataFrame, parts: Sequence[str], where: str) -> Times:
    """Return the times that several columns make together.

    Parameters
    ----------
    frame : DataFrame
    parts : sequence of str
        A column of dates and one of clock times or hours (and one of minutes); or a column of years and those of months
        (and days, hours, minutes), quarters or weeks, found by their names. Hours from 1 to 24 are those that end then.
        A time of months, quarters or weeks is that of their first day.

    Raises
    ------
    InputError
        Where a cell is blank or no such time, or the columns are no parts of one time.
    """
    named: dict[str, str] = {}
    rest = []
    for name in parts:
        kinds = [
            part
            for part, (names, *_) in PARTS.items()
            if column_names.is_called(name, names) or _is_period(frame[name], part, where)
        ]
        kind = next(
            (kind for kind in kinds if kind not in named and _holds_part(frame[name], kind, *PARTS[kind][1:])), None
        )
        if kind is None:
            rest.append(name)
        else:
            named[kind] = name
    for name in parts:
        if frame[name].isna().any():
            refuse(where, f"every row must have a {name!r}", show_cells(frame[name], frame[name].isna().to_numpy()))
    if "year" in named and not rest:
        base, order = _date_of_parts(frame, named, where)
    elif rest and not set(named) & {"year", "half", "quarter", "month", "week", "day"}:
        first = read_times(frame[rest[0]], f"{where}: column {rest[0]!r}")
        base, order = first.values.reset_index(drop=True), first.order
        for name in rest[1:]:
            clock = times_of_day(frame[name])
            if clock is None:
                refuse(where, f"{name!r} must hold times of day such as 18:00", repr(str(frame[name].iloc[0])))
            base = base + clock.reset_index(drop=True)
    else:
        rule = "columns of one time must be a date with a clock or an hour, or years with months, weeks or quarters"
        refuse(where, rule, ", ".join(map(repr, parts)))
    base = base + _clock_of_parts(frame, named)
    words = " + ".join(map(str, parts))
    return Times(
        pd.Series(base.to_numpy(), index=frame.index, name=joined_name(parts)),
        f"{words}" + (f" ({order})" if order else ""),
    )


def _date_of_parts(frame: pd.DataFrame, named: dict[str, str], where: str) -> tuple[pd.Series, str]:
    year = _whole(frame, named, "year")
    if "week" in named:
        text = [f"{y:04d}-W{w:02d}-1" for y, w in zip(year, _whole(frame, named, "week"), strict=True)]
        try:
            days = pd.to_datetime(pd.Series(text), format="%G-W%V-%u")
        except ValueError:
            refuse(where, "every week must exist in its year", f"week {_whole(frame, named, 'week').max()}")
        return days.astype("datetime64[us]"), ""
    if "month" in named:
        month = _whole(frame, named, "month")
    elif "quarter" in named:
        month = 3 * _whole(frame, named, "quarter") - 2
    else:
        month = 6 * _whole(frame, named, "half") - 5 if "half" in named else np.ones_like(year)
    day = _whole(frame, named, "day") if "day" in named else np.ones_like(year)
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    dates = months.astype("datetime64[D]") + (day - 1)
    wrong = dates.astype("datetime64[M]") != months
    if wrong.any():
        row = int(wrong.argmax())
        refuse(where, "every date must exist", f"{year[row]}-{month[row]:02d}-{day[row]:02d} in row {row + 1}")
    return pd.Series(dates.astype("datetime64[us]")), ""


def _clock_of_parts(frame: pd.DataFrame, named: dict[str, str]) -> pd.Series:
    """Time since midnight that hours and minutes make."""
    hour = _whole(frame, named, "hour") if "hour" in named else np.zeros(len(frame), dtype="int64")
    if len(hour) and hour.max() == 24 and hour.min() >= 1:  # hours that are called by their end
        hour = hour - 1
    minute = _whole(frame, named, "minute") if "minute" in named else np.zeros(len(frame), dtype="int64")
    return pd.Series((60 * (60 * hour + minute)).astype("timedelta64[s]"))


def _whole(frame: pd.DataFrame, named: dict[str, str], part: str) -> np.ndarray:
    return _part_numbers(frame[named[part]], part).astype("int64")


# Numbers as times -----------------------------------------------------------------------------------------------------


#: The smallest number that is read as yyyymmdd.
EARLIEST_DIGITS = 15_000_101
#: Number of successive dates that are recognized without the name of a time.
MIN_DATES = 8


def numbered_times(column: pd.Series, only_exact: bool = False) -> pd.Series | None:
    """Return the times of a column of numbers named like a time, such as years; None if it is not one.

    A word of the name suffices for Unix times, decimal years and dates of spreadsheets, and successive dates such as
    20240131 need no name; `only_exact` returns only these.
    """
    if not pd.api.types.is_numeric_dtype(column) or column.isna().any():
        return None
    # Names that hold the word of a date, such as MESS_DATUM, are of times where the numbers have their digits.
    digits = column.dtype.kind == "i" and column.min() >= EARLIEST_DIGITS
    called = (digits and named_period(column.name) == "date") or column_names.is_called(column.name, column_names.TIMES)
    worded = column_names.holds(column.name, column_names.DATES | column_names.YEARS)
    if not (called or worded or digits):
        return None
    try:
        times = read_numbers(column, "")
    except InputError:
        return None
    exact = worded and times.order.startswith(("unix", "decimal", "Excel"))
    if digits and times.order.startswith("yyyymmdd"):
        days = times.values.to_numpy()
        exact = times.values.nunique() >= MIN_DATES and regularity(days)[0] > 0.5
    return times.values if exact or (called and not only_exact) else None
