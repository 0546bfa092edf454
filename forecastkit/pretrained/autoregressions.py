"""Forecasts of many series at once by ridge autoregressions of values, of changes and of seasonal changes."""

from __future__ import annotations

import numpy as np

#: Number of lags besides seasonal ones, penalty in observations, and largest number of latest values used.
LAGS, PENALTY, MAX_ROWS = 6, 2.0, 720


def autoregression(values: np.ndarray, inside: np.ndarray, season: int, horizon: int) -> np.ndarray:
    """Return iterated forecasts (B, horizon) of a ridge autoregression of values (B, C), with their mean.

    Lags are the last six steps and, for longer seasons, one season and one step more. Values that are not `inside`
    (B, C) are treated as missing.
    """
    lags = [*range(1, LAGS + 1), *([season, season + 1] if season > LAGS else [])]
    width = min(values.shape[1], MAX_ROWS)
    lags = [lag for lag in lags if 2 * lag < width]
    recent, within = values[:, -width:], inside[:, -width:]
    count = np.maximum(within.sum(1), 1)
    mean = ((recent * within).sum(1) / count)[:, None]
    centred = (recent - mean) * within
    reach = max(lags)
    oldest = within[:, : width - reach]
    table = np.stack([centred[:, reach - lag : width - lag] for lag in lags], axis=1) * oldest[:, None]
    gram, cross = table @ np.swapaxes(table, 1, 2), table @ centred[:, reach:, None]
    power = (centred**2).sum(1) / count
    penalty = PENALTY * power + 1e-12 * power.max(initial=0.0) + 1e-300
    gram += penalty[:, None, None] * np.eye(len(lags))
    weights = np.linalg.solve(gram, cross)[:, :, 0]
    bound = 3.0 * np.abs(centred).max(1)
    series = np.concatenate([centred[:, -reach:], np.zeros((len(centred), horizon))], axis=1)
    places = reach - np.array(lags)
    for step in range(horizon):
        next_value = (series[:, places + step] * weights).sum(1)
        series[:, reach + step] = np.clip(next_value, -bound, bound)  # bounds explosive autoregressions
    return series[:, reach:] + mean


def of_changes(values: np.ndarray, inside: np.ndarray, season: int, horizon: int, lag: int = 1) -> np.ndarray:
    """Return forecasts (B, horizon) whose changes over `lag` steps continue by an autoregression, with their mean.

    With a lag of one step it is an autoregression with a drift about the last value; with a season's lag the last
    season is continued with the seasonal changes that are forecast.
    """
    changes = values[:, lag:] - values[:, :-lag]
    ahead = autoregression(changes, inside[:, lag:] & inside[:, :-lag], season, horizon)
    series = np.concatenate([values[:, -lag:], ahead], axis=1)
    for begin in range(lag, lag + horizon, lag):
        block = series[:, begin : begin + lag]
        block += series[:, begin - lag : begin][:, : block.shape[1]]
    return series[:, lag:]
