"""Allocate arrays in memory, or memory-mapped next to memory-mapped inputs.

An array that is mapped from a file (`numpy.memmap`) costs no memory that the system cannot take back: what is derived
from one is put into a file beside it. Such a file has no name any more, so that it ends with its array.
"""

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from forecastkit.utils.validation import refuse

#: Bytes from which on an array that is derived from a mapped one is put into a file.
LEAST = 1 << 22
#: Rows of a part.
PART = 1 << 18
#: Bytes whose multiples addresses must be for TensorFlow to compute where numpy has put an array.
ALIGNMENT = 64
#: Largest binary exponent of values whose squares can be summed over many rows in float64.
LARGE_EXPONENT = 400


def is_mapped(values: np.ndarray) -> bool:
    """Whether the values are in a file and not in memory."""
    return isinstance(values, np.memmap) and values.filename is not None


def allocate_like(shape: tuple, like: np.ndarray, dtype="float32") -> np.ndarray:
    """An uninitialised array that engines can share instead of copying.

    In memory, or in a file beside that of the array which it is made from.
    """
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    if is_mapped(like) and size >= LEAST:
        return _scratch(Path(like.filename).parent, shape, dtype, size)
    space = np.empty(size + ALIGNMENT, dtype="uint8")
    start = -space.ctypes.data % ALIGNMENT
    return space[start : start + size].view(dtype).reshape(shape)


def _scratch(folder, shape, dtype, size):
    """A mapped array in a file of the folder, whose name is taken away at once."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".scratch-", delete=False) as file:
            try:
                reserve(file.fileno(), size)
                return np.memmap(file.name, dtype=dtype, mode="r+", shape=shape)
            finally:
                with contextlib.suppress(PermissionError):  # Windows keeps a name as long as its file is mapped
                    os.unlink(file.name)
    except OSError as error:
        rule = f"the folder of mapped data, {str(folder)!r}, must have room for {size / 1e6:,.0f} MB beside them"
        return refuse("fit", rule, error.strerror or str(error), "Free space, or map the data elsewhere.")


def reserve(file: int, size: int) -> None:
    """Take the space on the disk now: to write where there is none left would end the process.

    Raises
    ------
    OSError
    """
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
    else:
        os.ftruncate(file, size)


def parts(rows: int):
    """Slices of so many rows, a part at a time."""
    return (slice(low, min(low + PART, rows)) for low in range(0, rows, PART))


def map_rows(function: Callable, values: np.ndarray) -> np.ndarray:
    """The function, which acts on each row by itself, of the values; a part at a time where these are mapped."""
    if not is_mapped(values):
        return function(values)
    none = function(np.asarray(values[:0]))
    out = allocate_like((len(values), *none.shape[1:]), values, none.dtype)
    for part in parts(len(values)):
        out[part] = function(np.asarray(values[part]))
    return out


def without_missing(values: np.ndarray) -> np.ndarray:
    """The values, 0 in the place of what is missing; changes them themselves."""
    for part in parts(len(values)):
        values[part][np.isnan(values[part])] = 0
    return values


def any_missing(values: np.ndarray) -> bool:
    """Whether a value is missing."""
    return any(np.isnan(values[part]).any() for part in parts(len(values)))


def safe_units(sizes: np.ndarray) -> np.ndarray:
    """Return divisors for values of these magnitudes that avoid overflow and underflow of squares.

    They are 1 except for extreme values. Divisors are powers of two, so that no precision is lost.
    """
    exponent = np.frexp(np.nan_to_num(np.asarray(sizes, dtype="float64")))[1]
    return np.where(np.abs(exponent) > LARGE_EXPONENT, np.ldexp(1.0, np.clip(exponent, -1020, 1020)), 1.0)
