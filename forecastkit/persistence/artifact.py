"""The file of a saved model: a zip of JSON and numpy arrays without pickle.

Members, all stored without compression, so that a file can never hold more than its own size:

``manifest.json``
    Kind and format of the file, package versions, a summary, and size and sha256 of every other member.
``forecaster.json``
    Class, constructor parameters and what was learned; arrays by name.
``weights.npz, calibration.npz, history.npz``
    Weights and scaling; quantiles of residuals; the rows of the past that predicting needs.

The sha256 sums find damage. They do not prove who wrote a file: they travel with it.
"""

import hashlib
import io
import json
import math
import tokenize
import zipfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from forecastkit.utils import types
from forecastkit.utils.atomic_write import atomic_write
from forecastkit.utils.exceptions import ArtifactError, InputError
from forecastkit.utils.validation import refuse

if TYPE_CHECKING:
    from forecastkit.forecasters.base import Forecaster

KIND = "forecastkit model"
FORMAT = 1
PACKAGES = ("keras", "tensorflow", "tensorflow-cpu", "jax", "numpy", "pandas")
ARRAYS = ("weights", "calibration", "history")
MEMBERS = ("forecaster.json", *(f"{name}.npz" for name in ARRAYS))
MOST_MANIFEST, MOST_JSON = 1 << 20, 1 << 30
#: What reading bytes that nobody wrote so can raise.
BROKEN = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    EOFError,
    OSError,
    OverflowError,
    RecursionError,
    NotImplementedError,
    SyntaxError,
    tokenize.TokenError,
    zipfile.BadZipFile,
)
#: What a summary holds, and the kinds of values that are read from it.
SUMMARY = {
    **dict.fromkeys(("class", "freq", "cutoff"), str),
    **dict.fromkeys(("horizon", "lookback", "season_length", "series"), int),
    **dict.fromkeys(("target", "known", "past", "static"), list),
    **dict.fromkeys(("parameters", "scores"), dict),
}


