"""Forecasters around networks: named ones, any backbone, the user's own layer, and ensembles of them."""

import inspect
import pickle

import keras
import numpy as np
import pytest
from conftest import ROLES, make_future, make_panel, wave
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import forecastkit as fk
from forecastkit.forecasters.keras import LayerBackbone
from forecastkit.networks import backbones
from forecastkit.training.trained_network import TrainedNetwork
from forecastkit.utils.exceptions import InputError, ParameterError

TINY = {
    "horizon": 4,
    "lookback": 12,
    "patch": 4,
    "epochs": 1,
    "windows_per_epoch": 32,
    "final_epochs": 0,
    "random_state": 0,
    "linear_path": False,
}
SERIES = wave(120)


class Mean(keras.layers.Layer):
    """A user's own layer: the mean of the past into every token of the future."""

    def call(self, past, future, mask=None, training=None):
        return future + keras.ops.mean(past, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def fitted():
    """A GRU by name of the registry. Shared by the module: not to be fitted again."""
    return fk.GRUForecaster(**TINY, units=8).fit(SERIES)


@pytest.fixture(scope="module")
def quantile():
    """A quantile GRU on the panel, series embedded, with calendar. Shared by the module: not to be fitted again."""
    levels = {"quantile_levels": [0.1, 0.5, 0.9], "embed_series": True, "calendar": True}
    return fk.GRUForecaster(**{**TINY, "epochs": 3}, units=8, **levels, **ROLES).fit(make_panel())


# ---------------------------------------------------------------------------------------------- sizes


@pytest.mark.parametrize(("parameters", "match"), [
    ({"patch": 13}, "patch must not be longer than the lookback, got patch 13, lookback 12"),
    ({"patch": 0}, "patch must be a whole number"),
    ({"epochs": 0}, "epochs must be a whole number"),
    ({"batch_size": 1.5}, "batch_size must be a whole number"),
    ({"learning_rate": -1}, "learning_rate must be a number"),
    ({"patience": 0}, "patience must be a whole number"),
    ({"time_limit": "1h"}, "time_limit must be a number"),
    ({"loss": "rmse"}, "Did you mean 'mse'"),
    ({"normalization": "lost"}, "Did you mean 'last'"),
    ({"units": 0}, "units must be a whole number"),
    ({"dropout": 1}, "dropout must be a number"),
])  # fmt: skip
def test_parameters_are_refused_by_fit_and_not_before(parameters, match):
    forecaster = fk.GRUForecaster(**{**TINY, **parameters})
    with pytest.raises(ParameterError, match=match):
        forecaster.fit(SERIES)


def test_a_head_that_does_not_divide_the_units_is_refused_before_training():
    with pytest.raises(ParameterError, match="heads must divide units, got 8 units, 3 heads"):
        fk.TransformerForecaster(**TINY, units=8, heads=3).fit(SERIES)


# ---------------------------------------------------------------------------------------------- which backbone


@pytest.mark.parametrize("name", backbones.names())
def test_every_backbone_has_a_forecaster_with_its_parameters(name):
    architecture = backbones.find(name)
    forecaster = getattr(fk, f"{architecture.__name__}Forecaster")(units=8, horizon=3)
    own = architecture().get_params()
    assert {**own, "units": 8} == {key: value for key, value in forecaster.get_params().items() if key in own}
    assert set(own) <= set(inspect.signature(type(forecaster)).parameters)
    assert clone(forecaster).get_params() == forecaster.get_params()
    made = forecaster._architecture()
    assert (type(made), made.units) == (architecture, 8)


@pytest.mark.parametrize(("chosen", "kind"), [
    ("gru", fk.GRU), (fk.LSTM(units=16), fk.LSTM), (fk.Transformer, fk.Transformer), (Mean, LayerBackbone),
])  # fmt: skip
def test_what_a_backbone_may_be_given_as(chosen, kind):
    made = fk.KerasForecaster(backbone=chosen)._architecture()
    assert type(made) is kind
    assert made is not chosen


def test_an_object_and_its_name_are_the_same_forecaster(fitted):
    forecaster = fk.KerasForecaster(**TINY, backbone=fk.GRU(units=8)).fit(SERIES)
    np.testing.assert_array_equal(forecaster.predict(), fitted.predict())


def test_a_layer_of_ones_own_forecasts_and_is_built_by_fit():
    forecaster = fk.KerasForecaster(**TINY, backbone=Mean).fit(SERIES)
    assert forecaster.predict().shape == (4,)
    assert isinstance(forecaster.model_.backbone, Mean)
    assert forecaster.backbone is Mean


def test_parameters_of_a_backbone_object_are_addressed_by_its_name():
    forecaster = fk.KerasForecaster(backbone=fk.LSTM(units=16))
    assert forecaster.get_params()["backbone__units"] == 16
    copy = clone(forecaster).set_params(backbone__units=4, backbone__bidirectional=True)
    assert (copy.backbone.units, copy.backbone.bidirectional) == (4, True)
    assert forecaster.backbone.units == 16


@pytest.mark.parametrize(("backbone", "match"), [
    ("gruu", "Did you mean 'gru'"), ("LSTM", "Did you mean 'lstm'"), (3, "must be a name, a Backbone or a class"),
    (np.ndarray, "must be a name, a Backbone or a class"),
])  # fmt: skip
def test_unknown_backbones_are_refused(backbone, match):
    with pytest.raises(ParameterError, match=match):
        fk.KerasForecaster(**TINY, backbone=backbone).fit(SERIES)


def test_a_built_layer_is_refused_with_the_remedy():
    with pytest.raises(ParameterError, match="Pass the layer's class, not a built layer"):
        fk.KerasForecaster(**TINY, backbone=Mean()).fit(SERIES)


# ---------------------------------------------------------------------------------------------- what fit leaves


def test_before_fit_there_is_no_model():
    forecaster = fk.GRUForecaster()
    assert not hasattr(forecaster, "model_")
    with pytest.raises(NotFittedError):
        forecaster.predict()


def test_the_model_is_a_keras_model_with_the_sizes_asked_for(fitted):
    assert isinstance(fitted.model_, keras.Model)
    sizes = fitted.model_.sizes
    assert (sizes.lookback, sizes.horizon, sizes.patch, sizes.masked) == (12, 4, 4, False)
    assert (fitted.lookback_, fitted.horizon_, fitted.patch_) == (12, 4, 4)


def test_a_network_trained_on_complete_windows_carries_values_over_later_gaps(fitted):
    history, filled = SERIES.copy(), SERIES.copy()
    history[-4:-2], filled[-4:-2] = np.nan, SERIES[-5]
    history[-12:-9], filled[-12:-9] = np.nan, SERIES[-9]  # nothing of the window lies before
    np.testing.assert_allclose(fitted.predict(history=history), fitted.predict(history=filled))


def test_a_history_shorter_than_the_lookback_is_forecast(fitted):
    assert np.isfinite(fitted.predict(history=SERIES[-5:])).all()


def test_pickles_hold_weights_and_nothing_compiled(fitted):
    fitted.predict()
    state = fitted.network_.__getstate__()
    assert state["_live"] is None
    assert all(isinstance(weight, np.ndarray | np.generic) for weight in state["weights"])
    again = pickle.loads(pickle.dumps(fitted))
    assert again.network_._live is None
    np.testing.assert_array_equal(again.predict(), fitted.predict())


def test_weights_of_another_network_are_refused(fitted):
    state = fitted.network_.__getstate__()
    names = ("backbone", "sizes", "normalization", "loss", "levels", "seed", "weights")
    arguments = {**{name: state[name] for name in names}, "backbone": fk.GRU(units=4)}
    with pytest.raises(InputError, match="must be the one that was trained"):
        TrainedNetwork(**arguments).live()


def test_callbacks_see_the_network_and_are_left_as_found():
    seen = []
    callback = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(sorted(logs)))
    before = dict(vars(callback))
    forecaster = fk.GRUForecaster(**{**TINY, "epochs": 2}, units=8, callbacks=[callback]).fit(SERIES)
    assert seen == [["loss", "val_loss"]] * 2
    assert vars(callback) == before
    assert forecaster.callbacks == [callback]


