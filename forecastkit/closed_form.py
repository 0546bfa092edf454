"""Closed-form forecasts: the naive ones, and one ridge regression shared by all series."""

from dataclasses import dataclass

import numpy as np

from forecastkit.panel import Panel, spread
from forecastkit.windows import Buffers, Origins, Windows, gather

#: Penalties in units of the mean eigenvalue of the windows' second moments.
STRENGTHS = tuple(10.0**power for power in np.arange(-4.0, 2.1, 0.5))
MOST_WINDOWS = 200_000
CHUNK = 4096


def last_values(panel: Panel) -> np.ndarray:
    """For every cell the last value observed up to it, of its entity and channel; NaN before the first. (R, C)."""
    entity, _ = spread(panel.lengths)
    rows = np.arange(panel.rows)[:, None]
    observed = ~np.isnan(panel.target)
    last = np.maximum.accumulate(np.where(observed, rows, -1), axis=0)
    inside = last >= panel.indptr[entity][:, None]
    return np.where(inside, np.take_along_axis(panel.target, np.maximum(last, 0), axis=0), np.nan)


def naive(panel: Panel, origins: Origins, horizon: int) -> np.ndarray:
    """The last observed value at every step, shape (n, horizon)."""
    # Only the rows up to an origin can matter: the one before the panel's first stands for "nothing seen yet".
    values = np.where(
        origins.row >= panel.indptr[origins.entity],
        last_values(panel)[np.maximum(origins.row, 0), origins.channel],
        np.nan,
    )
    return np.repeat(values[:, None], horizon, axis=1).astype("float64")


