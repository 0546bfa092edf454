"""Prediction methods of a fitted forecaster: points, quantiles, samples, long frames, scores."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from forecastkit.data import output_frames
from forecastkit.data.panel import Panel, check_observed
from forecastkit.data.windows import Origins
from forecastkit.forecasters.future_rows import (
    Rows,
    check_known_ahead,
    forecast_recursively,
    read_rows_to_forecast,
    requested_levels,
    steps_until,
    values_at,
    warn_blank,
)
from forecastkit.forecasters.model import Model
from forecastkit.forecasters.newer_rows import without_newer_faults
from forecastkit.forecasters.other_history import name_other
from forecastkit.uncertainty.conformal import MAX_LATEST
from forecastkit.uncertainty.forecasts import CalibratedForecast, Forecast, OriginResiduals, clipped
from forecastkit.uncertainty.residuals import draw_ranks, trained_until
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.mixins import Exportable, Plottable
from forecastkit.utils.types import Data, Seed
from forecastkit.utils.validation import check_int, check_levels, draw_seed, refuse
from forecastkit.utils.warn import warn_user

#: Learned attributes that are not saved.
NOT_SAVED = ("pending_scores_", "fit_data_", "history_is_tail_", "n_revised_")
#: Warn when rows lie more than this many horizons ahead.
FAR = 4


class Predicting(Model, Plottable, Exportable):
    """Mixin: predict, forecast, sample and score of a fitted forecaster."""

    _cross_validates = True  # whether a second fit is made for residuals where there is no validation window

    def _rows_needed(self, panel: Panel) -> int | None:
        """Rows of the panel's past that predicting needs, also for its intervals; None for all."""
        memory, local = self._memory(panel), self.local_scale_
        if memory is None:
            return None
        if self.calibrate == "rolling":
            memory += self.horizon_ + MAX_LATEST
        return memory if local is None else max(memory, local.width + local.lag)

    def _forecast_at(self, panel: Panel, origins: Origins) -> Forecast:
        """Return the forecast of `_unclipped_at` within the bounds of the series."""
        return clipped(self._unclipped_at(panel, origins), *self._bounds_at(panel, origins))

    def _unclipped_at(self, panel: Panel, origins: Origins) -> Forecast:
        """Return the model's forecast with the quantiles of its residuals and corrections."""
        residuals = OriginResiduals(self, panel, origins)
        forecast = self._forecast(panel, origins).completed(residuals, self.quantile_levels)
        return CalibratedForecast(forecast, residuals) if self.calibrate else forecast

    def _check_is_fitted(self):
        if not hasattr(self, "history_"):
            from sklearn.utils.validation import check_is_fitted  # here: its import takes longer than a forecast

            check_is_fitted(self, "history_")

    def _adapted(self, panel, stop):
        """Return the forecaster, or a copy with the scales of new series from their rows before `stop`."""
        scaler = self.scaler_.extended(panel, stop)
        if scaler is self.scaler_:
            return self
        other = copy.copy(self)
        other.scaler_ = scaler
        return other

    def predict(
        self,
        X: Data | None = None,
        *,
        history: Data | None = None,
        quantile_levels: Sequence[float] | None = None,
        coverage: float | None = None,
        until: Any = None,
    ) -> Any:
        """Forecast the next `horizon` steps, or the rows of `X`.

        Parameters
        ----------
        X : array, Series or frame, optional
            Rows to forecast: times, series and future covariates; target and past values are ignored. Rows beyond the
            horizon are forecast recursively (points only); times inside the history get one-step fitted values; arrays
            follow the history. Missing future covariates are masked with a warning; a series without any value of one
            in its rows is refused.
        history : array, Series, frame, or (X, y), optional
            Other or newer series to forecast instead of those of the fit, without training.
        quantile_levels : list of float, optional
            Returns columns ``q0.1`` and so on instead of the point forecast.
        coverage : float, optional
            Returns columns ``forecast``, ``lower`` and ``upper``: the point forecast and the central interval.
        until : 'common' or label, optional
            Without X, how far to forecast series that end at different times. 'common' is a horizon after the latest
            cutoff, a label is a time of the grid; every series is forecast from its cutoff, beyond the horizon
            recursively (points only). By default a horizon for each.

        Returns
        -------
        array, Series or frame
            With y at fit: one value per row of X, in its order. Otherwise in the form of the data at fit. If future
            covariates in the history end before the horizon, only the rows with covariates, with a warning.
        """
        self._check_is_fitted()
        levels, names = requested_levels(type(self).__name__, quantile_levels, coverage)
        rows, panel, model = self._rows_to_forecast(X, history, until)
        values = values_at(model, panel, rows, levels)
        columns = {name: values[..., i - len(names)] for i, name in enumerate(names)}
        if self.schema_.supervised:
            self._warn_far(rows, panel)
            self._warn_inside(rows, panel)
            return output_frames.format_rows(self.schema_, columns, X, len(rows.entity))
        return output_frames.format_like_input(self.schema_, panel, rows.entity, rows.ordinal, columns)

    def _rows_to_forecast(self, X, history, until=None):
        """Return the rows to forecast, the panel of their histories, and the forecaster with their scales."""
        where = type(self).__name__
        panel = self.history_ if history is None else self._read_history(history)
        if X is None:
            steps = steps_until(where, panel, until, self.horizon_)
            rows = Rows.after(self.schema_, panel, check_known_ahead(where, self.schema_, panel, steps))
        else:
            if until is not None:
                refuse(where, "either X or until can be given", "both", error=ParameterError)
            if isinstance(X, Real):
                remedy = "Pass until= or horizon= for another number of steps."
                refuse(where, "X must be rows to forecast", repr(X), remedy, error=ParameterError)
            rows, panel = read_rows_to_forecast(where, self.schema_, panel, X, self._rows_kept(panel))
            warn_blank(where, self.schema_, panel, rows)
        return rows, *self._ready(panel, history)

    def _ready(self, panel, history):
        """Return the panel to forecast, and the forecaster with the scales of its series."""
        if history is not None:
            panel = name_other(panel, self.history_, self.lookback_ + self.horizon_)
            panel = without_newer_faults(type(self).__name__, self, panel)
        return panel, self._adapted(panel, panel.last_observed() + 1)

    def _warn_far(self, rows, panel):
        """Warn of rows far beyond the horizon."""
        ahead = int((rows.ordinal - panel.cutoffs()[rows.entity]).max(initial=0))
        if ahead > FAR * self.horizon_:
            warn_user(
                f"{type(self).__name__}: rows reach {ahead} steps ahead, the horizon is {self.horizon_}: from there on "
                f"forecasts are made from forecasts. Fit a longer horizon=, or cross-validate with "
                f"RollingOrigin({self.horizon_}) or TimeSeriesSplit(test_size={self.horizon_})."
            )

    def _warn_inside(self, rows, panel, scored=False):
        """Warn of rows inside the time span of the fit: all of them if scored, else those without a target."""
        inside = (rows.ordinal <= trained_until(self, panel)[rows.entity]) & (rows.ordinal >= panel.start[rows.entity])
        if not scored:
            at = np.where(inside, panel.row_at(rows.entity, rows.ordinal), 0)
            inside &= np.isnan(panel.target[at]).all(axis=1)
        if inside.any():
            warn_user(
                f"{type(self).__name__}: {int(inside.sum())} of {len(inside)} rows lie inside the time span that was "
                "fitted on. They get one-step fitted values, which see the rows just before them, so their error says "
                f"nothing of forecasts. Split by time, with RollingOrigin({self.horizon_}) or "
                f"TimeSeriesSplit(test_size={self.horizon_}), not at random.",
            )

    def _read_history(self, history):
        from forecastkit.data.ingest.read_panel import read_more  # here: a stored history is not read

        X, y = history if isinstance(history, tuple) else (history, None)
        if self.schema_.supervised and y is None:
            rule = "a forecaster fitted on X and y needs history=(X, y)"
            refuse("history", rule, "X alone", error=ParameterError)
        panel = read_more(self.schema_, self.history_.grid, X, y, remembered=self.history_)
        check_observed(type(self).__name__, self.schema_, panel)
        return panel

    def forecast(
        self,
        X: Data | None = None,
        *,
        history: Data | None = None,
        quantile_levels: Sequence[float] | None = None,
        until: Any = None,
    ) -> Any:
        """Forecast the next `horizon` steps of every series as a long frame.

        Parameters
        ----------
        X, history
            As in `predict`.
        quantile_levels : list of float, optional
            By default those of the constructor, else 0.1, 0.5 and 0.9; none beyond the horizon.
        until : 'common' or label, optional
            As in `predict`, but it can be combined with X.

        Returns
        -------
        DataFrame
            Columns ``[series_id,] time, [target,] cutoff, step, forecast`` and quantiles, under the user's own names
            of series and time. Where known covariates end before the last step, the steps that they reach, with a
            warning.
        """
        self._check_is_fitted()
        where = type(self).__name__
        panel = self.history_ if history is None else self._read_history(history)
        if X is not None:
            panel = read_rows_to_forecast(where, self.schema_, panel, X, self._rows_kept(panel))[1]
        steps = check_known_ahead(where, self.schema_, panel, steps_until(where, panel, until, self.horizon_))
        levels = quantile_levels
        if levels is None and steps.max() > self.horizon_:
            levels = ()
        elif levels is not None:
            levels = check_levels(where, levels) if len(levels) else ()
        panel, model = self._ready(panel, history)
        return output_frames.from_pandas(model._long_ahead(panel, steps, levels), self.schema_.library)

    def _long_ahead(self, panel, steps, levels):
        """Return forecasts of the next ``steps[e]`` steps of every series as a long frame."""
        origins = Origins.every_channel(np.arange(len(panel.ids)), panel.last_observed(), panel.channels)
        longest = int(steps.max())
        if longest <= self.horizon_:
            frame, longest = self._long(panel, origins, levels), self.horizon_
        else:
            points = forecast_recursively(self, panel, longest, levels or None)[..., 0].reshape(len(origins), longest)
            frame = output_frames.long_frame(panel, self.schema_, origins, points, {})
        return self._occurring(frame, panel, steps, longest)

    def _occurring(self, frame, panel, steps, longest):
        """Return the rows of the first ``steps[e]`` of `longest` steps, at times at which their series occur."""
        if (steps == longest).all() and not self.schema_.weeks:
            return frame
        rows = Rows.after(self.schema_, panel, steps)
        kept = np.zeros((len(panel.ids), longest), dtype=bool)
        kept[rows.entity, rows.ordinal - panel.cutoffs()[rows.entity] - 1] = True
        kept = np.repeat(kept, len(frame) // kept.size, axis=0).ravel()
        return frame[kept].reset_index(drop=True)

    def _long(self, panel, origins, levels):
        """Return forecasts from these origins as a long frame, with quantiles at `levels` or the model's own."""
        forecast = self._forecast_at(panel, origins)
        levels = check_levels("forecast", forecast.shown_levels) if levels is None and forecast.shown_levels else levels
        quantiles = {}
        if levels:
            values = forecast.quantiles(levels)
            quantiles = {output_frames.level_name(level): values[..., i] for i, level in enumerate(levels)}
        return output_frames.long_frame(panel, self.schema_, origins, forecast.point(), quantiles)

    def sample(
        self, n: int = 100, X: Data | None = None, *, history: Data | None = None, random_state: Seed | None = None
    ) -> Any:
        """Draw sample paths of the next `horizon` steps, with the dependence between steps of past errors.

        Parameters
        ----------
        n : int
            Number of paths per series and target.
        X, history
            As in `predict`; X contains future covariates.
        random_state : int, RandomState or None

        Returns
        -------
        DataFrame
            Long: ``[series_id,] time, [target,] cutoff, step, path, forecast``.

        References
        ----------
        Clark et al. (2004), "The Schaake shuffle", Journal of Hydrometeorology 5: a path takes at every step the
        quantile whose level is the rank of a past error at that step, all of one validation window.
        """
        self._check_is_fitted()
        check_int("sample", "n", n)
        where = type(self).__name__
        panel = self.history_ if history is None else self._read_history(history)
        if X is not None:
            panel = read_rows_to_forecast(where, self.schema_, panel, X, self._rows_kept(panel))[1]
        steps = check_known_ahead(where, self.schema_, panel, self.horizon_)
        panel, model = self._ready(panel, history)
        origins = Origins.every_channel(np.arange(len(panel.ids)), panel.last_observed(), panel.channels)
        rng = np.random.default_rng(draw_seed(random_state))
        paths = () if self.paths_ is None else self.paths_
        ranks = draw_ranks(paths, (len(origins), n, self.horizon_), rng)
        values = model._forecast_at(panel, origins).sample(ranks)
        number = np.tile(np.repeat(np.arange(n), self.horizon_), len(origins))
        repeated = origins[np.repeat(np.arange(len(origins)), n)]
        frame = output_frames.long_frame(panel, self.schema_, repeated, values.reshape(-1, self.horizon_), {})
        frame.insert(frame.columns.get_loc("forecast"), "path", number)
        frame = self._occurring(frame, panel, steps, self.horizon_)
        return output_frames.from_pandas(frame, self.schema_.library)

    @property
    def cutoff_(self) -> Any:
        """Time of the last observed row: one value, or a Series by series identifier."""
        if not hasattr(self, "history_"):
            raise AttributeError("cutoff_ exists after fit")
        timestamps = output_frames.timestamps_at(self.history_, self.history_.cutoffs())
        if not self.schema_.is_panel:
            return timestamps.tolist()[0]
        index = output_frames.series_index(self.schema_, self.history_.ids)
        return timestamps.to_series(index=index).rename(self.schema_.time_name)

    def future_frame(self, steps: int | None = None, *, until: Any = None, history: Data | None = None) -> Any:
        """Return the keys (series and time) of the next rows, to be filled with future covariates.

        Parameters
        ----------
        steps : int, optional
            Number of rows after the cutoff of each series; by default the horizon.
        until : 'common' or label, optional
            The last time instead of `steps`, as in `predict`.
        history
            As in `predict`.

        Returns
        -------
        DataFrame
            With empty future covariates, in the form for `predict`.
        """
        self._check_is_fitted()
        check_int("future_frame", "steps", steps, optional=True)
        if steps is not None and until is not None:
            refuse("future_frame", "either steps or until can be given", "both", error=ParameterError)
        panel = self.history_ if history is None else self._read_history(history)
        steps = steps_until("future_frame", panel, until, steps or self.horizon_)
        rows = Rows.after(self.schema_, panel, steps)
        return output_frames.empty_frame(self.schema_, panel, rows.entity, rows.ordinal)

    def score(self, X: Data, y: Data | None = None, sample_weight: ArrayLike | None = None) -> float:
        """Return the R2 of forecasts of the rows of X that have a target; the mean over several targets."""
        from sklearn.metrics import r2_score

        self._check_is_fitted()
        rows, panel, model = self._rows_to_forecast(X, None)
        truth = self._targets_of(X, rows, panel) if y is None else np.asarray(y, dtype="float64")
        if self.schema_.supervised:
            self._warn_far(rows, panel)
        self._warn_inside(rows, panel, scored=True)
        predicted = values_at(model, panel, rows)[..., 0]
        truth, predicted = truth.reshape(len(truth), -1), predicted.reshape(len(predicted), -1)
        rows = ~np.isnan(truth).any(axis=1)
        weight = None if sample_weight is None else np.asarray(sample_weight)[rows]
        return r2_score(truth[rows], predicted[rows], sample_weight=weight)

    def _targets_of(self, X, rows, panel):
        """Return the targets of the rows of X, in their order."""
        from forecastkit.data.ingest.read_panel import read_more

        given = read_more(self.schema_, self.history_.grid, X, follow=self.history_)
        entity = given.places(panel.ids)[rows.entity]
        return given.target[given.row_at(entity, rows.ordinal)].astype("float64")

    @property
    def feature_names_in_(self) -> np.ndarray:
        """Column names of X at `fit`, if it was a frame and all its names are strings."""
        columns = self.schema_.columns if hasattr(self, "schema_") else ()
        if not columns or not all(isinstance(name, str) for name in columns):
            raise AttributeError("feature_names_in_ exists after a fit on a frame with columns named by text")
        return np.asarray(columns, dtype=object)

    def _with_fit_data(self, panel, weight):
        """Replace the data from which scores and residuals are computed on demand."""
        if vars(self).get("fit_data_") is not None:
            self.fit_data_ = replace(self.fit_data_, panel=panel, weight=weight)
        if vars(self).get("pending_scores_") is not None and self.pending_scores_.data is not None:
            self.pending_scores_ = replace(
                self.pending_scores_, data=replace(self.pending_scores_.data, panel=panel, weight=weight)
            )

    @property
    def scores_(self) -> dict:
        """Scores on the validation block; the linear reference is fitted when they are first read."""
        if "scores_" not in vars(self):
            if not hasattr(self, "history_"):
                raise AttributeError("scores_ exists after fit")
            scores = vars(self).get("pending_scores_")
            vars(self)["scores_"] = {} if scores is None else scores.to_dict()
        return vars(self)["scores_"]

    @scores_.setter
    def scores_(self, scores: dict) -> None:
        vars(self)["scores_"] = scores
