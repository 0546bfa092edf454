"""The CPU cores available to this process, and work on all of them."""

import os
from collections.abc import Callable, Sequence
from typing import TypeVar

Given, Result = TypeVar("Given"), TypeVar("Result")


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
