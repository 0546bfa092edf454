"""Log of finished work: a file with one JSON line for each finished piece, from which an interrupted run continues."""

import hashlib
import json
import os
import pickle
from pathlib import Path
from typing import NoReturn

import numpy as np

from forecastkit.utils.atomic_write import atomic_write
from forecastkit.utils.formatting import plain
from forecastkit.utils.validation import refuse

#: Characters of a parameter's text in a header; longer ones are replaced by their sums.
MOST_CHARACTERS = 60
#: First bytes of every log, by which our own files are told from others before anything is written.
MARK = b'{"journal": '
#: Rows of data that are summed at a time.
PART = 1 << 18


class RunLog:
    """Finished pieces of work by their key; in memory only where there is no path.

    A file that exists is read and compared first; it is written to only when a piece of work is finished.

    Parameters
    ----------
    path : path-like or None
        A file that exists must have the same header.
    header : dict
        Data and settings of the work, as JSON values.
    where : str
        Name of the function that does the work.
    argument : str
        Name of its parameter for the path.

    Raises
    ------
    InputError
        Where the file is not a log of `where`, or belongs to other data or settings. The file is left as it was.
    """

    def __init__(self, path, header: dict, where: str, argument: str = "path"):
        self.path, self.where, self.argument = None if path is None else Path(path), where, argument
        self.header = json.loads(json.dumps(plain({"journal": where, **header})))
        self.done: dict[str, dict] = {}
        self._end = 0  # bytes of whole lines; what follows was cut off by a crash and is replaced by the next line
        if self.path is not None:
            self._open()

    def find(self, key: str) -> dict | None:
        """Result stored under this key, None where the work is not finished."""
        return self.done.get(key)

    def add(self, key: str, found: dict) -> dict:
        """Store a result, in the file at once; returns it as it would be read again."""
        found = plain(found)
        if self.path is not None:
            self._append({"key": key, **found})
        self.done[key] = found
        return found

    def refuse_line(self, error: Exception) -> NoReturn:
        """Refuse a file whose lines do not hold what their header promises."""
        self._refuse_file(f"{str(self.path)!r}, in which a line is damaged ({error})")

    def _open(self):
        lines = self._lines()
        if not lines:
            self._create()
            return
        self._compare(lines[0])
        for line in lines[1:]:
            found = dict(line)
            self.done[found.pop("key")] = found

    def _lines(self) -> list[dict]:
        """Whole lines of the file; a last one that was cut off while it was written is left out."""
        content = read_log(self.path, self.where, self.argument)
        *whole, rest = content.split(b"\n")
        if _parsed(rest) is not None:
            whole.append(rest)
        self._end = min(sum(len(line) + 1 for line in whole), len(content))
        lines = [_parsed(line) for line in whole]
        if None in lines or not all("key" in line for line in lines[1:]) or (content and not lines):
            self._refuse_file(repr(str(self.path)))
        return lines

    def _compare(self, header):
        if header.get("journal") != self.where:
            self._refuse_file(repr(str(self.path)))
        names = [*self.header, *(name for name in header if name not in self.header)]
        other = [name for name in names if header.get(name) != self.header.get(name)]
        if other:
            name = other[0]
            got = "other data" if name == "data" else f"{name} {header.get(name)} there, {self.header.get(name)} here"
            rule = f"{str(self.path)!r} must be of the same data and settings"
            refuse(self.where, rule, got, f"Pass another {self.argument}=, or delete the file.")

    def _refuse_file(self, got) -> NoReturn:
        refuse(self.where, f"{self.argument} must be a file that {self.where} wrote", got)

    def _create(self):
        content = json.dumps(self.header).encode() + b"\n"
        try:
            with atomic_write(self.path) as temporary:
                temporary.write_bytes(content)
        except OSError as error:
            rule = f"{self.argument} must be a place that can be written"
            refuse(self.where, rule, f"{str(self.path)!r} ({error.strerror})")
        self._end = len(content)

    def _append(self, line: dict):
        try:
            with self.path.open("r+b") as file:
                file.seek(max(self._end - 1, 0))
                begin = b"" if file.read(1) == b"\n" else b"\n"
                file.seek(self._end)
                file.truncate()
                file.write(begin + json.dumps(line).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
                self._end = file.tell()
        except OSError as error:
            rule = f"{self.argument} must be a place with room to write"
            remedy = "Finished work is kept: make room, and the same call continues."
            refuse(self.where, rule, f"{str(self.path)!r} ({error.strerror})", remedy)


def read_log(path: Path, where: str, argument: str) -> bytes:
    """Content of a run log, b"" where there is none or an empty file; anything else is refused.

    Raises
    ------
    InputError
        Where the path is no regular file, cannot be read, or holds something else.
    """
    try:
        if not os.path.lexists(path):
            return b""
        got = "" if path.is_file() else f"{str(path)!r}, not a regular file"
        content = path.read_bytes() if not got else b""
    except OSError as error:
        got, content = f"{str(path)!r} ({error.strerror})", b""
    if got or (content and not content.startswith(MARK)):
        refuse(where, f"{argument} must be a file that {where} wrote", got or repr(str(path)))
    return content


def remove_log(path: Path, where: str, argument: str = "path") -> None:
    """Delete a run log; any other file is refused and left as it is.

    Raises
    ------
    InputError
        Where the file is not a log of `where`.
    """
    content = read_log(path, where, argument)
    if content and (_parsed(content.split(b"\n")[0]) or {}).get("journal") != where:
        refuse(where, f"{argument} must be a file that {where} wrote", repr(str(path)))
    path.unlink(missing_ok=True)


def _parsed(text: bytes) -> dict | None:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return line if isinstance(line, dict) else None


def fingerprint(panel) -> str:
    """A short text that is the same for the same data only."""
    digest = hashlib.sha256(repr((panel.grid, panel.ids)).encode())
    for name in ("start", "indptr", "target", "past", "known", "static"):
        values = getattr(panel, name)
        for low in range(0, len(values), PART):  # mapped data are larger than memory
            digest.update(np.ascontiguousarray(values[low : low + PART]))
    return digest.hexdigest()[:16]


def described(value) -> str:
    """A text that is the same for equal parameters: forecasters and lists of them by what is in them."""
    if hasattr(value, "get_params") and not isinstance(value, type):
        own = {name: described(item) for name, item in sorted(value.get_params(deep=False).items())}
        return f"{type(value).__name__}({', '.join(f'{name}={text}' for name, text in own.items())})"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(described, value))}]"
    if isinstance(value, (type(None), bool, int, float, str, type, np.generic)):
        return repr(value)
    return _sum_of(value)


def shortened(text: str) -> str:
    """The text, or what it begins with and a sum of it where it is long."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}... {digest}"


def _sum_of(value) -> str:
    """A sum of anything that can be pickled, such as arrays and random generators by their state."""
    try:
        return f"{type(value).__name__} {hashlib.sha256(pickle.dumps(value)).hexdigest()[:16]}"
    except (pickle.PicklingError, AttributeError, TypeError):
        return repr(value)
