"""Theta and damped-trend forecasts of many histories at once.

All histories are smoothed with all parameters of a grid in one pass over the rows. For each history the parameters with
the smallest sum of squared errors are selected. Short histories use one-step errors. Long histories use errors of up to
`horizon` steps, because a level that follows the last value closely is a poor forecast of distant steps.

References
----------
Assimakopoulos and Nikolopoulos (2000), "The theta model", International Journal of Forecasting 16. Hyndman and Billah
(2003), "Unmasking the Theta method", International Journal of Forecasting 19. Gardner and McKenzie (1985), "Forecasting
trends in time series", Management Science 31 (damped trends).
"""

from collections.abc import Callable

import numpy as np

from forecastkit.baselines.seasonal_adjustment import adjust
from forecastkit.data.panel import Panel
from forecastkit.data.windows import Origins, grouped
from forecastkit.utils.arrays import safe_units

#: Latest rows of a history that are used: a minimum, a number of cycles of the longest season, and those smoothed.
MIN_ROWS, CYCLES, SMOOTHED_ROWS = 512, 6, 256
#: Observed rows of a history per step of the horizon whose errors enter parameter selection.
ROWS_PER_STEP = 20
#: Histories processed at a time, to bound memory.
CHUNK = 512
ALPHAS = np.array([0.003, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, *np.arange(0.15, 0.96, 0.05), 0.99])
#: Grid of damped trends: level weights, trend weights as fractions of the level weight, damping factors per step.
LEVELS, TRENDS, DAMPINGS = (0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 0.95), (0.0, 0.05, 0.15, 0.4), (0.8, 0.9, 0.98)
#: Steps whose errors are summed, as fractions of the last such step; rows to which the initial trend is fitted.
ERROR_STEPS, FIRST_ROWS = (1 / 3, 2 / 3, 1.0), 8
#: Akaike penalty of two additional parameters, in units of log squared error times the number of rows.
TREND_COST = 4.0


def theta(panel: Panel, origins: Origins, horizon: int, seasons: tuple[int, ...]) -> np.ndarray:
    """Return theta forecasts (n, horizon) of seasonally adjusted histories; NaN where nothing is observed yet.

    The forecast is the mean of two theta lines: the linear trend (theta 0), and the exponentially smoothed line with
    doubled deviations from that trend (theta 2). `seasons` are candidate season lengths in steps, shortest first;
    significant ones are removed before the fit and restored in the forecast.
    """
    return _forecast(panel, origins, horizon, seasons, theta_forecasts)


def damped_trend(panel: Panel, origins: Origins, horizon: int, seasons: tuple[int, ...]) -> np.ndarray:
    """Return forecasts of exponential smoothing with a damped trend or no trend, after seasonal adjustment.

    The parameters and the result are those of `theta`.
    """
    return _forecast(panel, origins, horizon, seasons, damped_trend_forecasts)


def rows_seen(seasons: tuple[int, ...]) -> int:
    """Return the number of latest rows of a history that a forecast depends on."""
    return max(MIN_ROWS, CYCLES * max(seasons))


def _forecast(panel, origins, horizon, seasons, method: Callable) -> np.ndarray:
    out = np.full((len(origins), horizon), np.nan)
    length = np.clip(origins.row - panel.indptr[origins.entity] + 1, 1, rows_seen(seasons))
    # Each history has its own width, a power of 2, so a forecast does not depend on the other histories of the call.
    width = np.minimum(2 ** np.ceil(np.log2(length)).astype("int64"), rows_seen(seasons))
    for places in grouped(width):
        for at in np.split(places, range(CHUNK, len(places), CHUNK)):
            values = histories(panel, origins[at], int(width[at[0]]))
            seen = ~np.isnan(values[:, -1])
            if seen.any():
                unit = safe_units(np.nanmax(np.abs(values[seen]), axis=1))[:, None]
                adjusted, seasonal = adjust(values[seen] / unit, seasons)
                # Relative to the last value, constants are forecast exactly and sums of squares do not lose precision.
                last = adjusted[:, -1:]
                out[at[seen]] = seasonal.restore(last + method(adjusted - last, horizon)) * unit
    return out


def histories(panel: Panel, origins: Origins, rows: int) -> np.ndarray:
    """Return the latest `rows` values up to each origin, shape (n, rows), float64, right-aligned.

    Missing values are interpolated linearly. After the last observed value they repeat it, and before the first they
    stay NaN.
    """
    begin = panel.indptr[origins.entity]
    at = origins.row[:, None] + np.arange(1 - rows, 1)
    inside = at >= begin[:, None]
    values = panel.target[np.where(inside, at, 0), origins.channel[:, None]].astype("float64")
    values[~inside] = np.nan
    missing = np.isnan(values)
    first = np.argmin(missing, axis=1)
    place = np.arange(rows)
    for row in np.flatnonzero((missing & (place >= first[:, None])).any(axis=1) & ~missing.all(axis=1)):
        seen = np.flatnonzero(~missing[row])
        values[row, seen[0] :] = np.interp(place[seen[0] :], seen, values[row, seen])
    return values


