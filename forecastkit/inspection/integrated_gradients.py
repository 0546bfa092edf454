"""Integrated gradients of a network's forecasts."""

from dataclasses import dataclass, fields

import numpy as np

#: Number of windows per gradient computation.
BATCH = 1024
#: Number of points between baseline and inputs in the first estimate.
MIN_POINTS = 16
#: Changes of a forecast below this value, in scaled units, count as no change.
FLOOR = 1e-3


@dataclass(frozen=True)
class Pairs:
    """Forecasts to explain; each attribute has shape (P,): window, channel in the window, step from 0."""

    window: np.ndarray
    channel: np.ndarray
    step: np.ndarray

    def __len__(self):
        return len(self.step)

    def __getitem__(self, index) -> "Pairs":
        return Pairs(*(getattr(self, field.name)[index] for field in fields(self)))


@dataclass(frozen=True)
class Slopes:
    """Gradients averaged between baseline and inputs, and the forecasts at both ends."""

    #: (P, ...): average gradient of each pair's forecast with respect to each input of its window
    by: dict[str, np.ndarray]
    start: np.ndarray  #: (P,): forecasts at the baseline
    end: np.ndarray  #: (P,): forecasts at the inputs
    error: float  #: See `completeness_error`
    points: int  #: Number of gradients in each average


def integrate(engine, inputs: dict, baseline: dict, pairs: Pairs, point, tolerance: float, max_points: int) -> Slopes:
    """Average gradients between baseline and inputs, doubling the number of points until the error is small.

    Inputs and baseline are those of the network by name, (n, ...), with the same missing values. `point` is the weight
    of each output of the network in the point forecast, `tolerance` the largest completeness error.
    """
    zero = np.zeros((len(inputs["target"]), *engine.sizes.channel_shape, engine.sizes.horizon, len(point)), "float32")
    start, end = (
        _point_forecasts(engine.input_gradients(given, zero)[0], pairs, point) for given in (baseline, inputs)
    )
    change = {name: difference(inputs[name], baseline[name])[pairs.window] for name in inputs}
    points = min(MIN_POINTS, max_points)
    while True:
        by = average_gradients(engine, inputs, baseline, pairs, point, points)
        total = sum((slope * change[name]).reshape(len(pairs), -1).sum(axis=1) for name, slope in by.items())
        error = completeness_error(total, end - start, pairs)
        if error <= tolerance or 2 * points > max_points:
            return Slopes(by, start, end, error, points)
        points *= 2


def completeness_error(total: np.ndarray, change: np.ndarray, pairs: Pairs) -> float:
    """Return the largest difference between the sum of the attributions and the change of the forecast.

    It is relative to the largest change over the explained steps of the same window and channel, or to `FLOOR`.
    """
    _, origin = np.unique(np.stack([pairs.window, pairs.channel]), axis=1, return_inverse=True)
    origin = origin.ravel()  # NumPy 2.0 returns an array with the shape of the input
    largest = np.full(origin.max() + 1, FLOOR)
    np.maximum.at(largest, origin, np.abs(change))
    return float(np.max(np.abs(total - change) / largest[origin]))


def average_gradients(engine, inputs: dict, baseline: dict, pairs: Pairs, point, points: int) -> dict[str, np.ndarray]:
    """Return gradients of each pair's forecast averaged over `points` points between baseline and inputs."""
    places, weights_of_points = graded_points(points)
    parts = []
    size = max(1, BATCH // (points * max(engine.sizes.channels, 1)))
    for low in range(0, len(pairs), size):
        chunk = pairs[low : low + size]
        weights = np.repeat(_one_hot(chunk, engine.sizes, point), points, axis=0)
        _, input_gradients = engine.input_gradients(_line(inputs, baseline, chunk.window, places), weights)
        by_pair = {name: slope.reshape(len(chunk), points, *slope.shape[1:]) for name, slope in input_gradients.items()}
        parts.append({name: np.tensordot(slope, weights_of_points, axes=(1, 0)) for name, slope in by_pair.items()})
    return {name: np.concatenate([part[name] for part in parts]).astype("float32") for name in parts[0]}


def graded_points(points: int) -> tuple[np.ndarray, np.ndarray]:
    """Return points in (0, 1) and their weights: Gauss-Legendre quadrature after substituting the cube.

    Points are dense near 0, because layer normalization changes fastest near a baseline without variation.
    """
    roots, weights_of_points = np.polynomial.legendre.leggauss(points)
    roots = (roots + 1) / 2
    return (roots**3).astype("float32"), 1.5 * roots**2 * weights_of_points


def difference(end: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return the difference of inputs in float64, 0 where they are missing."""
    return np.nan_to_num(end.astype("float64") - start)


def _point_forecasts(forecast, pairs, point):
    """Return the point forecast (P,) of each pair from forecasts (n, [channels,] horizon, outputs)."""
    points = forecast.astype("float64") @ point
    return points[pairs.window, pairs.channel, pairs.step] if points.ndim == 3 else points[pairs.window, pairs.step]


def _one_hot(pairs, sizes, point):
    """Return weights (P, [channels,] horizon, outputs) that select the point forecast of each pair."""
    out = np.zeros((len(pairs), max(sizes.channels, 1), sizes.horizon, len(point)), "float32")
    out[np.arange(len(pairs)), pairs.channel if sizes.channels else 0, pairs.step] = point
    return out if sizes.channels else out[:, 0]


def _line(inputs, baseline, window, places):
    """Interpolate between baseline and inputs; returns (pairs * points, ...), grouped by pair."""
    out = {}
    for name in inputs:
        start, end = baseline[name][window][:, None], inputs[name][window][:, None]
        if end.dtype.kind == "f":
            end = start + (end - start) * places.reshape(-1, *[1] * (end.ndim - 2))
        else:
            end = np.repeat(end, len(places), axis=1)
        out[name] = end.reshape(-1, *end.shape[2:])
    return out
