"""Locate rows (series, timestamp) in error messages."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecastkit.utils.validation import first_few


@dataclass(frozen=True)
class Places:
    """The series and the time of every row.

    Parameters
    ----------
    entity : ndarray of shape (rows,)
        Number of each row's series.
    ids : tuple
        Names of the series; None where there is one without a name.
    timestamps : Index, optional
        Without times rows are named by their position.
    """

    entity: np.ndarray
    ids: tuple
    timestamps: pd.Index | None = None

    def first(self) -> np.ndarray:
        """Where each series begins, for rows that follow each other by series."""
        return np.flatnonzero(np.append(True, self.entity[1:] != self.entity[:-1]))

    def name(self, row: int) -> str:
        """One row in words: ``'a' at 2024-01-01 00:00:00``."""
        series = self.ids[self.entity[row]] if self.entity[row] >= 0 else None
        where = f"row {row}" if self.timestamps is None else f"{'' if series is None else 'at '}{self.timestamps[row]}"
        return where if series is None else f"{series!r} {where if self.timestamps is not None else f'in {where}'}"

    def first_few(self, bad: np.ndarray) -> str:
        """The first of the rows where `bad` is true, and how many more there are."""
        rows = np.flatnonzero(bad)
        return first_few([self.name(row) for row in rows[:3]] + [*rows[3:]])

    def count(self, bad: np.ndarray, one: str, many: str) -> str:
        """Their number and the first ones: ``2 that do not: 'a' at ..., 'b' at ...``."""
        number = int(np.count_nonzero(bad))
        return f"{number} {one if number == 1 else many}: {self.first_few(bad)}"
