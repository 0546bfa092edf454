"""The baselines as forecasters: known answers, constants, gaps, sizes, calibration."""

import pickle

import numpy as np
import pandas as pd
import pytest
from conftest import wave

import forecastkit as fk
from forecastkit.baselines.ridge import Ridge

BASELINES = ["Naive", "SeasonalNaive", "Drift", "Mean", "Theta", "DampedTrend", "Linear"]


def make(name, **kwargs):
    if name == "Linear":
        kwargs.setdefault("lookback", 12)
    return getattr(fk, f"{name}Forecaster")(**{"horizon": 4, "season_length": 6, **kwargs})


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("value", [0.1, 0.0, -1e8 - 0.3, 3e-7])
def test_a_constant_is_forecast_exactly(name, value):
    model = make(name).fit(np.full(80, value))
    assert (model.predict() == value).all()
    bounds = model.predict(coverage=0.9)
    assert (bounds == value).all(axis=None)
    assert model.scores_["mae"] == 0


@pytest.mark.parametrize("name", BASELINES)
def test_a_constant_beside_other_series(name):
    frame = pd.DataFrame({"a": wave(200), "b": 7.3, "c": 1e8 * wave(200), "d": 1e-3 * wave(200)})
    model = make(name).fit(frame)
    got = model.predict()
    assert (got["b"] == 7.3).all()
    for column in "acd":
        alone = make(name).fit(frame[[column]]).predict()[column]
        tolerance = {"rtol": 0.2} if name == "Linear" else {"rtol": 1e-12}  # the regression is shared
        np.testing.assert_allclose(got[column], alone, **tolerance)


def test_forecasts_by_hand():
    values = np.array([1.0, 2, 3, 11, 12, 13, 21, 22, 26])
    forecasts = {
        "Naive": [26, 26, 26, 26],
        "SeasonalNaive": [21, 22, 26, 21],  # the latest season, not an earlier one
        "Drift": [26 + 25 / 8 * step for step in range(1, 5)],  # from 1 to 26 in eight steps
        "Mean": [111 / 9] * 4,
    }
    for name, expected in forecasts.items():
        model = make(name, season_length=3, validation_size=0, lookback=3).fit(values)
        np.testing.assert_allclose(model.predict(), expected, rtol=1e-12, err_msg=name)


def test_a_missing_season_is_that_of_one_season_before():
    values = np.array([1.0, 2, 3, 11, 12, 13, 21, np.nan, 26])
    model = make("SeasonalNaive", season_length=3, validation_size=0, lookback=3).fit(values)
    assert model.predict().tolist() == [21, 12, 26, 21]


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("where", [slice(0, 9), slice(60, 75), slice(-7, None), slice(None, None, 3)])
def test_gaps_are_not_forecast_as_gaps(name, where):
    values = wave(120, season=6)
    values[where] = np.nan
    model = make(name).fit(pd.Series(values, index=pd.date_range("2024", periods=120, freq="h")))
    assert np.isfinite(model.predict()).all()
    assert np.isfinite(model.predict(coverage=0.8)).all(axis=None)
    assert np.isfinite(model.predict(values_index(120))).all()


def values_index(rows):
    return pd.DataFrame(index=pd.date_range("2024", periods=rows, freq="h"))


@pytest.mark.parametrize("name", BASELINES)
def test_missing_rows_are_missing_values(name):
    series = pd.Series(wave(120), index=pd.date_range("2024", periods=120, freq="h"))
    blank = series.copy()
    blank.iloc[40:50] = np.nan
    one, other = (make(name).fit(s).predict() for s in (blank, series.drop(series.index[40:50])))
    pd.testing.assert_series_equal(one, other)


def test_seasons_come_from_the_frequency():
    monthly = pd.Series(np.arange(60) % 12 * 1.0, index=pd.date_range("2020", periods=60, freq="MS"))
    model = fk.SeasonalNaiveForecaster().fit(monthly)
    assert (model.horizon_, model.season_length_) == (12, 12)
    assert model.predict().tolist() == list(range(12))
    assert fk.NaiveForecaster().fit(monthly.to_numpy()).horizon_ == 12


