"""Parsing of columns of times of day, which accompany a column of dates."""

import re

import numpy as np
import pandas as pd

from forecastkit.data.files import column_names

_CLOCK_ALONE = re.compile(
    r"\s*(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?(?::(?P<second>\d{2})(?:[.,]\d+)?)?\s*(?:h|Uhr)?(?P<half>[AaPp]\.?[Mm]\.?)?"
    r"\s*(?:(?:-|–|—|to|bis|a|à)\s*\d{1,2}(?::\d{2}){0,2}\s*(?:h|Uhr|[AaPp]\.?[Mm]\.?)?)?\s*"
)


#: Times of day given as digits, what they are multiplied with to give hhmmss, and the greatest of them.
_DIGITS = {"hours": (10_000, 24), "hhmm": (100, 2400), "hhmmss": (1, 240_000)}
_CELLS = 50  # cells that decide whether a column may hold times of day


def times_of_day(column: pd.Series, form: str = "") -> tuple[pd.Series, str] | None:
    """Return times since midnight and their form; None if a cell is not a time of day.

    Parameters
    ----------
    column : pandas.Series
        Cells such as ``18:00``, ``18.00.00`` or ``6:00 pm``, or intervals, which are read as their starts. In a column
        that is called so also hours, such as ``00 - 01`` or ``6 pm``, and digits, such as ``0930`` or ``93000``.
    form : str
        Form of the digits in earlier rows: ``"hours"``, ``"hhmm"`` or ``"hhmmss"``.
    """
    if column.isna().any() or not len(column):
        return None
    called = column_names.is_called(column.name, column_names.HOURS | column_names.CLOCKS)
    text = column.astype(str)
    if not pd.api.types.is_numeric_dtype(column):
        if not text.head(_CELLS).str.contains(r"\d" if called else r"\d[:.h]\d\d", regex=True).all():
            return None
        if not (called and text.str.fullmatch(r"\d{3,6}").any()):
            read = read_clock(text.str.replace(r"(?<=\d)[.h](?=\d\d)", ":", regex=True))
            return None if read is None else (read, "")
    if not called or not text.str.fullmatch(r"\d{1,6}(?:\.0)?").all():
        return None
    return _digits_of_day(column, form)


def _digits_of_day(column: pd.Series, form: str) -> tuple[pd.Series, str] | None:
    digits = column.astype("float64").to_numpy().astype("int64")
    if not form:
        form = next((form for form, (_, most) in _DIGITS.items() if digits.max() <= most), "hhmmss")
        padded = not pd.api.types.is_numeric_dtype(column) and column.str.len().max() > 2
        if form == "hhmm" and digits.max() < 100 and not padded:  # the 25th hour of a clock change
            return None
    clock = digits * _DIGITS[form][0]
    hour, minute, second = clock // 10_000, clock // 100 % 100, clock % 100
    if (minute > 59).any() or (second > 59).any() or clock.max() > 240_000:
        return None
    seconds = (hour * 60 + minute) * 60 + second
    return pd.Series(seconds.astype("timedelta64[s]"), index=column.index, name=column.name), form


def read_clock(values: pd.Series) -> pd.Series | None:
    """Return times of day as time since midnight.

    Parameters
    ----------
    values : pandas.Series
        ``13:00``, ``1:00 PM``, ``00:00 - 01:00`` (its start), or hours as numbers.

    Returns
    -------
    pandas.Series or None
        timedelta64 with the index and the name of `values`; None if a cell is not a time of day.
    """
    if values.isna().any():
        return None
    if pd.api.types.is_numeric_dtype(values):
        hours = values.to_numpy(dtype="float64")
        valid = (hours >= 0) & (hours <= 24)
        return pd.Series(pd.to_timedelta(values, unit="h")) if valid.all() else None
    coded = values.astype(str).astype("category")
    meanings = [_since_midnight(cell) for cell in coded.cat.categories]
    if any(meaning is None for meaning in meanings):
        return None
    seconds = np.array(meanings)[coded.cat.codes.to_numpy()]
    return pd.Series(seconds.astype("timedelta64[s]"), index=values.index, name=values.name)


def _since_midnight(cell: str) -> int | None:
    """Return seconds from midnight to a time of day, or None."""
    found = _CLOCK_ALONE.fullmatch(cell)
    if found is None:
        return None
    hour, minute, second = (int(found[name] or 0) for name in ("hour", "minute", "second"))
    if found["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (found["half"][0].lower() == "p")
    seconds = (hour * 60 + minute) * 60 + second
    return seconds if minute < 60 and second < 60 and seconds <= 86400 else None
