"""Scales of MASE and RMSSE of all series of a panel at once."""

import numpy as np

from forecastkit.data.panel import Panel, owners
from forecastkit.data.windows import Origins

CHUNK = 1 << 18


def seasonal_scales(panel: Panel, stop: np.ndarray, season: int) -> np.ndarray:
    """Return mean absolute and mean square seasonal differences (2, n_ids, targets) of the rows before ``stop[e]``.

    They are as `forecastkit.metrics.seasonal_scale` and `seasonal_scale_squared` give them for one series; NaN where
    there is no pair of observed rows, or all differences are zero.
    """
    sums = np.zeros((3, len(panel.ids), panel.channels))
    for low in range(0, panel.rows, CHUNK):
        high = min(low + CHUNK, panel.rows)
        entity, row = owners(panel.indptr, low, high), np.arange(low, high)
        use = (row - season >= panel.indptr[entity]) & (row < stop[entity])
        entity, row = entity[use], row[use]
        difference = panel.target[row].astype("float64") - panel.target[row - season]
        seen = ~np.isnan(difference)
        size = np.where(seen, np.abs(difference), 0.0)
        for out, values in zip(sums, (size, size**2, seen), strict=True):
            for channel in range(panel.channels):
                out[:, channel] += np.bincount(entity, values[:, channel], len(panel.ids))
    with np.errstate(invalid="ignore", divide="ignore"):
        scales = sums[:2] / sums[2]
    return np.where(scales > 0, scales, np.nan)


def first_cutoffs(panel: Panel, origins: Origins) -> np.ndarray:
    """Row after the first of these cutoffs of each series, (n_ids,); of a series without any, after its last row."""
    stop = panel.indptr[1:].copy()
    np.minimum.at(stop, origins.entity, origins.row + 1)
    return stop


def scales_at(panel: Panel, origins: Origins, season: int) -> np.ndarray:
    """Scales of MASE and RMSSE of each origin's series, (2, n), from its rows up to the first of these cutoffs."""
    return seasonal_scales(panel, first_cutoffs(panel, origins), season)[:, origins.entity, origins.channel]
