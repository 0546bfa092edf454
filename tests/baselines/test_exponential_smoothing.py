"""Theta, damped trends and seasonal adjustment: beside slow loops, and by what they must hold."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import forecastkit as fk
from forecastkit.baselines import exponential_smoothing as smoothing
from forecastkit.baselines.seasonal_adjustment import adjust, moving_average


def histories(seed, lengths, rows):
    """Random walks with a trend, right-aligned, NaN at the left of short ones."""
    rng = np.random.default_rng(seed)
    out = np.full((len(lengths), rows), np.nan)
    for row, length in zip(out, lengths, strict=True):
        row[rows - length :] = np.cumsum(rng.normal(0.3, 1, length))
    return out


def slow_theta(values, horizon):
    """One history: the trend by polyfit, the weight and start of the smoothed line by trying all errors."""
    place = np.arange(len(values))
    slope, start = np.polyfit(place, values, 1)
    line = 2 * values - (start + slope * place)
    steps = int(np.clip(len(values) // smoothing.ROWS_PER_STEP, 1, horizon))
    best = None
    for alpha in smoothing.ALPHAS:
        pairs, left, level = [], 1.0, 0.0
        for t, value in enumerate(line):
            level, left = level + alpha * (value - level), left * (1 - alpha)
            pairs += [(later - level, left) for later in line[t + 1 : t + 1 + steps]]
        errors, lefts = np.array(pairs).T
        first = errors @ lefts / (lefts @ lefts)
        cost = np.sum((errors - first * lefts) ** 2)
        if best is None or cost < best[0]:
            best = cost, level + left * first
    ahead = start + slope * (len(values) + np.arange(horizon))
    return (best[1] + ahead) / 2


def slow_damped(values, horizon):
    """One history, all parameters, one after another."""
    steps = int(np.clip(len(values) // smoothing.ROWS_PER_STEP, 1, horizon))
    checked = [int(np.ceil(part * steps)) for part in smoothing.ERROR_STEPS]
    head = values[: smoothing.FIRST_ROWS]
    line = np.polyfit(np.arange(len(head)), head, 1)
    best = None
    for alpha, beta, phi in itertools.product(smoothing.LEVELS, smoothing.TRENDS, smoothing.DAMPINGS):
        level, slope = (line[1] - line[0], line[0]) if beta else (head.mean(), 0.0)
        squares = 0.0
        for t, value in enumerate(values):
            error = value - level - phi * slope
            level, slope = level + phi * slope + alpha * error, phi * slope + alpha * beta * error
            for step in checked:
                if t + step < len(values):
                    ahead = level + sum(phi**k for k in range(1, step + 1)) * slope
                    squares += (values[t + step] - ahead) ** 2
        cost = np.log(squares) + (smoothing.TREND_COST / (len(values) / steps) if beta else 0.0)
        if best is None or cost < best[0] - 1e-12:
            best = cost, [level + sum(phi**k for k in range(1, step + 1)) * slope for step in range(1, horizon + 1)]
    return np.array(best[1])


@pytest.mark.parametrize(
    ("ahead", "slow"), [(smoothing.theta_forecasts, slow_theta), (smoothing.damped_trend_forecasts, slow_damped)]
)
def test_forecasts_of_many_histories_are_those_of_a_slow_loop(ahead, slow):
    values = histories(0, [64, 64, 50, 23, 9], 64)
    got = ahead(values, 5)
    for row, forecast in zip(values, got, strict=True):
        np.testing.assert_allclose(forecast, slow(row[~np.isnan(row)], 5), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("ahead", [smoothing.theta_forecasts, smoothing.damped_trend_forecasts])
def test_a_history_is_forecast_alike_alone_and_wider(ahead):
    values = histories(1, [40, 31, 6, 2, 1], 40)
    together = ahead(values, 7)
    for row, forecast in zip(values, together, strict=True):
        np.testing.assert_array_equal(ahead(row[None], 7)[0], forecast)
    wider = np.pad(values, ((0, 0), (24, 0)), constant_values=np.nan)
    np.testing.assert_allclose(ahead(wider, 7), together, rtol=1e-9, atol=1e-9)


@given(
    st.floats(1e-3, 1e3),
    st.floats(-1e3, 1e3),
    st.sampled_from([smoothing.theta_forecasts, smoothing.damped_trend_forecasts]),
)
def test_forecasts_move_with_the_units(scale, shift, ahead):
    values = histories(2, [48, 30], 48)
    moved = ahead(scale * (values + shift) - scale * (values[:, -1:] + shift), 4)
    np.testing.assert_allclose(moved, scale * ahead(values - values[:, -1:], 4), rtol=1e-5, atol=1e-6 * scale)


def test_a_line_goes_on_under_theta_at_half_its_slope_or_more():
    line = np.arange(60.0)[None]
    assert np.diff(smoothing.theta_forecasts(line, 6)[0]) == pytest.approx([0.5] * 5)
    assert smoothing.theta_forecasts(line, 1)[0, 0] > 58


def test_a_damped_line_goes_on_rising_ever_less():
    steps = np.diff(smoothing.damped_trend_forecasts(2 * np.arange(60.0)[None], 10)[0])
    assert (steps > 0).all()
    assert (np.diff(steps) < 0).all()


@given(st.integers(2, 13), st.integers(1, 40), st.integers(0, 100))
def test_moving_averages_are_those_of_a_slow_loop(season, extra, seed):
    values = histories(seed, [season + extra], season + extra)[0]
    half = season // 2
    expected = np.full(len(values), np.nan)
    for t in range(half, len(values) - half):
        window = values[t - half : t + half + 1].copy()
        if season % 2 == 0:
            window[[0, -1]] /= 2
        expected[t] = window.sum() / season
    np.testing.assert_allclose(moving_average(values[None], season)[0], expected, atol=1e-9)


@pytest.mark.parametrize("kind", ["sum", "product"])
def test_an_exact_season_is_taken_out_and_put_back(kind):
    t = np.arange(96)
    season = np.array([5.0, -2, 0, -3])[t % 4]
    values = (40 + season if kind == "sum" else (40 + 0.5 * t) * (1 + season / 20))[None]
    adjusted, seasonal = adjust(values[:, :-8], (4,))
    assert seasonal.multiplies[0] == (kind == "product")
    level = 40 + np.zeros(96) if kind == "sum" else 40 + 0.5 * t
    np.testing.assert_allclose(adjusted[0], level[:-8], rtol=2e-3)
    np.testing.assert_allclose(seasonal.restore(level[None, -8:]), values[:, -8:], rtol=2e-3)


def test_two_seasons_are_taken_out_one_after_the_other():
    t = np.arange(24 * 7 * 4)
    values = (100 + 10 * np.sin(2 * np.pi * t / 24) - 8 * (t // 24 % 7 > 4))[None]
    week = 8 * np.sqrt(2 / 7 * 5 / 7)
    assert adjust(values, (24,))[0][0].std() == pytest.approx(week, rel=0.01)
    assert adjust(values, (24, 168))[0][0].std() < 0.1 * week


def test_noise_has_no_season():
    noise = np.random.default_rng(0).normal(10, 1, (200, 60))
    adjusted, seasonal = adjust(noise, (12,))
    kept = np.where(seasonal.multiplies, 10 * np.ptp(seasonal.factors[0], axis=1), np.ptp(seasonal.factors[0], axis=1))
    assert (kept == 0).mean() > 0.7
    assert np.median(np.abs(adjusted - noise)) == 0


@pytest.mark.parametrize("name", ["Theta", "DampedTrend"])
@pytest.mark.parametrize("rows", [4, 9, 14, 27, 700])
def test_a_season_and_a_trend_are_carried_on_with_holes(name, rows):
    t = np.arange(rows + 6)
    values = 200 + 0.1 * t + 20 * np.sin(2 * np.pi * t / 6)
    seen = values[:rows].copy()
    seen[rows // 2 : rows // 2 + 1] = np.nan
    series = pd.Series(seen, index=pd.date_range("2024", periods=rows, freq="D"))
    forecaster = getattr(fk, f"{name}Forecaster")
    forecast = forecaster(horizon=2, season_length=6).fit(series).predict()
    assert np.isfinite(forecast).all()
    if rows >= 27:
        assert np.abs(forecast.to_numpy() - values[rows : rows + 2]).max() < 3


@pytest.mark.parametrize("name", ["Theta", "DampedTrend"])
def test_a_saved_forecaster_forecasts_alike(name, tmp_path):
    rng = np.random.default_rng(0)
    index = pd.date_range("2024", periods=1500, freq="h")
    series = pd.Series(
        50 + 5 * np.sin(2 * np.pi * np.arange(1500) / 24) + np.cumsum(rng.normal(size=1500)), index=index
    )
    model = getattr(fk, f"{name}Forecaster")(horizon=24).fit(series)
    model.save(tmp_path / "model.forecast")
    pd.testing.assert_series_equal(fk.load(tmp_path / "model.forecast").predict(), model.predict())
