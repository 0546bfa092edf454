"""Forecasters whose closed-form regressions train on without the rows that they were fitted on."""

from dataclasses import replace

import numpy as np

from forecastkit.data.panel import Panel
from forecastkit.data.windows import Windows
from forecastkit.forecasters.base import Forecaster
from forecastkit.forecasters.linear_recipes import LinearPart
from forecastkit.utils.warn import warn_user


class RegressionLearner(Forecaster):
    """Base of forecasters with regressions of the horizon on the window.

    A regression keeps sums over its windows. Training on adds the windows that end in newer rows, in memory and after
    loading alike; rows whose values have changed since are learned again where all rows are there.

    Attributes
    ----------
    learned_until_ : ndarray of int
        Ordinal of the last row of each series that the sums hold.
    """

    @property
    def _regressed(self) -> int:
        """Return the number of steps that the regressions forecast."""
        return self.horizon_

    def _regressions(self) -> list[LinearPart]:
        """Return the regressions with their scales."""
        raise NotImplementedError

    def _set_regressions(self, parts: list[LinearPart]) -> None:
        """Replace the regressions."""
        raise NotImplementedError

    def _most(self, parts: list) -> int | None:
        """Return the largest number of training windows of each regression."""

    def _solve_again(self, context, scaled) -> None:
        """Solve again on all rows, in the units that `scaled` returns for each regression."""
        parts, panel, stop = [], context.panel, context.stop
        for part in self._regressions():
            scaler, buffers = scaled(part)
            windows = Windows.training(panel, stop, len(part.ridge.weights), self._regressed)
            ridge = part.ridge.refit(buffers, windows, self._most(self._regressions()))
            parts.append(replace(part, scaler=scaler, ridge=ridge))
        self._set_regressions(parts)
        self.learned_until_ = _last_ordinals(panel, stop)

    def _train_on(self, context):
        panel, stop = context.panel, context.stop
        if self.n_revised_ and self.history_is_tail_ and self._regressions():
            warn_user(
                f"{type(self).__name__}: {self.n_revised_} training rows have other values now; the earlier ones still "
                "count, because the rows of the fit are not stored with a saved model. Fit again on all rows."
            )
        if not self._hold_sums() or (self.n_revised_ and not self.history_is_tail_):
            self._solve_again(context, lambda part: self._scaled_on(part, panel, stop))
            return
        parts = []
        for part in self._regressions():
            scaler, buffers = self._scaled_on(part, panel, stop)
            windows = self._newer_windows(panel, stop, len(part.ridge.weights))
            parts.append(replace(part, scaler=scaler, ridge=part.ridge.extended(buffers, windows)))
        self._set_regressions(parts)
        self.learned_until_ = _last_ordinals(panel, stop)

    def _hold_sums(self) -> bool:
        """Return whether all regressions hold sums to which windows can be added."""
        return all(part.ridge.statistics is not None for part in self._regressions())

    def _scaled_on(self, part, panel, stop):
        """Return the scaler of a regression, extended by new series, and the panel in its units."""
        scaler = part.scaler.extended(panel, stop).with_faults_masked(panel, stop)
        return scaler, scaler.buffers(panel, self.lookback_, self._regressed)

    def _newer_windows(self, panel: Panel, stop: np.ndarray, lookback: int) -> Windows:
        """Return the training windows that end in rows which the sums do not contain."""
        windows = Windows.training(panel, stop, lookback, self._regressed)
        first, held = windows.first.copy(), np.arange(len(self.learned_until_))
        learned = panel.row_at(held, self.learned_until_)
        first[held] = np.maximum(first[held], learned + 1 - self._regressed)
        return Windows(first, stop - self._regressed, panel.channels)

    def _state(self):
        state = super()._state()
        if hasattr(self, "learned_until_") and self._regressions() and self._hold_sums():
            state |= self._up_to_date()
        return state

    def _up_to_date(self) -> dict:
        """Return the regressions with sums over all rows so far, because the rows are not saved; coefficients stay.

        Series that `update` has brought are saved as a whole, and are learned by `partial_fit`.
        """
        panel, count = self.history_, len(self.learned_until_)
        stop, afresh = panel.last_observed() + 1, self.n_revised_ and not self.history_is_tail_
        if not afresh and np.array_equal(_last_ordinals(panel, stop)[:count], self.learned_until_):
            return {}
        parts = []
        for part in self._regressions():
            lookback = len(part.ridge.weights)
            if afresh:
                windows = Windows.training(panel, stop, lookback, self._regressed)
            else:
                windows = self._newer_windows(panel, stop, lookback)
            windows = Windows(windows.first[:count], stop[:count] - self._regressed, panel.channels)
            buffers = self._scaled_on(part, panel, stop)[1]
            if afresh:
                statistics = part.ridge.refit(buffers, windows, self._most(self._regressions())).statistics
                ridge = replace(part.ridge, statistics=statistics)
            else:
                ridge = replace(part.ridge, statistics=part.ridge.sums_with(buffers, windows))
            parts.append(replace(part, ridge=ridge))
        kept = self._regressions()
        self._set_regressions(parts)
        learned = {name: value for name, value in vars(self).items() if name in ("parts_", "ridge_")}
        self._set_regressions(kept)
        return {**learned, "learned_until_": _last_ordinals(panel, stop)[:count]}

    def _rows_kept(self, panel):
        """Return the rows that a forecast needs, and at least those of windows that end in the next row."""
        needed = self._rows_needed(panel)
        return needed if needed is None else max(needed, self.lookback_ + self._regressed)

    def _rows_to_train(self):
        return 0 if self._hold_sums() else np.inf


def _last_ordinals(panel, stop):
    return panel.start + stop - 1 - panel.indptr[:-1]
