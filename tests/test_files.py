import gzip
import re
import string
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecastkit.checks import InputError
from forecastkit.datasets import dataset_path, list_datasets, load_dataset
from forecastkit.files import find_roles, parse_times, read_table

DAYS = pd.date_range("2024-01-01", periods=60, freq="D")


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def refused(function, *args, **kwargs):
    with pytest.raises(InputError) as caught:
        function(*args, **kwargs)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Dialects -------------------------------------------------------------------------------------------------------------

DATE_FORMATS = {
    "%Y-%m-%d": "year-month-day",
    "%Y/%m/%d %H:%M": "year/month/day",
    "%Y-%m-%dT%H:%M:%S": "year-month-day",
    "%d.%m.%Y %H:%M": "day.month.year",
    "%d/%m/%Y": "day/month/year",
    "%m/%d/%Y": "month/day/year",
    "%d-%m-%y": "day-month-year",
    "%m/%d/%Y %I:%M %p": "month/day/year",
}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    dialect=st.sampled_from([(",", "."), (";", "."), (";", ","), ("\t", ","), ("\t", "."), ("|", ","), ("|", ".")]),
    form=st.sampled_from(sorted(DATE_FORMATS)),
    names=st.lists(st.text(string.ascii_letters + "äß _%", min_size=1, max_size=8), min_size=2, max_size=2),
    values=st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 4)), min_size=60, max_size=60),
    encoding=st.sampled_from(["utf-8", "utf-8-sig"]),
    ends=st.sampled_from(["\n", "\r\n"]),
)
def test_a_written_frame_is_read_back(tmp_path, dialect, form, names, values, encoding, ends):
    separator, decimal = dialect
    names = [f"{name.strip()}{number}" for number, name in enumerate(names)]
    frame = pd.DataFrame({"when": DAYS, names[0]: np.array(values) + 0.0625, names[1]: np.arange(60)[::-1]})
    path = tmp_path / "data.csv"
    frame.to_csv(
        path, sep=separator, decimal=decimal, date_format=form, index=False, encoding=encoding, lineterminator=ends
    )
    table = read_table(path)
    assert (table.separator, table.decimal) == dialect
    roles = find_roles(table.frame)
    assert (roles.time, roles.date_order) == ("when", DATE_FORMATS[form])
    assert roles.target == tuple(names)
    selected = roles.select(table.frame)
    assert (selected["when"].to_numpy() == DAYS.to_numpy()).all()
    np.testing.assert_allclose(selected[names[0]], frame[names[0]], rtol=1e-14)


@pytest.mark.parametrize(
    ("text", "separator", "decimal", "said"),
    [
        ("t,y\n2024-01-01,1.5\n", ",", ".", "1 row"),
        ("t;y\n01.02.2024;1,5\n02.02.2024;2\n", ";", ",", "2 rows, ';', decimal ','"),
        ("t;y in kW, mean\n2024-01-01;1,5\n2024-01-02;2,5\n", ";", ",", "2 rows, ';', decimal ','"),
        ("t\ty\n2024-01-01\t1\n", "\t", ".", "1 row, tabs"),
        ("t;y;\n2024-01-01;1;\n2024-01-02;2;\n", ";", ".", "2 rows, ';'"),
        ("y\n1\n2\n", ",", ".", "2 rows"),
        ("y\n1,5\n2,5\n", ";", ",", "2 rows, ';', decimal ','"),
        ("t;y\n2024-01-01;12,345\n2024-01-02;13,456\n", ";", ",", "2 rows, ';', decimal ','"),
        ("t\ty\n2024-01-01\t12,345\n2024-01-02\t13,456\n", "\t", ".", "2 rows, tabs"),
        ('t,y\n2024-01-01,"1,234"\n', ",", ".", "1 row"),
        ('t, y\n"a, b", 1\n"c, d", 2\n', ",", ".", "2 rows"),
        ("y\r1\r2\r", ",", ".", "2 rows"),
    ],
)
def test_dialects(tmp_path, text, separator, decimal, said):
    table = read_table(write(tmp_path / "data.csv", text))
    assert (table.separator, table.decimal) == (separator, decimal)
    assert table.describe() == said


def test_the_order_of_dates_is_said_where_it_is_not_iso(tmp_path):
    table = read_table(write(tmp_path / "data.csv", "t;y\n01.02.2024;1,5\n02.02.2024;2\n"))
    assert table.describe("day.month.year") == "2 rows, ';', decimal ',', day.month.year"
    assert table.describe("year-month-day") == "2 rows, ';', decimal ','"


def test_a_comma_that_may_part_thousands_is_not_read_as_a_decimal_sign(tmp_path):
    table = read_table(write(tmp_path / "data.tsv", "t\ty\tz\n2024-01-01\t12,345\t1\n2024-01-02\t13,456\t2\n"))
    assert "must be numeric, got '12,345' in row 1" in refused(find_roles, table.frame, target="y")


