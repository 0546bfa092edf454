"""Save, load and describe: the same forecasts in a fresh process, and every bad file refused by name."""

import datetime
import hashlib
import inspect
import io
import json
import os
import pickletools
import stat
import subprocess
import sys
import zipfile

import joblib
import keras
import numpy as np
import pandas as pd
import pytest
from conftest import ROLES, SMALL, make_panel, wave
from sklearn.base import clone
from sklearn.linear_model import Ridge as SklearnRidge

import forecastkit as fk
from forecastkit.persistence.artifact import FORMAT, describe
from forecastkit.persistence.serialization import Packer, Unpacker
from forecastkit.utils.exceptions import ArtifactError, InputError, ParameterError


def outputs(model, future):
    """Points, quantiles and coverage as plain arrays."""
    rows = future if "load" in model.schema_.target else None
    asked = {"point": {}, "quantiles": {"quantile_levels": [0.1, 0.5, 0.9]}, "coverage": {"coverage": 0.8}}
    columns = {"point": 1, "quantiles": 3, "coverage": 2}
    return {
        what: np.asarray(model.predict(rows, **options))[..., -columns[what] :].astype("float64")
        for what, options in asked.items()
    }


#: What a fresh process does: load each model and keep what it forecasts.
CHILD = f"""
import sys
import numpy as np
import pandas as pd
import forecastkit as fk
from forecastkit.cli import main

{inspect.getsource(outputs)}

folder = sys.argv[1]
future = pd.read_csv(folder + "/future.csv", parse_dates=["ds"])
kept = {{}}
for name in sys.argv[2:]:
    for what, values in outputs(fk.load(f"{{folder}}/{{name}}.forecast"), future).items():
        kept[f"{{name}}-{{what}}"] = values
main(["predict", folder + "/gru.forecast", "--future", folder + "/future.csv", "--quiet"])
assert not {{"tensorflow", "keras"}} & set(sys.modules), "forecasts of saved models load TensorFlow"
np.savez(folder + "/child.npz", **kept)
"""


def test_a_fresh_process_forecasts_the_same(tmp_path, gru, hourly, panel, future):
    linear = fk.LinearForecaster(horizon=6, lookback=24, **ROLES).fit(panel)
    models = {
        "gru": gru,
        "linear": linear,
        "seasonal": fk.SeasonalNaiveForecaster(horizon=6).fit(hourly),
        "quantiles": fk.GRUForecaster(**SMALL, quantile_levels=[0.1, 0.5, 0.9]).fit(hourly),
        "both": fk.EnsembleForecaster(
            forecasters=[fk.GRUForecaster(**SMALL), fk.LinearForecaster()], horizon=6, lookback=24
        ).fit(hourly),
    }
    future.to_csv(tmp_path / "future.csv", index=False)
    for name, model in models.items():
        model.save(tmp_path / f"{name}.forecast")
    subprocess.run([sys.executable, "-c", CHILD, str(tmp_path), *models], check=True, timeout=300)
    with np.load(tmp_path / "child.npz") as kept:
        for name, model in models.items():
            for what, expected in outputs(model, future).items():
                close = {"rtol": 0, "atol": 1e-5 * np.ptp(expected)} if name != "linear" else {"rtol": 0}
                np.testing.assert_allclose(kept[f"{name}-{what}"], expected, err_msg=f"{name}, {what}", **close)


@pytest.fixture(scope="module")
def saved(tmp_path_factory, gru):
    path = tmp_path_factory.mktemp("saved") / "model.forecast"
    gru.save(path)
    return path


