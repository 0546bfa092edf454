"""`plot`: the plot that suits a result, on given axes or on a new figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forecastkit.data.output_frames import history_frame as frame_of_panel
from forecastkit.plotting.forecasts import (
    draw_error_by_step,
    draw_errors,
    draw_forecast,
    draw_windows,
    numbers_of,
    panels_of,
    rows_with_errors,
    title_of,
)
from forecastkit.plotting.inputs import find_keys, forecast_frame, history_frame
from forecastkit.plotting.style import (
    BLUE,
    GREY,
    INK,
    SIZE,
    explain,
    head,
    line,
    plain_times,
    style,
)
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import check_choice, check_int, refuse

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Plots of a backtest.
KINDS = ("windows", "steps", "residuals")


def plot(
    result: object,
    actuals: object = None,
    *,
    kind: str | None = None,
    series: object = None,
    target: object = None,
    history_rows: int | None = None,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Plot a fitted forecaster, a forecast, a backtest or a comparison.

    Parameters
    ----------
    result : Forecaster, DataFrame, Backtest or Comparison
        A fitted forecaster draws its history and its next forecast with intervals; the long frame of `forecast`, or a
        result of `predict` with times in its index, is drawn after the `actuals`; a backtest draws windows with their
        actuals; a comparison its leaderboard.
    actuals : DataFrame, Series or array, optional
        What was observed, as the user has it: the series or frame that was fitted on, also with the rows forecast,
        which are then drawn over the forecast.
    kind : {'windows', 'steps', 'residuals'}, optional
        Of a backtest: the last windows that do not overlap, the mean absolute error by step and that of the seasonal
        naive, or the residuals over time with their distribution. Default: 'windows'.
    series, target : scalar, optional
        The one series and target drawn. Default: the first.
    history_rows : int, optional
        Rows before the cutoff. Default: four horizons, at least 24.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: a new figure of pyplot, which a notebook shows.
    title : str, optional

    Returns
    -------
    matplotlib.axes.Axes
        ``ax.figure`` is the figure, and ``ax.figure.savefig(path)`` writes it.

    Raises
    ------
    InputError
        If the result cannot be plotted, a series or target is absent.
    """
    check_choice("plot", "kind", kind, (*KINDS, None))
    check_int("plot", "history_rows", history_rows, optional=True)
    draw, heading = _drawing(result, actuals, kind, (series, target), history_rows)
    ax = _new_axes() if ax is None else ax
    draw(ax)
    head(ax, title or heading)
    return ax


def _drawing(result, actuals, kind, chosen, history_rows):
    """Return the function that draws a result on axes, and its title; refuse before drawing."""
    if hasattr(result, "table") and hasattr(result, "metric"):
        _refuse_kind(kind, "a comparison")
        shown = rows_with_errors(result.table, result.metric)
        return lambda ax: draw_errors(ax, shown, result.metric), "Comparison"
    if hasattr(result, "forecasts"):
        return _backtest(result, kind or "windows", chosen)
    _refuse_kind(kind, "a forecast")
    if hasattr(result, "forecast") and hasattr(result, "get_params"):
        result, actuals = _of_forecaster(result, actuals)
    frame = forecast_frame(result, "plot")
    time, series_id = find_keys(frame)
    history = history_frame(actuals, frame, time, series_id)
    panel = panels_of(frame, history, time, series_id, *chosen, ["cutoff", "step", "forecast"])[0]
    return lambda ax: draw_forecast(ax, panel, time, True, history_rows), title_of(panel, "Forecast")


def _refuse_kind(kind, what):
    if kind is not None:
        remedy = "Pass the result of backtest(), or leave kind= out."
        refuse("plot", "kind= is for backtests", f"kind={kind!r} for {what}", remedy, ParameterError)


def _of_forecaster(forecaster, actuals):
    """Return the next forecast of a fitted forecaster, and its history unless other actuals are given."""
    frame = forecaster.forecast()
    if actuals is not None:
        return frame, actuals
    return frame, frame_of_panel(forecaster.history_, forecaster.schema_)


def _backtest(result, kind, chosen):
    frame = forecast_frame(result, "plot")
    baseline = frame.assign(forecast=result.reference.naive) if kind == "steps" else None
    time, series_id = find_keys(frame)
    needed = ["cutoff", "step", "forecast", "actual"]
    panel = panels_of(frame, baseline, time, series_id, *chosen, needed)[0]
    draw = {
        "windows": lambda ax: draw_windows(ax, panel, time, most=4),
        "steps": lambda ax: draw_error_by_step(ax, panel, "seasonal naive"),
        "residuals": lambda ax: _draw_residuals(ax, panel.rows, time),
    }
    headings = {"windows": "Backtest", "steps": "Error by step", "residuals": "Residuals"}
    return draw[kind], title_of(panel, headings[kind])


def _draw_residuals(ax, rows, time):
    """Draw residuals of the first step over time, the 5 % and 95 % quantiles, and a histogram."""
    first = rows[rows["step"] == rows["step"].min()]
    errors = numbers_of(first["actual"]) - numbers_of(first["forecast"])
    line(ax, plain_times(first[time]), errors, BLUE, "residual")
    seen = errors[np.isfinite(errors)]
    if not len(seen):
        refuse("plot", "residuals need rows with an actual", "none")
    low, high = np.quantile(seen, [0.05, 0.95])
    for place, strength in ((0.0, INK), (low, GREY), (high, GREY)):
        ax.axhline(place, color=strength, linewidth=0.8, linestyle="-" if place == 0 else (0, (4, 3)), zorder=1)
    side = ax.inset_axes([1.01, 0, 0.1, 1], sharey=ax)
    side.hist(seen, bins=min(30, max(5, len(seen) // 5)), orientation="horizontal", color=BLUE, alpha=0.5)
    side.axis("off")
    style(ax, plain_times(first[time]))
    lagged = _autocorrelation(errors)
    text = f"actual - forecast, step {first['step'].iloc[0]}: mean {seen.mean():.3g}, 90 % from {low:.3g} to {high:.3g}"
    explain(ax, text + ("" if np.isnan(lagged) else f", autocorrelation {lagged:.2f}"))


def _autocorrelation(errors):
    """Return the lag-one autocorrelation of residuals; NaN if it is undefined."""
    before, after = errors[:-1], errors[1:]
    both = np.isfinite(before) & np.isfinite(after)
    before, after = before[both], after[both]
    if len(before) < 3 or not before.std() or not after.std():
        return np.nan
    return float(np.corrcoef(before, after)[0, 1])


def _new_axes():
    from matplotlib import pyplot

    return pyplot.subplots(figsize=SIZE, layout="constrained", facecolor="white")[1]
