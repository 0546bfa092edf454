import dataclasses
import gzip
import json
import os
import string
import threading
import zipfile
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecastkit.data.files import read_table as files
from forecastkit.data.files import streaming
from forecastkit.data.files.datetimes import parse_times
from forecastkit.data.files.infer_roles import find_roles
from forecastkit.data.files.read_table import read_table
from forecastkit.data.ingest.read_panel import read_panel
from forecastkit.utils.exceptions import InputError

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


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
    roles = find_roles(table.frame, target=names)
    assert (roles.time, roles.date_order) == ("when", DATE_FORMATS[form])
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
        ('t,y\n2024-01-01,"1,234"\n', ",", ".", "1 row, thousands ',' in 'y'"),
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


@pytest.mark.parametrize(
    "document",
    [
        {"t": ["2024-01-01", "2024-01-02"], "y": [1, 2]},
        {"t": {"0": "2024-01-01", "1": "2024-01-02"}, "y": {"0": 1, "1": 2}},
        {"columns": ["t", "y"], "index": [0, 1], "data": [["2024-01-01", 1], ["2024-01-02", 2]]},
        {"status": "ok", "results": [{"t": "2024-01-01", "y": 1}, {"t": "2024-01-02", "y": 2}]},
        {"latitude": 5.5, "units": {"t": "iso8601"}, "daily": {"t": ["2024-01-01", "2024-01-02"], "y": [1, 2]}},
    ],
)
def test_json_documents(tmp_path, document):
    (tmp_path / "data.json").write_text(json.dumps(document), encoding="utf-8")
    frame = read_table(tmp_path / "data.json").frame
    assert frame.to_dict("list") == {"t": ["2024-01-01", "2024-01-02"], "y": [1, 2]}


# Refusals of a file ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the file must have a header and rows, got an empty file."),
        (b"\n \n", "the file must have a header and rows, got an empty file."),
        (b"time,y\n", "the file must have rows, got a header (time, y) and no row."),
        (b"time,y\n\xff\xfe\x00bad\n", "the file must be UTF-8 text (csv) or be called .parquet, got binary data."),
        (b"time,y\n\x01\x02,3\n", "the file must be UTF-8 text (csv) or be called .parquet, got binary data."),
        (b"y,a,y\n1,2,3\n", "column names must differ, got 'y' more than once. Rename them."),
        (b"2024-01-01,5\n2024-01-02,6\n", "the first line must name the columns, got '2024-01-01', '5'."),
        (b"a,b\n1,2\n1,2,3\n", "rows must have the cells of the header, got 'Expected 2 fields in line 3, saw 3'."),
        (b"a,b\n1,2,3\n1,2,3\n", "no row may have more cells than the header, got rows that have."),
        (b"a;b\n1,5;2\n2.5;2\n", "column 'a' must have one decimal separator, got ',' in 'a' and '.' in 'a'."),
        (b"a;b;c\n1,5;2.5;1.234\n2,5;2.5;2.345\n", "the numbers of column 'c' must have one decimal separator"),
        (b"\xef\xbb\xbfa,b\n1,\xe4\n", "the file must be utf-8-sig text, got byte 0xe4. Save it as UTF-8."),
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
    assert "a zip archive must contain one file, got 2: a.csv, b.csv." in refused(read_table, tmp_path / "data.zip")


# Large files ----------------------------------------------------------------------------------------------------------


def both_ways(path, monkeypatch, block=1 << 12, sniffed=1 << 16):
    """The file as pandas reads it, and as it is read in blocks; None where blocks were given up."""
    plain = read_table(path)
    streamed = []

    def stream(*args):
        streamed.append(streaming.stream_text(*args))
        return streamed[-1]

    with monkeypatch.context() as patch:
        patch.setattr(files, "LARGE", 0)
        patch.setattr(files, "stream_text", stream)
        patch.setattr(streaming, "BLOCK", block)
        patch.setattr(files, "_SNIFFED", sniffed)
        table = read_table(path)
    assert len(streamed) <= 1
    return plain, table, bool(streamed) and streamed[0] is not None


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    dialect=st.sampled_from([(",", "."), (";", ","), ("\t", ".")]),
    form=st.sampled_from(["%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%d.%m.%Y %H:%M", "%m/%d/%Y"]),
    values=st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6).map(lambda x: round(x, 4))), min_size=120, max_size=120),
    whole=st.booleans(),
    suffix=st.sampled_from(["", ".gz"]),
    ends=st.sampled_from(["\n", "\r\n"]),
)
def test_blocks_give_the_panel_that_pandas_gives(tmp_path, monkeypatch, dialect, form, values, whole, suffix, ends):
    separator, decimal = dialect
    frame = pd.DataFrame(
        {"shop": np.repeat(["süd", " nord"], 60), "when": np.tile(DAYS, 2), "y": values, "k": np.arange(120) % 7}
    )
    frame["y"] = frame["y"].astype(float).fillna(0).round() if whole else frame["y"].astype(float)
    path = tmp_path / f"data.csv{suffix}"
    frame.to_csv(path, sep=separator, decimal=decimal, date_format=form, index=False, lineterminator=ends, na_rep="?")
    plain, table, streamed = both_ways(path, monkeypatch)
    assert streamed
    assert (table.separator, table.decimal, table.encoding) == (plain.separator, plain.decimal, plain.encoding)
    found, ours = find_roles(plain.frame, target="y"), find_roles(table.frame, target="y")
    assert found == dataclasses.replace(ours, date_order=found.date_order)
    options = {"time": "when", "series_id": "shop", "target": "y", "past": "k"}
    want, _ = read_panel(found.select(plain.frame), **options)
    got, _ = read_panel(ours.select(table.frame), **options)
    assert (got.grid, got.ids, got.ids) == (want.grid, want.ids, ("süd", "nord"))
    np.testing.assert_allclose(got.target, want.target, rtol=1e-14)
    np.testing.assert_array_equal(got.past, want.past)


