"""Keras callbacks on our loop do what they do in `Model.fit`, and backbones of a wrong shape are refused."""

import csv
import itertools

import keras
import numpy as np
import pytest
from conftest import wave

import forecastkit as fk
from forecastkit.data.windows import Windows
from forecastkit.training import loop, optimizers
from forecastkit.training.loop import Plan, Record, train
from forecastkit.utils.exceptions import ArtifactError, ParameterError

TINY = {"horizon": 3, "lookback": 12, "patch": 3, "units": 4, "windows_per_epoch": 64, "batch_size": 16,
        "random_state": 0, "linear_path": False, "final_epochs": 0}  # fmt: skip
SERIES = wave(150)
# Keras' own code converts variables in a way that NumPy warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


class Rates(keras.callbacks.Callback):
    """Writes down the learning rate after each step."""

    def __init__(self, found):
        super().__init__()
        self.found = found

    def on_train_batch_end(self, batch, logs=None):
        self.found.append(float(self.model.optimizer.learning_rate))


def fit(*given, **more):
    return fk.RNNForecaster(**{**TINY, "epochs": 3, "callbacks": list(given), **more}).fit(SERIES)


class Engine:
    """Stands in for an engine with an optimizer: the loss of step n is n."""

    def __init__(self):
        self.network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        self.network.compile(keras.optimizers.Adam(1.0))
        self.step, self.rates = 0, []

    def prepare(self, buffers, batch_size):
        pass

    def train(self, tables, rates, seeds):
        self.network.optimizer.learning_rate = rates[-1]
        self.rates.extend(rates)
        self.step += len(tables)
        return self.step - 1.0

    def agreed(self, value):
        return value

    def swap(self):
        pass

    def evaluate(self, table):
        return 1.0


def run(*given):
    """A training of three epochs of four steps with the stand-in, from a learning rate of 0.01."""
    engine, record = Engine(), Record()
    plan = Plan(epochs=3, steps=4, batch_size=2, learning_rate=0.01, patience=None, time_limit=None, seed=0)
    windows = Windows([3], [20], 1)
    train(engine, None, windows, windows.at(np.arange(3)), plan, given, record)
    return engine, record


def windows_of(network):
    """Inputs of five windows."""
    rng = np.random.default_rng(0)
    return {name: rng.normal(size=(5, *shape)).astype(dtype) for name, (shape, dtype) in network.sizes.inputs.items()}


