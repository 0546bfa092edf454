"""Apply a saved model to partitions of many series, by Dask, Ray or Spark.

Nothing here knows an engine: these are functions from frames to frames, for Dask's `map_partitions`, Ray Data's
`map_batches` and Spark's `mapInPandas`.
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
#: Models that a process keeps; a job has one or a few.
MOST_MODELS = 4
_LOADING = threading.Lock()


def forecast_partition(
    frame: pd.DataFrame,
    path: types.Path,
    *,
    quantile_levels: Sequence[float] | None = None,
    backbones: dict | None = None,
) -> pd.DataFrame:
    """Forecast every series of one partition by a saved model, from the rows of the partition alone.

    Parameters
    ----------
    frame : DataFrame
        History of any number of series, known to the model or not, long and with the columns seen at `fit`; rows in any
        order. Rows after the last observed target give known covariates. A series must lie in one partition as a
        whole: the half of one cannot be told from a short one.
    path : str or path
        What `save` wrote, at the same place on every machine. It is read once per process, and again when its size or
        time of change differ.
    quantile_levels : list of float, optional
        As `forecast` takes them.
    backbones : dict of str to class, optional
        As `load` takes them.

    Returns
    -------
    pandas.DataFrame
        As `forecast` gives it, of the columns and dtypes of `partition_meta`; without rows where `frame` has none.

    Raises
    ------
    InputError
        Where the model was not fitted on one long frame with columns of series and time, where the partition breaks a
        rule of `forecast`, or its series are named by another kind of value than those at `fit`.
    ArtifactError
        As `load`.
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
    """Forecast the series of one partition that comes as frames cut anywhere, as Spark's `mapInPandas` gives them.

    The last series of a frame waits for the next one, which may go on with it: no more than a frame and the rows of one
    series are held.

    Parameters
    ----------
    frames : iterable of DataFrame
        As `forecast_partition` takes one. Rows of a series follow each other, also from frame to frame.
    path, quantile_levels, backbones
        As `forecast_partition` takes them.

    Yields
    ------
    pandas.DataFrame
        As `forecast_partition` gives it.

    Raises
    ------
    InputError
        As `forecast_partition`, and where a series comes back after another one.
    """
    series = list(_model(path, backbones).schema_.series_keys)
    one = functools.partial(forecast_partition, path=path, quantile_levels=quantile_levels, backbones=backbones)
    ended: set = set()
    held: list = []  # frames of the last series: joined once, when it is complete
    for frame in frames:
        frame = to_pandas(frame)[0]
        if not len(frame):
            continue
        if held and set(series) <= set(frame.columns) and _of_series(frame, held[0], series).all():
            held.append(frame)
            continue
        whole, last = _without_last(pd.concat([*held, frame], ignore_index=True), series)
        held = [] if last is None else [last]
        if len(whole):
            forecast = one(whole)
            _check_ended(forecast[series], ended)
            yield forecast
    if held:
        forecast = one(pd.concat(held, ignore_index=True))
        _check_ended(forecast[series], ended)
        yield forecast


def partition_meta(
    path: types.Path, *, quantile_levels: Sequence[float] | None = None, backbones: dict | None = None
) -> pd.DataFrame:
    """A frame without rows of the columns and dtypes that `forecast_partition` gives, such as Dask's `meta=`.

    Parameters
    ----------
    path, quantile_levels, backbones
        As `forecast_partition` takes them.

    Returns
    -------
    pandas.DataFrame
    """
    return _meta(_model(path, backbones), quantile_levels)


def _model(path, backbones):
    """The model of this file, from memory where the file is still the one that was read."""
    path = Path(path).absolute()
    try:
        status = path.stat()
    except OSError:
        return load(path)  # which says what is wrong
    own = tuple(sorted((backbones or {}).items()))
    with _LOADING:  # threads of one worker would each read it
        return _read(path, status.st_size, status.st_mtime_ns, own)


@functools.lru_cache(maxsize=MOST_MODELS)
def _read(path, size, changed, own):
    model = load(path, backbones=dict(own))
    schema = getattr(model, "schema_", None)
    if schema is None:
        refuse(WHERE, f"the model in {str(path)!r} must be fitted", "one that is not", "Fit it before save.")
    if schema.supervised or not schema.is_panel or schema.indexed or schema.series_indexed:
        rule = f"the model in {str(path)!r} must be fitted on one long frame with columns of series and time"
        remedy = "Fit it on a frame with series_id=, time= and target=."
        refuse(WHERE, rule, "X and y" if schema.supervised else f"data of another form ({schema.form})", remedy)
    model.schema_ = replace(schema, library="pandas")  # whatever it was fitted on
    return model


def _meta(model, levels):
    """The first rows of any forecast of the model, without the rows."""
    panel, horizon = model.history_, model.horizon_
    levels = check_levels(WHERE, levels) if len(levels) else ()
    origins = Origins.every_channel(np.zeros(1, dtype="int64"), panel.last_observed()[:1], panel.channels)
    levels = model._forecast_at(panel, origins).shown_levels if levels is None else levels
    blank = np.zeros((len(origins), horizon))
    quantiles = {forecast_frames.level_name(level): blank for level in levels}
    return forecast_frames.long_frame(panel, model.schema_, origins, blank, quantiles).iloc[:0]


def _check_like(forecast, meta, series):
    """Refuse series named by another kind of value: partitions would not go together."""
    for name in series:
        got, wanted = forecast[name].dtype, meta[name].dtype
        if got != wanted:
            rule = f"series must be named by values of the kind seen at fit ({wanted}) in {name!r}"
            refuse(WHERE, rule, str(got), "Convert the column.")


def _of_series(frame, other, series):
    """Which rows of a frame are of the last series of the other one, (rows,)."""
    out = np.ones(len(frame), dtype=bool)
    for name in series:
        out &= (frame[name] == other[name].iloc[-1]).to_numpy(dtype=bool, na_value=False)
    return out


def _without_last(frame, series):
    """The rows of all series but the last one, and its own; columns that lack are refused by whoever forecasts."""
    if not len(frame) or not set(series) <= set(frame.columns):
        return frame, None
    last = _of_series(frame, frame, series)
    return frame[~last], frame[last]


def _check_ended(names, ended: set):
    """Note that these series are complete, and refuse those that already were."""
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