def selection_steps(values: np.ndarray, horizon: int) -> np.ndarray:
    """Return the number of steps ahead, shape (n,), whose errors select the parameters of each history."""
    return np.clip((~np.isnan(values)).sum(axis=1) // ROWS_PER_STEP, 1, horizon)


def theta_forecasts(values: np.ndarray, horizon: int) -> np.ndarray:
    """Return theta forecasts (n, horizon) of deseasonalized histories (n, rows), left-padded with NaN."""
    rows = values.shape[1]
    slope, start = _line(values)
    trend = start[:, None] + slope[:, None] * np.arange(rows)
    # The trend line fits itself exactly, so minimising the errors of the smoothed line minimises those of the mean.
    level = smoothed(2 * values - trend, selection_steps(values, horizon))
    return (level[:, None] + start[:, None] + slope[:, None] * (rows + np.arange(horizon))) / 2


def _line(values):
    """Return the slope and the intercept at column 0, each (n,), of the least-squares lines of non-NaN values."""
    place = np.arange(values.shape[1], dtype="float64")
    seen = ~np.isnan(values)
    count = seen.sum(axis=1)
    mean_place = np.where(seen, place, 0.0).sum(axis=1) / count
    mean = np.where(seen, values, 0.0).sum(axis=1) / count
    deviation = np.where(seen, place - mean_place[:, None], 0.0)
    square = (deviation**2).sum(axis=1)
    covariation = (deviation * np.where(seen, values - mean[:, None], 0.0)).sum(axis=1)
    slope = np.divide(covariation, square, out=np.zeros_like(mean), where=square > 0)
    return slope, mean - slope * mean_place


def smoothed(values: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Return the final level (n,) of simple exponential smoothing with the least-squares weight and initial level.

    Values (n, rows) are NaN only at the left; `steps` (n,) is the number of steps ahead whose errors are summed.
    """
    values = values[:, -SMOOTHED_ROWS:]
    total, squares = _sums_of_next(values, steps), _sums_of_next(values**2, steps)
    count = _sums_of_next(np.ones_like(values), steps)
    # The level after each row is affine in the initial level: `level + left * start`. The sum of squared errors is
    # therefore quadratic in `start`, and its minimum has a closed form for each weight in ALPHAS.
    level, left = np.zeros((len(values), len(ALPHAS))), np.ones((len(values), len(ALPHAS)))
    constant, linear, quadratic = (np.zeros_like(level) for _ in range(3))
    for row in range(values.shape[1]):
        seen = ~np.isnan(values[:, row, None])
        level = np.where(seen, level + ALPHAS * (values[:, row, None] - level), level)
        left = np.where(seen, left * (1.0 - ALPHAS), left)
        n, s, q = (np.where(seen, of[:, row, None], 0.0) for of in (count, total, squares))
        constant += n * level**2 - 2 * level * s + q
        linear += left * (n * level - s)
        quadratic += n * left**2
    start = np.divide(-linear, quadratic, out=np.zeros_like(linear), where=quadratic > 0)
    at = np.arange(len(values)), np.argmin(constant + start * linear, axis=1)
    return level[at] + left[at] * start[at]


def _sums_of_next(values, steps):
    """Return for each column the sum of the `steps` columns after it, shape (n, rows); fewer near the right edge."""
    rows = values.shape[1]
    sums = np.cumsum(np.pad(np.nan_to_num(values), ((0, 0), (1, 0))), axis=1)
    last = np.minimum(np.arange(1, rows + 1) + steps[:, None], rows)
    return np.take_along_axis(sums, last, axis=1) - sums[:, 1:]


def damped_trend_forecasts(values: np.ndarray, horizon: int) -> np.ndarray:
    """Return damped-trend forecasts (n, horizon) of deseasonalized histories (n, rows), left-padded with NaN."""
    steps = selection_steps(values, horizon)
    values = values[:, -SMOOTHED_ROWS:]
    alpha, beta, phi = _grid()
    level, slope = _start(values, beta)
    error_steps = [np.ceil(part * steps).astype("int64") for part in ERROR_STEPS]
    # After h steps the trend has contributed slope * (phi + phi^2 + ... + phi^h).
    trend_sums = np.cumsum(phi ** np.arange(1, max(int(steps.max()), horizon) + 1)[:, None], axis=0)
    rows, every = values.shape[1], np.arange(len(values))
    padded = np.pad(values, ((0, 0), (0, int(steps.max()))), constant_values=np.nan)
    squares = np.zeros_like(level)
    for row in range(rows):
        seen = ~np.isnan(values[:, row, None])
        error = values[:, row, None] - level - phi * slope
        level = np.where(seen, level + phi * slope + alpha * error, level)
        slope = np.where(seen, phi * slope + alpha * beta * error, slope)
        for step in error_steps:
            deviation = padded[every, row + step][:, None] - level - trend_sums[step - 1] * slope
            squares += np.where(seen & ~np.isnan(deviation), deviation, 0.0) ** 2
    count = (~np.isnan(values)).sum(axis=1) / steps
    cost = np.log(np.maximum(squares, np.finfo("float64").tiny)) + np.where(beta > 0, TREND_COST / count[:, None], 0.0)
    best = np.argmin(cost, axis=1)
    at = every, best
    return level[at][:, None] + trend_sums[:horizon, best].T * slope[at][:, None]


def _grid():
    """Return level weights, trend weights and dampings of all combinations; those without a trend appear once."""
    grid = [(a, b, p) for a in LEVELS for b in TRENDS for p in DAMPINGS if b > 0 or p == DAMPINGS[0]]
    return tuple(np.array(column) for column in zip(*grid, strict=True))


def _start(values, beta):
    """Return the initial level and trend, each (n, parameters), from a line fitted to the first values."""
    first = np.argmin(np.isnan(values), axis=1)
    at = first[:, None] + np.arange(FIRST_ROWS)
    head = np.take_along_axis(values, np.minimum(at, values.shape[1] - 1), axis=1)
    head[at >= values.shape[1]] = np.nan
    slope, start = _line(head)
    mean = np.nanmean(head, axis=1)
    level = np.where(beta > 0, (start - slope)[:, None], mean[:, None])
    return level, np.where(beta > 0, slope[:, None], 0.0)
