"""Slots of the week that occur, such as opening hours and business days; only these are forecast."""

import contextlib
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import forecastkit as fk
from forecastkit.data.ingest import irregular_times
from forecastkit.data.time_grid import find_time_grid
from forecastkit.data.week_slots import (
    DAY,
    count_slots,
    describe_week,
    find_week,
    is_week,
    observed_week,
    slot_times,
    week_seasons,
)
from forecastkit.features.calendar import calendar_names
from forecastkit.features.lags import calendar_column_names
from forecastkit.utils.exceptions import ParameterError

HOUR = DAY // 24
ONE = np.zeros(1, dtype="int64")
SHOP = {day: range(9, 19) for day in range(5)} | {5: range(9, 14)}


def hours(weeks, opened=SHOP, tz=None):
    """The hours of so many weeks from a Monday on at which rows occur; by weekday."""
    every = pd.date_range("2024-01-01", periods=168 * weeks, freq="h")
    times = every[[time.hour in opened.get(time.weekday(), ()) for time in every]]
    return times if tz is None else times.tz_localize(tz)


def sales(times):
    return pd.Series(50 + 10 * np.sin(times.hour / 3) + 5 * times.day_of_week.to_numpy(), times, name="sales")


# ------------------------------------------------------------------------------------------------- numbering

WEEKS = st.sampled_from([7, 21, 168]).flatmap(lambda slots: st.text("01", min_size=slots, max_size=slots))


