"""The closed-form linear forecast: one ridge regression shared by all series."""

from dataclasses import dataclass

import numpy as np

from forecastkit.data.array_storage import allocate_like, is_mapped
from forecastkit.data.windows import Buffers, Origins, Windows, forward_fill, weights_after

#: Penalties in units of the mean eigenvalue of the windows' second moments.
STRENGTHS = tuple(10.0**power for power in np.arange(-4.0, 2.1, 0.5))
MOST_WINDOWS, MOST_JUDGED = 200_000, 4_000
CHUNK = 1024


@dataclass(frozen=True)
class Ridge:
    """A linear map from the last-value-subtracted window to the last-value-subtracted horizon, without intercept.

    One matrix for all series (Zeng et al. 2023, NLinear, in closed form). `weights` is (lookback, horizon),
    `strength` the penalty that the validation windows chose, in units of the mean eigenvalue.
    """

    weights: np.ndarray
    strength: float

    @classmethod
    def fit(
        cls, buffers: Buffers, windows: Windows, validation_origins: Origins, lookback: int, horizon: int
    ) -> "Ridge":
        """Solve for each strength on the training windows; keep the one with the least absolute error on
        `validation_origins`."""
        strips = Strips(buffers, lookback, horizon)
        gram, cross = _moments(strips, _chosen(windows))
        candidates = [cls(weights, s) for s, weights in zip(STRENGTHS, _solve(gram, cross, STRENGTHS), strict=True)]
        if not len(validation_origins):
            return candidates[len(candidates) // 2]
        if len(validation_origins) > MOST_JUDGED:
            validation_origins = validation_origins[
                np.random.default_rng(0).choice(len(validation_origins), MOST_JUDGED, replace=False)
            ]
        return candidates[int(np.argmin(_errors(candidates, strips, validation_origins)))]

    def refit(self, buffers: Buffers, windows: Windows) -> "Ridge":
        """The same strength, relative to the size of the data, on other windows."""
        gram, cross = _moments(Strips(buffers, *self.weights.shape), _chosen(windows))
        return Ridge(next(_solve(gram, cross, (self.strength,))), self.strength)

    def predict(self, buffers: Buffers, origins: Origins) -> np.ndarray:
        """Scaled forecasts (n, horizon)."""
        lookback, horizon = self.weights.shape
        strips = Strips(buffers, lookback, 0)
        out = np.empty((len(origins), horizon), dtype="float32")
        for low in range(0, len(origins), CHUNK):
            window, last, _ = strips.differences(origins[low : low + CHUNK])
            out[low : low + CHUNK] = window @ self.weights + last
        return out


class Strips:
    """All windows of the buffers' targets as rows of one strided view: a window is cut by one copy.

    Parameters
    ----------
    buffers : Buffers
    lookback, horizon : int
        Steps up to the origin and after it.
    """

    def __init__(self, buffers: Buffers, lookback: int, horizon: int):
        values = _across(buffers.target)
        short = lookback + horizon - values.shape[1]
        if short > 0:
            values = np.pad(values, ((0, 0), (0, short)), constant_values=np.nan)
        self.values, self.view = values, np.lib.stride_tricks.sliding_window_view(values, lookback + horizon, axis=1)
        self.buffers, self.lookback, self.horizon = buffers, lookback, horizon

    def cut(self, origins: Origins) -> np.ndarray:
        """Values (n, lookback + horizon) around the origins, NaN outside of their entity."""
        first = origins.row + 1 - self.lookback
        cells = self.view[origins.channel, np.clip(first, 0, self.view.shape[1] - 1)]
        begin, end = self.buffers.begin[origins.entity], self.buffers.end[origins.entity]
        over = (first < begin) | (origins.row + self.horizon >= end)
        if over.any():
            rows = first[over, None] + np.arange(self.lookback + self.horizon)
            outside = (rows < begin[over, None]) | (rows >= end[over, None])
            inside = self.values[origins.channel[over, None], np.clip(rows, 0, self.values.shape[1] - 1)]
            cells[over] = np.where(outside, np.float32(np.nan), inside)
        return cells

    def weighed(self, origins: Origins, values: np.ndarray) -> np.ndarray:
        """Values (n, ...) times how much each window counts, the mean weight of the rows of its horizon."""
        weight = weights_after(np, self.buffers, origins.table(), self.horizon)
        return values if weight is None else values * weight.mean(axis=1, keepdims=True)

    def differences(self, origins: Origins):
        """Window and horizon less the last value, (n, lookback) and (n, horizon), and that value (n, 1)."""
        cells = self.cut(origins)
        window = forward_fill(cells[:, : self.lookback])
        last = window[:, -1:]
        return window - last, last, cells[:, self.lookback :] - last


def _across(target):
    """The targets (C, R), each channel's rows side by side: a view, not a copy, where there is one channel."""
    if not is_mapped(target) or target.shape[1] == 1:
        return np.ascontiguousarray(target.T)
    out = allocate_like(target.shape[::-1], target)
    out[:] = target.T
    return out


def _errors(candidates, strips, validation_origins):
    """Sum of each candidate's absolute errors, a chunk of windows at a time."""
    errors = np.zeros(len(candidates))
    for low in range(0, len(validation_origins), CHUNK):
        part = validation_origins[low : low + CHUNK]
        x, _, y = strips.differences(part)
        errors += [np.nansum(strips.weighed(part, np.abs(x @ ridge.weights - y))) for ridge in candidates]
    return errors


def _chosen(windows):
    total = len(windows)
    numbers = np.arange(total) if total <= MOST_WINDOWS else np.linspace(0, total - 1, MOST_WINDOWS).astype("int64")
    return windows.at(numbers)


def _solve(gram, cross, strengths):
    """The weights (float32) for each strength, from one decomposition."""
    roots, vectors = np.linalg.eigh(gram)
    roots = np.maximum(roots, 0.0)
    rotated, unit = vectors.T @ cross, max(float(roots.mean()), 1e-12)
    for strength in strengths:
        yield ((vectors / (roots + unit * strength)) @ rotated).astype("float32")


def _moments(strips, origins):
    """Sums over windows of x x' and x y', a chunk at a time; windows with missing targets are left out."""
    gram, cross = np.zeros((strips.lookback,) * 2), np.zeros((strips.lookback, strips.horizon))
    for low in range(0, len(origins), CHUNK):
        part = origins[low : low + CHUNK]
        x, _, y = strips.differences(part)
        weighed = strips.weighed(part, x)
        missing = np.isnan(y).any(axis=1)
        if missing.any():
            x, y, weighed = x[~missing], y[~missing], weighed[~missing]
        gram += weighed.T @ x
        cross += weighed.T @ y
    return gram, cross
