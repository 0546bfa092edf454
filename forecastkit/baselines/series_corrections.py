"""Corrections of a shared regression for each series, shrunk towards zero: partial pooling."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from forecastkit.baselines.ridge import Ridge, Strips, reduce, solve_positive
from forecastkit.data.windows import Buffers, Origins, Windows
from forecastkit.utils.arrays import one_thread

#: Largest number of training windows of a series, evenly spaced.
MAX_WINDOWS = 3_000


@dataclass(frozen=True)
class SeriesCorrections:
    """Coefficients of each series that are added to those of a shared regression.

    They solve a ridge regression of the errors of the shared regression on the windows of the series. The penalty has
    the weight of a fixed number of windows, so the more windows a series has, the more its coefficients may differ from
    the shared ones.
    """

    #: (series, channels, features, horizon): the coefficients, float32. Series are those that the scaler was fitted on,
    #: in its order.
    weights: np.ndarray

    @classmethod
    def fit(cls, buffers: Buffers, windows: Windows, ridge: Ridge, penalty: float) -> "SeriesCorrections":
        """Fit the corrections; the coefficients of the shared regression count as `penalty` windows."""
        lookback, horizon = ridge.weights.shape
        strips = Strips(buffers, lookback, horizon, ridge.normalization)
        count = int(buffers.series.max(initial=0))
        weights = np.zeros((count, windows.channels, strips.features, horizon), dtype="float32")
        with one_thread(_multiplications(strips, windows)):
            for origins in _by_series(windows):
                series = buffers.series[origins.entity[0]] - 1
                weights[series, origins.channel[0]] = next(_solved(strips, origins, ridge, (penalty,)))
        return cls(weights)

    def add_to(self, forecast: np.ndarray, window: np.ndarray, series: np.ndarray, channel: np.ndarray) -> None:
        """Add the corrections to forecasts (n, horizon) of normalized windows (n, lookback), in place.

        `series` is the place of each series among those of `weights`, -1 for unknown ones, which stay as they are.
        """
        known = np.flatnonzero((series >= 0) & (series < len(self.weights)))
        if not len(known):
            return
        features = self.weights.shape[2]
        key = series[known] * self.weights.shape[1] + channel[known]
        order = known[np.argsort(key, kind="stable")]
        for rows in np.split(order, np.flatnonzero(np.diff(np.sort(key))) + 1):
            own = self.weights[series[rows[0]], channel[rows[0]]]
            forecast[rows] += reduce(window[rows], features) @ own


def forecasts_by_penalty(
    buffers: Buffers, windows: Windows, ridge: Ridge, penalties: tuple[float, ...], validation: Origins
) -> np.ndarray:
    """Return scaled forecasts (1 + penalties, n, horizon): the shared ones, then those corrected by each penalty.

    Only the series of the validation windows are fitted.
    """
    lookback, horizon = ridge.weights.shape
    strips = Strips(buffers, lookback, horizon, ridge.normalization)
    forecasts = np.empty((1 + len(penalties), len(validation), horizon), dtype="float32")
    forecasts[:] = ridge.predict(buffers, validation)
    with one_thread(_multiplications(strips, windows)):
        for origins in _by_series(windows, np.unique(validation.entity)):
            at = np.flatnonzero((validation.entity == origins.entity[0]) & (validation.channel == origins.channel[0]))
            window, _, scale, _ = strips.normalised(validation[at])
            window = reduce(window, strips.features)
            for number, weights in enumerate(_solved(strips, origins, ridge, penalties), start=1):
                forecasts[number, at] += window @ weights.astype("float32") * scale
    return forecasts


def _multiplications(strips, windows):
    """Return how many multiplications the second moments of the longest series take."""
    count = min(int(np.diff(windows.before).max(initial=0)), MAX_WINDOWS)
    return count * strips.features * min(count, strips.features)


def _by_series(windows: Windows, wanted: np.ndarray | None = None) -> Iterator[Origins]:
    """Yield the origins of each series and channel that has windows."""
    stop = windows.first + np.diff(windows.before)
    for entity in np.arange(len(stop)) if wanted is None else wanted:
        count = stop[entity] - windows.first[entity]
        if count <= 0:
            continue
        rows = windows.first[entity] + np.linspace(0, count - 1, min(count, MAX_WINDOWS)).astype("int64")
        for channel in range(windows.channels):
            yield Origins(np.full(len(rows), entity), rows, np.full(len(rows), channel))


def _solved(strips: Strips, origins: Origins, ridge: Ridge, penalties: tuple[float, ...]) -> Iterator[np.ndarray]:
    """Yield the corrections (features, horizon) of one series for each penalty."""
    window, _, _, horizon = strips.normalised(origins)
    # Where a target is missing, the shared regression counts as right: a correction needs evidence.
    error = np.nan_to_num(horizon - window @ ridge.weights).astype("float64")
    x = reduce(window, strips.features).astype("float64")
    weight = np.sqrt(strips.weighted(origins, np.ones((len(x), 1))))
    x, error = x * weight, error * weight
    unit = max(float((x**2).mean()), 1e-12)
    # The smaller one of the two systems that have the same solution.
    few = len(x) < x.shape[1]
    gram, right = (x @ x.T, error) if few else (x.T @ x, x.T @ error)
    for penalty in penalties:
        solution = solve_positive(gram + penalty * unit * np.eye(len(gram)), right)
        yield x.T @ solution if few else solution
