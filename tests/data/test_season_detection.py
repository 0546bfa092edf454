"""Season lengths found in the values of rows without times."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import forecastkit as fk
from forecastkit.data.ingest.read_panel import read_panel
from forecastkit.data.season_detection import correlations, find_season
from forecastkit.data.sizes import choose_season

AIR = fk.load_dataset("airpassengers").to_numpy().ravel()
WEEKLY = np.tile([3.0, 1, 4, 1, 5, 9, 2], 13)[:90] + np.random.default_rng(0).normal(size=90) / 2


def slow_correlations(values):
    """Autocorrelations of detrended changes by their definition."""
    values = values.copy()
    for row in range(1, len(values)):
        values[row] = values[row - 1] if np.isnan(values[row]) else values[row]
    time = np.arange(len(values))
    level = values - np.polyval(np.polyfit(time, values, 1), time)
    first = (level[1:] * level[:-1]).sum() / np.sqrt((level[1:] ** 2).sum() * (level[:-1] ** 2).sum())
    rest = level[1:] - np.clip(first, 0, 1) * level[:-1]
    rest -= rest.mean()
    found = [0.0, 0.0]
    for lag in range(2, len(values) // 3 + 1):
        now, then = rest[lag:], rest[:-lag]
        found.append((now * then).sum() / np.sqrt((now**2).sum() * (then**2).sum()))
    return found


@given(length=st.integers(12, 80), missing=st.sets(st.integers(1, 8)), seed=st.integers(0, 1000))
def test_correlations_are_those_of_their_definition(length, missing, seed):
    values = np.random.default_rng(seed).normal(size=length).cumsum()
    values[list(missing)] = np.nan
    np.testing.assert_allclose(correlations(values), slow_correlations(values), atol=1e-9)


@given(
    season=st.sampled_from([4, 7, 12, 13]),
    scale=st.sampled_from([1e-9, 1.0, 1e9]),
    trend=st.floats(-1, 1),
    seed=st.integers(0, 1000),
)
def test_a_clear_season_is_found_beside_a_trend_in_any_unit(season, scale, trend, seed):
    rng = np.random.default_rng(seed)
    profile = np.arange(season) % season == 0
    values = 10.0 * np.tile(profile, 20)[: 12 * season] + rng.normal(size=12 * season)
    assert find_season([scale * (values + trend * np.arange(len(values)))]) == season


@given(rows=st.integers(8, 60), period=st.floats(2, 70), phase=st.floats(0, 7), several=st.booleans())
def test_a_season_is_a_lag_of_the_values_or_1(rows, period, phase, several):
    """A peak by chance, whose multiples have a score below 0, is no season."""
    values = 10 + np.sin(2 * np.pi * np.arange(2 * rows) / period + phase)
    series = [values[:rows], values[rows:]] if several else [values]
    assert 1 <= find_season(series) <= max(len(series[0]) // 3, 1)


def test_a_part_of_a_wave_is_no_season():
    values = 10 + np.sin(np.arange(40) / 3)
    assert find_season([values[:20], values[20:]]) == 1


@pytest.mark.parametrize("walk", [False, True])
def test_noise_and_random_walks_have_no_season(walk):
    for seed in range(20):
        values = np.random.default_rng(seed).normal(size=60 + 20 * seed)
        assert find_season([values.cumsum() if walk else values]) == 1, seed


def test_series_without_variation_or_with_few_values_have_no_season():
    sparse = np.full(100, np.nan)
    sparse[::10] = 1.0
    assert find_season([np.full(90, 0.1), 0.1 * np.arange(90) + 0.3, np.zeros(11), sparse, np.full(30, np.nan)]) == 1
    assert find_season([]) == 1


def test_real_seasons_are_found():
    assert find_season([AIR]) == 12
    bike = fk.load_dataset("bike_sharing")["cnt"].to_numpy("float64")
    assert find_season([bike[-1500:]]) in (24, 168)
    assert find_season([fk.load_dataset("daily_min_temperatures").to_numpy("float64").ravel()[:1500]]) == 1


def test_one_wrong_reading_does_not_hide_the_season():
    values = AIR.astype("float64").copy()
    values[50] = 1e9
    panel, _ = read_panel(values)
    assert choose_season(None, panel, panel.indptr[1:]) == 12


def test_times_or_the_user_determine_the_season():
    panel, _ = read_panel(fk.load_dataset("airpassengers"))
    assert choose_season(None, panel, panel.indptr[1:]) == 12
    assert choose_season(5, panel, panel.indptr[1:]) == 5


@pytest.mark.parametrize("estimator", [fk.SeasonalNaiveForecaster, fk.LinearForecaster, fk.ThetaForecaster])
def test_forecasters_find_the_season_in_the_training_rows_only(estimator):
    changed = WEEKLY.copy()
    changed[72:] = np.random.default_rng(1).normal(size=18) * 100
    assert estimator(horizon=7, validation_size=18).fit(changed).season_length_ == 7
    assert estimator(horizon=7, validation_size=18, season_length=1).fit(changed).season_length_ == 1


def test_forecasts_of_an_array_are_those_of_the_season_when_given():
    found, told = (fk.SeasonalNaiveForecaster(horizon=12, season_length=season).fit(AIR) for season in (None, 12))
    np.testing.assert_array_equal(found.predict(), told.predict())
    assert found.lookback_ == told.lookback_
    np.testing.assert_array_equal(np.ravel(found.predict()), AIR[-12:])


def test_backtests_and_comparisons_scale_errors_by_the_season_before_the_first_cutoff():
    changed = WEEKLY.copy()
    changed[76:] = np.random.default_rng(1).normal(size=14) * 100
    result = fk.backtest(fk.NaiveForecaster(horizon=7), changed, start=76, stride=7)
    seasonal = changed[69:76]
    naive_error = np.abs(changed[76:83] - seasonal).mean()
    first = result.forecasts.iloc[:7]
    assert len(first) == 7
    error = np.abs(np.ravel(first["actual"]) - changed[75]).mean()
    by_step = fk.backtest(fk.NaiveForecaster(horizon=7), changed, start=76, n_windows=1).scores
    assert by_step.loc["seasonal naive", "mae"] == pytest.approx(naive_error)
    assert by_step.loc["forecaster", "mae"] == pytest.approx(error)
