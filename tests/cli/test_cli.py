"""The command line's main job, end to end, and its parts."""

import json
import os
import re
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from forecastkit.cli import main, models, output_files
from forecastkit.cli import read_data as tables
from forecastkit.cli.choose_sizes import make_plan
from forecastkit.cli.console import Report
from forecastkit.cli.describe_data import longest_gap, said, units
from forecastkit.cli.flags import PARAMETERS, ROLES, as_flags
from forecastkit.data.files.infer_roles import find_roles
from forecastkit.data.files.read_table import Table
from forecastkit.data.time_grid import TimeGrid
from forecastkit.datasets import dataset_path
from forecastkit.utils.exceptions import InputError
from forecastkit.utils.formatting import clock, decimals, number, share

AIR = str(dataset_path("airpassengers"))
TINY = ("--epochs", "2", "--windows-per-epoch", "64", "--set", "units=8")
HOURS = pd.date_range("2024-01-01", periods=500, freq="h")


def load_table(rows=500, steps_ahead=0):
    """An hourly load that a known temperature drives; the last rows lack the load."""
    rng = np.random.default_rng(0)
    temp = rng.normal(size=rows)
    frame = pd.DataFrame({"when": HOURS[:rows], "load": 10 + 3 * temp + rng.normal(0, 0.1, rows), "temp": temp})
    frame.loc[rows - steps_ahead :, "load"] = np.nan
    return frame


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(home, capsys):
    """Runs a command that must succeed; gives what it printed."""

    def command(*args, code=0):
        assert main([str(arg) for arg in args]) == code
        return capsys.readouterr()

    return command


@pytest.fixture(scope="module")
def air(tmp_path_factory):
    """A small GRU on AirPassengers, and what `train --json` said of it."""
    path = tmp_path_factory.mktemp("air") / "air.forecast"
    args = [sys.executable, "-m", "forecastkit", "train", "--csv", AIR, *TINY, "--out", str(path), "--json"]
    done = subprocess.run(args, capture_output=True, text=True, check=True)
    return path, done


# The main job ---------------------------------------------------------------------------------------------------------


def test_train_says_what_it_finds_and_does_and_writes_one_file(run, home):
    out = run("train", "--csv", AIR, *TINY).out
    lines = out.splitlines()
    assert lines[:5] == [
        "file     144 rows",
        "time     Month, monthly, 1949-01 to 1960-12",
        "target   Passengers",
        "chosen   gru, horizon 12, lookback 36, patch 3, random state 0",
        "split    validation 24 months, test 24 months, 13 origins",
    ]
    assert [line.split("  best")[0] for line in lines[5:7]] == ["epoch     1/2", "epoch     2/2"]
    assert [line.split("  ")[0] for line in lines[7:11]] == ["test", "gru", "linear", "seasonal naive"]
    assert lines[-1] == "saved    model.forecast      next: forecast predict model.forecast"
    assert os.listdir(home) == ["model.forecast"]


def test_train_json_is_one_object_and_nothing_else_is_printed(air):
    path, done = air
    found = json.loads(done.stdout)
    assert path.exists()
    assert found["model"] == "gru"
    assert (found["rows"], found["time"], found["target"], found["freq"]) == (144, "Month", ["Passengers"], "monthly")
    assert (found["horizon"], found["lookback"], found["validation_size"], found["test_size"]) == (12, 36, 24, 24)
    assert set(found["test"]) == {"gru", "linear", "seasonal naive"}
    for scores in found["test"].values():
        assert scores["mae"] > 0
        assert scores["mase"] > 0
        assert 0 <= scores["coverage"] <= 1
    assert found["best"] in found["test"]
    assert all(line.startswith("warning  ") for line in done.stderr.splitlines())


