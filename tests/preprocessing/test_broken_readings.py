"""One broken reading decides neither the scale of its series nor the forecast, and is named."""

import warnings

import numpy as np
import pandas as pd
import pytest
from conftest import SMALL, in_rotation
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor

import forecastkit as fk
from forecastkit.data.ingest.read_panel import read_panel
from forecastkit.preprocessing.moments import BrokenReadings, Moments, clean

RNG = np.random.default_rng(0)
SEASON = 175 + 60 * np.sin(2 * np.pi * np.arange(400) / 24) + RNG.normal(0, 5, 400)
TIMES = pd.date_range("2024-01-01", periods=400, freq="h")


def found(*columns):
    panel, _ = read_panel(np.stack(columns, axis=1))
    return BrokenReadings.find(panel, Moments.of(panel.target, panel.indptr))


def broken(place, value=1e9):
    values = SEASON.copy()
    values[place] = value
    return values


@pytest.mark.parametrize("place", [0, 200, [30, 31], 399])
@pytest.mark.parametrize("value", [1e9, -9999999.0, 1e300])
@pytest.mark.filterwarnings("ignore:.*stands for a missing value")
def test_faults_are_found_in_the_middle_and_at_the_ends(place, value):
    faults = found(SEASON, broken(place, value))
    assert faults.ordinal.tolist() == np.atleast_1d(place).tolist()
    assert set(faults.channel.tolist()) == {1}


@pytest.mark.parametrize(("place", "times"), [([], 1), ([200], 2)])
def test_moments_are_those_without_faults_and_computed_again_only_then(place, times, monkeypatch):
    panel, _ = read_panel(np.stack([SEASON, broken(place)], axis=1))
    compute, computed = Moments.of, []
    monkeypatch.setattr(Moments, "of", lambda *given: computed.append(compute(*given)) or computed[-1])
    cleaned, moments, faults = clean(panel)
    assert (faults.ordinal.tolist(), len(computed)) == (place, times)
    assert np.isnan(cleaned.target).sum() == len(place)
    np.testing.assert_allclose(moments.center[0], np.nanmean(cleaned.target, axis=0))


@pytest.mark.parametrize(
    "values",
    [
        SEASON,
        np.where(np.arange(400) < 390, SEASON, 1e9 + SEASON),  # a new level
        np.exp(np.arange(400) / 8),
        np.exp(np.arange(400) / 40),
        np.where(np.arange(400) % 100 == 50, 50.0, 0.0),  # intermittent demand
        np.full(400, 7.0),
        RNG.standard_t(2, 400),
        RNG.lognormal(0, 2, 400),
        np.r_[1.0, 2.0, 3.0, 1e9],  # too few to tell
    ],
)
def test_what_is_no_fault(values):
    assert not len(found(values))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(1.0, 1e6), st.floats(-1e6, 1e6))
def test_no_normal_values_are_faults(seed, scale, level):
    assert not len(found(level + scale * np.random.default_rng(seed).normal(size=300)))


@pytest.mark.parametrize("name", ["Linear", "Mean", "Naive", "SeasonalNaive", "Tabular"])
@pytest.mark.parametrize("place", [100, 395, 399])
def test_forecasts_are_those_of_a_series_with_a_gap(name, place):
    series, gap = pd.Series(broken(place), TIMES), pd.Series(broken(place, np.nan), TIMES)
    options = {"regressor": HistGradientBoostingRegressor(max_iter=20)} if name == "Tabular" else {}
    model = getattr(fk, f"{name}Forecaster")(horizon=6, lookback=48, **options)
    with pytest.warns(UserWarning, match=rf"1e\+09 at {TIMES[place]} is more than 100 standard deviations"):
        model.fit(series)
    if place < 399:  # a gap at the end is no row, so that forecasts begin earlier
        expected = type(model)(**model.get_params(deep=False)).fit(gap).predict()
        np.testing.assert_allclose(model.predict(), expected, rtol=0.02)
    assert model.predict().between(80, 280).all()
    assert model.predict(history=series).between(80, 280).all()


