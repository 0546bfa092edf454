"""Plots of forecasts, backtests and comparisons, as matplotlib figures without global state."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from forecastkit.metrics.functions import skill
from forecastkit.metrics.grouped_scores import symmetric_pairs
from forecastkit.metrics.score_table import quantile_columns, score_table
from forecastkit.plotting.inputs import find_keys, forecast_frame, history_frame
from forecastkit.plotting.style import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    End,
    at_top,
    error_rows,
    explain,
    format_time,
    head,
    headroom,
    label_ends,
    line,
    log_bars,
    plain_times,
    save,
    side_by_side,
    small_multiples,
    stack,
    style,
)
from forecastkit.utils.validation import check_int, check_names, refuse

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from forecastkit.evaluation.results import Backtest

__all__ = ["plot_backtest", "plot_comparison", "plot_forecast"]

#: Legend of `verdict_colours`.
NOT_WORSE = "blue: best, and not significantly worse"


def plot_forecast(
    frame: pd.DataFrame | Backtest,
    history: pd.DataFrame | pd.Series | np.ndarray | None = None,
    *,
    series: object = None,
    target: object = None,
    path: str | os.PathLike | None = None,
    title: str | None = None,
    max_series: int = 6,
) -> Figure:
    """Plot forecasts with their intervals after the history.

    Parameters
    ----------
    frame : DataFrame or Backtest
        A long forecast frame, as returned by `forecast`: ``[series_id,] time, [target,] cutoff, step, forecast`` and,
        for intervals, symmetric quantiles (``q0.1`` and ``q0.9``) or ``lower`` and ``upper``. Times are dates or
        integers. Of several cutoffs the last one of each series is plotted.
    history : DataFrame, Series or array, optional
        What was observed: the series or frame that was fitted on, or a long frame ``[series_id,] time, [target,]
        actual`` with the same names as in `frame`. The last four horizons up to the cutoff are drawn, and the actuals
        of the steps forecast where there are any; NaN leaves a gap.
    series, target : scalar or list, optional
        Series and targets to plot; by default the first ones.
    path : path-like, optional
        File to write, with the format of its suffix (``.png``, ``.pdf`` or ``.svg``). It is written atomically.
    title : str, optional
        Title instead of the name of the series or target.
    max_series : int
        Largest number of panels; the number of further series is noted.

    Returns
    -------
    matplotlib.figure.Figure
        A notebook displays it; it is not registered with pyplot.

    Raises
    ------
    InputError
        If a column, series or target is absent, or `path` cannot be written.
    """
    check_int("plot", "max_series", max_series)
    frame = forecast_frame(frame, "plot_forecast")
    time, series_id = find_keys(frame)
    history = history_frame(history, frame, time, series_id)
    panels = panels_of(frame, history, time, series_id, series, target, ["cutoff", "step", "forecast"])
    shown = panels[:max_series]
    figure, grid = small_multiples(len(shown))
    direct = len(shown) == 1
    for axes, panel in zip(grid, shown, strict=True):
        draw_forecast(axes, panel, time, direct)
    if direct:
        head(grid[0], title or title_of(shown[0], "Forecast"))
    else:
        _name_panels(figure, grid, shown, title or "Forecasts")
    if len(panels) > len(shown):
        figure.supxlabel(f"and {len(panels) - len(shown)} more", x=0.99, ha="right", fontsize=9, color=GREY)
    if path is not None:
        save(figure, path)
    return figure


def plot_backtest(
    frame: pd.DataFrame | Backtest,
    baseline: pd.DataFrame | None = None,
    *,
    series: object = None,
    target: object = None,
    path: str | os.PathLike | None = None,
    title: str | None = None,
    baseline_name: str = "seasonal naive",
    max_cutoffs: int = 4,
) -> Figure:
    """Plot the forecasts of a backtest with the actuals, and the error by step.

    Parameters
    ----------
    frame : Backtest or DataFrame
        A backtest, or its forecasts: ``[series_id,] time, [target,] cutoff, step, forecast, actual``, and quantiles.
    baseline : DataFrame, optional
        Baseline forecasts of the same windows, for the error by step; by default those of the seasonal naive of a
        backtest.
    series, target : scalar, optional
        Series and target to plot; by default the first ones.
    path : path-like, optional
        File to write, with the format of its suffix. It is written atomically.
    title : str, optional
        Title instead of the name of the series or target.
    baseline_name : str
        Name of the baseline in the plot.
    max_cutoffs : int
        Largest number of plotted forecasts: the last ones that do not overlap.

    Returns
    -------
    matplotlib.figure.Figure
        Top: actuals and forecasts. Bottom: the mean absolute error of this series by step, over all its cutoffs.

    Raises
    ------
    InputError
        If a column, series or target is absent, or `path` cannot be written.
    """
    check_int("plot", "max_cutoffs", max_cutoffs)
    if baseline is None and hasattr(frame, "reference"):
        baseline = frame.forecasts.assign(forecast=frame.reference.naive)
    frame = forecast_frame(frame, "plot_backtest")
    time, series_id = find_keys(frame)
    needed = ["cutoff", "step", "forecast", "actual"]
    panel = panels_of(frame, baseline, time, series_id, series, target, needed)[0]
    figure, (upper, lower) = stack()
    draw_windows(upper, panel, time, max_cutoffs)
    draw_error_by_step(lower, panel, baseline_name)
    head(upper, title or title_of(panel, "Backtest"))
    if path is not None:
        save(figure, path)
    return figure


def verdict_colours(verdicts: pd.Series) -> np.ndarray:
    """Return blue for the best model and those that are not significantly worse, grey for the others."""
    return np.where(verdicts.astype(str).str.contains("best$|too few windows to tell$"), BLUE, GREY)


def plot_comparison(
    table: object,
    *,
    metric: str | None = None,
    path: str | os.PathLike | None = None,
    title: str | None = None,
) -> Figure:
    """Plot the error of every model with its standard error, and the seconds of a fit.

    Parameters
    ----------
    table : Comparison or DataFrame
        A comparison, or its table: by model `metric`, ``se``, ``verdict`` and ``fit_seconds``, the best model first.
    metric : str, optional
        Column of errors; by default that of the comparison, or ``mase``.
    path : path-like, optional
        File to write, with the format of its suffix. It is written atomically.
    title : str, optional
        Title instead of "Comparison".

    Returns
    -------
    matplotlib.figure.Figure
        Left: errors with two standard errors on each side, in blue if not significantly different from the best. Right:
        seconds of a fit on a logarithmic scale.

    Raises
    ------
    InputError
        If a column is absent, or `path` cannot be written.
    """
    metric = metric or getattr(table, "metric", "mase")
    table = getattr(table, "table", table)
    check_names("plot", "the columns drawn", [metric, "se", "verdict", "fit_seconds"], table.columns)
    shown = rows_with_errors(table, metric)
    figure, (left, right) = side_by_side(len(shown))
    log_bars(right, shown["fit_seconds"].to_numpy(), draw_errors(left, shown, metric))
    explain(right, "seconds of a fit")
    head(left, title or "Comparison")
    if path is not None:
        save(figure, path)
    return figure


class PanelRows(NamedTuple):
    """The rows of one series and target; `other` are those of the second frame, empty where there is none."""

    name: tuple
    rows: pd.DataFrame
    other: pd.DataFrame


class _Band(NamedTuple):
    label: str
    low: np.ndarray
    high: np.ndarray
    shade: tuple[float, ...]


# Choosing rows --------------------------------------------------------------------------------------------------------


def panels_of(
    frame: pd.DataFrame,
    other: pd.DataFrame | None,
    time: str,
    series_id: str | Sequence[str] | None,
    series: object,
    target: object,
    needed: Sequence[str],
) -> list[PanelRows]:
    """One panel for each chosen series and target, in order of appearance."""
    names = () if series_id is None else (series_id,) if isinstance(series_id, str) else tuple(series_id)
    keys = [*names, *(("target",) if "target" in frame.columns else ())]
    check_names("plot", "the columns drawn", [time, *keys, *needed], frame.columns)
    if not len(frame):
        refuse("plot", "frame must have rows", "none")
    if other is None:
        other = frame.iloc[:0].assign(actual=np.nan)
    check_names("plot", "the columns of the second frame", [time, *keys, "actual"], other.columns)
    for key, chosen in ((names, series), (("target",), target)):
        frame = _chosen(frame, key, chosen)
    if not keys:
        return [PanelRows((), frame.sort_values(time), other.sort_values(time))]
    parts = dict(iter(other.groupby(keys, observed=True)))
    return [
        PanelRows(name, rows.sort_values(time), parts.get(name, other.iloc[:0]).sort_values(time))
        for name, rows in frame.groupby(keys, sort=False, observed=True)
    ]


def _chosen(frame: pd.DataFrame, keys: tuple[str, ...], chosen: object) -> pd.DataFrame:
    """Return the rows of a series or target; series with several name columns are selected by tuple."""
    if chosen is None:
        return frame
    if not keys or not set(keys) <= set(frame.columns):
        refuse("plot", "a series or target chosen by name must have a column", repr(chosen))
    several = isinstance(chosen, list) or (isinstance(chosen, tuple) and len(keys) == 1)
    names = list(chosen) if several else [chosen]
    rows = frame[keys[0]] if len(keys) == 1 else frame[list(keys)].apply(tuple, axis=1)
    check_names("plot", f"the chosen {', '.join(keys)}", names, rows.unique())
    return frame[rows.isin(names)]


def numbers_of(values: pd.Series) -> np.ndarray:
    return values.to_numpy("float64", na_value=np.nan)


def _bands(rows: pd.DataFrame, most: int | None = None) -> list[_Band]:
    """Return the bands of symmetric quantiles, otherwise of lower and upper, widest first."""
    columns = quantile_columns(rows)
    edges = [
        (f"{100 * level:g} % interval", columns[low], columns[high]) for level, low, high in symmetric_pairs(columns)
    ]
    if not edges and {"lower", "upper"} <= set(rows.columns):
        edges = [("interval", "lower", "upper")]
    edges = edges[:most]
    return [
        _Band(label, numbers_of(rows[low]), numbers_of(rows[high]), shade)
        for (label, low, high), shade in zip(edges, shades(len(edges)), strict=True)
    ]


def shades(count: int) -> list[tuple[float, ...]]:
    """Return shades of blue, the lightest for the outermost band; opaque, so that labels can have the same colour."""
    from matplotlib.colors import to_rgb

    strengths = 0.18 + 0.34 * np.arange(count) / max(count - 1, 2)
    return [tuple(1 - strength * (1 - part) for part in to_rgb(BLUE)) for strength in strengths]


def _windows(rows: pd.DataFrame, time: str, most: int) -> list[pd.DataFrame]:
    """Return the last windows that do not overlap, in order of time."""
    kept = []
    for _, window in reversed(list(rows.groupby("cutoff"))):
        if not kept or window[time].iloc[-1] <= kept[-1]["cutoff"].iloc[0]:
            kept.append(window)
        if len(kept) == most:
            break
    return kept[::-1]


# Drawing --------------------------------------------------------------------------------------------------------------


def draw_forecast(axes: Axes, panel: PanelRows, time: str, direct: bool, rows_before: int | None = None) -> None:
    """Draw the forecast of the last cutoff with its history and, if available, the actuals."""
    rows = panel.rows[panel.rows["cutoff"] == panel.rows["cutoff"].max()]
    cutoff = rows["cutoff"].iloc[0]
    past = panel.other[panel.other[time] <= cutoff].tail(rows_before or max(4 * len(rows), 24))
    line(axes, plain_times(past[time]), numbers_of(past["actual"]), INK, "history")
    after = panel.other[(panel.other[time] > cutoff) & (panel.other[time] <= rows[time].max())]
    if after["actual"].notna().any():
        line(axes, plain_times(after[time]), numbers_of(after["actual"]), ORANGE, "actual")
    _fan(axes, rows, time, start=_last_value(past, time, cutoff))
    start = _mark_cutoff(axes, rows)
    style(axes, plain_times(rows[time]))
    if direct:
        explain(axes, f"{len(rows)} step{'s' * (len(rows) > 1)} after {format_time(cutoff)}")
        headroom(axes)
        if len(past):
            at_top(axes, start, "history", INK, "right")
        at_top(axes, start, "forecast", BLUE, "left")
        ends = [End(band.label, band.high, shade=band.shade) for band in _bands(rows)]
        label_ends(axes, [*ends, End("actual", numbers_of(after["actual"]), ORANGE)])


def draw_windows(axes: Axes, panel: PanelRows, time: str, most: int) -> None:
    """Draw the last windows of a backtest that do not overlap, with the actuals."""
    windows = _windows(panel.rows, time, most)
    first, last = windows[0]["cutoff"].iloc[0], windows[-1]
    observed = panel.rows.drop_duplicates(time)
    before = observed[time] <= first
    drawn = observed[(before & (before.cumsum() > before.sum() - len(last))) | (observed[time] > first)]
    line(axes, plain_times(drawn[time]), numbers_of(drawn["actual"]), INK, "actual")
    for window in windows:
        _fan(axes, window, time, most=1)
        _mark_cutoff(axes, window)
    style(axes, plain_times(drawn[time]))
    shown = "" if len(windows) == 1 else f" {len(windows)}"
    explain(axes, f"the last{shown} of {panel.rows['cutoff'].nunique()} cutoffs, {len(last)} steps")
    ends = [End("actual", numbers_of(drawn["actual"])), End("forecast", numbers_of(last["forecast"]), BLUE)]
    label_ends(axes, ends + [End(band.label, band.high, shade=band.shade) for band in _bands(last, most=1)])


def rows_with_errors(table: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return the rows of a comparison that have an error."""
    shown = table[table[metric].notna()]
    if not len(shown):
        refuse("plot", "a comparison must have rows with an error", "none")
    return shown


