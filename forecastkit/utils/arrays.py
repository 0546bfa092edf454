"""Arrays as large as the data: where they are stored, and the CPU cores that compute on them.

A memory-mapped array (`numpy.memmap`) uses no memory that the system cannot reclaim. Arrays derived from it are stored
in an unnamed file in the same folder, which is deleted together with the array.
"""

import contextlib
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from forecastkit.utils.validation import refuse

Given, Result = TypeVar("Given"), TypeVar("Result")

#: Size in bytes from which an array derived from a memory-mapped one is stored in a file.
MIN_MAPPED = 1 << 22
#: Number of rows, or of cells, processed at a time.
PART = 1 << 18
#: Largest number of multiplications of a product, half a millisecond of one core, that needs no more cores.
SMALL_PRODUCT = 1 << 25
#: Alignment in bytes that TensorFlow requires to share memory with NumPy.
ALIGNMENT = 64
#: Largest binary exponent of values whose squares can be summed over many rows in float64.
LARGE_EXPONENT = 400

_LOCK = threading.Lock()
#: The limits in force while threads of this process are within `one_thread`, of the libraries with and without SciPy's,
#: and an item for each block that a thread is in.
_LIMITS: dict[bool, Any] = {}
_BLOCKS: list[None] = []


def is_mapped(values: np.ndarray) -> bool:
    """Return whether the values are memory-mapped."""
    return isinstance(values, np.memmap) and values.filename is not None


def allocate_like(shape: tuple, like: np.ndarray, dtype="float32") -> np.ndarray:
    """Allocate an uninitialized array that engines can share without a copy.

    It is in memory, or in a file in the folder of `like` if that is memory-mapped.
    """
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    if is_mapped(like) and size >= MIN_MAPPED:
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


def parts(rows: int, cells: int = 1) -> Iterator[slice]:
    """Yield slices that divide `rows` rows of so many cells into parts of at most 262,144 cells, or one row."""
    size = max(PART // max(cells, 1), 1)
    return (slice(low, min(low + size, rows)) for low in range(0, rows, size))


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


def cores() -> int:
    """Return the number of CPU cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def on_all_cores(function: Callable[[Given], Result], given: Sequence[Given]) -> list[Result]:
    """Return the results of a function for each item, computed by one thread per core.

    For functions that spend their time in NumPy, which lets other threads run meanwhile.
    """
    if len(given) < 2 or cores() == 1:
        return [function(one) for one in given]
    from concurrent.futures import ThreadPoolExecutor  # here: its import takes as long as a short forecast

    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(function, given))


@contextlib.contextmanager
def one_thread(multiplications: int = 0) -> Iterator[None]:
    """Compute linear algebra on one thread within the block, unless its products have so many multiplications.

    Small products and factorizations gain nothing from several threads, and where other processes use the cores,
    threads that wait for each other take twenty times as long. The limit is that of the process: it holds until the
    last of the threads that are in such a block has left it.
    """
    with_scipy = "scipy.linalg" in sys.modules
    controller = _controller(with_scipy) if multiplications <= SMALL_PRODUCT else None
    if controller is None:
        yield
        return
    with _LOCK:
        if with_scipy not in _LIMITS:  # SciPy may be loaded within an outer block
            _take_control()
            _LIMITS[with_scipy] = controller.limit(limits=1, user_api="blas")
        _BLOCKS.append(None)
    try:
        yield
    finally:
        with _LOCK:
            _BLOCKS.pop()
            if not _BLOCKS:
                _take_control()
                while _LIMITS:  # the latest first: its originals are those of the earlier one
                    _LIMITS.popitem()[1].restore_original_limits()
                _take_control()


def _take_control():
    """Let any thread set the limit next: threadpoolctl (3.8) ignores all threads but the first one that has set one."""
    import threadpoolctl

    controller = getattr(threadpoolctl, "OpenBLASController", None)
    if hasattr(controller, "clear_controlling_thread"):  # older versions heed every thread
        controller.clear_controlling_thread(force=True)


@cache
def _controller(with_scipy: bool):
    """Return the controller of the loaded libraries, which takes milliseconds to make; None without threadpoolctl.

    A library of SciPy's own is found once it is loaded, hence the argument.
    """
    try:
        from threadpoolctl import ThreadpoolController
    except ModuleNotFoundError:  # an installation for forecasting
        return None
    return ThreadpoolController()
