"""Detection of season lengths from values, for rows whose times do not determine them."""

from itertools import pairwise

import numpy as np

from forecastkit.data.panel import Panel
from forecastkit.utils.arrays import safe_units

#: Largest number of series, and of their latest values.
MAX_SERIES, MAX_VALUES = 20, 1_500
#: Smallest number of observed values.
MIN_VALUES = 12
#: Smallest autocorrelation of a season, and the number of standard errors that it must exceed.
MIN_CORRELATION, ERRORS = 0.3, 4.0
#: Deviations from the median that are left out, as a multiple of the usual deviation.
EXTREME = 100.0
#: Deviations from a line that are rounding errors, relative to the largest value.
ROUNDING = 1e-9
#: Fraction of the best score that counts as equal.
EQUAL_SCORE = 0.8

#: Season lengths of calendars and clocks, which are preferred among equally good ones.
COMMON = (4, 5, 7, 12, 24, 48, 52, 60, 96, 144, 168, 288, 336, 365)


def infer_season(panel: Panel, stop: np.ndarray) -> int:
    """Return the season length in steps of the values before ``stop[e]`` of each series; 1 if they show none."""
    longest = np.sort(np.argsort(panel.indptr[:-1] - stop, kind="stable")[:MAX_SERIES])
    kept, few = (stop - panel.indptr[:-1])[longest], panel.take(longest)
    stop = few.indptr[:-1] + kept
    few = few.between(stop - MAX_VALUES, stop)
    series = [values for first, end in pairwise(few.indptr) for values in few.target[first:end].T]
    return find_season([without_extremes(values) for values in series])


def without_extremes(values: np.ndarray) -> np.ndarray:
    """Return the values in units of the largest one, NaN for single ones that would decide every correlation."""
    deviations = np.abs(values - np.nanmedian(values)) if (~np.isnan(values)).any() else np.zeros(1)
    usual = deviations[deviations > 0]
    if len(usual):
        values = np.where(deviations > EXTREME * np.median(usual), np.nan, values)
    return values / safe_units(np.nanmax(np.abs(values), initial=0.0))


def find_season(series: list[np.ndarray]) -> int:
    """Return the season length in steps that these series have in common, 1 if there is none; NaN is missing.

    It is the lag whose multiples have the highest mean autocorrelation, or the shortest usual calendar season with
    nearly the same score.
    """
    series = [values for values in series if (~np.isnan(values)).sum() >= MIN_VALUES]
    if not series:
        return 1
    longest = max(map(len, series)) // 3
    total, count = np.zeros(longest + 1), np.zeros(longest + 1)
    for values in series:
        found = correlations(values)
        total[: len(found)] += found * len(values)
        count[: len(found)] += len(values)
    mean = total / np.maximum(count, 1)
    lags = np.arange(2, longest)
    peaks = lags[(mean[lags] > mean[lags - 1]) & (mean[lags] >= mean[lags + 1])]
    peaks = peaks[mean[peaks] > np.maximum(MIN_CORRELATION, ERRORS / np.sqrt(np.maximum(count[peaks], 1)))]
    if not len(peaks):
        return 1
    # The mean over multiples distinguishes a season from neighbouring lags; long lags have fewer pairs and multiples,
    # and would win by chance without a margin of two standard errors.
    score = {}
    for lag in {*peaks.tolist(), *COMMON}:
        if lag < longest:
            multiples = mean[lag : 3 * lag + 1 : lag]
            score[lag] = multiples.mean() - 2 / np.sqrt(count[lag] * len(multiples))
    best = max(peaks.tolist(), key=score.get)
    if score[best] <= 0:
        return 1
    good = [lag for lag in score if score[lag] >= EQUAL_SCORE * score[best]]
    return min([lag for lag in good if lag in COMMON] or [lag for lag in good if best % lag == 0])


def correlations(values: np.ndarray) -> np.ndarray:
    """Return autocorrelations of a series at lags 0 to a third of its length; lags 0 and 1 are set to 0.

    The trend and the first-order autoregression are removed first, so that random walks do not show seasons. Missing
    values repeat the last one.
    """
    known = ~np.isnan(values)
    last = np.maximum.accumulate(np.where(known, np.arange(len(values)), known.argmax()))
    steps = np.arange(len(values)) - (len(values) - 1) / 2
    level = values[last].astype("float64")
    level -= level.mean() + (level @ steps) / (steps @ steps) * steps
    if np.abs(level).max() <= ROUNDING * np.abs(values[last]).max():  # a constant or a line, with rounding errors
        return np.zeros(len(values) // 3 + 1)
    power = np.sqrt((level[1:] ** 2).sum() * (level[:-1] ** 2).sum())
    rest = level[1:] - np.clip(level[1:] @ level[:-1] / power, 0, 1) * level[:-1]
    rest -= rest.mean()
    # Sums of products at all lags at once, by the Fourier transform; padding keeps the ends of the series apart.
    lags = np.arange(len(values) // 3 + 1)
    products = np.fft.irfft(np.abs(np.fft.rfft(rest, 2 * len(rest))) ** 2)[lags]
    squares = np.concatenate([[0.0], np.cumsum(rest**2)])
    power = np.sqrt((squares[-1] - squares[lags]) * squares[len(rest) - lags])
    found = np.divide(products, power, out=np.zeros_like(products), where=power > 0)
    found[:2] = 0.0
    return found
