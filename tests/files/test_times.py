import numpy as np
import pandas as pd
import pytest

from forecastkit.data.files.datetimes import parse_times, read_clock, try_times
from forecastkit.utils.exceptions import InputError

DAYS = pd.date_range("2024-01-01", periods=60, freq="D")


def refused(function, *args, **kwargs):
    with pytest.raises(InputError) as caught:
        function(*args, **kwargs)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("cells", "first", "last"),
    [
        (["1949-01", "1960-12"], "1949-01-01", "1960-12-01"),
        (["1749-01", "1749-02"], "1749-01-01", "1749-02-01"),
        (["0001-10", "2005-10"], "0001-10-01", "2005-10-01"),
        (["2024-01-01", "2024-01-01 13:30"], "2024-01-01", "2024-01-01 13:30"),
        (["2024-01-01T00:00:00.25", "2024-01-01T00:00:00.123456789"], "2024-01-01 00:00:00.25", None),
        (["1990/1/1 0:00", "1990/1/2 0:00"], "1990-01-01", "1990-01-02"),
        (["01.02.2024 13:00", "13.02.2024 14:00"], "2024-02-01 13:00", "2024-02-13 14:00"),
        (["12/31/24 11:59 PM", "1/1/25 12:00 AM"], "2024-12-31 23:59", "2025-01-01"),
        (["31.12.99", "01.01.00"], "1999-12-31", "2000-01-01"),
        (["2024Q1", "2024-Q4"], "2024-01-01", "2024-10-01"),
        (["01/2024", "12/2024"], "2024-01-01", "2024-12-01"),
        ([1949, 1950], "1949-01-01", "1950-01-01"),
        ([1700.0, 1701.0], "1700-01-01", "1701-01-01"),
        ([1, 2, 4, 1960], "0001-01-01", "1960-01-01"),
        ([202401, 202412], "2024-01-01", "2024-12-01"),
        ([20240131, 20240201], "2024-01-31", "2024-02-01"),
        ([1704067200, 1704070800], "2024-01-01", "2024-01-01 01:00"),
        ([1704067200000, 1704067200500], "2024-01-01", "2024-01-01 00:00:00.5"),
    ],
)
def test_forms_of_time(cells, first, last):
    times = parse_times(pd.Series(cells, name="t"))
    assert times.dtype == "datetime64[us]"
    assert times.name == "t"
    assert times.iloc[0] == pd.Timestamp(first)
    assert last is None or times.iloc[-1] == pd.Timestamp(last)


def test_offsets_give_a_time_zone():
    same = parse_times(pd.Series(["2024-01-01T00:00:00+01:00", "2024-01-01T01:00:00+01:00"]))
    assert same.iloc[1] == pd.Timestamp("2024-01-01 01:00", tz="UTC+01:00")
    assert same.iloc[1].hour == 1
    mixed = parse_times(pd.Series(["2024-01-01 00:00:00Z", "2024-07-01 00:00:00-0230"]))
    assert str(mixed.dt.tz) == "UTC"
    assert mixed.iloc[1] == pd.Timestamp("2024-07-01 02:30", tz="UTC")
    assert "all times must have an offset or none, got '2024-01-02 00:00' in row 2." in refused(
        parse_times, pd.Series(["2024-01-01 00:00Z", "2024-01-02 00:00"])
    )


def test_datetimes_and_periods_pass_and_other_whole_numbers_are_positions():
    assert (parse_times(pd.Series(DAYS)) == DAYS).all()
    assert (parse_times(pd.Series(DAYS.to_period("D"))) == DAYS).all()
    assert (parse_times(pd.Series([day.date() for day in DAYS])) == DAYS).all()
    assert parse_times(pd.Series(np.arange(2000))).tolist() == list(range(2000))


@pytest.mark.parametrize("first", ["%d.%m.%Y", "%m.%d.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y"])
@pytest.mark.parametrize("freq", ["D", "7D", "MS"])
def test_day_or_month_first_is_seen_in_the_whole_column(first, freq):
    times = pd.date_range("2021-01-01", periods=40, freq=freq)
    assert (parse_times(pd.Series(times.strftime(first))) == times).all()


@pytest.mark.parametrize(
    ("cells", "day_first"),
    [
        (["01/02/2024", "02/02/2024", "03/02/2024", "04/02/2024"], True),
        (["02/01/2024", "02/02/2024", "02/03/2024", "02/04/2024"], False),
        (["04/03/2024", "05/03/2024", "07/03/2024", "08/03/2024"], True),
        (["01.02.2024"], True),
        (["01-02-2024"], True),
        (["01/02/2024"], False),
    ],
)
def test_where_no_field_is_above_12_regular_steps_decide_and_then_the_mark(cells, day_first):
    form = "%d %m %Y" if day_first else "%m %d %Y"
    want = pd.to_datetime(pd.Series(cells).str.replace(r"\D", " ", regex=True), format=form)
    assert (parse_times(pd.Series(cells)) == want).all()


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (["soon", "later"] * 3, "got 'soon' in row 1, 'later' in row 2, 'soon' in row 3, ... and 3 more."),
        (["2024-01-01", None, "2024-01-03"], "got blank in row 2."),
        (["2024-02-29", "2023-02-29"], "got '2023-02-29' in row 2."),
        (["2024-01-01 23:00", "2024-01-01 24:00"], "got '2024-01-01 24:00' in row 2."),
        (["1-01", "1-02", "3-12"], "got '1-01' in row 1"),
        (["13.01.2024", "01.13.2024"], "the day must come first in all cells or in none, got '13.01.2024' in row 1,"),
        ([1.5, 2.0], "got '1.5' in row 1."),
        ([True, False], "got 'True' in row 1"),
        (["2024-13"], "got '2024-13' in row 1."),
    ],
)
def test_what_is_no_time_is_refused_with_its_cells(cells, says):
    said = refused(parse_times, pd.Series(cells), "time column 'zeit'")
    assert said.startswith("time column 'zeit': ")
    assert says in said


def test_a_remembered_order_decides_where_cells_do_not():
    cells = pd.Series(["02/07/2021", "03/07/2021"])
    assert try_times(cells, "day/month/year").values.dt.day.tolist() == [2, 3]
    assert try_times(cells, "month/day/year").values.dt.day.tolist() == [7, 7]
    assert try_times(cells, "day/month/year").sentence == ""
    assert try_times(pd.Series(["01/02/2021"])).sentence == "01/02/2021 is read as month/day/year"
    said = refused(parse_times, pd.Series(["02/13/2021"]), "time", "day/month/year")
    assert "the day must come first as in the rows before, got '02/13/2021' in row 1." in said


@pytest.mark.parametrize(
    ("cells", "hours"),
    [
        (["00:00", "13:30"], [0, 13.5]),
        (["12:00 AM", "1:00 pm"], [0, 13]),
        (["00:00 - 01:00", "01:00 - 02:00"], [0, 1]),
        (["00:00-01:00", "23:00-24:00"], [0, 23]),
        (["24:00", "0:15:00"], [24, 0.25]),
        ([0, 23], [0, 23]),
    ],
)
def test_times_of_day(cells, hours):
    assert (read_clock(pd.Series(cells)) / pd.Timedelta("1h")).tolist() == hours


@pytest.mark.parametrize("cells", [["25:00"], ["noon"], ["10:61"], [25], ["13:00 PM"], ["01:00", None]])
def test_what_is_no_time_of_day(cells):
    assert read_clock(pd.Series(cells)) is None
