"""Theta and damped-trend forecasts of many histories at once.

Every history is smoothed under a grid of parameters, all histories and parameters in one pass over the rows. The
parameters with the least squared errors are kept: of one step for short histories, of up to the horizon for long ones,
where a level that follows the last value closely is the worse forecast of many steps.

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

#: Latest rows of a history that are looked at, at least and in cycles of the longest season, and those smoothed.
FEWEST_ROWS, CYCLES, SMOOTHED_ROWS = 512, 6, 256
#: Rows of a history for each step whose errors choose the parameters.
ROWS_PER_STEP = 20
#: Histories at a time.
CHUNK = 512
ALPHAS = np.array([0.003, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, *np.arange(0.15, 0.96, 0.05), 0.99])
#: Damped trends: weights of the level, of the trend as fractions of them, and what is left of a trend after a step.
LEVELS, TRENDS, DAMPINGS = (0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 0.95), (0.0, 0.05, 0.15, 0.4), (0.8, 0.9, 0.98)
#: Steps whose errors are summed, as fractions of the last of them, and first rows that a trend starts from.
CHECKED, FIRST_ROWS = (1 / 3, 2 / 3, 1.0), 8
#: What two more parameters cost in the logarithm of squared errors, times the number of rows (Akaike's criterion).
TREND_COST = 4.0


def theta(panel: Panel, origins: Origins, horizon: int, seasons: tuple[int, ...]) -> np.ndarray:
    """The mean of the linear trend and of the smoothed line of doubled deviations from it, seasonally adjusted.

    Parameters
    ----------
    panel : Panel
    origins : Origins
    horizon : int
    seasons : tuple of int
        Lengths in steps, shortest first; those that are found are taken out before and put back after.

    Returns
    -------
    ndarray of shape (n, horizon)
        NaN where nothing was observed up to the origin.
    """
    return _forecast(panel, origins, horizon, seasons, theta_ahead)


def damped_trend(panel: Panel, origins: Origins, horizon: int, seasons: tuple[int, ...]) -> np.ndarray:
    """Exponential smoothing with a damped trend or none, seasonally adjusted; parameters and result as `theta` has."""
    return _forecast(panel, origins, horizon, seasons, damped_ahead)


def rows_seen(seasons: tuple[int, ...]) -> int:
    """Latest rows of a history that a forecast depends on."""
    return max(FEWEST_ROWS, CYCLES * max(seasons))


def _forecast(panel, origins, horizon, seasons, ahead: Callable) -> np.ndarray:
    out = np.full((len(origins), horizon), np.nan)
    length = np.clip(origins.row - panel.indptr[origins.entity] + 1, 1, rows_seen(seasons))
    # Arrays as wide as a power of 2 that holds a history: a forecast is the same whatever is forecast beside it.
    width = np.minimum(2 ** np.ceil(np.log2(length)).astype("int64"), rows_seen(seasons))
    for places in grouped(width):
        for at in np.split(places, range(CHUNK, len(places), CHUNK)):
            values = histories(panel, origins[at], int(width[at[0]]))
            seen = ~np.isnan(values[:, -1])
            if seen.any():
                adjusted, seasonal = adjust(values[seen], seasons)
                # Counted from the last value: a constant is forecast exactly, and squares keep their digits.
                last = adjusted[:, -1:]
                out[at[seen]] = seasonal.restore(last + ahead(adjusted - last, horizon))
    return out


def histories(panel: Panel, origins: Origins, rows: int) -> np.ndarray:
    """The latest `rows` values up to each origin, (n, rows), float64, right-aligned.

    Missing values are read off the line between their neighbours; those after the last observed one are equal to it.
    Before the first there is NaN.
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


