"""TunedForecaster: whose parameters count, what it keeps, and that it is the best one in all it says."""

import numpy as np
import pandas as pd
import pytest
from conftest import ROLES, wave
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from tuning_help import TroubledForecaster

import forecastkit as fk

HERE = {"n_jobs": 0, "n_folds": 1, "random_state": 0}
SPACE = {"validation_size": [0.1, 0.3], "lookback": [12, 24]}
SERIES = wave(150)


def tuned(forecaster=None, space=None, **parameters):
    return fk.TunedForecaster(forecaster or fk.LinearForecaster(horizon=6), space or SPACE, **HERE | parameters)


@pytest.fixture(scope="module")
def fitted(panel):
    """A ridge on the panel with covariates, whose roles it names itself."""
    model = tuned(fk.LinearForecaster(horizon=6, calibrate=True, **ROLES), n_trials=3)
    return model.fit(panel)


def test_it_forecasts_as_the_best_fitted_on_all_rows(fitted, panel, future):
    best = fk.LinearForecaster(horizon=6, calibrate=True, **ROLES, **fitted.best_params_).fit(panel)
    pd.testing.assert_frame_equal(fitted.predict(future), best.predict(future))
    pd.testing.assert_frame_equal(fitted.predict(future, coverage=0.8), best.predict(future, coverage=0.8))
    pd.testing.assert_frame_equal(fitted.forecast(future), best.forecast(future))
    pd.testing.assert_frame_equal(fitted.sample(3, future, random_state=0), best.sample(3, future, random_state=0))
    assert fitted.scores_ == best.scores_
    assert (fitted.horizon_, fitted.lookback_) == (6, best.lookback_)


def test_the_leaderboard(fitted):
    assert len(fitted.trials_) == 3
    assert fitted.trials_.index[0] == fitted.trials_["score"].idxmin()
    assert fitted.best_score_ == fitted.trials_["score"].iloc[0]
    assert set(fitted.best_params_) == set(SPACE)
    assert fitted.best_forecaster_.get_params()["lookback"] == fitted.best_params_["lookback"]


def test_it_is_saved_with_what_was_found(fitted, future, tmp_path):
    model = fk.load(fitted.save(tmp_path / "m.forecast") or tmp_path / "m.forecast")
    pd.testing.assert_frame_equal(model.predict(future), fitted.predict(future))
    pd.testing.assert_frame_equal(model.trials_, fitted.trials_, check_exact=True)
    assert model.best_params_ == fitted.best_params_
    pd.testing.assert_frame_equal(model.best_forecaster_.predict(future), fitted.predict(future))
    newer = future.assign(load=1.0, wind=0.0)
    for one in (model, clone_of(fitted, tmp_path)):
        one.update(newer)
        assert one.history_ is one.best_forecaster_.history_


def clone_of(model, folder):
    model.save(folder / "copy.forecast")
    return fk.load(folder / "copy.forecast")


def test_a_space_that_is_a_function_is_code_and_stays_out_of_the_file(tmp_path):
    model = tuned(space=lambda hp: {"lookback": hp.Choice("lookback", [6, 12])}, directory=tmp_path / "kept").fit(
        SERIES
    )
    model.save(tmp_path / "m.forecast")
    loaded = fk.load(tmp_path / "m.forecast")
    assert loaded.space is None
    np.testing.assert_array_equal(loaded.predict(), model.predict())


def test_what_is_given_here_replaces_what_the_forecaster_says():
    inner = fk.LinearForecaster(horizon=6, lookback=10, validation_size=0.1)
    assert tuned(inner).fit(SERIES).horizon_ == 6
    outer = tuned(inner, horizon=3, validation_size=12)
    assert outer._configured().get_params() == inner.get_params() | {"horizon": 3, "validation_size": 12}
    assert inner.horizon == 6
    assert len(outer.fit(SERIES).predict()) == 3
    assert outer.get_params()["forecaster__horizon"] == 6


def test_a_backtest_takes_horizon_and_levels_of_the_forecaster():
    inner = fk.LinearForecaster(horizon=6, lookback=24, quantile_levels=[0.2, 0.8])
    model = tuned(inner, {"validation_size": [0.2]}, n_trials=1)
    one, other = (fk.backtest(each, SERIES, n_windows=4) for each in (model, inner))
    pd.testing.assert_frame_equal(one.forecasts, other.forecasts)
    assert fk.audit(model, SERIES).passed


