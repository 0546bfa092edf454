"""Naive and exponential smoothing forecasters."""

from dataclasses import dataclass

import numpy as np

from forecastkit.baselines import exponential_smoothing, simple
from forecastkit.forecasters.base import Forecaster
from forecastkit.preprocessing.moments import NEW_LEVEL
from forecastkit.uncertainty.forecasts import PointForecast


class _HistoryForecaster(Forecaster):
    """Base class of forecasts computed from the history alone, or the series' mean where nothing was observed."""

    _latest = NEW_LEVEL  # rows that are read, beside sums over earlier ones, also to find faults

    def _read(self, panel, origins):
        """Return forecasts (n, horizon), NaN where nothing was observed up to the origin."""
        raise NotImplementedError

    def _memory(self, panel):
        return None if panel.earlier is None else self._latest

    def _forecast(self, panel, origins):
        panel = self.scaler_.without_faults(panel)
        forecast = self._read(panel, origins)
        center = self.scaler_.moments(panel).center[origins.entity, origins.channel]
        return PointForecast(np.where(np.isnan(forecast), center[:, None], forecast))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True  # no covariate is read
        return tags


@dataclass(kw_only=True, eq=False, repr=False)
class NaiveForecaster(_HistoryForecaster):
    """Forecasts the last observed value at every step."""

    def _read(self, panel, origins):
        return simple.naive(panel, origins, self.horizon_)


@dataclass(kw_only=True, eq=False, repr=False)
class SeasonalNaiveForecaster(_HistoryForecaster):
    """Forecasts the value one season (`season_length` steps) before, or earlier seasons if it is missing."""

    @property
    def _latest(self):
        return max(NEW_LEVEL, simple.SEASONS * self.season_length_)

    def _read(self, panel, origins):
        return simple.seasonal_naive(panel, origins, self.horizon_, self.season_length_)


@dataclass(kw_only=True, eq=False, repr=False)
class DriftForecaster(_HistoryForecaster):
    """Extrapolates the line from the first to the last observed value."""

    def _read(self, panel, origins):
        return simple.drift(panel, origins, self.horizon_)


@dataclass(kw_only=True, eq=False, repr=False)
class MeanForecaster(_HistoryForecaster):
    """Forecasts the mean of all values observed up to the cutoff."""

    def _read(self, panel, origins):
        return simple.mean(panel, origins, self.horizon_)


class _Smoothing(_HistoryForecaster):
    """Base class of methods that remove the season of `season_length`, then longer seasons of the frequency."""

    _most_validation_windows = 2_000  # each is fitted afresh

    def _seasons(self, panel):
        main = self.season_length_
        return main, *(season for season in panel.grid.seasons if season > main > 1 and season % main == 0)

    def _memory(self, panel):
        return exponential_smoothing.rows_seen(self._seasons(panel))


@dataclass(kw_only=True, eq=False, repr=False)
class ThetaForecaster(_Smoothing):
    """The Theta method: the mean of the linear trend and of an exponentially smoothed theta line.

    Significant seasons, found by analysis of variance, are removed by classical decomposition, multiplicative or
    additive, whichever fits a history better. Every series is fitted separately to its latest 512 rows or six cycles.

    References
    ----------
    Assimakopoulos and Nikolopoulos (2000), "The theta model", International Journal of Forecasting 16.
    """

    def _read(self, panel, origins):
        return exponential_smoothing.theta(panel, origins, self.horizon_, self._seasons(panel))


@dataclass(kw_only=True, eq=False, repr=False)
class DampedTrendForecaster(_Smoothing):
    """Exponential smoothing with or without a damped trend, after seasonal adjustment.

    Seasons and rows are those of `ThetaForecaster`; the trend is selected by Akaike's criterion.

    References
    ----------
    Gardner and McKenzie (1985), "Forecasting trends in time series", Management Science 31.
    """

    def _read(self, panel, origins):
        return exponential_smoothing.damped_trend(panel, origins, self.horizon_, self._seasons(panel))


#: Forecasters without a lookback.
WITHOUT_LOOKBACK = (_HistoryForecaster,)
