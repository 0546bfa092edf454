"""A tf.data pipeline of windows for the user's own Keras models."""

from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops

from forecastkit.data.ingest.read_panel import read_panel
from forecastkit.data.panel import Panel
from forecastkit.data.windows import Buffers, Windows, gather
from forecastkit.utils.types import Data
from forecastkit.utils.validation import check_int, refuse

WHERE = "window_dataset"


def window_dataset(
    X: Data,
    y: Data | None = None,
    *,
    lookback: int,
    horizon: int,
    batch_size: int = 256,
    shuffle: bool = True,
    seed: int = 0,
    drop_remainder: bool | None = None,
    **roles: Any,
) -> tf.data.Dataset:
    """Batches of windows, gathered in the graph from one resident copy of the data.

    No window is ever materialised beyond its batch. The order of a shuffled epoch is a pseudo-random permutation
    computed index by index (`tf.random.experimental.index_shuffle`), so nothing grows with the number of windows. The
    cardinality is known and, with `drop_remainder`, all shapes are static, which XLA and tf.distribute want.

    Parameters
    ----------
    X, y : as in a forecaster's `fit`
        Values are not scaled.
    lookback, horizon : int
        Steps before and after each cutoff. Each target column of each series has its own windows.
    batch_size : int
    shuffle : bool
        A new order every epoch; without, series by series in time.
    seed : int
    drop_remainder : bool, optional
        Leave out an incomplete last batch. Default: where shuffled.
    **roles
        `target`, `time`, `series_id`, `known`, `past`, `static`, `freq` as in a forecaster.

    Returns
    -------
    tf.data.Dataset
        Of pairs ``(inputs, target)``: inputs are a dict with ``target`` (batch, lookback) and, where the data have
        them, ``past`` (batch, lookback, features), ``known`` (batch, lookback + horizon, features), ``static``
        (batch, features), and ``series`` (batch,); target is (batch, horizon). Missing values are NaN.

    Raises
    ------
    InputError
        Where no series is as long as one window.

    Examples
    --------
    >>> windows = fk.window_dataset(series, lookback=48, horizon=24)  # doctest: +SKIP
    >>> windows.map(lambda inputs, target: (inputs["target"], target))  # doctest: +SKIP
    """
    for name, value in (("lookback", lookback), ("horizon", horizon), ("batch_size", batch_size)):
        check_int(WHERE, name, value)
    panel, _ = read_panel(X, y, **roles)
    first = panel.indptr[:-1] + lookback - 1
    windows = Windows(first, panel.indptr[1:] - horizon, panel.channels)
    if not len(windows):
        refuse(
            WHERE,
            f"a series must have lookback + horizon = {lookback + horizon} rows",
            f"{int(panel.lengths.max())} at most",
        )
    return _dataset(
        raw_buffers(panel),
        windows,
        lookback,
        horizon,
        batch_size,
        seed if shuffle else None,
        shuffle if drop_remainder is None else drop_remainder,
    )


def raw_buffers(panel: Panel) -> Buffers:
    """Buffers of the values as they are, without calendar."""
    entities = len(panel.ids)
    return Buffers(
        target=panel.target.astype("float32"),
        past=panel.past,
        known=panel.known,
        calendar=np.zeros((1, 0), dtype="float32"),
        static=panel.static,
        begin=panel.indptr[:-1],
        end=panel.indptr[1:],
        shift=np.zeros(entities, dtype="int64"),
        series=np.arange(1, entities + 1),
        unit=np.ones((entities, panel.channels), dtype="float32"),
    )


def _dataset(buffers, windows, lookback, horizon, batch_size, seed, drop_remainder):
    total = len(windows)
    batches = total // batch_size if drop_remainder else -(-total // batch_size)
    buffers = buffers.resident(tf.constant)
    before, first = tf.constant(windows.before), tf.constant(windows.first)

    def load(numbers, draw):
        if draw is not None:
            key = tf.cast(tf.stack([draw, tf.constant(seed, tf.int64)]), tf.int32)
            numbers = tf.random.experimental.index_shuffle(numbers, key, total - 1)
        origin, channel = numbers // windows.channels, numbers % windows.channels
        entity = tf.searchsorted(before, origin, side="right", out_type=tf.int64) - 1
        row = tf.gather(first, entity) + origin - tf.gather(before, entity)
        return gather(ops, buffers, tf.stack([entity, row, channel], axis=1), lookback, horizon)

    def batch(number):
        low = number * batch_size
        whole = low + tf.range(batch_size, dtype=tf.int64)
        return whole if drop_remainder else whole[: total - low]

    def epoch(draw):
        return tf.data.Dataset.range(batches).map(lambda number: load(batch(number), draw))

    if seed is None:
        return epoch(None).prefetch(2)
    draws = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True).take(1)
    return draws.flat_map(epoch).apply(tf.data.experimental.assert_cardinality(batches)).prefetch(2)
