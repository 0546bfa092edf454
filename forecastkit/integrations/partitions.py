"""Forecast partitions of many series with a saved model, for Dask, Ray or Spark.

The functions map frames to frames and do not import these engines. They are arguments of Dask's `map_partitions`, Ray
Data's `map_batches` and Spark's `mapInPandas`.
"""

import functools
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from forecastkit.data import output_frames as forecast_frames
from forecastkit.data.ingest.read_panel import to_pandas
from forecastkit.data.windows import Origins
from forecastkit.persistence.artifact import load
from forecastkit.utils import types
from forecastkit.utils.validation import check_levels, first_few, refuse

WHERE = "partition"
#: Largest number of models cached per process.
MAX_MODELS = 4
_LOADING = threading.Lock()


def forecast_partition(
    frame: pd.DataFrame,
    path: types.Path,
    *,
    quantile_levels: Sequence[float] | None = None,
    backbones: dict | None = None,
) -> pd.DataFrame:
    """Forecast every series of one partition with a saved model, using only the rows of the partition.

    Parameters
    ----------
    frame : DataFrame
        History of any number of series in long format, with the columns seen at `fit` and rows in any order. Rows after
        the last observed target contain future covariates. All rows of a series must be in the same partition, because
        a partial series cannot be distinguished from a short one.
    path : str or path
        File written by `save`, at the same location on every machine. Each process reads it once, and again if its size
        or modification time changes.
    quantile_levels : list of float, optional
        As in `forecast`.
    backbones : dict of str to class, optional
        As in `load`.

    Returns
    -------
    pandas.DataFrame
        The result of `forecast` with the columns and dtypes of `partition_meta`; no rows if `frame` has none.

    Raises
    ------
    InputError
        If the model was not fitted on a single long frame with series and time columns, the partition is not valid
        input of `forecast`, or series identifiers have another dtype than at `fit`.
    ArtifactError
        As in `load`.
    """
    model, frame = _model(path, backbones), to_pandas(frame)[0]
    meta = _meta(model, quantile_levels)
    if not len(frame):
        return meta
    forecast = model.forecast(history=frame, quantile_levels=quantile_levels)
    _check_like(forecast, meta, model.schema_.series_keys)
    return forecast


def forecast_partitions(
    frames: Iterable, path: types.Path, *, quantile_levels: Sequence[float] | None = None, backbones: dict | None = None
) -> Iterator[pd.DataFrame]:
    """Forecast the series of one partition that arrives as several frames, as in Spark's `mapInPandas`.

    Rows of the last series of a frame are kept until the next frame, which may continue it. At most one frame and the
    rows of one series are held in memory.

    Parameters
    ----------
    frames : iterable of DataFrame
        As in `forecast_partition`. Rows of a series must be contiguous, also across frames.
    path, quantile_levels, backbones
        As in `forecast_partition`.

    Yields
    ------
    pandas.DataFrame
        As returned by `forecast_partition`.

    Raises
    ------
    InputError
        As in `forecast_partition`, and if rows of a series are not contiguous.
    """
    series = list(_model(path, backbones).schema_.series_keys)
    forecast_frame = functools.partial(
        forecast_partition, path=path, quantile_levels=quantile_levels, backbones=backbones
    )
    ended: set = set()
    pending: list = []  # frames of the last series: joined once, when it is complete
    for frame in frames:
        frame = to_pandas(frame)[0]
        if not len(frame):
            continue
        if pending and set(series) <= set(frame.columns) and _of_series(frame, pending[0], series).all():
            pending.append(frame)
            continue
        complete, last = _without_last(pd.concat([*pending, frame], ignore_index=True), series)
        pending = [] if last is None else [last]
        if len(complete):
            forecast = forecast_frame(complete)
            _check_ended(forecast[series], ended)
            yield forecast
    if pending:
        forecast = forecast_frame(pd.concat(pending, ignore_index=True))
        _check_ended(forecast[series], ended)
        yield forecast


def partition_meta(
    path: types.Path, *, quantile_levels: Sequence[float] | None = None, backbones: dict | None = None
) -> pd.DataFrame:
    """Return an empty frame with the columns and dtypes of `forecast_partition`, for Dask's `meta=`.

    Parameters
    ----------
    path, quantile_levels, backbones
        As in `forecast_partition`.

    Returns
    -------
    pandas.DataFrame
    """
    return _meta(_model(path, backbones), quantile_levels)


def _model(path, backbones):
    """Return the model of this file, cached as long as the file does not change."""
    path = Path(path).absolute()
    try:
        status = path.stat()
    except OSError:
        return load(path)  # raises the error
    own = tuple(sorted((backbones or {}).items()))
    with _LOADING:  # otherwise every thread of a worker would read the file
        return _read(path, status.st_size, status.st_mtime_ns, own)


@functools.lru_cache(maxsize=MAX_MODELS)
def _read(path, size, changed, own):
    model = load(path, backbones=dict(own))
    schema = getattr(model, "schema_", None)
    if schema is None:
        refuse(WHERE, f"the model in {str(path)!r} must be fitted", "one that is not", "Fit it before save.")
    if schema.supervised or not schema.is_panel or schema.indexed or schema.series_indexed:
        rule = f"the model in {str(path)!r} must be fitted on one long frame with columns of series and time"
        remedy = "Fit it on a frame with series_id=, time= and target=."
        refuse(WHERE, rule, "X and y" if schema.supervised else f"data of another form ({schema.form})", remedy)
    model.schema_ = replace(schema, library="pandas")  # output is pandas regardless of the training data
    return model


def _meta(model, levels):
    """Return a forecast of the model without its rows."""
    panel, horizon = model.history_, model.horizon_
    origins = Origins.every_channel(np.zeros(1, dtype="int64"), panel.last_observed()[:1], panel.channels)
    levels = model._forecast_at(panel, origins).shown_levels if levels is None else levels
    levels = check_levels(WHERE, levels) if len(levels) else ()
    blank = np.zeros((len(origins), horizon))
    quantiles = {forecast_frames.level_name(level): blank for level in levels}
    return forecast_frames.long_frame(panel, model.schema_, origins, blank, quantiles).iloc[:0]


def _check_like(forecast, meta, series):
    """Refuse series identifiers of another dtype than at `fit`, because partitions could not be concatenated."""
    for name in series:
        got, wanted = forecast[name].dtype, meta[name].dtype
        if got != wanted:
            rule = f"series must be named by values of the kind seen at fit ({wanted}) in {name!r}"
            refuse(WHERE, rule, str(got), "Convert the column.")


def _of_series(frame, other, series):
    """Return which rows of a frame belong to the last series of `other`, shape (rows,)."""
    out = np.ones(len(frame), dtype=bool)
    for name in series:
        out &= (frame[name] == other[name].iloc[-1]).to_numpy(dtype=bool, na_value=False)
    return out


def _without_last(frame, series):
    """Split a frame into the rows of all series except the last, and those of the last series."""
    if not len(frame) or not set(series) <= set(frame.columns):
        # A frame without the series columns is refused by the forecast.
        return frame, None
    last = _of_series(frame, frame, series)
    return frame[~last], frame[last]


def _check_ended(names, ended: set):
    """Record these series as complete, and refuse series that were complete before."""
    names = set(names.drop_duplicates().itertuples(index=False, name=None))
    if again := names & ended:
        rule = "rows of a series must follow each other"
        refuse(
            WHERE,
            rule,
            f"{first_few(sorted(repr(key if len(key) > 1 else key[0]) for key in again))} again",
            "Sort the partition by series and time.",
        )
    ended |= names
