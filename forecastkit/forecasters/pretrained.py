"""The pre-trained forecaster: a small network with packaged weights, which forecasts without training."""

import os
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from forecastkit.baselines.ridge import Ridge
from forecastkit.data.array_storage import safe_units
from forecastkit.data.panel import Panel
from forecastkit.data.sizes import validation_start
from forecastkit.data.windows import Origins, Windows, crop
from forecastkit.forecasters.linear_recipes import LinearPart
from forecastkit.forecasters.regression_learner import RegressionLearner
from forecastkit.preprocessing.broken_readings import BrokenReadings
from forecastkit.preprocessing.moments import Moments
from forecastkit.pretrained.candidates import Context
from forecastkit.pretrained.forward import LEVELS, forward
from forecastkit.pretrained.inputs import PLACES, context_width, make_inputs, trial_length, usable_second
from forecastkit.pretrained.seasons import find_season
from forecastkit.pretrained.weights import LATEST, VERSIONS, load_weights
from forecastkit.uncertainty.forecasts import SHOWN_LEVELS, QuantileForecast
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.types import Fourier, Path
from forecastkit.utils.validation import refuse

#: Forecasts made at a time, and windows below which no regression is fitted.
CHUNK, MIN_WINDOWS = 512, 4
#: Series of which a season is looked for where times say nothing of it.
MAX_SERIES = 20
#: Longer seasons that calendars have beside those of `Grid.seasons`: a year of days, and of business days.
YEARS = {7: 365, 5: 260}


