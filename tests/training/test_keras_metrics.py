"""Keras metrics by epoch: values, logs, files, refusals."""

import pickle

import keras
import numpy as np
import pytest
from conftest import wave
from keras import ops
from sklearn.base import clone

import forecastkit as fk
from forecastkit.training.callbacks import EpochMetrics
from forecastkit.training.metrics import make_metrics
from forecastkit.utils.exceptions import ArtifactError, ParameterError

TINY = {"horizon": 3, "lookback": 12, "patch": 3, "units": 4, "windows_per_epoch": 64, "batch_size": 16, "epochs": 2,
        "random_state": 0, "linear_path": False, "final_epochs": 0}  # fmt: skip
SERIES = wave(150)
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


class Within(keras.metrics.MeanMetricWrapper):
    """Fraction of errors below a limit."""

    def __init__(self, limit=0.5, name="within", **kwargs):
        super().__init__(self.below, name=name, **kwargs)
        self.limit = limit

    def below(self, y_true, y_pred):
        return ops.cast(ops.abs(y_true - y_pred) < self.limit, "float32")[:, 0]

    def get_config(self):
        return {"limit": self.limit, "name": self.name}


def bias(y_true, y_pred):
    return (y_pred - y_true)[:, 0]


class Logs(keras.callbacks.Callback):
    """Writes down the logs of each epoch."""

    def __init__(self, found):
        super().__init__()
        self.found = found

    def on_epoch_end(self, epoch, logs=None):
        self.found.append(dict(logs))


@pytest.fixture(scope="module")
def metrics():
    """Metrics of all kinds; made on import, their variables would start TensorFlow before its options are set."""
    return ["mae", keras.metrics.RootMeanSquaredError(), Within(0.25), bias]


@pytest.fixture(scope="module")
def fitted(metrics):
    logs = []
    model = fk.RNNForecaster(**TINY, metrics=metrics, callbacks=[Logs(logs)]).fit(SERIES)
    return model, logs


def test_metrics_are_in_the_logs_and_the_history_of_every_epoch(fitted):
    model, logs = fitted
    names = ["mae", "root_mean_squared_error", "within", "bias"]
    assert list(logs[0]) == ["loss", "val_loss", *names, *(f"val_{name}" for name in names)]
    history = model.training_history_.metrics
    assert {name: [log[name] for log in logs] for name in history} == history


@pytest.mark.parametrize(
    ("name", "mode"), [("val_mae", "min"), ("within", "max"), ("val_within", "max"), ("bias", None)]
)
def test_callbacks_know_which_values_of_a_metric_are_better(name, mode, metrics):
    watch = EpochMetrics(make_metrics("fit", metrics), None, None, {"": None, "val_": None})
    stop, reduce = keras.callbacks.EarlyStopping(name), keras.callbacks.ReduceLROnPlateau(name)
    found = [watch.with_direction(callback) for callback in (stop, reduce)]
    assert [callback.mode for callback in found] == [mode or "auto"] * 2
    assert stop.mode == "auto"  # the caller's callback is not changed


def test_early_stopping_takes_a_metric_by_its_name():
    stop = keras.callbacks.EarlyStopping("val_within", patience=0)
    model = fk.GRUForecaster(**{**TINY, "epochs": 9, "learning_rate": 1e-9}, metrics=[Within(0.25)], callbacks=[stop])
    history = model.fit(SERIES).training_history_
    assert len(history.loss) == 2  # no larger than in the first epoch


def test_metrics_of_the_validation_windows_are_those_of_the_scaled_errors(fitted):
    model, logs = fitted
    history = model.training_history_
    assert history.metrics["val_mae"] == pytest.approx(history.val_loss, rel=1e-5)
    forecasts = np.array([model.predict(history=SERIES[:row]) for row in range(120, 148)])
    actuals = np.lib.stride_tricks.sliding_window_view(SERIES[120:], 3)
    errors = (forecasts - actuals) / model.scaler_.moments(model.history_).scale[0, 0]
    best = logs[history.best_epoch]  # its weights are those of the forecaster
    assert best["val_root_mean_squared_error"] == pytest.approx(np.sqrt((errors**2).mean()), rel=1e-4)
    assert best["val_within"] == pytest.approx((np.abs(errors) < 0.25).mean(), rel=1e-4)
    assert best["val_bias"] == pytest.approx(errors.mean(), rel=1e-3, abs=1e-5)


