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
    """Run a command in an empty folder; return its output."""
    monkeypatch.chdir(tmp_path)

    def command(*args, code=0):
        assert main([str(arg) for arg in args]) == code
        return capsys.readouterr()

    return command


def test_candidates_are_printed_and_the_selection_is_saved(run):
    lines = run(*TRAIN, "--budget", "2m").out.splitlines()
    assert "settings auto, horizon 12, budget 2m" in lines
    tried = [line for line in lines if "of the seasonal naive's error" in line]
    assert tried[0].startswith("tried    ")
    assert {line[9:].split()[0] for line in tried} == {"linear", "seasonal_naive", "drift"}
    weights = [float(found[1]) for line in tried if (found := re.search(r"weight (\d+) %", line))]
    assert 97 <= sum(weights) <= 103
    assert any(line.startswith("auto ") for line in lines), "its row of the test"
    model = fk.load("model.forecast")
    assert (type(model).__name__, model.time_limit, model.verbose, model.random_state) == ("AutoForecaster", "2m", 0, 0)
    assert set(model.leaderboard_["forecaster"]) == {"linear", "seasonal_naive", "drift"}


def test_without_a_model_it_is_auto_and_its_leaderboard_is_short(run):
    out = run("train", "--csv", str(dataset_path("airpassengers"))).out
    tried = [line for line in out.splitlines() if "of the seasonal naive's error" in line]
    assert {line[9:].split()[0] for line in tried} == {"linear", "damped_trend", "pretrained", "seasonal_naive"}
    assert len(tried) <= 8
    model = fk.load("model.forecast")
    assert type(model).__name__ == "AutoForecaster"
    assert model.history_.rows == 144


def test_a_network_parameter_selects_a_network_unless_auto_is_given(run):
    table = ("train", "--csv", str(dataset_path("airpassengers")), "--epochs", "1")
    out = run(*table, "--horizon", "12", "--out", "m.forecast", "--no-refit").out
    assert "gru, because only networks have epochs; --model selects another model" in out
    assert "settings gru, horizon 12" in out
    said = run(*table, "--model", "auto", code=2).err
    assert "auto: the parameter must exist, got 'epochs'. Pass --model gru, or another network" in said


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
def test_invalid_budgets_are_refused(run, flags, sentence):

    assert re.search(sentence, run(*TRAIN, *flags, code=2).err)


def test_ctrl_c_saves_finished_members_with_out(run, monkeypatch):
    from forecastkit.auto import successive_halving

    def stop(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(successive_halving.Halving, "run", stop)
    said = run(*TRAIN, "--out", "kept.forecast", code=130).err
    assert "stopped: the members that were ready are in kept.forecast" in said
    assert [type(member).__name__ for member in fk.load("kept.forecast").forecasters_] == ["LinearForecaster"]


def test_parameters_that_choose_a_network_belong_to_networks_only():
    from forecastkit.cli.train import NETWORK_PARAMETERS

    gru, auto = (set(kind._get_param_names()) for kind in (fk.GRUForecaster, fk.AutoForecaster))
    assert gru >= NETWORK_PARAMETERS
    assert not auto & NETWORK_PARAMETERS
