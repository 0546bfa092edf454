"""Lines of a text file that are not rows of its table, such as rulers, and columns aligned by spaces."""

import re
from collections import Counter
from collections.abc import Iterable

from forecastkit.data.files.dialects import is_data, split_rows
from forecastkit.utils.validation import first_few

_RULER = re.compile(r"^[ \t|+]*[-=_*]{3,}[-=_*|+: \t,;]*$", re.MULTILINE)
_BLANK = re.compile(r"^[ \t,;|]*$")
_BETWEEN = re.compile(r"\n[ \t,;|]*\r?\n")
#: Reports of grid operators: comments in lines C, names in lines I, rows in lines D, each with a report and a version.
_MARKED = re.compile(r"\ufeff?C,[^\n]*\n(?:C,[^\n]*\n)*I,(?:[^,\n]*,){3}")
_MOST_BLOCKS, _MOST_ABOVE = 1000, 4


def tidy_lines(text: str) -> tuple[str, list[str]]:
    """Return the lines of the largest table, with tabs between columns that are aligned by spaces, and notes.

    Parameters
    ----------
    text : str
        Contents of a file.
    """
    notes: list[str] = []
    if _MARKED.match(text):
        return _largest_report(text)
    if _RULER.search(text):
        text = _RULER.sub("", text)
    if _BETWEEN.search(text.strip()):
        text, notes = _largest_table(text)
    return _with_tabs(text, notes)


def _largest_report(text: str) -> tuple[str, list[str]]:
    """Return the names and rows of the report with the most rows, without the columns that name it, and notes."""
    reports: dict[str, list[str]] = {}
    for line in text.splitlines():
        kind, _, rest = line.partition(",")
        cells = rest.split(",", 3)
        if kind not in ("I", "D") or len(cells) < 4:
            continue
        rows = reports.setdefault(" ".join(cells[:3]), [])
        if kind == "D" or cells[3] not in rows[:1]:  # the names may be repeated
            rows.append(cells[3])
    name = max(reports, key=lambda name: len(reports[name]))
    others = [repr(other) for other in reports if other != name]
    notes = [f"report {name!r} is read, not {first_few(others)}"] if others else []
    return "\n".join(reports[name]) + "\n", notes


def _largest_table(text: str) -> tuple[str, list[str]]:
    """Return the largest of the tables that blank lines separate, and a note on the lines that are left out."""
    lines = text.splitlines()
    blocks: list[list[int]] = [[]]
    for number, line in enumerate(lines):
        if _BLANK.match(line):
            blocks.append([])
        else:
            blocks[-1].append(number)
    blocks = [block for block in blocks if block]
    torn = any("".join(lines[number] for number in block).count('"') % 2 for block in blocks)  # a cell of several lines
    if len(blocks) > _MOST_BLOCKS or torn or not blocks:
        return text, []
    separator, _ = split_rows("\n".join(lines[number] for number in max(blocks, key=len)))
    parts = [_Lines(block, split_rows("\n".join(lines[number] for number in block), separator)[1]) for block in blocks]
    if any(len(part.rows) != len(part.numbers) for part in parts):
        return text, []
    tables: list[_Lines] = []
    for part in parts:
        table = next((table for table in tables if table.goes_on(part)), None)
        if table is None and tables and not tables[-1].has_data:
            table = tables[-1]  # a title, or names
        if table is None:
            tables.append(part)
        else:
            table.add(part)
    best = max(tables, key=lambda table: len(table.numbers))
    if len(best.numbers) == sum(map(len, blocks)):
        return text, []
    above = sum(number < best.numbers[0] for block in blocks for number in block)
    below = sum(map(len, blocks)) - len(best.numbers) - above
    notes = [f"{count} line{'s' * (count > 1)} {place} the table left out"
             for count, place in ((above, "above"), (below, "below")) if count]  # fmt: skip
    return "\n".join(lines[number] for number in best.numbers) + "\n", notes


class _Lines:
    """Consecutive lines of one table: their numbers and cells."""

    def __init__(self, numbers: list[int], rows: list[list[str]]):
        self.numbers, self.rows = list(numbers), rows

    @property
    def has_data(self) -> bool:
        return any(map(is_data, self.rows[-1]))

    def goes_on(self, part: "_Lines") -> bool:
        """Return whether the lines of a block are further rows of this table, perhaps below a repeated header."""
        first = next((row for row in part.rows if not row[0].startswith("#")), part.rows[0])
        if not self.has_data or len(first) != len(self.rows[-1]):
            return False
        names = len(part.rows) > 1 and all(cell.strip() for cell in first) and not any(map(is_data, first))
        return not names or first in self.rows[:10]

    def add(self, part: "_Lines") -> None:
        if self.has_data:  # comments above the names of a further part
            kept = [place for place, row in enumerate(part.rows) if not row[0].startswith("#")]
            part = _Lines([part.numbers[place] for place in kept], [part.rows[place] for place in kept])
        self.numbers += part.numbers
        self.rows = self.rows[:10] + part.rows


def _with_tabs(text: str, notes: list[str]) -> tuple[str, list[str]]:
    """Replace the spaces between columns by tabs if no other separator divides the lines."""
    if _usual(map(len, split_rows(text[: 1 << 16])[1])) != 1:
        return text, notes
    rows = [line.split() for line in text.splitlines() if line.strip()]
    width = _usual(map(len, rows))
    full = [row for row in rows if len(row) >= width and is_data(row[0])]
    if width < 2 or len(full) < max(3, len(rows) // 2):
        return text, notes
    start = rows.index(full[0])
    above, short = rows[:start], [row for row in rows[start:] if len(row) < width and is_data(row[0])]
    if short and rows[-1] is not short[0]:  # which cells are blank is known in the last row only
        return text, notes
    if any(map(is_data, (cell for row in full for cell in row[width:]))):
        return text, notes
    full += short
    names = next(filter(None, (_names(row, width) for row in reversed(above[-_MOST_ABOVE:]))), None)
    fewest = 3 if names is None else 2 if width == 2 else 1  # a date and its clock are one column
    if sum(map(is_data, full[0])) < fewest:
        return text, notes
    said = ["columns separated by spaces"]
    if left_out := len(rows) - len(full) - (names is not None):
        said.append(f"{left_out} line{'s' * (left_out > 1)} without data left out")
    if longer := sum(len(row) > width for row in full):
        said.append(f"text after the last column left out in {longer} row{'s' * (longer > 1)}")
    lines = ["\t".join(row[:width]) for row in ([names] if names else []) + full]
    return "\n".join(lines) + "\n", [*notes, *said]


def _usual(lengths: Iterable[int]) -> int:
    """Return the most frequent number."""
    return Counter(lengths).most_common(1)[0][0]


def _names(row: list[str], width: int) -> list[str] | None:
    """Return the names of columns in a line, perhaps a comment, or None; the first column may have none."""
    names = [cell for cell in (row[0].lstrip("#"), *row[1:]) if cell]
    fits = len(names) == width or (len(names) == width - 1 and not row[0].startswith("#"))
    return names if fits and len(set(names)) == len(names) and not any(map(is_data, names)) else None
