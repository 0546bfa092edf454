"""Finds which column of a table plays which part: time, series, targets, covariates.

Guesses are made for files only: a frame handed to a forecaster is taken at its word.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from forecastkit.data.files.datetimes import Times, is_categories, is_time, read_numbers, read_times, show_cells
from forecastkit.utils.exceptions import InputError, ParameterError
from forecastkit.utils.validation import check_keys, refuse, some

_TIME_WORDS = re.compile(
    "time|date|datetime|date_time|timestamp|ds|year|quarter|month|week|day|zeit|zeitpunkt|zeitstempel|uhrzeit|datum|jahr|"
    "quartal|monat|woche|tag|tijd|heure|année|annee|trimestre|mois|semaine|jour|fecha|hora|año|mes|semana|día|dia"
)
_SERIES_WORDS = re.compile(
    "id|uid|series|item|product|article|sku|store|shop|site|station|sensor|meter|location|region|country|city|zone|group|"
    "ticker|symbol|customer|household|serie|reihe|produkt|artikel|filiale|standort|zähler|ort|land|stadt|gruppe|kunde"
)
_TARGET_WORDS = (
    re.compile("y|target"),
    re.compile("value|cnt|count|sales|demand|load|consumption|wert|umsatz|absatz|verbrauch"),
)
#: Rows that repeated times are looked for in, where there are more than many.
MANY, FEW = 1 << 20, 200_000
_FEW_REPEATS = 0.01  # a few repeated (series, time) rows, such as clock changes, do not hide a series column
_ANY_SERIES = 0.2  # below this share of repeated times only a column that is called like a series is one


@dataclass(frozen=True)
class Roles:
    """Which column plays which part.

    Attributes
    ----------
    time, series_id : str or None
        None when there is no such column: rows are in order, or one series.
    target, known, past, static : tuple of str
        Columns to forecast, known ahead, known only to the past, and the same within a series.
    unused : tuple of (str, str)
        The other columns, each with the reason.
    date_order : str
        How the times are written, such as ``"day.month.year"``; empty when they were times already.
    times : pandas.Series or None
        The time column, read.
    """

    time: str | None
    series_id: str | None
    target: tuple[str, ...]
    known: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    unused: tuple[tuple[str, str], ...] = ()
    date_order: str = ""
    times: pd.Series | None = field(default=None, repr=False, compare=False)

    def select(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The columns of `frame` that play a part, times read and text among the covariates as categories."""
        keys = [name for name in (self.series_id, self.time) if name is not None]
        selected = frame[[*keys, *self.target, *self.known, *self.past, *self.static]]
        text = [name for name in (*self.known, *self.past, *self.static) if not _is_numeric(frame[name])]
        read = {} if self.time is None else {self.time: self.times}
        return selected.assign(**read, **{name: frame[name].astype("category") for name in text})


def find_roles(
    frame: pd.DataFrame,
    *,
    time: str | None = None,
    series_id: str | None = None,
    target: str | Iterable[str] | None = None,
    known: str | Iterable[str] | None = None,
    past: str | Iterable[str] | None = None,
    static: str | Iterable[str] | None = None,
    where: str = "data",
) -> Roles:
    """Find the time column, the series column, the targets and the covariates of a table.

    Parameters
    ----------
    frame : pandas.DataFrame
        As `read_table` gives it.
    time, series_id : str, optional
        Given names are taken; otherwise the time column is one whose cells are all times, and the series column one
        within which times do not repeat although they do in the table.
    target, known, past, static : str or iterable of str, optional
        Given names are taken. Without `target` a single column called like one (``y``, ``sales``) is it, else all
        numeric columns are targets. With a target the other numeric columns are `past`, unless `past` is given.
    where : str
        What a refusal calls the table.

    Returns
    -------
    Roles

    Raises
    ------
    InputError
        When a given name does not exist or plays two parts, a given time column does not parse, or a target is text.
    """
    given = {"target": target, "known": known, "past": past, "static": static}
    given = {role: _names(names) for role, names in given.items()}
    _check_roles(where, frame, {"time": _names(time), "series_id": _names(series_id), **given})
    taken = [series_id, *given["target"], *given["known"], *given["past"], *given["static"]]
    free = frame.drop(columns=[name for name in taken if name is not None])
    time, times, others = _find_time(frame, free, time, series_id, where)
    if series_id is None:
        series_id = find_series(free.drop(columns=[*others, *_names(time)]), None if times is None else times.values)
    free = free.drop(columns=[name for name in (time, series_id) if name in free])
    unused = dict.fromkeys(others, "times as well") | _find_unused(free.drop(columns=others), frame, series_id)
    targets, rest = _find_targets(where, free, given["target"], [name for name in free if name not in unused])
    if past is None:
        given["past"] = tuple(rest)
    else:
        unused |= dict.fromkeys(rest, "not named as past")
    return Roles(
        time=time,
        series_id=series_id,
        unused=tuple((name, unused[name]) for name in frame if name in unused),
        date_order="" if times is None else times.order,
        times=None if times is None else times.values,
        **given | {"target": targets},
    )


