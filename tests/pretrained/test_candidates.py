"""Candidate forecasts: hand-worked numbers, slow loops, and what shifts and scales do to them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecastkit.pretrained import inputs
from forecastkit.pretrained.autoregressions import LAGS, PENALTY
from forecastkit.pretrained.candidates import NAMES, RIDGE, Context, candidates, profile, smoothed
from forecastkit.pretrained.forward import LEVELS
from forecastkit.pretrained.inputs import (
    FEATURES,
    PLACES,
    SUMMARY,
    context_width,
    make_inputs,
    summary,
    trial_length,
    units,
    usable_second,
)

RNG = np.random.default_rng(0)


def context(values, season=1, second=0, width=None):
    """A context of one series, padded on the left."""
    values = np.atleast_2d(np.asarray(values, dtype="float64"))
    width = width or context_width(season, second)
    padded = np.full((len(values), width), np.nan)
    padded[:, width - values.shape[1] :] = values
    return Context(padded, season, second)


def named(context, horizon, ridge=None):
    """Forecasts of the first series by name."""
    forecasts, available = candidates(context, horizon, ridge)
    return {name: forecasts[0, :, k] for k, name in enumerate(NAMES)}, dict(zip(NAMES, available[0], strict=True))


def test_simple_candidates_by_hand():
    found, available = named(context([1, 2, 3, 4, 11, 12, 13, 16], season=4), 6)
    np.testing.assert_allclose(found["last value"], 16)
    np.testing.assert_allclose(found["one season back"], [11, 12, 13, 16, 11, 12])
    np.testing.assert_allclose(found["two seasons back"], [1, 2, 3, 4, 1, 2])
    np.testing.assert_allclose(found["two seasons back, level-adjusted"], np.array([1, 2, 3, 4, 1, 2]) + 10.5)
    np.testing.assert_allclose(
        found["one season back, corrected by the last error"], np.array([11, 12, 13, 16, 11, 12]) + 12
    )
    np.testing.assert_allclose(
        found["seasonal drift"], np.array([11, 12, 13, 16, 11, 12]) + 10.5 * np.array([1, 1, 1, 1, 2, 2])
    )
    np.testing.assert_allclose(found["mean of the last season"], 13)
    np.testing.assert_allclose(found["long mean"], 62 / 8)
    np.testing.assert_allclose(found["linear drift"], 16 + 15 / 7 * np.arange(1, 7))
    assert not available["three seasons back"]
    assert not available["one long season back"]
    assert not available[NAMES[RIDGE]]


def test_a_line_with_a_season_is_continued_exactly():
    pattern = np.array([3.0, -1.0, 0.0, -2.0])
    steps = np.arange(60)
    values = 5 + 0.5 * steps + pattern[steps % 4]
    found, _ = named(context(values[:48], season=4), 12)
    for name in ("seasonal trend", "one season back, corrected by the last error"):
        shift = 0 if name == "seasonal trend" else np.repeat([0, 2, 4], 4)  # a drift of 2 a season is not continued
        level = np.abs(found[name] + shift - values[48:])
        assert level.max() < (1.1 if name == "seasonal trend" else 1e-9), name
    np.testing.assert_allclose(profile(context(values[:48], 4).filled, np.array([48]), 4)[0], pattern, atol=1e-9)


def test_exponential_smoothing_is_the_loop():
    values, rate = RNG.normal(size=(3, 40)), 0.3
    found = smoothed(values, np.ones_like(values, dtype=bool), rate)[:, 0]
    for row, series in zip(found, values, strict=True):
        weights = [rate * (1 - rate) ** age for age in range(len(series))][::-1]
        assert row == pytest.approx(np.dot(weights, series) / np.sum(weights))


def test_the_autoregression_is_the_ridge_of_a_loop():
    values = np.convolve(RNG.normal(size=160), 0.9 ** np.arange(20))[20:140]
    found, available = named(context(values), 3)
    centred, lags = values - values.mean(), np.arange(1, LAGS + 1)
    padded = np.concatenate([np.zeros(24), centred])  # the context is wider than the series
    rows = [(padded[t - lags], padded[t]) for t in range(24 + LAGS, len(padded))]
    x, y = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    weights = np.linalg.solve(x.T @ x + PENALTY * (centred**2).mean() * np.eye(LAGS), x.T @ y)
    wanted = list(centred)
    for _ in range(3):
        wanted.append(np.dot(weights, np.array(wanted)[-lags]))
    assert available["autoregression"]
    np.testing.assert_allclose(found["autoregression"], np.array(wanted[-3:]) + values.mean())


def test_the_logarithm_continues_growth():
    values = 100 * 1.02 ** np.arange(96) * (1 + 0.3 * np.sin(2 * np.pi * np.arange(96) / 12))
    found, available = named(context(values[:84], season=12), 12)
    assert available["seasonal trend of the logarithm"]
    straight, curved = (
        np.abs(found[name] - values[84:]).mean() for name in ("seasonal trend", "seasonal trend of the logarithm")
    )
    assert curved < 0.2 * straight
    assert not named(context(values - 500, season=12), 12)[1]["seasonal trend of the logarithm"]


@settings(max_examples=30, deadline=None)
@given(
    season=st.sampled_from([1, 4, 7, 12]),
    length=st.integers(3, 160),
    scale=st.floats(1e-3, 1e3),
    seed=st.integers(0, 10**6),
)
def test_units_of_measurement_do_not_matter(season, length, scale, seed):
    values = np.random.default_rng(seed).lognormal(size=length) + 0.1
    one, other = (make_inputs(context(v[-144:], season), 6) for v in (values, values * scale))
    for name, array in one.network().items():
        np.testing.assert_allclose(array, other.network()[name], rtol=2e-3, atol=2e-3, err_msg=name)
    np.testing.assert_allclose(one.center * scale, other.center)


@pytest.mark.parametrize("with_ridge", [False, True])
def test_few_series_are_forecast_in_one_call_like_many(with_ridge, monkeypatch):
    values = RNG.normal(size=(4, 120)).cumsum(1) + 30
    values[1, :70], values[2, 50:60] = np.nan, np.nan
    ridge = [RNG.normal(size=(4, 12)) for _ in range(PLACES + 1)] if with_ridge else None
    together = make_inputs(context(values, 12), 5, ridge).network()
    monkeypatch.setattr(inputs, "FEW", 0)
    for name, array in make_inputs(context(values, 12), 5, ridge).network().items():
        np.testing.assert_allclose(array, together[name], rtol=1e-5, atol=1e-5, err_msg=name)


@settings(max_examples=30, deadline=None)
@given(
    season=st.sampled_from([(1, 0), (4, 0), (7, 365), (12, 0), (24, 168)]),
    length=st.integers(0, 200),
    missing=st.sampled_from([0.0, 0.3, 0.9, 1.0]),
    constant=st.booleans(),
    seed=st.integers(0, 10**6),
)
def test_inputs_are_finite_whatever_the_series(season, length, missing, constant, seed):
    rng = np.random.default_rng(seed)
    values = np.full(length, 7.0) if constant else rng.normal(size=length).cumsum()
    values[rng.random(length) < missing] = np.nan
    width = context_width(*season)
    given = context(values[-width:], *season)
    inputs = make_inputs(given, 5)
    for name, array in inputs.network().items():
        assert np.isfinite(array).all(), name
        assert array.dtype == np.float32
    if constant or np.isfinite(values).sum() < 2:
        assert inputs.scale[0] == 0


@pytest.mark.parametrize("lift", [0.0, 100.0])
def test_a_mirrored_series_is_the_series_times_minus_one(lift):
    values = RNG.normal(size=(4, 120)).cumsum(1) + lift
    values[1, 30:40] = np.nan
    ridge = [RNG.normal(size=(4, 12)) + lift for _ in range(PLACES + 1)]
    mirrored = make_inputs(context(values, 12), 6, ridge).mirrored()
    wanted = make_inputs(context(-values, 12), 6, [-forecast for forecast in ridge])
    np.testing.assert_allclose(mirrored.center, wanted.center)
    for name, array in wanted.network().items():
        np.testing.assert_allclose(mirrored.network()[name], array, rtol=1e-4, atol=1e-4, err_msg=name)


def test_series_do_not_see_each_other():
    values = RNG.normal(size=(5, 120)).cumsum(1)
    values[3, 40:60] = np.nan
    together = make_inputs(context(values, 12), 8)
    for row in range(5):
        alone = make_inputs(context(values[row], 12), 8)
        for name, array in alone.network().items():
            np.testing.assert_allclose(array[0], together.network()[name][row], rtol=1e-4, atol=1e-4, err_msg=name)


def test_errors_at_earlier_origins_are_those_of_a_loop():
    season, horizon, values = 7, 3, RNG.normal(size=100).cumsum() + 10
    given, errors = context(values, season), []
    length = trial_length(season)
    near = -(-length // 4)
    for place in range(PLACES):
        stop = len(values) - (place + 1) * length
        forecasts, available = candidates(context(values[:stop], season), length)
        error = np.abs(forecasts[0] - values[stop : stop + length, None])
        errors.append([error[:near].mean(0), error[near:].mean(0)])
        assert available[0, 1]
    logs = np.log(np.mean(errors, axis=0) / units(given)[1][0] + 0.01)
    usable = candidates(given, horizon)[1][0]
    wanted = np.clip(logs - logs[:, usable].mean(1, keepdims=True), -4, 4)[:, usable]
    found = make_inputs(given, horizon).context[0, -2 * len(NAMES) - 2 : -2].reshape(2, -1)[:, usable]
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


def test_sizes_are_what_they_say():
    inputs = make_inputs(context(RNG.normal(size=(2, 50)), 7, 0), 9)
    assert inputs.context.shape == (2, FEATURES)
    assert summary(context(np.arange(30.0)), np.zeros((1, 144)), np.ones(1), np.ones(1), np.ones(1)).shape == (
        1,
        SUMMARY,
    )
    assert len(LEVELS) == 15
    assert usable_second(24, 168) == 168
    assert usable_second(288, 2016) == usable_second(7, 7) == 0
