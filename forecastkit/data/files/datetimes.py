"""Reads columns of times, deciding on their form from the whole column."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta, timezone

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from forecastkit.utils.exceptions import InputError
from forecastkit.utils.validation import refuse, some


@dataclass(frozen=True, eq=False)
class Times:
    """A column of times as read.

    Attributes
    ----------
    values : pandas.Series
        datetime64 with the index and the name of the cells, or int64 for positions.
    order : str
        How they are written, such as ``"day.month.year"``; empty when they were times already. Pass it as `order` when
        later rows of the same source are read: an ambiguous date is then read as it was the first time.
    sentence : str
        What was guessed, in one line; empty where the cells allow no other reading.
    """

    values: pd.Series
    order: str
    sentence: str = ""


_CLOCK = (
    r"(?:[T ]\s*(?P<hour>\d{1,2})(?::(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?)?"
    r"\s*(?P<half>[AaPp][Mm])?\s*(?P<zone>Z|UTC|[+-]\d{2}(?::?\d{2})?)?)?"
)
_SHAPES = tuple(
    re.compile(rf"^\s*{shape}\s*$")
    for shape in (
        rf"(?P<year>\d{{4}})(?P<mark>[-/.])(?P<month>\d{{1,2}})(?:[-/.](?P<day>\d{{1,2}}){_CLOCK})?",
        rf"(?P<first>\d{{1,2}})(?P<mark>[-/.])(?P<other>\d{{1,2}})[-/.](?P<year>\d{{4}}|\d{{2}}){_CLOCK}",
        r"(?P<year>\d{4})(?P<mark>[- ]?)[Qq](?P<quarter>[1-4])",
        r"(?P<month>\d{1,2})(?P<mark>[-/.])(?P<year>\d{4})",
    )
)
_ANY_TIME = "every cell must be a time, such as 2024-01-31 13:00"


def parse_times(values: pd.Series, where: str = "time", order: str = "") -> pd.Series:
    """Read a column of times, deciding on its form from the whole column.

    Parameters
    ----------
    values : pandas.Series
        Text: ISO dates and datetimes with or without offset, year-month, quarters, and dates with the day or the month
        first. Numbers: years, ``yyyymm``, ``yyyymmdd``, unix seconds, milliseconds and microseconds; other whole
        numbers are positions. Datetimes pass.
    where : str
        What a refusal calls the column.
    order : str
        How the times of the same source were written before (`Times.order`): it decides where cells are ambiguous.

    Returns
    -------
    pandas.Series
        datetime64 with the index and the name of `values`, with a time zone when the cells have offsets (UTC when they
        differ); int64 for positions.

    Raises
    ------
    InputError
        When a cell is blank or no time, when only some have an offset, or when days and months change places.

    Notes
    -----
    A field above 12 is a day. Where none is, the reading that gives the more regular steps wins, then the one in which
    rows rise; a tie is read month first around ``/``, else day first.
    """
    return read_times(pd.Series(values), where, order).values


def try_times(values: pd.Series, order: str = "") -> Times | None:
    """The times of a column, None where it is not one of times; never raises."""
    try:
        return read_times(values, "", order)
    except InputError:
        return None


def read_times(values: pd.Series, where: str, order: str = "") -> Times:
    """`parse_times`, and how the times are written."""
    blank = values.isna().to_numpy()
    if blank.any():
        refuse(where, _ANY_TIME, show_cells(values, blank))
    if isinstance(values.dtype, pd.PeriodDtype):
        return Times(values.dt.to_timestamp(), "")
    if pd.api.types.is_datetime64_any_dtype(values):
        return Times(values, "")
    if pd.api.types.is_numeric_dtype(values):
        return read_numbers(values, where)
    return _category_times(values, where, order) if is_categories(values) else _text_times(values, where, order)


def is_categories(values: pd.Series) -> bool:
    """Whether cells are codes of text."""
    return isinstance(values.dtype, pd.CategoricalDtype)


def _category_times(values: pd.Series, where: str, order: str) -> Times:
    """The times of coded text, each read once, in the order they appear."""
    codes = values.cat.codes.to_numpy()
    appeared = pd.unique(codes)
    try:
        times = _text_times(pd.Series(values.cat.categories[appeared]), where, order)
    except InputError:
        return _text_times(values.astype(object), where, order)  # which names rows
    place = np.empty(len(values.cat.categories), dtype="int64")
    place[appeared] = np.arange(len(appeared))
    read = pd.Series(pd.DatetimeIndex(times.values).take(place[codes]), index=values.index, name=values.name)
    return Times(read, times.order, times.sentence)


def show_cells(values: pd.Series, bad: np.ndarray) -> str:
    """The first cells that are wrong, with their rows counted from 1."""
    rows = np.flatnonzero(bad)
    cells = ["blank" if pd.isna(cell) else repr(str(cell)) for cell in values.iloc[rows[:3]]]
    return some([f"{cell} in row {row + 1}" for cell, row in zip(cells, rows, strict=False)] + [*rows[3:]])


def is_time(cell: str) -> bool:
    """Whether a cell of text has the shape of a time."""
    return any(shape.match(cell) for shape in _SHAPES)


def _text_times(values: pd.Series, where: str, order: str) -> Times:
    try:
        text = pa.array(values, type=pa.large_string())
    except (pa.ArrowException, TypeError):  # objects of other kinds, such as datetime.date
        text = pa.array(values.map(str), type=pa.large_string())
    if isinstance(text, pa.ChunkedArray):
        text = text.combine_chunks()
    shape = min(_SHAPES, key=lambda shape: pc.extract_regex(text[:50], shape.pattern).null_count)
    found = pc.extract_regex(text, shape.pattern)
    if found.null_count:
        refuse(where, _ANY_TIME, show_cells(values, found.is_null().to_numpy(zero_copy_only=False)))
    fields = _Fields(found)
    year, month, day, order, sentence = _dates(values, fields, where, order)
    dates, exist = _calendar(year, month, day)
    clock, valid = _clock(fields)
    if not (exist & valid).all():
        refuse(where, _ANY_TIME, show_cells(values, ~(exist & valid)))
    times = pd.Series(dates.astype("datetime64[us]") + clock, index=values.index, name=values.name)
    return Times(_localise(times, fields, values, where) if fields.has("zone") else times, order, sentence)


class _Fields:
    """What the named groups of a shape caught in all cells."""

    def __init__(self, found: pa.StructArray):
        self.found = found

    def text(self, name: str) -> pa.Array:
        return pc.struct_field(self.found, name)

    def has(self, name: str) -> bool:
        known = self.found.type.get_field_index(name) >= 0
        return known and pc.any(pc.not_equal(self.text(name), "")).as_py()

    def numbers(self, name: str, default: int = 0) -> np.ndarray:
        if not self.has(name):
            return np.full(len(self.found), default)
        text = self.text(name)
        if name == "fraction":
            text = pc.utf8_slice_codeunits(pc.utf8_rpad(text, 6, "0"), 0, 6)
        return pc.cast(pc.if_else(pc.equal(text, ""), str(default), text), pa.int64()).to_numpy()

    def mapped(self, name: str, meaning: Callable[[str], int]) -> np.ndarray:
        """Numbers for text of few distinct values."""
        coded = pc.dictionary_encode(self.text(name))
        return np.array([meaning(word) for word in coded.dictionary.to_pylist()])[coded.indices.to_numpy()]


def _dates(
    values: pd.Series, fields: _Fields, where: str, order: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, str, str]:
    """Year, month and day of all cells, their order in words, and what was guessed."""
    year, mark = fields.numbers("year"), fields.text("mark")[0].as_py()
    if fields.has("quarter"):
        return year, 3 * fields.numbers("quarter") - 2, np.ones_like(year), "year-quarter", ""
    if not fields.has("first"):
        month_first = fields.found.type.get_field_index("month") < fields.found.type.get_field_index("year")
        words = ["month", "year"] if month_first else ["year", "month", "day"][: 3 if fields.has("day") else 2]
        return year, fields.numbers("month"), fields.numbers("day", 1), mark.join(words), ""
    year = np.where(year < 100, year + np.where(year < 69, 2000, 1900), year)
    first, other = fields.numbers("first"), fields.numbers("other")
    day_first, sure = _day_first(year, first, other, mark, values, where, order)
    order = mark.join(["day", "month", "year"] if day_first else ["month", "day", "year"])
    sentence = "" if sure else f"{values.iloc[0]} is read as {order}"
    return (year, other, first, order, sentence) if day_first else (year, first, other, order, sentence)


def _day_first(
    year: np.ndarray, first: np.ndarray, other: np.ndarray, mark: str, values: pd.Series, where: str, order: str
) -> tuple[bool, bool]:
    """Whether the day stands before the month, and whether that is beyond doubt."""
    days, months = first > 12, other > 12
    if order.startswith(("day", "month")):
        day_first = order.startswith("day")
        if (wrong := months if day_first else days).any():
            rule = f"the {'day' if day_first else 'month'} must come first as in the rows before"
            refuse(where, rule, show_cells(values, wrong))
        return day_first, True
    if days.any() and months.any():
        odd = np.zeros(len(values), dtype=bool)
        odd[[days.argmax(), months.argmax()]] = True
        refuse(where, "the day must come first in all cells or in none", show_cells(values, odd), "Write 2024-01-31.")
    if days.any() or months.any():
        return bool(days.any()), True
    as_day, as_month = _regularity(year, other, first), _regularity(year, first, other)
    return as_day > as_month if as_day != as_month else mark != "/", False


def _regularity(year: np.ndarray, month: np.ndarray, day: np.ndarray) -> tuple[float, float]:
    """Shares of the commonest step between dates and of rising rows, steps in months where all are first days."""
    unit = "datetime64[M]" if (day == 1).all() else "datetime64[D]"
    dates, appeared = np.unique(_calendar(year, month, day)[0].astype(unit), return_index=True)
    if len(dates) == 1:
        return 1.0, 1.0
    counts = np.unique(np.diff(dates), return_counts=True)[1]
    return counts.max() / counts.sum(), np.mean(np.diff(appeared) > 0)


def _calendar(year: np.ndarray, month: np.ndarray, day: np.ndarray | int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Dates of any year (pandas 2 cannot parse those before 1677), and which of them exist."""
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    dates = months.astype("datetime64[D]") + (day - 1)
    return dates, (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1) & (dates.astype("datetime64[M]") == months)


