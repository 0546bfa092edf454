"""The comparison with references on the test rows: only what chance does not explain is said."""

import numpy as np
import pandas as pd

from forecastkit.metrics.elementwise import is_clearly_larger


def draw(blocks, gain, seed=0):
    """Errors of two models in blocks of ten, the second one's less by `gain` on average."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=blocks).repeat(10)
    own = 5 + shared + rng.normal(size=10 * blocks)
    return own, own - gain + rng.normal(size=blocks).repeat(10), np.arange(blocks).repeat(10)


def test_a_large_gain_in_many_blocks_is_clear():
    assert is_clearly_larger(*draw(20, 2.0))


def test_two_blocks_show_nothing():
    own, other, block = draw(2, 4.0)
    assert not is_clearly_larger(own, other, block)
    assert not is_clearly_larger(own, other, np.zeros_like(block))


def test_chance_is_rarely_taken_for_a_gain():
    wrong = sum(is_clearly_larger(*draw(6, 0.0, seed)) for seed in range(400))
    assert wrong <= 20  # 2.5 % of 400, and three standard deviations


def test_no_warning_where_the_difference_is_noise(run):
    """A year of months in the test are too few blocks to prefer one forecast of noise to another."""
    y = np.random.default_rng(0).normal(100, 1, size=60).round(2)
    pd.DataFrame({"month": pd.date_range("2019-01-01", periods=60, freq="MS"), "y": y}).to_csv("n.csv", index=False)
    said = run("train", "--csv", "n.csv", "--model", "naive", "--horizon", "6")
    assert "forecasts these rows better" not in said.err
    assert "worse" not in said.out
