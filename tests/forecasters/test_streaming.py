"""`observe`: the same forecasts as `update` and `predict`, from a history of bounded length."""

import copy

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from conftest import make_future, make_panel, wave
from hypothesis import given, settings

import forecastkit as fk
from forecastkit.utils.exceptions import InputError, ParameterError

ROWS, START = 148, 120
SERIES = pd.Series(wave(ROWS), pd.date_range("2024-01-01", periods=ROWS, freq="h", name="time"), name="load")
MEMBERS = [fk.LinearForecaster(), fk.DampedTrendForecaster()]
SUMMED = [fk.MeanForecaster(), fk.NaiveForecaster()]
MODELS = {
    "linear": lambda: fk.LinearForecaster(horizon=4, lookback=24),
    "rolling": lambda: fk.LinearForecaster(horizon=4, lookback=24, calibrate="rolling"),
    "naive": lambda: fk.NaiveForecaster(horizon=4),
    "seasonal naive": lambda: fk.SeasonalNaiveForecaster(horizon=4),
    "drift, rolling": lambda: fk.DriftForecaster(horizon=4, calibrate="rolling"),
    "mean": lambda: fk.MeanForecaster(horizon=4),
    "theta": lambda: fk.ThetaForecaster(horizon=4),
    "tabular": lambda: fk.TabularForecaster(horizon=4, lookback=24),
    "pretrained": lambda: fk.PretrainedForecaster(horizon=4, fine_tune=False),
    "ensemble": lambda: fk.EnsembleForecaster(forecasters=MEMBERS, horizon=4),
    "ensemble of baselines": lambda: fk.EnsembleForecaster(forecasters=SUMMED, horizon=4),
}


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    return MODELS[request.param]().fit(SERIES[:START])


@pytest.fixture
def linear():
    return fk.LinearForecaster(horizon=4, lookback=24).fit(SERIES[:START])


@pytest.fixture
def stream(gru, tmp_path):
    """Two loaded copies of a network of three series with covariates, neither with Keras."""
    gru.save(tmp_path / "gru.forecast")
    return [fk.load(tmp_path / "gru.forecast") for _ in range(2)]


def observed(seed=1):
    """The newer values of the series, some of them missing."""
    values = SERIES[START:].copy()
    values[np.random.default_rng(seed).random(len(values)) < 0.3] = np.nan
    return values


def test_forecasts_are_those_after_update(model):
    streamed, updated = copy.deepcopy(model), copy.deepcopy(model)
    for time, value in observed().items():
        found = streamed.observe(value, coverage=0.8)
        expected = updated.update(pd.Series([value], [time], name="load")).predict(coverage=0.8)
        pd.testing.assert_frame_equal(found, expected, rtol=1e-9, check_freq=False)
    assert streamed.cutoff_ == updated.cutoff_
    pd.testing.assert_series_equal(streamed.predict(), updated.predict(), rtol=1e-9)


def test_networks_with_covariates_stream_without_keras(stream):
    streamed, updated = stream
    newer = make_panel(300)
    newer = newer[newer["ds"] >= newer.groupby("unique_id")["ds"].transform("max") - pd.Timedelta("59h")]
    for step in range(3):
        rows = newer.groupby("unique_id").nth(step)
        future = make_future(rows)
        records = {row["unique_id"]: row for _, row in rows.iterrows()}
        found = streamed.observe(records, future=future)
        pd.testing.assert_frame_equal(found, updated.update(rows).predict(future), rtol=1e-6)
    assert streamed.network_._live is None


def test_some_series_move_on_without_the_others(stream):
    streamed, updated = stream
    panel = pd.concat([make_panel(241, ("a",)), make_panel()[lambda frame: frame["unique_id"] != "a"]])
    rows, future = panel[panel["unique_id"] == "a"].iloc[-1:], make_future(panel)
    given = {"a": rows["load"].item()}, {"a": {"wind": rows["wind"].item(), "temp": rows["temp"].item()}}
    found = streamed.observe(*given, future=future)
    pd.testing.assert_frame_equal(found, updated.update(rows).predict(future), rtol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_the_history_has_a_bounded_length(name):
    series = pd.Series(wave(700), pd.date_range("2004-01-04", periods=700, freq="W", name="time"), name="load")
    model = MODELS[name]().fit(series)
    lengths = [len(model.observe(value)) and model.history_.rows for value in SERIES[:3]]
    assert len(set(lengths)) == 1
    assert lengths[0] < 650


BASELINES = (fk.NaiveForecaster, fk.SeasonalNaiveForecaster, fk.DriftForecaster, fk.MeanForecaster)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), which=st.integers(0, 3))
def test_baselines_of_several_series_and_targets_keep_sums_alone(seed, which):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"shop": np.tile([1, 2], 60), "day": np.repeat(np.arange(60), 2)})
    for target in ("sales", "visits"):
        table[target] = np.where(rng.random(120) < 0.5, np.nan, rng.normal(5.0, 1.0, 120))
    columns = {"series_id": "shop", "time": "day", "target": ["sales", "visits"]}
    streamed = BASELINES[which](horizon=3, season_length=3, **columns).fit(table[:100])
    updated = copy.deepcopy(streamed)
    for day in range(50, 60):
        rows = table[table["day"] == day]
        found, expected = streamed.observe(rows), updated.update(rows).predict()
        pd.testing.assert_frame_equal(found, expected, rtol=1e-9)
    assert streamed.history_.rows < 60


