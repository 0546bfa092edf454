"""Baselines that every network is measured against, with the same contract."""

import warnings
from dataclasses import dataclass

import numpy as np

from forecastkit.baselines import exponential_smoothing, ridge, simple
from forecastkit.data.windows import Windows, crop
from forecastkit.forecasters.base import Forecaster
from forecastkit.utils.types import Fourier


class _Reading(Forecaster):
    """Forecasts that are read off the history, and are the series' mean where there is none yet."""

    def _read(self, panel, origins):
        """Forecasts (n, horizon), NaN where nothing was observed up to the origin."""
        raise NotImplementedError

    def _forecast(self, panel, origins):
        forecast = self._read(panel, origins)
        center = self.scaler_.moments(panel).center[origins.entity, origins.channel]
        return np.where(np.isnan(forecast), center[:, None], forecast)[..., None]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True  # no covariate is read
        return tags


@dataclass(kw_only=True, eq=False, repr=False)
class NaiveForecaster(_Reading):
    """The last observed value at every step."""

    def _read(self, panel, origins):
        return simple.naive(panel, origins, self.horizon_)


@dataclass(kw_only=True, eq=False, repr=False)
class SeasonalNaiveForecaster(_Reading):
    """The value of one season before (`season_length` steps); whole seasons more where that is missing."""

    def _read(self, panel, origins):
        return simple.seasonal_naive(panel, origins, self.horizon_, self.season_length_)


@dataclass(kw_only=True, eq=False, repr=False)
class DriftForecaster(_Reading):
    """The line from the first to the last observed value, continued."""

    def _read(self, panel, origins):
        return simple.drift(panel, origins, self.horizon_)


@dataclass(kw_only=True, eq=False, repr=False)
class MeanForecaster(_Reading):
    """The mean of all values observed up to the cutoff."""

    def _read(self, panel, origins):
        return simple.mean(panel, origins, self.horizon_)


class _Smoothing(_Reading):
    """Methods that take out the seasons of `season_length` and, of what is left, those of the frequency above it."""

    def _seasons(self, panel):
        main = self.season_length_
        return main, *(season for season in panel.grid.seasons if season > main > 1 and season % main == 0)

    def _memory(self):
        return exponential_smoothing.rows_seen(self._seasons(self.history_))


@dataclass(kw_only=True, eq=False, repr=False)
class ThetaForecaster(_Smoothing):
    """The Theta method: the mean of the linear trend and of the smoothed line of doubled deviations from it.

    Seasons are taken out by classical decomposition where an analysis of variance finds them: by multiplication or
    addition, whichever explains a history better. Every series is fitted alone, on the latest 512 rows or six cycles.

    References
    ----------
    Assimakopoulos and Nikolopoulos (2000), "The theta model", International Journal of Forecasting 16.
    """

    def _read(self, panel, origins):
        return exponential_smoothing.theta(panel, origins, self.horizon_, self._seasons(panel))


@dataclass(kw_only=True, eq=False, repr=False)
class DampedTrendForecaster(_Smoothing):
    """Exponential smoothing with a damped trend, or none, of seasonally adjusted values.

    Seasons and rows as in `ThetaForecaster`; whether there is a trend is chosen by Akaike's criterion.

    References
    ----------
    Gardner and McKenzie (1985), "Forecasting trends in time series", Management Science 31.
    """

    def _read(self, panel, origins):
        return exponential_smoothing.damped_trend(panel, origins, self.horizon_, self._seasons(panel))


#: Training windows of a step below which missing targets are warned of.
FEW_WINDOWS = 10

#: Forecasters that read their forecasts off the history, whatever the lookback.
READ_OFF = (_Reading,)


@dataclass(kw_only=True, eq=False, repr=False)
class LinearForecaster(Forecaster):
    """One ridge regression from the last-value-subtracted window to the horizon, shared by all series.

    Solved in closed form in a second or two. The validation block chooses the strength; then the regression is
    solved again on all rows.

    Parameters
    ----------
    holidays : str, optional
        Country, or country and part, whose holidays have a linear effect: 'DE', 'US-CA'. For steps of a day or less.
    fourier : int or dict, optional
        Waves with a linear effect: pairs of sine and cosine for every usual season, or by its length in steps, such as
        ``{365.25: 3}``.
    target_transform : {'sqrt', 'log1p', 'log'}, optional
        Of the target before it is scaled, undone in forecasts; for counts and for what varies the more the larger it
        is.

    References
    ----------
    Zeng et al. (2023), "Are Transformers effective for time series forecasting?", AAAI (NLinear, trained there by
    gradient descent). Toner and Darlow (2024), "An analysis of linear time series forecasting models", ICML.
    """

    holidays: str | None = None
    fourier: Fourier | None = None
    target_transform: str | None = None

    def _fit(self, panel, split, stop):
        buffers = self._scaled(panel)
        windows = Windows.training(panel, split, self.lookback_, self.horizon_)
        validation_origins = self._validation(panel, split, stop)
        self.ridge_ = ridge.Ridge.fit(buffers, windows, validation_origins, self.lookback_, self.horizon_)
        self._warn_few(len(windows))

    def _warn_few(self, windows):
        """Say that missing targets leave hardly any window to learn a step from."""
        few = np.flatnonzero(self.ridge_.counts < min(FEW_WINDOWS, windows))
        if len(few):
            least = few[np.argmin(self.ridge_.counts[few])]
            warnings.warn(
                f"LinearForecaster: {len(few)} of {self.horizon_} steps of the horizon have fewer than {FEW_WINDOWS} "
                f"training windows with an observed target: step {least + 1} has {self.ridge_.counts[least]} of "
                f"{windows}. There the forecast is about the last value. Fill the gaps, give more rows, or pass "
                "another horizon=.",
                UserWarning,
                stacklevel=2,
            )

    def _finish(self, panel, split, stop):
        self.scaler_, self._held = self._scaler(panel, stop, self.scaler_.calendar), None
        self._train_on(panel, stop)

    def _train_on(self, panel, stop):
        buffers = self._scaled(panel)
        self.ridge_ = self.ridge_.refit(buffers, Windows.training(panel, stop, self.lookback_, self.horizon_))

    def _forecast(self, panel, origins):
        panel, origins = crop(panel, origins, self.lookback_, self.horizon_)
        buffers = self.scaler_.buffers(panel, self.lookback_, self.horizon_)
        return self.scaler_.restore(self.ridge_.predict(buffers, origins), panel, origins)[..., None]

    def _linear_reference(self, panel, split, validation_origins, own):
        return own

    def _is_trained(self):
        return hasattr(self, "ridge_")

    def _memory(self):
        return self.lookback_
