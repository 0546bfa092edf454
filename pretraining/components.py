"""Components of synthetic series: trends, seasons and noise, many series at once.

Every function takes a `numpy.random.Generator`, the number of series `rows` and their length `steps`, and returns an
array (rows, steps).
"""

import numpy as np


def mixed(rng, rows, steps, functions, odds, *more):
    """Draw each row from one of several functions with these odds."""
    kind = rng.choice(len(functions), size=rows, p=np.asarray(odds) / np.sum(odds))
    out = np.empty((rows, steps))
    for number, function in enumerate(functions):
        places = np.flatnonzero(kind == number)
        if len(places):
            out[places] = function(rng, len(places), steps, *more)
    return out


def lognormal(rng, rows, median, spread):
    """Draw positive numbers (rows, 1)."""
    return median * np.exp(spread * rng.normal(size=(rows, 1)))


def unit(values):
    """Center rows and scale them to a standard deviation of 1, except constant rows."""
    values = values - values.mean(1, keepdims=True)
    deviation = values.std(1, keepdims=True)
    return values / np.where(deviation > 1e-9, deviation, 1.0)


# ---------------------------------------------------------------------------------------------------------- trends


def no_trend(rng, rows, steps):
    return np.zeros((rows, steps))


def line(rng, rows, steps):
    return rng.normal(size=(rows, 1)) * np.linspace(-1, 1, steps)


def damped(rng, rows, steps):
    rate = lognormal(rng, rows, 3.0, 0.7)
    return rng.normal(size=(rows, 1)) * 2 * (1 - np.exp(-rate * np.linspace(0, 1, steps)))


def exponential(rng, rows, steps):
    rate = rng.normal(size=(rows, 1)) * 1.5
    return unit(np.exp(rate * np.linspace(0, 1, steps))) * rng.choice([-1, 1, 1, 1], size=(rows, 1))


def random_walk(rng, rows, steps):
    drift = rng.normal(size=(rows, 1)) * 0.7
    return (np.cumsum(rng.normal(size=(rows, steps)), axis=1) / np.sqrt(steps)) + drift * np.linspace(-1, 1, steps)


def smooth_walk(rng, rows, steps):
    """Draw random walks whose slope is a mean-reverting walk."""
    keep = 1 - 1 / lognormal(rng, rows, 12.0, 1.0).clip(2)
    slopes = recursive(rng.normal(size=(rows, steps)), keep)
    return unit(np.cumsum(slopes, axis=1))


def change_points(rng, rows, steps):
    """Draw piecewise linear series with random change points."""
    odds = rng.choice([1, 2, 4, 8], size=(rows, 1)) / steps
    changes = rng.normal(size=(rows, steps)) * (rng.random((rows, steps)) < odds)
    changes[:, 0] = rng.normal(size=rows)
    return unit(np.cumsum(np.cumsum(changes, axis=1), axis=1))


def logistic(rng, rows, steps):
    middle, width = rng.uniform(0, 1.3, size=(rows, 1)), lognormal(rng, rows, 0.1, 0.5)
    return rng.normal(size=(rows, 1)) * np.tanh((np.linspace(0, 1, steps) - middle) / width)


TRENDS = (no_trend, line, damped, exponential, random_walk, smooth_walk, change_points, logistic)


def trend(rng, rows, steps):
    """Draw trends of about unit size."""
    return mixed(rng, rows, steps, TRENDS, (3, 3, 1, 2, 4, 2, 2, 1))


# --------------------------------------------------------------------------------------------------------- seasons


def recursive(shocks, keep):
    """Compute first-order autoregressions by row: ``x[t] = keep x[t - 1] + shocks[t]``."""
    out, state = np.empty_like(shocks), np.zeros(len(shocks))
    keep = np.broadcast_to(np.asarray(keep, dtype="float64"), (len(shocks), 1))[:, 0]
    for step in range(shocks.shape[1]):
        state = keep * state + shocks[:, step]
        out[:, step] = state
    return out


