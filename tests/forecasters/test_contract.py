"""The contract that every public forecaster keeps, each fitted once."""

import copy
import pickle
import random
import warnings

import numpy as np
import pandas as pd
import pytest
from conftest import ROTATED_BACKBONES, in_rotation, wave
from sklearn.base import clone

import forecastkit as fk
from forecastkit.networks import backbones

HORIZON = 4
SMALL = {
    "horizon": HORIZON,
    "lookback": 12,
    "patch": 4,
    "units": 8,
    "epochs": 1,
    "windows_per_epoch": 64,
    "batch_size": 32,
    "random_state": 0,
}
NAMES = sorted(name for name in dir(fk) if name.endswith("Forecaster"))
ROWS = 100
TIMES = pd.date_range("2024-01-01", periods=ROWS + HORIZON, freq="h", name="when")
RNG = np.random.default_rng(0)
X = pd.DataFrame({"k": RNG.normal(size=len(TIMES))}, index=TIMES)
Y = pd.Series(wave(ROWS) + X["k"].to_numpy()[:ROWS], index=TIMES[:ROWS], name="load")
PAST, AHEAD = X[:ROWS], X[ROWS:]


def make(name):
    """The forecaster of this name, as small as it can be."""
    cls = getattr(fk, name)
    parameters = cls._get_param_names()
    options = {key: value for key, value in SMALL.items() if key in parameters}
    if name == "EnsembleForecaster":
        options["forecasters"] = [fk.NaiveForecaster(), fk.LinearForecaster()]
    if name == "KerasForecaster":
        options["backbone"] = fk.GRU(units=8)
    if name == "AutoForecaster":
        options |= {"forecasters": ["drift"], "time_limit": 60}
    if name == "HierarchicalForecaster":
        options["forecaster"] = fk.LinearForecaster()
    if name == "TunedForecaster":
        options |= {"forecaster": fk.LinearForecaster(), "space": {"validation_size": [0.1, 0.3]}}
        options |= {"n_trials": 2, "n_folds": 1, "n_jobs": 0, "random_state": 0}
    return cls(**options)


#: Networks that share their layers with one that is not here or have tests of their own; they are fitted in turn, see
#: `.ci/run`.
ROTATED = tuple(
    f"{backbones.find(name).__name__}Forecaster"
    for name in (*ROTATED_BACKBONES, "lstm", "lstm_transformer", "mamba", "min_gru", "tft")
)


@pytest.fixture(
    scope="module",
    params=in_rotation(NAMES, ROTATED),
)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def fitted(name):
    """The forecaster after one fit, which leaves everything else as it was."""
    given_X, given_y, model = PAST.copy(), Y.copy(), make(name)
    parameters = repr(model)
    python, numpy = random.getstate(), np.random.get_state()[1]  # noqa: NPY002
    assert model.fit(given_X, given_y) is model
    assert random.getstate() == python
    np.testing.assert_array_equal(np.random.get_state()[1], numpy)  # noqa: NPY002
    pd.testing.assert_frame_equal(given_X, PAST)
    pd.testing.assert_series_equal(given_y, Y)
    assert repr(model) == parameters
    given_X[:], given_y[:] = np.nan, np.nan  # what was given may change later
    return model


@pytest.fixture(scope="module")
def forecast(fitted):
    """What the fitted forecaster says of the rows ahead."""
    return fitted.predict(AHEAD)


def test_there_are_forecasters():
    assert {f"{n}Forecaster" for n in ("RNN", "LSTM", "GRU", "Transformer", "LSTMTransformer", "Naive", "Linear")} <= {
        *NAMES
    }


# ---------------------------------------------------------------------------------------------- parameters


def test_init_only_stores(name):
    odd = {key: object() for key in getattr(fk, name)._get_param_names()}
    model = getattr(fk, name)(**odd)
    assert vars(model) == odd


def test_parameters_survive_clone_and_set_params(name):
    model = make(name)
    cloned = clone(model)
    assert repr(cloned) == repr(model)
    assert vars(cloned).keys() == vars(model).keys()
    changed = cloned.set_params(horizon=7, validation_size=0.5)
    assert (changed is cloned, changed.horizon, model.horizon) == (True, 7, HORIZON)
    with pytest.raises(ValueError, match="horizn"):
        model.set_params(horizn=3)
    with pytest.raises(TypeError):
        type(model)(horizn=3)


@pytest.mark.parametrize(("parameter", "value"), [("horizon", 0), ("lookback", "long"), ("validation_size", -1)])
def test_fit_checks(name, parameter, value):
    with pytest.raises(fk.InputError, match=parameter):
        make(name).set_params(**{parameter: value}).fit(PAST, Y)


# ---------------------------------------------------------------------------------------------- fit


