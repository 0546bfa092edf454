"""Reads a user's file and says what was found: dialect, times, series, targets.

Guesses are made for files only: a frame handed to a forecaster is taken at its word.
"""

import bz2
import csv
import gzip
import io
import lzma
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta, timezone
from itertools import zip_longest
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from forecastkit.checks import InputError, ParameterError, check_keys, refuse, some

_SNIFFED = 1 << 16
_SEPARATORS = ("\t", ";", "|", ",")  # the rarer in text first: it wins when several divide the lines evenly
_BLANKS = ("?", "-")  # beside those of pandas
_DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, pa.ArrowException)


# ---------------------------------------------------------------------------------------------------------------------
# The file


@dataclass(frozen=True, eq=False)
class Table:
    """A file as a frame, and the dialect it is written in.

    Attributes
    ----------
    frame : pandas.DataFrame
        Cells as they stand: times are still text.
    separator : str or None
        Between the cells of a row; None for parquet.
    decimal : str
        The decimal sign, ``"."`` or ``","``.
    encoding : str or None
        ``"utf-8"`` or ``"cp1252"``; None for parquet.
    """

    frame: pd.DataFrame
    separator: str | None = None
    decimal: str = "."
    encoding: str | None = None

    def describe(self, date_order: str = "") -> str:
        """What was found, leaving out what is usual: ``52,492 rows, ';', decimal ',', day.month.year``."""
        separator = "parquet" if self.separator is None else {"\t": "tabs", ",": ""}.get(self.separator)
        found = [
            f"{len(self.frame):,} row{'s' if len(self.frame) != 1 else ''}",
            repr(self.separator) if separator is None else separator,
            "decimal ','" if self.decimal == "," else "",
            self.encoding if self.encoding == "cp1252" else "",
            "" if date_order.startswith("year") else date_order,
        ]
        return ", ".join(filter(None, found))


def read_table(path: str | Path) -> Table:
    """Read a csv or parquet file, finding its dialect.

    Parameters
    ----------
    path : str or pathlib.Path
        Parquet by the suffix ``.parquet`` or ``.pq``; anything else is text with a line of names on top and ``,``,
        ``;``, a tab or ``|`` between the cells, also compressed (``.gz``, ``.bz2``, ``.xz``, ``.zst``, ``.zip``). A
        decimal comma is read where the separator is another sign and all numbers agree. Thousands signs are not
        guessed.

    Returns
    -------
    Table

    Raises
    ------
    InputError
        When the file is missing, a folder, empty, without rows, damaged, no UTF-8 text (plausible cp1252 is read), or
        when columns share a name or rows are longer than the header.
    """
    where, path = str(path), Path(path)
    if path.is_dir():
        refuse(where, "the data must be a file", "a folder")
    if not path.exists():
        refuse(where, "the data must be a file", "a path where there is none", "Check the spelling and the folder.")
    try:
        table = _read_parquet(where, path) if path.suffix.lower() in (".parquet", ".pq") else _read_text(where, path)
    except _DAMAGED as error:
        refuse(where, "the file must be readable", _one_line(error), "It may be damaged or cut short.")
    if table.frame.empty:
        refuse(where, "the file must have rows", f"a header ({some(table.frame.columns)}) and no row")
    return table


def _read_parquet(where: str, path: Path) -> Table:
    if not path.stat().st_size:
        refuse(where, "the file must have a header and rows", "an empty file")
    _check_header(where, pyarrow.parquet.read_schema(path).names)
    frame = pd.read_parquet(path)
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
    return Table(frame.rename(columns=str))


def _read_text(where: str, path: Path) -> Table:
    with _open(path) as handle:
        head = handle.read(_SNIFFED) + handle.readline(_SNIFFED)
    encoding, text = _decode(where, head)
    if not text.strip():
        refuse(where, "the file must have a header and rows", "an empty file")
    separator, rows = _split(text)
    header = [name.strip() for name in rows[0]]
    _check_header(where, header)
    _check_names(where, header)
    decimal = "." if separator == "," else _find_decimal(where, separator, header, rows[1:])
    with _open(path) as handle:
        frame = _parse_text(where, handle, sep=separator, decimal=decimal, encoding=encoding)
    return Table(frame.rename(columns=str.strip), separator, decimal, encoding.removesuffix("-sig"))


