"""Values of a plot shown under the pointer, by SVG titles on strips of the plot, without a script."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecastkit.plotting.style import format_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Strips of a plot at most; with more places on its x axis every second, third, ... one has a strip.
MAX_STRIPS = 400


def value_strips(figure: Figure) -> str:
    """Return SVG strips over a drawn figure whose titles are the values of its lines and bands.

    Parameters
    ----------
    figure : Figure
        A figure that `savefig` has drawn, which sets the positions of its axes.
    """
    unit, height = 72 / figure.dpi, 72 * figure.get_figheight()  # SVG counts points from the top
    strips = [strip for axes in figure.axes for strip in _strips(axes, unit, height)]
    return f'<g class="values">{"".join(strips)}</g>' if strips else ""


def _strips(axes: Axes, unit: float, height: float) -> list[str]:
    found = _values(axes)
    places = sorted(found)
    places = places[:: -max(1, -(-len(places) // MAX_STRIPS))][::-1]  # the latest place is among them
    if not places:
        return []
    box = axes.get_window_extent()
    middle = np.array([axes.transData.transform((place, 0))[0] for place in places])
    edges = np.concatenate([[box.x0], (middle[1:] + middle[:-1]) / 2, [box.x1]]) * unit
    top, tall = height - box.y1 * unit, box.height * unit
    return [
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{tall:.1f}">'
        f"<title>{html.escape(chr(10).join(found[place]))}</title></rect>"
        for place, left, right in zip(places, edges[:-1], edges[1:], strict=True)
        if right > left
    ]


def _values(axes: Axes) -> dict[float, list[str]]:
    """Return the time and the named values at each position of the x axis within its limits."""
    found, (low, high) = {}, axes.get_xlim()
    for line in axes.get_lines():
        given, values = np.asarray(line.get_xdata(orig=True)), np.asarray(line.get_ydata(orig=True), dtype="float64")
        for place, time, value in zip(np.asarray(line.get_xdata(orig=False)), given, values, strict=True):
            if not line.get_label().startswith("_") and np.isfinite(value) and low <= place <= high:
                named = format_time(pd.Timestamp(time)) if given.dtype.kind == "M" else f"{time:g}"
                found.setdefault(float(place), [named]).append(f"{line.get_label()} {value:,.6g}")
    for band in axes.collections:
        for path in band.get_paths() if not band.get_label().startswith("_") else ():
            corners = pd.DataFrame(path.vertices).dropna().groupby(0)[1].agg(["min", "max"])
            for place, lowest, highest in corners.itertuples():
                if place in found:
                    found[place].append(f"{band.get_label()} {lowest:,.6g} to {highest:,.6g}")
    return found
