"""Allocation of arrays in memory, or in files next to memory-mapped inputs.

A memory-mapped array (`numpy.memmap`) uses no memory that the system cannot reclaim. Arrays derived from it are stored
in an unnamed file in the same folder, which is deleted together with the array.
"""

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from forecastkit.utils.validation import refuse

#: Size in bytes from which an array derived from a memory-mapped one is stored in a file.
LEAST = 1 << 22
#: Number of rows processed at a time.
PART = 1 << 18
#: Alignment in bytes that TensorFlow requires to share memory with NumPy.
ALIGNMENT = 64
#: Largest binary exponent of values whose squares can be summed over many rows in float64.
LARGE_EXPONENT = 400


def is_mapped(values: np.ndarray) -> bool:
    """Return whether the values are memory-mapped."""
    return isinstance(values, np.memmap) and values.filename is not None


def allocate_like(shape: tuple, like: np.ndarray, dtype="float32") -> np.ndarray:
    """Allocate an uninitialized array that engines can share without a copy.

    It is in memory, or in a file in the folder of `like` if that is memory-mapped.
    """
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    if is_mapped(like) and size >= LEAST:
        return _scratch(Path(like.filename).parent, shape, dtype, size)
    space = np.empty(size + ALIGNMENT, dtype="uint8")
    start = -space.ctypes.data % ALIGNMENT
    return space[start : start + size].view(dtype).reshape(shape)


def _scratch(folder, shape, dtype, size):
    """Return a mapped array in a file of the folder that is unlinked at once."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".scratch-", delete=False) as file:
            try:
                reserve(file.fileno(), size)
                return np.memmap(file.name, dtype=dtype, mode="r+", shape=shape)
            finally:
                with contextlib.suppress(PermissionError):  # Windows cannot unlink a file while it is mapped
                    os.unlink(file.name)
    except OSError as error:
        rule = f"the folder of mapped data, {str(folder)!r}, must have room for {size / 1e6:,.0f} MB beside them"
        return refuse("fit", rule, error.strerror or str(error), "Free space, or map the data elsewhere.")


def reserve(file: int, size: int) -> None:
    """Reserve disk space, because writing to a mapped file on a full disk would terminate the process.

    Raises
    ------
    OSError
    """
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
    else:
        os.ftruncate(file, size)


def parts(rows: int):
    """Yield slices that divide `rows` rows into parts."""
    return (slice(low, min(low + PART, rows)) for low in range(0, rows, PART))


def map_rows(function: Callable, values: np.ndarray) -> np.ndarray:
    """Apply a row-wise function to the values, in parts if they are memory-mapped."""
    if not is_mapped(values):
        return function(values)
    none = function(np.asarray(values[:0]))
    out = allocate_like((len(values), *none.shape[1:]), values, none.dtype)
    for part in parts(len(values)):
        out[part] = function(np.asarray(values[part]))
    return out


def without_missing(values: np.ndarray) -> np.ndarray:
    """Replace missing values by 0, in place."""
    for part in parts(len(values)):
        values[part][np.isnan(values[part])] = 0
    return values


def any_missing(values: np.ndarray) -> bool:
    """Return whether a value is missing."""
    return any(np.isnan(values[part]).any() for part in parts(len(values)))


def safe_units(sizes: np.ndarray) -> np.ndarray:
    """Return divisors for values of these magnitudes that avoid overflow and underflow of squares.

    They are 1 except for extreme values. Divisors are powers of two, so that no precision is lost.
    """
    exponent = np.frexp(np.nan_to_num(np.asarray(sizes, dtype="float64")))[1]
    return np.where(np.abs(exponent) > LARGE_EXPONENT, np.ldexp(1.0, np.clip(exponent, -1020, 1020)), 1.0)
