"""``forecast tune`` with a linear model, whose trials are fast."""

import json

import pytest

import forecastkit as fk
from forecastkit.cli import main
from forecastkit.cli.tune import parse_space
from forecastkit.datasets import dataset_path

AIR = str(dataset_path("airpassengers"))
SPACE = ("--model", "linear", "--space", "lookback=12,24,36", "--space", "target_transform=none,sqrt")


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run a command in an empty folder; return its output."""
    monkeypatch.chdir(tmp_path)

    def command(*args, code=0):
        assert main([str(arg) for arg in args]) == code
        return capsys.readouterr()

    return command


def test_the_search_is_printed_tested_and_saved(run, tmp_path):
    out = run("tune", "--csv", AIR, *SPACE, "--trials", "4", "--folds", "2", "--directory", "kept").out
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert "local, 2 folds with 18 cutoffs, at most 4 trials" in lines["search"]
    assert "lookback, target_transform" in lines["space"]
    assert "4/4" in lines["trial"]
    assert {"trials", "defaults", "test", "linear", "seasonal", "saved"} <= set(lines)
    model = fk.load("model.forecast")
    assert (type(model).__name__, len(model.predict())) == ("LinearForecaster", 12)
    assert str(model.cutoff_)[:7] == "1960-12", "all rows are its history"
    assert set(model.scores_["tuning"]["best_params"]) == {"lookback", "target_transform"}
    again = run(
        "tune", "--csv", AIR, *SPACE, "--trials", "4", "--folds", "2", "--directory", "kept", "--overwrite", "--json"
    )
    found = json.loads(again.out)
    assert [trial["trial"] for trial in found["trials"]] != []
    assert found["best_params"] == model.scores_["tuning"]["best_params"]
    assert found["test"]["linear"]["mae"] == pytest.approx(model.scores_["test"]["test"]["linear"]["mae"])
    assert found["defaults"]["mae"] > 0
    assert len(list((tmp_path / "kept").iterdir())) == 1


@pytest.mark.parametrize(
    ("texts", "space"),
    [
        ([], None),
        (["units=32,64", "learning-rate=1e-4..1e-2,log"], {"units": [32, 64], "learning_rate": (1e-4, 1e-2, "log")}),
        (["normalization=none,last", "dropout=0..0.5"], {"normalization": [None, "last"], "dropout": (0, 0.5)}),
    ],
)
def test_text_becomes_a_space(texts, space):
    assert parse_space(texts) == space


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--space", "unit=1,2"], 2, "a parameter in the space must exist, got 'unit'"),
        (["--space", "lookback"], 2, "must be NAME=a,b,c or NAME=low..high"),
        (["--search", "grid"], 2, "search must be one of"),
        (["--budget", "soon"], 2, "budget must be a number of seconds"),
        (["--folds", "40"], 1, "40 folds of"),
        (["--model", "gru", "--budget", "5s"], 2, "time limit must be at least 18 s for one trial on 3 folds"),
    ],
)
def test_bad_input_is_one_sentence(run, tmp_path, arguments, code, sentence):
    given = arguments if "--model" in arguments else ["--model", "linear", "--space", "lookback=12,24", *arguments]
    printed = run("tune", "--csv", AIR, *given, "--jobs", "1", code=code)
    assert sentence in printed.err
    assert len(printed.err.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_ends_the_search_and_the_best_so_far_is_written(run, monkeypatch):
    from forecastkit.tuning.trial import run_trial

    trials = []

    class Interrupted:
        """Runs trials in this process, the first two of them."""

        def __init__(self, task):
            self.task = task

        def run(self, parameters, limits):
            trials.append(parameters)
            if len(trials) > 2:
                raise KeyboardInterrupt
            return run_trial(self.task, parameters, limits)

        def begin(self):
            return None

        close = begin

    monkeypatch.setattr("forecastkit.tuning.search.Processes", Interrupted)
    printed = run("tune", "--csv", AIR, *SPACE, "--trials", "6")
    assert "search stopped: continuing with the best trial so far" in printed.err
    assert fk.load("model.forecast").horizon_ == 12
    trials.extend([{}] * 3)
    printed = run("tune", "--csv", AIR, *SPACE, "--trials", "6", "--overwrite", code=130)
    assert "stopped before the first trial was over: nothing was written" in printed.err


def test_a_full_disk_ends_the_search_in_a_sentence_and_the_same_command_continues(run, monkeypatch):
    from forecastkit.tuning import kerastuner_oracles

    command = ("tune", "--csv", AIR, *SPACE, "--trials", "4", "--folds", "2", "--directory", "kept", "--no-refit")
    write, written = kerastuner_oracles.atomic_write, []

    def full(path, **options):
        written.append(path)
        if len(written) > 6:
            raise OSError(28, "No space left on device")
        return write(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(kerastuner_oracles, "atomic_write", full)
        err = run(*command, code=1).err
    assert "directory must have free disk space" in err
    assert "No space left on device). Finished trials are kept" in err
    assert "saved" in run(*command).out
