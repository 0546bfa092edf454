"""Warnings that point to the user's line of code rather than to a line of this library."""

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

#: Packages whose stack frames are skipped.
INNER = ("forecastkit", "sklearn", "joblib")

#: Takes the warnings of this thread; returns whether a warning is to be issued nevertheless.
_TAKER: ContextVar[Callable[[str, type[Warning]], bool] | None] = ContextVar("forecastkit_warnings", default=None)


@contextmanager
def taking_warnings(taker: Callable[[str, type[Warning]], bool]) -> Iterator[None]:
    """Pass warnings of this library in the current thread to a function instead of issuing them.

    `warnings.catch_warnings` would change the filters of all threads, the user's too.

    Parameters
    ----------
    taker : callable
        Of message and category; returns whether the warning is to be issued nevertheless.
    """
    token = _TAKER.set(taker)
    try:
        yield
    finally:
        _TAKER.reset(token)


def without_warnings():
    """Issue no warnings of this library in the current thread."""
    return taking_warnings(lambda message, category: False)


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Issue a warning at the innermost stack frame outside the packages of `INNER`."""
    taker = _TAKER.get()
    if taker is not None and not taker(message, category):
        return
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in INNER:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
