"""Plots of attributions and attention weights."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forecastkit.data import output_frames
from forecastkit.inspection.results import Interpretation, Place
from forecastkit.plotting.style import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    End,
    explain,
    format_time,
    head,
    label_ends,
    line,
    plain_times,
    save,
    stack,
    style,
)
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import check_choice, first_few, refuse

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WHERE = "plot"
#: Largest number of labelled rows of a heat map.
NAMED_ROWS = 24
SIGNED, POSITIVE = (ORANGE, "white", BLUE), ("white", BLUE)


def plot_attribution(
    found: Interpretation,
    *,
    series: object = None,
    target: object = None,
    step: int | None = None,
    path: str | os.PathLike | None = None,
    title: str | None = None,
) -> Figure:
    """Plot the attributions of a forecast to past values and covariates, below the values.

    Parameters
    ----------
    found : Interpretation
        Result of `interpret`.
    series, target : scalar, optional
        Series and target to plot; by default the first.
    step : int, optional
        Step to explain; by default the mean of all explained steps.
    path : path-like, optional
        File to write, with the format of its suffix (``.png``, ``.pdf`` or ``.svg``). It is written atomically.
    title : str, optional
        Title instead of the name of the series or target.

    Returns
    -------
    matplotlib.figure.Figure
        Top: the past, the forecast and the forecast at the baseline. Below: attributions to past values in the units of
        the target and, if there are covariates, one row for each of them.

    Raises
    ------
    InputError
        If a series, target or step is absent, or `path` cannot be written.
    """
    view = _View.of(found, series, target, step)
    own, rows = view.additions(found.arrays, found.inputs)
    ratios = (3, 2, 0.4 + 0.3 * len(rows)) if rows else (3, 2)
    figure, (upper, middle, *lower) = stack(ratios, 0.25 * sum(ratios), sharex=True)
    _draw_values(upper, view, found.found.baseline[view.origin])
    _draw_bars(middle, view, own)
    for axes in lower:
        _draw_heat(axes, view.edges, rows, SIGNED)
        explain(axes, "what each covariate adds: blue raises the forecast, orange lowers it")
    return _finish(figure, view, title or view.title("Attribution"), path)


def plot_attention(
    found: Interpretation,
    *,
    series: object = None,
    target: object = None,
    step: int | None = None,
    by: str = "head",
    path: str | os.PathLike | None = None,
    title: str | None = None,
) -> Figure:
    """Plot the attention of a network to past steps, below the values.

    Parameters
    ----------
    found : Interpretation
        Result of `interpret`.
    series, target : scalar, optional
        Series and target to plot; by default the first.
    step : int, optional
        Step whose attention is plotted; by default the mean of all explained steps.
    by : {'head', 'step'}
        Rows of the plot: every head of every layer, or every step as the mean over heads and layers.
    path : path-like, optional
        File to write, with the format of its suffix. It is written atomically.
    title : str, optional
        Title instead of the name of the series or target.

    Returns
    -------
    matplotlib.figure.Figure
        Top: the past and the forecast. Below: the mean weight of each past step compared with uniform attention, and
        the weights by row.

    Raises
    ------
    InputError
        If there is no attention, a series, target or step is absent, or `path` cannot be written.
    """
    check_choice(WHERE, "by", by, ("head", "step"))
    view = _View.of(found, series, target, step)
    weights = [part[view.origin] for part in found.weights]
    mean = np.concatenate(weights).mean(axis=0)
    if by == "head":
        heads = [(f"layer {i + 1}, head {j + 1}", w) for i, part in enumerate(weights) for j, w in enumerate(part)]
        rows = {name: view.over_steps(head) for name, head in heads}
    else:
        rows = {f"step {step + 1}": row for step, row in zip(found.place.steps, mean, strict=True)}
    ratios = (3, 1.4, 0.6 + 0.18 * min(len(rows), NAMED_ROWS))
    figure, (upper, middle, lower) = stack(ratios, 0.25 * sum(ratios), sharex=True)
    _draw_values(upper, view)
    _draw_mean(middle, view, view.over_steps(mean))
    _draw_heat(lower, view.edges[: found.place.lookback + 1], rows, POSITIVE)
    explain(lower, f"weight of each past step, a row for each {by}; the darker, the more")
    return _finish(figure, view, title or view.title("Attention"), path)


@dataclass(frozen=True)
class _View:
    """An origin and the steps of its forecast that are drawn."""

    place: Place
    origin: int
    chosen: np.ndarray  #: (S,): whether each step is drawn
    times: np.ndarray  #: (lookback + horizon,)
    forecast: np.ndarray | None  #: (S,)

    @classmethod
    def of(cls, found: Interpretation, series, target, step) -> _View:
        place = found.place
        chosen = np.ones(len(place.steps), bool) if step is None else place.steps + 1 == step
        if not chosen.any():
            rule = f"step must be one of those explained, {first_few(place.steps + 1, 12)}"
            refuse(WHERE, rule, repr(step), error=ParameterError)
        origin = place.origin_of(series, target)
        offsets = np.arange(1 - place.lookback, place.horizon + 1)
        timestamps = output_frames.timestamps_at(place.panel, place.cutoffs[origin] + offsets)
        forecast = None if found.found is None else found.found.forecast[origin]
        return cls(place, origin, chosen, plain_times(timestamps.to_series(name="time")), forecast)

    @property
    def edges(self) -> np.ndarray:
        """Return the edges of the steps, one more than there are steps."""
        half = np.diff(self.times) / 2
        return np.concatenate([self.times[:1] - half[:1], self.times[:-1] + half, self.times[-1:] + half[-1:]])

    def over_steps(self, values: np.ndarray) -> np.ndarray:
        """Return the mean of values (S, ...) over the steps drawn."""
        return values[self.chosen].mean(axis=0)

    def additions(self, arrays: dict, inputs: dict) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return the contributions of the past target, (lookback,), and by name those of other inputs, (times,)."""
        named = {role: self.over_steps(part[self.origin]) for role, part in arrays.items()}
        channel = self.place.origins.channel[self.origin] if self.place.mixed else 0
        rows = {
            str(name): np.pad(row, (0, len(self.times) - len(row)), constant_values=np.nan)
            for role, part in named.items()
            for i, (name, row) in enumerate(zip(inputs[role], part, strict=True))
            if role != "static" and (role, i) != ("target", channel)
        }
        return named["target"][channel], rows

    def steps_drawn(self) -> str:
        """Return a description of the steps drawn."""
        steps = self.place.steps[self.chosen] + 1
        return f"step {steps[0]}" if len(steps) == 1 else f"the mean of steps {steps[0]} to {steps[-1]}"

    def title(self, kind: str) -> str:
        names = [str(index[self.origin]) for name, index in self.place.keys().items() if name != "cutoff"]
        return f"{kind}: {', '.join(names)}" if names else kind


