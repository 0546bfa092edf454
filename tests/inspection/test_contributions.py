"""Contributions of inputs to the forecasts of forecasters without a network."""

import numpy as np
import pandas as pd
import pytest
from conftest import ROLES, in_rotation, make_future, make_panel, wave
from sklearn.tree import DecisionTreeRegressor

import forecastkit as fk
from forecastkit.utils.exceptions import ParameterError

SIZES = {"horizon": 3, "lookback": 12}
HOURS = pd.date_range("2024-01-01", periods=200, freq="h", name="time")
SERIES = pd.Series(wave(200), HOURS, name="load")
PLAIN = {
    "linear": fk.LinearForecaster(**SIZES),
    "log": fk.LinearForecaster(**SIZES, target_transform="log"),
    "tabular": fk.TabularForecaster(regressor=DecisionTreeRegressor(max_depth=4, random_state=0), **SIZES),
    "pretrained": fk.PretrainedForecaster(**SIZES, fine_tune=False),
    "drift": fk.DriftForecaster(horizon=3),
    "median": fk.EnsembleForecaster(
        forecasters=[fk.LinearForecaster(), fk.SeasonalNaiveForecaster(), fk.DriftForecaster()], how="median", **SIZES
    ),
}


@pytest.fixture(scope="module")
def panel():
    return make_panel(120)


@pytest.fixture(scope="module")
def linear(panel):
    """With covariates of all roles, on series with gaps."""
    return fk.LinearForecaster(**SIZES, **ROLES, recipes=1).fit(panel)


@pytest.fixture(scope="module")
def found(linear, panel):
    return fk.interpret(linear, make_future(panel, 3))


def total(found):
    """Sum of the contributions to each forecast, and its change from the baseline."""
    keys = [name for name in found.forecast if name not in ("forecast", "baseline", "time")]
    frame = found.attribution.groupby(keys, sort=False)["attribution"].sum()
    return frame.to_numpy(), (found.forecast["forecast"] - found.forecast["baseline"]).to_numpy()


@pytest.mark.parametrize("baseline", ["last", "mean"])
@pytest.mark.parametrize("name", PLAIN)
def test_contributions_sum_to_the_change_of_the_forecast(name, baseline):
    model = PLAIN[name].fit(SERIES[:150])
    found = fk.interpret(model, baseline=baseline)
    np.testing.assert_allclose(*total(found), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.forecast["forecast"], model.predict(), rtol=1e-6)
    assert np.abs(total(found)[1]).max() > 0 or name in ("drift", "tabular")
    flat = SERIES[:150].copy()
    level = flat.iloc[-1] if baseline == "last" else flat.iloc[-12:].mean()
    if name in ("linear", "log", "tabular"):
        flat.iloc[-12:] = level
        np.testing.assert_allclose(found.forecast["baseline"], model.predict(history=flat), rtol=1e-5)


def test_contributions_to_a_linear_forecast_are_coefficients_times_differences():
    model = fk.LinearForecaster(**SIZES, recipes=1).fit(SERIES[:150])
    past, last = SERIES[:150], SERIES.iloc[149]
    found = fk.interpret(model).arrays["target"][0, :, 0]
    for place in range(12):
        more = past.copy()
        more.iloc[138 + place] += 1.0
        coefficients = (model.predict(history=more) - model.predict(history=past)).to_numpy()
        expected = coefficients * (past.iloc[138 + place] - last)
        np.testing.assert_allclose(found[:, place], expected, rtol=1e-3, atol=1e-4)


def test_future_covariates_contribute_by_their_effects(linear, panel, found):
    future = make_future(panel, 3)
    table = found.attribution[found.attribution["input"] == "temp"].set_index(["unique_id", "step", "input_step"])
    before = linear.forecast(future)
    for step in range(3):
        mean = linear.scaler_.known.center[0, 0]
        at_mean = future.copy()
        at_mean.loc[at_mean.groupby("unique_id").cumcount() == step, "temp"] = mean
        change = (before["forecast"] - linear.forecast(at_mean)["forecast"]).to_numpy().reshape(3, 3)
        for series, name in enumerate("abc"):
            own = table.loc[name].xs(step + 1, level="input_step")["attribution"].to_numpy()
            np.testing.assert_allclose(own, change[series], rtol=1e-3, atol=1e-4 * np.abs(change).max())


