"""Forecast residuals of validation windows, scaled per series."""

import numpy as np

from forecastkit.data.panel import Panel, spread
from forecastkit.data.windows import Origins


def series_of(scaler, panel: Panel, origins: Origins) -> np.ndarray:
    """Number of each origin's series among those trained on, (n,); -1 for others."""
    entity = scaler.places(panel, trained=True)[origins.entity]
    return np.where(entity < 0, -1, entity * panel.channels + origins.channel)


def scale_of(scaler, panel: Panel, origins: Origins) -> np.ndarray:
    """Scale of each origin's series, (n,); of constant ones 1, or a billionth of a value that is larger still."""
    moments = scaler.moments(panel)
    scale, center = (part[origins.entity, origins.channel] for part in (moments.scale, moments.center))
    return np.where(scale > 0, scale, np.maximum(1.0, 1e-9 * np.abs(center)))


def observed_after(panel: Panel, origins: Origins, horizon: int) -> np.ndarray:
    """What was observed at each step after the origins, (n, horizon), NaN where nothing."""
    rows = origins.row[:, None] + np.arange(1, horizon + 1)
    inside = rows < panel.indptr[origins.entity + 1][:, None]
    values = panel.target[np.minimum(rows, panel.rows - 1), origins.channel[:, None]].astype("float64")
    return np.where(inside, values, np.nan)


def independent_windows(origins: Origins, panel: Panel, horizon: int) -> np.ndarray:
    """About how many windows of each series have no step in common, (n_series,): blocks of a horizon they begin in."""
    series = origins.entity * panel.channels + origins.channel
    block = (origins.row - panel.indptr[origins.entity]) // horizon
    wide = block.max(initial=0) + 1
    return np.bincount(np.unique(series * wide + block) // wide, minlength=len(panel.ids) * panel.channels)


def by_series(values: np.ndarray, origins: Origins, panel: Panel) -> np.ndarray:
    """Values (n, horizon) of origins as (windows, series, horizon), NaN where a series has fewer windows."""
    series = origins.entity * panel.channels + origins.channel
    order = np.argsort(series, kind="stable")
    counts = np.bincount(series, minlength=len(panel.ids) * panel.channels)
    _, place = spread(counts)
    out = np.full((int(counts.max()), len(counts), values.shape[1]), np.nan, dtype=values.dtype)
    out[place, series[order]] = values[order]
    return out
