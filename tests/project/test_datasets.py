import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from forecastkit.datasets import dataset_path, list_datasets, load_dataset
from forecastkit.utils.exceptions import InputError

EVERY = pytest.mark.parametrize("dataset", list_datasets(), ids=lambda dataset: dataset.name)
ROOT = Path(__file__).parents[2]


@EVERY
def test_the_entry_tells_the_truth(dataset):
    frame = load_dataset(dataset.name).reset_index()
    assert len(frame) == dataset.rows
    assert pd.api.types.is_datetime64_any_dtype(frame[dataset.time])
    assert pd.api.types.is_numeric_dtype(frame[dataset.target])
    assert not frame.isna().any(axis=None)
    keys = [dataset.series_id or "series", dataset.time]
    frame = frame.assign(series="only")
    assert frame[keys[0]].nunique() == dataset.series
    assert not frame.duplicated(keys).any()
    grid = pd.date_range(frame[dataset.time].min(), frame[dataset.time].max(), freq=dataset.freq)
    assert frame[dataset.time].isin(grid).all()
    assert len(grid) * dataset.series < 1.01 * len(frame)


@EVERY
def test_the_readme_names_file_rows_and_checksum(dataset):
    readme = (dataset_path(dataset.name).parent / "README.md").read_text(encoding="utf-8")
    assert f"| `{dataset.name}` | `{dataset.file}` | {dataset.rows:,} | {dataset.series} |" in readme
    digest = hashlib.sha256(dataset_path(dataset.name).read_bytes()).hexdigest()
    assert re.search(rf"^{digest}  {re.escape(dataset.file)}$", readme, re.MULTILINE)


def test_a_single_series_keeps_the_name_of_its_time_column():
    frame = load_dataset("airpassengers")
    assert isinstance(frame.index, pd.DatetimeIndex)
    assert frame.index.name == "Month"
    assert list(frame) == ["Passengers"]


def test_times_before_1800_are_read():
    assert load_dataset("sunspots").index[0] == pd.Timestamp("1749-01-01")


def test_the_panel_is_long_and_its_total_is_the_sum():
    frame = load_dataset("bike_daily_panel")
    assert list(frame) == ["unique_id", "time", "y", "rider"]
    wide = frame.pivot(index="time", columns="unique_id", values="y")
    assert (wide["casual"] + wide["registered"] == wide["total"]).all()
    assert wide["total"].sum() == load_dataset("bike_sharing")["cnt"].sum()
    assert (frame.groupby("unique_id")["rider"].nunique() == 1).all()


@pytest.mark.parametrize("function", [load_dataset, dataset_path])
def test_an_unknown_name_is_refused_with_the_nearest(function):
    with pytest.raises(
        InputError, match=r"the data set must exist, got 'airpasengers'\. Did you mean 'airpassengers'\?"
    ):
        function("airpasengers")


def test_every_file_is_listed():
    assert {path.name for path in (ROOT / "datasets").glob("*.csv*")} == {dataset.file for dataset in list_datasets()}


def test_files_are_found_from_an_installed_package(tmp_path):
    package = tmp_path / "forecastkit"
    (package / "_datasets").mkdir(parents=True)
    (package / "__init__.py").touch()
    shutil.copytree(ROOT / "forecastkit" / "utils", package / "utils", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "forecastkit" / "datasets.py", package)
    for path in [ROOT / "datasets" / "__init__.py", ROOT / "datasets" / "AirPassengers.csv"]:
        (package / "_datasets" / path.name).write_bytes(path.read_bytes())
    code = (
        "from forecastkit.datasets import *; name = 'airpassengers'; print(len(load_dataset(name)), dataset_path(name))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["144", str(package / "_datasets" / "AirPassengers.csv")]
