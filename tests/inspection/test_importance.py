"""Permutation importance of covariates of forecasters of any kind."""

from functools import cached_property

import numpy as np
import pandas as pd
import pytest

import forecastkit as fk
from forecastkit.evaluation.evaluate import ForecastWindows
from forecastkit.inspection.importance import _without_relation
from forecastkit.utils.exceptions import InputError

HORIZON = 4


@pytest.fixture(scope="module")
def frame():
    """Two series that follow a covariate known in advance, beside others without a relation to them."""
    rng, rows = np.random.default_rng(0), 200
    days = pd.date_range("2024-01-01", periods=rows, freq="D")
    parts = []
    for name, level in (("a", 1.0), ("b", 5.0)):
        strong, weak, noise = rng.normal(size=(3, rows))
        kind = rng.choice(["x", "y"], rows)
        y = level + 3 * strong + (kind == "x") + 0.1 * noise
        parts.append(
            pd.DataFrame({"unique_id": name, "ds": days, "y": y, "strong": strong, "weak": weak, "kind": kind})
        )
    return pd.concat(parts, ignore_index=True)


def fitted(model, frame, **roles):
    return model(horizon=HORIZON, target="y", **roles).fit(frame[frame["ds"] < "2024-06-01"])


@pytest.mark.parametrize("model", [fk.LinearForecaster, fk.TabularForecaster])
def test_a_covariate_that_drives_the_target_is_the_most_important(model, frame):
    found = fk.importance(fitted(model, frame, known=["weak", "strong", "kind"]), frame, n_windows=10, random_state=0)
    assert found.index[0] == "strong"
    assert found.loc["strong", "increase"] > 0.5
    assert found.loc["kind", "increase"] > found.loc["weak", "increase"]
    assert abs(found.loc["weak", "increase"]) < 0.1
    assert set(found["role"]) == {"known"}


def test_ensembles_and_past_covariates(frame):
    members = [fk.LinearForecaster(), fk.SeasonalNaiveForecaster()]
    model = fk.EnsembleForecaster(
        forecasters=members, horizon=HORIZON, target="y", known=["strong"], past=["weak", "kind"]
    ).fit(frame[frame["ds"] < "2024-06-01"])
    found = fk.importance(model, frame, n_windows=5, repeats=2, random_state=0)
    assert found["role"].to_dict() == {"strong": "known", "weak": "past", "kind": "past"}


def test_the_same_seed_gives_the_same_result_and_the_data_stay(frame):
    model = fitted(fk.LinearForecaster, frame, known=["strong"], past=["weak", "kind"])
    before = frame.copy()
    first, second = (fk.importance(model, frame, n_windows=5, repeats=2, random_state=1) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    pd.testing.assert_frame_equal(frame, before)
    assert first.loc["strong", "std"] > 0


def test_shifted_columns_keep_their_values_and_the_others_their_place(frame):
    model = fitted(fk.LinearForecaster, frame, known=["strong", "weak"], past=["kind"])
    panel = model.history_
    shifted = _without_relation(panel, "known", slice(0, 1), np.random.default_rng(0))
    np.testing.assert_array_equal(shifted.known[:, 1], panel.known[:, 1])
    for begin, end in zip(panel.indptr[:-1], panel.indptr[1:], strict=True):
        own, moved = panel.known[begin:end, 0], shifted.known[begin:end, 0]
        assert not np.array_equal(own, moved)
        np.testing.assert_array_equal(np.sort(own), np.sort(moved))


def test_models_without_covariates_are_refused(frame):
    plain = fk.LinearForecaster(horizon=HORIZON).fit(frame[["unique_id", "ds", "y"]])
    with pytest.raises(InputError, match="must be fitted with covariates, got a LinearForecaster without any"):
        fk.importance(plain, frame[["unique_id", "ds", "y"]])


def test_rows_of_the_fit_are_refused(frame):
    model = fitted(fk.LinearForecaster, frame, known=["strong"], past=["weak", "kind"])
    with pytest.raises(InputError, match="a fitted forecaster is tested on rows after"):
        fk.importance(model, frame, start="2024-02-01")


def test_newer_rows_alone_follow_the_history(frame):
    model = fitted(fk.LinearForecaster, frame, known=["strong"], past=["weak", "kind"])
    settings = {"n_windows": 5, "repeats": 2, "random_state": 0}
    newer = fk.importance(model, frame[frame["ds"] >= "2024-06-01"], **settings)
    pd.testing.assert_frame_equal(newer, fk.importance(model, frame, **settings))


def test_forecasts_without_an_error_are_compared_with_the_seasonal_naive():
    """Covariates that are the target leave no error, by which no rise could be divided."""
    days = pd.date_range("2024-01-01", periods=120, freq="D", name="day")
    y = pd.Series(np.random.default_rng(0).normal(size=120), days, name="y")
    weak = y[::-1].to_numpy()
    frame = pd.DataFrame({"y": y, "same": np.where(days < days[80], weak, y), "weak": weak**2}, days)
    model = fk.LinearForecaster(horizon=HORIZON, target="y", known=["same", "weak"]).fit(frame[:80])
    model._forecast_at = lambda panel, origins: _Same(panel, origins)
    with pytest.warns(
        UserWarning, match="the forecasts have no error; rises are relative to the error of the seasonal"
    ):
        found = fk.importance(model, frame, n_windows=5, repeats=2, random_state=0)
    assert found.loc["weak"].tolist() == ["known", 0.0, 0.0]
    assert 0.3 < found.loc["same", "increase"] < 3


class _Same:
    """Forecasts that are the first known covariate."""

    def __init__(self, panel, origins):
        self.values = panel.known[origins.row[:, None] + np.arange(1, HORIZON + 1), 0]

    def point(self):
        return self.values


def test_references_of_the_windows_are_computed_once(frame, monkeypatch):
    calls, naive = [], ForecastWindows.naive.func
    counted = cached_property(lambda windows: calls.append(1) or naive(windows))
    counted.__set_name__(ForecastWindows, "naive")
    monkeypatch.setattr(ForecastWindows, "naive", counted)
    model = fitted(fk.LinearForecaster, frame, known=["strong"], past=["weak", "kind"])
    fk.importance(model, frame, n_windows=5, repeats=3, random_state=0)
    assert len(calls) == 1
