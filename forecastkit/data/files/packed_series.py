"""Tables whose rows are whole series: lists of values, as in JSON lines, Parquet and .tsf files."""

import re

import numpy as np
import pandas as pd

from forecastkit.data.files.time_shapes import is_time
from forecastkit.utils.validation import first_few, refuse

#: Frequencies by their former names in pandas.
_ALIASES = {"H": "h", "T": "min", "S": "s", "L": "ms", "d": "D"}
#: Names of frequencies that are not those of pandas.
_NAMED = {
    "minutely": "min", "half_hourly": "30min", "hourly": "h", "daily": "D", "weekly": "W", "monthly": "M",
    "quarterly": "Q", "yearly": "Y", "second": "s", "minute": "min", "hour": "h", "day": "D", "week": "W",
}  # fmt: skip
_MONTHS = {"M": 1, "MS": 1, "ME": 1, "Q": 3, "QS": 3, "QE": 3, "A": 12, "AS": 12, "Y": 12, "YS": 12, "YE": 12}
_STATIC, _FREQ = "feat_static", "freq"
#: Columns with the first time of each series.
_STARTS = ("start", "start_timestamp", "start_time", "start_date")


def unpack(where: str, frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return one row for each value of the lists in a table, and notes.

    Parameters
    ----------
    where : str
        Name of the table in error messages.
    frame : pandas.DataFrame
        Cells may be lists of values, or of pairs of a time and a value. Static features are lists of equal length.

    Returns
    -------
    frame : pandas.DataFrame
        With a column ``time`` of the pairs, from ``start`` and ``freq``, or that counts the values of each row.
    notes : tuple of str

    Raises
    ------
    InputError
        If lists of a row differ in length, contain other lists, or have a start without a frequency.
    """
    lists = [name for name in frame if frame[name].dtype == object and frame[name].map(_is_list).any()]
    if not lists:
        return frame, ()
    partly = [name for name in lists if not frame[name].map(_is_list).all()]
    if partly:
        refuse(where, "a column must have lists in all rows or in none", f"{partly[0]!r} with both", "Flatten it.")
    frame, lists = _split(frame, lists)
    if not lists:
        return frame, ()
    nested = [name for name in lists if any(len(cells) and _is_list(cells[0]) for cells in frame[name])]
    if nested:
        refuse(where, "lists must have plain values", f"lists of lists in {nested[0]!r}", "Flatten them.")
    _refuse_lists_of_one_time(where, frame, lists)
    frame, notes = _equal_lengths(where, frame, lists)
    counts = frame[lists[0]].map(len).to_numpy()
    if not _has_times(frame, lists):
        first = next((name for name in frame if str(name).lower() in _STARTS), None)
        times = _times(where, frame, first, counts) if first else [np.arange(count) for count in counts]
        frame = frame.drop(columns=[name for name in (first, _FREQ) if name in frame])
        frame.insert(0, "time", pd.Series(times, dtype=object))
        lists = [*lists, "time"]
    frame = frame.rename(columns={"target": "value"} if "value" not in frame else {})  # `target` is a name of results
    lists = ["value" if name == "target" and "value" in frame else name for name in lists]
    if len(frame) > 1 and not any(frame[name].is_unique for name in frame if name not in lists):
        frame.insert(0, "series", np.arange(1, len(frame) + 1))
    rows = frame.explode(lists, ignore_index=True)[np.repeat(counts > 0, np.maximum(counts, 1))]
    rows = rows.assign(**{name: _plain_values(rows[name]) for name in lists})
    said = f"{first_few(map(repr, (name for name in lists if name != 'time')))} unpacked from {len(frame):,} series"
    return rows.reset_index(drop=True), (said, *notes)


def _is_list(cell: object) -> bool:
    return isinstance(cell, (list, tuple, np.ndarray))


def _refuse_lists_of_one_time(where: str, frame: pd.DataFrame, lists: list[str]) -> None:
    """Refuse lists that are no series: of words, or beside a single time for each row, such as coordinates."""
    words = [
        name
        for name in lists
        if any(isinstance(cell, str) and not _is_value(cell) for row in frame[name] for cell in row)
    ]
    single = [
        name for name in frame if name not in lists and str(name).lower() not in _STARTS
        and frame[name].head(20).map(lambda cell: is_time(str(cell))).all()
    ]  # fmt: skip
    if words or (single and not _has_times(frame, lists)):
        found = f"words in {words[0]!r}" if words else f"{lists[0]!r} beside the times {single[0]!r}"
        refuse(where, "lists must be the values of series", found, "Flatten them, or leave the column out.")


def _is_value(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return cell == "?" or is_time(cell)
    return True


def _plain_values(column: pd.Series) -> pd.Series:
    """Return numbers as such, also those stored as text, and missing ones for ``NaN``."""
    cells = column.infer_objects()
    if cells.dtype != object and not isinstance(cells.dtype, pd.StringDtype):
        return cells
    numbers = pd.to_numeric(cells.replace({"NaN": None, "nan": None, "?": None}), errors="coerce")
    told = cells.isna() | cells.isin(["NaN", "nan", "?"])
    return numbers.astype("float64") if (numbers.notna() | told).all() else cells


def _split(frame: pd.DataFrame, lists: list[str]) -> tuple[pd.DataFrame, list[str]]:
    """Return static lists, pairs and lists of lists as columns of their own, and the columns that are still lists."""
    found, kept = {}, []
    for name in frame:
        cells = frame[name].tolist()
        if name not in lists:
            found[name] = frame[name]
        elif name.startswith(_STATIC):
            width = max(map(len, cells))
            found |= {f"{name}_{place + 1}": pd.Series([row[place] if place < len(row) else None for row in cells])
                      for place in range(width)}  # fmt: skip
        elif len(lists) == 1 and all(len(cell) and all(map(_is_pair, cell)) for cell in cells):
            for place, part in enumerate(("time", "value")):
                found[part] = pd.Series([[pair[place] for pair in row] for row in cells], dtype=object)
                kept.append(part)
        elif len(widths := {len(row) for row in cells}) == 1 and all(len(r) and all(map(_is_list, r)) for r in cells):
            for place in range(min(widths)):
                found[f"{name}_{place + 1}"] = pd.Series([row[place] for row in cells], dtype=object)
                kept.append(f"{name}_{place + 1}")
        else:
            found[name] = frame[name]
            kept.append(name)
    return pd.DataFrame({name: cells.reset_index(drop=True) for name, cells in found.items()}), kept


def _is_pair(cell: object) -> bool:
    return isinstance(cell, (list, tuple, np.ndarray)) and len(cell) == 2 and not any(map(_is_list, cell))


def _equal_lengths(where: str, frame: pd.DataFrame, lists: list[str]) -> tuple[pd.DataFrame, list[str]]:
    """Cut features that extend beyond the targets; other lists must have equal lengths."""
    ahead = [name for name in lists if name.startswith(("feat_dynamic", "past_feat_dynamic"))]
    main = [name for name in lists if name not in ahead] or lists
    counts, notes = frame[main[0]].map(len), []
    for name in lists:
        lengths = frame[name].map(len)
        if name in ahead and (lengths >= counts).all() and (lengths > counts).any():
            cut = [list(cells)[:count] for cells, count in zip(frame[name], counts, strict=True)]
            frame = frame.assign(**{name: pd.Series(cut, dtype=object)})
            notes.append(f"values of {name!r} after the last target left out")
        elif (lengths != counts).any():
            row = int((lengths != counts).to_numpy().argmax())
            found = f"{counts[row]} of {main[0]!r} and {lengths[row]} of {name!r} in row {row + 1}"
            refuse(where, "lists of a row must have equal lengths", found, "Check the file.")
    return frame, notes


def _has_times(frame: pd.DataFrame, lists: list[str]) -> bool:
    """Return whether a list has the times of the values."""
    return any(len(cells) and is_time(str(cells[0])) for name in lists for cells in frame[name][:3]) or "time" in lists


def _times(where: str, frame: pd.DataFrame, first: str, counts: np.ndarray) -> list[pd.DatetimeIndex]:
    if _FREQ not in frame or frame[_FREQ].isna().any():
        found = f"{first!r} and no {_FREQ!r}"
        refuse(where, "series that begin at a time must have a frequency", found, 'Add "freq", such as "D", to each.')
    rows = zip(frame[first], frame[_FREQ], counts, strict=True)
    return [stamps(where, begin, freq, count) for begin, freq, count in rows]


def stamps(where: str, begin: object, freq: object, count: int) -> pd.DatetimeIndex:
    """Return times from the first one by a frequency of pandas or a name such as ``half_hourly``."""
    first = _timestamp(where, begin)
    given = re.fullmatch(r"(\d*)_?([A-Za-z_]+?)(-[A-Z]+)?", str(freq).strip())
    size = int(given[1] or 1) if given else 1
    unit = _NAMED.get(given[2], given[2]) if given else str(freq)
    unit = _NAMED.get(unit.removesuffix("s"), unit)
    if unit in _MONTHS:
        ordinals = pd.Period(first, freq="M").ordinal + size * _MONTHS[unit] * np.arange(count)
        months = pd.PeriodIndex.from_ordinals(ordinals, freq="M")
        return months.to_timestamp() + pd.to_timedelta(np.minimum(first.day, months.days_in_month) - 1, unit="D")
    step = "7D" if unit == "W" else _ALIASES.get(unit, unit)
    try:
        return pd.date_range(first, periods=count, freq=size * pd.tseries.frequencies.to_offset(step))
    except ValueError:
        refuse(where, "a frequency must be one of pandas", repr(freq), "Use 'h', 'D', 'W', 'M', 'Q' or 'Y'.")


def _timestamp(where: str, begin: object) -> pd.Timestamp:
    text = re.sub(r"(\d) (\d\d)-(\d\d)-(\d\d)$", r"\1 \2:\3:\4", str(begin))
    try:
        return pd.Timestamp(text)
    except ValueError:
        refuse(where, "the start of a series must be a time", repr(begin), "Correct it.")


# Files of the Monash archive ------------------------------------------------------------------------------------------


def read_tsf(where: str, text: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the rows of a .tsf file: attributes and a list of values in each line below ``@data``."""
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    data = next((number for number, line in enumerate(lines) if line.lower() == "@data"), None)
    if data is None or data + 1 == len(lines):
        refuse(where, "a .tsf file must have '@data' and series below it", f"{len(lines)} lines without", "Check it.")
    head = [line.split() for line in lines[:data]]
    names = [line[1] for line in head if line[0].lower() == "@attribute"]
    freq = next((line[1] for line in head if line[0].lower() == "@frequency" and len(line) > 1), None)
    records = []
    for number, line in enumerate(lines[data + 1 :], 1):
        *cells, values = line.split(":")
        if len(cells) != len(names):
            found = f"{len(cells)} in series {number}"
            refuse(where, f"each series must have the {len(names)} attributes of the header", found, "Check the file.")
        records.append(dict(zip(names, cells, strict=True)) | {"value": values.split(",")})
    frame = pd.DataFrame.from_records(records)
    return unpack(where, frame.assign(freq=freq) if freq else frame)
