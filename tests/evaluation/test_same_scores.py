"""A score of one name is the same number wherever the same windows are scored: one table through every caller."""

import json

import numpy as np
import pandas as pd
import pytest

import forecastkit as fk
from forecastkit.evaluation.folds import Sizes

HORIZON, SEASON = 3, 7
#: The fold after which nothing but the validation rows of `AutoForecaster` follows.
ROWS, AFTER = 120, 30
EXACT = {"rel": 1e-9, "abs": 0}
MODEL = {"horizon": HORIZON, "season_length": SEASON}


@pytest.fixture(scope="module")
def table():
    """Series of very different sizes, one with missing values and one that begins late."""
    rng = np.random.default_rng(0)
    days = pd.date_range("2024-01-01", periods=ROWS, freq="D")
    season = np.sin(2 * np.pi * np.arange(ROWS) / SEASON)
    parts = []
    for name, size, first in (("large", 1e4, 0), ("small", 1.0, 0), ("late", 50.0, 40)):
        y = size * (3 + season + 0.02 * np.arange(ROWS) + rng.normal(0, 0.3, ROWS))
        y[rng.random(ROWS) < (0.1 if name == "small" else 0.0)] = np.nan
        parts.append(pd.DataFrame({"unique_id": name, "ds": days, "y": y})[first:])
    return pd.concat(parts, ignore_index=True).dropna()


@pytest.fixture(scope="module")
def sizes():
    """Two folds, as `tune` chooses them for these rows."""
    sizes = Sizes.suited(ROWS, 3, HORIZON, 2)
    assert (sizes.folds, sizes.stride) == (2, 1)
    return sizes


@pytest.fixture(scope="module")
def expected(table, sizes):
    """MAE, MASE and skill of the latest fold, and the MASE relative to the seasonal naive, by a backtest."""
    test = fk.backtest(fk.DriftForecaster(**MODEL), table, n_windows=sizes.n_windows)
    own, naive = test.scores.loc["forecaster"], test.scores.loc["seasonal naive"]
    return {**own[["mae", "mase", "skill"]], "relative": own["mase"] / naive["mase"]}


def test_the_formulas(table, sizes, expected):
    """By a loop over series, cutoffs and steps."""
    errors, naive, scaled = [], [], []
    for _, series in table.groupby("unique_id"):
        y = series.set_index("ds")["y"].asfreq("D").reindex(pd.date_range(series["ds"].min(), "2024-04-29")).to_numpy()
        y = y.astype("float32").astype("float64")
        first = len(y) - HORIZON - sizes.n_windows  # the last row before the first window
        past = y[: first + 1]
        scale = np.nanmean(np.abs(past[SEASON:] - past[:-SEASON]))
        for cutoff in range(first, first + sizes.n_windows):
            seen = np.flatnonzero(~np.isnan(y[: cutoff + 1]))
            begin, last = seen[0], seen[-1]
            for step in range(1, HORIZON + 1):
                actual = y[cutoff + step]
                if np.isnan(actual):
                    continue
                slope = (y[last] - y[begin]) / (last - begin)
                errors.append(abs(actual - y[last] - slope * (cutoff + step - last)))
                back = cutoff + step - SEASON
                while np.isnan(y[back]):
                    back -= SEASON
                naive.append(abs(actual - y[back]))
                scaled.append((errors[-1] / scale, naive[-1] / scale))
    scaled = np.mean(scaled, axis=0)
    assert expected["mae"] == pytest.approx(np.mean(errors), rel=1e-6)
    assert expected["mase"] == pytest.approx(scaled[0], rel=1e-6)
    assert expected["skill"] == pytest.approx(1 - np.mean(errors) / np.mean(naive), rel=1e-5)
    assert expected["relative"] == pytest.approx(scaled[0] / scaled[1], rel=1e-6)


def test_compare(table, sizes, expected):
    options = {"folds": 1, "n_windows": sizes.n_windows, "stride": 1, "memory": False}
    result = fk.compare({"drift": fk.DriftForecaster(**MODEL)}, table, **options)
    run = result.runs.set_index("model").loc["drift"]
    assert run["mae"] == pytest.approx(expected["mae"], **EXACT)
    assert run["mase"] == pytest.approx(expected["mase"], **EXACT)
    assert result.table.loc["drift", "mase"] == pytest.approx(expected["mase"], **EXACT)


def test_compare_over_several_folds_is_a_backtest_with_refits(table):
    options = {"folds": 3, "n_windows": 2, "stride": HORIZON, "memory": False}
    model = fk.LinearForecaster(**MODEL, lookback=14)
    result = fk.compare({"linear": model}, table, **options)
    test = fk.backtest(model, table, n_windows=6, stride=HORIZON, refit=2)
    assert result.table.loc["linear", "mase"] == pytest.approx(test.scores.loc["forecaster", "mase"], **EXACT)


def test_tune(table, expected):
    space = {"validation_size": [0.1, 0.2]}
    found = fk.tune(fk.DriftForecaster(**MODEL), table, space=space, n_trials=1, n_folds=2, n_jobs=0)
    assert found.trials.loc[0, "fold 1"] == pytest.approx(expected["relative"], **EXACT)


def test_auto(table):
    sizes = Sizes.suited(ROWS, 3, HORIZON, 4)
    test = fk.backtest(fk.DriftForecaster(**MODEL), table, n_windows=sizes.n_windows, stride=sizes.stride)
    expected = test.scores.loc["forecaster", "mase"] / test.scores.loc["seasonal naive", "mase"]
    days = pd.date_range("2024-04-30", periods=AFTER, freq="D")
    later = pd.concat([pd.DataFrame({"unique_id": name, "ds": days, "y": 1.0}) for name in ("large", "small", "late")])
    model = fk.AutoForecaster(**MODEL, forecasters=["drift"], validation_size=AFTER)
    board = model.fit(pd.concat([table, later], ignore_index=True)).leaderboard_.set_index("forecaster")
    assert board.loc["drift", "fold_1"] == pytest.approx(expected, **EXACT)
    assert board.loc["seasonal_naive", "fold_1"] == pytest.approx(1.0, **EXACT)


def test_validation_scores(table, sizes, expected):
    scores = fk.DriftForecaster(**MODEL, validation_size=sizes.length).fit(table).scores_
    assert scores["mae"] == pytest.approx(expected["mae"], **EXACT)
    assert scores["mase"] == pytest.approx(expected["mase"], **EXACT)
    assert scores["skill_seasonal_naive"] == pytest.approx(expected["skill"], **EXACT)
    assert scores["mase"] / scores["mase_seasonal_naive"] == pytest.approx(expected["relative"], **EXACT)


def test_the_test_of_the_command_line(table, sizes, expected, tmp_path, capsys):
    from forecastkit.cli.entry import main

    table.to_csv(tmp_path / "data.csv", index=False)
    options = ["--horizon", str(HORIZON), "--season-length", str(SEASON), "--test-size", str(sizes.length)]
    command = ["train", "--csv", str(tmp_path / "data.csv"), "--model", "drift", "--no-refit", "--json", *options]
    assert main([*command, "--out", str(tmp_path / "model.forecast")]) == 0
    scores = json.loads(capsys.readouterr().out)["test"]["drift"]
    assert scores["mae"] == pytest.approx(expected["mae"], **EXACT)
    assert scores["mase"] == pytest.approx(expected["mase"], **EXACT)
