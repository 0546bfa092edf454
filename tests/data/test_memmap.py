"""Memory-mapped data give the same forecasters as data in memory."""

import errno
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROLES, SMALL, in_rotation, make_panel
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

import forecastkit as fk
from forecastkit.data.ingest.read_panel import read_panel
from forecastkit.data.memmap import build
from forecastkit.utils import arrays

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Four series with gaps and covariates of all roles, in float32, as it is mapped."""
    panel = make_panel(300, series=("b", "a", "d", "c"))
    numbers = panel.select_dtypes("number").columns
    return panel.astype(dict.fromkeys(numbers, "float32"))


@pytest.fixture
def write(tmp_path):
    """Writes frames as the Parquet files of a folder and maps it."""

    def call(*frames, **roles):
        data = tmp_path / "data"
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir()
        for number, one in enumerate(frames):
            one.to_parquet(data / f"part{number}.parquet", index=False)
        return fk.map_parquet(data, tmp_path / "map", **roles)

    return call


@pytest.fixture
def in_files(monkeypatch):
    """Store arrays derived from mapped data in files, whatever their size."""
    monkeypatch.setattr(arrays, "MIN_MAPPED", 1)


def assert_same_panel(got, expected):
    assert (got.grid, got.ids) == (expected.grid, expected.ids)
    for name in ("start", "indptr", "target", "past", "known", "static"):
        np.testing.assert_array_equal(getattr(got, name), getattr(expected, name), err_msg=name)
        assert getattr(got, name).dtype == getattr(expected, name).dtype, name


# ---------------------------------------------------------------------------------------------- the rows


@given(seed=st.integers(0, 99), batch=st.sampled_from([7, 60, 400]), cuts=st.lists(st.integers(0, 900), max_size=3))
@settings(max_examples=8, deadline=None)
def test_rows_in_any_order_give_the_same_panel_as_in_memory(frame, tmp_path_factory, seed, batch, cuts):
    folder = tmp_path_factory.mktemp("mapped")
    mixed = frame.sample(frac=1, random_state=seed)
    cuts = [0, *sorted(cuts), len(mixed)]
    for number in range(len(cuts) - 1):
        mixed.iloc[cuts[number] : cuts[number + 1]].to_parquet(folder / f"{number}.parquet", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "BATCH", batch)
        mapped = fk.map_parquet(folder, folder / "map", freq="h", **ROLES)
    panel, schema = read_panel(mixed, freq="h", **ROLES)
    assert_same_panel(mapped.panel, panel)
    assert mapped.schema == schema


FRAMES = {
    "float64": lambda f: f.astype({"load": "float64"}).assign(load=lambda f: f["load"] + 1e9),
    "whole numbers": lambda f: f.fillna({"load": 0}).astype({"load": "int32"}),
    "numbers as names": lambda f: f.assign(unique_id=f["unique_id"].map({"a": 7, "b": 3, "c": 12, "d": 1})),
    "steps without times": lambda f: f.assign(ds=f.groupby("unique_id").cumcount() * 2 + 4),
    "two targets": lambda f: f.rename(columns={"temp": "load2"}),
    "one series": lambda f: f[f["unique_id"] == "a"].drop(columns="unique_id"),
    "a zone": lambda f: f.assign(ds=f["ds"].dt.tz_localize("Europe/Berlin").dt.as_unit("us")),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_kinds_of_columns_are_as_in_memory(kind, frame, write):
    given = FRAMES[kind](frame)
    roles = {"target": ["load", "load2"]} if kind == "two targets" else {"target": "load", "known": "temp"}
    roles |= {"time": "ds", "past": "wind", "static": "size"}
    mapped = write(given.iloc[:500], given.iloc[500:], **roles)
    panel, schema = read_panel(given, **roles)
    assert_same_panel(mapped.panel, panel)
    assert mapped.schema == schema


# ---------------------------------------------------------------------------------------------- the fit


WAYS = ["plain", "effects", "sqrt", "distribution", "mixing"]


@pytest.mark.parametrize("how", in_rotation(WAYS, {*WAYS} - {"plain"}))
def test_networks_learn_what_they_learn_from_memory(how, frame, write, in_files):
    frame = frame.assign(load=frame["load"].abs())
    sizes, roles, kind = dict(SMALL), dict(ROLES), fk.GRUForecaster
    more = {
        "plain": {},
        "effects": {"fourier": 2, "calendar": True},
        "sqrt": {"target_transform": "sqrt"},
        "distribution": {"loss": "log_normal"},
        "mixing": {},
    }[how]
    if how == "mixing":
        kind, roles = fk.InvertedTransformerForecaster, {"target": ["load", "temp"], "past": "wind", "static": "size"}
    from_files = kind(**sizes, **more).fit(write(frame.iloc[::2], frame.iloc[1::2], freq="h", **roles))
    mixed = pd.concat([frame.iloc[::2], frame.iloc[1::2]])
    from_memory = kind(**sizes, **more, **roles, freq="h").fit(mixed)
    assert from_files.scores_ == from_memory.scores_
    other = make_panel(200, series=("x", "y")).assign(load=lambda f: f["load"].abs())
    ahead = from_memory.future_frame(history=other).fillna({"temp": 0.5}).assign(size=1.0)
    pd.testing.assert_frame_equal(
        from_files.forecast(ahead, history=other), from_memory.forecast(ahead, history=other), rtol=0, atol=0
    )


def test_other_forecasters_take_mapped_data_too(frame, write):
    mapped = write(frame, **ROLES)
    for model in (
        fk.LinearForecaster(horizon=6, lookback=24),
        fk.SeasonalNaiveForecaster(horizon=6),
        fk.EnsembleForecaster(forecasters=[fk.LinearForecaster(), fk.NaiveForecaster()], horizon=6, lookback=24),
    ):
        from_memory = type(model)(**{**model.get_params(deep=False), **ROLES})
        assert model.fit(mapped).scores_ == from_memory.fit(frame).scores_
        tests = (fk.backtest(clone(one), X, n_windows=2) for one, X in ((model, mapped), (from_memory, frame)))
        pd.testing.assert_frame_equal(*(test.forecasts for test in tests))


def test_roles_may_be_repeated(frame, write):
    model = fk.SeasonalNaiveForecaster(horizon=6, target="load", known=["temp"], time="ds", series_id="unique_id")
    assert model.fit(write(frame, **ROLES)).horizon_ == 6


def test_no_files_remain_and_the_source_can_be_deleted(frame, write, tmp_path, in_files):
    mapped = write(frame, **ROLES)
    files = sorted(path.name for path in mapped.path.iterdir())
    names = ["indptr.npy", "known.npy", "manifest.json", "past.npy", "start.npy", "static.npy", "target.npy"]
    assert files == names
    model = fk.LinearForecaster(horizon=6, lookback=24).fit(mapped)
    assert sorted(path.name for path in mapped.path.iterdir()) == names
    ahead = model.future_frame().assign(temp=0.5, size=1.0)
    shutil.rmtree(mapped.path)
    again = pickle.loads(pickle.dumps(model))
    pd.testing.assert_frame_equal(again.forecast(ahead), model.forecast(ahead))
    assert model.history_.rows == 4 * (24 + 6)  # a window, and the steps after it that are learned from


def test_a_pickle_opens_the_folder_again(frame, write):
    mapped = write(frame, **ROLES)
    data = pickle.dumps(mapped)
    assert len(data) < 1000
    assert_same_panel(pickle.loads(data).panel, mapped.panel)
    assert repr(mapped).endswith("rows of 4 series, hourly)")
    with pytest.raises(ValueError, match="read-only"):
        mapped.panel.target[0] = 1


# ---------------------------------------------------------------------------------------------- memory

LIMITED = """
import os, resource, sys
from pathlib import Path
import numpy as np, pandas as pd
import forecastkit as fk
from forecastkit.baselines import ridge
from forecastkit.uncertainty import validation

