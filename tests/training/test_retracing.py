"""Fits of many sizes in one process do not make TensorFlow complain of retracing."""

import logging

import pytest
from conftest import wave

import forecastkit as fk


@pytest.fixture
def logged():
    """Messages of TensorFlow's logger, which does not propagate to pytest's."""
    records, logger = [], logging.getLogger("tensorflow")
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())
    logger.addHandler(handler)
    yield records
    logger.removeHandler(handler)


@pytest.mark.rotated
def test_fits_of_many_sizes_are_no_reason_to_warn_of_retracing(logged):
    """TensorFlow warns when five of a function's calls in a row were traced."""
    sizes = {"horizon": 2, "units": 4, "epochs": 1, "windows_per_epoch": 8, "batch_size": 8, "final_epochs": 0}
    for lookback in range(4, 10):
        fk.MinGRUForecaster(lookback=lookback, linear_path=False, **sizes).fit(wave(60)).predict()
    assert not [message for message in logged if "retracing" in message]
