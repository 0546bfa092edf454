"""Columns that make one time together: dates with a clock, hours or numbered periods, and parts of dates."""

import numpy as np
import pandas as pd
import pytest

from forecastkit import LinearForecaster
from forecastkit.data.files.infer_roles import find_roles
from forecastkit.data.files.time_parts import join_times
from forecastkit.data.files.wide_tables import melt_wide
from forecastkit.utils.exceptions import InputError

HOURS = pd.Series(pd.date_range("2023-01-02", periods=240, freq="h"))
HALVES = pd.Series(pd.date_range("2023-01-02", periods=480, freq="30min"))
SECONDS = pd.Series(pd.date_range("2023-01-02", periods=100, freq="15s"))
DAYS = HOURS.dt.strftime("%Y-%m-%d")
MONTHS = pd.Series(pd.date_range("2019-01-01", periods=48, freq="MS"))
POLISH = "styczeń luty marzec kwiecień maj czerwiec lipiec sierpień wrzesień październik listopad grudzień".split()  # noqa: SIM905

#: Columns, and the times that they make.
TABLES = {
    "hhmm as numbers": ({"date": DAYS, "Time": 100 * HOURS.dt.hour}, HOURS),
    "hhmm as text": ({"date": DAYS, "Time": HOURS.dt.strftime("%H%M")}, HOURS),
    "hhmmss": ({"date": DAYS, "time": 10_000 * HOURS.dt.hour}, HOURS),
    "AM and PM in a column": (
        {"date": DAYS, "Time": HOURS.dt.strftime("%I:%M"), "AMPM": HOURS.dt.strftime("%p")},
        HOURS,
    ),
    "hours with AM and PM": (
        {"date": DAYS, "hour": HOURS.dt.hour.sub(1).mod(12).add(1), "half": HOURS.dt.strftime("%p")},
        HOURS,
    ),
    "position": ({"date": DAYS, "position": HOURS.dt.hour + 1}, HOURS),
    "settlement period": (
        {
            "SETTLEMENT_DATE": HALVES.dt.strftime("%d-%b-%Y"),
            "SETTLEMENT_PERIOD": 2 * HALVES.dt.hour + HALVES.dt.minute // 30 + 1,
        },
        HALVES,
    ),
    "numbered hours as text": ({"date": DAYS, "Hour": "H" + (HOURS.dt.hour + 1).astype(str)}, HOURS),
    "seconds": ({"date": "2023-01-02", "hour": 0, "minute": SECONDS.dt.minute, "second": SECONDS.dt.second}, SECONDS),
    "Year and period": ({"Year": MONTHS.dt.year, "Period": MONTHS.dt.month}, MONTHS),
    "day of the year": ({"YEAR": HOURS.dt.year, "DOY": HOURS.dt.day_of_year, "HR": HOURS.dt.hour}, HOURS),
    "no name of the months": ({"Unnamed: 0": MONTHS.dt.year, "Unnamed: 1": MONTHS.dt.strftime("%B")}, MONTHS),
    "Polish": ({"rok": MONTHS.dt.year, "okres": [POLISH[month - 1] for month in MONTHS.dt.month]}, MONTHS),
    "Swedish": ({"År": MONTHS.dt.year, "Månad": MONTHS.dt.month}, MONTHS),
    "Chinese": ({"年": MONTHS.dt.year, "月": MONTHS.dt.month}, MONTHS),
    # 02/01 to 11/01 are days of January: as months they would have gaps after each day.
    "ambiguous days with hours": ({"Fecha": HOURS.dt.strftime("%d/%m/%Y"), "Hora": HOURS.dt.hour}, HOURS),
    "ambiguous days with a clock": (
        {"Date": HOURS.dt.strftime("%d/%m/%Y"), "Interval": HOURS.dt.strftime("%H:00-%H:59")},
        HOURS,
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_columns_make_one_time(name):
    columns, want = TABLES[name]
    roles = find_roles(pd.DataFrame({**columns, "y": np.arange(len(want)) % 7 + 0.5}))
    assert roles.times.tolist() == want.tolist()
    assert (roles.time_parts, roles.series_id, roles.target) == (tuple(columns), (), ("y",))


def test_a_target_names_no_series():
    frame = pd.DataFrame({"date": np.repeat(DAYS[::24], 3), "quantity": [1, 2, 3] * 10, "total": np.arange(30) / 4})
    assert find_roles(frame).series_id == ()


@pytest.mark.parametrize(
    "headers",
    [
        [f"HH{n:02}" for n in range(1, 49)],
        HALVES[:48].dt.strftime("%H:%M").tolist(),
        HALVES[1:49].dt.strftime("%H:%M").tolist(),  # their ends
    ],
)
def test_half_hours_as_headers(headers):
    wide = pd.DataFrame(np.arange(96.0).reshape(2, 48), columns=headers).assign(Date=["2023-01-02", "2023-01-03"])
    melted = melt_wide(wide.assign(HH49=np.nan, HH50=np.nan))  # those of a clock change
    times = join_times(melted.frame, ["Date", melted.time], "data").values
    assert times.tolist() == HALVES[:96].tolist()
    assert melted.frame[melted.value].tolist() == list(range(96))


def test_days_as_headers():
    """Days that a month lacks hold a mark."""
    marks = np.where(np.arange(1, 32) <= np.array([[31], [29], [31]]), np.arange(93.0).reshape(3, 31), -9999)
    wide = pd.DataFrame(marks, columns=[f"VALUE{day}" for day in range(1, 32)]).assign(YEAR=2020, MONTH=[1, 2, 3])
    melted = melt_wide(wide)
    times = join_times(melted.frame, ["YEAR", "MONTH", melted.time], "data").values
    assert times.tolist() == pd.date_range("2020-01-01", periods=91).tolist()
    assert melted.frame[melted.value].tolist() == [*range(60), *range(62, 93)]


def test_quarters_of_an_hour_as_headers():
    times = pd.date_range("2023-01-02", periods=96, freq="15min")
    wide = pd.DataFrame([np.arange(96.0)], columns=times.strftime("%H:%M")).assign(Date="2023-01-02")
    melted = melt_wide(wide)
    assert join_times(melted.frame, ["Date", melted.time], "data").values.tolist() == times.tolist()


def test_the_25th_hour_of_a_clock_change_is_refused():
    frame = pd.DataFrame({"Fecha": "29/10/2023", "Hora": np.arange(1, 26), "y": 0.5})
    with pytest.raises(InputError, match="'Hora' must number the 24 periods of a day, got '25' in row 25"):
        find_roles(frame)
    with pytest.raises(InputError, match="got '25' in row 25"):  # in rows that follow those of a fit
        join_times(frame, ["Fecha", "Hora"], "data", "day/month/year, hours 1 to 24")


def test_more_periods_than_a_day_has_are_refused():
    frame = pd.DataFrame({"date": "2023-10-29", "period": np.arange(1, 51)})
    with pytest.raises(
        InputError, match=r"'period' must number the 48 periods of a day, got '49' in row 49, '50' in row 50"
    ):
        join_times(frame, ["date", "period"], "data")


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("hour", HOURS.dt.hour + 1),
        ("position", HOURS.dt.hour + 1),
        ("Time", 100 * HOURS.dt.hour + 15),
    ],
)
def test_few_later_rows_are_read_as_those_of_the_fit(column, cells):
    """The first hours of a day, and days below 13, tell neither how hours are counted nor the order of the date."""
    frame = pd.DataFrame({"date": HOURS.dt.strftime("%d/%m/%Y"), column: cells, "y": np.arange(240) % 24 + 0.5})
    model = LinearForecaster(horizon=2, lookback=24, target="y", time=["date", column])
    model.fit(frame[:230]).update(frame[230:231])
    assert model.cutoff_ == HOURS[230] + pd.Timedelta(minutes=15 if column == "Time" else 0)
