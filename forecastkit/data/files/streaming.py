"""Reading of large tables in blocks into compact columns: numbers, times, and coded text."""

import re
from collections.abc import Callable, Iterable
from typing import IO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from forecastkit.data.files.number_cells import MISSING, OPEN_GROUP, PADDED, PLAIN, take_apart
from forecastkit.data.files.sources import Source
from forecastkit.data.files.text_columns import blank

#: Bytes of text, or rows of a Parquet file, read at a time.
BLOCK, BATCH = 1 << 22, 1 << 17
#: Number of blocks after which freed memory is returned to the system.
RELEASED = 4
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?")
_TEXT = pa.dictionary(pa.int32(), pa.string())
_FAILED = re.compile(r"In CSV column #(\d+):.*conversion error to")


class _Undecided(Exception):
    """Raised if the meaning of cells depends on the whole column."""


def stream_text(
    open_file: Callable[[], IO],
    head: pd.DataFrame,
    cells: pd.DataFrame,
    rows: int,
    separator: str,
    decimal: str,
    encoding: str,
) -> pd.DataFrame | None:
    """Read a CSV file in blocks, with text as categories in order of appearance and ISO times parsed.

    Parameters
    ----------
    open_file : callable
        Returns the file opened at its beginning.
    head, cells : DataFrame
        Its first rows, which determine the kinds of columns, and the same rows as text.
    rows : int
        Approximate number of rows.
    separator, decimal, encoding : str
        `decimal` is empty if the first rows have no decimal separator.

    Returns
    -------
    DataFrame or None
        None if blocks cannot be read consistently, such as numbers followed by text, so that the whole column is
        needed.
    """
    kinds = {name: _kind(head[name], cells[name]) for name in head}
    names = list(kinds)
    while None not in kinds.values():
        try:
            with open_file() as file:
                frame = _gather(_blocks(file, kinds, separator, decimal or ".", encoding), rows, decimal)
            return frame.assign(**{name: blank(frame[name]) for name in frame if kinds[name] == _TEXT})
        except _Undecided:
            return None
        except pa.ArrowInvalid as error:
            failed = _FAILED.search(str(error))
            if failed is None:
                return None
            name = names[int(failed[1])]
            kinds[name] = _TEXT if kinds[name] == pa.timestamp("us") else None
    return None


def _kind(column: pd.Series, cells: pd.Series) -> pa.DataType | None:
    """Return the Arrow type of a column by its first rows; ambiguous numbers are read as text first."""
    if pd.api.types.is_bool_dtype(column.dtype):
        return None
    if pd.api.types.is_numeric_dtype(column.dtype):
        return pa.float64() if take_apart(cells).proves else pa.string()
    if all(_ISO.fullmatch(cell) for cell in column.dropna().astype(str)):
        return pa.timestamp("us")
    return _TEXT


def _blocks(file, kinds, separator, decimal, encoding):
    return pyarrow.csv.open_csv(
        file,
        pyarrow.csv.ReadOptions(
            use_threads=False, block_size=BLOCK, encoding=encoding, column_names=list(kinds), skip_rows=1
        ),
        pyarrow.csv.ParseOptions(delimiter=separator),
        pyarrow.csv.ConvertOptions(column_types=kinds, null_values=MISSING, decimal_point=decimal),
    )


def stream_parquet(source: Source) -> pd.DataFrame | None:
    """Read a Parquet file of numbers, times and text, with text as categories; None for other types."""
    stored = source.path if source.kept is None else pa.BufferReader(source.kept)
    with pyarrow.parquet.ParquetFile(stored) as file:
        schema, rows = file.schema_arrow, file.metadata.num_rows
    text = [field.name for field in schema if _is_text(field.type)]
    indexed = (schema.pandas_metadata or {}).get("index_columns", [])
    if (
        not rows
        or any(isinstance(name, str) for name in indexed)
        or not all(_is_simple(field.type) for field in schema)
    ):
        return None
    with pyarrow.parquet.ParquetFile(stored, read_dictionary=text, pre_buffer=False) as file:
        return _gather(file.iter_batches(BATCH), rows)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _is_simple(kind: pa.DataType) -> bool:
    stamp = pa.types.is_timestamp(kind) and kind.tz is None
    return stamp or _is_text(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)


