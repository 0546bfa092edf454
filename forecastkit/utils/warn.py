"""Warnings that point to the user's line of code rather than to a line of this library."""

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

#: Packages whose stack frames are skipped.
INNER = ("forecastkit", "sklearn", "joblib")

#: Takes the warnings of this thread; returns whether a warning is to be issued nevertheless.
_HANDLER: ContextVar[Callable[[str, type[Warning]], bool] | None] = ContextVar("forecastkit_warnings", default=None)


@contextmanager
def handle_warnings(handler: Callable[[str, type[Warning]], bool]) -> Iterator[None]:
    """Pass warnings of this library in the current thread to a function instead of issuing them.

    The function, of message and category, returns whether the warning is to be issued nevertheless.
    `warnings.catch_warnings` would change the filters of all threads, the user's too.
    """
    token = _HANDLER.set(handler)
    try:
        yield
    finally:
        _HANDLER.reset(token)


def without_warnings():
    """Issue no warnings of this library in the current thread."""
    return handle_warnings(lambda message, category: False)


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Issue a warning at the innermost stack frame outside the packages of `INNER`."""
    handler = _HANDLER.get()
    if handler is not None and not handler(message, category):
        return
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in INNER:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
