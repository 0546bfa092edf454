"""The pre-trained forecaster: a small network with packaged weights, which forecasts without training."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from forecastkit.baselines.ridge import Ridge
from forecastkit.data.panel import Panel
from forecastkit.data.windows import Origins, Windows, crop
from forecastkit.forecasters.linear_recipes import LinearPart
from forecastkit.forecasters.regression_learner import RegressionLearner
from forecastkit.preprocessing.scaler import buffers_of
from forecastkit.pretrained.candidates import Context
from forecastkit.pretrained.fine_tune import Examples, joined, tuned
from forecastkit.pretrained.forward import LEVELS, forward
from forecastkit.pretrained.inputs import PLACES, context_width, make_inputs, trial_length, usable_second
from forecastkit.pretrained.weights import LATEST, VERSIONS, load_weights
from forecastkit.uncertainty.forecasts import SHOWN_LEVELS, QuantileForecast
from forecastkit.uncertainty.validation import sample_validation_windows
from forecastkit.utils.arrays import on_all_cores, one_thread, safe_units
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.types import Fourier, Path
from forecastkit.utils.validation import check_int, refuse

#: Forecasts made at a time, and windows below which no regression is fitted.
CHUNK, MIN_WINDOWS = 256, 4
#: Fine-tuning: largest number of windows of each block, smallest number of validation windows that do not overlap,
#: numbers of gradient steps that are tried, and smallest reduction of the validation loss.
MAX_TUNED, MIN_INDEPENDENT, TRIED_STEPS, MIN_GAIN = 128, 6, (30, 120), 0.005
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
        A packaged version, or the path of a file written by `forecastkit.pretrain`. ``"2026.2"`` was trained on
        synthetic and public real series, ``"2026.2-synthetic"`` on synthetic series only.
    fine_tune : {'auto', False} or int
        Whether the last layer of the network is adapted to the data. 'auto': by a number of gradient steps on the
        windows before the validation block, if this reduces the quantile loss on the validation block; with few
        independent validation windows it is not tried. An integer is a number of gradient steps on all windows that the
        linear regression has not seen.
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
    head_ : dict of ndarray or None
        The fine-tuned last layer, and its factors of interval widths; None if they are those of the packaged weights.
    fine_tuned_steps_ : int
        Number of gradient steps of the fine-tuning, 0 without.

    Notes
    -----
    Future covariates have a linear effect, which is removed before and restored after, as in `LinearForecaster`. Past
    and static covariates are not used. `lookback` is that of the linear regression.

    References
    ----------
    Montero-Manso et al. (2020), "FFORMA: feature-based forecast model averaging", International Journal of Forecasting
    36. Dooley et al. (2023), "ForecastPFN: synthetically-trained zero-shot forecasting", NeurIPS.
    """

    weights: Path = LATEST
    fine_tune: str | bool | int = "auto"
    holidays: str | None = None
    fourier: Fourier | None = None

    _most_validation_windows = 256

    def _check_parameters(self):
        super()._check_parameters()
        if not isinstance(self.weights, (str, os.PathLike)):
            rule = f"weights must be {' or '.join(map(repr, VERSIONS))} or the path of a file"
            refuse(type(self).__name__, rule, repr(self.weights), error=ParameterError)
        if self.fine_tune not in ("auto", False) or self.fine_tune is True:
            check_int(type(self).__name__, "fine_tune", self.fine_tune, low=0)

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
            buffers = buffers_of(context, self.scaler_, self.lookback_, self.horizon_)
            self.ridge_ = Ridge.fit(buffers, windows, origins, self.lookback_, self._regressed)
        self.head_, self.fine_tuned_steps_ = None, 0
        if self.fine_tune is not False and self.ridge_ is not None:
            with one_thread():
                self._fine_tune(context, arrays)

    def _fine_tune(self, context, weights):
        """Adapt the last layer to the windows before the validation block."""
        panel, split, stop = context.panel, context.split, context.stop
        earlier = np.maximum(2 * split - stop, panel.indptr[:-1])  # as long a block before the validation block
        if self.fine_tune == "auto" and _independent(split, stop, self.horizon_) < MIN_INDEPENDENT:
            return
        windows = Windows.training(panel, earlier, self.lookback_, self._regressed)
        if len(windows) < MIN_WINDOWS:
            return
        # The regression must not have seen the windows, or the network would learn to trust it too much.
        ridge = self.ridge_.refit(buffers_of(context, self.scaler_, self.lookback_, self._regressed), windows)
        before = self._examples(panel, self._sampled(panel, earlier, split), weights, ridge)
        after = self._examples(panel, self._sampled(panel, split, stop), weights, self.ridge_)
        if before is None or after is None:
            return
        if self.fine_tune != "auto":
            self.fine_tuned_steps_ = int(self.fine_tune)
            if self.fine_tune:
                tested = tuned(weights, before, self.fine_tune)
                self.head_ = tuned(weights, joined([before, after]), self.fine_tune) | after.widths(weights | tested)
            return
        plain = after.losses(weights)
        heads = {steps: tuned(weights, before, steps) for steps in TRIED_STEPS}
        gains = {steps: plain - after.losses(weights | head) for steps, head in heads.items()}
        most = max(gains.values(), key=np.mean)
        enough = most.mean() - most.std() / np.sqrt(len(most))
        steps = next(steps for steps in TRIED_STEPS if gains[steps].mean() >= enough)  # the fewest that are as good
        error = gains[steps].std() / np.sqrt(_independent(split, stop, self.horizon_))
        if gains[steps].mean() > max(MIN_GAIN * plain.mean(), error):
            self.head_, self.fine_tuned_steps_ = heads[steps] | after.widths(weights | heads[steps]), steps

    def _sampled(self, panel, first, stop) -> Origins:
        return sample_validation_windows(panel, first, stop, self.horizon_, MAX_TUNED)

    def _examples(self, panel, origins, weights, ridge) -> Examples | None:
        """Return windows for fine-tuning; None if there are none."""
        if not len(origins):
            return None
        series = self._without_effects(self.scaler_.without_faults(panel))
        inputs_of, found = self._inputs(panel, series, ridge), []
        for part in _chunks(origins):
            inputs, unit = inputs_of(part)
            rows = np.minimum(part.row[:, None] + np.arange(1, self.horizon_ + 1), panel.rows - 1)
            actual = series.target[rows, part.channel[:, None]].astype("float64") / unit
            found.append(Examples.of(weights, inputs, actual))
        examples = joined(found)
        return examples if len(examples) else None

    def _second_season(self, grid) -> int:
        if self.season_length == 1:  # given: no season
            return 0
        longer = [season for season in grid.seasons if season > self.season_length_]
        second = longer[0] if longer else YEARS.get(self.season_length_ if grid.is_time else 0, 0)
        return usable_second(self.season_length_, second)

    def _finish(self, context):
        self.scaler_ = self._scaler(context.panel, context.stop, self.scaler_.calendar, context.weight)
        buffers = buffers_of(context, self.scaler_, self.lookback_, self.horizon_)
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

    def network_weights(self) -> dict[str, np.ndarray]:
        """Return the weights of the network by name, with the fine-tuned last layer."""
        return (self.weights_ or load_weights(self.weights)) | (self.head_ or {})

    def _forecast(self, panel, origins):
        weights = self.network_weights()
        panel, origins = crop(panel, origins, self._memory(panel), self.horizon_)
        inputs_of = self._inputs(panel, self._without_effects(self.scaler_.without_faults(panel)), self.ridge_)

        def quantiles(part):
            inputs, unit = inputs_of(part)
            return inputs.mean_of_both_signs(forward(weights, inputs.of_both_signs())) * unit[..., None]

        with one_thread():
            out = on_all_cores(quantiles, _chunks(origins))
        found = np.concatenate(out) if out else np.empty((0, self.horizon_, len(LEVELS)))
        return QuantileForecast(self._with_effects(found, panel, origins), LEVELS, shown=SHOWN_LEVELS)

    def _inputs(self, panel, series, ridge):
        """Return a function of origins that returns the inputs of the network there and the units (n, 1) of the series.

        `series` is the panel without the effects of covariates.
        """
        linear_forecasts = self._linear_forecasts(panel, ridge)

        def inputs_of(part):
            values = self._latest(series, part)
            unit = safe_units(np.nanmax(np.abs(values), axis=1, initial=0.0))[:, None]
            regressed = [forecast / unit for forecast in linear_forecasts(part)]
            context = Context(values / unit, self.season_length_, self.second_season_)
            return make_inputs(context, self.horizon_, regressed), unit

        return inputs_of

    def _latest(self, panel: Panel, origins: Origins) -> np.ndarray:
        """Return the latest values up to each origin, (n, rows), NaN before the series."""
        width = context_width(self.season_length_, self.second_season_)
        rows = origins.row[:, None] + np.arange(1 - width, 1)
        values = panel.target[np.maximum(rows, 0), origins.channel[:, None]].astype("float64")
        inside = rows >= panel.indptr[origins.entity][:, None]
        return np.where(inside, values, np.nan)

    def _linear_forecasts(self, panel: Panel, ridge: Ridge | None) -> Callable[[Origins], list[np.ndarray]]:
        """Return a function of origins: linear forecasts there and where candidates are evaluated before."""
        if ridge is None:
            return lambda origins: []
        buffers = self.scaler_.buffers(panel, self.lookback_, self._regressed)
        moments, begins = self.scaler_.moments(panel), panel.indptr

        def forecasts(origins):
            at = origins.entity, origins.channel
            center, scale, begin = moments.center[at][:, None], moments.scale[at][:, None], begins[origins.entity]
            shifts = np.arange(PLACES + 1)[:, None] * trial_length(self.season_length_)
            rows = origins.row - shifts
            everywhere = origins[np.tile(np.arange(len(origins)), len(rows))]
            earlier = replace(everywhere, row=np.maximum(rows, begin).ravel())
            values = ridge.predict(buffers, earlier).reshape(*rows.shape, -1) * scale + center
            return list(np.where((rows > begin)[..., None], values, np.nan))

        return forecasts

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
        buffers = buffers_of(context, self.scaler_, self.lookback_, self.horizon_)
        forecast = self.ridge_.predict(buffers, origins)[:, : self.horizon_]
        return self.scaler_.restore(forecast, panel, origins)

    def _is_trained(self):
        return hasattr(self, "head_")

    def _memory(self, panel):
        tried = PLACES * trial_length(self.season_length_)
        return max(context_width(self.season_length_, self.second_season_), self.lookback_ + tried)


def _chunks(origins: Origins) -> list[Origins]:
    return [origins[low : low + CHUNK] for low in range(0, len(origins), CHUNK)]


def _independent(first: np.ndarray, stop: np.ndarray, horizon: int) -> int:
    """Return the number of windows between these rows of all series that do not overlap."""
    return int(((stop - first) // horizon).sum())
