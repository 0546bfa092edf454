"""Input files of a command, which must not be overwritten."""

from collections.abc import Sequence
from pathlib import Path


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
