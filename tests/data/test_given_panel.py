"""A Panel instead of a frame gives the same forecasts, updates and backtests."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import forecastkit as fk
from forecastkit.data.ingest.read_panel import read_panel
from forecastkit.utils.exceptions import InputError

HOURS = pd.date_range("2024-01-01", periods=120, freq="h")
ROLES = {"target": ["load"], "time": "when", "series_id": "site", "known": ["temp", "kind"], "static": ["size"]}


def frame(first=0, last=120, sites=("a", "b")):
    rng = np.random.default_rng(0)
    parts = [
        pd.DataFrame(
            {
                "when": HOURS,
                "site": site,
                "load": 10 + np.sin(np.arange(120) / 4) + rng.normal(0, 0.1, 120),
                "temp": rng.normal(size=120),
                "kind": np.tile(["x", "y", "z"], 40),
                "size": float(number),
            }
        )[first:last]
        for number, site in enumerate(sites)
    ]
    return pd.concat(parts, ignore_index=True)


def panel(data, **roles):
    found, schema = read_panel(data, **(roles or ROLES))
    return replace(found, schema=schema)


def linear(**parameters):
    return fk.LinearForecaster(horizon=6, lookback=12, **parameters)


def test_fit_update_and_backtest_take_a_panel():
    one, two = linear(**ROLES).fit(frame(last=100)), linear().fit(panel(frame(last=100)))
    future = frame(first=100).drop(columns="load")
    pd.testing.assert_frame_equal(one.forecast(future), two.forecast(future))
    assert two.history_.schema is None
    one.update(frame(first=90, last=110)), two.update(panel(frame(first=90, last=110)))
    assert one.n_replaced_ == two.n_replaced_ == 20
    pd.testing.assert_frame_equal(one.forecast(future), two.forecast(future))
    for first, second in ((linear(**ROLES), linear()), (one, two)):
        tests = fk.backtest(first, frame(), stride=3), fk.backtest(second, panel(frame()), stride=3)
        pd.testing.assert_frame_equal(tests[0].forecasts, tests[1].forecasts)
        pd.testing.assert_frame_equal(tests[0].scores, tests[1].scores)


def test_a_saved_forecaster_of_a_panel_is_the_same(tmp_path):
    one = linear().fit(panel(frame(last=100)))
    one.save(tmp_path / "m.forecast")
    future = frame(first=100).drop(columns="load")
    pd.testing.assert_frame_equal(fk.load(tmp_path / "m.forecast").forecast(future), one.forecast(future))


def test_the_history_of_a_forecaster_is_a_panel_to_fit_on():
    series = np.arange(60.0) % 7
    history = linear().fit(series).history_
    found = linear().fit(history).predict()
    assert list(found) == ["y"]
    np.testing.assert_array_equal(found["y"], linear().fit(series).predict())
    sites = frame()[["when", "site", "load"]]
    history = linear(time="when", series_id="site").fit(sites).history_
    assert list(linear().fit(history).forecast())[:2] == ["unique_id", "time"]
    named = linear(time="when", series_id="site", target="load").fit(history)
    pd.testing.assert_frame_equal(
        named.forecast(), linear(time="when", series_id="site", target="load").fit(sites).forecast()
    )


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda p: linear().fit(p, np.ones(10)), "y must not be given"),
        (lambda p: linear(target="temp").fit(p), r"target= must name the target columns of the panel \(load\)"),
        (lambda p: linear(time="then").fit(p), "time= must be that of the panel"),
        (lambda p: linear(known=["a"]).fit(replace(p, schema=None)), "known= must name each of the 4 known columns"),
        (lambda p: linear().fit(p, sample_weight=np.ones(240)), "weights are for rows of frames and arrays"),
        (lambda p: linear().fit(p).predict(p), "rows to forecast must be a frame or an array, got a Panel"),
        (lambda p: linear().fit(p).update(replace(p, target=np.ones((240, 2)))), "must have the 1 target column seen"),
        (lambda p: linear().fit(np.arange(60.0)).update(p), "must be on the grid seen at fit"),
        (
            lambda p: linear().fit(p).update(replace(p, schema=replace(p.schema, categories={"kind": ("y", "x")}))),
            "must have the levels seen at fit",
        ),
        (lambda p: linear().fit(replace(p, schema=None, target=p.target * np.inf)), "targets must be finite"),
    ],
)
def test_other_panels_are_refused(call, says):
    with pytest.raises(InputError, match=says):
        call(panel(frame()))
