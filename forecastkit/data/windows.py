"""Windows of lookback and horizon rows, as index arithmetic over the buffers of a panel."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from forecastkit.data.panel import Panel
from forecastkit.utils.arrays import any_missing, on_all_cores

if TYPE_CHECKING:
    from forecastkit.networks.backbone import Sizes

#: Largest number of windows that a network forecasts at once.
PREDICT_BATCH = 1024
#: Number of windows whose targets are counted at a time.
WINDOWS_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Origins:
    """Forecast origins; each attribute has shape (n,): entity, row of the last observed value, target channel."""

    entity: np.ndarray
    row: np.ndarray
    channel: np.ndarray

    def __len__(self):
        return len(self.row)

    def __getitem__(self, index) -> "Origins":
        return Origins(self.entity[index], self.row[index], self.channel[index])

    def table(self) -> np.ndarray:
        """Return the three columns as one int array of shape (n, 3)."""
        columns = np.stack([self.entity, self.row, self.channel], axis=1)
        return columns.astype("int32" if columns.max(initial=0) < 2**31 else "int64")

    @classmethod
    def every_channel(cls, entity, row, channels: int) -> "Origins":
        """Return the origins for each channel, with channels varying fastest."""
        return cls(np.repeat(entity, channels), np.repeat(row, channels), np.tile(np.arange(channels), len(row)))

    @classmethod
    def joined(cls, parts: list["Origins"]) -> "Origins":
        """Concatenate origins."""
        return cls(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)))

    def together(self) -> tuple["Origins", np.ndarray]:
        """Return each (entity, row) once, for all channels at once, and the position of every origin among them."""
        wide = self.entity.max(initial=0) + 1
        key = (self.row - self.row.min(initial=0)) * wide + self.entity
        _, first, place = np.unique(key, return_index=True, return_inverse=True)
        return Origins(self.entity[first], self.row[first], np.zeros_like(self.row[first])), place


def last_rows(panel: Panel, origins: Origins) -> np.ndarray:
    """Return the row of the last observed value up to each origin, shape (n,); -1 if there is none."""
    begin = panel.indptr[origins.entity]
    row = np.where(origins.row >= begin, origins.row, -1)
    lacking = np.flatnonzero((row >= 0) & np.isnan(panel.target[np.maximum(row, 0), origins.channel]))
    for places in grouped(origins.entity[lacking] * panel.channels + origins.channel[lacking]):
        at = lacking[places]
        low, channel = begin[at[0]], origins.channel[at[0]]
        observed = low + np.flatnonzero(~np.isnan(panel.target[low : row[at].max() + 1, channel]))
        before = np.searchsorted(observed, row[at], side="right") - 1
        row[at] = np.concatenate([observed, [-1]])[before]
    return row


def last_values(panel: Panel, origins: Origins) -> np.ndarray:
    """Return the last observed value up to each origin, shape (n,), float64; NaN if there is none."""
    row = last_rows(panel, origins)
    values = panel.target[np.maximum(row, 0), origins.channel].astype("float64")
    return np.where(row >= 0, values, np.nan)


def grouped(keys: np.ndarray) -> list[np.ndarray]:
    """Return the positions of equal keys, one array per group."""
    if not len(keys):
        return []
    order = np.argsort(keys, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(keys[order])) + 1)


def crop(panel: Panel, origins: Origins, lookback: int, horizon: int) -> tuple[Panel, Origins]:
    """Restrict a panel to the rows that these origins use or forecast; also returns the shifted origins."""
    first, stop = panel.indptr[1:].copy(), panel.indptr[:-1].copy()
    np.minimum.at(first, origins.entity, origins.row - lookback + 1)
    np.maximum.at(stop, origins.entity, origins.row + horizon + 1)
    first = np.maximum(first, panel.indptr[:-1])
    # Every entity keeps at least one row, so that the pointers stay valid.
    unused = stop <= first
    first = np.where(unused, panel.indptr[:-1], first)
    stop = np.where(unused, first + 1, stop)
    cut = panel.between(first, stop)
    row = origins.row - first[origins.entity] + cut.indptr[origins.entity]
    return cut, Origins(origins.entity, row, origins.channel)


class Windows:
    """All windows whose cutoff row lies in ``first[e] <= row < stop[e]``, as numbers without copies.

    Parameters
    ----------
    first, stop : ndarray of shape (E,)
        Range of the cutoff rows of each entity.
    channels : int
        Number of target columns; each is forecast as a separate series.
    together : bool
        Whether a window contains all channels, for backbones that mix them; origins then have channel 0.
    """

    def __init__(self, first: np.ndarray, stop: np.ndarray, channels: int, together: bool = False):
        self.first = np.asarray(first, dtype="int64")
        counts = np.maximum(np.asarray(stop, dtype="int64") - self.first, 0)
        self.before = np.concatenate([[0], np.cumsum(counts)])
        #: Windows per origin, and (series, origin) pairs per window.
        self.channels, self.width = (1, channels) if together else (channels, 1)
        #: Numbers of the remaining windows; None for all.
        self.kept: np.ndarray | None = None

    @classmethod
    def training(cls, panel: Panel, stop: np.ndarray, lookback: int, horizon: int, together: bool = False) -> "Windows":
        """Return windows whose horizon ends before row ``stop[e]``; short series are padded on the left."""
        begin = panel.indptr[:-1]
        room = stop - begin - horizon
        context = np.where(room >= lookback + horizon, lookback, np.clip(room // 2, 1, lookback))
        return cls(begin + context - 1, stop - horizon, panel.channels, together)

    @classmethod
    def validation(cls, panel: Panel, split: np.ndarray, stop: np.ndarray, horizon: int) -> "Windows":
        """Return windows whose horizon lies in ``split[e] <= row < stop[e]``; inputs may extend further back."""
        return cls(np.maximum(split - 1, panel.indptr[:-1]), stop - horizon, panel.channels)

    def __len__(self):
        return int(self.before[-1]) * self.channels if self.kept is None else len(self.kept)

    def with_targets(self, target: np.ndarray, horizon: int) -> "Windows":
        """Return the windows in which a target is observed after the cutoff; all of them if none is in any.

        Parameters
        ----------
        target : ndarray, (R, C)
            NaN where missing.
        horizon : int
        """
        if not any_missing(target):
            return self
        count = np.zeros((len(target) + 1, target.shape[1]), dtype="int32" if len(target) < 2**31 else "int64")
        np.cumsum(~np.isnan(target), axis=0, out=count[1:])
        kept = []
        for low in range(0, len(self), WINDOWS_AT_ONCE):
            number = np.arange(low, min(low + WINDOWS_AT_ONCE, len(self)))
            origins = self.at(number)
            observed = count[origins.row + horizon + 1] - count[origins.row + 1]
            if self.width == 1:
                observed = np.take_along_axis(observed, origins.channel[:, None], axis=1)
            kept.append(number[observed.any(axis=1)])
        numbers = np.concatenate(kept) if kept else np.empty(0, dtype="int64")
        if len(numbers) in (0, len(self)):
            return self
        windows = copy.copy(self)
        windows.kept = numbers.astype("int32" if len(self) < 2**31 else "int64")
        return windows

    def at(self, number: np.ndarray) -> Origins:
        """Return the windows with these numbers in [0, len)."""
        number = np.asarray(number, dtype="int64")
        if self.kept is not None:
            number = self.kept[number].astype("int64")
        origin, channel = np.divmod(number, self.channels)
        entity = np.searchsorted(self.before, origin, side="right") - 1
        return Origins(entity, self.first[entity] + origin - self.before[entity], channel)

    def spaced(self, most: int) -> Origins:
        """Return about `most` evenly spaced windows, with all channels of each origin."""
        count = int(self.before[-1])
        wanted = max(1, min(count, most // self.channels))
        origin = np.unique(np.linspace(0, count - 1, wanted).round().astype("int64")) if count else np.empty(0, int)
        channel = np.arange(self.channels)
        return self.at((origin[:, None] * self.channels + channel).ravel())

    def draw(self, rng: np.random.Generator, wanted: int) -> np.ndarray:
        """Draw numbers of `wanted` windows without replacement, repeated in full rounds if there are too few."""
        total = len(self)
        rounds = [rng.permutation(total) for _ in range(wanted // total)] if wanted >= total else []
        rest = wanted - total * len(rounds)
        return np.concatenate([*rounds, rng.choice(total, size=rest, replace=False)])


@dataclass(frozen=True)
class Buffers:
    """Arrays from which windows are gathered: scaled, float32, NaN where missing.

    Parameters
    ----------
    target : (R, C), past : (R, P), known : (R, K), calendar : (G, F), static : (E, S)
    begin, end : (E,)
        First row of each entity, and one past its last row.
    shift : (E,)
        Added to a row to obtain its row in `calendar`.
    series : (E,)
        Number of the entity among the trained ones, from 1; 0 for an unknown one.
    unit : (E, C)
        Size of one scaled unit of `target` in the user's units.
    weight : (R,), optional
        Weight of each row in the loss; None for equal weights.
    loss_weight : (C, horizon), optional
        Weight of each target column and step of the horizon in the loss of a network; None for equal weights.
    past_codes : (R, p), known_codes : (R, k), static_codes : (E, s), optional
        Codes of embedded categories, int32; 0 is the unknown level.
    """

    target: np.ndarray
    past: np.ndarray
    known: np.ndarray
    calendar: np.ndarray
    static: np.ndarray
    begin: np.ndarray
    end: np.ndarray
    shift: np.ndarray
    series: np.ndarray
    unit: np.ndarray
    weight: np.ndarray | None = None
    loss_weight: np.ndarray | None = None
    past_codes: np.ndarray | None = None
    known_codes: np.ndarray | None = None
    static_codes: np.ndarray | None = None

    def resident(self, convert) -> "Buffers":
        """Return the buffers with `convert` applied to each array, for instance to copy them to a device."""
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        return Buffers(**{name: None if array is None else convert(array) for name, array in given.items()})


def gather(xp, buffers: Buffers, table, lookback: int, horizon: int, targets: bool = True, channels: int = 0):
    """Gather the network's inputs for a batch of origins, and the targets after them.

    Parameters
    ----------
    xp : module
        `numpy` or `keras.ops`, depending on the arrays.
    table : (batch, 3)
        Columns of `Origins.table`.
    targets : bool
        Whether to gather the values after the cutoff; False for forecasts.
    channels : int
        0 uses the channel of each origin; otherwise all channels of the buffers, of which this is the number.

    Returns
    -------
    inputs : dict of (batch, time, feature) arrays, see `forecastkit.networks.network.Network`
    target : (batch[, channels], horizon), or None
    """
    entity, row, channel = table[:, 0], table[:, 1], table[:, 2]
    if channels:
        channel = xp.arange(channels, dtype=table.dtype)[None, :]
    steps = xp.arange(1 - lookback, horizon + 1, dtype=table.dtype)
    rows = row[:, None] + steps[None, :]
    begin = xp.take(buffers.begin, entity, axis=0)[:, None]
    end = xp.take(buffers.end, entity, axis=0)[:, None]
    inside = xp.logical_and(rows >= begin, rows < end)
    clipped = xp.minimum(xp.maximum(rows, begin), end - 1)
    n_channels = buffers.target.shape[1]
    flat = xp.reshape(buffers.target, (-1,))

    def add_channel_axis(array):
        return array[:, None] if channels else array

    def values(part):
        got = xp.take(flat, add_channel_axis(clipped[:, part] * n_channels) + channel[..., None], axis=0)
        return xp.where(add_channel_axis(inside[:, part]), got, np.float32(np.nan))

    inputs = {
        "target": values(slice(None, lookback)),
        **_covariates(xp, buffers, entity, rows, clipped, inside, lookback),
    }
    inputs["series"] = add_channel_axis(xp.take(buffers.series, entity, axis=0) * n_channels) + channel
    inputs["unit"] = xp.take(xp.reshape(buffers.unit, (-1,)), add_channel_axis(entity * n_channels) + channel, axis=0)
    return inputs, values(slice(lookback, None)) if targets else None


def weights_after(xp, buffers: Buffers, table, horizon: int):
    """Return weights of the rows after a batch of origins, shape (batch, horizon); None for equal weights."""
    if buffers.weight is None:
        return None
    entity, row = table[:, 0], table[:, 1]
    rows = row[:, None] + xp.arange(1, horizon + 1, dtype=table.dtype)[None, :]
    end = xp.take(buffers.end, entity, axis=0)[:, None]
    # After its last row a series has no targets either.
    return xp.take(buffers.weight, xp.minimum(rows, end - 1), axis=0)


def loss_weights(xp, buffers: Buffers, table, horizon: int, channels: int = 0):
    """Return weights of the losses after a batch of origins, broadcastable to the targets (batch[, channels], horizon).

    None for equal weights; the arguments are those of `gather`.
    """
    weight = weights_after(xp, buffers, table, horizon)
    if weight is not None and channels:
        weight = weight[:, None]
    if buffers.loss_weight is None:
        return weight
    own = buffers.loss_weight[None] if channels else xp.take(buffers.loss_weight, table[:, 2], axis=0)
    return own if weight is None else own * weight


def _covariates(xp, buffers, entity, rows, clipped, inside, lookback):
    """Return the inputs shared by all channels, as far as the buffers have them."""

    def features(buffer, part):
        got = xp.take(buffer, clipped[:, part], axis=0)
        return xp.where(inside[:, part, None], got, np.float32(np.nan))

    inputs = {}
    if buffers.past.shape[1]:
        inputs["past"] = features(buffers.past, slice(None, lookback))
    if buffers.known.shape[1]:
        inputs["known"] = features(buffers.known, slice(None))
    if buffers.calendar.shape[1]:
        inputs["calendar"] = xp.take(buffers.calendar, rows + xp.take(buffers.shift, entity, axis=0)[:, None], axis=0)
    if buffers.static.shape[1]:
        inputs["static"] = xp.take(buffers.static, entity, axis=0)
    return {**inputs, **_codes(xp, buffers, entity, clipped, inside, lookback)}


def _codes(xp, buffers, entity, clipped, inside, lookback):
    """Return codes of embedded categories, 0 outside the entity."""
    inputs = {}
    for name, part in (("past_codes", slice(None, lookback)), ("known_codes", slice(None))):
        codes = getattr(buffers, name)
        if codes is not None:
            got = xp.take(codes, clipped[:, part], axis=0)
            inputs[name] = xp.where(inside[:, part, None], got, xp.zeros_like(got))
    if buffers.static_codes is not None:
        inputs["static_codes"] = xp.take(buffers.static_codes, entity, axis=0)
    return inputs


def forward_fill(window: np.ndarray) -> np.ndarray:
    """Forward-fill windows (..., time); values before the first observed one are backfilled, 0 without any.

    It is used for models that were trained on complete windows and have no mask.
    """
    missing = np.isnan(window)
    if not missing.any():
        return window
    last = np.maximum.accumulate(np.where(missing, 0, np.arange(window.shape[-1])), axis=-1)
    place = np.maximum(last, np.argmin(missing, axis=-1)[..., None])
    return np.nan_to_num(np.take_along_axis(window, place, axis=-1))


def needs_mask(windows: Windows, buffers: Buffers, lookback: int) -> bool:
    """Return whether any training window has missing values or starts before its series."""
    return any_missing(buffers.target) or bool((windows.first - buffers.begin < lookback - 1).any())


def most_at_once(sizes: "Sizes") -> int:
    """Return the largest number of windows of a batch, each with all its channels."""
    return max(1, PREDICT_BATCH // max(sizes.channels, 1))


def forecast_in_batches(
    network: Callable[[dict], np.ndarray],
    sizes: "Sizes",
    outputs: int,
    buffers: Buffers,
    table: np.ndarray,
    most: int,
    parallel: bool = False,
) -> np.ndarray:
    """Return scaled forecasts (n[, channels], horizon, outputs) of the origins in `table` (n, 3).

    Parameters
    ----------
    network : callable
        Maps a batch of inputs by name to its forecasts.
    sizes : Sizes
    outputs : int
        Outputs per step.
    most : int
        Largest number of windows of a batch.
    parallel : bool
        Whether to compute several batches at once, one per core.
    """
    inputs = sizes.inputs
    forecasts = np.empty((len(table), *sizes.channel_shape, sizes.horizon, outputs), dtype="float32")

    def forecast(low):
        part = slice(low, low + most)
        given, _ = gather(np, buffers, table[part], sizes.lookback, sizes.horizon, False, sizes.channels)
        if not sizes.masked:
            given["target"] = forward_fill(given["target"])
        forecasts[part] = network({name: np.asarray(given[name], dtype) for name, (_, dtype) in inputs.items()})

    starts = range(0, len(table), most)
    if parallel:
        on_all_cores(forecast, starts)
    else:
        for low in starts:
            forecast(low)
    return forecasts
