"""Sufficient statistics of the linear forecast: sums over windows to which later windows can be added."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from forecastkit.utils.cpu import one_thread

#: Largest number of coefficients per step, and how many of them belong to single latest values.
MAX_COEFFICIENTS, LATEST = 1_920, 960
#: Largest number of elements of statistics that are kept in a fitted model.
MAX_KEPT = 8_000_000


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

    @classmethod
    def from_matrices(
        cls, grams: np.ndarray, system_of: np.ndarray, cross: np.ndarray, counts: np.ndarray, each: float
    ) -> "Statistics":
        """Build the statistics from full matrices (systems, features, features)."""
        return cls(grams[:, *np.triu_indices(grams.shape[1])], system_of, cross, counts, each)

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


def solve(gram: np.ndarray, cross: np.ndarray, strengths: tuple[float, ...]) -> Iterator[np.ndarray]:
    """Yield the ridge weights (features, steps) for each penalty strength, in units of the mean eigenvalue."""
    # Penalties in units of the mean eigenvalue, trace / size, do not depend on the scale or the number of windows.
    unit, identity = max(float(np.trace(gram)) / len(gram), 1e-12), np.eye(len(gram))
    for strength in strengths:
        try:
            # A dozen Cholesky factorisations take less time than one eigendecomposition.
            yield _solve_positive(gram + unit * strength * identity, cross)
        except np.linalg.LinAlgError:  # rounding of float32 products can make an eigenvalue negative
            roots, vectors = np.linalg.eigh(gram)
            yield (vectors / (np.maximum(roots, 0.0) + unit * strength)) @ (vectors.T @ cross)


def _solve_positive(matrix: np.ndarray, cross: np.ndarray) -> np.ndarray:
    """Solve a positive definite system; the matrix may be overwritten.

    Raises
    ------
    LinAlgError
        If the matrix is not positive definite.
    """
    try:
        from scipy.linalg import cho_factor, cho_solve  # here: its import takes longer than a forecast
    except ModuleNotFoundError:  # an installation for forecasting
        np.linalg.cholesky(matrix)
        return np.linalg.solve(matrix, cross)
    with one_thread():
        return cho_solve(cho_factor(matrix, overwrite_a=True), cross)


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
