import numpy as np
import pandas as pd
import pytest

from forecastkit.data.files import text_dates
from forecastkit.data.files.calendar_dates import full_years, weeks_of
from forecastkit.data.files.datetimes import parse_times, read_times, try_times
from forecastkit.data.files.time_of_day import read_clock
from forecastkit.utils.exceptions import InputError

DAYS = pd.date_range("2024-01-01", periods=60, freq="D")


def test_two_digit_years_are_1969_to_2068():
    assert full_years(np.array([0, 68, 69, 99, 1850])).tolist() == [2000, 2068, 1969, 1999, 1850]


def test_only_long_years_have_a_53rd_week():
    days, exist = weeks_of(np.array([2020, 2021, 2021, 2021]), np.array([53, 1, 52, 53]))
    assert exist.tolist() == [True, True, True, False]
    assert days[:3].astype(str).tolist() == ["2020-12-28", "2021-01-04", "2021-12-27"]


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
        (["Jan-18", "Feb-18"], "2018-01-01", "2018-02-01"),
        (["Sep 16, 2021", "Sep 17, 2021"], "2021-09-16", "2021-09-17"),
        (["September 1st, 2021", "September 2nd, 2021"], "2021-09-01", "2021-09-02"),
        (["01-Mar-2021", "02-Mar-2021 13:30"], "2021-03-01", "2021-03-02 13:30"),
        (["16-Sep-21", "17-Sep-21"], "2021-09-16", "2021-09-17"),
        (["01Mar2021", "02Mar2021"], "2021-03-01", "2021-03-02"),
        (["16. September 2021", "1. März 2022"], "2021-09-16", "2022-03-01"),
        (["1. Mrz 2021", "2. Dez. 2021"], "2021-03-01", "2021-12-02"),
        (["1 août 2021", "15 févr. 2022"], "2021-08-01", "2022-02-15"),
        (["16 de septiembre de 2021", "1 de enero de 2022"], "2021-09-16", "2022-01-01"),
        (["1 gennaio 2021", "2 dicembre 2021"], "2021-01-01", "2021-12-02"),
        (["1 de março de 2021", "2 out 2021"], "2021-03-01", "2021-10-02"),
        (["1 mei 2021", "2 maart 2022"], "2021-05-01", "2022-03-02"),
        (["Thu Sep 16 13:00:00 2021", "Fri Sep 17 13:00:00 2021"], "2021-09-16 13:00", "2021-09-17 13:00"),
        (["Montag, 1.3.2021", "Di 2.3.2021"], "2021-03-01", "2021-03-02"),
        (["Mar 2021", "April 2021"], "2021-03-01", "2021-04-01"),
        (["2018 Jan", "2018-Dec"], "2018-01-01", "2018-12-01"),
        (["2023-W05", "2023-W06"], "2023-01-30", "2023-02-06"),
        (["2023W05", "2023W52"], "2023-01-30", "2023-12-25"),
        (["2023-W05-3"], "2023-02-01", None),
        (["KW 5 2023", "KW 06 2023"], "2023-01-30", "2023-02-06"),
        (["2019-52", "2020-53", "2021-01"], "2019-12-23", "2021-01-04"),
        ([202014, 202053], "2020-03-30", "2020-12-28"),
        (["Q1 2005", "Q4 2005"], "2005-01-01", "2005-10-01"),
        (["2005Q1", "2005Q2"], "2005-01-01", "2005-04-01"),
        (["FY05Q1", "FY05Q2"], "2005-01-01", "2005-04-01"),
        (["Q1 FY2005", "Q4 FY2005"], "2005-01-01", "2005-10-01"),
        (["1. Quartal 2005", "2. Quartal 2005"], "2005-01-01", "2005-04-01"),
        (["1Q05", "4Q05"], "2005-01-01", "2005-10-01"),
        (["T1 2005", "T2 2005"], "2005-01-01", "2005-04-01"),
        (["H1 2005", "H2 2005"], "2005-01-01", "2005-07-01"),
        (["2005-S1", "2005-S2"], "2005-01-01", "2005-07-01"),
        (["1998/99", "1999/00", "2000/01"], "1998-01-01", "2000-01-01"),
        (["2001-02", "2002-03", "2003-04"], "2001-01-01", "2003-01-01"),
        (["2001/02", "2001/03"], "2001-02-01", "2001-03-01"),
        (["2005-S01", "2005-S02"], "2005-01-03", "2005-01-10"),
        (["2018M01", "2018M12"], "2018-01-01", "2018-12-01"),
        (["21-03-30", "21-03-31", "21-04-01"], "2021-03-30", "2021-04-01"),
        ([2021030100, 2021030123], "2021-03-01", "2021-03-01 23:00"),
        ([202103010005, 202103010010], "2021-03-01 00:05", "2021-03-01 00:10"),
        ([20210301000005, 20210301130501], "2021-03-01 00:00:05", "2021-03-01 13:05:01"),
        (["20210301T1305", "20210301 14:05"], "2021-03-01 13:05", "2021-03-01 14:05"),
        (["01032021", "02032021"], "2021-03-01", "2021-03-02"),
        ([2021001, 2021365], "2021-01-01", "2021-12-31"),
        ([1704067200000000, 1704067201000000], "2024-01-01", "2024-01-01 00:00:01"),
        ([1704067200000000000, 1704067201000000000], "2024-01-01", "2024-01-01 00:00:01"),
        ([1704067200.25, 1704067201.0], "2024-01-01 00:00:00.25", "2024-01-01 00:00:01"),
        ([44197.0, 44197.041666666664], "2021-01-01", "2021-01-01 01:00"),
        (["2021-03-01 00:00 - 01:00", "2021-03-01 01:00 - 02:00"], "2021-03-01", "2021-03-01 01:00"),
        (["01.03.2021 00:00 - 01.03.2021 01:00 (CET)"], "2021-03-01", None),
        (["2021-03-01/2021-03-07", "2021-03-08/2021-03-14"], "2021-03-01", "2021-03-08"),
        ([f"2021-03-01 {h:02}:00-{h + 1:02}:00" for h in range(24)], "2021-03-01", "2021-03-01 23:00"),
        (["2021-03-01 23:00", "2021-03-01 24:00"], "2021-03-01 23:00", "2021-03-02"),
        (["2021年3月1日", "2021年3月2日"], "2021-03-01", "2021-03-02"),
        (["1 марта 2021 г.", "2 марта 2021 г."], "2021-03-01", "2021-03-02"),
        (["2021. 3. 1.", "2021. 3. 2."], "2021-03-01", "2021-03-02"),
        (["2021-03-01T00:00:00/2021-03-01T01:00:00"], "2021-03-01", None),
        (["2021-03-01/P1M", "2021-04-01/P1M"], "2021-03-01", "2021-04-01"),
        (["(2021-03-01, 2021-03-02]", "(2021-03-02, 2021-03-03]"], "2021-03-01", "2021-03-02"),
        ([2010 + month / 100 for month in range(1, 13)], "2010-01-01", "2010-12-01"),  # 2010.1 is October
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
    local_mean_time = parse_times(pd.Series(["1850-01-01T00:00:00+00:53:28", "1850-01-02T00:00:00+00:53:28"]))
    assert local_mean_time.iloc[0] == pd.Timestamp("1849-12-31 23:06:32", tz="UTC")
    assert same.iloc[1].hour == 1
    mixed = parse_times(pd.Series(["2024-01-01 00:00:00Z", "2024-07-01 00:00:00-0230"]))
    assert str(mixed.dt.tz) == "UTC"
    assert mixed.iloc[1] == pd.Timestamp("2024-07-01 02:30", tz="UTC")
    assert "all times must have an offset or none, got '2024-01-02 00:00' in row 2." in refused(
        parse_times, pd.Series(["2024-01-01 00:00Z", "2024-01-02 00:00"])
    )


