"""Results in the user's names: the long forecast frame, and outputs of the kind that came in."""

import numpy as np
import pandas as pd

from forecastkit.door import Schema, from_pandas
from forecastkit.panel import Panel
from forecastkit.windows import Origins


def level_name(level: float) -> str:
    """Column name of a quantile level: 'q0.1'."""
    return f"q{level:g}"


def long_frame(
    panel: Panel, schema: Schema, origins: Origins, point: np.ndarray, quantiles: dict, actual: bool = False
) -> pd.DataFrame:
    """One row per (series, target, cutoff, step), sorted so, under the user's own names.

    Parameters
    ----------
    origins : Origins
        Of length n, every channel of an (entity, cutoff) together.
    point : ndarray of shape (n, horizon)
    quantiles : dict of str to ndarray of shape (n, horizon)
        Further columns.
    actual : bool
        Whether to add what was observed.
    """
    n, horizon = point.shape
    steps = np.tile(np.arange(1, horizon + 1), n)
    entity, channel = np.repeat(origins.entity, horizon), np.repeat(origins.channel, horizon)
    cutoff = np.repeat(panel.start[origins.entity] + origins.row - panel.indptr[origins.entity], horizon)
    columns = {}
    if schema.is_panel:
        columns[schema.series_id] = _labels(panel.ids, entity)
    columns[schema.time_name] = _stamps(panel, cutoff + steps)
    if len(schema.target) > 1:
        columns["target"] = _labels(schema.target, channel)
    columns["cutoff"] = _stamps(panel, cutoff)
    columns["step"] = steps
    columns["forecast"] = point.ravel()
    columns.update({name: values.ravel() for name, values in quantiles.items()})
    if actual:
        columns["actual"] = _actuals(panel, entity, np.repeat(origins.row, horizon) + steps, channel)
    return pd.DataFrame(columns)


def _labels(names, codes):
    return pd.Index(list(names)).take(codes)


def _stamps(panel, ordinals):
    """Stamps of many ordinals: each distinct one is made once."""
    low = int(ordinals.min())
    return panel.grid.stamps(np.arange(low, int(ordinals.max()) + 1)).take(ordinals - low)


def _actuals(panel, entity, rows, channel):
    inside = rows < panel.indptr[entity + 1]
    return np.where(inside, panel.target[np.minimum(rows, panel.rows - 1), channel].astype("float64"), np.nan)


def history_frame(panel: Panel, schema: Schema) -> pd.DataFrame:
    """What was observed, long: the series, time and target keys of the forecast frame, and ``actual``."""
    n, channels = panel.target.shape
    entity = np.repeat(np.arange(len(panel.ids)), panel.lengths)
    columns = {}
    if schema.is_panel:
        columns[schema.series_id] = _labels(panel.ids, np.tile(entity, channels))
    columns[schema.time_name] = _stamps(panel, np.tile(panel.ordinals(), channels))
    if channels > 1:
        columns["target"] = _labels(schema.target, np.repeat(np.arange(channels), n))
    columns["actual"] = panel.target.T.ravel().astype("float64")
    return pd.DataFrame(columns)


def dress(schema: Schema, panel: Panel, entity: np.ndarray, ordinal: np.ndarray, columns: dict):
    """Forecast rows as the kind of data seen at fit: array, Series, frame or long panel.

    Parameters
    ----------
    entity, ordinal : ndarray of shape (rows,)
    columns : dict of str to ndarray of shape (rows, C)
        Only ``forecast`` for points; otherwise the columns of quantiles or bounds.
    """
    points = list(columns) == ["forecast"]
    if schema.form == "array" and points:
        values = columns["forecast"]
        return values[:, 0] if schema.flat else values
    if schema.is_panel:
        return from_pandas(_long_panel(schema, panel, entity, ordinal, columns, points), schema.library)
    index = _stamps(panel, ordinal).rename(schema.time)
    if schema.form == "series" and points:
        return pd.Series(columns["forecast"][:, 0], index=index, name=schema.target[0])
    frame = _wide(schema, columns, points, index)
    if not schema.indexed:
        frame = frame.reset_index(names=[schema.time]) if points or len(schema.target) == 1 else frame
    return from_pandas(frame, schema.library)


def _wide(schema, columns, points, index):
    if points:
        return pd.DataFrame(columns["forecast"], index=index, columns=list(schema.target))
    if len(schema.target) == 1:
        return pd.DataFrame({name: values[:, 0] for name, values in columns.items()}, index=index)
    keys = pd.MultiIndex.from_product([list(schema.target), list(columns)])
    return pd.DataFrame(np.stack(list(columns.values()), axis=2).reshape(len(index), -1), index=index, columns=keys)


def _long_panel(schema, panel, entity, ordinal, columns, points):
    keys = {schema.series_id: _labels(panel.ids, entity), schema.time_name: _stamps(panel, ordinal)}
    if points:
        values = {name: columns["forecast"][:, c] for c, name in enumerate(schema.target)}
    elif len(schema.target) == 1:
        values = {name: cells[:, 0] for name, cells in columns.items()}
    else:
        values = {
            (target, name): cells[:, c] for c, target in enumerate(schema.target) for name, cells in columns.items()
        }
    frame = pd.DataFrame({**keys, **values})
    levels = [name for name in (schema.series_id, schema.time_name) if schema.indexed]
    return frame.set_index(levels) if levels and schema.time is not None else frame
