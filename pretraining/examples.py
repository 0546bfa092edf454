"""Training examples: synthetic series cut at an origin, with the closed-form regression of their own past."""

import numpy as np

from forecastkit.pretrained.candidates import Context
from forecastkit.pretrained.inputs import PLACES, SHORTEST, context_width, make_inputs, trial_length, usable_second
from pretraining.generator import Frequency, draw, draw_frequency

#: Steps of the horizon in an example, and the largest lookback of the regression.
STEPS, LOOKBACK = 16, 72
STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0, 10.0)


def batch(rng, rows: int = 64, frequency: Frequency | None = None) -> dict[str, np.ndarray]:
    """Draw examples of one frequency: the network's inputs by name, and ``target`` (rows, STEPS), NaN where missing."""
    frequency = frequency or draw_frequency(rng)
    horizon = int(rng.integers(frequency.horizons[0], frequency.horizons[1] + 1))
    season, second = frequency.season, usable_second(frequency.season, frequency.second)
    low, high = frequency.lengths
    longest = int(np.exp(rng.uniform(np.log(low + 4), np.log(high))))
    series = draw(rng, rows, longest + horizon, season, second)
    told = (1, 0) if season > 1 and rng.random() < 0.04 else (season, second)
    return from_series(rng, series, horizon, *told)


def from_series(rng, series, horizon, season, second):
    """Return examples from rows of series whose last `horizon` columns are the target."""
    longest = series.shape[1] - horizon
    past, ahead = series[:, :longest].copy(), series[:, longest:]
    rows = len(series)
    if rng.random() < 0.5:  # series of different lengths
        shortest = min(max(4, season // 2), longest)
        start = longest - rng.integers(shortest, longest + 1, size=(rows, 1))
        past[np.arange(longest) < start] = np.nan
    regression = regressions(rng, past, horizon, season)
    width = min(context_width(season, second), max(longest, SHORTEST))  # padding beyond the series only costs time
    context = np.full((rows, width), np.nan)
    context[:, -min(longest, width) :] = past[:, -width:]
    inputs = make_inputs(Context(context, season, second), horizon, regression)
    steps = np.sort(rng.choice(horizon, size=STEPS, replace=horizon < STEPS))
    target = (ahead[:, steps] - inputs.center[:, None]) / np.where(inputs.scale > 0, inputs.scale, 1.0)[:, None]
    example = inputs.network() | {"target": np.clip(target, -1e4, 1e4).astype("float32")}
    example["steps"], example["forecasts"] = inputs.steps[:, steps], inputs.forecasts[:, steps]
    example["forecasts"] = np.clip(example["forecasts"], -1e4, 1e4)
    usable = (inputs.scale > 0) & ~np.isnan(target).all(1) & np.isfinite(inputs.context).all(1)
    return {name: values[usable] for name, values in example.items()}


def regressions(rng, past, horizon, season):
    """Return forecasts of the closed-form regression at the end and at the earlier origins of candidate evaluation.

    Rows are divided into groups of 1, 4, 16 or all series that share one regression, like the series of a data set. The
    penalty minimizes the error on the last windows, as in `LinearForecaster`.
    """
    rows, longest = past.shape
    length = trial_length(season)
    ahead = max(horizon, length)
    lookback = int(np.clip(max(3 * season if season > 1 else 0, 3 * horizon), 1, max(longest // 4, 1)))
    lookback = min(lookback, LOOKBACK)
    out = [np.full((rows, steps), np.nan) for steps in [horizon] + [length] * PLACES]
    if longest < lookback + ahead + 4 or rng.random() < 0.1:
        return out
    filled, center, scale = _standardised(past)
    windows = np.lib.stride_tricks.sliding_window_view(filled, lookback + ahead, axis=1)
    chosen = np.unique(np.linspace(0, windows.shape[1] - 1, 300).astype(int))
    size = int(rng.choice([1, 1, 4, 16, rows]))
    for low in range(0, rows, size):
        group = slice(low, low + size)
        every = max(1, len(chosen) * size // 1200)
        weights = _fit(windows[group][:, chosen[::every]].astype("float64"), lookback)
        for place, forecast in enumerate(out):
            stop = longest - place * length
            if stop < lookback:
                continue
            window = filled[group, stop - lookback : stop]
            last = window[:, -1:]
            steps = forecast.shape[1]
            values = (window - last) @ weights[:, :steps] + last
            forecast[group] = values * scale[group] + center[group]
    begins = np.isnan(past).cumprod(1).sum(1)
    for place, forecast in enumerate(out):
        forecast[begins > longest - place * length - 2] = np.nan
    return out


def _standardised(past):
    """Return forward-filled, standardized series, their means and their standard deviations."""
    count = np.maximum((~np.isnan(past)).sum(1, keepdims=True), 1)
    center = np.nansum(past, axis=1, keepdims=True) / count
    values = past - center
    scale = np.sqrt(np.nansum(values**2, axis=1, keepdims=True) / count + 1e-300)
    return Context(values, 1).filled / scale, center, scale


def _fit(windows, lookback):
    """Return weights (lookback, steps) fitted to windows (series, number, lookback + steps)."""
    last = windows[:, :, lookback - 1 : lookback]
    windows = windows - last
    split = max(int(windows.shape[1] * 0.8), 1)

    def moments(part):
        x, y = (
            part[:, :, :lookback].reshape(-1, lookback),
            part[:, :, lookback:].reshape(-1, windows.shape[2] - lookback),
        )
        return x, y, x.T @ x, x.T @ y

    _, _, gram, cross = moments(windows[:, :split])
    x, y, held_gram, held_cross = moments(windows[:, split:])

    def solve(gram, cross, strength):
        unit = max(np.trace(gram) / lookback, 1e-12)
        return np.linalg.solve(gram + strength * unit * np.eye(lookback), cross)

    errors = [np.abs(x @ solve(gram, cross, strength) - y).sum() for strength in STRENGTHS]
    return solve(gram + held_gram, cross + held_cross, STRENGTHS[int(np.argmin(errors))])
