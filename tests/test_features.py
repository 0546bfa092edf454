"""Calendar features: bounded, cyclic, the same wherever a table starts."""

import numpy as np
import pandas as pd
import pytest

from forecastkit.data.features import calendar_names, calendar_table
from forecastkit.data.grid import Grid, find_grid

NAMES = {
    "h": ("day_sin", "day_cos", "week_sin", "week_cos", "weekend"),
    "D": ("week_sin", "week_cos", "weekend"),
    "W": ("year_sin", "year_cos"),
    "MS": ("year_sin", "year_cos"),
    "YS": (),
    "B": ("week_sin", "week_cos"),
}


def grid_of(freq, **kwargs):
    index = pd.date_range("2024-01-01", periods=30, freq=freq, **kwargs)
    grid = find_grid(index, np.array([0]))
    return grid, int(grid.ordinals(index)[0][0]), index


@pytest.mark.parametrize("freq", NAMES)
def test_a_grid_has_the_cycles_that_a_step_does_not_jump_over(freq):
    grid, first, _ = grid_of(freq)
    assert calendar_names(grid) == NAMES[freq]
    table = calendar_table(grid, first, 500, NAMES[freq])
    assert table.shape == (500, len(NAMES[freq]))
    assert table.dtype == np.float32
    assert np.abs(table).max(initial=0) <= 1
    np.testing.assert_array_equal(table[100:], calendar_table(grid, first + 100, 400, NAMES[freq]))


def test_hours_by_hand():
    grid, first, _ = grid_of("h")
    table = calendar_table(grid, first, 24 * 7, NAMES["h"])
    np.testing.assert_allclose(table[6, :2], [1, 0], atol=1e-6)  # six in the morning is a quarter of the day
    np.testing.assert_allclose(table[:24, :2], table[24:48, :2], atol=1e-6)
    assert table[:, 4].tolist() == [0.0] * 24 * 5 + [1.0] * 24 * 2  # 2024-01-01 is a Monday


def test_the_clock_on_the_wall_counts():
    grid, first, index = grid_of("h", tz="Europe/Berlin")
    table = calendar_table(grid, first, 30, ("day_sin",))[:, 0]
    np.testing.assert_allclose(table, np.sin(2 * np.pi * index.hour / 24), atol=1e-6)


def test_periods_and_positions():
    grid = find_grid(pd.period_range("2024-01", periods=20, freq="M"), np.array([0]))
    assert calendar_table(grid, 0, 12, calendar_names(grid)).shape == (12, 2)
    assert calendar_names(Grid("position")) == ()
    assert calendar_table(Grid("position"), 0, 12, ()).shape == (12, 0)
