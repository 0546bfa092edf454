"""Sizes, gaps and timestamps of a table."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import forecastkit as fk
from forecastkit.cli.choose_sizes import choose_sizes, sized
from forecastkit.cli.compare import complete_parameters
from forecastkit.cli.describe_data import format_steps, format_time, longest_gap
from forecastkit.cli.load_or_fit import make_for_data
from forecastkit.cli.read_data import Data
from forecastkit.data.files.infer_roles import find_roles
from forecastkit.data.files.read_table import Table
from forecastkit.data.ingest.read_panel import read_panel
from forecastkit.data.time_grid import TimeGrid

HOURS = pd.date_range("2024-01-01", periods=500, freq="h")


def made(frame, **roles):
    """A table as `read_data` would give it."""
    found = find_roles(frame, **roles)
    selected = found.select(frame)
    panel, schema = read_panel(selected, time=found.time, series_id=found.series_id, target=list(found.target))
    return Data("data.csv", Table(frame), found, selected, replace(panel, schema=schema))


@pytest.mark.parametrize(
    ("rows", "freq", "sizes"),
    [
        (144, "MS", (12, 24, 24, 1)),
        (60, "MS", (12, 12, 15, 1)),
        (17_520, "h", (48, 3153, 1752, 9)),
        (3_650, "D", (14, 657, 365, 2)),
        (40, "D", (8, 8, 10, 1)),
        (4, "D", (1, 1, 1, 1)),
    ],
)
def test_sizes_are_usual_ones_that_the_rows_allow(rows, freq, sizes):
    data = made(pd.DataFrame({"t": pd.date_range("2000-01-01", periods=rows, freq=freq), "y": np.ones(rows)}))
    chosen = choose_sizes(data, {})
    assert (chosen.horizon, chosen.validation(0.2), chosen.test, chosen.stride) == sizes
    assert chosen.cutoffs <= 200
    assert chosen.test_start.tolist() == [data.end - chosen.test + 1]
    assert not chosen.is_staggered


@pytest.mark.parametrize("freq", ["15min", "h", "D", "B", "W-SUN", "MS", "QS", "YS", None])
@pytest.mark.parametrize("rows", [30, 400, 4_000])
def test_the_command_line_and_estimators_choose_the_same_sizes(freq, rows):
    values = np.random.default_rng(0).normal(size=rows) + np.arange(rows) % 7
    times = {} if freq is None else {"t": pd.date_range("1750-01-01", periods=rows, freq=freq, unit="s")}
    if times and not (times["t"].year < 2200).all():
        times["t"] = times["t"][times["t"].year < 2200]
        values = values[: len(times["t"])]
    data = made(frame := pd.DataFrame({**times, "y": values}))
    sizes = choose_sizes(data, {})
    forecaster = make_for_data("gru", {}, data, sizes)
    chosen = sized(forecaster, forecaster, data, sizes)
    alone = fk.GRUForecaster(horizon=sizes.horizon)
    alone._start_fit(*read_panel(frame.iloc[: len(frame) - sizes.test]))
    for name in ("horizon_", "lookback_", "patch_"):
        assert getattr(chosen, name) == getattr(alone, name), name
    assert fk.NaiveForecaster().fit(frame).horizon_ == sizes.horizon


@pytest.mark.parametrize(("latest", "staggered"), [(1, True), (3, False)])
def test_series_ending_in_different_years_are_tested_on_their_last_rows(latest, staggered):
    """One of ten series reaches the latest rows of all, or three do."""
    years = [2020] * latest + list(range(1960, 1970 - latest))
    frames = [
        pd.DataFrame({"t": pd.date_range(f"{year}-01-01", periods=60 if year < 2000 else 120, freq="MS"), "s": str(i)})
        for i, year in enumerate(years)
    ]
    data = made(pd.concat(frames).assign(y=1.0), series_id="s")
    chosen = choose_sizes(data, {})
    ends = data.panel.cutoffs() if staggered else np.full(10, data.end)
    assert chosen.test_start.tolist() == (ends - chosen.test + 1).tolist()
    assert chosen.is_staggered == staggered
    assert chosen.test == (15 if staggered else 24)  # of 60 rows, the median, or of 120
    compared = complete_parameters(data, {}, {})
    assert compared["horizon"] == 12


def test_series_without_times_are_tested_on_their_own_last_rows():
    frame = pd.DataFrame({"s": np.repeat(["a", "b", "c"], [100, 60, 50]), "y": 1.0})
    data = made(frame, series_id="s")
    chosen = choose_sizes(data, {})
    assert chosen.test_start.tolist() == [100 - chosen.test, 60 - chosen.test, 50 - chosen.test]


def test_rows_before_the_test_leave_out_series_that_begin_in_it():
    late = pd.DataFrame({"t": HOURS[90:100], "s": "late", "y": 1.0})
    frame = pd.concat([pd.DataFrame({"t": HOURS[:100], "s": "early", "y": 1.0}), late])
    data = made(frame, series_id="s")
    before = data.rows_before(np.full(2, data.end - 9))
    assert (before.rows, before.ids) == (90, ("early",))
    by_row = made(frame.drop(columns="t"), series_id="s")
    assert by_row.rows_before(np.full(2, 5)).rows == 10


def test_the_longest_gap_is_found_within_series():
    frame = pd.DataFrame({"t": np.tile(HOURS[:10], 2), "s": np.repeat(["a", "b"], 10), "y": 1.0})
    frame.loc[[2, 13, 14, 15, 18, 19], "y"] = np.nan  # the last two are after the last observed row
    assert longest_gap(made(frame, series_id="s")) == (4, 3, 1, 13)
    assert longest_gap(made(frame.fillna(1.0), series_id="s"))[0] == 0


@pytest.mark.parametrize(
    ("grid", "steps", "words"),
    [
        (TimeGrid("fixed", 3_600_000_000), 31, "31 hours"),
        (TimeGrid("fixed", 3_600_000_000), 1752, "73 days"),
        (TimeGrid("fixed", 900_000_000), 8, "8 steps"),
        (TimeGrid("fixed", 86_400_000_000), 1, "1 day"),
        (TimeGrid("month"), 24, "24 months"),
        (TimeGrid("month", 3), 2, "2 quarters"),
        (TimeGrid("business"), 5, "5 business days"),
        (TimeGrid("position"), 1000, "1,000 rows"),
    ],
)
def test_numbers_of_steps_in_words(grid, steps, words):
    assert format_steps(grid, steps) == words


def test_times_are_formatted_for_people():
    assert format_time(TimeGrid("month"), 0) == "1970-01"
    assert format_time(TimeGrid("fixed", 3_600_000_000), 5) == "1970-01-01 05:00"
    assert format_time(TimeGrid("fixed", 3_600_000_000), 5, short=True) == "1970-01-01"
    assert format_time(TimeGrid("position"), 5) == "5"
