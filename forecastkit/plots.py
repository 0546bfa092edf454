"""Pictures of forecasts and backtests, as matplotlib figures that belong to no window and touch no global state."""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from forecastkit.checks import check_int, check_keys, refuse
from forecastkit.metrics import quantile_columns, score_table, skill, symmetric_pairs

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_backtest", "plot_forecast"]

# Okabe and Ito (2008), told apart with any kind of colour vision; the greys carry what is not a forecast.
BLUE, ORANGE = "#0072B2", "#D55E00"
INK, GREY, PALE = "#222222", "#6B6B6B", "#E4E4E4"
DPI = 150
SIZE = (1400 / DPI, 700 / DPI)


def plot_forecast(
    frame: pd.DataFrame,
    history: pd.DataFrame | None = None,
    *,
    time: str = "time",
    series_id: str | None = None,
    series: object = None,
    target: object = None,
    path: str | os.PathLike | None = None,
    title: str | None = None,
    max_series: int = 6,
) -> Figure:
    """Draw forecasts with their ranges, after the end of the history.

    Parameters
    ----------
    frame : DataFrame
        A long forecast frame: ``[series_id,] time, [target,] cutoff, step, forecast`` and, for ranges, symmetric
        quantiles (``q0.1`` and ``q0.9``) or ``lower`` and ``upper``. Of several cutoffs the last of each series counts.
    history : DataFrame, optional
        What was observed, in a long frame: ``[series_id,] time, [target,] actual``, the same names as in `frame`. The
        last four horizons up to the cutoff are drawn; NaN leaves a gap.
    time, series_id : str
        The names of the time column and, of several series, of the series column. Times are dates or integers.
    series, target : scalar or list, optional
        Which series and targets; the first ones if not given.
    path : path-like, optional
        Where to write the picture, by its suffix (``.png``; ``.pdf`` and ``.svg`` as well). The file appears whole.
    title : str, optional
        Instead of the name of the series or target.
    max_series : int
        The most panels; how many more there are is noted.

    Returns
    -------
    matplotlib.figure.Figure
        A notebook shows it; it is not registered with pyplot.

    Raises
    ------
    InputError
        If a column, series or target is absent, or `path` cannot be written.
    """
    check_int("plot", "max_series", max_series)
    panels = _panels(frame, history, time, series_id, series, target, ["cutoff", "step", "forecast"])
    shown = panels[:max_series]
    figure, grid = _canvas(len(shown))
    direct = len(shown) == 1
    for axes, panel in zip(grid, shown, strict=True):
        _draw_forecast(axes, panel, time, direct)
    if direct:
        _head(grid[0], title or _title(shown[0], "Forecast"))
    else:
        _name_panels(figure, grid, shown, title or "Forecasts")
    if len(panels) > len(shown):
        figure.supxlabel(f"and {len(panels) - len(shown)} more", x=0.99, ha="right", fontsize=9, color=GREY)
    if path is not None:
        _save(figure, path)
    return figure


def plot_backtest(
    frame: pd.DataFrame,
    baseline: pd.DataFrame | None = None,
    *,
    time: str = "time",
    series_id: str | None = None,
    series: object = None,
    target: object = None,
    path: str | os.PathLike | None = None,
    title: str | None = None,
    baseline_name: str = "seasonal naive",
    max_cutoffs: int = 4,
) -> Figure:
    """Draw the forecasts of a backtest over what came, and how the error grows with the step.

    Parameters
    ----------
    frame : DataFrame
        The forecasts of a backtest: ``[series_id,] time, [target,] cutoff, step, forecast, actual``, and quantiles.
    baseline : DataFrame, optional
        The same windows forecast by a baseline, for the error by step.
    time, series_id : str
        The names of the time column and, of several series, of the series column.
    series, target : scalar, optional
        The one series and target drawn; the first ones if not given.
    path : path-like, optional
        Where to write the picture, by its suffix. The file appears whole.
    title : str, optional
        Instead of the name of the series or target.
    baseline_name : str
        What the baseline is called in the picture.
    max_cutoffs : int
        The most forecasts drawn: the last ones that do not overlap.

    Returns
    -------
    matplotlib.figure.Figure
        Above actuals and forecasts; below the mean absolute error of this series by step, over all its cutoffs.

    Raises
    ------
    InputError
        If a column, series or target is absent, or `path` cannot be written.
    """
    check_int("plot", "max_cutoffs", max_cutoffs)
    needed = ["cutoff", "step", "forecast", "actual"]
    panel = _panels(frame, baseline, time, series_id, series, target, needed)[0]
    figure, (upper, lower) = _stack()
    _draw_windows(upper, panel, time, max_cutoffs)
    _draw_error_by_step(lower, panel, baseline_name)
    _head(upper, title or _title(panel, "Backtest"))
    if path is not None:
        _save(figure, path)
    return figure


