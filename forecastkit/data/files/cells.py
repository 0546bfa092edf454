"""Invalid cells of a column, as error messages show them."""

import numpy as np
import pandas as pd

from forecastkit.utils.validation import first_few

ANY_TIME = "every cell must be a time, such as 2024-01-31 13:00"


def show_cells(values: pd.Series, bad: np.ndarray) -> str:
    """Return the first invalid cells with their row numbers, counted from 1."""
    rows = np.flatnonzero(bad)
    cells = ["blank" if pd.isna(cell) else repr(_short(str(cell))) for cell in values.iloc[rows[:3]]]
    return first_few([f"{cell} in row {row + 1}" for cell, row in zip(cells, rows, strict=False)] + [*rows[3:]])


def _short(cell: str) -> str:
    return cell if len(cell) <= 60 else cell[:57] + "..."
