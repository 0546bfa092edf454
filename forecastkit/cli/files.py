"""Files of commands: outputs are checked before any work, written atomically, and never replace inputs."""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from forecastkit.utils.atomic_write import atomic_write, check_regular
from forecastkit.utils.validation import refuse

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

PLOTS = (".png", ".pdf", ".svg")
#: Rows that are converted to text at a time.
ROWS_AT_ONCE = 1 << 17


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
    write_bytes(_csv_blocks(frame), path)


def _csv_blocks(frame: "pd.DataFrame") -> Iterator[bytes]:
    """Yield the lines of a CSV file, by Arrow where it is installed: in a quarter of the time of pandas."""
    try:
        import pyarrow as pa
        import pyarrow.compute as pc
    except ModuleNotFoundError:  # an installation for forecasting
        yield frame.to_csv(index=False).encode()
        return
    yield frame[:0].to_csv(index=False).encode()
    columns = [_texts(frame[name]) for name in frame]
    for low in range(0, len(frame), ROWS_AT_ONCE):
        *cells, last = (column(slice(low, low + ROWS_AT_ONCE)) for column in columns)
        ends = pc.binary_join_element_wise(last, "\n", "", null_handling="replace")
        lines = pc.binary_join_element_wise(*cells, ends, ",", null_handling="replace")
        yield pc.binary_join(pa.ListArray.from_arrays([0, len(lines)], lines), "")[0].as_buffer().to_pybytes()


def _texts(column: "pd.Series") -> Callable[[slice], "pa.Array"]:
    """Return a function from a slice of rows to the cells of a column as text, null where missing."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.dtype.kind == "f":
        values = column.to_numpy()

        def floats(rows):
            texts = pa.array(values[rows], from_pandas=True).cast(pa.string())
            # Arrow writes no decimals of whole numbers, and large ones with an exponent.
            whole = (values[rows] == np.trunc(values[rows])) & (np.abs(values[rows]) < 1e10)
            return pc.if_else(whole, pc.binary_join_element_wise(texts, ".0", ""), texts) if whole.any() else texts

        return floats
    codes, distinct = pd.factorize(column)
    texts = pa.array([_quoted(text) for text in pd.Series(distinct).astype(str)], pa.string())
    return lambda rows: texts.take(pa.array(codes[rows], mask=codes[rows] < 0))


def _quoted(text: str) -> str:
    """Return a cell, in quotes if it contains a separator."""
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in ',"\r\n') else text


def write_bytes(blocks: Iterable[bytes], path: Path) -> None:
    """Write a file atomically."""
    try:
        with atomic_write(path) as temporary, temporary.open("wb") as file:
            file.writelines(blocks)
    except OSError as error:
        refuse(str(path), "the output must be in a folder that can be written", error.strerror)
