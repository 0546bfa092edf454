"""Kind of a column without a given role: measurement, classes, static, or unusable."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecastkit.data.files import column_names
from forecastkit.data.files.datetimes import is_categories, show_cells
from forecastkit.data.files.series_columns import is_constant_within
from forecastkit.data.files.time_columns import numbered_times
from forecastkit.data.files.time_shapes import MONTHS
from forecastkit.utils.validation import refuse

#: Largest number of distinct values of a text column that is used as classes by default.
MAX_CLASSES = 100
#: Number of rows in which a calendar column is compared with the times.
COMPARED = 5_000
#: Reason for leaving out text that has another value in each series.
NAMES_SERIES = "names the series as well"
_MISSING = column_names.words("na n/a n.a. nan none null missing error err # #n/a - -- ? * . unknown")


@dataclass(frozen=True)
class Kind:
    """Possible use of a column.

    Attributes
    ----------
    role : {'measured', 'class', 'static', 'unused'}
        Numbers that may be a target or a covariate; booleans or text that may be a covariate; constant within every
        series; or unusable.
    reason : str
        Why it is unused.
    """

    role: str
    reason: str = ""


def describe_column(column: pd.Series, codes: np.ndarray | None, times: pd.Series | None) -> Kind:
    """Return the possible use of a column.

    Parameters
    ----------
    column : Series
    codes : ndarray of int, optional
        Series of each row, if there are several.
    times : Series of datetime64, optional
    """
    named = is_target_name(column.name)
    if column.isna().all():
        return Kind("measured") if named else Kind("unused", "blank")
    if not pd.api.types.is_numeric_dtype(column):
        return _describe_text(column, codes)
    if pd.api.types.is_bool_dtype(column):
        return _fixed(column, codes) or Kind("class")
    if named:
        return Kind("measured")
    if times is not None and numbered_times(column, only_exact=True) is not None:
        return Kind("unused", "times as well")
    if is_calendar(column, times):
        return Kind("unused", "repeats the calendar")
    if is_counter(column, codes) or (column_names.is_called(column.name, column_names.DATES) and _is_even(column)):
        return Kind("unused", "a row counter")
    return _fixed(column, codes) or Kind("measured")


def is_target_name(name: str) -> bool:
    """Return whether a name is that of a target column."""
    return any(column_names.is_called(name, names) for names in column_names.TARGETS)


def _fixed(column: pd.Series, codes: np.ndarray | None) -> Kind | None:
    """Return the kind of a column that is constant within each series, or in all rows of a single series."""
    if codes is None or codes.max(initial=0) < 1:
        if column_names.holds(column.name, column_names.SERIES) and column.nunique(dropna=False) == 1:
            return Kind("unused", "the same in all rows")
        return None
    if not is_constant_within(column, codes):
        return None
    if column.nunique() <= 1 and not column.isna().any():
        return Kind("unused", "the same in all rows")
    return Kind("static")


def _describe_text(column: pd.Series, codes: np.ndarray | None) -> Kind:
    odd = odd_cells(column)
    if 0 < odd.sum() < column.notna().sum() / 2 and not _are_classes(column, odd):
        return Kind("unused", f"not all numbers: {show_cells(column, odd)}")
    levels = column.nunique()
    if levels <= 1 and not column.isna().any():
        return Kind("unused", "text, the same in all rows")
    filled = column.astype(object).where(column.notna(), "")
    if codes is not None and codes.max(initial=0) >= 1 and is_constant_within(filled, codes):
        if levels > codes.max() or levels > MAX_CLASSES:
            return Kind("unused", NAMES_SERIES)
        return Kind("static")
    if levels == len(column):
        return Kind("unused", "text, one value per row")
    if levels > min(MAX_CLASSES, len(column) / 2):
        return Kind("unused", f"text of {levels:,} values")
    return Kind("class")


def _are_classes(column: pd.Series, odd: np.ndarray) -> bool:
    """Return whether text among numbers represents classes: repeated words and few numbers."""
    words, counts = np.unique(column[odd].astype(str), return_counts=True)
    missing = any(column_names.plain(word) in _MISSING or not any(map(str.isalpha, word)) for word in words)
    return not missing and counts.min() > 1 and column[~odd].nunique() <= 10


def odd_cells(column: pd.Series) -> np.ndarray:
    """Return which cells of a non-numeric column are not numbers."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return column.notna().to_numpy()
    if is_categories(column):
        words = odd_cells(pd.Series(column.cat.categories))
        return np.append(words, False)[column.cat.codes.to_numpy()]
    return (pd.to_numeric(column.astype(object), errors="coerce").isna() & column.notna()).to_numpy()


def is_counter(column: pd.Series, codes: np.ndarray | None = None) -> bool:
    """Return whether integers count rows: by one in each row of the table or series, from 0 or 1 or by name."""
    if len(column) < 3 or column.isna().any():
        return False
    named = column_names.is_called(column.name, column_names.COUNTERS) or column_names.holds(
        column.name, column_names.words("unnamed rownum rowid")
    )
    if named and _rises(column):
        return True
    if not named and column.iloc[0] not in (0, 1):
        return _counts(column) and not pd.api.types.is_float_dtype(column)
    if _counts(column):
        return True
    if codes is None:
        return False
    order = np.argsort(codes, kind="stable")
    steps = column.iloc[order].diff().to_numpy()[1:]
    return bool((steps[codes[order][1:] == codes[order][:-1]] == 1).all())


