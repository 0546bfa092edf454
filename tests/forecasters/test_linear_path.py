"""The linear forecast that networks correct, and the recipe that it chooses for them."""

import pickle

import keras
import numpy as np
import pandas as pd
import pytest

import forecastkit as fk
from forecastkit.baselines.ridge import NORMALIZATIONS, Ridge
from forecastkit.data.windows import forward_fill
from forecastkit.forecasters.linear_recipes import LinearPath
from forecastkit.networks.network import filled_forward
from forecastkit.networks.smoothing_maps import SmoothingMaps
from forecastkit.training.trained_network import TrainedNetwork

SIZES = {"horizon": 4, "units": 4, "windows_per_epoch": 64, "random_state": 0}


@pytest.fixture(scope="module")
def seasonal():
    """Two years of weeks with growing swings, above zero."""
    time = np.arange(160)
    noise = np.random.default_rng(0).normal(size=160)
    y = (20 + 0.2 * time) * (1.5 + np.sin(2 * np.pi * time / 7)) + noise
    return pd.Series(y, index=pd.date_range("2024-01-01", periods=160, freq="D"), name="y")


class Breaks(keras.callbacks.Callback):
    """Makes the first weights no numbers."""

    def on_epoch_begin(self, epoch, logs=None):
        self.model.trainable_variables[0].assign(np.full(self.model.trainable_variables[0].shape, np.nan))


def regression(weights, normalization):
    return Ridge(weights.astype("float32"), 1.0, normalization=normalization)


def test_matrix_is_the_mean_of_the_regressions():
    rng = np.random.default_rng(1)
    lookbacks = 5, 3, 8
    ridges = [regression(rng.normal(size=(n, 2)), name) for n, name in zip(lookbacks, NORMALIZATIONS, strict=True)]
    window, expected = rng.normal(size=8).astype("float32"), []
    for ridge in ridges:
        own = window[-len(ridge.weights) :]
        center = own[-1] if ridge.normalization == "last" else own.mean()
        expected.append((own - center) @ ridge.weights + center)
    matrix = LinearPath(tuple(ridges)).matrix(8)
    np.testing.assert_allclose(window @ matrix, np.mean(expected, axis=0), rtol=1e-5)
    np.testing.assert_allclose(matrix.sum(axis=0), 1.0, rtol=1e-5)


def test_windows_are_filled_as_those_of_regressions():
    window = np.random.default_rng(2).normal(size=(64, 11)).astype("float32")
    window[np.random.default_rng(3).random(window.shape) < 0.5] = np.nan
    window[0] = np.nan
    np.testing.assert_array_equal(filled_forward(window), forward_fill(window))


@pytest.mark.parametrize("holes", [False, True])
def test_network_that_learns_nothing_useful_is_the_linear_forecast(seasonal, holes, tmp_path, monkeypatch):
    y = seasonal.where(np.random.default_rng(4).random(160) > 0.1) if holes else seasonal
    # So large a rate makes every epoch worse than none.
    network = fk.RNNForecaster(**SIZES, lookback=14, epochs=2, learning_rate=10.0, target_transform="none").fit(y)
    assert network.training_history_.best_epoch == -1
    linear = fk.LinearForecaster(horizon=4, lookback=14, target_transform="none").fit(y)
    assert network.recipe_["regressions"] == len(linear.parts_) > 1
    # The linear forecaster scales values anew with all rows.
    forecast = network.predict()
    np.testing.assert_allclose(forecast, linear.predict(), rtol=0.02)
    with monkeypatch.context() as patch:
        patch.setattr(TrainedNetwork, "linear_map", lambda network: None)
        np.testing.assert_allclose(network.predict(), forecast, rtol=1e-5, err_msg="the network itself")
    network.save(tmp_path / "m.forecast")
    monkeypatch.setattr(TrainedNetwork, "predict", None)  # it need not be evaluated
    for other in (fk.load(tmp_path / "m.forecast"), pickle.loads(pickle.dumps(network))):
        np.testing.assert_array_equal(other.predict(), forecast)


@pytest.mark.parametrize("held_out", [160, 1])
def test_network_corrects_the_linear_forecast_where_that_helps(held_out):
    """Every second value is the absolute value before it, which no linear forecast sees; one of them is no evidence."""
    rng = np.random.default_rng(5)
    y = np.repeat(rng.normal(size=400), 2)
    y[1::2] = np.abs(y[::2])
    sizes = {"horizon": 1, "lookback": 4, "season_length": 1, "validation_size": held_out}
    network = fk.RNNForecaster(**sizes, units=16, epochs=8, random_state=0, learning_rate=0.01).fit(y)
    record = network.training_history_
    assert record.best_epoch >= 0
    assert (network.network_.linear_map() is None) == (network.recipe_["correction"] > 0)
    assert min(record.val_loss) < 0.9 * record.start_loss
    assert record.gain == 1 - min(record.val_loss) / record.start_loss
    kept = max(0.5, min(2 * record.gain, 1.0)) if held_out > 1 else 0.25
    assert network.recipe_["correction"] == kept
    linear = fk.LinearForecaster(**sizes).fit(y).predict()
    assert np.allclose(network.predict(), linear, atol=0.02) == (kept == 0)


