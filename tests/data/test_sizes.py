"""Horizons, lookbacks and rows held out, from one second to a year."""

import time

import numpy as np
import pandas as pd
import pytest

import forecastkit as fk
from forecastkit.data.sizes import (
    MAX_LOOKBACK,
    choose_lookback,
    choose_patch,
    held_out_rows,
    stride_within,
    usual_horizon,
)
from forecastkit.data.time_grid import find_time_grid

FREQUENCIES = ["ms", "s", "5s", "10s", "30s", "min", "2min", "5min", "6min", "10min", "15min", "30min", "h", "2h", "6h",
               "7h", "D", "2D", "B", "W-SUN", "MS", "ME", "QS", "YS"]  # fmt: skip


def grid_of(alias):
    return find_time_grid(pd.date_range("2020-01-01", periods=30, freq=alias), np.array([0]))


@pytest.mark.parametrize(
    ("alias", "horizon"),
    [
        ("s", 60),
        ("10s", 360),
        ("min", 60),
        ("5min", 288),
        ("15min", 192),
        ("h", 48),
        ("D", 14),
        ("B", 10),
        ("W-SUN", 13),
        ("MS", 12),
        ("QS", 8),
        ("YS", 6),
    ],
)
def test_usual_horizons(alias, horizon):
    assert usual_horizon(grid_of(alias)) == horizon


@pytest.mark.parametrize("alias", FREQUENCIES)
def test_default_lookbacks_have_at_most_1920_steps(alias):
    grid = grid_of(alias)
    horizon = usual_horizon(grid)
    assert 1 <= horizon <= 500
    for rows in (10, 1_000, 10**7):
        chosen = choose_lookback(horizon, grid.seasons, rows)
        assert 1 <= chosen <= min(MAX_LOOKBACK, max(rows // 4, 1))


@pytest.mark.parametrize(
    ("horizon", "seasons", "rows", "lookback"),
    [
        (24, (24, 168), 10**6, 504),  # three weeks of hours
        (1, (7,), 10**6, 21),
        (12, (12,), 80, 20),  # a quarter of the rows
        (10, (1,), 10**6, 30),  # three horizons
        (96, (96, 672), 10**6, 1344),  # two weeks of quarters of an hour, as three are too long
        (60, (1440, 10080), 10**6, 1440),  # a day of minutes
        (60, (3600,), 10**6, 600),  # no whole season of seconds fits
        (5000, (1,), 10**6, MAX_LOOKBACK),
    ],
)
def test_lookbacks_are_whole_seasons_as_far_as_they_fit(horizon, seasons, rows, lookback):
    assert choose_lookback(horizon, seasons, rows) == lookback


@pytest.mark.parametrize("rows", [7, 50, 400, 10**6])
@pytest.mark.parametrize("horizon", [1, 3, 24])
def test_rows_held_out(rows, horizon):
    test = held_out_rows(rows, horizon)
    assert horizon <= test <= max(horizon, rows // 4)


def test_strides_leave_at_most_so_many_cutoffs():
    assert [stride_within(places, 1) for places in (1, 200, 201, 1000)] == [1, 1, 2, 5]
    assert stride_within(200, 400) == 4  # 20,000 over all series
    assert stride_within(5, 10**6) == 5


@pytest.mark.parametrize("alias", FREQUENCIES[1:])
def test_a_naive_fit_takes_a_moment_and_forecasts_the_next_times(alias):
    """With all defaults; the reference of its scores is a linear forecast, the longest for minutes."""
    rows = 6_000 if grid_of(alias).kind != "month" else 600
    times = pd.date_range("1900-01-01", periods=rows + 1, freq=alias, unit="s")
    began = time.process_time()
    model = fk.SeasonalNaiveForecaster().fit(pd.Series(np.sin(np.arange(rows) / 50), times[:-1]))
    assert model.lookback_ < 2_000
    assert model.predict().index[0] == times[-1]
    if alias in ("min", "h", "YS"):
        assert model.scores_["mae_linear"] < model.scores_["mae"]
    assert time.process_time() - began < 20


@pytest.mark.parametrize(("season", "lookback", "horizon", "patch"), [
    (24, 336, 48, 24),  # a day of hours
    (24, 96, 24, 8),  # twelve tokens must remain
    (24, 96, 4, 4),  # no longer than the horizon
    (24, 100, 24, 8),  # the lookback need not be a multiple
    (7, 91, 14, 7),
    (7, 60, 14, 1),  # a divisor of the season
    (12, 36, 12, 3),
    (1, 100, 24, 8),  # without a season, any
    (1, 5, 3, 1),
    (24, 336, 1, 1),
])  # fmt: skip
def test_choose_patch(season, lookback, horizon, patch):
    assert choose_patch(season, lookback, horizon) == patch
