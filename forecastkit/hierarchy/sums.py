"""Hierarchies of series, and the sums of their levels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import check_names, first_few, refuse

WHERE = "aggregate"
#: Name of the series that is the sum of all others.
TOTAL = "total"
#: Largest number of series of all levels: reconciliation needs matrices of this size.
MAX_SERIES = 5_000
#: Largest deviation of a sum, relative to its size, at which actuals add up.
COHERENT = 1e-6


@dataclass(frozen=True)
class Hierarchy:
    """Series that are sums of other series.

    Parameters
    ----------
    names : tuple of str
        All series, from the total to the bottom level: ``'total'``, ``'north'``, ``'north/shop 1'``.
    levels : dict of str to tuple of str
        Series of each level, the total first.
    summing : ndarray of shape (series, bottom series)
        1 where a bottom series is a part of a series, else 0.
    """

    names: tuple[str, ...]
    levels: dict[str, tuple[str, ...]]
    summing: np.ndarray

    @classmethod
    def from_keys(cls, keys: pd.DataFrame) -> "Hierarchy":
        """Return the hierarchy of the columns of a frame, from the coarsest to the finest, with a total.

        Parameters
        ----------
        keys : DataFrame
            One row per bottom series, with text cells.
        """
        paths = {"/".join(keys.columns[: depth + 1]): _joined(keys, depth + 1) for depth in range(len(keys.columns))}
        levels = {TOTAL: (TOTAL,), **{level: tuple(dict.fromkeys(path)) for level, path in paths.items()}}
        names = tuple(name for level in levels.values() for name in level)
        if len(set(names)) < len(names):
            twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
            refuse(WHERE, "series of different levels must have different names", first_few(map(repr, twice)))
        if len(names) > MAX_SERIES:
            refuse(WHERE, f"a hierarchy has at most {MAX_SERIES:,} series", f"{len(names):,}", "Leave out a level.")
        rows = [np.ones((1, len(keys)))]
        for level, path in paths.items():
            rows.append(np.array([[name == own for own in path] for name in levels[level]], dtype="float64"))
        return cls(names, levels, np.concatenate(rows))

    @property
    def bottom(self) -> tuple[str, ...]:
        """Series of the lowest level, in the order of the columns of `summing`."""
        return self.names[len(self.names) - self.summing.shape[1] :]

    def check_sums(self, values: np.ndarray, where: str) -> None:
        """Refuse values (series, n) whose sums do not add up; columns with NaN are not checked.

        Raises
        ------
        InputError
            With the series that deviates most.
        """
        own = np.asarray(values, dtype="float64")
        sums = self.summing @ own[len(self.names) - self.summing.shape[1] :]
        wrong = np.abs(own - sums) / np.maximum(np.abs(sums), 1.0)
        if np.nanmax(wrong, initial=0.0) > COHERENT:
            series, column = np.unravel_index(np.nanargmax(wrong), wrong.shape)
            rule = "the actuals of a series must be the sum of its parts"
            got = f"{own[series, column]:g} of {self.names[series]!r}, where the parts sum to {sums[series, column]:g}"
            refuse(where, rule, got, "Make the levels with fk.aggregate.")


def aggregate(
    data: pd.DataFrame, keys: Sequence[str], *, time: str = "ds", target: str = "y"
) -> tuple[pd.DataFrame, Hierarchy]:
    """Add the sums of all levels of a hierarchy to a long frame.

    A sum is missing at times at which one of its parts lacks a value between its first and last one. Before the first
    and after the last value of a part, the sum is that of the other parts.

    Parameters
    ----------
    data : DataFrame
        Long, one row per bottom series and time.
    keys : sequence of str
        Columns that name the bottom series together, from the coarsest to the finest, such as ``['region', 'store']``.
    time, target : str
        Columns of the times and of the values to sum.

    Returns
    -------
    frame : DataFrame
        Long, with the columns ``unique_id``, `time` and `target`: the total, then the series of every level.
    hierarchy : Hierarchy

    Raises
    ------
    InputError
        If a column does not exist, a key is missing, or a series has two rows of the same time.

    Examples
    --------
    >>> frame, hierarchy = fk.aggregate(sales, ["region", "store"], time="day", target="sales")  # doctest: +SKIP
    >>> model = fk.LinearForecaster(horizon=14).fit(frame)  # doctest: +SKIP
    >>> fk.reconcile(model.forecast(), hierarchy)  # doctest: +SKIP
    """
    keys = [keys] if isinstance(keys, str) else list(keys)
    if not keys:
        refuse(WHERE, "keys= must name at least one column", "none", error=ParameterError)
    check_names(WHERE, "a column named in keys=, time= or target=", (*keys, time, target), data.columns)
    if data[keys].isna().any(axis=None):
        refuse(WHERE, f"every row must have all of {first_few(map(repr, keys))}", "missing cells")
    parts = data[keys].astype(str)
    joined = pd.Series(_joined(parts, len(keys)), index=data.index)
    if (again := pd.DataFrame({"series": joined, "time": data[time]}).duplicated()).any():
        row = data.loc[again].iloc[0]
        got = f"{again.sum()} rows again, the first of {joined[again].iloc[0]!r} at {row[time]}"
        refuse(WHERE, "a series has one row per time", got)
    hierarchy = Hierarchy.from_keys(parts.drop_duplicates().sort_values(keys).reset_index(drop=True))
    wide = data.assign(_series=joined).pivot(index=time, columns="_series", values=target)
    wide = wide.reindex(columns=list(hierarchy.bottom)).sort_index().astype("float64")
    outside = wide.ffill().isna() | wide.bfill().isna()
    sums = wide.where(~outside, 0.0).to_numpy() @ hierarchy.summing.T
    sums[(outside.to_numpy().astype(float) @ hierarchy.summing.T) == hierarchy.summing.sum(axis=1)] = np.nan
    frame = pd.DataFrame(sums, index=wide.index, columns=list(hierarchy.names)).rename_axis(columns="unique_id")
    long = frame.melt(ignore_index=False, value_name=target).reset_index()[["unique_id", time, target]]
    return long, hierarchy


def _joined(keys: pd.DataFrame, count: int) -> list[str]:
    """Return the names of series at the level of the first `count` columns."""
    columns = [keys.iloc[:, number].tolist() for number in range(count)]
    return ["/".join(cells) for cells in zip(*columns, strict=True)]
