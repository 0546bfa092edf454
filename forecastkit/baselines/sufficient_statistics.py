"""Sufficient statistics of the linear forecast: what is known of all its windows, in numbers that can be added to."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

#: Coefficients of a step at most, and how many of them are the latest values one by one.
MOST_COEFFICIENTS, LATEST = 1_920, 960
#: Numbers of statistics that are kept at most.
MOST_KEPT = 8_000_000


@dataclass(frozen=True)
class Statistics:
    """Second moments of windows and their products with the horizon, summed over windows.

    Steps at which the same windows lack their target share a system of equations.

    Attributes
    ----------
    grams : ndarray of shape (systems, features * (features + 1) / 2)
        Upper triangle of the sum of x x' of each system.
    system_of : ndarray of int of shape (horizon,)
        The system of each step.
    cross : ndarray of shape (features, horizon)
        Sum of x y'.
    counts : ndarray of int of shape (horizon,)
        Windows whose target was observed.
    each : float
        Windows that each of those summed stands for, where only some of very many were.
    """

    grams: np.ndarray
    system_of: np.ndarray
    cross: np.ndarray
    counts: np.ndarray
    each: float = 1.0

    @classmethod
    def of(
        cls, grams: np.ndarray, system_of: np.ndarray, cross: np.ndarray, counts: np.ndarray, each: float
    ) -> "Statistics":
        """From whole matrices (systems, features, features)."""
        return cls(grams[:, *np.triu_indices(grams.shape[1])], system_of, cross, counts, each)

    @staticmethod
    def can_hold(systems: int, features: int) -> bool:
        """Whether so many systems of so many coefficients are kept."""
        return systems * features * (features + 1) // 2 <= MOST_KEPT

    def plus(self, other: "Statistics") -> "Statistics | None":
        """The statistics of both sets of windows; None where they are too large to be kept."""
        pairs, system_of = np.unique(np.stack([self.system_of, other.system_of]), axis=1, return_inverse=True)
        if not self.can_hold(pairs.shape[1], len(self.cross)):
            return None
        factor = other.each / self.each
        grams = self.grams[pairs[0]] + factor * other.grams[pairs[1]]
        cross, counts = self.cross + factor * other.cross, self.counts + other.counts
        return Statistics(grams, system_of.ravel(), cross, counts, self.each)

    def solve(self, strength: float) -> np.ndarray:
        """Weights (features, horizon) under a penalty in units of the mean eigenvalue of each system."""
        features = len(self.cross)
        weights, gram = np.zeros(self.cross.shape), np.zeros((features, features))
        for number, triangle in enumerate(self.grams):
            gram[np.triu_indices(features)] = triangle
            gram.T[np.triu_indices(features)] = triangle
            at = np.flatnonzero(self.system_of == number)
            weights[:, at] = next(solve(gram, self.cross[:, at], (strength,)))
        return weights


def solve(gram: np.ndarray, cross: np.ndarray, strengths: tuple[float, ...]) -> Iterator[np.ndarray]:
    """The weights for each strength."""
    unit, identity = max(float(np.trace(gram)) / len(gram), 1e-12), np.eye(len(gram))
    for strength in strengths:
        try:
            # A dozen of these take less time than one decomposition into eigenvectors.
            yield cho_solve(cho_factor(gram + unit * strength * identity, overwrite_a=True), cross)
        except LinAlgError:  # rounding has left sums of float32 products with a negative eigenvalue
            roots, vectors = np.linalg.eigh(gram)
            yield (vectors / (np.maximum(roots, 0.0) + unit * strength)) @ (vectors.T @ cross)


def width(lookback: int) -> int:
    """Numbers that stand for a window: all its values, or fewer where the lookback is very long."""
    if lookback <= MOST_COEFFICIENTS:
        return lookback
    return LATEST + -(-(lookback - LATEST) // _block(lookback))


def _block(lookback):
    """Values of a long window that share a coefficient, before the latest."""
    return -(-(lookback - LATEST) // (MOST_COEFFICIENTS - LATEST))


def reduce(windows: np.ndarray, features: int) -> np.ndarray:
    """Windows (n, lookback) in so many numbers (n, features): means of blocks of old values, and the latest values."""
    lookback = windows.shape[1]
    if features == lookback:
        return windows
    block = _block(lookback)
    # Whole blocks end where the latest values begin; the first one may be shorter.
    first = np.maximum(np.arange(lookback - LATEST - (features - LATEST) * block, lookback - LATEST, block), 0)
    sums = np.add.reduceat(windows[:, : lookback - LATEST], first, axis=1)
    return np.concatenate([sums / np.float32(block), windows[:, lookback - LATEST :]], axis=1)


def expand(weights: np.ndarray, lookback: int) -> np.ndarray:
    """The weights (lookback, steps) of windows that do to `reduce`d ones what these (features, steps) do."""
    features = len(weights)
    if features == lookback:
        return weights
    block = _block(lookback)
    old = np.repeat(weights[: features - LATEST] / np.float32(block), block, axis=0)
    return np.concatenate([old[len(old) - (lookback - LATEST) :], weights[features - LATEST :]])
