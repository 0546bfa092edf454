"""`forecast update` and `forecast monitor`: the daily loop of a saved model."""

import json
import os
import random
import signal
import time

import numpy as np
import pandas as pd
import pytest

import forecastkit as fk
from forecastkit.cli.entry import main
from forecastkit.utils.file_lock import locked

ROWS, MORE = 200, 42


def table(rows: int, start: int = 0, seed: int = 0, level: float = 0.0) -> pd.DataFrame:
    """Two daily series with a weekly season, a table of `rows` rows each from day number `start` on."""
    parts = []
    for number, name in enumerate("ab"):
        noise = np.random.default_rng(seed + number).normal(0, 1.0, start + rows)
        day = np.arange(start + rows)
        sales = 50.0 * (number + 1) + 10 * np.sin(2 * np.pi * day / 7) + noise + level
        times = pd.date_range("2024-01-01", periods=start + rows)
        parts.append(pd.DataFrame({"store": name, "day": times, "sales": sales})[start:])
    return pd.concat(parts)


@pytest.fixture
def model(run):
    """A linear model of two series; newer.csv has the rows that follow."""
    table(ROWS).to_csv("sales.csv", index=False)
    table(MORE, ROWS).to_csv("newer.csv", index=False)
    flags = ("--model", "linear", "--horizon", "3", "--target", "sales", "--series-id", "store", "--test-size", "30")
    run("train", "--csv", "sales.csv", *flags, "--out", "m.forecast", "-q")
    return "m.forecast"


def test_rows_are_added(run, model):
    expected = fk.load(model).update(pd.read_csv("newer.csv", parse_dates=["day"])).predict()
    out = run("update", model, "--csv", "newer.csv").out
    assert f"{2 * MORE} time steps added, 0 rows replaced" in out
    assert "2024-08-29" in out
    pd.testing.assert_frame_equal(fk.load(model).predict(), expected)
    again = json.loads(run("update", model, "--csv", "newer.csv", "--json").out)
    assert again == {
        "model": model, "added": 0, "replaced": 2 * MORE, "cutoff": "2024-08-29 00:00:00", "trained": False
    }  # fmt: skip


def test_training_changes_the_model(run, model):
    before, rows = fk.load(model), pd.read_csv("newer.csv", parse_dates=["day"])
    expected = fk.load(model).partial_fit(rows).predict()
    assert "trained" in run("update", model, "--csv", "newer.csv", "--train").out
    pd.testing.assert_frame_equal(fk.load(model).predict(), expected)
    assert not np.allclose(before.update(rows).predict()["sales"], expected["sales"])


def test_the_file_does_not_grow(run, model):
    size = os.path.getsize(model)
    for day in range(3):
        table(1, ROWS + day).to_csv("day.csv", index=False)
        run("update", model, "--csv", "day.csv", "-q")
    assert os.path.getsize(model) < 1.05 * size


def test_newer_rows_need_no_static_columns(run):
    whole = table(ROWS + MORE)
    whole["size"], whole["city"] = whole["store"].map({"a": 1.0, "b": 2.0}), whole["store"].map({"a": "x", "b": "y"})
    whole[whole["day"] < "2024-07-19"].to_csv("sales.csv", index=False)
    newer = whole[whole["day"] >= "2024-07-19"]
    newer.to_csv("newer.csv", index=False)
    newer.drop(columns=["size", "city"]).to_csv("bare.csv", index=False)
    flags = ("--model", "linear", "--horizon", "3", "--target", "sales", "--static", "size,city", "--test-size", "30")
    run("train", "--csv", "sales.csv", *flags, "--out", "m.forecast", "-q")
    for command in ("backtest", "monitor"):
        given, bare = (run(command, "m.forecast", "--csv", rows, "--json").out for rows in ("newer.csv", "bare.csv"))
        assert json.loads(given)["cutoffs" if command == "monitor" else "scores"]
        assert given.replace("newer.csv", "bare.csv") == bare
    run("update", "m.forecast", "--csv", "bare.csv", "-q")
    assert run("predict", "m.forecast", "--json").out
    newer[newer["store"] == "a"].drop(columns="size").assign(store="c").to_csv("new.csv", index=False)
    assert (
        "must have the static columns 'size', got none of 'c'"
        in run("update", "m.forecast", "--csv", "new.csv", code=1).err
    )