def _gather(batches: Iterable[pa.RecordBatch], rows: int, decimal: str = "") -> pd.DataFrame:
    """Concatenate batches of about `rows` rows; text that is not coded contains numbers with this decimal separator."""
    columns: dict[str, _Column] = {}
    for number, batch in enumerate(batches, start=1):
        for name, block in zip(batch.schema.names, batch.columns, strict=True):
            if name not in columns:
                columns[name] = _column(block.type, rows, decimal)
            columns[name].add(block)
        if number % RELEASED == 0:
            pa.default_memory_pool().release_unused()
    pa.default_memory_pool().release_unused()
    return pd.DataFrame({name: columns.pop(name).values() for name in list(columns)}, copy=False)


def _column(kind: pa.DataType, rows: int, decimal: str) -> "_Column":
    if pa.types.is_dictionary(kind):
        return _Words(rows)
    return _Numbers(rows, decimal) if pa.types.is_string(kind) else _Column(rows)


class _Column:
    """A column that grows in place; reserved memory that is not written is not allocated by the system."""

    def __init__(self, rows: int):
        self.count, self.room, self.cells = 0, rows, None

    def add(self, block: pa.Array) -> None:
        self._append(block.to_numpy(zero_copy_only=False))

    def _append(self, cells: np.ndarray) -> None:
        if self.cells is None:
            self.cells = np.empty(max(self.room, len(cells)), dtype=cells.dtype)
        elif self.cells.dtype != cells.dtype:
            self.cells = self.cells.astype(np.result_type(self.cells, cells))
        end = self.count + len(cells)
        if end > len(self.cells):
            self.cells.resize(int(1.2 * end), refcheck=False)
        self.cells[self.count : end] = cells
        self.count = end

    def values(self) -> np.ndarray:
        """Return the whole column."""
        if self.cells is None:
            return np.zeros(0)
        self.cells.resize(self.count, refcheck=False)
        return self.cells


class _Numbers(_Column):
    """Numbers given as text: zero-padded ones are names, and ``1.000`` may be a thousand.

    Parameters
    ----------
    rows : int
    decimal : str
        Decimal separator proven by other columns, or empty.
    """

    def __init__(self, rows: int, decimal: str):
        super().__init__(rows)
        self.decimal, self.open = decimal, False

    def add(self, block: pa.Array) -> None:
        text = pc.utf8_trim_whitespace(block)
        text = pc.if_else(pc.is_in(text, value_set=pa.array(MISSING)), pa.scalar(None, pa.string()), text)
        if self.decimal == ",":
            self._stop_at(text, r"\.")
            text = pc.replace_substring(text, ",", ".")
        self._stop_at(text, PADDED)
        self._stop_at(pc.invert(pc.match_substring_regex(text, PLAIN)))
        signed = text.filter(pc.fill_null(pc.match_substring_regex(text, r"[.eE]"), False))
        if len(signed) and not self.decimal:
            if pc.all(pc.match_substring_regex(signed, OPEN_GROUP)).as_py():
                self.open = True
            else:
                self.decimal, self.open = ".", False
        text = pc.replace_substring_regex(text, r"^\+", "")
        if len(signed):
            self._stop_at(text, r"^[+-]?\d{19,}$")
        self._append(pc.cast(text, pa.float64() if len(signed) else pa.int64()).to_numpy(zero_copy_only=False))

    @staticmethod
    def _stop_at(cells: pa.Array, pattern: str = "") -> None:
        """Stop if a cell matches the pattern."""
        found = pc.match_substring_regex(cells, pattern) if pattern else cells
        if pc.any(found).as_py():
            raise _Undecided

    def values(self) -> np.ndarray:
        if self.open:
            raise _Undecided
        return super().values()


class _Words(_Column):
    """Text as codes of the smallest integer type in order of appearance; leading spaces are ignored."""

    def __init__(self, rows: int):
        super().__init__(rows)
        self.codes: dict[str, int] = {}

    def add(self, block: pa.DictionaryArray) -> None:
        words = (word.lstrip() for word in block.dictionary.to_pylist())
        codes = [self.codes.setdefault(word, len(self.codes)) if word else -1 for word in words]
        places = np.array([*codes, -1], dtype="int32")  # a missing cell has the last place
        self._append(places[block.indices.fill_null(len(codes)).to_numpy()])

    def values(self) -> pd.Categorical:
        small = super().values().astype(np.min_scalar_type(-max(len(self.codes), 1)))
        return pd.Categorical.from_codes(small, pd.Index(list(self.codes), dtype="str"))
