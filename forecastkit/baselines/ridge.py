"""The closed-form linear forecast: one ridge regression shared by all series."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from forecastkit.data.windows import Buffers, Origins, Windows, forward_fill, weights_after
from forecastkit.utils.arrays import allocate_like, any_missing, is_mapped, one_thread

#: Candidate penalties, in units of the mean eigenvalue of the windows' second moments.
STRENGTHS = tuple(10.0**power for power in np.arange(-4.0, 2.1, 0.5))
MAX_WINDOWS, MAX_VALIDATION = 200_000, 4_000
#: Largest number of multiplications for the normal equations; longer lookbacks and horizons use fewer windows.
MAX_PRODUCTS = 120_000_000_000
#: Largest number of steps used to select the strength if targets are missing: each may need its own system.
MAX_SELECTION_STEPS = 24
#: Fraction of the windows without missing targets from which on they alone select the strength.
ENOUGH_COMPLETE = 0.5
#: Largest cost of the systems of steps with missing targets, relative to that of the complete system.
MAX_EXTRA_WORK = 4
#: Largest number of coefficients per step, and how many of them belong to single latest values.
MAX_COEFFICIENTS, LATEST = 1_920, 960
#: Largest number of elements of statistics that are kept in a fitted model.
MAX_KEPT = 8_000_000
CHUNK = 1024
#: Window normalizations; constant added to the window variance under 'standard', in scaled units.
NORMALIZATIONS, MIN_VARIANCE = ("last", "mean", "standard"), 1e-3


@dataclass(frozen=True)
class Statistics:
    """Sums of second moments of windows and of their products with the targets.

    Steps whose targets are missing in the same windows share one system of normal equations.
    """

    grams: np.ndarray  #: (systems, features * (features + 1) / 2): upper triangle of the sum of x x' of each system
    system_of: np.ndarray  #: (horizon,): index of the system of each step
    cross: np.ndarray  #: (features, horizon): sum of x y'
    counts: np.ndarray  #: (horizon,): number of windows whose target is observed at each step
    each: float = 1.0  #: Number of windows that each summed window represents; above 1 if the windows were subsampled

    @staticmethod
    def can_hold(systems: int, features: int) -> bool:
        """Return whether `systems` matrices of `features` coefficients are small enough to be kept."""
        return systems * features * (features + 1) // 2 <= MAX_KEPT

    def plus(self, other: "Statistics") -> "Statistics | None":
        """Return the statistics of both sets of windows, or None if they are too large to be kept."""
        # Steps share a system in the sum only if they share one in both operands: one system per distinct pair.
        pairs, system_of = np.unique(np.stack([self.system_of, other.system_of]), axis=1, return_inverse=True)
        if not self.can_hold(pairs.shape[1], len(self.cross)):
            return None
        factor = other.each / self.each
        grams = self.grams[pairs[0]] + factor * other.grams[pairs[1]]
        cross, counts = self.cross + factor * other.cross, self.counts + other.counts
        return Statistics(grams, system_of.ravel(), cross, counts, self.each)

    def solve(self, strength: float) -> np.ndarray:
        """Return the weights (features, horizon) for a penalty in units of each system's mean eigenvalue."""
        features = len(self.cross)
        weights, gram = np.zeros(self.cross.shape), np.zeros((features, features))
        for number, triangle in enumerate(self.grams):
            gram[np.triu_indices(features)] = triangle
            gram.T[np.triu_indices(features)] = triangle
            at = np.flatnonzero(self.system_of == number)
            weights[:, at] = next(solve(gram, self.cross[:, at], (strength,)))
        return weights


