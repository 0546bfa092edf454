"""Losses and optimizers of Keras and of the user: trained with, cloned, pickled, saved and refused."""

import pickle

import keras
import numpy as np
import pytest
from conftest import in_rotation, wave
from keras import ops
from sklearn.base import clone

import forecastkit as fk
from forecastkit.networks.heads import OwnLoss, make_head
from forecastkit.training.optimizers import make_optimizer, own_rate
from forecastkit.utils.exceptions import ArtifactError, ParameterError

TINY = {"horizon": 3, "lookback": 12, "patch": 3, "units": 4, "windows_per_epoch": 64, "batch_size": 16,
        "random_state": 0, "linear_path": False, "final_epochs": 0, "epochs": 1}  # fmt: skip
SERIES = wave(150)
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


class Asymmetric(keras.losses.Loss):
    """Forecasts that are too high cost more."""

    def __init__(self, over=4.0, **kwargs):
        super().__init__(**kwargs)
        self.over = over

    def call(self, y_true, y_pred):
        error = y_pred - y_true
        return ops.mean(ops.maximum(self.over * error, -error), axis=-1)

    def get_config(self):
        return {**super().get_config(), "over": self.over}


class Forgets(Asymmetric):
    """An argument without a default that get_config leaves out."""

    def __init__(self, over, **kwargs):
        super().__init__(over, **kwargs)

    def get_config(self):
        return keras.losses.Loss.get_config(self)


def total(y_true, y_pred):
    """Error of the sum of a window."""
    return ops.abs(ops.sum(y_true - y_pred, axis=(1, 2)))


def mean_of_all(y_true, y_pred):
    return ops.mean(ops.abs(y_true - y_pred))


class Slow(keras.optimizers.SGD):
    """A user's own optimizer."""


# ---------------------------------------------------------------------------------------------- the loss


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    target = rng.normal(size=(5, 4)).astype("float32")
    target[1, 2], target[3] = np.nan, np.nan
    return target, rng.normal(size=(5, 4, 1)).astype("float32"), rng.random((5, 4)).astype("float32")


@pytest.mark.parametrize(("own", "ours"), [
    (keras.losses.MeanSquaredError(), "mse"),
    ("mean_absolute_error", "mae"),
    (lambda y_true, y_pred: ops.abs(y_true - y_pred), "mae"),
    (keras.losses.Huber(1.0), "huber"),
])  # fmt: skip
@pytest.mark.parametrize("weighted", [False, True])
def test_losses_of_keras_are_those_of_the_same_name_here(own, ours, weighted, batch):
    target, forecast, weight = batch
    more = (weight,) if weighted else ()
    expected = make_head(ours).loss(target, forecast, *more)
    np.testing.assert_allclose(make_head(own).loss(target, forecast, *more), expected, rtol=1e-5)


