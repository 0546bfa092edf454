"""Engines: the same training whether compiled, split among threads or left to Keras; prediction traced once."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import ROLES, SMALL, make_panel, wave

import forecastkit as fk
from forecastkit.data import windows
from forecastkit.data.ingest.read_panel import read_panel
from forecastkit.data.windows import Buffers, Origins, Windows, forward_fill, gather
from forecastkit.networks import backbones
from forecastkit.networks.backbone import Sizes
from forecastkit.networks.heads import make_head
from forecastkit.networks.layers import seeded
from forecastkit.networks.network import Network
from forecastkit.preprocessing.scaler import Scaler
from forecastkit.training.engines import make_engine, plain, tensorflow
from forecastkit.training.engines.plain import PlainEngine
from forecastkit.training.engines.tensorflow import TensorFlowEngine

LOOKBACK, HORIZON, STEPS, BATCH = 12, 6, 5, 64
RATES, SEEDS = np.full(STEPS, 3e-3), np.arange(1, STEPS + 1)
SIZES = Sizes(LOOKBACK, HORIZON, 3, past=1, known=1, static=1, masked=True)


@pytest.fixture(scope="module")
def data():
    """Buffers of a panel with covariates of all roles and gaps, and its training windows."""
    panel, _ = read_panel(make_panel(150, ("a", "b")), series_id="unique_id", time="ds", **ROLES)
    stop = panel.last_observed() + 1
    buffers = Scaler.fit(panel, stop, HORIZON, ()).buffers(panel, LOOKBACK, HORIZON)
    return buffers, Windows.training(panel, stop, LOOKBACK, HORIZON)


def make_network(name="rnn", dropout=0.0):
    head = make_head("mae")
    with seeded(1):
        network = Network(backbones.find(name)(units=8, dropout=dropout), SIZES, head)
        network({key: np.zeros((1, *shape), kind) for key, (shape, kind) in SIZES.inputs.items()})
    return network, head


def trained(data, kind=TensorFlowEngine, name="rnn", dropout=0.0, parts=None, **options):
    """An engine after a few steps, and its mean loss."""
    buffers, windows = data
    network, head = make_network(name, dropout)
    engine = kind(network, head, **options)
    if parts:
        engine._parts = lambda batch_size: parts
    engine.prepare(buffers, BATCH)
    chosen = windows.draw(np.random.default_rng(0), STEPS * BATCH)
    loss = engine.train(windows.at(chosen).table().reshape(STEPS, BATCH, 3), RATES, SEEDS)
    return engine, loss


def weights(engine):
    return engine.network.get_weights()


def assert_close(first, second, rtol=1e-4):
    for mine, other in zip(first, second, strict=True):
        np.testing.assert_allclose(mine, other, rtol=rtol, atol=1e-5)


@pytest.fixture(scope="module")
def plain_keras(data):
    """The same by Keras, and its mean loss. Shared: restore its state."""
    return trained(data, kind=PlainEngine)


@pytest.fixture(scope="module")
def plainly(data):
    """A network after a few steps that were neither compiled nor split."""
    return trained(data)


@pytest.fixture(scope="module")
def halved(data):
    """The same with each batch in two parts."""
    return trained(data, parts=2)


@pytest.fixture(scope="module")
def dropped(data):
    """With dropout, and each batch in two parts."""
    return trained(data, dropout=0.5, parts=2)


@pytest.fixture
def begun(data, plainly):
    """The engine of `plainly` before its first step, which may be trained: it is restored afterwards."""
    engine = plainly[0]
    before, state = weights(engine), engine.state()
    engine.prepare(data[0], BATCH)
    yield engine
    engine.network.set_weights(before)
    engine.restore(state)


def origins(data, count):
    return data[1].spaced(10_000)[:count].table()


# ---------------------------------------------------------------------------------------------- training


def test_steps_of_a_call_stay_within_bounds_in_a_long_training(data, begun):
    """Their number grew with every short epoch, and was infinite after some three hundred."""
    table = origins(data, BATCH)[None]
    for _ in range(5):
        begun.train(table, RATES[:1], SEEDS[:1])
        assert 1 <= begun.at_once <= 16


def assert_alike(first, second):
    """Two engines with the same mean loss, weights and averages."""
    assert first[1] == pytest.approx(second[1], rel=1e-4)
    assert_close(weights(first[0]), weights(second[0]))
    assert_close(first[0].average, second[0].average)


def test_split_steps_train_alike(plainly, halved):
    assert_alike(halved, plainly)


@pytest.mark.rotated
@pytest.mark.parametrize("parts", [1, 2])
def test_compiled_steps_train_alike(data, plainly, parts):
    assert_alike(trained(data, compiled=True, parts=parts), plainly)


def test_dropout_is_the_same_however_a_batch_is_split(data, plainly, dropped):
    _, whole = trained(data, dropout=0.5)
    assert dropped[1] == pytest.approx(whole, rel=1e-5)
    assert abs(whole - plainly[1]) > 1e-3


@pytest.mark.rotated
def test_dropout_of_attention_is_the_same_however_a_batch_is_split(data):
    whole, quarters = (trained(data, name="transformer", dropout=0.5, parts=parts)[1] for parts in (1, 4))
    assert quarters == pytest.approx(whole, rel=1e-5)
    assert abs(whole - trained(data, name="transformer")[1]) > 1e-3


@pytest.mark.rotated
def test_a_transformer_trains_alike_compiled(data):
    both = [weights(trained(data, name="transformer", compiled=compiled)[0]) for compiled in (False, True)]
    for weight in (weight for each in both for weight in each if weight.shape == (24,)):
        keys = slice(len(weight) // 3, 2 * len(weight) // 3)
        weight[keys] = 0.0  # their bias has no gradient but rounding, which Adam blows up
    assert_close(*both)


@pytest.mark.rotated
def test_plain_keras_weights_losses_alike(data):
    weight = np.random.default_rng(0).random((1, HORIZON)).astype("float32")
    given = replace(data[0], loss_weight=weight, weight=np.linspace(0, 1, len(data[0].target), dtype="float32"))
    ours, plain = (trained((given, data[1]), kind=kind) for kind in (TensorFlowEngine, PlainEngine))
    assert plain[1] == pytest.approx(ours[1], rel=1e-4)
    assert_close(weights(plain[0]), weights(ours[0]), rtol=1e-3)
    table = origins(data, 21)
    assert plain[0].evaluate(table) == pytest.approx(ours[0].evaluate(table), rel=1e-3)


def test_plain_keras_trains_alike(data, plainly, plain_keras):
    engine, loss = plain_keras
    assert loss == pytest.approx(plainly[1], rel=1e-4)
    assert_close(weights(engine), weights(plainly[0]), rtol=1e-3)
    assert_close(engine.average, plainly[0].average, rtol=1e-3)
    table = origins(data, 21)
    assert engine.evaluate(table) == pytest.approx(plainly[0].evaluate(table), rel=1e-3)
    assert_close(engine.predict(data[0], table), plainly[0].predict(data[0], table), rtol=1e-3)
    before = weights(engine)
    engine.swap()
    assert any((mine != other).any() for mine, other in zip(weights(engine), before, strict=True))
    engine.swap()
    assert_close(weights(engine), before, rtol=0)


def test_plain_keras_leaves_the_weights_on_the_device(data, plain_keras, monkeypatch):
    engine, table = plain_keras[0], origins(data, BATCH)
    before = engine.state()

    def fetched(*args):
        raise AssertionError("weights were copied to the host")

    with monkeypatch.context() as patched:
        patched.setattr(keras.Variable, "numpy", fetched)
        engine.train(table[None], RATES[:1], SEEDS[:1])
        engine.swap()
    assert all(isinstance(mean, np.ndarray) for mean in engine.state()["average"])
    engine.restore(before)


def test_plain_keras_gathers_each_validation_window_once(data, plain_keras, monkeypatch):
    engine, gathered = plain_keras[0], []

    def count(xp, buffers, table, lookback, *rest):
        gathered.append(len(table) * lookback)
        return gather(xp, buffers, table, lookback, *rest)

    for module in (plain, windows):
        monkeypatch.setattr(module, "gather", count)
    engine.evaluate(origins(data, 16))
    assert sum(gathered) == 16 * LOOKBACK


def gradients_of(engine, table, seed, part):
    """Loss and gradients of a part of a batch, which begins after `part` tables of this length."""
    numbers = (tf.constant(number, tf.int64) for number in (seed, part * len(table)))
    loss, *gradients = engine._gradients(engine.buffers, tf.constant(table, engine.integer), *numbers)
    return float(loss), gradients


def test_gradients_of_parts_average_to_that_of_the_whole(data, plainly, halved):
    whole, split = plainly[0], halved[0]
    before = weights(split)
    split.network.set_weights(weights(whole))
    table = origins(data, BATCH)
    loss, whole_gradients = gradients_of(whole, table, 1, 0)
    halves = [gradients_of(split, half, 1, part) for part, half in enumerate(np.split(table, 2))]
    split.network.set_weights(before)
    assert loss == pytest.approx(np.mean([half[0] for half in halves]), rel=1e-5)
    for gradient, *parts in zip(whole_gradients, *(half[1] for half in halves), strict=True):
        np.testing.assert_allclose(gradient, np.mean(parts, axis=0), rtol=1e-3, atol=1e-6)


@pytest.mark.rotated
@pytest.mark.parametrize("parts", [1, 2])
def test_dropout_is_drawn_from_the_seeds(data, parts):
    first, again = (weights(trained(data, dropout=0.5, parts=parts)[0]) for _ in range(2))
    for mine, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(mine, other)


def test_parts_and_steps_have_masks_of_their_own(data, dropped):
    engine, table = dropped[0], origins(data, BATCH // 2)
    losses = [gradients_of(engine, table, seed, part)[0] for seed in (1, 2, 3) for part in (0, 1)]
    assert len(set(losses)) == 6
    assert gradients_of(engine, table, 1, 0)[0] == losses[0]


@pytest.mark.parametrize(("compiled", "batch", "cores", "parts"), [
    (False, 256, 2, 1), (True, 256, 2, 2), (True, 256, 64, 8), (True, 16, 2, 1), (True, 64, 4, 2), (True, 100, 3, 2),
])  # fmt: skip
def test_batches_are_split_evenly_and_not_too_small(monkeypatch, compiled, batch, cores, parts):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)), raising=False)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: [])
    assert TensorFlowEngine._parts(type("", (), {"compiled": compiled})(), batch) == parts


def test_gradients_are_clipped_and_rates_taken(data, begun):
    """Adam's first step is the rate in every weight with a gradient, whatever the gradient's size."""
    before = weights(begun)
    begun.train(origins(data, BATCH)[None], np.array([1e-2]), np.array([1]))
    largest = max(np.abs(new - old).max() for new, old in zip(weights(begun), before, strict=True))
    assert largest == pytest.approx(1e-2, rel=1e-2)


@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=pytest.mark.rotated)])
def test_the_fused_update_is_that_of_keras(data, plainly, compiled):
    keras_steps, _ = trained(data, optimizer=keras.optimizers.Adam(1e-3))
    engine = trained(data, compiled=True)[0] if compiled else plainly[0]
    assert (engine.fused, keras_steps.fused) == (True, False)
    assert_close(weights(engine), weights(keras_steps))
    for mine, other in zip(engine.optimizer.variables, keras_steps.optimizer.variables, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-6, err_msg=other.path)


def test_swap_exchanges_weights_and_averages(plainly):
    engine = plainly[0]
    raw = [np.asarray(v) for v in engine.network.trainable_variables]
    mean = [np.asarray(v) for v in engine.average]
    engine.swap()
    assert_close(engine.network.trainable_variables, mean, rtol=0)
    assert_close(engine.average, raw, rtol=0)
    engine.swap()
    assert_close(engine.network.trainable_variables, raw, rtol=0)


def test_averages_follow_the_weights_by_hand(data, begun):
    """The decay grows from 1/11 to 0.99, so that the start is soon forgotten."""
    weight = begun.network.trainable_variables[0]
    mean = np.asarray(weight)
    for count in range(1, 4):
        begun.train(origins(data, BATCH)[None], np.array([1e-2]), np.array([count]))
        decay = min(0.99, count / (10 + count))
        mean = decay * mean + (1 - decay) * np.asarray(weight)
    np.testing.assert_allclose(begun.average[0], mean, atol=1e-6)


# ---------------------------------------------------------------------------------------------- forecasting


def test_predictions_in_batches_equal_those_one_by_one(data, plainly, monkeypatch):
    engine, buffers = plainly[0], data[0]
    table = origins(data, 23)
    alone = np.concatenate([engine.predict(buffers, table[i : i + 1]) for i in range(len(table))])
    monkeypatch.setattr(windows, "PREDICT_BATCH", 10)
    together = engine.predict(buffers, table)
    assert together.shape == (23, HORIZON, 1)
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_a_prediction_is_the_network_called_on_gathered_windows(data, plainly):
    table = origins(data, 7)
    inputs, _ = gather(np, data[0], table, LOOKBACK, HORIZON)
    np.testing.assert_allclose(plainly[0].predict(data[0], table), plainly[0].network(inputs), atol=1e-5)


def test_no_origins_give_no_forecasts(data, plainly):
    assert plainly[0].predict(data[0], np.empty((0, 3), "int32")).shape == (0, HORIZON, 1)


def test_nothing_is_traced_again_over_many_predictions(data, plainly, monkeypatch):
    engine = plainly[0]
    calls = []
    monkeypatch.setattr(engine.network, "call", lambda *args, **kwargs: calls.append(1))
    for count in (1, 2, 3, 8, 9, 50):
        engine.predict(data[0], origins(data, count))
        engine.evaluate(origins(data, count))
    assert not calls


def test_evaluate_equals_the_mean_loss_in_numpy(data, plainly, monkeypatch):
    engine, table = plainly[0], origins(data, 23)
    _, target = gather(np, data[0], table, LOOKBACK, HORIZON)
    error = np.abs(target - engine.predict(data[0], table)[..., 0])
    expected = np.mean([row[~np.isnan(row)].mean() if (~np.isnan(row)).any() else 0.0 for row in error])
    assert engine.evaluate(table) == pytest.approx(expected, rel=1e-5)
    monkeypatch.setattr(windows, "PREDICT_BATCH", 10)
    assert engine.evaluate(table) == pytest.approx(expected, rel=1e-5)


def test_values_after_the_window_are_never_read(data, plainly):
    """Targets and past covariates after the cutoff and known ones after the horizon may be anything."""
    buffers, engine = data[0], plainly[0]
    row = int(buffers.begin[0]) + 60
    table = Origins(np.array([0]), np.array([row]), np.array([0])).table()
    wild = {name: getattr(buffers, name).copy() for name in ("target", "past", "known")}
    wild["target"][row + 1 :] = 1e6
    wild["past"][row + 1 :] = 1e6
    wild["known"][row + HORIZON + 1 :] = 1e6
    other = Buffers(**{**{name: getattr(buffers, name) for name in Buffers.__dataclass_fields__}, **wild})
    np.testing.assert_array_equal(engine.predict(other, table), engine.predict(buffers, table))
    wild["known"][row + HORIZON] = 1e6
    assert (engine.predict(other, table) != engine.predict(buffers, table)).any()


def test_carried_values():
    nan = np.nan
    window = np.array([[nan, 1, nan, nan, 2], [nan] * 5, [3, 4, 5, 6, nan]])
    np.testing.assert_array_equal(forward_fill(window), [[1, 1, 1, 1, 2], [0] * 5, [3, 4, 5, 6, 6]])


def test_the_backend_in_use_has_its_engine():
    assert isinstance(make_engine(*make_network()), TensorFlowEngine)


@pytest.mark.parametrize("stored", [False, True])
def test_forecasts_do_not_wait_for_another_network_that_is_traced(tmp_path, stored):
    model = fk.GRUForecaster(**SMALL).fit(wave(80))
    model.save(tmp_path / "m.forecast")
    model = fk.load(tmp_path / "m.forecast") if stored else model
    expected = model.predict()
    with ThreadPoolExecutor(1) as other, tensorflow.TRACING:
        np.testing.assert_array_equal(other.submit(model.predict).result(timeout=20), expected)
