"""`partial_fit` trains on with newer rows and leaves scales and sizes as they are."""

import numpy as np
import pytest

import forecastkit as fk

TINY = {"horizon": 4, "lookback": 12, "epochs": 2, "units": 8, "random_state": 0}


def wave(first, stop):
    return np.sin(np.arange(first, stop) / 3.0)


@pytest.fixture(scope="module")
def network():
    return fk.GRUForecaster(**TINY).partial_fit(wave(0, 120))


def test_the_first_call_is_a_fit(network):
    again = fk.GRUForecaster(**TINY).fit(wave(0, 120))
    assert np.array_equal(network.predict(), again.predict())


def test_a_network_trains_on_with_frozen_scales():
    model = fk.GRUForecaster(**TINY).fit(wave(0, 120))
    scaler, weights = model.scaler_, [w.copy() for w in model.model_.get_weights()]
    model.partial_fit(wave(120, 160))
    assert model.scaler_ is scaler
    assert len(model.history_.target) == 160
    assert any(not np.array_equal(a, b) for a, b in zip(weights, model.model_.get_weights(), strict=True))
    assert np.array_equal(model.trained_until_, [159])


def test_the_linear_forecaster_learns_from_the_newer_rows():
    rng = np.random.default_rng(0)
    old, new = rng.normal(size=200), wave(0, 400)
    model = fk.LinearForecaster(horizon=4, lookback=12).fit(old)
    before = np.abs(model.predict(history=new[:300]) - new[300:304]).mean()
    model.partial_fit(new[:300])
    assert np.abs(model.predict() - new[300:304]).mean() < 0.7 * before


def test_an_ensemble_trains_its_members():
    members = [fk.LinearForecaster(), fk.NaiveForecaster()]
    model = fk.EnsembleForecaster(forecasters=members, horizon=4, lookback=12).fit(wave(0, 100))
    weights = model.forecasters_[0].ridge_.weights.copy()
    model.partial_fit(wave(100, 160))
    assert not np.array_equal(weights, model.forecasters_[0].ridge_.weights)
    by_hand = np.mean([member.predict() for member in model.forecasters_], axis=0)
    assert np.allclose(model.predict(), by_hand)
