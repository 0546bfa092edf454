"""The file of a saved model: a zip of JSON and NumPy arrays without pickles.

Members are stored without compression, so that their size is limited by the size of the file:

``manifest.json``
    Kind and format of the file, package versions, a summary, and size and sha256 of every other member.
``forecaster.json``
    Class, constructor parameters and fitted state; arrays are referenced by name.
``weights.npz, calibration.npz, history.npz``
    Weights and scaling; residual quantiles; the part of the history that predictions need.

The sha256 digests detect damage. They do not authenticate the author of a file.
"""

import hashlib
import io
import json
import math
import zipfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from forecastkit.utils import types
from forecastkit.utils.atomic_write import atomic_write
from forecastkit.utils.exceptions import DAMAGED_FILE, ArtifactError, InputError
from forecastkit.utils.validation import refuse

if TYPE_CHECKING:
    from forecastkit.forecasters.base import Forecaster

KIND = "forecastkit model"
FORMAT = 1
PACKAGES = ("keras", "tensorflow", "tensorflow-cpu", "jax", "numpy", "pandas")
ARRAYS = ("weights", "calibration", "history")
MEMBERS = ("forecaster.json", *(f"{name}.npz" for name in ARRAYS))
MAX_MANIFEST, MAX_JSON = 1 << 20, 1 << 30
#: Entries of a summary and their types.
SUMMARY = {
    **dict.fromkeys(("class", "freq", "cutoff"), str),
    **dict.fromkeys(("horizon", "lookback", "season_length", "series"), int),
    **dict.fromkeys(("target", "known", "past", "static"), list),
    **dict.fromkeys(("parameters", "scores"), dict),
}


def save(forecaster: "Forecaster", path: types.Path) -> None:
    """Save a fitted forecaster to one file.

    The file contains the part of the history that predictions need. Not stored are `callbacks`, which are code, and a
    `random_state` that is a generator. A user-defined backbone class is stored by name and must be passed to `load`.
    Objects that cannot be rebuilt from data, such as a wrapped scikit-learn model, are refused: use joblib for those.
    The file is written under a temporary name in the same folder and renamed, so an existing file stays intact until
    then.
    """
    from forecastkit.persistence.serialization import Packer

    packer = Packer()
    packed = packer.pack(forecaster, "forecaster")
    members = {"forecaster.json": json.dumps(packed).encode()}
    members.update({f"{name}.npz": _npz(packer.arrays[name]) for name in ARRAYS})
    manifest = {
        "kind": KIND,
        "format": FORMAT,
        "versions": _versions(),
        "summary": _summary(forecaster),
        "members": {name: {"bytes": len(data), "sha256": _digest(data)} for name, data in members.items()},
    }
    _write({"manifest.json": json.dumps(manifest, indent=1).encode(), **members}, Path(path))


def load(path: types.Path, backbones: dict | None = None, custom_objects: dict | None = None) -> "Forecaster":
    """Load a forecaster from a file written by `save`.

    Parameters
    ----------
    path : str or path
    backbones : dict of str to class, optional
        User-defined backbone classes by name, if the model uses one: ``{"Mine": Mine}``.
    custom_objects : dict of str to class or function, optional
        User-defined losses and optimizers by name, if the model uses one: ``{"Asymmetric": Asymmetric}``.

    Returns
    -------
    Forecaster
        The forecaster with unchanged forecasts. Fitted values are available for the stored history only.

    Raises
    ------
    ArtifactError
        If the file is missing, not a saved model, damaged or of a newer format, or a user-defined class is not passed.
    """
    path = Path(path)
    manifest, members = _read(path)
    from forecastkit.persistence.serialization import Unpacker  # here: a missing file is refused at once

    try:
        arrays = {name: _arrays(members[f"{name}.npz"]) for name in ARRAYS}
        packed = json.loads(members["forecaster.json"])
        return Unpacker(arrays, {**(backbones or {}), **(custom_objects or {})}).forecaster(packed)
    except InputError:
        raise
    except DAMAGED_FILE as error:
        return _unreadable(path, manifest, error)


def describe(path: types.Path) -> dict:
    """Return a description of a saved forecaster without building it.

    It has ``format``, ``versions``, ``bytes`` by member, and the summary: class, parameters, sizes, columns, frequency,
    number of series, cutoff, scores. Files are refused as by `load`.
    """
    manifest, members = _read(Path(path))
    for name, kind in SUMMARY.items():
        if not isinstance(manifest["summary"].get(name), kind):
            _damaged(path, f"the summary's {name!r} is missing or of another kind")
    sizes = {name: len(data) for name, data in members.items()}
    return {"format": manifest["format"], "versions": manifest["versions"], "bytes": sizes, **manifest["summary"]}


# ---------------------------------------------------------------------------------------------- writing


def _versions():
    from forecastkit import __version__

    found = {"forecastkit": __version__}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _summary(forecaster):
    """Return a human-readable summary of a model as JSON; other values are converted to text."""
    from forecastkit.persistence.serialization import storable_parameters

    schema, panel = forecaster.schema_, forecaster.history_
    cutoffs = panel.grid.timestamps(panel.start + panel.last_observed() - panel.indptr[:-1])
    summary = {
        "class": type(forecaster).__name__,
        "parameters": storable_parameters(forecaster),
        "horizon": forecaster.horizon_,
        "lookback": forecaster.lookback_,
        "season_length": forecaster.season_length_,
        "target": schema.target,
        "known": schema.known,
        "past": schema.past,
        "static": schema.static,
        "time": schema.time,
        "series_id": schema.series_id,
        "freq": panel.grid.name,
        "series": len(panel.ids),
        "cutoff": str(cutoffs.max()),
        "scores": forecaster.scores_,
    }
    if training := getattr(forecaster, "training_history_", None):
        summary["training"] = vars(training)
    return json.loads(json.dumps(summary, default=str))


