"""Cached networks: equal fits trace once, and forecast what they would have forecast alone."""

import copy
import gc
import random
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from conftest import ROLES, SMALL, in_rotation, make_panel, wave
from keras.callbacks import Callback

import forecastkit as fk
from forecastkit.cli.progress import EpochProgress
from forecastkit.comparison import comparison
from forecastkit.networks.backbone import LayerBackbone, Sizes
from forecastkit.training import trained_network
from forecastkit.training.engines.tensorflow import TensorFlowEngine
from forecastkit.training.trained_network import CacheEntry, NetworkCache, TrainedNetwork


@pytest.fixture(autouse=True)
def none_left(monkeypatch):
    """No network of another test, and none for the next."""
    monkeypatch.setattr(trained_network, "NETWORK_CACHE", NetworkCache())
    gc.freeze()  # else each collection below looks through a million objects of TensorFlow


@pytest.fixture
def traced(monkeypatch):
    """Grows with every function that is traced."""
    calls, trace = [], TensorFlowEngine._traced

    def counting(function, *signature):
        calls.append(function.__name__)
        return trace(function, *signature)

    monkeypatch.setattr(TensorFlowEngine, "_traced", staticmethod(counting))
    return calls


def fitted(rows=200, seed=0, **more):
    return fk.RNNForecaster(**{**SMALL, "random_state": seed, **more}).fit(wave(rows))


def forgotten(*args, **more):
    """The forecasts of a forecaster that is gone."""
    model = fitted(*args, **more)
    forecast = model.predict()
    del model
    gc.collect()
    return forecast


class OwnDropout(keras.layers.Layer):
    """A user's layer whose dropout has no seed."""

    def __init__(self, **options):
        super().__init__(**options)
        self.drop = keras.layers.Dropout(0.5)

    def call(self, past, future, mask=None, training=None):
        return future + self.drop(keras.ops.mean(past, axis=1, keepdims=True), training=training)


def test_dropout_of_a_users_own_layer_has_the_seed_of_the_network():
    random.seed(5)
    masks = []
    for seed in (1, 1, 2):
        network = TrainedNetwork(LayerBackbone(layer=OwnDropout, units=8), Sizes(12, 4, 4), "last", "mae", None, seed)
        states = [item for item in network._fresh().variables if item.name == "seed_generator_state"]
        masks.append(np.asarray(states[0]).tolist())
    assert masks[0] == masks[1] != masks[2]


KINDS = [{"dropout": 0.5, "rows": 260}, {"loss": "student_t", "seed": 1}, {}, {"seed": 1}, {"rows": 260}]


@pytest.mark.parametrize("more", in_rotation(KINDS, KINDS[:1] + KINDS[2:]), ids=repr)
def test_a_second_fit_traces_nothing_and_forecasts_as_if_it_were_the_first(more, traced):
    alone = forgotten(**more)
    trained_network.NETWORK_CACHE.clear()
    same_kind = {name: value for name, value in more.items() if name not in ("seed", "rows")}
    forgotten(rows=230, seed=7, **same_kind)
    traced.clear()
    np.testing.assert_array_equal(forgotten(**more), alone)
    assert traced == []


@pytest.mark.rotated
def test_compiled_steps_serve_other_data(monkeypatch, traced):
    monkeypatch.setattr("forecastkit.forecasters.neural.WORTH_COMPILING", 1)
    alone = forgotten(rows=260)
    trained_network.NETWORK_CACHE.clear()
    forgotten(rows=200)
    traced.clear()
    np.testing.assert_array_equal(forgotten(rows=260), alone)
    assert traced == []


def test_covariates_and_weights_of_other_data_are_read(traced):
    roles = {"series_id": "unique_id", "time": "ds", **ROLES}
    panels = [make_panel(rows).fillna({"load": 0.0}) for rows in (200, 240)]
    weights = [np.linspace(0, 1, len(panel)) for panel in panels]

    def forecast(number):
        model = fk.RNNForecaster(**SMALL, **roles).fit(panels[number], sample_weight=weights[number])
        return model.scores_["mae"]

    alone = forecast(1)
    gc.collect()
    trained_network.NETWORK_CACHE.clear()
    forecast(0)
    gc.collect()
    assert forecast(1) == alone


def test_existing_forecasters_take_turns_with_one_model(traced):
    alone = forgotten(seed=1)
    trained_network.NETWORK_CACHE.clear()
    first = fitted()
    before, weights = first.predict(), first.network_.count_parameters()
    traced.clear()
    second = fitted(seed=1)
    for _ in range(2):
        np.testing.assert_array_equal(second.predict(), alone)
        np.testing.assert_array_equal(first.predict(), before)
    assert (first.network_.count_parameters(), second.network_.count_parameters()) == (weights, weights)
    copied = copy.deepcopy(second)
    assert traced == []
    np.testing.assert_array_equal(copied.predict(), alone)


