"""A file that grows by one JSON line with every finished piece of work, so that work goes on where it was stopped."""

import hashlib
import json
import os
import pickle
from pathlib import Path

import numpy as np

from forecastkit.utils.formatting import plain
from forecastkit.utils.validation import refuse

#: Characters of a parameter's text in a header; longer ones are told by their sums.
MOST_CHARACTERS = 60


class RunLog:
    """Finished pieces of work by their key; in memory only where there is no path.

    Parameters
    ----------
    path : path-like or None
        A file that is there already must have the same header.
    header : dict
        What the work is about, as JSON has it: data and settings.
    where : str
        Whose work it is.
    argument : str
        What the path is called there.

    Raises
    ------
    InputError
        Where the file is of other data or settings, or no journal.
    """

    def __init__(self, path, header: dict, where: str, argument: str = "path"):
        self.path, self.where, self.argument = None if path is None else Path(path), where, argument
        self.header = json.loads(json.dumps(plain({"journal": where, **header})))
        self.done: dict[str, dict] = {}
        if self.path is not None:
            self._open()

    def find(self, key: str) -> dict | None:
        """What was found for this key, if it is done."""
        return self.done.get(key)

    def add(self, key: str, found: dict) -> dict:
        """Keep what was found, in the file at once; returns it as it will be read again."""
        self.done[key] = found = plain(found)
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"key": key, **found}) + "\n")
                file.flush()
                os.fsync(file.fileno())
        return found

    def _open(self):
        lines = self._lines()
        if not lines:
            self._rewrite([self.header])
            return
        self._compare(lines[0])
        for line in lines[1:]:
            found = dict(line)
            self.done[found.pop("key")] = found

    def _lines(self) -> list[dict]:
        """The lines there are; one that was cut off in the middle of writing is dropped from the file."""
        try:
            texts = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        except (OSError, UnicodeDecodeError) as error:
            self._refuse_file(f"{str(self.path)!r} ({error})")
        lines = [_parsed(text) for text in texts]
        if lines and lines[-1] is None and len(lines) > 1:
            lines.pop()
            self._rewrite(lines)
        if None in lines:
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

    def _refuse_file(self, got):
        refuse(self.where, f"{self.argument} must be a file that {self.where} wrote", got)

    def _rewrite(self, lines):
        try:
            self.path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        except OSError as error:
            rule = f"{self.argument} must be a place that can be written"
            refuse(self.where, rule, f"{str(self.path)!r} ({error.strerror})")


def _parsed(text: str) -> dict | None:
    try:
        line = json.loads(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) else None


def fingerprint(panel) -> str:
    """A short text that is the same for the same data only."""
    digest = hashlib.sha256(repr((panel.grid, panel.ids)).encode())
    for name in ("start", "indptr", "target", "past", "known", "static"):
        digest.update(np.ascontiguousarray(getattr(panel, name)).tobytes())
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
