"""Bounds of forecasts: given or chosen, for points, quantiles and samples, at no cost in coverage."""

import numpy as np
import pandas as pd
import pytest
from conftest import SMALL
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

import forecastkit as fk
from forecastkit.cli.parameters import parse_parameters
from forecastkit.utils.exceptions import InputError, ParameterError

LEVELS = [0.025, 0.1, 0.5, 0.9, 0.975]
#: Forecasters whose quantiles arise in different ways.
FORECASTERS = {
    "residuals": fk.MeanForecaster(horizon=2),
    "linear": fk.LinearForecaster(horizon=2, lookback=6),
    "own quantiles": fk.PretrainedForecaster(horizon=2, season_length=1),
    "corrected": fk.PretrainedForecaster(horizon=2, season_length=1, calibrate=True, validation_size=44),
    "rolling": fk.NaiveForecaster(horizon=2, calibrate="rolling"),
    "average": fk.EnsembleForecaster(horizon=2, forecasters=[fk.NaiveForecaster(), fk.MeanForecaster()]),
    "average of quantiles": fk.EnsembleForecaster(
        horizon=2, forecasters=[fk.NaiveForecaster(), fk.PretrainedForecaster(season_length=1)]
    ),
}
#: Falls to 0 and would fall on.
FALLING = np.maximum(40.0 - np.arange(41.0), 0.0)


def counts(seed: int, rows: int = 160) -> np.ndarray:
    """Values at and above 0, many of them 0."""
    return np.maximum(np.random.default_rng(seed).normal(0.3, 1.0, rows), 0.0)