def draw_errors(axes: Axes, shown: pd.DataFrame, metric: str) -> np.ndarray:
    """Draw the errors of a comparison with two standard errors, and return the colour of each row."""
    colours = verdict_colours(shown["verdict"])
    error_rows(axes, shown[metric].to_numpy(), 2 * shown["se"].fillna(0.0).to_numpy(), colours, list(shown.index))
    explain(axes, f"{metric.upper()} ± 2 standard errors; {NOT_WORSE}")
    return colours


def draw_error_by_step(axes: Axes, panel: PanelRows, baseline_name: str) -> None:
    """Draw the mean absolute error of one series by step, and that of a baseline."""
    ends, title = [], "mean absolute error by step"
    for rows, name, colour in ((panel.other, baseline_name, ORANGE), (panel.rows, "forecast", BLUE)):
        if len(rows):
            error = score_table(rows, by="step")["mae"]
            line(axes, error.index.to_numpy(), error.to_numpy(), colour, name)
            ends.append(End(name, error.to_numpy(), colour))
    saved = skill(*(score_table(rows)["mae"][0] for rows in (panel.rows, panel.other))) if len(ends) == 2 else np.nan
    if np.isfinite(saved):
        title += f", in all {100 * abs(saved):.0f} % {'less' if saved >= 0 else 'more'} than {baseline_name}"
    axes.set_ylim(bottom=0)
    style(axes, np.array([1]))
    explain(axes, title)
    axes.set_xlabel("steps ahead", color=GREY, fontsize=9)
    label_ends(axes, ends)


