import re

import numpy as np
import pandas as pd
import pytest

from forecastkit.data.files.infer_roles import find_roles
from forecastkit.data.files.read_table import read_table
from forecastkit.data.files.series_columns import series_codes
from forecastkit.datasets import dataset_path, list_datasets, load_dataset
from forecastkit.utils.exceptions import InputError

DAYS = pd.date_range("2024-01-01", periods=60, freq="D")


def refused(function, *args, **kwargs):
    with pytest.raises(InputError) as caught:
        function(*args, **kwargs)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def frame_of(**columns):
    return pd.DataFrame({"time": DAYS.astype(str), **columns})


def test_all_numeric_columns_are_targets_without_a_hint():
    roles = find_roles(frame_of(a=np.sin(np.arange(60)), b=np.cos(np.arange(60)), note=["x"] * 60))
    assert (roles.time, roles.series_id, roles.target) == ("time", (), ("a", "b"))
    assert roles.unused == (("note", "text, the same in all rows"),)
    assert roles.notes[0].startswith("2 targets, as no column name identifies the target: target='a' forecasts")


def test_a_column_called_like_a_target_is_one_and_the_others_are_past():
    frame = frame_of(temp=np.ones(60), load=np.ones(60), wind=np.ones(60))
    roles = find_roles(frame, known="wind")
    assert (roles.target, roles.known, roles.past) == (("load",), ("wind",), ("temp",))
    roles = find_roles(frame, target="temp", past=["wind"])
    assert (roles.target, roles.past) == (("temp",), ("wind",))
    assert roles.unused == (("load", "not named as past"),)
    roles = find_roles(frame.assign(sales=1.0))
    assert (roles.target, roles.past) == (("load", "sales"), ("temp", "wind"))
    assert "all are named like a target: target='load' forecasts one" in roles.notes[0]


def test_reasons_for_unused_columns():
    roles = find_roles(
        frame_of(
            instant=np.arange(1, 61),
            y=np.ones(60),
            flag=[True, False] * 30,
            none=[np.nan] * 60,
            price=["n.a."] + ["1"] * 59,
            made=DAYS,
        )
    )
    assert (roles.target, roles.past) == (("y",), ("flag",))
    assert dict(roles.unused) == {
        "instant": "a row counter",
        "none": "blank",
        "price": "not all numbers: 'n.a.' in row 1",
        "made": "times as well",
    }


def test_a_counter_is_a_target_where_nothing_else_is():
    assert find_roles(frame_of(ramp=np.arange(60))).target == ("ramp",)
    assert find_roles(frame_of(y=np.arange(60), a=np.ones(60))).target == ("y",)


def test_no_number_at_all_is_refused():
    said = refused(find_roles, frame_of(a=["1.234,5"] * 60), where="data.csv")
    assert said == "data.csv: there must be a numeric column to forecast, got only 'a' such as '1.234,5'."
    assert "got no other column." in refused(find_roles, frame_of())


def panel(levels, **columns):
    parts = [frame_of(key=level, **columns) for level in levels]
    return pd.concat(parts, ignore_index=True).assign(x=np.sin(np.arange(60 * len(levels))))


@pytest.mark.parametrize(("name", "levels"), [("site", "abc"), ("store", [1, 2, 3]), ("kind", "abc"), ("no", [7, 8])])
def test_the_series_column_is_found(name, levels):
    roles = find_roles(panel(levels, rider=["m"] * 60).rename(columns={"key": name}))
    assert (roles.time, roles.series_id, roles.target) == ("time", (name,), ("x",))
    assert roles.unused == (("rider", "text, the same in all rows"),)


@pytest.mark.parametrize("descending", [False, True])
def test_series_that_share_no_time_are_series_where_times_start_again(descending):
    def rows(name, start):
        times = pd.date_range(start, periods=12)[:: -1 if descending else 1]
        return pd.DataFrame({"site": name, "date": times.strftime("%Y-%m-%d"), "y": np.arange(12.0)})

    late, early = rows("b", "2024-03-01"), rows("a", "2024-01-01")
    again, on = ((late, early), (early, late))[:: -1 if descending else 1]
    assert find_roles(pd.concat(again, ignore_index=True)).series_id == ("site",)
    assert find_roles(pd.concat(on, ignore_index=True)).series_id == ()  # as where a device is replaced