def harmonics(rng, rows, season):
    """Draw seasonal patterns of a few sines with amplitudes that decrease with frequency."""
    most = max(min(season // 2, 8), 1)
    number = np.arange(1, most + 1)
    size = rng.normal(size=(rows, 2, most)) / number ** rng.choice([0.5, 1.0, 2.0], size=(rows, 1, 1))
    angle = 2 * np.pi * np.outer(number, np.arange(season)) / season
    return size[:, 0] @ np.cos(angle) + size[:, 1] @ np.sin(angle)


def table(rng, rows, season):
    """Draw seasonal patterns with independent values for every step of the season, sometimes smoothed."""
    pattern = rng.normal(size=(rows, season))
    if season > 4:
        smooth = (np.roll(pattern, 1, 1) + pattern + np.roll(pattern, -1, 1)) / 3
        pattern = np.where(rng.random((rows, 1)) < 0.5, smooth, pattern)
    return pattern


def bumps(rng, rows, season):
    """Draw seasonal patterns with one to three peaks."""
    place = np.arange(season)
    out = np.zeros((rows, season))
    for _ in range(3):
        middle, width = rng.uniform(0, season, size=(rows, 1)), season * rng.uniform(0.03, 0.2, size=(rows, 1))
        apart = np.abs(place - middle)
        apart = np.minimum(apart, season - apart)
        size = rng.normal(1, 0.7, size=(rows, 1)) * (rng.random((rows, 1)) < 0.7)
        out += size * np.exp(-0.5 * (apart / np.maximum(width, 0.5)) ** 2)
    return out


def on_and_off(rng, rows, season):
    """Draw seasonal patterns with two levels, such as daylight, opening hours or weekends."""
    start, length = rng.integers(0, season, size=(rows, 1)), rng.uniform(0.1, 0.7, size=(rows, 1)) * season
    inside = (np.arange(season) - start) % season < length
    shape = np.where(inside, np.sin(np.pi * (((np.arange(season) - start) % season) + 0.5) / length), 0.0)
    return np.where(rng.random((rows, 1)) < 0.5, inside * 1.0, shape)


PATTERNS = (harmonics, table, bumps, on_and_off)


def patterned(rng, rows, steps, season):
    """Draw seasonal series of about unit size, with a constant pattern or one that slowly changes to another."""
    repeats = -(-steps // season) + 1
    shift = rng.integers(season)
    first, later = (
        np.tile(unit(mixed(rng, rows, season, PATTERNS, (4, 2, 2, 1.5))), (1, repeats))[:, shift : shift + steps]
        for _ in range(2)
    )
    drift = rng.choice([0.0, 0.0, 0.3, 1.0], size=(rows, 1))
    walk = np.cumsum(rng.normal(size=(rows, steps)), axis=1) / np.sqrt(steps)
    return first * (1 + 0.5 * drift * walk) + drift * 0.5 * later * np.linspace(0, 1, steps)


def calendar_effect(rng, rows, steps, season, second):
    """Draw patterns of the short season that depend on its number in the long one, such as weekends."""
    days = max(second // season, 1)
    kinds = (rng.random((rows, days)) < 0.3) * 1.0
    repeats = -(-steps // (days * season)) + 1
    kind = np.tile(np.repeat(kinds, season, axis=1), (1, repeats))[:, :steps]
    ordinary, other = (patterned(rng, rows, steps, season) for _ in range(2))
    closeness = rng.uniform(0, 0.9, size=(rows, 1))
    other = closeness * ordinary + (1 - closeness) * other - lognormal(rng, rows, 0.5, 0.7)
    return ordinary * (1 - kind) + other * kind


# ----------------------------------------------------------------------------------------------------------- noise


def white(rng, rows, steps):
    return rng.normal(size=(rows, steps))


def heavy_tailed(rng, rows, steps):
    return rng.standard_t(rng.choice([2.5, 4.0, 6.0]), size=(rows, steps))


def persistent(rng, rows, steps):
    """Draw first-order autoregressions of weak to strong persistence."""
    keep = 1 - 1 / lognormal(rng, rows, 5.0, 1.0).clip(1.1)
    return recursive(rng.normal(size=(rows, steps)), keep) * np.sqrt(1 - keep**2)


def smooth(rng, rows, steps):
    """Draw second-order autoregressions: smooth deviations, such as those of hourly temperatures and loads."""
    keep = 1 - 1 / lognormal(rng, rows, 6.0, 0.8).clip(1.5)
    other = rng.uniform(0, 0.9, size=(rows, 1))
    return unit(recursive(recursive(rng.normal(size=(rows, steps)), keep), other))


def moving_average(rng, rows, steps):
    shocks = rng.normal(size=(rows, steps + 1))
    return shocks[:, 1:] + rng.uniform(-0.9, 0.9, size=(rows, 1)) * shocks[:, :-1]


def volatile(rng, rows, steps):
    """Draw noise with stochastic volatility."""
    logs = recursive(rng.normal(size=(rows, steps)) * 0.15, 0.97)
    return rng.normal(size=(rows, steps)) * np.exp(logs - 0.5)


NOISES = (white, heavy_tailed, persistent, smooth, moving_average, volatile)


def noise(rng, rows, steps):
    """Draw noise of about unit size."""
    return mixed(rng, rows, steps, NOISES, (3, 1, 3, 2, 1, 1))
