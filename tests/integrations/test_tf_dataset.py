"""`window_dataset` against a slow loop, and under a user's own Keras model."""

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from conftest import ROLES, make_panel

import forecastkit as fk
from forecastkit.utils.exceptions import InputError, ParameterError

LOOKBACK, HORIZON, BATCH = 6, 3, 8
SIZES = {"lookback": LOOKBACK, "horizon": HORIZON, "batch_size": BATCH}
SERIES = np.arange(40.0)
COUNT = 40 - LOOKBACK - HORIZON + 1


def firsts(dataset):
    """First value of every window, in order: for `SERIES` the number of the window."""
    return np.concatenate([inputs["target"].numpy()[:, 0] for inputs, _ in dataset]).astype(int)


def slow(values, lookback=LOOKBACK, horizon=HORIZON):
    """All windows of one column in time: pairs of past and future."""
    last = len(values) - lookback - horizon
    return [(values[i : i + lookback], values[i + lookback : i + lookback + horizon]) for i in range(last + 1)]


def test_windows_in_order_equal_a_slow_loop():
    columns = np.stack([SERIES, SERIES**2], axis=1)
    expected = [pair for pairs in zip(*map(slow, columns.T), strict=True) for pair in pairs]
    got = list(fk.window_dataset(columns, seed=None, **SIZES).unbatch().as_numpy_iterator())
    assert len(got) == len(expected) == 2 * COUNT
    for (inputs, target), (past, future) in zip(got, expected, strict=True):
        np.testing.assert_array_equal(inputs["target"], past)
        np.testing.assert_array_equal(target, future)


@pytest.mark.parametrize(("seed", "drop", "batches"), [
    (0, None, COUNT // BATCH), (None, None, -(-COUNT // BATCH)), (0, False, -(-COUNT // BATCH)),
    (None, True, COUNT // BATCH),
])  # fmt: skip
def test_the_number_of_batches_is_known_and_true(seed, drop, batches):
    dataset = fk.window_dataset(SERIES, seed=seed, drop_remainder=drop, **SIZES)
    assert int(dataset.cardinality()) == batches == len(list(dataset))


@pytest.mark.parametrize("seed", [0, None])
def test_shapes_are_static_where_every_batch_is_whole(seed):
    inputs, target = fk.window_dataset(SERIES, seed=seed, drop_remainder=True, **SIZES).element_spec
    assert inputs["target"].shape.as_list() == [BATCH, LOOKBACK]
    assert target.shape.as_list() == [BATCH, HORIZON]
    assert (target.dtype, inputs["target"].dtype) == (tf.float32, tf.float32)


def test_without_dropping_only_the_batch_is_open():
    inputs, target = fk.window_dataset(SERIES, seed=None, **SIZES).element_spec
    assert inputs["target"].shape.as_list() == [None, LOOKBACK]
    assert target.shape.as_list() == [None, HORIZON]


def test_every_window_comes_once_an_epoch_in_a_new_order():
    dataset = fk.window_dataset(SERIES, drop_remainder=False, **SIZES)
    first, second = firsts(dataset), firsts(dataset)
    for epoch in (first, second):
        np.testing.assert_array_equal(np.sort(epoch), np.arange(COUNT))
    assert (first != second).any()
    assert abs(np.corrcoef(first, np.arange(COUNT))[0, 1]) < 0.6


def test_the_same_seed_gives_the_same_orders():
    orders = [[firsts(dataset) for _ in range(2)] for dataset in (
        fk.window_dataset(SERIES, seed=seed, **SIZES) for seed in (1, 1, 2))]  # fmt: skip
    np.testing.assert_array_equal(orders[0], orders[1])
    assert (orders[0][0] != orders[2][0]).any()


def test_a_single_window():
    dataset = fk.window_dataset(SERIES[: LOOKBACK + HORIZON], drop_remainder=False, **SIZES)
    assert firsts(dataset).tolist() == [0]


def test_a_panel_with_covariates_equals_a_slow_loop():
    panel = make_panel(90, ("a", "b"))
    panel = panel[panel.ds < panel.ds.min() + pd.Timedelta(hours=30)]
    dataset = fk.window_dataset(panel, seed=None, **ROLES, **SIZES)
    got = list(dataset.unbatch().as_numpy_iterator())
    expected = []
    for number, (_, rows) in enumerate(panel.groupby("unique_id"), start=1):
        values = rows[["load", "temp", "wind", "size"]].to_numpy("float32")
        expected += [(number, past, future) for past, future in slow(values)]
    assert len(got) == len(expected)
    for (inputs, target), (number, past, future) in zip(got, expected, strict=True):
        np.testing.assert_array_equal(inputs["target"], past[:, 0])
        np.testing.assert_array_equal(inputs["known"][:, 0], np.concatenate([past, future])[:, 1])
        np.testing.assert_array_equal(inputs["past"][:, 0], past[:, 2])
        np.testing.assert_array_equal(inputs["static"], past[0, 3:])
        assert inputs["series"] == number
        np.testing.assert_array_equal(target, future[:, 0])


def test_missing_rows_are_nan():
    times = pd.date_range("2024-01-01", periods=40, freq="h").delete(10)
    inputs, _ = next(iter(fk.window_dataset(pd.Series(np.arange(39.0), times), seed=None, lookback=20, horizon=2)))
    np.testing.assert_array_equal(np.isnan(inputs["target"][0]), np.arange(20) == 10)


def test_series_too_short_have_no_windows_and_windows_stay_in_their_series():
    frame = pd.DataFrame({"unique_id": ["a"] * 12 + ["b"] * 5 + ["c"] * 10, "y": np.arange(27.0)})
    frame["ds"] = frame.groupby("unique_id").cumcount()
    dataset = fk.window_dataset(frame, target="y", time="ds", seed=None, **SIZES)
    assert firsts(dataset).tolist() == [0, 1, 2, 3, 17, 18]


def test_a_users_own_model_trains_on_it():
    series = np.sin(np.arange(400) / 4)
    dataset = fk.window_dataset(series, lookback=16, horizon=4, batch_size=32)
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Dense(16, activation="relu"), keras.layers.Dense(4)])
    model.compile(optimizer=keras.optimizers.Adam(1e-2), loss="mse")
    windows = dataset.map(lambda inputs, target: (inputs["target"], target))
    losses = model.fit(windows, epochs=3, shuffle=False, verbose=0).history["loss"]  # the order is new already
    assert losses[-1] < losses[0] / 2


def test_misspelt_roles_are_refused():
    with pytest.raises(InputError, match="window_dataset: the role must exist, got 'tarrget'"):
        fk.window_dataset(SERIES, **SIZES, tarrget="y")


def test_what_has_no_window_is_refused():
    with pytest.raises(InputError, match=r"window_dataset: a series must have lookback \+ horizon = 9 rows, got 8"):
        fk.window_dataset(SERIES[:8], **SIZES)


@pytest.mark.parametrize("name", SIZES)
def test_sizes_must_be_whole(name):
    with pytest.raises(ParameterError, match=f"{name} must be a whole number of at least 1, got 0"):
        fk.window_dataset(SERIES, **{**SIZES, name: 0})