@settings(max_examples=60, deadline=None)
@given(week=WEEKS.filter(lambda week: "1" in week), start=st.integers(-3000, 3000), minutes=st.integers(0, 59))
def test_slots_are_numbered_like_in_a_loop_and_come_back(week, start, minutes):
    slot, phase = 7 * DAY // len(week), minutes * DAY // 1440
    micros = start * DAY + slot * np.arange(2 * len(week)) + phase
    number, is_open, exact = count_slots(micros, week, phase)
    expected = [week[((at - phase + 3 * DAY) % (7 * DAY)) // slot] == "1" for at in micros]
    assert is_open.tolist() == expected
    assert exact.all()
    assert (number - number[0]).tolist() == [sum(expected[:place]) for place in range(len(micros))]
    np.testing.assert_array_equal(slot_times(number[is_open], week, phase), micros[is_open])
    assert not count_slots(micros + 1, week, phase)[2].any()


@pytest.mark.parametrize("week", ["1111100", "1010100", "0000011"])
def test_days_have_the_numbers_of_numpy_as_in_files_of_earlier_versions(week):
    days = np.arange("1970-01-01", "2030-01-01", 13, dtype="datetime64[D]")
    expected = np.busday_count("1970-01-01", days, weekmask=week)
    np.testing.assert_array_equal(count_slots(days.astype("int64") * DAY, week)[0], expected)


@pytest.mark.parametrize("week", [5, "", "0000000", "11", "1111112", "1" * 8, "1" * 7 * 1441])
def test_invalid_weeks(week):
    assert not is_week(week)


# ------------------------------------------------------------------------------------------------- finding


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_hours_of_each_weekday_are_found(data):
    opened = {}
    for day in data.draw(st.sets(st.integers(0, 6), min_size=1)):
        first = data.draw(st.integers(4, 20))
        opened[day] = range(first, data.draw(st.integers(first + 2, 24)))
    weeks = data.draw(st.integers(6, 20))
    times = hours(weeks, opened)
    kept = np.random.default_rng(data.draw(st.integers(0, 99))).random(len(times)) < 0.97
    kept[:: 1 + sum(map(len, opened.values()))] = True
    expected = observed_week(times.as_unit("us").asi8, HOUR)
    assert find_time_grid(times[kept], ONE).week == expected
    two = times[kept].append(times)
    assert find_time_grid(two, np.array([0, kept.sum()])).week == expected


@pytest.mark.parametrize(
    ("times", "name"),
    [
        (hours(3), "hourly (Mon to Sat 09:00 to 18:00)"),  # too few weeks for Saturdays of their own
        (hours(2, dict.fromkeys(range(6), SHOP[0])), "hourly (Mon to Sun 09:00 to 18:00)"),  # of one Sunday
        (hours(3, dict.fromkeys(range(5), SHOP[0])), "hourly (Mon to Fri 09:00 to 18:00)"),
        (hours(8), "hourly (Mon to Fri 09:00 to 18:00, Sat 09:00 to 13:00)"),
        (hours(8) + pd.Timedelta("30min"), "hourly (Mon to Fri 09:30 to 18:30, Sat 09:30 to 13:30)"),
        (hours(8, {1: [10], 3: [14]}), "weekly (Tue 10:00, Thu 14:00)"),
        (hours(2, dict.fromkeys(range(7), (7, 13, 19))), "6 h (Mon to Sun 07:00 to 19:00)"),
        (hours(12, dict.fromkeys(range(5), (8,))), "business days"),
        (hours(4, dict.fromkeys(range(7), range(24))), "hourly"),
    ],
)
def test_patterns_have_a_name(times, name):
    assert find_time_grid(times, ONE).name == name


def test_random_gaps_and_isolated_times_are_no_pattern():
    every = hours(6, dict.fromkeys(range(7), range(24)))
    for seed in range(5):
        kept = np.random.default_rng(seed).random(len(every)) < 0.8
        assert find_time_grid(every[kept], ONE).name == "hourly"
    days = pd.date_range("2024-01-01", periods=60).delete([20, 30])
    with pytest.raises(fk.InputError, match=r"regular grid \(daily\), got 1 off it"):
        find_time_grid(days.delete(-1).append(days[-1:] + pd.Timedelta("7h")), ONE)
    assert find_week(np.arange(5) * 7 * HOUR, 7 * HOUR, 7 * HOUR, ONE) is None  # does not divide a day


def test_rare_opening_hours_are_slots_too():
    late = hours(20, {3: [20]})[:2]
    assert find_time_grid(hours(20).union(late), ONE).week.count("1") == 56


def test_slots_are_those_of_local_time():
    times = hours(26, tz="Europe/Berlin")  # the clock changes on March 31st
    grid = find_time_grid(times, ONE)
    ordinals, fits = grid.ordinals(times)
    assert fits.all()
    assert (np.diff(ordinals) == 1).all()
    assert (grid.timestamps(ordinals) == times).all()
    night = hours(26, {day: [0, 1, 2] for day in range(7)})
    assert find_time_grid(night, ONE).name == "hourly (Mon to Sun 00:00 to 02:00)"
    zoned = night.tz_localize("Europe/Berlin", nonexistent="shift_forward", ambiguous=True)
    assert find_time_grid(zoned.unique(), ONE).name == "hourly"  # slots that are there twice have no number


@pytest.mark.parametrize(
    ("week", "seasons", "words"),
    [
        ("1111100", (5,), "Mon to Fri"),
        ("1" * 168, (24, 168), "Mon to Sun 00:00 to 23:00"),
        (observed_week(hours(1).as_unit("us").asi8, HOUR), (55,), "Mon to Fri 09:00 to 18:00, Sat 09:00 to 13:00"),
        ("110" * 7, (2, 14), "Mon to Sun 00:00, 08:00"),
        ("100100" + "0" * 15, (2,), "Mon, Tue 00:00"),
    ],
)
def test_seasons_and_words(week, seasons, words):
    assert week_seasons(week) == seasons
    assert describe_week(week) == words


# ------------------------------------------------------------------------------------------------- forecasting


def test_only_opening_hours_are_forecast_with_a_warning():
    series, ahead = sales(hours(10)), sales(hours(12))[550:]
    with pytest.warns(fk.DataWarning, match=r"rows occur at 55 of 168 times of the week.*slots='all'"):
        model = fk.SeasonalNaiveForecaster().fit(series)
    pd.testing.assert_series_equal(model.predict(), ahead[:18], check_freq=False)
    assert (model.horizon_, model.season_length_) == (18, 55)
    assert model.update(ahead[:18]).predict().index[0] == ahead.index[18]
    assert fk.backtest(model, sales(hours(12)), start=ahead.index[0]).scores["mae"].max() == 0
    rule = r"on the grid seen at fit \(hourly \(Mon.*got 1 off it: .*Leave them out, or fit with slots='all'"
    with pytest.raises(fk.InputError, match=rule):
        model.update(pd.Series([1.0], [pd.Timestamp("2024-04-07 20:00")], name="sales"))


def test_all_or_observed_hours_can_be_requested():
    series = sales(hours(10))
    every = fk.NaiveForecaster(horizon=24, slots="all").fit(series).predict()
    assert (np.diff(every.index) == pd.Timedelta("1h")).all()
    assert len(fk.NaiveForecaster(horizon=24, freq="h").fit(series).predict()) == 24  # freq= means every one
    for own in ({}, {"freq": "h"}):
        model = fk.NaiveForecaster(horizon=5, slots="observed", **own).fit(series[:55])
        assert model.history_.grid.week.count("1") == 55
    days = pd.Series(np.arange(40.0), pd.bdate_range("2024-01-01", periods=40))
    assert fk.NaiveForecaster(horizon=3, slots="all").fit(days).predict().index[0].day_of_week == 5
    with pytest.raises(ParameterError, match="slots must be"):
        fk.NaiveForecaster(slots="open").fit(days)
    with pytest.raises(ParameterError, match="slots='observed' needs timestamps"):
        fk.NaiveForecaster(slots="observed").fit(np.arange(9.0))
    with pytest.raises(ParameterError, match="slots='observed' needs steps of minutes or hours"):
        fk.NaiveForecaster(slots="observed").fit(pd.Series(np.arange(9.0), pd.date_range("2020", periods=9, freq="MS")))


@pytest.mark.parametrize("slots", [None, "observed"])
@pytest.mark.filterwarnings("ignore:.*rows occur at")
def test_rows_that_are_aggregated_to_hours_keep_the_opening_hours(slots):
    times = hours(10).repeat(3) + pd.to_timedelta(np.tile([0, 20, 45], 550), unit="min")
    model = fk.NaiveForecaster(horizon=7, freq="h", resample="sum", slots=slots).fit(pd.Series(1.0, times))
    assert model.predict().index.tolist() == hours(12)[550:557].tolist()
    assert (model.predict() == 3).all()
    with pytest.raises(fk.InputError, match="off it"):
        model.update(pd.Series([1.0], [pd.Timestamp("2024-03-10 03:20")]))


@pytest.mark.filterwarnings("ignore:.*rows occur at")
def test_a_panel_with_covariates_saved_and_loaded(tmp_path):
    times = hours(10)
    parts = [pd.DataFrame({"unique_id": name, "ds": times, "y": sales(times).to_numpy() * scale}) for name, scale in
             (("a", 1), ("b", 9))]  # fmt: skip
    frame = pd.concat(parts).assign(promotion=lambda rows: rows["ds"].dt.hour == 12)
    frame["y"] += 7.0 * frame["promotion"]
    model = fk.LinearForecaster(horizon=12, lookback=30, recipes=1, known="promotion").fit(frame)
    future = model.future_frame().assign(promotion=lambda rows: rows["ds"].dt.hour == 12)
    assert future["ds"].tolist() == 2 * hours(12)[550:562].tolist()
    model.save(tmp_path / "m.forecast")
    pd.testing.assert_frame_equal(fk.load(tmp_path / "m.forecast").predict(future), model.predict(future))
    assert calendar_names(model.history_.grid) == ("day_sin", "day_cos", "week_sin", "week_cos")
    assert calendar_column_names(model.history_.grid) == ("hour", "weekday", "day_of_year")


def days(weeks, week):
    times = pd.date_range("2024-01-01", periods=7 * weeks)
    return times[[week[number % 7] == "1" for number in range(len(times))]]


@pytest.mark.parametrize(
    ("weeks", "said"),
    [
        ({"a": "1111100", "b": "1111110"}, "forecast only at these: 'a' at Mon to Fri. Pass"),
        ({"a": "1111101", "b": "1111111"}, "forecast only at these: 'a' at Mon to Fri, Sun. Pass"),
        ({"a": "1111100", "b": "1111100"}, None),
        ({"a": "1111111", "b": "1111111"}, None),
    ],
)
def test_series_are_forecast_only_on_their_days(weeks, said):
    frame = panel_of({name: days(12, week) for name, week in weeks.items()})
    with pytest.warns(fk.DataWarning, match=said) if said else contextlib.nullcontext():
        forecast = fk.NaiveForecaster(horizon=7).fit(frame).forecast()
    for name, week in weeks.items():
        own = forecast.loc[forecast["unique_id"] == name, "ds"]
        assert {day for day, open_ in enumerate(week) if open_ == "1"} == set(own.dt.day_of_week)


def test_days_missing_by_chance_are_not_closed_days():
    kept = np.random.default_rng(0).random(35) < 0.5
    parts = {"a": days(5, "1111111")[kept], "b": days(5, "1111111")}
    frame = pd.concat([pd.DataFrame({"unique_id": name, "ds": at, "y": 1.0}) for name, at in parts.items()])
    fk.NaiveForecaster(horizon=2).fit(frame)


# ------------------------------------------------------------------------------------- series of other times

EARLY, LATE = {day: range(8, 18) for day in range(7)}, {day: range(6, 22) for day in range(7)}
SAID = pytest.mark.filterwarnings("ignore:.*rows occur at", "ignore:.*only at these", "ignore:.*no step to forecast")


def panel_of(times):
    """A long frame of series at these times, whose values say series, hour and day."""
    return pd.concat(
        [
            pd.DataFrame({"unique_id": name, "ds": at, "y": 1000.0 * number + 10 * at.hour + at.day_of_week})
            for number, (name, at) in enumerate(times.items())
        ]
    )


def shops(weeks=8):
    return panel_of({"a": hours(weeks, EARLY), "b": hours(weeks, LATE)})


@SAID
@settings(max_examples=25, deadline=None)
@given(st.data())
def test_every_series_is_forecast_at_its_own_times_only(data):
    opened = {}
    for name in "abc":
        first = data.draw(st.integers(0, 20))
        hour = range(first, data.draw(st.integers(first + 2, min(first + 12, 24))))
        opened[name] = dict.fromkeys(data.draw(st.sets(st.integers(0, 6), min_size=2)), hour)
    weeks = data.draw(st.integers(6, 9))
    model = fk.NaiveForecaster(horizon=20).fit(panel_of({name: hours(weeks, week) for name, week in opened.items()}))
    forecast, history = model.forecast(quantile_levels=[]), model.history_
    for name, week in opened.items():
        (cutoff,) = history.cutoffs()[history.places([name])]
        steps = history.grid.timestamps(cutoff + np.arange(1, 21))
        expected = [time for time in steps if time.hour in week.get(time.day_of_week, ())]
        assert forecast.loc[forecast["unique_id"] == name, "ds"].tolist() == expected


@SAID
def test_rows_of_forecasts_are_the_same_everywhere(tmp_path):
    model = fk.SeasonalNaiveForecaster(horizon=32, season_length=112).fit(shops())
    forecast = model.forecast()
    assert forecast.groupby("unique_id").size().to_dict() == {"a": 20, "b": 32}  # two days
    expected = 1000.0 * (forecast["unique_id"] == "b") + 10 * forecast["ds"].dt.hour + forecast["ds"].dt.day_of_week
    np.testing.assert_allclose(forecast["forecast"], expected)
    assert forecast["step"].tolist()[:11] == [*range(7, 17), 23]
    keys = ["unique_id", "ds"]
    for other in (model.predict(), model.future_frame(), model.sample(1)):
        pd.testing.assert_frame_equal(other[keys], forecast[keys])
    assert len(model.predict(until="common")) == 52
    model.save(tmp_path / "m.forecast")
    pd.testing.assert_frame_equal(fk.load(tmp_path / "m.forecast").forecast(), forecast)
    asked = pd.DataFrame({"unique_id": ["a"], "ds": [pd.Timestamp("2024-02-26 20:00")]})
    assert len(model.predict(asked)) == 1  # rows that are asked for by name
    tested = fk.backtest(fk.NaiveForecaster(horizon=16), shops(), n_windows=30)
    assert tested.forecasts["actual"].notna().all()
    every = fk.backtest(fk.NaiveForecaster(horizon=16, slots="all"), shops(), n_windows=30)
    assert every.forecasts["actual"].isna().any()


@SAID
def test_no_future_covariates_are_needed_at_times_that_do_not_occur():
    frame = shops().assign(promotion=lambda rows: rows["ds"].dt.hour == 12)
    model = fk.LinearForecaster(horizon=20, lookback=40, recipes=1, known="promotion").fit(frame)
    future = model.future_frame().assign(promotion=lambda rows: rows["ds"].dt.hour == 12)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(model.predict(future)) == len(model.forecast(future)) == len(future)
    with pytest.warns(UserWarning, match="1 step before the last row to forecast have no row: 'a'"):
        model.predict(future.drop(index=1))


@SAID
def test_series_whose_times_are_all_beyond_the_horizon_are_named():
    model = fk.NaiveForecaster(horizon=4).fit(shops())
    with pytest.warns(UserWarning, match=r"at which these series have rows: 'a'. They are left out"):
        assert set(model.forecast()["unique_id"]) == {"b"}


def test_times_of_each_series_can_be_confirmed_or_all_asked_for():
    frame = shops(1)
    observed = fk.NaiveForecaster(horizon=16, slots="observed").fit(frame)
    assert observed.forecast().groupby("unique_id").size().tolist() == [10, 16]
    every = fk.NaiveForecaster(horizon=16, slots="all").fit(frame)
    assert every.forecast().groupby("unique_id").size().tolist() == [16, 16]


@pytest.mark.filterwarnings("ignore:.*rows occur at")
def test_aggregated_rows_keep_the_times_of_each_series():
    twice = pd.concat([shops(), shops().assign(ds=lambda rows: rows["ds"] + pd.Timedelta("20min"))])
    with pytest.warns(fk.DataWarning, match="forecast only at these: 'a' at Mon to Sun 08:00 to 17:00"):
        model = fk.NaiveForecaster(horizon=16, freq="h", resample="sum").fit(twice)
    assert model.forecast().groupby("unique_id").size().tolist() == [10, 16]


@pytest.mark.parametrize(("name", "most"), [("MOST_CELLS", 2 * 168), ("MOST_ROWS", 500), ("MOST_ROWS", 1)])
@SAID
def test_series_are_compared_a_few_at_a_time(monkeypatch, name, most):
    monkeypatch.setattr(irregular_times, name, most)
    many = panel_of({name: hours(6, EARLY if name in "ad" else LATE) for name in "abcde"})
    with pytest.warns(fk.DataWarning, match="'a' at Mon to Sun 08:00 to 17:00, 'd' at Mon to Sun 08:00 to 17:00"):
        assert set(fk.NaiveForecaster().fit(many).schema_.weeks) == set("ad")
