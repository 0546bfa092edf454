"""Forecasts of many series at once by ridge autoregressions of values, of changes and of seasonal changes."""

from __future__ import annotations

import numpy as np

#: Number of lags besides seasonal ones, penalty in observations, and largest number of latest values used.
LAGS, PENALTY, MAX_ROWS = 6, 2.0, 720
#: Number of series whose lagged values stay in the cache of a core.
BLOCK = 256


def autoregression(values: np.ndarray, inside: np.ndarray, season: int, horizon: int) -> np.ndarray:
    """Return iterated forecasts (B, horizon) of a ridge autoregression of values (B, C), with their mean.

    Lags are the last six steps and, for longer seasons, one season and one step more. Values that are not `inside`
    (B, C) are treated as missing.
    """
    if isinstance(values, np.ndarray) and len(values) > BLOCK:  # exported graphs have no blocks
        blocks = (slice(low, low + BLOCK) for low in range(0, len(values), BLOCK))
        return np.concatenate([autoregression(values[part], inside[part], season, horizon) for part in blocks])
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
    # The maximum, and not a sum, because ONNX Runtime leaves out the addition of such a small number.
    penalty = np.maximum(PENALTY * (centred**2).sum(1) / count, 1e-300)
    weights = np.linalg.solve(gram + penalty[:, None, None] * np.eye(len(lags)), cross)[:, :, 0]
    bound = 3.0 * np.abs(centred).max(1)[:, None]
    ahead: list[np.ndarray] = []
    for step in range(horizon):
        places = [step - lag for lag in lags]
        columns = [ahead[k] if k >= 0 else centred[:, width + k : width + k + 1] for k in places]
        next_value = (np.concatenate(columns, axis=1) * weights).sum(1)[:, None]
        ahead.append(np.minimum(np.maximum(next_value, -bound), bound))  # bounds explosive autoregressions
    return np.concatenate(ahead, axis=1) + mean


def changes(values: np.ndarray, inside: np.ndarray, lag: int) -> tuple[np.ndarray, np.ndarray]:
    """Return changes over `lag` steps, 0 for the first columns, and which of them are inside the series, (B, C)."""
    change, known = values[:, lag:] - values[:, :-lag], inside[:, lag:] & inside[:, :-lag]
    return tuple(np.concatenate([np.zeros_like(part[:, :1])] * lag + [part], axis=1) for part in (change, known))


def continued(values: np.ndarray, ahead: np.ndarray, lag: int) -> np.ndarray:
    """Return forecasts (B, horizon) whose changes over `lag` steps are `ahead`, from the last `lag` values on."""
    if lag == 1:
        return values[:, -1:] + np.cumsum(ahead, axis=1)
    found = [values[:, -lag:]]
    for begin in range(0, ahead.shape[1], lag):
        change = ahead[:, begin : begin + lag]
        found.append(found[-1][:, : change.shape[1]] + change)
    return np.concatenate(found[1:], axis=1)
