"""Times given as numbers: years, digits of a date, unix times, serial days of spreadsheets."""

from collections.abc import Iterator

import numpy as np

from forecastkit.data.files.calendar_dates import dates_of, full_years, regularity, weeks_of
from forecastkit.data.files.time_shapes import named_period

#: Valid years of dates given as digits, and of years alone.
_YEARS, _LONE_YEARS = (1900, 2100), (1700, 2300)
_UNIX = (("seconds", 10**6), ("milliseconds", 10**3), ("microseconds", 1), ("nanoseconds", 1))
#: Serial days of spreadsheets from 1954 to 2091, and their epoch.
_SPREADSHEET, _DAY_ZERO = (20_000, 70_000), np.datetime64("1899-12-30", "us")
POSITIONS, EXCEL = "whole numbers", "Excel serial days"
MONTH_YEARS, DECIMAL_YEARS = "yyyy.mm", "decimal years"

Reading = tuple[str, np.ndarray]


def dated_numbers(numbers: np.ndarray, name: object = None, order: str = "") -> tuple[np.ndarray | None, str, str]:
    """Return times given as numbers.

    Parameters
    ----------
    numbers : numpy.ndarray
        int64, or float64 if some are not integers.
    name : object
        Name of the column, which may determine the meaning of its digits (weeks or dates).
    order : str
        Format of earlier times of the same source, which resolves ambiguous numbers.

    Returns
    -------
    times : numpy.ndarray or None
        datetime64[us], or int64 for positions; None if fractions cannot be times.
    order : str
        The format, such as ``"yyyymmdd"``.
    sentence : str
        Guess in one sentence; empty if there is only one reading.
    """
    called = {"yyyyww": "week", "yyyyq": "quarter", "yyddd": "julian", "cyyddd": "julian", EXCEL: "date"}
    called = called.get(order, named_period(name))
    found = dict(_readings(numbers, called, order))
    if order == POSITIONS and numbers.dtype.kind == "i":
        return numbers, POSITIONS, ""
    if order in found:
        return found[order].astype("datetime64[us]"), order, ""
    if not found:
        return (numbers, POSITIONS, "") if numbers.dtype.kind == "i" else (None, "", "")
    best = next(iter(found))
    several = [reading for reading in found if reading != best]
    sentence = f"{numbers[0]:.15g} is read as {best}" if several or best == EXCEL else ""
    return found[best].astype("datetime64[us]"), best, sentence


def _readings(numbers: np.ndarray, called: str, order: str) -> Iterator[Reading]:
    """Return possible readings of the numbers, the most plausible first."""
    if numbers.dtype.kind == "i":
        yield from _years(numbers)
        yield from _six_digits(numbers, called)
        yield from _digits(numbers)
        if called in ("julian", "date"):
            yield from _days_of_years(numbers, called)
    yield from _unix(numbers)
    if numbers.dtype.kind == "f" or order in (MONTH_YEARS, DECIMAL_YEARS):
        yield from _decimal_years(numbers, order)
    if _within(numbers, _SPREADSHEET) and (numbers.dtype.kind == "f" or called == "date"):
        seconds = np.round(numbers.astype("float64") * 86_400).astype("int64")  # fractions of days are not exact
        yield EXCEL, _DAY_ZERO + seconds.astype("timedelta64[s]")


def _within(numbers: np.ndarray, bounds: tuple[float, float]) -> bool:
    return bool(numbers.min() >= bounds[0] and numbers.max() <= bounds[1])


def _years(whole: np.ndarray) -> Iterator[Reading]:
    low, high = whole.min(), whole.max()
    counting = low in (0, 1) and len(np.unique(whole)) == high - low + 1
    if low >= 1 and _LONE_YEARS[0] <= high <= _LONE_YEARS[1] and not counting:
        yield "year", dates_of(whole, np.ones_like(whole))[0]