def _clock(fields: _Fields) -> tuple[np.ndarray, np.ndarray]:
    """Time since midnight, and where it exists."""
    hour, minute, second = (fields.numbers(name) for name in ("hour", "minute", "second"))
    valid = (hour < 24) & (minute < 60) & (second < 60)
    if fields.has("half"):
        half = fields.mapped("half", lambda half: {"": -1, "a": 0, "p": 12}[half[:1].lower()])
        valid &= (half >= 0) & (hour >= 1) & (hour <= 12)
        hour = hour % 12 + half
    micros = ((hour * 60 + minute) * 60 + second) * 1_000_000 + fields.numbers("fraction")
    return micros.astype("timedelta64[us]"), valid


def _localise(times: pd.Series, fields: _Fields, values: pd.Series, where: str) -> pd.Series:
    absent = pc.equal(fields.text("zone"), "").to_numpy(zero_copy_only=False)
    if absent.any():
        refuse(where, "all times must have an offset or none", show_cells(values, absent))
    minutes = fields.mapped("zone", _offset)
    if (minutes == minutes[0]).all():
        return times.dt.tz_localize(timezone(timedelta(minutes=int(minutes[0]))))
    return (times - minutes.astype("timedelta64[m]")).dt.tz_localize("UTC")


def _offset(zone: str) -> int:
    """Minutes of ``+01:00``, ``+0100``, ``+01``, ``Z``."""
    digits = re.sub(r"\D", "", zone).ljust(4, "0")
    return (int(digits[:2]) * 60 + int(digits[2:])) * (-1 if zone.startswith("-") else 1)