@pytest.mark.parametrize(
    ("text", "streamed"),
    [
        ("t,y\n" + "2024-01-01,1\n" * 20000 + "2024-01-01,1.5\n", True),
        ("t,y\n" + "2024-01-01,1\n" * 20000 + "2024-1-2,1\n", True),
        ("t,y\n" + "2024-01-01,1\n" * 20000 + "2024-01-01,x\n", False),
        ("t,y\n" + "2024-01-01,1\n" * 20000 + "2024-01-01,+1\n", True),
        ("t,y\n" + "2024-01-01,1\n" * 20000 + '"2024-01-02\n",2\n', True),
        ("t,y\n" + "2024-01-01,True\n" * 200, False),
        ("t,y\n" + "2024-01-01,\n" * 20000, True),
    ],
)
def test_what_shows_late_is_read_as_by_pandas(tmp_path, monkeypatch, text, streamed):
    plain, table, read = both_ways(write(tmp_path / "data.csv", text), monkeypatch)
    assert read is streamed
    pd.testing.assert_series_equal(parse_times(table.frame["t"]), parse_times(plain.frame["t"]))
    pd.testing.assert_series_equal(table.frame["y"], plain.frame["y"], check_dtype=False)


@pytest.mark.parametrize("text", ["t,y,\n2024-01-01,1,\n", "\nt,y\n2024-01-01,1\n", 't,y\n"a\nb",1\n'])
def test_odd_heads_are_left_to_pandas(tmp_path, monkeypatch, text):
    path = write(tmp_path / "data.csv", text)
    plain = read_table(path).frame
    monkeypatch.setattr(files, "LARGE", 0)
    monkeypatch.setattr(files, "stream_text", None)
    pd.testing.assert_frame_equal(read_table(path).frame, plain)


def test_cells_that_are_wrong_are_named_by_their_rows_in_large_files_too(tmp_path, monkeypatch):
    rows = [f"{day:%d.%m.%Y},1" for day in DAYS]
    text = "t,y\n" + "\n".join(rows * 100 + ["32.01.2024,1"]) + "\n"
    _, table, _ = both_ways(write(tmp_path / "data.csv", text), monkeypatch)
    assert "got '32.01.2024' in row 6001." in refused(find_roles, table.frame, time="t")


def test_parquet_that_is_not_plain_is_read_by_pandas(tmp_path):
    zone = pd.DataFrame({"t": DAYS.tz_localize("UTC"), "y": 1.0, "b": True, "shop": pd.Categorical(["a"] * 60)})
    zone.to_parquet(tmp_path / "data.parquet")
    pd.testing.assert_frame_equal(read_table(tmp_path / "data.parquet").frame, zone)


def test_parquet_text_is_coded_and_numbers_with_gaps_are_numbers(tmp_path):
    frame = pd.DataFrame({"shop": ["b", "a", None] * 20, "t": DAYS, "n": pd.array([1, 2, None] * 20, dtype="Int64")})
    frame.to_parquet(tmp_path / "data.parquet", row_group_size=7)
    read = read_table(tmp_path / "data.parquet").frame
    assert read["shop"].cat.categories.tolist() == ["b", "a"]
    assert read["shop"].astype(object).equals(frame["shop"].astype(object))
    np.testing.assert_array_equal(read["n"], [1, 2, np.nan] * 20)


# Encodings ------------------------------------------------------------------------------------------------------------

