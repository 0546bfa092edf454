"""Sample weights, read in the same way as the rows that they belong to."""

import numpy as np
import pandas as pd

from forecastkit.data.array_checks import as_array
from forecastkit.data.ingest.find_keys import keyed_like
from forecastkit.data.ingest.read_panel import read_panel, to_pandas
from forecastkit.data.memmap.dataset import MappedData
from forecastkit.data.panel import Panel
from forecastkit.data.schema import Schema
from forecastkit.utils.validation import first_few, refuse

WHERE = "sample_weight"
ROLES = ("target", "known", "past", "static")


def read_weights(sample_weight, X, y, panel: Panel, schema: Schema, reading: dict) -> np.ndarray | None:
    """Return the weights of the panel's rows, float32 (R,), with mean 1 over observed targets; None without weights.

    Parameters
    ----------
    sample_weight : array of shape (rows of X,), or None
    X, y
        The data of `panel` and `schema`.
    reading : dict
        The parameters of reading.

    Raises
    ------
    InputError
        If the weights are not one number of at least 0 for each row, or all are zero.
    """
    if sample_weight is None:
        return None
    if isinstance(X, MappedData):
        refuse(WHERE, "mapped data have no weights", "some", "Leave sample_weight out.")
    if isinstance(X, Panel):
        refuse(WHERE, "weights are for rows of frames and arrays", "a Panel", "Pass the data as a frame.")
    X, y = to_pandas(X)[0], to_pandas(y)[0]
    keys = _keys(keyed_like(schema, X), schema)
    index = y.index if isinstance(y, (pd.Series, pd.DataFrame)) else keys.index
    given = pd.Series(_checked(sample_weight, len(keys)), index=index, name=WHERE)
    # They are read like a target with the same keys, so that they follow sorted, merged and moved rows.
    own = {"time": schema.time if schema.time in keys.columns else reading.get("time"), "series_id": schema.series_id}
    own |= {name: value for name, value in reading.items() if name not in (*ROLES, *own)}
    if schema.resample is not None:
        own["resample"] = "nearest" if schema.resample == "nearest" else "mean"
    found, _ = read_panel(keys, given, **own)
    weights = np.nan_to_num(found.target[:, 0])
    mean = weights[~np.isnan(panel.target).all(axis=1)].mean()
    if not mean > 0:
        refuse(WHERE, "a row with a target must have a weight that is not zero", "zero for all")
    return (weights / mean).astype("float32")


def _keys(X, schema):
    """Return the columns and the index that contain the series and time of each row."""
    if isinstance(X, pd.DataFrame):
        return X[[name for name in (*schema.series_keys, schema.time) if name in X.columns]]
    return pd.DataFrame(index=X.index if isinstance(X, pd.Series) else pd.RangeIndex(len(as_array(X))))


def _checked(sample_weight, rows):
    try:
        weights = np.asarray(to_pandas(sample_weight)[0], dtype="float64")
    except (TypeError, ValueError):
        refuse(WHERE, "weights must be numbers", repr(sample_weight))
    if weights.shape != (rows,):
        refuse(WHERE, f"there must be one weight for each of the {rows} rows", f"shape {weights.shape}")
    bad = ~(np.isfinite(weights) & (weights >= 0))
    if bad.any():
        rows = np.flatnonzero(bad)
        got = first_few([f"{weights[row]:g} in row {row}" for row in rows[:3]] + [*rows[3:]])
        refuse(WHERE, "weights must be finite and at least 0", got)
    if not weights.any():
        refuse(WHERE, "a row must have a weight that is not zero", "zero for all")
    return weights