def _npz(arrays):
    """Return the bytes of an npz file; older versions of `numpy.savez` cannot refuse pickles."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)
    return buffer.getvalue()


def _digest(data):
    return hashlib.sha256(data).hexdigest()


def _write(members, path):
    """Write all members to one file."""
    try:
        with atomic_write(path) as temporary, zipfile.ZipFile(temporary, "x", zipfile.ZIP_STORED) as archive:
            for name, data in members.items():
                # With a fixed date, equal models give identical files.
                archive.writestr(zipfile.ZipInfo(name), data)
    except OSError as error:
        refuse("save", "the path must be writable", f"{str(path)!r} ({error.strerror or error})")


# ---------------------------------------------------------------------------------------------- reading


def _foreign(path, got):
    refuse("load", f"{str(path)!r} must be a file that forecastkit saved", got, error=ArtifactError)


def _damaged(path, what):
    refuse("load", f"{str(path)!r} must be undamaged", f"damaged: {what}", "Save or copy it again.", ArtifactError)


def _unreadable(path, manifest, error):
    """Refuse content that cannot be rebuilt; files of another version may be intact."""
    from forecastkit import __version__

    written = manifest["versions"].get("forecastkit")
    reason = f"{type(error).__name__}: {error}"
    if written == __version__:  # the checksums hold: the file is what its author wrote
        rule = f"{str(path)!r} must hold what this version saved"
        got = f"intact members that are not a valid forecaster ({reason})"
        remedy = "It was edited after saving, or this is a bug: please report it with the file."
        refuse("load", rule, got, remedy, ArtifactError)
    rule = f"{str(path)!r} must be a model that this version, {__version__}, can read"
    got = f"one that forecastkit {written} wrote ({reason})"
    refuse("load", rule, got, f"Load it with forecastkit {written}, or fit it again.", ArtifactError)


def _read(path):
    """Return the manifest and the members of a file, verified against the manifest."""
    if not path.is_file():
        refuse("load", "the file must exist", f"{str(path)!r}", error=ArtifactError)
    try:
        with open(path, "rb") as file:
            if file.read(2) != b"PK":
                _foreign(path, "a file of another kind" if path.stat().st_size else "an empty file")
            return _read_zip(path, file)
    except InputError:
        raise
    except OSError as error:
        return refuse("load", "the file must be readable", f"{str(path)!r} ({error.strerror})", error=ArtifactError)
    except DAMAGED_FILE:
        return _damaged(path, "it is truncated or overwritten")


def _read_zip(path, file):
    with zipfile.ZipFile(file) as archive:
        infos = archive.infolist()
        found = {info.filename: info for info in infos}
        if "manifest.json" not in found or found["manifest.json"].file_size > MAX_MANIFEST:
            _foreign(path, "a zip without a forecastkit manifest")
        manifest = _manifest(path, _member(path, archive, found["manifest.json"]))
        declared = manifest["members"]
        for name in (*found, *declared):
            if name not in ("manifest.json", *MEMBERS):
                _damaged(path, f"an unknown member {name!r}")
        if len(found) < len(infos):
            _damaged(path, "a member is duplicated")
        for name in MEMBERS:
            if name not in found or name not in declared:
                _damaged(path, f"member {name!r} is missing")
        members = {name: _member(path, archive, found[name]) for name in MEMBERS}
    for name, data in members.items():
        if declared[name] != {"bytes": len(data), "sha256": _digest(data)}:
            _damaged(path, f"member {name!r} differs from the manifest")
    return manifest, members


def _manifest(path, data):
    """Return the manifest, after checking its kind and format."""
    try:
        manifest = json.loads(data)
        kind, number = manifest["kind"], int(manifest["format"])
    except DAMAGED_FILE:
        return _foreign(path, "a zip with another manifest")
    if kind != KIND:
        _foreign(path, "a zip with another manifest")
    if number > FORMAT:
        rule = f"{str(path)!r} must be of format {FORMAT} or older"
        refuse("load", rule, f"format {number} of a later forecastkit", "Update forecastkit.", ArtifactError)
    if not all(isinstance(manifest.get(part), dict) for part in ("versions", "summary", "members")):
        _damaged(path, "the manifest is incomplete")
    return manifest


def _member(path, archive, info):
    """Return the bytes of a member."""
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
        _damaged(path, f"member {info.filename!r} is compressed or encrypted")
    if info.filename.endswith(".json") and info.file_size > MAX_JSON:
        _damaged(path, f"member {info.filename!r} is too large")
    try:
        return archive.read(info)
    except zipfile.BadZipFile:
        return _damaged(path, f"member {info.filename!r} differs from its checksum")


def _check_header(archive, info):
    """Refuse arrays whose header states another size than the member, because NumPy allocates that size first."""
    with archive.open(info) as member:
        version = np.lib.format.read_magic(member)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(member)
        if math.prod(shape) * dtype.itemsize != info.file_size - member.tell():
            raise ValueError("an array of another size than its header says")


def _arrays(data):
    """Return the arrays of an uncompressed npz file."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if any(info.compress_type != zipfile.ZIP_STORED for info in archive.infolist()):
            raise ValueError("compressed arrays")
        for info in archive.infolist():
            _check_header(archive, info)
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}
