"""A file that grows by one JSON line with every finished piece of work, so that work goes on where it was stopped."""

import json
import os
from pathlib import Path

from forecastkit.checks import refuse
from forecastkit.report import plain

WHERE = "compare"


class Journal:
    """Finished pieces of work by their key; in memory only where there is no path.

    Parameters
    ----------
    path : path-like or None
        A file that is there already must have the same header.
    header : dict
        What the work is about, as JSON has it: data and settings.

    Raises
    ------
    InputError
        Where the file is of other data or settings, or no journal.
    """

    def __init__(self, path, header: dict):
        self.path = None if path is None else Path(path)
        self.header = json.loads(json.dumps(plain({"journal": WHERE, **header})))
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
            refuse(WHERE, "path must be a file that compare wrote", f"{str(self.path)!r} ({error})")
        lines = [_parsed(text) for text in texts]
        if lines and lines[-1] is None and len(lines) > 1:
            lines.pop()
            self._rewrite(lines)
        if None in lines:
            refuse(WHERE, "path must be a file that compare wrote, line by line", repr(str(self.path)))
        return lines

    def _compare(self, header):
        if header.get("journal") != WHERE:
            refuse(WHERE, "path must be a file that compare wrote", repr(str(self.path)))
        other = [name for name, value in self.header.items() if header.get(name) != value]
        if other:
            name = other[0]
            got = "other data" if name == "data" else f"{name} {header.get(name)} there, {self.header[name]} here"
            rule = f"{str(self.path)!r} must be of the same data and settings"
            refuse(WHERE, rule, got, "Pass another path=, or delete the file.")

    def _rewrite(self, lines):
        try:
            self.path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        except OSError as error:
            refuse(WHERE, "path must be a place that can be written", f"{str(self.path)!r} ({error.strerror})")


def _parsed(text: str) -> dict | None:
    try:
        line = json.loads(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) else None