def members_of(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite(path, members, **options):
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def with_manifest(members, /, **changes):
    manifest = json.loads(members["manifest.json"]) | changes
    return {**members, "manifest.json": json.dumps(manifest).encode()}


def test_the_file_holds_json_and_plain_arrays(saved):
    members = members_of(saved)
    assert set(members) == {"manifest.json", "forecaster.json", "weights.npz", "calibration.npz", "history.npz"}
    for name, data in members.items():
        if name.endswith(".json"):
            json.loads(data)
            continue
        with zipfile.ZipFile(io.BytesIO(data)) as arrays:
            for inner in arrays.namelist():
                content = arrays.read(inner)
                assert content.startswith(b"\x93NUMPY")
                assert b"'|O'" not in content[:128]
                with pytest.raises(ValueError, match=r"opcode|exhausted|stack"):
                    list(pickletools.genops(content))


def test_the_same_model_gives_the_same_bytes(tmp_path, saved, gru):
    gru.save(tmp_path / "again.forecast")
    assert (tmp_path / "again.forecast").read_bytes() == saved.read_bytes()


def test_only_the_tail_of_the_history_is_kept(saved, gru, panel):
    history = fk.load(saved).history_
    observed = history.last_observed() - history.indptr[:-1] + 1
    assert observed.tolist() == [120, 120, 120]  # four seasons and one before them, for the local scale of intervals
    assert gru.history_.rows > history.rows
    assert fk.load(saved).cutoff_.equals(gru.cutoff_)


def test_known_rows_after_the_cutoff_are_kept(tmp_path):
    frame = make_panel(series=("a",)).drop(columns=["unique_id", "wind", "size"]).set_index("ds")
    frame.iloc[-6:, frame.columns.get_loc("load")] = np.nan
    model = fk.GRUForecaster(**SMALL, target="load", known="temp").fit(frame)
    model.save(tmp_path / "m.forecast")
    pd.testing.assert_frame_equal(fk.load(tmp_path / "m.forecast").predict(), model.predict())


def test_parameters_and_scores_come_back(saved, gru):
    loaded = fk.load(saved)
    assert type(loaded) is type(gru)
    assert loaded.get_params() == gru.get_params()
    assert loaded.scores_ == gru.scores_
    assert loaded.schema_ == gru.schema_
    assert clone(loaded).get_params() == gru.get_params()
    assert loaded.training_history_ == gru.training_history_


def test_a_loaded_model_goes_on(tmp_path, saved, panel, future):
    loaded = fk.load(saved)
    follow = future.assign(load=5.0, wind=0.0)
    loaded.update(follow)
    assert (loaded.cutoff_ > fk.load(saved).cutoff_).all()
    loaded.save(tmp_path / "again.forecast")
    later = loaded.future_frame().assign(temp=0.0, size=[n for n in (0.0, 1.0, 2.0) for _ in range(6)])
    pd.testing.assert_frame_equal(fk.load(tmp_path / "again.forecast").predict(later), loaded.predict(later))


def test_a_series_that_came_by_update_keeps_its_scale(tmp_path, gru, saved, panel):
    loaded = fk.load(saved)
    newcomer = make_panel(200, series=("new",))
    loaded.update(newcomer)
    loaded.save(tmp_path / "m.forecast")
    assert loaded.history_.rows == fk.load(tmp_path / "m.forecast").history_.rows


@pytest.mark.parametrize("calibrate", [False, True, "rolling"])
def test_a_model_that_learned_on_a_new_series_is_saved_again(tmp_path, calibrate):
    path, columns = tmp_path / "m.forecast", ["unique_id", "ds", "load"]
    new = make_panel(200, series=("new",))[columns]
    fk.SeasonalNaiveForecaster(horizon=4, target="load", calibrate=calibrate).fit(make_panel(200)[columns]).save(path)
    for part in (slice(0, 150), slice(150, 200)):
        model = fk.load(path)
        model.partial_fit(new.iloc[part])
        model.save(path)
    pd.testing.assert_frame_equal(fk.load(path).predict(), model.predict())


@pytest.mark.parametrize(
    "ids",
    [
        (1, 2),
        (1.5, 2.5),
        ("1", "é/\\x"),
        (True, False),
        (1, "one"),
        (pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-02", tz="Europe/Berlin")),
    ],
)
def test_series_names_keep_their_types(tmp_path, ids):
    frame = pd.concat(
        [
            pd.DataFrame(
                {
                    "who": pd.Series([name] * 60, dtype=object),
                    "ds": pd.date_range("2024-01-01", periods=60),
                    "y": wave(60),
                }
            )
            for name in ids
        ]
    )
    model = fk.NaiveForecaster(horizon=2, series_id="who", time="ds").fit(frame)
    model.save(tmp_path / "m.forecast")
    loaded = fk.load(tmp_path / "m.forecast")
    assert loaded.history_.ids == model.history_.ids
    assert [type(a) for a in loaded.history_.ids] == [type(a) for a in model.history_.ids]


def test_whole_numbers_as_column_names(tmp_path):
    frame = pd.DataFrame({0: wave(80), 7: wave(80, 1)}, index=pd.date_range("2024-01-01", periods=80))
    model = fk.LinearForecaster(horizon=3, lookback=14).fit(frame)
    model.save(tmp_path / "m.forecast")
    pd.testing.assert_frame_equal(fk.load(tmp_path / "m.forecast").predict(), model.predict())


def test_ten_thousand_series(tmp_path):
    ids = np.repeat(np.arange(10_000), 12)
    frame = pd.DataFrame(
        {
            "unique_id": ids,
            "ds": np.tile(pd.date_range("2024-01-01", periods=12), 10_000),
            "y": np.random.default_rng(0).normal(size=120_000),
        }
    )
    model = fk.LinearForecaster(horizon=2, lookback=4).fit(frame)
    model.save(tmp_path / "m.forecast")
    pd.testing.assert_frame_equal(fk.load(tmp_path / "m.forecast").predict(), model.predict())


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        3,
        2.5,
        "x",
        [1, "a"],
        (1, (2, None)),
        {"a": [1]},
        {1: "x", None: 2},
        {"$": 1},
        -np.inf,
        pd.Timestamp("2024-01-01 05:00", tz="Asia/Tokyo"),
        pd.Timestamp(1, unit="s").as_unit("s"),
        pd.Period("2024-03", freq="M"),
        datetime.date(2024, 1, 2),
        datetime.datetime(2024, 1, 2, 3),
    ],
)
def test_values_come_back_as_they_were(value):
    packer = Packer()
    packed = json.loads(json.dumps(packer.pack(value)))
    back = Unpacker(packer.arrays, {}).unpack(packed)
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize(
    "array", [np.zeros((0, 3)), np.array(2.0), np.array(["a", 1, None], dtype=object), np.arange(4)[::2]]
)
def test_arrays_come_back_as_they_were(array):
    packer = Packer()
    back = Unpacker(packer.arrays, {}).unpack(json.loads(json.dumps(packer.pack(array))))
    np.testing.assert_array_equal(back, array)
    assert back.dtype == array.dtype
    assert back.shape == array.shape