def test_gaps_contribute_nothing_and_times_are_those_of_the_data(panel):
    gappy = panel[panel["unique_id"] == "a"].copy()
    gappy.loc[gappy.index[-4], "load"] = np.nan
    model = fk.LinearForecaster(**SIZES, **ROLES).fit(gappy)
    frame = fk.interpret(model, make_future(gappy, 3)).attribution
    missing = frame[(frame["role"] == "target") & (frame["input_time"] == gappy["ds"].iloc[-4])]
    assert len(missing) == 3
    assert (missing["attribution"] == 0).all()
    assert missing["value"].isna().all()


def test_an_ensemble_is_explained_by_the_weighted_sum_of_its_members(panel):
    members = [fk.LinearForecaster(lookback=8), fk.TabularForecaster(regressor=DecisionTreeRegressor(max_depth=3))]
    ensemble = fk.EnsembleForecaster(forecasters=members, weights=[3, 1], **SIZES, **ROLES).fit(panel)
    future = make_future(panel, 3)
    whole, *parts = (fk.interpret(model, future) for model in (ensemble, *ensemble.forecasters_))
    padded = np.pad(parts[0].arrays["target"], [(0, 0)] * 3 + [(4, 0)])
    np.testing.assert_allclose(
        whole.arrays["target"], 0.75 * padded + 0.25 * parts[1].arrays["target"], rtol=1e-9, atol=1e-12
    )
    for column in ("forecast", "baseline"):
        expected = 0.75 * parts[0].forecast[column] + 0.25 * parts[1].forecast[column]
        np.testing.assert_allclose(whole.forecast[column], expected, rtol=1e-9)
    np.testing.assert_allclose(*total(whole), rtol=1e-6, atol=1e-6)


def test_ensembles_with_networks_add_their_gradients(panel):
    """Members with other lookbacks, and calendar features that only one has."""
    network = fk.GRUForecaster(
        units=4, epochs=1, windows_per_epoch=32, calendar=True, lookback=8, patch=4, random_state=0
    )
    members = [fk.LinearForecaster(), network]
    ensemble = fk.EnsembleForecaster(forecasters=members, **SIZES, **ROLES).fit(panel)
    found = fk.interpret(ensemble, make_future(panel, 3))
    assert found.completeness_error < 0.01
    sums, changes = total(found)
    np.testing.assert_allclose(sums, changes, atol=0.02 * np.abs(changes).max())
    assert any(name.startswith("calendar") for name in found.importance["input"])


def test_the_best_forecaster_of_a_search_is_explained():
    space = {"target_transform": ["log", "none"]}
    model = fk.TunedForecaster(fk.LinearForecaster(**SIZES), space, n_trials=1, n_jobs=0).fit(SERIES[:150])
    pd.testing.assert_frame_equal(fk.interpret(model).attribution, fk.interpret(model.best_forecaster_).attribution)


def test_results_are_drawn_and_shown_like_those_of_networks(found):
    figure = fk.plot_attribution(found, series="b", step=2)
    assert len(figure.axes) >= 3
    assert repr(found).startswith("Interpretation of LinearForecaster: 3 forecasts, 3 steps\n")
    assert "temp" in found._repr_html_()


def test_only_networks_have_attention(linear, panel):
    future = make_future(panel, 3)
    with pytest.raises(ParameterError, match="only networks have attention, got LinearForecaster"):
        fk.interpret(linear, future, what="attention")
    found = fk.interpret(linear, future, series="a")
    for name in ("attention", "selection"):
        with pytest.raises(ParameterError, match="got LinearForecaster"):
            getattr(found, name)


@pytest.mark.parametrize("name", in_rotation(["linear", "pretrained", "drift", "median"], ["pretrained"]))
def test_contributions_of_several_cutoffs_are_those_of_each(name):
    model = PLAIN[name].fit(SERIES[:150])
    both = fk.interpret(model, cutoff=[120, 140])
    np.testing.assert_allclose(*total(both), rtol=1e-6, atol=1e-9)
    for cutoff in (120, 140):
        one = fk.interpret(model, cutoff=cutoff).importance
        given = both.importance[both.importance["cutoff"] == HOURS[cutoff]].reset_index(drop=True)
        pd.testing.assert_frame_equal(given, one, rtol=1e-6)