def test_repeated_hours_of_a_clock_change_do_not_hide_or_invent_a_series():
    frame = panel("ab").rename(columns={"key": "site"})
    assert find_roles(pd.concat([frame, frame.iloc[:1]], ignore_index=True)).series_id == ("site",)
    single = frame_of(y=np.ones(60), clock=["summer"] * 30 + ["winter"] * 30)
    single.loc[30, "time"] = single.loc[29, "time"]
    assert find_roles(single).series_id == ()


def test_whole_numbers_are_no_series_without_the_name_of_one():
    roles = find_roles(panel("ab").drop(columns="key").assign(x=np.arange(120) % 37))
    assert roles.series_id == ()


def test_years_are_times_when_the_column_is_called_so_and_tells_rows_apart():
    years = np.arange(1900, 1960)
    roles = find_roles(pd.DataFrame({"year": years, "x": np.ones(60)}))
    assert (roles.time, roles.target, roles.date_order) == ("year", ("x",), "year")
    assert find_roles(pd.DataFrame({"level": years, "x": np.ones(60)})).time is None
    assert find_roles(pd.DataFrame({"month": np.arange(60) % 12 + 1, "x": np.ones(60)})).time is None
    long = pd.DataFrame({"unique_id": np.repeat(["a", "b"], 60), "ds": np.tile(np.arange(1, 61), 2), "y": 1.0})
    assert find_roles(long).time == "ds"
    assert find_roles(long.rename(columns={"unique_id": "n"}), series_id="n").time == "ds"


@pytest.mark.parametrize(
    ("name", "cell", "freq"),
    [
        ("Quarter", "Q{}", "QS"),
        ("Trimestre", "T{}", "QS"),
        ("Quartal", "{}. Quartal", "QS"),
        ("quarter", "{}st quarter", "QS"),
        ("Semestre", "S{}", "6MS"),
        ("Halbjahr", "H{}", "6MS"),
        ("KW", "KW {:02}", "W-MON"),
        ("week", "W{:02}", "W-MON"),
        ("Semana", "Semana {}", "W-MON"),
        ("month", "M{:02}", "MS"),
        ("Month", "{:02}", "MS"),
    ],
)
@pytest.mark.parametrize(("called", "year"), [("Year", "{}"), ("Fiscal Year", "FY{}"), ("Jahr", "{}")])
def test_parts_of_a_time_as_text_are_joined(name, cell, freq, called, year):
    starts = pd.date_range("2018-01-01", periods=60, freq=freq)
    number = {
        "QS": starts.quarter, "6MS": (starts.month + 5) // 6, "W-MON": starts.isocalendar().week, "MS": starts.month
    }[freq]  # fmt: skip
    years = starts.isocalendar().year if freq == "W-MON" else starts.year
    frame = pd.DataFrame({called: map(year.format, years), name: map(cell.format, number), "y": np.arange(60.0)})
    roles = find_roles(frame)
    assert roles.time_parts == (called, name)
    assert list(roles.times) == list(starts)


def test_texts_beside_a_year_that_are_no_part_of_it_stay_classes():
    frame = pd.DataFrame({"year": np.repeat([2020, 2021], 6), "week": ["first", "last"] * 6, "y": np.arange(12.0)})
    assert find_roles(frame).time_parts == ()


def test_labels_without_dates_are_no_times():
    labels = [f"{year}-{month:02}" for year in (1, 2, 3) for month in range(1, 13)]
    roles = find_roles(pd.DataFrame({"Month": labels, "Sales": np.ones(36)}))
    assert (roles.time, roles.times, roles.target) == (None, None, ("Sales",))
    assert roles.unused == (("Month", "text, one value per row"),)


def test_years_with_leading_zeros_are_times():
    """Of series without a known date the years count from 0001, and pandas keeps such cells as text."""
    frame = pd.DataFrame(
        {"id": ["a"] * 3 + ["b"] * 3, "ds": ["0001", "0002", "1971", "0002", "1971", "1972"], "y": 1.0}
    )
    roles = find_roles(frame)
    assert (roles.time, roles.series_id) == ("ds", ("id",))
    assert roles.times.dt.year.tolist() == [1, 2, 1971, 2, 1971, 1972]
    shops = frame.rename(columns={"ds": "shop"}).assign(ds=pd.date_range("2020-01-01", periods=6))
    assert find_roles(shops).time == "ds"


