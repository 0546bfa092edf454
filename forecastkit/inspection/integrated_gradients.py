"""Integrated gradients of a network's forecasts."""

from dataclasses import dataclass, fields

import numpy as np

#: Windows whose gradients are taken at once.
BATCH = 1024
#: Points of the line from the baseline to the inputs that the first estimate takes gradients at.
FEWEST_POINTS = 16
#: A forecast that changes by less than this, in units of the series' scale, does not change.
FLOOR = 1e-3


@dataclass(frozen=True)
class Pairs:
    """Forecasts to explain, (P,) each: the window among the inputs, the channel within it, the step from 0."""

    window: np.ndarray
    channel: np.ndarray
    step: np.ndarray

    def __len__(self):
        return len(self.step)

    def __getitem__(self, index) -> "Pairs":
        return Pairs(*(getattr(self, field.name)[index] for field in fields(self)))


@dataclass(frozen=True)
class Slopes:
    """Gradients averaged along the line from the baseline to the inputs, and the forecasts at its ends.

    Parameters
    ----------
    by : dict of ndarray, (P, ...)
        Average gradient of each pair's forecast by each input of its window.
    start, end : ndarray of shape (P,)
        Forecasts from the baseline and from the inputs.
    error : float
        See `completeness_error`.
    points : int
        Gradients in each average.
    """

    by: dict[str, np.ndarray]
    start: np.ndarray
    end: np.ndarray
    error: float
    points: int


def integrate(engine, inputs: dict, baseline: dict, pairs: Pairs, point, tolerance: float, most: int) -> Slopes:
    """Average gradients from the baseline to the inputs, at twice as many points until they are complete.

    Parameters
    ----------
    engine : TensorFlowEngine or PlainEngine
    inputs, baseline : dict of ndarray, (n, ...)
        What the network takes; missing in the same places.
    point : ndarray of shape (outputs,)
        What each output of the network counts in the forecast.
    tolerance : float
        Of the completeness error.
    most : int
        Points at most.
    """
    zero = np.zeros((len(inputs["target"]), *engine.sizes.beside, engine.sizes.horizon, len(point)), "float32")
    start, end = (_asked(engine.input_gradients(given, zero)[0], pairs, point) for given in (baseline, inputs))
    change = {name: difference(inputs[name], baseline[name])[pairs.window] for name in inputs}
    points = min(FEWEST_POINTS, most)
    while True:
        by = average_gradients(engine, inputs, baseline, pairs, point, points)
        total = sum((slope * change[name]).reshape(len(pairs), -1).sum(axis=1) for name, slope in by.items())
        error = completeness_error(total, end - start, pairs)
        if error <= tolerance or 2 * points > most:
            return Slopes(by, start, end, error, points)
        points *= 2


def completeness_error(total: np.ndarray, change: np.ndarray, pairs: Pairs) -> float:
    """Largest gap between the attributions' sum and the change of the forecast.

    As a fraction of the largest change over the explained steps of the same window and channel, or of `FLOOR`.
    """
    _, origin = np.unique(np.stack([pairs.window, pairs.channel]), axis=1, return_inverse=True)
    origin = origin.ravel()  # numpy 2.0 gives it an axis
    largest = np.full(origin.max() + 1, FLOOR)
    np.maximum.at(largest, origin, np.abs(change))
    return float(np.max(np.abs(total - change) / largest[origin]))


def average_gradients(engine, inputs: dict, baseline: dict, pairs: Pairs, point, points: int) -> dict[str, np.ndarray]:
    """Gradients of each pair's forecast, averaged over the line at this many points."""
    places, shares = graded_points(points)
    parts = []
    size = max(1, BATCH // (points * max(engine.sizes.channels, 1)))
    for low in range(0, len(pairs), size):
        some = pairs[low : low + size]
        weights = np.repeat(_one_hot(some, engine.sizes, point), points, axis=0)
        _, input_gradients = engine.input_gradients(_line(inputs, baseline, some.window, places), weights)
        by_pair = {name: slope.reshape(len(some), points, *slope.shape[1:]) for name, slope in input_gradients.items()}
        parts.append({name: np.tensordot(slope, shares, axes=(1, 0)) for name, slope in by_pair.items()})
    return {name: np.concatenate([part[name] for part in parts]).astype("float32") for name in parts[0]}


def graded_points(points: int) -> tuple[np.ndarray, np.ndarray]:
    """Places in (0, 1) and their shares in an average: Gauss-Legendre quadrature of the cube of a variable.

    Dense near 0, because a baseline without any variation is where layer normalisation turns fastest.
    """
    roots, shares = np.polynomial.legendre.leggauss(points)
    roots = (roots + 1) / 2
    return (roots**3).astype("float32"), 1.5 * roots**2 * shares


def difference(end: np.ndarray, start: np.ndarray) -> np.ndarray:
    """From the start to the end, float64; 0 where they are missing."""
    return np.nan_to_num(end.astype("float64") - start)


def _asked(forecast, pairs, point):
    """The point forecast of each pair, (P,), of forecasts (n, [channels,] horizon, outputs)."""
    points = forecast.astype("float64") @ point
    return points[pairs.window, pairs.channel, pairs.step] if points.ndim == 3 else points[pairs.window, pairs.step]


def _one_hot(pairs, sizes, point):
    """Weights (P, [channels,] horizon, outputs) that pick the point forecast of each pair."""
    out = np.zeros((len(pairs), max(sizes.channels, 1), sizes.horizon, len(point)), "float32")
    out[np.arange(len(pairs)), pairs.channel if sizes.channels else 0, pairs.step] = point
    return out if sizes.channels else out[:, 0]


def _line(inputs, baseline, window, places):
    """Inputs at these places between baseline and inputs, (pairs * points, ...), the points of a pair together."""
    out = {}
    for name in inputs:
        start, end = baseline[name][window][:, None], inputs[name][window][:, None]
        if end.dtype.kind == "f":
            end = start + (end - start) * places.reshape(-1, *[1] * (end.ndim - 2))
        else:
            end = np.repeat(end, len(places), axis=1)
        out[name] = end.reshape(-1, *end.shape[2:])
    return out
