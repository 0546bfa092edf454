"""Files that commands write: refused before any work where that will not do, and never half there."""

import tempfile
from pathlib import Path

import pandas as pd

from forecastkit.utils.atomic_write import atomic_write
from forecastkit.utils.validation import refuse


def check_output(path: Path | None, overwrite: bool) -> None:
    """Refuse a path that exists, unless it may be replaced, or that cannot be written."""
    if path is None:
        return
    where = str(path)
    if path.is_dir():
        refuse(where, "the output must be a file", "a folder")
    if path.exists() and not overwrite:
        refuse(where, "the output must not exist", "a file of that name", "Pass --overwrite to replace it.")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        refuse(where, "the output must be in a folder that can be written", f"{str(path.parent)!r} ({error.strerror})")


def check_picture(path: Path | None, overwrite: bool) -> None:
    """`check_output`, and that the suffix is a kind of picture."""
    if path is not None and path.suffix.lower() not in (".png", ".pdf", ".svg"):
        refuse(str(path), "a picture must end in .png, .pdf or .svg", repr(path.suffix))
    check_output(path, overwrite)


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame, whole or not at all."""
    write_bytes(frame.to_csv(index=False).encode(), path)


def write_bytes(content: bytes, path: Path) -> None:
    """Write a file, whole or not at all."""
    try:
        with atomic_write(path) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        refuse(str(path), "the output must be in a folder that can be written", error.strerror)
