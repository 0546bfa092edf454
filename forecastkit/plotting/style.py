"""Plot style: colours, axes, labels, saving."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from forecastkit.utils.atomic_write import atomic_write
from forecastkit.utils.validation import refuse

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito (2008), distinguishable with any kind of colour vision; grey is for all that is not a forecast.
BLUE, ORANGE = "#0072B2", "#D55E00"
INK, GREY, PALE = "#222222", "#6B6B6B", "#E4E4E4"
DPI = 150
SIZE = (1400 / DPI, 700 / DPI)


class End(NamedTuple):
    """Label at the right end of a line, or of a band on whose colour it is written."""

    text: str
    values: np.ndarray
    colour: str = INK
    shade: tuple[float, ...] | str = "none"


def small_multiples(count: int) -> tuple[Figure, list[Axes]]:
    """Return a figure with `count` panels in up to three columns."""
    from matplotlib.figure import Figure

    columns = {1: 1, 2: 2, 4: 2}.get(count, 3)
    rows = -(-count // columns)
    size = SIZE if count == 1 else (SIZE[0] * max(columns / 2.2, 1), max(2.6 * rows + 0.6, 3.6))
    figure = Figure(figsize=size, dpi=DPI, layout="constrained", facecolor="white")
    grid = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for axes in grid[count:]:
        axes.remove()
    return figure, grid[:count]


def stack(ratios: Sequence[float] = (3, 2), height: float = 1.4, sharex: bool = False) -> tuple[Figure, list[Axes]]:
    """Return a figure with stacked panels of these height ratios; `height` is a multiple of the usual height."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(SIZE[0], height * SIZE[1]), dpi=DPI, layout="constrained", facecolor="white")
    figure.get_layout_engine().set(hspace=0.06)
    return figure, figure.subplots(len(ratios), 1, height_ratios=ratios, sharex=sharex).tolist()


