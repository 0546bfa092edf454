"""Synthetic series for pre-training: families, disturbances and frequencies.

`draw` returns series of one frequency as rows of an array. All random numbers are drawn from the given generator, so
that a seed reproduces the series.
"""

from dataclasses import dataclass

import numpy as np

from pretraining.components import (
    PATTERNS,
    calendar_effect,
    lognormal,
    mixed,
    noise,
    patterned,
    recursive,
    smooth_walk,
    trend,
    unit,
)


@dataclass(frozen=True)
class Frequency:
    """Season lengths, series lengths in steps, horizon, and relative sampling frequency."""

    name: str
    season: int
    second: int
    lengths: tuple[int, int]
    horizons: tuple[int, int]
    odds: float


FREQUENCIES = (
    Frequency("yearly", 1, 0, (5, 70), (3, 8), 1.2),
    Frequency("quarterly", 4, 0, (6, 120), (4, 12), 1.4),
    Frequency("monthly", 12, 0, (10, 340), (6, 24), 2.4),
    Frequency("weekly", 52, 0, (20, 420), (8, 52), 1.4),
    Frequency("daily", 7, 365, (15, 1400), (7, 48), 1.5),
    Frequency("business", 5, 260, (15, 1000), (5, 40), 0.5),
    Frequency("hourly", 24, 168, (50, 900), (12, 96), 2.0),
    Frequency("half-hourly", 48, 336, (100, 1300), (24, 144), 0.7),
    Frequency("quarter-hourly", 96, 672, (200, 2100), (24, 192), 0.4),
    Frequency("no season", 1, 0, (10, 400), (4, 48), 0.6),
)


def draw_frequency(rng) -> Frequency:
    """Draw one of the frequencies or, sometimes, an unusual season."""
    if rng.random() < 0.05:
        season = int(rng.integers(2, 60))
        return Frequency("unusual", season, 0, (2 * season, 12 * season + 60), (4, 2 * season + 4), 0.0)
    odds = np.array([frequency.odds for frequency in FREQUENCIES])
    return FREQUENCIES[rng.choice(len(FREQUENCIES), p=odds / odds.sum())]


# -------------------------------------------------------------------------------------------------------- families


def true_seasons(rng, season, second):
    """Draw the actual seasons of series: the main season may be hidden, or there may be none."""
    if season == 1:
        return (int(rng.choice([1, 1, 1, 4, 7, 12])) if rng.random() < 0.3 else 1), 0
    return season, second


def structural(rng, rows, steps, season, second):
    """Draw sums of trend, seasons and noise, or products for trends that are positive levels."""
    season, second = true_seasons(rng, season, second)
    level = trend(rng, rows, steps) * lognormal(rng, rows, 2.0, 1.0)
    waves = np.zeros((rows, steps))
    if season > 1:
        waves += patterned(rng, rows, steps, season) * lognormal(rng, rows, 1.0, 0.8) * (rng.random((rows, 1)) < 0.85)
    if second:
        long = _long_season(rng, rows, steps, season, second)
        waves += long * lognormal(rng, rows, 0.7, 0.8) * (rng.random((rows, 1)) < 0.75)
    rough = noise(rng, rows, steps) * lognormal(rng, rows, 0.5, 1.0)
    growth = np.exp(np.clip(0.35 * level * lognormal(rng, rows, 0.5, 0.5), -4, 4))
    swing = np.clip(1 + 0.25 * waves * lognormal(rng, rows, 0.7, 0.5), 0.02, None)
    multiplied = 10 * growth * swing * np.exp(0.15 * np.clip(rough, -6, 6))
    return np.where(rng.random((rows, 1)) < 0.4, multiplied, level + waves + rough)


def _long_season(rng, rows, steps, season, second):
    if second >= 200 and second % season:  # yearly seasons of daily data are smooth, not a table of 365 values
        year = np.sqrt(2) * np.sin(2 * np.pi * np.arange(steps) / second + rng.uniform(0, 7, size=(rows, 1)))
        return year + 0.3 * rng.normal(size=(rows, 1)) * np.sin(4 * np.pi * np.arange(steps) / second)
    functions = (lambda r, n, t: patterned(r, n, t, second), lambda r, n, t: calendar_effect(r, n, t, season, second))
    return mixed(rng, rows, steps, functions, (1, 2))


