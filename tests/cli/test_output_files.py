"""Files that commands write."""

import json
import os

import pandas as pd
import pytest
from conftest import AIR

from forecastkit.cli import output_files
from forecastkit.utils.exceptions import InputError


def test_a_file_stays_whole_when_writing_fails(home, monkeypatch):
    (home / "old.csv").write_text("old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(InputError, match="No space left on device"):
        output_files.write_csv(pd.DataFrame({"a": [1]}), home / "old.csv")
    assert os.listdir(home) == ["old.csv"]
    assert (home / "old.csv").read_text() == "old"


def test_outputs_replace_files_only_when_told(run, air):
    run("predict", air[0], "--out", "f.csv")
    assert "Pass --overwrite" in run("predict", air[0], "--out", "f.csv", code=1).err
    run("predict", air[0], "--out", "f.csv", "--overwrite")


def test_data_sets_are_listed_and_copied(run):
    assert "airpassengers" in run("datasets").out
    assert len(json.loads(run("datasets", "--json").out)["datasets"]) == 6
    run("datasets", "airpassengers", "--out", "air.csv")
    with open("air.csv", "rb") as copy, open(AIR, "rb") as original:
        assert copy.read() == original.read()
    assert "got none" in run("datasets", "--out", "x.csv", code=2).err
