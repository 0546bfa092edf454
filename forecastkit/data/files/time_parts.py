"""Times that several columns make together: a date with a time of day, or the parts of a date."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecastkit.data.files import column_names
from forecastkit.data.files.calendar_dates import regularity
from forecastkit.data.files.datetimes import Times, read_times, show_cells, try_times
from forecastkit.data.files.time_columns import HEAD, is_text, joined_name
from forecastkit.data.files.time_of_day import times_of_day
from forecastkit.data.files.time_shapes import MONTHS, PERIODS
from forecastkit.utils.exceptions import InputError
from forecastkit.utils.validation import refuse

#: Parts of a time by name, with the range of each.
PARTS = {
    "year": (column_names.YEARS, 1, 2300),
    "half": (column_names.HALVES, 1, 2),
    "quarter": (column_names.QUARTERS, 1, 4),
    "month": (column_names.MONTHS, 1, 12),
    "week": (column_names.WEEKS, 1, 53),
    "day": (column_names.DAYS, 1, 31),
    "hour": (column_names.HOURS, 0, 24),
    "minute": (column_names.MINUTES, 0, 59),
    "second": (column_names.SECONDS, 0, 59),
    "day of the year": (column_names.DAYS_OF_YEAR, 1, 366),
    "period": (column_names.SLOTS, 1, 100),
}
#: Combinations of parts that form a date, the finest first; those with a day may be followed by hour and minute.
DATE_PARTS = tuple(
    ("year", *rest) for rest in (("month", "day"), ("day of the year",), ("month",), ("week",), ("quarter",), ("half",))
)
#: Orders of dates that do not start with a four-digit year.
ORDERS = ("day month year", "month day year", "year month day")
#: Hours that are numbered by their ends, as the form of times of earlier rows says it.
HOUR_ENDING = "hours 1 to 24"
#: Months that are called periods, likewise.
PERIODS_A_YEAR = "12 periods a year"
#: Numbers of periods of a day; days of a clock change have one hour more or less.
_A_DAY = (24, 48, 96)
#: Parts of a time as text: ``FY2023``, ``Q1``, ``1st quarter``, ``KW 05``, ``H2``.
_PART_TEXTS = {
    "year": r"(?:fy|year|jahr)?[ '’.-]*(?P<number>\d{4})",
    **{
        part: rf"(?:{'|'.join(map(re.escape, PERIODS[part].split()))}|s)?[ .-]*(?P<number>\d{{1,2}})"
        rf"(?:st|nd|rd|th|er|e|º|ª|\.)?[ .-]*(?:{'|'.join(map(re.escape, PERIODS[part].split()))})?\.?"
        for part in ("quarter", "half", "week", "month")
    },
    "hour": r"(?:he|h|hr|hour|stunde|std|hora|heure|ora)?[ .-]*(?P<number>\d{1,2})",
}


def find_parts(free: pd.DataFrame, date: str | None, times: Times | None, where: str) -> tuple[str, ...]:
    """Return columns that form one time: a date and a time of day or hour, or the parts of a date; () without any.

    Parameters
    ----------
    free : DataFrame
        The columns without another role.
    date : str or None
        A column of whole dates.
    times : Times or None
        Its parsed times.
    where : str
        Name of the table in error messages.
    """
    if date is not None:
        clock = _find_clock(free.drop(columns=date), times.values, where)
        return (date, *clock) if clock else ()
    named = {part: _named_part(free, part, where) for part in PARTS}
    for wanted in DATE_PARTS:
        if all(named[part] for part in wanted):
            parts = [named[part] for part in wanted]
            if wanted[-1].startswith("day") and named["hour"]:
                parts += _clock_parts(named)
            return tuple(parts) if _can_join(free, parts) else ()
    return ()


def _named_part(free: pd.DataFrame, part: str, where: str) -> str | None:
    """Return the column that has the name and the values of a part of a time."""
    return next((name for name in free if _is_part(free[name], part, where)), None)


def _is_part(column: pd.Series, part: str, where: str) -> bool:
    """Return whether a column is called like a part of a time and holds one.

    Names of months need no such name, nor do years that have none.
    """
    names, low, high = PARTS[part]
    called = column_names.is_called(column.name, names) or _is_period(column, part, where)
    if part == "year" and str(column.name).startswith("Unnamed") and not is_text(column):
        called, low = True, 1700
    if part == "month" and _are_months(column):
        return True
    if part == "period" and column_names.is_called(column.name, column_names.HOURS):
        return _holds_part(column, part, 1, 25) and column.max() == 25  # the hour that a clock change adds
    if not called and part == "month" and is_text(column):
        head = column.head(HEAD).dropna().astype(str).str.strip(" .").str.lower()
        called = head.nunique() > 2 and head.isin(MONTHS).all()
    return called and _holds_part(column, part, low, high)


def _are_months(column: pd.Series) -> bool:
    """Return whether a column called period numbers twelve of them."""
    called = column_names.is_called(column.name, column_names.PERIODS) and pd.api.types.is_integer_dtype(column)
    return bool(called and column.min() == 1 and column.max() == column.nunique() == 12)


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
    if part == "period" and not _periods_a_day(numbers):
        return False
    return bool(np.isfinite(numbers).all() and (numbers == np.round(numbers)).all() and numbers.min() >= low
                and numbers.max() <= high)  # fmt: skip


def _periods_a_day(numbers: np.ndarray) -> int:
    """Return the number of periods of a day from the greatest that occurs, 0 if it is another one."""
    return next((count for count in _A_DAY if abs(numbers.max() - count) <= count // 24), 0)


def _part_numbers(column: pd.Series, part: str) -> np.ndarray | None:
    """Return the numbers of a part of a time, given as numbers or text; None if a cell is not such a part."""
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
        digits = column_names.is_called(name, column_names.CLOCKS)
        digits = digits and not any(_is_part(free[name], part, where) for part in ("hour", "period"))
        if pd.api.types.is_numeric_dtype(free[name]) and not digits:
            continue
        if times_of_day(free[name]) is not None and _refines(dates, free[[name]]):
            return (name, *_halves_of_day(free.drop(columns=name)))
    found = _clock_parts({part: _named_part(free, part, where) for part in ("hour", "minute", "second")})
    found = found + _halves_of_day(free) if found else [name for name in [_named_part(free, "period", where)] if name]
    return tuple(found) if found and _refines(dates, free[found]) else ()


def _clock_parts(named: dict) -> list:
    """Return the columns of hours, and of minutes and seconds beside them."""
    parts = [named["hour"], named["minute"], named["second"]]
    return parts[: parts.index(None)] if None in parts else parts


def _halves_of_day(free: pd.DataFrame) -> list:
    """Return the column that contains only AM and PM, if there is one."""
    return [name for name in free if is_text(free[name]) and _are_halves(free[name])][:1]


def _are_halves(column: pd.Series) -> bool:
    return bool(column.astype(str).str.fullmatch(r"(?i)\s*[ap]\.?m\.?\s*").all())


def _refines(dates: pd.Series, clock: pd.DataFrame) -> bool:
    """Return whether rows of one date have different times of day."""
    return len(clock.assign(**{"": dates}).drop_duplicates()) > dates.nunique()


def _can_join(frame: pd.DataFrame, parts: Sequence[str]) -> bool:
    try:
        join_times(frame, parts, "")
    except InputError:
        return False
    return True


def join_times(frame: pd.DataFrame, parts: Sequence[str], where: str, order: str = "") -> Times:
    """Return the times that several columns form together.

    Parameters
    ----------
    frame : DataFrame
    parts : sequence of str
        A column of dates and one of clock times or hours (and one of minutes, or of AM and PM), or of numbered periods
        of the day; or a column of years and those of months (and days, hours, minutes), days of the year, quarters or
        weeks, found by their names. Hours from 1 to 24 denote their ends. A time of months, quarters or weeks is
        that of their first day.
    where : str
        Name of the table in error messages.
    order : str
        `Times.order` of earlier rows, so that dates and hours of few rows are read in the same way.

    Raises
    ------
    InputError
        If a cell is blank or not a valid part of a time, or the columns do not form a time.
    """
    for name in parts:
        if frame[name].isna().any():
            refuse(where, f"every row must have a {name!r}", show_cells(frame[name], frame[name].isna().to_numpy()))
    order, _, form = order.partition(", ")
    named, rest = _parts_by_kind(frame, parts, where, form)
    clock, form = _clock_of_parts(frame, named, rest[1:], where, form)
    if "year" in named and not rest:
        date, order = _date_of_parts(frame, named, where), ""
    elif rest and not set(named) & {part for wanted in DATE_PARTS for part in wanted}:
        times = read_times(frame[rest[0]], f"{where}: column {rest[0]!r}", order)
        times = times if order else _most_regular(frame[rest[0]], times, clock)
        date, order = times.values.reset_index(drop=True), times.order
    else:
        rule = "columns of one time must be a date with a clock or an hour, or years with months, weeks or quarters"
        refuse(where, rule, ", ".join(map(repr, parts)))
    values = pd.Series((date + clock).to_numpy(), index=frame.index, name=joined_name(parts))
    return Times(values, f"{order or 'date'}, {form}" if form else order)


def _most_regular(column: pd.Series, times: Times, clock: pd.Series) -> Times:
    """Return the reading of ambiguous dates whose steps, with the times of day, are the most regular."""
    words = times.order.replace("-", " ").replace("/", " ").replace(".", " ")
    if not times.sentence or words not in ORDERS:
        return times
    mark = times.order[len(words.split()[0])]
    others = (try_times(column, mark.join(order.split())) for order in ORDERS if order != words)
    possible = [times, *(other for other in others if other is not None)]
    return max(possible, key=lambda one: regularity((one.values.reset_index(drop=True) + clock).to_numpy()))


def _parts_by_kind(frame: pd.DataFrame, parts: Sequence[str], where: str, form: str) -> tuple[dict[str, str], list]:
    """Return the columns by the part of a time that they hold, and those that hold dates or times of day."""
    named: dict[str, str] = {}
    rest = []
    for name in parts:
        kinds = [kind for kind in PARTS if kind not in named and _is_part(frame[name], kind, where)]
        if form.endswith(("periods a day", PERIODS_A_YEAR)) and column_names.is_called(name, column_names.SLOTS):
            kinds = ["month" if form == PERIODS_A_YEAR else "period"]
        if kinds:
            named[kinds[0]] = name
        else:
            rest.append(name)
    return named, rest


def _date_of_parts(frame: pd.DataFrame, named: dict[str, str], where: str) -> pd.Series:
    year = _whole(frame, named, "year")
    if "week" in named:
        text = [f"{y:04d}-W{w:02d}-1" for y, w in zip(year, _whole(frame, named, "week"), strict=True)]
        try:
            days = pd.to_datetime(pd.Series(text), format="%G-W%V-%u")
        except ValueError:
            refuse(where, "every week must exist in its year", f"week {_whole(frame, named, 'week').max()}")
        return days.astype("datetime64[us]")
    if "month" in named:
        month = _whole(frame, named, "month")
    elif "quarter" in named:
        month = 3 * _whole(frame, named, "quarter") - 2
    else:
        month = 6 * _whole(frame, named, "half") - 5 if "half" in named else np.ones_like(year)
    days = [_whole(frame, named, part) for part in ("day", "day of the year") if part in named]
    day = days[0] if days else np.ones_like(year)
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    dates = months.astype("datetime64[D]") + (day - 1)
    span = "datetime64[Y]" if "day of the year" in named else "datetime64[M]"
    wrong = dates.astype(span) != months.astype(span)
    if wrong.any():
        row = int(wrong.argmax())
        refuse(where, "every date must exist", f"{year[row]}-{month[row]:02d}-{day[row]:02d} in row {row + 1}")
    return pd.Series(dates.astype("datetime64[us]"))


def _clock_of_parts(frame: pd.DataFrame, named: dict, rest: list, where: str, form: str) -> tuple[pd.Series, str]:
    """Return the time since midnight that columns of hours, minutes, periods or times of day make, and its form."""
    hour, minute, second = (
        _whole(frame, named, part) if part in named else np.zeros(len(frame), dtype="int64")
        for part in ("hour", "minute", "second")
    )
    if form == HOUR_ENDING or (not form and len(hour) and hour.max() == 24 and hour.min() >= 1):
        hour, form = hour - 1, HOUR_ENDING
    if "month" in named and column_names.is_called(named["month"], column_names.PERIODS) and not form:
        form = PERIODS_A_YEAR if pd.api.types.is_numeric_dtype(frame[named["month"]]) else ""
    if "period" in named:
        minute, form = _minutes_of_periods(frame[named["period"]], where, form)
    clock = pd.Series((60 * (60 * hour + minute) + second).astype("timedelta64[s]"))
    for name in rest:
        if _are_halves(frame[name]):
            after_noon = frame[name].astype(str).str.strip().str.lower().str.startswith("p").to_numpy()
            clock = clock % pd.Timedelta("12h") + pd.to_timedelta(12 * after_noon, unit="h")
            continue
        if (read := times_of_day(frame[name], form)) is None:
            refuse(where, f"{name!r} must contain times of day such as 18:00", repr(str(frame[name].iloc[0])))
        clock, form = clock + read[0].reset_index(drop=True), read[1]
    return clock, form


def _minutes_of_periods(column: pd.Series, where: str, form: str) -> tuple[np.ndarray, str]:
    """Return the minutes from midnight to the starts of numbered periods, such as 1 to 48."""
    numbers = column.to_numpy(dtype="int64")
    count = int(form.split()[0]) if form.endswith("periods a day") else _periods_a_day(numbers)
    if (odd := (numbers < 1) | (numbers > count)).any():
        remedy = "Days of a clock change have more periods: use a column of times in UTC, or leave these rows out."
        refuse(where, f"{column.name!r} must number the {count} periods of a day", show_cells(column, odd), remedy)
    return (numbers - 1) * (1440 // count), f"{count} periods a day"


def _whole(frame: pd.DataFrame, named: dict[str, str], part: str) -> np.ndarray:
    return _part_numbers(frame[named[part]], part).astype("int64")