def state_space(rng, rows, steps, season, second):
    """Draw exponential smoothing processes with level, damped trend and seasons."""
    season = max(season, 1)
    alpha, beta = rng.beta(1, 2, size=rows), rng.beta(1, 8, size=rows) * (rng.random(rows) < 0.5)
    gamma, phi = rng.beta(1, 6, size=rows), rng.choice([0.8, 0.9, 0.98, 1.0], size=rows)
    seasons = unit(mixed(rng, rows, season, (_any_pattern,), (1,))) if season > 1 else np.zeros((rows, 1))
    seasons = seasons * lognormal(rng, rows, 2.0, 1.0)
    level, slope = np.zeros(rows), 0.1 * rng.normal(size=rows) * (rng.random(rows) < 0.6)
    shocks = rng.normal(size=(rows, steps))
    out = np.empty((rows, steps))
    for step in range(steps):
        place = step % season
        shock = shocks[:, step]
        out[:, step] = level + phi * slope + seasons[:, place] + shock
        level = level + phi * slope + alpha * shock
        slope = phi * slope + alpha * beta * shock
        seasons[:, place] += (1 - alpha) * gamma * shock
    return np.where(rng.random((rows, 1)) < 0.4, np.exp(np.clip(out / (out.std(1, keepdims=True) + 1e-9), -5, 5)), out)


def _any_pattern(rng, rows, season):
    return mixed(rng, rows, season, PATTERNS, (4, 2, 2, 1))


def airline(rng, rows, steps, season, second):
    """Draw seasonal ARIMA (0,1,1)(0,1,1), or variants with autoregressions instead of differences."""
    shocks = rng.normal(size=(rows, steps + season + 1))
    theta, seasonal = rng.uniform(0, 0.95, size=(rows, 1)), rng.uniform(0, 0.95, size=(rows, 1))
    moved = shocks.copy()
    moved[:, 1:] -= theta * shocks[:, :-1]
    if season > 1:
        moved[:, season:] -= seasonal * moved[:, : shocks.shape[1] - season].copy()
    keep = np.where(rng.random((rows, 1)) < 0.6, 1.0, rng.uniform(0.5, 1.0, size=(rows, 1)))
    walk = recursive(moved[:, 1:], keep)
    if season > 1:
        again = np.where(rng.random((rows, 1)) < 0.7, 1.0, rng.uniform(0.6, 1.0, size=(rows, 1)))
        start = _any_pattern(rng, rows, season) * lognormal(rng, rows, 3.0, 0.8)
        walk[:, :season] += start
        for step in range(season, walk.shape[1]):
            walk[:, step] += again[:, 0] * walk[:, step - season]
    return walk[:, -steps:]


def integrated(rng, rows, steps, season, second):
    """Draw series with persistent growth, seasons and noise, additive or multiplicative, like economic series."""
    keep = np.where(rng.random((rows, 1)) < 0.3, 1.0, rng.uniform(0.2, 0.99, size=(rows, 1)))
    growth = recursive(noise(rng, rows, steps), keep) + rng.normal(size=(rows, 1)) * rng.uniform(0, 3, size=(rows, 1))
    path = np.cumsum(growth, axis=1)
    change = np.abs(growth).mean(1, keepdims=True) + 1e-9
    waves = patterned(rng, rows, steps, season) if season > 1 else np.zeros((rows, steps))
    waves *= lognormal(rng, rows, 2.0, 1.0) * (rng.random((rows, 1)) < 0.8)
    values = path / change + waves + lognormal(rng, rows, 0.3, 1.0) * noise(rng, rows, steps)
    rate = lognormal(rng, rows, 0.02, 0.7)
    return np.where(rng.random((rows, 1)) < 0.5, np.exp(np.clip(values * rate, -6, 6)), values)