def seasonal_naive(panel: Panel, origins: Origins, horizon: int, season: int) -> np.ndarray:
    """The value one season before, or whole seasons more where it is missing; else the last value. (n, horizon)."""
    steps = np.arange(1, horizon + 1)
    begin = panel.indptr[origins.entity][:, None]
    forecast = np.full((len(origins), horizon), np.nan)
    for back in range(1, 5):
        lacking = np.isnan(forecast)
        if not lacking.any():
            return forecast
        rows = origins.row[:, None] + steps - season * (-(-steps // season) + back - 1)
        found = panel.target[np.maximum(rows, 0), origins.channel[:, None]]
        forecast = np.where(lacking & (rows >= begin), found, forecast)
    return np.where(np.isnan(forecast), naive(panel, origins, horizon), forecast)


def drift(panel: Panel, origins: Origins, horizon: int) -> np.ndarray:
    """The line through the first and the last observed value, continued. (n, horizon)."""
    entity, place = spread(panel.lengths)
    observed = ~np.isnan(panel.target)
    place = np.broadcast_to(place[:, None], observed.shape)
    rows = np.arange(panel.rows)[:, None]
    last = np.maximum.accumulate(np.where(observed, rows, -1), axis=0)
    first = np.full((len(panel.ids), panel.channels), panel.rows, dtype="int64")
    np.minimum.at(first, entity, np.where(observed, rows, panel.rows))
    seen = np.maximum(origins.row, 0)
    last_row = last[seen, origins.channel]
    first_row = first[origins.entity, origins.channel]
    usable = (last_row > first_row) & (origins.row >= panel.indptr[origins.entity])
    start = np.where(usable, panel.target[np.minimum(first_row, panel.rows - 1), origins.channel], 0.0)
    end = np.where(usable, panel.target[np.maximum(last_row, 0), origins.channel], 0.0)
    slope = np.where(usable, (end - start) / np.maximum(last_row - first_row, 1), 0.0)
    ahead = origins.row[:, None] - np.where(usable, last_row, origins.row)[:, None] + np.arange(1, horizon + 1)
    return naive(panel, origins, horizon) + slope[:, None] * ahead


def mean(panel: Panel, origins: Origins, horizon: int) -> np.ndarray:
    """The mean of all values observed up to the origin. (n, horizon)."""
    observed = ~np.isnan(panel.target)
    pad = np.zeros((1, panel.channels))
    total = np.concatenate([pad, np.cumsum(np.where(observed, panel.target, 0.0), axis=0, dtype="float64")])
    count = np.concatenate([pad, np.cumsum(observed, axis=0)])
    stop, begin = origins.row + 1, panel.indptr[origins.entity]
    stop = np.maximum(stop, begin)
    n = count[stop, origins.channel] - count[begin, origins.channel]
    sums = total[stop, origins.channel] - total[begin, origins.channel]
    values = np.where(n > 0, sums / np.maximum(n, 1), np.nan)
    return np.repeat(values[:, None], horizon, axis=1)


@dataclass(frozen=True)
class Ridge:
    """A linear map from the last-value-subtracted window to the last-value-subtracted horizon, without intercept.

    One matrix for all series (Zeng et al. 2023, NLinear, in closed form). `weights` is (lookback, horizon),
    `strength` the penalty that the validation windows chose, in units of the mean eigenvalue.
    """

    weights: np.ndarray
    strength: float

    @classmethod
    def fit(cls, buffers: Buffers, windows: Windows, judged: Origins, lookback: int, horizon: int) -> "Ridge":
        """Solve for each strength on the training windows; keep the one with the least absolute error on `judged`."""
        gram, cross = _moments(buffers, _chosen(windows), lookback, horizon)
        candidates = [
            cls(weights, strength) for strength, weights in zip(STRENGTHS, _solve(gram, cross, STRENGTHS), strict=True)
        ]
        if not len(judged):
            return candidates[len(candidates) // 2]
        return min(candidates, key=lambda ridge: ridge.error(buffers, judged))

    def refit(self, buffers: Buffers, windows: Windows) -> "Ridge":
        """The same strength, relative to the size of the data, on other windows."""
        gram, cross = _moments(buffers, _chosen(windows), *self.weights.shape)
        return Ridge(next(_solve(gram, cross, (self.strength,))), self.strength)

    def predict(self, buffers: Buffers, origins: Origins) -> np.ndarray:
        """Scaled forecasts (n, horizon)."""
        lookback, horizon = self.weights.shape
        out = np.empty((len(origins), horizon), dtype="float32")
        weights = self.weights.astype("float32")
        for low in range(0, len(origins), CHUNK):
            window, last, _ = _differences(buffers, origins[low : low + CHUNK], lookback, horizon, targets=False)
            out[low : low + CHUNK] = window @ weights + last
        return out

    def error(self, buffers: Buffers, origins: Origins) -> float:
        """Mean absolute error over observed targets, in scaled units."""
        _, horizon = self.weights.shape
        forecast = self.predict(buffers, origins)
        _, target = gather(np, buffers, origins.table(), 1, horizon)
        error = np.abs(forecast - target)
        return float(np.nanmean(error)) if (~np.isnan(error)).any() else 0.0


def fill_forward(window: np.ndarray) -> np.ndarray:
    """Missing cells (n, time) as the last observed one; leading ones as the first, all-missing rows as 0."""
    if not np.isnan(window).any():
        return window
    for values in (window, window[:, ::-1]):
        places = np.maximum.accumulate(np.where(np.isnan(values), 0, np.arange(values.shape[1])), axis=1)
        filled = np.take_along_axis(values, places, axis=1)
        window = filled if values is window else filled[:, ::-1]
    return np.nan_to_num(window)


def _differences(buffers, origins, lookback, horizon, targets=True):
    inputs, target = gather(np, buffers, origins.table(), lookback, horizon, targets=targets)
    window = fill_forward(inputs["target"])
    last = window[:, -1:]
    return window - last, last, None if target is None else target - last


def _chosen(windows):
    total = len(windows)
    numbers = np.arange(total) if total <= MOST_WINDOWS else np.linspace(0, total - 1, MOST_WINDOWS).astype("int64")
    return windows.at(numbers)


def _solve(gram, cross, strengths):
    """The weights for each strength, from one decomposition."""
    roots, vectors = np.linalg.eigh(gram)
    roots = np.maximum(roots, 0.0)
    rotated, unit = vectors.T @ cross, max(float(roots.mean()), 1e-12)
    for strength in strengths:
        yield (vectors / (roots + unit * strength)) @ rotated


def _moments(buffers, origins, lookback, horizon):
    """Sums over windows of x x' and x y', a chunk at a time; windows with missing targets are left out."""
    gram, cross = np.zeros((lookback, lookback)), np.zeros((lookback, horizon))
    for low in range(0, len(origins), CHUNK):
        x, _, y = _differences(buffers, origins[low : low + CHUNK], lookback, horizon)
        whole = ~np.isnan(y).any(axis=1)
        x, y = x[whole], y[whole]
        gram += x.T @ x
        cross += x.T @ y
    return gram, cross