@dataclass(frozen=True)
class Ridge:
    """A linear map without intercept from the normalized window to the equally normalized horizon.

    All series share one matrix (NLinear of Zeng et al. 2023, solved in closed form). A window contributes to the steps
    whose target is observed; steps with missing targets have their own normal equations.
    """

    weights: np.ndarray  #: (lookback, horizon)
    strength: float  #: The selected penalty, in units of the mean eigenvalue of each step's second moments
    counts: np.ndarray | None = None  #: (horizon,): number of training windows whose target is observed at each step
    #: How windows are normalized: minus the 'last' value, minus the 'mean', or 'standard' (mean and deviation)
    normalization: str = "last"
    #: Sums of the normal equations, to which `extended` adds windows; None if they are too large to be kept
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
        max_windows: int | None = None,
        complete: bool = False,
    ) -> "Ridge":
        """Fit the regression and select its penalty by the absolute error on `validation_origins`.

        Parameters
        ----------
        buffers : Buffers
            Scaled values.
        windows : Windows
            Training windows.
        validation_origins : Origins
            Origins of the validation windows; if there are none, the middle penalty is used.
        lookback, horizon : int
            Steps up to the origin and after it.
        normalization : {'last', 'mean', 'standard'}
        max_windows : int, optional
            Largest number of training windows, evenly spaced.
        complete : bool
            Whether to leave out windows with missing targets if most have none: cheaper, for comparisons.
        """
        strips = Strips(buffers, lookback, horizon, normalization)
        with strips.one_thread():
            equations = NormalEquations.from_windows(strips, windows, max_windows or MAX_WINDOWS)
            selecting = equations.for_selection()
            ridge = cls._select(selecting, validation_origins)
        if selecting is equations or complete:
            return ridge
        weights = expand(equations.solve(np.arange(horizon), (ridge.strength,))[0], lookback)
        return replace(ridge, weights=weights, counts=equations.counts)

    @classmethod
    def _select(cls, equations, validation_origins):
        """Return the regression of the penalty with the least error on some of the validation windows."""
        strips, horizon = equations.strips, equations.cross.shape[1]
        if len(validation_origins) > MAX_VALIDATION:
            validation_origins = validation_origins[
                np.random.default_rng(0).choice(len(validation_origins), MAX_VALIDATION, replace=False)
            ]
        steps = equations.selection_steps()
        candidates = equations.solve(steps, STRENGTHS) if len(validation_origins) else None
        strength = _best_strength(candidates, strips, validation_origins, steps)
        done = candidates is not None and len(steps) == horizon
        weights = candidates[STRENGTHS.index(strength)] if done else equations.solve(np.arange(horizon), (strength,))[0]
        return cls(expand(weights, strips.lookback), strength, equations.counts, strips.normalization)

    def refit(self, buffers: Buffers, windows: Windows, max_windows: int | None = None) -> "Ridge":
        """Fit again on other windows with the same penalty strength."""
        equations = self._equations(buffers, windows, max_windows)
        statistics = equations.statistics()
        if statistics is not None:
            return self._solved(statistics)
        lookback, horizon = self.weights.shape
        weights = expand(equations.solve(np.arange(horizon), (self.strength,))[0], lookback)
        return replace(self, weights=weights, counts=equations.counts, statistics=None)

    def extended(self, buffers: Buffers, windows: Windows) -> "Ridge":
        """Return the regression fitted to these windows in addition to the earlier ones, which are not needed."""
        statistics = self.sums_with(buffers, windows)
        return self if statistics is None else self._solved(statistics)

    def _equations(self, buffers, windows, max_windows=None):
        strips = Strips(buffers, *self.weights.shape, self.normalization)
        with strips.one_thread():
            return NormalEquations.from_windows(strips, windows, max_windows or MAX_WINDOWS)

    def sums_with(self, buffers: Buffers, windows: Windows) -> Statistics | None:
        """Return the statistics with these windows added."""
        if not len(windows):
            return self.statistics
        return self.statistics.plus(self._equations(buffers, windows).statistics(limit=False))

    def _solved(self, statistics):
        weights = expand(statistics.solve(self.strength).astype("float32"), len(self.weights))
        return replace(self, weights=weights, counts=statistics.counts, statistics=statistics)

    def predict(self, buffers: Buffers, origins: Origins, corrections=None) -> np.ndarray:
        """Return forecasts (n, horizon) in scaled units, with `SeriesCorrections` where there are any."""
        lookback, horizon = self.weights.shape
        strips = Strips(buffers, lookback, 0, self.normalization)
        out = np.empty((len(origins), horizon), dtype="float32")
        for low in range(0, len(origins), CHUNK):
            part = origins[low : low + CHUNK]
            window, center, scale, _ = strips.normalised(part)
            forecast = window @ self.weights
            if corrections is not None:
                corrections.add_to(forecast, window, buffers.series[part.entity] - 1, part.channel)
            out[low : low + CHUNK] = forecast * scale + center
        return out


