"""Human-readable text for numbers, percentages and durations; conversion to JSON values."""

import math
from collections.abc import Sequence


def number(value: float | None, decimals: int = 2) -> str:
    """Format a number with thousands separators; ``-`` if it is None or not finite."""
    return "-" if value is None or not math.isfinite(value) else f"{value:,.{decimals}f}"


def decimals(values: Sequence[float]) -> int:
    """Return the number of decimals that shows three significant digits of the largest of these numbers."""
    largest = max((abs(value) for value in values if value is not None and math.isfinite(value)), default=0.0)
    return max(0, 2 - math.floor(math.log10(largest))) if largest > 0 else 0


def percent(value: float | None) -> str:
    """Format a fraction as a percentage; ``-`` if it is None or not finite."""
    return "-" if value is None or not math.isfinite(value) else f"{100 * value:.0f} %"


def coverage_text(rows: Sequence[dict]) -> str:
    """Format interval coverage from the rows of `Backtest.coverage`; an empty string if there are none.

    The error shown is the larger of two estimates. The binomial error is too small if forecasts overlap, and the error
    by blocks of time is uncertain if there are few blocks. If all windows lie in one block, no error is shown, because
    the binomial error of overlapping forecasts would be far too small. None is shown either if all or no actuals are
    inside: both estimates are 0 then.
    """
    found = [row for row in rows if row["rows"]]
    known = [_is_number(row["block_error"]) for row in found]
    errors = [
        max(row["binomial_error"], row["block_error"]) if ok else 0.0 for row, ok in zip(found, known, strict=True)
    ]
    parts = [
        f"{100 * row['interval']:g} %: {100 * row['share']:.0f}" + (f" ± {100 * error:.1f} %" if error else " %")
        for row, error in zip(found, errors, strict=True)
    ]
    notes = ["errors: binomial, or by blocks of time if larger"] * any(errors)
    notes += ["error not known: all windows lie in one block of time"] * (not all(known))
    return ", ".join(parts) + (f" ({'; '.join(notes)})" if notes else "")


def _is_number(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def minutes_and_seconds(seconds: float) -> str:
    """Format a duration in seconds as minutes and seconds: ``00:52``."""
    return "{:02.0f}:{:02.0f}".format(*divmod(math.floor(seconds), 60))


def json_value(value):
    """Convert a nested value to JSON types; numbers that are not finite become None."""
    if isinstance(value, dict):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_value(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