class _Panel(NamedTuple):
    """The rows of one series and target; `other` are those of the second frame, empty where there is none."""

    name: tuple
    rows: pd.DataFrame
    other: pd.DataFrame


class _Band(NamedTuple):
    label: str
    low: np.ndarray
    high: np.ndarray
    shade: tuple[float, ...]


class _End(NamedTuple):
    """A label for the right end of a line, or of a band in whose shade it lies."""

    text: str
    values: np.ndarray
    colour: str = INK
    shade: tuple[float, ...] | str = "none"


# Choosing rows --------------------------------------------------------------------------------------------------------


def _panels(
    frame: pd.DataFrame,
    other: pd.DataFrame | None,
    time: str,
    series_id: str | None,
    series: object,
    target: object,
    needed: Sequence[str],
) -> list[_Panel]:
    """One panel for each chosen series and target, in order of appearance."""
    keys = [key for key in (series_id, "target" if "target" in frame.columns else None) if key is not None]
    check_keys("plot", "the columns drawn", [time, *keys, *needed], frame.columns)
    if not len(frame):
        refuse("plot", "frame must have rows", "none")
    if other is None:
        other = frame.iloc[:0].assign(actual=np.nan)
    check_keys("plot", "the columns of the second frame", [time, *keys, "actual"], other.columns)
    for key, chosen in ((series_id, series), ("target", target)):
        frame = _chosen(frame, key, chosen)
    if not keys:
        return [_Panel((), frame.sort_values(time), other.sort_values(time))]
    parts = dict(iter(other.groupby(keys, observed=True)))
    return [
        _Panel(name, rows.sort_values(time), parts.get(name, other.iloc[:0]).sort_values(time))
        for name, rows in frame.groupby(keys, sort=False, observed=True)
    ]


def _chosen(frame: pd.DataFrame, key: str | None, chosen: object) -> pd.DataFrame:
    if chosen is None:
        return frame
    if key is None or key not in frame.columns:
        refuse("plot", "what is chosen by name must have a column", repr(chosen), "Name it with series_id=.")
    names = list(chosen) if isinstance(chosen, (list, tuple)) else [chosen]
    check_keys("plot", f"the chosen {key}", names, frame[key].unique())
    return frame[frame[key].isin(names)]


def _times(values: pd.Series) -> np.ndarray:
    """Times that matplotlib draws without pandas' converters: numbers, or datetimes in local clock time."""
    import pandas as pd

    if isinstance(values.dtype, pd.PeriodDtype):
        values = values.dt.to_timestamp()
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        values = values.dt.tz_localize(None)
    times = values.to_numpy()
    if times.dtype.kind not in "iufM":
        refuse("plot", f"times in {values.name!r} must be dates or numbers", values.dtype, "Use pandas.to_datetime.")
    return times


def _numbers(values: pd.Series) -> np.ndarray:
    return values.to_numpy("float64", na_value=np.nan)


def _bands(rows: pd.DataFrame, most: int | None = None) -> list[_Band]:
    """The bands of symmetric quantiles, else of lower and upper, the widest first."""
    columns = quantile_columns(rows)
    edges = [(f"{100 * level:g} % range", columns[low], columns[high]) for level, low, high in symmetric_pairs(columns)]
    if not edges and {"lower", "upper"} <= set(rows.columns):
        edges = [("range", "lower", "upper")]
    edges = edges[:most]
    shades = _shades(len(edges))
    return [
        _Band(label, _numbers(rows[low]), _numbers(rows[high]), shade)
        for (label, low, high), shade in zip(edges, shades, strict=True)
    ]


