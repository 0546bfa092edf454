"""The closed-form linear forecast: one ridge regression shared by all series."""

from dataclasses import dataclass, replace

import numpy as np

from forecastkit.baselines.sufficient_statistics import Statistics, expand, reduce, solve, width
from forecastkit.data.array_storage import allocate_like, any_missing, is_mapped
from forecastkit.data.windows import Buffers, Origins, Windows, forward_fill, weights_after

#: Penalties in units of the mean eigenvalue of the windows' second moments.
STRENGTHS = tuple(10.0**power for power in np.arange(-4.0, 2.1, 0.5))
MOST_WINDOWS, MOST_VALIDATION = 200_000, 4_000
#: Products of the normal equations at most: of long lookbacks and horizons, fewer windows are learned from.
MOST_PRODUCTS = 120_000_000_000
#: Steps with missing targets that the strength is chosen by, at most: each is a system of equations of its own.
MOST_CHOOSING_STEPS = 24
#: How much work the equations of steps with missing targets may be, in units of that of complete ones.
MOST_EXTRA_WORK = 4
CHUNK = 1024
#: What is taken out of windows, and what is added to their variance under 'standard', in units of the series' own.
NORMALIZATIONS, LEAST_VARIANCE = ("last", "mean", "standard"), 1e-3


@dataclass(frozen=True)
class Ridge:
    """A linear map from the normalised window to the horizon, normalised alike, without intercept.

    One matrix for all series (Zeng et al. 2023, NLinear, in closed form). A window counts at those steps whose target
    was observed: steps with missing targets have normal equations of their own.

    Attributes
    ----------
    weights : ndarray of shape (lookback, horizon)
    strength : float
        The penalty that the validation windows chose, in units of the mean eigenvalue of each step's second moments.
    counts : ndarray of shape (horizon,)
        Training windows whose target was observed at each step.
    normalization : {'last', 'mean', 'standard'}
        What is taken out of windows: the last value, the mean, or the mean and the standard deviation.
    statistics : Statistics, optional
        What was solved, so that `extended` can add windows to it; None where that is too large to be kept.
    """

    weights: np.ndarray
    strength: float
    counts: np.ndarray | None = None
    normalization: str = "last"
    statistics: Statistics | None = None

    @classmethod
    def fit(
        cls,
        buffers: Buffers,
        windows: Windows,
        validation_origins: Origins,
        lookback: int,
        horizon: int,
        normalization: str = "last",
        most: int | None = None,
    ) -> "Ridge":
        """Solve for each strength on at most so many training windows; keep the one with the least absolute error on
        `validation_origins`."""
        strips = Strips(buffers, lookback, horizon, normalization)
        equations = NormalEquations.of(strips, windows, most or MOST_WINDOWS)
        if len(validation_origins) > MOST_VALIDATION:
            validation_origins = validation_origins[
                np.random.default_rng(0).choice(len(validation_origins), MOST_VALIDATION, replace=False)
            ]
        steps = equations.choosing_steps()
        candidates = equations.solve(steps, STRENGTHS) if len(validation_origins) else None
        strength = _best_strength(candidates, strips, validation_origins, steps)
        if candidates is not None and len(steps) == horizon:
            weights = candidates[STRENGTHS.index(strength)]
        else:
            weights = equations.solve(np.arange(horizon), (strength,))[0]
        return cls(expand(weights, lookback), strength, equations.counts, normalization)

    def refit(self, buffers: Buffers, windows: Windows, most: int | None = None) -> "Ridge":
        """The same strength, relative to the size of the data, on other windows."""
        equations = self._equations(buffers, windows, most)
        statistics = equations.statistics()
        if statistics is not None:
            return self._solved(statistics)
        lookback, horizon = self.weights.shape
        weights = expand(equations.solve(np.arange(horizon), (self.strength,))[0], lookback)
        return replace(self, weights=weights, counts=equations.counts, statistics=None)

    def extended(self, buffers: Buffers, windows: Windows) -> "Ridge":
        """The regression on these windows too, beside those it was fitted on; they need not be there any more."""
        statistics = self._sums_with(buffers, windows)
        return self if statistics is None else self._solved(statistics)

    def absorbing(self, buffers: Buffers, windows: Windows) -> "Ridge":
        """The same weights with statistics that hold these windows too, for a later call of `extended`."""
        return replace(self, statistics=self._sums_with(buffers, windows))

    def _equations(self, buffers, windows, most=None):
        return NormalEquations.of(
            Strips(buffers, *self.weights.shape, self.normalization), windows, most or MOST_WINDOWS
        )

    def _sums_with(self, buffers, windows):
        if not len(windows):
            return self.statistics
        return self.statistics.plus(self._equations(buffers, windows).statistics(limit=False))

    def _solved(self, statistics):
        weights = expand(statistics.solve(self.strength).astype("float32"), len(self.weights))
        return replace(self, weights=weights, counts=statistics.counts, statistics=statistics)

    def predict(self, buffers: Buffers, origins: Origins) -> np.ndarray:
        """Scaled forecasts (n, horizon)."""
        lookback, horizon = self.weights.shape
        strips = Strips(buffers, lookback, 0, self.normalization)
        out = np.empty((len(origins), horizon), dtype="float32")
        for low in range(0, len(origins), CHUNK):
            window, center, scale, _ = strips.normalised(origins[low : low + CHUNK])
            out[low : low + CHUNK] = window @ self.weights * scale + center
        return out


