"""Detection of the columns that name the series of a long table: the fewest that make times unique."""

from itertools import combinations

import numpy as np
import pandas as pd

from forecastkit.data.files import column_names
from forecastkit.data.files.datetimes import is_categories

#: Approximate number of rows that are searched for repeated times in very large tables.
MANY, FEW = 1 << 20, 200_000
#: A few repeated (series, time) rows, such as clock changes, do not hide a series column.
FEW_REPEATS = 0.01
#: Below this fraction of repeated times, a series column must be named like one.
MANY_REPEATS = 0.2
#: Columns that are combined, and how many at most.
MAX_CANDIDATES, MAX_KEYS = 8, 4


def find_series(free: pd.DataFrame, times: pd.Series | None) -> tuple[str, ...]:
    """Return the columns within whose combinations times are unique, although they repeat in the table; () for none.

    A single column if one suffices, otherwise the fewest: text, and whole numbers that are named like a series.
    """
    if "unique_id" in free:
        return ("unique_id",)
    if times is None:
        return ()
    rows = some_times(times)
    free, times = free[rows], times[rows]
    moments = pd.factorize(times)[0]
    repeated = _repeated(moments)
    if not repeated:
        return _find_blocks(free, moments, times)
    codes = {name: pd.factorize(free[name])[0] for name in free if _may_name(free[name])}
    codes = {name: code for name, code in codes.items() if 0 < code.max() + 1 <= len(free) / 2}
    blank = {name: bool((code < 0).any()) for name, code in codes.items()}
    likeness = {name: column_names.likeness(name, column_names.SERIES) for name in codes}
    order = sorted(codes, key=lambda name: (blank[name], *likeness[name], _is_number(free[name])))
    for name in order:
        left = _repeated(moments, codes[name])
        if left <= FEW_REPEATS and _is_sure(free[name], codes[name], moments, left, repeated):
            return (name,)
    if several := _find_several(free, order, moments, repeated):
        return several
    for name in order:
        if column_names.holds(name, column_names.SERIES) and _repeated(moments, codes[name]) <= repeated / 10:
            return (name,)
    return ()


def _find_blocks(free: pd.DataFrame, moments: np.ndarray, times: pd.Series) -> tuple[str, ...]:
    """Return the column of series that share no time, one below the other; () for rows in order, of one series."""
    if not len(times) or (moments < 0).any() or times.is_monotonic_increasing or times.is_monotonic_decreasing:
        return ()
    rises = np.sign(np.diff(pd.Index(times).argsort().argsort()))
    for name in free:
        if _is_number(free[name]) or not column_names.is_called(name, column_names.SERIES):
            continue
        codes = pd.factorize(free[name])[0]
        ends = np.diff(codes) != 0
        within = rises[~ends]
        if (codes >= 0).all() and ends.sum() == codes.max() <= len(free) / 2 - 1 and len(set(within.tolist())) == 1:
            return (name,)
    return ()


def some_times(times: pd.Series) -> np.ndarray | slice:
    """Return the rows to examine: all, or in very large tables all rows at some of the times, to find repetitions."""
    if len(times) <= MANY:
        return slice(None)
    wanted = np.zeros(len(times), dtype=bool)
    sparse = len(times) // FEW
    while not wanted.any():
        for low in range(0, len(times), MANY):
            numbers = times.iloc[low : low + MANY].to_numpy().view("uint64")
            wanted[low : low + MANY] = (numbers * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(33)) % sparse == 0
        sparse = sparse // 2 or 1
    return wanted


def series_codes(frame: pd.DataFrame, keys: tuple[str, ...]) -> np.ndarray:
    """Return the series number of each row, -1 if a name is missing."""
    if len(keys) == 1 and is_categories(frame[keys[0]]):  # of large files: there are codes already
        return frame[keys[0]].cat.codes.to_numpy().astype("int32")
    codes = np.zeros(len(frame), dtype="int64")
    for name in keys:
        own = pd.factorize(frame[name])[0]
        codes = np.where((codes < 0) | (own < 0), -1, codes * (own.max(initial=0) + 1) + own)
    return pd.factorize(codes)[0] if len(keys) > 1 else codes


def is_constant_within(column: pd.Series, codes: np.ndarray) -> bool:
    """Return whether a column has at most one value within each series."""
    for rows in (slice(0, 10_000), slice(None)):  # sufficient for most columns
        values, series = pd.factorize(column.iloc[rows])[0], codes[rows]
        seen = (values >= 0) & (series >= 0)
        values, series = values[seen], series[seen]
        first = np.full(series.max(initial=0) + 1, -1)
        first[series[::-1]] = values[::-1]
        if (values != first[series]).any():
            return False
    return True


def _may_name(column: pd.Series) -> bool:
    others = (column_names.CALENDAR, *column_names.TARGETS[:2], *([column_names.DATES] if _is_number(column) else []))
    if any(column_names.is_called(column.name, names) for names in others):
        return False
    dtype = column.dtype
    return not (pd.api.types.is_float_dtype(dtype) or pd.api.types.is_bool_dtype(dtype)
                or pd.api.types.is_datetime64_any_dtype(dtype))  # fmt: skip


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column)


def _repeated(moments: np.ndarray, codes: np.ndarray | None = None) -> float:
    """Return the fraction of rows that repeat the series and time of an earlier row."""
    keys = moments if codes is None else moments.astype("int64") * (codes.max() + 2) + codes
    return 1 - len(pd.unique(keys)) / len(keys) if len(keys) else 0.0


def _is_sure(column: pd.Series, codes: np.ndarray, moments: np.ndarray, left: float, repeated: float) -> bool:
    """Return whether a column with so few repeated times names the series."""
    if column_names.holds(column.name, column_names.SERIES):
        return left <= repeated / 10
    if repeated < MANY_REPEATS:
        return False
    if _is_number(column):  # small whole numbers may be measurements: exactly as many levels as needed, nothing left
        return left == 0 and codes.max() + 1 == np.bincount(moments[moments >= 0]).max()
    return True


def _find_several(free: pd.DataFrame, order: list[str], moments: np.ndarray, repeated: float) -> tuple[str, ...]:
    """Return the fewest columns within whose combinations times are unique, in the order of the table."""
    if repeated < MANY_REPEATS:
        return ()
    hinted = {name: column_names.holds(name, column_names.SERIES) for name in order}
    able = [name for name in order if hinted[name] or not _is_number(free[name])][:MAX_CANDIDATES]
    for count in range(2, min(MAX_KEYS, len(able)) + 1):
        for names in sorted(combinations(able, count), key=lambda names: sum(not hinted[name] for name in names)):
            joint = series_codes(free, names)
            if joint.max() + 1 <= len(free) / 2 and _repeated(moments, joint) <= FEW_REPEATS:
                return tuple(name for name in free if name in names)
    return ()