def test_question_marks_and_dashes_are_blanks(tmp_path):
    table = read_table(write(tmp_path / "data.csv", "t,y\n2024-01-01,1\n2024-01-02,?\n2024-01-03,-\n"))
    assert table.frame["y"].isna().tolist() == [False, True, True]


def test_plausible_cp1252_is_read_and_said(tmp_path):
    text = "zeit;wärme\n01.02.2024;1,5\n02.02.2024;1,7\n03.02.2024;1,7\n"
    table = read_table(write(tmp_path / "data.csv", text, "cp1252"))
    assert list(table.frame) == ["zeit", "wärme"]
    assert table.describe() == "3 rows, ';', decimal ',', cp1252"


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zip"])
def test_packed_files(tmp_path, suffix):
    frame = pd.DataFrame({"t": DAYS.astype(str), "y": np.arange(60) / 4})
    frame.to_csv(tmp_path / f"data.csv{suffix}", index=False, sep=";", decimal=",")
    pd.testing.assert_frame_equal(read_table(tmp_path / f"data.csv{suffix}").frame, frame)


@pytest.mark.parametrize("index", [False, True])
def test_parquet(tmp_path, index):
    frame = pd.DataFrame({"t": DAYS, "y": np.arange(60) / 4})
    (frame.set_index("t") if index else frame).to_parquet(tmp_path / "data.pq")
    table = read_table(tmp_path / "data.pq")
    pd.testing.assert_frame_equal(table.frame, frame, check_dtype=False)
    assert table.describe() == "60 rows, parquet"
    assert find_roles(table.frame).time == "t"


# Refusals of a file ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the file must have a header and rows, got an empty file."),
        (b"\n \n", "the file must have a header and rows, got an empty file."),
        (b"time,y\n", "the file must have rows, got a header (time, y) and no row."),
        (b"time,y\n\xff\xfe\x00bad\n", "the file must be UTF-8 text (csv) or be called .parquet, got binary data."),
        (b"time,y\n\x01\x02,3\n", "the file must be UTF-8 text (csv) or be called .parquet, got binary data."),
        ("time,y\n2024,1\n".encode("utf-16"), "got binary data. Save it as UTF-8."),
        (b"y,a,y\n1,2,3\n", "column names must differ, got 'y' more than once. Rename them."),
        (b"2024-01-01,5\n2024-01-02,6\n", "the first line must name the columns, got '2024-01-01', '5'."),
        (b"a,b\n1,2\n1,2,3\n", "rows must have the cells of the header, got 'Expected 2 fields in line 3, saw 3'."),
        (b"a,b\n1,2,3\n1,2,3\n", "no row may have more cells than the header, got rows that have."),
        (b"a;b\n1,5;2\n2,5;2.5\n", "a file must have one decimal sign, got ',' in 'a' and '.' in 'b'."),
        (b"a;b\n1.234;2\n12,5;2\n", "a file must have one decimal sign, got ',' in 'a' and '.' in 'a'."),
        (b"a,b\n" + b"1,2\n" * 30000 + b"1,\xe4\n", "the file must be UTF-8 text, got byte 0xe4. Save it as UTF-8."),
    ],
)
def test_a_bad_file_is_refused_by_name(tmp_path, content, says):
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    said = refused(read_table, path)
    assert said.startswith(f"{path}: ")
    assert says in said


def test_noise_is_refused(tmp_path):
    path = tmp_path / "noise.bin"
    path.write_bytes(np.random.default_rng(0).bytes(4096))
    assert "noise.bin: the file must be UTF-8 text (csv)" in refused(read_table, path)


def test_missing_files_and_folders_are_refused(tmp_path):
    said = refused(read_table, tmp_path / "nothere.csv")
    assert "nothere.csv: the data must be a file, got a path where there is none." in said
    assert "the data must be a file, got a folder." in refused(read_table, tmp_path)


@pytest.mark.parametrize("name", ["data.parquet", "data.csv.gz", "data.csv.bz2", "data.csv.xz", "data.csv.zip"])
def test_damaged_files_are_refused(tmp_path, name):
    path = write(tmp_path / name, "no such format")
    said = refused(read_table, path)
    assert said.startswith(f"{path}: the file must be readable, got ")
    assert said.endswith("It may be damaged or cut short.")


def test_a_packed_file_cut_short_is_refused(tmp_path):
    path = tmp_path / "data.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 40000, mtime=0)[:-20])
    assert "It may be damaged or cut short." in refused(read_table, path)


def test_empty_parquet_and_parquet_without_rows_are_refused(tmp_path):
    path = tmp_path / "data.parquet"
    path.touch()
    assert "got an empty file" in refused(read_table, path)
    pd.DataFrame({"a": [1.0]}).iloc[:0].to_parquet(path)
    assert "got a header (a) and no row" in refused(read_table, path)