def _parse_text(where: str, handle: io.BufferedIOBase, **dialect: str) -> pd.DataFrame:
    options = {"index_col": False, "skipinitialspace": True, "na_values": _BLANKS, "low_memory": False, "engine": "c"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # that cells would be dropped
            return pd.read_csv(handle, **options, **dialect)
    except UnicodeDecodeError as error:
        refuse(where, "the file must be UTF-8 text", f"byte {error.object[error.start]:#x}", "Save it as UTF-8.")
    except pd.errors.ParserWarning:
        refuse(where, "no row may have more cells than the header", "rows that have", "Name every column.")
    except pd.errors.ParserError as error:
        refuse(where, "rows must have the cells of the header", repr(_one_line(error).split("C error: ")[-1]))


def _open(path: Path) -> io.BufferedIOBase:
    """The bytes of a file, unpacked as its suffix says."""
    openers = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open, ".zst": _open_zst, ".zip": _open_zip}
    return openers.get(path.suffix.lower(), open)(path, "rb")


def _open_zst(path: Path, mode: str) -> io.BufferedIOBase:
    return io.BufferedReader(pa.input_stream(str(path), compression="zstd"))


def _open_zip(path: Path, mode: str) -> io.BufferedIOBase:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if len(names) != 1:
            refuse(str(path), "a zip must hold one file", f"{len(names)}: {some(names)}")
        return archive.open(names[0])


def _decode(where: str, head: bytes) -> tuple[str, str]:
    """The encoding and the text: UTF-8, else cp1252 where that gives letters and units between plain cells."""
    try:
        encoding, text, plausible = "utf-8-sig", head.decode("utf-8-sig"), True
    except UnicodeDecodeError:
        encoding, text = "cp1252", head.decode("cp1252", errors="replace")
        special = [char for char in text if not char.isascii()]
        known = all(char.isalpha() or char in "°²³µ€£§±–—‘’“”" for char in special)
        plausible = known and len(special) < 0.1 * len(text)
    if not plausible or re.search(r"[\x00-\x08\x0e-\x1f\x7f]", text):
        refuse(where, "the file must be UTF-8 text (csv) or be called .parquet", "binary data", "Save it as UTF-8.")
    return encoding, text


def _split(text: str) -> tuple[str, list[list[str]]]:
    """The separator that divides the lines most evenly, and the rows it makes."""

    def rows(separator: str) -> list[list[str]]:
        lines = io.StringIO(text, newline=None)
        return [row for row in csv.reader(lines, delimiter=separator, skipinitialspace=True) if row]

    def evenness(table: list[list[str]]) -> tuple[bool, bool, float]:
        width = len(table[0])
        even = np.mean([len(row) - (len(row) > width and not row[-1]) == width for row in table])
        return width > 1 and even > 0.5, width > 1, even

    tables = {separator: rows(separator) for separator in _SEPARATORS}
    best = max(tables, key=lambda separator: evenness(tables[separator]))
    if len(tables[best][0]) == 1:  # one column; a comma in it is a decimal sign
        best = "," if evenness(tables[","])[-1] == 1 else ";"
    return best, tables[best]


def _check_header(where: str, header: list[str]) -> None:
    seen, doubles = set(), []
    for name in filter(None, header):
        if name in seen:
            doubles.append(repr(name))
        seen.add(name)
    if doubles:
        refuse(where, "column names must differ", f"{some(doubles)} more than once", "Rename them.")


def _check_names(where: str, header: list[str]) -> None:
    """Refuse a first line of data; whole numbers counting up are names that pandas gives."""
    counting = [str(number) for number in range(len(header) + 1)]
    data = all(_NUMBER.fullmatch(cell) or _is_time(cell) for cell in header)
    if data and header not in (counting[:-1], counting[1:]):
        refuse(where, "the first line must name the columns", some(map(repr, header)), "Put a line of names on top.")


_NUMBER = re.compile(r"[+-]?(\d*([.,])\d+|\d+[.,]?)(?:[eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")


def _find_decimal(where: str, separator: str, header: list[str], rows: list[list[str]]) -> str:
    """The decimal sign of the columns that hold nothing but numbers."""
    found: dict[str, str] = {}
    commas = []
    for name, column in zip(header, zip_longest(*rows, fillvalue=""), strict=False):
        cells = [cell.strip() for cell in column if cell.strip() not in ("", "NA", "NaN", "nan", "null", *_BLANKS)]
        numbers = [_NUMBER.fullmatch(cell) for cell in cells]
        if all(numbers):
            found |= {number[2]: name for number in numbers if number[2]}
            commas += [cell for cell, number in zip(cells, numbers, strict=True) if number[2] == ","]
    if len(found) == 2:
        got = f"',' in {found[',']!r} and '.' in {found['.']!r}"
        refuse(where, "a file must have one decimal sign", got, "Thousands signs are not read: write numbers without.")
    # Between ';' a comma is a decimal sign; elsewhere 1,234 may be thousands, and a wrong guess would be off by 1000.
    sure = separator == ";" or not all(map(_THOUSANDS.fullmatch, commas))
    return "," if "," in found and sure else "."


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


