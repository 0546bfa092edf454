"""Sample paths whose steps depend on each other as past errors did."""

import numpy as np

from forecastkit.uncertainty.residual_quantiles import LEVELS, interpolate_quantiles

#: Windows whose errors are remembered.
MOST_PATHS = 200


def error_ranks(residuals: np.ndarray, series: np.ndarray) -> np.ndarray:
    """Ranks of residuals among those of their series and step, as fractions inside (0, 1), of windows without a gap.

    Parameters
    ----------
    residuals : ndarray of shape (windows, horizon)
        NaN where nothing was observed.
    series : ndarray of int of shape (windows,)
        Number of each window's series.

    Returns
    -------
    ndarray of shape (paths, horizon), float32
        Of at most 200 windows, evenly spread; none where no window is complete.
    """
    first = np.concatenate([[0], np.cumsum(np.bincount(series))])[series]
    ranks, least = np.empty(residuals.shape), np.full(len(series), len(series))
    for step, values in enumerate(residuals.T):
        order = np.lexsort((values, series))  # by series, and NaN comes last within it
        place = np.empty(len(order), dtype="int64")
        place[order] = np.arange(len(order))
        counts = np.bincount(series, ~np.isnan(values))[series]
        ranks[:, step] = (place - first + 1) / (counts + 1)
        least = np.minimum(least, counts)
    complete = np.flatnonzero(~np.isnan(residuals).any(axis=1) & (least > 1))
    if len(complete) > MOST_PATHS:
        complete = complete[np.linspace(0, len(complete) - 1, MOST_PATHS).round().astype(int)]
    return ranks[complete].astype("float32")


def draw_ranks(paths: np.ndarray, shape: tuple[int, int, int], rng: np.random.Generator) -> np.ndarray:
    """Ranks (origins, paths, horizon) drawn from those of the past, each a little off so that none come twice.

    Steps are drawn on their own where no window of the past is complete. Every origin has draws of its own: between
    series, errors are taken to be independent.
    """
    noise = rng.random(shape)
    if len(paths) < 2:
        return noise
    chosen = paths[rng.integers(len(paths), size=shape[:2])]
    return np.clip(chosen + (noise - 0.5) / (len(paths) + 1), 1e-4, 1 - 1e-4)


def at_ranks(values: np.ndarray, levels, ranks: np.ndarray) -> np.ndarray:
    """Values (n, paths, horizon) at ranks of that shape, of quantiles (n, horizon, L), flat beyond `levels`."""
    levels = np.asarray(levels)
    above = np.clip(np.searchsorted(levels, ranks), 1, len(levels) - 1)
    weight = np.clip((ranks - levels[above - 1]) / (levels[above] - levels[above - 1]), 0.0, 1.0)
    columns = values.transpose(0, 2, 1)  # (n, L, horizon): a rank picks a row of levels in its step's column
    low, high = (np.take_along_axis(columns, place, axis=1) for place in (above - 1, above))
    return low + weight * (high - low)


def widened(values: np.ndarray, trained, errors: np.ndarray) -> np.ndarray:
    """Quantiles at `LEVELS` from those at the `trained` levels: beyond them, as far off as quantiles of errors are.

    Parameters
    ----------
    values : ndarray of shape (n, horizon, Q)
    trained : sequence of float, (Q,)
    errors : ndarray of shape (n, horizon, len(LEVELS))
        Quantiles of the residuals of the median.
    """
    levels = np.asarray(LEVELS)
    within = np.clip(levels, trained[0], trained[-1])
    distinct, place = np.unique(within, return_inverse=True)
    inside = interpolate_quantiles(values, trained, distinct)[..., place]
    return inside + errors - interpolate_quantiles(errors, LEVELS, distinct)[..., place]