def test_fit_learns_what_the_contract_names(fitted):
    assert (fitted.horizon_, fitted.lookback_, fitted.season_length_) == (HORIZON, 12, 24)
    assert fitted.cutoff_ == TIMES[ROWS - 1]
    assert {"mae", "mae_seasonal_naive", "mae_linear", "skill_seasonal_naive", "skill_linear"} <= fitted.scores_.keys()
    learned = vars(fitted).keys() - fitted.get_params(deep=False).keys()
    assert [n for n in learned if not n.endswith("_") or n.startswith("_")] == []


def test_the_same_seed_gives_the_same_forecast(name, fitted, forecast):
    if hasattr(fitted, "network_") and name != "GRUForecaster":
        pytest.skip("fits of networks take seconds; this one stands for all")
    np.testing.assert_array_equal(make(name).fit(PAST, Y).predict(AHEAD), forecast)


# ---------------------------------------------------------------------------------------------- predict


def test_points(fitted, forecast):
    assert isinstance(forecast, np.ndarray)
    assert (forecast.shape, forecast.dtype) == ((HORIZON,), np.float64)
    assert np.isfinite(forecast).all()


def test_rows_may_come_in_any_order(fitted, forecast):
    for order in ([2, 0, 3, 1], [3, 2, 1, 0]):
        np.testing.assert_array_equal(fitted.predict(AHEAD.iloc[order]), forecast[order])


def test_rows_of_the_history(fitted):
    rows = pd.concat([AHEAD[:1], PAST.iloc[[50, 90]]])
    got = fitted.predict(rows)
    assert np.isfinite(got).all()
    np.testing.assert_allclose(got[[2, 1]], fitted.predict(PAST.iloc[[90, 50]]), rtol=1e-5)


def test_gaps_that_training_did_not_have(fitted):
    for gap in (slice(0, 1), slice(60, 63), slice(-3, -1), slice(-30, -1)):
        gaps = Y.copy()
        gaps.iloc[gap] = np.nan
        assert np.isfinite(fitted.predict(AHEAD, history=(PAST, gaps))).all(), gap
    assert np.isfinite(fitted.predict(PAST[:3])).all(), "the first row has no history at all"


def test_rows_beyond_the_horizon(fitted, forecast):
    beyond = pd.DataFrame({"k": 0.0}, index=pd.date_range(TIMES[-1], periods=4, freq="h", inclusive="right"))
    got = fitted.predict(pd.concat([AHEAD, beyond]))
    assert got.shape == (HORIZON + 3,)
    np.testing.assert_array_equal(got[:HORIZON], forecast)
    assert np.isfinite(got).all()


def test_quantiles_and_coverage(fitted):
    quantiles = fitted.predict(AHEAD, quantile_levels=[0.1, 0.5, 0.9])
    assert list(quantiles.columns) == ["q0.1", "q0.5", "q0.9"]
    assert quantiles.index.equals(AHEAD.index)
    assert (np.diff(quantiles.to_numpy(), axis=1) >= 0).all()
    bounds = fitted.predict(AHEAD, coverage=0.8)
    assert list(bounds.columns) == ["forecast", "lower", "upper"]
    np.testing.assert_array_equal(bounds["forecast"], fitted.predict(AHEAD))
    np.testing.assert_allclose(bounds[["lower", "upper"]], quantiles[["q0.1", "q0.9"]])


def test_the_long_frame(fitted, forecast):
    frame = fitted.forecast(AHEAD)
    assert list(frame.columns) == ["when", "cutoff", "step", "forecast", "q0.1", "q0.5", "q0.9"]
    np.testing.assert_array_equal(frame["forecast"], forecast)
    assert frame["when"].tolist() == TIMES[ROWS:].tolist()


def test_predicting_changes_nothing(fitted):
    def state():
        return {k: v for k, v in vars(fitted).items() if k != "network_"}

    before, values = state(), copy.copy(state())
    fitted.predict(AHEAD)
    fitted.predict(AHEAD, coverage=0.5)
    fitted.forecast(AHEAD)
    assert fitted.score(AHEAD, np.arange(HORIZON)) < 1
    fk.backtest(fitted, X.assign(load=1.0)[["k"]], np.r_[Y, [1.0] * HORIZON])
    assert state().keys() == values.keys()
    assert all(state()[key] is before[key] for key in values)


def test_a_history_of_the_same_rows_says_the_same(fitted, forecast):
    np.testing.assert_array_equal(fitted.predict(AHEAD, history=(PAST, Y)), forecast)


def test_only_the_past_counts(fitted, forecast):
    longer = X, np.r_[Y, [np.nan] * HORIZON]
    np.testing.assert_array_equal(fitted.predict(history=longer), forecast)
    perturbed = AHEAD.assign(load=1e9, other="x")
    np.testing.assert_array_equal(fitted.predict(perturbed), forecast)


