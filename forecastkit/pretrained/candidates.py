"""Simple forecasts of many series at once, which the pre-trained network combines.

All functions are vectorized over a matrix of series (the context), whose last columns are the latest values. They are
also recorded for export (see `forecastkit.exporting.recorded`): results are never assigned in place, and neither their
shape nor what is computed depends on the number of series or, except for shortcuts (`always`), on their values.

References
----------
.. [1] Assimakopoulos, V., & Nikolopoulos, K. (2000). The theta model: a decomposition approach to forecasting.
International Journal of Forecasting, 16(4), 521-530.
.. [2] Gardner, E. S., & McKenzie, E. (1985). Forecasting trends in time series. Management Science, 31(10), 1237-1246.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecastkit.pretrained.autoregressions import autoregression, changes, continued

#: Names of the candidates, in the order of their axis.
NAMES = (
    "last value",
    "one season back",
    "two seasons back",
    "three seasons back",
    "two seasons back, level-adjusted",
    "three seasons back, level-adjusted",
    "one season back, corrected by the last error",
    "one season back, corrected by the mean of the latest errors",
    "one season back, corrected by a decaying error",
    "seasonal drift",
    "seasonal drift of the logarithm",
    "mean of the last season",
    "long mean",
    "linear drift",
    "local drift",
    "slow exponential smoothing",
    "fast exponential smoothing",
    "theta",
    "theta of the logarithm",
    "damped trend",
    "damped trend of the logarithm",
    "seasonal trend",
    "seasonal trend of the logarithm",
    "autoregression",
    "ridge regression of the data set",
    "one long season back",
    "one long season back, corrected by the mean of the latest errors",
    "mean of two long seasons back, level-adjusted",
    "one long season back, corrected by a decaying error",
    "autoregression about the profile of the long season",
    "long trend",
    "long trend of the logarithm",
    "autoregression about the trend",
    "autoregression about the trend of the logarithm",
    "autoregression of changes",
    "autoregression of changes of the logarithm",
    "autoregression of seasonal changes",
    "autoregression of seasonal changes of the logarithm",
)
RIDGE = NAMES.index("ridge regression of the data set")
#: Candidates computed from logarithms, which are available for positive series only.
OF_LOGARITHM = " of the logarithm"
LOGARITHMS = tuple(k for k, name in enumerate(NAMES) if name.endswith(OF_LOGARITHM))
#: Number of seasons in a seasonal profile, and the weight of a season relative to the next newer one.
PROFILE_SEASONS, PROFILE_DECAY = 6, 0.8


@dataclass(frozen=True, eq=False)
class Context:
    """The latest values of series with the same season lengths."""

    values: np.ndarray  #: (B, C): oldest first, float64; NaN where missing and before the first value of a series
    season: int  #: Length of the main season in steps, 1 for none
    second: int = 0  #: Length of a longer season in steps, 0 for none

    @cached_property
    def observed(self) -> np.ndarray:
        return ~np.isnan(self.values)

    @cached_property
    def age(self) -> np.ndarray:
        """Number of steps from each series' first observed value to the end of the context, (B,); 0 without values."""
        return np.where(self.observed.any(1), self.values.shape[1] - self.observed.argmax(1), 0)

    @cached_property
    def inside(self) -> np.ndarray:
        """Whether a cell is at or after the series' first value, (B, C)."""
        width = self.values.shape[1]
        return np.arange(width) >= width - self.age[:, None]

    @cached_property
    def filled(self) -> np.ndarray:
        """Values with gaps filled from up to three seasons before, else carried forward; backfilled at the start."""
        values = self.values
        if always(self.observed):
            return values
        for _ in range(3 if self.season > 1 else 0):
            values = np.where(np.isnan(values), shifted(values, self.season), values)
        known = ~np.isnan(values)
        place = np.maximum.accumulate(np.where(known, np.arange(values.shape[1]), 0), axis=1)
        place = np.maximum(place, known.argmax(1)[:, None])
        found = np.take_along_axis(values, place, axis=1)
        return np.where(np.isnan(found), 0.0, found)

    @cached_property
    def positive(self) -> np.ndarray:
        """Whether all values of a series are positive, (B,)."""
        return self.filled.min(1) > 0

    def before(self, steps: int) -> Context:
        """Return the context `steps` steps earlier, with the same width."""
        return Context(shifted(self.values, steps), self.season, self.second)


