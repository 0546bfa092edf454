"""`forecast train --model auto`."""

import json
import re

import pytest

import forecastkit as fk
from forecastkit.cli import main
from forecastkit.datasets import dataset_path

TRAIN = ("train", "--csv", str(dataset_path("airpassengers")), "--model", "auto", "--set", "forecasters=['drift']")


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs a command in a folder of its own; gives what it printed."""
    monkeypatch.chdir(tmp_path)

    def command(*args, code=0):
        assert main([str(arg) for arg in args]) == code
        return capsys.readouterr()

    return command


def test_it_says_what_it_tries_and_writes_what_it_chose(run):
    lines = run(*TRAIN, "--budget", "2m").out.splitlines()
    assert any(line.startswith("trial    drift, fold 1: ") for line in lines)
    assert any(line.startswith("chosen   linear") for line in lines)
    assert any(line.startswith("auto ") for line in lines), "its row of the test"
    model = fk.load("model.forecast")
    assert (type(model).__name__, model.time_limit, model.verbose, model.random_state) == ("AutoForecaster", "2m", 0, 0)
    assert set(model.leaderboard_["forecaster"]) == {"linear", "seasonal_naive", "drift"}


def test_json_is_json(run):
    said = json.loads(run(*TRAIN, "--budget", "60s", "--json").out)
    assert said["model"] == "auto"
    assert "auto" in said["test"]


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (("--budget", "soon"), "--budget: budget must be a number of seconds"),
        (("--model", "linear", "--budget", "1m"), "--budget: is for --model auto, got --model linear"),
    ],
)
def test_budgets_that_are_refused(run, flags, sentence):

    assert re.search(sentence, run(*TRAIN, *flags, code=2).err)


def test_ctrl_c_keeps_what_is_ready_where_asked(run, monkeypatch):
    from forecastkit.auto import successive_halving

    def stop(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(successive_halving.Halving, "run", stop)
    said = run(*TRAIN, "--out", "kept.forecast", code=130).err
    assert "stopped: the members that were ready are in kept.forecast" in said
    assert [type(member).__name__ for member in fk.load("kept.forecast").forecasters_] == ["LinearForecaster"]