def test_sums_survive_saving_and_refuse_corrections(tmp_path):
    model = fk.MeanForecaster(horizon=2).fit(SERIES[:START])
    expected = model.observe(50.0)
    model.save(tmp_path / "mean.forecast")
    loaded = fk.load(tmp_path / "mean.forecast")
    np.testing.assert_allclose(loaded.predict(), [(SERIES[:START].sum() + 50.0) / (START + 1)] * 2)
    np.testing.assert_array_equal(loaded.predict(), expected)
    np.testing.assert_allclose(loaded.predict(history=SERIES[:40]), [SERIES[:40].mean()] * 2)
    with pytest.raises(InputError, match="update: rows must lie at or after 2024-01-01 01:00:00, the first one"):
        loaded.update(SERIES[:1])
    np.testing.assert_array_equal(loaded.predict(), expected)


def test_skipped_steps_are_missing_steps(linear):
    other = copy.deepcopy(linear)
    skipped = linear.observe(9.0, time=SERIES.index[START + 2])
    for value in (np.nan, np.nan, 9.0):
        given = other.observe(value)
    pd.testing.assert_series_equal(skipped, given)


def test_missing_steps_are_remembered_in_files_and_forgotten_by_update(linear, tmp_path):
    linear.observe(np.nan)
    linear.save(tmp_path / "linear.forecast")
    loaded = fk.load(tmp_path / "linear.forecast")
    loaded.observe(9.0)
    assert loaded.cutoff_ == SERIES.index[START + 1]
    linear.update(SERIES[START : START + 1])
    linear.observe(9.0)
    assert linear.cutoff_ == SERIES.index[START + 1]


def test_several_targets_and_rows_of_frames(hourly):
    model = fk.LinearForecaster(horizon=4, lookback=24).fit(hourly[:200])
    rows = [copy.deepcopy(model), copy.deepcopy(model), copy.deepcopy(model)]
    given = hourly.iloc[200].to_numpy(), hourly.iloc[200], hourly.iloc[200:201]
    first, *others = (model.observe(row) for model, row in zip(rows, given, strict=True))
    for other in others:
        pd.testing.assert_frame_equal(first, other)


def test_rows_of_whole_numbers_and_of_arrays():
    numbered = pd.Series(wave(130), index=range(5, 135), name="load")
    models = [fk.LinearForecaster(horizon=4, lookback=24).fit(numbered[:120]) for _ in range(2)]
    given = numbered[120:121], numbered[120:121].to_numpy()[:, None]
    first, second = (model.observe(row) for model, row in zip(models, given, strict=True))
    pd.testing.assert_series_equal(first, second)


def test_arrays_with_covariates():
    X, y = np.arange(120.0)[:, None] % 7, wave(120)
    model = fk.LinearForecaster(horizon=4, lookback=24).fit(X[:100], y[:100])
    other = copy.deepcopy(model)
    found = model.observe(y[100], X[100], future=X[101:105])
    np.testing.assert_allclose(found, other.update(X[100:101], y[100:101]).predict(X[101:105]))


REFUSED = {
    "earlier": ((1.0,), {"time": SERIES.index[START - 1]}, "must lie after the latest one, 2024-01-05 23:00:00"),
    "rows known": ((SERIES[START - 1 : START],), {}, "must lie after the latest one"),
    "off the grid": ((1.0,), {"time": "2024-02-01 00:30"}, "must lie on the data's grid"),
    "no time": ((1.0,), {"time": "soon"}, "must be a time of the data"),
    "text": (("1",), {}, "must be a finite number, or NaN where it is missing, got '1'"),
    "infinite": ((np.inf,), {}, "must be a finite number"),
    "two values": (([1.0, 2.0],), {}, "y must have a value for each of 'load', got 2"),
    "another column": (({"load": 1.0, "wind": 2.0},), {}, "must exist, got 'wind'. There are: load, time"),
    "no target": (({},), {}, "a value of each target, got none of 'load'"),
    "a covariate": ((1.0, [2.0]), {}, "X must be left out of models without covariates, got 1 value"),
    "time of rows": ((SERIES[START : START + 1],), {"time": SERIES.index[START]}, "rows have their own times"),
    "levels": ((1.0,), {"quantile_levels": [2.0]}, "must lie inside"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_observations_change_nothing(linear, case):
    given, options, message = REFUSED[case]
    before = linear.history_
    with pytest.raises((InputError, ParameterError), match=message) as error:
        linear.observe(*given, **options)
    assert str(error.value).count("\n") == 0
    assert linear.history_ is before
    assert "missing_steps_" not in vars(linear)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((1.0,), "must be a mapping by series name, got 1.0"),
        (({"d": 1.0},), "the observed series must exist, got 'd'"),
        (({"a": 1.0},), "needs its covariates, got none of 'wind', 'temp'"),
        (({"a": 1.0}, {"b": {}}), "the series of X must exist, got 'b'"),
        ((make_panel(241, ("d",)).iloc[-1:],), "series must be those of the history, got 'd'"),
    ],
)
def test_refused_observations_of_several_series(stream, given, message):
    with pytest.raises((InputError, ParameterError), match=message):
        stream[0].observe(*given)