# What is as large whatever the data, made smaller.
validation.MAX_STEPS = ridge.MAX_WINDOWS = 20_000
folder, series, megabytes = Path(sys.argv[1]), 20, 96
model = fk.GRUForecaster(
    horizon=24, lookback=96, units=8, epochs=1, windows_per_epoch=2048, season_length=24, random_state=0
)

def mapped(name, rows):
    (folder / name).mkdir()
    for number in range(series):
        y = 10 + np.sin(np.arange(rows) * np.pi / 12) + np.random.default_rng(number).normal(0, 0.3, rows)
        ds = pd.date_range("2000-01-01", periods=rows, freq="h")
        frame = pd.DataFrame({"unique_id": f"s{number}", "ds": ds, "y": y.astype("float32")})
        frame.to_parquet(folder / name / f"{number}.parquet", index=False, row_group_size=100_000)
    return lambda: fk.map_parquet(folder / name, folder / f"{name}.map")

def allocated():
    line = next(line for line in open("/proc/self/status") if line.startswith("VmData"))
    return int(line.split()[1]) * 1024

small, large = mapped("small", 400), mapped("large", megabytes * 1_000_000 // 4 // series)
model.fit(small()).forecast()  # imports, threads and compiled steps are there
limit = allocated() + 80_000_000  # a fit takes some 60 MB, whatever the data
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
print(np.isfinite(model.fit(large()).forecast()["forecast"]).sum())
try:
    np.ones(megabytes * 1_000_000 // 4, dtype="float32")
except MemoryError:
    print("no room for the targets alone")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to RLIMIT_DATA")
@pytest.mark.rotated
def test_data_larger_than_memory_train_a_network(tmp_path):
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)], capture_output=True, text=True, env=env, timeout=500
    )
    assert run.stdout.splitlines() == ["480", "no room for the targets alone"], run.stderr[-3000:]