# ---------------------------------------------------------------------------------------------- one's own backbone


class Mine(fk.Backbone):
    """A backbone outside the registry."""

    def build(self):
        return Echo()


class Echo(keras.layers.Layer):
    """Reads the mean of the past."""

    def build(self, past_shape, future_shape=None):
        self.dense = keras.layers.Dense(past_shape[-1])
        self.dense.build(past_shape)

    def call(self, past, future, mask=None, training=None):
        return future + self.dense(keras.ops.mean(past, axis=1, keepdims=True))


class Pass(keras.layers.Layer):
    """Gives the future back."""

    def call(self, past, future, mask=None, training=None):
        return future


@pytest.mark.parametrize("given", [Mine(units=8), Mine, Echo], ids=["object", "class", "layer"])
def test_a_backbone_of_ones_own_is_asked_for(tmp_path, hourly, given):
    sizes = {name: value for name, value in SMALL.items() if name != "units"}
    model = fk.KerasForecaster(backbone=given, **sizes).fit(hourly)
    path = tmp_path / "m.forecast"
    model.save(path)
    name = "Echo" if given is Echo else "Mine"
    with pytest.raises(ArtifactError, match=rf"user-defined backbone, '{name}'.*Pass backbones=\{{'{name}': {name}\}}"):
        fk.load(path)
    with pytest.raises(ArtifactError, match="got only Other"):
        fk.load(path, backbones={"Other": Mine})
    with pytest.raises(ArtifactError, match="must be the class"):
        fk.load(path, backbones={name: Mine()})
    loaded = fk.load(path, backbones={name: Echo if given is Echo else Mine})
    pd.testing.assert_frame_equal(loaded.predict(), model.predict())


def test_another_class_of_the_same_name_is_refused(tmp_path, hourly):
    sizes = {name: value for name, value in SMALL.items() if name != "units"}
    fk.KerasForecaster(backbone=Mine, **sizes).fit(hourly).save(tmp_path / "m.forecast")
    other = type("Mine", (fk.Backbone,), {"build": lambda self: Pass()})
    with pytest.raises(ArtifactError, match="the backbone Mine must be the one that was trained"):
        fk.load(tmp_path / "m.forecast", backbones={"Mine": other}).partial_fit(hourly)


def test_a_registered_backbone_by_object_name_and_class():
    for given in ("gru", fk.GRU(units=3), fk.GRU):
        packer = Packer()
        packed = json.loads(json.dumps(packer.pack(fk.KerasForecaster(backbone=given))))
        back = Unpacker(packer.arrays, {}).unpack(packed).backbone
        assert type(back) is type(given)
        assert back == given or back.get_params() == given.get_params()


# ---------------------------------------------------------------------------------------------- refusals of save