TEXTS = {
    "cp1252": ("Währung;Menge", "Köln;5", "Übersee;6"),
    "cp1250": ("prodejna;tržby", "Žižkov;5", "Košíře;6"),
    "cp1251": ("магазин;продажи", "Москва;5", "Тверь;6"),
    "cp1253": ("πόλη;πωλήσεις", "Αθήνα;5", "Πάτρα;6"),
    "gb18030": ("门店,销售额", "北京,5", "上海,6"),
    "cp932": ("店舗,売上", "東京,5", "大阪テニス,6"),
    "euc_kr": ("매장,매출", "서울,5", "부산,6"),
    "big5": ("門市,銷售額", "臺北,5", "高雄,6"),
    "utf-16": ("магазин;продажи", "Wien;5", "北京;6"),
    "utf-16-le": ("shop;sales", "Wien;5", "Linz;6"),
    "utf-8": ("магазин;продажи", "Wien;5", "北京;6"),
}


@pytest.mark.parametrize("encoding", TEXTS)
def test_encodings(tmp_path, encoding):
    table = read_table(write(tmp_path / "data.csv", "\n".join(TEXTS[encoding]) + "\n", encoding))
    names, *rows = (line.replace(";", ",").split(",") for line in TEXTS[encoding])
    assert list(table.frame) == names
    assert table.frame.astype(str).to_numpy().tolist() == rows
    assert table.encoding == encoding
    late = write(tmp_path / "late.csv", "a,b\n" + "x,1\n" * 40_000 + ",".join(names) + "\n", encoding)
    assert read_table(late).frame.iloc[-1].tolist() == names


def test_signs_alone_are_western(tmp_path):
    table = read_table(write(tmp_path / "data.csv", "T in °C;Preis €\n1;2\n", "cp1252"))
    assert list(table.frame) == ["T in °C", "Preis €"]


# Other formats and pipes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["parquet", "feather", "jsonl", "json", "xlsx", "ods"])
def test_other_formats(tmp_path, suffix):
    frame = pd.DataFrame({"shop": ["007", "NA", "b"] * 20, "t": DAYS, "y": np.arange(60) / 4})
    path = tmp_path / f"data.{suffix}"
    if suffix in ("xlsx", "ods"):
        pytest.importorskip("python_calamine")
        pytest.importorskip("openpyxl" if suffix == "xlsx" else "odf")
        frame.to_excel(path, index=False)
    elif suffix.startswith("json"):
        frame.to_json(path, orient="records", lines=suffix == "jsonl", date_format="iso")
    else:
        getattr(frame, f"to_{suffix}")(path)
    read = read_table(path).frame
    assert read["shop"].tolist() == frame["shop"].tolist()
    assert (pd.DatetimeIndex(parse_times(read["t"])) == DAYS).all()
    np.testing.assert_array_equal(read["y"], frame["y"])


@pytest.mark.parametrize("titles", [[], [["Sales 2024"]], [["Sales 2024"], [None], ["of", "all"]], [[None]]])
def test_titles_above_the_names_of_a_spreadsheet_are_left_out(tmp_path, titles):
    pytest.importorskip("python_calamine")
    openpyxl = pytest.importorskip("openpyxl")
    book, path = openpyxl.Workbook(), tmp_path / "data.xlsx"
    for row in [*titles, ["t", "shop", "y"], *([day.to_pydatetime(), "a", place] for place, day in enumerate(DAYS))]:
        book.active.append(row)
    book.save(path)
    table = read_table(path)
    assert list(table.frame) == ["t", "shop", "y"]
    np.testing.assert_array_equal(table.frame["y"], np.arange(60))
    assert any("above the names left out" in note for note in table.notes) == (titles != [])


