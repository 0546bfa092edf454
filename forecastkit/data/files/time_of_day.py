"""Parsing of columns of times of day, which accompany a column of dates."""

import re

import numpy as np
import pandas as pd

_CLOCK_ALONE = re.compile(
    r"\s*(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?(?::(?P<second>\d{2})(?:[.,]\d+)?)?\s*(?:h|Uhr)?(?P<half>[AaPp]\.?[Mm]\.?)?"
    r"\s*(?:(?:-|–|—|to|bis|a|à)\s*\d{1,2}(?::\d{2}){0,2}\s*(?:h|Uhr|[AaPp]\.?[Mm]\.?)?)?\s*"
)


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
