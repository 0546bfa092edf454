"""Newer rows of a fitted forecaster: merged with its history, and checked to be enough to train on."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from forecastkit.data.panel import Panel, spread
from forecastkit.preprocessing.broken_readings import FAR, FAR_FROM_OTHERS, BrokenReadings, warn_of_faults
from forecastkit.preprocessing.moments import Moments
from forecastkit.uncertainty.residuals import trained_until
from forecastkit.utils.types import Data
from forecastkit.utils.validation import refuse
from forecastkit.utils.warn import warn_user

if TYPE_CHECKING:
    from forecastkit.forecasters.base import Forecaster


def merge_newer(forecaster: "Forecaster", X: Data, y: Data | None) -> tuple[Panel, int, int]:
    """Return the history with newer rows, the number of replaced rows, and that of changed training rows.

    Slots of resampled rows that were known before are replaced by what the newer rows alone make of them: a warning.
    Faults among the newer rows are missing in it, with a warning.
    """
    from forecastkit.data.ingest.read_panel import read_more  # here: a stored history is not read

    schema, history = forecaster.schema_, forecaster.history_
    newer = read_more(schema, history.grid, X, y, follow=history)
    merged, replaced = history.merge(newer)
    if replaced and schema.resample not in (None, "nearest"):
        warn_user(
            f"{type(forecaster).__name__}: {replaced} slots of the history are replaced by what the rows given now "
            "make of them. Give all rows of a slot."
        )
    merged = without_newer_faults(type(forecaster).__name__, forecaster, merged)
    return merged, replaced, _count_revised(history, newer, forecaster.trained_until_)


def without_newer_faults(where: str, forecaster: "Forecaster", panel: Panel) -> Panel:
    """Return the panel with faults replaced by NaN, and warn of the new ones.

    Rows after those of the fit are compared with the values of the fit, and series without any with their own values.
    """
    scaler, names = forecaster.scaler_, forecaster.schema_.target
    panel, everywhere = scaler.without_faults(panel), np.arange(len(panel.ids))
    faults = scaler.newer_faults(panel, trained_until(forecaster, panel))
    warn_of_faults(where, panel, names, faults, f"more than {FAR:g} times as far from the mean as any value of the fit")
    panel = faults.blanked(panel, everywhere)
    new = np.flatnonzero(scaler.places(panel) < 0)
    if not len(new):
        return panel
    rows = panel.take(new)
    faults = BrokenReadings.find(rows, Moments.of(rows.target, rows.indptr))
    warn_of_faults(where, rows, names, faults, FAR_FROM_OTHERS)
    return replace(faults, entity=new[faults.entity]).blanked(panel, everywhere)


def check_rows_to_train(where: str, history: Panel, kept: int, needed: float) -> None:
    """Refuse to continue training on too few stored rows.

    Parameters
    ----------
    where : str
    history : Panel
        The rows kept in the file of the model, and the newer ones.
    kept : int
        Rows that were kept.
    needed : float
        Rows of a series that training needs; infinite where it needs all rows of the fit.
    """
    rows = int((history.last_observed() + 1 - history.indptr[:-1]).max())
    if needed == np.inf:
        got = f"only the last {kept} that are kept with the model"
        refuse(where, "training on needs all rows of the fit", got, "Fit afresh.")
    if rows < needed:
        rule = f"training on needs {needed} rows of a series without those that are not kept"
        got = f"{rows}, {kept} of them kept with the model, which lacks {needed - rows}"
        refuse(where, rule, got, "Give more of the latest rows, or fit afresh.")


def _count_revised(history: Panel, newer: Panel, until: np.ndarray) -> int:
    """Return the number of rows up to the ordinals `until` (E,) whose targets newer rows change."""
    at = history.places(newer.ids)
    entity, place = spread(newer.lengths)
    ordinal, own = newer.start[entity] + place, at[entity]
    known = np.flatnonzero((own >= 0) & (own < len(until)))
    own, ordinal = own[known], ordinal[known]
    inside = (ordinal <= until[own]) & (ordinal >= history.start[own]) & (ordinal <= history.ends[own])
    given = newer.target[known[inside]]
    before = history.target[history.row_at(own[inside], ordinal[inside])]
    return int((~np.isnan(given) & (given != before)).any(axis=1).sum())
