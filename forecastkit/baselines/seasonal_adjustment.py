"""Classical seasonal decomposition of many histories at once.

Histories are right-aligned rows of one array: the last column holds the last value, and short histories are padded with
NaN on the left.

References
----------
Hyndman and Athanasopoulos (2021), "Forecasting: principles and practice", section 3.4 (classical decomposition). Miller
and Williams (2003), "Shrinkage estimators of time series seasonal factors and their effect on forecasting accuracy",
International Journal of Forecasting 19 (shrinkage of seasonal factors by their uncertainty).
"""

from dataclasses import dataclass

import numpy as np

#: Complete cycles of a season that a history must contain.
MIN_CYCLES = 2
#: A season is significant if the variance between seasonal means exceeds that within them by this factor (F statistic).
SIGNIFICANT = 1.5
#: Bound of the rounding errors of averages, as a fraction of the level.
ROUNDING = 1e-9
#: Smallest multiplicative factor, so that division by factors is safe.
MIN_FACTOR = 0.05


@dataclass(frozen=True)
class Seasonal:
    """Seasonal factors that were removed from histories."""

    #: (n, season): one table per season length. Column k holds the factor of k + 1 steps after the last value.
    factors: tuple[np.ndarray, ...]
    #: (n,), bool: True where a history was divided by its factors, False where they were subtracted
    multiplies: np.ndarray

    def restore(self, forecast: np.ndarray) -> np.ndarray:
        """Return forecasts (n, horizon) of adjusted histories with the seasonal factors restored."""
        steps = np.arange(forecast.shape[1])
        for factors in reversed(self.factors):
            ahead = factors[:, steps % factors.shape[1]]
            forecast = np.where(self.multiplies[:, None], forecast * ahead, forecast + ahead)
        return forecast


def adjust(values: np.ndarray, seasons: tuple[int, ...]) -> tuple[np.ndarray, Seasonal]:
    """Remove significant seasons from histories (n, rows), NaN only at the left, and return both.

    A season is removed if the history contains two complete cycles and an analysis of variance of the detrended values
    finds it significant. Its factors are shrunk in proportion to their uncertainty. They are multiplicative where all
    values are positive and they leave a smaller remainder than additive ones. Season lengths are in steps, shortest
    first; those below 2 are ignored.
    """
    multiplies, factors = None, []
    for season in seasons:
        if season < 2 or values.shape[1] < MIN_CYCLES * season:
            continue
        multiplies, table = _factors(values, season, multiplies)
        factors.append(table)
        past = table[:, np.arange(-values.shape[1], 0) % season]
        values = np.where(multiplies[:, None], values / np.where(multiplies[:, None], past, 1.0), values - past)
    if multiplies is None:
        multiplies = np.zeros(len(values), dtype=bool)
    return values, Seasonal(tuple(factors), multiplies)


def _factors(values, season, multiplies):
    """Return which histories have multiplicative factors (n,), decided at the first season, and all factors."""
    trend = moving_average(values, season)
    known = ~np.isnan(trend)
    positive = (np.where(np.isnan(values), 1.0, values) > 0).all(axis=1)
    relative = np.divide(values, trend, out=np.ones_like(values), where=known & positive[:, None]) - 1.0
    level = np.where(known, np.abs(trend), 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    sums, left = _shrunk_means(values - trend, season, level)
    products, relative_left = _shrunk_means(np.where(known, relative, np.nan), season, 1.0)
    if multiplies is None:
        # `relative_left` is relative to the level; times level**2 it is in the squared units of the values.
        multiplies = positive & (relative_left * level**2 < left)
    return multiplies, np.where(multiplies[:, None], np.maximum(1.0 + products, MIN_FACTOR), sums)


def _shrunk_means(detrended, season, level):
    """Return shrunk seasonal means (n, season), by step after the last value, and the mean squared remainder (n,).

    A season within rounding error of the `level` counts as absent.
    """
    rows = detrended.shape[1]
    cycles = -(-rows // season)
    # Padding on the left makes the last column the end of a cycle, so columns are counted from the end of the history.
    folded = np.pad(detrended, ((0, 0), (cycles * season - rows, 0)), constant_values=np.nan)
    folded = folded.reshape(len(detrended), cycles, season)
    seen = ~np.isnan(folded)
    count, total = seen.sum(axis=1), seen.sum(axis=(1, 2))
    means = np.where(seen, folded, 0.0).sum(axis=1) / np.maximum(count, 1)
    means = means - means.mean(axis=1, keepdims=True)
    rest = np.where(seen, folded - means[:, None], 0.0)
    within = (rest**2).sum(axis=(1, 2)) / np.maximum(total - season, 1)
    between = (count * means**2).sum(axis=1) / (season - 1)
    found = (count > 0).all(axis=1) & (between > SIGNIFICANT * within) & (np.sqrt(between) > ROUNDING * level)
    noise = np.divide(within, between, out=np.ones_like(within), where=found)
    shrunk = (1.0 - noise)[:, None] * means
    unexplained = np.where(seen, folded - shrunk[:, None], 0.0)
    return shrunk, (unexplained**2).sum(axis=(1, 2)) / np.maximum(total, 1)


def moving_average(values: np.ndarray, season: int) -> np.ndarray:
    """Return the centred moving average over one season of values (n, rows).

    If the season is even, the two outer values weigh half. It is NaN where a value of it is missing, and at both ends.
    """
    width = season + 1 - season % 2
    half, out = width // 2, np.full(values.shape, np.nan)
    if values.shape[1] < width:
        return out
    level = np.nan_to_num(values)
    # Differences of cumulative sums give all moving sums, and the number of missing values in each.
    sums, missing = (np.cumsum(np.pad(array, ((0, 0), (1, 0))), axis=1) for array in (level, np.isnan(values)))
    total = sums[:, width:] - sums[:, :-width]
    if season % 2 == 0:
        total = total - 0.5 * (level[:, : 1 - width] + level[:, width - 1 :])
    complete = missing[:, width:] == missing[:, :-width]
    out[:, half : values.shape[1] - half] = np.where(complete, total / season, np.nan)
    return out
