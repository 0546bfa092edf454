"""Comparison with references on the test rows: only significant differences are reported."""

import numpy as np
import pandas as pd
import pytest
from conftest import wave

import forecastkit as fk
from forecastkit.cli.console import Reporter
from forecastkit.cli.fit_model import print_recipe, warn_of_last_epoch
from forecastkit.cli.holdout_test import Holdout, _is_worth_changing, _thirds, print_holdout
from forecastkit.metrics.elementwise import is_clearly_larger
from forecastkit.training.loop import Record


def draw(blocks, gain, seed=0):
    """Errors of two models in blocks of ten, the second one's less by `gain` on average."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=blocks).repeat(10)
    own = 5 + shared + rng.normal(size=10 * blocks)
    return own, own - gain + rng.normal(size=blocks).repeat(10), np.arange(blocks).repeat(10)


def test_a_large_gain_in_many_blocks_is_clear():
    assert is_clearly_larger(*draw(20, 2.0))


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ({"correction": 0.5, "smoothing": False}, "; 50 % of the corrections of the linear forecast\n"),
        (
            {"correction": 0.5, "smoothing": True},
            "; 50 % of the corrections of the linear forecast averaged with exponential smoothing\n",
        ),
        ({"correction": 0.0, "smoothing": False}, "; the linear forecast alone: no clear gain of the network"),
        ({}, "lookback 24\n"),
    ],
)
def test_the_recipe_says_what_a_network_corrects(recipe, said, capsys):
    forecaster = fk.GRUForecaster()
    forecaster.recipe_ = {"normalization": "last", "target_transform": None, "lookback": 24, **recipe}
    print_recipe(Reporter(), forecaster)
    assert said in capsys.readouterr().out


def test_two_blocks_are_not_significant():
    own, other, block = draw(2, 4.0)
    assert not is_clearly_larger(own, other, block)
    assert not is_clearly_larger(own, other, np.zeros_like(block))


def test_a_significant_gain_of_one_per_cent_is_not_recommended():
    own, _, block = draw(200, 0.0)
    assert is_clearly_larger(own, 0.99 * own, block)
    assert not _is_worth_changing(own, 0.99 * own, block)
    assert _is_worth_changing(own, 0.97 * own, block)
    assert not _is_worth_changing(own, own, block)


def test_chance_is_rarely_significant():
    wrong = sum(is_clearly_larger(*draw(6, 0.0, seed)) for seed in range(400))
    assert wrong <= 20  # 2.5 % of 400, and three standard deviations


def test_no_warning_where_the_difference_is_noise(run):
    """A year of months in the test are too few blocks to prefer one forecast of noise to another."""
    y = np.random.default_rng(0).normal(100, 1, size=60).round(2)
    pd.DataFrame({"month": pd.date_range("2019-01-01", periods=60, freq="MS"), "y": y}).to_csv("n.csv", index=False)
    said = run("train", "--csv", "n.csv", "--model", "naive", "--horizon", "6")
    assert "forecasts these rows better" not in said.err
    assert "worse" not in said.out


@pytest.fixture
def said(capsys):
    def lines(holdout):
        print_holdout(Reporter(quiet=False, json=False), holdout)
        return capsys.readouterr().out

    return lines


def test_thirds_and_a_drift_are_printed(said):
    scores = pd.DataFrame([[1.0, 0.5, 0.8]], index=["auto"], columns=["mae", "mase", "coverage"])
    thirds = {"first third": 0.9, "middle third": 0.8, "last third": 0.6}
    steady = said(Holdout(scores, thirds=thirds))
    assert "the 80 % interval holds 90 % in the first third, 80 % in the middle third, 60 % in the last third" in steady
    assert "drift" not in steady
    assert "it holds fewer actuals towards the end" in said(Holdout(scores, thirds=thirds, drift=-0.3))


def test_few_cutoffs_have_no_thirds():
    made = fk.backtest(fk.NaiveForecaster(horizon=2), wave(60), n_windows=5, quantile_levels=[0.1, 0.5, 0.9])
    assert _thirds(made, 1) == {}
    more = fk.backtest(fk.NaiveForecaster(horizon=2), wave(60), n_windows=6, quantile_levels=[0.1, 0.5, 0.9])
    assert list(_thirds(more, 1)["thirds"]) == ["first third", "middle third", "last third"]


def epochs_of(**record):
    model = fk.GRUForecaster()
    model.training_history_ = Record(**{"loss": [3.0, 2.0, 1.0], "val_loss": [3.0, 2.0, 1.0], **record})
    return model


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"best_epoch": 2, "ended": "epochs"}, "pass --epochs 9"),
        ({"best_epoch": 1, "ended": "epochs"}, ""),
        # A plan that follows the validation loss was cut, although its last epoch is not the best one.
        ({"best_epoch": 1, "ended": "epochs", "decay_reason": "epochs"}, "pass --epochs 9"),
        ({"best_epoch": 1, "ended": "time limit", "decay_reason": "time limit"}, "pass a longer --time-limit"),
        ({"best_epoch": 2, "ended": "convergence", "decay_reason": "convergence"}, ""),
    ],
)
def test_a_training_that_was_cut_is_reported_with_the_remedy(capsys, record, words):
    warn_of_last_epoch(Reporter(quiet=False, json=False), epochs_of(**record))
    said = capsys.readouterr().err
    assert words in said if words else not said
