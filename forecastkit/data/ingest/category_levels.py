"""Levels of categories: matched by their text, since files give the same level as a number or as text."""

from numbers import Real

import numpy as np
import pandas as pd

from forecastkit.data.schema import WHERE
from forecastkit.utils.exceptions import DataWarning
from forecastkit.utils.validation import first_few
from forecastkit.utils.warn import warn_user


def level_codes(column: pd.Series, levels: tuple) -> np.ndarray:
    """Return the index of each cell's level, -1 for missing cells and unknown levels.

    Cells are compared as they are, then by their text: 0, 0.0 and ``'0'`` are one level, so are True and ``'True'``.
    that are none of these are warned of, with the number of their rows.
    """
    codes = pd.Index(levels).get_indexer(pd.Index(column))
    unmatched = np.flatnonzero((codes < 0) & column.notna().to_numpy())
    if not len(unmatched):
        return codes
    cells = column.iloc[unmatched].astype(object)
    places = {level_text(level): place for place, level in reversed(list(enumerate(levels)))}
    distinct = {cell: places.get(level_text(cell), -1) for cell in cells.unique()}
    codes[unmatched] = cells.map(distinct).to_numpy()
    unseen = [cell for cell, place in distinct.items() if place < 0]
    if unseen:
        rows = int((codes[unmatched] < 0).sum())
        what = f"{rows} row{'s' * (rows != 1)} of {column.name!r} with {'a level' if len(unseen) == 1 else 'levels'}"
        warn_user(f"{WHERE}: {what} not seen at fit: {first_few(map(repr, unseen))}; taken as unknown.", DataWarning)
    return codes


def level_text(level: object) -> str:
    """Return the text of a level, which is the same for whole numbers of any type."""
    if isinstance(level, (bool, np.bool_)):
        return str(bool(level))
    if isinstance(level, Real):
        return str(int(level)) if float(level).is_integer() else repr(float(level))
    text = str(level).strip()
    try:
        number = float(text)
    except ValueError:
        return text
    digits = text.removeprefix("-")
    leading_zero = digits[:1] == "0" and digits[1:2] not in ("", ".")  # 007 is another name than 7
    return level_text(number) if digits.replace(".", "", 1).isdigit() and not leading_zero else text