def test_channels_of_a_window_are_windows_of_their_own():
    rng = np.random.default_rng(1)
    target, forecast = rng.normal(size=(3, 2, 4)), rng.normal(size=(3, 2, 4, 1))
    apart = np.abs(target - forecast[..., 0]).sum()  # of one window whose sum is large
    found = make_head(total).loss(target, forecast)
    expected = np.abs((target - forecast[..., 0]).sum(axis=2)).mean(axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert apart > np.sum(found)


def test_a_loss_of_windows_takes_missing_steps_as_forecast_exactly(batch):
    target, forecast, weight = batch
    error = np.where(np.isnan(target), 0.0, target - forecast[..., 0])
    np.testing.assert_allclose(make_head(total).loss(target, forecast), np.abs(error.sum(axis=1)), rtol=1e-5)
    expected = np.abs(error.sum(axis=1)) * weight.mean(axis=1)
    np.testing.assert_allclose(make_head(total).loss(target, forecast, weight), expected, rtol=1e-5)


@pytest.mark.parametrize("linear_path", in_rotation([False, True], [False]))
def test_an_asymmetric_loss_shifts_the_forecast(linear_path):
    more = {**TINY, "linear_path": linear_path, "epochs": 6, "windows_per_epoch": 512, "learning_rate": 0.02}
    low, high = (fk.RNNForecaster(**more, loss=Asymmetric(over)).fit(SERIES).predict().mean() for over in (9.0, 1 / 9))
    assert low < high - 0.2


# ---------------------------------------------------------------------------------------------- copies and files


@pytest.fixture(scope="module")
def fitted():
    parts = {"loss": Asymmetric(3.0), "optimizer": keras.optimizers.AdamW(0.02, weight_decay=0.125)}
    return fk.RNNForecaster(**TINY, **parts).fit(SERIES)


def assert_same_parts(made):
    assert (type(made.loss), made.loss.over) == (Asymmetric, 3.0)
    assert isinstance(made.optimizer, keras.optimizers.AdamW)
    assert made.optimizer.weight_decay == 0.125


def test_clones_and_pickles_have_the_same_parts(fitted):
    for made in (clone(fitted), pickle.loads(pickle.dumps(fitted))):
        assert_same_parts(made)
    np.testing.assert_array_equal(made.predict(), fitted.predict())


def test_a_saved_model_asks_for_a_loss_of_ones_own(fitted, tmp_path):
    fitted.save(tmp_path / "m.forecast")
    with pytest.raises(ArtifactError, match=r"'Asymmetric', which must be given.*custom_objects=\{'Asymmetric'"):
        fk.load(tmp_path / "m.forecast")
    loaded = fk.load(tmp_path / "m.forecast", custom_objects={"Asymmetric": Asymmetric})
    assert_same_parts(loaded)
    np.testing.assert_allclose(loaded.predict(), fitted.predict(), rtol=1e-5)  # computed by NumPy
    loaded.partial_fit(SERIES[-30:])  # trains on with both
    with pytest.raises(ArtifactError, match="must accept the settings in the file"):
        fk.load(tmp_path / "m.forecast", custom_objects={"Asymmetric": keras.losses.LogCosh})


def test_functions_schedules_and_arguments_that_keras_forgets_are_saved(tmp_path):
    schedule = keras.optimizers.schedules.ExponentialDecay(0.01, 10, 0.5)
    model = fk.RNNForecaster(**TINY, loss=keras.losses.Huber(2.5), optimizer=keras.optimizers.SGD(schedule)).fit(SERIES)
    assert float(model.model_.optimizer.learning_rate) == pytest.approx(0.01 * 0.5 ** (4 / 10))  # after four steps
    model.save(tmp_path / "m.forecast")
    loaded = fk.load(tmp_path / "m.forecast")
    error = [np.full((1, 1, 1), value, "float32") for value in (0.0, 2.0)]
    assert float(loaded.loss.call(*error)[0, 0]) == 2.0  # half the square, as below 2.5
    assert loaded.optimizer.get_config()["learning_rate"]["config"]["decay_rate"] == 0.5
    model.set_params(loss=total, optimizer="lion").fit(SERIES).save(tmp_path / "n.forecast")
    loaded = fk.load(tmp_path / "n.forecast", custom_objects={"total": total})
    assert (loaded.loss, loaded.optimizer) == (total, "lion")


def test_the_optimizer_that_is_given_stays_as_it_is():
    given = keras.optimizers.Nadam(0.05)
    model = fk.RNNForecaster(**TINY, optimizer=given).fit(SERIES)
    assert int(given.iterations) == 0
    assert isinstance(model.model_.optimizer, keras.optimizers.Nadam)
    # What it starts from is its own: not zero for the product of the momenta.
    assert 0 < float(model.model_.optimizer._u_product) < 1


def test_rates_and_clipping():
    assert own_rate(keras.optimizers.Adam(0.125)) == 0.125
    assert own_rate("adam") is None
    assert own_rate(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.1, 5))) is None
    assert make_optimizer(keras.optimizers.SGD(0.1, clipvalue=2.0), clip=1.0).global_clipnorm is None
    assert make_optimizer("sgd", clip=1.0).global_clipnorm == 1.0


# ---------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(("parameters", "sentence"), [
    ({"loss": "hubr"}, "Did you mean 'huber'"),
    ({"loss": keras.losses.Huber}, "must be a name, an object or a function"),
    ({"loss": 3}, "must be a name, an object or a function"),
    ({"loss": mean_of_all}, r"mean_of_all must return a number for each step.*got shape \(\)"),
    ({"loss": "binary_crossentropy"}, "must be one of numbers"),
    ({"loss": lambda y_true: y_true}, r"must take y_true and y_pred.*TypeError"),
    ({"loss": lambda y_true, y_pred: y_true}, "must tell an error of 0.5 from one of 1.5"),
    ({"loss": Asymmetric(), "quantile_levels": [0.5]}, "do not go with a loss of Keras"),
    ({"optimizer": "adm"}, "optimizer must be a Keras optimizer"),
    ({"optimizer": keras.optimizers.Adam}, "optimizer must be a name, an object or a config"),
    ({"optimizer": keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 5)),
      "callbacks": [keras.callbacks.ReduceLROnPlateau()]}, "ReduceLROnPlateau needs an optimizer"),
], ids=range(11))  # fmt: skip
def test_parts_that_cannot_train_a_forecast_are_refused(parameters, sentence):
    with pytest.raises(ParameterError, match=sentence) as refused:
        fk.RNNForecaster(**TINY, **parameters).fit(SERIES)
    assert "\n" not in str(refused.value)


def test_a_loss_that_cannot_be_made_again_is_refused_by_clone():
    with pytest.raises(ParameterError, match=r"Forgets must be made again.*Define get_config"):
        clone(fk.RNNForecaster(loss=Forgets(2.0)))


def test_names_of_our_own_keep_their_meaning():
    assert not any(isinstance(make_head(name), OwnLoss) for name in ("mae", "mse", "huber", "poisson"))
