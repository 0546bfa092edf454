"""Classical decomposition of many histories at once: seasons are taken out, and put back into what is forecast.

Histories are rows of one array, right-aligned: the last column is the last value, and NaN fills the left of short ones.

References
----------
Hyndman and Athanasopoulos (2021), "Forecasting: principles and practice", section 3.4 (classical decomposition). Miller
and Williams (2003), "Shrinkage estimators of time series seasonal factors and their effect on forecasting accuracy",
International Journal of Forecasting 19: seasonal factors drawn towards none by how uncertain they are.
"""

from dataclasses import dataclass

import numpy as np

#: Whole cycles of a season that a history must have.
FEWEST_CYCLES = 2
#: Variance between seasonal means over that within them above which there is a season.
SIGNIFICANT = 1.5
#: Rounding errors of averages, as fractions of the level.
ROUNDING = 1e-9
#: Multiplicative factors are at least this, so that values can be divided by them.
LEAST_FACTOR = 0.05


@dataclass(frozen=True)
class Seasonal:
    """What was taken out of histories.

    Attributes
    ----------
    factors : tuple of ndarray of shape (n, season)
        One table per season, by step after the last value: column 0 is the first step ahead.
    multiplies : ndarray of shape (n,), bool
        Whether a history was divided by its factors; else they were subtracted.
    """

    factors: tuple[np.ndarray, ...]
    multiplies: np.ndarray

    def restore(self, forecast: np.ndarray) -> np.ndarray:
        """The seasons put back into forecasts (n, horizon) of adjusted histories."""
        steps = np.arange(forecast.shape[1])
        for factors in reversed(self.factors):
            ahead = factors[:, steps % factors.shape[1]]
            forecast = np.where(self.multiplies[:, None], forecast * ahead, forecast + ahead)
        return forecast


def adjust(values: np.ndarray, seasons: tuple[int, ...]) -> tuple[np.ndarray, Seasonal]:
    """Histories without their seasons.

    A season is taken out where a history holds two whole cycles of it and an analysis of variance of the detrended
    values finds it; its factors are shrunk by how uncertain they are.

    Parameters
    ----------
    values : ndarray of shape (n, rows), float64
        NaN only at the left of short histories.
    seasons : tuple of int
        Lengths in steps, shortest first; 1 is no season.

    Returns
    -------
    values : ndarray of shape (n, rows)
    seasonal : Seasonal
        Factors multiply where a history lies above 0 and they leave a smaller remainder than sums do.
    """
    multiplies, factors = None, []
    for season in seasons:
        if season < 2 or values.shape[1] < FEWEST_CYCLES * season:
            continue
        multiplies, table = _factors(values, season, multiplies)
        factors.append(table)
        past = table[:, np.arange(-values.shape[1], 0) % season]
        values = np.where(multiplies[:, None], values / np.where(multiplies[:, None], past, 1.0), values - past)
    if multiplies is None:
        multiplies = np.zeros(len(values), dtype=bool)
    return values, Seasonal(tuple(factors), multiplies)


def _factors(values, season, multiplies):
    """Which histories have multiplicative factors, where that is not decided yet, and the factors of all."""
    trend = moving_average(values, season)
    known = ~np.isnan(trend)
    positive = (np.where(np.isnan(values), 1.0, values) > 0).all(axis=1)
    relative = np.divide(values, trend, out=np.ones_like(values), where=known & positive[:, None]) - 1.0
    level = np.where(known, np.abs(trend), 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    sums, left = _shrunk_means(values - trend, season, level)
    products, relative_left = _shrunk_means(np.where(known, relative, np.nan), season, 1.0)
    if multiplies is None:
        # Remainders of both in the units of the values.
        multiplies = positive & (relative_left * level**2 < left)
    return multiplies, np.where(multiplies[:, None], np.maximum(1.0 + products, LEAST_FACTOR), sums)


def _shrunk_means(detrended, season, level):
    """Shrunk seasonal means (n, season), by step after the last value, and the mean square that they leave (n,).

    A season that is small beside the `level` by as much as rounding is none.
    """
    rows = detrended.shape[1]
    cycles = -(-rows // season)
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
    """The centred average over a season along rows, the outer values weighing half where it is even.

    Parameters
    ----------
    values : ndarray of shape (n, rows)
    season : int

    Returns
    -------
    ndarray of shape (n, rows)
        NaN where values are missing under the average, and at both ends.
    """
    width = season + 1 - season % 2
    half, out = width // 2, np.full(values.shape, np.nan)
    if values.shape[1] < width:
        return out
    level = np.nan_to_num(values)
    sums, blank = (np.cumsum(np.pad(of, ((0, 0), (1, 0))), axis=1) for of in (level, np.isnan(values)))
    total = sums[:, width:] - sums[:, :-width]
    if season % 2 == 0:
        total = total - 0.5 * (level[:, : 1 - width] + level[:, width - 1 :])
    whole = blank[:, width:] == blank[:, :-width]
    out[:, half : values.shape[1] - half] = np.where(whole, total / season, np.nan)
    return out