def test_verbose_prints_a_line_per_epoch(capsys):
    fk.RNNForecaster(**TINY, units=8, verbose=1).fit(SERIES)
    assert capsys.readouterr().out.startswith("RNNForecaster  epoch 1/1  loss ")


# ---------------------------------------------------------------------------------------------- quantiles and series


def test_trained_quantiles_do_not_cross_and_hold_the_point(quantile):
    future = make_future(make_panel(), 4)
    frame = quantile.forecast(future)
    assert (np.diff(frame[["q0.1", "q0.5", "q0.9"]]) >= 0).all()
    np.testing.assert_allclose(frame["forecast"], frame["q0.5"])
    assert len(frame) == 3 * 4


def test_quantiles_are_interpolated_between_trained_levels_and_refused_outside(quantile):
    future = make_future(make_panel(), 4)
    trained = quantile.predict(future, quantile_levels=[0.1, 0.5])
    between = quantile.predict(future, quantile_levels=[0.3])["q0.3"]
    assert (trained["q0.1"].to_numpy() <= between.to_numpy()).all()
    assert (between.to_numpy() <= trained["q0.5"].to_numpy()).all()
    with pytest.raises(InputError):
        quantile.predict(future, quantile_levels=[0.05])


def test_series_have_vectors_and_tokens_a_calendar(quantile):
    sizes = quantile.model_.sizes
    assert sizes.series == 4  # three series and one for all that come later
    assert sizes.calendar == 5  # day and week, two waves each, and the weekend
    table = np.asarray(quantile.model_.embed_series.embeddings)
    assert (table[1:] != 0).any(axis=1).all()
    np.testing.assert_array_equal(table[0], 0)


