"""The season of series whose times say nothing of it, found from the values."""

from __future__ import annotations

import numpy as np

from forecastkit.pretrained.candidates import Context, autocorrelation, slope_of

#: Values of a series that are looked at, at most, and correlations below which there is no season.
MOST, LEAST = 1_500, 0.3
#: Standard errors of a correlation that a season must exceed, and the fraction of the best score that is as good.
ERRORS, AS_GOOD = 4.0, 0.8

#: Seasons of calendars and clocks, which are taken where they are as good as the best.
COMMON = (4, 5, 7, 12, 24, 48, 52, 60, 96, 144, 168, 288, 336, 365)


def find_season(series: list[np.ndarray]) -> int:
    """Steps of the season that these series have in common, 1 where there is none.

    The lag whose multiples have the highest mean autocorrelation, or the shortest of those usual in calendars that is
    nearly as good.

    Parameters
    ----------
    series : list of ndarray
        Each in order of time, NaN where missing.
    """
    series = [values[-MOST:] for values in series if (~np.isnan(values)).sum() >= 12]
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
    peaks = peaks[mean[peaks] > np.maximum(LEAST, ERRORS / np.sqrt(np.maximum(count[peaks], 1)))]
    if not len(peaks):
        return 1
    # Multiples of a season are as high as the season itself, and tell neighbouring lags apart.
    score = {int(lag): mean[lag : 3 * lag + 1 : lag].mean() for lag in {*peaks, *COMMON} if lag < longest}
    best = max(peaks.tolist(), key=score.get)
    good = [lag for lag in score if score[lag] >= AS_GOOD * score[best]]
    return min([lag for lag in good if lag in COMMON] or [lag for lag in good if best % lag == 0])


def correlations(values: np.ndarray) -> np.ndarray:
    """Autocorrelations of a series at the lags 0 to a third of its length; lags 0 and 1 are 0.

    Its trend is taken out, and of each value what the one before it says of it: a walk is then told from a season.
    """
    filled = Context(values[None].astype("float64"), 1).filled
    inside = np.ones_like(filled, dtype=bool)
    level = filled - slope_of(filled, inside) * np.arange(filled.shape[1])
    level -= level.mean()
    rest = level[:, 1:] - np.clip(autocorrelation(level, inside), 0, 1) * level[:, :-1]
    most = len(values) // 3
    return np.array([0.0, 0.0, *(autocorrelation(rest, inside[:, 1:], lag)[0, 0] for lag in range(2, most + 1))])
