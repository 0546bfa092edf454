"""Reading of a file into a frame, including the detection of its dialect."""

import io
import warnings
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from forecastkit.data.files.dialects import Dialect, find_dialect, trim
from forecastkit.data.files.encodings import find_encoding
from forecastkit.data.files.number_cells import take_apart
from forecastkit.data.files.other_formats import READERS, format_of
from forecastkit.data.files.sources import DAMAGED, Source
from forecastkit.data.files.streaming import stream_text
from forecastkit.data.files.text_columns import convert
from forecastkit.data.files.text_lines import tidy_lines
from forecastkit.utils.validation import first_few, refuse

#: Size of text in bytes from which a file is read in blocks; compressed files count eight times.
LARGE = 1 << 26
_SNIFFED = 1 << 16


@dataclass(frozen=True, eq=False)
class Table:
    """A file as a frame, and its dialect.

    Attributes
    ----------
    frame : pandas.DataFrame
        Numbers are converted, times are text. Text is unchanged; blank cells are missing. In large files text is
        categorical and ISO times are parsed.
    separator : str or None
        Column separator; None if the file is not text.
    decimal : str
        The decimal separator, ``"."`` or ``","``.
    encoding : str or None
        ``"utf-8"`` or another Python encoding; None if the file is not text.
    files : tuple of str
        Names of several files whose rows are concatenated.
    format : str
        ``"text"``, ``"parquet"``, ``"feather"``, ``"JSON"``, ``"tsf"`` or ``"spreadsheet"``.
    notes : tuple of str
        What was left out or interpreted, such as ``"thousands '.' in 'sales'"``.
    """

    frame: pd.DataFrame
    separator: str | None = None
    decimal: str = "."
    encoding: str | None = None
    files: tuple[str, ...] = ()
    format: str = "text"
    notes: tuple[str, ...] = ()

    def describe(self, date_order: str = "") -> str:
        """Return the dialect without defaults: ``52,492 rows, ';', decimal ',', day.month.year``."""
        separator = {"\t": "tabs", ",": "", None: ""}.get(self.separator, repr(self.separator))
        found = [
            f"{len(self.files):,} files" if self.files else "",
            f"{len(self.frame):,} row{'s' if len(self.frame) != 1 else ''}",
            separator if self.format == "text" else self.format,
            "decimal ','" if self.decimal == "," else "",
            "" if self.encoding in ("utf-8", None) else self.encoding,
            "" if date_order.startswith("year") else date_order,
            *self.notes,
        ]
        return ", ".join(filter(None, found))


def read_table(path: str | Path, names: Collection[str] = ()) -> Table:
    """Read a file and detect its dialect.

    Parameters
    ----------
    path : str or pathlib.Path
        Parquet, Feather, JSON, .tsf and spreadsheets by their suffix; anything else is text with a header and the
        separator ``,``, ``;``, tab or ``|``, optionally compressed (``.gz``, ``.bz2``, ``.xz``, ``.zst``, ``.zip``).
        Pipes are read once. The decimal separator is inferred from all columns; thousands separators, currencies, per
        cent signs and units are removed if all cells of a column have the same.
    names : collection of str
        Columns that identify series and are kept as text: ``0071`` differs from ``71``, and ``1e5`` from ``100000``.

    Returns
    -------
    Table

    Raises
    ------
    InputError
        If the file is missing, a folder, empty, without rows, damaged or not text, columns share a name, or rows are
        longer than the header.
    """
    where, path = str(path), Path(path)
    if path.is_dir():
        refuse(where, "the data must be a file", "a folder")
    if not path.exists():
        refuse(where, "the data must be a file", "a path where there is none", "Check the spelling and the folder.")
    try:
        source = Source(path)
        table = _read(where, source, names)
    except DAMAGED as error:
        refuse(where, "the file must be readable", _one_line(error), "It may be damaged or cut short.")
    if table.frame.empty:
        refuse(where, "the file must have rows", f"a header ({first_few(table.frame.columns)}) and no row")
    return table


def _read(where: str, source: Source, names: Collection[str]) -> Table:
    kind = format_of(source)
    if not kind:
        return _read_text(where, source, names)
    if not source.size:
        refuse(where, "the file must have a header and rows", "an empty file")
    frame, notes = READERS[kind](where, source)
    return Table(frame, format=kind, notes=notes)


