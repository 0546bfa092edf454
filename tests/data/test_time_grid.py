"""Time grids: timestamps are converted to ordinals and back."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecastkit.data.time_grid import find_time_grid
from forecastkit.utils.exceptions import InputError

ALIASES = [
    "s",
    "5min",
    "15min",
    "h",
    "6h",
    "D",
    "2D",
    "7D",
    "W-WED",
    "B",
    "MS",
    "ME",
    "QS",
    "QE-NOV",
    "YS",
    "YE",
    "2MS",
]
PERIODS = ["h", "D", "W-SUN", "M", "Q-DEC", "Q-NOV", "Y-DEC"]
ONE = np.array([0])


def check_round_trip(index, freq=None):
    grid = find_time_grid(index, ONE, freq)
    ordinals, fits = grid.ordinals(index)
    assert fits.all()
    assert grid.timestamps(ordinals).equals(index)
    assert grid.timestamps(ordinals).dtype == index.dtype
    return grid, ordinals


@pytest.mark.parametrize("alias", ALIASES)
@given(start=st.datetimes(pd.Timestamp("1950-01-01"), pd.Timestamp("2060-01-01")), seed=st.integers(0, 9))
@settings(max_examples=15, deadline=None)
def test_regular_times_come_back_and_count_by_one(alias, start, seed):
    index = pd.date_range(pd.Timestamp(start).floor("s"), periods=40, freq=alias)
    if alias[0] in "0123456789DWBMQY" and "min" not in alias:
        index = pd.date_range(pd.Timestamp(start).normalize(), periods=40, freq=alias)
    _, ordinals = check_round_trip(index)
    assert (np.diff(ordinals) == 1).all()
    rng = np.random.default_rng(seed)
    kept = np.sort(rng.choice(40, 30, replace=False))
    _, fewer = check_round_trip(index[kept], freq=alias)
    assert (np.diff(fewer) == np.diff(kept)).all()


@pytest.mark.parametrize("alias", PERIODS)
def test_periods_come_back_as_periods(alias):
    index = pd.period_range("1991-05-03", periods=30, freq=alias)
    _, ordinals = check_round_trip(index)
    assert (np.diff(ordinals) == 1).all()


@pytest.mark.parametrize("day", ["2023-03-20", "2023-10-20"])
@pytest.mark.parametrize("freq", ["h", "15min", "D"])
def test_clock_changes_neither_repeat_nor_skip_a_step(day, freq):
    index = pd.date_range(day, periods=400 if freq != "D" else 40, freq=freq, tz="Europe/Berlin")
    _, ordinals = check_round_trip(index)
    assert (np.diff(ordinals) == 1).all()


def test_numbers_keep_their_own_step():
    grid, ordinals = check_round_trip(pd.Index([10, 14, 12, 18]).sort_values())
    assert grid.step == 2
    assert ordinals.tolist() == [5, 6, 7, 9]


def test_weekends_are_not_gaps():
    index = pd.bdate_range("2024-01-01", periods=20)
    grid, ordinals = check_round_trip(index)
    assert grid.kind == "business"
    assert (np.diff(ordinals) == 1).all()


def test_steps_between_series_do_not_count():
    one = pd.date_range("2024-01-01", periods=5, freq="h")
    other = pd.date_range("2024-01-01 00:00", periods=5, freq="h")
    grid = find_time_grid(one.append(other), np.array([0, 5]))
    assert grid.name == "hourly"


@pytest.mark.parametrize(
    ("alias", "name", "seasons"),
    [
        ("15min", "15 min", (96, 672)),
        ("h", "hourly", (24, 168)),
        ("D", "daily", (7,)),
        ("B", "business days", (5,)),
        ("W-SUN", "weekly", (52,)),
        ("MS", "monthly", (12,)),
        ("QS", "quarterly", (4,)),
        ("YS", "yearly", (1,)),
    ],
)
def test_names_and_seasons(alias, name, seasons):
    grid = find_time_grid(pd.date_range("2020-01-01", periods=30, freq=alias), ONE)
    assert (grid.name, grid.seasons) == (name, seasons)


def test_times_off_the_grid_are_named():
    index = pd.date_range("2024-01-01", periods=20, freq="h").append(pd.DatetimeIndex(["2024-01-02 00:07"]))
    with pytest.raises(InputError, match=r"one regular grid \(hourly\), got 1 off it: 2024-01-02 00:07:00"):
        find_time_grid(index, ONE)


@pytest.mark.parametrize("freq", ["nonsense", 5.5])
def test_unknown_frequencies_are_refused(freq):
    with pytest.raises(InputError, match="freq: must be a pandas frequency alias"):
        find_time_grid(pd.date_range("2024-01-01", periods=3, freq="h"), ONE, freq)


def test_one_time_needs_a_frequency():
    index = pd.DatetimeIndex(["2024-01-01"])
    with pytest.raises(InputError, match="two times of one series"):
        find_time_grid(index, ONE)
    assert find_time_grid(index, ONE, "D").name == "daily"


def test_more_times_must_be_of_the_same_kind():
    grid = find_time_grid(pd.date_range("2024-01-01", periods=3, freq="h"), ONE)
    with pytest.raises(InputError, match="of the kind seen at fit"):
        grid.ordinals_of(pd.Index([1, 2]), "update")
    with pytest.raises(InputError, match=r"update: times must lie on the grid seen at fit \(hourly\)"):
        grid.ordinals_of(pd.DatetimeIndex(["2024-01-01 00:30"]), "update")


@pytest.mark.parametrize(
    ("first", "step", "unit"),
    [
        ("2024-01-01", "250ms", "ms"),
        ("2024-01-01", "40us", "us"),
        ("1500-01-01", "1D", "s"),
        ("2262-04-10", "1h", "us"),
        ("2500-01-01", "15min", "s"),
    ],
)
def test_stamps_of_any_year_and_parts_of_a_second_come_back(first, step, unit):
    start, step = np.datetime64(first, unit), pd.Timedelta(step).to_timedelta64()
    _, ordinals = check_round_trip(pd.DatetimeIndex(start + (np.arange(50) * step).astype(f"timedelta64[{unit}]")))
    assert (np.diff(ordinals) == 1).all()


def test_times_beyond_the_range_of_nanoseconds():
    index = pd.date_range("2262-04-09", periods=40, freq="h").as_unit("ns")
    grid = find_time_grid(index, ONE)
    assert grid.timestamps(np.array([grid.ordinals(index)[0][-1] + 48]))[0] == pd.Timestamp("2262-04-12 15:00")


def test_parts_of_a_microsecond_are_refused():
    index = pd.date_range("2024-01-01", periods=20, freq="500ns")
    with pytest.raises(
        InputError, match=r"times must be whole microseconds, got 10 finer: 2024-01-01 00:00:00.0000005"
    ):
        find_time_grid(index, ONE)
    grid = find_time_grid(pd.date_range("2024-01-01", periods=20, freq="us").as_unit("ns"), ONE)
    assert grid.ordinals(index)[1].sum() == 10


@pytest.mark.parametrize("many", [8, 1 << 18])
def test_many_timestamps_are_examined_in_parts(monkeypatch, many):
    monkeypatch.setattr("forecastkit.data.time_grid.MANY", many)
    daily = pd.date_range("2024-01-01", periods=30)
    assert find_time_grid(pd.bdate_range("2024-01-01", periods=30), ONE).name == "business days"
    assert find_time_grid(daily[:5].append(daily), np.array([0, 5])).name == "daily"
    with pytest.raises(InputError, match=r"one regular grid \(daily\), got 1 off it: 2024-01-30 07:00:00"):
        find_time_grid(daily[:-1].append(daily[-1:] + pd.Timedelta("7h")), ONE)


# ---------------------------------------------------------------------------------------------- months and weeks


@pytest.mark.parametrize("freq", [None, "given"])
@pytest.mark.parametrize("alias", ["BME", "BMS", "BQE", "BQS", "BYE", "ME", "MS"])
def test_months_by_their_weekdays(alias, freq):
    times = pd.date_range("2010-02-01", periods=30, freq=alias)
    grid = find_time_grid(times, np.zeros(1, dtype="int64"), alias if freq else None)
    ordinals, fits = grid.ordinals(times)
    assert fits.all()
    assert np.diff(ordinals).tolist() == [1] * 29
    assert grid.name in ("monthly", "quarterly", "yearly")
    more = pd.date_range(times[0], periods=60, freq=alias)
    assert (grid.timestamps(ordinals[0] + np.arange(60)) == more).all()


@pytest.mark.parametrize("day", [15, 29, 30])
def test_the_same_day_of_months_that_may_be_shorter(day):
    months = pd.date_range("2019-01-01", periods=40, freq="MS")
    times = pd.DatetimeIndex([month.replace(day=min(day, month.days_in_month)) for month in months])
    grid = find_time_grid(times[:20], np.zeros(1, dtype="int64"))
    assert (grid.name, grid.day) == ("monthly", day)
    assert (grid.timestamps(grid.ordinals(times[:1])[0] + np.arange(40)) == times).all()


@pytest.mark.parametrize("week", ["1111110", "1111101", "0111110", "1010100", "1111100"])
def test_days_of_the_week_that_never_occur_are_not_forecast(week):
    days = pd.bdate_range("2023-01-03", periods=120, freq="C", weekmask=week)
    kept = days.delete([20, 50])
    grid = find_time_grid(kept, np.zeros(1, dtype="int64"))
    assert (grid.kind, grid.week, grid.seasons) == ("business", week, (week.count("1"),))
    ordinals = grid.ordinals(kept)[0]
    assert (np.diff(ordinals) == 1).sum() == len(kept) - 3
    assert (grid.timestamps(ordinals[0] + np.arange(120)) == days).all()


def test_all_days_with_gaps_and_short_tables_stay_daily():
    days = pd.date_range("2023-01-01", periods=200)
    assert find_time_grid(days.delete([6, 13, 20]), np.zeros(1, dtype="int64")).name == "daily"
    few = pd.bdate_range("2023-01-02", periods=20, freq="C", weekmask="1111110")
    assert find_time_grid(few, np.zeros(1, dtype="int64")).name == "daily"


@settings(max_examples=60, deadline=None)
@given(
    week=st.text("01", min_size=7, max_size=7).filter(lambda week: 2 <= week.count("1") <= 6),
    weeks=st.integers(9, 30),
    lost=st.integers(0, 50),
    series=st.integers(1, 3),
)
def test_patterns_of_the_week_are_found_and_only_their_days_are_steps(week, weeks, lost, series):
    """Steps of one are the days that occur; days lost at random are gaps, and the grid goes on in the pattern."""
    days = pd.bdate_range("2022-01-03", periods=weeks * week.count("1"), freq="C", weekmask=week)
    rng = np.random.default_rng(lost)
    kept = [days[np.sort(np.append(rng.permutation(len(days) - 2)[len(days) // 12 :] + 1, [0, len(days) - 1]))]
            for _ in range(series)]  # fmt: skip
    first = np.cumsum([0, *map(len, kept)])[:-1]
    grid = find_time_grid(pd.DatetimeIndex(np.concatenate(kept)), first)
    steps = np.unique(np.diff(days.values).astype("timedelta64[D]").astype(int))
    if len(steps) == 1:  # such as every day but one, of which all steps are alike: a plain grid
        return
    ordinals, fits = grid.ordinals(days)
    if grid.kind == "business":
        assert grid.week == week
        assert fits.all()
        assert (np.diff(ordinals) == 1).all()
        assert (grid.timestamps(ordinals) == days).all()
    else:  # one of the days was lost in too many weeks
        assert grid.kind == "fixed"