def test_predict_writes_the_next_year_and_draws_it(run, air):
    out = run("predict", air[0], "--out", "f.csv", "--plot", "f.png").out
    assert "1961-12-01" in out
    assert out.splitlines()[0].split() == ["Month", "forecast", "q0.1", "q0.5", "q0.9"]
    frame = pd.read_csv("f.csv", parse_dates=["Month"])
    assert list(frame) == ["Month", "cutoff", "step", "forecast", "q0.1", "q0.5", "q0.9"]
    assert (frame["Month"] == pd.date_range("1961-01-01", periods=12, freq="MS")).all()
    assert np.isfinite(frame["forecast"]).all()
    assert (frame["q0.1"] <= frame["q0.9"]).all()
    with open("f.png", "rb") as file:
        assert file.read(4) == b"\x89PNG"
    assert sorted(os.listdir()) == ["f.csv", "f.png"]


def test_predict_gives_ranges_quantiles_and_json(run, air):
    run("predict", air[0], "--out", "c.csv", "--coverage", "0.8")
    bounds = pd.read_csv("c.csv")
    assert (bounds["lower"] < bounds["upper"]).all()
    found = json.loads(run("predict", air[0], "--quantile-levels", "0.25,0.75", "--json").out)
    assert len(found["forecast"]) == 12
    assert set(found["forecast"][0]) == {"Month", "cutoff", "step", "forecast", "q0.25", "q0.75"}
    assert found["forecast"][0]["Month"] == "1961-01-01T00:00:00"


def test_predict_from_another_history(run, air):
    table = pd.read_csv(AIR)
    table[:-12].to_csv("older.csv", index=False)
    run("predict", air[0], "--history", "older.csv", "--out", "f.csv", "--plot", "f.png")
    assert pd.read_csv("f.csv")["Month"][0] == "1960-01-01"


def test_inspect_a_model_and_a_table(run, air):
    assert "target   Passengers" in (out := run("inspect", air[0]).out)
    assert "trained  2 epochs" in out
    assert "seasonal naive" in out
    found = json.loads(run("inspect", air[0], "--json").out)
    assert (found["kind"], found["class"], found["horizon"]) == ("model", "GRUForecaster", 12)
    found = json.loads(run("inspect", AIR, "--json").out)
    assert (found["kind"], found["usual"]) == ("table", {"horizon": 12, "lookback": 36})


def test_a_saved_model_is_tested_on_the_rows_after_its_training(run, air):
    found = json.loads(run("backtest", air[0], "--csv", AIR, "--json").out)
    trained = json.loads(air[1].stdout)["test"]["gru"]
    assert found["windows"] == 13
    assert found["scores"][str(air[0])]["mae"] == pytest.approx(trained["mae"], rel=1e-4)


def test_backtest_fits_a_model_writes_and_draws(run):
    flags = (
        "--model",
        "linear",
        "--n-windows",
        "5",
        "--stride",
        "2",
        "--horizon",
        "6",
        "--out",
        "b.csv",
        "--plot",
        "b.png",
    )
    out = run("backtest", "--csv", AIR, *flags).out
    assert "windows  5, from 1959-10-01 to 1960-06-01" in out
    assert pd.read_csv("b.csv").groupby("cutoff").size().tolist() == [6] * 5
    assert sorted(os.listdir()) == ["b.csv", "b.png"]
    assert "windows  25, from 1957-12" in run("backtest", "--csv", AIR, "--model", "naive", "--start", "1958-01").out


