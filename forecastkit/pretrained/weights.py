"""Weights of the pre-trained network: one ``.npz`` file without pickles, packaged or created by the user."""

from __future__ import annotations

import hashlib
import json
import os
from functools import lru_cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from forecastkit.pretrained.candidates import NAMES
from forecastkit.pretrained.forward import LEVELS, body_units
from forecastkit.pretrained.inputs import CHANNELS, FEATURES, STEP_FEATURES
from forecastkit.utils.atomic_write import atomic_write
from forecastkit.utils.exceptions import ArtifactError, ParameterError
from forecastkit.utils.validation import refuse

FOLDER = Path(__file__).parent / "weights"
#: Packaged versions and the sha256 of their files.
VERSIONS: dict[str, str] = {
    "2026.2": "83e7e18c2b8fb04ccc72bda20b5e498269bc5348db623f9e21bb3442e820eace",
    "2026.2-synthetic": "1e28e2cdb23c450bbcb05bc5018645c17495c6a5f5f0a8bc629445f26c79ab62",
}
LATEST = "2026.2"


def save_weights(path: str | os.PathLike, arrays: dict[str, np.ndarray], about: dict):
    """Write weights by name in float16, with the JSON metadata `about`."""
    halves = {name: np.asarray(values).astype("float16") for name, values in arrays.items()}
    with atomic_write(Path(path)) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, about=np.frombuffer(json.dumps(about).encode(), "uint8"), **halves)


def load_weights(weights: str | os.PathLike = LATEST) -> dict[str, np.ndarray]:
    """Return weights by name, float32, of a packaged version or a file written by `save_weights`.

    Versions are ``"2026.2"`` and ``"2026.2-synthetic"``, without real series in its training.
    """
    name = os.fspath(weights)
    if name in VERSIONS:
        return _read(str(FOLDER / f"{name}.npz"), VERSIONS[name], 0)
    path = Path(name)
    if not path.is_file():
        rule = f"weights must be {' or '.join(map(repr, VERSIONS))} or the path of a file"
        refuse("PretrainedForecaster", rule, repr(name), error=ParameterError)
    return _read(str(path.resolve()), None, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read(path: str, sha256: str | None, changed: int) -> dict[str, np.ndarray]:
    data = Path(path).read_bytes()
    if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
        refuse(
            "PretrainedForecaster",
            "the packaged weights must be unchanged",
            path,
            "Reinstall the package.",
            ArtifactError,
        )
    try:
        with np.load(path, allow_pickle=False) as saved:
            arrays = {name: saved[name].astype("float32") for name in saved.files if name != "about"}
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        refuse(
            "PretrainedForecaster", "weights must be a file of save_weights", f"{path}: {error}", error=ArtifactError
        )
    _check_shapes(arrays, path)
    return arrays


def _check_shapes(arrays, path):
    """Refuse weights of another network or of other inputs."""
    units = body_units(arrays)
    wanted = {
        **({"recurrent/kernel": (CHANNELS, 3 * units["recurrent"])} if units["recurrent"] else {}),
        **({"transformer/embed": (CHANNELS, units["transformer"])} if units["transformer"] else {}),
        "context/kernel": (FEATURES + sum(units.values()), -1),
        "step/kernel": (STEP_FEATURES + len(NAMES), -1),
        "head/kernel": (-1, len(NAMES) + len(LEVELS)),
        "widths/factor": (len(LEVELS),),
    }
    for name, shape in wanted.items():
        own = arrays[name].shape if name in arrays else ()
        if len(own) != len(shape) or any(size not in (-1, found) for size, found in zip(shape, own, strict=True)):
            rule = "weights must be a file of save_weights for this version's network"
            refuse("PretrainedForecaster", rule, f"{name!r} of shape {own} in {path}", error=ArtifactError)