@pytest.mark.parametrize(
    ("rows", "freq", "options", "expected"),
    [
        (1000, "h", {}, (48, 250)),
        (5000, "h", {}, (48, 504)),
        (100, "D", {}, (14, 25)),
        (200, None, {"horizon": 10}, (10, 50)),
        (200, None, {"horizon": 10, "lookback": 77}, (10, 77)),
    ],
)
def test_default_sizes(rows, freq, options, expected):
    index = pd.date_range("2024", periods=rows, freq=freq) if freq else None
    model = fk.LinearForecaster(recipes=1, **options).fit(pd.Series(wave(rows), index=index))
    assert (model.horizon_, model.lookback_) == expected


def test_the_linear_forecaster_uses_the_last_rows_too():
    rng = np.random.default_rng(0)
    x = np.zeros(400)
    for i in range(1, 400):
        x[i] = (0.9 if i < 300 else -0.9) * x[i - 1] + rng.normal()
    model = fk.LinearForecaster(recipes=1, horizon=1, lookback=4, validation_size=100).fit(x)
    early = fk.LinearForecaster(recipes=1, horizon=1, lookback=4, validation_size=0).fit(x[:300])
    assert abs(model.ridge_.weights - early.ridge_.weights).max() > 0.1


@pytest.mark.parametrize("size", [0, 10, 0.3])
def test_validation_blocks(size):
    model = fk.NaiveForecaster(horizon=4, validation_size=size).fit(wave(100))
    if size == 0:
        assert model.scores_ == {}
        assert model.residuals_ is not None, "residuals then come from training windows"
    else:
        assert model.scores_["windows"] == {10: 7, 0.3: 27}[size]


def test_scores_beside_the_references():
    scores = make("SeasonalNaive", season_length=24).fit(wave(600)).scores_
    assert scores["skill_seasonal_naive"] == 0
    assert scores["mae"] == scores["mae_seasonal_naive"]
    assert scores["skill_linear"] == pytest.approx(1 - scores["mae"] / scores["mae_linear"])


def test_errors_are_in_the_units_of_the_target_and_skill_counts_series_by_their_scale():
    data = np.stack([wave(300), 1e6 * wave(300, 1)], axis=1)
    both = make("Drift").fit(data)
    rows = np.arange(239, 300 - both.horizon_)
    error = fk.backtest(make("Drift"), data, start=240).scores["mae"]["forecaster"]
    assert both.scores_["windows"] == 2 * len(rows)
    assert both.scores_["mae"] == pytest.approx(error)
    alone = [make("Drift").fit(data[:, [place]]).scores_ for place in (0, 1)]
    skills = sorted(scores["skill_seasonal_naive"] for scores in alone)
    assert skills[0] < both.scores_["skill_seasonal_naive"] < skills[1]


def test_the_linear_reference_is_fitted_when_scores_are_read(monkeypatch, tmp_path):
    fits = []
    solve = Ridge.fit
    monkeypatch.setattr(Ridge, "fit", lambda *given: fits.append(1) or solve(*given))
    model = make("Naive").fit(wave(300))
    model.update(wave(310)[300:])
    assert not fits
    assert pickle.loads(pickle.dumps(model)).scores_ == model.scores_ == make("Naive").fit(wave(300)).scores_
    assert len(fits) == 3
    assert model.scores_["mae_linear"] > 0
    assert len(fits) == 3
    fresh = make("Naive").fit(wave(300))
    fresh.save(tmp_path / "a.forecast")
    assert fk.load(tmp_path / "a.forecast").scores_ == model.scores_


def test_short_series_only_train():
    long = pd.DataFrame({"unique_id": "long", "y": wave(200)})
    short = pd.DataFrame({"unique_id": "short", "y": wave(9)})
    model = make("Linear").fit(pd.concat([long, short], ignore_index=True))
    assert len(model.predict()) == 8
    assert np.isfinite(model.predict(coverage=0.8)[["lower", "upper"]]).all(axis=None)


def test_what_stops_a_linear_fit_is_what_the_caller_sees(monkeypatch):
    def stopped(*args, **options):
        raise MemoryError("no room for the moments")

    monkeypatch.setattr("forecastkit.baselines.ridge.Ridge.fit", stopped)
    with pytest.raises(MemoryError, match="no room"):
        make("Linear").fit(wave(80))
