"""The layout of a text table: separator, header line, and lines before and after the rows."""

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass

import pandas as pd

from forecastkit.data.files.column_names import TIMES, is_called
from forecastkit.data.files.number_cells import MISSING, odd_cells
from forecastkit.data.files.time_shapes import is_time
from forecastkit.utils.validation import first_few, refuse

_SEPARATORS = ("\t", ";", "|", ",")  # the rarer in text first: it wins when several divide the lines evenly
_SAID = re.compile(r"(?i)^\ufeff?\"?sep=(.)\"?\s*$")
_MOST_ABOVE = 50  # lines above the table
_MOST_LEVELS = 4  # rows of names
_WIDE = 10  # times more cells in the rows of a wide table than in its titles
_MOST_DESCRIPTIONS = 12  # rows between the names and the first time
TOTAL = re.compile(
    r"(?i)(grand\s+|sub-?)?(total\w*|sum|summe|gesamt\w*|insgesamt|suma|somme|somma|totaal|average|avg|mean|durchschnitt|"
    r"mittelwert|moyenne|media|promedio|gemiddelde)\b.*"
)
_DIGITS = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_YEAR = re.compile(r"(?:1[5-9]|20|21)\d\d")
_NUMBER = re.compile(r"[+\-−]?(?:\d{1,3}(?:[.,' ]\d{3})+(?:[.,]\d+)?|\d*[.,]\d+|\d+[.,]?)(?:[eE][+-]?\d+)?")


@dataclass(frozen=True)
class Dialect:
    """The layout of a text table.

    Attributes
    ----------
    separator : str
    skip : int
        Lines above the first row, including the header.
    header : tuple of str
        Column names.
    rows : tuple of tuple of str
        The first rows.
    notes : tuple of str
        Rows and lines that were left out.
    """

    separator: str
    skip: int
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def find_dialect(where: str, text: str) -> Dialect:
    """Return the dialect, determined from the first lines of a table.

    Raises
    ------
    InputError
        If no line contains the column names, or a name is repeated.
    """
    lines = text.splitlines()
    said = _SAID.match(lines[0]) if lines else None
    skip = 1 if said else 0
    while skip < len(lines) and (lines[skip].startswith("#") or not lines[skip].strip()):
        skip += 1
    comments = skip - (1 if said else 0)
    separator, rows = split_rows("\n".join(lines[skip:]), said[1] if said else None)
    if comments and (named := _names_in_comments(lines[:skip], separator, rows)):
        skip, rows = skip - 1, [named, *rows]
    start = _find_header(rows)
    # The CSV reader skips blank lines between rows.
    skip += _lines_before(lines[skip:], start)
    above = skip - (1 if said else 0)
    notes = [f"{above} line{'s' if above > 1 else ''} above the names left out"] if above else []
    header, names, numbered = _read_names(where, rows[start:])
    notes += [numbered] if numbered else []
    return Dialect(separator, skip + names, tuple(header), tuple(map(tuple, rows[start + names :])), tuple(notes))


def _read_names(where: str, rows: list[list[str]]) -> tuple[list[str], int, str]:
    """Return the column names, the number of rows that contain them, and a note on columns without names."""
    if _are_measurements(rows):
        return [str(place + 1) for place in range(len(rows[0]))], 0, "no header: columns are numbered from 1"
    count = next((number for number, row in enumerate(rows[1:], 1) if any(map(is_data, row))), 1)
    header = [name.strip() for name in rows[0]]
    header[0] = header[0].lstrip("# ")
    if 1 < count <= _MOST_LEVELS and len(set(header)) < len(header):
        header = _join_levels([[cell.strip() for cell in row] for row in rows[:count]])
    else:
        count = 1
    if len(rows) > count + 1 and all(len(row) == len(header) + 1 for row in rows[count:]):
        if not any(row[-1].strip() for row in rows[count:]):  # separators at the end of the rows
            header = [*header, ""]
        elif _are_row_names([row[0].strip() for row in rows[count:]]):
            header = ["", *header]
    _check_names(where, header, rows[count:])
    check_unique(where, header)
    return [name or f"Unnamed: {place}" for place, name in enumerate(header)], count, ""


