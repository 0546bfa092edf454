"""The CPU cores available to this process, work on all of them, and linear algebra on one."""

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

Given, Result = TypeVar("Given"), TypeVar("Result")

_LOCK = threading.Lock()
#: The limits in force while threads of this process are within `one_thread`, one item for each.
_LIMITED: list[Any] = []


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


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute linear algebra on one thread within the block.

    Small products and factorizations gain nothing from several threads, and where other processes use the cores,
    threads that wait for each other take twenty times as long. The limit is that of the process: it holds until the
    last of the threads that are in such a block has left it.
    """
    controller = _controller("scipy.linalg" in sys.modules)
    if controller is None:
        yield
        return
    with _LOCK:
        _LIMITED.append(_LIMITED[0] if _LIMITED else controller.limit(limits=1, user_api="blas"))
    try:
        yield
    finally:
        with _LOCK:
            limits = _LIMITED.pop()
            if not _LIMITED:
                limits.restore_original_limits()


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