# ---------------------------------------------------------------------------------------------- refused calls

ELSEWHEN = X[:4].set_axis(pd.date_range("2024-01-01 00:30", periods=4, freq="h", name="when"))
REFUSED = {
    "fit on too few rows": lambda model: model.fit(PAST[:3], Y[:3]),
    "fit on blanks": lambda model: model.fit(PAST, Y * np.nan),
    "fit with a wrong weight": lambda model: model.fit(PAST, Y, sample_weight=[1.0]),
    "update by infinities": lambda model: model.update(AHEAD, [np.inf] * HORIZON),
    "update off the grid": lambda model: model.update(ELSEWHEN, [1.0] * 4),
    "update far away": lambda model: model.update(AHEAD.shift(10**6, freq="h"), [1.0] * HORIZON),
    "train on infinities": lambda model: model.partial_fit(AHEAD, [np.inf] * HORIZON),
    "train on rows off the grid": lambda model: model.partial_fit(ELSEWHEN, [1.0] * 4),
    "predict before the history": lambda model: model.predict(X[:1].shift(-9, freq="h")),
    "predict impossible levels": lambda model: model.predict(AHEAD, quantile_levels=[0.5, 2.0]),
    "forecast another form": lambda model: model.forecast(history=(PAST.drop(columns="k"), Y)),
}


def test_a_refused_call_changes_nothing(fitted, forecast):
    before = {name: value for name, value in vars(fitted).items() if name != "network_"}
    for name, call in REFUSED.items():
        with pytest.raises(fk.InputError):
            call(fitted)
        assert vars(fitted).keys() - {"network_"} == before.keys(), name
        for key, value in before.items():
            # Lists of members are put back as other lists of the same members.
            same = value == vars(fitted)[key] if isinstance(value, list) else value is vars(fitted)[key]
            assert same, (name, key)
        np.testing.assert_array_equal(fitted.predict(AHEAD), forecast, err_msg=name)


def test_a_training_that_fails_changes_nothing(name, fitted, forecast, monkeypatch):
    """Not even where it has come to its end before."""
    if hasattr(fitted, "network_") and name != "GRUForecaster":
        pytest.skip("trainings take seconds; this one stands for all networks")
    train_on = type(fitted)._train_on

    def failing(self, *args):
        train_on(self, *args)
        raise fk.InputError("it has failed")

    monkeypatch.setattr(type(fitted), "_train_on", failing)
    cutoff = fitted.cutoff_
    with pytest.raises(fk.InputError, match="it has failed"):
        fitted.partial_fit(AHEAD, [1.0, 5.0, -3.0, 2.0])
    assert fitted.cutoff_ == cutoff
    np.testing.assert_array_equal(fitted.predict(AHEAD), forecast)


# ---------------------------------------------------------------------------------------------- copies


@pytest.mark.parametrize("how", in_rotation(["pickle", "deepcopy", "save"], ["deepcopy"]))
def test_copies_forecast_the_same(fitted, forecast, how, tmp_path):
    path = tmp_path / "model.forecast"
    if how == "save" and hasattr(fitted, "regressor_"):
        with pytest.raises(fk.InputError, match=r"HistGradientBoostingRegressor in 'regressor_'.*joblib"):
            fitted.save(path)
        return
    if how == "save":
        fitted.save(path)
        other = fk.load(path)
    else:
        other = copy.deepcopy(fitted) if how == "deepcopy" else pickle.loads(pickle.dumps(fitted))
    assert type(other) is type(fitted)
    # A saved network is evaluated by NumPy, whose sums round otherwise than TensorFlow's.
    close = 1e-5 * np.ptp(forecast) if how == "save" else 0
    np.testing.assert_allclose(other.predict(AHEAD), forecast, rtol=0, atol=close)
    assert how != "save" or not hasattr(other, "network_") or other.network_._live is None
    pd.testing.assert_frame_equal(other.predict(AHEAD, coverage=0.8), fitted.predict(AHEAD, coverage=0.8))
    # A copy goes its own way.
    other.update(AHEAD, np.zeros(HORIZON))
    assert other.cutoff_ == TIMES[-1]
    np.testing.assert_array_equal(fitted.predict(AHEAD), forecast)


def test_updates_reach_the_forecast(fitted, forecast):
    other = copy.deepcopy(fitted)
    other.update(PAST[-24:], Y[-24:] + 100)
    assert other.n_replaced_ == 24
    assert (other.predict(AHEAD) > forecast).all()
    assert fitted.cutoff_ == TIMES[ROWS - 1]


def test_nothing_is_said_that_was_not_asked(fitted, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted.predict(AHEAD)
    assert capsys.readouterr().out == ""