def test_unread_times_that_distinguish_the_rows_of_series_are_refused():
    frame = pd.DataFrame(
        {"month": np.repeat(["M 1", "M 2", "first"], 4), "product": ["a", "b", "c", "d"] * 3, "y": 1.0}
    )
    assert "'month' may hold times" in refused(find_roles, frame)
    classes = frame.assign(product=["a", "b"] * 6)
    assert find_roles(classes).time is None


@pytest.mark.parametrize(
    "column", [["令和1年5月", "令和1年6月", "令和1年7月"], ["D1 2023", "D2 2023", "D3 2023"], [0.5, 0.7, 1.3]]
)
def test_dates_of_other_calendars_are_refused_and_not_counted(column):
    frame = pd.DataFrame({"Order Date": column, "sales": [5.0, 6.5, 7.0]})
    assert "'Order Date' may hold times, and no column was read as times" in refused(find_roles, frame)


def test_numbers_that_are_called_like_a_date_but_count_are_no_target():
    frame = pd.DataFrame(
        {"time": np.arange(20) / 10, "signal": np.arange(20) ** 2 / 7, "year to date": np.arange(20) ** 3}
    )
    roles = find_roles(frame)
    assert (roles.time, roles.target, dict(roles.unused)) == (
        None,
        ("signal", "year to date"),
        {"time": "a row counter"},
    )


def test_digits_called_like_a_year_and_month_are_times():
    months = pd.date_range("2019-01-01", periods=30, freq="MS")
    frame = pd.DataFrame({"YearMonth": [*(months.year * 100 + months.month)] * 2, "sku": ["a"] * 30 + ["b"] * 30})
    roles = find_roles(frame.assign(qty=np.arange(60) % 7))
    assert (roles.time, roles.series_id, roles.target) == ("YearMonth", ("sku",), ("qty",))
    assert roles.times[:30].tolist() == months.tolist()
    days = pd.date_range("2019-01-01", periods=60)
    frame = pd.DataFrame({"YearMonth": days.year * 100 + days.month, "day": days.day, "qty": np.arange(60) % 7})
    assert "'YearMonth' may hold times, and no column was read as times" in refused(find_roles, frame)


def test_months_of_a_column_without_a_name_are_times():
    months = pd.date_range("2019-01-01", periods=30, freq="MS")
    frame = pd.DataFrame({"Unnamed: 0": months.year * 100 + months.month, "SMB": np.arange(30) % 7 / 4})
    assert find_roles(frame).times.tolist() == months.tolist()


@pytest.mark.parametrize(("dates", "count"), [(pd.date_range("2023-01-01", periods=5), 24), (range(2015, 2020), 12)])
def test_columns_that_may_number_hours_or_months_are_not_taken_for_series(dates, count):
    frame = pd.DataFrame(
        {"year" if count == 12 else "date": np.repeat([*dates], count), "n": [*range(1, count + 1)] * 5}
    )
    frame["y"] = np.arange(len(frame)) % 7 / 4
    assert f"a column that numbers 1 to {count} at each time must be called like" in refused(find_roles, frame)
    assert find_roles(frame, series_id="n").series_id == ("n",)
    assert find_roles(frame.rename(columns={"n": "store"})).series_id == ("store",)
    assert find_roles(frame.rename(columns={"n": "month" if count == 12 else "period"})).series_id == ()


def test_times_of_day_without_a_date_are_refused():
    frame = pd.DataFrame({"time": [f"{h:02}:{m:02}" for h in range(24) for m in (0, 30)], "y": np.arange(48.0)})
    assert "'time' may hold times, and no column was read as times, got cells such as '00:00'" in refused(
        find_roles, frame
    )


def test_a_time_column_with_a_few_odd_cells_is_refused_rather_than_passed_over():
    frame = frame_of(y=np.ones(60))
    frame.loc[55, "time"] = "total"
    said = refused(find_roles, frame, where="data.csv")
    assert said == (
        "data.csv: time column 'time': every cell must be a time, such as 2024-01-31 13:00, got 'total' in row 56."
    )


def test_dates_with_day_and_month_in_both_places_are_refused_rather_than_passed_over():
    frame = frame_of(y=np.ones(60)).assign(time=["13.01.2020", "01.13.2020"] * 30)
    assert "the day must come first in all cells or in none" in refused(find_roles, frame)