# ---------------------------------------------------------------------------------------------------------------------
# Times


@dataclass(frozen=True, eq=False)
class _Times:
    values: pd.Series
    order: str


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


def parse_times(values: pd.Series, where: str = "time") -> pd.Series:
    """Read a column of times, deciding on its form from the whole column.

    Parameters
    ----------
    values : pandas.Series
        Text: ISO dates and datetimes with or without offset, year-month, quarters, and dates with the day or the month
        first. Numbers: years, ``yyyymm``, ``yyyymmdd``, unix seconds, milliseconds and microseconds; other whole
        numbers are positions. Datetimes pass.
    where : str
        What a refusal calls the column.

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
    return _times(pd.Series(values), where).values


def _times(values: pd.Series, where: str) -> _Times:
    blank = values.isna().to_numpy()
    if blank.any():
        refuse(where, _ANY_TIME, _cells(values, blank))
    if isinstance(values.dtype, pd.PeriodDtype):
        return _Times(values.dt.to_timestamp(), "")
    if pd.api.types.is_datetime64_any_dtype(values):
        return _Times(values, "")
    return _number_times(values, where) if pd.api.types.is_numeric_dtype(values) else _text_times(values, where)


def _cells(values: pd.Series, bad: np.ndarray) -> str:
    """The first cells that are wrong, with their rows counted from 1."""
    rows = np.flatnonzero(bad)
    cells = ["blank" if pd.isna(cell) else repr(str(cell)) for cell in values.iloc[rows[:3]]]
    return some([f"{cell} in row {row + 1}" for cell, row in zip(cells, rows, strict=False)] + [*rows[3:]])


def _is_time(cell: str) -> bool:
    return any(shape.match(cell) for shape in _SHAPES)


def _text_times(values: pd.Series, where: str) -> _Times:
    try:
        text = pa.array(values, type=pa.large_string())
    except (pa.ArrowException, TypeError):  # objects of other kinds, such as datetime.date
        text = pa.array(values.map(str), type=pa.large_string())
    if isinstance(text, pa.ChunkedArray):
        text = text.combine_chunks()
    shape = min(_SHAPES, key=lambda shape: pc.extract_regex(text[:50], shape.pattern).null_count)
    found = pc.extract_regex(text, shape.pattern)
    if found.null_count:
        refuse(where, _ANY_TIME, _cells(values, found.is_null().to_numpy(zero_copy_only=False)))
    fields = _Fields(found)
    year, month, day, order = _dates(values, fields, where)
    dates, exist = _calendar(year, month, day)
    clock, valid = _clock(fields)
    if not (exist & valid).all():
        refuse(where, _ANY_TIME, _cells(values, ~(exist & valid)))
    times = pd.Series(dates.astype("datetime64[us]") + clock, index=values.index, name=values.name)
    return _Times(_localise(times, fields, values, where) if fields.has("zone") else times, order)


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


def _dates(values: pd.Series, fields: _Fields, where: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, str]:
    """Year, month and day of all cells, and their order in words."""
    year, mark = fields.numbers("year"), fields.text("mark")[0].as_py()
    if fields.has("quarter"):
        return year, 3 * fields.numbers("quarter") - 2, np.ones_like(year), "year-quarter"
    if not fields.has("first"):
        month_first = fields.found.type.get_field_index("month") < fields.found.type.get_field_index("year")
        words = ["month", "year"] if month_first else ["year", "month", "day"][: 3 if fields.has("day") else 2]
        return year, fields.numbers("month"), fields.numbers("day", 1), mark.join(words)
    year = np.where(year < 100, year + np.where(year < 69, 2000, 1900), year)
    first, other = fields.numbers("first"), fields.numbers("other")
    if _day_first(year, first, other, mark, values, where):
        return year, other, first, mark.join(["day", "month", "year"])
    return year, first, other, mark.join(["month", "day", "year"])


def _day_first(
    year: np.ndarray, first: np.ndarray, other: np.ndarray, mark: str, values: pd.Series, where: str
) -> bool:
    days, months = first > 12, other > 12
    if days.any() and months.any():
        odd = np.zeros(len(values), dtype=bool)
        odd[[days.argmax(), months.argmax()]] = True
        refuse(where, "the day must come first in all cells or in none", _cells(values, odd), "Write 2024-01-31.")
    if days.any() or months.any():
        return bool(days.any())
    as_day, as_month = _regularity(year, other, first), _regularity(year, first, other)
    return as_day > as_month if as_day != as_month else mark != "/"


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
        refuse(where, "all times must have an offset or none", _cells(values, absent))
    minutes = fields.mapped("zone", _offset)
    if (minutes == minutes[0]).all():
        return times.dt.tz_localize(timezone(timedelta(minutes=int(minutes[0]))))
    return (times - minutes.astype("timedelta64[m]")).dt.tz_localize("UTC")


def _offset(zone: str) -> int:
    """Minutes of ``+01:00``, ``+0100``, ``+01``, ``Z``."""
    digits = re.sub(r"\D", "", zone).ljust(4, "0")
    return (int(digits[:2]) * 60 + int(digits[2:])) * (-1 if zone.startswith("-") else 1)


def _number_times(values: pd.Series, where: str) -> _Times:
    floats = values.to_numpy(dtype="float64")
    broken = (floats != np.round(floats)) | np.isinf(floats)
    if broken.any() or pd.api.types.is_bool_dtype(values):
        refuse(where, _ANY_TIME, _cells(values, broken if broken.any() else ~broken))
    whole = floats.astype("int64")
    times, order = _dated_numbers(whole)
    return _Times(pd.Series(times, index=values.index, name=values.name), order)


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


# ---------------------------------------------------------------------------------------------------------------------
# Roles

_TIME_WORDS = re.compile(
    "time|date|datetime|date_time|timestamp|ds|year|quarter|month|week|day|zeit|zeitpunkt|zeitstempel|uhrzeit|datum|jahr|"
    "quartal|monat|woche|tag|tijd|heure|année|annee|trimestre|mois|semaine|jour|fecha|hora|año|mes|semana|día|dia"
)
_SERIES_WORDS = re.compile(
    "id|uid|series|item|product|article|sku|store|shop|site|station|sensor|meter|location|region|country|city|zone|group|"
    "ticker|symbol|customer|household|serie|reihe|produkt|artikel|filiale|standort|zähler|ort|land|stadt|gruppe|kunde"
)
_TARGET_WORDS = (
    re.compile("y|target"),
    re.compile("value|cnt|count|sales|demand|load|consumption|wert|umsatz|absatz|verbrauch"),
)
_FEW_REPEATS = 0.01  # a few repeated (series, time) rows, such as clock changes, do not hide a series column
_ANY_SERIES = 0.2  # below this share of repeated times only a column that is called like a series is one


@dataclass(frozen=True)
class Roles:
    """Which column plays which part.

    Attributes
    ----------
    time, series_id : str or None
        None when there is no such column: rows are in order, or one series.
    target, known, past, static : tuple of str
        Columns to forecast, known ahead, known only to the past, and the same within a series.
    unused : tuple of (str, str)
        The other columns, each with the reason.
    date_order : str
        How the times are written, such as ``"day.month.year"``; empty when they were times already.
    times : pandas.Series or None
        The time column, read.
    """

    time: str | None
    series_id: str | None
    target: tuple[str, ...]
    known: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    unused: tuple[tuple[str, str], ...] = ()
    date_order: str = ""
    times: pd.Series | None = field(default=None, repr=False, compare=False)

    def select(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The columns of `frame` that play a part, times read and text among the covariates as categories."""
        keys = [name for name in (self.series_id, self.time) if name is not None]
        selected = frame[[*keys, *self.target, *self.known, *self.past, *self.static]]
        text = [name for name in (*self.known, *self.past, *self.static) if not _is_numeric(frame[name])]
        read = {} if self.time is None else {self.time: self.times}
        return selected.assign(**read, **{name: frame[name].astype("category") for name in text})


