"""Forecasts by partitions are those of one call, whatever the cuts, the engine, and the workers that die."""

import os
import signal
import threading
from functools import cache
from itertools import pairwise
from pathlib import Path

import dask
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from conftest import ROLES, SMALL, make_panel, wave
from distributed import Client, LocalCluster
from hypothesis import given, settings
from hypothesis import strategies as st

import forecastkit as fk
from forecastkit.integrations import partitions

SERIES, FILES = 30, 5
DOOMED = "s12"


def daily(names, seed=0, rows=(12, 60)) -> pd.DataFrame:
    """Short daily series of different lengths that end at different times."""
    rng = np.random.default_rng(seed)
    parts = []
    for name in names:
        length, first = int(rng.integers(*rows)), int(rng.integers(0, 30))
        ds = pd.date_range("2024-01-01", periods=length, freq="D") + pd.Timedelta(days=first)
        scale = 10.0 ** rng.integers(0, 5)
        parts.append(pd.DataFrame({"unique_id": name, "ds": ds, "y": scale * wave(length, int(rng.integers(99)), 7)}))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two models fitted on ten series, thirty others in a folder of five Parquet files, the last without rows."""
    folder = tmp_path_factory.mktemp("partitions")
    training = daily([f"t{number}" for number in range(10)], rows=(60, 90))
    fk.GRUForecaster(**{**SMALL, "lookback": 14}).fit(training).save(folder / "gru.forecast")
    fk.LinearForecaster(horizon=6, lookback=14).fit(training).save(folder / "linear.forecast")
    data = folder / "data"
    data.mkdir()
    whole = daily([f"s{number}" for number in range(SERIES)], seed=1)
    whole.to_parquet(folder / "whole.parquet")
    for number in range(FILES):
        one = whole["unique_id"].str[1:].astype(int) % (FILES - 1) == number
        whole[one].to_parquet(data / f"part{number}.parquet", index=False)
    return folder


@pytest.fixture(scope="module")
def whole(folder):
    return pd.read_parquet(folder / "whole.parquet")


@pytest.fixture(scope="module")
def cluster(folder):
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "60s", "temporary-directory": str(folder / "scratch")}),
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client


def by_key(frame) -> pd.DataFrame:
    return frame.sort_values(["unique_id", "step"], ignore_index=True)


@cache
def one_call(path) -> pd.DataFrame:
    """What all ways through partitions must give."""
    return by_key(fk.load(path).forecast(history=pd.read_parquet(path.with_name("whole.parquet"))))


def assert_same(got, expected):
    """Same keys in full, and forecasts alike: batches of other sizes round differently."""
    pd.testing.assert_frame_equal(by_key(got), expected, rtol=1e-5, atol=0, check_index_type=False)


# ---------------------------------------------------------------------------------------------- without an engine


@pytest.mark.parametrize("model", ["gru", "linear"])
def test_partitions_together_are_one_call(folder, whole, model):
    path = folder / f"{model}.forecast"
    thirds = [whole[whole["unique_id"].isin([f"s{n}" for n in range(k, SERIES, 3)])] for k in range(3)]
    got = pd.concat([fk.forecast_partition(third.sample(frac=1, random_state=0), path) for third in thirds])
    assert_same(got, one_call(path))


@given(cuts=st.lists(st.integers(0, 900), max_size=12))
@settings(max_examples=15, deadline=None)
def test_frames_may_be_cut_anywhere(folder, whole, cuts):
    path = folder / "linear.forecast"
    cuts = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    frames = (whole.iloc[low:high] for low, high in pairwise(cuts))
    assert_same(pd.concat(list(fk.forecast_partitions(frames, path))), one_call(path))


def test_no_more_than_a_frame_is_held(folder, whole):
    asked = []

    def frames():
        for name, rows in whole.groupby("unique_id", sort=False):
            asked.append(name)
            yield rows

    forecasts = fk.forecast_partitions(frames(), folder / "linear.forecast")
    assert next(forecasts)["unique_id"].unique().tolist() == asked[:1]
    assert len(asked) == 2


def test_frames_without_any_give_none(folder):
    assert list(fk.forecast_partitions([], folder / "linear.forecast")) == []


def test_known_covariates_come_after_the_history(tmp_path, panel, future):
    path = tmp_path / "known.forecast"
    model = fk.LinearForecaster(horizon=6, lookback=24, **ROLES).fit(panel)
    model.save(path)
    other = make_panel(series=("x", "y", "z"))
    ahead = future.assign(unique_id=future["unique_id"].map(dict(zip("abc", "xyz", strict=True))))
    got = fk.forecast_partition(pd.concat([ahead, other]), path)
    expected = model.forecast(ahead, history=other)
    pd.testing.assert_frame_equal(by_key(got), by_key(expected), rtol=1e-9)


def with_ids(convert):
    frame = daily([str(number) for number in range(4)], rows=(60, 90))
    return frame.assign(unique_id=convert(frame["unique_id"]))


FRAMES = {
    "text": (with_ids(lambda ids: ids), {}, None),
    "numbers": (with_ids(lambda ids: ids.astype("int64")), {}, [0.1, 0.5]),
    "categories": (with_ids(lambda ids: ids.astype("category")), {}, ()),
    "two targets": (with_ids(lambda ids: ids).assign(z=1.0), {"target": ["y", "z"]}, None),
    "nanoseconds": (with_ids(lambda ids: ids).astype({"ds": "datetime64[ns]"}), {}, None),
    "hours in a zone": (with_ids(lambda ids: ids).assign(ds=lambda f: f["ds"].dt.tz_localize("Asia/Tokyo")), {}, None),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_an_empty_partition_is_like_the_others(kind, tmp_path):
    frame, roles, levels = FRAMES[kind]
    path = tmp_path / "m.forecast"
    fk.LinearForecaster(horizon=3, lookback=7, **roles).fit(frame).save(path)
    got = fk.forecast_partition(frame, path, quantile_levels=levels)
    for empty in (
        fk.forecast_partition(frame.iloc[:0], path, quantile_levels=levels),
        fk.partition_meta(path, quantile_levels=levels),
    ):
        assert not len(empty)
        pd.testing.assert_series_equal(empty.dtypes, got.dtypes)


def test_other_libraries_come_in_and_pandas_goes_out(folder, whole, tmp_path):
    polars = pytest.importorskip("polars")
    path = folder / "linear.forecast"
    assert_same(fk.forecast_partition(polars.from_pandas(whole), path), one_call(path))
    training = polars.from_pandas(daily(["a", "b"], rows=(60, 90)))
    fk.NaiveForecaster(horizon=6, series_id="unique_id", time="ds").fit(training).save(tmp_path / "p.forecast")
    assert isinstance(fk.forecast_partition(whole, tmp_path / "p.forecast"), pd.DataFrame)


def test_a_model_is_read_once_and_again_when_it_changed(folder, whole, tmp_path, monkeypatch):
    reads, load = [], partitions.load
    monkeypatch.setattr(partitions, "load", lambda path, **more: reads.append(path) or load(path, **more))
    path = tmp_path / "m.forecast"
    path.write_bytes((folder / "linear.forecast").read_bytes())
    calls = [threading.Thread(target=fk.forecast_partition, args=(whole, path)) for _ in range(4)]
    for call in calls:
        call.start()
    for call in calls:
        call.join()
    assert len(reads) == 1
    fk.NaiveForecaster(horizon=2).fit(whole).save(path)
    assert fk.forecast_partition(whole, path)["step"].max() == 2
    assert len(reads) == 2


# ---------------------------------------------------------------------------------------------- refusals


def blank(frame):
    return frame.assign(y=frame["y"].where(frame["unique_id"] != DOOMED))


BAD = {
    "a column lacks": (lambda f: f.drop(columns="y"), "the columns seen at fit must be present"),
    "a series without values": (blank, f"every series must have an observed target, got none in '{DOOMED}'"),
    "rows are doubled": (lambda f: pd.concat([f, f.iloc[:1]]), "duplicates"),
    "another frequency": (lambda f: f.assign(ds=f["ds"] + pd.Timedelta(hours=1)), "must lie on the grid seen at fit"),
    "ids of another kind": (
        lambda f: f.assign(unique_id=f["unique_id"].str[1:].astype(int)),
        "partition: series must be named by values of the kind seen at fit .* got int64",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_partitions_are_refused(folder, whole, kind):
    spoil, sentence = BAD[kind]
    for forecast in (
        lambda frame: fk.forecast_partition(frame, folder / "linear.forecast"),
        lambda frame: list(fk.forecast_partitions([frame], folder / "linear.forecast")),
    ):
        with pytest.raises(fk.InputError, match=sentence):
            forecast(spoil(whole))


def test_a_series_that_comes_back_is_refused(folder, whole):
    first = whole["unique_id"] == "s0"
    frames = [whole[first].iloc[:8], whole[~first], whole[first].iloc[8:]]
    with pytest.raises(fk.InputError, match="rows of a series must follow each other, got 's0' again"):
        list(fk.forecast_partitions(frames, folder / "linear.forecast"))


def test_bad_models_are_refused(whole, tmp_path):
    with pytest.raises(fk.InputError, match="the file must exist"):
        fk.forecast_partition(whole, tmp_path / "none.forecast")
    one = whole[whole["unique_id"] == "s0"]
    fk.NaiveForecaster(horizon=2).fit(one["y"].to_numpy()).save(tmp_path / "array.forecast")
    fk.NaiveForecaster(horizon=2, time="ds").fit(one[["ds"]].assign(x=1.0), one["y"]).save(tmp_path / "xy.forecast")
    fk.NaiveForecaster(horizon=2).fit(whole.set_index(["unique_id", "ds"])).save(tmp_path / "indexed.forecast")
    for name in ("array", "xy", "indexed"):
        with pytest.raises(fk.InputError, match="must be fitted on one long frame with columns of series and time"):
            fk.partition_meta(tmp_path / f"{name}.forecast")


# ---------------------------------------------------------------------------------------------- Dask


def die_once(frame, path, marker) -> pd.DataFrame:
    """As `forecast_partition`, but the first process that has done the partition of one series is killed."""
    forecast = fk.forecast_partition(frame, path)
    if DOOMED in set(forecast["unique_id"]) and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return forecast


@pytest.mark.rotated
def test_dask_gives_what_one_call_gives(cluster, folder, whole):
    path = folder / "gru.forecast"
    data = dd.read_parquet(folder / "data", aggregate_files=False, split_row_groups=False)
    assert data.npartitions == FILES
    forecasts = data.map_partitions(fk.forecast_partition, path, meta=fk.partition_meta(path))
    assert_same(forecasts.compute(), one_call(path))
    assert len({worker["pid"] for worker in cluster.run(lambda: {"pid": os.getpid()}).values()}) == 2


@pytest.mark.rotated
def test_a_shuffle_brings_series_together(cluster, folder, whole):
    path = folder / "linear.forecast"
    scattered = dd.from_pandas(whole.sample(frac=1, random_state=0), npartitions=3, sort=False)
    data = scattered.shuffle("unique_id")
    forecasts = data.map_partitions(fk.forecast_partition, path, meta=fk.partition_meta(path))
    assert_same(forecasts.compute(), one_call(path))


@pytest.mark.rotated
def test_the_partitions_of_a_killed_worker_are_done_again(cluster, folder, whole, tmp_path):
    path, marker, out = folder / "linear.forecast", tmp_path / "died", tmp_path / "forecasts"
    data = dd.read_parquet(folder / "data", aggregate_files=False, split_row_groups=False)
    forecasts = data.map_partitions(die_once, path, Path(marker), meta=fk.partition_meta(path))
    forecasts.to_parquet(out, write_index=False)
    assert marker.exists()
    assert_same(pd.read_parquet(out), one_call(path))