def test_a_network_is_not_misled_and_a_later_fault_is_masked_too():
    parameters = {**SMALL, "lookback": 48}
    with pytest.warns(UserWarning, match=r"1e\+09 at 2024-01-05 04:00:00"):
        model = fk.GRUForecaster(**parameters).fit(pd.Series(broken(100)[:300], TIMES[:300]))
    gap = fk.GRUForecaster(**parameters).fit(pd.Series(broken(100, np.nan)[:300], TIMES[:300]))
    np.testing.assert_array_equal(model.predict(), gap.predict())
    with pytest.warns(UserWarning, match=rf"^GRUForecaster: 1e\+09 at {TIMES[350]} is more"):
        model.partial_fit(pd.Series(broken(350)[300:], TIMES[300:]))
    assert model.predict().between(80, 280).all()


def test_a_corrected_reading_counts_again():
    with pytest.warns(UserWarning, match="treated as missing"):
        model = fk.NaiveForecaster(horizon=2).fit(pd.Series(broken(399), TIMES))
    assert (model.predict() == SEASON[398]).all()
    model.update(pd.Series([180.0], TIMES[399:]))
    assert (model.predict() == 180.0).all()


def test_a_saved_model_still_masks_its_faults(tmp_path):
    with pytest.warns(UserWarning, match="treated as missing"):
        model = fk.LinearForecaster(horizon=6, lookback=48).fit(pd.Series(broken(380), TIMES))
    model.save(tmp_path / "m.forecast")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fk.load(tmp_path / "m.forecast").predict().equals(model.predict())


#: Forecasters whose scores and intervals come from the validation block each in a way of its own.
CALIBRATED = {
    "mean": fk.MeanForecaster(),
    "seasonal naive": fk.SeasonalNaiveForecaster(),
    "linear": fk.LinearForecaster(lookback=48),
    "pretrained, corrected": fk.PretrainedForecaster(calibrate=True),
    "pretrained, rolling": fk.PretrainedForecaster(calibrate="rolling"),
    "naive, rolling": fk.NaiveForecaster(calibrate="rolling"),
    "weights of the validation block": fk.EnsembleForecaster(
        forecasters=[fk.LinearForecaster(lookback=48), fk.SeasonalNaiveForecaster()], weights="backtest"
    ),
}


@pytest.mark.parametrize("name", CALIBRATED)
@pytest.mark.parametrize("value", in_rotation([1e9, -1e300], [1e9]))
def test_a_fault_in_the_validation_block_decides_no_score_and_no_interval(name, value):
    """Two series of very different size, of which one has a fault: all figures are those of a missing reading."""
    fitted = []
    for reading in (value, np.nan):
        frame = pd.DataFrame({"small": SEASON * 1e-6, "large": broken(360, reading)}, index=TIMES)
        model = clone(CALIBRATED[name]).set_params(horizon=6)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            fitted.append(model.fit(frame))
        assert any(f"'large' at {TIMES[360]} is more than 100" in str(one.message) for one in said) != np.isnan(reading)
    given, gap = fitted
    assert given.scores_ == pytest.approx(gap.scores_, rel=1e-9)
    np.testing.assert_allclose(given.predict(coverage=0.95), gap.predict(coverage=0.95), rtol=1e-9)
    np.testing.assert_allclose(
        given.sample(20, random_state=0)["forecast"], gap.sample(20, random_state=0)["forecast"], rtol=1e-9
    )


def test_compare_does_not_measure_errors_of_a_fault():
    found = []
    for reading in (1e9, np.nan):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            series = pd.Series(broken(380, reading), TIMES)
            found.append(
                fk.compare(["naive"], series, horizon=6, folds=1, n_windows=12, metric="mae", memory=False)
                .table["mae"]
                .max()
            )
    assert found[0] == pytest.approx(found[1])


# ------------------------------------------------------------------------------------------------- after the fit

INTERMITTENT = np.where(RNG.random(400) < 0.1, RNG.integers(1, 9, 400), 0).astype("float64")


def test_a_fault_among_intermittent_demand_is_found_and_a_large_order_is_none():
    for value, places in ((1e6, [200]), (400.0, [])):
        values = INTERMITTENT.copy()
        values[200] = value
        assert found(values).ordinal.tolist() == places


