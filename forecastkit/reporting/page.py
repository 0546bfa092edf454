"""HTML page of a report: a self-contained file with a light and a dark theme, for screens, phones and print."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from forecastkit.plotting.forecasts import shades
from forecastkit.plotting.style import BLUE, GREY, INK, ORANGE, PALE
from forecastkit.reporting.values import value_strips

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #222; --grey: #626262; --pale: #e4e4e4; --blue: #0072b2;
  --orange: #d55e00; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #16181b; --ink: #e8e8e8; --grey: #a5a5a5; --pale: #3a3d42; --blue: #4aa8e0; --orange: #f08a4b; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.6rem; margin: .5rem 0; } h2 { font-size: 1.2rem; margin: 2rem 0 .25rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 0; } .note { font-size: .9rem; margin: 0; }
p, li { max-width: 46rem; } .quiet { color: var(--grey); }
.wide { overflow-x: auto; margin: .5rem 0; }
/* On a phone a plot scrolls, and starts at its right end, where the forecast is. */
.latest { direction: rtl; } svg { display: block; width: 100%; min-width: 34rem; height: auto; direction: ltr; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { padding: .25rem .75rem; text-align: right; border-bottom: 1px solid var(--pale); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; } thead th { color: var(--grey); font-weight: 600; }
details { display: inline-block; margin-right: 1.5rem; } details[open] { display: block; margin: 0; }
summary { cursor: pointer; padding: .25rem 0; } .values rect { fill: transparent; }
.values rect:hover { fill: var(--ink); fill-opacity: .08; } .marked { fill: var(--blue); fill-opacity: .2; }
.tools { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem; margin: .25rem 0; }
.tools button { min-width: 2.2rem; padding: .2rem .5rem; border: 1px solid var(--pale); border-radius: .25rem;
  background: none; color: var(--ink); font: inherit; font-size: .9rem; cursor: pointer; }
.tools button:focus-visible { outline: 2px solid var(--blue); }
.tools output { margin-left: .5rem; color: var(--grey); font-size: .9rem; }
@media print {
  :root { --paper: #fff; --ink: #222; --grey: #626262; --pale: #e4e4e4; --blue: #0072b2;
    --orange: #d55e00; }
  body { max-width: none; font-size: 10pt; } section { break-inside: avoid; } svg { min-width: 0; }
  .tools { display: none; }
}
"""
#: Colours of plots, and what takes their place on the page.
COLOURS = {INK: "var(--ink)", GREY: "var(--grey)", PALE: "var(--pale)", BLUE: "var(--blue)", ORANGE: "var(--orange)"}


@dataclass(frozen=True)
class Section:
    """A part of a report."""

    title: str
    text: Sequence[str] = ()  #: Sentences, one to a paragraph
    figures: Sequence[Figure] = ()  #: Over time: on a phone their right ends are shown first
    tables: Sequence[pd.DataFrame] = ()
    lists: Sequence[Figure] = ()  #: With names at their left
    choices: Sequence[tuple[str, Figure]] = ()  #: Of series by name, of which the reader opens some


def render(title: str, subtitle: str, sections: Sequence[Section]) -> str:
    """Return the page as text."""
    body = "\n".join(map(_section, sections))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f'<h1>{html.escape(title)}</h1>\n<p class="quiet">{html.escape(subtitle)}</p>\n{body}\n'
        f"<script>\n{files('forecastkit.reporting').joinpath('zoom.js').read_text(encoding='utf-8')}</script>\n"
        "</body>\n</html>\n"
    )


def _section(section: Section) -> str:
    parts = [f"<h2>{html.escape(section.title)}</h2>"]
    parts += [f"<p>{html.escape(text)}</p>" for text in section.text]
    parts += [
        f'{_caption(figure, section.title)}<div class="wide latest">{svg(figure)}</div>' for figure in section.figures
    ]
    parts += [
        f"<details{' open' * (place == 0)}><summary>{html.escape(name)}</summary>"
        f'{_caption(figure, name)}<div class="wide latest">{svg(figure)}</div></details>'
        for place, (name, figure) in enumerate(section.choices)
    ]
    parts += [f'{_caption(figure, section.title)}<div class="wide">{svg(figure)}</div>' for figure in section.lists]
    parts += [f'<div class="wide">{_table(table)}</div>' for table in section.tables]
    return "<section>\n" + "\n".join(parts) + "\n</section>"


def _caption(figure: Figure, above: str) -> str:
    """Move the title, unless it is that above, and the explanation of a plot to the page.

    On a phone the plot scrolls, and they would be cut.
    """
    found = ""
    for axes in figure.axes[:1]:
        if title := axes.get_title(loc="left"):
            found += f"<h3>{html.escape(title)}</h3>" if title != above else ""
            axes.set_title("", loc="left")
        for note in [text for text in axes.texts if getattr(text, "xy", None) == (0, 1)]:
            found += f'<p class="quiet note">{html.escape(note.get_text())}</p>'
            note.remove()
    return found


def _table(table: pd.DataFrame) -> str:
    shown = table.rename_axis(index=None, columns=None)
    return shown.to_html(border=0, float_format=lambda value: f"{value:,.4g}", na_rep="")


def svg(figure: Figure) -> str:
    """Return a figure as an SVG element with the colours and the width of the page, and values under the pointer."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*pt"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*pt"', r"\1", text, count=1)
    for colour, variable in {**COLOURS, **_bands()}.items():
        text = re.sub(re.escape(colour), variable, text, flags=re.IGNORECASE)
    return text.replace("</svg>", f"{value_strips(figure)}</svg>")


def _bands() -> dict[str, str]:
    """Replace the interval colours, blue mixed with white, by blue mixed with the colour of the page."""
    from matplotlib.colors import to_hex, to_rgb

    found = {}
    for shade in (shade for count in range(1, 7) for shade in shades(count)):
        part = 100 * (1 - shade[0]) / (1 - to_rgb(BLUE)[0])
        found[to_hex(shade)] = f"color-mix(in srgb, var(--blue) {part:.0f}%, var(--paper))"
    return found
