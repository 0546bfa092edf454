"""Keeps the command line calm while TensorFlow is loaded."""

import os
import sys
from contextlib import contextmanager


@contextmanager
def hushed():
    """Keep off the terminal what TensorFlow writes to stderr while it is imported, before its log level counts."""
    talkative = os.environ.get("TF_CPP_MIN_LOG_LEVEL", "3") != "3"
    if "tensorflow" in sys.modules or talkative:
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
