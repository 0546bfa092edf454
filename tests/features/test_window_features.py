"""Lags, means and the calendar as a table for scikit-learn's own regressors."""

import pickle

import numpy as np
import pandas as pd
import pytest
from conftest import make_panel, wave
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

import forecastkit as fk


@pytest.fixture
def loads():
    index = pd.date_range("2024-01-01", periods=100, freq="h", name="time")
    return pd.DataFrame({"load": wave(100), "temp": np.arange(100.0)}, index=index)


def test_columns_are_what_pandas_shifts(loads):
    made = fk.WindowFeatures(lags=[3, 24], means=[5], horizon=3, target="load", known="temp")
    got = made.set_output(transform="pandas").fit_transform(loads)
    load = loads["load"]
    mean = load.shift(3).rolling(5, min_periods=1).mean()
    expected = pd.DataFrame(
        {
            "load_lag_3": load.shift(3),
            "load_lag_24": load.shift(24),
            "load_mean_5": mean,
            "temp": loads["temp"],
            "hour": loads.index.hour.astype(float),
            "weekday": loads.index.day_of_week.astype(float),
            "day_of_year": loads.index.day_of_year.astype(float),
        }
    )
    pd.testing.assert_frame_equal(got, expected, rtol=1e-6, check_freq=False)


def test_series_do_not_lend_each_other_values_and_rows_keep_their_order():
    frame = make_panel(120).drop(columns="size").sample(frac=1, random_state=0)
    made = fk.WindowFeatures(lags=2, horizon=2, calendar=False, target="load", known="temp", series_id="unique_id")
    with pytest.warns(UserWarning, match="past covariates"):
        made.fit(frame)
    got = pd.DataFrame(made.transform(frame), frame.index, made.get_feature_names_out())
    assert list(got) == ["load_lag_2", "wind_lag_2", "temp"]
    before = frame.assign(ds=frame["ds"] + pd.Timedelta("2h"))
    expected = frame.merge(before, on=["unique_id", "ds"], how="left", suffixes=("_now", ""))
    np.testing.assert_allclose(got["load_lag_2"], expected["load"], rtol=1e-6)
    np.testing.assert_allclose(got["wind_lag_2"], expected["wind"], rtol=1e-6)
    np.testing.assert_allclose(got["temp"], frame["temp"], rtol=1e-6)


def test_rows_after_those_of_fit_see_them(loads):
    made = fk.WindowFeatures(lags=[2, 30], means=[10], horizon=2, target="load", known="temp")
    whole = made.fit_transform(loads)
    later = clone(made).fit(loads[:70]).transform(loads[70:])
    np.testing.assert_allclose(later, whole[70:])
    first = loads[70:72].assign(load=np.nan)
    np.testing.assert_allclose(clone(made).fit(loads[:70]).transform(first), whole[70:72])


def test_nothing_after_a_row_less_the_horizon_counts(loads):
    made = fk.WindowFeatures(lags=[4, 6], means=[3], horizon=4, target="load", known="temp")
    perturbed = loads.copy()
    perturbed.loc[perturbed.index[50:], "load"] = -1e6 - np.arange(50)
    np.testing.assert_array_equal(made.fit_transform(perturbed)[:54], made.fit_transform(loads)[:54])
    assert (made.fit_transform(perturbed)[54] != made.fit_transform(loads)[54]).any()


def test_pipelines_forecast_with_it(loads):
    season = loads.assign(load=np.sin(2 * np.pi * np.arange(100) / 24))
    features = fk.WindowFeatures(lags=[24], horizon=24, calendar=False, target="load", known="temp")
    model = make_pipeline(features, SimpleImputer(), LinearRegression())
    model.fit(season[:76], season["load"][:76])
    ahead = season[76:].assign(load=np.nan)
    model.fit(season[24:76], season["load"][24:76])
    trees = make_pipeline(features, HistGradientBoostingRegressor(max_iter=20))
    assert cross_val_score(trees, season, season["load"], cv=TimeSeriesSplit(2)).shape == (2,)
    assert np.abs(model.predict(ahead) - season["load"][76:]).mean() < 0.3
    assert np.isfinite(trees.fit(season, season["load"]).predict(ahead)).all()


def test_the_fitted_transformer_can_be_pickled(loads):
    made = fk.WindowFeatures(lags=3).fit(loads)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(made)).transform(loads), made.transform(loads))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lags": [1], "horizon": 2}, "lags must be a whole number of at least 2"),
        ({"lags": [1, 1]}, "lags must not repeat"),
        ({"horizon": 0}, "horizon must be"),
        ({"means": [0]}, "means must be"),
    ],
)
def test_refusals(options, message):
    with pytest.raises(fk.InputError, match=f"WindowFeatures: {message}"):
        fk.WindowFeatures(**options).fit(np.arange(9.0)[:, None])


#: Rows are steps in time: what a row becomes depends on those before it.
BY_NATURE = dict.fromkeys(
    ["check_methods_sample_order_invariance", "check_methods_subset_invariance"], "rows are steps in time"
)


def test_scikit_learns_own_checks():
    check_estimator(fk.WindowFeatures(), expected_failed_checks=BY_NATURE, on_skip=None)
