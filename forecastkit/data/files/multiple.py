"""Reading of several files, whose rows are concatenated."""

import glob
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
from pandas.api.types import union_categoricals

from forecastkit.data.files.find_time import find_times
from forecastkit.data.files.other_formats import SUFFIXES
from forecastkit.data.files.read_table import Table, read_table
from forecastkit.data.files.series_columns import find_series
from forecastkit.utils.validation import first_few, refuse

#: Suffixes of tables in a folder.
TABLES = (".csv", ".tsv", ".txt", *SUFFIXES, ".gz", ".bz2", ".xz", ".zst", ".zip")
#: Name of the column of file names if these identify series.
STEM = "file"
#: Fraction of times that may repeat in one series.
FEW = 0.01


def listed(sources: str | Path | Sequence[str | Path]) -> list[Path]:
    """Return one path or several as a list."""
    return [Path(sources)] if isinstance(sources, (str, Path)) else [Path(source) for source in sources]


def find_paths(sources: Sequence[str | Path]) -> list[Path]:
    """Return the files of paths, folders and patterns such as ``data/*.csv``, each once.

    Raises
    ------
    InputError
        If a pattern or folder has no table.
    """
    paths = [path for source in sources for path in _expand(Path(source))]
    return list(dict.fromkeys(paths))


def _expand(source: Path) -> list[Path]:
    if source.is_dir():
        found = sorted(path for path in source.iterdir() if path.suffix.lower() in TABLES and path.is_file())
        kinds = ", ".join(TABLES)
        return found or refuse(str(source), f"a folder must have tables ({kinds})", "none")
    if not source.exists() and glob.has_magic(str(source)):
        found = sorted(map(Path, glob.glob(str(source), recursive=True)))
        return found or refuse(str(source), "files must match the pattern", "none", "Check the folder.")
    return [source]


def read_several(paths: Sequence[Path], series_id: str | Sequence[str] | None = None, time: str | None = None) -> Table:
    """Read files into one table.

    Parameters
    ----------
    paths : sequence of Path
    series_id : str or sequence of str, optional
        Columns that identify the series, if known; their cells are kept as text.
    time : str, optional
        The time column, if known.

    Returns
    -------
    Table
        With the column `STEM` of file names if files without a series column share times, or if `series_id` contains
        it.

    Raises
    ------
    InputError
        As in `read_table`, and if files have different columns.
    """
    names = () if series_id is None else (series_id,) if isinstance(series_id, str) else tuple(series_id)
    tables = [read_table(path, names) for path in paths]
    if len(tables) == 1:
        return tables[0]
    first = tables[0].frame
    for path, table in zip(paths[1:], tables[1:], strict=True):
        _check_columns(path, paths[0], list(table.frame), list(first))
    frames = [table.frame[list(first)] for table in tables]
    by_stem = STEM in names if names else _share_times(frames, time)
    if by_stem and STEM not in first:
        frames = [frame.assign(**{STEM: stem}) for frame, stem in zip(frames, _stems(paths), strict=True)]
    notes = tuple(dict.fromkeys(note for table in tables for note in table.notes))
    return replace(tables[0], frame=_stack(frames), files=tuple(map(str, paths)), notes=notes)


def _check_columns(path: Path, other: Path, names: list[str], wanted: list[str]) -> None:
    lacking = [repr(name) for name in wanted if name not in names]
    further = [repr(name) for name in names if name not in wanted]
    if lacking or further:
        parts = [f"{word} {first_few(found)}" for word, found in (("no", lacking), ("also", further)) if found]
        refuse(str(path), f"files must have the same columns as {other}", " and ".join(parts))


def _stems(paths: Sequence[Path]) -> list[str]:
    """Return distinct labels of the files: names without suffixes, or whole paths if these are not distinct."""
    stems = [path.name.split(".")[0] for path in paths]
    return stems if len(set(stems)) == len(stems) else list(map(str, paths))


def _share_times(frames: list[pd.DataFrame], time: str | None) -> bool:
    """Return whether files, each of one series, share times that no column distinguishes.

    A few shared times are allowed: at clock changes, and where one file continues another.
    """
    times = [find_times(frame, time) for frame in frames]
    if any(found is None or found.duplicated().mean() > FEW for found in times):
        return False
    if pd.concat([found.drop_duplicates() for found in times]).duplicated().mean() <= FEW:
        return False
    return not find_series(_stack(frames), pd.concat(times, ignore_index=True))


def _stack(frames: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.DataFrame({name: _joined([frame[name] for frame in frames]) for name in frames[0]})


def _joined(columns: list[pd.Series]):
    coded = [isinstance(column.dtype, pd.CategoricalDtype) for column in columns]
    if all(coded):
        return union_categoricals(columns)
    columns = [column.astype(object) if code else column for column, code in zip(columns, coded, strict=True)]
    return pd.concat(columns, ignore_index=True)
