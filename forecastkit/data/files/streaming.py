"""Reads large tables a block at a time into columns as small as they can be: numbers, times, and coded text."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

#: Bytes of text, and rows of a parquet file, read at a time.
BLOCK, BATCH = 1 << 22, 1 << 17
#: Blocks after which freed memory is given back.
RELEASED = 4
#: What pandas takes for a missing cell, and the two further signs of `files`.
MISSING = (
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
    "NULL", "NaN", "None", "n/a", "nan", "null", "?", "-",
)  # fmt: skip
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?")
_TEXT = pa.dictionary(pa.int32(), pa.string())
_FAILED = re.compile(r"In CSV column #(\d+):.*conversion error to")


def stream_text(
    open_file: Callable[[], IO], head: pd.DataFrame, rows: int, separator: str, decimal: str, encoding: str
) -> pd.DataFrame | None:
    """A csv file as `pandas.read_csv` reads it, but text as categories in the order they appear and ISO times read.

    Parameters
    ----------
    open_file : callable
        Gives the file from its beginning.
    head : DataFrame
        Its first rows as pandas reads them, which say the kinds of columns.
    rows : int
        About how many there are.
    separator, decimal, encoding : str

    Returns
    -------
    DataFrame or None
        None where blocks cannot be read alike, such as numbers followed by text: pandas then sees the whole column.
    """
    kinds = {name: _kind(column) for name, column in head.items()}
    names = list(kinds)
    while None not in kinds.values():
        try:
            with open_file() as file:
                return _gather(_blocks(file, kinds, separator, decimal, encoding), rows)
        except pa.ArrowInvalid as error:
            failed = _FAILED.search(str(error))
            if failed is None:
                return None
            name = names[int(failed[1])]
            kinds[name] = {pa.int64(): pa.float64(), pa.timestamp("us"): _TEXT}.get(kinds[name])
    return None


def _kind(column: pd.Series) -> pa.DataType | None:
    """The arrow type that a column has by its first rows."""
    if pd.api.types.is_bool_dtype(column.dtype):
        return None
    if pd.api.types.is_integer_dtype(column.dtype):
        return pa.int64()
    if pd.api.types.is_float_dtype(column.dtype):
        return pa.float64()
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
        pyarrow.csv.ConvertOptions(
            column_types=kinds,
            null_values=MISSING,
            strings_can_be_null=True,
            decimal_point=decimal,
        ),
    )


def stream_parquet(path: Path) -> pd.DataFrame | None:
    """A parquet file of numbers, times and text, its text as categories; None where it is of anything else."""
    with pyarrow.parquet.ParquetFile(path) as file:
        schema, rows = file.schema_arrow, file.metadata.num_rows
    text = [field.name for field in schema if _is_text(field.type)]
    indexed = (schema.pandas_metadata or {}).get("index_columns", [])
    if (
        not rows
        or any(isinstance(name, str) for name in indexed)
        or not all(_is_simple(field.type) for field in schema)
    ):
        return None
    with pyarrow.parquet.ParquetFile(path, read_dictionary=text, pre_buffer=False) as file:
        return _gather(file.iter_batches(BATCH), rows)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _is_simple(kind: pa.DataType) -> bool:
    stamp = pa.types.is_timestamp(kind) and kind.tz is None
    return stamp or _is_text(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)


def _gather(batches: Iterable[pa.RecordBatch], rows: int) -> pd.DataFrame:
    """Batches of about so many rows as one frame."""
    columns: dict[str, _Column] = {}
    for number, batch in enumerate(batches, start=1):
        for name, block in zip(batch.schema.names, batch.columns, strict=True):
            if name not in columns:
                columns[name] = (_Words if pa.types.is_dictionary(block.type) else _Column)(rows)
            columns[name].add(block)
        if number % RELEASED == 0:
            pa.default_memory_pool().release_unused()
    pa.default_memory_pool().release_unused()
    return pd.DataFrame({name: columns.pop(name).values() for name in list(columns)}, copy=False)


class _Column:
    """A column that grows in place: of room that is never written to the system makes no memory."""

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
        """The whole column."""
        if self.cells is None:
            return np.zeros(0)
        self.cells.resize(self.count, refcheck=False)
        return self.cells


class _Words(_Column):
    """Text as codes of the fewest bytes, in the order of appearance; space in front of a cell is no part of it."""

    def __init__(self, rows: int):
        super().__init__(rows)
        self.codes: dict[str, int] = {}

    def add(self, block: pa.DictionaryArray) -> None:
        words = (word.lstrip() for word in block.dictionary.to_pylist())
        codes = [self.codes.setdefault(word, len(self.codes)) for word in words]
        places = np.array([*codes, -1], dtype="int32")  # a missing cell has the last place
        self._append(places[block.indices.fill_null(len(codes)).to_numpy()])

    def values(self) -> pd.Categorical:
        small = super().values().astype(np.min_scalar_type(-max(len(self.codes), 1)))
        return pd.Categorical.from_codes(small, pd.Index(list(self.codes), dtype="str"))
