"""Files that a command reads, so that it does not write over them."""

from collections.abc import Sequence
from pathlib import Path

from forecastkit.data.files.multiple import find_paths


def input_files(tables: Sequence[Path], *others: Path | None) -> list[Path]:
    """The files that tables, folders and patterns name, and other files; None is left out.

    Raises
    ------
    InputError
        Where a pattern or a folder has no table.
    """
    return [*find_paths(tables), *(path for path in others if path is not None)]