@pytest.mark.parametrize("name", FORECASTERS)
@settings(max_examples=3, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([None, 0.0, -0.1]))
def test_an_interval_holds_the_same_actuals_within_bounds(name, seed, lower):
    data = counts(seed)
    top = float(data.max())
    free, bounded = (
        fk.backtest(
            clone(FORECASTERS[name]).set_params(**bounds).fit(data[:120]),
            data,
            start=120,
            quantile_levels=LEVELS,
        ).forecasts
        for bounds in ({"lower": -np.inf}, {"lower": lower, "upper": top})
    )
    least = 0.0 if lower is None else lower
    columns = [f"q{level:g}" for level in LEVELS]
    for column in (*columns, "forecast"):
        np.testing.assert_allclose(bounded[column], np.clip(free[column], least, top), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(*(frame["actual"].between(frame["q0.1"], frame["q0.9"]) for frame in (free, bounded)))


def test_targets_at_or_above_0_are_forecast_at_or_above_0_by_default():
    model = fk.DriftForecaster(horizon=3).fit(FALLING)
    assert model.nonnegative_.tolist() == [True]
    assert (model.predict() == 0).all()
    assert (model.predict(quantile_levels=LEVELS) >= 0).all(axis=None)
    assert (model.sample(50, random_state=0)["forecast"] >= 0).all()
    assert (fk.DriftForecaster(horizon=3, lower=-np.inf).fit(FALLING).predict() < 0).all()
    below = fk.DriftForecaster(horizon=3).fit(FALLING - 1)
    assert (below.predict() < -1).all()


def test_a_newer_value_below_0_ends_the_default_bound():
    model = fk.DriftForecaster(horizon=3).fit(pd.Series(FALLING))
    model.update(pd.Series([-5.0], index=[41]))
    assert (model.predict() < -5).all()


def test_rows_beyond_the_horizon_and_inside_the_history_keep_to_bounds():
    X = pd.DataFrame({"k": 0.0}, index=range(41))
    model = fk.DriftForecaster(horizon=3, upper=40.0).fit(X, FALLING)
    assert (model.predict(pd.DataFrame({"k": 0.0}, index=range(41, 50))) == 0).all()
    assert (model.predict(X.iloc[5:]) >= 0).all()


def test_bounds_by_series_and_by_target():
    long = pd.DataFrame(
        {"unique_id": np.repeat(["a", "b", "c"], 41), "ds": [*range(41)] * 3, "y": np.tile(FALLING, 3) - 1}
    )
    model = fk.DriftForecaster(horizon=3, lower={"a": -1, "b": -1.5}).fit(long)
    least = model.predict().groupby("unique_id")["y"].min()
    assert least[["a", "b"]].tolist() == [-1, -1.5]
    assert least["c"] < -3
    wide = pd.DataFrame({"p": FALLING, "q": 50 - FALLING})
    forecast = fk.DriftForecaster(horizon=3, upper={"q": 50.5}).fit(wide).predict()
    assert forecast["q"].max() == 50.5
    assert forecast["p"].min() == 0
    lower = fk.DriftForecaster(horizon=3, lower={"q": 1.0}, upper={"p": 50.0}).fit(wide + 2).predict()
    assert lower["p"].min() < 2, "a dict without the target is no bound for it"


def test_a_network_and_its_samples_keep_to_bounds(tmp_path):
    model = fk.GRUForecaster(**SMALL, loss="gaussian", upper=0.5).fit(counts(0).clip(max=0.5))
    for forecaster in (model, fk.load(_saved(model, tmp_path / "m.forecast"))):
        values = forecaster.sample(100, random_state=0)["forecast"]
        assert values.min() == 0
        assert values.max() == 0.5
        assert forecaster.predict(coverage=0.999).stack().between(0, 0.5).all()


def _saved(model, path):
    model.save(path)
    return path


def test_bounds_are_saved(tmp_path):
    long = pd.DataFrame({"unique_id": np.repeat(["a", "b"], 41), "ds": [*range(41)] * 2, "y": np.tile(FALLING, 2) - 1})
    model = fk.DriftForecaster(horizon=3, lower={"a": -1.0}).fit(long)
    loaded = fk.load(_saved(model, tmp_path / "m.forecast"))
    assert loaded.lower == {"a": -1.0}
    pd.testing.assert_frame_equal(loaded.predict(coverage=0.8), model.predict(coverage=0.8))


@pytest.mark.parametrize(
    ("bounds", "error", "sentence"),
    [
        ({"lower": 3, "upper": 3}, InputError, "lower must be below upper, got lower=3 and upper=3"),
        ({"lower": "0"}, ParameterError, "lower must be a number, or a dict of numbers .* got '0'"),
        ({"upper": {"y": np.nan}}, ParameterError, "upper must be a number, or a dict of numbers .* got nan"),
        ({"lower": {"z": 0}}, InputError, "bounds must be those of a series or target, .* got 'z'"),
        ({"lower": {"y": 9}, "upper": 5}, InputError, "lower bound of a series must be below its upper bound"),
        ({"lower": 1.0}, InputError, "all targets must be at or above lower=, got 0 at 40"),
        ({"upper": 39.0}, InputError, "all targets must be at or below upper=, got 40 at 0"),
    ],
)
def test_wrong_bounds_are_refused_and_leave_the_forecaster_as_it_was(bounds, error, sentence):
    data = pd.Series(FALLING, name="y")
    model = fk.DriftForecaster(horizon=3).fit(data)
    before = model.predict()
    with pytest.raises(error, match=sentence) as refused:
        model.set_params(**bounds).fit(data)
    assert refused.type is error  # the command line exits with 2 for a ParameterError
    np.testing.assert_array_equal(model.set_params(lower=None, upper=None).predict(), before)


def test_flags_of_bounds():
    given = parse_parameters({"lower": "-inf", "upper": "a=1, b=2.5"}, ["lower=a=0"])
    assert given == {"lower": {"a": 0.0}, "upper": {"a": 1.0, "b": 2.5}}
    with pytest.raises(ParameterError, match="--lower: must be a number, such as 0"):
        parse_parameters({"lower": "low"}, None)


def test_training_on_after_loading_keeps_the_bound_of_the_fit(tmp_path):
    """Training on with rows at or above 0 alone does not bring the default bound back."""
    y = np.r_[-5.0, np.arange(1.0, 120.0)]
    fk.LinearForecaster(horizon=2, lookback=6).fit(y[:110]).save(tmp_path / "m.forecast")
    model = fk.load(tmp_path / "m.forecast")
    assert np.nanmin(model.history_.target) > 0
    assert model.partial_fit(y[110:]).nonnegative_.tolist() == [False]
