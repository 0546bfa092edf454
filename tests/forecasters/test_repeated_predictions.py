"""Many forecasts in one process: nothing is traced again, and no memory is kept."""

import gc
import resource
import tracemalloc
from pathlib import Path

import pytest
from conftest import SMALL, make_panel

import forecastkit as fk


@pytest.fixture(scope="module")
def model():
    """A GRU of series that stand on their own, so that it forecasts any others."""
    data = histories(2)
    data = data[data["ds"] < "2024-01-08"]
    return fk.GRUForecaster(**SMALL, series_id="unique_id", time="ds", target="load").fit(data)


def histories(count):
    """So many series of which the first two were trained on, up to a week."""
    return make_panel(240, tuple(f"new {i}" for i in range(count)))[["unique_id", "ds", "load"]]


def test_series_and_origins_in_any_number_are_forecast_by_one_trace(model, monkeypatch):
    calls = []
    network = model.network_.live()[0]
    monkeypatch.setattr(network, "call", lambda *given, **named: calls.append(1))
    for count in (1, 2, 3, 7):
        assert len(model.forecast(history=histories(count))) == count * SMALL["horizon"]
    for start in (170, 190, 205):
        assert len(fk.backtest(model, histories(2), start=start, stride=5).forecasts)
    assert not calls


def grown(forecast, times=20):
    """Bytes a forecast that Python and numpy go on to hold, once the first few have filled what is cached."""
    for _ in range(5):
        forecast()
    gc.freeze()  # else each collection looks through a million objects of TensorFlow
    tracemalloc.start()
    try:
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(times):
            forecast()
        gc.collect()
        return (tracemalloc.get_traced_memory()[0] - before) / times
    finally:
        tracemalloc.stop()
        gc.unfreeze()


def resident():
    """Resident memory of this process, bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_forecasts_keep_no_memory(model):
    """Neither frames nor panels, kilobytes each. What Python itself caches goes on to grow by some hundred bytes."""
    history, kept = histories(2), []
    assert grown(model.forecast) < 1_000
    assert grown(lambda: model.forecast(history=history)) < 2_000
    assert grown(lambda: kept.append(model.forecast())) > 2_000  # such a leak would be seen


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="resident memory is read from /proc")
def test_ten_thousand_forecasts_keep_no_memory(model):
    for _ in range(500):
        model.forecast()
    before = resident()
    for _ in range(10_000):
        model.forecast()
    assert resident() - before < 20e6