@pytest.mark.filterwarnings("ignore:.*stands for a missing value")
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_newer_faults_are_those_of_a_plain_loop_and_never_depend_on_later_rows(data):
    count = data.draw(st.integers(1, 3))
    cells = st.one_of(st.floats(-3, 3), st.sampled_from([np.nan, 1e9, -1e9, 5000.0]))
    columns = [data.draw(st.lists(cells, min_size=20, max_size=20)) for _ in range(count)]
    panel, _ = read_panel(np.array([[0.0] * count, *np.array(columns).T]))
    until = data.draw(st.integers(-1, 10))
    arguments = np.zeros((1, count)), np.full((1, count), 4.0), np.array([until])
    faults = BrokenReadings.find_newer(panel, *arguments)
    expected = []
    for row in range(max(until, -1) + 1, 21):
        for channel in range(count):
            before = panel.target[max(row - 3, 0) : row, channel]
            if abs(panel.target[row, channel]) > 400 and (np.abs(before) <= 400).any():
                expected.append((row, channel))
    assert list(zip(faults.ordinal.tolist(), faults.channel.tolist(), strict=True)) == expected
    cut = panel.between(np.array([0]), np.array([15]))
    assert BrokenReadings.find_newer(cut, *arguments).ordinal.tolist() == [row for row, _ in expected if row < 15]


@pytest.mark.parametrize("saved", [False, True], ids=["in memory", "loaded"])
@pytest.mark.parametrize("name", ["Naive", "SeasonalNaive", "Linear", "Ensemble"])
def test_update_treats_a_fault_as_missing_day_by_day(name, saved, tmp_path):
    members = [fk.NaiveForecaster(), fk.LinearForecaster(lookback=48)]
    own = {"forecasters": members} if name == "Ensemble" else {}
    model = getattr(fk, f"{name}Forecaster")(horizon=6, **own).fit(pd.Series(SEASON[:390], TIMES[:390]))
    other = getattr(fk, f"{name}Forecaster")(horizon=6, **own).fit(pd.Series(SEASON[:390], TIMES[:390]))
    for row in range(390, 400):
        if saved:
            model.save(tmp_path / "m.forecast")
            model = fk.load(tmp_path / "m.forecast")
        if row == 395:
            with pytest.warns(UserWarning, match=rf"1e\+09 at {TIMES[row]} is more than 100 times as far"):
                model.update(pd.Series([1e9], TIMES[[row]]))
        else:
            model.update(pd.Series(SEASON[[row]], TIMES[[row]]))
            other.update(pd.Series(SEASON[[row]], TIMES[[row]]))
    pd.testing.assert_series_equal(model.predict(), other.predict())


def test_a_new_level_is_learned_after_three_rows():
    model = fk.NaiveForecaster(horizon=1).fit(pd.Series(SEASON[:300], TIMES[:300]))
    for row in range(300, 303):
        with pytest.warns(UserWarning, match="treated as missing"):
            model.update(pd.Series([1e6 + row], TIMES[[row]]))
    assert model.update(pd.Series([1e6], TIMES[[303]])).predict().tolist() == [1e6]


@pytest.mark.parametrize("fitted", [False, True])
def test_a_fault_among_the_actuals_is_named_and_decides_no_figure_of_a_backtest(fitted):
    tables = []
    for reading in (1e9, np.nan):
        series = pd.Series(broken(350, reading), TIMES)
        model = fk.SeasonalNaiveForecaster(horizon=6)
        model = model.fit(series[:300]) if fitted else model
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            result = fk.backtest(model, series, start=TIMES[300])
        assert any(f"backtest: 1e+09 at {TIMES[350]} is more" in str(one.message) for one in said) == (reading == 1e9)
        tables.append(result)
    given, gap = tables
    pd.testing.assert_frame_equal(given.forecasts, gap.forecasts)
    pd.testing.assert_frame_equal(given.scores, gap.scores)


def test_a_fault_of_the_fit_decides_no_scale_of_a_later_backtest():
    series = pd.Series(broken(100), TIMES)
    with pytest.warns(UserWarning, match="treated as missing"):
        model = fk.SeasonalNaiveForecaster(horizon=6).fit(series[:300])
    assert fk.backtest(model, series).scores["mase"].between(0.3, 2).all()


def test_a_fault_in_the_history_of_a_new_series_is_named():
    frame = pd.DataFrame({"unique_id": "a", "ds": TIMES, "y": SEASON})
    model = fk.NaiveForecaster(horizon=2, series_id="unique_id").fit(frame)
    other = pd.DataFrame({"unique_id": "b", "ds": TIMES, "y": 1e-3 * broken(399)})
    with pytest.warns(UserWarning, match=r"1e\+06 of 'b' at .* is more than 100 standard deviations"):
        assert model.predict(history=other)["y"].between(0.08, 0.28).all()