class Strips:
    """All windows of the targets as rows of one strided view, so that a batch of windows is one indexed copy.

    `lookback` and `horizon` are the steps up to an origin and after it; `normalised` normalizes windows.
    """

    def __init__(self, buffers: Buffers, lookback: int, horizon: int, normalization: str = "last"):
        values = buffers.target.T  # (channels, rows), contiguous along rows; a view if there is one channel
        if is_mapped(buffers.target) and len(values) > 1:
            values = allocate_like(values.shape, buffers.target)
            values[:] = buffers.target.T
        values = np.ascontiguousarray(values)
        short = lookback + horizon - values.shape[1]
        if short > 0:
            values = np.pad(values, ((0, 0), (0, short)), constant_values=np.nan)
        self.values, self.view = values, np.lib.stride_tricks.sliding_window_view(values, lookback + horizon, axis=1)
        self.buffers, self.lookback, self.horizon, self.normalization = buffers, lookback, horizon, normalization
        self.features = width(lookback)  # of a window after `reduce`

    def one_thread(self):
        """Return a block with one thread for linear algebra, unless products of many windows take long."""
        return one_thread(CHUNK * self.features * (self.features + self.horizon))

    def reduced(self, origins: Origins):
        """Return normalized windows (n, features) and horizons (n, horizon)."""
        window, _, _, horizon = self.normalised(origins)
        return reduce(window, self.features), horizon

    def cut(self, origins: Origins) -> np.ndarray:
        """Return values (n, lookback + horizon) around the origins; NaN outside their entity."""
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

    def weighted(self, origins: Origins, values: np.ndarray) -> np.ndarray:
        """Return values (n, ...) multiplied by the window weights, the mean sample weights of their horizons."""
        weight = weights_after(np, self.buffers, origins.table(), self.horizon)
        return values if weight is None else values * weight.mean(axis=1, keepdims=True)

    def normalised(self, origins: Origins):
        """Return normalized windows (n, lookback), their center and scale (n, 1), and horizons (n, horizon).

        The scale is 1 unless the normalization is 'standard'.
        """
        cells = self.cut(origins)
        window = forward_fill(cells[:, : self.lookback])
        center = window[:, -1:] if self.normalization == "last" else window.mean(axis=1, keepdims=True)
        window, horizon = window - center, cells[:, self.lookback :] - center
        if self.normalization != "standard":
            return window, center, np.float32(1.0), horizon
        scale = np.sqrt((window**2).mean(axis=1, keepdims=True) + np.float32(MIN_VARIANCE))
        return window / scale, center, scale, horizon / scale