def gaussian_process(rng, rows, steps, season, second, features=12):
    """Draw random Fourier features: smooth functions of several length scales, and seasonal functions."""
    time = np.arange(steps)
    lengths = np.exp(rng.uniform(np.log(2.0), np.log(2.0 * steps + 4), size=(rows, features, 1)))
    periodic = rng.integers(1, 5, size=(rows, features, 1)) / max(season, 2)
    rate = np.where(rng.random((rows, features, 1)) < (0.5 if season > 1 else 0.1), periodic, 1 / lengths)
    size = rng.normal(size=(rows, features, 1)) * np.exp(0.7 * rng.normal(size=(rows, features, 1)))
    phase = rng.uniform(0, 2 * np.pi, size=(rows, features, 1))
    wave = np.zeros((rows, steps))
    for part in range(features):
        wave += size[:, part] * np.sin(2 * np.pi * rate[:, part] * time + phase[:, part])
    return unit(wave) + lognormal(rng, rows, 0.15, 1.2) * noise(rng, rows, steps)


def processes(rng, rows, steps, season, second):
    """Draw walks, regimes, sawteeth, steps, bursts and irregular cycles."""
    functions = (walks, regimes, sawtooth, level_steps, bursts, cycles)
    return mixed(rng, rows, steps, functions, (3, 1.5, 0.7, 1, 1, 2), season)


def walks(rng, rows, steps, season):
    """Draw arithmetic or geometric random walks with drift and changing volatility, like prices and rates."""
    shocks = noise(rng, rows, steps) + 0.1 * rng.normal(size=(rows, 1))
    path = np.cumsum(shocks, axis=1)
    size = lognormal(rng, rows, 0.02, 0.8)
    return np.where(rng.random((rows, 1)) < 0.5, np.exp(np.clip(path * size, -6, 6)), path)


def regimes(rng, rows, steps, season):
    """Draw series that revert to one of two alternating levels."""
    switch = np.cumsum(rng.random((rows, steps)) < 3.0 / steps, axis=1) % 2
    target = switch * lognormal(rng, rows, 3.0, 0.6)
    keep = rng.uniform(0.5, 0.97, size=(rows, 1))
    return recursive((1 - keep) * target + 0.3 * rng.normal(size=(rows, steps)), keep)


def sawtooth(rng, rows, steps, season):
    length = np.where(rng.random((rows, 1)) < 0.6, max(season, 4), lognormal(rng, rows, 20.0, 0.6))
    place = np.arange(steps) + rng.uniform(0, 50, size=(rows, 1))
    return rng.choice([-1, 1], size=(rows, 1)) * ((place / length) % 1.0) * 3 + 0.2 * rng.normal(size=(rows, steps))


def level_steps(rng, rows, steps, season):
    jumps = rng.normal(size=(rows, steps)) * (rng.random((rows, steps)) < 4.0 / steps)
    return np.cumsum(jumps, axis=1) * 3 + lognormal(rng, rows, 0.3, 1.0) * rng.normal(size=(rows, steps))


def bursts(rng, rows, steps, season):
    """Draw shot noise: decaying jumps, whose rate may be seasonal."""
    rate = np.clip(0.05 * np.exp(0.8 * patterned(rng, rows, steps, max(season, 2))), 0, 1)
    shots = (rng.random((rows, steps)) < rate) * rng.exponential(2.0, size=(rows, steps))
    return recursive(shots, rng.uniform(0.3, 0.97, size=(rows, 1))) + 0.1 * noise(rng, rows, steps)


def cycles(rng, rows, steps, season):
    """Draw noisy oscillations of irregular length, like business cycles, epidemics and sunspots."""
    length = lognormal(rng, rows, 4.0 * max(season, 4), 0.7)
    speed = 2 * np.pi / length * (1 + 0.3 * smooth_walk(rng, rows, steps))
    size = np.exp(0.4 * smooth_walk(rng, rows, steps))
    wave = size * np.sin(np.cumsum(speed, axis=1) + rng.uniform(0, 2 * np.pi, size=(rows, 1)))
    sharp = rng.choice([0.0, 0.0, 0.7, 1.5], size=(rows, 1))
    wave = np.where(sharp > 0, (np.exp(sharp * wave) - 1) / np.maximum(sharp, 0.1), wave)
    year = patterned(rng, rows, steps, season) * lognormal(rng, rows, 0.2, 1.0) if season > 1 else 0.0
    return wave + year + lognormal(rng, rows, 0.15, 0.8) * noise(rng, rows, steps)


