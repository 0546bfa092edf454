"""Conversion of wide tables, whose headers are times, to long format."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecastkit.data.files import column_names
from forecastkit.data.files.calendar_dates import dates_of
from forecastkit.data.files.column_kinds import odd_cells
from forecastkit.data.files.datetimes import is_time, read_times, show_cells
from forecastkit.data.files.dialects import TOTAL
from forecastkit.data.files.time_columns import is_text, try_times
from forecastkit.data.files.time_shapes import MONTHS
from forecastkit.utils.exceptions import InputError
from forecastkit.utils.validation import first_few, refuse

#: Number of headers that must be times, and of headers that number steps.
FEWEST, FEWEST_STEPS = 3, 12
#: Prefixes of headers that number steps, such as ``d_1``; columns of R without names are ``V1``, ``V2``.
_STEP_PREFIXES = frozenset(
    [
        "",
        *"dhmqtvwy",
        *["day", "hour", "month", "obs", "period", "quarter", "step", "tick", "time", "week", "wk", "year"],
    ]
)
_YEAR = re.compile(r"([^\W\d]+[ _.-]?)?((?:1[7-9]|20|21|22)\d{2})(?:\s*\[[^\]]*\])?")
_MONTH = re.compile(r"m?[ _.-]?(\d{1,2})")
_QUARTER = re.compile(
    r"(?:[qtk]|qtr|quarter|quartal|trim\w*)[ _.-]?([1-4])|([1-4])\.?[ _.-]?(?:[qtk]|qtr|quarter|quartal|trim\w*)"
)
_DAY = re.compile(r"(?:d|day|value|val|v|tag|dia|jour)?[ _.-]?(\d{1,2})")
_CLOCK = re.compile(r"(\d{1,2})[:.](\d{2})(?::00)?")
#: Words before the numbers of the periods of a day, such as ``HH01`` to ``HH48``.
_PERIOD = re.compile(
    r"(?:hh|h|p|t|v|q|qh|sp|ptu|kwh|kw|mwh|mw|val|value|read|reading|period|interval|slot|block)?[ _.-]?(\d{1,2})"
)
_HOUR = re.compile(r"(?:h|he|hour|std|stunde|uhr)?[ _.-]?(\d{1,2})(?:[:.h]00)?(?:\s*h)?", re.IGNORECASE)


@dataclass(frozen=True)
class Melted:
    """A wide table in long format.

    Attributes
    ----------
    frame : DataFrame
        The columns that are not times, then the headers, then `value`.
    time, value : str
        Names of the columns of the headers and of the cells.
    headers : list
        Headers that are times.
    totals : list
        Columns that are left out, because they aggregate the others: at most of the times they hold later values.
    blank : int
        Number of rows without any value, such as headings, that are left out.
    """

    frame: pd.DataFrame
    time: str
    value: str
    headers: list
    totals: list
    blank: int = 0

    @property
    def sentence(self) -> str:
        """Return what was read, and what was left out."""
        headers = first_few(map(str, self.headers), 2)
        left_out = f"; {first_few(map(repr, self.totals))} left out" if self.totals else ""
        if self.blank:
            left_out += f"; {self.blank} row{'s' * (self.blank > 1)} without values left out"
        times = "times" if pd.api.types.is_datetime64_any_dtype(self.frame[self.time]) else "steps of time"
        return f"the {len(self.headers)} headers {headers} are read as {times}, each row as a series{left_out}"


def melt_wide(frame: pd.DataFrame, time: str | None = None, value: str = "value", where: str = "data") -> Melted | None:
    """Return a table whose headers are times in long format; None if they are not times.

    Headers may be dates or years; months or quarters, with a column of years; years, with a column of months; days,
    with columns of years and months; hours and parts of hours, with a column of dates; and years, with a column of days
    such as ``1/31``.

    Parameters
    ----------
    frame : DataFrame
        Not changed.
    time, value : str
        Names of the new columns. By default the time column is ``time``, or ``year``, ``quarter``, ``month`` or
        ``hour`` if it is only that.
    where : str
        Name of the table in error messages.

    Raises
    ------
    InputError
        If a column whose header is a time contains text.
    """
    numbers = [name for name in frame if _may_be_cells(frame[name])]
    totals = [name for name in numbers if TOTAL.fullmatch(str(name).strip())]
    numeric = [name for name in numbers if name not in totals]
    found = _read_headers(frame, numeric)
    if found is None:
        return None
    headers, meaning, kind = found
    _refuse_text(where, frame, [name for name in frame if name not in numbers], headers)
    filled = frame[headers].notna().any(axis=1).to_numpy()
    frame = frame[filled]
    if kind in ("month", "quarter"):
        years = _year_column(frame)
        totals += [name for name in numeric if name not in (*headers, years) and not _names_rows(frame[name])]
        frame = frame.rename(columns={} if column_names.is_called(years, column_names.YEARS) else {years: "year"})
    kept = [name for name in frame if name not in headers and name not in totals]
    time = time or _free_name(kind, kept)
    value = _free_name(value, [*kept, time])
    rows, columns = len(frame), len(headers)
    long = pd.DataFrame({name: _repeated(frame[name], columns) for name in kept})
    long[time] = np.tile(pd.Index(meaning).to_numpy(), rows)
    long[value] = frame[headers].to_numpy(dtype="float64", na_value=np.nan).ravel()
    if kind == "day":
        long = _existing_days(long, time)
    days = next((name for name in kept if _holds_days(frame[name])), None)
    if days is not None and _YEAR.fullmatch(str(headers[0])):  # not all days occur in all years
        mark = re.sub(r"\d", "", long[days].iloc[0])[:1]
        years = pd.DatetimeIndex(long[time]).year.astype(str)
        long[time] = long.pop(days).str.rstrip("./-") + mark + years
        long = long[long[value].notna()].reset_index(drop=True)
    return Melted(long, time, value, headers, totals, int((~filled).sum()))


def _existing_days(long: pd.DataFrame, day: str) -> pd.DataFrame:
    """Return the rows whose day exists in their year and month; the others are blank or hold a mark."""
    year, month = (
        next(name for name in long if column_names.is_called(name, names))
        for names in (column_names.YEARS, column_names.MONTHS)
    )
    number = long[month] if pd.api.types.is_numeric_dtype(long[month]) else long[month].map(_month_of)
    return long[dates_of(long[year].to_numpy(), number.to_numpy(), long[day].to_numpy())[1]].reset_index(drop=True)


def _refuse_text(where: str, frame: pd.DataFrame, others: list, headers: list) -> None:
    """Refuse a column of text whose header is a time like those of the columns of numbers."""
    for name in others:
        again = _read_headers(frame, [*headers, name])
        if again is not None and name in again[0]:
            rule = f"column {name!r} must contain numbers, as those of {first_few(map(repr, headers), 2)} do"
            refuse(where, rule, show_cells(frame[name], odd_cells(frame[name])), "Leave missing values blank.")


def _holds_days(column: pd.Series) -> bool:
    """Return whether a column contains days without a year, each once, such as ``1/31`` or ``31.01.``."""
    if not len(column) or pd.api.types.is_numeric_dtype(column):
        return False
    return bool(column.is_unique and column.astype(str).str.fullmatch(r"\d{1,2}([/.-])\d{1,2}\.?").all())


def _names_rows(column: pd.Series) -> bool:
    """Return whether numbers beside months name series or are constant, unlike aggregates such as annual means."""
    return column_names.holds(column.name, column_names.SERIES) or column.nunique(dropna=False) == 1


def _may_be_cells(column: pd.Series) -> bool:
    return (pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)) or column.isna().all()


def _free_name(name: str, taken: list) -> str:
    lowered = {column_names.plain(one) for one in taken}
    while name in lowered:
        name += "_"
    return name


def _repeated(column: pd.Series, times: int) -> pd.Series:
    """Repeat each cell; a blank name becomes an empty one."""
    text = not pd.api.types.is_numeric_dtype(column) and column.dtype.kind not in "mM"
    column = column.astype(object).where(column.notna(), "") if text else column
    return pd.Series(column.array.repeat(times) if hasattr(column.array, "repeat") else np.repeat(column, times))


def _read_headers(frame: pd.DataFrame, numeric: list) -> tuple[list, list, str] | None:
    """Return the headers that are times, their values, and their kind."""
    others = [name for name in frame if name not in numeric]
    years = _matching(numeric, _year_of)
    prefixes = {_YEAR.fullmatch(str(name).strip())[1] for name in years}
    if len(years) >= FEWEST and len(prefixes) == 1 and _mostly(years, numeric):
        by_month = any(_holds_months(frame[name]) for name in frame if name not in years)
        if by_month:
            return list(years), list(years.values()), "year"
        return list(years), [pd.Timestamp(year, 1, 1) for year in years.values()], "time"
    if _year_column(frame) is not None:
        months = _matching(numeric, _month_of)
        if len(months) >= FEWEST and len(set(months.values())) == len(months):
            return list(months), list(months.values()), "month"
        for kind, pattern, count in (("month", _MONTH, 12), ("quarter", _QUARTER, 4)):
            found = _matching(numeric, lambda name, pattern=pattern: _number_of(name, pattern))
            if sorted(found.values()) == list(range(1, count + 1)):
                return list(found), list(found.values()), kind
    if _year_column(frame) is not None and any(column_names.is_called(name, column_names.MONTHS) for name in frame):
        days = _matching(numeric, lambda name: _number_of(name, _DAY))
        if sorted(days.values()) == list(range(1, 32)):
            return list(days), list(days.values()), "day"
    filled = [name for name in numeric if frame[name].notna().any()]  # the hour of a clock change may be blank
    hours = _matching(filled, _hour_of)
    whole_day = sorted(hours.values()) in (list(range(24)), list(range(1, 25)))
    dated = any(_holds_dates(frame[name]) for name in others)
    if whole_day and dated and len(_matching(filled, _minutes_of)) in (0, 24):
        return list(hours), list(hours.values()), "hour"
    if dated and (periods := _periods(filled)):
        return list(periods), list(periods.values()), "period"
    return _dates(numeric) or _steps(frame, numeric)


def _periods(numeric: list) -> dict:
    """Return headers that are the half hours or quarters of an hour of a day, numbered or by their times."""
    for count in (48, 96):
        step, numbers = 1440 // count, list(range(1, count + 1))
        clocks = _matching(numeric, _minutes_of)
        found = {name: (minutes // step) % count + 1 for name, minutes in clocks.items() if minutes % step == 0}
        if len(found) < len(clocks):
            continue
        if found and next(iter(clocks.values())) == step:  # named by their ends
            found = {name: (number - 2) % count + 1 for name, number in found.items()}
        found = found or _matching(numeric, lambda name: _number_of(name, _PERIOD))
        if sorted(found.values()) == numbers:
            return found
    return {}


def _minutes_of(name: object) -> int | None:
    found = _CLOCK.fullmatch(str(name).strip())
    return 60 * int(found[1]) + int(found[2]) if found else None


def _dates(numeric: list) -> tuple[list, list, str] | None:
    dates = [name for name in numeric if isinstance(name, pd.Timestamp) or is_time(str(name))]
    if len(dates) < FEWEST or not _mostly(dates, numeric):
        return None
    try:
        read = read_times(pd.Series([str(name) for name in dates]), "headers")
    except InputError:
        return None
    if read.values.duplicated().any() or not pd.api.types.is_datetime64_any_dtype(read.values):
        return None
    return dates, read.values.tolist(), "time"


def _steps(frame: pd.DataFrame, numeric: list) -> tuple[list, list, str] | None:
    """Return headers that number successive steps if text names the rows, and no column may hold times."""
    found = [(name, re.fullmatch(r"([a-z]*)[ _.-]?(\d+)", str(name).strip().lower())) for name in numeric]
    headers = [name for name, match in found if match and match[1] in _STEP_PREFIXES]
    numbers = [int(match[2]) for _, match in found if match and match[1] in _STEP_PREFIXES]
    if len(headers) < FEWEST_STEPS or not _mostly(headers, numeric) or (np.diff(numbers) != 1).any():
        return None
    names = [name for name in frame if name not in headers]
    text = [name for name in names if is_text(frame[name])]
    if any(column_names.is_called(name, column_names.TIMES) or try_times(frame[name]) is not None for name in names):
        return None
    if not text or frame[text].isna().any(axis=None) or frame.duplicated(text).any():
        return None
    return headers, list(range(1, len(headers) + 1)), "time"


def _matching(names: list, meaning) -> dict:
    found = {name: meaning(name) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def _mostly(headers, numeric: list) -> bool:
    """Return whether these are the numeric columns, except for a few such as a latitude."""
    return len(headers) >= 0.75 * len(numeric) or len(numeric) - len(headers) <= 2


def _year_of(name: object) -> int | None:
    found = _YEAR.fullmatch(str(name).strip())
    return int(found[2]) if found else None


def _month_of(name: object) -> int | None:
    """Return the number of a month by its name, with or without accents."""
    return MONTHS.get(str(name).strip(" .").lower()) or MONTHS.get(column_names.plain(name).strip(" ."))


def _number_of(name: object, pattern: re.Pattern) -> int | None:
    """Return the number of a month or quarter: 1 of ``Q1``, ``1Q`` or ``M01``."""
    found = pattern.fullmatch(column_names.plain(name))
    return int(next(filter(None, found.groups()))) if found else None


def _year_column(frame: pd.DataFrame) -> str | None:
    """Return the column of years: one with that name, or the first one if it has no name and holds years."""
    for name in frame:
        if column_names.is_called(name, column_names.YEARS):
            return name
    if not len(frame.columns):
        return None
    first = frame.columns[0]
    blank = str(first).strip() == "" or str(first).startswith("Unnamed")
    whole = blank and pd.api.types.is_integer_dtype(frame[first])
    return first if whole and frame[first].between(1700, 2300).all() else None


def _hour_of(name: object) -> int | None:
    found = _HOUR.fullmatch(str(name).strip())
    return int(found[1]) if found and int(found[1]) <= 24 else None


def _holds_months(column: pd.Series) -> bool:
    if not column_names.is_called(column.name, column_names.MONTHS):
        return False
    return bool(column.nunique() == len(column) <= 12)


def _holds_dates(column: pd.Series) -> bool:
    return try_times(column) is not None if not pd.api.types.is_numeric_dtype(column) else False
