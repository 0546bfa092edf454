"""Dates from years, months, weeks and days, and the regularity of a column of dates."""

import numpy as np


def dates_of(year: np.ndarray, month: np.ndarray, day: np.ndarray | int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return dates of any year (pandas 2 cannot parse those before 1677), and which of them exist."""
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    dates = months.astype("datetime64[D]") + (day - 1)
    return dates, (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1) & (dates.astype("datetime64[M]") == months)


def weeks_of(year: np.ndarray, week: np.ndarray, weekday: np.ndarray | int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return days of ISO weeks, by default their Mondays, and which of them exist."""
    first, last = _first_monday(year), _first_monday(year + 1)
    mondays = first + 7 * (week - 1)
    return mondays + (weekday - 1), (year >= 1) & (week >= 1) & (mondays < last)


def _first_monday(year: np.ndarray) -> np.ndarray:
    """Return the Mondays of the weeks that contain 4 January."""
    fourth = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]") + 3
    return fourth - (fourth.astype("int64") + 3) % 7  # 1970-01-01 was a Thursday


#: Years of dates that are read as those of the Buddhist calendar, 1957 to 2107.
BUDDHIST = (2500, 2650)


def full_years(year: np.ndarray) -> np.ndarray:
    """Expand two-digit years to 1969 to 2068, and convert those of the Buddhist calendar."""
    return gregorian(np.where(year < 100, year + np.where(year < 69, 2000, 1900), year))


def gregorian(year: np.ndarray) -> np.ndarray:
    """Convert years of the Buddhist calendar."""
    return np.where((year >= BUDDHIST[0]) & (year <= BUDDHIST[1]), year - 543, year)


def regularity(dates: np.ndarray) -> tuple[float, float]:
    """Return the fractions of the most frequent step and of rows in order.

    Parameters
    ----------
    dates : numpy.ndarray
        datetime64, in row order.

    Returns
    -------
    tuple of float
        Fraction of the most frequent step between neighbouring dates (in months if all are first days), and fraction of
        rows, each distinct date counted once, that increase or that decrease, whichever is larger.
    """
    days = dates.astype("datetime64[D]")
    if (days == dates).all() and (days == days.astype("datetime64[M]")).all():
        dates = days.astype("datetime64[M]")
    dates, appeared = np.unique(dates, return_index=True)
    if len(dates) == 1:
        return 1.0, 1.0
    counts = np.unique(np.diff(dates), return_counts=True)[1]
    rises = np.mean(np.diff(appeared) > 0)
    return float(counts.max() / counts.sum()), float(max(rises, 1 - rises))
