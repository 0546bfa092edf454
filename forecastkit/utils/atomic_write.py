"""Files that are whole or not there, whenever the process is killed."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_write(path: Path, durable: bool = False) -> Iterator[Path]:
    """A name beside `path` to write to, which takes its place when the block is over and nothing was raised.

    Parameters
    ----------
    path : Path
    durable : bool
        Whether the bytes are on the disk before they take the place of the old ones, for files that must outlast a
        crash of the machine too.

    Raises
    ------
    OSError
        Where there is no room or no right to write.
    """
    temporary = path.parent / f".{secrets.token_hex(16)}.tmp"
    try:
        yield temporary
        if durable:
            with open(temporary, "r+b") as file:
                os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
