"""Training examples: series cut at an origin, with the closed-form regression of their own past."""

from __future__ import annotations

import numpy as np

from forecastkit.pretrained.candidates import Context
from forecastkit.pretrained.inputs import PLACES, SHORTEST, context_width, make_inputs, trial_length

#: Steps of the horizon in an example, and the largest lookback of the regression.
STEPS, LOOKBACK = 16, 72
STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
#: Smallest number of values before an origin.
FEWEST = 4
#: Every n-th series is kept for validation and for the calibration of quantiles.
HELD_OUT_EVERY = 10


def windows(rng, series: list[np.ndarray], rows: int, longest: int, horizon: int) -> np.ndarray:
    """Return ends of random series at random origins, (rows, longest + horizon), padded with NaN on the left.

    The last `horizon` columns are the target, those before it the past.
    """
    out = np.full((rows, longest + horizon), np.nan)
    for row in out:
        values = series[rng.integers(len(series))]
        ahead = min(horizon, max(len(values) - FEWEST, 1))
        end = int(rng.integers(min(FEWEST + ahead, len(values)), len(values) + 1))
        used = min(end, longest + horizon)
        row[len(row) - used :] = values[end - used : end]
    return out


def divided(series: list[np.ndarray], held_out: bool) -> list[np.ndarray]:
    """Return the held-out tenth of the series or the others; fewer than ten series are divided by time."""
    if len(series) < HELD_OUT_EVERY:
        cut = [len(values) - len(values) // HELD_OUT_EVERY for values in series]
        return [values[at:] if held_out else values[:at] for at, values in zip(cut, series, strict=True)]
    return [values for place, values in enumerate(series) if (place % HELD_OUT_EVERY == HELD_OUT_EVERY - 1) == held_out]


def trimmed(rows: np.ndarray, horizon: int) -> np.ndarray:
    """Return the rows with enough past values, without the leading columns that all of them lack."""
    rows = rows[(~np.isnan(rows[:, :-horizon])).sum(1) >= FEWEST]
    columns = rows.shape[1] - int((~np.isnan(rows)).any(0).argmax()) if len(rows) else 0
    return rows[:, -max(columns, horizon + FEWEST) :]


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
