"""The benchmarks of bike sharing, M1 and M4 score the right rows, once, and take up where they were."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
SCRIPTS = ("accuracy", "table", "blocks", "classical", "bike_sharing", "competitions")


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
        timestamps = pd.date_range("1960-01-01", periods=length, freq="MS").strftime("%Y-%m")
        y = (1 + len(parts)) * 100 * (2 + np.sin(2 * np.pi * np.arange(length) / 12)) + np.arange(length)
        split = np.where(np.arange(length) < length - 18, "train", "test")
        parts.append(pd.DataFrame({"id": name, "ds": timestamps, "y": y, "split": split}))
    return pd.concat(parts)


@pytest.fixture
def run(scripts, tmp_path, capsys):
    """Calls a script on its data and returns the lines of results and what was printed."""
    bikes().to_csv(tmp_path / "bike_sharing.csv")
    months().to_csv(tmp_path / "m1_monthly.csv.gz", index=False)
    data = {
        "bike_sharing": ["--csv", str(tmp_path / "bike_sharing.csv")],
        "competitions": ["--data", str(tmp_path), "--part", "m1_monthly"],
    }

    def call(name, *more):
        out = tmp_path / f"{name}.jsonl"
        common = ["--out", str(out), "--forecasts", str(tmp_path / name)]
        scripts[name].main([*data[name], *common, *more])
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
    (line,), _ = run("competitions", "--models", "seasonal_naive", "--block", "test")
    mase, smape = [], []
    for _, rows in months().groupby("id"):
        y = rows["y"].to_numpy()
        past, actual = y[:-18], y[-18:]
        said = np.tile(past[-12:], 2)[:18]
        mase.append(np.abs(actual - said).mean() / np.abs(past[12:] - past[:-12]).mean())
        smape.append((200 * np.abs(actual - said) / (actual + said)).mean())
    assert (line["mase"], line["smape"]) == (pytest.approx(np.mean(mase), 1e-4), pytest.approx(np.mean(smape), 1e-4))
    assert line["series"] == 3


def test_the_validation_block_hides_the_test_rows(scripts, run, tmp_path):
    run("competitions", "--models", "naive2")
    block = scripts["competitions"].read(tmp_path, "m1_monthly", "validation")
    assert dict(zip(block.ids, map(len, block.past), strict=True)) == {"A": 114, "B": 36, "C": 4}
    whole = months().query("split == 'train'").groupby("id")["y"]
    for key, past, actual in zip(block.ids, block.past, block.actual, strict=True):
        np.testing.assert_allclose(np.r_[past, actual], whole.get_group(key))


def write_m4(folder):
    """Two hourly series in the competition's layout, and what was published of them."""
    rng = np.random.default_rng(0)
    wide = 100 + 20 * np.sin(2 * np.pi * np.arange(248) / 24) + rng.normal(size=(2, 248)).cumsum(axis=1)
    train = pd.DataFrame(wide[:, :200], index=pd.Index(["H1", "H2"], name="V1"))
    train.loc["H2", 150:] = np.nan
    actual = np.stack([wide[0, 200:], wide[1, 150:198]])
    train.to_csv(folder / "m4_hourly_train.csv.gz")
    pd.DataFrame(actual, index=train.index[::-1]).iloc[::-1].to_csv(folder / "m4_hourly_test.csv.gz")
    published = {"sMAPE": 12.0, "MASE": 1.5, "OWA": 0.44}
    rows = [("Point Forecasts", "118", metric, "Hourly", value) for metric, value in published.items()]
    columns = ["kind", "method_or_user_id", "metric", "frequency", "value"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "m4_published_results.csv", index=False)
    return wide


def test_m4_beside_published_entries(scripts, tmp_path, capsys, monkeypatch):
    wide, competitions = write_m4(tmp_path), scripts["competitions"]
    block = competitions.read(tmp_path, "m4_hourly", "test")
    assert [len(past) for past in block.past] == [200, 150]
    small = {"linear": {"lookback": 30}, "each_30": {"lookback": 30, "target_transform": "log1p"}}
    part = competitions.Competition(48, 24, {}, small, "Hourly")
    monkeypatch.setitem(competitions.COMPETITIONS, "m4_hourly", part)
    common = ["--data", str(tmp_path), "--out", str(tmp_path / "r.jsonl"), "--forecasts", str(tmp_path / "f")]
    averages = "linear+each_30,median naive2+linear+each_30"
    competitions.main([*common, "--models", "naive2,linear,each_30", "--averages", averages, "--block", "test"])
    lines = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert lines[0]["owa"] == 1
    naive2, linear, each = (
        np.load(tmp_path / "f" / f"test-{name}-None.npy") for name in ("naive2", "linear", "each_30")
    )
    expected = competitions.errors_of(block, np.median([naive2, linear, each], axis=0), 24)
    assert lines[4]["mase"] == pytest.approx(expected["mase"], abs=1e-4)
    assert lines[3]["owa"] < 1
    assert "| Smyl, winner of M4 | nan" not in capsys.readouterr().out
    assert wide.shape == (2, 248)


# The classical methods ------------------------------------------------------------------------------------------------


def test_smoothing_finds_the_best_start_and_weight(scripts):
    values = np.random.default_rng(1).normal(size=40).cumsum()

    def slow(alpha, level):
        error = 0.0
        for value in values:
            error, level = error + (value - level) ** 2, level + alpha * (value - level)
        return error, level

    tried = [slow(alpha, level) for alpha in np.linspace(0, 1, 201) for level in np.linspace(-3, 3, 121)]
    assert scripts["classical"].smoothed(values) == pytest.approx(min(tried)[1], abs=0.02)
    assert scripts["classical"].smoothed(np.full(9, 4.0)) == pytest.approx(4)


def test_naive2_takes_a_clear_season_out_and_puts_it_back(scripts):
    classical, season = scripts["classical"], np.array([0.5, 1.5, 1.2, 0.8])
    values = 10 * np.tile(season, 6)[:22]
    np.testing.assert_allclose(classical.naive2(values, 6, 4), 10 * season[[2, 3, 0, 1, 2, 3]])
    np.testing.assert_allclose(classical.theta(values, 6, 4), 10 * season[[2, 3, 0, 1, 2, 3]])
    noise = np.random.default_rng(0).normal(10, 1, 40)
    assert not classical.is_seasonal(noise, 4)
    np.testing.assert_allclose(classical.naive2(noise, 3, 4), noise[-1])
    assert not classical.is_seasonal(np.full(40, 2.0), 4)


def test_theta_of_a_line_goes_on_at_half_its_slope(scripts):
    """Smoothing the theta line of 2, of slope 0.5 like the data, ends at its last value; the trend adds the half."""
    line = scripts["classical"].theta(0.5 * np.arange(60.0) + 3, 4, 1)
    np.testing.assert_allclose(np.diff(line), 0.25, rtol=1e-6)
    assert line[0] == pytest.approx(0.5 * 60 + 3 - 0.25, abs=0.01)


SMALL = ["units=4", "epochs=1", "windows_per_epoch=64", "final_epochs=0"]


@pytest.mark.rotated
@pytest.mark.parametrize(("name", "error"), [("bike_sharing", "mae"), ("competitions", "owa")])
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