def test_a_zip_of_two_files_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        archive.writestr("a.csv", "y\n1\n")
        archive.writestr("b.csv", "y\n1\n")
    assert "a zip must hold one file, got 2: a.csv, b.csv." in refused(read_table, tmp_path / "data.zip")


# Times ----------------------------------------------------------------------------------------------------------------


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


# Roles ----------------------------------------------------------------------------------------------------------------


def frame_of(**columns):
    return pd.DataFrame({"time": DAYS.astype(str), **columns})


def test_all_numeric_columns_are_targets_without_a_hint():
    roles = find_roles(frame_of(a=np.sin(np.arange(60)), b=np.cos(np.arange(60)), note=["x"] * 60))
    assert (roles.time, roles.series_id, roles.target) == ("time", None, ("a", "b"))
    assert roles.unused == (("note", "text"),)


def test_a_column_called_like_a_target_is_one_and_the_others_are_past():
    frame = frame_of(temp=np.ones(60), load=np.ones(60), wind=np.ones(60))
    roles = find_roles(frame, known="wind")
    assert (roles.target, roles.known, roles.past) == (("load",), ("wind",), ("temp",))
    roles = find_roles(frame, target="temp", past=["wind"])
    assert (roles.target, roles.past) == (("temp",), ("wind",))
    assert roles.unused == (("load", "not named as past"),)
    assert find_roles(frame.assign(sales=1.0)).target == ("temp", "load", "wind", "sales")


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
    assert roles.target == ("y",)
    assert dict(roles.unused) == {
        "instant": "a row counter",
        "flag": "true or false",
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
    assert (roles.time, roles.series_id, roles.target) == ("time", name, ("x",))
    assert roles.unused == (("rider", "text, the same within each series: static=rider uses it"),)


def test_repeated_hours_of_a_clock_change_do_not_hide_or_invent_a_series():
    frame = panel("ab").rename(columns={"key": "site"})
    assert find_roles(pd.concat([frame, frame.iloc[:1]], ignore_index=True)).series_id == "site"
    single = frame_of(y=np.ones(60), clock=["summer"] * 30 + ["winter"] * 30)
    single.loc[30, "time"] = single.loc[29, "time"]
    assert find_roles(single).series_id is None


def test_whole_numbers_are_no_series_without_the_name_of_one():
    roles = find_roles(panel("ab").drop(columns="key").assign(x=np.arange(120) % 37))
    assert roles.series_id is None


def test_years_are_times_when_the_column_is_called_so_and_tells_rows_apart():
    years = np.arange(1900, 1960)
    roles = find_roles(pd.DataFrame({"year": years, "x": np.ones(60)}))
    assert (roles.time, roles.target, roles.date_order) == ("year", ("x",), "year")
    assert find_roles(pd.DataFrame({"level": years, "x": np.ones(60)})).time is None
    assert find_roles(pd.DataFrame({"month": np.arange(60) % 12 + 1, "x": np.ones(60)})).time is None
    long = pd.DataFrame({"unique_id": np.repeat(["a", "b"], 60), "ds": np.tile(np.arange(1, 61), 2), "y": 1.0})
    assert find_roles(long).time == "ds"
    assert find_roles(long.rename(columns={"unique_id": "n"}), series_id="n").time == "ds"


def test_labels_without_dates_are_no_times():
    labels = [f"{year}-{month:02}" for year in (1, 2, 3) for month in range(1, 13)]
    roles = find_roles(pd.DataFrame({"Month": labels, "Sales": np.ones(36)}))
    assert (roles.time, roles.times, roles.target) == (None, None, ("Sales",))
    assert roles.unused == (("Month", "text"),)


def test_a_time_column_with_a_few_odd_cells_is_refused_rather_than_passed_over():
    frame = frame_of(y=np.ones(60))
    frame.loc[55, "time"] = "total"
    said = refused(find_roles, frame, where="data.csv")
    assert said == (
        "data.csv: time column 'time': every cell must be a time, such as 2024-01-31 13:00, got 'total' in row 56."
    )


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


@pytest.mark.parametrize("dataset", list_datasets(), ids=lambda dataset: dataset.name)
def test_the_files_that_come_with_the_package_are_understood(dataset):
    table = read_table(dataset_path(dataset.name))
    roles = find_roles(table.frame)
    assert (len(table.frame), roles.time, roles.series_id) == (dataset.rows, dataset.time, dataset.series_id)
    assert dataset.target in roles.target
    assert set(dataset.redundant) <= dict(roles.unused).keys()
    known = load_dataset(dataset.name).reset_index()
    assert (roles.times == known[dataset.time]).all()
    assert re.fullmatch(r"[\d,]+ rows", table.describe(roles.date_order))
