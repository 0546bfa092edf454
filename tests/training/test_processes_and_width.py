"""Row numbers of any width, and forks of a process that has computed."""

import os

import numpy as np
import pytest
from conftest import SMALL, wave

import forecastkit as fk
from forecastkit.training.engines import tensorflow


def tiny():
    return fk.GRUForecaster(**{**SMALL, "windows_per_epoch": 64})


@pytest.fixture(scope="module")
def model():
    return tiny().fit(wave(120))


def test_tables_are_as_wide_as_the_steps_want(model, monkeypatch):
    """Tables are int32 where their own rows are few, whatever the size of the data."""
    monkeypatch.setattr(tensorflow, "WIDE", 1)
    np.testing.assert_array_equal(tiny().fit(wave(120)).predict(), model.predict())


@pytest.mark.parametrize("call", [lambda model: model.predict(), lambda model: model.fit(wave(120))])
def test_a_fork_is_refused_instead_of_waiting_for_ever(model, monkeypatch, call):
    monkeypatch.setattr(tensorflow, "_OWNER", [os.getpid() + 1])
    with pytest.raises(fk.InputError, match=r"cannot compute in a fork of a process .* Start processes with .*spawn"):
        call(model)
