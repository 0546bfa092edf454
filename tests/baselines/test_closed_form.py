"""Closed forms against loops, and the ridge against its normal equations."""

import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_panel import make
from test_windows import every_origin

import forecastkit as fk
from forecastkit.baselines import ridge as closed_form
from forecastkit.baselines import simple
from forecastkit.baselines.ridge import Ridge, Strips
from forecastkit.data.windows import Origins, Windows, forward_fill, gather
from forecastkit.preprocessing.scaler import Scaler

SIZES = {"a": (0, 30), "b": (4, 11), "c": (-3, 5)}


def seen_by(panel, origins, i):
    """Values of origin i's series up to it, from its first row on."""
    begin = panel.indptr[origins.entity[i]]
    return panel.target[begin : origins.row[i] + 1, origins.channel[i]]


def slow_seasonal(values, horizon, season):
    out = []
    for step in range(1, horizon + 1):
        back = -(-step // season)  # whole seasons, the fewest that reach what was seen
        places = [len(values) - 1 + step - season * (back + more) for more in range(4)]
        found = [values[at] for at in places if at >= 0 and not np.isnan(values[at])]
        out.append(found[0] if found else slow_naive(values, 1)[0])
    return out


def slow_drift(values, horizon):
    at = np.flatnonzero(~np.isnan(values))
    if not len(at):
        return [np.nan] * horizon
    slope = (values[at[-1]] - values[at[0]]) / (at[-1] - at[0]) if len(at) > 1 else 0.0
    return [values[at[-1]] + slope * (len(values) - 1 - at[-1] + step) for step in range(1, horizon + 1)]


def slow_mean(values, horizon):
    seen = values[~np.isnan(values)]
    return [seen.mean() if len(seen) else np.nan] * horizon


def slow_naive(values, horizon):
    seen = values[~np.isnan(values)]
    return [seen[-1] if len(seen) else np.nan] * horizon


@pytest.mark.parametrize("name", ["naive", "drift", "mean"])
@given(st.integers(0, 50), st.sampled_from([0.0, 0.5, 0.9]))
@settings(max_examples=20, deadline=None)
def test_readings_against_a_loop(name, seed, missing):
    panel = make(SIZES, missing, seed)
    origins = every_origin(panel)
    got = getattr(simple, name)(panel, origins, 4)
    slow = [globals()[f"slow_{name}"](seen_by(panel, origins, i), 4) for i in range(len(origins))]
    np.testing.assert_allclose(got, slow, rtol=1e-9, atol=1e-9)


@given(st.integers(0, 50), st.sampled_from([0.0, 0.3]), st.integers(1, 7))
@settings(max_examples=20, deadline=None)
def test_seasonal_naive_against_a_loop(seed, missing, season):
    panel = make(SIZES, missing, seed)
    origins = every_origin(panel)
    got = simple.seasonal_naive(panel, origins, 5, season)
    slow = [slow_seasonal(seen_by(panel, origins, i), 5, season) for i in range(len(origins))]
    np.testing.assert_array_equal(got, slow)


def test_seasonal_naive_by_hand():
    panel = make({"a": (0, 6)}, 0.0)
    panel.target[:, 0] = [1, 2, 3, 4, np.nan, 6]
    origins = Origins(np.array([0]), np.array([5]), np.array([0]))
    assert simple.seasonal_naive(panel, origins, 4, 3).tolist() == [[4, 2, 6, 4]]


def test_means_do_not_mix_sizes_of_series():
    panel = make({"a": (0, 5000), "b": (0, 50)}, 0.0)
    panel.target[:] = np.repeat([1e8, 0.1], panel.lengths)[:, None]
    forecast = simple.mean(panel, every_origin(panel), 1)
    assert set(forecast[:, 0]) == {1e8, 0.1}


def test_before_the_first_row_nothing_is_known():
    panel = make(SIZES, 0.0)
    origins = Origins(np.arange(3), panel.indptr[:-1] - 1, np.zeros(3, int))
    for function in (simple.naive, simple.drift, simple.mean):
        assert np.isnan(function(panel, origins, 2)).all()
    assert np.isnan(simple.seasonal_naive(panel, origins, 2, 3)).all()


def test_carrying_never_looks_ahead_but_at_the_start():
    nan = np.nan
    window = np.array([[nan, 1, nan, 3, nan], [1, 2, 3, 4, 5], [nan] * 5, [nan, nan, nan, nan, 2]])
    assert forward_fill(window).tolist() == [[1, 1, 1, 3, 3], [1, 2, 3, 4, 5], [0] * 5, [2] * 5]


def test_strips_cut_what_gather_cuts():
    panel = make(SIZES)
    buffers = Scaler.fit(panel, panel.indptr[1:], 3, ()).buffers(panel, 6, 3)
    origins = every_origin(panel)
    inputs, target = gather(np, buffers, origins.table(), 6, 3)
    np.testing.assert_array_equal(
        Strips(buffers, 6, 3).cut(origins), np.concatenate([inputs["target"], target], axis=1)
    )


def fitted(panel, lookback=5, horizon=3):
    buffers = Scaler.fit(panel, panel.indptr[1:], horizon, ()).buffers(panel, lookback, horizon)
    windows = Windows.training(panel, panel.indptr[1:], lookback, horizon)
    nobody = Origins(*[np.empty(0, int)] * 3)
    return Ridge.fit(buffers, windows, nobody, lookback, horizon), buffers, windows


def test_the_ridge_solves_its_normal_equations():
    ridge, buffers, windows = fitted(make(SIZES, 0.0))
    x, _, _, y = Strips(buffers, 5, 3).normalised(windows.at(np.arange(len(windows))))
    x, y = x.astype("float64"), y.astype("float64")
    penalty = ridge.strength * np.trace(x.T @ x) / 5
    expected = np.linalg.solve(x.T @ x + penalty * np.eye(5), x.T @ y)
    np.testing.assert_allclose(ridge.weights, expected, atol=1e-5)


def errors_by_strength(buffers, windows, validation_origins):
    """Mean absolute validation error of each strength, by a solution of its own in float64."""
    x, _, _, y = Strips(buffers, 5, 3).normalised(windows.at(np.arange(len(windows))))
    u, _, _, v = Strips(buffers, 5, 3).normalised(validation_origins)
    x, y, u, v = (values.astype("float64") for values in (x, y, u, v))
    errors = []
    for strength in closed_form.STRENGTHS:
        weights = np.linalg.solve(x.T @ x + strength * np.trace(x.T @ x) / 5 * np.eye(5), x.T @ y)
        errors.append(np.abs(u @ weights - v).mean())
    return np.array(errors)


def test_the_strength_with_the_least_error_is_kept():
    clear = set()
    for seed in range(6):
        panel = make({"a": (0, 300)}, 0.0, seed)
        buffers = Scaler.fit(panel, panel.indptr[1:], 3, ()).buffers(panel, 5, 3)
        windows = Windows.training(panel, np.array([200]), 5, 3)
        validation_origins = Windows.validation(panel, np.array([200]), np.array([300]), 3).spaced(500)
        ridge = Ridge.fit(buffers, windows, validation_origins, 5, 3)
        errors = errors_by_strength(buffers, windows, validation_origins)
        best, second = np.sort(errors)[:2]
        # Two strengths may differ by less than float32 can tell: then either is right.
        assert errors[closed_form.STRENGTHS.index(ridge.strength)] <= best * (1 + 1e-6)
        if second > best * (1 + 1e-5):
            assert ridge.strength == closed_form.STRENGTHS[int(np.argmin(errors))]
            clear.add(ridge.strength)
        assert ridge.refit(buffers, windows).weights == pytest.approx(ridge.weights, abs=1e-6)
    assert len(clear) > 1, "the data must tell strengths apart"


@given(st.integers(0, 50), st.sampled_from([0.01, 0.3, 0.7]))
@settings(max_examples=20, deadline=None)
def test_missing_targets_count_for_nothing_and_their_windows_stay(seed, missing):
    ridge, buffers, windows = fitted(make({"a": (0, 60), "b": (4, 40)}, missing, seed))
    x, _, _, y = Strips(buffers, 5, 3).normalised(windows.at(np.arange(len(windows))))
    x, y = x.astype("float64"), y.astype("float64")
    for step in range(3):
        seen = ~np.isnan(y[:, step])
        gram = x[seen].T @ x[seen]
        penalty = max(ridge.strength * np.trace(gram) / 5, 1e-12)
        expected = np.linalg.solve(gram + penalty * np.eye(5), x[seen].T @ y[seen, step])
        np.testing.assert_allclose(ridge.weights[:, step], expected, atol=1e-4)
        assert ridge.counts[step] == seen.sum()


def test_work_with_missing_targets_is_bounded(monkeypatch):
    panel = make({"a": (0, 400)}, 0.5)
    monkeypatch.setattr(closed_form, "MAX_EXTRA_WORK", 0.5)
    monkeypatch.setattr(closed_form, "CHUNK", 16)
    monkeypatch.setattr(closed_form, "MAX_SELECTION_STEPS", 2)
    ridge, buffers, windows = fitted(panel)
    assert 0 < ridge.counts.max() < len(windows) / 2
    validation_origins = Windows.validation(panel, np.array([300]), np.array([400]), 3).spaced(500)
    chosen = Ridge.fit(buffers, windows, validation_origins, 5, 3)
    assert chosen.weights.shape == (5, 3)
    assert np.isfinite(chosen.weights).all()


def test_without_an_observed_validation_target_the_middle_strength_is_kept():
    panel = make({"a": (0, 100)}, 0.0)
    panel.target[80:] = np.nan
    buffers = Scaler.fit(panel, panel.indptr[1:], 3, ()).buffers(panel, 5, 3)
    windows = Windows.training(panel, np.array([80]), 5, 3)
    validation_origins = Windows.validation(panel, np.array([80]), np.array([100]), 3).spaced(500)
    ridge = Ridge.fit(buffers, windows, validation_origins, 5, 3)
    assert ridge.strength == closed_form.STRENGTHS[len(closed_form.STRENGTHS) // 2]


def test_a_closed_hour_of_each_day_does_not_make_it_the_naive_forecast():
    hours = np.arange(24 * 60)
    y = pd.Series(np.sin(2 * np.pi * hours / 24), index=pd.date_range("2024-01-01", periods=len(hours), freq="h"))
    gaps = y.where(y.index.hour != 3)
    model = fk.LinearForecaster(horizon=24, lookback=72).fit(gaps[:-24])
    error = np.abs(model.predict().to_numpy() - y[-24:]).mean()
    assert error < 0.02
    assert model.ridge_.counts.min() > 1_000


def test_steps_that_hardly_any_window_shows_are_said():
    y = pd.Series(np.sin(np.arange(400.0)), index=pd.date_range("2024-01-01", periods=400))
    y[100:399] = np.nan  # 95 steps after an origin among the first hundred rows is shown twice, and once at the end
    with pytest.warns(UserWarning, match=r"fewer than 10 training windows .* step \d+ has 3 of"):
        fk.LinearForecaster(horizon=95, lookback=4, validation_size=0).fit(y)


def test_a_line_is_continued():
    panel = make({"a": (0, 200)}, 0.0)
    panel.target[:, 0] = np.arange(200.0)
    panel.target[:, 1] = -3 * np.arange(200.0)
    ridge, buffers, _ = fitted(panel)
    origins = Origins(np.array([0, 0]), np.array([199, 199]), np.array([0, 1]))
    steps = np.diff(np.concatenate([buffers.target[-1:].T, ridge.predict(buffers, origins)], axis=1), axis=1)
    np.testing.assert_allclose(steps, np.diff(buffers.target[:2], axis=0).T * np.ones(3), rtol=0.05)


@pytest.mark.parametrize("missing", [0.01, 0.9])
def test_recipes_are_compared_on_complete_windows_if_most_are(missing):
    panel = make({"a": (0, 200)}, missing)
    buffers = Scaler.fit(panel, panel.indptr[1:], 3, ()).buffers(panel, 5, 3)
    windows, none = Windows.training(panel, panel.indptr[1:], 5, 3), Origins(*np.empty((3, 0), "int64"))
    found = Ridge.fit(buffers, windows, none, 5, 3, "last", 1_000, complete=True)
    exact = Ridge.fit(buffers, windows, none, 5, 3)
    x, _, _, y = Strips(buffers, 5, 3).normalised(windows.at(np.arange(len(windows))))
    complete = ~np.isnan(y).any(axis=1)
    if complete.mean() < 0.5:
        np.testing.assert_array_equal(found.weights, exact.weights)
        return
    x, y = x[complete].astype("float64"), y[complete].astype("float64")
    gram = x.T @ x
    expected = np.linalg.solve(gram + found.strength * np.trace(gram) / 5 * np.eye(5), x.T @ y)
    np.testing.assert_allclose(found.weights, expected, atol=1e-4)
    assert np.abs(found.weights - exact.weights).max() > 1e-6


def test_weights_are_the_same_without_scipy(monkeypatch):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 8)), rng.normal(size=(60, 3))
    gram, cross = x.T @ x, x.T @ y
    wanted = list(closed_form.solve(gram, cross, (1e-3, 1.0)))
    monkeypatch.setitem(sys.modules, "scipy.linalg", None)
    for strength, found, other in zip((1e-3, 1.0), closed_form.solve(gram, cross, (1e-3, 1.0)), wanted, strict=True):
        penalty = strength * np.trace(gram) / 8 * np.eye(8)
        np.testing.assert_allclose((gram + penalty) @ found, cross, atol=1e-9)
        np.testing.assert_allclose(found, other, atol=1e-10)
    indefinite = gram - 1e3 * np.outer(x[0], x[0])
    assert np.isfinite(next(closed_form.solve(indefinite, cross, (1e-3,)))).all()
    with pytest.raises(np.linalg.LinAlgError):
        np.linalg.cholesky(indefinite)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_system_that_is_not_finite_or_not_positive_is_refused(value):
    good, cross = np.array([[2.0, 1.0], [1.0, 2.0]]), np.array([[3.0], [0.0]])
    np.testing.assert_allclose(closed_form.solve_positive(good.copy(), cross), [[2.0], [-1.0]])
    with pytest.raises(ValueError, match="infs or NaNs"):
        closed_form.solve_positive(good * value, cross)
    with pytest.raises(ValueError, match="infs or NaNs"):
        closed_form.solve_positive(good, np.full_like(cross, value))
    with pytest.raises(np.linalg.LinAlgError):
        closed_form.solve_positive(good - 2, cross)
