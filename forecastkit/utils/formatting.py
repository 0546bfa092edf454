"""Text for people: numbers, percentages, durations; and values as JSON holds them."""

import math
from collections.abc import Sequence


def number(value: float | None, decimals: int = 2) -> str:
    """A number for people; ``-`` where there is none."""
    return "-" if value is None or not math.isfinite(value) else f"{value:,.{decimals}f}"


def decimals(values: Sequence[float]) -> int:
    """How many decimals show three digits of the largest of these numbers."""
    largest = max((abs(value) for value in values if value is not None and math.isfinite(value)), default=0.0)
    return max(0, 2 - math.floor(math.log10(largest))) if largest > 0 else 0


def share(value: float | None) -> str:
    """A share in percent."""
    return "-" if value is None or not math.isfinite(value) else f"{100 * value:.0f} %"


def ranges(rows: Sequence[dict]) -> str:
    """Coverage of intervals as text, from the rows of `Backtest.coverage`; empty where there are none.

    The error is the larger one of two: the binomial one is too small where forecasts overlap, that by blocks of time is
    itself uncertain where blocks are few. Where all windows lie in one block of time, the error is not known: the
    binomial one of overlapping forecasts would be far too small.
    """
    found = [row for row in rows if row["rows"]]
    known = [_is_number(row["block_error"]) for row in found]
    parts = [
        f"{100 * row['interval']:g} %: {100 * row['share']:.0f}"
        + (f" ± {100 * max(row['binomial_error'], row['block_error']):.1f} %" if is_known else " %")
        for row, is_known in zip(found, known, strict=True)
    ]
    notes = ["errors: binomial, or by blocks of time if larger"] * any(known)
    notes += ["error not known: all windows lie in one block of time"] * (not all(known))
    return f"{', '.join(parts)} ({'; '.join(notes)})" if parts else ""


def _is_number(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def clock(seconds: float) -> str:
    """Minutes and seconds: ``00:52``."""
    return "{:02.0f}:{:02.0f}".format(*divmod(math.floor(seconds), 60))


def plain(value):
    """The value with numbers that JSON has: those that are not finite become None."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
