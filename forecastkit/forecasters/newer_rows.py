"""Newer rows of a fitted forecaster: added to its history, and learned."""

from dataclasses import replace
from typing import TYPE_CHECKING, Self

import numpy as np

from forecastkit.data.panel import Panel, spread
from forecastkit.forecasters.model import FitContext
from forecastkit.preprocessing.moments import (
    FAR,
    FAR_FROM_OTHERS,
    BrokenReadings,
    Moments,
    warn_broken,
    warn_of_faults,
)
from forecastkit.uncertainty.residuals import trained_until
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.types import Data
from forecastkit.utils.validation import check_choice, check_real, refuse
from forecastkit.utils.warn import warn_user

if TYPE_CHECKING:
    from forecastkit.forecasters.base import Forecaster


#: What `partial_fit` of a network trains.
TRAINED = ("all", "head")


class Updating:
    """Mixin: `update` and `partial_fit`."""

    def update(self, X: Data, y: Data | None = None) -> Self:
        """Add newer rows to the history without training; known rows are replaced and counted.

        Returns
        -------
        self
            With ``n_replaced_``, the number of rows known before.
        """
        self._check_is_fitted()
        merged, self.n_replaced_, revised = self._merge(X, y)
        self._take_history(merged, self.n_revised_ + revised)
        return self

    def _merge(self, X, y) -> tuple[Panel, int, int]:
        """Return the history with newer rows, the number of replaced rows, and that of changed training rows.

        Slots of resampled rows that were known before are replaced by what the newer rows alone make of them: a
        warning. Faults among the newer rows are missing in it, with a warning.
        """
        from forecastkit.data.ingest.read_panel import read_more  # here: a stored history is not read

        newer = read_more(self.schema_, self.history_.grid, X, y, follow=self.history_)
        if self.history_is_tail_:
            _refuse_rows_before(f"{type(self).__name__}.update", self.history_, newer)
        merged, replaced = self.history_.merge(newer)
        if replaced and self.schema_.resample not in (None, "nearest"):
            warn_user(
                f"{type(self).__name__}: {replaced} slots of the history are replaced by what the rows given now make "
                "of them. Give all rows of a slot."
            )
        merged = without_newer_faults(type(self).__name__, self, merged)
        return merged, replaced, _count_revised(self.history_, newer, self.trained_until_)

    def _take_history(self, history: Panel, n_revised: int) -> None:
        """Set the rows from which forecasts start, and the number of training rows that they change."""
        if "nonnegative_" in vars(self):  # newer rows may lie beyond the default bounds
            target = self.scaler_.without_faults(history).target
            self.nonnegative_ = self.nonnegative_ & ~(target < 0).any(axis=0)
        self.history_, self.n_revised_ = history, n_revised
        vars(self).pop("missing_steps_", None)

    def partial_fit(self, X: Data, y: Data | None = None) -> Self:
        """Add newer rows to the history and continue training; scales and sizes stay. The first call is a `fit`.

        A loaded forecaster continues training on these rows and those stored in its file.

        Parameters
        ----------
        X, y
            As in `fit`; known rows are replaced.

        Returns
        -------
        self

        Raises
        ------
        InputError
            As in `fit`, and if a loaded forecaster has too few rows to continue training; it is then unchanged.
        """
        return self._partial_fit(X, y)

    def _partial_fit(self, X, y, **training) -> Self:
        """As `partial_fit`, with fields of the `FitContext` that control training."""
        if not hasattr(self, "history_"):
            return self.fit(X, y)
        self._check_parameters()
        kept = int(self.history_.lengths.max())
        with self._restored():
            self.update(X, y)
            stop = self.history_.last_observed() + 1
            if self.history_is_tail_:
                self._check_rows_to_train(kept)
            warn_broken(type(self).__name__, self.history_, self.schema_.target, self.trained_until_)
            context = FitContext(self.history_, stop, stop, **training)
            try:
                self._continue_fit(context)
            finally:
                self._release(context)
        return self

    def _continue_fit(self, context: FitContext) -> None:
        """Continue training on all rows before ``context.stop``; new series are scaled by their own rows."""
        panel, stop = context.panel, context.stop
        self.scaler_ = self.scaler_.extended(panel, stop).with_faults_masked(panel, stop)
        self._check_targets(self.scaler_.without_faults(panel))
        self._train_on(context)
        self.trained_until_, self.n_revised_ = panel.cutoffs(), 0

    def _check_rows_to_train(self, kept: int) -> None:
        """Refuse to continue training on too few rows, of which `kept` were stored with the model."""
        where, needed = f"{type(self).__name__}.partial_fit", self._rows_to_train()
        rows = int((self.history_.last_observed() + 1 - self.history_.indptr[:-1]).max())
        if needed == np.inf:
            got = f"only the last {kept} that are kept with the model"
            refuse(where, "continued training needs all rows of the fit", got, "Fit afresh.")
        if rows < needed:
            rule = f"continued training needs {needed} rows of a series"
            got = f"{rows}, {kept} of them kept with the model, which lacks {needed - rows}"
            refuse(where, rule, got, "Give more of the latest rows, or fit afresh.")


class FineTuning:
    """Mixin: `partial_fit` of forecasters around a network."""

    def partial_fit(
        self, X: Data, y: Data | None = None, *, learning_rate: float | None = None, train: str = "all"
    ) -> Self:
        """Add newer rows to the history and continue training; scales and sizes stay. The first call is a `fit`.

        A loaded forecaster continues training on these rows and those stored in its file.

        Parameters
        ----------
        X, y
            As in `fit`; known rows are replaced.
        learning_rate : float, optional
            Peak of the learning rate schedule; by default 0.3 times that of `fit`.
        train : {'all', 'head'}
            Whether all weights are trained, or only those of the last layers, after the backbone.

        Returns
        -------
        self

        Raises
        ------
        InputError
            As in `fit`, if a loaded forecaster has too few rows to continue training, and if layers would be frozen
            before they were trained; the forecaster is then unchanged.
        """
        where = f"{type(self).__name__}.partial_fit"
        check_choice(where, "train", train, TRAINED)
        check_real(where, "learning_rate", learning_rate, 1e-12, 10.0, optional=True)
        if not hasattr(self, "history_") and (train != "all" or learning_rate is not None):
            rule = "learning_rate= and train= are for forecasters that are fitted"
            refuse(where, rule, "one that is not", "Call fit first.", ParameterError)
        return self._partial_fit(X, y, learning_rate=learning_rate, train=train)


def _refuse_rows_before(where: str, history: Panel, newer: Panel) -> None:
    """Refuse a known series whose rows all lie before those that are kept: forecasts would not change."""
    place = history.places(newer.ids)
    early = np.flatnonzero((place >= 0) & (newer.ends < history.start[place]))
    if len(early):
        e = early[0]
        name = "" if newer.ids[e] is None else f" of {newer.ids[e]!r}"
        ordinals = np.array([history.start[place[e]], newer.ends[e], history.cutoffs()[place[e]]])
        first, last, cutoff = history.grid.timestamps(ordinals)
        rule = f"rows{name} must lie at or after {first}, the first one kept"
        refuse(where, rule, f"rows up to {last}", f"Give rows after {cutoff}, the latest one.")


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
