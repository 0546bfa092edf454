"""The classical methods of the M4 competition, after its R code: Naive2, SES and Theta on seasonally adjusted values.

References
----------
Makridakis, Spiliotis and Assimakopoulos (2020), "The M4 Competition", International Journal of Forecasting 36;
"Benchmarks and Evaluation.R" of the competition's files. Assimakopoulos and Nikolopoulos (2000), "The theta model",
International Journal of Forecasting 16.
"""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.signal import lfilter

#: Quantile of the normal distribution that a seasonal autocorrelation must exceed (a test at 90 %).
CRITICAL = 1.645


def naive2(values: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """The last seasonally adjusted value with its season."""
    adjusted, index = adjust(values, season)
    return adjusted[-1] * ahead(index, len(values), horizon)


def ses(values: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """Simple exponential smoothing of the seasonally adjusted values."""
    adjusted, index = adjust(values, season)
    return smoothed(adjusted) * ahead(index, len(values), horizon)


def theta(values: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """Half the linear trend and half the smoothed theta line of 2, of the seasonally adjusted values."""
    adjusted, index = adjust(values, season)
    place = np.arange(len(values))
    slope, start = np.polyfit(place, adjusted, 1)
    line = smoothed(2 * adjusted - (start + slope * place))
    trend = start + slope * (len(values) + np.arange(horizon))
    return (line + trend) / 2 * ahead(index, len(values), horizon)


METHODS = {"naive2": naive2, "ses": ses, "theta": theta}


def adjust(values: np.ndarray, season: int) -> tuple[np.ndarray, np.ndarray]:
    """The values without their multiplicative season, and its index by position from the first value on."""
    if season == 1 or not is_seasonal(values, season):
        return values, np.ones(season)
    ratio = values / moving_average(values, season)
    index = np.array([np.nanmean(ratio[place::season]) for place in range(season)])
    index /= index.mean()
    return values / np.resize(index, len(values)), index


def ahead(index: np.ndarray, rows: int, horizon: int) -> np.ndarray:
    """The seasonal index of the rows that follow."""
    return index[(rows + np.arange(horizon)) % len(index)]


def moving_average(values: np.ndarray, season: int) -> np.ndarray:
    """The centred average over a season, the first and last weighing half where it is even; NaN at the ends."""
    weights = np.ones(season) if season % 2 else np.r_[0.5, np.ones(season - 1), 0.5]
    out = np.full(len(values), np.nan)
    half = len(weights) // 2
    out[half : len(values) - half] = np.convolve(values, weights / season, mode="valid")
    return out


def is_seasonal(values: np.ndarray, season: int) -> bool:
    """Whether the autocorrelation at the season is beyond what shorter ones explain."""
    if len(values) < 3 * season:
        return False
    centred = values - values.mean()
    if not centred.any():
        return False
    found = np.array([centred[lag:] @ centred[: len(centred) - lag] for lag in range(1, season + 1)])
    found /= centred @ centred
    limit = CRITICAL / np.sqrt(len(values)) * np.sqrt(1 + 2 * (found[:-1] ** 2).sum())
    return bool(abs(found[-1]) > limit)


def smoothed(values: np.ndarray) -> float:
    """The level after simple exponential smoothing whose start and weight have the least squared one-step errors."""

    def run(alpha):
        # One-step errors are linear in the starting level, (1 - alpha)^t of which is left at step t.
        error = lfilter([1, -1], [1, -(1 - alpha)], values)
        left = (1 - alpha) ** np.arange(len(values))
        start = error @ left / (left @ left)
        return error - start * left

    tried = np.linspace(1e-4, 0.9999, 21)
    best = int(np.argmin([np.square(run(alpha)).sum() for alpha in tried]))
    span = tried[max(best - 1, 0)], tried[min(best + 1, len(tried) - 1)]
    alpha = minimize_scalar(lambda a: np.square(run(a)).sum(), bounds=span, method="bounded").x
    return float(values[-1] - (1 - alpha) * run(alpha)[-1])
