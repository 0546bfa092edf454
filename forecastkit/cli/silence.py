"""Silences what TensorFlow prints while it is imported."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silenced_imports() -> Iterator[None]:
    """Discard what TensorFlow writes to stderr while it is imported, before its log level has an effect."""
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # hints at slow tracing are not for users
    verbose = os.environ.get("TF_CPP_MIN_LOG_LEVEL", "3") != "3"
    if "tensorflow" in sys.modules or verbose:
        yield
        return
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)  # C++ does not write to sys.stderr
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)
