"""Checkpoints of a training run after every epoch, from which an interrupted run resumes."""

import hashlib
import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np

from forecastkit.utils.atomic_write import atomic_write
from forecastkit.utils.run_log import canonical_text, fingerprint
from forecastkit.utils.validation import refuse

SUFFIX = ".checkpoint"
#: Parameters that do not change what a run ends with.
BESIDE = ("callbacks", "resume", "verbose")
#: The member of the file that holds what is not arrays, as the bytes of JSON.
ABOUT = "about"
#: What stands for a file without bytes, as no bytes stand for no file.
EMPTY = b"\0"


class Checkpoint:
    """The state of a training run after its last whole epoch, in one file.

    Parameters
    ----------
    path : Path
        A file that is there already is read at once.
    seed : int
        Of the run. That of a file is used in its place: a run without a `random_state` has another one each time.
    writes : bool
        Whether this process keeps the file; of several workers one does.
    share : callable, optional
        Takes the bytes of the file here, b'' where there is none, and gives those of the worker that writes.

    Attributes
    ----------
    arrays : dict of str to list of ndarray
        The state that the run begins with, by name; empty where it begins afresh.
    about : dict
        What is known of it besides.
    seed : int

    Raises
    ------
    InputError
        Where the file cannot be read, or is no checkpoint.
    """

    def __init__(self, path: Path, seed: int, writes: bool = True, share=None):
        self.path, self.writes, self.share = path, writes, share
        self.arrays, self.about = _read(path, share)
        self.seed = self.about.get("seed", seed)

    def take(self) -> dict[str, list]:
        """The arrays, which are not kept here any longer."""
        arrays, self.arrays = self.arrays, {}
        return arrays

    def write(self, arrays: dict[str, list], **about) -> None:
        """Put this state in the place of the last one; there is a whole file at any moment.

        Raises
        ------
        InputError
            Where it cannot be written.
        """
        if not self.writes:
            return
        flat = {f"{name}.{place}": array for name, held in arrays.items() for place, array in enumerate(held)}
        told = np.frombuffer(json.dumps({**about, "seed": self.seed}).encode(), dtype="uint8")
        file = io.BytesIO()
        np.savez(file, **{ABOUT: told}, **flat)
        _replace(self.path, file.getvalue())

    def following(self) -> "Checkpoint":
        """That of a run which begins where this one ends."""
        return Checkpoint(self.path.with_name(f"then-{self.path.name}"), self.seed, self.writes, self.share)

    def remove(self) -> None:
        """Delete the file of a run that is over."""
        if self.writes:
            self.path.unlink(missing_ok=True)


def name_of(forecaster, panel, *more) -> str:
    """The name of a run's file: the same for the same forecaster on the same data only.

    Parameters
    ----------
    forecaster : Forecaster
        Its class and parameters count.
    panel : Panel
    *more
        Whatever else the run depends on.
    """
    own = {name: value for name, value in forecaster.get_params(deep=False).items() if name not in BESIDE}
    texts = [type(forecaster).__name__, fingerprint(panel)]
    texts += [f"{name}={canonical_text(value)}" for name, value in sorted(own.items())]
    texts += [canonical_text(value) for value in more]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:24] + SUFFIX


def open_folder(where: str, folder) -> Path:
    """The folder of checkpoints, made where it is missing.

    Raises
    ------
    InputError
        Where it is no folder that can be written to.
    """
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
    """A kill at any moment leaves the old bytes or the new ones."""
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
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        what = getattr(error, "strerror", None) or error
        refuse("fit", f"{str(path)!r} must be a whole checkpoint", f"damaged: {what}", "Delete it to begin afresh.")
    return arrays, about
