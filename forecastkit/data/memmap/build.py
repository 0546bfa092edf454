"""Conversion of Parquet files to memory-mapped arrays on a regular grid, in batches of rows.

The first pass reads only the keys and finds the first and last time of each series. The second pass writes every row
at its place, whatever the order of rows and files. Memory is needed for a batch, a decoded row group, and a few numbers
per series.
"""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Unpack

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from forecastkit.data.files.multiple import find_paths
from forecastkit.data.ingest.read_panel import check_sparse, to_regular_grid
from forecastkit.data.ingest.table import Table, read_rows
from forecastkit.data.memmap.dataset import MappedData, open_mapped, write_manifest
from forecastkit.data.panel import ROW_BUFFERS, Panel, pointers
from forecastkit.data.schema import Schema, find_schema
from forecastkit.data.time_grid import TimeGrid
from forecastkit.utils import types
from forecastkit.utils.arrays import parts, reserve
from forecastkit.utils.validation import check_names, first_few, refuse

WHERE = "map_parquet"
#: Rows read at a time.
BATCH = 1 << 17


def map_parquet(
    source: types.Path | Sequence[types.Path],
    path: types.Path,
    *,
    freq: str | None = None,
    **roles: Unpack[types.Roles],
) -> MappedData:
    """Convert long data that may be larger than memory to memory-mapped files for training.

    Rows and files may have any order. The memory needed is that of a row group, not of the data.

    Parameters
    ----------
    source : str or path, or list of them
        Parquet files, folders of them, or patterns such as ``'sales/*.parquet'``.
    path : str or path
        Folder to create. It is written under another name and renamed when it is complete.
    freq : str, optional
        Pandas alias of the frequency; by default inferred from the first 131,072 rows.
    **roles
        `target`, `time`, `series_id`, `known`, `past` and `static`, as the parameters of a forecaster. Covariates are
        numbers.

    Returns
    -------
    MappedData
        Data for `fit` instead of a frame.

    Raises
    ------
    InputError
        If the data are invalid for `fit`, covariates or times are text, several rows have the same series and time, the
        path exists, or the disk is full.
    """
    check_names(WHERE, "the role", roles, types.Roles.__annotations__)
    roles = dict.fromkeys(types.Roles.__annotations__) | roles
    files, path = _files(source), Path(path)
    if path.exists():
        refuse(WHERE, "the path must not exist", repr(str(path)), "Choose another, or open_mapped it.")
    schema, grid = _inspect(files, roles, freq)
    series = _find_ends(files, schema, grid)
    with _whole_or_nothing(path) as folder:
        write_manifest(folder, _write_rows(folder, files, schema, grid, series), schema)
    return open_mapped(path)


def _files(source):
    """Return the Parquet files with rows."""
    files = find_paths([Path(one) for one in (source if isinstance(source, (list, tuple)) else [source])])
    foreign = [file.name for file in files if file.suffix.lower() not in (".parquet", ".pq")]
    if foreign:
        refuse(WHERE, "files must end in .parquet or .pq", first_few(map(repr, foreign)))
    with _readable():
        filled = [file for file in files if pyarrow.parquet.read_metadata(file).num_rows]
    return filled or refuse(WHERE, "there must be rows", f"0 rows in {first_few(file.name for file in files)}")


@contextlib.contextmanager
def _readable():
    """Convert errors of reading a file to a refusal."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        got = " ".join(str(error).split()).rstrip(".")
        refuse(WHERE, "the files must be readable", got, "One may be missing, damaged or cut short.")


def _frames(files, columns=None, series=None) -> Iterator[pd.DataFrame]:
    """Yield batches of rows with these columns, with series names as categories."""
    for file in files:
        with _readable(), pyarrow.parquet.ParquetFile(file, read_dictionary=series, pre_buffer=False) as table:
            for batch in table.iter_batches(BATCH, columns=columns):
                yield batch.to_pandas(ignore_metadata=True)
        pa.default_memory_pool().release_unused()


def _inspect(files, roles, freq) -> tuple[Schema, TimeGrid]:
    """Find roles and grid from the first rows."""
    head = _head(files)
    head = head[[name for name in head.columns if not name.startswith("__index_level_")]]
    schema = find_schema(head, None, roles)
    if schema.time is None:
        refuse(
            WHERE, "the column of times must be known", f"none among {first_few(map(repr, head.columns), 8)}", "time="
        )
    if pd.api.types.infer_dtype(head[schema.time]) == "string":
        got = f"text in {schema.time!r}, such as {head[schema.time].iloc[0]!r}"
        refuse(WHERE, "times must be stored as times or whole numbers", got, "Convert the column before.")
    if schema.categories:
        rule = "mapped covariates must be numbers"
        refuse(WHERE, rule, f"classes in {first_few(map(repr, schema.categories))}", "Give 0/1 columns instead.")
    panel, schema = to_regular_grid(read_rows(schema, head), freq)
    if schema.resample is not None:
        rule = f"mapped times must lie on a regular grid ({panel.grid.name})"
        refuse(WHERE, rule, "times close to one", "Round them before.")
    return replace(schema, weeks={}), panel.grid  # rows of one batch do not say at which times series never occur


def _head(files):
    """Return the first batch of rows, from as many files as necessary."""
    frames, rows = [], 0
    for frame in _frames(files):
        frames.append(frame)
        rows += len(frame)
        if rows >= BATCH:
            break
    return pd.concat(frames, ignore_index=True)


class _Series:
    """The series found so far: the number of each name, and first and last ordinal of each number."""

    def __init__(self):
        self.number: dict = {}
        self.start, self.end, self.rows = np.empty(0, dtype="int64"), np.empty(0, dtype="int64"), 0

    def entities(self, table: Table) -> np.ndarray:
        """Return the number of each row's series; new names get the next numbers."""
        places = [self.number.setdefault(name, len(self.number)) for name in table.ids]
        return np.array(places, dtype="int64")[table.entity]

    def add(self, table: Table, ordinals: np.ndarray) -> None:
        """Add the rows of a table."""
        entity, far = self.entities(table), np.iinfo("int64")
        more = len(self.number) - len(self.start)
        self.start = np.append(self.start, np.full(more, far.max))
        self.end = np.append(self.end, np.full(more, far.min))
        np.minimum.at(self.start, entity, ordinals)
        np.maximum.at(self.end, entity, ordinals)
        self.rows += len(entity)


