"""Several files as one table, and what the command line makes of them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import wave

from forecastkit.cli import main
from forecastkit.data.files.multiple import find_paths, listed, read_several
from forecastkit.utils.exceptions import InputError

HOURS = pd.date_range("2024-01-01", periods=400, freq="h")
NORTH = pd.DataFrame({"time": HOURS, "load": wave(400)})
SOUTH = NORTH.assign(load=wave(400, 1))


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    NORTH.to_csv("north.csv", index=False)
    SOUTH.iloc[:, ::-1].to_csv("south.csv.gz", index=False, sep=";", decimal=",")
    (tmp_path / "parts").mkdir()
    both = pd.concat([NORTH.assign(site="n"), SOUTH.assign(site="s")])
    for number in range(3):
        both.iloc[number::3].to_parquet(f"parts/{number}.parquet", index=False)
    return tmp_path


def refused(function, *args):
    with pytest.raises(InputError) as caught:
        function(*args)
    return str(caught.value)


def test_paths_patterns_and_folders_name_files_once(home):
    assert find_paths(["north.csv", "*.csv*"]) == [Path("north.csv"), Path("south.csv.gz")]
    assert find_paths(listed("parts")) == [Path(f"parts/{number}.parquet") for number in range(3)]
    assert find_paths(["nothere.csv"]) == [Path("nothere.csv")]
    (home / "empty").mkdir()
    assert "empty: a folder must have tables (.csv, " in refused(find_paths, ["empty"])
    assert refused(find_paths, ["x*.csv"]) == "x*.csv: files must match the pattern, got none. Check the folder."


def test_files_that_share_times_are_series_by_their_names(home):
    table = read_several([Path("north.csv"), Path("south.csv.gz")])
    assert table.frame["file"].value_counts().to_dict() == {"north": 400, "south": 400}
    np.testing.assert_array_equal(table.frame["load"], [*NORTH["load"], *SOUTH["load"]])
    assert table.describe() == "2 files, 800 rows"


def test_files_that_go_on_are_one_series(home):
    NORTH[:200].to_csv("a.csv", index=False)
    NORTH[199:].to_csv("b.csv", index=False)  # one row twice: for duplicates=
    assert list(read_several([Path("a.csv"), Path("b.csv")]).frame) == ["time", "load"]
    assert main(["inspect", "[ab].csv"]) == 1
    assert main(["inspect", "[ab].csv", "--duplicates", "last"]) == 0


def test_parts_with_a_column_of_series_are_put_together(home, capsys):
    assert main(["inspect", "parts", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["rows"], found["series_id"], found["series"]) == (800, "site", 2)
    assert found["missing"] == 0
    assert read_several(find_paths(["parts"])).frame["site"].dtype == "category"


def test_files_of_one_name_in_two_folders_are_told_apart(home):
    (home / "x").mkdir()
    NORTH.to_csv("x/north.csv", index=False)
    table = read_several([Path("north.csv"), Path("x/north.csv")])
    assert table.frame["file"].unique().tolist() == ["north.csv", str(Path("x/north.csv"))]


def test_other_columns_are_refused_by_file_and_column(home):
    SOUTH.rename(columns={"load": "last"}).to_csv("west.csv", index=False)
    said = refused(read_several, [Path("north.csv"), Path("west.csv")])
    assert said == "west.csv: files must have the same columns as north.csv, got no 'load' and also 'last'."


def test_train_predict_and_backtest_with_several_files(home, capsys):
    quick = ["--model", "linear", "--horizon", "6", "--out", "m.forecast"]
    assert main(["train", "--csv", "north.csv", "--csv", "south.csv.gz", *quick]) == 0
    said = capsys.readouterr().out
    assert "file     2 files, 800 rows" in said
    assert "series   file: north, south      one per file" in said
    assert main(["predict", "m.forecast", "--history", "*.csv*", "--out", "f.txt"]) == 0
    assert pd.read_csv("f.txt")["file"].unique().tolist() == ["north", "south"]
    assert main(["backtest", "--csv", "*.csv*", "--model", "linear", "--horizon", "6", "--n-windows", "2"]) == 0


def test_the_clock_is_said_and_unix_times_are_those_of_utc(home, capsys):
    index = pd.date_range("2024-10-20", "2024-11-05", freq="h", tz="Europe/Berlin")
    wall = pd.DataFrame({"time": index.tz_localize(None), "load": wave(len(index))})
    wall.to_csv("wall.csv", index=False)
    wall.assign(time=index.as_unit("s").asi8).to_csv("unix.csv", index=False)
    said = []
    for name in ("wall.csv", "unix.csv"):
        assert main(["inspect", name, "--timezone", "Europe/Berlin", "--json"]) == 0
        said.append(json.loads(capsys.readouterr().out))
    for found in said:
        assert found["clock"] == {"repeated": 1, "dropped": 0, "skipped": 0}
        assert (found["first"], found["timezone"]) == ("2024-10-20 00:00", "Europe/Berlin")
    assert main(["inspect", "wall.csv", "--timezone", "Europe/Berlin"]) == 0
    assert "to 2024-11-05      clock: 1 repeated hour" in capsys.readouterr().out
    assert main(["inspect", "wall.csv"]) == 1
    assert "If clocks change, set --timezone, or --duplicates mean." in capsys.readouterr().err