def _draw_values(axes: Axes, view: _View, baseline: np.ndarray | None = None) -> None:
    place, ends = view.place, []
    past = place.past_of(view.origin)
    line(axes, view.times[: place.lookback], past, INK, "past")
    ahead = view.times[place.lookback + place.steps]
    for values, name, colour in ((baseline, "baseline", GREY), (view.forecast, "forecast", BLUE)):
        if values is not None:
            line(axes, ahead, values, colour, name)
            ends.append(End(name, values, colour))
            if view.chosen.sum() == 1:
                axes.plot(ahead[view.chosen], values[view.chosen], "o", color=colour, markeredgecolor="white", zorder=4)
    style(axes, view.times)
    cutoff = output_frames.timestamps_at(place.panel, place.cutoffs[[view.origin]])[0]
    explain(axes, f"{view.steps_drawn()}, forecast at {format_time(cutoff)}")
    label_ends(axes, ends)


def _draw_bars(axes: Axes, view: _View, own: np.ndarray) -> None:
    edges = view.edges[: len(own) + 1]
    colours = np.where(own >= 0, BLUE, ORANGE)
    axes.bar(edges[:-1], own, width=np.diff(edges), align="edge", color=colours, linewidth=0, zorder=3)
    axes.axhline(0, color=GREY, linewidth=0.8, zorder=4)
    style(axes, view.times)
    explain(axes, f"what each past value adds to the forecast, {own.sum():+,.3g} in all")


def _draw_mean(axes: Axes, view: _View, mean: np.ndarray) -> None:
    edges = view.edges[: len(mean) + 1]
    axes.bar(edges[:-1], mean, width=np.diff(edges), align="edge", color=BLUE, linewidth=0, zorder=3)
    axes.axhline(mean.sum() / len(mean), color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=4)
    style(axes, view.times)
    explain(axes, f"mean weight of each past step, {mean.sum():.0%} in all; dashed: if it were even")


def _draw_heat(axes: Axes, edges: np.ndarray, rows: dict[str, np.ndarray], colours: tuple[str, ...]) -> None:
    """Draw a row of coloured cells for each array, the first at the top; three colours make a diverging scale."""
    from matplotlib.colors import LinearSegmentedColormap

    values = np.stack(list(rows.values()))
    high = max(float(np.nanmax(np.abs(values), initial=0.0)), 1e-12)
    low = -high if len(colours) == 3 else 0.0
    shades = LinearSegmentedColormap.from_list("forecastkit", colours)
    mesh = axes.pcolormesh(edges, np.arange(len(rows) + 1), values, cmap=shades, vmin=low, vmax=high, rasterized=True)
    style(axes, edges)
    axes.grid(visible=False)
    every = -(-len(rows) // NAMED_ROWS)
    axes.set_yticks(np.arange(0, len(rows), every) + 0.5, list(rows)[::every])
    axes.set_ylim(len(rows), 0)
    bar = axes.figure.colorbar(mesh, ax=axes, fraction=0.02, pad=0.01, aspect=12)
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=GREY, labelsize=8, length=0)


def _finish(figure: Figure, view: _View, title: str, path) -> Figure:
    """Mark the cutoff in all panels, show dates on the lowest, and write the file."""
    panels = [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]
    cutoff = view.edges[view.place.lookback]
    for axes in panels:
        axes.axvline(cutoff, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=5)
        axes.tick_params(axis="x", labelbottom=axes is panels[-1])
    panels[0].set_xlim(view.edges[0], view.edges[-1])
    head(panels[0], title)
    if path is not None:
        save(figure, path)
    return figure