def test_callbacks_can_monitor_a_metric():
    stops = keras.callbacks.EarlyStopping(monitor="val_bias", mode="max", min_delta=1e9, patience=1)
    model = fk.RNNForecaster(**{**TINY, "epochs": 6}, metrics=[bias], callbacks=[stops]).fit(SERIES)
    assert (model.training_history_.ended, len(model.training_history_.metrics["bias"])) == ("callback", 2)


@pytest.mark.parametrize("more", [{"loss": "gaussian"}, {"quantile_levels": [0.2, 0.9]}, {"validation_size": 0},
                                  {"step_weight": [0, 0, 1]}], ids=range(4))  # fmt: skip
def test_metrics_go_with_every_head_and_with_gaps(more):
    series = SERIES.copy()
    series[[40, 130]] = np.nan
    history = fk.RNNForecaster(**{**TINY, "epochs": 1}, metrics=["mae"], **more).fit(series).training_history_
    assert set(history.metrics) == ({"mae"} if more.get("validation_size") == 0 else {"mae", "val_mae"})
    assert np.isfinite([values[0] for values in history.metrics.values()]).all()


def test_metrics_are_weighted_as_losses_are():
    weighted = fk.RNNForecaster(**TINY, metrics=["mae"], step_weight=[1, 2, 3]).fit(SERIES).training_history_
    assert weighted.metrics["val_mae"] == pytest.approx(weighted.val_loss, rel=1e-5)


def test_metrics_are_cloned_pickled_and_saved(fitted, tmp_path, metrics):
    model, _ = fitted
    for copied in (clone(model), pickle.loads(pickle.dumps(clone(model)))):
        assert copied.metrics[2] is not metrics[2]
        assert (copied.metrics[2].limit, copied.metrics[0], copied.metrics[3]) == (0.25, "mae", bias)
    model.save(tmp_path / "m.forecast")
    own = {"Within": Within, "bias": bias}
    for name in own:
        with pytest.raises(ArtifactError, match=rf"'{name}', which must be given.*custom_objects="):
            fk.load(tmp_path / "m.forecast", custom_objects={other: own[other] for other in own if other != name})
    loaded = fk.load(tmp_path / "m.forecast", custom_objects=own)
    assert loaded.metrics[2].limit == 0.25
    assert loaded.training_history_.metrics == model.training_history_.metrics


def test_functions_that_a_metric_wraps_are_given_to_load(tmp_path):
    wrapped = keras.metrics.MeanMetricWrapper(bias, name="bias")
    model = clone(fk.RNNForecaster(**{**TINY, "epochs": 1}, metrics=[wrapped])).fit(SERIES)
    model.save(tmp_path / "m.forecast")
    with pytest.raises(ArtifactError, match="'bias', which must be passed"):
        fk.load(tmp_path / "m.forecast")
    loaded = fk.load(tmp_path / "m.forecast", custom_objects={"bias": bias})
    assert loaded.training_history_.metrics == model.training_history_.metrics


def test_the_metrics_that_are_given_stay_as_they_are(metrics):
    assert metrics[1].variables[0].numpy() == 0
    assert make_metrics("fit", metrics)[1] is not metrics[1]


@pytest.mark.parametrize(("metrics", "sentence"), [
    ("mae", "metrics must be a list"),
    (["maee"], "metrics must be those of Keras, got 'maee'"),
    ([keras.metrics.MeanAbsoluteError], "must be names, objects or functions"),
    ([3], "must be names, objects or functions"),
    (["mae", "mae"], "must have different names, and not that of the loss, got mae"),
    ([lambda y_true: y_true], r"must return a number for y_true and y_pred of shape \(steps, 1\), got TypeError"),
], ids=range(6))  # fmt: skip
def test_what_is_no_metric_is_refused(metrics, sentence):
    with pytest.raises(ParameterError, match=sentence) as refused:
        fk.RNNForecaster(**TINY, metrics=metrics).fit(SERIES)
    assert "\n" not in str(refused.value)