def _read_text(where: str, source: Source, names: Collection[str]) -> Table:
    if source.size >= LARGE and (table := _stream(where, source, names)) is not None:
        return table
    with source.open() as handle:
        content = handle.read()
    encoding = find_encoding(where, content)
    text = _decode(where, content, encoding)
    if not text.strip():
        refuse(where, "the file must have a header and rows", "an empty file")
    text, left_out = tidy_lines(text)
    dialect = find_dialect(where, _first_lines(text))
    frame, trimmed = trim(_parse(where, text, dialect))
    frame, decimal, notes = convert(where, frame, dialect.separator, names)
    notes = (*left_out, *dialect.notes, *trimmed, *notes)
    return Table(frame, dialect.separator, decimal or ".", encoding.removesuffix("-sig"), notes=notes)


def _decode(where: str, content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        refuse(where, f"the file must be {encoding} text", f"byte {error.object[error.start]:#x}", "Save it as UTF-8.")


def _first_lines(text: str) -> str:
    """Return about the first 64 KB, in whole lines."""
    if len(text) <= _SNIFFED:
        return text
    end = text.find("\n", _SNIFFED)
    return text if end < 0 else text[:end]


def _parse(where: str, text: str, dialect: Dialect) -> pd.DataFrame:
    """Return all cells as text."""
    frame = _parse_plain(text, dialect)
    if frame is None:
        frame = _parse_any(where, text, dialect)
    return frame


def _parse_plain(text: str, dialect: Dialect) -> pd.DataFrame | None:
    """Parse a table without quotes with Arrow, which is much faster; None if rows differ in length."""
    if dialect.skip != 1 or '"' in text or not _is_plain(_first_lines(text), dialect):
        return None
    names = list(dialect.header)
    try:
        table = pyarrow.csv.read_csv(
            io.BytesIO(text.encode()),
            pyarrow.csv.ReadOptions(column_names=names, skip_rows=1),
            pyarrow.csv.ParseOptions(delimiter=dialect.separator, quote_char=False),
            pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.large_string())),
        )
    except pa.ArrowInvalid:  # rows of another length, which are refused by their number
        return None
    cells = {name: pc.utf8_ltrim(table[name], " ") for name in names}
    return pd.DataFrame({name: pd.Series(column.to_pandas(), dtype="str") for name, column in cells.items()})


def _parse_any(where: str, text: str, dialect: Dialect) -> pd.DataFrame:
    options = {"index_col": False, "skipinitialspace": True, "dtype": "str", "na_filter": False, "engine": "c"}
    options |= {"header": None, "names": list(dialect.header), "skiprows": dialect.skip}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # that cells would be dropped
            return pd.read_csv(io.StringIO(text), sep=dialect.separator, **options)
    except pd.errors.ParserWarning:
        refuse(where, "no row may have more cells than the header", "rows that have", "Name every column.")
    except pd.errors.ParserError as error:
        refuse(where, "rows must have the cells of the header", repr(_one_line(error).split("C error: ")[-1]))


def _stream(where: str, source: Source, names: Collection[str]) -> Table | None:
    """Read a large file in blocks; None if that would differ from reading it at once."""
    with source.open() as handle:
        head = handle.read(_SNIFFED) + handle.readline(_SNIFFED)
    encoding = find_encoding(where, head)
    text = head.decode(encoding, errors="replace")
    dialect = find_dialect(where, text)
    if dialect.skip != 1 or not _is_plain(text, dialect):
        return None
    cells, trimmed = trim(_parse(where, text, dialect))
    if trimmed:
        return None
    first, _, notes = convert(where, cells, dialect.separator, names)
    if notes:
        return None
    # A separator that is only likely from the first rows is inferred from the whole file.
    proofs = [take_apart(cells[name]).proves for name in first if pd.api.types.is_numeric_dtype(first[name])]
    decimal = next(iter(set().union(*proofs)), "")
    count = int(1.1 * len(first) * source.size / len(head))
    frame = stream_text(
        source.open_blocks, first, cells, count, dialect.separator, decimal, encoding.removesuffix("-sig")
    )
    return None if frame is None else Table(frame, dialect.separator, decimal or ".", encoding.removesuffix("-sig"))


def _is_plain(text: str, dialect: Dialect) -> bool:
    """Return whether every line is a row, the first line has the column names, and all rows have the same length."""
    rows = (dialect.header, *dialect.rows)
    lines = bool(text.splitlines()[0].strip()) and not any("\n" in cell for row in rows for cell in row)
    named = not any(name.startswith("Unnamed: ") for name in dialect.header)
    return lines and named and all(len(row) == len(dialect.header) for row in rows)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
