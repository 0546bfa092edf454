"""Partial pooling of the linear forecaster: corrections of the shared coefficients for each series."""

import numpy as np
import pandas as pd
import pytest
from test_panel import make

import forecastkit as fk
from forecastkit.baselines.ridge import Ridge, Strips
from forecastkit.baselines.series_corrections import SeriesCorrections
from forecastkit.data.windows import Origins, Windows
from forecastkit.preprocessing.scaler import Scaler


def cycles(rows=400, periods=(5, 8, 13), noise=0.3, seed=0):
    """A long frame of series whose cycles differ in length, so that no shared coefficients suit all."""
    rng = np.random.default_rng(seed)
    days = pd.date_range("2023-01-01", periods=rows, freq="D")
    parts = [
        pd.DataFrame({"unique_id": f"period {period}", "ds": days, "y": np.sin(2 * np.pi * np.arange(rows) / period)})
        for period in periods
    ]
    frame = pd.concat(parts, ignore_index=True)
    return frame.assign(y=frame["y"] + noise * rng.normal(size=len(frame)))


def linear(**more):
    return fk.LinearForecaster(**{"horizon": 4, "lookback": 14, "recipes": 1, **more})


def mae(model, frame, test=40):
    days = frame["ds"].drop_duplicates().sort_values()
    fitted = model.fit(frame[frame["ds"] <= days.iloc[-test - 1]])
    return fk.backtest(fitted, frame, n_windows=test - 3).scores["mae"].iloc[0]


@pytest.mark.parametrize("rows", [12, 60])  # fewer windows than coefficients, and more
@pytest.mark.parametrize("normalization", ["last", "standard"])
def test_corrections_solve_the_ridge_regression_of_the_errors(rows, normalization):
    panel = make({"a": (0, rows), "b": (3, rows - 2)}, 0.05)
    stop = panel.indptr[1:]
    buffers = Scaler.fit(panel, stop, 2, ()).buffers(panel, 8, 2)
    windows = Windows.training(panel, stop, 8, 2)
    shared = Ridge.fit(buffers, windows, Origins(*np.empty((3, 0), "int64")), 8, 2, normalization)
    own = SeriesCorrections.fit(buffers, windows, shared, 30.0).weights
    strips = Strips(buffers, 8, 2, normalization)
    for entity in range(2):
        gram, cross, squares, count = np.zeros((8, 8)), np.zeros((8, 2)), 0.0, 0
        for row in range(windows.first[entity], stop[entity] - 2):
            x, _, _, y = (
                np.asarray(v, "float64") for v in strips.normalised(Origins(*np.array([[entity], [row], [0]])))
            )
            x, y = x[0], y[0]
            error = np.array(
                [0.0 if np.isnan(actual) else actual - x @ w for actual, w in zip(y, shared.weights.T, strict=True)]
            )
            gram, cross = gram + np.outer(x, x), cross + np.outer(x, error)
            squares, count = squares + (x**2).sum(), count + 8
        expected = np.linalg.solve(gram + 30.0 * squares / count * np.eye(8), cross)
        np.testing.assert_allclose(own[entity, 0], expected, rtol=1e-3, atol=1e-4)


def test_series_that_differ_have_coefficients_of_their_own():
    frame = cycles(noise=0.1)
    model = linear(lookback=6)
    error = mae(model, frame)
    assert np.isfinite(model.penalty_of_corrections_)
    assert error < 0.9 * mae(linear(lookback=6, pooling="complete"), frame)


def test_series_that_are_alike_share_all_coefficients():
    model = linear().fit(cycles(periods=(7, 7, 7)).assign(unique_id=lambda f: np.repeat(["a", "b", "c"], 400)))
    assert np.isinf(model.penalty_of_corrections_)
    assert model.parts_[0].corrections is None


def test_targets_of_one_frame_differ_too():
    wide = cycles().pivot(index="ds", columns="unique_id", values="y")
    model = linear().fit(wide)
    assert model.parts_[0].corrections.weights.shape == (1, 3, 14, 4)


def test_one_series_has_no_corrections():
    assert np.isinf(linear(pooling="partial").fit(cycles(periods=(5,))).penalty_of_corrections_)


def test_too_many_coefficients_are_shared(monkeypatch):
    monkeypatch.setattr("forecastkit.forecasters.pooling.MAX_COEFFICIENTS", 3 * 14 * 4 - 1)
    assert np.isinf(linear(pooling="partial").fit(cycles()).penalty_of_corrections_)


def test_corrections_are_saved_and_new_series_are_forecast_by_the_shared_coefficients(tmp_path):
    frame = cycles()
    model = linear(pooling="partial").fit(frame)
    model.save(tmp_path / "linear.forecast")
    loaded = fk.load(tmp_path / "linear.forecast")
    pd.testing.assert_frame_equal(loaded.predict(), model.predict())
    shared = linear(pooling="complete").fit(frame)
    new = frame[frame["unique_id"] == "period 5"].assign(unique_id="new")
    np.testing.assert_allclose(loaded.predict(history=new)["y"], shared.predict(history=new)["y"], rtol=1e-6)
    assert np.abs(loaded.predict()["y"] - shared.predict()["y"]).max() > 0.1


def test_training_on_leaves_corrections_as_they_are():
    frame = cycles()
    early = frame[frame["ds"] < "2024-01-01"]
    model = linear(pooling="partial").fit(early)
    before = model.parts_[0].corrections.weights.copy()
    model.partial_fit(frame[frame["ds"] >= "2024-01-01"])
    np.testing.assert_array_equal(model.parts_[0].corrections.weights, before)


def test_sample_weights_count_in_corrections():
    frame = cycles(periods=(5, 8))
    none = np.where(frame["ds"] < "2023-06-01", 1.0, 1e-9)
    early = linear(pooling="partial", validation_size=0).fit(frame, sample_weight=none)
    late = linear(pooling="partial", validation_size=0).fit(frame, sample_weight=1.0 + 1e-9 - none)
    assert np.abs(early.parts_[0].corrections.weights - late.parts_[0].corrections.weights).max() > 1e-3


def test_an_unknown_pooling_is_refused():
    with pytest.raises(fk.InputError, match="pooling"):
        linear(pooling="none").fit(cycles())