@dataclass(frozen=True)
class NormalEquations:
    """Normal equations of every step of the horizon.

    The second moments of all windows are summed once. Steps with missing targets subtract the windows that they lack.
    """

    strips: "Strips"
    origins: Origins  #: Origins of the n training windows
    missing: np.ndarray | None  #: (n, horizon): where the target is missing; None if no target is
    gram: np.ndarray  #: (features, features): sum of x x' over all windows
    cross: np.ndarray  #: (features, horizon): sum of x y' over the windows whose target is observed at the step
    total: int  #: Number of windows before subsampling

    @classmethod
    def from_windows(cls, strips: "Strips", windows: Windows, max_windows: int) -> "NormalEquations":
        """Build the equations from at most `max_windows` evenly spaced windows.

        Fewer windows are used where many targets are missing, so that the cost stays linear in the number of rows.
        """
        products = strips.features * (strips.features + strips.horizon)
        most, total = min(max_windows, max(MAX_PRODUCTS // products, CHUNK)), len(windows)
        numbers = np.arange(total) if total <= most else np.linspace(0, total - 1, most).astype("int64")
        origins, missing = windows.at(numbers), None
        if len(origins) and any_missing(strips.buffers.target):
            missing = _missing(strips, origins)
            fraction = missing.mean(axis=0)
            # A step's matrix is summed over its missing or its observed windows, whichever are fewer (see `_grams`).
            extra = np.minimum(fraction, 1 - fraction).sum() / MAX_EXTRA_WORK
            if extra > 1 and len(origins) > CHUNK:
                kept = np.linspace(0, len(origins) - 1, max(int(len(origins) / extra), CHUNK)).astype("int64")
                origins, missing = origins[kept], missing[kept]
            missing = missing if missing.any() else None
        return cls(strips, origins, missing, *_moments(strips, origins), len(windows))

    @property
    def counts(self) -> np.ndarray:
        """Number of windows whose target is observed at each step, shape (horizon,)."""
        counts = np.full(self.cross.shape[1], len(self.origins))
        return counts if self.missing is None else counts - self.missing.sum(axis=0)

    def statistics(self, limit: bool = True) -> Statistics | None:
        """Return the sums as `Statistics`, or None if `limit` is set and they are too large to be kept."""
        systems, system_of = [], np.zeros(self.cross.shape[1], dtype="int64")
        for number, (at, gram) in enumerate(self._grams(np.arange(self.cross.shape[1]))):
            if limit and not Statistics.can_hold(number + 1, len(gram)):
                return None
            systems.append(gram[np.triu_indices(len(gram))])
            system_of[at] = number
        each = self.total / max(len(self.origins), 1)
        return Statistics(np.stack(systems), system_of, self.cross, self.counts, each) if systems else None

    def for_selection(self) -> "NormalEquations":
        """Return equations to select the strength: those of the windows without missing targets if most have none.

        They have one system for all steps instead of one for each, which is solved for every strength.
        """
        if self.missing is None:
            return self
        complete = ~self.missing.any(axis=1)
        if complete.mean() < ENOUGH_COMPLETE:
            return self
        origins = self.origins[complete]
        return NormalEquations(self.strips, origins, None, *_moments(self.strips, origins), self.total)

    def selection_steps(self) -> np.ndarray:
        """Return the steps used to select the strength: all, or evenly spaced ones where each needs a solution."""
        horizon = self.cross.shape[1]
        if self.missing is None or horizon <= MAX_SELECTION_STEPS:
            return np.arange(horizon)
        return np.linspace(0, horizon - 1, MAX_SELECTION_STEPS).astype("int64")

    def solve(self, steps: np.ndarray, strengths: tuple[float, ...]) -> np.ndarray:
        """Return weights (strengths, features, steps), float32."""
        out = np.empty((len(strengths), len(self.gram), len(steps)), dtype="float32")
        for at, gram in self._grams(steps):
            for number, weights in enumerate(solve(gram, self.cross[:, steps[at]], strengths)):
                out[number][:, at] = weights
        return out

    def _grams(self, steps):
        """Yield the positions in `steps` that share second moments, and their matrix (features, features)."""
        if self.missing is None:
            yield np.arange(len(steps)), self.gram
            return
        # Steps whose targets are missing in the same windows share one matrix. Packed bits make the comparison cheap.
        patterns, pattern_of = np.unique(np.packbits(self.missing[:, steps].T, axis=1), axis=0, return_inverse=True)
        for number in range(len(patterns)):
            at = np.flatnonzero(pattern_of.ravel() == number)
            missing = self.missing[:, steps[at[0]]]
            # Subtract the missing windows from the total, or sum the observed ones, whichever are fewer.
            if 2 * missing.sum() <= len(missing):
                gram = self.gram - _gram(self.strips, self.origins[missing]) if missing.any() else self.gram
            else:
                gram = _gram(self.strips, self.origins[~missing])
            yield at, gram


def _missing(strips, origins):
    """Return where the targets of windows are missing, shape (n, horizon)."""
    out = np.empty((len(origins), strips.horizon), dtype=bool)
    for low in range(0, len(origins), CHUNK):
        out[low : low + CHUNK] = np.isnan(strips.cut(origins[low : low + CHUNK])[:, strips.lookback :])
    return out


def _best_strength(candidates, strips, validation_origins, steps):
    """Return the strength with the smallest validation error at these steps; the middle one if none is known."""
    if candidates is None:
        return STRENGTHS[len(STRENGTHS) // 2]
    errors, count = np.zeros(len(candidates)), 0
    for low in range(0, len(validation_origins), CHUNK):
        part = validation_origins[low : low + CHUNK]
        x, _, scale, y = strips.normalised(part)
        x, y = reduce(x, strips.features), y[:, steps]
        count += (~np.isnan(y)).sum()
        errors += [np.nansum(strips.weighted(part, np.abs(x @ weights - y) * scale)) for weights in candidates]
    return STRENGTHS[int(np.argmin(errors)) if count else len(STRENGTHS) // 2]


def _gram(strips, origins):
    """Return the sum of x x' over windows, computed in chunks."""
    gram = np.zeros((strips.features,) * 2)
    for low in range(0, len(origins), CHUNK):
        part = origins[low : low + CHUNK]
        x, _ = strips.reduced(part)
        gram += strips.weighted(part, x).T @ x
    return gram


def _moments(strips, origins):
    """Return the sums of x x' and x y' over windows, computed in chunks; missing targets count as zero in x y'."""
    gram, cross = np.zeros((strips.features,) * 2), np.zeros((strips.features, strips.horizon))
    for low in range(0, len(origins), CHUNK):
        part = origins[low : low + CHUNK]
        x, y = strips.reduced(part)
        weighted = strips.weighted(part, x)
        gram += weighted.T @ x
        cross += weighted.T @ np.nan_to_num(y)
    return gram, cross


def solve(gram: np.ndarray, cross: np.ndarray, strengths: tuple[float, ...]) -> Iterator[np.ndarray]:
    """Yield the ridge weights (features, steps) for each penalty strength, in units of the mean eigenvalue."""
    # Penalties in units of the mean eigenvalue, trace / size, do not depend on the scale or the number of windows.
    unit, identity = max(float(np.trace(gram)) / len(gram), 1e-12), np.eye(len(gram))
    for strength in strengths:
        try:
            # A dozen Cholesky factorisations take less time than one eigendecomposition.
            yield solve_positive(gram + unit * strength * identity, cross)
        except np.linalg.LinAlgError:  # rounding of float32 products can make an eigenvalue negative
            roots, vectors = np.linalg.eigh(gram)
            yield (vectors / (np.maximum(roots, 0.0) + unit * strength)) @ (vectors.T @ cross)


def solve_positive(matrix: np.ndarray, cross: np.ndarray) -> np.ndarray:
    """Solve a positive definite system, or raise LinAlgError; the matrix may be overwritten."""
    try:
        from scipy.linalg import lapack  # here: its import takes longer than a forecast
    except ModuleNotFoundError:  # an installation for forecasting
        np.linalg.cholesky(matrix)
        return np.linalg.solve(matrix, cross)
    # Not by cho_factor and cho_solve, which check and convert for longer than a small system takes. LAPACK accepts NaN.
    with one_thread():
        _, solution, failed = lapack.dposv(np.asarray_chkfinite(matrix), np.asarray_chkfinite(cross), overwrite_a=True)
    if failed:
        raise np.linalg.LinAlgError("The matrix is not positive definite.")
    return solution


def width(lookback: int) -> int:
    """Return the number of features of a window: `lookback`, or fewer where the lookback is very long."""
    if lookback <= MAX_COEFFICIENTS:
        return lookback
    return LATEST + -(-(lookback - LATEST) // _block(lookback))


def _block(lookback):
    """Return the number of consecutive older values of a long window that share one coefficient."""
    return -(-(lookback - LATEST) // (MAX_COEFFICIENTS - LATEST))


def reduce(windows: np.ndarray, features: int) -> np.ndarray:
    """Reduce windows (n, lookback) to (n, features): means of blocks of older values, then the latest values."""
    lookback = windows.shape[1]
    if features == lookback:
        return windows
    block = _block(lookback)
    # The last block ends where the latest values begin, so only the first block may be shorter.
    first = np.maximum(np.arange(lookback - LATEST - (features - LATEST) * block, lookback - LATEST, block), 0)
    sums = np.add.reduceat(windows[:, : lookback - LATEST], first, axis=1)
    return np.concatenate([sums / np.float32(block), windows[:, lookback - LATEST :]], axis=1)


def expand(weights: np.ndarray, lookback: int) -> np.ndarray:
    """Return weights (lookback, steps) for full windows that equal these weights (features, steps) of reduced ones."""
    features = len(weights)
    if features == lookback:
        return weights
    block = _block(lookback)
    old = np.repeat(weights[: features - LATEST] / np.float32(block), block, axis=0)
    return np.concatenate([old[len(old) - (lookback - LATEST) :], weights[features - LATEST :]])
