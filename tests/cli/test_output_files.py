"""Files that commands write."""

import json
import os
import shutil
import stat
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from conftest import AIR

from forecastkit.cli import files
from forecastkit.cli.parameters import parse_parameters
from forecastkit.utils.exceptions import InputError


def test_a_file_stays_whole_when_writing_fails(home, monkeypatch):
    (home / "old.csv").write_text("old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(InputError, match="No space left on device"):
        files.write_csv(pd.DataFrame({"a": [1]}), home / "old.csv")
    assert os.listdir(home) == ["old.csv"]
    assert (home / "old.csv").read_text() == "old"


def test_outputs_replace_files_only_with_overwrite(run, air):
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


# Inputs, links, devices -----------------------------------------------------------------------------------------------


@pytest.fixture
def linear(run, home):
    """A table and a linear model of it, in the working directory."""
    shutil.copy(AIR, "air.csv")
    run("train", "--csv", "air.csv", "--model", "linear", "--out", "m.forecast", "--no-refit")
    return home


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("train --csv air.csv --model linear --out air.csv", "--out must not replace a file that the command reads"),
        ("train --csv . --model linear --out air.csv", "--out must not replace a file that the command reads"),
        ("train --csv a*.csv --model linear --out air.csv", "--out must not replace a file that the command reads"),
        ("tune --csv air.csv --model linear --out air.csv", "--out must not replace a file that the command reads"),
        ("predict m.forecast --out m.forecast", "--out must not replace a file that the command reads"),
        ("predict m.forecast --history air.csv --out air.csv", "--out must not replace a file that the command reads"),
        ("predict m.forecast --history air.csv --out link.csv", "--out must not replace a file that the command reads"),
        ("predict m.forecast --history air.csv --out hard.csv", "--out must not replace a file that the command reads"),
        ("predict m.forecast --out p.svg --plot ./p.svg", "--plot and --out must be different files"),
        ("predict m.forecast --plot m.forecast", "a plot must end in .png, .pdf or .svg"),
        ("backtest --csv air.csv --model linear --out b --resume b", "--out must not replace a file that"),
        ("backtest m.forecast --csv air.csv --out m.forecast", "--out must not replace a file that"),
        ("compare --csv air.csv --models linear --out c --csv-out c", "--csv-out and --out must be different files"),
        ("compare --csv air.csv --models linear --out c --csv-out cl", "--csv-out must not replace a file that"),
        ("predict m.forecast --out pipe", "the output must be a regular file"),
        ("predict m.forecast --out loop", "the output must be a regular file"),
        ("predict m.forecast --out /dev/null", "the output must be a regular file"),
    ],
)
def test_no_input_output_or_device_is_replaced(run, linear, command, says):
    (linear / "link.csv").symlink_to("air.csv")
    os.link("air.csv", "hard.csv")
    (linear / "loop").symlink_to("loop")
    os.mkfifo("pipe")
    before = contents(linear)
    assert says in run(*command.split(), "--overwrite", code=1).err
    assert contents(linear) == before
    assert stat.S_ISFIFO(os.lstat("pipe").st_mode)


def test_a_link_to_nothing_is_kept_without_overwrite(run, linear):
    (linear / "link").symlink_to("target.csv")
    assert "must not exist" in run("predict", "m.forecast", "--out", "link", code=1).err
    run("predict", "m.forecast", "--out", "link", "--overwrite")
    assert (linear / "link").is_symlink()
    assert (linear / "target.csv").read_text().startswith("Month,")


def test_compare_never_removes_a_file_that_is_not_its_own(run, linear):
    (linear / "c.jsonl").write_text("a,b\n1,2\n")
    command = ("compare", "--csv", "air.csv", "--models", "linear", "--no-memory", "--out", "c.json")
    for flags in ((), ("--overwrite",)):
        assert "must be a file that compare wrote, got 'c.jsonl'" in run(*command, *flags, code=1).err
    assert (linear / "c.jsonl").read_text() == "a,b\n1,2\n"
    assert not (linear / "c.json").exists()
    (linear / "c.jsonl").unlink()
    run(*command)
    before = contents(linear)
    assert run("compare", "--csv", "gone.csv", "--out", "c.json", "--overwrite", code=1).err
    assert contents(linear) == before, "nothing is removed before the table is read"
    run(*command, "--overwrite")


