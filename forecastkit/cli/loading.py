"""Loads TensorFlow, which is slow and talkative, and saved models."""

import os
import sys
from contextlib import contextmanager

from forecastkit.checks import refuse


@contextmanager
def hushed():
    """Keep off the terminal what TensorFlow writes to stderr while it is imported, before its log level counts.

    Raises
    ------
    InputError
        Where Keras has no backend.
    """
    talkative = os.environ.get("TF_CPP_MIN_LOG_LEVEL", "3") != "3"
    try:
        if "tensorflow" in sys.modules or talkative:
            yield
        else:
            with _nowhere():
                yield
    except ModuleNotFoundError as error:
        if error.name not in ("tensorflow", "jax", "torch"):
            raise
        refuse("forecast", "networks need a Keras backend", f"no module {error.name!r}", "pip install 'forecastkit[cpu]'")


@contextmanager
def _nowhere():
    """File descriptor 2 leads nowhere: C++ does not write to `sys.stderr`."""
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)
