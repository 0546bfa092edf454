"""Detection of the decimal and thousands separators of a table from all its columns, and conversion to numbers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from forecastkit.data.files.number_cells import (
    GAPS,
    OPEN_GROUP,
    Cells,
    all_match,
    any_match,
    is_currency,
)
from forecastkit.utils.validation import refuse

_INTEGER = r"^[+-]?\d{1,18}$"
_SMALL = r"^(?:0|[1-9]\d{0,2})$"


@dataclass(frozen=True, eq=False)
class Numbers:
    """A column of parsed numbers.

    Attributes
    ----------
    values : pandas.Series
        int64 or float64, with the index and the name of the cells; missing cells are NaN.
    sentence : str
        Removed units and separators, such as ``"in €"`` or ``"thousands '.'"``; empty for plain numbers.
    """

    values: pd.Series
    sentence: str = ""


def find_decimal(where: str, columns: Mapping[str, Cells], separator: str) -> tuple[str, str]:
    """Return the decimal separator of a table, empty if no column determines it, and a note if columns differ.

    Raises
    ------
    InputError
        If a column has two separators, or is ambiguous and the other columns differ.
    """
    read = {name: cells for name, cells in columns.items() if cells.bodies is not None}
    proofs: dict[str, str] = {}
    for name, cells in read.items():
        for sign in cells.proves:
            proofs.setdefault(sign, name)
    if len(proofs) == 2:
        signs = f"',' in {proofs[',']!r} and '.' in {proofs['.']!r}"
        both = [name for name, cells in read.items() if len(cells.proves) == 2]
        either = [name for name, cells in read.items() if not cells.proves and any_match(cells.bodies, r"[.,]")]
        if both or either:
            rule = f"the numbers of column {(both or either)[0]!r} must have one decimal separator"
            refuse(where, rule, signs, "Write all numbers alike.")
        return "", f"decimal {signs}"
    if proofs:
        return next(iter(proofs)), ""
    meant = {_meaning(cells, separator) for cells in read.values()} - {""}
    return (meant.pop() if len(meant) == 1 else ""), ""


def _meaning(cells: Cells, separator: str) -> str:
    """Return the decimal separator suggested by cells such as ``1.234``; empty if it is ambiguous."""
    if not len(cells.bodies):
        return ""
    bodies = pc.replace_substring_regex(cells.bodies, r"^[+-]", "")
    sign = "," if any_match(bodies, ",") else "." if any_match(bodies, r"\.") else ""
    if not sign:
        return ""
    other = {",": ".", ".": ","}[sign]
    if cells.unit and not all(map(is_currency, cells.unit.removeprefix("in ").split())) and sign == ".":
        return "."
    money = cells.unit.startswith("in ") and all(map(is_currency, cells.unit.removeprefix("in ").split()))
    if money and all_match(bodies, OPEN_GROUP):  # amounts have two decimals or none
        return other
    signed = pc.match_substring_regex(bodies, OPEN_GROUP)
    whole = bodies.filter(pc.invert(signed))
    if len(whole):  # 998, 999, 1.000: a fraction would not have three digits in some cells and none in others
        return other if all_match(whole, _SMALL) else sign
    if sign == ".":
        return "."
    return {",": ".", ";": ","}.get(separator, "")


def to_numbers(cells: Cells, decimal: str, separator: str) -> Numbers | None:
    """Return the numbers of a column given the decimal separator of the table, which is empty if unknown."""
    bodies = cells.bodies
    if not len(bodies):
        return Numbers(_filled(cells, np.zeros(0)))
    if cells.numbers is not None and (cells.numbers.dtype.kind == "i" or "." in (decimal, *cells.proves)):
        return Numbers(_filled(cells, cells.numbers))
    signed = any_match(bodies, r"[.,]")
    if signed and not decimal:
        decimal = next(iter(cells.proves), "") or _meaning(cells, separator)
        if not decimal:
            return None
    thousands = pc.any(
        pc.match_substring_regex(bodies, rf"[{GAPS}]|\{ {',': '.', '.': ','}.get(decimal, '.') }")
    ).as_py()
    grouped = bodies
    if thousands:
        bodies = pc.replace_substring_regex(bodies, rf"[{GAPS}]|\{ {',': '.', '.': ','}[decimal or '.'] }", "")
    if decimal == ",":
        bodies = pc.replace_substring(bodies, ",", ".")
    if cells.powers is not None:
        bodies = pc.binary_join_element_wise(bodies, cells.powers, pa.scalar("", bodies.type))
    whole = all_match(bodies, _INTEGER)
    numbers = pc.cast(pc.replace_substring_regex(bodies, r"^\+", ""), pa.int64() if whole else pa.float64()).to_numpy()
    scaled = numbers * cells.factor if np.ndim(cells.factor) else numbers
    if whole and np.ndim(cells.factor) and (scaled == np.round(scaled)).all():
        scaled = scaled.astype("int64")
    said = [f"thousands {_mark(grouped, decimal)!r}"] if thousands else []
    return Numbers(_filled(cells, scaled), ", ".join(filter(None, [*said, cells.unit])))


def _filled(cells: Cells, numbers: np.ndarray) -> pd.Series:
    """Return the numbers at the rows that have one, NaN elsewhere."""
    if cells.missing.any():
        full = np.full(len(cells.missing), np.nan)
        full[~cells.missing] = numbers
        numbers = full
    return pd.Series(numbers, index=cells.values.index, name=cells.values.name)


def _mark(bodies: pa.Array, decimal: str) -> str:
    """Return the thousands separator."""
    for sign in (",", ".", "'", "’", " "):
        if sign != decimal and any_match(bodies, re.escape(sign)):
            return sign
    return " "