def _tables(files, schema, future=False) -> Iterator[Table]:
    names = [schema.series_id, schema.time, *schema.target, *schema.known, *schema.past, *schema.static]
    columns = [name for name in names if name is not None]
    text = None if schema.series_id is None else [schema.series_id]
    return (read_rows(schema, frame, future=future) for frame in _frames(files, columns, text))


def _find_ends(files, schema, grid) -> _Series:
    """Read and check all keys, in a first pass."""
    series, keys = _Series(), replace(schema, target=(), known=(), past=(), static=())
    for table in _tables(files, keys, future=True):
        series.add(table, grid.ordinals_of(table.timestamps, WHERE, table.places))
    kinds = {type(name).__name__ for name in series.number} - {"str", "int", "NoneType"}
    if kinds:
        refuse(
            WHERE, f"series must be named by text or whole numbers in {schema.series_id!r}", first_few(sorted(kinds))
        )
    check_sparse(series.rows, int((series.end - series.start + 1).sum()), grid)
    return series


def _write_rows(folder, files, schema, grid, series) -> Panel:
    """Write every row at its place, in a second pass."""
    indptr = pointers(series.end - series.start + 1)
    widths = {name: len(getattr(schema, name)) for name in ROW_BUFFERS}
    rows, dtypes = int(indptr[-1]), {"target": _target_dtype(files, schema)}
    out = {name: _blank(folder / f"{name}.npy", (rows, n), dtypes.get(name, "f4")) for name, n in widths.items()}
    static = np.full((len(series.start), len(schema.static)), np.nan, dtype="float32")
    taken = np.memmap(folder / "taken", dtype=bool, mode="w+", shape=rows)
    for table in _tables(files, schema):
        entity = series.entities(table)
        at = indptr[entity] + grid.ordinals(table.timestamps)[0] - series.start[entity]
        _check_new(table, taken, at)
        taken[at] = True
        for name in ROW_BUFFERS:
            out[name][at] = getattr(table, name)
        _take_static(static, table, series, schema)
    (folder / "taken").unlink()
    for values in out.values():
        if isinstance(values, np.memmap):
            values.flush()
    return Panel(grid, tuple(series.number), series.start, indptr, static=static, **out)


def _target_dtype(files, schema):
    """Return the widest floating-point type of the target columns."""
    kinds = {pyarrow.parquet.read_schema(file).field(name).type for file in files for name in schema.target}
    return "float32" if kinds == {pa.float32()} else "float64"


def _blank(path, shape, dtype):
    """Create an array of NaN in a file with reserved disk space; None without columns."""
    if not shape[1]:
        return np.zeros(shape, dtype=dtype)
    values = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
    with open(path, "r+b") as file:
        reserve(file.fileno(), path.stat().st_size)
    for part in parts(len(values)):
        values[part] = np.nan
    return values


def _check_new(table, taken, at):
    """Refuse rows that repeat the series and time of an earlier row."""
    again = np.array(taken[at])
    if (np.diff(at) <= 0).any():
        order = np.argsort(at, kind="stable")
        again[order[1:]] |= at[order[1:]] == at[order[:-1]]
    if again.any():
        got = table.places.count(again, "duplicate", "duplicates")
        refuse(WHERE, "each (series, time) must be one row", got, "Merge them before the data are mapped.")


def _take_static(static, table, series, schema):
    """Add the static covariates of a table; values that differ from known ones are refused."""
    if not static.shape[1]:
        return
    places = np.array([series.number[name] for name in table.ids], dtype="int64")
    before = static[places]
    changed = ~np.isnan(before) & ~np.isnan(table.static) & (before != table.static)
    if changed.any():
        rule = f"static columns {first_few(schema.static)} must not change within a series"
        got = f"changes in {first_few(repr(table.ids[e]) for e in np.flatnonzero(changed.any(axis=1)))}"
        refuse(WHERE, rule, got, "Pass them in past=.")
    static[places] = np.where(np.isnan(table.static), before, table.static)


@contextlib.contextmanager
def _whole_or_nothing(path):
    """Create a folder that gets its name when it is complete, so that incomplete ones are never opened."""
    folder = path.parent / f".{path.name}.{secrets.token_hex(4)}.tmp"
    try:
        folder.mkdir()
        yield folder
        os.replace(folder, path)
    except OSError as error:
        refuse(WHERE, f"{str(path)!r} must be writable, on a disk with room", error.strerror or str(error))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
