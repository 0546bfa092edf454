"""`forecast train`: what it prints, writes and saves."""

import json
import os
import re

import numpy as np
import pandas as pd
import pytest
from conftest import AIR, TINY
from test_predict_cli import load_table

import forecastkit as fk


def test_train_prints_its_steps_and_writes_one_file(run, home):
    out = run("train", "--csv", AIR, *TINY).out
    lines = out.splitlines()
    assert lines[:5] == [
        "file     144 rows",
        "time     Month, monthly, 1949-01 to 1960-12",
        "target   Passengers",
        "settings gru, horizon 12, lookback 24, patch 12, random state 0",
        "split    validation 24 months, test 24 months, 13 cutoffs",
    ]
    assert [line.split("  loss")[0] for line in lines[5:7]] == ["epoch     1/2", "epoch     2/2"]
    assert re.fullmatch(r"epoch     1/2  loss (\d\.\d{4})  best \1 in epoch 1  00:\d\d", lines[5])
    assert lines[7].startswith("recipe   normalization last, target transform ")
    assert lines[8].startswith("bounds   forecasts of Passengers are at least 0, as all values are; ")
    assert [line.split("  ")[0] for line in lines[9:13]] == ["test", "gru", "linear", "seasonal naive"]
    assert re.fullmatch(r"refit    on all rows, the test rows included, \d+ s", lines[-2])
    assert lines[-1] == "saved    model.forecast      next: forecast predict model.forecast"
    assert os.listdir(home) == ["model.forecast"]


def test_train_json_is_one_object_and_nothing_else_is_printed(air):
    path, found, warned = air
    assert path.exists()
    assert found["model"] == "gru"
    assert (found["rows"], found["time"], found["target"], found["freq"]) == (144, "Month", ["Passengers"], "monthly")
    assert (found["horizon"], found["lookback"], found["validation_size"], found["test_size"]) == (12, 24, 24, 24)
    assert set(found["test"]) == {"gru", "linear", "seasonal naive"}
    for scores in found["test"].values():
        assert scores["mae"] > 0
        assert scores["mase"] > 0
        assert 0 <= scores["coverage"] <= 1
    assert found["best"] in found["test"]
    assert all(line.startswith("warning  ") for line in warned.splitlines())


@pytest.mark.parametrize("model", ["naive", "seasonal_naive", "drift", "mean", "linear", "ensemble"])
def test_every_simple_model_trains(run, model):
    network = TINY[2:] if model == "ensemble" else ()
    out = run("train", "--csv", AIR, "--model", model, *network).out
    assert "test" in out
    assert "refit    on all rows" in out
    assert len(json.loads(run("predict", "model.forecast", "--json").out)["forecast"]) == 12


def test_a_model_that_cannot_be_saved_is_refused_before_any_work(run, home):
    for command in ("train", "tune"):
        err = run(command, "--csv", AIR, "--model", "tabular", code=2).err
        assert "--model: the model must be one that can be saved to a file, got 'tabular'." in err
    assert "tabular" in run("backtest", "--csv", AIR, "--model", "tabular", "--horizon", "6").out


def test_the_saved_model_is_fitted_on_all_rows(run, air):
    printed = run("train", "--csv", AIR, "--model", "linear", "--json").out
    assert json.loads(printed)["refit"] is True
    assert "no complete window" in run("backtest", "model.forecast", "--csv", AIR, code=1).err
    forecast = json.loads(run("predict", "model.forecast", "--json").out)["forecast"]
    data = fk.load_dataset("airpassengers")
    sizes = {"horizon": 12}
    np.testing.assert_allclose(
        [row["forecast"] for row in forecast], fk.LinearForecaster(**sizes).fit(data).predict().to_numpy().ravel()
    )


def test_without_refit_the_tested_model_is_saved(run):
    out = run("train", "--csv", AIR, "--model", "linear", "--no-refit").out
    assert "history  all rows; the model is fitted on the rows before the test (--no-refit)" in out
    tested = json.loads(run("backtest", "model.forecast", "--csv", AIR, "--json").out)["scores"]["model.forecast"]
    assert tested["mae"] == pytest.approx(fk.load("model.forecast").scores_["test"]["test"]["linear"]["mae"])


