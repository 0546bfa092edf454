"""`forecast backtest` and `forecast audit`."""

import json
import os
import re

import numpy as np
import pandas as pd
import pytest
from conftest import AIR


def test_a_saved_model_is_tested_on_the_rows_after_its_training(run, air):
    found = json.loads(run("backtest", air[0], "--csv", AIR, "--json").out)
    trained = air[1]["test"]["gru"]
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
    assert "cutoffs  5, from 1959-10-01 to 1960-06-01" in out
    assert pd.read_csv("b.csv").groupby("cutoff").size().tolist() == [6] * 5
    assert sorted(os.listdir()) == ["b.csv", "b.png"]
    assert "cutoffs  25, from 1957-12" in run("backtest", "--csv", AIR, "--model", "naive", "--start", "1958-01").out


def test_backtest_refits_and_continues(run, monkeypatch):
    flags = ("--csv", AIR, "--model", "linear", "--horizon", "6", "--n-windows", "4", "--resume", "work.jsonl")
    first = run("backtest", *flags, "--refit", "--max-train-size", "100").out
    assert [line.split(":")[0] for line in first.splitlines() if line.startswith("refit")] == [
        f"refit    {place}/4  cutoff 1960-0{month}-01" for place, month in enumerate((3, 4, 5, 6), 1)
    ]
    again = run("backtest", *flags, "--refit", "--max-train-size", "100").out
    assert again.count("kept from before") == 4
    assert again.splitlines()[-4:] == first.splitlines()[-4:]
    assert re.search(r"coverage 50 %: \d+.*, 80 %: .*, 95 %: .* \(error", first)
    assert "max_train_size 100 there, None here" in run("backtest", *flags, "--refit-every", "2", code=1).err

    def stopped(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("forecastkit.cli.backtest.run_backtest", stopped)
    assert "finished runs are in work.jsonl" in run("backtest", *flags, "--refit", code=130).err


def test_audit_changes_later_data(run, air):
    out = run("audit", "--csv", AIR, "--model", "linear", "--horizon", "6").out
    assert re.search(r"fit after other fits: the cutoff before it +ok", out)
    assert "no forecast depends on later data" in out
    found = json.loads(run("audit", air[0], "--csv", AIR, "--json").out)
    assert found["passed"]
    assert {row["check"] for row in found["findings"]} == {"forecast"}
    assert "either a model file or --model must be given" in run("audit", "--csv", AIR, code=2).err


def test_a_leak_is_an_error(run, monkeypatch):
    from forecastkit.forecasters.baselines import NaiveForecaster
    from forecastkit.uncertainty.forecasts import PointForecast

    def look_ahead(self, panel, origins):
        following = np.minimum(origins.row + 1, panel.rows - 1)
        return PointForecast(np.repeat(panel.target[following, origins.channel][:, None], self.horizon_, axis=1))

    monkeypatch.setattr(NaiveForecaster, "_forecast", look_ahead)
    result = run("audit", "--csv", AIR, "--model", "naive", "--horizon", "6", code=1)
    assert "LEAK" in result.out
    assert "forecasts must not depend on later data, got a change by targets" in result.err