def _fan(axes: Axes, rows: pd.DataFrame, time: str, start: tuple | None = None, most: int | None = None) -> None:
    """Draw the forecast and its bands from `start`, the last observed time and value."""
    before_time, before = start or ([], [])
    times = np.concatenate([np.asarray(before_time, dtype=plain_times(rows[time]).dtype), plain_times(rows[time])])
    for band in _bands(rows, most):
        edges = [np.concatenate([before, edge]) for edge in (band.low, band.high)]
        axes.fill_between(times, *edges, color=band.shade, linewidth=0, label=band.label, zorder=2)
    line(axes, times, np.concatenate([before, numbers_of(rows["forecast"])]), BLUE, "forecast", linewidth=1.8)


def _mark_cutoff(axes: Axes, rows: pd.DataFrame) -> object:
    """Draw a thin line at the cutoff of the rows and return its position."""
    place = plain_times(rows["cutoff"])[0]
    axes.axvline(place, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    return place


def _last_value(past: pd.DataFrame, time: str, cutoff: object) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the value at the cutoff, if there is one."""
    end = past[past[time] == cutoff].tail(1)
    values = numbers_of(end["actual"]) if len(end) else np.array([])
    return (plain_times(end[time]), values) if np.isfinite(values).any() else None


# Canvas and text ------------------------------------------------------------------------------------------------------


def _name_panels(figure: Figure, grid: Sequence[Axes], panels: Sequence[PanelRows], title: str) -> None:
    """Draw the title, the legend and the names of the panels."""
    for axes, panel in zip(grid, panels, strict=True):
        axes.set_title(_name(panel), loc="left", fontsize=10, color=INK, parse_math=False)
    figure.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold", color=INK, parse_math=False)
    handles, labels = grid[0].get_legend_handles_labels()
    place = {"loc": "outside upper right", "ncols": len(labels), "frameon": False}
    figure.legend(handles, labels, **place, fontsize=9, labelcolor=GREY)


def _name(panel: PanelRows) -> str:
    return ", ".join(str(part) for part in panel.name)


def title_of(panel: PanelRows, kind: str) -> str:
    return f"{kind}: {_name(panel)}" if panel.name else kind