def _join_levels(levels: list[list[str]]) -> list[str]:
    """Return one name for each column of several rows of names, in which a name holds for blank cells to its right.

    Rows with the same name in all columns are left out; the first column has its last name.
    """
    width = max(map(len, levels))
    levels = [row + [""] * (width - len(row)) for row in levels]
    top = levels[0]
    for place in range(1, width):
        if not top[place] and any(row[place] for row in levels[1:]):
            top[place] = top[place - 1]
    telling = [row for row in levels if len(set(row[1:])) > 1] or levels[-1:]
    names = [" ".join(filter(None, (row[place] for row in telling))) for place in range(width)]
    return [next((row[0] for row in reversed(levels) if row[0]), ""), *names[1:]]


def _are_row_names(first: list[str]) -> bool:
    """Return whether the first cells of rows are names or numbers of rows, as R writes them."""
    text = not _NUMBER.fullmatch(first[0]) or _YEAR.fullmatch(first[0]) is not None
    return len(set(first)) == len(first) and (first[0] == "1" or text)


def _are_measurements(rows: list[list[str]]) -> bool:
    """Return whether a table has no names and nothing but measurements: fractions, none of which rise like times."""
    if len(set(map(len, rows[:_MOST_ABOVE]))) > 1:
        return False
    try:
        table = pd.DataFrame(rows[:_MOST_ABOVE], dtype="float64")
    except ValueError:
        return False
    fractions = not (table == table.round()).all(axis=None)
    rising = table.diff().iloc[1:].gt(0).all().any()
    return len(table) > 2 and fractions and not rising and not table.isna().any(axis=None)


def _lines_before(lines: list[str], rows: int) -> int:
    """Return the number of lines of so many rows, including blank lines between them."""
    if not rows:
        return 0
    count = 0
    for number, line in enumerate(lines):
        if count == rows and line.strip():
            return number
        count += bool(line.strip())
    return len(lines)


def _names_in_comments(lines: list[str], separator: str, rows: list[list[str]]) -> list[str] | None:
    """Return the column names in the last lines that begin with ``#``, if the first row below them contains data."""
    if not rows or not any(map(is_data, rows[0])):
        return None
    found = None
    for line in filter(str.strip, reversed(lines)):  # units may stand below the names
        names = next(csv.reader([line.lstrip("# \t")], delimiter=separator, skipinitialspace=True), [])
        if len(names) != len(rows[0]) or any(map(is_data, names)):
            break
        found = names
    return found


def split_rows(text: str, said: str | None = None) -> tuple[str, list[list[str]]]:
    """Return the separator that divides the lines most evenly, and the resulting rows."""

    def rows(separator: str) -> list[list[str]]:
        lines = io.StringIO(text, newline=None)
        try:
            return [row for row in csv.reader(lines, delimiter=separator, skipinitialspace=True) if row]
        except csv.Error:  # a cell of more than 131,072 characters
            return [line.split(separator) for line in text.splitlines() if line]

    def evenness(table: list[list[str]]) -> tuple[bool, bool, float]:
        width = _width(table)
        even = sum(len(row) - (len(row) > width and not row[-1]) == width for row in table) / len(table)
        return width > 1 and even > 0.5, width > 1, even

    if said:
        return said, rows(said)
    tables = {separator: rows(separator) for separator in _SEPARATORS}
    best = max(tables, key=lambda separator: evenness(tables[separator]))
    if _width(tables[best]) == 1:  # one column; a comma in it is a decimal sign
        best = "," if evenness(tables[","])[-1] == 1 else ";"
    return best, tables[best]


def _width(table: list[list[str]]) -> int:
    """Return the number of cells of the header."""
    return len(table[_find_header(table)])


def _find_header(rows: list[list[str]]) -> int:
    """Return the index of the first row of names: the first row, unless it cannot be one and a later row can."""
    width = _usual_width(rows)
    if width == 1:
        return 0
    for number, row in enumerate(rows[:_MOST_ABOVE]):
        filled = [cell for cell in row if cell.strip()]
        below = rows[number + 1 : number + _MOST_ABOVE]
        row_names = len(row) == width - 1 and bool(below) and any(map(is_data, below[0]))
        if not (len(row) >= width or row_names) or len(filled) < 2:
            continue
        if len(set(filled)) == len(filled) and _are_names(row) and _names_every_column(row, below):
            return number
        if number + 1 < len(rows) and len(rows[number + 1]) == len(row) and not any(map(is_data, rows[number + 1])):
            return number  # several rows of names
    return 0


