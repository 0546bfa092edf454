"""Checkpoints of which any bytes are changed are read as they are, or refused in one sentence."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecastkit.training.checkpoint import Checkpoint
from forecastkit.utils.exceptions import InputError


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "run.checkpoint"
    Checkpoint(path, 3).write({"weights": [np.arange(12.0).reshape(3, 4), np.zeros(3)]}, epoch=2)
    return path.read_bytes()


@settings(max_examples=300, deadline=None)
@given(place=st.integers(0, 10_000), value=st.binary(min_size=1, max_size=6), cut=st.booleans())
def test_changed_bytes_are_read_or_refused(tmp_path_factory, whole, place, value, cut):
    path = tmp_path_factory.mktemp("changed", numbered=True) / "run.checkpoint"
    place %= len(whole)
    path.write_bytes(whole[:place] + value + (b"" if cut else whole[place + len(value) :]))
    said = ""
    try:
        Checkpoint(path, 0)
    except InputError as refusal:
        said = str(refusal)
    assert not said or "must be a complete checkpoint, got damaged" in said


@pytest.mark.parametrize("about", [[1], "x", 5, None])
def test_a_description_of_another_type_is_refused(tmp_path, about):
    path = tmp_path / "run.checkpoint"
    with open(path, "wb") as file:
        np.savez(file, about=np.frombuffer(json.dumps(about).encode(), dtype="uint8"))
    with pytest.raises(InputError, match="must be a complete checkpoint, got damaged"):
        Checkpoint(path, 0)