def side_by_side(rows: int) -> tuple[Figure, list[Axes]]:
    """Return a figure with a wide and a narrow panel side by side, for lists of `rows` rows."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(SIZE[0], 1.3 + 0.34 * rows), dpi=DPI, layout="constrained", facecolor="white")
    return figure, figure.subplots(1, 2, width_ratios=(3, 1), sharey=True).tolist()


def error_rows(axes: Axes, values: np.ndarray, reach: np.ndarray, colours: Sequence[str], names: Sequence) -> None:
    """Draw a dot with an error bar per row, the first row at the top."""
    rows = np.arange(len(values))
    axes.hlines(rows, values - reach, values + reach, colors=list(colours), linewidth=2, zorder=2)
    axes.scatter(values, rows, c=list(colours), s=30, zorder=3)
    axes.set_yticks(rows, [str(name) for name in names], fontsize=9.5, color=INK, parse_math=False)
    axes.set_ylim(len(values) - 0.5, -0.5)
    _rows_style(axes)


def log_bars(axes: Axes, values: np.ndarray, colours: Sequence[str]) -> None:
    """Draw a labelled bar per row on a logarithmic scale."""
    from matplotlib.ticker import FuncFormatter

    low = min(10 ** np.floor(np.log10(np.maximum(values, 1e-3).min())), 0.1)
    axes.barh(
        np.arange(len(values)), np.maximum(values, low) - low, left=low, color=list(colours), height=0.5, alpha=0.6
    )
    axes.set_xscale("log")
    for row, value in enumerate(values):
        place = {"xytext": (4, 0), "textcoords": "offset points", "va": "center"}
        axes.annotate(
            f"{value:,.2g}" if value < 10 else f"{value:,.0f}", (max(value, low), row), **place, fontsize=9, color=GREY
        )
    axes.set_xlim(low, 6 * max(values.max(), 10 * low))
    _rows_style(axes)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.12g}"))
    axes.tick_params(axis="y", labelleft=False)
    axes.minorticks_off()


def _rows_style(axes: Axes) -> None:
    axes.set_facecolor("white")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(GREY)
    axes.grid(axis="x", color=PALE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(axis="x", colors=GREY, labelsize=9, length=3)
    axes.tick_params(axis="y", length=0)


def style(axes: Axes, times: np.ndarray) -> None:
    """Draw few axis lines, and tick labels as plain numbers."""
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


def headroom(axes: Axes) -> None:
    """Leave space above the data for a line of text."""
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.09 * (high - low))


def head(axes: Axes, title: str) -> None:
    """Write the title above the text of `explain`."""
    axes.set_title(title, loc="left", pad=24, fontsize=13, fontweight="bold", color=INK, parse_math=False)


def explain(axes: Axes, text: str) -> None:
    place = {"xytext": (0, 8), "textcoords": "offset points", "xycoords": "axes fraction"}
    axes.annotate(text, (0, 1), **place, fontsize=9.5, color=GREY, parse_math=False)


def at_top(axes: Axes, place: object, text: str, colour: str, align: str) -> None:
    offset = {"xytext": (-6 if align == "right" else 6, -4), "textcoords": "offset points"}
    axes.annotate(
        text, (place, 1), **offset, xycoords=("data", "axes fraction"), ha=align, va="top", fontsize=9, color=colour
    )


def line(axes: Axes, times: np.ndarray, values: np.ndarray, colour: str, label: str, linewidth: float = 1.4) -> None:
    """Draw a line with gaps at NaN; isolated values become dots."""
    axes.plot(times, values, color=colour, linewidth=linewidth, label=label, solid_capstyle="round", zorder=3)
    seen = np.concatenate([[False], ~np.isnan(values), [False]])
    alone = seen[1:-1] & ~seen[:-2] & ~seen[2:]
    if alone.any():
        axes.plot(times[alone], values[alone], "o", markersize=2.5, color=colour, zorder=3)


def label_ends(axes: Axes, ends: Sequence[End]) -> None:
    """Label lines and bands at the right edge, each at its last value, without overlaps."""
    ends = [end._replace(values=end.values[np.isfinite(end.values)]) for end in ends]
    ends = [end for end in ends if len(end.values)]
    low, high = axes.get_ylim()
    size = 9
    gap = 1.75 * size / (72 * axes.figure.get_figheight() * axes.get_position().height)
    heights = spread([(end.values[-1] - low) / (high - low) for end in ends], gap)
    for end, height in zip(ends, heights, strict=True):
        place = {"xytext": (8, 0), "textcoords": "offset points", "xycoords": "axes fraction", "va": "center"}
        chip = {"facecolor": end.shade, "edgecolor": "none", "boxstyle": "round,pad=0.2"}
        axes.annotate(end.text, (1, height), **place, bbox=chip, fontsize=size, color=end.colour, parse_math=False)


def spread(heights: Sequence[float], gap: float) -> np.ndarray:
    """Return heights at least `gap` apart, in the same order and around the same middle."""
    heights = np.asarray(heights, dtype="float64")
    order = np.argsort(heights, kind="stable")
    placed = heights[order]
    for i in range(1, len(placed)):
        placed[i] = max(placed[i], placed[i - 1] + gap)
    if len(placed):
        placed -= np.mean(placed - heights[order])
    return placed[np.argsort(order)]


def plain_times(values: pd.Series) -> np.ndarray:
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


def format_time(time: object) -> str:
    """Return a timestamp as text without seconds and without midnight."""
    return f"{time:%Y-%m-%d %H:%M}".removesuffix(" 00:00") if isinstance(time, datetime) else str(time)


def save(figure: Figure, path: str | os.PathLike) -> None:
    """Save the figure atomically."""
    path = Path(path)
    kind = path.suffix[1:].lower()
    if kind not in figure.canvas.get_supported_filetypes():
        refuse("plot", "path must end in an image format such as .png, .pdf or .svg", str(path))
    try:
        with atomic_write(path) as temporary:
            figure.savefig(temporary, format=kind, dpi=DPI)
    except OSError as error:
        refuse("plot", "path must be writable", f"{str(path)!r} ({error.strerror})")
