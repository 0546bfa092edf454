"""Reading of tables that are not text: Parquet, Feather, JSON and spreadsheets."""

import io
import json
import re
from collections.abc import Callable
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet

from forecastkit.data.files.dialects import TOTAL, check_unique
from forecastkit.data.files.packed_series import read_tsf, unpack
from forecastkit.data.files.sources import Source
from forecastkit.data.files.streaming import stream_parquet
from forecastkit.data.files.text_columns import blank, convert
from forecastkit.data.files.time_shapes import is_time
from forecastkit.utils.validation import first_few, refuse

#: Suffixes that identify a format.
SUFFIXES = {
    ".parquet": "parquet", ".pq": "parquet", ".feather": "feather", ".arrow": "feather",
    ".json": "JSON", ".jsonl": "JSON", ".ndjson": "JSON",
    ".tsf": "tsf", ".xlsx": "spreadsheet", ".xlsm": "spreadsheet", ".xls": "spreadsheet", ".ods": "spreadsheet",
}  # fmt: skip


def format_of(source: Source) -> str:
    """Return the format of a file by its suffix, of a pipe by its first bytes; empty for text."""
    if source.kept is None:
        return SUFFIXES.get(source.path.suffix.lower(), "")
    marks = {b"PAR1": "parquet", b"ARROW1": "feather", b"{": "JSON", b"[{": "JSON"}
    return next((kind for mark, kind in marks.items() if source.kept.startswith(mark)), "")


def _read_parquet(where: str, source: Source) -> tuple[pd.DataFrame, tuple[str, ...]]:
    with source.stored() as handle:
        check_unique(where, pyarrow.parquet.read_schema(handle).names)
    frame = stream_parquet(source)
    if frame is None:
        with source.stored() as handle:
            frame = pd.read_parquet(handle)
    frame, notes = unpack(where, frame)
    return _plain(frame), notes


def _read_feather(where: str, source: Source) -> tuple[pd.DataFrame, tuple[str, ...]]:
    with source.stored() as handle:
        table = pyarrow.feather.read_table(handle)
    check_unique(where, table.column_names)
    frame, notes = unpack(where, table.to_pandas())
    return _plain(frame), notes