def _is_even(column: pd.Series) -> bool:
    """Return whether numbers rise by the same step, such as seconds since the start."""
    steps = np.diff(column.to_numpy(dtype="float64"))
    return bool(len(steps) > 1 and steps.min() > 0 and np.allclose(steps, steps[0], rtol=1e-3))


def _rises(column: pd.Series) -> bool:
    steps = column.diff().iloc[1:]
    return bool((column % 1 == 0).all() and ((steps > 0).all() or (steps < 0).all()))


def _counts(column: pd.Series) -> bool:
    for part in (column.head(100), column):
        steps = part.diff().iloc[1:]
        if not (steps == 1).all():
            return False
    return True


def is_calendar(column: pd.Series, times: pd.Series | None) -> bool:
    """Return whether a column is named like a part of a date and contains that part of the times."""
    called = column_names.is_called(column.name, column_names.CALENDAR)
    if column.isna().any() or not (column % 1 == 0).all():  # such as kW, not the week that "kw" means in German
        return False
    if times is None or not (called or set(column_names.split_name(column.name)[-1:]) & column_names.CALENDAR):
        return called
    stamps = pd.DatetimeIndex(times.iloc[:COMPARED])
    stamps = stamps.tz_localize(None) if stamps.tz is not None else stamps
    values = column.iloc[:COMPARED].to_numpy(dtype="float64")
    own = (stamps.year, stamps.quarter, stamps.month, stamps.isocalendar().week, stamps.day, stamps.hour, stamps.minute,
           stamps.day_of_week, stamps.day_of_year)  # fmt: skip
    return any(_repeats(values, np.asarray(part, dtype="float64")) for part in own)


def _repeats(values: np.ndarray, part: np.ndarray) -> bool:
    """Return whether values and parts correspond one to one, which says something only if parts recur or rise alike."""
    pairs = len(pd.DataFrame({"a": values, "b": part}).drop_duplicates())
    recur = pairs < len(part) or len(np.unique(values - part)) == 1
    return recur and pairs == len(np.unique(values)) == len(np.unique(part))


def refuse_unread(where: str, free: pd.DataFrame) -> None:
    """Refuse text columns that may contain times if no times were found; labels that count rows are accepted."""
    for name in free:
        column = free[name]
        if pd.api.types.is_numeric_dtype(column) and column_names.is_date(name) and not _is_even(column):
            got = "blank cells" if column.isna().any() else f"cells such as {column.iloc[0]}"
            remedy = "Write 2024-01-31, or leave this column out of the table."
            refuse(where, f"{name!r} may hold times, and no column was read as times", got, remedy)
        if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
            continue
        alone = len(column) > 1 and column.notna().all() and column.nunique() == len(column)
        called = column_names.is_called(name, column_names.TIMES) or column_names.holds(name, column_names.DATES)
        # A name alone is not sufficient: `month` may contain classes, like `promo`.
        named, outline = column_names.is_called(name, column_names.DATES), _is_outline(column)
        if outline or ((alone or (called and _distinguishes(free, name))) and (named or not _count_rows(column))):
            what = "may hold times" if called or outline else "has distinct values, as times have"
            got = f"cells such as {str(next(iter(column.dropna()), ''))!r}"
            remedy = "Name the column of times with time=, or leave this one out of the table."
            refuse(where, f"{name!r} {what}, and no column was read as times", got, remedy)


def _distinguishes(free: pd.DataFrame, name: str) -> bool:
    """Return whether most values of a column are distinct, or all are for each value of another column of text."""
    if free[name].nunique() > len(free) / 2:
        return True
    others = [other for other in free if other != name and not pd.api.types.is_numeric_dtype(free[other])]
    return any(free[other].nunique() > 1 and not free.duplicated([name, other]).any() for other in others)


def _is_outline(column: pd.Series) -> bool:
    """Return whether a column contains names of months below years, as pivot tables write them."""
    words = column.dropna().astype(str).str.strip().str.lower()
    months = words.isin(MONTHS)
    years = words.str.fullmatch(r"(?:1[89]|20)\d\d")
    return bool(months.mean() > 0.5 and years.any() and (months | years).mean() > 0.9)


def _count_rows(column: pd.Series) -> bool:
    """Return whether labels of one or two numbers, such as ``Week 1`` or 1-01, increase from row to row."""
    text = column.astype(str)
    if text.head(100).str.contains(r"\d+\D+\d+\D+\d|[^\W\d]+\d+\D+\d").any():  # they have the form of dates
        return False
    if text.str.fullmatch(r"\s*\d{1,2}:\d{2}(?::\d{2})?(?:\s*[ap]m)?\s*", case=False).all():  # times without a date
        return False
    numbers = text.str.extractall(r"(\d+)")[0].astype("float64").unstack()
    if len(numbers) != len(column) or numbers.isna().any(axis=None):
        return False
    steps = np.diff(numbers.to_numpy(), axis=0)
    leading = steps[np.arange(len(steps)), (steps != 0).argmax(axis=1)]
    return bool((leading > 0).all())
