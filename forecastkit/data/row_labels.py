"""Labels of rows (series, timestamp) in error messages, and refusals of invalid targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecastkit.utils.arrays import map_rows
from forecastkit.utils.validation import first_few, refuse

if TYPE_CHECKING:
    from forecastkit.data.panel import Panel

#: Largest count that float64 distinguishes from its neighbours.
MAX_COUNT = 2.0**53


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


def refuse_targets(where: str, rule: str, wrong: np.ndarray, panel: Panel, names: tuple, remedy: str) -> None:
    """Refuse the target cells where `wrong` (rows, C) is true; `names` are the target names."""
    rows, channels = np.nonzero(wrong)
    if not len(rows):
        return
    first = [name_cell(panel, names, row, channel) for row, channel in zip(rows[:3], channels[:3], strict=True)]
    refuse(where, rule, first_few([*first, *rows[3:]]), remedy)


def name_cell(panel: Panel, names: tuple, row: int, channel: int) -> str:
    """Return a description of a target cell: value, column, series and time."""
    entity = np.searchsorted(panel.indptr, row, side="right") - 1
    stamp = panel.grid.timestamps(panel.ordinal_at(np.array([entity]), np.array([row])))[0]
    column = f" in {names[channel]!r}" if panel.channels > 1 else ""
    series = "" if panel.ids[entity] is None else f" of {panel.ids[entity]!r}"
    return f"{panel.target[row, channel]:g}{column}{series} at {stamp}"


def check_support(where: str, loss: str, head, panel: Panel, names: tuple) -> None:
    """Refuse targets outside the support of the distribution of a head."""
    most = MAX_COUNT if head.counts else np.inf
    wrong = map_rows(
        lambda target: (target < head.smallest) | (target > most) | (head.counts & (target % 1 > 0)), panel.target
    )
    values = f"whole numbers from 0 to {MAX_COUNT:.1e}" if head.counts else "values above 0"
    refuse_targets(where, f"loss={loss!r} is for {values}", wrong, panel, names, "Pass another loss=.")
