"""Resolve duplicate (series, time) rows."""

import numpy as np

from forecastkit.data.row_labels import Places
from forecastkit.data.schema import WHERE
from forecastkit.utils.validation import refuse

#: Values of `duplicates=` and `resample=`.
RULES = ("refuse", "mean", "first", "last", "sum", "max", "min")
RESAMPLING = (None, *RULES[1:], "nearest")


def refuse_duplicates(places: Places, again: np.ndarray, settled: bool) -> None:
    """Refuse rows with the series and time of an earlier row; `settled` is whether clock changes are resolved."""
    clock = "duplicates='mean' averages them." if settled else (
        "If clocks change, set timezone=, or duplicates='mean'."
    )  # fmt: skip
    several = "" if places.ids != (None,) else "If there are several series, name their column in series_id=. "
    got = places.count(again, "duplicate", "duplicates")
    refuse(WHERE, "each (series, time) must be one row", got, f"{several}{clock}")


def merge_rows(values: np.ndarray, first: np.ndarray, rule: str, categories: np.ndarray) -> np.ndarray:
    """Return one row for each group of rows, without missing cells.

    Parameters
    ----------
    values : ndarray of shape (rows, columns)
        Groups one after another, each in the order of its rows.
    first : ndarray of int
        First row of each group.
    rule : str
        One of `RULES` except the first.
    categories : ndarray of bool, shape (columns,)
        Columns that are categories, of which the last row is taken.
    """
    if not len(first) or not values.shape[1]:
        return values[first]
    out = _MERGES[rule](values, first)
    last = np.append(first[1:], len(values)) - 1
    out[:, categories] = values[last][:, categories]
    return out.astype(values.dtype, copy=False)


def _sums(values, first):
    seen = ~np.isnan(values)
    counts = np.add.reduceat(seen, first, axis=0, dtype="int64")
    sums = np.add.reduceat(np.where(seen, values, 0), first, axis=0, dtype="float64")
    return np.where(counts > 0, sums, np.nan), counts


def _mean(values, first):
    sums, counts = _sums(values, first)
    return sums / np.maximum(counts, 1)


def _first_seen(values, first):
    rows = np.where(np.isnan(values), len(values), np.arange(len(values))[:, None])
    at = np.minimum.reduceat(rows, first, axis=0)
    return _cells(values, at, first)


def _last_seen(values, first):
    rows = np.where(np.isnan(values), -1, np.arange(len(values))[:, None])
    at = np.maximum.reduceat(rows, first, axis=0)
    return _cells(values, at, first)


def _cells(values, at, first):
    """Return the cells at these rows; for a group without one, a missing cell of the group."""
    at = np.where((at >= 0) & (at < len(values)), at, first[:, None])
    return np.take_along_axis(values, at, axis=0)


_MERGES = {
    "mean": _mean,
    "sum": lambda values, first: _sums(values, first)[0],
    "first": _first_seen,
    "last": _last_seen,
    "max": lambda values, first: np.fmax.reduceat(values, first, axis=0),
    "min": lambda values, first: np.fmin.reduceat(values, first, axis=0),
}
