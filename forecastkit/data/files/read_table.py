"""Reads a user's file, csv or parquet, finding its dialect."""

import bz2
import csv
import gzip
import io
import lzma
import re
import warnings
import zipfile
import zlib
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from forecastkit.data.files.streaming import stream_parquet, stream_text
from forecastkit.data.files.time_shapes import is_time
from forecastkit.utils.validation import refuse, some

#: Bytes of text from which a file is read in blocks; packed ones are taken to be eight times as large.
LARGE = 1 << 26
_SNIFFED = 1 << 16
_SEPARATORS = ("\t", ";", "|", ",")  # the rarer in text first: it wins when several divide the lines evenly
_BLANKS = ("?", "-")  # beside those of pandas
_DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, pa.ArrowException)


@dataclass(frozen=True, eq=False)
class Table:
    """A file as a frame, and the dialect it is written in.

    Attributes
    ----------
    frame : pandas.DataFrame
        Cells as they stand: times are still text. Of large files text is categories, and ISO times are read.
    separator : str or None
        Between the cells of a row; None for parquet.
    decimal : str
        The decimal sign, ``"."`` or ``","``.
    encoding : str or None
        ``"utf-8"`` or ``"cp1252"``; None for parquet.
    files : tuple of str
        Where there are several, whose rows follow each other; they were written alike as far as is said here.
    """

    frame: pd.DataFrame
    separator: str | None = None
    decimal: str = "."
    encoding: str | None = None
    files: tuple[str, ...] = ()

    def describe(self, date_order: str = "") -> str:
        """What was found, leaving out what is usual: ``52,492 rows, ';', decimal ',', day.month.year``."""
        separator = "parquet" if self.separator is None else {"\t": "tabs", ",": ""}.get(self.separator)
        found = [
            f"{len(self.files):,} files" if self.files else "",
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
    frame = stream_parquet(path)
    if frame is None:
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
    frame = None
    if _size(path) >= LARGE and _is_plain(text, rows):
        head = _parse_text(where, io.StringIO(text), sep=separator, decimal=decimal)
        count = int(1.1 * len(head) * _size(path) / len(text))
        frame = stream_text(partial(_open_blocks, path), head, count, separator, decimal, encoding.removesuffix("-sig"))
    if frame is None:
        with _open(path) as handle:
            frame = _parse_text(where, handle, sep=separator, decimal=decimal, encoding=encoding)
    return Table(frame.rename(columns=str.strip), separator, decimal, encoding.removesuffix("-sig"))


def _size(path: Path) -> int:
    """Bytes of text, about."""
    return path.stat().st_size * (8 if path.suffix.lower() in _OPENERS else 1)


def _is_plain(text: str, rows: list[list[str]]) -> bool:
    """Whether rows are lines, the first line names all columns, and all rows have as many cells."""
    lines = bool(text.splitlines()[0].strip()) and not any("\n" in cell for row in rows for cell in row)
    return lines and all(rows[0]) and all(len(row) == len(rows[0]) for row in rows)


def _parse_text(where: str, handle: io.BufferedIOBase | io.StringIO, **dialect: str) -> pd.DataFrame:
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
    return _OPENERS.get(path.suffix.lower(), open)(path, "rb")


def _open_blocks(path: Path) -> io.BufferedIOBase | pa.NativeFile:
    """As `_open`, plain files without Python's objects between."""
    return _open(path) if path.suffix.lower() in _OPENERS else pa.OSFile(str(path))


def _open_zst(path: Path, mode: str) -> io.BufferedIOBase:
    return io.BufferedReader(pa.input_stream(str(path), compression="zstd"))


def _open_zip(path: Path, mode: str) -> io.BufferedIOBase:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if len(names) != 1:
            refuse(str(path), "a zip must hold one file", f"{len(names)}: {some(names)}")
        return archive.open(names[0])


_OPENERS = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open, ".zst": _open_zst, ".zip": _open_zip}


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
    data = all(_NUMBER.fullmatch(cell) or is_time(cell) for cell in header)
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
