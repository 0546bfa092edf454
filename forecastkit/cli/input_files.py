"""Input files of a command, which must not be overwritten."""

from collections.abc import Sequence
from pathlib import Path

from forecastkit.data.files.multiple import find_paths


def input_files(tables: Sequence[Path], *others: Path | None) -> list[Path]:
    """Return the files of tables, folders and patterns, and other files without None.

    Raises
    ------
    InputError
        If a pattern or a folder has no table.
    """
    return [*find_paths(tables), *(path for path in others if path is not None)]