# ---------------------------------------------------------------------------------------------- accidents


def test_an_interruption_leaves_nothing(frame, write, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(build, "write_manifest", stop)
        with pytest.raises(KeyboardInterrupt):
            write(frame, **ROLES)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    assert write(frame, **ROLES).panel.channels == 1


KILLED = """
import os, signal, sys
import forecastkit as fk
from forecastkit.data.memmap import build

build._take_static = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # in the midst of the second pass
fk.map_parquet(sys.argv[1], sys.argv[2], target="load", known="temp", past="wind", static="size")
"""


def test_a_killed_run_leaves_no_folder_that_opens(frame, tmp_path):
    frame.to_parquet(tmp_path / "data.parquet", index=False)
    arguments = [str(tmp_path / "data.parquet"), str(tmp_path / "map")]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run([sys.executable, "-c", KILLED, *arguments], env=env, timeout=300)
    assert run.returncode == -signal.SIGKILL
    (half,) = [path for path in tmp_path.iterdir() if path.suffix == ".tmp"]
    for path in (tmp_path / "map", half):
        with pytest.raises(fk.InputError, match="must be a complete folder written by map_parquet"):
            fk.open_mapped(path)
    assert_same_panel(fk.map_parquet(*arguments, **ROLES).panel, read_panel(frame, **ROLES)[0])


def test_a_full_disk_is_one_sentence(frame, write, tmp_path, monkeypatch, in_files):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(build, "reserve", full)
        with pytest.raises(fk.InputError, match="must be writable, on a disk with room, got No space left"):
            write(frame, **ROLES)
    assert not (tmp_path / "map").exists()
    mapped = write(frame, **ROLES)
    monkeypatch.setattr(arrays, "reserve", full)
    with pytest.raises(fk.InputError, match=r"fit: the folder of mapped data, .* must have room .* got No space left"):
        fk.LinearForecaster(horizon=6, lookback=24).fit(mapped)


def cut_short(path):
    data = (path / "target.npy").read_bytes()
    (path / "target.npy").write_bytes(data[:-100])


def change(path, **values):
    manifest = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps({**manifest, **values}))


