"""A tf.data pipeline of windows for custom Keras models."""

from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops

from forecastkit.data.ingest.read_panel import read_panel
from forecastkit.data.panel import Panel
from forecastkit.data.schema import READING
from forecastkit.data.windows import Buffers, Windows, gather
from forecastkit.utils.types import Data
from forecastkit.utils.validation import check_int, check_names, refuse

WHERE = "window_dataset"


def window_dataset(
    X: Data,
    y: Data | None = None,
    *,
    lookback: int,
    horizon: int,
    batch_size: int = 256,
    seed: int | None = 0,
    drop_remainder: bool | None = None,
    **roles: Any,
) -> tf.data.Dataset:
    """Create a dataset of batches of windows, gathered in the graph from one resident copy of the data.

    Windows are materialized only within a batch. The order of a shuffled epoch is a pseudo-random permutation that is
    computed per index (`tf.random.experimental.index_shuffle`), so memory does not grow with the number of windows. The
    cardinality is known and, with `drop_remainder`, all shapes are static, as XLA and tf.distribute require.

    Parameters
    ----------
    X, y : as in a forecaster's `fit`
        Values are not scaled.
    lookback, horizon : int
        Steps before and after each cutoff. Each target column of each series has separate windows.
    batch_size : int
    seed : int or None
        Seed of the random orders, a new one in every epoch; None orders windows by series and time.
    drop_remainder : bool, optional
        Whether to drop an incomplete last batch; by default if the order is random.
    **roles
        `target`, `time`, `series_id`, `known`, `past`, `static`, `freq` as in a forecaster.

    Returns
    -------
    tf.data.Dataset
        Pairs ``(inputs, target)``. The inputs are a dict with ``target`` (batch, lookback), ``series`` (batch,) and, if
        the data have them, ``past`` (batch, lookback, features), ``known`` (batch, lookback + horizon, features) and
        ``static`` (batch, features). The target has the shape (batch, horizon). Missing values are NaN.

    Raises
    ------
    InputError
        If no series is as long as one window.

    Examples
    --------
    >>> windows = fk.window_dataset(series, lookback=48, horizon=24)  # doctest: +SKIP
    >>> windows.map(lambda inputs, target: (inputs["target"], target))  # doctest: +SKIP
    """
    for name, value in (("lookback", lookback), ("horizon", horizon), ("batch_size", batch_size)):
        check_int(WHERE, name, value)
    check_int(WHERE, "seed", seed, low=0, optional=True)
    check_names(WHERE, "the role", roles, READING)
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
        seed,
        seed is not None if drop_remainder is None else drop_remainder,
    )


def raw_buffers(panel: Panel) -> Buffers:
    """Return buffers of unscaled values without calendar features."""
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

    def load(numbers, epoch_seed):
        if epoch_seed is not None:
            key = tf.cast(tf.stack([epoch_seed, tf.constant(seed, tf.int64)]), tf.int32)
            # The permutation is a function of the epoch's random number and the seed, so epochs differ but runs are
            # reproducible.
            numbers = tf.random.experimental.index_shuffle(numbers, key, total - 1)
        origin, channel = numbers // windows.channels, numbers % windows.channels
        entity = tf.searchsorted(before, origin, side="right", out_type=tf.int64) - 1
        row = tf.gather(first, entity) + origin - tf.gather(before, entity)
        return gather(ops, buffers, tf.stack([entity, row, channel], axis=1), lookback, horizon)

    def batch(number):
        low = number * batch_size
        numbers = low + tf.range(batch_size, dtype=tf.int64)
        return numbers if drop_remainder else numbers[: total - low]

    def epoch(epoch_seed):
        return tf.data.Dataset.range(batches).map(lambda number: load(batch(number), epoch_seed))

    if seed is None:
        return epoch(None).prefetch(2)
    epoch_seeds = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True).take(1)
    return epoch_seeds.flat_map(epoch).apply(tf.data.experimental.assert_cardinality(batches)).prefetch(2)
