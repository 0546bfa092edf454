"""Detection of season lengths from values, for series whose times do not determine them."""

from __future__ import annotations

import numpy as np

from forecastkit.pretrained.candidates import Context, autocorrelation, slope_of

#: Largest number of latest values per series, and smallest autocorrelation of a season.
MAX_VALUES, MIN_CORRELATION = 1_500, 0.3
#: Number of standard errors that an autocorrelation must exceed; fraction of the best score that counts as equal.
ERRORS, EQUAL_SCORE = 4.0, 0.8

#: Season lengths of calendars and clocks, which are preferred among equally good ones.
COMMON = (4, 5, 7, 12, 24, 48, 52, 60, 96, 144, 168, 288, 336, 365)


def find_season(series: list[np.ndarray]) -> int:
    """Return the season length in steps that these series have in common, 1 if there is none; NaN is missing.

    It is the lag whose multiples have the highest mean autocorrelation, or the shortest usual calendar season with
    nearly the same score.
    """
    series = [values[-MAX_VALUES:] for values in series if (~np.isnan(values)).sum() >= 12]
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
    # The mean over multiples distinguishes a season from neighbouring lags.
    score = {int(lag): mean[lag : 3 * lag + 1 : lag].mean() for lag in {*peaks, *COMMON} if lag < longest}
    best = max(peaks.tolist(), key=score.get)
    good = [lag for lag in score if score[lag] >= EQUAL_SCORE * score[best]]
    return min([lag for lag in good if lag in COMMON] or [lag for lag in good if best % lag == 0])


def correlations(values: np.ndarray) -> np.ndarray:
    """Return autocorrelations of a series at lags 0 to a third of its length; lags 0 and 1 are set to 0.

    The trend and the first-order autoregression are removed first, so that random walks do not show seasons.
    """
    filled = Context(values[None].astype("float64"), 1).filled
    inside = np.ones_like(filled, dtype=bool)
    level = filled - slope_of(filled, inside) * np.arange(filled.shape[1])
    level -= level.mean()
    rest = level[:, 1:] - np.clip(autocorrelation(level, inside), 0, 1) * level[:, :-1]
    longest_lag = len(values) // 3
    return np.array([0.0, 0.0, *(autocorrelation(rest, inside[:, 1:], lag)[0, 0] for lag in range(2, longest_lag + 1))])