def always(condition) -> bool:
    """Return whether a condition is known to hold for all series: not while operations are recorded."""
    return isinstance(condition, np.ndarray) and bool(condition.all())


def shifted(values: np.ndarray, steps: int) -> np.ndarray:
    """Return the values (B, C) `steps` columns later, NaN in the first columns."""
    return np.concatenate([np.full_like(values[:, :steps], np.nan), values[:, :-steps]], axis=1)


def back(values: np.ndarray, season: int, horizon: int, seasons: int = 1) -> np.ndarray:
    """Return the values `seasons` whole seasons before each of the next steps, (B, horizon)."""
    width = values.shape[1]
    place = width - season * seasons + np.arange(horizon) % season
    return values[:, np.minimum(np.maximum(place, 0), width - 1)]


def tail_mean(values: np.ndarray, stop: int, length: int) -> np.ndarray:
    """Return the mean (B, 1) of `length` columns that end `stop` columns before the last."""
    high = max(values.shape[1] - stop, 1)
    return values[:, max(high - length, 0) : high].mean(1, keepdims=True)


def autocorrelation(values: np.ndarray, inside: np.ndarray, lag: int = 1) -> np.ndarray:
    """Return the autocorrelation (B, 1) at `lag` of values inside the series; 0 where unknown."""
    pairs = inside[:, lag:] & inside[:, :-lag]
    mean = _ratio((values * inside).sum(1), inside.sum(1))[:, None]
    now, then = ((values[:, lag:] - mean) * pairs), ((values[:, :-lag] - mean) * pairs)
    power = np.sqrt((now**2).sum(1) * (then**2).sum(1))
    return _ratio((now * then).sum(1), power)[:, None]


def _ratio(over, under):
    return over / np.where(under > 0, under, np.inf)


