"""Lags, moving means and calendar of (origin, step) pairs as a feature table for regressors.

After an origin only future covariates and the calendar are read. All other rows are at or before the origin.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecastkit.data.panel import Panel
from forecastkit.data.time_grid import TimeGrid
from forecastkit.data.week_slots import DAY
from forecastkit.data.windows import Buffers, Origins

#: Past values gathered at a time, to bound memory.
CHUNK = 1 << 22


@dataclass(frozen=True)
class Unscaled:
    """The attributes of `Buffers` that `Lags` reads, with unscaled values."""

    target: np.ndarray
    begin: np.ndarray
    end: np.ndarray

    @classmethod
    def of(cls, panel: Panel) -> "Unscaled":
        return cls(panel.target.astype("float64"), panel.indptr[:-1], panel.indptr[1:])


@dataclass(frozen=True)
class Lags:
    """Selection of past values of a series that become feature columns."""

    recent: tuple[int, ...]  #: Lags in rows before the origin; 0 is the value at the origin
    #: Season lengths in steps. Columns are the latest known values at a multiple of the season before the step.
    seasons: tuple[int, ...] = ()
    depth: int = 1  #: Number of such values per season
    means: tuple[int, ...] = ()  #: Lengths in rows of the moving means that end at the origin
    reach: int = 1  #: Number of rows up to the origin that may be read; values further back are NaN

    @property
    def at_origin(self) -> list[str]:
        """Names of the columns shared by all steps of an origin."""
        return [f"lag_{back + 1}" for back in self.recent] + [f"mean_{length}" for length in self.means]

    @property
    def at_step(self) -> list[str]:
        """Names of the columns specific to a step."""
        return [f"season_{season}_{back}" for season in self.seasons for back in range(1, self.depth + 1)]

    def of_origins(self, buffers: Buffers, origins: Origins) -> np.ndarray:
        """Return the columns shared by all steps, shape (n, columns)."""
        back = np.array(self.recent, dtype="int64")
        columns = [self._values(buffers, origins, origins.row[:, None] - back)]
        if self.means:
            columns.append(self._means(buffers, origins))
        return np.concatenate(columns, axis=1)

    def of_steps(self, buffers: Buffers, origins: Origins, steps: np.ndarray) -> np.ndarray:
        """Return the columns specific to a step (counted from 1) of each origin, shape (n, columns)."""
        columns = [np.empty((len(origins), 0), dtype=buffers.target.dtype)]
        for season in self.seasons:
            # ceil(step / season) is the smallest number of seasons that leads back to the origin or before it.
            back = -(-steps // season)[:, None] + np.arange(self.depth)
            columns.append(self._values(buffers, origins, (origins.row + steps)[:, None] - season * back))
        return np.concatenate(columns, axis=1)

    def _values(self, buffers, origins, rows):
        """Return the values at these rows, NaN outside the origin's series or beyond `reach`."""
        begin, end = buffers.begin[origins.entity][:, None], buffers.end[origins.entity][:, None]
        inside = (rows >= begin) & (rows < end) & (rows > origins.row[:, None] - self.reach)
        values = buffers.target[np.clip(rows, 0, len(buffers.target) - 1), origins.channel[:, None]]
        return np.where(inside, values, values.dtype.type(np.nan))

    def _means(self, buffers, origins):
        longest = max(self.means)
        out = np.empty((len(origins), len(self.means)), dtype=buffers.target.dtype)
        size = max(CHUNK // longest, 1)
        for low in range(0, len(origins), size):
            part = origins[low : low + size]
            window = self._values(buffers, part, part.row[:, None] - np.arange(longest))
            observed = ~np.isnan(window)
            window = np.where(observed, window, 0)
            for place, length in enumerate(self.means):
                total, count = window[:, :length].sum(axis=1), observed[:, :length].sum(axis=1)
                out[low : low + size, place] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        return out


def values_at_step(values: np.ndarray, buffers: Buffers, origins: Origins, steps: np.ndarray) -> np.ndarray:
    """Return future covariates at a step of each origin, shape (n, features); NaN outside its series."""
    rows = origins.row + steps
    inside = (rows >= buffers.begin[origins.entity]) & (rows < buffers.end[origins.entity])
    return np.where(inside[:, None], values[np.clip(rows, 0, len(values) - 1)], values.dtype.type(np.nan))


def calendar_column_names(grid: TimeGrid) -> tuple[str, ...]:
    """Return the names of a grid's calendar columns: only cycles longer than one step."""
    if not grid.is_time:
        return ()
    if grid.kind == "month":
        return ("month",) if grid.step < 12 else ()
    names = ("hour",) if grid.slot < DAY else ()
    return names + (("weekday", "day_of_year") if grid.slot <= DAY else ("day_of_year",))


def calendar_columns(grid: TimeGrid, ordinals: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Return calendar columns at these ordinals, shape (n, names), float32; the hour 13.5 is half past one."""
    distinct, place = np.unique(ordinals, return_inverse=True)
    if not names:
        return np.empty((len(ordinals), 0), dtype="float32")
    timestamps = grid.timestamps(distinct)
    if isinstance(timestamps, pd.PeriodIndex):
        timestamps = timestamps.to_timestamp()
    columns = [_clock_column(timestamps, name) for name in names]
    return np.stack(columns, axis=1).astype("float32")[place]


def _clock_column(timestamps, name):
    if name == "hour":
        return (timestamps.hour + timestamps.minute / 60 + timestamps.second / 3600).to_numpy()
    return getattr(timestamps, {"weekday": "day_of_week"}.get(name, name)).to_numpy()
