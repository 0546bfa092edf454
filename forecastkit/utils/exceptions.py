"""Exceptions, all of them subclasses of `InputError`, and the warning of choices made in reading data.

::

    InputError(ValueError)          invalid data, parameters or files that the user can correct
    ├── ParameterError              an invalid parameter or option
    ├── ArtifactError               a saved model that cannot be read
    ├── BackendError(ImportError)   a package that an extra installs is missing, such as TensorFlow
    ├── NotExportable               a forecaster that the format of an export cannot hold
    ├── CellError(TypeError)        an array element that is not a number
    └── WorkerError(RuntimeError)   a distributed worker that did not start or was lost
"""

import struct
import tokenize
import zipfile
import zlib
from contextlib import contextmanager
from typing import NoReturn

#: Packages of the extras `tables` and `train`.
TABLES = ("charset_normalizer", "pyarrow")
TRAINING = ("joblib", "keras", "keras_tuner", "matplotlib", "narwhals", "scipy", "sklearn")
#: Exceptions that reading a damaged or forged file can raise.
DAMAGED_FILE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RecursionError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


class InputError(ValueError):
    """Raised for invalid data, parameters or files that the user can correct.

    The command line prints its message as one sentence and exits with status 1. Any other exception is a bug.
    """


class ParameterError(InputError):
    """Raised for an invalid parameter of a forecaster or an invalid command-line option."""


class ArtifactError(InputError):
    """Raised if a saved model cannot be read."""


class BackendError(InputError, ImportError):
    """Raised if a package that an extra installs is missing, such as a Keras backend."""


class NotExportable(InputError):
    """Raised if a forecaster, or an operation of its network, has no form in the format of an export."""


class CellError(InputError, TypeError):
    """Raised if an element of an array cannot be converted to a number."""


class WorkerError(InputError, RuntimeError):
    """Raised if another worker did not start, or was lost during training."""


class DataWarning(UserWarning):
    """Issued once for each choice made in reading data: what was guessed, moved, left unused or taken as missing."""


@contextmanager
def backend_needed():
    """Turn a failed import of a package that an extra installs into a `BackendError` with the remedy."""
    try:
        yield
    except ModuleNotFoundError as error:
        refuse_missing(error)


def refuse_missing(error: ModuleNotFoundError) -> NoReturn:
    """Raise the failed import of a package that an extra installs as a `BackendError`, any other one as it is."""
    package = (error.name or "").partition(".")[0]
    if package in (*TABLES, *TRAINING):
        extra = "tables" if package in TABLES else "train"
        needed = f"forecastkit needs the package {package!r} for this"
        raise BackendError(f"{needed}: pip install 'forecastkit[{extra}]'") from error
    if package not in ("tensorflow", "jax", "torch"):
        raise error
    raise BackendError("forecastkit needs a Keras backend: pip install 'forecastkit[cpu]'") from error
