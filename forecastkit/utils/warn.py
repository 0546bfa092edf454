"""Warnings that point to the user's line of code rather than to a line of this library."""

import sys
import warnings

#: Packages whose stack frames are skipped.
INNER = ("forecastkit", "sklearn", "joblib")


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Issue a warning at the innermost stack frame outside the packages of `INNER`."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in INNER:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
