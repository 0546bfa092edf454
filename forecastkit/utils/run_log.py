"""Log of finished tasks: a file of JSON lines from which an interrupted run resumes."""

import hashlib
import json
import os
import pickle
from pathlib import Path
from typing import NoReturn

import numpy as np

from forecastkit.utils.atomic_write import atomic_write
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.formatting import json_value
from forecastkit.utils.validation import refuse

#: Longest text of a parameter in a header; longer texts are truncated and completed by their hash.
MAX_CHARACTERS = 60
#: First bytes of every log, which distinguish logs from other files before anything is written.
MARK = b'{"journal": '
#: Rows of data that are hashed at a time.
PART = 1 << 18


class RunLog:
    """Results of finished tasks by key, kept in memory only if there is no path.

    An existing file is read and its header, JSON values of data and settings, is compared first: a file of other data
    or settings, or no log of the function `where`, is refused and not changed. It is written only when a task has
    finished. `argument` is the name of the function's parameter for the path.
    """

    def __init__(self, path, header: dict, where: str, argument: str = "path"):
        self.path, self.where, self.argument = None if path is None else Path(path), where, argument
        self.header = json.loads(json.dumps(json_value({"journal": where, **header})))
        self.done: dict[str, dict] = {}
        self._end = 0  # size of the complete lines in bytes; a line truncated by a crash is overwritten by the next
        if self.path is not None:
            self._open()

    def find(self, key: str) -> dict | None:
        """Return the result stored under this key, or None if the task is not finished."""
        return self.done.get(key)

    def add(self, key: str, found: dict) -> dict:
        """Append a result to the file and return it as it would be read back."""
        found = json_value(found)
        if self.path is not None:
            self._append({"key": key, **found})
        self.done[key] = found
        return found

    def refuse_line(self, error: Exception) -> NoReturn:
        """Refuse a file with a line that does not match its header."""
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
        """Return the complete lines of the file; a last line that was truncated during writing is skipped."""
        content = read_log(self.path, self.where, self.argument)
        *complete, rest = content.split(b"\n")
        if _parsed(rest) is not None:
            complete.append(rest)
        self._end = min(sum(len(line) + 1 for line in complete), len(content))
        lines = [_parsed(line) for line in complete]
        if None in lines or not all(isinstance(line.get("key"), str) for line in lines[1:]) or (content and not lines):
            self._refuse_file(repr(str(self.path)))
        return lines

    def _compare(self, header):
        if header.get("journal") != self.where:
            self._refuse_file(repr(str(self.path)))
        names = [*self.header, *(name for name in header if name not in self.header)]
        other = [name for name in names if header.get(name) != self.header.get(name)]
        if other:
            name = other[0]
            found = "other data" if name == "data" else f"{name} {header.get(name)} there, {self.header.get(name)} here"
            rule = f"{str(self.path)!r} must be of the same data and settings"
            refuse(self.where, rule, found, f"Pass another {self.argument}=, or delete the file.")

    def _refuse_file(self, found) -> NoReturn:
        refuse(self.where, f"{self.argument} must be a file that {self.where} wrote", found)

    def _create(self):
        content = json.dumps(self.header).encode() + b"\n"
        try:
            with atomic_write(self.path) as temporary:
                temporary.write_bytes(content)
        except OSError as error:
            rule = f"{self.argument} must be writable"
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
    """Return the content of a run log; ``b""`` if the file is missing or empty."""
    try:
        if not os.path.lexists(path):
            return b""
        found = "" if path.is_file() else f"{str(path)!r}, not a regular file"
        content = path.read_bytes() if not found else b""
    except OSError as error:
        found, content = f"{str(path)!r} ({error.strerror})", b""
    if found or (content and not content.startswith(MARK)):
        refuse(where, f"{argument} must be a file that {where} wrote", found or repr(str(path)))
    return content


def check_log(path, where: str, argument: str = "path") -> None:
    """Check that a run log can be continued or created at this path, without changing anything."""
    rule = f"{argument} must be a file that can be written"
    if not isinstance(path, (str, os.PathLike)):
        refuse(where, rule, repr(path), error=ParameterError)
    path = Path(path)
    _check_owner(path, where, argument)
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        refuse(where, rule, repr(str(path)), error=ParameterError)


def remove_log(path: Path, where: str, argument: str = "path") -> None:
    """Delete a run log; a file that is not a log of `where` is refused."""
    _check_owner(path, where, argument)
    path.unlink(missing_ok=True)


def _check_owner(path: Path, where: str, argument: str) -> None:
    """Refuse a file that is not a log of `where`."""
    content = read_log(path, where, argument)
    if content and (_parsed(content.split(b"\n")[0]) or {}).get("journal") != where:
        refuse(where, f"{argument} must be a file that {where} wrote", repr(str(path)))


def _parsed(text: bytes) -> dict | None:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return line if isinstance(line, dict) else None


def fingerprint(panel) -> str:
    """Return a hash of the data of a panel."""
    digest = hashlib.sha256(repr((panel.grid, panel.ids)).encode())
    for name in ("start", "indptr", "target", "past", "known", "static"):
        values = getattr(panel, name)
        for low in range(0, len(values), PART):  # memory-mapped data may be larger than memory
            digest.update(np.ascontiguousarray(values[low : low + PART]))
    return digest.hexdigest()[:16]


def canonical_text(value) -> str:
    """Return a text that is equal for equal parameters; forecasters and lists are described by their contents."""
    if hasattr(value, "get_params") and not isinstance(value, type):
        own = {name: canonical_text(item) for name, item in sorted(value.get_params(deep=False).items())}
        return f"{type(value).__name__}({', '.join(f'{name}={text}' for name, text in own.items())})"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(canonical_text, value))}]"
    if isinstance(value, (type(None), bool, int, float, str, type, np.generic)):
        return repr(value)
    if callable(getattr(value, "get_config", None)):  # Keras numbers the names of its objects
        own = {name: item for name, item in value.get_config().items() if name != "name"}
        return f"{type(value).__name__}({own}{getattr(value, '_fn_kwargs', '')})"
    return _digest_of(value)


def shortened(text: str) -> str:
    """Return the text, or its beginning and its hash if it is long."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]}... {digest}"


def _digest_of(value) -> str:
    """Return a hash of a picklable object, such as an array or the state of a random generator."""
    try:
        return f"{type(value).__name__} {hashlib.sha256(pickle.dumps(value)).hexdigest()[:16]}"
    except (pickle.PicklingError, AttributeError, TypeError):
        return repr(value)
