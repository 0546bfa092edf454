"""Files with one series a row or line: .tsf of the Monash archive, JSON lines of GluonTS, lists in Parquet."""

import json

import numpy as np
import pandas as pd
import pytest

from forecastkit.data.files.packed_series import stamps
from forecastkit.data.files.read_table import read_table
from forecastkit.utils.exceptions import InputError

HEAD = ("# Monash", "@relation tourism", "@attribute series_name string", "@attribute start_timestamp date")


def tsf(*rows, head=HEAD, freq="monthly"):
    return "\n".join([*head, f"@frequency {freq}", "@missing true", "@equallength false", "@data", *rows]) + "\n"


def read(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_table(path)


def test_a_tsf_file_has_one_row_for_each_value(tmp_path):
    text = tsf("T1:1979-01-01 00-00-00:1.5,?,3", "T2:1980-11-01 00-00-00:7,8,9")
    table = read(tmp_path, "a.tsf", text)
    expected = pd.DataFrame(
        {
            "time": pd.to_datetime(
                ["1979-01-01", "1979-02-01", "1979-03-01", "1980-11-01", "1980-12-01", "1981-01-01"]
            ),
            "series_name": ["T1"] * 3 + ["T2"] * 3,
            "value": [1.5, np.nan, 3.0, 7.0, 8.0, 9.0],
        }
    )
    pd.testing.assert_frame_equal(table.frame, expected, check_dtype=False)
    assert "'value' unpacked from 2 series" in table.notes


def test_series_of_a_tsf_file_without_starts_are_counted(tmp_path):
    table = read(tmp_path, "a.tsf", tsf("T1:1,2,3", "T2:4,5", head=HEAD[:3], freq="yearly"))
    assert table.frame["time"].tolist() == [0, 1, 2, 0, 1]
    assert table.frame["value"].tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("@relation x\n@attribute series_name string\n", "must have '@data' and series below it"),
        (tsf("T1:1,2"), "each series must have the 2 attributes of the header, got 1 in series 1"),
        (tsf("T1:soon:1,2"), "the start of a series must be a time, got 'soon'"),
        (tsf("T1:1979-01-01:1,2", freq="lunar"), "a frequency must be one of pandas, got 'lunar'"),
    ],
)
def test_a_damaged_tsf_file_is_refused(tmp_path, text, says):
    with pytest.raises(InputError, match=says):
        read(tmp_path, "a.tsf", text)


@pytest.mark.parametrize(
    ("freq", "second"),
    [
        ("half_hourly", "2024-01-31 00:30"),
        ("10_minutes", "2024-01-31 00:10"),
        ("4_seconds", "2024-01-31 00:00:04"),
        ("minutely", "2024-01-31 00:01"),
        ("H", "2024-01-31 01:00"),
        ("15T", "2024-01-31 00:15"),
        ("2D", "2024-02-02"),
        ("W", "2024-02-07"),
        ("W-SUN", "2024-02-07"),
        ("B", "2024-02-01"),
        ("M", "2024-02-29"),
        ("QS-OCT", "2024-04-30"),
        ("yearly", "2025-01-31"),
    ],
)
def test_frequencies_by_their_names(freq, second):
    assert stamps("data", "2024-01-31 00:00:00", freq, 2)[-1] == pd.Timestamp(second)


def records(**more):
    return [{"start": "2020-01-01", "target": [1, 2, "NaN"], **more}, {"start": "2020-01-03", "target": [4, 5], **more}]


def as_lines(given):
    return "\n".join(map(json.dumps, given))


def test_lines_of_series_have_one_row_for_each_value(tmp_path):
    table = read(tmp_path, "a.jsonl", as_lines(records(freq="D", feat_static_cat=[3, 1])))
    frame = table.frame
    assert frame["time"].tolist() == list(
        pd.to_datetime(["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-03", "2020-01-04"])
    )
    assert frame["series"].tolist() == [1, 1, 1, 2, 2]
    np.testing.assert_array_equal(frame["value"], [1, 2, np.nan, 4, 5])
    assert frame["feat_static_cat_2"].tolist() == [1] * 5