# ---------------------------------------------------------------------------------------------- what they write


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A fit with all callbacks of Keras but BackupAndRestore, its folder, and the steps that were seen."""
    pytest.importorskip("tensorboard")
    folder, steps = tmp_path_factory.mktemp("callbacks"), []
    model = fit(
        keras.callbacks.ModelCheckpoint(str(folder / "best.keras"), monitor="val_loss", save_best_only=True),
        keras.callbacks.ModelCheckpoint(str(folder / "last.weights.h5"), monitor="val_mae", save_weights_only=True),
        keras.callbacks.TensorBoard(str(folder / "board")),
        keras.callbacks.CSVLogger(str(folder / "log.csv")),
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate if epoch < 1 else rate / 2),
        keras.callbacks.ReduceLROnPlateau("val_mae", patience=9),
        keras.callbacks.EarlyStopping("val_within", patience=9),
        keras.callbacks.TerminateOnNaN(),
        keras.callbacks.LambdaCallback(on_train_batch_end=lambda step, logs: steps.append(step)),
        loss="gaussian",
        learning_rate=0.008,
        metrics=["mae", keras.metrics.MeanMetricWrapper(within, name="within")],
    )
    return model, folder, steps


def within(y_true, y_pred):
    return keras.ops.cast(keras.ops.abs(y_true - y_pred) < 0.5, "float32")[:, 0]


def test_a_checkpoint_of_the_whole_network_is_loaded_by_keras(written):
    model, folder, _ = written
    network = keras.saving.load_model(folder / "best.keras")
    inputs = windows_of(network)
    # The best epoch's weights, which the forecaster has too: it has trained no final epochs.
    np.testing.assert_array_equal(network.predict(inputs, verbose=0), model.model_.predict(inputs, verbose=0))
    assert isinstance(network.optimizer, keras.optimizers.Adam)
    assert int(network.optimizer.iterations) > 0


def test_a_checkpoint_of_weights_is_taken_by_the_network(written):
    model, folder, _ = written
    before = model.model_.get_weights()
    try:
        model.model_.load_weights(folder / "last.weights.h5")
        assert [weight.shape for weight in model.model_.get_weights()] == [weight.shape for weight in before]
    finally:
        model.model_.set_weights(before)


def test_logs_hold_the_losses_of_every_epoch(written):
    model, folder, steps = written
    with open(folder / "log.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    names = ["loss", "mae", "within"]
    history = {name: [float(row[name]) for row in rows] for name in (*names, *(f"val_{name}" for name in names))}
    assert history == model.training_history_.history
    of_keras = dict(model.model_.history.history)
    assert of_keras.pop("learning_rate") == pytest.approx([0.008, 0.004, 0.002])
    assert history == of_keras
    assert steps == 3 * [0, 1, 2, 3]
    assert list((folder / "board").glob("**/events*"))


def test_a_network_is_saved_with_the_users_own_layer(tmp_path):
    class Last(keras.layers.Layer):
        def call(self, past, future, mask=None, training=None):
            return future + past[:, -1:]

    more = {name: value for name, value in TINY.items() if name != "units"}
    model = fk.KerasForecaster(backbone=Last, epochs=1, **more).fit(SERIES)
    model.model_.save(tmp_path / "own.keras")
    with pytest.raises(ArtifactError, match=r"'Last', which must be given.*custom_objects=\{'Last': Last\}"):
        keras.saving.load_model(tmp_path / "own.keras")
    network = keras.saving.load_model(tmp_path / "own.keras", custom_objects={"Last": Last})
    inputs = windows_of(network)
    np.testing.assert_array_equal(network.predict(inputs, verbose=0), model.model_.predict(inputs, verbose=0))


# ---------------------------------------------------------------------------------------------- the learning rate


def test_without_a_callback_that_sets_it_the_rate_follows_the_schedule():
    found = []
    model = fit(Rates(found))
    assert len(found) == 3 * 4
    assert found[-1] < 0.1 * max(found)
    # Steps one by one are the same steps.
    np.testing.assert_array_equal(model.predict(), fk.RNNForecaster(**TINY, epochs=3).fit(SERIES).predict())


def test_a_scheduler_sets_the_rate_from_the_first_step_on():
    engine, _ = run(keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2 if epoch else rate))
    assert engine.rates == pytest.approx([0.01] * 4 + [0.005] * 4 + [0.0025] * 4)


def test_reducing_on_a_plateau_starts_from_a_constant_rate():
    engine, _ = run(keras.callbacks.ReduceLROnPlateau(patience=1, factor=0.1))
    assert engine.rates == pytest.approx([0.01] * 8 + [0.001] * 4)


def test_a_rate_that_a_callback_sets_once_is_kept():
    class Once(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                self.model.optimizer.learning_rate = 0.125

    engine, _ = run(Once())
    assert engine.rates[4:] == [0.125] * 8
    assert len(set(engine.rates[:4])) > 1


# ---------------------------------------------------------------------------------------------- stopping


def test_hooks_of_steps_are_called_and_can_stop_the_training():
    calls = []

    class Stops(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            calls.append(("begin", batch))

        def on_train_batch_end(self, batch, logs=None):
            calls.append(("end", batch, list(logs)))
            self.model.stop_training = batch == 1

    _, record = run(Stops())
    assert calls == [("begin", 0), ("end", 0, ["loss"]), ("begin", 1), ("end", 1, ["loss"])]
    assert record.ended == "callback"


def test_lambda_callbacks_see_the_running_mean_of_the_loss():
    found = []
    model = fit(
        keras.callbacks.LambdaCallback(on_train_batch_end=lambda step, logs: found.append((step, logs["loss"])))
    )
    assert [step for step, _ in found] == list(range(4)) * 3
    assert [loss for step, loss in found if step == 3] == pytest.approx(model.training_history_.loss)


def test_early_stopping_restores_the_weights_of_the_best_epoch_by_its_own_measure():
    weights = []

    class Weights(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            weights.append(self.model.get_weights())

    # By the largest loss the first epoch is the best, by ours the last.
    stops = keras.callbacks.EarlyStopping(monitor="val_loss", mode="max", patience=2, restore_best_weights=True)
    model = fit(Weights(), stops, epochs=6, learning_rate=0.01)
    assert model.training_history_.ended == "callback"
    assert len(weights) == 3
    for own, best in zip(model.model_.get_weights(), weights[0], strict=True):
        np.testing.assert_array_equal(own, best)


def test_weights_that_are_averaged_for_validation_are_the_best_ones():
    optimizer = keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9)
    model = fit(keras.callbacks.SwapEMAWeights(), optimizer=optimizer)
    forecasts = np.array([model.predict(history=SERIES[:row]) for row in range(120, 148)])
    errors = forecasts - np.lib.stride_tricks.sliding_window_view(SERIES[120:], 3)
    scale = model.scaler_.moments(model.history_).scale[0, 0]
    assert np.abs(errors).mean() / scale == pytest.approx(min(model.training_history_.val_loss), rel=1e-4)


def test_a_loss_that_is_no_number_ends_the_epoch_at_that_step():
    steps = []

    class Breaks(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            steps.append(batch)
            if batch == 0:
                self.model.set_weights([np.full_like(weight, np.nan) if weight.dtype.kind == "f" else weight
                                        for weight in self.model.get_weights()])  # fmt: skip

    with pytest.raises(fk.InputError, match="losses must stay finite"):
        fit(Breaks(), keras.callbacks.TerminateOnNaN())
    assert steps == [0, 1]


# ---------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(("given", "sentence"), [
    ([keras.callbacks.EarlyStopping], "must be objects of keras.callbacks"),
    (keras.callbacks.TerminateOnNaN(), "must be a list"),
    (["EarlyStopping"], "must be objects of keras.callbacks"),
    ([keras.callbacks.BackupAndRestore("kept")], "resume=FOLDER"),
], ids=range(4))  # fmt: skip
def test_what_is_no_callback_is_refused(given, sentence):
    with pytest.raises(ParameterError, match=sentence):
        fk.RNNForecaster(**TINY, callbacks=given).fit(SERIES)


def test_tensorboard_asks_for_its_package(monkeypatch):
    monkeypatch.setattr(optimizers, "find_spec", lambda name: None)
    with pytest.raises(ParameterError, match="pip install tensorboard"):
        fk.RNNForecaster(**TINY, callbacks=[keras.callbacks.TensorBoard("board")]).fit(SERIES)


class Wide(keras.layers.Layer):
    def call(self, past, future, mask=None, training=None):
        return keras.ops.concatenate([future, future], axis=-1)


class Past(keras.layers.Layer):
    def call(self, past, future, mask=None, training=None):
        return past


class OneInput(keras.layers.Layer):
    def call(self, tokens):
        return tokens


class Built(fk.Backbone):
    def build(self):
        return keras.layers.Dense(8)


class Nothing(fk.Backbone):
    def build(self):
        return None


@pytest.mark.parametrize(("backbone", "sentence"), [
    (Wide, r"^Wide: the backbone must return .*\(batch, 1, 64\) here, got \(batch, 1, 128\)"),
    (Past, r"^Past: the backbone must return .*\(batch, 1, 64\) here, got \(batch, 4, 64\)"),
    (OneInput, r"^OneInput: the backbone must be a Keras layer that is called as layer\(past, future"),
    (Built, r"^Built: .*got Dense.call\(inputs"),
    (Nothing, r"^Nothing: .*got None"),
])  # fmt: skip
def test_a_backbone_of_the_wrong_shape_is_refused_in_a_sentence(backbone, sentence):
    more = {name: value for name, value in TINY.items() if name != "units"}
    with pytest.raises(ParameterError, match=sentence) as refused:
        fk.KerasForecaster(backbone=backbone, **more).fit(SERIES)
    assert "\n" not in str(refused.value)


def test_pieces_of_an_epoch_are_steps_only_where_a_callback_asks_for_them():
    network = keras.Sequential([keras.layers.Dense(1)])
    quiet = [keras.callbacks.EarlyStopping(), keras.callbacks.LambdaCallback(on_epoch_end=print)]
    asking = [
        keras.callbacks.ModelCheckpoint("x.keras"),
        keras.callbacks.LambdaCallback(on_train_batch_begin=print),
        keras.callbacks.TerminateOnNaN(),
    ]
    pieces = [loop.Listeners([one], network, 0.1).piece for one in itertools.chain(quiet, asking)]
    assert pieces == [loop.PIECE] * 2 + [1] * 3