def _usual_width(rows: list[list[str]]) -> int:
    """Return the most frequent length of rows, of several the largest; that of long rows below short titles."""
    counts = Counter(map(len, rows))
    width = max(counts, key=lambda length: (counts[length], length))
    last = len(rows[-1])
    return last if last > _WIDE * width and counts[last] > 1 else width


def _names_every_column(row: list[str], below: list[list[str]]) -> bool:
    """Return whether columns without a name are blank in the rows below, except the first."""
    blank = [place for place, cell in enumerate(row) if place and not cell.strip()]
    return not any(place < len(cells) and cells[place].strip() for cells in below for place in blank)


def _are_names(row: list[str]) -> bool:
    """Return whether cells are column names: text, followed in wide tables by times such as years."""
    data = [cell for cell in row if is_data(cell)]
    times = all(is_time(cell) or _YEAR.fullmatch(cell.strip()) for cell in data)
    return not data or (times and not is_data(row[0]) and len(data) < len(row))


def is_data(cell: str) -> bool:
    """Return whether a cell is a number or a time."""
    return _NUMBER.fullmatch(cell.strip()) is not None or is_time(cell)


def check_unique(where: str, header: list[str]) -> None:
    """Refuse repeated column names."""
    doubles = [repr(name) for name, count in Counter(filter(None, header)).items() if count > 1]
    if doubles:
        refuse(where, "column names must differ", f"{first_few(doubles)} more than once", "Rename them.")


def _check_names(where: str, header: list[str], rows: list[list[str]]) -> None:
    """Refuse a table without a header; consecutive whole numbers are accepted as the default names of pandas.

    A time above times, or a number above equal numbers, belongs to a data row.
    """
    counting = [str(number) for number in range(len(header) + 1)]
    below = list(zip(*rows, strict=False)) if len(rows) > 2 else []
    cells = any(
        (is_time(name) and all(map(is_time, column))) or (_NUMBER.fullmatch(name) and set(column) == {name})
        for name, column in zip(header, below, strict=False)
    )
    if cells or (all(map(is_data, header)) and header not in (counting[:-1], counting[1:])):
        refuse(where, "the first line must name the columns", first_few(map(repr, header)), "Add a header.")