def find_times(frame: pd.DataFrame, time: str | None = None) -> pd.Series | None:
    """The times of a table, None where it has no column of them."""
    found = _find_time(frame, frame, time if time in frame else None, None, "data")[1]
    return None if found is None else found.values


def _names(names: str | Iterable[str] | None) -> tuple[str, ...]:
    return () if names is None else (names,) if isinstance(names, str) else tuple(names)


def _check_roles(where: str, frame: pd.DataFrame, given: dict[str, tuple[str, ...]]) -> None:
    roles: dict[str, str] = {}
    for role, names in given.items():
        check_keys(where, f"the {role} column", names, frame.columns)
        for name in names:
            if name in roles:
                got = f"{name!r} as {roles[name]} and {role}"
                refuse(where, "a column must have one role", got, error=ParameterError)
            roles[name] = role
    for name in given["target"]:
        if not _is_numeric(frame[name]):
            refuse(where, f"target {name!r} must be numeric", show_cells(frame[name], _not_numbers(frame[name])))


def _is_numeric(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column)


def _not_numbers(column: pd.Series) -> np.ndarray:
    """Which cells of a column that is not numeric are to blame."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return column.notna().to_numpy()
    if is_categories(column):
        words = _not_numbers(pd.Series(column.cat.categories))
        return np.append(words, False)[column.cat.codes.to_numpy()]
    return (pd.to_numeric(column.astype(object), errors="coerce").isna() & column.notna()).to_numpy()


def _is_called(name: str, words: re.Pattern) -> bool:
    return words.fullmatch(name.lower()) is not None


def _holds(name: str, words: re.Pattern) -> bool:
    """Whether one of the words is part of a name: ``orderDate`` and ``order_date`` hold two."""
    parts = re.findall(r"[^\W\d_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))
    return any(_is_called(part, words) for part in parts)


def _find_time(
    frame: pd.DataFrame, free: pd.DataFrame, given: str | None, series_id: str | None, where: str
) -> tuple[str | None, Times | None, list[str]]:
    """The time column, its times, and the other columns of times."""
    if given is not None:
        times = read_times(frame[given], f"{where}: time column {given!r}")
        return given, times, [name for name in free if name != given and _try_times(free[name])]
    begun = [name for name in free if _is_text(free[name]) and _begins_as_times(free[name].head(50))]
    found = {name: times for name in begun if (times := _try_times(free[name]))}
    ranked = sorted(found, key=lambda name: (*_repeats(found, name), *_likeness(name, _TIME_WORDS)))
    if begun and not found:  # better a word about the odd cells than rows taken in their order
        name = min(begun, key=lambda name: _likeness(name, _TIME_WORDS))
        read_times(free[name], f"{where}: time column {name!r}")
    if not found:
        ranked = [name for name in free if _is_numbered(frame, free, name, series_id)]
        found = {name: read_numbers(free[name], where) for name in ranked}
    return (ranked[0], found[ranked[0]], ranked[1:]) if ranked else (None, None, [])


def _begins_as_times(cells: pd.Series) -> bool:
    """Whether the first cells of a column are times, or most look like one."""
    cells = cells.astype(object) if is_categories(cells) else cells
    return _try_times(cells) is not None or cells.astype(str).map(is_time).mean() > 0.5


def _likeness(name: str, words: re.Pattern) -> tuple[bool, bool]:
    """A sort key: names that are one of the words first, then those that hold one."""
    return not _is_called(name, words), not _holds(name, words)


def _is_text(column: pd.Series) -> bool:
    """Whether a column may hold times: text, coded or not, or times."""
    return not _is_numeric(column) and not (is_categories(column) and _is_numeric(column.cat.categories))


def _try_times(column: pd.Series) -> Times | None:
    """The times of a column, None where it is not one of times."""
    try:
        return read_times(column, "") if _is_text(column) else None
    except InputError:
        return None


def _is_numbered(frame: pd.DataFrame, free: pd.DataFrame, name: str, series_id: str | None) -> bool:
    """Whether whole numbers in a column called like a time, such as years, tell the rows of each series apart."""
    if not _is_called(name, _TIME_WORDS) or not _is_numeric(free[name]) or free[name].isna().any():
        return False
    try:
        times = read_numbers(free[name], "").values
    except InputError:
        return False
    series = series_id or find_series(free.drop(columns=name), times)
    some_rows = _some_times(times)
    frame, times = frame[some_rows], times[some_rows]
    return not pd.DataFrame({"series": 0 if series is None else frame[series], "time": times}).duplicated().any()


def find_series(frame: pd.DataFrame, times: pd.Series | None) -> str | None:
    """The column within which times do not repeat, although they do in the table."""
    if "unique_id" in frame:
        return "unique_id"
    if times is None:
        return None
    some_rows = _some_times(times)
    frame, times = frame[some_rows], times[some_rows]
    if not times.duplicated().any():
        return None
    few = [name for name in frame if not _is_measured(frame[name]) and frame[name].nunique() <= len(frame) / 2]
    for name in sorted(few, key=lambda name: (*_likeness(name, _SERIES_WORDS), _is_numeric(frame[name]))):
        if _separates(frame[name], times, hinted=_holds(name, _SERIES_WORDS)):
            return name
    return None


def _repeats(found: dict[str, Times], name: str) -> tuple[bool, ...]:
    """Whether times repeat in a column, where there is another to choose."""
    return () if len(found) == 1 else (bool(found[name].values.duplicated().any()),)


def _some_times(times: pd.Series) -> np.ndarray | slice:
    """Rows to look at: all, or of very many all rows at some of the times, so that what repeats there is seen."""
    if len(times) <= MANY:
        return slice(None)
    wanted = np.zeros(len(times), dtype=bool)
    sparse = len(times) // FEW
    while not wanted.any():
        for low in range(0, len(times), MANY):
            numbers = times.iloc[low : low + MANY].to_numpy().view("uint64")
            wanted[low : low + MANY] = (numbers * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(33)) % sparse == 0
        sparse = sparse // 2 or 1
    return wanted


def _is_measured(column: pd.Series) -> bool:
    return pd.api.types.is_float_dtype(column) or pd.api.types.is_bool_dtype(column)


def _separates(column: pd.Series, times: pd.Series, hinted: bool) -> bool:
    repeated = times.duplicated().mean()
    left = pd.DataFrame({"series": column, "time": times}).duplicated().mean()
    if hinted:
        return left <= repeated / 10
    if _is_numeric(column):  # small whole numbers may be measurements: exactly as many levels as needed, nothing left
        return repeated >= _ANY_SERIES and left == 0 and column.nunique() == times.value_counts().max()
    return repeated >= _ANY_SERIES and left <= _FEW_REPEATS


def _find_unused(free: pd.DataFrame, frame: pd.DataFrame, series_id: str | None) -> dict[str, str]:
    """Reasons why columns cannot be a target or a covariate unasked."""
    unused = {name: reason for name in free if (reason := _why_unused(free[name], frame, series_id))}
    if all(name in unused for name in free):  # better a target that looks odd than none
        unused = {name: reason for name, reason in unused.items() if not _is_numeric(free[name])}
    return unused


def _why_unused(column: pd.Series, frame: pd.DataFrame, series_id: str | None) -> str:
    if column.isna().all():
        return "" if _is_target(column.name) else "blank"
    if not _is_numeric(column):
        return _why_text(column, frame, series_id)
    if pd.api.types.is_bool_dtype(column):
        return "true or false"
    begins = column.iloc[0] in (0, 1) and (column.head(100).diff().iloc[1:] == 1).all()
    counting = begins and (column.diff().iloc[1:] == 1).all() and len(column) > 2
    return "a row counter" if counting and not _is_target(column.name) else ""


def _why_text(column: pd.Series, frame: pd.DataFrame, series_id: str | None) -> str:
    bad = _not_numbers(column)
    if bad.sum() < column.notna().sum() / 2:
        return f"not all numbers: {show_cells(column, bad)}"
    if series_id is not None and (column.groupby(frame[series_id]).nunique() <= 1).all():
        return f"text, the same within each series: static={column.name} uses it"
    return "text"


def _is_target(name: str) -> bool:
    return any(_is_called(name, words) for words in _TARGET_WORDS)


def _find_targets(
    where: str, free: pd.DataFrame, given: tuple[str, ...], numeric: list[str]
) -> tuple[tuple[str, ...], list[str]]:
    """The targets, and the numeric columns that are left."""
    if not given and not numeric:
        text = [f"{name!r} such as {str(next(iter(free[name].dropna()), 'blank'))!r}" for name in free]
        refuse(where, "there must be a numeric column to forecast", f"only {some(text)}" if text else "no other column")
    for words in () if given else _TARGET_WORDS:
        called = [name for name in numeric if _is_called(name, words)]
        if len(called) == 1:
            given = tuple(called)
            break
    return given or tuple(numeric), [name for name in numeric if name not in given] if given else []
