"""Dates from years, months, weeks and days, and how regular a column of them is."""

import numpy as np


def dates_of(year: np.ndarray, month: np.ndarray, day: np.ndarray | int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Dates of any year (pandas 2 cannot parse those before 1677), and which of them exist."""
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    dates = months.astype("datetime64[D]") + (day - 1)
    return dates, (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1) & (dates.astype("datetime64[M]") == months)


def weeks_of(year: np.ndarray, week: np.ndarray, weekday: np.ndarray | int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Days of ISO weeks, their Mondays unless `weekday` (1 to 7) says otherwise, and which of them exist."""
    first, last = _first_monday(year), _first_monday(year + 1)
    mondays = first + 7 * (week - 1)
    return mondays + (weekday - 1), (year >= 1) & (week >= 1) & (mondays < last)


def _first_monday(year: np.ndarray) -> np.ndarray:
    """Mondays of the weeks that hold 4 January."""
    fourth = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]") + 3
    return fourth - (fourth.astype("int64") + 3) % 7  # 1970-01-01 was a Thursday


def full_years(year: np.ndarray) -> np.ndarray:
    """Years of two digits as those from 1969 to 2068."""
    return np.where(year < 100, year + np.where(year < 69, 2000, 1900), year)


def regularity(dates: np.ndarray) -> tuple[float, float]:
    """How regular dates are: shares of the commonest step, and of rows in order.

    Parameters
    ----------
    dates : numpy.ndarray
        datetime64, in the order of their rows.

    Returns
    -------
    tuple of float
        The share of the commonest step between neighbouring dates, in months where all are first days; and the share
        of rows, each date at its first, that rise or that fall, whichever is larger.
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
