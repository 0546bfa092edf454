"""The benchmarks of bike sharing and M1 score the right rows, once, and take up where they were."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

FOLDER = Path(__file__).resolve().parent.parent / "benchmarks"
SCRIPTS = ("accuracy", "table", "blocks", "bike_sharing", "m1")


@pytest.fixture(scope="module")
def scripts():
    """The scripts as modules, which import each other by their bare names as they do when they are run."""
    sys.path.insert(0, str(FOLDER))
    try:
        yield {name: importlib.import_module(name) for name in SCRIPTS}
    finally:
        sys.path.remove(str(FOLDER))
        for name in SCRIPTS:
            sys.modules.pop(name, None)


def bikes(days=140):
    """Like the file: hours of few rentals are absent, the counts are a daily profile times the temperature."""
    index = pd.date_range("2012-01-01", periods=24 * days, freq="h", name="datetime")
    rng = np.random.default_rng(0)
    temp = 0.5 + 0.2 * np.sin(2 * np.pi * np.arange(len(index)) / 200)
    count = np.round(100 * temp * (1.2 + np.sin(2 * np.pi * index.hour / 24)) + rng.normal(size=len(index)))
    frame = pd.DataFrame({"cnt": count, "temp": temp, "atemp": temp, "hum": 0.5, "windspeed": rng.random(len(index))})
    frame = frame.assign(weathersit=1, holiday=0, workingday=(index.day_of_week < 5).astype(int)).set_index(index)
    return frame.drop(index[[5, 700, 2500]])


def months():
    """Three series of different lengths, seasons and sizes, in the file's columns."""
    parts = []
    for name, length in (("A", 150), ("B", 72), ("C", 40)):
        stamps = pd.date_range("1960-01-01", periods=length, freq="MS").strftime("%Y-%m")
        y = (1 + len(parts)) * 100 * (2 + np.sin(2 * np.pi * np.arange(length) / 12)) + np.arange(length)
        split = np.where(np.arange(length) < length - 18, "train", "test")
        parts.append(pd.DataFrame({"id": name, "ds": stamps, "y": y, "split": split}))
    return pd.concat(parts)


@pytest.fixture
def run(scripts, tmp_path, capsys):
    """Calls a script on its data and returns the lines of results and what was printed."""
    bikes().to_csv(tmp_path / "bike_sharing.csv")
    months().to_csv(tmp_path / "m1.csv", index=False)

    def call(name, *more):
        out = tmp_path / f"{name}.jsonl"
        common = ["--csv", str(tmp_path / f"{name}.csv"), "--out", str(out), "--forecasts", str(tmp_path / name)]
        scripts[name].main([*common, *more])
        return [json.loads(line) for line in out.read_text().splitlines()], capsys.readouterr().out

    return call


@pytest.mark.parametrize("block", ["validation", "test"])
def test_seasonal_naive_of_bikes_is_what_pandas_says(run, block):
    (line,), _ = run("bike_sharing", "--models", "seasonal_naive", "--block", block)
    frame = bikes()["cnt"].asfreq("h")
    week = frame.shift(168).fillna(frame.shift(336))
    rows = slice(-1440, None) if block == "test" else slice(-2880, -1440)
    error = (frame - week).abs().iloc[rows]
    assert line["mae"] == pytest.approx(error.mean(), abs=2e-3)
    assert (line["days"], line["hours"]) == (60, error.count())


def test_seasonal_naive_of_m1_is_what_loops_say(run):
    (line,), _ = run("m1", "--models", "seasonal_naive", "--block", "test")
    mase, smape = [], []
    for _, rows in months().groupby("id"):
        y = rows["y"].to_numpy()
        past, actual = y[:-18], y[-18:]
        said = np.tile(past[-12:], 2)[:18]
        mase.append(np.abs(actual - said).mean() / np.abs(past[12:] - past[:-12]).mean())
        smape.append((200 * np.abs(actual - said) / (actual + said)).mean())
    assert (line["mase"], line["smape"]) == (pytest.approx(np.mean(mase), 1e-4), pytest.approx(np.mean(smape), 1e-4))
    assert line["series"] == 3


def test_the_validation_block_of_m1_hides_the_test_rows(scripts, tmp_path):
    months().to_csv(tmp_path / "m1.csv", index=False)
    train, held_out = scripts["m1"].read(tmp_path / "m1.csv", "validation")
    assert train.groupby("id").size().to_dict() == {"A": 114, "B": 36, "C": 4}
    assert held_out.groupby("id").size().to_dict() == {"A": 18, "B": 18, "C": 18}
    whole = months().query("split == 'train'")["y"].to_numpy()
    np.testing.assert_allclose(pd.concat([train, held_out]).sort_values(["id", "ds"])["y"], whole)


SMALL = ["units=4", "epochs=1", "windows_per_epoch=64", "final_epochs=0"]


@pytest.mark.parametrize(("name", "error"), [("bike_sharing", "mae"), ("m1", "mase")])
def test_runs_are_averaged_and_not_repeated(run, tmp_path, name, error):
    settings = [part for setting in SMALL for part in ("--set", setting)]
    options = ["--models", "linear,gru", "--averages", "gru+linear,gru+nobody", *settings]
    lines, said = run(name, *options)
    assert [(line["model"], line["seed"]) for line in lines] == [
        ("linear", None),
        ("gru", 0),
        ("gru", 1),
        ("gru+linear", None),
    ]
    assert lines[-1]["runs"] == 3
    members = [np.load(tmp_path / name / f"validation-{run}.npy") for run in ("gru-0", "gru-1", "linear-None")]
    assert all(np.isfinite(member).all() for member in members)
    assert lines[-1][error] <= max(line[error] for line in lines[:3])
    again, table = run(name, *options)
    assert again == lines
    assert said.endswith(table)
    assert table.count("not run") >= 3
    assert table.splitlines()[0].startswith(f"| model | {error}, validation |")
