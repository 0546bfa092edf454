"""Transforms of the target: undone where they were done, for every forecaster that learns."""

import holidays
import numpy as np
import pandas as pd
import pytest
from conftest import SMALL, wave
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import forecastkit as fk
from forecastkit.data.ingest.read_panel import read_panel
from forecastkit.data.windows import Origins
from forecastkit.preprocessing.scaler import Scaler
from forecastkit.preprocessing.transforms import TRANSFORMS, backward, forward, outside_domain

SIZES = {"horizon": 6, "lookback": 24}
MODELS = {
    "linear": lambda **more: fk.LinearForecaster(**SIZES, **more),
    "tabular": lambda **more: fk.TabularForecaster(**SIZES, **more),
    "gru": lambda **more: fk.GRUForecaster(**SMALL, **more),
}


def growing(rows=240, name="sales"):
    """A season whose size doubles every 60 hours."""
    index = pd.date_range("2024-01-01", periods=rows, freq="h", name="ds")
    return pd.Series(wave(rows) * 2 ** (np.arange(rows) / 60), index=index, name=name)


@pytest.mark.parametrize("name", TRANSFORMS)
@given(values=hnp.arrays("float64", 5, elements=st.floats(1e-6, 1e9)))
def test_backward_undoes_forward(name, values):
    np.testing.assert_allclose(backward(name, forward(name, values)), values, rtol=1e-6)
    assert (np.diff(forward(name, np.sort(values))) >= 0).all()


@pytest.mark.parametrize(("name", "low"), [("sqrt", 0.0), ("log1p", 0.0), ("log", 1.0)])
def test_what_has_no_transform_is_missing_and_the_smallest_value_is_a_floor(name, low):
    values = np.array([-1.0, low, np.nan], dtype="float32")
    assert outside_domain(name, values).tolist() == [True, False, False]
    np.testing.assert_array_equal(forward(name, values), [np.nan, 0.0, np.nan])
    assert forward(name, values).dtype == "float32"
    assert (backward(name, np.array([-3.0, 0.0])) >= 0).all()


def test_a_transform_by_hand_gives_the_same_forecast():
    given = growing()
    by_hand = np.square(fk.LinearForecaster(**SIZES, recipes=1).fit(np.sqrt(given)).predict())
    ours = fk.LinearForecaster(**SIZES, recipes=1, target_transform="sqrt").fit(given).predict()
    np.testing.assert_allclose(ours, by_hand, rtol=1e-6)


def test_forecasts_of_what_falls_stay_above_zero():
    falling = pd.Series(np.linspace(60, 1, 240), index=growing().index, name="stock")
    sizes = {"horizon": 24, "lookback": 48, "validation_size": 0, "lower": -np.inf}
    assert fk.LinearForecaster(**sizes).fit(falling).predict().min() < 0
    for name in TRANSFORMS:
        assert fk.LinearForecaster(target_transform=name, **sizes).fit(falling).predict().min() >= 0


@pytest.mark.parametrize("name", MODELS)
def test_quantiles_scores_and_saved_models_are_in_the_users_units(name, tmp_path):
    given = growing()
    model = MODELS[name](target_transform="log1p").fit(given)
    ahead = model.predict(quantile_levels=[0.1, 0.5, 0.9])
    assert (ahead["q0.1"] <= ahead["q0.9"]).all()
    assert given.min() < ahead["q0.5"].min()
    assert ahead["q0.5"].max() < 2 * given.max()
    assert model.scores_["mae"] < 2 * model.scores_["mae_seasonal_naive"]
    if name != "tabular":
        model.save(tmp_path / "m.forecast")
        pd.testing.assert_series_equal(fk.load(tmp_path / "m.forecast").predict(), model.predict())


def test_a_constant_series_and_one_met_later_go_through():
    constant = pd.Series(9.0, index=growing().index, name="sales")
    model = fk.LinearForecaster(**SIZES, target_transform="sqrt").fit(constant)
    np.testing.assert_allclose(model.predict(), 9.0)
    newer = pd.Series(16.0, index=constant.index, name="sales")
    np.testing.assert_allclose(model.predict(history=newer), 16.0)


def test_values_without_a_transform_are_refused_by_fit_and_missing_later():
    given = growing()
    wrong = given.copy()
    wrong.iloc[[30, 40]] = -2.0
    with pytest.raises(fk.InputError, match=r"is for values from 0, got -2 at 2024-01-02 06:00:00, -2 at"):
        fk.LinearForecaster(**SIZES, target_transform="sqrt").fit(wrong)
    model = fk.LinearForecaster(**SIZES, target_transform="sqrt").fit(given)
    missing = wrong.where(wrong >= 0)
    np.testing.assert_array_equal(model.predict(history=wrong), model.predict(history=missing))


@pytest.mark.parametrize("name", MODELS)
def test_unknown_transforms_are_refused(name):
    with pytest.raises(fk.InputError, match="target_transform must be one of"):
        MODELS[name](target_transform="cube").fit(growing())


def test_distributions_refuse_a_transform():
    with pytest.raises(fk.InputError, match="target_transform goes with losses of points"):
        fk.GRUForecaster(**SMALL, loss="gaussian", target_transform="sqrt").fit(growing())


def test_tabular_knows_holidays_and_waves():
    index = pd.date_range("2023-01-01", periods=700, freq="D")
    closed = pd.Index([day.date() in holidays.country_holidays("US", years=[2023, 2024]) for day in index])
    sales = pd.Series(50 + np.random.default_rng(0).normal(0, 0.5, 700) - 30 * closed, index=index)
    sizes = {"horizon": 40, "lookback": 60, "validation_size": 0, "calendar": False}
    informed, blind = (
        fk.TabularForecaster(holidays=country, fourier={365.25: 1}, **sizes).fit(sales[:"2024-11-20"])
        for country in ("US", None)
    )
    assert informed.predict()["2024-12-25"] < 25 < 40 < blind.predict()["2024-12-25"]
    assert {"calendar_0", "calendar_1"} < set(blind.feature_names_) < set(informed.feature_names_)


@pytest.mark.parametrize("transform", ["sqrt", "log1p", "log"])
@pytest.mark.parametrize("factor", [1.0, 1e6])
def test_extrapolated_forecasts_are_limited_by_the_largest_or_last_value(transform, factor):
    panel, _ = read_panel(np.arange(1.0, 31.0))
    scaler = Scaler.fit(panel, panel.indptr[1:], 2, (), transform=transform)
    grown, _ = read_panel(factor * np.arange(1.0, 31.0))
    forecast = scaler.restore(np.array([[0.0, 1e9]]), grown, Origins.every_channel(np.array([0]), np.array([29]), 1))
    assert 1 < forecast[0, 0] < 30
    assert forecast[0, 1] == pytest.approx(100 * factor * 30)


@pytest.mark.filterwarnings("ignore:LinearForecaster")
def test_two_values_far_apart_are_not_extrapolated_without_limit():
    """The smaller one follows the larger one, and the series of many values chooses the transform."""
    rows = pd.DataFrame({"many": 5 + np.sin(np.arange(12) / 3), "two": np.r_[[np.nan] * 6, 3e39, 0.12, [np.nan] * 4]})
    forecast = fk.LinearForecaster(horizon=2, target_transform="log1p").fit(rows).predict()
    assert (np.abs(forecast.to_numpy()) <= 100 * 3e39).all()