def find_roles(
    frame: pd.DataFrame,
    *,
    time: str | None = None,
    series_id: str | None = None,
    target: str | Iterable[str] | None = None,
    known: str | Iterable[str] | None = None,
    past: str | Iterable[str] | None = None,
    static: str | Iterable[str] | None = None,
    where: str = "data",
) -> Roles:
    """Find the time column, the series column, the targets and the covariates of a table.

    Parameters
    ----------
    frame : pandas.DataFrame
        As `read_table` gives it.
    time, series_id : str, optional
        Given names are taken; otherwise the time column is one whose cells are all times, and the series column one
        within which times do not repeat although they do in the table.
    target, known, past, static : str or iterable of str, optional
        Given names are taken. Without `target` a single column called like one (``y``, ``sales``) is it, else all
        numeric columns are targets. With a target the other numeric columns are `past`, unless `past` is given.
    where : str
        What a refusal calls the table.

    Returns
    -------
    Roles

    Raises
    ------
    InputError
        When a given name does not exist or plays two parts, a given time column does not parse, or a target is text.
    """
    given = {"target": target, "known": known, "past": past, "static": static}
    given = {role: _names(names) for role, names in given.items()}
    _check_roles(where, frame, {"time": _names(time), "series_id": _names(series_id), **given})
    taken = [series_id, *given["target"], *given["known"], *given["past"], *given["static"]]
    free = frame.drop(columns=[name for name in taken if name is not None])
    time, times, others = _find_time(frame, free, time, series_id, where)
    if series_id is None:
        series_id = _find_series(free.drop(columns=[*others, *_names(time)]), None if times is None else times.values)
    free = free.drop(columns=[name for name in (time, series_id) if name in free])
    unused = dict.fromkeys(others, "times as well") | _find_unused(free.drop(columns=others), frame, series_id)
    targets, rest = _find_targets(where, free, given["target"], [name for name in free if name not in unused])
    if past is None:
        given["past"] = tuple(rest)
    else:
        unused |= dict.fromkeys(rest, "not named as past")
    return Roles(
        time=time,
        series_id=series_id,
        unused=tuple((name, unused[name]) for name in frame if name in unused),
        date_order="" if times is None else times.order,
        times=None if times is None else times.values,
        **given | {"target": targets},
    )