def test_a_displaced_forecaster_can_be_fitted_further_and_saved(tmp_path, traced):
    alone = fitted().partial_fit(wave(230)[200:]).predict()
    first = fitted()
    fitted(seed=1)
    traced.clear()
    np.testing.assert_array_equal(first.partial_fit(wave(230)[200:]).predict(), alone)
    fitted(seed=1)
    first.save(tmp_path / "first.forecast")
    assert traced == []
    np.testing.assert_allclose(fk.load(tmp_path / "first.forecast").predict(), alone, rtol=1e-5)


def test_threads_that_forecast_with_models_of_one_kind_do_not_disturb_each_other():
    models = [fitted(seed=seed) for seed in range(3)]
    alone = [model.predict() for model in models]

    def repeated(number):
        return [models[number].predict() for _ in range(8)]

    with ThreadPoolExecutor(3) as pool:
        for forecasts, right in zip(pool.map(repeated, range(3)), alone, strict=True):
            for forecast in forecasts:
                np.testing.assert_array_equal(forecast, right)


def test_a_model_in_use_is_not_taken_over():
    first = fitted()
    network, _ = first.network_.live()
    second = fitted(seed=1)
    assert second.network_.live()[0] is not network
    first.network_.rest()
    with first.network_._in_use():
        third = fitted(seed=2)
        assert third.network_.live()[0] is not network
    assert fitted(seed=3).network_.live()[0] is network


class Keeps(Callback):
    """Knows the network that it was called with."""

    seen = None

    def on_train_begin(self, logs=None):
        Keeps.seen = self.model


def test_a_network_that_somebody_may_hold_is_not_handed_on():
    model = fitted()
    held = model.model_
    weights = held.get_weights()
    del model
    fitted(callbacks=[Keeps()])
    gc.collect()
    forgotten(seed=3)
    assert all(entry.network not in (held, Keeps.seen) for entry in trained_network.NETWORK_CACHE.entries)
    for mine, before in zip(held.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(mine, before)


def test_a_progress_display_keeps_no_network(traced):
    fitted(callbacks=[EpochProgress(lambda *said: None)])
    traced.clear()
    fitted(seed=1)
    assert traced == []


def test_a_network_from_garbage_that_holds_itself_works():
    model = fitted()
    alone = model.predict()
    model.itself = model
    del model
    gc.collect()
    assert len(trained_network.NETWORK_CACHE.entries) == 1
    np.testing.assert_array_equal(forgotten(), alone)


def test_a_cleared_cache_traces_again(traced):
    alone = forgotten()
    assert len(trained_network.NETWORK_CACHE.entries) == 1
    fk.clear_cache()
    assert not trained_network.NETWORK_CACHE.entries
    traced.clear()
    np.testing.assert_array_equal(forgotten(), alone)
    assert traced


def test_training_on_traces_nothing(traced):
    model = fitted()
    traced.clear()
    model.partial_fit(wave(230)[200:])
    assert traced == []


class Owner:
    """An owner of models."""


def entry(kind, size, owner=None):
    made = CacheEntry(kind, object(), object(), 0, [np.zeros(size)])
    made.belong_to(owner or Owner())
    return made


def test_the_oldest_go_where_there_are_too_many():
    kept, owner = NetworkCache(max_networks=3, max_weights=10), Owner()
    made = {kind: entry(kind, 4, owner) for kind in "abc"}
    for one in made.values():
        one.leave_owner = lambda: None
        kept.give(one)
    assert kept.take("a") is None
    assert kept.take("b") is made["b"]
    assert kept.take("b") is None
    kept.give(entry("d", 11))
    assert not kept.entries
    kept.give(entry(None, 1))
    assert not kept.entries
    few = [entry("e", 1) for _ in range(4)]
    for one in few:
        kept.give(one)
    kept.give(few[1])
    assert [kept.take("e") for _ in range(4)] == [few[2], few[3], few[1], None]
    assert trained_network.MAX_WEIGHTS <= 5_000_000  # some 80 MB with optimizer and average


def test_more_are_kept_where_networks_are_fitted_in_turns():
    kept = NetworkCache(max_networks=2, max_weights=10)
    with kept.room_for(4), kept.room_for(1):
        for kind in "abcde":
            kept.give(entry(kind, 5))
        assert [one.kind for one in kept.entries] == ["b", "c", "d", "e"]
    assert [one.kind for one in kept.entries] == ["d", "e"]


def test_a_comparison_builds_each_network_once(monkeypatch):
    cache = NetworkCache(max_networks=1)
    for module in (trained_network, comparison):
        monkeypatch.setattr(module, "NETWORK_CACHE", cache)
    built, fresh = [], TrainedNetwork._fresh
    monkeypatch.setattr(TrainedNetwork, "_fresh", lambda network: built.append(network.backbone) or fresh(network))
    sizes = {"horizon": 2, "lookback": 4, "epochs": 1, "windows_per_epoch": 8, "linear_path": False}
    models = [fk.RNNForecaster(units=units, **sizes) for units in (2, 3)]
    fk.compare(models, wave(80), folds=3, seeds=1, memory=False)
    assert len(built) == 2