def steps_judged(values: np.ndarray, horizon: int) -> np.ndarray:
    """Steps ahead (n,) whose errors choose the parameters of each history."""
    return np.clip((~np.isnan(values)).sum(axis=1) // ROWS_PER_STEP, 1, horizon)


def theta_ahead(values: np.ndarray, horizon: int) -> np.ndarray:
    """Theta forecasts (n, horizon) of histories (n, rows) without seasons, NaN at the left of short ones."""
    rows = values.shape[1]
    slope, start = _line(values)
    trend = start[:, None] + slope[:, None] * np.arange(rows)
    # Errors of the mean of both lines are half of those of the smoothed line.
    level = smoothed(2 * values - trend, steps_judged(values, horizon))
    return (level[:, None] + start[:, None] + slope[:, None] * (rows + np.arange(horizon))) / 2


def _line(values):
    """Slope and value at column 0, (n,), of the least squares lines through what is not NaN."""
    place = np.arange(values.shape[1], dtype="float64")
    seen = ~np.isnan(values)
    count = seen.sum(axis=1)
    middle = np.where(seen, place, 0.0).sum(axis=1) / count
    mean = np.where(seen, values, 0.0).sum(axis=1) / count
    apart = np.where(seen, place - middle[:, None], 0.0)
    square = (apart**2).sum(axis=1)
    moved = (apart * np.where(seen, values - mean[:, None], 0.0)).sum(axis=1)
    slope = np.divide(moved, square, out=np.zeros_like(mean), where=square > 0)
    return slope, mean - slope * middle


def smoothed(values: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """The level after simple exponential smoothing, whose weight and start have the least squared errors.

    Parameters
    ----------
    values : ndarray of shape (n, rows)
        NaN only at the left.
    steps : ndarray of int, shape (n,)
        Steps ahead whose errors are summed.

    Returns
    -------
    ndarray of shape (n,)
    """
    values = values[:, -SMOOTHED_ROWS:]
    total, squares = _ahead(values, steps), _ahead(values**2, steps)
    count = _ahead(np.ones_like(values), steps)
    # After each row the level is `level` plus the start times `left`, so the sum of squares is quadratic in the start.
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


def _ahead(values, steps):
    """Sums over up to so many columns after each, (n, rows)."""
    rows = values.shape[1]
    sums = np.cumsum(np.pad(np.nan_to_num(values), ((0, 0), (1, 0))), axis=1)
    last = np.minimum(np.arange(1, rows + 1) + steps[:, None], rows)
    return np.take_along_axis(sums, last, axis=1) - sums[:, 1:]


def damped_ahead(values: np.ndarray, horizon: int) -> np.ndarray:
    """Damped-trend forecasts (n, horizon) of histories (n, rows) without seasons, NaN at the left of short ones."""
    steps = steps_judged(values, horizon)
    values = values[:, -SMOOTHED_ROWS:]
    alpha, beta, phi = _grid()
    level, slope = _start(values, beta)
    checked = [np.ceil(part * steps).astype("int64") for part in CHECKED]
    carried = np.cumsum(phi ** np.arange(1, max(int(steps.max()), horizon) + 1)[:, None], axis=0)
    rows, all_of_them = values.shape[1], np.arange(len(values))
    padded = np.pad(values, ((0, 0), (0, int(steps.max()))), constant_values=np.nan)
    squares = np.zeros_like(level)
    for row in range(rows):
        seen = ~np.isnan(values[:, row, None])
        error = values[:, row, None] - level - phi * slope
        level = np.where(seen, level + phi * slope + alpha * error, level)
        slope = np.where(seen, phi * slope + alpha * beta * error, slope)
        for step in checked:
            apart = padded[all_of_them, row + step][:, None] - level - carried[step - 1] * slope
            squares += np.where(seen & ~np.isnan(apart), apart, 0.0) ** 2
    count = (~np.isnan(values)).sum(axis=1) / steps
    cost = np.log(np.maximum(squares, np.finfo("float64").tiny)) + np.where(beta > 0, TREND_COST / count[:, None], 0.0)
    best = np.argmin(cost, axis=1)
    at = all_of_them, best
    return level[at][:, None] + carried[:horizon, best].T * slope[at][:, None]


def _grid():
    """Weights of level and trend, and dampings, of all combinations; without a trend once."""
    grid = [(a, b, p) for a in LEVELS for b in TRENDS for p in DAMPINGS if b > 0 or p == DAMPINGS[0]]
    return tuple(np.array(column) for column in zip(*grid, strict=True))


def _start(values, beta):
    """Level before the first value and trend, (n, parameters), of the line through the first values."""
    first = np.argmin(np.isnan(values), axis=1)
    at = first[:, None] + np.arange(FIRST_ROWS)
    head = np.take_along_axis(values, np.minimum(at, values.shape[1] - 1), axis=1)
    head[at >= values.shape[1]] = np.nan
    slope, start = _line(head)
    mean = np.nanmean(head, axis=1)
    level = np.where(beta > 0, (start - slope)[:, None], mean[:, None])
    return level, np.where(beta > 0, slope[:, None], 0.0)