def test_what_cannot_be_made_again_is_refused(tmp_path, hourly):
    model = fk.NaiveForecaster(horizon=2).fit(hourly)
    model.regressor_ = SklearnRidge()
    with pytest.raises(ParameterError, match=r"got Ridge in 'regressor_'. Save this one with joblib"):
        model.save(tmp_path / "m.forecast")
    assert list(tmp_path.iterdir()) == []
    joblib.dump(model, tmp_path / "m.joblib")
    pd.testing.assert_frame_equal(joblib.load(tmp_path / "m.joblib").predict(), model.predict())


def test_a_class_of_ones_own_is_refused(tmp_path, hourly):
    class LSTMForecaster(fk.LSTMForecaster):
        pass

    model = fk.NaiveForecaster(horizon=2).fit(hourly)
    model.__class__ = type("NaiveForecaster", (fk.NaiveForecaster,), {})
    with pytest.raises(ParameterError, match="joblib"):
        model.save(tmp_path / "m.forecast")


def test_callbacks_and_generators_are_left_out(tmp_path, hourly):
    model = fk.GRUForecaster(
        **SMALL | {"random_state": np.random.RandomState(0)}, callbacks=[keras.callbacks.TerminateOnNaN()]
    ).fit(hourly)
    model.save(tmp_path / "m.forecast")
    loaded = fk.load(tmp_path / "m.forecast")
    assert loaded.callbacks is None
    assert loaded.random_state is None
    assert model.callbacks is not None


def test_an_unfitted_forecaster_is_refused(tmp_path):
    with pytest.raises(ValueError, match="not fitted"):
        fk.NaiveForecaster().save(tmp_path / "m.forecast")


