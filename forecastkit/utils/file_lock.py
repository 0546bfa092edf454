"""Locks on files that are read, changed and replaced."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forecastkit.utils.validation import refuse

try:
    import fcntl
except ImportError:  # Windows, where the file is not locked
    fcntl = None


@contextmanager
def locked(path: Path, where: str) -> Iterator[None]:
    """Hold the file for this process, so that no other one inside this context replaces it meanwhile.

    The lock is on the file itself and ends with the process, also where it is killed. A file that does not exist is not
    locked, and neither is any on Windows. If another process holds it, InputError is raised, by the name `where`.
    """
    file = _open(path)
    try:
        # The file may have been replaced between opening and locking it: the lock would be on the old one.
        while file is not None and not _lock(file, path, where):
            os.close(file)
            file = _open(path)
        yield
    finally:
        if file is not None:
            os.close(file)


def _open(path):
    try:
        return None if fcntl is None else os.open(path, os.O_RDONLY)
    except OSError:
        return None  # its reader says why


def _lock(file, path, where):
    """Lock an open file; whether it still is the one of this path."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        rule = "a model must be updated by one process at a time"
        refuse(where, rule, f"another process that updates {str(path)!r}", "Run it again later.")
    return os.path.exists(path) and os.path.samestat(os.fstat(file), os.stat(path))
