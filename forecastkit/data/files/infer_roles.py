"""Detection of the roles of columns: time, series, targets and covariates.

For files all roles are detected, for frames passed to a forecaster only the keys, see `data/ingest/find_keys.py`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from forecastkit.data.files import column_names
from forecastkit.data.files.column_kinds import describe_column, is_calendar, odd_cells, refuse_unread
from forecastkit.data.files.datetimes import show_cells
from forecastkit.data.files.find_targets import constant_columns, find_targets, named_targets, offer_known
from forecastkit.data.files.find_time import find_time
from forecastkit.data.files.series_columns import find_series, series_codes
from forecastkit.data.files.time_columns import TimeColumns
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import check_names, refuse


@dataclass(frozen=True)
class Roles:
    """The roles of the columns.

    Attributes
    ----------
    time : str or None
        The time column, for several columns their names joined; None if rows are in order.
    time_parts : tuple of str
        Columns that together contain the time; empty for a single column.
    series_id : tuple of str
        Columns that together identify the series; empty for a single series.
    target, known, past, static : tuple of str
        Columns to forecast, future covariates, past covariates, and static covariates.
    unused : tuple of (str, str)
        The other columns, each with the reason.
    notes : tuple of str
        Choices among several possibilities, one sentence each.
    date_order : str
        Format of the times, such as ``"day.month.year"``; empty for datetimes.
    times : pandas.Series or None
        The parsed times.
    """

    time: str | None
    series_id: tuple[str, ...]
    target: tuple[str, ...]
    known: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    unused: tuple[tuple[str, str], ...] = ()
    time_parts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    date_order: str = ""
    times: pd.Series | None = field(default=None, repr=False, compare=False)

    def select(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the columns with a role, with parsed times and with text covariates as categories."""
        read = {} if self.time is None else {self.time: self.times}
        selected = frame[[*self.series_id, *self.target, *self.known, *self.past, *self.static]]
        text = [
            name for name in (*self.known, *self.past, *self.static) if not pd.api.types.is_numeric_dtype(frame[name])
        ]
        selected = selected.assign(**{name: frame[name].astype("category") for name in text})
        for name, values in read.items():
            selected.insert(len(self.series_id), name, values)
        return selected


def find_roles(
    frame: pd.DataFrame,
    *,
    time: str | Sequence[str] | None = None,
    series_id: str | Sequence[str] | None = None,
    target: str | Iterable[str] | None = None,
    known: str | Iterable[str] | None = None,
    past: str | Iterable[str] | None = None,
    static: str | Iterable[str] | None = None,
    where: str = "data",
) -> Roles:
    """Find the time column, the series columns, the targets and the covariates of a table.

    Parameters
    ----------
    frame : pandas.DataFrame
        As `read_table` gives it.
    time, series_id : str or sequence of str, optional
        Given names are taken. Otherwise the time is a column whose cells are all times, a date with a clock or hours
        beside it, or the parts of a date; and the series are named by as few columns as make times unique.
    target, known, past, static : str or iterable of str, optional
        Given names are taken. Without `target` a column whose name says so (``y``, ``sales``) is it, else all columns
        that measure something are targets. With a target the other such columns are `past`, unless `past` is given,
        and so are true/false columns and text of few values. Without `static` what does not change within any series
        is static.
    where : str
        Name of the table in error messages.

    Returns
    -------
    Roles

    Raises
    ------
    InputError
        If a given name does not exist or has two roles, a time column cannot be parsed, a target is text, or no times
        are found although a text column may contain some.
    """
    given = {"target": target, "known": known, "past": past, "static": static}
    given = {role: _names(names) for role, names in given.items()}
    keys = {"time": _names(time), "series_id": _names(series_id)}
    _check_roles(where, frame, {**keys, **given})
    taken = [*keys["series_id"], *given["target"], *given["known"], *given["past"], *given["static"]]
    free = frame.drop(columns=taken)
    found = find_time(frame, free, keys["time"], keys["series_id"], where)
    free = free.drop(columns=[name for name in (*found.columns, *found.others) if name in free])
    series = keys["series_id"] or find_series(free, found.values)
    if not keys["series_id"]:
        _refuse_periods(where, frame, series, found)
    free = free.drop(columns=[name for name in series if name in free])
    unused = dict.fromkeys(found.others, "times as well")
    kinds = _kinds(free, frame, series, found)
    if found.name is None:
        refuse_unread(where, free)
    unused |= {name: kind.reason for name, kind in kinds.items() if kind.role == "unused"}
    numeric = [name for name, kind in kinds.items() if kind.role == "measured"]
    if not (given["target"] or numeric):  # an unusual target is better than none
        numeric = [name for name, kind in kinds.items() if kind.role == "unused" and _may_be_target(free[name])]
        unused = {name: reason for name, reason in unused.items() if name not in numeric}
    if not given["target"] and not named_targets(numeric) and (same := constant_columns(free, numeric)):
        unused |= dict.fromkeys(same, "the same in all rows")
        numeric = [name for name in numeric if name not in same]
    targets, rest, notes = find_targets(where, free, given["target"], numeric)
    rest += [name for name, kind in kinds.items() if kind.role == "class"]
    fixed = [name for name, kind in kinds.items() if kind.role == "static" and name not in targets]
    if past is None:
        given["past"] = tuple(name for name in frame if name in rest)
    else:
        unused |= dict.fromkeys(rest, "not named as past")
    if static is None:
        given["static"] = tuple(fixed)
    else:
        unused |= dict.fromkeys(fixed, "the same within each series, not named as static")
    assumed = [found.times.sentence] if found.times is not None and found.times.sentence else []
    return Roles(
        time=found.name,
        time_parts=found.parts,
        series_id=series,
        unused=tuple((name, unused[name]) for name in frame if name in unused),
        notes=(*assumed, *notes, *offer_known(given["past"])),
        date_order="" if found.times is None else found.times.order,
        times=found.values,
        **given | {"target": targets},
    )