def _shades(count: int) -> list[tuple[float, ...]]:
    """Blue thinned with white, the outermost band the palest; opaque, so that a label can wear the same shade."""
    from matplotlib.colors import to_rgb

    strengths = 0.18 + 0.34 * np.arange(count) / max(count - 1, 2)
    return [tuple(1 - strength * (1 - part) for part in to_rgb(BLUE)) for strength in strengths]


def _windows(rows: pd.DataFrame, time: str, most: int) -> list[pd.DataFrame]:
    """The last windows that do not overlap, in order of time."""
    kept = []
    for _, window in reversed(list(rows.groupby("cutoff"))):
        if not kept or window[time].iloc[-1] <= kept[-1]["cutoff"].iloc[0]:
            kept.append(window)
        if len(kept) == most:
            break
    return kept[::-1]


# Drawing --------------------------------------------------------------------------------------------------------------


def _draw_forecast(axes: Axes, panel: _Panel, time: str, direct: bool) -> None:
    rows = panel.rows[panel.rows["cutoff"] == panel.rows["cutoff"].max()]
    cutoff = rows["cutoff"].iloc[0]
    past = panel.other[panel.other[time] <= cutoff].tail(max(4 * len(rows), 24))
    _line(axes, _times(past[time]), _numbers(past["actual"]), INK, "history")
    _fan(axes, rows, time, start=_last_value(past, time, cutoff))
    start = _mark_cutoff(axes, rows)
    _style(axes, _times(rows[time]))
    if direct:
        _explain(axes, f"{len(rows)} step{'s' * (len(rows) > 1)} after {_said(cutoff)}")
        _headroom(axes)
        if len(past):
            _at_top(axes, start, "history", INK, "right")
        _at_top(axes, start, "forecast", BLUE, "left")
        _label_ends(axes, [_End(band.label, band.high, shade=band.shade) for band in _bands(rows)])


def _draw_windows(axes: Axes, panel: _Panel, time: str, most: int) -> None:
    windows = _windows(panel.rows, time, most)
    first, last = windows[0]["cutoff"].iloc[0], windows[-1]
    observed = panel.rows.drop_duplicates(time)
    before = observed[time] <= first
    drawn = observed[(before & (before.cumsum() > before.sum() - len(last))) | (observed[time] > first)]
    _line(axes, _times(drawn[time]), _numbers(drawn["actual"]), INK, "actual")
    for window in windows:
        _fan(axes, window, time, most=1)
        _mark_cutoff(axes, window)
    _style(axes, _times(drawn[time]))
    _explain(axes, f"the last {len(windows)} of {panel.rows['cutoff'].nunique()} cutoffs, {len(last)} steps")
    ends = [_End("actual", _numbers(drawn["actual"])), _End("forecast", _numbers(last["forecast"]), BLUE)]
    _label_ends(axes, ends + [_End(band.label, band.high, shade=band.shade) for band in _bands(last, most=1)])


def _draw_error_by_step(axes: Axes, panel: _Panel, baseline_name: str) -> None:
    ends, title = [], "mean absolute error by step"
    for rows, name, colour in ((panel.other, baseline_name, ORANGE), (panel.rows, "forecast", BLUE)):
        if len(rows):
            error = score_table(rows, by="step")["mae"]
            _line(axes, error.index.to_numpy(), error.to_numpy(), colour, name)
            ends.append(_End(name, error.to_numpy(), colour))
    saved = skill(*(score_table(rows)["mae"][0] for rows in (panel.rows, panel.other))) if len(ends) == 2 else np.nan
    if np.isfinite(saved):
        title += f", in all {100 * abs(saved):.0f} % {'less' if saved >= 0 else 'more'} than {baseline_name}"
    axes.set_ylim(bottom=0)
    _style(axes, np.array([1]))
    _explain(axes, title)
    axes.set_xlabel("steps ahead", color=GREY, fontsize=9)
    _label_ends(axes, ends)


