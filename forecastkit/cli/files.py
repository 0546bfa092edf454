"""Files of commands: outputs are checked before any work, written atomically, and never replace inputs."""

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from forecastkit.utils.atomic_write import atomic_write, check_regular
from forecastkit.utils.validation import refuse

if TYPE_CHECKING:
    import pandas as pd

PLOTS = (".png", ".pdf", ".svg")


def input_files(tables: Sequence[Path], *others: Path | None) -> list[Path]:
    """Return the files of tables, folders and patterns, and other files without None.

    Raises
    ------
    InputError
        If a pattern or a folder has no table.
    """
    found = [path for path in others if path is not None]
    if tables:
        from forecastkit.data.files.multiple import find_paths  # here: a forecast from a model alone reads no table

        found = [*find_paths(tables), *found]
    return found


def check_outputs(outputs: Mapping[str, Path | None], inputs: Iterable[Path] = (), overwrite: bool = False) -> None:
    """Refuse outputs that cannot be written, or that would replace an input, another output or an existing file.

    Parameters
    ----------
    outputs : dict of str to Path
        Paths by option; plots are those of ``--plot``.
    inputs : iterable of Path
        Files that the command reads, which are never replaced.
    overwrite : bool
        Whether existing files may be replaced.
    """
    given = {flag: path for flag, path in outputs.items() if path is not None}
    inputs = list(inputs)
    for place, (flag, path) in enumerate(given.items()):
        if flag == "--plot":
            _check_suffix(path)
        for source in inputs:
            if _is_same(path, source):
                refuse(str(path), f"{flag} must not replace a file that the command reads", repr(str(source)))
        for other, earlier in list(given.items())[:place]:
            if _is_same(path, earlier):
                refuse(str(path), f"{flag} and {other} must be different files", "the same one")
        check_output(path, overwrite)


def check_output(path: Path | None, overwrite: bool = False) -> None:
    """Refuse a path that cannot be written, or that exists and must not be replaced."""
    if path is None:
        return
    where = str(path)
    if path.is_dir():
        refuse(where, "the output must be a file", "a folder")
    target = Path(os.path.realpath(path))
    try:
        check_regular(target)
    except OSError as error:
        refuse(where, "the output must be a regular file", f"something else ({error.strerror})")
    if os.path.lexists(path) and not overwrite:
        refuse(where, "the output must not exist", "a file of that name", "Pass --overwrite to replace it.")
    try:
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        folder = str(path.parent)
        refuse(where, "the output must be in a folder that can be written", f"{folder!r} ({error.strerror})")


def _check_suffix(path: Path) -> None:
    if path.suffix.lower() not in PLOTS:
        refuse(str(path), f"a plot must end in {', '.join(PLOTS[:-1])} or {PLOTS[-1]}", repr(path.suffix))


def _is_same(one: Path, other: Path) -> bool:
    """Return whether two paths refer to the same file, also through links."""
    try:
        return os.path.samefile(one, other)
    except OSError:
        return os.path.realpath(one) == os.path.realpath(other)


def write_csv(frame: "pd.DataFrame", path: Path) -> None:
    """Write a frame atomically."""
    write_bytes(frame.to_csv(index=False).encode(), path)


def write_bytes(content: bytes, path: Path) -> None:
    """Write a file atomically."""
    try:
        with atomic_write(path) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        refuse(str(path), "the output must be in a folder that can be written", error.strerror)