def test_offsets_that_change_with_the_clock_keep_the_steps_even():
    hours = pd.date_range("2021-03-27", periods=48, freq="h", tz="Europe/Berlin")
    times = read_times(pd.Series([stamp.isoformat() for stamp in hours]), "t")
    assert (times.values == hours).all()
    assert times.sentence == "UTC offsets change: times are in UTC"
    days = pd.date_range("2021-03-20", periods=20, freq="D", tz="Europe/Berlin")
    times = read_times(pd.Series([stamp.isoformat() for stamp in days]), "t")
    assert (times.values == days.tz_localize(None)).all()
    assert times.sentence == "UTC offsets change: times are local"
    named = parse_times(pd.Series(["28.03.2021 01:00 CET", "28.03.2021 03:00 CEST"]))
    assert named.dt.hour.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("cells", "name", "first", "last"),
    [
        (["1/2005", "4/2005"], "Quarter", "2005-01-01", "2005-10-01"),
        (["2005-1", "2005-4"], "quartal", "2005-01-01", "2005-10-01"),
        (["2020-01", "2020-12"], "week", "2019-12-30", "2020-03-16"),
        ([202001, 202012], "yearweek", "2019-12-30", "2020-03-16"),
        ([202001, 202012], "month", "2020-01-01", "2020-12-01"),
        ([44197, 44198], "date", "2021-01-01", "2021-01-02"),
        ([20051, 20054], "quarter", "2005-01-01", "2005-10-01"),
        ([210301, 210302, 210303], "date", "2021-03-01", "2021-03-03"),
        ([121364, 121365, 122001], "Order Date", "2021-12-30", "2022-01-01"),
        ([21364, 21365, 22001], "Julian Date", "2021-12-30", "2022-01-01"),
    ],
)
def test_the_name_of_a_column_tells_what_its_numbers_mean(cells, name, first, last):
    times = parse_times(pd.Series(cells, name=name))
    assert times.iloc[[0, -1]].tolist() == [pd.Timestamp(first), pd.Timestamp(last)]