DAMAGED = {
    "cut short": (cut_short, "complete folder"),
    "a file lacks": (lambda path: (path / "known.npy").unlink(), "complete folder"),
    "a series lacks": (lambda path: change(path, ids=["a"]), "its files do not belong together"),
    "no manifest": (lambda path: (path / "manifest.json").unlink(), "complete folder"),
    "foreign": (lambda path: change(path, kind="other"), "complete folder"),
    "later": (lambda path: change(path, format=99), "must be of format 1 or older, got format 99"),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_damaged_folders_are_refused(kind, frame, write):
    damage, sentence = DAMAGED[kind]
    path = write(frame, **ROLES).path
    damage(path)
    with pytest.raises(fk.InputError, match=sentence):
        fk.open_mapped(path)


# ---------------------------------------------------------------------------------------------- refusals

BAD = {
    "text as covariate": (lambda f: f.assign(temp="mild"), "mapped covariates must be numbers, got classes in 'temp'"),
    "text as times": (lambda f: f.assign(ds=f["ds"].astype(str)), "times must be stored as times or whole numbers"),
    "text as target": (lambda f: f.assign(load="much"), "the target 'load' must be numeric"),
    "infinite": (lambda f: f.assign(wind=np.inf), "the covariate 'wind' must be finite"),
    "no times": (lambda f: f.drop(columns="ds"), "the column of times must be known"),
    "a column lacks": (lambda f: f.drop(columns="temp"), "a column named in known= must exist"),
    "static that changes": (lambda f: f.assign(size=np.arange(len(f))), "must not change within a series"),
    "no rows": (lambda f: f.iloc[:0], "there must be rows"),
    "sparse": (lambda f: f.iloc[:2].assign(ds=pd.to_datetime(["2000-01-01", "2024-01-01"])), "at least a fiftieth"),
    "fractions as names": (lambda f: f.assign(unique_id=f["size"] / 2), "series must be named by text or whole"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_data_are_refused(kind, frame, write, tmp_path):
    spoil, sentence = BAD[kind]
    with pytest.raises(fk.InputError, match=sentence):
        write(spoil(frame), freq="h", **ROLES)
    assert not (tmp_path / "map").exists()


@pytest.mark.parametrize("batch", [50, 10_000])
def test_duplicates_are_refused_in_one_batch_and_in_several(batch, frame, write, monkeypatch):
    monkeypatch.setattr(build, "BATCH", batch)
    with pytest.raises(fk.InputError, match=r"each .series, time. must be one row, got 1 duplicate: 'b' at 2024-01-01"):
        write(frame, frame.iloc[5:6], **ROLES)


def test_static_covariates_that_change_between_batches_are_refused(frame, write, monkeypatch):
    monkeypatch.setattr(build, "BATCH", 50)
    late = frame.assign(size=np.where(frame.index < 100, frame["size"], frame["size"] + 1))
    with pytest.raises(fk.InputError, match=r"static columns size must not change within a series, got changes in 'b'"):
        write(late, **ROLES)


def test_invalid_paths_are_refused(frame, write, tmp_path):
    mapped = write(frame, **ROLES)
    with pytest.raises(fk.InputError, match="the path must not exist"):
        fk.map_parquet(tmp_path / "data", mapped.path, **ROLES)
    with pytest.raises(fk.InputError, match="must be writable, on a disk with room, got No such file or directory"):
        fk.map_parquet(tmp_path / "data", tmp_path / "none" / "map", **ROLES)
    frame.to_csv(tmp_path / "a.csv")
    with pytest.raises(fk.InputError, match=r"files must end in \.parquet or \.pq, got 'a.csv'"):
        fk.map_parquet(tmp_path / "a.csv", tmp_path / "other", **ROLES)
    (tmp_path / "bad.parquet").write_bytes(b"PAR1")
    for source in ("bad.parquet", "none.parquet"):
        with pytest.raises(fk.InputError, match="the files must be readable"):
            fk.map_parquet(tmp_path / source, tmp_path / "other", **ROLES)


CALLS = {
    "a y": (lambda model, mapped: model.fit(mapped, [1.0]), "mapped data include their target"),
    "weights": (lambda model, mapped: model.fit(mapped, sample_weight=[1.0]), "mapped data have no weights"),
    "history": (lambda model, mapped: model.fit(mapped).predict(history=mapped), "mapped data are for fit"),
    "newer rows": (lambda model, mapped: model.fit(mapped).update(mapped), "mapped data are for fit"),
    "another role": (
        lambda model, mapped: model.set_params(past="temp").fit(mapped),
        "past= is chosen in map_parquet where data are mapped, got 'temp'. Leave it out here.",
    ),
    "a frequency": (lambda model, mapped: model.set_params(freq="D").fit(mapped), "freq= is chosen in map_parquet"),
}


@pytest.mark.parametrize("kind", CALLS)
def test_what_mapped_data_cannot_do_is_refused(kind, frame, write):
    call, sentence = CALLS[kind]
    with pytest.raises(fk.InputError, match=sentence):
        call(fk.SeasonalNaiveForecaster(horizon=6), write(frame, **ROLES))
