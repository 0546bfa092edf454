"""Detection of the columns of times of a table."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecastkit.data.files import column_names, datetimes
from forecastkit.data.files.calendar_dates import regularity
from forecastkit.data.files.datetimes import (
    Times,
    is_categories,
    is_time,
    read_numbers,
    read_times,
)
from forecastkit.data.files.time_shapes import named_period
from forecastkit.utils.exceptions import InputError

#: Cells that decide whether a column may hold times.
HEAD = 50


@dataclass(frozen=True)
class TimeColumns:
    """The time of each row.

    Attributes
    ----------
    name : str or None
        The time column; for several columns their names joined by ``_``. None without times.
    parts : tuple of str
        The columns, if there are several.
    times : Times or None
    others : tuple of str
        Further columns of times.
    tied : bool
        Whether one of them is as likely to be the time column.
    """

    name: str | None = None
    parts: tuple[str, ...] = ()
    times: Times | None = None
    others: tuple[str, ...] = ()
    tied: bool = False

    @property
    def values(self) -> pd.Series | None:
        return None if self.times is None else self.times.values

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that contain the times."""
        return self.parts or (() if self.name is None else (self.name,))


def joined_name(parts: Sequence[str]) -> str:
    """Return the joined name of several time columns."""
    return "_".join(map(str, parts))


def is_text(column: pd.Series) -> bool:
    """Return whether a column may hold times: text, coded or not, or times."""
    return not pd.api.types.is_numeric_dtype(column) and not (
        is_categories(column) and pd.api.types.is_numeric_dtype(column.cat.categories)
    )


def try_times(column: pd.Series) -> Times | None:
    """Return the times of a column of text or times; None if it contains other values."""
    return datetimes.try_times(column) if is_text(column) else None


def begins_as_times(cells: pd.Series) -> bool:
    """Return whether the first cells of a column that are not blank are times, or most look like one."""
    cells = cells.dropna().head(HEAD)
    if not len(cells):
        return False
    cells = cells.astype(object) if is_categories(cells) else cells
    return try_times(cells) is not None or cells.map(lambda cell: is_time(str(cell))).mean() > 0.5


def find_text_times(free: pd.DataFrame, where: str) -> dict[str, Times]:
    """Return the columns of text or times in which every cell is a time.

    Raises
    ------
    InputError
        If columns begin with times but none can be parsed completely: assuming ordered rows would hide the invalid
        cells.
    """
    begun = [name for name in free if is_text(free[name]) and begins_as_times(free[name])]
    found = {name: times for name in begun if (times := try_times(free[name])) is not None}
    if begun and not found:
        name = min(begun, key=lambda name: column_names.likeness(name, column_names.TIMES))
        read_times(free[name], f"{where}: time column {name!r}")
    return found


def rank_times(found: dict[str, Times]) -> tuple[list[str], bool]:
    """Return the columns of times, the most likely first, and whether the first two tie.

    Columns that distinguish rows come first, then those with most times, starts of intervals, and names of times.
    """
    distinct = {name: times.values.nunique() if len(found) > 1 else 1 for name, times in found.items()}
    most = max(distinct.values(), default=0)
    keys = {
        name: (
            len(found) > 1 and distinct[name] < len(times.values),
            2 * distinct[name] < most,
            column_names.holds(name, column_names.LATER),
            *column_names.likeness(name, column_names.TIMES),
        )
        for name, times in found.items()
    }
    ranked = sorted(found, key=keys.__getitem__)
    return ranked, len(ranked) > 1 and keys[ranked[0]] == keys[ranked[1]]


# Numbers as times -----------------------------------------------------------------------------------------------------


#: The smallest number that is read as yyyymmdd.
EARLIEST_DIGITS = 15_000_101
#: Unix times of 1990 to 2040 in seconds, and their units.
_UNIX_YEARS, _UNIX_SIZES = (631_152_000, 2_208_988_800), (10**9, 10**6, 10**3, 1)
#: Number of successive dates that are recognized without the name of a time.
MIN_DATES = 8


def numbered_times(column: pd.Series, only_exact: bool = False) -> pd.Series | None:
    """Return the times of a column of numbers named like a time, such as years; None if it is not one.

    A word of the name suffices for Unix times, decimal years and dates of spreadsheets, and successive dates such as
    20240131 need no name; `only_exact` returns only these.
    """
    if not pd.api.types.is_numeric_dtype(column) or column.isna().any():
        return None
    # A name with the word for a date, such as MESS_DATUM, denotes times if the numbers have the digits of dates.
    digits = column.dtype.kind == "i" and column.min() >= EARLIEST_DIGITS
    called = (digits and named_period(column.name) == "date") or column_names.is_called(column.name, column_names.TIMES)
    worded = column_names.holds(column.name, column_names.DATES | column_names.YEARS)
    unnamed = str(column.name).startswith("Unnamed") and column.dtype.kind == "i"
    if not (called or worded or digits or unnamed or _is_unix_grid(column)):
        return None
    try:
        times = read_numbers(column, "")
    except InputError:
        return None
    unix = times.order.startswith("unix") and _is_unix_grid(column)
    exact = unix or (worded and times.order.startswith(("unix", "decimal", "Excel", "yyyy.mm", "cyyddd", "yyddd")))
    if (digits or unnamed) and times.order.startswith("yyyymm") and not unix:
        days = times.values.to_numpy()
        exact = times.values.nunique() >= MIN_DATES and regularity(days)[0] > 0.5
    return times.values if exact or (called and not only_exact) else None


def _is_unix_grid(column: pd.Series) -> bool:
    """Return whether whole numbers are unix times of 1990 to 2040 that follow each other by the same whole minutes."""
    if column.dtype.kind != "i" or any(column_names.is_called(column.name, names) for names in column_names.TARGETS):
        return False
    size = next((size for size in _UNIX_SIZES if _UNIX_YEARS[0] * size <= column.min()), 0)
    if not size or column.max() > _UNIX_YEARS[1] * size:
        return False
    steps = np.diff(np.unique(column.to_numpy()))
    if len(steps) < MIN_DATES:
        return False
    usual, counts = np.unique(steps, return_counts=True)
    return bool(counts.max() > 0.8 * len(steps) and usual[counts.argmax()] % (60 * size) == 0)