def _decimal_years(numbers: np.ndarray, order: str) -> Iterator[Reading]:
    """Return years with months or quarters: 2010.01 to 2010.12, or fractions such as 1950.0417 (the middle of January).

    They are recognized from three times, or from one where the `order` is known.
    """
    distinct = np.unique(numbers)
    if not _within(distinct, _LONE_YEARS) or (len(distinct) < 3 and order not in (MONTH_YEARS, DECIMAL_YEARS)):
        return
    hundredths = np.round(100 * numbers).astype("int64")  # 2010.1 is October beside 2010.01
    months, exist = dates_of(hundredths // 100, hundredths % 100)
    exact = exist.all() and np.abs(100 * numbers - hundredths).max() < 1e-6
    if exact and order != DECIMAL_YEARS and (order or regularity(months)[0] > 0.5):
        yield MONTH_YEARS, months
    steps = np.diff(np.floor(12 * distinct + 0.1).astype("int64"))  # .083 is February, and so is (31 days / 365)
    if order == DECIMAL_YEARS or (len(steps) and steps.min() > 0 and np.bincount(steps).argmax() in (1, 3, 6, 12)):
        whole = np.floor(12 * numbers + 0.1).astype("int64")
        yield DECIMAL_YEARS, dates_of(whole // 12, whole % 12 + 1)[0]


def _six_digits(whole: np.ndarray, called: str) -> Iterator[Reading]:
    """Return readings of six digits: months, weeks and dates; five-digit quarters if the column is named so."""
    if called == "quarter" and _within(whole // 10, _YEARS) and _within(whole % 10, (1, 4)):
        yield "yyyyq", dates_of(whole // 10, 3 * (whole % 10) - 2)[0]
    found: dict[str, np.ndarray] = {}
    if _within(whole // 100, _LONE_YEARS):
        months, exist = dates_of(whole // 100, whole % 100)
        if exist.all():
            found["yyyymm"] = months
        weeks, exist = weeks_of(whole // 100, whole % 100)
        if exist.all() and _within(whole // 100, _YEARS) and (called == "week" or (whole % 100).max() > 13):
            found["yyyyww"] = weeks
    days, exist = dates_of(full_years(whole // 10000), whole // 100 % 100, whole % 100)
    if exist.all() and _within(whole, (100_000 if called != "date" else 10_000, 999_999)):
        found["yymmdd"] = days
    likely = ["yyyyww", "yyyymm", "yymmdd"] if _within(whole // 100, _YEARS) else ["yymmdd", "yyyymm"]
    for reading in sorted(found, key=lambda reading: (-round(regularity(found[reading])[0], 2), likely.index(reading))):
        yield reading, found[reading]


def _digits(whole: np.ndarray) -> Iterator[Reading]:
    """Return readings of eight to fourteen digits as dates and times, and of years with the day of the year."""
    for order, size in (("yyyymmdd", 1), ("yyyymmddhh", 100), ("yyyymmddhhmm", 10**4), ("yyyymmddhhmmss", 10**6)):
        days, clock = whole // size, whole % size
        years = _LONE_YEARS if size == 1 else _YEARS
        if not _within(days // 10**4, years):
            continue
        dates, exist = dates_of(days // 10**4, days // 100 % 100, days % 100)
        clock = clock * (10**6 // size)
        hour, minute, second = clock // 10**4, clock // 100 % 100, clock % 100
        if (exist & (hour <= 24) & (minute < 60) & (second < 60) & (clock <= 240_000)).all():
            seconds = ((hour * 60 + minute) * 60 + second).astype("timedelta64[s]")
            yield order, dates + seconds
    if _within(whole % 10**4, _YEARS) and _within(whole, (1_010_000, 31_129_999)):
        dates, exist = dates_of(whole % 10**4, whole // 10**4 % 100, whole // 10**6)
        if exist.all():
            yield "ddmmyyyy", dates
    yield from _days_of_year(whole, 0, "year and day of the year")


def _days_of_years(whole: np.ndarray, called: str) -> Iterator[Reading]:
    """Return readings of centuries after 1900, years and days, and of two-digit years and days if named so."""
    yield from _days_of_year(whole, 1900, "cyyddd")
    if called == "julian" and _within(whole // 1000, (0, 99)):
        yield from _days_of_year(1000 * full_years(whole // 1000) + whole % 1000, 0, "yyddd")


def _days_of_year(whole: np.ndarray, zero: int, order: str) -> Iterator[Reading]:
    """Return the reading of years since `zero` and days of the year, such as 2024001."""
    year, day = whole // 1000 + zero, whole % 1000
    if not (_within(year, _YEARS) and _within(day, (1, 366))) or (zero and year.min() < 2000):
        return
    first = dates_of(year, np.ones_like(year))[0]
    dates = first + (day - 1)
    if (dates.astype("datetime64[Y]") == first.astype("datetime64[Y]")).all():
        yield order, dates


def _unix(numbers: np.ndarray) -> Iterator[Reading]:
    for unit, micros in _UNIX:
        size = 10**6 // micros if unit != "nanoseconds" else 10**9
        if _within(numbers, (1e8 * size, 5e9 * size)):
            if numbers.dtype.kind == "f":
                stamps = np.round(numbers * micros).astype("int64")
            else:
                stamps = numbers // 1000 if unit == "nanoseconds" else numbers * micros
            yield f"unix {unit}", stamps.astype("datetime64[us]")
