"""Formatting of forecasts like the input data."""

import numpy as np
import pandas as pd

from forecastkit.data.panel import Panel
from forecastkit.data.schema import Schema
from forecastkit.data.time_grid import plain_timestamps
from forecastkit.data.week_slots import occurs_at
from forecastkit.data.windows import Origins, grouped


def level_name(level: float) -> str:
    """Return the column name of a quantile level, such as 'q0.1'."""
    return f"q{level:g}"


def labels(names, codes: np.ndarray) -> pd.Index:
    """Return the names at these positions as an index."""
    return pd.Index(list(names)).take(codes)


def series_columns(schema: Schema, ids: tuple, entity: np.ndarray) -> dict:
    """Return the columns that identify the series of these entities; none for a single series."""
    if len(schema.series_keys) < 2:
        return {name: labels(ids, entity) for name in schema.series_keys}
    return {name: labels([names[place] for names in ids], entity) for place, name in enumerate(schema.series_keys)}


def series_index(schema: Schema, ids: tuple) -> pd.Index:
    """Return the series identifiers as an index, with several levels for several columns."""
    if len(schema.series_keys) > 1:
        return pd.MultiIndex.from_tuples(list(ids), names=list(schema.series_keys))
    return pd.Index(list(ids))


def timestamps_at(panel: Panel, ordinals: np.ndarray) -> pd.Index:
    """Return timestamps of ordinals; each distinct one is converted once."""
    low, high = int(ordinals.min()), int(ordinals.max())
    if high - low > 4 * len(ordinals) + 1000:
        distinct, at = np.unique(ordinals, return_inverse=True)
        return panel.grid.timestamps(distinct).take(at)
    timestamps = panel.grid.timestamps(np.arange(low, high + 1))
    in_order = len(timestamps) == len(ordinals) and (np.diff(ordinals) == 1).all()
    return timestamps if in_order else timestamps.take(ordinals - low)


def occurring(schema: Schema, panel: Panel, entity: np.ndarray, ordinal: np.ndarray) -> np.ndarray:
    """Return which of these steps, given by series and ordinal, are at times at which their series occurs (n,)."""
    occurs = np.ones(len(entity), dtype=bool)
    own = np.array([name in schema.weeks for name in panel.ids]) if schema.weeks else occurs[:0]
    if not own.any():
        return occurs
    at = np.flatnonzero(own[entity])
    wall = plain_timestamps(timestamps_at(panel, ordinal[at]), wall=True).as_unit("us").asi8 if len(at) else ()
    for rows in grouped(entity[at]):
        occurs[at[rows]] = occurs_at(wall[rows], schema.weeks[panel.ids[entity[at[rows[0]]]]])
    return occurs


def long_frame(
    panel: Panel, schema: Schema, origins: Origins, point: np.ndarray, quantiles: dict, actual: bool = False
) -> pd.DataFrame:
    """Return one row per (series, target, cutoff, step), in the order of the origins, with the user's names.

    Parameters
    ----------
    origins : Origins
        Origins of length n, with all channels of an (entity, cutoff) together.
    point : ndarray of shape (n, horizon)
    quantiles : dict of str to ndarray of shape (n, horizon)
        Additional columns.
    actual : bool
        Whether to add the actuals.
    """
    n, horizon = point.shape
    steps = np.tile(np.arange(1, horizon + 1), n)
    entity, channel = np.repeat(origins.entity, horizon), np.repeat(origins.channel, horizon)
    cutoff = np.repeat(panel.start[origins.entity] + origins.row - panel.indptr[origins.entity], horizon)
    columns = series_columns(schema, panel.ids, entity)
    columns[schema.time_name] = timestamps_at(panel, cutoff + steps)
    if len(schema.target) > 1:
        columns["target"] = labels(schema.target, channel)
    columns["cutoff"] = timestamps_at(panel, cutoff)
    columns["step"] = steps
    columns["forecast"] = point.ravel()
    columns.update({name: values.ravel() for name, values in quantiles.items()})
    if actual:
        columns["actual"] = _actuals(panel, entity, np.repeat(origins.row, horizon) + steps, channel)
    frame = pd.DataFrame(columns, copy=False)
    if panel.channels == 1:
        frame.attrs["target"] = schema.target[0]  # plots find the actuals in the user's rows by it
    return frame


def _actuals(panel, entity, rows, channel):
    inside = rows < panel.indptr[entity + 1]
    return np.where(inside, panel.target[np.minimum(rows, panel.rows - 1), channel].astype("float64"), np.nan)


