"""The linear forecaster by one recipe or several: choices, averages, transforms, saving."""

import numpy as np
import pandas as pd
import pytest
from test_panel import make

import forecastkit as fk
from forecastkit.baselines.ridge import MIN_VARIANCE, Strips
from forecastkit.data.windows import Windows
from forecastkit.forecasters.linear_recipes import Recipe, transforms_for
from forecastkit.preprocessing.scaler import Scaler


def growing(rows=180, seed=0):
    """Months that grow and swing in proportion."""
    t = np.arange(rows)
    noise = np.random.default_rng(seed).normal(0, 0.02, rows)
    values = 100 * np.exp(0.01 * t + 0.2 * np.sin(2 * np.pi * t / 12) + noise)
    return pd.Series(values, index=pd.date_range("2000", periods=rows, freq="MS"))


@pytest.mark.parametrize("normalization", ["last", "mean", "standard"])
def test_windows_are_normalised_as_a_loop_does(normalization):
    panel = make({"a": (0, 40), "b": (2, 25)}, 0.0)
    buffers = Scaler.fit(panel, panel.indptr[1:], 3, ()).buffers(panel, 6, 3)
    windows = Windows.training(panel, panel.indptr[1:], 6, 3)
    origins = windows.at(np.arange(len(windows)))
    strips = Strips(buffers, 6, 3, normalization)
    x, center, scale, y = strips.normalised(origins)
    for row, cells in enumerate(strips.cut(origins)):
        past = np.array(cells[:6], "float64")
        past[np.isnan(past)] = past[~np.isnan(past)][0]
        c = past[-1] if normalization == "last" else past.mean()
        s = np.sqrt(((past - c) ** 2).mean() + MIN_VARIANCE) if normalization == "standard" else 1.0
        np.testing.assert_allclose(x[row], (past - c) / s, atol=1e-5)
        np.testing.assert_allclose(y[row], (cells[6:] - c) / s, atol=1e-4)
        assert center[row, 0] == pytest.approx(c, abs=1e-5)
        assert np.broadcast_to(scale, center.shape)[row, 0] == pytest.approx(s, rel=1e-5)


@pytest.mark.parametrize("normalization", ["mean", "standard"])
def test_other_normalizations_forecast_in_the_units_of_the_data(normalization):
    series = growing()
    forecast = fk.LinearForecaster(horizon=12, normalization=normalization, target_transform="log").fit(series[:-12])
    error = np.abs(forecast.predict() / series[-12:] - 1).mean()
    assert error < 0.1


def test_recipes_are_the_best_on_the_validation_windows():
    series = growing()
    model = fk.LinearForecaster(horizon=12, recipes=3).fit(series)
    recipes = [part.recipe for part in model.parts_]
    assert 1 <= len(recipes) <= 3
    assert recipes[0].target_transform in ("log1p", "sqrt")
    errors = {}
    for recipe in (recipes[0], Recipe("last", None, 36), Recipe("mean", None, 36)):
        given = {"normalization": recipe.normalization, "target_transform": recipe.target_transform}
        one = fk.LinearForecaster(horizon=12, lookback=recipe.lookback, **given).fit(series)
        errors[recipe] = one.scores_["mae"]
    assert min(errors, key=errors.get) == recipes[0]


def test_forecasts_of_recipes_are_averaged():
    series = growing()
    model = fk.LinearForecaster(horizon=12, recipes=2).fit(series)
    parts = []
    for part in model.parts_:
        recipe = part.recipe
        given = {"normalization": recipe.normalization, "target_transform": recipe.target_transform}
        parts.append(fk.LinearForecaster(horizon=12, lookback=recipe.lookback, **given).fit(series).predict())
    np.testing.assert_allclose(model.predict(), sum(parts) / len(parts), rtol=1e-4)


def test_what_is_given_is_not_chosen():
    fixed = {"normalization": "mean", "target_transform": "sqrt", "lookback": 24}
    model = fk.LinearForecaster(horizon=6, recipes=3, **fixed).fit(growing())
    assert [part.recipe for part in model.parts_] == [Recipe("mean", "sqrt", 24)]


def test_no_transform_of_values_below_zero_is_tried():
    panel = make({"a": (0, 30)}, 0.2)
    panel.target[:] = np.abs(panel.target) + 30
    assert transforms_for(panel) == ("sqrt", "log1p")
    assert transforms_for(panel.__class__(**{**vars(panel), "target": panel.target / 100})) == ("sqrt", "log")
    panel.target[3, 0] = -1
    assert transforms_for(panel) == ()


def test_without_a_validation_block_nothing_is_chosen():
    model = fk.LinearForecaster(horizon=12, recipes=3, validation_size=0).fit(growing())
    assert [part.recipe for part in model.parts_] == [Recipe("last", None, model.lookback_)]


def test_recipes_are_saved_updated_and_used_for_new_series(tmp_path):
    series = growing()
    model = fk.LinearForecaster(horizon=6, recipes=3).fit(series[:-6])
    model.save(tmp_path / "model.forecast")
    loaded = fk.load(tmp_path / "model.forecast")
    pd.testing.assert_series_equal(loaded.predict(), model.predict())
    pd.testing.assert_series_equal(loaded.update(series[-6:]).predict(), model.update(series[-6:]).predict())
    other = model.predict(history=1000 * growing(seed=1))
    assert (other > 1000 * growing().min()).all()


def test_what_comes_after_the_cutoff_changes_nothing():
    series = growing()
    changed = series.copy()
    changed.iloc[-12:] *= 3
    results = []
    for given in (series, changed):
        model = fk.LinearForecaster(horizon=6, recipes=3).fit(given[:-12])
        found = fk.backtest(model, given, n_windows=1, start=len(given) - 12)
        results.append(found.forecasts["forecast"].to_numpy())
    np.testing.assert_array_equal(*results)


def test_few_windows_choose_no_regression_that_explodes():
    values = np.array([np.nan, -5.1e-5, -1.535e-4, -1.574e-4, 7.0])
    forecast = fk.LinearForecaster(horizon=1).fit(values).predict()
    assert -10 < forecast[0] < 20