class Strips:
    """All windows of the buffers' targets as rows of one strided view: a window is cut by one copy.

    Parameters
    ----------
    buffers : Buffers
    lookback, horizon : int
        Steps up to the origin and after it.
    normalization : {'last', 'mean', 'standard'}
        What `normalised` takes out of windows.
    """

    def __init__(self, buffers: Buffers, lookback: int, horizon: int, normalization: str = "last"):
        values = _across(buffers.target)
        short = lookback + horizon - values.shape[1]
        if short > 0:
            values = np.pad(values, ((0, 0), (0, short)), constant_values=np.nan)
        self.values, self.view = values, np.lib.stride_tricks.sliding_window_view(values, lookback + horizon, axis=1)
        self.buffers, self.lookback, self.horizon, self.normalization = buffers, lookback, horizon, normalization

    @property
    def features(self) -> int:
        """Numbers that a window is learned by, see `reduce`."""
        return width(self.lookback)

    def reduced(self, origins: Origins):
        """Window (n, features) and horizon (n, horizon), normalised."""
        window, _, _, horizon = self.normalised(origins)
        return reduce(window, self.features), horizon

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

    def normalised(self, origins: Origins):
        """Window (n, lookback), what was taken out of it, center and scale (n, 1), and the horizon (n, horizon) alike.

        The scale is 1 where nothing is divided by.
        """
        cells = self.cut(origins)
        window = forward_fill(cells[:, : self.lookback])
        center = window[:, -1:] if self.normalization == "last" else window.mean(axis=1, keepdims=True)
        window, horizon = window - center, cells[:, self.lookback :] - center
        if self.normalization != "standard":
            return window, center, np.float32(1.0), horizon
        scale = np.sqrt((window**2).mean(axis=1, keepdims=True) + np.float32(LEAST_VARIANCE))
        return window / scale, center, scale, horizon / scale


def _across(target):
    """The targets (C, R), each channel's rows side by side: a view, not a copy, where there is one channel."""
    if not is_mapped(target) or target.shape[1] == 1:
        return np.ascontiguousarray(target.T)
    out = allocate_like(target.shape[::-1], target)
    out[:] = target.T
    return out


