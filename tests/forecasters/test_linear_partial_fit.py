"""The linear forecaster trains on from its sums: the same after loading as in memory."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import forecastkit as fk
from forecastkit.baselines.ridge import MAX_COEFFICIENTS, expand, reduce, width

RNG = np.random.default_rng(0)
VALUES = 100 + np.arange(400) / 2 + 10 * np.sin(2 * np.pi * np.arange(400) / 7) + RNG.normal(size=400)


def days(first, stop, name=None, values=VALUES):
    index = pd.date_range("2023-01-01", periods=stop, name="ds")[first:]
    series = pd.Series(values[first:stop], index, name="y")
    return series if name is None else series.reset_index().assign(unique_id=name)


def linear(**more):
    return fk.LinearForecaster(horizon=4, lookback=14, **{"recipes": 1, **more})


def reloaded(model, path):
    model.save(path)
    return fk.load(path)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "m.forecast"


@pytest.mark.parametrize("recipes", [1, 3])
def test_sixty_months_are_the_same_in_memory_and_from_the_file(path, recipes):
    alone = linear(recipes=recipes).fit(days(0, 200))
    loaded, sizes = reloaded(alone, path), []
    for day in range(200, 380, 3):
        newer = days(day, day + 3)
        loaded = reloaded(loaded, path).partial_fit(newer)
        np.testing.assert_array_equal(loaded.predict(), alone.partial_fit(newer).predict())
        sizes.append(path.stat().st_size)
    assert max(sizes) < sizes[0] + 500
    np.testing.assert_array_equal(loaded.ridge_.counts, 380 - 14 - 4 + 1)
    assert len(loaded.parts_) == recipes


def test_the_sums_are_those_of_all_windows():
    model = linear().fit(days(0, 200)).partial_fit(days(200, 203)).partial_fit(days(203, 260))
    whole = linear().fit(days(0, 260))
    scaled = model.ridge_.statistics.solve(1e-9), whole.ridge_.statistics.solve(1e-9)  # no unit of the values left
    np.testing.assert_allclose(*scaled, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("gap", [3, 40])
def test_rows_of_updates_between_are_learned_too(path, gap):
    alone = linear().fit(days(0, 200))
    loaded = reloaded(alone, path)
    for day in range(200, 200 + gap):
        loaded = reloaded(loaded.update(days(day, day + 1)), path)
        alone.update(days(day, day + 1))
    newer = days(200 + gap, 202 + gap)
    np.testing.assert_allclose(loaded.partial_fit(newer).predict(), alone.partial_fit(newer).predict(), rtol=1e-6)
    np.testing.assert_array_equal(loaded.ridge_.counts, alone.ridge_.counts)


def test_gaps_panels_and_new_series(path):
    blank = np.where(np.arange(400) % 7 == 3, np.nan, VALUES)  # of other steps in every window
    frame = pd.concat([days(0, 200, "a"), days(0, 180, "b", blank), days(90, 200, "c", -VALUES)])
    alone = linear(target="y").fit(frame)
    loaded = reloaded(alone, path)
    for newer in (
        pd.concat([days(200, 206, "a"), days(180, 190, "b", blank)]),
        days(195, 206, "new"),
        pd.concat([days(206, 240, "a"), days(206, 240, "new")]),
    ):
        alone.partial_fit(newer)
        loaded = reloaded(reloaded(loaded, path).partial_fit(newer), path)
        pd.testing.assert_frame_equal(loaded.forecast(), alone.forecast())


def test_an_ensemble_learns_the_same(path):
    alone = fk.EnsembleForecaster(forecasters=[linear(), fk.DriftForecaster()], horizon=4, lookback=14)
    alone.fit(days(0, 200))
    loaded = reloaded(alone, path)
    for day in range(200, 230, 5):
        loaded = reloaded(loaded.update(days(day, day + 2)), path).partial_fit(days(day + 2, day + 5))
        alone.update(days(day, day + 2)).partial_fit(days(day + 2, day + 5))
    np.testing.assert_allclose(loaded.predict(), alone.predict(), rtol=1e-6)


def test_changed_rows_are_learned_again_where_all_rows_are_there(path):
    changed = VALUES.copy()
    changed[190:200] += 50.0
    alone = linear().fit(days(0, 200))
    loaded = reloaded(alone, path)
    right = linear().fit(days(0, 200)).update(days(190, 200, None, changed))
    alone.partial_fit(days(190, 203, None, changed))
    np.testing.assert_array_equal(right.partial_fit(days(200, 203)).predict(), alone.predict())
    with pytest.warns(UserWarning, match="10 training rows have other values now"):
        loaded.partial_fit(days(190, 203, None, changed))
    assert np.isfinite(loaded.predict()).all()


def test_the_same_rows_again_change_nothing(path):
    alone = linear().fit(days(0, 200))
    before = alone.ridge_
    again = reloaded(alone, path).partial_fit(days(150, 200))
    np.testing.assert_array_equal(again.ridge_.weights, before.weights)
    np.testing.assert_array_equal(again.ridge_.counts, before.counts)


def test_a_file_without_sums_is_not_trained_on(path):
    model = linear().fit(days(0, 200))
    part = model.parts_[0]
    model.parts_ = [replace(part, ridge=replace(part.ridge, statistics=None))]  # as earlier versions wrote it
    loaded = reloaded(model, path)
    before = loaded.predict()
    with pytest.raises(
        fk.InputError, match=r"partial_fit: continued training needs all rows of the fit, got only the last 35"
    ):
        loaded.partial_fit(days(200, 203))
    pd.testing.assert_series_equal(loaded.predict(), before)


@pytest.mark.parametrize("lookback", [10, MAX_COEFFICIENTS, MAX_COEFFICIENTS + 1, 3000, 10_080, 30_240])
def test_long_windows_share_coefficients(lookback):
    features = width(lookback)
    assert features <= MAX_COEFFICIENTS
    windows = RNG.normal(size=(3, lookback)).astype("float32")
    weights = RNG.normal(size=(features, 2)).astype("float32")
    short = reduce(windows, features)
    assert short.shape == (3, features)
    np.testing.assert_array_equal(short[:, -9:], windows[:, -9:])
    np.testing.assert_allclose(short @ weights, windows @ expand(weights, lookback), rtol=1e-3, atol=1e-3)


def test_a_long_lookback_is_fitted_in_time_linear_in_the_rows():
    values = np.sin(2 * np.pi * np.arange(9000) / 1440)
    model = fk.LinearForecaster(horizon=10, lookback=4000, recipes=1).fit(values)
    assert model.ridge_.weights.shape == (4000, 10)
    assert np.abs(model.predict() - np.sin(2 * np.pi * np.arange(9000, 9010) / 1440)).max() < 0.02