def test_recipe_is_chosen_by_the_data(seasonal):
    """Where all is linear in the square roots, they are forecast."""
    time = np.arange(160)
    root = 20 + 0.1 * time + 8 * np.sin(2 * np.pi * time / 7) + np.random.default_rng(6).normal(size=160)
    for y, transform in ((root**2, "sqrt"), (root - 30, None)):
        network = fk.RNNForecaster(**SIZES, epochs=1).fit(pd.Series(y, index=seasonal.index))
        assert network.recipe_["target_transform"] == transform
        assert (network.recipe_["lookback"], network.recipe_["patch"]) == (network.lookback_, network.patch_)


def test_parameters_that_are_given_are_kept(seasonal):
    given = {"normalization": "none", "target_transform": "none", "lookback": 21, "patch": 3}
    network = fk.RNNForecaster(**SIZES, **given, epochs=1).fit(seasonal)
    chosen = {"normalization": "none", "target_transform": None, "lookback": 21, "patch": 3}
    assert {name: network.recipe_[name] for name in given} == chosen
    assert fk.RNNForecaster(**SIZES, linear_path=False, epochs=1).fit(seasonal).recipe_["regressions"] == 0


@pytest.mark.parametrize("loss", ["mse", "gaussian"])
def test_means_and_distributions_are_of_the_values_themselves(seasonal, loss):
    network = fk.RNNForecaster(**SIZES, loss=loss, epochs=1).fit(seasonal)
    assert network.recipe_["target_transform"] is None
    assert network.recipe_["regressions"] > 0


@pytest.mark.parametrize("given", [{"loss": "negative_binomial"}, {"validation_size": 0}])
def test_no_linear_path_without_a_center_or_without_validation(seasonal, given):
    network = fk.RNNForecaster(**SIZES, **given, epochs=1).fit(seasonal.round())
    assert network.recipe_["regressions"] == 0


def test_loaded_network_forecasts_the_same(seasonal, tmp_path):
    network = fk.RNNForecaster(**SIZES, epochs=1).fit(seasonal)
    network.save(tmp_path / "m.forecast")
    loaded = fk.load(tmp_path / "m.forecast")
    np.testing.assert_allclose(loaded.predict(), network.predict(), rtol=1e-5)  # computed by NumPy
    assert loaded.recipe_ == network.recipe_


def test_linear_forecast_is_kept_if_training_diverges(seasonal):
    given = {**SIZES, "lookback": 14, "epochs": 1, "target_transform": "none"}
    with pytest.warns(UserWarning, match="The linear forecast is kept"):
        network = fk.RNNForecaster(**given, callbacks=[Breaks()]).fit(seasonal)
    linear = fk.LinearForecaster(horizon=4, lookback=14, target_transform="none").fit(seasonal)
    np.testing.assert_allclose(network.predict(), linear.predict(), rtol=0.02)


@pytest.mark.parametrize("held_out", [4, 40])
def test_path_is_averaged_with_smoothing_where_that_helps_or_little_is_known(held_out):
    """White noise about levels of its own for each series: a shared regression cannot know how fast they change."""
    rng = np.random.default_rng(7)
    kinds = [rng.normal(size=(3, 120)), rng.normal(size=(3, 120)).cumsum(axis=1)]
    values = np.concatenate([kind - kind.mean(axis=1, keepdims=True) for kind in kinds])
    times = pd.date_range("2024-01-01", periods=120, freq="D")
    frame = pd.DataFrame({"name": np.repeat(np.arange(6), 120), "time": np.tile(times, 6), "y": values.ravel()})
    sizes = {**SIZES, "lookback": 24, "season_length": 1, "series_id": "name", "target_transform": "none"}
    network = fk.RNNForecaster(**sizes, validation_size=held_out, epochs=1, learning_rate=1e-9).fit(frame)
    assert network.recipe_["smoothing"]
    path = network.network_.live()[0].linear.numpy()
    window = rng.normal(size=(1, 24)).astype("float32")
    expected = window @ path + SmoothingMaps.of(24, 4, (1,)).forecast(window - window[:, -1:]) + window[:, -1:]
    np.testing.assert_allclose(network.model_({"target": window})[..., 0], expected / 2, atol=1e-4)


def test_path_is_not_averaged_where_it_is_better():
    """Alternating values that no level or trend describes."""
    rng = np.random.default_rng(8)
    y = np.cumsum(rng.normal(size=300)) * np.where(np.arange(300) % 2, 1.0, -1.0)
    network = fk.RNNForecaster(**SIZES, lookback=24, season_length=1, epochs=1).fit(y)
    assert not network.recipe_["smoothing"]
