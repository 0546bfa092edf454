"""Detection of time and series columns of frames: with a warning, or refused by name."""

import warnings

import numpy as np
import pandas as pd
import pytest

from forecastkit.data.files.wide_tables import melt_wide
from forecastkit.data.ingest.read_panel import read_more, read_panel
from forecastkit.utils.exceptions import DataWarning, InputError

DAYS = pd.date_range("2024-01-01", periods=30)
TEXT = DAYS.strftime("%Y-%m-%d")


def read(frame, y=None, **roles):
    """Return the panel, the schema and the warnings."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        panel, schema = read_panel(frame, y, **roles)
    assert {one.filename for one in said} <= {__file__}
    return panel, schema, " ".join(str(one.message) for one in said)


def times_of(panel):
    return panel.grid.timestamps(panel.ordinals())


def shops(names=("a", "b", "c"), key="store"):
    parts = [pd.DataFrame({key: name, "date": TEXT, "sales": 10.0**i + np.arange(30)}) for i, name in enumerate(names)]
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("target", [None, "price"])
def test_dates_of_text_are_the_time_whatever_the_order_of_rows(target):
    frame = pd.DataFrame({"date": TEXT, "price": np.arange(30.0)})[::-1].reset_index(drop=True)
    before = frame.copy()
    panel, schema, said = read(frame, target=target)
    assert panel.target[:, 0].tolist() == list(range(30))
    assert (times_of(panel) == DAYS).all()
    assert (schema.time, schema.target, panel.grid.name) == ("date", ("price",), "daily")
    assert said == "Panel: 'date', written year-month-day, is read as the time. Pass time='date'."
    pd.testing.assert_frame_equal(frame, before)


def test_more_rows_of_text_dates_are_read_alike():
    panel, schema, _ = read(pd.DataFrame({"date": TEXT, "price": np.arange(30.0)}))
    more = read_more(schema, panel.grid, pd.DataFrame({"date": ["2024-02-01", "2024-01-31"], "price": [2.0, 1.0]}))
    assert (more.start.tolist(), more.target[:, 0].tolist()) == (([panel.ends[0] + 1]), [1.0, 2.0])


@pytest.mark.parametrize("names", [("a", "b", "c"), (1, 2, 3)])
def test_the_series_of_repeated_dates_are_found(names):
    panel, schema, said = read(shops(names).sample(frac=1, random_state=0), target="sales")
    assert sorted(panel.ids) == list(names)
    assert (schema.series_id, schema.past) == ("store", ())
    assert dict(zip(panel.ids, panel.target[panel.indptr[:-1], 0], strict=True)) == dict(
        zip(names, [1, 10, 100], strict=True)
    )
    assert "times repeat, and not within 'store': taken as the name of the series. Pass series_id='store'." in said


def test_series_that_are_named_are_taken_and_their_dates_found():
    panel, _, said = read(shops().sample(frac=1, random_state=0), target="sales", series_id="store")
    assert panel.target[:30, 0].tolist() == (panel.target[0, 0] + np.arange(30)).tolist()
    assert "read as the time" in said
    assert "series" not in said


def test_repeated_dates_without_a_distinguishing_column_are_refused():
    frame = shops().drop(columns="store")
    with pytest.raises(InputError, match=r"each \(series, time\) must be one row, got 60 duplicates"):
        read(frame)


def test_merged_duplicates_need_no_series_column():
    panel, schema, said = read(shops(), target="sales", duplicates="sum")
    assert (panel.rows, panel.target[0, 0], schema.series_id) == (30, 111.0, None)
    assert "'store'" in said


@pytest.mark.parametrize("name", ["date", "what"])
def test_text_that_may_be_times_and_cannot_be_read_is_refused(name):
    frame = pd.DataFrame({name: [f"moment {i} of x{i % 7}" for i in range(29, -1, -1)], "y": np.arange(30.0)})
    with pytest.raises(InputError, match=f"'{name}' (may hold times|has distinct values)"):
        read(frame, target="y")


def test_two_columns_of_dates_that_are_equally_likely_are_refused():
    frame = pd.DataFrame({"order_date": TEXT, "ship_date": TEXT, "y": np.arange(30.0)})
    with pytest.raises(
        InputError, match=r"one column must contain the times, got 'order_date', 'ship_date'. Name it with"
    ):
        read(frame, target="y")
    panel, _, said = read(frame, target="y", time="ship_date")
    assert (times_of(panel) == DAYS).all()
    assert "unused columns: 'order_date' (text, one value per row)" in said


def test_text_becomes_classes_and_unused_columns_are_reported():
    frame = pd.DataFrame({"y": np.arange(30.0), "open": [True, False] * 15, "kind": ["a", "b"] * 15}, index=DAYS)
    frame["note"] = [f"n{i}" for i in range(30)]
    panel, schema, said = read(frame, target="y")
    assert (schema.past, schema.categories) == (("open", "kind"), {"kind": ("a", "b")})
    assert panel.past[:2].tolist() == [[1, 1, 0], [0, 0, 1]]
    assert "unused columns: 'note' (text, one value per row)" in said
    assert (
        "known up to the cutoff only: 'open', 'kind'. Name in known= those that are known ahead (such as 'open')"
        in said
    )


def test_counters_and_the_calendar_are_no_targets():
    frame = pd.DataFrame({"No": np.arange(7, 37), "month": DAYS.month, "y": np.arange(30.0), "z": 1.5}, index=DAYS)
    _, schema, said = read(frame)
    assert schema.target == ("y", "z")
    assert "unused columns: 'No' (counts rows), 'month' (repeats the calendar)" in said
    _, schema, said = read(frame[["No", "y"]].rename(columns={"No": "Unnamed: 0"}))  # as pandas.read_csv names an index
    assert schema.target == ("y",)
    assert "'Unnamed: 0' (counts rows)" in said


def test_covariates_beside_y_keep_their_numbers():
    X = pd.DataFrame({"date": TEXT, "hour": np.arange(30.0), "month": DAYS.month})
    panel, schema, said = read(X.drop(columns="date"), np.arange(30.0))
    assert (schema.known, schema.time, said) == (("hour", "month"), None, "")
    panel, schema, said = read(X.drop(columns="hour"), np.arange(30.0))
    assert (schema.known, schema.time) == (("month",), "date")
    assert panel.grid.name == "daily"


# ---------------------------------------------------------------------------------------------- several columns

HOURS = pd.date_range("2024-02-28 05:00", periods=60, freq="h")
MONTHS = pd.date_range("2019-11-01", periods=30, freq="MS")
NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
JOINED = {
    "date and clock": (HOURS, {"Date": HOURS.strftime("%d/%m/%Y"), "Time": HOURS.strftime("%H.%M.%S")}),
    "date and hour": (HOURS, {"dteday": HOURS.strftime("%Y-%m-%d"), "hr": HOURS.hour}),
    "date and hour from 1": (HOURS, {"datum": HOURS.strftime("%Y-%m-%d"), "Stunde": HOURS.hour + 1}),
    "date and interval": (
        HOURS,
        {"date": HOURS.strftime("%Y-%m-%d"), "time": [f"{h:02}:00 - {h + 1:02}:00" for h in HOURS.hour]},
    ),
    "parts to the hour": (
        HOURS,
        {"year": HOURS.year, "month": HOURS.month, "day": HOURS.day, "hour": HOURS.hour},
    ),
    "parts to the day": (DAYS, {"jahr": DAYS.year, "monat": DAYS.month, "tag": DAYS.day}),
    "year and month": (MONTHS, {"year": MONTHS.year, "month": MONTHS.month}),
    "year and name of month": (MONTHS, {"year": MONTHS.year, "month": [NAMES[m - 1] for m in MONTHS.month]}),
    "year and quarter": (
        pd.date_range("2019-01-01", periods=30, freq="QS"),
        {"year": np.repeat(np.arange(2019, 2027), 4)[:30], "quarter": np.tile([1, 2, 3, 4], 8)[:30]},
    ),
    "year and week": (
        pd.date_range("2020-11-30", periods=30, freq="7D"),
        {"year": [2020] * 5 + [2021] * 25, "week": [*range(49, 54), *range(1, 26)]},
    ),
}


@pytest.mark.parametrize("panel_of", [1, 2])
@pytest.mark.parametrize("form", JOINED)
def test_several_columns_form_one_time(form, panel_of):
    times, columns = JOINED[form]
    frame = pd.DataFrame({**columns, "y": np.arange(len(times), dtype=float)})
    frame = pd.concat([frame.assign(shop=f"s{i}") for i in range(panel_of)]).sample(frac=1, random_state=1)
    panel, schema, said = read(frame, target="y")
    assert (schema.time_parts, schema.time) == (tuple(columns), "_".join(columns))
    assert len(panel.ids) == panel_of
    assert (times_of(panel)[: len(times)] == times).all()
    assert (panel.target[:, 0] == np.tile(np.arange(len(times)), panel_of)).all()
    assert f"together are read as the time. Pass time={list(columns)!r}" in said
    silent = read(frame, target="y", time=list(columns), series_id="shop")
    assert silent[2] == ""
    assert (silent[0].target == panel.target).all()
    more = read_more(schema, panel.grid, frame.iloc[:5])
    assert np.isin(more.target[~np.isnan(more.target)], frame["y"].iloc[:5]).all()


def test_given_columns_that_form_no_time_are_refused():
    frame = pd.DataFrame({"a": ["x"] * 30, "year": 2024, "y": 1.0})
    with pytest.raises(InputError, match="columns of one time must be a date with a clock"):
        read(frame, target="y", time=["year", "a"])
    with pytest.raises(InputError, match="named in time= must exist, got 'hour'"):
        read(frame, target="y", time=["year", "hour"])


# ---------------------------------------------------------------------------------------------- several series columns


def test_series_identified_by_two_columns():
    parts = [
        pd.DataFrame({"store": s, "item": i, "date": TEXT, "y": 10.0 * s + i, "size": s})
        for s in (1, 2)
        for i in (1, 2, 3)
    ]
    frame = pd.concat(parts).sample(frac=1, random_state=0)
    panel, schema, said = read(frame, target="y", static="size")
    assert schema.series_id == ("store", "item")
    assert sorted(panel.ids) == [(s, i) for s in (1, 2) for i in (1, 2, 3)]
    assert all(panel.target[start, 0] == 10 * s + i for start, (s, i) in zip(panel.indptr, panel.ids, strict=False))
    assert [s for s, _ in panel.ids] == panel.static[:, 0].tolist()
    assert "Pass series_id=['store', 'item']" in said
    named, _, silent = read(frame, target="y", static="size", series_id=["store", "item"], time="date")
    assert (silent, named.ids) == ("", panel.ids)
    levels = frame.assign(date=pd.to_datetime(frame["date"])).set_index(["store", "item", "date"])
    assert read(levels, target="y", static="size")[0].ids == panel.ids


# ---------------------------------------------------------------------------------------------- wide

WIDE = {
    "years": ([*range(2010, 2022)], "YS"),
    "years of the World Bank": ([f"{y} [YR{y}]" for y in range(2010, 2022)], "YS"),
    "dates": (pd.date_range("2010-01-01", periods=12).strftime("%m/%d/%y").tolist(), "D"),
    "months": (pd.date_range("2010-01-01", periods=12, freq="MS").strftime("%Y-%m").tolist(), "MS"),
}


@pytest.mark.parametrize("form", WIDE)
def test_headers_that_are_times_are_melted(form):
    headers, freq = WIDE[form]
    values = np.arange(36.0).reshape(3, 12)
    frame = pd.DataFrame(values, columns=headers)
    frame.insert(0, "Country", ["Chad", "Peru", "Fiji"])
    frame.insert(1, "Note", "annual")
    panel, schema, said = read(frame)
    assert (panel.ids, schema.series_id) == (("Chad", "Peru", "Fiji"), "Country")
    assert (panel.target[:, 0] == values.ravel()).all()
    assert (times_of(panel)[:12] == pd.date_range("2010-01-01", periods=12, freq=freq)).all()
    assert "the 12 headers" in said
    assert "unused columns: 'Note'" in said
    assert (read_more(schema, panel.grid, frame.iloc[1:]).target == panel.target[12:]).all()


@pytest.mark.parametrize(("prefix", "first"), [("d_", 1), ("V", 2), ("", 1)])
def test_headers_that_number_steps_are_melted(prefix, first):
    frame = pd.DataFrame(np.arange(36.0).reshape(3, 12), columns=[f"{prefix}{first + i}" for i in range(12)])
    frame.iloc[1, 9:] = np.nan  # shorter series are padded
    frame.insert(0, "id", ["a", "b", "c"])
    panel, schema, said = read(frame)
    assert (panel.ids, schema.series_id, schema.target) == (("a", "b", "c"), "id", ("value",))
    assert (panel.last_observed() - panel.indptr[:-1]).tolist() == [11, 8, 11]
    assert "are read as steps of time, each row as a series" in said
    assert (read_more(schema, panel.grid, frame.iloc[2:]).target == panel.target[-12:]).all()


@pytest.mark.parametrize(
    "change",
    [
        {"id": ["a", "b", "b"]},  # rows without a name of their own
        {"date": ["2024-01-01", "2024-01-02", "2024-01-03"]},  # a row per time
        {"d_12": None, "d_14": 1.0},  # a number is missing
    ],
)
def test_other_numbered_columns_are_targets(change):
    frame = pd.DataFrame(np.arange(39.0).reshape(3, 13), columns=[f"d_{i}" for i in range(1, 14)]).assign(**change)
    frame = frame.assign(id=change.get("id", ["a", "b", "c"])).dropna(axis=1)
    assert melt_wide(frame) is None


def test_a_table_of_years_by_months():
    frame = pd.DataFrame(np.arange(36.0).reshape(3, 12), columns=NAMES).assign(Year=[2019, 2020, 2021])
    panel, _, _ = read(frame)
    assert (panel.target[:, 0].tolist(), panel.grid.name) == (list(range(36)), "monthly")
    turned = pd.DataFrame(np.arange(36.0).reshape(3, 12).T, columns=["2019", "2020", "2021"]).assign(month=NAMES)
    panel, _, _ = read(turned)
    assert (panel.target[:, 0].tolist(), panel.grid.name) == (list(range(36)), "monthly")


def test_rows_of_a_wide_table_need_names():
    with pytest.raises(InputError, match=r"rows of a wide table.* must be named by a column, got 3 rows without names"):
        read(pd.DataFrame(np.ones((3, 12)), columns=[*range(2010, 2022)]))


def test_numeric_years_are_times_at_fit_and_later():
    frame = pd.DataFrame({"year": np.arange(1990, 2020), "y": np.arange(30.0)})
    panel, schema, said = read(frame)
    assert (schema.target, panel.grid.name) == (("y",), "yearly")
    assert "'year', written year, is read as the time" in said
    assert read_more(schema, panel.grid, frame.iloc[-2:]).start[0] == panel.ends[0] - 1


def test_the_assumed_format_of_ambiguous_dates_is_reported():
    """Days of April to June up to the 12th: the format with more regular steps is chosen and reported."""
    days = pd.date_range("2023-04-01", "2023-04-12")
    frame = pd.DataFrame({"when": days.strftime("%d/%m/%Y"), "y": np.arange(len(days), dtype="float64")})
    with pytest.warns(DataWarning, match=r"read as the time \(01/04/2023 is read as day/month/year\)") as said:
        read_panel(frame)
    assert len(said) == 1
    with pytest.warns(DataWarning, match="in 'when' 01/04/2023 is read as day/month/year. Pass datetimes"):
        panel, _ = read_panel(frame, time="when")
    assert panel.grid.name == "daily"
    read_panel(frame.assign(when=days.strftime("%Y-%m-%d")), time="when")


def shops_with(**columns):
    """Three shops of twenty days each."""
    days = pd.date_range("2024-01-01", periods=20, freq="D")
    frame = pd.DataFrame({"unique_id": np.repeat(["a", "b", "c"], 20), "ds": np.tile(days, 3), "y": np.arange(60.0)})
    return frame.assign(**{name: np.repeat(values, 20) for name, values in columns.items()})


@pytest.mark.parametrize("target", [None, "y"])
def test_columns_constant_within_each_series_are_static(target):
    frame = shops_with(size=[10.0, 20.0, 20.0], kind=["large", "small", "small"])
    with pytest.warns(DataWarning, match="taken as static, the same within each series: 'size', 'kind'"):
        panel, schema = read_panel(frame, target=target)
    assert (schema.target, schema.static, schema.past) == (("y",), ("size", "kind"), ())
    assert panel.static.shape[0] == 3


@pytest.mark.parametrize("target", [None, "y"])
def test_a_second_series_name_is_unused(target):
    with pytest.warns(DataWarning, match="unused, names the series as well: 'town'"):
        _, schema = read_panel(shops_with(town=["Rome", "Oslo", "Bern"]), target=target)
    assert (schema.target, schema.static) == (("y",), ())


def test_a_panel_of_constant_columns_only_is_forecast():
    frame = shops_with(y=[1.0, 2.0, 3.0])
    assert read_panel(frame)[1].target == ("y",)
