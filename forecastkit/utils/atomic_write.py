"""Atomic file writes: a temporary file that replaces the target when it is complete."""

import contextlib
import errno
import hashlib
import os
import re
import secrets
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Names of temporary files: a hash of the machine's name, the process id and a random suffix.
TEMPORARY = re.compile(r"\.forecastkit-([0-9a-f]{8})-([0-9]+)-[0-9a-f]{16}\.tmp")
#: Seconds after which a temporary file of another machine, or of a reused process id, counts as abandoned.
ABANDONED = 86_400.0


@contextmanager
def atomic_write(path: Path, durable: bool = False) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`, which replaces `path` if the block raises no exception.

    A symbolic link is kept, and the file that it points to is replaced. Temporary files of terminated processes in the
    folder are removed. If `durable`, the file is flushed to disk before it replaces the old one, so that it survives a
    crash of the machine. OSError is raised if it cannot be written, or the path is a device, a pipe or a socket.
    """
    path = Path(os.path.realpath(path))
    check_regular(path)
    remove_abandoned(path.parent)
    temporary = path.parent / f".forecastkit-{_machine()}-{os.getpid()}-{secrets.token_hex(8)}.tmp"
    try:
        yield temporary
        if durable:
            with open(temporary, "r+b") as file:
                os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def check_regular(path: Path) -> None:
    """Raise OSError if the path must not be replaced by a file: a folder, device, pipe, socket or broken link."""
    with contextlib.suppress(FileNotFoundError):
        mode = os.lstat(path).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, "Is a directory", str(path))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "Not a regular file", str(path))


def remove_abandoned(folder: Path) -> None:
    """Delete temporary files of this library whose process has ended."""
    with contextlib.suppress(OSError):
        for entry in list(os.scandir(folder)):
            found = TEMPORARY.fullmatch(entry.name)
            if found and _is_abandoned(entry, found[1], int(found[2])):
                os.unlink(entry.path)


def _is_abandoned(entry, machine: str, process: int) -> bool:
    if machine == _machine() and not _is_running(process):
        return True
    return time.time() - entry.stat(follow_symlinks=False).st_mtime > ABANDONED


def _is_running(process: int) -> bool:
    if os.name != "posix":  # signal 0 ends a process there
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


def _machine() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]