def _refuse_periods(where: str, frame: pd.DataFrame, series: tuple[str, ...], found: TimeColumns) -> None:
    """Refuse to identify series by a column that may number the hours of days or the months of years."""
    if (
        len(series) != 1
        or column_names.holds(series[0], column_names.SERIES)
        or not pd.api.types.is_numeric_dtype(frame[series[0]])
    ):
        return
    levels = frame[series[0]].unique()
    first, last = levels.min(), levels.max()
    dated = pd.api.types.is_datetime64_any_dtype(found.values)
    whole = dated and bool((found.values == found.values.dt.normalize()).all())
    counts = (12, 13, 52, 53) if found.times.order == "year" else (23, 24, 25, 46, 48, 50, 92, 96, 100) if whole else ()
    if len(levels) in counts and first in (0, 1) and last - first + 1 == len(levels):
        rule = (
            f"a column that numbers {first} to {last} at each time must be called like a part of the time or a series"
        )
        remedy = f"Call it 'month', 'hour' or 'period' if it is one, or pass series_id={series[0]!r}."
        refuse(where, rule, repr(series[0]), remedy)


def _names(names: str | Iterable[str] | None) -> tuple[str, ...]:
    return () if names is None else (names,) if isinstance(names, str) else tuple(names)


def _check_roles(where: str, frame: pd.DataFrame, given: dict[str, tuple[str, ...]]) -> None:
    roles: dict[str, str] = {}
    for role, names in given.items():
        check_names(where, f"the {role} column", names, frame.columns)
        for name in names:
            if name in roles:
                got = f"{name!r} as {roles[name]} and {role}"
                refuse(where, "a column must have one role", got, error=ParameterError)
            roles[name] = role
    for name in given["target"]:
        if not pd.api.types.is_numeric_dtype(frame[name]):
            refuse(where, f"target {name!r} must be numeric", show_cells(frame[name], odd_cells(frame[name])))


def _may_be_target(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and column.notna().any() and not is_calendar(column, None)


def _kinds(free: pd.DataFrame, frame: pd.DataFrame, series: tuple[str, ...], found: TimeColumns) -> dict:
    """Return the kind of each column without a role."""
    codes = series_codes(frame, series) if series else None
    times = found.values
    if times is not None and not pd.api.types.is_datetime64_any_dtype(times):
        times = None
    return {name: describe_column(free[name], codes, times) for name in free}
