"""Sample paths with the dependence between steps of past errors."""

import numpy as np

from forecastkit.uncertainty.residual_quantiles import LEVELS, interpolate_quantiles

#: Largest number of windows whose error ranks are stored.
MAX_PATHS = 200


def error_ranks(residuals: np.ndarray, series: np.ndarray) -> np.ndarray:
    """Return ranks of residuals within their series and step, as fractions in (0, 1), of complete windows.

    Parameters
    ----------
    residuals : ndarray of shape (windows, horizon)
        NaN where the actual is missing.
    series : ndarray of int of shape (windows,)
        Number of each window's series.

    Returns
    -------
    ndarray of shape (paths, horizon), float32
        At most 200 evenly spaced windows; empty if no window is complete.
    """
    first = np.concatenate([[0], np.cumsum(np.bincount(series))])[series]
    ranks, smallest_count = np.empty(residuals.shape), np.full(len(series), len(series))
    for step, values in enumerate(residuals.T):
        order = np.lexsort((values, series))  # by series; NaN values are last within a series
        place = np.empty(len(order), dtype="int64")
        place[order] = np.arange(len(order))
        counts = np.bincount(series, ~np.isnan(values))[series]
        ranks[:, step] = (place - first + 1) / (counts + 1)
        smallest_count = np.minimum(smallest_count, counts)
    complete = np.flatnonzero(~np.isnan(residuals).any(axis=1) & (smallest_count > 1))
    if len(complete) > MAX_PATHS:
        complete = complete[np.linspace(0, len(complete) - 1, MAX_PATHS).round().astype(int)]
    return ranks[complete].astype("float32")


def draw_ranks(paths: np.ndarray, shape: tuple[int, int, int], rng: np.random.Generator) -> np.ndarray:
    """Draw ranks (origins, paths, horizon) from those of past windows, with noise so that no rank repeats.

    Steps are drawn independently if no past window is complete. Draws are independent between origins and therefore
    between series.
    """
    noise = rng.random(shape)
    if len(paths) < 2:
        return noise
    chosen = paths[rng.integers(len(paths), size=shape[:2])]
    return np.clip(chosen + (noise - 0.5) / (len(paths) + 1), 1e-4, 1 - 1e-4)


def at_ranks(values: np.ndarray, levels, ranks: np.ndarray) -> np.ndarray:
    """Interpolate quantiles (n, horizon, L) at ranks (n, paths, horizon), constant beyond the outermost levels."""
    levels = np.asarray(levels)
    above = np.clip(np.searchsorted(levels, ranks), 1, len(levels) - 1)
    weight = np.clip((ranks - levels[above - 1]) / (levels[above] - levels[above - 1]), 0.0, 1.0)
    columns = values.transpose(0, 2, 1)  # (n, L, horizon): ranks index the levels of their step's column
    low, high = (np.take_along_axis(columns, place, axis=1) for place in (above - 1, above))
    return low + weight * (high - low)


def widened(values: np.ndarray, trained, errors: np.ndarray) -> np.ndarray:
    """Extend quantiles at the `trained` levels to `LEVELS`, using the spread of residuals beyond the trained levels.

    Parameters
    ----------
    values : ndarray of shape (n, horizon, Q)
    trained : sequence of float, (Q,)
    errors : ndarray of shape (n, horizon, len(LEVELS))
        Quantiles of the residuals of the median forecast.
    """
    levels = np.asarray(LEVELS)
    within = np.clip(levels, trained[0], trained[-1])
    distinct, place = np.unique(within, return_inverse=True)
    inside = interpolate_quantiles(values, trained, distinct)[..., place]
    return inside + errors - interpolate_quantiles(errors, LEVELS, distinct)[..., place]
