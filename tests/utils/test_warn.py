"""Warnings point to the line of the user that led to them, through decorators, pipelines and backtests."""

import warnings

import numpy as np
import pandas as pd
import pytest
from conftest import SMALL
from sklearn.pipeline import make_pipeline

import forecastkit as fk

Y = pd.Series(np.sin(np.arange(60.0) / 3), index=pd.date_range("2024-01-01", periods=60, freq="D"), name="y")
X = pd.DataFrame({"x": np.cos(np.arange(60.0))}, index=Y.index)
LONG = {"horizon": 2, "lookback": 100}  # more than there are rows: a warning of `fit`


def faulty(rows):
    """Return the rows after those of Y with an extreme value, which is reported and treated as missing."""
    index = pd.date_range(Y.index[-1], periods=rows + 1, freq="D")[1:]
    values = np.sin(np.arange(60.0, 60.0 + rows) / 3)
    values[rows // 2] = 1e9
    return pd.Series(values, index=index, name="y")


def fitted():
    return fk.LinearForecaster(horizon=2, lookback=6).fit(Y)


def after_fit(method):
    model = fitted()
    return lambda: getattr(model, method)(faulty(8))


def backtest_newer_rows():
    model = fitted()
    return lambda: fk.backtest(model, pd.concat([Y, faulty(8)]), n_windows=2)


def predict_far():
    model = fk.LinearForecaster(horizon=1, lookback=4).fit(X.iloc[:40], Y.iloc[:40])
    return lambda: model.predict(X.iloc[40:])


def predict_in_pipeline():
    model = make_pipeline(fk.LinearForecaster(horizon=1, lookback=4)).fit(X.iloc[:40], Y.iloc[:40])
    return lambda: model.predict(X.iloc[40:])


CALLS = {
    "fit": lambda: lambda: fk.LinearForecaster(**LONG).fit(Y),
    "fit of a network": lambda: lambda: fk.GRUForecaster(**{**SMALL, **LONG}).fit(Y),
    "fit in a pipeline": lambda: lambda: make_pipeline(fk.LinearForecaster(**LONG)).fit(X, Y),
    "predict": predict_far,
    "predict in a pipeline": predict_in_pipeline,
    "update": lambda: after_fit("update"),
    "partial_fit": lambda: after_fit("partial_fit"),
    "backtest": backtest_newer_rows,
}


@pytest.mark.parametrize("call", CALLS)
def test_warnings_point_to_the_line_of_the_user(call):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        act = CALLS[call]()
        before = len(said)
        act()
    assert len(said) > before
    assert {one.filename for one in said} == {__file__}