def trim(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Remove rows without data: units below the header, blank rows, and totals and notes at the end."""
    notes = []
    blank = (frame.iloc[:, 0].str.strip() == "").to_numpy(copy=True)
    if blank.any() and len(frame.columns) > 1:
        blank[blank] = frame[blank].apply(lambda column: column.str.strip() == "").all(axis=1)
    if blank.any() and len(frame.columns) > 1:
        frame = frame[~blank].reset_index(drop=True)
        notes.append(f"{blank.sum():,} blank row{'s' if blank.sum() > 1 else ''} left out")
    names = frame.columns.str.replace(r"^Unnamed: \d+$", "", regex=True)
    again = (frame.iloc[:, -1].str.strip() == names[-1]).to_numpy(copy=True)
    if again.any() and len(frame.columns) > 1:
        again[again] = (frame[again].apply(lambda column: column.str.strip()) == names).all(axis=1)
    if again.any() and len(frame.columns) > 1:
        frame = frame[~again].reset_index(drop=True)
        notes.append(f"{again.sum():,} repeated line{'s' if again.sum() > 1 else ''} of names left out")
    if _is_units(frame):
        cells = [cell.strip() for cell in frame.iloc[0] if cell.strip()]
        frame = frame.iloc[1:].reset_index(drop=True)
        notes.append(f"row of units ({first_few(cells)}) left out")
    frame, said = _without_leading(frame)
    notes += said
    times = _time_columns(frame)
    while len(frame) > 1 and (cell := _closing(frame, times)):
        frame = frame.iloc[:-1]
        notes.append(f"last row ({cell}) left out")
    return frame, notes


def _without_leading(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Remove rows of descriptions between the names and the first time, such as units; numbers are not removed."""
    head = frame.iloc[:_MOST_ABOVE]
    if len(head) < 3:
        return frame, []
    for place in range(len(frame.columns)):
        cells = head.iloc[:, place].str.strip()
        times = (cells.map(is_time) | cells.str.fullmatch(_DIGITS)).to_numpy(dtype=bool)
        times = times | (place == 0) & cells.str.fullmatch(_YEAR).to_numpy(dtype=bool)
        count = int(times.argmax())
        if 0 < count <= _MOST_DESCRIPTIONS and times[count:].all() and len(times) - count > 2:
            break
    else:
        return frame, []
    for _, row in head.iloc[:count].iterrows():
        described = re.search(r"[^\W\d]", row.iloc[place]) and not re.search(r"\d", row.iloc[place])
        total = not row.iloc[place].strip() and any(TOTAL.fullmatch(cell.strip()) for cell in row)
        if not (described or total) and any(_NUMBER.fullmatch(cell.strip()) for cell in row):
            return frame, []
    last = [cell.strip() for cell in head.iloc[count - 1]]
    if (
        place == 0 and last[0] and not any(last[1:]) and last[0] not in frame
    ):  # the name of an index, as pandas writes it
        frame = frame.rename(columns={frame.columns[0]: last[0]})
    named = is_called(frame.columns[0], TIMES) or "year" in frame
    if place == 0 and not named and cells[count:].str.fullmatch(_YEAR).all():
        frame = frame.rename(columns={frame.columns[0]: "year"})
    said = first_few(" ".join(filter(None, map(str.strip, row))) for row in head.iloc[:count].to_numpy())
    rows = f"{count} row{'s' * (count > 1)} of descriptions below the names left out ({said})"
    return frame.iloc[count:].reset_index(drop=True), [rows]


def _time_columns(frame: pd.DataFrame) -> list[int]:
    """Return the columns whose first cells are all times, or count the rows."""
    head = frame.iloc[: min(_MOST_ABOVE, max(len(frame) // 2, 1))]
    if len(head) < 3:
        return []
    counts = [[str(row + start) for row in range(len(head))] for start in (0, 1)]
    return [
        place
        for place in range(len(frame.columns))
        if head.iloc[:, place].map(is_time).all() or head.iloc[:, place].str.strip().tolist() in counts
    ]


def _is_units(frame: pd.DataFrame) -> bool:
    """Return whether the first row contains units: no numbers or times, above columns of numbers."""
    if len(frame) < 3:
        return False
    first = frame.iloc[0].str.strip()
    if first.str.contains(r"\d{2}|^\d").any() or first.isin(MISSING[1:]).any():
        return False
    head = frame.iloc[1:30]
    numeric = [name for name in frame if not odd_cells(head[name]).any() and (head[name].str.strip() != "").any()]
    with_unit = [name for name in numeric if first[name] != ""]
    times = [name for name in frame if head[name].map(is_time).all()]
    no_time = len(times) > 0 and all(first[name] == "" for name in times)
    return len(with_unit) > 0 and (no_time or all(name in with_unit or name == frame.columns[0] for name in numeric))


def _closing(frame: pd.DataFrame, times: list[int]) -> str:
    """Return the cell that identifies the last row as a total or a note; empty for a row of data.

    A row without a time is not data if the first rows have one, nor is a row of a single word.
    """
    last = [cell.strip() for cell in frame.iloc[-1]]
    filled = [cell for cell in last if cell]
    if not filled or any(map(is_time, filled)):
        return ""
    if times and not any(re.search(r"[^\W_]", last[place]) for place in times):
        return f"{filled[0]} without a time"
    if times and len(filled) == 1 and re.fullmatch(r"\D+|\(?\d+ [^\W\d]{3,}\)?", filled[0]):
        return filled[0]
    cell = filled[0]
    column = frame.iloc[:, last.index(cell)]
    alone = (column.str.strip() == cell).sum() == 1
    note = len(filled) == 1 and len(last) > 2 and last[0] == cell and not is_data(cell) and len(cell) > 12
    return cell if alone and (TOTAL.fullmatch(cell) or note) else ""
