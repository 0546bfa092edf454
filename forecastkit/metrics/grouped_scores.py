"""Scores of forecasts by group: the one place in which errors of a backtest, a comparison or a search are averaged.

docs/evaluation.md gives the formula and the source of each score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from forecastkit.metrics import elementwise

#: Quantiles from which on their weighted losses are close to the continuous ranked probability score.
ENOUGH_FOR_CRPS = 5


class GroupedScores:
    """Observed values, to which forecasts are compared, in groups.

    Every method takes forecasts in the shape of `actual` and returns one value for each group, (n_groups,). Values that
    were not observed (NaN) are left out; a NaN forecast of an observed value makes the score of its group NaN.

    Parameters
    ----------
    actual : array-like
        Of any shape; NaN where nothing was observed.
    group : array-like of int, optional
        The group of each value, from 0, in a shape that broadcasts to `actual`. Default: one group.
    n_groups : int
    scale, squared_scale : array-like, optional
        `seasonal_scale` and `seasonal_scale_squared` of each value's series, in a shape that broadcasts to `actual`.
        Values without a scale (NaN) are left out of the scaled scores only.

    Attributes
    ----------
    counts : ndarray of int
        Observed values of each group.
    scaled_counts : ndarray of int
        Those that have a scale.
    """

    def __init__(
        self,
        actual: ArrayLike,
        group: ArrayLike = 0,
        n_groups: int = 1,
        scale: ArrayLike | None = None,
        squared_scale: ArrayLike | None = None,
    ):
        actual = np.asarray(actual, dtype="float64")
        self.observed = elementwise.seen(actual)
        self.n_groups = n_groups
        self.actual, self.group = actual[self.observed], self._of_observed(group)
        self.scale, self.squared_scale = (
            None if given is None else self._of_observed(given) for given in (scale, squared_scale)
        )
        self.counts = np.bincount(self.group, minlength=n_groups)
        has_scale = elementwise.seen(self.scale) if scale is not None else slice(0)
        self.scaled_counts = np.bincount(self.group[has_scale], minlength=n_groups)

    def _of_observed(self, values: ArrayLike) -> np.ndarray:
        """Return the values at the places where something was observed."""
        return np.broadcast_to(np.asarray(values), self.observed.shape)[self.observed]

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Means of observed values; by `bincount`, which unlike pandas lets a NaN forecast show."""
        return elementwise.divide(np.bincount(self.group, values, self.n_groups), self.counts)

    def scaled_mean(self, values: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Means of observed values in units of their scale, of those that have one."""
        use = elementwise.seen(scale)
        group = self.group[use]
        total = np.bincount(group, elementwise.divide(values[use], scale[use]), self.n_groups)
        return elementwise.divide(total, np.bincount(group, minlength=self.n_groups))

    # ------------------------------------------------------------------------------------------ points

    def absolute_errors(self, forecast: ArrayLike) -> np.ndarray:
        """``|y - f|`` of every observed value, (n_observed,)."""
        return np.abs(self._of_observed(forecast) - self.actual)

    def mae(self, forecast: ArrayLike) -> np.ndarray:
        """As `forecastkit.metrics.mae`."""
        return self.mean(self.absolute_errors(forecast))

    def mse(self, forecast: ArrayLike) -> np.ndarray:
        """As `forecastkit.metrics.mse`."""
        return self.mean(np.square(self.absolute_errors(forecast)))

    def mase(self, forecast: ArrayLike) -> np.ndarray:
        """As `forecastkit.metrics.mase`."""
        return self.scaled_mean(self.absolute_errors(forecast), self.scale)

    def point_scores(self, forecast: ArrayLike) -> dict[str, np.ndarray]:
        """All scores of point forecasts, by name."""
        error = self._of_observed(forecast) - self.actual
        size, square = np.abs(error), np.square(error)
        mae, mse = self.mean(size), self.mean(square)
        table = {
            "rows": self.counts,
            "mae": mae,
            "mse": mse,
            "rmse": np.sqrt(mse),
            "bias": self.mean(error),
            "wape": elementwise.divide(mae, self.mean(np.abs(self.actual))),
            "smape": self.mean(elementwise.symmetric(self.actual, self._of_observed(forecast))),
        }
        if self.scale is not None:
            table["mase"] = self.scaled_mean(size, self.scale)
        if self.squared_scale is not None:
            table["rmsse"] = np.sqrt(self.scaled_mean(square, self.squared_scale))
        return table

    # ------------------------------------------------------------------------------------------ quantiles

    def coverage(self, lower: ArrayLike, upper: ArrayLike) -> np.ndarray:
        """As `forecastkit.metrics.coverage`."""
        return self.mean(elementwise.inside(self.actual, self._of_observed(lower), self._of_observed(upper)))

    def quantile_scores(self, quantiles: Mapping[float, ArrayLike]) -> dict[str, np.ndarray]:
        """All scores of quantile forecasts, by name."""
        quantiles = {level: self._of_observed(values) for level, values in quantiles.items()}
        losses = {
            level: self.mean(elementwise.pinball(self.actual, values, level)) for level, values in quantiles.items()
        }
        table = {f"pinball_q{level:g}": loss for level, loss in losses.items()}
        if losses:
            size = self.mean(np.abs(self.actual))
            table["wql"] = elementwise.divide(2 * np.mean(list(losses.values()), axis=0), size)
        if len(losses) >= ENOUGH_FOR_CRPS:
            table["crps"] = 2 * elementwise.level_weights(list(losses)) @ np.array(list(losses.values()))
        for level, low, high in symmetric_pairs(quantiles):
            lower, upper = quantiles[low], quantiles[high]
            score = elementwise.winkler(self.actual, lower, upper, level)
            table[f"coverage_{level:g}"] = self.mean(elementwise.inside(self.actual, lower, upper))
            table[f"winkler_{level:g}"] = self.mean(score)
            if self.scale is not None:
                table[f"msis_{level:g}"] = self.scaled_mean(score, self.scale)
        return table

    def interval_scores(self, lower: ArrayLike, upper: ArrayLike) -> dict[str, np.ndarray]:
        """Coverage and mean width of intervals."""
        width = self.mean(self._of_observed(upper) - self._of_observed(lower))
        return {"coverage": self.coverage(lower, upper), "width": width}


def symmetric_pairs(levels: Sequence[float]) -> list[tuple[float, float, float]]:
    """(coverage, low, high) of each pair of levels that lies evenly about the median, the widest first."""
    upper = {round(level, 9): level for level in levels if level > 0.5}
    pairs = [(low, upper.get(round(1 - low, 9))) for low in sorted(levels) if low < 0.5]
    return [(round(high - low, 9), low, high) for low, high in pairs if high is not None]
