"""Simple forecasts: naive, seasonal naive, drift and mean."""

import numpy as np

from forecastkit.data.panel import Panel
from forecastkit.data.windows import Origins, grouped, last_rows

#: Seasons whose values the seasonal naive forecast reads.
SEASONS = 4


def naive(panel: Panel, origins: Origins, horizon: int) -> np.ndarray:
    """Return the last observed value at every step, shape (n, horizon); NaN where no value is observed yet."""
    return np.repeat(_last(panel, origins)[0][:, None], horizon, axis=1)


def seasonal_naive(panel: Panel, origins: Origins, horizon: int, season: int) -> np.ndarray:
    """Return seasonal naive forecasts, shape (n, horizon).

    A missing value of the latest season is replaced by that of the up to three seasons before it, then by the last
    observed value.
    """
    steps = np.arange(1, horizon + 1)
    begin = panel.indptr[origins.entity][:, None]
    forecast = np.full((len(origins), horizon), np.nan)
    for back in range(1, SEASONS + 1):
        lacking = np.isnan(forecast)
        if not lacking.any():
            return forecast
        rows = origins.row[:, None] + steps - season * (-(-steps // season) + back - 1)
        found = panel.target[np.maximum(rows, 0), origins.channel[:, None]]
        forecast = np.where(lacking & (rows >= begin), found, forecast)
    return np.where(np.isnan(forecast), naive(panel, origins, horizon), forecast)


def drift(panel: Panel, origins: Origins, horizon: int) -> np.ndarray:
    """Return the extrapolated line through the first and the last observed value, shape (n, horizon)."""
    (end, last), (begin, first) = _last(panel, origins), _first(panel, origins)
    slope = np.where(last > first, (end - begin) / np.maximum(last - first, 1), 0.0)
    ahead = (panel.ordinal_at(origins.entity, origins.row) - last)[:, None] + np.arange(1, horizon + 1)
    return end[:, None] + slope[:, None] * ahead


def mean(panel: Panel, origins: Origins, horizon: int) -> np.ndarray:
    """Return the mean of all values observed up to the origin, shape (n, horizon); NaN where there are none."""
    out, before = np.full(len(origins), np.nan), panel.sums_before()
    for at, cells in _columns(panel, origins):
        cell, observed = (origins.entity[at[0]], origins.channel[at[0]]), ~np.isnan(cells)
        if not observed.any() and not before.count[cell]:
            continue
        # Sums of deviations from the first value are exact for constants and keep precision far from zero.
        level = before.first[cell] if before.count[cell] else cells[observed.argmax()]
        total = before.total[cell] + np.cumsum(np.append(0.0, np.where(observed, cells - level, 0.0)))
        count = before.count[cell] + np.cumsum(np.append(0, observed))
        place = np.maximum(origins.row[at] + 1 - panel.indptr[cell[0]], 0)
        n = count[place]
        out[at] = np.where(n > 0, level + total[place] / np.maximum(n, 1), np.nan)
    return np.repeat(out[:, None], horizon, axis=1)


def _columns(panel, origins):
    """Yield for each entity and channel the indices of its origins and its values up to the last one, float64."""
    for at in grouped(origins.entity * panel.channels + origins.channel):
        begin, stop = panel.indptr[origins.entity[at[0]]], origins.row[at].max() + 1
        yield at, panel.target[begin:stop, origins.channel[at[0]]].astype("float64")


def _last(panel, origins):
    """Return the last observed value up to each origin and its ordinal, each (n,); NaN if there is none."""
    before, row = panel.sums_before(), last_rows(panel, origins)
    cell = origins.entity, origins.channel
    values = np.where(row >= 0, panel.target[np.maximum(row, 0), origins.channel].astype("float64"), before.last[cell])
    return values, np.where(row >= 0, panel.ordinal_at(origins.entity, row), before.last_at[cell])


def _first(panel, origins):
    """Return the first observed value of each origin's entity and channel and its ordinal, even if after the origin."""
    before, row, cell = panel.sums_before(), _first_rows(panel, origins), (origins.entity, origins.channel)
    own = before.count[cell] == 0
    values = np.where(own, panel.target[np.maximum(row, 0), origins.channel].astype("float64"), before.first[cell])
    return values, np.where(own, panel.ordinal_at(origins.entity, row), before.first_at[cell])


def _first_rows(panel, origins):
    """Return the row of the first observed value of each origin's entity and channel, even if after the origin."""
    row = panel.indptr[origins.entity]
    lacking = np.flatnonzero(np.isnan(panel.target[np.minimum(row, panel.rows - 1), origins.channel]))
    for places in grouped(origins.entity[lacking] * panel.channels + origins.channel[lacking]):
        at = lacking[places]
        begin, stop = row[at[0]], panel.indptr[origins.entity[at[0]] + 1]
        row[at] = begin + np.argmax(~np.isnan(panel.target[begin:stop, origins.channel[at[0]]]))
    return row
