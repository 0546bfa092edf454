"""Series that two columns name, through every part of the contract."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import forecastkit as fk

DAYS = pd.date_range("2024-01-01", periods=60)
KEYS = [(store, item) for store in ("0071", "72") for item in (1, 2)]
FRAME = pd.concat(
    [pd.DataFrame({"store": s, "item": i, "day": DAYS, "y": 100.0 * i + np.arange(60)}) for s, i in KEYS],
    ignore_index=True,
)


@pytest.fixture(scope="module")
def fitted():
    return fk.LinearForecaster(horizon=7, target="y", series_id=["store", "item"]).fit(FRAME)


def test_forecasts_have_both_columns(fitted):
    predicted, long = fitted.predict(), fitted.forecast()
    assert list(predicted) == ["store", "item", "day", "y"]
    assert list(long)[:5] == ["store", "item", "day", "cutoff", "step"]
    assert list(predicted.groupby(["store", "item"], sort=False).groups) == KEYS
    expected = np.concatenate([100 * i + 60 + np.arange(7) for _, i in KEYS])
    np.testing.assert_allclose(predicted["y"], expected, atol=0.01)
    assert list(fitted.future_frame()) == ["store", "item", "day"]
    assert fitted.cutoff_.index.names == ["store", "item"]
    assert fitted.cutoff_[("72", 2)] == DAYS[-1]


def test_a_file_history_and_newer_rows(fitted, tmp_path):
    fitted.save(tmp_path / "m.forecast")
    model = fk.load(tmp_path / "m.forecast")
    pd.testing.assert_frame_equal(model.predict(), fitted.predict())
    some = model.predict(history=FRAME[FRAME["store"] == "72"])
    assert set(some["store"]) == {"72"}
    newer = FRAME[FRAME["item"] == 1].groupby("store").tail(1).assign(day=DAYS[-1] + pd.Timedelta("1D"))
    model.update(newer)
    assert model.cutoff_[("0071", 1)] == DAYS[-1] + pd.Timedelta("1D")
    assert model.cutoff_[("0071", 2)] == DAYS[-1]


def test_backtests_score_by_either_column(fitted):
    test = fk.backtest(clone(fitted), FRAME, n_windows=2)
    assert test.by("series").index.names == ["store", "item"]
    assert test.by("item").index.tolist() == [1, 2]
    assert test.scores.loc["forecaster", "mase"] < 0.01


def test_index_levels_name_series_too(fitted):
    indexed = fk.LinearForecaster(horizon=7).fit(FRAME.set_index(["store", "item", "day"]))
    predicted = indexed.predict()
    assert predicted.index.names == ["store", "item", "day"]
    np.testing.assert_allclose(predicted["y"], fitted.predict()["y"])