def test_json_whose_names_are_times(tmp_path):
    cells = {f"{day:%Y-%m-%d}": place / 4 for place, day in enumerate(DAYS)}
    records = {day: {"y": cell, "z": 1.0} for day, cell in cells.items()}
    frame = pd.DataFrame({"y": np.arange(60) / 4, "z": 1.0}, index=DAYS)
    for content in (
        frame.to_json(date_format="iso"),
        frame.set_axis(1000 * DAYS.asi8 // (10**9 if DAYS.unit == "ns" else 10**6)).to_json(),
        frame.to_json(orient="index", date_format="iso"),
        frame.rename_axis("time").reset_index().to_json(orient="table", index=False),
        json.dumps({"Meta Data": {"Interval": "daily"}, "Time Series": records}),
        json.dumps(
            {"y": [[1000 * int(day.timestamp()), cell] for day, cell in zip(DAYS, cells.values(), strict=True)]}
        ),
    ):
        read = read_table(write(tmp_path / "a.json", content)).frame
        assert (pd.DatetimeIndex(parse_times(read["time"])).tz_localize(None) == DAYS).all()
        np.testing.assert_array_equal(read.iloc[:, 1], np.arange(60) / 4)


def test_sheets_of_a_spreadsheet(tmp_path):
    """A sheet of text is passed over, sheets that continue each other are joined, and a total is left out."""
    pytest.importorskip("python_calamine")
    pytest.importorskip("openpyxl")
    path, frame = tmp_path / "data.xlsx", pd.DataFrame({"t": DAYS, "y": np.arange(60)})
    total = pd.DataFrame({"t": [*DAYS.strftime("%b %d, %Y"), "Total"], "y": [*range(60), 1770]})
    for sheets, note in (
        ({"Info": pd.DataFrame({"Read me": ["a", "b"]}), "Data": frame}, "sheet 'Data' is read, not 'Info'"),
        ({"2023": frame[:30], "2024": frame[30:]}, "2 sheets with the same columns joined"),
        ({"A": frame, "B": frame}, "sheet 'A' is read, not 'B'"),
        ({"A": total}, "1 row of totals left out"),
    ):
        with pd.ExcelWriter(path) as book:
            for name, sheet in sheets.items():
                sheet.to_excel(book, sheet_name=name, index=False)
        table = read_table(path)
        assert table.notes == (note,)
        assert (pd.DatetimeIndex(parse_times(table.frame["t"])) == DAYS).all()
        assert table.frame["y"].tolist() == list(range(60))


@pytest.mark.parametrize("suffix", ["parquet", "feather"])
def test_decimals_of_databases_are_numbers(tmp_path, suffix):
    frame = pd.DataFrame({"t": DAYS, "y": [Decimal(f"{number}.50") for number in range(59)] + [None]})
    getattr(frame, f"to_{suffix}")(tmp_path / f"data.{suffix}")
    np.testing.assert_array_equal(read_table(tmp_path / f"data.{suffix}").frame["y"], [*(np.arange(59) + 0.5), np.nan])


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.jsonl", '{"a": 1}\n{"a": \n', "JSON must be an array of records, or one record in each line"),
        ("a.json", '[{"a": 1}, 3]', "records must have values by the names of columns, got 3"),
        ("a.xlsx", "no such format", "the file must be readable"),
        ("a.feather", "no such format", "the file must be readable"),
    ],
)
def test_damaged_files_of_other_formats_are_refused(tmp_path, name, text, says):
    assert says in refused(read_table, write(tmp_path / name, text))


@pytest.mark.parametrize("packed", [False, True])
def test_a_pipe_is_read_once_and_whole(tmp_path, packed):
    frame = pd.DataFrame(
        {"t": pd.date_range("2020-01-01", periods=12_000, freq="h").astype(str), "y": np.arange(12_000)}
    )
    text = frame.to_csv(index=False).encode()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(gzip.compress(text) if packed else text))
    writer.start()
    read = read_table(pipe).frame
    writer.join()
    pd.testing.assert_frame_equal(read, frame)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    separator=st.sampled_from([",", ";"]),
    head=st.sampled_from(["7", "7.5", "0.125", "999", "NA", "1.234"]),
    late=st.sampled_from(["8", "8.5", "1.000", "007", "+3", "1e5", "NA", "", "*", "1,5", "9" * 20, "5 %"]),
    name=st.sampled_from(["7", "a", "12"]),
    late_name=st.sampled_from(["8", "b", "007", "NA", "1.10"]),
)
def test_blocks_give_the_cells_of_the_whole(tmp_path, monkeypatch, separator, head, late, name, late_name):
    late = f'"{late}"' if separator in late else late
    rows = [(name, "2024-01-01", head)] * 400 + [(late_name, "2024-01-02", late), (name, "2024-01-03", head)]
    text = "\n".join(map(separator.join, [("shop", "t", "y"), *rows])) + "\n"
    path = write(tmp_path / "data.csv", text)
    try:
        plain, table, _ = both_ways(path, monkeypatch, sniffed=1 << 12)
    except InputError:  # two decimal signs: refused in blocks as well
        monkeypatch.setattr(files, "LARGE", 0)
        refused(read_table, path)
        monkeypatch.undo()
        return
    assert plain.decimal == table.decimal
    for column in ("shop", "y"):
        numeric = pd.api.types.is_numeric_dtype(plain.frame[column])
        assert pd.api.types.is_numeric_dtype(table.frame[column]) == numeric
        kind = "float64" if numeric else object
        want, got = (frame[column].astype(kind) for frame in (plain.frame, table.frame))
        assert got.fillna(-1).tolist() == want.fillna(-1).tolist()