def test_the_finest_of_two_time_columns_is_taken():
    hours = pd.Series(pd.date_range("2024-01-01", periods=48, freq="h"))
    frame = pd.DataFrame({"date": hours.dt.strftime("%Y-%m-%d"), "stamp": hours.astype(str), "y": 1.0})
    roles = find_roles(frame)
    assert roles.time == "stamp"
    assert roles.unused == (("date", "times as well"),)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"target": "yy"}, "data: the target column must exist, got 'yy'. Did you mean 'y'?"),
        ({"time": "tmie"}, "data: the time column must exist, got 'tmie'. Did you mean 'time'?"),
        ({"known": ["y", "wnd"]}, "data: the known column must exist, got 'wnd'. Did you mean 'wind'?"),
        ({"target": "y", "past": "y"}, "data: a column must have one role, got 'y' as target and past."),
        ({"target": "note"}, "data: target 'note' must be numeric, got 'a' in row 1, 'a' in row 2, 'a' in row 3, ... "),
        ({"time": "note"}, "data: time column 'note': every cell must be a time, such as 2024-01-31 13:00, got 'a' in"),
    ],
)
def test_given_names_are_checked(given, says):
    frame = frame_of(y=np.ones(60), wind=np.ones(60), note=["a"] * 60)
    assert refused(find_roles, frame, **given).startswith(says)


def test_select_gives_the_columns_with_a_part_and_text_as_categories():
    frame = panel("ab", day=["Mon", "Tue"] * 30, junk=["j"] * 60)
    roles = find_roles(frame, series_id="key", known="day", target="x")
    selected = roles.select(frame)
    assert list(selected) == ["key", "time", "x", "day"]
    assert isinstance(selected["day"].dtype, pd.CategoricalDtype)
    assert pd.api.types.is_datetime64_any_dtype(selected["time"])
    assert frame["day"].iloc[0] == "Mon"


@pytest.mark.parametrize("name", ["kw", "min", "week", "Tag"])
@pytest.mark.parametrize("values", [5 + np.sin(np.arange(60)), 300 + np.arange(60) * 7 % 61])
def test_measurements_named_like_a_part_of_dates_are_targets(name, values):
    frame = pd.DataFrame({"day_of_reading": pd.date_range("2021-01-01", periods=60).astype(str), name: values})
    assert find_roles(frame).target == (name,)


@pytest.mark.parametrize("name", ["promo", "feiertag", "valve"])
def test_indicators_are_no_targets_beside_measurements(name):
    rows = np.arange(60)
    frame = pd.DataFrame({"date": pd.date_range("2021", periods=60), name: rows % 5 // 4, "gauge": np.sin(rows)})
    roles = find_roles(frame)
    assert (roles.target, roles.past) == (("gauge",), (name,))
    assert find_roles(frame[["date", name]]).target == (name,)


def test_parts_of_dates_are_found_in_a_few_rows():
    times = pd.date_range("2021-03-01", periods=20)
    frame = pd.DataFrame(
        {"date": times, "day": times.day, "week": times.isocalendar().week, "x": np.arange(20) * 7 % 11}
    )
    assert find_roles(frame).target == ("x",)


@pytest.mark.parametrize("dataset", list_datasets(), ids=lambda dataset: dataset.name)
def test_the_files_that_come_with_the_package_are_understood(dataset):
    table = read_table(dataset_path(dataset.name))
    roles = find_roles(table.frame)
    assert (len(table.frame), roles.time, roles.series_id) == (
        dataset.rows,
        dataset.time,
        () if dataset.series_id is None else (dataset.series_id,),
    )
    assert dataset.target in roles.target
    assert set(dataset.redundant) <= dict(roles.unused).keys()
    known = load_dataset(dataset.name).reset_index()
    assert (roles.times == known[dataset.time]).all()
    assert re.fullmatch(r"[\d,]+ rows", table.describe(roles.date_order))


def test_series_are_numbered_alike_in_text_and_in_codes():
    frame = pd.DataFrame({"store": ["b", "a", None, "b", "c"], "y": 1.0})
    coded = frame.astype({"store": "category"})
    text, codes = series_codes(frame, ("store",)), series_codes(coded, ("store",))
    assert ((text[:, None] == text) == (codes[:, None] == codes)).all()
    assert (codes < 0).tolist() == (text < 0).tolist()