def _fan(axes: Axes, rows: pd.DataFrame, time: str, start: tuple | None = None, most: int | None = None) -> None:
    """The forecast and its bands; `start`, the last observed time and value, joins them to the history."""
    before_time, before = start or ([], [])
    times = np.concatenate([np.asarray(before_time, dtype=_times(rows[time]).dtype), _times(rows[time])])
    for band in _bands(rows, most):
        edges = [np.concatenate([before, edge]) for edge in (band.low, band.high)]
        axes.fill_between(times, *edges, color=band.shade, linewidth=0, label=band.label, zorder=2)
    _line(axes, times, np.concatenate([before, _numbers(rows["forecast"])]), BLUE, "forecast", linewidth=1.8)


def _mark_cutoff(axes: Axes, rows: pd.DataFrame) -> object:
    """A thin line at the cutoff of the rows; its place."""
    place = _times(rows["cutoff"])[0]
    axes.axvline(place, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    return place


def _at_top(axes: Axes, place: object, text: str, colour: str, align: str) -> None:
    offset = {"xytext": (-6 if align == "right" else 6, -4), "textcoords": "offset points"}
    axes.annotate(
        text, (place, 1), **offset, xycoords=("data", "axes fraction"), ha=align, va="top", fontsize=9, color=colour
    )


def _line(axes: Axes, times: np.ndarray, values: np.ndarray, colour: str, label: str, linewidth: float = 1.4) -> None:
    """A line that breaks at NaN; values between two breaks, which no line reaches, become dots."""
    axes.plot(times, values, color=colour, linewidth=linewidth, label=label, solid_capstyle="round", zorder=3)
    seen = np.concatenate([[False], ~np.isnan(values), [False]])
    alone = seen[1:-1] & ~seen[:-2] & ~seen[2:]
    if alone.any():
        axes.plot(times[alone], values[alone], "o", markersize=2.5, color=colour, zorder=3)


def _last_value(past: pd.DataFrame, time: str, cutoff: object) -> tuple[np.ndarray, np.ndarray] | None:
    """The value at the cutoff, where there is one."""
    end = past[past[time] == cutoff].tail(1)
    values = _numbers(end["actual"]) if len(end) else np.array([])
    return (_times(end[time]), values) if np.isfinite(values).any() else None


def _label_ends(axes: Axes, ends: Sequence[_End]) -> None:
    """Name lines and bands at the right edge, each at its last height and none over another."""
    ends = [end._replace(values=end.values[np.isfinite(end.values)]) for end in ends]
    ends = [end for end in ends if len(end.values)]
    low, high = axes.get_ylim()
    size = 9
    gap = 1.75 * size / (72 * axes.figure.get_figheight() * axes.get_position().height)
    heights = _spread([(end.values[-1] - low) / (high - low) for end in ends], gap)
    for end, height in zip(ends, heights, strict=True):
        place = {"xytext": (8, 0), "textcoords": "offset points", "xycoords": "axes fraction", "va": "center"}
        chip = {"facecolor": end.shade, "edgecolor": "none", "boxstyle": "round,pad=0.2"}
        axes.annotate(end.text, (1, height), **place, bbox=chip, fontsize=size, color=end.colour, parse_math=False)


def _spread(heights: Sequence[float], gap: float) -> np.ndarray:
    """The heights moved apart to at least `gap`, in the same order and about the same middle."""
    heights = np.asarray(heights, dtype="float64")
    order = np.argsort(heights, kind="stable")
    placed = heights[order]
    for i in range(1, len(placed)):
        placed[i] = max(placed[i], placed[i - 1] + gap)
    if len(placed):
        placed -= np.mean(placed - heights[order])
    return placed[np.argsort(order)]


# Canvas and text ------------------------------------------------------------------------------------------------------


def _canvas(count: int) -> tuple[Figure, list[Axes]]:
    """A figure with `count` panels, in up to three columns."""
    from matplotlib.figure import Figure

    columns = {1: 1, 2: 2, 4: 2}.get(count, 3)
    rows = -(-count // columns)
    size = SIZE if count == 1 else (SIZE[0] * max(columns / 2.2, 1), max(2.6 * rows + 0.6, 3.6))
    figure = Figure(figsize=size, dpi=DPI, layout="constrained", facecolor="white")
    grid = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for axes in grid[count:]:
        axes.remove()
    return figure, grid[:count]


def _stack() -> tuple[Figure, list[Axes]]:
    """A figure with a tall panel over a low one."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(SIZE[0], 1.4 * SIZE[1]), dpi=DPI, layout="constrained", facecolor="white")
    figure.get_layout_engine().set(hspace=0.06)
    return figure, figure.subplots(2, 1, height_ratios=(3, 2)).tolist()


def _style(axes: Axes, times: np.ndarray) -> None:
    """Few lines and plain numbers: the eye is for the data."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.set_facecolor("white")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(GREY)
    axes.grid(axis="y", color=PALE, linewidth=0.8)
    axes.grid(visible=False, axis="x")
    axes.set_axisbelow(True)
    axes.margins(x=0.01)
    axes.tick_params(colors=GREY, labelsize=9, length=0)
    axes.tick_params(axis="x", length=3)
    # Twelve digits hide the noise of 0.1 + 0.2 and keep billions in full.
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.12g}"))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=7, steps=[1, 2, 2.5, 5, 10]))
    if times.dtype.kind == "M":
        locator = AutoDateLocator(minticks=3, maxticks=8)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        axes.xaxis.get_offset_text().set(color=GREY, fontsize=9)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))