def test_features_that_extend_beyond_the_target_are_cut_and_said(tmp_path):
    given = records(freq="D")
    given[0]["feat_dynamic_real"] = [[1, 2, 3, 4], [5, 6, 7, 8]]
    given[1]["feat_dynamic_real"] = [[1, 2, 3, 4], [5, 6, 7, 8]]
    table = read(tmp_path, "a.jsonl", as_lines(given))
    assert table.frame["feat_dynamic_real_2"].tolist() == [5, 6, 7, 5, 6]
    assert "values of 'feat_dynamic_real_1' after the last target left out" in table.notes


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (records(), "series that begin at a time must have a frequency, got 'start' and no 'freq'"),
        (
            records(freq="D", price=[1, 2]),
            "lists of a row must have equal lengths, got 3 of 'target' and 2 of 'price' in row 1",
        ),
        ([*records(freq="D"), {"start": "2020-01-01", "freq": "D", "target": 3}], "lists in all rows or in none"),
        (records(freq="D", x=[[1], 2, 3]), "lists must have plain values, got lists of lists in 'x'"),
    ],
)
def test_lines_of_series_that_are_not_clear_are_refused(tmp_path, given, says):
    with pytest.raises(InputError, match=says):
        read(tmp_path, "a.jsonl", as_lines(given))


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"tags": ["wet", "cold"]}, "lists must be the values of series, got words in 'tags'"),
        ({"place": [10.5, 47.1]}, "lists must be the values of series, got 'place' beside the times 'date'"),
    ],
)
def test_lists_that_are_no_series_are_refused(tmp_path, more, says):
    given = [{"date": f"2024-01-{day:02d}", "value": day, **more} for day in range(1, 20)]
    with pytest.raises(InputError, match=says):
        read(tmp_path, "a.json", json.dumps(given))


def test_an_answer_of_a_database_of_metrics_is_read(tmp_path):
    result = [
        {"metric": {"job": "up", "host": host}, "values": [[1700000000 + 60 * k, f"{k}.5"] for k in range(3)]}
        for host in "ab"
    ]
    for found in (result, result[:1]):
        answer = {"status": "success", "data": {"resultType": "matrix", "result": found}}
        frame = read(tmp_path, "a.json", json.dumps(answer)).frame
        assert frame["value"].tolist() == [0.5, 1.5, 2.5] * len(found)
        assert frame["time"].tolist() == [1700000000, 1700000060, 1700000120] * len(found)
        assert frame["metric.host"].unique().tolist() == ["a", "b"][: len(found)]


def test_nested_records_have_one_column_for_each_value(tmp_path):
    rows = [{"dateTime": f"2024-01-0{day}", "value": {"bpm": 60 + day, "confidence": day % 3}} for day in (1, 2, 3)]
    frame = read(tmp_path, "a.json", json.dumps(rows)).frame
    assert frame["value.bpm"].tolist() == [61, 62, 63]


@pytest.mark.parametrize("suffix", ["parquet", "feather"])
def test_lists_of_times_and_values_in_other_files(tmp_path, suffix):
    times = [pd.date_range("2024-01-01", periods=3).to_numpy(), pd.date_range("2024-05-01", periods=2).to_numpy()]
    frame = pd.DataFrame({"id": ["a", "b"], "timestamp": times, "target": [np.array([1.0, 2, 3]), np.array([4.0, 5])]})
    path = tmp_path / f"a.{suffix}"
    getattr(frame, f"to_{suffix}")(path)
    found = read_table(path).frame
    assert found["timestamp"].tolist() == [*times[0], *times[1]]
    assert found["value"].tolist() == [1, 2, 3, 4, 5]
    assert found["id"].tolist() == ["a"] * 3 + ["b"] * 2
