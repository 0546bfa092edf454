"""Recommendations: rules of thumb from measured facts, and comparisons that overrule them."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from conftest import wave

import forecastkit as fk
from forecastkit.cli import main
from forecastkit.comparison import recommendation
from forecastkit.comparison.candidates import make_candidates
from forecastkit.comparison.recommendation import Facts, decide, describe, measure, rule_of_thumb, shortlist
from forecastkit.comparison.results import Comparison
from forecastkit.data.ingest.read_panel import read_panel
from forecastkit.datasets import dataset_path
from forecastkit.utils.exceptions import InputError

AIR = str(dataset_path("airpassengers"))
USUAL = {"rows": 9_000, "series": 7, "windows": 60_000, "horizon": 48, "season": 24, "missing": 0.0}


def facts(**changes):
    return Facts(**{**USUAL, "seasonality": 0.3, "covariates": 0, **changes})


def measured(data, **parameters):
    candidates = make_candidates("linear", parameters)
    task, folds = recommendation.prepare_folds(
        candidates, *read_panel(data, None, **candidates[0].forecaster._reading())
    )
    return measure(task, folds[0])


# Facts ----------------------------------------------------------------------------------------------------------------


def test_facts_are_counted(panel):
    found = measured(panel, target="load", known="temp", past="wind", static="size", horizon=6)
    assert (found.series, found.horizon, found.season, found.covariates) == (3, 6, 24, 3)
    assert found.rows < 240
    assert 0 < found.missing < 0.1
    assert found.windows < 3 * found.rows


def test_seasonality_is_what_last_season_saves():
    season = np.tile(np.arange(24.0), 20)
    noise = np.random.default_rng(0).normal(size=480)
    index = pd.date_range("2024-01-01", periods=480, freq="h")
    assert measured(pd.Series(season, index), horizon=24).seasonality == pytest.approx(1.0)
    assert measured(pd.Series(noise.cumsum(), index), horizon=24).seasonality < 0
    assert measured(pd.Series(noise, index), horizon=24, season_length=1).seasonality == 0


def test_facts_see_nothing_of_what_models_are_compared_on():
    index = pd.date_range("2024-01-01", periods=400, freq="h")
    series = pd.Series(wave(400), index)
    changed = series.copy()
    changed.iloc[-30:] = np.nan_to_num(changed.iloc[-30:]) * 1e6
    assert measured(series, horizon=12) == measured(changed, horizon=12)


# The rule of thumb ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "name", "words"),
    [
        ({}, "ensemble", "plain average"),
        ({"windows": 40}, "seasonal_naive", "too few to learn"),
        ({"windows": 20, "season": 1, "seasonality": 0.0}, "naive", "too few to learn"),
        ({"windows": 900}, "linear", "are few"),
        ({"windows": 900, "covariates": 2}, "ensemble", "is averaged with the linear forecast"),
        ({"horizon": 720, "covariates": 2}, "ensemble", "plain average"),
        ({"horizon": 720}, "linear", "at a horizon of 720 steps"),
        ({"windows": 2_000_000}, "lstm_transformer", "enough, also"),
    ],
)
def test_the_rule_follows_the_facts(changes, name, words):
    rule, reason = rule_of_thumb(facts(**changes))
    assert rule == name
    assert words in reason


def test_the_shortlist_has_as_many_networks_as_there_is_time_for():
    assert shortlist("ensemble", facts(), None, 1) == ["ensemble", "gru", "lstm_transformer", "transformer"]
    assert shortlist("ensemble", facts(), 25, 1) == ["ensemble", "gru"]
    assert shortlist("linear", facts(windows=900), 65, 3) == ["gru", "ensemble", "linear"]
    assert shortlist("lstm_transformer", facts(), 12, 1) == ["lstm_transformer"]
    assert shortlist("ensemble", facts(), 2, 1) == ["linear"]
    assert set(shortlist("seasonal_naive", facts(), 30, 1)) == {"seasonal_naive", "ensemble", "gru", "lstm_transformer"}


def test_facts_are_told_in_sentences():
    told = " ".join(describe(facts(missing=0.02, covariates=2)))
    assert "7 series, the longest of 9,000 rows" in told
    assert "30 % better than the last one: the season is strong." in told
    assert "2 % of the values are missing" in told
    assert "worse than the last one: the season is of no use." in " ".join(describe(facts(seasonality=-0.2)))
    assert len(describe(facts(season=1))) == 1


# The measurement ------------------------------------------------------------------------------------------------------


def comparison(rows, notes=()):
    """A comparison of these (name, error, verdict), the best first, with a fit of one second each."""
    table = pd.DataFrame(rows, columns=["model", "mase", "verdict"]).set_index("model")
    table["difference"] = table["mase"] - table["mase"].iloc[0]
    table["se"], table["fit_seconds"] = 0.01, [1.0 if name != "linear" else 0.1 for name in table.index]
    return Comparison(table, pd.DataFrame(), "mase", {}, notes=list(notes))


@pytest.mark.parametrize(
    ("rows", "name", "words"),
    [
        (
            [("gru", 0.5, "best"), ("linear", 0.6, "20 % worse")],
            "gru",
            "agrees: gru has the smallest error of 2 (MASE 0.500",
        ),
        ([("lstm", 0.5, "best"), ("gru", 0.51, "within noise of the best")], "gru", "so the rule is followed"),
        ([("lstm", 0.5, "best"), ("gru", 0.6, "20 % worse")], "lstm", "gru 20 % more. The comparison decides."),
        ([("lstm", 0.5, "best"), ("gru", 0.9, "within noise of the best")], "lstm", "The comparison decides."),
        ([("lstm", 0.5, "best"), ("gru", math.nan, "failed: no")], "lstm", "gru failed. The comparison decides."),
        (
            [("lstm", 0.5, "best"), ("gru", math.nan, "not run: no time was left")],
            "lstm",
            "names gru, which was not run: no time was left. In the quick comparison lstm has the smallest error of 1",
        ),
        (
            [("lstm", 0.5, "best"), ("gru", 0.52, "4 % worse, too few windows to tell")],
            "gru",
            "gru is not significantly worse, so the rule is followed",
        ),
        (
            [("lstm", 0.5, "best"), ("gru", 0.9, "80 % worse, too few windows to tell")],
            "lstm",
            "gru 80 % more. The comparison decides.",
        ),
        (
            [("gru", 0.5, "best"), ("linear", 0.51, "within noise of the best")],
            "gru",
            "linear is not significantly worse, and much faster to fit",
        ),
    ],
)
def test_the_comparison_decides(rows, name, words):
    chosen, reasons = decide("gru", comparison(rows, ["one seed"]))
    assert chosen == name
    assert words in " ".join(reasons)
    assert reasons[-1] == "One seed."


def test_a_quick_model_is_not_named_where_its_error_is_far_larger():
    far = [("gru", 0.5, "best"), ("linear", 0.9, "80 % worse, too few windows to tell")]
    assert "quicker" not in " ".join(decide("gru", comparison(far))[1])


def test_without_numbers_nothing_is_recommended():
    with pytest.raises(InputError, match="recommend: forecasts must be finite, got failed: it is late"):
        decide("gru", comparison([("gru", math.nan, "failed: it is late")]))


@pytest.fixture
def quick(monkeypatch):
    """The comparison without its networks, which take their seconds."""
    monkeypatch.setattr(recommendation, "shortlist", lambda rule, *rest: [rule] if rule == "linear" else ["drift"])


def test_a_recommendation_can_be_fitted(quick):
    data = fk.load_dataset("airpassengers")
    found = fk.recommend(data, horizon=12, lookback=24)
    assert found.name == "linear"
    assert found.comparison.best == "linear"
    assert found.model.fit(data).predict().shape == (12, 1)
    assert any("windows are few" in reason for reason in found.reasons)
    assert any(reason.startswith("The quick comparison agrees") for reason in found.reasons)
    assert repr(found).startswith("linear: LinearForecaster(")
    assert found.to_dict()["parameters"]["lookback"] == 24


def test_networks_are_tried_with_the_budget_there_is():
    data = pd.DataFrame({"load": wave(400), "temp": wave(400, 1)}, index=pd.date_range("2024", periods=400, freq="h"))
    found = fk.recommend(data, target="load", known="temp", horizon=6, lookback=24, budget=20, units=8, epochs=1)
    assert set(found.comparison.table.index) == {"ensemble", "linear", "naive", "seasonal_naive"}
    assert found.comparison.settings["budget"] == 20
    assert found.model.get_params()["horizon"] == 6


@pytest.fixture
def run(capsys):
    def command(*args, code=0):
        assert main(["recommend", *args]) == code
        return capsys.readouterr()

    return command


def test_the_command_says_a_choice_and_why(run, quick):
    out = run("--csv", AIR, "--horizon", "12").out
    assert "choice   linear" in out
    assert "because  The rule of thumb suggests linear: 8" in out
    assert f"next     forecast train --csv {AIR} --model linear --horizon 12" in out
    found = json.loads(run("--csv", AIR, "--json").out)
    assert (found["model"], found["class"]) == ("linear", "LinearForecaster")
    assert found["facts"]["season"] == 12
    assert found["comparison"]["best"] == "linear"


def test_the_command_refuses_in_one_sentence(run):
    assert "--budget: budget must be a number of seconds" in run("--csv", AIR, "--budget", "soon", code=2).err
    assert "none.csv" in run("--csv", "none.csv", code=1).err
    assert "Did you mean 'horizon'" in run("--csv", AIR, "--set", "horizont=3", code=2).err


@pytest.mark.parametrize("command", ["compare", "recommend"])
def test_help_is_there(command, capsys):
    assert main([command, "--help"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"Usage: forecast {command}")
    assert f"forecast {command} --csv" in out
