"""Rows to forecast that are given twice, or missing; masked arrays."""

import numpy as np
import pandas as pd
import pytest

import forecastkit as fk
from forecastkit.utils.exceptions import InputError

T = np.arange(150)
FRAME = pd.DataFrame(
    {"y": 100 + 8.0 * (T % 5), "x": (T % 5) * 1.0}, index=pd.date_range("2023-01-01", periods=150, name="day")
)


@pytest.fixture(scope="module")
def fitted():
    return fk.LinearForecaster(horizon=4, lookback=14, target="y", known="x").fit(FRAME)


def test_two_rows_of_one_time_are_refused(fitted):
    future = fitted.future_frame().assign(x=0.0)
    twice = pd.concat([future, future.iloc[1:2].assign(x=4.0)])
    with pytest.raises(
        InputError, match=r"each .series, time. to forecast must be one row, got 1 duplicate: 2023-06-01"
    ):
        fitted.predict(twice)
    fitted.predict(future)


def test_missing_rows_are_named(fitted):
    future = fitted.future_frame().assign(x=0.0)
    with pytest.warns(UserWarning, match=r"1 step before the last row to forecast have no row: 2023-06-01"):
        assert len(fitted.predict(future.drop(future.index[1]))) == 3


def test_rows_that_come_in_any_order_are_answered_in_it(fitted):
    future = fitted.future_frame().assign(x=(np.arange(150, 154) % 5) * 1.0)
    forward, backward = fitted.predict(future), fitted.predict(future[::-1])
    np.testing.assert_allclose(forward["y"], 100 + 8.0 * (np.arange(150, 154) % 5), atol=0.5)
    assert set(backward["y"].round(6)) == set(forward["y"].round(6))


@pytest.mark.parametrize("dtype", ["float64", "int64", "float32"])
def test_cells_under_a_mask_are_missing(dtype):
    values = np.arange(60)
    values[::7] = 1_000_000
    masked = np.ma.masked_array(values.astype(dtype), mask=values > 1e5)
    holes = np.where(values > 1e5, np.nan, values)
    model = fk.LinearForecaster(horizon=4, lookback=14)
    np.testing.assert_array_equal(model.fit(masked).predict(), model.fit(holes).predict())
    both = model.fit(np.ones((60, 1)), masked)
    np.testing.assert_array_equal(both.history_.target[:, 0], holes)