def test_backtest_refits_and_goes_on_where_it_was(run, monkeypatch):
    flags = ("--csv", AIR, "--model", "linear", "--horizon", "6", "--n-windows", "4", "--resume", "work.jsonl")
    first = run("backtest", *flags, "--refit", "--max-train-size", "100").out
    assert [line.split(":")[0] for line in first.splitlines() if line.startswith("refit")] == [
        f"refit    {place}/4  cutoff 1960-0{month}-01" for place, month in enumerate((3, 4, 5, 6), 1)
    ]
    again = run("backtest", *flags, "--refit", "--max-train-size", "100").out
    assert again.count("kept from before") == 4
    assert again.splitlines()[-4:] == first.splitlines()[-4:]
    assert re.search(r"ranges   50 %: \d+ ± \d+\.\d %, 80 %: .*, 95 %: .* \(errors: binomial, or by blocks", first)
    assert "max_train_size 100 there, None here" in run("backtest", *flags, "--refit-every", "2", code=1).err

    def stopped(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("forecastkit.cli.backtest.run_backtest", stopped)
    assert "finished runs are in work.jsonl" in run("backtest", *flags, "--refit", code=130).err


def test_audit_changes_what_comes_after(run, air):
    out = run("audit", "--csv", AIR, "--model", "linear", "--horizon", "6").out
    assert re.search(r"fit after other fits: the cutoff before it +ok", out)
    assert "no forecast depends on what comes after it" in out
    found = json.loads(run("audit", air[0], "--csv", AIR, "--json").out)
    assert found["passed"]
    assert {row["check"] for row in found["findings"]} == {"forecast"}
    assert "either a model file or --model must be given" in run("audit", "--csv", AIR, code=2).err


def test_a_leak_is_a_refusal(run, monkeypatch):
    from forecastkit.forecasters.baselines import NaiveForecaster

    def look_ahead(self, panel, origins):
        following = np.minimum(origins.row + 1, panel.rows - 1)
        return np.repeat(panel.target[following, origins.channel][:, None, None], self.horizon_, axis=1)

    monkeypatch.setattr(NaiveForecaster, "_forecast", look_ahead)
    result = run("audit", "--csv", AIR, "--model", "naive", "--horizon", "6", code=1)
    assert "LEAK" in result.out
    assert "forecasts must not depend on what comes after them, got a change by targets" in result.err


@pytest.mark.parametrize("model", ["naive", "seasonal_naive", "drift", "mean", "linear", "ensemble"])
def test_every_model_of_the_house_trains(run, model):
    network = TINY if model == "ensemble" else ()
    assert "test" in run("train", "--csv", AIR, "--model", model, *network).out
    assert len(json.loads(run("predict", "model.forecast", "--json").out)["forecast"]) == 12


def test_refit_trains_again_on_all_rows(run):
    out = run("train", "--csv", AIR, *TINY, "--refit").out
    assert out.count("epoch     2/2") == 2
    assert "no complete window" in run("backtest", "model.forecast", "--csv", AIR, code=1).err


def test_several_series_are_named_where_the_model_is_weak(run):
    table = pd.concat([load_table().assign(site=site, load=np.arange(500) % 24 + k) for k, site in enumerate("ab")])
    table.to_csv("sites.csv", index=False)
    said = run("train", "--csv", "sites.csv", "--target", "load", "--model", "mean", "--horizon", "12")
    assert "series   site: a, b" in said.out
    assert "weak     a: " in said.out
    assert "weak     b: " in said.out
    assert "warning  " in said.err
    rows = pd.read_csv(run("predict", "model.forecast", "--out", "f.csv") and "f.csv")
    assert rows["site"].unique().tolist() == ["a", "b"]


def test_quiet_prints_nothing(run):
    assert run("train", "--csv", AIR, "--model", "linear", "--quiet") == ("", "")


# Known covariates -----------------------------------------------------------------------------------------------------


def test_a_future_file_and_blank_targets_at_the_end_say_the_same(run):
    whole = load_table(steps_ahead=12)
    whole.to_csv("whole.csv", index=False)
    whole[:-12].to_csv("past.csv", index=False)
    whole[-12:].drop(columns="load").to_csv("future.csv", index=False)
    flags = ("--target", "load", "--known", "temp", "--horizon", "12", "--lookback", "24", "--out", "m.forecast", *TINY)
    out = run("train", "--csv", "whole.csv", *flags).out
    assert "12 hours after it with known columns" in out
    run("predict", "m.forecast", "--out", "a.csv")
    run("predict", "m.forecast", "--history", "past.csv", "--future", "future.csv", "--out", "b.csv")
    pd.testing.assert_frame_equal(pd.read_csv("a.csv"), pd.read_csv("b.csv"))
    assert "known covariates temp are needed" in run("predict", "m.forecast", "--history", "past.csv", code=1).err
    whole[-12:-6].to_csv("short.csv", index=False)
    args = ("predict", "m.forecast", "--history", "past.csv", "--future")
    said = run(*args, "short.csv", "--out", "c.csv")
    assert "known covariates temp end before the steps asked for" in said.err
    assert len(pd.read_csv("c.csv")) == 6, "as far as they reach"
    whole[-12:].assign(temp=np.nan).to_csv("blank.csv", index=False)
    assert "blank.csv: known columns must be filled, got blanks in 'temp'." in run(*args, "blank.csv", code=1).err


# Ctrl-C ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def interrupted(monkeypatch):
    """Ctrl-C after the second epoch, or before the first is over."""
    from forecastkit.cli.progress import Epochs

    def after(epoch):
        name, original = ("on_epoch_end", Epochs.on_epoch_end) if epoch else ("on_epoch_begin", None)

        def stop(self, number, logs=None):
            if original:
                original(self, number, logs)
            if number == max(epoch - 1, 0):
                raise KeyboardInterrupt

        monkeypatch.setattr(Epochs, name, stop)

    return after


def test_ctrl_c_keeps_the_best_weights_where_out_was_given(run, interrupted):
    interrupted(after := 2)
    said = run("train", "--csv", AIR, *TINY, "--epochs", "5", "--out", "m.forecast", code=130)
    assert "stopped: the best weights so far, of epoch" in said.err
    assert f"epoch     {after}/5" in said.out
    assert len(json.loads(run("predict", "m.forecast", "--json").out)["forecast"]) == 12


@pytest.mark.parametrize(
    ("epoch", "says"), [(2, "stopped: nothing was written; with --out"), (0, "before the first epoch")]
)
def test_ctrl_c_writes_nothing_unasked_or_untrained(run, interrupted, epoch, says):
    interrupted(epoch)
    out = () if epoch else ("--out", "m.forecast")
    assert says in run("train", "--csv", AIR, *TINY, *out, code=130).err
    assert os.listdir() == []


def test_a_stopped_training_goes_on_with_the_same_command(run, monkeypatch):
    from forecastkit.cli.progress import Epochs

    def stop(self, epoch, logs=None):
        if epoch == 3:
            raise KeyboardInterrupt

    command = ("train", "--csv", AIR, *TINY, "--epochs", "5", "--resume", "epochs")
    with monkeypatch.context() as patch:
        patch.setattr(Epochs, "on_epoch_begin", stop)
        said = run(*command, code=130)
    assert "resume   the same command goes on from the epochs in epochs" in said.out
    said = run(*command)
    assert "epoch     4/5" in said.out
    assert "epoch     3/5" not in said.out
    assert os.listdir("epochs") == []
    whole = run(*command[:-2], "--overwrite")
    epochs = [re.findall(r"epoch +(\d/5 +best \d)", each.out) for each in (said, whole)]
    assert epochs[0] == epochs[1][3:] != []
    refused = run("train", "--csv", AIR, "--model", "linear", *command[-2:], "--overwrite", code=2).err
    assert "linear: the parameter must exist without a network, got 'resume'" in refused


def test_ctrl_c_while_training_again_writes_nothing(run, monkeypatch):
    from forecastkit.cli import train

    fits = []

    def fit(report, forecaster, frame):
        fits.append(len(frame))
        if len(fits) == 2:
            raise train.Stopped(1)
        forecaster.fit(frame)

    monkeypatch.setattr(train, "_fit", fit)
    flags = ("--model", "linear", "--refit", "--out", "m.forecast")
    assert "stopped: nothing was written" in run("train", "--csv", AIR, *flags, code=130).err
    assert (fits, os.listdir()) == ([120, 144], [])


# Files ----------------------------------------------------------------------------------------------------------------


def test_a_file_stays_whole_when_writing_fails(home, monkeypatch):
    (home / "old.csv").write_text("old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(InputError, match="No space left on device"):
        output_files.write_csv(pd.DataFrame({"a": [1]}), home / "old.csv")
    assert os.listdir(home) == ["old.csv"]
    assert (home / "old.csv").read_text() == "old"


def test_outputs_replace_files_only_when_told(run, air):
    run("predict", air[0], "--out", "f.csv")
    assert "Pass --overwrite" in run("predict", air[0], "--out", "f.csv", code=1).err
    run("predict", air[0], "--out", "f.csv", "--overwrite")


def test_data_sets_are_listed_and_copied(run):
    assert "airpassengers" in run("datasets").out
    assert len(json.loads(run("datasets", "--json").out)["datasets"]) == 6
    run("datasets", "airpassengers", "--out", "air.csv")
    with open("air.csv", "rb") as copy, open(AIR, "rb") as original:
        assert copy.read() == original.read()
    assert "got none" in run("datasets", "--out", "x.csv", code=2).err


# Help -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["", "train", "predict", "backtest", "audit", "tune", "inspect", "datasets"])
def test_help_is_there_for_every_command(run, command):
    command = tuple(command.split())
    out = run(*command, "--help").out
    assert out.startswith(f"Usage: {' '.join(('forecast', *command))}")
    assert "Exit codes" in out or "forecast " + command[0] in out


def test_help_is_light():
    code = (
        "import sys; from forecastkit.cli import main; main(['train', '--help']); print(*sys.modules, file=sys.stderr)"
    )
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert time.perf_counter() - began < 5
    heavy = {"tensorflow", "keras", "sklearn", "pandas", "numpy", "rich", "matplotlib"}
    assert not heavy & {name.split(".")[0] for name in done.stderr.split()}


def test_the_flags_are_constructor_parameters():
    import forecastkit as fk

    assert set(PARAMETERS) <= set(fk.GRUForecaster._get_param_names())
    assert set(ROLES) <= set(fk.LinearForecaster._get_param_names())


def test_version(run):
    assert run("--version").out.startswith("forecastkit ")


# Parts ----------------------------------------------------------------------------------------------------------------


def test_sentences_speak_of_flags():
    assert as_flags("Name it with series_id=.") == "Name it with --series-id."
    assert as_flags("static=rider uses it") == "--static rider uses it"
    assert as_flags("Pass a shorter horizon= or more.") == "Pass a shorter --horizon or more."


def test_text_of_flags_becomes_parameters():
    read = models.read_flags({"target": '"a,b", c', "validation_size": "0.1", "horizon": 3}, ["units=8", "how=median"])
    assert read == {"target": ["a,b", "c"], "validation_size": 0.1, "horizon": 3, "units": 8, "how": "median"}
    assert models.read_flags({}, ["patience=none", "calendar=True"]) == {"patience": None, "calendar": True}


def made(frame, **roles):
    """A table as `read_data` would give it."""
    found = find_roles(frame, **roles)
    selected = found.select(frame)
    panel, schema = tables.read_panel(selected, time=found.time, series_id=found.series_id, target=list(found.target))
    return tables.Data("data.csv", Table(frame), found, selected, panel, schema)


@pytest.mark.parametrize(
    ("rows", "freq", "sizes"),
    [
        (144, "MS", (12, 36, 24, 24, 1)),
        (60, "MS", (12, 12, 12, 15, 1)),
        (17_520, "h", (48, 336, 1752, 1752, 9)),
        (3_650, "D", (14, 91, 365, 365, 2)),
        (40, "D", (8, 7, 8, 10, 1)),
        (4, "D", (1, 1, 1, 1, 1)),
    ],
)
def test_sizes_are_usual_ones_that_the_rows_allow(rows, freq, sizes):
    data = made(pd.DataFrame({"t": pd.date_range("2000-01-01", periods=rows, freq=freq), "y": np.ones(rows)}))
    plan = make_plan(data, {})
    assert (plan.horizon, plan.lookback, plan.validation, plan.test, plan.stride) == sizes
    assert plan.cutoffs <= 200
    assert plan.test_start == data.end - plan.test + 1


def test_rows_before_the_test_leave_out_series_that_begin_in_it():
    late = pd.DataFrame({"t": HOURS[90:100], "s": "late", "y": 1.0})
    frame = pd.concat([pd.DataFrame({"t": HOURS[:100], "s": "early", "y": 1.0}), late])
    data = made(frame, series_id="s")
    before = data.rows_before(data.end - 9)
    assert (len(before), before["s"].unique().tolist()) == (90, ["early"])
    by_row = made(frame.drop(columns="t"), series_id="s")
    assert len(by_row.rows_before(5)) == 10


def test_the_longest_gap_is_found_within_series():
    frame = pd.DataFrame({"t": np.tile(HOURS[:10], 2), "s": np.repeat(["a", "b"], 10), "y": 1.0})
    frame.loc[[2, 13, 14, 15, 18, 19], "y"] = np.nan  # the last two are after the last observed row
    assert longest_gap(made(frame, series_id="s")) == (4, 3, 1, 13)
    assert longest_gap(made(frame.fillna(1.0), series_id="s"))[0] == 0


@pytest.mark.parametrize(
    ("grid", "steps", "words"),
    [
        (TimeGrid("fixed", 3_600_000_000), 31, "31 hours"),
        (TimeGrid("fixed", 3_600_000_000), 1752, "73 days"),
        (TimeGrid("fixed", 900_000_000), 8, "8 steps"),
        (TimeGrid("fixed", 86_400_000_000), 1, "1 day"),
        (TimeGrid("month"), 24, "24 months"),
        (TimeGrid("month", 3), 2, "2 quarters"),
        (TimeGrid("business"), 5, "5 business days"),
        (TimeGrid("position"), 1000, "1,000 rows"),
    ],
)
def test_numbers_of_steps_in_words(grid, steps, words):
    assert units(grid, steps) == words


def test_times_as_one_says_them():
    assert said(TimeGrid("month"), 0) == "1970-01"
    assert said(TimeGrid("fixed", 3_600_000_000), 5) == "1970-01-01 05:00"
    assert said(TimeGrid("fixed", 3_600_000_000), 5, short=True) == "1970-01-01"
    assert said(TimeGrid("position"), 5) == "5"


def test_numbers_for_people():
    assert [number(1234.567, 1), number(np.nan), number(None)] == ["1,234.6", "-", "-"]
    assert [decimals([1102.3, 3.1]), decimals([0.0123]), decimals([np.nan]), decimals([41.2])] == [0, 4, 0, 1]
    assert [share(0.789), share(np.nan), clock(52.9), clock(3725)] == ["79 %", "-", "00:52", "62:05"]


def test_json_has_no_nan(capsys):
    Report(json=True).result({"a": np.float64("nan"), "b": [np.int64(1), float("inf")], "c": ("ü",)})
    assert json.loads(capsys.readouterr().out) == {"a": None, "b": [1, None], "c": ["ü"]}


def test_long_lines_hang_behind_their_label_on_a_terminal(capsys):
    report = Report()
    report.out = Console(force_terminal=True, width=60, color_system=None, soft_wrap=True)
    report.line("target", "word " * 20)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 1
    assert "target" in lines[0]
    assert lines[1].startswith(" " * 9 + "word")
