"""Labels of rows (series, timestamp) for error messages."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecastkit.utils.validation import first_few


@dataclass(frozen=True)
class Places:
    """Series and time of every row.

    Parameters
    ----------
    entity : ndarray of shape (rows,)
        Number of each row's series.
    ids : tuple
        Series identifiers; None for a single unnamed series.
    timestamps : Index, optional
        Without timestamps rows are identified by their position.
    """

    entity: np.ndarray
    ids: tuple
    timestamps: pd.Index | None = None

    def first(self) -> np.ndarray:
        """Return the first row of each series, for rows sorted by series."""
        return np.flatnonzero(np.append(True, self.entity[1:] != self.entity[:-1]))

    def name(self, row: int) -> str:
        """Return the label of a row: ``'a' at 2024-01-01 00:00:00``."""
        series = self.ids[self.entity[row]] if self.entity[row] >= 0 else None
        where = f"row {row}" if self.timestamps is None else f"{'' if series is None else 'at '}{self.timestamps[row]}"
        return where if series is None else f"{series!r} {where if self.timestamps is not None else f'in {where}'}"

    def first_few(self, bad: np.ndarray) -> str:
        """Return the labels of the first rows where `bad` is True, and the number of further rows."""
        rows = np.flatnonzero(bad)
        return first_few([self.name(row) for row in rows[:3]] + [*rows[3:]])

    def count(self, bad: np.ndarray, one: str, many: str) -> str:
        """Return the number of rows and the labels of the first ones: ``2 duplicates: 'a' at ..., 'b' at ...``."""
        number = int(np.count_nonzero(bad))
        return f"{number} {one if number == 1 else many}: {self.first_few(bad)}"