@dataclass(frozen=True)
class NormalEquations:
    """The least squares of every step of the horizon: over all windows, and what steps with missing targets lack.

    Attributes
    ----------
    strips : Strips
    origins : Origins
        Of the n windows that are learned from.
    missing : ndarray of bool of shape (n, horizon), or None
        Where the target was not observed; None where all were.
    gram : ndarray of shape (features, features)
        Sum over all windows of x x'.
    cross : ndarray of shape (features, horizon)
        Sum of x y' over the windows whose target was observed at the step.
    total : int
        Windows that those learned from stand for.
    """

    strips: "Strips"
    origins: Origins
    missing: np.ndarray | None
    gram: np.ndarray
    cross: np.ndarray
    total: int

    @classmethod
    def of(cls, strips: "Strips", windows: Windows, most: int) -> "NormalEquations":
        """Of at most so many windows, evenly spread; fewer where many targets are missing, so that work stays linear
        in the rows."""
        products = strips.features * (strips.features + strips.horizon)
        origins, missing = _chosen(windows, min(most, max(MOST_PRODUCTS // products, CHUNK))), None
        if len(origins) and any_missing(strips.buffers.target):
            missing = _missing(strips, origins)
            fraction = missing.mean(axis=0)
            extra = np.minimum(fraction, 1 - fraction).sum() / MOST_EXTRA_WORK
            if extra > 1 and len(origins) > CHUNK:
                kept = np.linspace(0, len(origins) - 1, max(int(len(origins) / extra), CHUNK)).astype("int64")
                origins, missing = origins[kept], missing[kept]
            missing = missing if missing.any() else None
        return cls(strips, origins, missing, *_moments(strips, origins), len(windows))

    @property
    def counts(self) -> np.ndarray:
        """Windows whose target was observed at each step, (horizon,)."""
        counts = np.full(self.cross.shape[1], len(self.origins))
        return counts if self.missing is None else counts - self.missing.sum(axis=0)

    def statistics(self, limit: bool = True) -> Statistics | None:
        """Sums that can be added to; None where there is a `limit` and they are too large to be kept."""
        systems, system_of = [], np.zeros(self.cross.shape[1], dtype="int64")
        for number, (at, gram) in enumerate(self._grams(np.arange(self.cross.shape[1]))):
            if limit and not Statistics.can_hold(number + 1, len(gram)):
                return None
            systems.append(gram)
            system_of[at] = number
        each = self.total / max(len(self.origins), 1)
        return Statistics.of(np.stack(systems), system_of, self.cross, self.counts, each) if systems else None

    def choosing_steps(self) -> np.ndarray:
        """Steps that tell one strength from another: all, or some evenly spread where each costs a solution."""
        horizon = self.cross.shape[1]
        if self.missing is None or horizon <= MOST_CHOOSING_STEPS:
            return np.arange(horizon)
        return np.linspace(0, horizon - 1, MOST_CHOOSING_STEPS).astype("int64")

    def solve(self, steps: np.ndarray, strengths: tuple[float, ...]) -> np.ndarray:
        """Weights (strengths, lookback, steps), float32."""
        out = np.empty((len(strengths), len(self.gram), len(steps)), dtype="float32")
        for at, gram in self._grams(steps):
            for number, weights in enumerate(solve(gram, self.cross[:, steps[at]], strengths)):
                out[number][:, at] = weights
        return out

    def _grams(self, steps):
        """Places among the steps that share second moments, and these: of all windows, or of those not missing."""
        if self.missing is None:
            yield np.arange(len(steps)), self.gram
            return
        # Steps at which the same windows lack their target share one system.
        patterns, pattern_of = np.unique(np.packbits(self.missing[:, steps].T, axis=1), axis=0, return_inverse=True)
        for number in range(len(patterns)):
            at = np.flatnonzero(pattern_of.ravel() == number)
            missing = self.missing[:, steps[at[0]]]
            if 2 * missing.sum() <= len(missing):
                gram = self.gram - _gram(self.strips, self.origins[missing]) if missing.any() else self.gram
            else:
                gram = _gram(self.strips, self.origins[~missing])
            yield at, gram


def _missing(strips, origins):
    """Where the targets of windows were not observed, (n, horizon)."""
    out = np.empty((len(origins), strips.horizon), dtype=bool)
    for low in range(0, len(origins), CHUNK):
        out[low : low + CHUNK] = np.isnan(strips.cut(origins[low : low + CHUNK])[:, strips.lookback :])
    return out


def _best_strength(candidates, strips, validation_origins, steps):
    """The strength whose weights at these steps err least; the middle one where no error is known."""
    if candidates is None:
        return STRENGTHS[len(STRENGTHS) // 2]
    errors, count = np.zeros(len(candidates)), 0
    for low in range(0, len(validation_origins), CHUNK):
        part = validation_origins[low : low + CHUNK]
        x, _, scale, y = strips.normalised(part)
        x, y = reduce(x, strips.features), y[:, steps]
        count += (~np.isnan(y)).sum()
        errors += [np.nansum(strips.weighed(part, np.abs(x @ weights - y) * scale)) for weights in candidates]
    return STRENGTHS[int(np.argmin(errors)) if count else len(STRENGTHS) // 2]


def _chosen(windows, most):
    total = len(windows)
    numbers = np.arange(total) if total <= most else np.linspace(0, total - 1, most).astype("int64")
    return windows.at(numbers)


def _gram(strips, origins):
    """Sum over windows of x x', a chunk at a time."""
    gram = np.zeros((strips.features,) * 2)
    for low in range(0, len(origins), CHUNK):
        part = origins[low : low + CHUNK]
        x, _ = strips.reduced(part)
        gram += strips.weighed(part, x).T @ x
    return gram


def _moments(strips, origins):
    """Sums over windows of x x' and x y', a chunk at a time; a missing target adds nothing to its step."""
    gram, cross = np.zeros((strips.features,) * 2), np.zeros((strips.features, strips.horizon))
    for low in range(0, len(origins), CHUNK):
        part = origins[low : low + CHUNK]
        x, y = strips.reduced(part)
        weighed = strips.weighed(part, x)
        gram += weighed.T @ x
        cross += weighed.T @ np.nan_to_num(y)
    return gram, cross
