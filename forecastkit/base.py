"""The contract that every forecaster keeps: fit, predict, forecast, update, score, save."""

import warnings
from dataclasses import dataclass, replace

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from forecastkit import closed_form, frames
from forecastkit.checks import InputError, ParameterError, check_int, check_levels, check_real, refuse, some
from forecastkit.door import Schema, open_door, read_more, read_rows
from forecastkit.features import calendar_names
from forecastkit.intervals import ResidualQuantiles, interpolate_quantiles
from forecastkit.panel import Panel, spread
from forecastkit.scaling import Scaler
from forecastkit.windows import Origins, Windows

#: Validation windows that residual quantiles and validation scores are taken from, at most.
MOST_JUDGED = 20_000
SHOWN_LEVELS = (0.1, 0.5, 0.9)


@dataclass(kw_only=True, eq=False, repr=False)
class Forecaster(RegressorMixin, BaseEstimator):
    """Base of all forecasters. Constructor parameters are stored as they are and checked by `fit`.

    Parameters
    ----------
    horizon : int, optional
        Steps forecast at once. Default: one season of the frequency, else 1.
    lookback : int, optional
        Steps of the past that a forecast sees. Default: three of the longest season or three horizons, at most a
        quarter of the data.
    target : str or list of str, optional
        Columns of X to forecast when there is no y. Default: all without another role.
    time, series_id : str, optional
        Columns or index levels that hold the time and the series' name.
    known, past, static : str or list of str, optional
        Covariates known ahead, known up to the cutoff only, and constant within a series.
    freq : str, optional
        Pandas alias of the frequency. Default: found from the times.
    season_length : int, optional
        Steps of the main season. Default: that of the frequency.
    validation_size : int or float
        Last time steps of every series (or their fraction) that training is stopped by and intervals are taken from.
    quantile_levels : list of float, optional
        Levels that `predict` and `forecast` give; networks are trained for them.

    Attributes
    ----------
    horizon_, lookback_, season_length_ : int
        The sizes in use.
    history_ : Panel
        What forecasts start from; `update` adds to it.
    cutoff_ : timestamp or int, or Series of them by series
        Time of the last observed row.
    scores_ : dict
        Mean absolute errors on the validation block, of this forecaster, the seasonal naive and the linear one, and
        the skill against both.
    """

    horizon: int | None = None
    lookback: int | None = None
    target: object = None
    time: str | None = None
    series_id: str | None = None
    known: object = None
    past: object = None
    static: object = None
    freq: str | None = None
    season_length: int | None = None
    validation_size: float = 0.2
    quantile_levels: object = None

    # ------------------------------------------------------------------------------------------ fit

    def fit(self, X, y=None):
        """Fit afresh.

        Parameters
        ----------
        X : array, Series or frame
            Alone: the series themselves, rows in time. With `y`: covariates known ahead, row by row.
        y : array, Series or frame, optional
            Target or targets of the same rows.

        Returns
        -------
        self

        Raises
        ------
        InputError
            Where data or parameters break a rule; the sentence says which, where, and what to do.
        """
        self._check_parameters()
        panel, schema = open_door(
            X,
            y,
            target=self.target,
            time=self.time,
            series_id=self.series_id,
            known=self.known,
            past=self.past,
            static=self.static,
            freq=self.freq,
        )
        return self._fit_panel(panel.copy(), schema)

    def _fit_panel(self, panel: Panel, schema: Schema, finish: bool = True):
        """Fit on a panel that is ours: sizes, split, model, calibration, and at the `finish` the last rows."""
        self.schema_, self.history_ = schema, panel
        self.trained_until_ = self._cutoff_ordinals(panel)
        self.n_features_in_ = len(schema.known + schema.past) if schema.supervised else len(schema.target)
        stop = panel.last_observed() + 1
        self._choose_sizes(panel, stop)
        split = self._split(panel, stop)
        self.scaler_ = Scaler.fit(panel, split, self.horizon_, calendar_names(panel.grid))
        try:
            self._fit(panel, split, stop)
        finally:
            # An interrupted training still leaves a forecaster that works.
            if self._is_trained():
                self._calibrate(panel, split, stop)
        if finish:
            self._finish(panel, split, stop)
        return self

    def _check_parameters(self):
        where = type(self).__name__
        check_int(where, "horizon", self.horizon, optional=True)
        check_int(where, "lookback", self.lookback, optional=True)
        check_int(where, "season_length", self.season_length, optional=True)
        if self.quantile_levels is not None:
            check_levels(where, self.quantile_levels)
        if isinstance(self.validation_size, (int, np.integer)) and not isinstance(self.validation_size, bool):
            check_int(where, "validation_size", self.validation_size, low=0)
        else:
            check_real(where, "validation_size", self.validation_size, 0.0, 0.9)

    def _choose_sizes(self, panel, stop):
        lengths = stop - panel.indptr[:-1]
        seasons = panel.grid.seasons
        self.season_length_ = int(self.season_length or seasons[0])
        self.horizon_ = int(self.horizon or (self.season_length_ if self.season_length_ > 1 else 1))
        where, longest = type(self).__name__, int(lengths.max())
        empty = [panel.ids[e] for e in np.flatnonzero(lengths <= 0)]
        if empty or longest <= 0:
            refuse(
                where,
                "every series must have an observed target",
                f"none in {some(map(repr, empty)) if panel.ids[0] is not None else 'the data'}",
                "All its cells are missing.",
            )
        if longest < self.horizon_ + 2:
            refuse(
                where,
                f"a series must have at least horizon + 2 = {self.horizon_ + 2} rows",
                f"{longest} rows",
                "Pass a shorter horizon= or more rows.",
            )
        self.lookback_ = self._choose_lookback(longest, max(self.season_length_, *seasons))

    def _choose_lookback(self, longest, season):
        if self.lookback is None:
            wanted = max(3 * season if season > 1 else 0, 3 * self.horizon_)
            return self._round_lookback(int(np.clip(wanted, 1, max(longest // 4, 1))))
        most = longest - self.horizon_
        if self.lookback > most:
            warnings.warn(
                f"{type(self).__name__}: {longest} rows leave {most} for the lookback beside a horizon of "
                f"{self.horizon_}; lookback {self.lookback} is shortened to {most}.",
                UserWarning,
                stacklevel=5,
            )
        return min(int(self.lookback), most)

    def _round_lookback(self, lookback: int) -> int:
        """A lookback chosen by us, made to fit the architecture."""
        return lookback

    def _split(self, panel, stop):
        """First validation row of each series; series too short for a training window beside it only train."""
        lengths = stop - panel.indptr[:-1]
        if not self.validation_size:
            return stop
        whole = isinstance(self.validation_size, (int, np.integer))
        size = np.full(len(lengths), self.validation_size) if whole else (self.validation_size * lengths).astype(int)
        size = np.maximum(size, self.horizon_)
        return np.where(lengths - size > self.horizon_, stop - size, stop)

    def _fit(self, panel: Panel, split: np.ndarray, stop: np.ndarray):
        """Learn from the rows before ``split``, judging by those from ``split`` to ``stop``."""

    def _finish(self, panel: Panel, split: np.ndarray, stop: np.ndarray):
        """Use the validation rows too, once everything is judged."""

    def _is_trained(self) -> bool:
        return True

    # ------------------------------------------------------------------------------------------ calibration

    def _judged(self, panel, split, stop, most=MOST_JUDGED) -> Origins:
        return Windows.validation(panel, split, stop, self.horizon_).spaced(most)

    def _calibrate(self, panel, split, stop):
        """Residual quantiles and scores on the validation block, in units of each series' scale."""
        judged = self._judged(panel, split, stop)
        self.scores_, self.residuals_ = {}, None
        held_out = len(judged) > 0
        if not held_out:
            judged = Windows.training(panel, stop, self.lookback_, self.horizon_).spaced(MOST_JUDGED)
        scale = self._scale(panel, judged)
        actual = observed_after(panel, judged, self.horizon_)
        own = self._points(self._forecast(panel, judged))
        residuals = (actual - own) / scale[:, None]
        if np.isnan(residuals).all():
            return
        self.residuals_ = ResidualQuantiles.fit(by_series(residuals, judged, panel))
        if held_out:
            self.scores_ = self._score_against_references(panel, split, judged, actual, own)

    def _score_against_references(self, panel, split, judged, actual, own):
        """Validation errors beside the seasonal naive's and the linear forecast's, on the same windows."""
        naive = closed_form.seasonal_naive(panel, judged, self.horizon_, self.season_length_)
        references = {"seasonal_naive": naive, "linear": self._linear_reference(panel, split, judged)}
        scale = self._scale(panel, judged)[:, None]
        scores = {"mae": float(np.nanmean(np.abs(actual - own) / scale))}
        for name, forecast in references.items():
            error = np.nanmean(np.abs(actual - forecast) / scale)
            scores[f"mae_{name}"] = float(error)
            scores[f"skill_{name}"] = float(1 - scores["mae"] / error) if error > 0 else 0.0
        scores["windows"] = len(judged)
        return scores

    def _linear_reference(self, panel, split, judged):
        buffers = self.scaler_.buffers(panel, self.lookback_, self.horizon_)
        windows = Windows.training(panel, split, self.lookback_, self.horizon_)
        ridge = closed_form.Ridge.fit(buffers, windows, judged, self.lookback_, self.horizon_)
        return self.scaler_.restore(ridge.predict(buffers, judged), panel, judged)

    def _scale(self, panel, origins):
        scale = self.scaler_.moments(panel).scale[origins.entity, origins.channel]
        return np.where(scale > 0, scale, 1.0)

    # ------------------------------------------------------------------------------------------ forecasts

    def _forecast(self, panel: Panel, origins: Origins) -> np.ndarray:
        """Forecasts (n, horizon, outputs) in the user's units; looks at no row after an origin but known covariates.

        One output is the point; several are the quantiles at ``trained_levels_``.
        """
        raise NotImplementedError

    @property
    def _trained_levels(self):
        return getattr(self, "trained_levels_", None)

    def _points(self, forecast):
        """The point of each step, (n, horizon): the output itself, or the median of the trained quantiles."""
        levels = self._trained_levels
        if levels is None:
            return forecast[..., 0]
        nearest = min(max(0.5, levels[0]), levels[-1])
        return interpolate_quantiles(forecast, levels, (nearest,))[..., 0]

    def _quantiles(self, panel, origins, forecast, levels):
        """Quantiles (n, horizon, len(levels)): of the head, or the point with the residuals' quantiles."""
        if self._trained_levels is not None:
            return interpolate_quantiles(forecast, self._trained_levels, levels)
        if self.residuals_ is None:
            refuse(type(self).__name__, "quantiles need residuals to learn from", "none", "Give more rows.")
        place = {name: e for e, name in enumerate(self.scaler_.ids)}
        entity = np.array([place.get(name, -1) for name in panel.ids])[origins.entity]
        series = np.where(entity < 0, -1, entity * panel.channels + origins.channel)
        distinct, at = np.unique(series, return_inverse=True)
        apart = self.residuals_.at(levels, distinct)[at] * self._scale(panel, origins)[:, None, None]
        return self._points(forecast)[..., None] + apart

    def predict(self, X=None, *, history=None, quantile_levels=None, coverage=None):
        """Forecast the next `horizon` steps, or the rows of `X`.

        Parameters
        ----------
        X : array, Series or frame, optional
            Rows to forecast: their times, series and known covariates; target and past cells are ignored. Rows beyond
            the horizon are rolled forward (points only); times inside the history get one-step fitted values; arrays
            always follow the history.
        history : array, Series, frame, or (X, y), optional
            Other or newer series to forecast instead of the remembered ones, without training.
        quantile_levels : list of float, optional
            Gives columns ``q0.1`` and so on instead of the point.
        coverage : float, optional
            Gives columns ``lower`` and ``upper`` of the central interval instead.

        Returns
        -------
        array, Series or frame
            With y at fit: one value per row of X, in its order. Else the kind of data seen at fit.
        """
        check_is_fitted(self, "history_")
        levels, names = self._asked(quantile_levels, coverage)
        panel = self._history(history)
        entity, ordinal, panel = self._rows_asked(X, panel)
        columns = self._values_at(panel, entity, ordinal, levels, names)
        if not self.schema_.supervised:
            return frames.dress(self.schema_, panel, entity, ordinal, columns)
        if levels is None:
            return columns["forecast"][:, 0] if self.schema_.flat else columns["forecast"]
        return frames._wide(self.schema_, columns, False, getattr(X, "index", np.arange(len(entity))))

    def _asked(self, quantile_levels, coverage):
        """Levels to give and the names of their columns; (None, None) for points."""
        where = type(self).__name__
        if coverage is not None:
            if quantile_levels is not None:
                refuse(where, "either quantile_levels or coverage can be asked for", "both", error=ParameterError)
            check_real(where, "coverage", coverage, 1e-9, 1 - 1e-9)
            return ((1 - coverage) / 2, (1 + coverage) / 2), ("lower", "upper")
        levels = quantile_levels
        if levels is None:
            return None, None
        levels = check_levels(where, levels)
        return levels, tuple(frames.level_name(level) for level in levels)

    def _history(self, history) -> Panel:
        if history is None:
            return self.history_
        X, y = history if isinstance(history, tuple) else (history, None)
        if self.schema_.supervised and y is None:
            refuse("history", "a forecaster fitted on X and y needs history=(X, y)", "X alone", error=ParameterError)
        return read_more(self.schema_, self.history_.grid, X, y)

    def _rows_asked(self, X, panel):
        """Entity and ordinal of every row to forecast, and the panel with what is known about them."""
        cutoff = self._cutoff_ordinals(panel)
        if X is None:
            if self.schema_.known:
                lacking = self._known_ahead(panel) < self.horizon_
                if lacking.any():
                    span = frames._stamps(
                        panel, np.array([cutoff[lacking].min() + 1, cutoff[lacking].max() + self.horizon_])
                    )
                    refuse(
                        type(self).__name__,
                        f"known covariates {some(self.schema_.known)} are needed from {span[0]} to {span[1]}",
                        "no rows",
                        "Fill future_frame() and pass it to predict.",
                    )
            entity = np.repeat(np.arange(len(panel.ids)), self.horizon_)
            return entity, cutoff[entity] + np.tile(np.arange(1, self.horizon_ + 1), len(panel.ids)), panel
        table = read_rows(self.schema_, *_pandas(X), future=True)
        place = {name: e for e, name in enumerate(panel.ids)}
        unknown = [name for name in table.ids if name not in place]
        if unknown:
            refuse(
                "predict", "every series must have a history", f"none for {some(map(repr, unknown))}", "Pass history=."
            )
        entity = np.array([place[name] for name in table.ids])[table.entity]
        if table.stamps is None:
            _, after = spread(np.bincount(entity, minlength=len(panel.ids)))
            order = np.argsort(entity, kind="stable")
            rank = np.empty(len(entity), dtype="int64")
            rank[order] = after
            ordinal = cutoff[entity] + 1 + rank
        else:
            ordinal, fits = panel.grid.ordinals(table.stamps)
            if not fits.all():
                refuse(
                    "predict",
                    f"times must lie on the grid seen at fit ({panel.grid.name})",
                    f"{some(table.stamps[~fits])}",
                )
        if self.schema_.known:
            panel = self._with_known(panel, table, entity, ordinal)
        return entity, ordinal, panel

    def _with_known(self, panel, table, entity, ordinal):
        """The panel with the known covariates of the rows asked for laid over it."""
        reach = int(np.max(ordinal - panel.ends[entity], initial=0))
        panel = panel.pad(max(reach, 0))
        rows = panel.row_at(entity, ordinal)
        inside = ordinal >= panel.start[entity]
        known = panel.known.copy()
        given = table.known[inside]
        known[rows[inside]] = np.where(np.isnan(given), known[rows[inside]], given)
        return replace(panel, known=known)

    def _known_ahead(self, panel):
        """Steps after the cutoff that have known covariates, per entity."""
        stop = panel.last_observed() + 1
        return panel.indptr[1:] - stop

    def _cutoff_ordinals(self, panel):
        return panel.start + panel.last_observed() - panel.indptr[:-1]

    def _values_at(self, panel, entity, ordinal, levels, names):
        """Columns (rows, C) of the forecasts at these entities and ordinals."""
        ahead = ordinal - self._cutoff_ordinals(panel)[entity]
        names = names or ("forecast",)
        out = {name: np.full((len(entity), panel.channels), np.nan) for name in names}
        if (future := ahead >= 1).any():
            if levels is not None and ahead.max() > self.horizon_:
                refuse(
                    type(self).__name__, f"quantiles reach {self.horizon_} steps, the horizon", f"{ahead.max()} steps"
                )
            values = self._roll(panel, int(ahead.max()), levels)
            for i, name in enumerate(names):
                out[name][future] = values[entity[future], :, ahead[future] - 1, i]
        if not future.all():
            fitted = self._fitted(panel, entity[~future], ordinal[~future], levels)
            for i, name in enumerate(names):
                out[name][~future] = fitted[..., i]
        return out

    def _roll(self, panel, steps, levels):
        """Forecasts (E, C, steps, levels) from the end of the history, a horizon at a time."""
        parts, entities = [], np.arange(len(panel.ids))
        last = panel.last_observed()
        while True:
            origins = Origins.every_channel(entities, last, panel.channels)
            forecast = self._forecast(panel, origins)
            points = self._points(forecast)
            values = points[..., None] if levels is None else self._quantiles(panel, origins, forecast, levels)
            parts.append(values.reshape(len(entities), panel.channels, self.horizon_, -1))
            if len(parts) * self.horizon_ >= steps:
                return np.concatenate(parts, axis=2)[:, :, :steps]
            panel, last = self._append(panel, last, points)

    def _append(self, panel, last, points):
        """The panel with point forecasts as if they had been observed."""
        short = int(np.max(last + 1 + self.horizon_ - panel.indptr[1:], initial=0))
        gone = last - panel.indptr[:-1]
        panel = panel.pad(max(short, 0))
        last = panel.indptr[:-1] + gone
        target = panel.target.astype("float64")
        rows = last[:, None] + np.arange(1, self.horizon_ + 1)
        target[rows] = points.reshape(len(last), panel.channels, self.horizon_).transpose(0, 2, 1)
        return replace(panel, target=target), last + self.horizon_

    def _fitted(self, panel, entity, ordinal, levels):
        """One-step forecasts (rows, C, levels) of times inside the history."""
        row = panel.row_at(entity, ordinal) - 1
        early = ordinal < panel.start[entity]
        if early.any():
            refuse(
                "predict",
                "rows to forecast must not lie before the history",
                f"{some(frames._stamps(panel, ordinal[early]))}",
            )
        origins = Origins.every_channel(entity, row, panel.channels)
        forecast = self._forecast(panel, origins)
        values = (
            self._points(forecast)[..., None] if levels is None else self._quantiles(panel, origins, forecast, levels)
        )
        return values[:, 0].reshape(len(entity), panel.channels, -1)

    def forecast(self, X=None, *, history=None, quantile_levels=None):
        """The next `horizon` steps of every series as a long frame.

        Parameters
        ----------
        X, history
            As `predict` takes them.
        quantile_levels : list of float, optional
            Default: those asked for at construction, else 0.1, 0.5 and 0.9.

        Returns
        -------
        DataFrame
            Columns ``[series_id,] time, [target,] cutoff, step, forecast`` and quantiles, under the user's own names
            of series and time.
        """
        check_is_fitted(self, "history_")
        panel = self._history(history)
        _, _, panel = self._rows_asked(X, panel)
        origins = Origins.every_channel(np.arange(len(panel.ids)), panel.last_observed(), panel.channels)
        return self._long(panel, origins, levels=quantile_levels)

    def _long(self, panel, origins, actual=False, levels=None):
        forecast = self._forecast(panel, origins)
        levels = self.quantile_levels if levels is None else levels
        levels = self._shown_levels() if levels is None else check_levels(type(self).__name__, levels)
        quantiles = {}
        if levels:
            values = self._quantiles(panel, origins, forecast, levels)
            quantiles = {frames.level_name(level): values[..., i] for i, level in enumerate(levels)}
        frame = frames.long_frame(panel, self.schema_, origins, self._points(forecast), quantiles, actual)
        return frame

    def _shown_levels(self):
        if self._trained_levels is not None:
            return self._trained_levels
        return SHOWN_LEVELS if self.residuals_ is not None else ()

    # ------------------------------------------------------------------------------------------ the rest

    @property
    def cutoff_(self):
        """Time of the last observed row: one value, or a Series by series where there are several."""
        if not hasattr(self, "history_"):
            raise AttributeError("cutoff_ exists after fit")
        stamps = frames._stamps(self.history_, self._cutoff_ordinals(self.history_))
        if not self.schema_.is_panel:
            return stamps[0]
        return stamps.to_series(index=list(self.history_.ids)).rename(self.schema_.time_name)

    def update(self, X, y=None):
        """Add newer rows to the history, without training; rows already known are replaced, and counted.

        Returns
        -------
        self
            With ``n_replaced_``, the number of rows known before.
        """
        check_is_fitted(self, "history_")
        follow = int(self._cutoff_ordinals(self.history_).max()) + 1
        newer = read_more(self.schema_, self.history_.grid, X, y, extend_from=follow)
        self.history_, self.n_replaced_ = self.history_.merge(newer)
        return self

    def future_frame(self, steps: int | None = None):
        """The keys (series and time) of the next `steps` rows, to be filled with known covariates.

        Returns
        -------
        DataFrame
            With the known columns empty, in the form that `predict` takes.
        """
        import pandas as pd

        check_is_fitted(self, "history_")
        check_int("future_frame", "steps", steps, optional=True)
        steps = steps or self.horizon_
        panel, schema = self.history_, self.schema_
        entity = np.repeat(np.arange(len(panel.ids)), steps)
        ordinal = self._cutoff_ordinals(panel)[entity] + np.tile(np.arange(1, steps + 1), len(panel.ids))
        stamps = frames._stamps(panel, ordinal)
        known = {name: np.nan for name in schema.known}
        keys = {schema.series_id: frames._labels(panel.ids, entity)} if schema.is_panel else {}
        if schema.indexed and not schema.is_panel:
            return pd.DataFrame(known, index=stamps.rename(schema.time), columns=list(schema.known))
        frame = pd.DataFrame({**keys, schema.time_name: stamps}).assign(**known)
        return frame.set_index([*keys, schema.time_name]) if schema.indexed and schema.time is not None else frame

    def score(self, X, y=None, sample_weight=None):
        """R2 of the forecasts of rows of X (or of its own targets) that have a y; the mean over several targets."""
        from sklearn.metrics import r2_score

        check_is_fitted(self, "history_")
        if y is None:
            actual = read_more(
                self.schema_, self.history_.grid, X, extend_from=int(self._cutoff_ordinals(self.history_).max()) + 1
            )
            entity, _ = spread(actual.lengths)
            place = {name: e for e, name in enumerate(self.history_.ids)}
            entity = np.array([place.get(name, -1) for name in actual.ids])[entity]
            truth = actual.target
            predicted = self._values_at(self._rows_asked(X, self.history_)[2], entity, actual.ordinals(), None, None)[
                "forecast"
            ]
        else:
            truth, predicted = np.asarray(y, dtype="float64"), np.asarray(self.predict(X))
        truth, predicted = truth.reshape(len(truth), -1), predicted.reshape(len(truth), -1)
        rows = ~np.isnan(truth).any(axis=1)
        weight = None if sample_weight is None else np.asarray(sample_weight)[rows]
        return r2_score(truth[rows], predicted[rows], sample_weight=weight)

    def save(self, path):
        """Write everything that predicting needs to one file (a zip without pickles); see `forecastkit.load`.

        Parameters
        ----------
        path : str or path
        """
        from forecastkit.artifact import save

        check_is_fitted(self, "history_")
        save(self, path)

    def _state(self) -> dict:
        """What `fit` learned, for the artifact: all that ends in ``_``, of the history what predicting needs."""
        learned = {name: value for name, value in vars(self).items() if name.endswith("_")}
        return {**learned, "history_": self._tail()}

    def _set_state(self, learned: dict):
        """Take what `_state` gave."""
        vars(self).update((name, value) for name, value in learned.items() if name.endswith("_"))

    def _tail(self) -> Panel:
        """The history without the rows that predicting never looks at."""
        panel, memory = self.history_, self._memory()
        if memory is None:
            return panel
        # Series that came by `update` are scaled by their own history: it stays whole.
        known = set(self.scaler_.ids)
        scaled = np.array([name in known for name in panel.ids])
        first = np.where(scaled, panel.last_observed() + 1 - memory, panel.indptr[:-1])
        return panel.between(first, panel.indptr[1:])

    def _memory(self) -> int | None:
        """Rows of the past that predicting needs; None for all."""
        return None


def _pandas(X):
    from forecastkit.door import to_pandas

    return (to_pandas(X)[0],)


def observed_after(panel: Panel, origins: Origins, horizon: int) -> np.ndarray:
    """What was observed at each step after the origins, (n, horizon), NaN where nothing."""
    rows = origins.row[:, None] + np.arange(1, horizon + 1)
    inside = rows < panel.indptr[origins.entity + 1][:, None]
    values = panel.target[np.minimum(rows, panel.rows - 1), origins.channel[:, None]].astype("float64")
    return np.where(inside, values, np.nan)


def by_series(values: np.ndarray, origins: Origins, panel: Panel) -> np.ndarray:
    """Values (n, horizon) of origins as (windows, series, horizon), NaN where a series has fewer windows."""
    series = origins.entity * panel.channels + origins.channel
    order = np.argsort(series, kind="stable")
    counts = np.bincount(series, minlength=len(panel.ids) * panel.channels)
    _, place = spread(counts)
    out = np.full((int(counts.max()), len(counts), values.shape[1]), np.nan)
    out[place, series[order]] = values[order]
    return out
