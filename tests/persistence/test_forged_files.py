"""Forged, damaged and older files end in one sentence."""

import hashlib
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

import forecastkit as fk
from forecastkit.persistence.artifact import describe
from forecastkit.persistence.consistency import check_network_sizes
from forecastkit.persistence.serialization import storable_parameters
from forecastkit.utils.exceptions import ArtifactError


@pytest.fixture(scope="module")
def members(tmp_path_factory):
    path = tmp_path_factory.mktemp("forged") / "m.forecast"
    fk.LinearForecaster(horizon=2, lookback=6, recipes=1).fit(np.arange(60.0) % 7).save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def forged(path, members, manifest=lambda held: None, **changed):
    """The file with other members, whose sums are made anew, and another manifest."""
    members = {**members, **changed}
    held = json.loads(members["manifest.json"])
    for name in held["members"]:
        held["members"][name] = {
            "bytes": len(members[name]),
            "sha256": hashlib.sha256(members[name]).hexdigest(),
        }
    manifest(held)
    text = json.dumps(held).replace('"endless"', "1e400")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in {**members, "manifest.json": text.encode()}.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize("read", [fk.load, describe])
def test_a_format_that_is_no_number(tmp_path, members, read):
    path = forged(tmp_path / "m", members, lambda held: held.update(format="endless"))
    with pytest.raises(ArtifactError, match="a zip with another manifest"):
        read(path)


@pytest.mark.parametrize("header", [b"{", b"(((", b"{'descr': '<f8', 'shape': (", b"\xff"])
def test_arrays_with_broken_headers(tmp_path, members, header):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(ArtifactError, match="must hold what this version saved"):
        fk.load(forged(tmp_path / "m", members, **{"history.npz": out.getvalue()}))


@pytest.mark.parametrize("name", ["class", "target", "horizon", "scores", "freq"])
@pytest.mark.parametrize("value", [None, 5.5])
def test_a_forged_summary(tmp_path, members, name, value):
    path = forged(tmp_path / "m", members, lambda held: held["summary"].update({name: value}))
    with pytest.raises(ArtifactError, match=f"the summary's '{name}' is missing or of another kind"):
        describe(path)


def test_a_file_of_another_version_is_not_called_damaged(tmp_path, members):
    unknown = members["forecaster.json"].replace(b'"strength"', b'"penalty"')
    with pytest.raises(ArtifactError, match=r"must hold what this version saved.*got intact members.*penalty.*a bug"):
        fk.load(forged(tmp_path / "m", members, **{"forecaster.json": unknown}))
    older = forged(tmp_path / "m", members, lambda held: held["versions"].update(forecastkit="0.0.1"),
                   **{"forecaster.json": unknown})  # fmt: skip
    with pytest.raises(ArtifactError, match=r"got one that forecastkit 0\.0\.1 wrote \(TypeError.*Load it with"):
        fk.load(older)


def test_want_of_memory_is_no_damage(tmp_path, members, monkeypatch):
    path = forged(tmp_path / "m", members)

    def too_much(*args):
        raise MemoryError

    monkeypatch.setattr("forecastkit.persistence.serialization.Unpacker.forecaster", too_much)
    with pytest.raises(MemoryError):
        fk.load(path)


def test_folders_of_the_machine_that_trained_are_not_stored():
    stored = storable_parameters(fk.GRUForecaster(resume=Path("/somewhere/kept")))
    assert stored["resume"] is None
    assert storable_parameters(fk.GRUForecaster(resume="kept"))["resume"] is None


def _learned(packed):
    return packed["learned"]


def _history(packed):
    return packed["learned"]["history_"]["of"]


def _grid(packed):
    return _history(packed)["grid"]["of"]


def _schema(packed):
    return packed["learned"]["schema_"]["of"]