def test_a_refit_that_fails_leaves_the_tested_model(run, monkeypatch):
    from forecastkit.cli import train
    from forecastkit.utils.exceptions import InputError

    fit = train.fit_model

    def fail(report, forecaster, panel):
        if panel.rows == 144:
            raise InputError("fit: losses must stay finite, got nan.")
        fit(report, forecaster, panel)

    monkeypatch.setattr(train, "fit_model", fail)
    err = run("train", "--csv", AIR, "--model", "linear").err
    assert "the model is fitted on the rows before the test only: the fit on all rows was fit: losses must" in err
    assert "Month" in run("predict", "model.forecast").out


@pytest.mark.parametrize(("epochs", "warns"), [(2, True), (1, False)])
def test_a_training_that_ends_while_it_improves_is_warned_of(run, epochs, warns):
    command = (
        "train",
        "--csv",
        AIR,
        "--model",
        "gru",
        "--horizon",
        "12",
        "--no-refit",
        "--set",
        "units=8",
        "--set",
        "linear_path=false",
        "--windows-per-epoch",
        "32",
    )
    err = run(*command, "--epochs", epochs, "--learning-rate", "0.0005").err
    said = "training ended after 2 epochs while it was still improving; pass --epochs 6 to train longer"
    assert (said in err) is warns


def test_the_table_becomes_a_panel_once(run, monkeypatch):
    from forecastkit.data.ingest import read_panel as ingest

    reads, read_rows = [], ingest.read_rows

    def counted(schema, X, *arguments, **options):
        reads.append(len(X))
        return read_rows(schema, X, *arguments, **options)

    monkeypatch.setattr(ingest, "read_rows", counted)
    for flags in ((), ("--no-refit",)):
        run("train", "--csv", AIR, "--model", "linear", "--overwrite", *flags)
    assert reads == [144, 144], "once in each command"


@pytest.mark.parametrize("model", ["linear", "seasonal_naive"])
@pytest.mark.parametrize("z", [{}, {3: 1.0}])
def test_a_target_without_values_in_the_test_does_not_lose_the_training(run, model, z):
    table = pd.DataFrame({"time": pd.date_range("2024-01-01", periods=90), "x": np.arange(90.0) % 7, "z": 1.0})
    table["z"] = table["z"].where(table.index < 60)
    if z:
        table["z"] = pd.Series(z).reindex(table.index)
    table.to_csv("wide.csv", index=False)
    run("train", "--csv", "wide.csv", "--target", "x,z", "--model", model, "--horizon", "7")
    assert len(json.loads(run("predict", "model.forecast", "--json").out)["forecast"]) == 14


def test_a_model_that_cannot_be_tested_is_saved(run, monkeypatch):
    from forecastkit.cli import holdout_test
    from forecastkit.utils.exceptions import InputError

    def refused(*arguments, **options):
        raise InputError("backtest: no window.")

    monkeypatch.setattr(holdout_test, "backtest", refused)
    printed = run("train", "--csv", AIR, "--model", "linear", "--json")
    assert "the model was not tested: backtest: no window." in printed.err
    assert json.loads(printed.out)["best"] is None
    assert "Month" in run("predict", "model.forecast").out
    assert "linear" not in run("inspect", "model.forecast").out


def test_series_that_a_reference_forecasts_better_are_named(run):
    table = pd.concat([load_table().assign(site=site, load=np.arange(500) % 24 + k) for k, site in enumerate("ab")])
    table.to_csv("sites.csv", index=False)
    said = run("train", "--csv", "sites.csv", "--target", "load", "--model", "mean", "--horizon", "12")
    assert "series   site: a, b" in said.out
    assert "worse    a: " in said.out
    assert "worse    b: " in said.out
    assert "warning  " in said.err
    rows = pd.read_csv(run("predict", "model.forecast", "--out", "f.csv") and "f.csv")
    assert rows["site"].unique().tolist() == ["a", "b"]


def test_quiet_prints_nothing(run):
    assert run("train", "--csv", AIR, "--model", "linear", "--quiet") == ("", "")