@dataclass(kw_only=True, eq=False, repr=False)
class PretrainedForecaster(RegressionLearner):
    """A small network with packaged weights, pre-trained on synthetic series; TensorFlow is not needed.

    The network combines simple forecasts of a series (one to three seasons back, drifts, exponential smoothing, theta,
    autoregressions, and the closed-form linear regression of the data set) with weights that depend on the series, on
    their errors at earlier origins, and on the step. It adds a correction and the quantiles. `fit` only solves the
    linear regression, which takes well under a second for most tables.

    Parameters
    ----------
    weights : str or path
        A packaged version, or the path of a file written by ``python -m pretraining.train``.
    holidays : str, optional
        Country, or country and subdivision, whose holidays have a linear effect: 'DE', 'US-CA'. For steps of at most a
        day.
    fourier : int or dict, optional
        Fourier terms with a linear effect: number of sine and cosine pairs for every usual season, or by season length
        in steps, such as ``{365.25: 3}``.

    Attributes
    ----------
    trained_levels_ : tuple of float
        Quantile levels of the network, 0.01 to 0.99.
    ridge_ : Ridge or None
        The linear regression of the data set; None if there are too few rows.

    Notes
    -----
    Future covariates have a linear effect, which is removed before and restored after, as in `LinearForecaster`. Past
    and static covariates are not used. `lookback` is that of the linear regression. If rows have no times and
    `season_length` is not given, the season is inferred from the values (1 for none): see `season_length_`.

    References
    ----------
    Montero-Manso et al. (2020), "FFORMA: feature-based forecast model averaging", International Journal of Forecasting
    36. Dooley et al. (2023), "ForecastPFN: synthetically-trained zero-shot forecasting", NeurIPS.
    """

    weights: Path = LATEST
    holidays: str | None = None
    fourier: Fourier | None = None

    _most_validation_windows = 256

    def _check_parameters(self):
        super()._check_parameters()
        if not isinstance(self.weights, (str, os.PathLike)):
            rule = f"weights must be {' or '.join(map(repr, VERSIONS))} or the path of a file"
            refuse(type(self).__name__, rule, repr(self.weights), error=ParameterError)

    def _choose_sizes(self, panel, stop):
        super()._choose_sizes(panel, stop)
        if self.season_length is None and not panel.grid.is_time:
            split = validation_start(panel.indptr[:-1], stop, self.validation_size, self.horizon_)
            self.season_length_ = self._found_season(panel, split)
            if self.lookback is None:
                longest = int((stop - panel.indptr[:-1]).max())
                self.lookback_ = self._choose_lookback(longest, (self.season_length_,))

    def _found_season(self, panel, stop) -> int:
        """Return the season of the values before `stop`, inferred from a few of the longest series."""
        longest = np.sort(np.argsort(panel.indptr[:-1] - stop, kind="stable")[:MAX_SERIES])
        few = panel.between(panel.indptr[:-1], stop).take(longest)
        few = BrokenReadings.find(few, Moments.of(few.target, few.indptr)).blanked(few, np.arange(len(longest)))
        series = [values for first, end in pairwise(few.indptr) for values in few.target[first:end].T]
        return find_season([values / safe_units(np.nanmax(np.abs(values), initial=0.0)) for values in series])

    # ------------------------------------------------------------------------------------------------- learning

    def _fit(self, context):
        panel, split, stop = context.panel, context.split, context.stop
        arrays = load_weights(self.weights)
        # A file of the user's own travels with a saved model; a packaged version is named only.
        self.weights_ = None if self.weights in VERSIONS else arrays
        self.trained_levels_ = LEVELS
        self.second_season_ = self._second_season(panel.grid)
        self.ridge_ = None
        windows = Windows.training(panel, split, self.lookback_, self._regressed)
        if len(windows) >= MIN_WINDOWS:
            origins = self._validation(context, self._most_validation_windows)
            origins = origins[origins.row + self._regressed < stop[origins.entity]]
            buffers = context.buffers(self.scaler_, self.lookback_, self.horizon_)
            self.ridge_ = Ridge.fit(buffers, windows, origins, self.lookback_, self._regressed)

    def _second_season(self, grid) -> int:
        longer = [season for season in grid.seasons if season > self.season_length_]
        second = longer[0] if longer else YEARS.get(self.season_length_ if grid.is_time else 0, 0)
        return usable_second(self.season_length_, second)

    def _finish(self, context):
        self.scaler_ = self._scaler(context.panel, context.stop, self.scaler_.calendar, context.weight)
        buffers = context.buffers(self.scaler_, self.lookback_, self.horizon_)
        self._solve_again(context, lambda part: (self.scaler_, buffers))

    @property
    def _regressed(self):
        """Return the steps that the linear regression forecasts: the horizon, or longer for its earlier trials."""
        return max(self.horizon_, trial_length(self.season_length_))

    def _regressions(self):
        return [] if self.ridge_ is None else [LinearPart(self.scaler_, self.ridge_)]

    def _set_regressions(self, parts):
        if parts:
            self.scaler_, self.ridge_ = parts[0].scaler, parts[0].ridge

    # ---------------------------------------------------------------------------------------------- forecasting

    def _forecast(self, panel, origins):
        weights = self.weights_ or load_weights(self.weights)
        panel, origins = crop(panel, origins, self._memory(), self.horizon_)
        series = self._without_effects(self.scaler_.without_faults(panel))
        out = np.empty((len(origins), self.horizon_, len(LEVELS)))
        for low in range(0, len(origins), CHUNK):
            part = origins[low : low + CHUNK]
            values = self._latest(series, part)
            unit = safe_units(np.nanmax(np.abs(values), axis=1, initial=0.0))[:, None]
            ridge = [forecast / unit for forecast in self._linear_forecasts(panel, part)]
            context = Context(values / unit, self.season_length_, self.second_season_)
            inputs = make_inputs(context, self.horizon_, ridge)
            # Nothing says which way up a series is: the mean of both ways is more accurate than either.
            upright, mirrored = (
                given.restore(forward(weights, given.network())) for given in (inputs, inputs.mirrored())
            )
            out[low : low + CHUNK] = 0.5 * (upright - mirrored[..., ::-1]) * unit[..., None]
        return QuantileForecast(self._with_effects(out, panel, origins), LEVELS, shown=SHOWN_LEVELS)

    def _latest(self, panel: Panel, origins: Origins) -> np.ndarray:
        """Return the latest values up to each origin, (n, rows), NaN before the series."""
        width = context_width(self.season_length_, self.second_season_)
        rows = origins.row[:, None] + np.arange(1 - width, 1)
        values = panel.target[np.clip(rows, 0, panel.rows - 1), origins.channel[:, None]].astype("float64")
        inside = rows >= panel.indptr[origins.entity][:, None]
        return np.where(inside, values, np.nan)

    def _linear_forecasts(self, panel: Panel, origins: Origins) -> list[np.ndarray]:
        """Return the linear forecasts at each origin and at the earlier origins where candidates are evaluated."""
        if self.ridge_ is None:
            return []
        buffers = self.scaler_.buffers(panel, self.lookback_, self._regressed)
        moments = self.scaler_.moments(panel)
        center, scale = (values[origins.entity, origins.channel][:, None] for values in (moments.center, moments.scale))
        begin, out = panel.indptr[origins.entity], []
        for place in range(PLACES + 1):
            row = origins.row - place * trial_length(self.season_length_)
            usable = row > begin
            earlier = replace(origins, row=np.maximum(row, begin))
            values = self.ridge_.predict(buffers, earlier) * scale + center
            out.append(np.where(usable[:, None], values, np.nan))
        return out

    def _has_effects(self):
        return self.scaler_.effect.any() or self.scaler_.calendar_effect is not None

    def _without_effects(self, panel: Panel) -> Panel:
        """Return the panel without the linear effects of future covariates."""
        if not self._has_effects():
            return panel
        target = self.scaler_.buffers(panel, self.lookback_, self._regressed).target.astype("float64")
        moments = self.scaler_.moments(panel)
        entity = np.repeat(np.arange(len(panel.ids)), panel.lengths)
        return replace(panel, target=target * moments.scale[entity] + moments.center[entity])

    def _with_effects(self, forecast, panel, origins):
        """Return forecasts with the linear effects of future covariates."""
        if not self._has_effects():
            return forecast
        moments = self.scaler_.moments(panel)
        center, scale = (values[origins.entity, origins.channel] for values in (moments.center, moments.scale))
        safe = np.where(scale > 0, scale, 1.0)[:, None, None]
        return self.scaler_.restore((forecast - center[:, None, None]) / safe, panel, origins)

    # ------------------------------------------------------------------------------------------------ contract

    def _linear_reference(self, context, panel, origins, own):
        if self.ridge_ is None:
            return super()._linear_reference(context, panel, origins, own)
        buffers = context.buffers(self.scaler_, self.lookback_, self.horizon_)
        forecast = self.ridge_.predict(buffers, origins)[:, : self.horizon_]
        return self.scaler_.restore(forecast, panel, origins)

    def _is_trained(self):
        return hasattr(self, "ridge_")

    def _memory(self):
        tried = PLACES * trial_length(self.season_length_)
        return max(context_width(self.season_length_, self.second_season_), self.lookback_ + tried)