def _headroom(axes: Axes) -> None:
    """Room above the data for a line of text."""
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.09 * (high - low))


def _head(axes: Axes, title: str) -> None:
    """The title over the line that `_explain` wrote."""
    axes.set_title(title, loc="left", pad=24, fontsize=13, fontweight="bold", color=INK, parse_math=False)


def _explain(axes: Axes, text: str) -> None:
    place = {"xytext": (0, 8), "textcoords": "offset points", "xycoords": "axes fraction"}
    axes.annotate(text, (0, 1), **place, fontsize=9.5, color=GREY, parse_math=False)


def _name_panels(figure: Figure, grid: Sequence[Axes], panels: Sequence[_Panel], title: str) -> None:
    """Title, legend and the panels' names of small multiples."""
    for axes, panel in zip(grid, panels, strict=True):
        axes.set_title(_name(panel), loc="left", fontsize=10, color=INK, parse_math=False)
    figure.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold", color=INK, parse_math=False)
    handles, labels = grid[0].get_legend_handles_labels()
    place = {"loc": "outside upper right", "ncols": len(labels), "frameon": False}
    figure.legend(handles, labels, **place, fontsize=9, labelcolor=GREY)


def _name(panel: _Panel) -> str:
    return ", ".join(str(part) for part in panel.name)


def _title(panel: _Panel, kind: str) -> str:
    return f"{kind}: {_name(panel)}" if panel.name else kind


def _said(time: object) -> str:
    """A time as one would say it: no seconds, no midnight."""
    return f"{time:%Y-%m-%d %H:%M}".removesuffix(" 00:00") if isinstance(time, datetime) else str(time)


# Files ----------------------------------------------------------------------------------------------------------------


def _save(figure: Figure, path: str | os.PathLike) -> None:
    """Write under a temporary name and rename, so that no one reads half a picture."""
    path = Path(path)
    kind = path.suffix[1:].lower()
    if kind not in figure.canvas.get_supported_filetypes():
        refuse("plot", "path must end in a kind of picture such as .png, .pdf or .svg", str(path))
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        figure.savefig(temporary, format=kind, dpi=DPI)
        os.replace(temporary, path)
    except OSError as error:
        refuse("plot", "path must be a place that can be written", f"{str(path)!r} ({error.strerror})")
    finally:
        with suppress(OSError):
            temporary.unlink()
