"""What the command line says: labelled lines and small tables, or one JSON object."""

import json
import sys
import textwrap
from collections.abc import Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from forecastkit.utils.formatting import plain

LABEL = 9  # width of the labels on the left
NARROWEST, WIDEST = 60, 110


class Report:
    """Writes lines for people to stdout, warnings and errors to stderr.

    Parameters
    ----------
    quiet : bool
        Only warnings and errors.
    json : bool
        One JSON object instead of lines.
    """

    def __init__(self, quiet: bool = False, json: bool = False):
        self.quiet, self.json = quiet or json, json
        self.out = Console(highlight=False, soft_wrap=True, quiet=self.quiet)
        self.err = Console(stderr=True, highlight=False, soft_wrap=True)

    def line(self, label: str, text: str, style: str = "") -> None:
        """A line of text behind a label; on a terminal it is wrapped to stand in a column of its own."""
        _print(self.out, label, text, style)

    def warning(self, text: str) -> None:
        """What should not be overlooked; shown where all else is quiet."""
        _print(self.err, "warning", text, "yellow")

    def error(self, sentence: str) -> None:
        """The sentence of a refusal."""
        _print(self.err, "error", sentence, "red")

    def table(
        self, label: str, header: Sequence[str], rows: Sequence[Sequence[str]], strong: int | None = None
    ) -> None:
        """Right-aligned columns under a header that starts with the label; the row `strong` is emphasised.

        The first cell of a row stands below the label.
        """
        cells = [[label, *header], *rows]
        widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
        widths[0] = max(widths[0], LABEL - 2)
        for number, row in enumerate(cells):
            first, *others = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            text = "  ".join([row[0].ljust(len(first)), *others])
            self.out.print(Text(text.rstrip(), style="dim" if number == 0 else "bold" * (number - 1 == strong)))

    @contextmanager
    def live(self, label: str, start: str):
        """A function that shows one line, which the next one replaces; off a terminal each gets a line.

        On a terminal the line says `start` until the first call.
        """
        if not self.out.is_terminal or self.quiet:
            yield self.line
            return
        from rich.live import Live

        with Live(_text(label, start, ""), console=self.out, refresh_per_second=8) as live:
            yield lambda label, text: live.update(_text(label, text, ""))

    def result(self, values: dict) -> None:
        """The one JSON object, where it is wanted; numbers that are not finite become null."""
        if self.json:
            sys.stdout.write(json.dumps(plain(values), ensure_ascii=False, indent=1, default=str) + "\n")
            sys.stdout.flush()


def _print(console: Console, label: str, text: str, style: str) -> None:
    width = min(max(console.width, NARROWEST), WIDEST) - LABEL if console.is_terminal else sys.maxsize
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) if len(text) > width else [text]
    for place, line in enumerate(lines):
        console.print(_text("" if place else label, line, style))


def _text(label: str, text: str, style: str) -> Text:
    return Text.assemble((f"{label:<{LABEL - 1}} ", style or "dim"), text)
