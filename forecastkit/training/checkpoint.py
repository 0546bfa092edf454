"""Checkpoints of a training run after every epoch, from which an interrupted run resumes."""

import hashlib
import io
import json
import os
from pathlib import Path

import numpy as np

from forecastkit.training.engines import backend
from forecastkit.utils.atomic_write import atomic_write
from forecastkit.utils.exceptions import DAMAGED_FILE
from forecastkit.utils.run_log import canonical_text, fingerprint
from forecastkit.utils.validation import refuse

SUFFIX = ".checkpoint"
#: Parameters that do not affect the result of a run.
NOT_IDENTIFYING = ("callbacks", "resume", "verbose")
#: Archive member with everything except arrays, as JSON bytes.
ABOUT = "about"
#: Stands for an empty file, because no bytes stand for a missing file.
EMPTY = b"\0"


class Checkpoint:
    """The state of a training run after its last complete epoch, in one file.

    Parameters
    ----------
    path : Path
        An existing file is read immediately.
    seed : int
        Seed of the run. That of an existing file replaces it, because without a `random_state` every run has another.
    writes : bool
        Whether this process writes the file; one of several workers does.
    share : callable, optional
        Takes the local content of the file (``b''`` if there is none) and returns that of the writing worker.

    Attributes
    ----------
    arrays : dict of str to list of ndarray
        Initial state of the run by name; empty for a new run.
    about : dict
        Further state as JSON values.
    seed : int

    Raises
    ------
    InputError
        If the file cannot be read or is not a checkpoint.
    """

    def __init__(self, path: Path, seed: int, writes: bool = True, share=None):
        self.path, self.writes, self.share = path, writes, share
        self.arrays, self.about = _read(path, share)
        self.seed = self.about.get("seed", seed)

    def take(self) -> dict[str, list]:
        """Return the arrays and release them."""
        arrays, self.arrays = self.arrays, {}
        return arrays

    def write(self, arrays: dict[str, list], **about) -> None:
        """Replace the stored state atomically, or raise InputError if the file cannot be written."""
        if not self.writes:
            return
        flat = {f"{name}.{place}": array for name, held in arrays.items() for place, array in enumerate(held)}
        metadata = np.frombuffer(json.dumps({**about, "seed": self.seed}).encode(), dtype="uint8")
        file = io.BytesIO()
        np.savez(file, **{ABOUT: metadata}, **flat)
        _replace(self.path, file.getvalue())

    def following(self) -> "Checkpoint":
        """Return the checkpoint of a subsequent run that starts from the end of this one."""
        return Checkpoint(self.path.with_name(f"then-{self.path.name}"), self.seed, self.writes, self.share)

    def remove(self) -> None:
        """Delete the file of a completed run."""
        if self.writes:
            self.path.unlink(missing_ok=True)


def name_of(forecaster, panel, *more) -> str:
    """Return the name of a run's file, which identifies the class and parameters, the data, and further values."""
    own = {name: value for name, value in forecaster.get_params(deep=False).items() if name not in NOT_IDENTIFYING}
    texts = [type(forecaster).__name__, fingerprint(panel)]
    texts += [f"{name}={canonical_text(value)}" for name, value in sorted(own.items())]
    texts += [canonical_text(value) for value in (*more, backend())]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:24] + SUFFIX


def open_folder(where: str, folder) -> Path:
    """Return the folder of checkpoints, created if it is missing."""
    try:
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        if not os.access(path, os.W_OK):
            raise PermissionError(13, "Permission denied")
    except (OSError, TypeError) as error:
        got = f"{folder!r} ({getattr(error, 'strerror', None) or error})"
        refuse(where, "resume must be a folder that can be written to", got, "Pass another resume=.")
    return path


def _replace(path, data):
    """Replace the file atomically: an interruption leaves the old or the new content."""
    try:
        with atomic_write(path, durable=True) as temporary:
            temporary.write_bytes(data)
    except OSError as error:
        refuse("fit", "resume must be a folder that can be written to", f"{str(path.parent)!r} ({error.strerror})")


def _read(path, share):
    arrays: dict[str, list] = {}
    try:
        data = (path.read_bytes() or EMPTY) if path.exists() else b""
        data = data if share is None else share(data)
        if not data:
            return {}, {}
        with np.load(io.BytesIO(data), allow_pickle=False) as members:
            about = json.loads(members[ABOUT].tobytes())
            for key in members.files:
                if key != ABOUT:
                    arrays.setdefault(key.rpartition(".")[0], []).append(members[key])
        if not isinstance(about, dict):
            raise ValueError(f"{ABOUT} is not an object")
    except DAMAGED_FILE as error:
        what = getattr(error, "strerror", None) or error
        refuse("fit", f"{str(path)!r} must be a complete checkpoint", f"damaged: {what}", "Delete it to start again.")
    return arrays, about