def read_numbers(values: pd.Series, where: str) -> Times:
    """Years, dates and unix times written as numbers; other whole numbers are positions."""
    floats = values.to_numpy(dtype="float64")
    broken = (floats != np.round(floats)) | np.isinf(floats)
    if broken.any() or pd.api.types.is_bool_dtype(values):
        refuse(where, _ANY_TIME, show_cells(values, broken if broken.any() else ~broken))
    whole = floats.astype("int64")
    times, order = _dated_numbers(whole)
    return Times(pd.Series(times, index=values.index, name=values.name), order)


def _dated_numbers(whole: np.ndarray) -> tuple[np.ndarray, str]:
    low, high = whole.min(), whole.max()
    counting = low in (0, 1) and len(np.unique(whole)) == high - low + 1
    if low >= 1 and 1700 <= high <= 2300 and not counting:
        return _calendar(whole, np.ones_like(whole))[0].astype("datetime64[us]"), "year"
    for order, parts in (
        ("yyyymm", (whole // 100, whole % 100, 1)),
        ("yyyymmdd", (whole // 10000, whole // 100 % 100, whole % 100)),
    ):
        if parts[0].min() >= 1700 and parts[0].max() <= 2300:
            dates, exist = _calendar(*parts)
            if exist.all():
                return dates.astype("datetime64[us]"), order
    for size, unit in ((1, "seconds"), (10**3, "milliseconds"), (10**6, "microseconds")):
        if 1e8 * size <= low and high <= 5e9 * size:
            return (whole * (10**6 // size)).astype("datetime64[us]"), f"unix {unit}"
    return whole, "whole numbers"


_CLOCK_ALONE = re.compile(
    r"\s*(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?(?::(?P<second>\d{2})(?:[.,]\d+)?)?\s*(?:h|Uhr)?(?P<half>[AaPp]\.?[Mm]\.?)?"
    r"\s*(?:(?:-|–|—|to|bis|a|à)\s*\d{1,2}(?::\d{2}){0,2}\s*(?:h|Uhr|[AaPp]\.?[Mm]\.?)?)?\s*"
)


def read_clock(values: pd.Series) -> pd.Series | None:
    """Times of day beside a column of dates, as time since midnight.

    Parameters
    ----------
    values : pandas.Series
        ``13:00``, ``1:00 PM``, ``00:00 - 01:00`` (its start), or hours as numbers.

    Returns
    -------
    pandas.Series or None
        timedelta64 with the index and the name of `values`; None where a cell is no time of day.
    """
    if values.isna().any():
        return None
    if pd.api.types.is_numeric_dtype(values):
        hours = values.to_numpy(dtype="float64")
        valid = (hours >= 0) & (hours <= 24)
        return pd.Series(pd.to_timedelta(values, unit="h")) if valid.all() else None
    coded = values.astype(str).astype("category")
    meanings = [_since_midnight(cell) for cell in coded.cat.categories]
    if any(meaning is None for meaning in meanings):
        return None
    seconds = np.array(meanings)[coded.cat.codes.to_numpy()]
    return pd.Series(seconds.astype("timedelta64[s]"), index=values.index, name=values.name)


def _since_midnight(cell: str) -> int | None:
    """Seconds from midnight to a time of day, None where the cell is none."""
    found = _CLOCK_ALONE.fullmatch(cell)
    if found is None:
        return None
    hour, minute, second = (int(found[name] or 0) for name in ("hour", "minute", "second"))
    if found["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (found["half"][0].lower() == "p")
    seconds = (hour * 60 + minute) * 60 + second
    return seconds if minute < 60 and second < 60 and seconds <= 86400 else None
