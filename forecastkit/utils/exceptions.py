"""Exceptions, all of them kinds of `InputError`.

::

    InputError(ValueError)          data, parameters or files that the user can correct
    ├── ParameterError              a parameter or an option that breaks its rule
    ├── ArtifactError               a saved model that cannot be read
    ├── BackendError(ImportError)   no TensorFlow, JAX or torch to compute with
    ├── CellError(TypeError)        a cell of an array that is not a number
    └── WorkerError(RuntimeError)   a distributed worker that did not start, or was lost
"""

from contextlib import contextmanager


class InputError(ValueError):
    """Raised for everything a user can mend: data, parameters, files.

    The command line prints it as one sentence and exits with 1; anything else that escapes is a bug of ours.
    """


class ParameterError(InputError):
    """A parameter of a forecaster or a flag that breaks its rule."""


class ArtifactError(InputError):
    """A saved model that cannot be read."""


class BackendError(InputError, ImportError):
    """Keras has nothing to compute with."""


class CellError(InputError, TypeError):
    """Raised where a cell of an array is no number at all."""


class WorkerError(InputError, RuntimeError):
    """Another worker never came up, or was lost while all were training."""


@contextmanager
def backend_needed():
    """Say what to install where an import inside fails for want of TensorFlow, JAX or torch."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in ("tensorflow", "jax", "torch"):
            raise
        raise BackendError("forecastkit needs a Keras backend: pip install 'forecastkit[cpu]'") from error