def test_refused_rows_leave_the_file_as_it_is(run, home, model):
    kept = (home / model).read_bytes()
    table(5, ROWS).drop(columns="sales").to_csv("bad.csv", index=False)
    assert "no 'sales'" in run("update", model, "--csv", "bad.csv", code=1).err
    assert "must exist" in run("update", "no.forecast", "--csv", "newer.csv", code=1).err
    table(5).assign(day=pd.date_range("2020-05-01", periods=10)).to_csv("old.csv", index=False)
    refused = run("update", model, "--csv", "old.csv", code=1).err
    assert "old.csv: rows of 'a' must lie at or after 20" in refused
    assert "got rows up to 2020-05-05" in refused
    assert (home / model).read_bytes() == kept


def test_a_concurrent_update_is_refused(run, home, model):
    kept = (home / model).read_bytes()
    with locked(home / model, "test"):
        assert "one process at a time" in run("update", model, "--csv", "newer.csv", code=1).err
    assert (home / model).read_bytes() == kept
    run("update", model, "--csv", "newer.csv")


def test_nothing_is_lost_where_updates_are_killed(run, home, model):
    """Each process updates day by day until it is killed; the next one continues from the file."""
    days = [table(1, ROWS + day) for day in range(12)]
    for number, rows in enumerate(days):
        rows.to_csv(f"day{number}.csv", index=False)
    first = fk.load(model).cutoff_.max()

    def done():
        return (fk.load(model).cutoff_.max() - first).days

    began = time.monotonic()
    run("update", model, "--csv", "day0.csv", "-q")
    seconds = time.monotonic() - began  # a process that is killed within three updates cannot finish all of them
    rng, killed = random.Random(0), 0
    while (position := done()) < len(days):
        child = os.fork()
        if child == 0:
            for day in range(position, len(days)):
                main(["update", str(home / model), "--csv", str(home / f"day{day}.csv"), "-q"])
            os._exit(0)
        time.sleep(rng.uniform(0.0, 3 * seconds))
        os.kill(child, signal.SIGKILL)
        killed += os.WIFSIGNALED(os.waitpid(child, 0)[1])
        assert position <= done()
        assert killed < 200, "no update succeeds"
    assert killed
    run("update", model, "--csv", "day11.csv")
    assert not list(home.glob(".forecastkit-*")), "temporary files of killed processes are left"
    kept = fk.load(model).history_
    np.testing.assert_allclose(kept.target[-12:, 0], days_of("b", days))


def days_of(store, days):
    return [rows.loc[rows["store"] == store, "sales"].item() for rows in days]


def test_forecasts_as_good_as_before_pass(run, model):
    found = json.loads(run("monitor", model, "--csv", "newer.csv", "--json").out)
    assert found["cutoffs"] == MORE // 3
    assert not found["drifted"]
    mae, coverage = found["measures"]
    forecast = fk.load(model)
    assert mae["expected"] == forecast.scores_["mae"]
    assert coverage["expected"] == 0.8
    test = fk.backtest(forecast, table(MORE, ROWS), stride=3, quantile_levels=[0.1, 0.9])
    assert mae["value"] == pytest.approx(test.scores.loc["forecaster", "mae"])
    assert coverage["value"] == pytest.approx(test.coverage.loc[0.8, "share"])


def test_a_drift_is_an_alert(run, model):
    rng = np.random.default_rng(5)
    worse = table(MORE, ROWS)
    worse["sales"] += rng.normal(0, 12, len(worse))
    worse.to_csv("worse.csv", index=False)
    printed = run("monitor", model, "--csv", "worse.csv", code=1)
    assert "drifted" in printed.out
    assert "MAE" in printed.err
    assert "--train" in printed.err


def test_few_cutoffs_are_no_alert(run, model):
    table(3, ROWS, level=500.0).to_csv("few.csv", index=False)
    assert "tests need 5 cutoffs" in run("monitor", model, "--csv", "few.csv").out


def test_a_model_without_validation_scores_is_refused(run, home, model):
    fk.LinearForecaster(horizon=3, validation_size=0, target="sales", time="day", series_id="store").fit(
        table(ROWS)
    ).save(home / "v.forecast")
    assert "validation rows" in run("monitor", "v.forecast", "--csv", "newer.csv", code=1).err