@pytest.mark.parametrize("value", [None, 5.5, "x", [], {}, [1], -1, 10**15, True])
@pytest.mark.parametrize(
    ("part", "name"),
    [
        (_learned, "horizon_"),
        (_learned, "lookback_"),
        (_learned, "season_length_"),
        (_learned, "schema_"),
        (_learned, "history_"),
        (_history, "ids"),
        (_history, "start"),
        (_history, "indptr"),
        (_history, "target"),
        (_history, "known"),
        (_history, "grid"),
        (_grid, "kind"),
        (_grid, "step"),
        (_grid, "week"),
        (_schema, "target"),
        (_schema, "past"),
        (_schema, "categories"),
        (_schema, "flat"),
        (_schema, "duplicates"),
    ],
)
def test_a_part_of_another_type_is_refused_when_the_file_is_loaded(tmp_path, members, part, name, value):
    packed = json.loads(members["forecaster.json"])
    if part(packed)[name] == value or (name in ("flat", "categories") and value in (True, {})):
        pytest.skip("as it was")
    if name == "step" and value == 10**15:
        pytest.skip("a step of positions may be as large")
    part(packed)[name] = value
    with pytest.raises(ArtifactError, match="got intact members"):
        fk.load(forged(tmp_path / "m", members, **{"forecaster.json": json.dumps(packed).encode()}))


CHANGES = {
    "shorter": lambda array: array[:-1],
    "longer": lambda array: np.concatenate([array, array]),
    "flat": np.ravel,
    "text": lambda array: array.astype(str),
    "large": lambda array: np.full(array.shape, 10**6),
    "one axis more": lambda array: array[None],
    "empty": lambda array: array[:0],
}


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory):
    """Members of a file with rolling calibration."""
    path = tmp_path_factory.mktemp("calibrated") / "m.forecast"
    model = fk.SeasonalNaiveForecaster(horizon=2, season_length=7, calibrate="rolling")
    model.fit(10 + np.random.default_rng(0).normal(size=320)).save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("change", CHANGES)
def test_forged_arrays_are_refused_at_load_or_forecast_nevertheless(tmp_path, calibrated, change):
    refused = []
    for member in ("calibration.npz", "weights.npz"):
        with np.load(io.BytesIO(calibrated[member])) as held:
            arrays = dict(held)
        for name in arrays:
            out = io.BytesIO()
            np.savez(out, **{**arrays, name: CHANGES[change](arrays[name])})
            path = forged(tmp_path / "m", calibrated, **{member: out.getvalue()})
            try:
                fk.load(path).predict(quantile_levels=[0.1, 0.9])
            except ArtifactError as error:
                refused.append(str(error))
    assert len(refused) >= 5
    assert all("type and shape that match" in said or "do not exist" in said for said in refused), refused


@pytest.mark.parametrize("value", [5.5, "x", [], -1, {"$": "float", "of": "nan"}])
@pytest.mark.parametrize("name", ["residuals_", "corrections_", "rolling_errors_", "local_scale_", "scaler_"])
def test_calibration_of_another_class_is_refused(tmp_path, calibrated, name, value):
    packed = json.loads(calibrated["forecaster.json"])
    packed["learned"][name] = value
    with pytest.raises(ArtifactError, match=f"{name} is not a "):
        fk.load(forged(tmp_path / "m", calibrated, **{"forecaster.json": json.dumps(packed).encode()}))


@pytest.mark.parametrize(("name", "value"), [("transform", "lgo"), ("trained", 7)])
def test_scales_of_unknown_transforms_or_more_series_are_refused(tmp_path, calibrated, name, value):
    packed = json.loads(calibrated["forecaster.json"])
    packed["learned"]["scaler_"]["of"][name] = value
    with pytest.raises(ArtifactError, match=r"no transform|not the number of trained series"):
        fk.load(forged(tmp_path / "m", calibrated, **{"forecaster.json": json.dumps(packed).encode()}))


def test_a_history_with_other_columns_than_the_schema_is_refused(tmp_path, members):
    packed = json.loads(members["forecaster.json"])
    _schema(packed)["target"]["of"].append("another")
    with pytest.raises(ArtifactError, match="the history's target has not the 2 columns of the schema"):
        fk.load(forged(tmp_path / "m", members, **{"forecaster.json": json.dumps(packed).encode()}))


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"units": 5000, "layers": 1}, "units=5000"),
        ({"units": 10**6, "layers": 1}, "units=1000000"),
        ({"units": 8, "layers": 400}, "layers=400"),
        ({"units": 8, "layers": 1, "feedforward": 4096}, "feedforward=4096"),
    ],
)
def test_a_network_larger_than_its_weights_is_not_built(parameters, named):
    shapes = [(3, 24), (8, 24), (2, 24), (8, 4), (4,)]
    with pytest.raises(ValueError, match=f"{named} needs larger weights"):
        check_network_sizes(parameters, shapes)
    check_network_sizes({"units": 8, "layers": 1, "feedforward": None, "heads": 4, "kernel": 7}, shapes)