def test_an_unwritable_path_is_named(tmp_path, saved):
    model = fk.load(saved)
    with pytest.raises(InputError, match=r"the path must be writable, got '.*absent/m.forecast'"):
        model.save(tmp_path / "absent" / "m.forecast")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="folder"):
        model.save(tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_an_interrupted_write_leaves_the_old_file(tmp_path, saved, monkeypatch):
    path = tmp_path / "m.forecast"
    path.write_bytes(b"old")

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fk.load(saved).save(path)
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_the_file_has_the_usual_rights(saved):
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(saved.stat().st_mode) == 0o666 & ~mask


# ---------------------------------------------------------------------------------------------- refusals of load


def test_a_missing_file(tmp_path):
    with pytest.raises(ArtifactError, match=r"the file must exist, got '.*none.forecast'"):
        fk.load(tmp_path / "none.forecast")


@pytest.mark.parametrize("content", [b"", b"time,y\n2024-01-01,1\n", b"PK but not a zip at all"])
def test_foreign_files(tmp_path, content):
    (tmp_path / "m.forecast").write_bytes(content)
    with pytest.raises(ArtifactError, match=r"m.forecast"):
        fk.load(tmp_path / "m.forecast")


def test_foreign_zips(tmp_path, saved):
    path = rewrite(tmp_path / "m.forecast", {"config.json": b"{}"})
    with pytest.raises(
        ArtifactError, match="must be a file that forecastkit saved, got a zip without a forecastkit manifest"
    ):
        fk.load(path)
    for manifest in (b"{}", b"[]", b"not json", b'{"kind": "other", "format": 1}'):
        with pytest.raises(ArtifactError, match="a zip with another manifest"):
            fk.load(rewrite(path, {**members_of(saved), "manifest.json": manifest}))


def test_a_newer_format(tmp_path, saved):
    path = rewrite(tmp_path / "m.forecast", with_manifest(members_of(saved), format=FORMAT + 1) | {"new.bin": b""})
    with pytest.raises(ArtifactError, match=rf"format {FORMAT} or older, got format {FORMAT + 1}.*Update forecastkit"):
        fk.load(path)
    with pytest.raises(ArtifactError, match="Update forecastkit"):
        describe(path)


@pytest.mark.parametrize("name", ["forecaster.json", "weights.npz", "calibration.npz", "history.npz"])
def test_a_tampered_member(tmp_path, saved, name):
    members = members_of(saved)
    changed = bytearray(members[name])
    changed[len(changed) // 2] ^= 1
    path = rewrite(tmp_path / "m.forecast", {**members, name: bytes(changed)})
    with pytest.raises(ArtifactError, match=f"damaged: member '{name}' differs"):
        fk.load(path)


def test_a_member_too_many_too_few_or_compressed(tmp_path, saved):
    members, path = members_of(saved), tmp_path / "m.forecast"
    for extra in ("../evil", "/etc/x", "run.pkl"):
        with pytest.raises(ArtifactError, match="damaged: an unknown member"):
            fk.load(rewrite(path, {**members, extra: b"x"}))
    lacking = {name: data for name, data in members.items() if name != "weights.npz"}
    with pytest.raises(ArtifactError, match=r"member 'weights\.npz' is missing"):
        fk.load(rewrite(path, lacking))
    with pytest.raises(ArtifactError, match="is compressed"):
        fk.load(rewrite(path, members, compression=zipfile.ZIP_DEFLATED))
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(rewrite(path, members), "a") as archive:
        archive.writestr("weights.npz", b"second")
    with pytest.raises(ArtifactError, match="duplicated"):
        fk.load(path)
    with pytest.raises(ArtifactError, match="manifest is incomplete"):
        fk.load(rewrite(path, with_manifest(members, members=[])))


def forged(tmp_path, members, name, data):
    """The file with another member and a manifest that agrees with it."""
    promised = json.loads(members["manifest.json"])["members"]
    promised[name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return rewrite(tmp_path / "m.forecast", with_manifest({**members, name: data}, members=promised))


@pytest.mark.parametrize(
    "change",
    [
        lambda data: {**data, "class": "Evil"},
        lambda data: {**data, "class": "KerasForecaster", "parameters": {"nonsense": 1}},
        lambda data: {**data, "learned": {"$": "_find", "own": "x"}},
        lambda data: {**data, "learned": {"$": "object", "class": "os.system", "of": {}}},
        lambda data: {"$": "class", "own": "Mine"},
        lambda data: [],
    ],
)
def test_a_forged_description(tmp_path, saved, change):
    members = members_of(saved)
    data = json.dumps(change(json.loads(members["forecaster.json"]))).encode()
    with pytest.raises(ArtifactError):
        fk.load(forged(tmp_path, members, "forecaster.json", data))


def test_arrays_with_pickles_or_false_sizes(tmp_path, saved):
    members = members_of(saved)
    pickled, bomb, squeezed = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.savez(pickled, x=np.array([print], dtype=object))
    with zipfile.ZipFile(bomb, "w") as archive:
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (1 << 50,)})
        archive.writestr("x.npy", header.getvalue())
    np.savez_compressed(squeezed, x=np.zeros(100_000))
    for data in (pickled, bomb, squeezed):
        with pytest.raises(ArtifactError, match="intact members that are not a valid forecaster"):
            fk.load(forged(tmp_path, members, "weights.npz", data.getvalue()))


def test_every_cut_and_flip_is_refused(tmp_path, saved):
    whole, path = saved.read_bytes(), tmp_path / "m.forecast"
    rng = np.random.default_rng(0)
    for size in rng.integers(0, len(whole), 60):
        path.write_bytes(whole[:size])
        with pytest.raises(ArtifactError, match=r"m\.forecast"):
            fk.load(path)
    for place in rng.integers(0, len(whole), 200):
        flipped = bytearray(whole)
        flipped[place] ^= 0xFF
        path.write_bytes(bytes(flipped))
        try:
            fk.load(path)
        except ArtifactError:
            continue
        assert members_of(path).keys() == members_of(saved).keys(), "only dates and the like may differ unseen"


# ---------------------------------------------------------------------------------------------- describe


def test_describe_says_what_it_is(saved, gru):
    told = describe(saved)
    assert told["class"] == "GRUForecaster"
    assert told["format"] == FORMAT
    assert told["versions"]["forecastkit"] == fk.__version__
    sizes = [told[name] for name in ("horizon", "lookback", "season_length", "series", "freq")]
    assert sizes == [6, 24, 24, 3, "hourly"]
    assert (told["target"], told["known"], told["past"], told["static"]) == (["load"], ["temp"], ["wind"], ["size"])
    assert told["cutoff"] == str(gru.cutoff_.max())
    assert told["scores"] == gru.scores_
    assert told["parameters"]["units"] == 8
    assert set(told["bytes"]) == {"forecaster.json", "weights.npz", "calibration.npz", "history.npz"}
    json.dumps(told)


def test_describe_loads_nothing_heavy(saved):
    code = (
        "import sys; from forecastkit.persistence.artifact import describe; describe(sys.argv[1]);"
        "print([m for m in ('tensorflow', 'keras', 'sklearn', 'pandas') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code, str(saved)], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