def slope_of(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return the least-squares slope per step (B, 1) of values inside the series."""
    steps = np.arange(values.shape[1]) - values.shape[1] + 1.0
    count = np.maximum(inside.sum(1), 1)[:, None]
    time = (steps - (steps * inside).sum(1, keepdims=True) / count) * inside
    return _ratio((time * values).sum(1), (time**2).sum(1))[:, None]


def profile(values: np.ndarray, age: np.ndarray, season: int) -> np.ndarray:
    """Return seasonal deviations (B, season) for the steps of the next season; 0 for series shorter than a season.

    It is a weighted mean of the last seasons after removal of their means and of the slope between these means.
    """
    number = min(values.shape[1] // season, PROFILE_SEASONS)
    if season == 1 or number == 0:
        return np.zeros_like(values[:, :1]) + np.zeros(season)
    blocks = values[:, -number * season :].reshape(-1, number, season)
    newest_last = np.arange(number, 0, -1)
    weight = (age[:, None] >= newest_last * season) * PROFILE_DECAY ** (newest_last - 1.0)
    level = blocks.mean(2)
    oldest = np.minimum(np.maximum(age // season, 1), number)
    first = np.take_along_axis(level, (number - oldest)[:, None], axis=1)
    slope = _ratio(level[:, -1:] - first, ((oldest - 1.0) * season)[:, None])
    within = slope * (np.arange(season) - (season - 1) / 2)
    deviations = blocks - level[:, :, None] - within[:, None]
    return _ratio((deviations * weight[:, :, None]).sum(1), weight.sum(1)[:, None])


def tiled(pattern: np.ndarray, width: int) -> np.ndarray:
    """Repeat a pattern (B, season), aligned at the end, over the last `width` steps."""
    times = -(-width // pattern.shape[1])
    return np.concatenate([pattern] * times, axis=1)[:, times * pattern.shape[1] - width :]


def smoothed(values: np.ndarray, inside: np.ndarray, rate: float) -> np.ndarray:
    """Return the level (B, 1) of exponential smoothing with weights that are normalized over values inside."""
    weight = inside * (1.0 - rate) ** np.arange(values.shape[1] - 1, -1, -1.0)
    return _ratio((values * weight).sum(1), weight.sum(1))[:, None]


def trends(values, inside, age, season, horizon):
    """Return forecasts (B, horizon) by name that are also made of logarithms.

    They are, of seasonally adjusted values with the season added: slow and fast exponential smoothing, theta [1]_, a
    damped trend [2]_, the trends of four seasons and of the whole context, and autoregressions of the values, about the
    trend and of changes; also the seasonal drift and an autoregression of seasonal changes.
    """
    steps, width = np.arange(1, horizon + 1), values.shape[1]
    index = profile(values, age, season)
    adjusted = values - tiled(index, width)
    slow, middle, fast = (smoothed(adjusted, inside, rate) for rate in (0.15, 0.3, 0.5))
    long = slope_of(adjusted, inside)
    lengths = min(max(season, 6), 24, width), min(max(4 * season, 10), width)
    local, recent = (slope_of(adjusted[:, -length:], inside[:, -length:]) for length in lengths)
    found = {
        "slow exponential smoothing": slow,
        "fast exponential smoothing": fast,
        "theta": middle + 0.5 * long * steps,
        "damped trend": fast + local * np.cumsum(0.9**steps),
        "seasonal trend": fast + recent * steps,
        "long trend": fast + long * steps,
    }
    # One call for all autoregressions: with few series the number of NumPy calls takes the time.
    line = long * np.arange(1.0 - width, 1.0)
    series = [(adjusted, inside), (adjusted - line, inside), changes(adjusted, inside, 1)]
    if 1 < season < width:
        series.append(changes(values, inside, season))
    ahead = autoregression(*(np.concatenate(part) for part in zip(*series, strict=True)), season, horizon)
    ahead = ahead.reshape(len(series), -1, horizon)
    found["autoregression"] = ahead[0]
    found["autoregression about the trend"] = ahead[1] + long * steps
    found["autoregression of changes"] = continued(adjusted, ahead[2], 1)
    seasonal_terms = index[:, np.arange(horizon) % season]
    found = {name: forecast + seasonal_terms for name, forecast in found.items()}
    if len(series) > 3:
        found["autoregression of seasonal changes"] = continued(values, ahead[3], season)
    drift = (tail_mean(values, 0, season) - tail_mean(values, season, season)) * -(-steps // season)
    return found | {"seasonal drift": back(values, season, horizon) + drift}


def seasonal(values, inside, season, horizon):
    """Return candidates of one season (plain, level-adjusted, error-corrected) as a dict of (B, horizon)."""
    steps = np.arange(1, horizon + 1)
    one, two, three = (back(values, season, horizon, seasons) for seasons in (1, 2, 3))
    level = tail_mean(values, 0, season)
    errors = values[:, season:] - values[:, :-season] if season < values.shape[1] else np.zeros_like(values[:, :1])
    within = inside[:, season:] & inside[:, :-season] if season < values.shape[1] else np.zeros_like(inside[:, :1])
    latest = min(max(2, season // 4), 12)
    decay = np.minimum(np.maximum(autocorrelation(errors, within), 0.0), 0.995)
    return {
        "plain": (one, two, three),
        "adjusted": tuple(
            seasonal_value + level - tail_mean(values, season * (k - 1), season)
            for k, seasonal_value in ((2, two), (3, three))
        ),
        "last": one + errors[:, -1:],
        "mean": one + tail_mean(errors, 0, latest),
        "decay": one + errors[:, -1:] * decay**steps,
        "level": level,
    }


def candidates(context: Context, horizon: int, ridge: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return all candidate forecasts (B, horizon, K) of a context, in the order of `NAMES`, and which are available (B,
    K).

    Unavailable candidates are replaced by the last value. `ridge` (B, horizon) is the closed-form linear forecast of
    the data set, NaN where there is none.
    """
    values, season, age = context.filled, context.season, context.age
    last = values[:, -1:]
    main = seasonal(values, context.inside, season, horizon)
    found = dict(
        zip(NAMES[1:9], [*main["plain"], *main["adjusted"], main["last"], main["mean"], main["decay"]], strict=True)
    )
    found |= {"last value": last, "ridge regression of the data set": ridge}
    found["mean of the last season"] = main["level"] if season > 1 else tail_mean(values, 0, 4)
    found |= _levels(values, context.inside, age, season, horizon)
    found |= _of_values_and_logarithms(context, horizon)
    if context.second:
        found |= _long_season(context, horizon)
    needs = np.array(_needed(season, context.second, values.shape[1]))
    made = np.array([found.get(name) is not None for name in NAMES])
    forecasts = [last if found.get(name) is None else found[name] for name in NAMES]
    table = np.stack([one + np.zeros(horizon) for one in forecasts], axis=2)
    available = made & (age[:, None] >= needs) & np.isfinite(table).all(1) | (np.arange(len(NAMES)) == 0)
    return np.where(available[:, None], table, last[:, :, None]), available


def _of_values_and_logarithms(context, horizon):
    """Return the candidates of values and of logarithms; the latter are NaN for series that are not positive."""
    values, positive = context.filled, context.positive[:, None]
    arguments = context.inside, context.age
    if always(~positive):
        return trends(values, *arguments, context.season, horizon)
    logs = np.log(np.where(positive, values, 1.0))
    both = np.concatenate([values, logs])
    found = trends(both, *(np.concatenate([part, part]) for part in arguments), context.season, horizon)
    found = {name: forecast.reshape(2, -1, forecast.shape[1]) for name, forecast in found.items()}
    low, high = logs.min(1)[:, None], logs.max(1)[:, None]
    margin = np.minimum(0.5 * (high - low) + 0.1, 1.5)
    out = {name: forecast[0] for name, forecast in found.items()}
    for name in (NAMES[k].removesuffix(OF_LOGARITHM) for k in LOGARITHMS):
        if name in found:
            restored = np.exp(np.minimum(np.maximum(found[name][1], low - margin), high + margin))
            out[name + OF_LOGARITHM] = np.where(positive, restored, np.nan)
    return out


def _levels(values, inside, age, season, horizon):
    """Return the long mean and the drifts from the first value and from a few values before the last."""
    steps, last = np.arange(1, horizon + 1), values[:, -1:]
    first = np.take_along_axis(values, values.shape[1] - np.maximum(age, 1)[:, None], axis=1)
    short = np.minimum(min(max(2 * season, 4), 24), np.maximum(age - 1, 1))[:, None]
    then = np.take_along_axis(values, np.maximum(values.shape[1] - 1 - short, 0), axis=1)
    return {
        "long mean": ((values * inside).sum(1) / np.maximum(age, 1))[:, None],
        "linear drift": last + (last - first) / np.maximum(age[:, None] - 1.0, 1.0) * steps,
        "local drift": last + (last - then) / short * steps,
    }


def _long_season(context, horizon):
    """Return the candidates of the longer season."""
    values, inside, second = context.filled, context.inside, context.second
    long = seasonal(values, inside, second, horizon)
    index = profile(values, context.age, second)
    rest = autoregression(values - tiled(index, values.shape[1]), inside, context.season, horizon)
    return {
        "one long season back": long["plain"][0],
        "one long season back, corrected by the mean of the latest errors": long["mean"],
        "mean of two long seasons back, level-adjusted": 0.5 * (long["plain"][0] + long["adjusted"][0]),
        "one long season back, corrected by a decaying error": long["decay"],
        "autoregression about the profile of the long season": rest + index[:, np.arange(horizon) % second],
    }


def _needed(season, second, width):
    """Return the smallest age of a series for each candidate."""
    never = width + 1
    one = season if season > 1 else never
    needs = [0, season, 2 * one, 3 * one, 2 * one, 3 * one, one + 1, one + 2, one + 4]
    needs += [2 * one, 2 * one, 2, 3, 2, 4, 2, 2, 5, 5, 5, 5, 6, 6, max(12, season + 4), 2]
    two = second if second else never
    needs += [two, two + 2, 2 * two, two + 4, two + season + 4]
    return [*needs, 6, 6, *[max(12, season + 4)] * 4, *[one + max(8, one)] * 2]