def _names(names: str | Iterable[str] | None) -> tuple[str, ...]:
    return () if names is None else (names,) if isinstance(names, str) else tuple(names)


def _check_roles(where: str, frame: pd.DataFrame, given: dict[str, tuple[str, ...]]) -> None:
    roles: dict[str, str] = {}
    for role, names in given.items():
        check_keys(where, f"the {role} column", names, frame.columns)
        for name in names:
            if name in roles:
                got = f"{name!r} as {roles[name]} and {role}"
                refuse(where, "a column must have one role", got, error=ParameterError)
            roles[name] = role
    for name in given["target"]:
        if not _is_numeric(frame[name]):
            refuse(where, f"target {name!r} must be numeric", _cells(frame[name], _not_numbers(frame[name])))


def _is_numeric(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column)


def _not_numbers(column: pd.Series) -> np.ndarray:
    """Which cells of a column that is not numeric are to blame."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return column.notna().to_numpy()
    return (pd.to_numeric(column.astype(object), errors="coerce").isna() & column.notna()).to_numpy()


def _is_called(name: str, words: re.Pattern) -> bool:
    return words.fullmatch(name.lower()) is not None


def _holds(name: str, words: re.Pattern) -> bool:
    """Whether one of the words is part of a name: ``orderDate`` and ``order_date`` hold two."""
    parts = re.findall(r"[^\W\d_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))
    return any(_is_called(part, words) for part in parts)


def _find_time(
    frame: pd.DataFrame, free: pd.DataFrame, given: str | None, series_id: str | None, where: str
) -> tuple[str | None, _Times | None, list[str]]:
    """The time column, its times, and the other columns of times."""
    if given is not None:
        times = _times(frame[given], f"{where}: time column {given!r}")
        return given, times, [name for name in free if name != given and _try_times(free[name])]
    begun = [name for name in free if _is_text(free[name]) and _try_times(free[name].head(50))]
    found = {name: times for name in begun if (times := _try_times(free[name]))}
    ranked = sorted(found, key=lambda name: (found[name].values.duplicated().any(), *_likeness(name, _TIME_WORDS)))
    if begun and not found:  # better a word about the odd cells than rows taken in their order
        name = min(begun, key=lambda name: _likeness(name, _TIME_WORDS))
        _times(free[name], f"{where}: time column {name!r}")
    if not found:
        ranked = [name for name in free if _is_numbered(frame, free, name, series_id)]
        found = {name: _number_times(free[name], where) for name in ranked}
    return (ranked[0], found[ranked[0]], ranked[1:]) if ranked else (None, None, [])


def _likeness(name: str, words: re.Pattern) -> tuple[bool, bool]:
    """A sort key: names that are one of the words first, then those that hold one."""
    return not _is_called(name, words), not _holds(name, words)


def _is_text(column: pd.Series) -> bool:
    return not _is_numeric(column) and not isinstance(column.dtype, pd.CategoricalDtype)


def _try_times(column: pd.Series) -> _Times | None:
    """The times of a column, None where it is not one of times."""
    try:
        return _times(column, "") if _is_text(column) else None
    except InputError:
        return None


def _is_numbered(frame: pd.DataFrame, free: pd.DataFrame, name: str, series_id: str | None) -> bool:
    """Whether whole numbers in a column called like a time, such as years, tell the rows of each series apart."""
    if not _is_called(name, _TIME_WORDS) or not _is_numeric(free[name]) or free[name].isna().any():
        return False
    try:
        times = _number_times(free[name], "").values
    except InputError:
        return False
    series = series_id or _find_series(free.drop(columns=name), times)
    return not pd.DataFrame({"series": 0 if series is None else frame[series], "time": times}).duplicated().any()


def _find_series(frame: pd.DataFrame, times: pd.Series | None) -> str | None:
    """The column within which times do not repeat, although they do in the table."""
    if "unique_id" in frame:
        return "unique_id"
    if times is None or not times.duplicated().any():
        return None
    few = [name for name in frame if not _is_measured(frame[name]) and frame[name].nunique() <= len(frame) / 2]
    for name in sorted(few, key=lambda name: (*_likeness(name, _SERIES_WORDS), _is_numeric(frame[name]))):
        if _separates(frame[name], times, hinted=_holds(name, _SERIES_WORDS)):
            return name
    return None


def _is_measured(column: pd.Series) -> bool:
    return pd.api.types.is_float_dtype(column) or pd.api.types.is_bool_dtype(column)


def _separates(column: pd.Series, times: pd.Series, hinted: bool) -> bool:
    repeated = times.duplicated().mean()
    left = pd.DataFrame({"series": column, "time": times}).duplicated().mean()
    if hinted:
        return left <= repeated / 10
    if _is_numeric(column):  # small whole numbers may be measurements: exactly as many levels as needed, nothing left
        return repeated >= _ANY_SERIES and left == 0 and column.nunique() == times.value_counts().max()
    return repeated >= _ANY_SERIES and left <= _FEW_REPEATS


def _find_unused(free: pd.DataFrame, frame: pd.DataFrame, series_id: str | None) -> dict[str, str]:
    """Reasons why columns cannot be a target or a covariate unasked."""
    unused = {name: reason for name in free if (reason := _why_unused(free[name], frame, series_id))}
    if all(name in unused for name in free):  # better a target that looks odd than none
        unused = {name: reason for name, reason in unused.items() if not _is_numeric(free[name])}
    return unused


def _why_unused(column: pd.Series, frame: pd.DataFrame, series_id: str | None) -> str:
    if column.isna().all():
        return "" if _is_target(column.name) else "blank"
    if not _is_numeric(column):
        return _why_text(column, frame, series_id)
    if pd.api.types.is_bool_dtype(column):
        return "true or false"
    counting = column.iloc[0] in (0, 1) and (column.diff().iloc[1:] == 1).all() and len(column) > 2
    return "a row counter" if counting and not _is_target(column.name) else ""


def _why_text(column: pd.Series, frame: pd.DataFrame, series_id: str | None) -> str:
    bad = _not_numbers(column)
    if bad.sum() < column.notna().sum() / 2:
        return f"not all numbers: {_cells(column, bad)}"
    if series_id is not None and (column.groupby(frame[series_id]).nunique() <= 1).all():
        return f"text, the same within each series: static={column.name} uses it"
    return "text"


def _is_target(name: str) -> bool:
    return any(_is_called(name, words) for words in _TARGET_WORDS)


def _find_targets(
    where: str, free: pd.DataFrame, given: tuple[str, ...], numeric: list[str]
) -> tuple[tuple[str, ...], list[str]]:
    """The targets, and the numeric columns that are left."""
    if not given and not numeric:
        text = [f"{name!r} such as {str(next(iter(free[name].dropna()), 'blank'))!r}" for name in free]
        refuse(where, "there must be a numeric column to forecast", f"only {some(text)}" if text else "no other column")
    for words in () if given else _TARGET_WORDS:
        called = [name for name in numeric if _is_called(name, words)]
        if len(called) == 1:
            given = tuple(called)
            break
    return given or tuple(numeric), [name for name in numeric if name not in given] if given else []
