"""Exponential smoothing with fixed parameters as linear maps of a window, averaged by their errors inside the window.

A linear map shared by all series cannot follow the level of one quickly and that of another slowly. Averages with
weights of each window can, and their graph is two matrix products and a softmax.

References
----------
.. [1] Gardner, E. S., & McKenzie, E. (1985). Forecasting trends in time series. Management Science, 31(10), 1237-1246.
.. [2] Hyndman, R. J., & Athanasopoulos, G. (2021). Forecasting: principles and practice, section 3.4 (classical
   decomposition).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

#: Parameters of each season: the weight of a value in the level; that of the level in the trend, and its damping.
LEVELS, TRENDS = (0.05, 0.3, 0.95), ((0.0, 0.98), (0.2, 0.98))
#: Largest number of latest seasons in seasonal factors; values that the initial level is the mean of.
CYCLES, FIRST = 3, 4
#: Earlier origins inside a window, as horizons before its end, from which the maps are compared.
BEFORE = (1, 2, 4)
#: A map whose error exceeds the least by this fraction has 1 / e of the weight of the best one.
TEMPERATURE = 0.2
#: Least error in the denominator, in units of each series' scale.
LEAST = 1e-6
#: Windows that are forecast at a time.
CHUNK = 256


@dataclass(frozen=True)
class SmoothingMaps:
    """Maps from windows, relative to their last value, to forecasts and to the errors of earlier forecasts."""

    matrix: np.ndarray  #: (lookback, maps * columns), float32; columns are the horizon, then the compared steps
    maps: int  #: Number of maps
    horizon: int

    @property
    def compared(self) -> int:
        """Number of columns of a map that are errors."""
        return self.matrix.shape[1] // self.maps - self.horizon

    @classmethod
    @lru_cache(maxsize=2)
    def of(cls, lookback: int, horizon: int, seasons: tuple[int, ...]) -> "SmoothingMaps":
        """Return the maps of all parameters for each season; 1 is no season.

        The errors are those of forecasts from one, half and a quarter of a horizon before the end of the window, as far
        as two of the longest season lie before them.
        """
        columns = [smoothing_maps(lookback, horizon, seasons)]
        for back in sorted({-(-horizon // part) for part in BEFORE}):
            past = lookback - back
            if past < 2 * max(seasons):
                continue
            errors = np.zeros((len(columns[0]), lookback, back))
            errors[:, :past] = smoothing_maps(past, back, seasons)
            errors[:, past:] = -np.eye(back)
            columns.append(errors)
        found = np.concatenate(columns, axis=2)
        return cls(found.transpose(1, 0, 2).reshape(lookback, -1).astype("float32"), len(found), horizon)

    def forecast(self, windows: np.ndarray) -> np.ndarray:
        """Return forecasts (n, horizon) of windows (n, lookback) without missing values, all relative to the last."""
        out = np.empty((len(windows), self.horizon), dtype="float32")
        for low in range(0, len(windows), CHUNK):
            found = windows[low : low + CHUNK] @ self.matrix
            found = found.reshape(len(found), self.maps, -1)
            error = np.abs(found[..., self.horizon :]).mean(axis=2)
            least = error.min(axis=1, keepdims=True)
            weight = np.exp(-(error - least) / np.maximum(TEMPERATURE * least, LEAST))
            weight /= weight.sum(axis=1, keepdims=True)
            out[low : low + CHUNK] = (found[..., : self.horizon] * weight[..., None]).sum(axis=1)
        return out


def smoothing_maps(length: int, horizon: int, seasons: tuple[int, ...]) -> np.ndarray:
    """Return linear maps (maps, length, horizon) from windows to their forecasts by exponential smoothing [1]_.

    Seasonal factors, the mean deviations from straight lines in the latest seasons, are removed before and added after
    it [2]_.
    """
    damping = np.repeat([[damping for _, damping in TRENDS]], len(LEVELS), axis=0).reshape(-1, 1)
    trend_sums = np.cumsum(damping ** np.arange(1, horizon + 1), axis=1)
    states = _states(length)
    found = []
    for season in seasons:
        factors = _seasonal_factors(length, season)
        phase = np.eye(season)[np.arange(-length, 0) % season]
        level, trend = states - (states @ phase) @ factors.T
        found.append(
            level[:, :, None] + trend[:, :, None] * trend_sums[:, None] + factors[:, np.arange(horizon) % season]
        )
    return np.concatenate(found)


def _states(length):
    """Return the weights (2, parameters, length) of the values of a window in its last level and trend."""
    alpha, beta, phi = np.array([(level, *trend) for level in LEVELS for trend in TRENDS]).T
    step = np.array([[1 - alpha, phi * (1 - alpha)], [-alpha * beta, phi * (1 - alpha * beta)]])
    state, out = np.array([alpha, alpha * beta]), np.zeros((2, len(alpha), length))
    initial = np.array([np.ones_like(alpha), np.zeros_like(alpha)])
    for place in range(length - 1, 0, -1):
        out[:, :, place] = state
        state, initial = (np.einsum("ijk,jk->ik", step, of) for of in (state, initial))
    first = min(FIRST, length)
    out[:, :, :first] += initial[:, :, None] / first
    return out


def _seasonal_factors(length, season):
    """Return the weights (length, season) of the values of a window in the factor of each step after it."""
    cycles = min(length // season, CYCLES)
    out, rows = np.zeros((length, season)), cycles * season
    values = np.eye(rows).reshape(rows, cycles, season)
    levels = values.mean(axis=2)
    slope = (levels[:, -1] - levels[:, 0]) / max((cycles - 1) * season, 1)
    line = levels[:, :, None] + slope[:, None, None] * (np.arange(season) - (season - 1) / 2)
    out[length - rows :] = (values - line).mean(axis=1)
    return out