def history_frame(panel: Panel, schema: Schema) -> pd.DataFrame:
    """Return the history in long format: series, time and target keys of the forecast frame, and ``actual``."""
    n, channels = panel.target.shape
    entity = np.repeat(np.arange(len(panel.ids)), panel.lengths)
    columns = series_columns(schema, panel.ids, np.tile(entity, channels))
    columns[schema.time_name] = timestamps_at(panel, np.tile(panel.ordinals(), channels))
    if channels > 1:
        columns["target"] = labels(schema.target, np.repeat(np.arange(channels), n))
    columns["actual"] = panel.target.T.ravel().astype("float64")
    return pd.DataFrame(columns)


def format_like_input(schema: Schema, panel: Panel, entity: np.ndarray, ordinal: np.ndarray, columns: dict):
    """Return forecast rows in the form of the data at fit: array, Series, frame or long panel.

    Parameters
    ----------
    entity, ordinal : ndarray of shape (rows,)
    columns : dict of str to ndarray of shape (rows, C)
        Only ``forecast`` for point forecasts; otherwise the columns of quantiles or bounds.
    """
    points = list(columns) == ["forecast"]
    if schema.form == "array" and points:
        return _plain(schema, columns)
    if schema.form == "series" and points:
        index = timestamps_at(panel, ordinal).rename(schema.time)
        series = pd.Series(columns["forecast"][:, 0], index=index, name=schema.target[0])
        return from_pandas(series, schema.library)
    frame = _with_keys(schema, _values(schema, columns), panel, entity, ordinal)
    return from_pandas(frame, schema.library)


def format_rows(schema: Schema, columns: dict, X, rows: int):
    """Return forecasts of the rows of X as an array, or quantiles and bounds as a frame with the index of X."""
    if list(columns) == ["forecast"]:
        return _plain(schema, columns)
    index = X.index if isinstance(X, (pd.DataFrame, pd.Series)) else pd.RangeIndex(rows)
    return from_pandas(_values(schema, columns).set_axis(index), schema.library)


def empty_frame(schema: Schema, panel: Panel, entity: np.ndarray, ordinal: np.ndarray):
    """Return the keys of these rows with empty future covariates."""
    blank = pd.DataFrame(np.nan, index=range(len(entity)), columns=list(schema.known))
    levels = [name for name in schema.known if name in schema.categories]
    blank[levels] = blank[levels].astype(object)  # object dtype, so that text can be assigned
    return from_pandas(_with_keys(schema, blank, panel, entity, ordinal), schema.library)


def _plain(schema, columns):
    values = columns["forecast"]
    return values[:, 0] if schema.flat else values


def _values(schema, columns):
    """Return forecasts without keys: one column per target, per name, or per both."""
    if list(columns) == ["forecast"]:
        return pd.DataFrame(columns["forecast"], columns=list(schema.target))
    if len(schema.target) == 1:
        return pd.DataFrame({name: values[:, 0] for name, values in columns.items()})
    keys = pd.MultiIndex.from_product([list(schema.target), list(columns)])
    return pd.DataFrame(np.stack(list(columns.values()), axis=2).reshape(-1, len(keys)), columns=keys)


def _with_keys(schema, frame, panel, entity, ordinal):
    """Add series and times as in the user's data, to the index or as columns."""
    timestamps = timestamps_at(panel, ordinal)
    if not schema.is_panel and schema.indexed:
        return frame.set_axis(timestamps.rename(schema.time))
    keys = {(schema.time_name, schema.indexed and schema.time is not None): timestamps}
    if schema.is_panel:
        names = series_columns(schema, panel.ids, entity)
        keys = {**{(name, schema.series_indexed): values for name, values in names.items()}, **keys}
    levels = {name: values for (name, in_index), values in keys.items() if in_index}
    if levels:
        names, values = list(levels), list(levels.values())
        frame = frame.set_axis(pd.MultiIndex.from_arrays(values, names=names) if len(names) > 1 else
                               values[0].rename(names[0]))  # fmt: skip
    for place, (name, values) in enumerate((name, values) for (name, inside), values in keys.items() if not inside):
        frame.insert(place, (name, "") if frame.columns.nlevels > 1 else name, values)
    return frame


def from_pandas(data: pd.DataFrame | pd.Series, library: str):
    """Convert to the user's library; an index of times becomes columns, a tuple name becomes one name."""
    if library == "pandas":
        return data
    import narwhals.stable.v2 as nw

    if isinstance(data, pd.Series):
        column = from_pandas(data.to_frame(str(data.name)).reset_index(drop=True), library)
        return nw.from_native(column, eager_only=True).get_column(str(data.name)).to_native()
    if data.columns.nlevels > 1:
        data = data.set_axis(["_".join(str(part) for part in pair if part != "") for pair in data.columns], axis=1)
    named = any(name is not None for name in data.index.names)
    data = data.reset_index(drop=not named)
    arrow = nw.from_native(data, eager_only=True).to_arrow()
    return arrow if library == "pyarrow" else nw.from_arrow(arrow, backend=library).to_native()
