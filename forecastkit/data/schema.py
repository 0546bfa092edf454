"""The schema: roles of the columns, determined at fit, for reading further rows and formatting results."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from forecastkit.data.array_checks import check_covariates, refuse_nameless
from forecastkit.utils.exceptions import DataWarning, ParameterError
from forecastkit.utils.validation import check_names, did_you_mean, first_few, refuse
from forecastkit.utils.warn import warn_user

#: Largest number of levels of a category that have a column each; more levels are coded in one column.
MAX_COLUMNS = 16
#: Roles of covariates.
ROLES = ("past", "known", "static")
#: Parameters of forecasters that define how data are read, as in
#: `forecastkit.data.ingest.read_panel.read_panel`.
READING = (
    *("target", "time", "series_id", "known", "past", "static"),
    *("freq", "timezone", "duplicates", "resample", "slots"),
)
RESERVED = ("forecast", "cutoff", "actual", "target", "step")
WHERE = "Panel"


@dataclass(frozen=True)
class Schema:
    """Layout of the data at `fit`, with which further rows are read and results are formatted.

    Parameters
    ----------
    form : {'array', 'series', 'frame', 'panel'}
    supervised : bool
        Whether `y` was given: columns of X are covariates known in advance.
    flat : bool
        Whether the target was one-dimensional.
    target, known, past, static : tuple
        Column names by role.
    time : str or None
        Name of the time column or index level.
    series_id : str, tuple of str or None
        Name of the series column or index level, or of several that name a series together.
    indexed, series_indexed : bool
        Whether times, and whether series names, are in the index.
    categories : dict
        Levels of each categorical covariate. Each becomes a 0/1 column; None, the last level if training data had
        missing cells, represents missing and unknown levels.
    coded : tuple
        Categories of many levels, the last of their role, in one column of codes, 0 for unknown levels.
    library : {'pandas', 'polars', 'pyarrow'}
        Library of the data, and of results.
    timezone : str or None
        Time zone of timestamps without one.
    duplicates : str
        How rows with the same series and time are handled.
    resample : str or None
        How rows in the same slot of a series are aggregated; ``'nearest'`` moves each to the nearest step.
    columns : tuple
        All columns of X at fit, in order; numbers if it had no names.
    time_parts : tuple
        Columns that together contain the time, whose names are joined in `time`.
    date_order : str
        Order in text dates, such as ``"day/month/year"``, in which further rows are read.
    levels : tuple
        Bottom series of a hierarchy, whose sums are series too; empty without one.
    weeks : dict
        Times of the week of each series that lacks some of those of the grid, as `TimeGrid.week`; the others are not
        forecast for it.
    """

    form: str
    supervised: bool = False
    flat: bool = True
    target: tuple = ()
    known: tuple = ()
    past: tuple = ()
    static: tuple = ()
    time: str | None = None
    series_id: str | tuple | None = None
    indexed: bool = True
    series_indexed: bool = False
    categories: dict = field(default_factory=dict)
    coded: tuple = ()
    library: str = "pandas"
    timezone: str | None = None
    duplicates: str = "refuse"
    resample: str | None = None
    columns: tuple = ()
    time_parts: tuple = ()
    date_order: str = ""
    levels: tuple = ()
    weeks: dict = field(default_factory=dict)

    @property
    def series_keys(self) -> tuple:
        """Columns or index levels that together name a series; () for a single series."""
        return as_names(self.series_id)

    @property
    def is_panel(self) -> bool:
        return self.form == "panel"

    @property
    def time_name(self) -> str:
        """Name of the time column in long results."""
        return "time" if self.time is None else self.time

    def width(self, names: tuple) -> int:
        """Return the number of buffer columns of these covariates; categories of few levels have one per level."""
        return sum(1 if name in self.coded else len(self.categories.get(name, (0,))) for name in names)

    def codes(self) -> dict[str, tuple[int, ...]]:
        """Return the number of codes of each coded column, by role."""
        roles = {role: [name for name in getattr(self, role) if name in self.coded] for role in ROLES}
        return {role: tuple(len(self.categories[name]) + 1 for name in names) for role, names in roles.items() if names}


def find_schema(X, y, given: Mapping[str, Any], library: str = "pandas") -> Schema:
    """Return the schema of training data, pandas or numpy.

    Parameters
    ----------
    X, y : as `fit` takes them, converted to pandas or numpy
    given : mapping of str to str or list of str
        The names given for ``target``, ``time``, ``series_id``, ``known``, ``past`` and ``static``.
    library : str
        The data frame library of X.
    """
    target, time, series_id = given.get("target"), given.get("time"), _single(given.get("series_id"))
    roles = {role: as_names(given.get(role)) for role in ("known", "past", "static")}
    if y is not None:
        if target is not None:
            refuse(WHERE, "target= names columns of X, and y must not be given with it", repr(target))
        found = _supervised(X, y, roles, time, series_id)
    elif isinstance(X, pd.DataFrame):
        found = _of_frame(X, roles, as_names(target), time, series_id)
    elif isinstance(X, pd.Series):
        name = X.name if X.name is not None else "y"
        found = {"form": "series", "target": (name,), "time": time or X.index.name}
    else:
        found = _of_array(X)
    _check_keys_free(found)
    covariates = [name for role in ("known", "past", "static") for name in found.get(role, ())]
    columns = tuple(X.columns) if isinstance(X, pd.DataFrame) else tuple(range(X.shape[1] if X.ndim > 1 else 1))
    categories = _categories(X, covariates)
    coded = tuple(name for name, levels in categories.items() if len(levels) > MAX_COLUMNS)
    for role in ROLES:
        found[role] = tuple(sorted(found.get(role, ()), key=lambda name: name in coded))
    return Schema(**found, categories=categories, coded=coded, library=library, columns=columns)


def as_names(names) -> tuple:
    """Return one name or several as a tuple."""
    if names is None:
        return ()
    return (names,) if isinstance(names, str) or not np.iterable(names) else tuple(names)


def _single(names):
    """Return several names as a tuple, a single one as it is."""
    names = as_names(names)
    return names if len(names) > 1 else names[0] if names else None


def _of_array(X):
    dimensions = np.ndim(X)
    if dimensions not in (1, 2):
        rule = "data must be a frame, a Series, or an array of one dimension (time) or two (time, series)"
        got = f"{dimensions} dimensions" if dimensions else f"{X.item()!r:.40}"
        remedy = "Windows are cut internally: pass the series itself." if dimensions else "Pass pandas.DataFrame(data)."
        refuse(WHERE, rule, got, remedy)
    target = ("y",) if dimensions == 1 else tuple(f"y{i}" for i in range(np.shape(X)[1]))
    return {"form": "array", "flat": dimensions == 1, "target": target}


def _supervised(X, y, roles, time, series_id):
    flat = np.ndim(y) == 1
    if isinstance(y, pd.DataFrame):
        target = tuple(y.columns)
    elif flat:
        target = (getattr(y, "name", None) if getattr(y, "name", None) is not None else "y",)
    else:
        target = tuple(f"y{i}" for i in range(np.shape(y)[1]))
    times_of_y = y.index.name if isinstance(y, (pd.Series, pd.DataFrame)) else None
    found = {"supervised": True, "flat": flat, "target": target}
    if isinstance(X, pd.DataFrame):
        keys = _find_keys(X, time, series_id)
        taken = {keys["time"], *as_names(keys["series_id"]), *roles["past"], *roles["static"]}
        _check_roles(X, roles)
        known = roles["known"] or tuple(c for c in X.columns if c not in taken)
        if keys["time"] is None and keys["indexed"]:
            keys["time"] = times_of_y
        return {**found, **roles, **keys, "known": known, "form": "panel" if keys["series_id"] is not None else "frame"}
    check_covariates(X)
    names = tuple(f"x{i}" for i in range(np.shape(X)[1]))
    past = tuple(name if isinstance(name, str) else f"x{name}" for name in roles["past"])
    lost = [
        *as_names(None if time == times_of_y else time),
        *as_names(series_id),
        *roles["static"],
        *(set(roles["known"]) - {*names, *range(len(names))}),
    ]
    if lost:
        refuse_nameless(first_few(map(repr, lost)))
    check_names(WHERE, "a column named in past=", past, names)
    known = tuple(name for name in names if name not in past)
    return {**found, "form": "array", "known": known, "past": past, "time": times_of_y}


def _of_frame(frame, roles, target, time, series_id):
    if not len(frame.columns):
        refuse(WHERE, "a frame must have a column to forecast", "none")
    keys = _find_keys(frame, time, series_id)
    _check_roles(frame, {"target": target, **roles})
    taken = {keys["time"], *as_names(keys["series_id"]), *roles["known"], *roles["past"], *roles["static"]}
    twice = [c for c in target if c in taken]
    if twice:
        refuse(WHERE, "a target cannot have another role too", first_few(map(repr, twice)))
    free = [c for c in frame.columns if c not in taken]
    if target:
        others = tuple(c for c in free if c not in target and pd.api.types.is_numeric_dtype(frame[c]))
        roles = {**roles, "past": roles["past"] + others}
        if others:
            said = (
                f"{WHERE}: taken as past covariates, known up to the cutoff only: {first_few(map(repr, others), 8)}. "
            )
            warn_user(said + "Name them in known= or past=, or leave them out.", DataWarning)
    if not (target or free):
        refuse(WHERE, "a frame must have a column to forecast", f"only {first_few(map(repr, frame.columns), 8)}")
    form = "panel" if keys["series_id"] is not None else "frame"
    return {**roles, **keys, "form": form, "flat": False, "target": target or tuple(free)}


def _check_roles(frame, roles):
    for role, names in roles.items():
        check_names(WHERE, f"a column named in {role}=", names, frame.columns)


def _check_keys_free(found):
    """Refuse names of keys and targets that are reserved for columns of results."""
    names = [
        found.get("time"),
        *as_names(found.get("series_id")),
        *(found["target"] if found["form"] == "panel" else ()),
    ]
    taken = [name for name in names if name in RESERVED]
    if taken:
        rule = f"the names {', '.join(RESERVED)} are reserved for results"
        refuse(WHERE, rule, first_few(map(repr, taken)), "Rename the column.")


def _find_keys(frame, time, series_id):
    """Return the names of the time and series columns or index levels, and whether they are in the index."""
    levels = list(frame.index.names)
    everything = [*frame.columns, *(name for name in levels if name is not None)]
    for what, names in (("time", as_names(time)), ("series_id", as_names(series_id))):
        for name in names:
            if name not in everything:
                rule, remedy = f"the column named in {what}= must exist", did_you_mean(name, everything)
                refuse(WHERE, rule, repr(name), remedy, ParameterError)
    if series_id is None and "unique_id" in everything:
        series_id = "unique_id"
    if isinstance(frame.index, pd.MultiIndex):
        time, series_id = _find_levels(frame.index, time, series_id)
    if time is None and series_id is not None and "ds" in frame.columns:
        time = "ds"
    if time is None and holds_times(frame.index):
        time, indexed = frame.index.name, True
    else:
        if time is None:
            stamped = [c for c in frame.columns if pd.api.types.is_datetime64_any_dtype(frame[c])]
            time = stamped[0] if len(stamped) == 1 else None
        indexed = time is None or time not in frame.columns
    inside = {name not in frame.columns for name in as_names(series_id)}
    if len(inside) > 1:
        got, remedy = first_few(map(repr, as_names(series_id))), "reset_index() makes all of them columns."
        refuse(WHERE, "columns that name series together must all be columns, or all be index levels", got, remedy)
    return {"time": time, "series_id": series_id, "indexed": indexed, "series_indexed": inside == {True}}


def _find_levels(index, time, series_id):
    """Return the time level of a MultiIndex, and the other levels, which name the series."""
    if None in index.names:
        got = f"names {list(index.names)}"
        refuse(WHERE, "the levels of the index must have names", got, "rename_axis(['unique_id', 'ds']) gives some.")
    others = [n for n in index.names if n not in (time, *as_names(series_id))]
    if time is None:
        timed = [n for n in others if holds_times(index.levels[index.names.index(n)])]
        time = next(iter(timed or ([n for n in others if n != series_id] if series_id is not None else [])), None)
    if series_id is None:
        rest = [n for n in others if n != time]
        if not rest or time is None:
            refuse(WHERE, "series_id= must name the levels of the series", first_few(map(repr, index.names)))
        series_id = _single(rest)
    return time, series_id


def holds_times(index) -> bool:
    """Return whether an index contains times."""
    return isinstance(index, (pd.DatetimeIndex, pd.PeriodIndex))


def are_numbers(column: pd.Series) -> bool:
    """Return whether a column contains real numbers, also with dtype object."""
    if column.dtype == object:
        kind = pd.api.types.infer_dtype(column, skipna=True)
        return kind in ("integer", "floating", "mixed-integer-float", "decimal", "boolean", "empty")
    return pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_complex_dtype(column.dtype)


def _categories(X, names):
    """Return the levels at fit of every categorical or text covariate."""
    found = {}
    for name in names if isinstance(X, pd.DataFrame) else ():
        column = X[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            found[name] = tuple(column.cat.categories)
        elif not pd.api.types.is_numeric_dtype(column.dtype) and not _is_temporal(column) and not are_numbers(column):
            found[name] = tuple(sorted(column.dropna().unique(), key=str))
        if name in found and len(found[name]) <= MAX_COLUMNS and column.isna().any():
            found[name] += (None,)
    return found


def _is_temporal(column):
    return isinstance(column.dtype, pd.PeriodDtype) or column.dtype.kind in "mM"
