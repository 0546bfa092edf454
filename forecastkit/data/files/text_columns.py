"""Conversion of text columns to numbers, booleans, or text with missing values."""

from collections.abc import Collection

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from forecastkit.data.files.decimal_signs import find_decimal, to_numbers
from forecastkit.data.files.number_cells import MARKS, MISSING, PADDED, Cells, keeps_text, odd_cells, take_apart
from forecastkit.data.files.time_shapes import is_time
from forecastkit.utils.validation import first_few

_FEW_ODD = 0.2  # largest fraction of words among cells that are otherwise numbers
_TRUTH = {"True": True, "TRUE": True, "true": True, "False": False, "FALSE": False, "false": False}


def convert(
    where: str, frame: pd.DataFrame, separator: str, names: Collection[str] = ()
) -> tuple[pd.DataFrame, str, list[str]]:
    """Return a text table with parsed numbers.

    Parameters
    ----------
    where : str
        Name of the table in error messages.
    frame : DataFrame of str
    separator : str
        Between cells. With ``;`` an ambiguous comma is a decimal separator.
    names : collection of str
        Columns that identify series, whose text is unchanged.

    Returns
    -------
    frame : DataFrame
    decimal : str
        The decimal separator; empty if no number has one.
    notes : list of str
        Currencies, units and thousands separators that were removed.
    """
    apart = {name: take_apart(frame[name]) for name in frame}
    numeric = {name: cells for name, cells in apart.items() if cells.bodies is not None}
    numeric = {name: cells for name, cells in numeric.items() if not keeps_text(cells, name in names)}
    decimal, note = find_decimal(where, numeric, separator)
    columns, said = {}, {}
    for name, cells in apart.items():
        numbers = to_numbers(cells, decimal, separator) if name in numeric else None
        if numbers is not None:
            columns[name] = numbers.values
            said.setdefault(numbers.sentence, []).append(repr(name))
            for mark in _marks(cells):
                said.setdefault(f"{mark!r} as missing", []).append(repr(name))
        else:
            columns[name] = _truth(cells) if name not in names else None
            if columns[name] is None:
                columns[name] = blank(frame[name])
    notes = [f"{sentence} in {first_few(found)}" for sentence, found in said.items() if sentence]
    return pd.DataFrame(columns, index=frame.index), decimal, ([note] if note else []) + notes


def _marks(cells: Cells) -> list[str]:
    """Return symbols such as ``.`` that represent missing numbers."""
    if not cells.missing.any():
        return []
    missing = cells.text.filter(pa.array(cells.missing))
    return [mark for mark in pc.unique(missing).to_pylist() if mark in MARKS]


def _truth(cells: Cells) -> pd.Series | None:
    """Return booleans, None if a cell is neither true nor false."""
    if cells.text[0].as_py() not in _TRUTH or cells.missing.any():
        return None
    found = cells.values.str.strip().map(_TRUTH)
    return None if found.isna().any() else found.astype(bool)


def blank(column: pd.Series) -> pd.Series:
    """Return a text column with missing cells: blank ones, and ``NA`` among numbers or times.

    ``NA`` is a name elsewhere, such as that of a region.
    """
    coded = isinstance(column.dtype, pd.CategoricalDtype)
    cells = pd.Series(column.cat.categories.astype("str")) if coded else column
    stripped = cells.str.strip()
    missing = stripped.isin(MISSING)
    if missing.any():
        rest = cells[~missing]
        rest = rest.iloc[:: max(1, len(rest) // 1000)]
        words = odd_cells(rest) | rest.str.match(PADDED).to_numpy(dtype=bool)
        named = not len(rest) or (words.mean() > _FEW_ODD and np.mean([not is_time(cell) for cell in rest[:50]]) > 0.5)
        missing = stripped == "" if named else missing
    if not missing.any():
        return column
    return column.cat.remove_categories(cells[missing]) if coded else column.mask(missing)
