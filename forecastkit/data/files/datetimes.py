"""Parsing of time columns; their format is inferred from the whole column."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecastkit.data.files import column_names
from forecastkit.data.files.cells import ANY_TIME, show_cells
from forecastkit.data.files.time_numbers import POSITIONS, dated_numbers
from forecastkit.data.files.time_shapes import is_time
from forecastkit.utils.exceptions import InputError
from forecastkit.utils.validation import refuse

__all__ = [
    "Times",
    "is_categories",
    "is_time",
    "parse_times",
    "read_numbers",
    "read_times",
    "show_cells",
    "try_times",
]


@dataclass(frozen=True, eq=False)
class Times:
    """A parsed time column.

    Attributes
    ----------
    values : pandas.Series
        datetime64 with the index and the name of the column, or int64 for positions.
    order : str
        Format of the times, such as ``"day.month.year"``; empty for datetimes. Pass it as `order` for later rows of the
        same source, so that ambiguous dates are read in the same way.
    sentence : str
        Guess in one sentence; empty if the cells have only one reading.
    """

    values: pd.Series
    order: str
    sentence: str = ""


def parse_times(values: pd.Series, where: str = "time", order: str = "") -> pd.Series:
    """Parse a time column, inferring its format from the whole column.

    Parameters
    ----------
    values : pandas.Series
        Text: ISO dates and datetimes with or without offset; dates with the day, the month or a year of two digits
        first; names of months in many languages; years with a month, an ISO week, a quarter or a half; intervals.
        Numbers: years, digits of a date such as ``yyyymm`` and ``yyyymmddhh``, unix times, Excel's serial days; other
        whole numbers are positions. Datetimes pass. Its name tells weeks and quarters from months.
    where : str
        Name of the column in error messages.
    order : str
        Format of earlier times of the same source (`Times.order`), which resolves ambiguous cells.

    Returns
    -------
    pandas.Series
        datetime64 with the index and the name of `values`; int64 for positions. Periods and intervals are represented
        by their starts. If the cells have offsets, the result has a time zone: UTC if the offsets change, or none if
        local times have even steps.

    Raises
    ------
    InputError
        If a cell is blank or not a time, only some cells have an offset, or the order of days and months changes.

    Notes
    -----
    A field above 12 is a day. If there is none, the reading with the more regular steps is selected, then the one with
    increasing or decreasing rows, and finally month first for ``/`` and day first otherwise.
    """
    return read_times(pd.Series(values), where, order).values


def try_times(values: pd.Series, order: str = "") -> Times | None:
    """Return the times of a column, or None if it is not a time column; never raises."""
    try:
        return read_times(values, "", order)
    except InputError:
        return None


def read_times(values: pd.Series, where: str, order: str = "") -> Times:
    """Return `parse_times`, the format of the times, and the guess."""
    blank = values.isna().to_numpy()
    if blank.any():
        refuse(where, ANY_TIME, show_cells(values, blank))
    if isinstance(values.dtype, pd.PeriodDtype):
        return Times(values.dt.to_timestamp(), "")
    if pd.api.types.is_datetime64_any_dtype(values):
        return Times(values, "")
    if pd.api.types.is_numeric_dtype(values):
        return read_numbers(values, where, order)
    return _category_times(values, where, order) if is_categories(values) else _text_times(values, where, order)


def is_categories(values: pd.Series) -> bool:
    """Return whether values are coded text."""
    return isinstance(values.dtype, pd.CategoricalDtype)


def _category_times(values: pd.Series, where: str, order: str) -> Times:
    """Return the times of coded text; each distinct text is parsed once."""
    codes = values.cat.codes.to_numpy()
    appeared = pd.unique(codes)
    try:
        times = _text_times(pd.Series(values.cat.categories[appeared], name=values.name), where, order)
    except InputError:
        return _text_times(values.astype(object), where, order)  # which names rows
    place = np.empty(len(values.cat.categories), dtype="int64")
    place[appeared] = np.arange(len(appeared))
    read = pd.Series(pd.DatetimeIndex(times.values).take(place[codes]), index=values.index, name=values.name)
    return Times(read, times.order, times.sentence)


def _text_times(values: pd.Series, where: str, order: str) -> Times:
    import pyarrow as pa  # here: datetimes need neither PyArrow nor the formats of text
    import pyarrow.compute as pc

    from forecastkit.data.files.text_dates import read_text

    try:
        text = pa.array(values, type=pa.large_string())
    except (pa.ArrowException, TypeError):  # objects of other kinds, such as datetime.date
        text = pa.array(values.map(str), type=pa.large_string())
    if isinstance(text, pa.ChunkedArray):
        text = text.combine_chunks()
    fewest = 4 if column_names.is_called(values.name, column_names.DATES) else 5  # years; elsewhere codes, of shops
    if pc.all(pc.match_substring_regex(text, rf"^\s*\d{{{fewest},18}}\s*$")).as_py():
        whole = pc.cast(pc.utf8_trim_whitespace(text), pa.int64()).to_numpy()
        times, order, sentence = dated_numbers(whole, values.name, order)
        if order == POSITIONS:
            refuse(where, ANY_TIME, show_cells(values, np.ones(len(values), dtype=bool)))
        return Times(pd.Series(times, index=values.index, name=values.name), order, sentence)
    return Times(*read_text(values, text, where, order))


def read_numbers(values: pd.Series, where: str, order: str = "") -> Times:
    """Return times given as numbers (`dated_numbers`); other integers are positions."""
    floats = values.to_numpy(dtype="float64")
    if pd.api.types.is_bool_dtype(values) or not np.isfinite(floats).all():
        refuse(
            where, ANY_TIME, show_cells(values, ~np.isfinite(floats) if np.isinf(floats).any() else floats == floats)
        )
    broken = (floats != np.round(floats)) | (np.abs(floats) >= 2.0**63)
    numbers = floats if broken.any() else values.to_numpy(dtype="int64")
    times, order, sentence = dated_numbers(numbers, values.name, order)
    if times is None:
        refuse(where, ANY_TIME, show_cells(values, broken))
    return Times(pd.Series(times, index=values.index, name=values.name), order, sentence)
