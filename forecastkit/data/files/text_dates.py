"""Parsing of times given as text; the format and the meaning of its fields are inferred from the whole column."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta, timezone

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from forecastkit.data.files.calendar_dates import BUDDHIST, dates_of, full_years, gregorian, regularity, weeks_of
from forecastkit.data.files.cells import ANY_TIME, show_cells
from forecastkit.data.files.time_shapes import CLOSE_INTERVAL, INTERVALS, MONTHS, SHAPES, UNITS, ZONES, named_period
from forecastkit.utils.validation import refuse

_SAMPLE = 50  # number of cells that determine the format
_FARTHEST = 14 * 3600  # largest UTC offset in seconds


@dataclass(frozen=True, eq=False)
class _Dates:
    """Days of cells, which of them exist, their format in words, and the guess."""

    days: np.ndarray
    exist: np.ndarray
    order: str
    sentence: str = ""


@dataclass(frozen=True, eq=False)
class _Column:
    """Cells, their name in error messages, and the format of earlier rows."""

    values: pd.Series
    where: str
    order: str

    def refuse(self, rule: str, bad: np.ndarray, remedy: str = "") -> None:
        refuse(self.where, rule, show_cells(self.values, bad), remedy)


class _Fields:
    """Contents of the named groups of a format in all cells."""

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
        """Return numbers for text with few distinct values."""
        coded = pc.dictionary_encode(self.text(name))
        return np.array([meaning(word) for word in coded.dictionary.to_pylist()])[coded.indices.to_numpy()]


def read_text(values: pd.Series, text: pa.Array, where: str, order: str) -> tuple[pd.Series, str, str]:
    """Return times of text, their format in words, and the guess.

    Parameters
    ----------
    values : pandas.Series
        Cells.
    text : pyarrow.Array
        The cells as text.
    where : str
        Name of the column in error messages.
    order : str
        Format of earlier rows, empty if there are none.
    """
    column = _Column(values, where, order)
    text, sentence = _starts(text)
    shape, fields = _match(column, text)
    dates = _dates(column, shape, fields)
    clock, valid = _clock(fields)
    if not (dates.exist & valid).all():
        column.refuse(ANY_TIME, ~(dates.exist & valid))
    times = pd.Series(dates.days.astype("datetime64[us]") + clock, index=values.index, name=values.name)
    sentences = [sentence, dates.sentence]
    year = int(fields.numbers("year").max())
    if BUDDHIST[0] <= year <= BUDDHIST[1]:
        sentences.append(f"the year {year} of the Buddhist calendar is read as {year - 543}")
    if fields.has("zone"):
        seconds = _offsets(column, fields)
        if np.abs(seconds).max() > _FARTHEST or len(np.unique(seconds)) > 4:  # 00:00-01:00, 01:00-02:00, ...
            starts = pc.replace_substring_regex(text, CLOSE_INTERVAL.pattern, r"\1")
            if not starts.equals(text):
                return read_text(values, starts, where, order)
            column.refuse("an offset from UTC must be of at most 14 hours", np.abs(seconds) > _FARTHEST)
        times, said = _localise(times, seconds)
        sentences.append(said)
    return times, dates.order, "; ".join(filter(None, sentences))


def _starts(text: pa.Array) -> tuple[pa.Array, str]:
    """Replace intervals by their starts; other text is unchanged."""
    for pattern in INTERVALS:
        if pc.all(pc.match_substring_regex(text[:_SAMPLE], pattern.pattern)).as_py():
            return pc.replace_substring_regex(text, pattern.pattern, r"\1"), "intervals are read as their starts"
    return text, ""


def _match(column: _Column, text: pa.Array) -> tuple[str, _Fields]:
    """Return the format of most of the first cells, and its groups in all cells."""
    misses = {}
    for name, pattern in SHAPES.items():  # one at a time: for few cells, compiling the patterns takes most of the time
        misses[name] = pc.extract_regex(text[:_SAMPLE], pattern).null_count
        if not misses[name]:
            break
    shape = min(misses, key=misses.__getitem__)
    found = pc.extract_regex(text, SHAPES[shape])
    if found.null_count:
        column.refuse(ANY_TIME, found.is_null().to_numpy(zero_copy_only=False))
    return shape, _Fields(found)


def _dates(column: _Column, shape: str, fields: _Fields) -> _Dates:
    if shape == "digits":
        return _three_numbers(column, fields)
    if shape in ("year month", "month year") and not fields.has("day"):
        return _two_numbers(column, shape, fields)
    if fields.has("unit"):
        return _periods(column, fields)
    year, day = full_years(fields.numbers("year")), fields.numbers("day", 1)
    if not fields.has("name"):
        mark = fields.text("mark")[0].as_py() if shape == "year month" else "-"
        return _Dates(*dates_of(year, fields.numbers("month"), day), mark.join(("year", "month", "day")))
    month = fields.mapped("name", lambda name: MONTHS[name.lower()])
    if shape == "name year":
        _refuse_days_without_year(column, month, fields.numbers("year"))
    words = [word for word in shape.replace("name", "month").split() if word != "clock"]
    if not fields.has("day"):
        words = [word for word in words if word != "day"]
    return _Dates(*dates_of(year, month, day), "-".join(words))


def _refuse_days_without_year(column: _Column, month: np.ndarray, number: np.ndarray) -> None:
    """Refuse ``Jan-01`` to ``Dec-31`` if they are days rather than years."""
    if (number > 31).any():
        return
    as_years, _ = dates_of(full_years(number), month)
    as_days, exist = dates_of(np.full_like(number, 2000), month, number)
    if exist.all() and regularity(as_days) > regularity(as_years):
        column.refuse("a date must have a year", np.ones(len(number), dtype=bool))


def _two_numbers(column: _Column, shape: str, fields: _Fields) -> _Dates:
    """Return dates of a year and a month, an ISO week or a quarter."""
    year, number, mark = gregorian(fields.numbers("year")), fields.numbers("month"), fields.text("mark")[0].as_py()
    called = column.order if column.order in _PERIOD_ORDERS else f"year-{named_period(column.values.name)}"
    first, ones = shape == "year month", np.ones_like(year)
    if first and (number == (year + 1) % 100).all() and (column.order == _SEASONS or len(np.unique(year)) > 1):
        said = f"{column.values.iloc[0]} is read as the season that begins in {year[0]}"
        return _Dates(*dates_of(year, ones, ones), _SEASONS, "" if number.max() > 12 else said)
    if (number <= 4).all():
        quarters = dates_of(year, 3 * number - 2)[0]
        if called == "year-quarter":
            return _Dates(quarters, number >= 1, called)
        if first and regularity(quarters)[0] > regularity(dates_of(year, number)[0])[0]:
            said = f"{column.values.iloc[0]} is read as year-quarter"
            return _Dates(quarters, number >= 1, "year-quarter", said)
    weeks, exist = weeks_of(year, number)
    if exist.all() and first and (called == "year-week" or (number.max() > 13 and column.order == "")):
        said = "" if number.max() > 13 else f"{column.values.iloc[0]} is read as year-week"
        return _Dates(weeks, exist, "year-week", said)
    return _Dates(*dates_of(year, number, ones), mark.join(("year", "month") if first else ("month", "year")))


#: Format of seasons such as 1998/99.
_SEASONS = "year/year"
_PERIOD_ORDERS = ("year-quarter", "year-week", "year-half")


def _periods(column: _Column, fields: _Fields) -> _Dates:
    """Return dates of quarters, halves, ISO weeks and months such as ``2005Q1`` and ``2023-W05``."""
    year, number = full_years(fields.numbers("year")), fields.numbers("number")
    kinds = {UNITS[unit.lower()] for unit in pc.unique(fields.text("unit")).to_pylist()}
    if kinds == {"s"}:
        lengths = pc.utf8_length(fields.text("number"))
        half = (number <= 2).all() and pc.all(pc.equal(lengths, 1)).as_py()
        kinds = {column.order.removeprefix("year-") if column.order in _PERIOD_ORDERS else "half" if half else "week"}
    if len(kinds) > 1:
        column.refuse(f"periods must be of one kind, not {' and '.join(sorted(kinds))}", np.ones(len(year), dtype=bool))
    kind = kinds.pop()
    if kind == "week":
        return _Dates(*weeks_of(year, number, fields.numbers("weekday", 1)), "year-week")
    months = {"quarter": 3, "half": 6, "month": 1}[kind]
    days, exist = dates_of(year, months * (number - 1) + 1)
    return _Dates(days, exist & (number >= 1), f"year-{kind}")


def _three_numbers(column: _Column, fields: _Fields) -> _Dates:
    """Return dates of day, month and year that do not start with a four-digit year."""
    first, other, last = fields.numbers("first"), fields.numbers("other"), fields.numbers("year")
    mark, year = fields.text("mark")[0].as_py(), full_years(last)
    readings = {"day month year": dates_of(year, other, first), "month day year": dates_of(year, first, other)}
    if (last < 100).all():
        readings["year month day"] = dates_of(full_years(first), other, last)
    known = " ".join(re.findall("[a-z]+", column.order))
    if known in readings:
        days, exist = readings[known]
        if not exist.all():
            rule = f"dates must be written {mark.join(known.split())}, as in the rows that the model was fitted on"
            column.refuse(rule, ~exist, "Write 2024-01-31.")
        return _Dates(days, exist, mark.join(known.split()))
    possible = {words: days for words, (days, exist) in readings.items() if exist.all()}
    if not possible:
        return _no_order(column, first, other, readings, mark)
    ties = list(possible) if mark != "/" else sorted(possible, key=lambda words: words != "month day year")
    clock = _clock(fields)[0] if len(possible) > 1 else 0
    best = max(ties, key=lambda words: regularity(possible[words] + clock))
    sentence = f"{column.values.iloc[0]} is read as {mark.join(best.split())}" if len(possible) > 1 else ""
    return _Dates(possible[best], np.ones(len(first), dtype=bool), mark.join(best.split()), sentence)


def _no_order(column: _Column, first: np.ndarray, other: np.ndarray, readings: dict, mark: str) -> _Dates:
    """Return the dates of the reading with the fewest invalid ones; mixed orders are refused."""
    days, months = first > 12, other > 12
    if days.any() and months.any():
        odd = np.zeros(len(first), dtype=bool)
        odd[[days.argmax(), months.argmax()]] = True
        column.refuse("the day must come first in all cells or in none", odd, "Write 2024-01-31.")
    words = max(readings, key=lambda words: readings[words][1].sum())
    return _Dates(*readings[words], mark.join(words.split()))


def _clock(fields: _Fields) -> tuple[np.ndarray, np.ndarray]:
    """Return the time since midnight, and where it exists; 24:00 is midnight of the next day."""
    hour, minute, second = (fields.numbers(name) for name in ("hour", "minute", "second"))
    valid = (minute < 60) & (second < 60) & ((hour < 24) | ((hour == 24) & (minute == 0) & (second == 0)))
    if fields.has("half"):
        half = fields.mapped("half", lambda half: {"": -1, "a": 0, "p": 12}[half[:1].lower()])
        valid &= (half < 0) | ((hour >= 1) & (hour <= 12))
        hour = np.where(half < 0, hour, hour % 12 + half)
        if (half < 0).any() and not (hour[half < 0] == 0).all():
            valid &= half >= 0
    micros = ((hour * 60 + minute) * 60 + second) * 1_000_000 + fields.numbers("fraction")
    return micros.astype("timedelta64[us]"), valid


def _offsets(column: _Column, fields: _Fields) -> np.ndarray:
    """Return seconds east of Greenwich of all cells."""
    absent = pc.equal(fields.text("zone"), "").to_numpy(zero_copy_only=False)
    if absent.any():
        column.refuse("all times must have an offset or none", absent)
    return fields.mapped("zone", _offset)


def _offset(zone: str) -> int:
    """Return seconds of ``+01:00``, ``+0100``, ``+01``, ``UTC+1``, ``Z``, ``CEST``, ``+00:53:28``."""
    if zone.lower() in ZONES:
        return ZONES[zone.lower()] * 60
    sign, digits = re.fullmatch(r"\D*([+\-−])([\d:]+)", zone).groups()
    parts = digits.split(":") if ":" in digits else (digits[:2], digits[2:] or "0")
    return sum(int(part) * unit for part, unit in zip(parts, (3600, 60, 1), strict=False)) * (1 if sign == "+" else -1)


def _localise(times: pd.Series, seconds: np.ndarray) -> tuple[pd.Series, str]:
    """Return times with a zone: UTC if offsets change, or local times if these have even steps.

    Days begin at local midnight, and hours are consecutive in UTC.
    """
    if (seconds == seconds[0]).all():
        return times.dt.tz_localize(timezone(timedelta(seconds=int(seconds[0])))), ""
    universal = times - seconds.astype("timedelta64[s]")
    if regularity(times.to_numpy())[0] > regularity(universal.to_numpy())[0]:
        return times, "UTC offsets change: times are local"
    return universal.dt.tz_localize("UTC"), "UTC offsets change: times are in UTC"
