"""Inputs of plots: long frames, results of the library, and series of actuals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from forecastkit.data.schema import as_names
from forecastkit.metrics.score_table import quantile_columns
from forecastkit.utils.validation import refuse

if TYPE_CHECKING:
    import pandas as pd

#: Columns of a forecast frame that are not keys.
MEASURES = ("target", "cutoff", "step", "path", "forecast", "actual")


def find_keys(frame: pd.DataFrame) -> tuple[str, str | list[str] | None]:
    """Return the name of the time column, and the names of the series columns, of a long forecast frame.

    They are the columns before the cutoff; one series column is a str, none are None.
    """
    names = list(frame.columns)
    before = names[: names.index("cutoff")] if "cutoff" in names else []
    keys = [name for name in before if name not in MEASURES]
    time = "time" if "time" in names or not keys else keys[-1]
    series = [name for name in keys if name != time]
    return time, series if len(series) > 1 else series[0] if series else None


def forecast_frame(result: object, function: str) -> pd.DataFrame:
    """Return a forecast frame, the forecasts of a backtest, or a result of `predict` indexed by time, as pandas."""
    frame = getattr(result, "forecasts", result)
    frame = frame.to_pandas() if hasattr(frame, "to_pandas") else frame
    if _is_indexed_by_time(frame) and "cutoff" not in getattr(frame, "columns", ()):
        return _long_predictions(frame)
    if not hasattr(frame, "columns"):
        remedy = "Pass the result of forecast() or backtest()."
        refuse("plot", f"{function} needs a long forecast frame", type(result).__name__, remedy)
    times = [name for name in frame.columns if frame[name].dtype.kind == "M"]
    if "forecast" in frame.columns and not {"cutoff", "step"} & set(frame.columns) and len(times) == 1:
        return _with_steps(frame, times[0])
    if "cutoff" not in frame.columns and not {"step", "forecast"} <= set(frame.columns):
        remedy = "Pass the result of forecast() or backtest(), or of predict() with times in its index."
        got = f"the columns {', '.join(map(repr, frame.columns[:6]))}"
        refuse("plot", f"{function} needs a long forecast frame with the columns cutoff, step, forecast", got, remedy)
    return frame


def _is_indexed_by_time(frame) -> bool:
    import pandas as pd

    is_table = isinstance(frame, (pd.Series, pd.DataFrame)) and len(frame) > 0
    return is_table and isinstance(frame.index, (pd.DatetimeIndex, pd.PeriodIndex))


def _long_predictions(values) -> pd.DataFrame:
    """Return points, quantiles or bounds of `predict`, with times in the index, as a long frame of one cutoff."""
    import pandas as pd

    values = values.to_frame("forecast") if isinstance(values, pd.Series) else values
    if values.columns.nlevels > 1:
        parts = {target: values[target] for target in values.columns.unique(0)}
    elif "forecast" in values or quantile_columns(values):
        parts = {None: values}
    else:  # points of several targets
        parts = {target: values[[target]].set_axis(["forecast"], axis=1) for target in values.columns}
    times = values.index.to_timestamp() if isinstance(values.index, pd.PeriodIndex) else values.index
    keys = {times.name or "time": times, "cutoff": _time_before(times), "step": np.arange(1, len(times) + 1)}
    long = []
    for target, part in parts.items():
        named = {} if target is None else {"target": target}
        levels = quantile_columns(part)
        point = (
            {} if "forecast" in part else {"forecast": part[levels[min(levels, key=lambda level: abs(level - 0.5))]]}
        )
        long.append(part.assign(**point, **named).assign(**keys).reset_index(drop=True))
    columns = [next(iter(keys)), *(() if None in parts else ("target",)), "cutoff", "step"]
    frame = pd.concat(long, ignore_index=True)
    return frame[[*columns, *(name for name in frame.columns if name not in columns)]]


def _with_steps(values: pd.DataFrame, time: str) -> pd.DataFrame:
    """Return a result of `predict` with series and times in columns as a long frame of one cutoff for each series."""
    import pandas as pd

    place = values.columns.get_loc(time) + 1
    keys, frame = list(values.columns[: place - 1]), values.copy()
    groups = frame.groupby(keys or np.zeros(len(frame)), sort=False, observed=True)[time]
    frame.insert(place, "cutoff", groups.transform(lambda part: _time_before(pd.DatetimeIndex(part))))
    frame.insert(place + 1, "step", groups.cumcount() + 1)
    return frame


def _time_before(times: pd.DatetimeIndex) -> pd.Timestamp:
    """Return the time one step before the first of these."""
    import pandas as pd

    if len(times) < 2:
        return times[0] - pd.Timedelta("1s")
    step = (times[1:] - times[:-1]).min()
    if step < pd.Timedelta("28D"):
        return times[0] - step
    months = 12 * (times[1].year - times[0].year) + times[1].month - times[0].month
    before = times[0] - pd.DateOffset(months=months)
    return before + pd.offsets.MonthEnd(0) if times.is_month_end.all() else before


def history_frame(
    history: object, frame: pd.DataFrame, time: str, series_id: str | Sequence[str] | None
) -> pd.DataFrame | None:
    """Return the actuals as a long frame ``[series_id,] time, [target,] actual``, named as in the forecasts.

    The history is a long frame already; a series or array of values, by its index in time; or the frame that was fitted
    on, with the time as a column or the index and the targets under their own names.
    """
    import pandas as pd

    if history is None:
        return None
    history = history.to_pandas() if hasattr(history, "to_pandas") else history
    if isinstance(history, (list, tuple, np.ndarray)):
        values = np.asarray(history)
        history = pd.DataFrame(values) if values.ndim > 1 else pd.Series(values)
    if isinstance(history, pd.Series):
        history = history.rename("actual").to_frame()
    if "actual" in history.columns and time in history.columns:
        return history
    history = _with_index(history, time, series_id)
    targets = list(pd.unique(frame["target"])) if "target" in frame.columns else []
    if targets and "target" not in history.columns and set(targets) <= set(history.columns):
        keys = [key for key in (*as_names(series_id), time) if key in history.columns]
        return history.melt(keys, targets, var_name="target", value_name="actual")
    return _with_actual(history, time, series_id, frame.attrs.get("target"))


def _with_index(history, time, series_id):
    """Return the history with its index levels as columns, named as in the forecasts."""
    if time in history.columns:
        return history
    levels, names = list(history.index.names), list(as_names(series_id))
    if len(levels) == 1:
        index = history.index.to_timestamp() if hasattr(history.index, "to_timestamp") else history.index
        return history.assign(**{time: index}).reset_index(drop=True)
    if len(levels) != len(names) + 1:
        return history
    named = [level if level in names else time for level in levels] if set(names) <= set(levels) else [*names, time]
    return history.rename_axis(index=named).reset_index()


def _with_actual(history, time, series_id, target):
    """Return the history with the target, or its only numeric column, as the actuals."""
    if "actual" in history.columns:
        return history
    if target in history.columns:
        return history.rename(columns={target: "actual"})
    values = [
        name for name in history.select_dtypes("number").columns if name not in (time, *as_names(series_id), "target")
    ]
    return history.rename(columns={values[0]: "actual"}) if len(values) == 1 else history
