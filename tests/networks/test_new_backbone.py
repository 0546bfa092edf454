"""A backbone written by the recipe in CONTRIBUTING.md: one file in a copy of the library, and no other edit."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILE = '''"""A mean of the past, widened and added to every token of the future."""

from dataclasses import dataclass

import keras
from keras import layers, ops

from forecastkit.networks.backbone import Backbone
from forecastkit.networks.layers import Dropout


class MeanLayer(keras.layers.Layer):
    """Adds a perceptron of the mean observed token to the future."""

    def __init__(self, width, dropout, **kwargs):
        super().__init__(**kwargs)
        self.widen, self.drop = layers.Dense(width, activation="relu"), Dropout(dropout)

    def build(self, past_shape, future_shape=None):
        self.narrow = layers.Dense(past_shape[-1])
        self.widen.build(past_shape)
        self.narrow.build((*past_shape[:-1], self.widen.units))

    def call(self, past, future, mask=None, training=None):
        if mask is not None:
            past = past * ops.cast(mask, past.dtype)[:, :, None]
        mean = ops.mean(past, axis=1, keepdims=True)
        return future + self.narrow(self.drop(self.widen(mean), training=training))


@dataclass(kw_only=True, eq=False, repr=False)
class ThrowAway(Backbone):
    """The mean of the past.

    Parameters
    ----------
    width : int
        Of the hidden layer.

    References
    ----------
    None: it lives as long as a test.
    """

    width: int = 16

    counts = ("width",)

    def build(self):
        return MeanLayer(self.width, self.dropout)
'''


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the library with the one file, and what runs a command in it."""
    root = tmp_path_factory.mktemp("checkout")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "forecastkit", root / "forecastkit", ignore=ignored)
    (root / "forecastkit" / "networks" / "backbones" / "throw_away.py").write_text(FILE, encoding="utf-8")
    (root / "tests" / "forecasters").mkdir(parents=True)
    for name in ("conftest.py", "forecasters/test_contract.py"):
        shutil.copy(ROOT / "tests" / name, root / "tests" / name)
    shutil.copy(ROOT / "pyproject.toml", root)
    (root / "datasets").mkdir()
    shutil.copy(ROOT / "datasets" / "AirPassengers.csv", root / "datasets")

    def run(*arguments):
        environment = {**os.environ, "PYTHONPATH": str(root), "TF_CPP_MIN_LOG_LEVEL": "3"}
        command = [sys.executable, *map(str, arguments)]
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    return run


def test_it_is_one_short_file():
    assert len(FILE.splitlines()) <= 60


@pytest.mark.rotated
def test_it_keeps_the_contract_of_all_forecasters(checkout):
    told = checkout(
        "-m", "pytest", "tests/forecasters/test_contract.py", "-k", "ThrowAwayForecaster", "-p", "no:cacheprovider"
    )
    assert "failed" not in told
    assert int(told.split(" passed")[0].split()[-1]) >= 15


USE = """
import sys

import forecastkit as fk
from forecastkit.cli import main

assert "throw_away" in fk.backbones.names()
assert {"ThrowAway", "ThrowAwayForecaster"} <= set(fk.__all__)
data = fk.load_dataset("airpassengers")
sizes = {"horizon": 6, "lookback": 24, "epochs": 1, "windows_per_epoch": 16, "random_state": 0}
named = fk.ThrowAwayForecaster(width=8, **sizes).fit(data)
other = fk.KerasForecaster(backbone=fk.ThrowAway(width=8), **sizes).fit(data)
assert (named.predict() == other.predict()).all(axis=None)
by_name = fk.KerasForecaster(backbone="throw_away", **sizes)
assert by_name._architecture().width == 16
table, model = sys.argv[1:]
data.to_csv(table)
options = ["--model", "throw_away", "--set", "width=8", "--set", "epochs=1", "--horizon", "6", "--json"]
for command in (["train", "--csv", table, "--out", model, *options], ["inspect", model], ["predict", model, "--json"]):
    print("<command>", command[0], flush=True)
    assert main(command) == 0, command
"""


@pytest.mark.rotated
def test_the_library_and_the_command_line_find_it(checkout, tmp_path):
    table, model = tmp_path / "table.csv", tmp_path / "model.forecast"
    _, train, inspect, predict = checkout("-c", USE, table, model).split("<command>")
    assert "throw" in json.dumps(json.loads(train.removeprefix(" train"))).lower()
    assert model.exists()
    assert "ThrowAwayForecaster" in inspect
    assert len(predict.splitlines()) > 1