def counts(rng, rows, steps, season, second):
    """Draw counts with a structural intensity: Poisson or negative binomial, sometimes zero-inflated."""
    wave = unit(structural(rng, rows, steps, season, second))
    mean = np.exp(np.clip(np.log(lognormal(rng, rows, 5.0, 1.3)) + wave * rng.uniform(0.1, 0.8, (rows, 1)), -4, 9))
    shape = rng.choice([1.0, 3.0, 10.0, 100.0], size=(rows, 1))
    values = rng.poisson(mean * rng.gamma(shape, 1 / shape, size=(rows, steps))).astype("float64")
    closed = rng.random((rows, steps)) < rng.choice([0.0, 0.0, 0.0, 0.3, 0.7], size=(rows, 1))
    return np.where(closed, 0.0, values)


FAMILIES = (structural, state_space, airline, integrated, gaussian_process, processes, counts)
FAMILY_ODDS = (4.5, 2, 2, 1.5, 1.2, 2.5, 0.8)


def draw(rng, rows, steps, season, second):
    """Draw series (rows, steps) of mixed families with disturbances; NaN where missing."""
    values = mixed(rng, rows, steps, FAMILIES, FAMILY_ODDS, season, second)
    values = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    blend = rng.random((rows, 1)) < 0.12
    other = unit(values)[rng.permutation(rows)]
    values = np.where(blend, unit(values) + rng.uniform(0.2, 1.0, (rows, 1)) * other, values)
    return disturbed(rng, values, season)


# ---------------------------------------------------------------------------------------------------- disturbances


def disturbed(rng, values, season):
    """Apply signs, levels, units, shifts, outliers, floors, rounding and missing values."""
    rows, steps = values.shape

    def some(odds):
        return rng.random((rows, 1)) < odds

    values = np.where(some(0.15), -values, values)
    spread = values.std(1, keepdims=True) + 1e-9
    shift = np.cumsum(rng.normal(size=(rows, steps)) * (rng.random((rows, steps)) < 1.5 / steps), axis=1)
    values = values + some(0.1) * shift * 2 * spread
    outlier = (rng.random((rows, steps)) < 0.01) * rng.standard_t(2, size=(rows, steps)) * 3
    values = values + some(0.1) * outlier.clip(-20, 20) * spread
    lifted = values - values.min(1, keepdims=True) + spread * lognormal(rng, rows, 1.0, 1.2)
    positive = (values > 0).all(1, keepdims=True)
    values = np.where(~positive & some(0.65), lifted, values)
    floor = np.quantile(values, 0.2, axis=1, keepdims=True)
    values = np.where(some(0.04), np.maximum(values, floor) - floor, values)
    values = values * lognormal(rng, rows, 10.0, 2.0) / spread
    grain = values.std(1, keepdims=True) * rng.choice([0.01, 0.1, 0.5], size=(rows, 1)) + 1e-9
    values = np.where(some(0.15), np.round(values / grain) * grain, values)
    closed = np.zeros((rows, steps), dtype=bool)
    if season == 7:
        closed = (np.arange(steps) + rng.integers(7, size=(rows, 1))) % 7 < rng.integers(1, 3, size=(rows, 1))
    values = np.where(closed & some(0.06), 0.0, values)
    missing = rng.random((rows, steps)) < rng.choice([0.02, 0.1, 0.4], size=(rows, 1))
    start, length = rng.integers(0, steps, size=(rows, 1)), rng.integers(1, max(steps // 5, 2), size=(rows, 1))
    block = (np.arange(steps) >= start) & (np.arange(steps) < start + length)
    return np.where((missing & some(0.06)) | (block & some(0.05)), np.nan, values)