# Names, numbers and text ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        "train --csv NAME",
        "train --csv air.csv --out NAME",
        "train --csv air.csv --resume NAME",
        "predict NAME",
        "predict m.forecast --history NAME",
        "predict m.forecast --future NAME",
        "predict m.forecast --out NAME",
        "predict m.forecast --plot NAME.png",
        "inspect NAME",
        "backtest --csv air.csv --model linear --resume NAME",
        "compare --csv air.csv --out NAME",
        "tune --csv air.csv --directory NAME",
        "datasets airpassengers --out NAME",
    ],
)
@pytest.mark.parametrize("name", ["x" * 256, "", " ", "a\0b", "a/" * 2100])
def test_invalid_file_names_are_refused(run, command, name):
    arguments = [part.replace("NAME", name) for part in command.split()]
    if name.strip() or "NAME.png" not in command:
        err = run(*arguments, code=2).err
        assert "Error: Invalid value for" in err or "resume must be" in err
    assert os.listdir() == []


@pytest.mark.parametrize(
    ("flags", "says", "code"),
    [
        (["--season-length", "9" * 20], "must be a whole number from 1", 2),
        (["--set", "season_length=" + "9" * 20], "season_length must be at most", 2),
        (["--freq", "99999999999999D"], "must be a pandas frequency alias", 1),
        (["--freq", "1000000000000W"], "must be a pandas frequency alias", 1),
        (["--set", "lookback=["], "lookback must be a whole number", 2),
        (["--set", "validation_size={1:2}"], "--validation-size: must be a number of rows", 2),
        (["--set", "callbacks=5"], "the parameter must exist", 2),
        (["--set", "horizon=" + "-" * 9000], "(9,002 characters)", 2),
        (["--set", "horizon=" + "(" * 9000], "(9,002 characters)", 2),
        (["--target", ""], "--target: must be comma-separated names", 2),
        (["--known", "a,,b"], "--known: must be comma-separated names", 2),
        (["--set", "fourier=24:x"], "--fourier: must be a number of terms", 2),
    ],
)
def test_values_out_of_bounds_are_one_sentence(run, flags, says, code):
    err = run("train", "--csv", AIR, "--model", "linear", *flags, code=code).err
    assert says in err
    assert len(err) < 1000


def test_a_position_far_out_is_refused(run):
    err = run("backtest", "--csv", AIR, "--model", "linear", "--start", "9" * 30, code=1).err
    assert "no complete window" in err


def test_fourier_terms_by_season_are_read_from_set():
    assert parse_parameters({}, ["fourier=24:3,168:2"]) == {"fourier": {24: 3, 168: 2}}
    assert parse_parameters({}, ["fourier={24: 3}", "quantile_levels=[0.1, 0.9]", "target=a"]) == {
        "fourier": {24: 3},
        "quantile_levels": [0.1, 0.9],
        "target": ["a"],
    }


def test_a_long_cell_is_cut_in_the_message(run, home):
    (home / "long.csv").write_text("time,y\n" + "".join(f"2024-01-{day:02},1\n" for day in range(1, 31)))
    with open("long.csv", "a") as file:
        file.write("2024-01-31," + "z" * 200_000 + "\n")
    err = run("train", "--csv", "long.csv", "--target", "y", code=1).err
    assert "long.csv" in err
    assert len(err) < 1000


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_output_in_a_narrow_encoding(home, encoding):
    """In a new process, whose streams are opened at start."""
    pd.DataFrame({"time": pd.date_range("2024-01-01", periods=40), "Fluß €": range(40)}).to_csv("t.csv", index=False)
    command = [sys.executable, "-m", "forecastkit", "inspect", "t.csv"]
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run([*command, "--json"], capture_output=True, env=environment, check=True)
    assert json.loads(done.stdout.decode(encoding))["target"] == ["Fluß €"]
    if encoding == "ascii":
        done = subprocess.run(command, capture_output=True, env=environment, check=True)
        assert b"target   Flu? ?" in done.stdout


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
def test_a_full_disk_at_stdout_is_one_sentence(home):
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "forecastkit", "inspect", AIR]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert done.stderr == b"error    the output must be written, got the error 'No space left on device'.\n"


@pytest.mark.parametrize("rows", [0, 1, 7])
def test_tables_are_written_as_by_pandas(home, monkeypatch, rows):
    monkeypatch.setattr(files, "ROWS_AT_ONCE", 3)
    frame = pd.DataFrame(
        {
            'series, or "name"': ["a,b", 'c"d', "e\nf", "g", None, "ä", ""],
            "time": pd.date_range("2024-01-01", periods=7, tz="Europe/Berlin"),
            "day": pd.date_range("2024-01-01", periods=7),
            "step": range(7),
            "kind": pd.Categorical(["x", "y", None, "x", "y", "x", "x"]),
            "forecast": [0.1, -3.0, np.nan, 123456789.25, 0.0, -0.0, 1 / 3],
        }
    )[:rows]
    files.write_csv(frame, home / "new.csv")
    assert (home / "new.csv").read_bytes().decode() == frame.to_csv(index=False)
