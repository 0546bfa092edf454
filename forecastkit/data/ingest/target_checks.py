"""Refuses target values that a model is not made for, each by its series and time."""

import numpy as np

from forecastkit.data.array_storage import map_rows
from forecastkit.data.panel import Panel
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import first_few, refuse

#: Counts up to here are told from their neighbours in float64.
MOST_COUNT = 2.0**53


def refuse_targets(where: str, rule: str, wrong: np.ndarray, panel: Panel, names: tuple, remedy: str) -> None:
    """Refuse the cells of the targets where `wrong` (rows, C) is true, if any; `names` are those of the targets."""
    rows, channels = np.nonzero(wrong)
    if not len(rows):
        return
    first = [name_cell(panel, names, row, channel) for row, channel in zip(rows[:3], channels[:3], strict=True)]
    refuse(where, rule, first_few([*first, *rows[3:]]), remedy, ParameterError)


def name_cell(panel: Panel, names: tuple, row: int, channel: int) -> str:
    """A cell of the targets in words: its value, column, series and time."""
    entity = np.searchsorted(panel.indptr, row, side="right") - 1
    stamp = panel.grid.timestamps(panel.ordinal_at(np.array([entity]), np.array([row])))[0]
    column = f" in {names[channel]!r}" if panel.channels > 1 else ""
    series = "" if panel.ids[entity] is None else f" of {panel.ids[entity]!r}"
    return f"{panel.target[row, channel]:g}{column}{series} at {stamp}"


def check_support(where: str, loss: str, head, panel: Panel, names: tuple) -> None:
    """Refuse targets that the distribution cannot give."""
    if not head.distribution:
        return
    most = MOST_COUNT if head.counts else np.inf
    wrong = map_rows(
        lambda target: (target < head.smallest) | (target > most) | (head.counts & (target % 1 > 0)), panel.target
    )
    values = f"whole numbers from 0 to {MOST_COUNT:.1e}" if head.counts else "values above 0"
    refuse_targets(where, f"loss={loss!r} is for {values}", wrong, panel, names, "Pass another loss=.")