def _read_json(where: str, source: Source) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return records of a JSON array, or of one JSON object per line."""
    with source.open() as handle:
        text = handle.read().decode("utf-8-sig", errors="replace")
    try:
        records = _records(json.loads(text))
    except ValueError:
        try:
            records = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError as error:
            refuse(where, "JSON must be an array of records, or one record in each line", str(error), "Check the file.")
    odd = [record for record in records if not isinstance(record, dict)]
    if odd:
        refuse(where, "records must have values by the names of columns", repr(odd[0])[:60], "Flatten them.")
    nested = any(isinstance(cell, dict) for record in records for cell in record.values())
    frame = pd.json_normalize(records) if nested else pd.DataFrame.from_records(records)
    frame, unpacked = unpack(where, frame)
    frame, notes = _typed(where, _plain(frame))
    return frame, (*unpacked, *notes)


def _read_tsf(where: str, source: Source) -> tuple[pd.DataFrame, tuple[str, ...]]:
    with source.open() as handle:
        return read_tsf(where, handle.read().decode("utf-8-sig", errors="replace"))


def _records(content: object) -> list:
    """Return the records of a JSON document: an array of them, columns, or an object that contains one of these."""
    if isinstance(content, list):
        pairs = len(content) > 1 and all(isinstance(row, list) and len(row) == 2 for row in content)
        return [{"time": time, "value": value} for time, value in content] if pairs else content
    if not isinstance(content, dict):
        return [content]
    if isinstance(content.get("schema"), dict) and isinstance(content.get("data"), list):  # the table schema of pandas
        return content["data"]
    if (labelled := _labelled(content)) is not None:
        return labelled
    if isinstance(content.get("columns"), list) and isinstance(content.get("data"), list):  # as pandas splits frames
        return [dict(zip(content["columns"], row, strict=True)) for row in content["data"]]
    columns = [list(cells.values()) if isinstance(cells, dict) else cells for cells in content.values()]
    lengths = {len(cells) if isinstance(cells, list) else -1 for cells in columns}
    if len(lengths) == 1 and max(lengths) > 1 and not any(isinstance(cell, (dict, list)) for cell in columns[0]):
        return [dict(zip(content, row, strict=True)) for row in zip(*columns, strict=True)]
    inner = [_records(part) for part in content.values() if isinstance(part, (dict, list))]
    inner = [part for part in inner if part and isinstance(part[0], dict) and (len(part) > 1 or _holds_lists(part[0]))]
    return inner[0] if len(inner) == 1 else [content]


def _holds_lists(record: dict) -> bool:
    return any(isinstance(cell, list) for cell in record.values())


def _labelled(content: dict) -> list | None:
    """Return the records of objects whose names are times: of one for each time, or of one for each column."""
    if not content or not all(isinstance(part, dict) and part for part in content.values()):
        return None
    if all(map(is_time, content)):
        return [{"time": label, **cells} for label, cells in content.items()]
    labels = list(next(iter(content.values())))
    stamped = all(re.fullmatch(r"\d{12,13}", label) or is_time(label) for label in labels)
    if not stamped or any(list(cells) != labels for cells in content.values()):
        return None
    times = [int(label) if label.isdigit() else label for label in labels]
    rows = zip(times, *(cells.values() for cells in content.values()), strict=True)
    return [dict(zip(("time", *content), row, strict=True)) for row in rows]


def _read_spreadsheet(where: str, source: Source) -> tuple[pd.DataFrame, tuple[str, ...]]:
    try:
        with source.stored() as handle:
            content = io.BytesIO(handle.read())
        blanks = {"keep_default_na": False, "na_values": [""]}
        sheets = pd.read_excel(content, sheet_name=None, engine="calamine", **blanks)
    except ImportError:
        refuse(where, "spreadsheets need another package", "none", 'Install it: pip install "forecastkit[excel]".')
    except Exception as error:  # of the engine's own kinds
        if type(error).__module__.startswith("python_calamine"):
            refuse(where, "the file must be readable", " ".join(str(error).split()), "It may be damaged or cut short.")
        raise
    filled = {name: frame for name, frame in sheets.items() if not frame.dropna(how="all").empty}
    if not filled:
        refuse(where, "the file must have a header and rows", "an empty spreadsheet")
    tables = [name for name, frame in filled.items() if frame.shape[1] > 1 and len(frame) > 1]
    name = next(iter(tables or filled))
    frame, others = filled[name], [repr(other) for other in filled if other != name]
    joined = _stacked(list(filled.values()))
    if joined is not None:
        frame, notes = _typed(where, _plain(joined))
        return frame, (f"{len(filled)} sheets with the same columns joined", *notes)
    titles = _rows_above_names(frame)
    if titles:
        frame = pd.read_excel(content, sheet_name=name, engine="calamine", skiprows=titles, **blanks)
    frame = frame.dropna(how="all").reset_index(drop=True)
    totals = frame.iloc[:, 0].map(lambda cell: isinstance(cell, str) and TOTAL.fullmatch(cell.strip()) is not None)
    last = len(frame) - int(totals[::-1].cumprod().sum())
    frame, notes = _typed(where, _plain(frame[:last]))
    if last < len(totals):
        notes = (f"{len(totals) - last} row{'s' * (len(totals) - last > 1)} of totals left out", *notes)
    if titles:
        notes = (f"{titles} row{'s' * (titles > 1)} above the names left out", *notes)
    return frame, (f"sheet {name!r} is read, not {first_few(others)}", *notes) if others else notes


def _stacked(sheets: list[pd.DataFrame]) -> pd.DataFrame | None:
    """Return sheets that continue each other as one table: with the same columns, and dates that never repeat."""
    names = list(sheets[0])
    if len(sheets) < 2 or any(list(sheet) != names for sheet in sheets):
        return None
    frame = pd.concat(sheets, ignore_index=True).dropna(how="all")
    dates = [name for name in names if frame[name].dtype.kind == "M"]
    return frame if dates and frame[dates[0]].is_unique else None


def _rows_above_names(frame: pd.DataFrame) -> int:
    """Return the number of rows with titles above the first row that names all columns with text; 0 for none."""
    named = sum(not str(name).startswith("Unnamed: ") for name in frame)
    head = frame[:MOST_TITLES]
    filled = head.notna().sum(axis=1).to_numpy()
    if named > frame.shape[1] // 2 or not len(head) or filled.max() <= named:
        return 0
    row = int(filled.argmax())
    names = head.iloc[row].dropna()
    return row + 1 if names.map(lambda cell: isinstance(cell, str)).all() and names.is_unique else 0


def _typed(where: str, frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Convert numbers that are stored as text."""
    text = frame[[name for name in frame if isinstance(frame[name].dtype, pd.StringDtype)]].fillna("")
    read, _, notes = convert(where, text, ";")
    return frame.assign(**{name: read[name] for name in read}), tuple(notes)


#: Rows of a spreadsheet in which its names are looked for.
MOST_TITLES = 20

READERS: dict[str, Callable[[str, Source], tuple[pd.DataFrame, tuple[str, ...]]]] = {
    "parquet": _read_parquet,
    "feather": _read_feather,
    "JSON": _read_json,
    "spreadsheet": _read_spreadsheet,
    "tsf": _read_tsf,
}


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return columns with text names, including the index, and with decimals as numbers."""
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
    frame = frame.rename(columns=str)
    return frame.assign(**{name: read for name in frame if (read := _plain_column(frame[name])) is not None})


def _plain_column(column: pd.Series) -> pd.Series | None:
    """Return numbers for decimals, and text with blank cells as missing; None if unchanged."""
    if isinstance(column.dtype, pd.ArrowDtype) and pa.types.is_decimal(column.dtype.pyarrow_dtype):
        return column.astype("float64")
    if column.dtype == object:
        present = column.dropna()
        if (
            len(present)
            and present.map(lambda cell: isinstance(cell, (Decimal, int, float)) and not isinstance(cell, bool)).all()
        ):
            return pd.to_numeric(column.astype("float64"))
        return None
    return blank(column) if isinstance(column.dtype, pd.StringDtype) else None