def test_unseen_series_are_forecast(quantile):
    panel = make_panel(120, ("new",))
    frame = quantile.forecast(make_future(panel, 4), history=panel)
    assert frame["unique_id"].unique().tolist() == ["new"]
    assert np.isfinite(frame["forecast"]).all()


def test_the_calendar_changes_a_forecast(quantile):
    """The same values at another time of day have another forecast."""
    panel = make_panel(120, ("new",))
    panel = panel[panel.ds < panel.ds.min() + np.timedelta64(50, "h")]
    later = panel.assign(ds=panel.ds + np.timedelta64(5, "h"))
    forecasts = [quantile.forecast(make_future(rows, 4), history=rows)["forecast"] for rows in (panel, later)]
    assert (forecasts[0].to_numpy() != forecasts[1].to_numpy()).any()


# ---------------------------------------------------------------------------------------------- ensembles

MEMBERS = [fk.NaiveForecaster(), fk.DriftForecaster(), fk.MeanForecaster()]
SIZE = {"horizon": 4, "lookback": 12}


def alone(members, data=SERIES):
    return [clone(member).set_params(**SIZE).fit(data).predict() for member in members]


@pytest.mark.parametrize(("how", "combine"), [("mean", np.mean), ("median", np.median)])
def test_an_ensemble_is_its_members_by_hand(how, combine):
    forecast = fk.EnsembleForecaster(forecasters=MEMBERS, how=how, **SIZE).fit(SERIES).predict()
    np.testing.assert_allclose(forecast, combine(alone(MEMBERS), axis=0))
    backwards = fk.EnsembleForecaster(forecasters=MEMBERS[::-1], how=how, **SIZE).fit(SERIES).predict()
    np.testing.assert_allclose(backwards, forecast)


def test_an_ensemble_with_a_network_is_its_members_by_hand(fitted):
    members = [fk.GRUForecaster(**TINY, units=8), fk.LinearForecaster()]
    ensemble = fk.EnsembleForecaster(forecasters=members, **SIZE).fit(SERIES)
    parts = [fitted.predict(), fk.LinearForecaster(**SIZE).fit(SERIES).predict()]
    np.testing.assert_allclose(ensemble.predict(), np.mean(parts, axis=0), rtol=1e-6)
    assert [type(member) for member in ensemble.forecasters_] == [type(member) for member in members]
    assert not hasattr(members[0], "network_")


def test_an_ensemble_on_a_panel_has_intervals_around_its_points():
    panel = make_panel(120, ("a", "b"))[["unique_id", "ds", "load"]]
    ensemble = fk.EnsembleForecaster(forecasters=MEMBERS, **SIZE, target="load").fit(panel)
    frame = ensemble.forecast()
    assert (np.diff(frame[["q0.1", "q0.5", "q0.9"]]) >= 0).all()
    assert len(frame) == 8


@pytest.mark.parametrize("members", [[], "gru", [fk.NaiveForecaster], fk.NaiveForecaster()])
def test_members_must_be_forecasters(members):
    with pytest.raises(ParameterError, match="forecasters must be a list of forecasters"):
        fk.EnsembleForecaster(forecasters=members, **SIZE).fit(SERIES)


def test_how_is_refused_with_the_nearest():
    with pytest.raises(ParameterError, match="Did you mean 'median'"):
        fk.EnsembleForecaster(how="medan", **SIZE).fit(SERIES)