def test_what_is_given_here_replaces_what_the_forecaster_has():
    template = fk.TunedForecaster(fk.GRUForecaster(horizon=9), random_state=3, horizon=6)._configured()
    assert (type(template).__name__, template.random_state, template.horizon) == ("GRUForecaster", 3, 6)


def test_quantiles_and_distributions_are_those_of_the_best():
    small = {"horizon": 2, "lookback": 8, "units": 4, "epochs": 1, "windows_per_epoch": 32, "random_state": 0}
    forecaster = fk.GRUForecaster(**small, loss="gaussian")
    model = tuned(forecaster, {"units": [4]}, n_trials=1).fit(SERIES)
    direct = fk.GRUForecaster(**small, loss="gaussian").fit(SERIES)
    np.testing.assert_allclose(model.predict(coverage=0.9), direct.predict(coverage=0.9))
    start = len(SERIES)
    rows = np.r_[SERIES, wave(10, 3)]
    one, other = (fk.backtest(each, rows, start=start).forecasts for each in (model, direct))
    pd.testing.assert_frame_equal(one, other)
    assert "log_density" in one


def test_newer_rows_and_training_on():
    model = tuned().fit(SERIES)
    before = model.predict()
    model.partial_fit(wave(174)[-24:] + 5)
    assert (model.predict() > before).all()
    assert model.best_forecaster_.history_ is model.history_


def test_new_series_have_scales_of_their_own(panel):
    model = tuned(fk.LinearForecaster(horizon=6, target="load", past=["temp", "wind", "size"])).fit(
        panel[panel["unique_id"] != "c"]
    )
    other = panel[panel["unique_id"] == "c"]
    forecast = model.predict(history=other)
    assert forecast["load"].between(other["load"].min() / 2, other["load"].max() * 2).all()


@pytest.mark.parametrize("after", [1, 3])
def test_ctrl_c_leaves_what_was_found(after, monkeypatch):
    from forecastkit.tuning import search

    run_trial = search.run_trial

    def run(*arguments):
        run.count += 1
        if run.count > after:
            raise KeyboardInterrupt
        return run_trial(*arguments)

    run.count = 0
    monkeypatch.setattr(search, "run_trial", run)
    model = tuned(TroubledForecaster(horizon=6, lookback=24), {"bias": (0.0, 9.0)})
    with pytest.raises(KeyboardInterrupt):
        model.fit(SERIES)
    assert (model.trials_["state"] == "done").sum() == after
    assert model.trials_.loc[model.trials_["score"].idxmin(), "bias"] == model.best_params_["bias"]
    assert not hasattr(model, "history_")


def test_in_scikit_learns_objects():
    cloned = clone(tuned())
    assert cloned.get_params()["forecaster__horizon"] == 6
    cloned.set_params(forecaster__horizon=3, space={"lookback": [6, 12]})
    X, y = np.random.default_rng(0).normal(size=(120, 2)), wave(120)
    grid = GridSearchCV(
        cloned.set_params(n_trials=1), {"forecaster__validation_size": [0.1, 0.2]}, cv=TimeSeriesSplit(2, test_size=3)
    )
    assert hasattr(grid.fit(X, y).best_estimator_, "best_forecaster_")


def test_weights_reach_the_last_fit():
    X = np.zeros((len(SERIES), 1))
    weight = np.r_[np.zeros(75), np.ones(75)]
    spoiled = np.r_[np.full(75, 30.0), SERIES[75:]]
    model = tuned(space={"lookback": [12]}, n_trials=1).fit(X, spoiled, sample_weight=weight)
    direct = fk.LinearForecaster(horizon=6, **model.best_params_).fit(X, spoiled, sample_weight=weight)
    np.testing.assert_array_equal(model.predict(np.zeros((6, 1))), direct.predict(np.zeros((6, 1))))


def test_bad_input_comes_before_any_training():
    for space, sentence in (({"lookbak": [1]}, "Did you mean 'lookback'"), ({"lookback": []}, "at least one choice")):
        with pytest.raises(fk.InputError, match=sentence):
            tuned(space=space).fit("not even data")
    with pytest.raises(fk.InputError, match="search must be one of"):
        tuned(search="grid").fit(SERIES)
    with pytest.raises(fk.InputError, match=r"4 rows|horizon \+ 2"):
        tuned().fit(SERIES[:4])
