"""Hierarchies of series, and the sums of their levels."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecastkit.data.levels import Hierarchy, joined
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import check_names, first_few, refuse

WHERE = "aggregate"


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
    names = pd.Series(joined(parts, len(keys)), index=data.index)
    if (again := pd.DataFrame({"series": names, "time": data[time]}).duplicated()).any():
        row = data.loc[again].iloc[0]
        got = f"{again.sum()} rows again, the first of {names[again].iloc[0]!r} at {row[time]}"
        refuse(WHERE, "a series must have one row per time", got)
    hierarchy = Hierarchy.from_keys(parts.drop_duplicates().sort_values(keys).reset_index(drop=True))
    wide = data.assign(_series=names).pivot(index=time, columns="_series", values=target)
    wide = wide.reindex(columns=list(hierarchy.bottom)).sort_index().astype("float64")
    outside = wide.ffill().isna() | wide.bfill().isna()
    sums = wide.where(~outside, 0.0).to_numpy() @ hierarchy.summing.T
    sums[(outside.to_numpy().astype(float) @ hierarchy.summing.T) == hierarchy.summing.sum(axis=1)] = np.nan
    frame = pd.DataFrame(sums, index=wide.index, columns=list(hierarchy.names)).rename_axis(columns="unique_id")
    long = frame.melt(ignore_index=False, value_name=target).reset_index()[["unique_id", time, target]]
    return long, hierarchy
