"""`forecast predict`."""

import json
import os

import numpy as np
import pandas as pd
from conftest import AIR, TINY

HOURS = pd.date_range("2024-01-01", periods=500, freq="h")


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


def test_predict_writes_intervals_quantiles_and_json(run, air):
    run("predict", air[0], "--out", "c.csv", "--coverage", "0.8")
    bounds = pd.read_csv("c.csv")
    assert (bounds["lower"] < bounds["upper"]).all()
    found = json.loads(run("predict", air[0], "--quantile-levels", "0.25,0.75", "--json").out)
    assert len(found["forecast"]) == 12
    assert set(found["forecast"][0]) == {"Month", "cutoff", "step", "forecast", "q0.25", "q0.75"}
    assert found["forecast"][0]["Month"] == "1961-01-01T00:00:00"


def test_rows_are_converted_for_json_only(run, air, monkeypatch):
    monkeypatch.setattr("forecastkit.cli.predict._summarize", None)  # it takes longer than the forecasts of many series
    run("predict", air[0])


def test_predict_from_another_history(run, air):
    table = pd.read_csv(AIR)
    table[:-12].to_csv("older.csv", index=False)
    run("predict", air[0], "--history", "older.csv", "--out", "f.csv", "--plot", "f.png")
    assert pd.read_csv("f.csv")["Month"][0] == "1960-01-01"


def load_table(rows=500, steps_ahead=0):
    """An hourly load that depends on a known temperature; the last rows have no load."""
    rng = np.random.default_rng(0)
    temp = rng.normal(size=rows)
    frame = pd.DataFrame({"when": HOURS[:rows], "load": 10 + 3 * temp + rng.normal(0, 0.1, rows), "temp": temp})
    frame.loc[rows - steps_ahead :, "load"] = np.nan
    return frame


def test_a_future_file_equals_blank_targets_at_the_end(run):
    whole = load_table(steps_ahead=12)
    whole.to_csv("whole.csv", index=False)
    whole[:-12].to_csv("past.csv", index=False)
    whole[-12:].drop(columns="load").to_csv("future.csv", index=False)
    flags = ("--target", "load", "--known", "temp", "--horizon", "12", "--lookback", "24", "--out", "m.forecast", *TINY)
    out = run("train", "--csv", "whole.csv", *flags).out
    assert "12 hours after it with known covariates" in out
    run("predict", "m.forecast", "--out", "a.csv")
    run("predict", "m.forecast", "--history", "past.csv", "--future", "future.csv", "--out", "b.csv")
    pd.testing.assert_frame_equal(pd.read_csv("a.csv"), pd.read_csv("b.csv"))
    assert "known covariates temp are needed" in run("predict", "m.forecast", "--history", "past.csv", code=1).err
    whole[-12:-6].to_csv("short.csv", index=False)
    args = ("predict", "m.forecast", "--history", "past.csv", "--future")
    said = run(*args, "short.csv", "--out", "c.csv")
    assert "known covariates temp end before the requested steps" in said.err
    assert len(pd.read_csv("c.csv")) == 6, "as far as they reach"
    whole[-12:].assign(temp=np.nan).to_csv("blank.csv", index=False)
    assert "blank.csv: known columns must be filled, got blanks in 'temp'." in run(*args, "blank.csv", code=1).err
