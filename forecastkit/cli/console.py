"""Output of the command line: labelled lines and small tables, or one JSON object."""

import json
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from forecastkit.cli.flags import as_flags
from forecastkit.utils.formatting import json_value

LABEL_WIDTH = 9
MIN_WIDTH, MAX_WIDTH = 60, 110
#: Library warnings that are shown to users of the command line: sentences that start with their origin.
LIBRARY_WARNING = r"[A-Za-z_]+: "


class Reporter:
    """Writes results to stdout, warnings and errors to stderr.

    Parameters
    ----------
    quiet : bool
        Print warnings and errors only.
    json : bool
        Print one JSON object instead of text.
    """

    def __init__(self, quiet: bool = False, json: bool = False):
        self.quiet, self.as_json = quiet or json, json
        self.out = Console(highlight=False, soft_wrap=True, quiet=self.quiet)
        self.err = Console(stderr=True, highlight=False, soft_wrap=True)
        self._warned: set[str] = set()

    def info(self, label: str, text: str, style: str = "") -> None:
        """Print text after a label; on a terminal it is wrapped in its own column."""
        _print(self.out, label, text, style)

    def warning(self, text: str) -> None:
        """Print a warning, also in quiet mode; repeated ones are printed once."""
        if text not in self._warned:
            self._warned.add(text)
            _print(self.err, "warning", text, "yellow")

    def error(self, sentence: str) -> None:
        """Print the message of an error."""
        _print(self.err, "error", sentence, "red")

    def table(self, label: str, header: Sequence[str], rows: Sequence[Sequence[str]], bold: int | None = None) -> None:
        """Print right-aligned columns; the header starts with the label, each row with its name.

        Parameters
        ----------
        label : str
        header : sequence of str
            Names of the columns after the first.
        rows : sequence of sequences of str
        bold : int, optional
            Row to emphasize.
        """
        cells = [[label, *header], *rows]
        widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
        widths[0] = max(widths[0], LABEL_WIDTH - 2)
        for number, row in enumerate(cells):
            first, *others = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            text = "  ".join([row[0].ljust(len(first)), *others])
            self.out.print(Text(text.rstrip(), style="dim" if number == 0 else "bold" * (number - 1 == bold)))

    @contextmanager
    def progress(self, label: str, start: str) -> Iterator[Callable[[str, str], None]]:
        """Return a function that prints progress lines; on a terminal each line replaces the last one.

        On a terminal the line is `start` until the first call.
        """
        if not self.out.is_terminal or self.quiet:
            yield self.info
            return
        from rich.live import Live

        with Live(_text(label, start, ""), console=self.out, refresh_per_second=8) as live:
            yield lambda label, text: live.update(_text(label, text, ""))

    @contextmanager
    def library_warnings(self) -> Iterator[None]:
        """Print library warnings as lines, with options instead of parameters; hide those of other packages."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.filterwarnings("always", category=UserWarning, message=LIBRARY_WARNING)
            warnings.showwarning = lambda message, *rest: self.warning(as_flags(str(message)))
            yield

    def result(self, values: dict) -> None:
        """Print the JSON object if it is requested; numbers that are not finite become null."""
        if self.as_json:
            # Other encodings could lose letters when a program reads the output.
            escaped = not str(getattr(sys.stdout, "encoding", "utf-8")).lower().startswith("utf")
            sys.stdout.write(json.dumps(json_value(values), ensure_ascii=escaped, indent=1, default=str) + "\n")
            sys.stdout.flush()


def _print(console: Console, label: str, text: str, style: str) -> None:
    width = min(max(console.width, MIN_WIDTH), MAX_WIDTH) - LABEL_WIDTH if console.is_terminal else sys.maxsize
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) if len(text) > width else [text]
    for place, line in enumerate(lines):
        console.print(_text("" if place else label, line, style))


def _text(label: str, text: str, style: str) -> Text:
    return Text.assemble((f"{label:<{LABEL_WIDTH - 1}} ", style or "dim"), text)