def save(forecaster: "Forecaster", path: types.Path) -> None:
    """Write a fitted forecaster to one file.

    The file holds the tail of the history that predicting needs. It leaves out `callbacks`, which are code, and a
    `random_state` that is a generator; a backbone class of your own is stored by its name and asked for by `load`.

    Parameters
    ----------
    forecaster : Forecaster
    path : str or path
        Written under a temporary name in the same folder and renamed: a file already there stays whole until then.

    Raises
    ------
    ParameterError
        For what cannot be made again from data, such as a wrapped scikit-learn model; joblib keeps those.
    InputError
        If the path cannot be written.
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


def load(path: types.Path, backbones: dict | None = None) -> "Forecaster":
    """Read a forecaster that `save` wrote.

    Parameters
    ----------
    path : str or path
    backbones : dict of str to class, optional
        Your own backbone classes by name, where the model was built on one: ``{"Mine": Mine}``.

    Returns
    -------
    Forecaster
        Forecasts as it did when it was saved. Fitted values reach back as far as the history that was kept.

    Raises
    ------
    ArtifactError
        If the file is missing, foreign, damaged or of a newer format, or a backbone class is not handed over.
    """
    from forecastkit.persistence.serialization import Unpacker

    path = Path(path)
    manifest, members = _read(path)
    try:
        arrays = {name: _arrays(members[f"{name}.npz"]) for name in ARRAYS}
        packed = json.loads(members["forecaster.json"])
        return Unpacker(arrays, backbones or {}).forecaster(packed)
    except InputError:
        raise
    except BROKEN as error:
        return _unreadable(path, manifest, error)


def describe(path: types.Path) -> dict:
    """What a saved forecaster is, without building it.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    dict
        ``format``, ``versions``, ``bytes`` by member, and the summary: class, parameters, sizes, columns, frequency,
        number of series, cutoff, scores.

    Raises
    ------
    ArtifactError
        As `load`.
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
    """What a person wants to know of a model, as JSON; values that JSON lacks become text."""
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
    """As `numpy.savez`, whose older versions cannot be told to refuse pickles."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)
    return buffer.getvalue()


def _digest(data):
    return hashlib.sha256(data).hexdigest()


def _write(members, path):
    """All members into one file."""
    try:
        with atomic_write(path) as temporary, zipfile.ZipFile(temporary, "x", zipfile.ZIP_STORED) as archive:
            for name, data in members.items():
                # A fixed date: the same model gives the same bytes.
                archive.writestr(zipfile.ZipInfo(name), data)
    except OSError as error:
        refuse("save", "the path must be writable", f"{str(path)!r} ({error.strerror or error})")


# ---------------------------------------------------------------------------------------------- reading


def _foreign(path, got):
    refuse("load", f"{str(path)!r} must be a file that forecastkit saved", got, error=ArtifactError)


def _damaged(path, what):
    refuse("load", f"{str(path)!r} must be whole", f"damaged: {what}", "Save or copy it again.", ArtifactError)


def _unreadable(path, manifest, error):
    """Refuse parts that make no forecaster: of a file that another version wrote they may be whole."""
    from forecastkit import __version__

    written = manifest["versions"].get("forecastkit")
    reason = f"{type(error).__name__}: {error}"
    if written == __version__:
        _damaged(path, f"its parts do not make a forecaster ({reason})")
    rule = f"{str(path)!r} must be a model that this version, {__version__}, can read"
    got = f"one that forecastkit {written} wrote ({reason})"
    refuse("load", rule, got, f"Load it with forecastkit {written}, or fit it again.", ArtifactError)


def _read(path):
    """Manifest and members of a file, every byte checked against the manifest."""
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
    except BROKEN:
        return _damaged(path, "it is cut short or overwritten")


def _read_zip(path, file):
    with zipfile.ZipFile(file) as archive:
        infos = archive.infolist()
        found = {info.filename: info for info in infos}
        if "manifest.json" not in found or found["manifest.json"].file_size > MOST_MANIFEST:
            _foreign(path, "a zip without our manifest")
        manifest = _manifest(path, _member(path, archive, found["manifest.json"]))
        promised = manifest["members"]
        for name in (*found, *promised):
            if name not in ("manifest.json", *MEMBERS):
                _damaged(path, f"an unknown member {name!r}")
        if len(found) < len(infos):
            _damaged(path, "a member is there twice")
        for name in MEMBERS:
            if name not in found or name not in promised:
                _damaged(path, f"member {name!r} is missing")
        members = {name: _member(path, archive, found[name]) for name in MEMBERS}
    for name, data in members.items():
        if promised[name] != {"bytes": len(data), "sha256": _digest(data)}:
            _damaged(path, f"member {name!r} differs from the manifest")
    return manifest, members


def _manifest(path, data):
    """The manifest, once it is ours and of a format we know."""
    try:
        manifest = json.loads(data)
        kind, number = manifest["kind"], int(manifest["format"])
    except BROKEN:
        return _foreign(path, "a zip with another manifest")
    if kind != KIND:
        _foreign(path, "a zip with another manifest")
    if number > FORMAT:
        rule = f"{str(path)!r} must be of format {FORMAT} or older"
        refuse("load", rule, f"format {number} of a later forecastkit", "Update forecastkit.", ArtifactError)
    if not all(isinstance(manifest.get(part), dict) for part in ("versions", "summary", "members")):
        _damaged(path, "the manifest lacks a part")
    return manifest


def _member(path, archive, info):
    """The bytes of a member, never more than the file holds."""
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
        _damaged(path, f"member {info.filename!r} is compressed or encrypted")
    if info.filename.endswith(".json") and info.file_size > MOST_JSON:
        _damaged(path, f"member {info.filename!r} is too large")
    try:
        return archive.read(info)
    except zipfile.BadZipFile:
        return _damaged(path, f"member {info.filename!r} differs from its checksum")


def _check_header(archive, info):
    """Refuse an array whose header promises more than the member holds: numpy would allocate it first."""
    with archive.open(info) as member:
        version = np.lib.format.read_magic(member)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(member)
        if math.prod(shape) * dtype.itemsize != info.file_size - member.tell():
            raise ValueError("an array of another size than its header says")


def _arrays(data):
    """The arrays of an npz, which must be uncompressed as we write it."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if any(info.compress_type != zipfile.ZIP_STORED for info in archive.infolist()):
            raise ValueError("compressed arrays")
        for info in archive.infolist():
            _check_header(archive, info)
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}