@pytest.mark.parametrize(("start", "later", "want"), [(2010.01, 2018.1, "2018-10"), (2010.0417, 2018.7917, "2018-10")])
def test_one_later_decimal_year_is_read_like_those_before(start, later, want):
    step = 0.01 if start == 2010.01 else 1 / 12
    earlier = read_times(pd.Series(start + step * np.arange(12), name="Date"), "t")
    assert read_times(pd.Series([later], name="Date"), "t", earlier.order).values[0] == pd.Timestamp(want)
    assert read_times(pd.Series([2019.0]), "t", "decimal years").values[0] == pd.Timestamp("2019-01")


def test_buddhist_years_are_converted_and_said():
    for cells in (["28/02/2567", "29/02/2567", "01/03/2567"], ["2567-02-28", "2567-02-29", "2567-03-01"]):
        times = read_times(pd.Series(cells), "t")
        assert times.values.tolist() == pd.date_range("2024-02-28", periods=3).tolist()
        assert "the year 2567 of the Buddhist calendar is read as 2024" in times.sentence
    assert parse_times(pd.Series(["2567-01", "2567-02"])).tolist() == [pd.Timestamp("2024-01"), pd.Timestamp("2024-02")]


def test_days_without_a_year_are_refused():
    days = pd.date_range("2020-01-01", "2020-12-31").strftime("%b-%d")
    assert "a date must have a year, got 'Jan-01' in row 1" in refused(parse_times, pd.Series(days))


def test_the_form_is_remembered_where_later_rows_leave_it_open():
    for cells, order, want in [
        ([202001], "yyyyww", "2019-12-30"),
        (["2020-01"], "year-week", "2019-12-30"),
        (["1/2005"], "year-quarter", "2005-01-01"),
        (["05-06-07"], "year-month-day", "2005-06-07"),
    ]:
        times = try_times(pd.Series(cells), order)
        assert times.values[0] == pd.Timestamp(want)
        assert times.order == order
    assert try_times(pd.Series([1990, 1991]), "whole numbers").values.tolist() == [1990, 1991]


def test_names_of_months_are_those_of_unicode():
    dates = pytest.importorskip("babel.dates")
    languages = ["en", "de", "fr", "es", "it", "pt", "nl", "ru", "uk", "pl", "cs", "sk", "sv", "da", "nb", "fi", "el"]
    for language in [*languages, "hu", "tr", "ro", "id"]:
        for width in ("wide", "abbreviated"):
            names = dates.get_month_names(width, locale=language)
            cells = pd.Series([f"1 {names[month]} 2021" for month in range(1, 13)])
            assert parse_times(cells).dt.month.tolist() == list(range(1, 13))


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
        (["2024-01-01 23:00", "2024-01-01 24:01"], "got '2024-01-01 24:01' in row 2."),
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
    assert (
        "dates must be written day/month/year, as in the rows that the model was fitted on, got '02/13/2021' in row 1."
        in said
    )


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


def test_common_formats_are_found_without_trying_the_rarer_ones(monkeypatch):
    """Compiling all patterns takes longer than everything else in `predict(history=frame)`."""
    tried, extract = [], text_dates.pc.extract_regex
    monkeypatch.setattr(text_dates.pc, "extract_regex", lambda *given: tried.append(given[1]) or extract(*given))
    assert (parse_times(pd.Series(DAYS.strftime("%Y-%m-%d"))) == DAYS).all()
    assert set(tried) == {text_dates.SHAPES["year month"]}
    tried.clear()
    assert parse_times(pd.Series(["Jan 2024", "Feb 2024"])).tolist() == list(
        pd.to_datetime(["2024-01-01", "2024-02-01"])
    )
    assert tried[-1] == text_dates.SHAPES["name year"]
