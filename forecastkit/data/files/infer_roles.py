"""Finds which column of a table plays which part: time, series, targets, covariates.

Of a file everything is found. Of a frame handed to a forecaster only the keys are, see `data/ingest/find_keys.py`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from forecastkit.data.files import column_names
from forecastkit.data.files.column_kinds import describe_column, is_calendar, is_target_name, odd_cells, refuse_unread
from forecastkit.data.files.datetimes import Times, read_numbers, read_times, show_cells
from forecastkit.data.files.series_columns import find_series, series_codes, some_times
from forecastkit.data.files.time_columns import (
    TimeColumns,
    find_parts,
    find_text_times,
    join_times,
    joined_name,
    numbered_times,
    rank_times,
    try_times,
)
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import check_names, first_few, refuse


@dataclass(frozen=True)
class Roles:
    """Which column plays which part.

    Attributes
    ----------
    time : str or None
        The column of times, the name of `time_parts` joined; None when rows are in order.
    time_parts : tuple of str
        Columns that make one time together; empty where one column holds it.
    series_id : tuple of str
        Columns that name the series together; empty where there is one series.
    target, known, past, static : tuple of str
        Columns to forecast, known ahead, known only to the past, and the same within a series.
    unused : tuple of (str, str)
        The other columns, each with the reason.
    notes : tuple of str
        What was chosen among several possibilities, a sentence each.
    date_order : str
        How the times are written, such as ``"day.month.year"``; empty when they were times already.
    times : pandas.Series or None
        The times, read.
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
        """The columns of `frame` that play a part, times read and text among the covariates as categories."""
        read = {} if self.time is None else {self.time: self.times}
        selected = frame[[*self.series_id, *self.target, *self.known, *self.past, *self.static]]
        text = [name for name in (*self.known, *self.past, *self.static) if not _is_numeric(frame[name])]
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
        What a refusal calls the table.

    Returns
    -------
    Roles

    Raises
    ------
    InputError
        When a given name does not exist or plays two parts; a time column does not parse; a target is text; or there
        are no times although a column of text may hold some.
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
    free = free.drop(columns=[name for name in series if name in free])
    unused = dict.fromkeys(found.others, "times as well")
    kinds = _kinds(free, frame, series, found)
    if found.name is None:
        refuse_unread(where, free)
    unused |= {name: kind.reason for name, kind in kinds.items() if kind.role == "unused"}
    numeric = [name for name, kind in kinds.items() if kind.role == "measured"]
    if not (given["target"] or numeric):  # better a target that looks odd than none
        numeric = [name for name, kind in kinds.items() if kind.role == "unused" and _may_be_target(free[name])]
        unused = {name: reason for name, reason in unused.items() if name not in numeric}
    if not given["target"] and not _named_targets(numeric) and (same := _constant(free, numeric)):
        unused |= dict.fromkeys(same, "the same in all rows")
        numeric = [name for name in numeric if name not in same]
    targets, rest, notes = _find_targets(where, free, given["target"], numeric)
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
    return Roles(
        time=found.name,
        time_parts=found.parts,
        series_id=series,
        unused=tuple((name, unused[name]) for name in frame if name in unused),
        notes=(*_say_times(found.times), *notes, *_offer_known(given["past"])),
        date_order="" if found.times is None else found.times.order,
        times=found.values,
        **given | {"target": targets},
    )


def _say_times(times: Times | None) -> list[str]:
    """What was guessed of the form of the times."""
    return [] if times is None or not times.sentence else [times.sentence]


def find_time(
    frame: pd.DataFrame,
    free: pd.DataFrame,
    given: Sequence[str],
    series_id: Sequence[str],
    where: str,
    order: str = "",
) -> TimeColumns:
    """The times of a table: those of the columns that are given, else what is found among the `free` ones.

    The `order` is that in which times of the same source were written before.
    """
    if len(given) == 1:
        times = read_times(frame[given[0]], f"{where}: time column {given[0]!r}", order)
        others = [name for name in free if name not in given and try_times(free[name]) is not None]
        return TimeColumns(given[0], (), times, tuple(others))
    if given:
        return _joined(frame, tuple(given), (), where)
    found = find_text_times(free, where)
    ranked, tied = rank_times(found)
    if ranked:
        name, others = ranked[0], tuple(ranked[1:])
        parts = find_parts(free.drop(columns=list(others)), name, found[name])
        if parts:
            return _joined(frame, parts, others, where)
        return TimeColumns(name, (), found[name], others, tied)
    if parts := find_parts(free, None, None):
        return _joined(frame, parts, (), where)
    return _find_numbered(frame, free, series_id, where)


def _joined(frame: pd.DataFrame, parts: tuple[str, ...], others: tuple[str, ...], where: str) -> TimeColumns:
    return TimeColumns(joined_name(parts), parts, join_times(frame, parts, where), others)


def _find_numbered(frame: pd.DataFrame, free: pd.DataFrame, series_id: Sequence[str], where: str) -> TimeColumns:
    """Whole numbers in a column called like a time, such as years, that tell the rows of each series apart."""
    ranked = []
    for name in free:
        if (times := numbered_times(free[name])) is None:
            continue
        if pd.api.types.is_datetime64_any_dtype(times):
            parts = find_parts(free, name, read_numbers(free[name], where))
            if parts:
                return _joined(frame, parts, (), where)
        if _tell_apart(frame, free.drop(columns=name), times, series_id):
            ranked.append(name)
    if not ranked:
        return TimeColumns()
    dated = [name for name in ranked if not column_names.is_called(name, column_names.CALENDAR)]
    name = (dated or ranked)[0]
    return TimeColumns(name, (), read_numbers(free[name], where), tuple(other for other in ranked if other != name))


def _tell_apart(frame: pd.DataFrame, free: pd.DataFrame, times: pd.Series, series_id: Sequence[str]) -> bool:
    series = tuple(series_id) or find_series(free, times)
    rows = some_times(times)
    frame, times = frame[rows], times[rows]
    return not pd.DataFrame({"series": series_codes(frame, series), "time": times}).duplicated().any()


def find_times(frame: pd.DataFrame, time: str | None = None) -> pd.Series | None:
    """The times of a table, None where it has no column of them."""
    given = (time,) if isinstance(time, str) and time in frame else ()
    return find_time(frame, frame, given, (), "data").values


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
        if not _is_numeric(frame[name]):
            refuse(where, f"target {name!r} must be numeric", show_cells(frame[name], odd_cells(frame[name])))


def _is_numeric(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column)


def _constant(free: pd.DataFrame, numeric: list[str]) -> list[str]:
    """Numbers that are the same in all rows, such as flags of quality, where others are not."""
    fixed = [name for name in numeric if free[name].nunique(dropna=False) == 1 and not is_target_name(name)]
    return fixed if len(fixed) < len(numeric) else []


def _may_be_target(column: pd.Series) -> bool:
    return _is_numeric(column) and not is_calendar(column, None)


def _kinds(free: pd.DataFrame, frame: pd.DataFrame, series: tuple[str, ...], found: TimeColumns) -> dict:
    """What each free column may be."""
    codes = series_codes(frame, series) if series else None
    times = found.values
    if times is not None and not pd.api.types.is_datetime64_any_dtype(times):
        times = None
    return {name: describe_column(free[name], codes, times) for name in free}


# Targets --------------------------------------------------------------------------------------------------------------


def _find_targets(
    where: str, free: pd.DataFrame, given: tuple[str, ...], numeric: list[str]
) -> tuple[tuple[str, ...], list[str], list[str]]:
    """The targets, the remaining numeric columns, and the notes on the choice."""
    if not given:
        _refuse_odd_target(where, free, numeric)
    if not given and not numeric:
        text = [f"{name!r} such as {str(next(iter(free[name].dropna()), 'blank'))!r}" for name in free]
        refuse(
            where,
            "there must be a numeric column to forecast",
            f"only {first_few(text)}" if text else "no other column",
        )
    if given:
        return given, [name for name in numeric if name not in given], []
    named = _named_targets(numeric)
    targets = named or tuple(numeric)
    rest = [name for name in numeric if name not in targets]
    return targets, rest, _say_choice(targets, numeric, bool(named))


def _named_targets(numeric: list[str]) -> tuple[str, ...]:
    """Columns whose names say that they are to be forecast: those of the clearest kind only.

    Of quotes of an asset (open, high, low, close) the close is to be forecast, whatever its volume is called.
    """
    plain = {column_names.plain(name): name for name in numeric}
    if plain.keys() >= column_names.QUOTES:
        return (plain["close"],)
    for test in (column_names.is_called, column_names.holds):
        for names in column_names.TARGETS:
            named = [name for name in numeric if test(name, names)]
            named = [name for name in named if not column_names.holds(name, column_names.NOT_TARGETS)]
            if _is_unlike("ot", named, numeric):
                continue
            if named:
                return tuple(named)
    return ()


def _is_unlike(name: str, named: list[str], numeric: list[str]) -> bool:
    """Whether the only named column ends a row of numbered ones, which are all alike."""
    return [column_names.plain(one) for one in named] == [name] and any(str(one).isdigit() for one in numeric)


def _say_choice(targets: tuple[str, ...], numeric: list[str], named: bool) -> list[str]:
    if len(targets) > 1:
        why = "all are called like a target" if named else "no name says which column is to be forecast"
        rest = "the others are" if len(numeric) > 2 else "the other is"
        return [f"{len(targets)} targets, as {why}: target={targets[0]!r} forecasts one, and {rest} past covariates"]
    return []


def _refuse_odd_target(where: str, free: pd.DataFrame, numeric: list[str]) -> None:
    """Refuse a column that is called like a target and holds numbers but for a few cells."""
    clear = {name for names in column_names.TARGETS[:2] for name in free if column_names.is_called(name, names)}
    for name in free:
        column = free[name]
        if name in numeric or _is_numeric(column) or not (name in clear or not numeric):
            continue
        odd = odd_cells(column)
        if odd.any() and odd.sum() < column.notna().sum() / 2:
            remedy = "Replace them by numbers or leave them blank."
            refuse(where, f"the column {name!r} must hold numbers to be forecast", show_cells(column, odd), remedy)


def _offer_known(past: tuple[str, ...]) -> list[str]:
    """A sentence about past covariates that are known ahead as a rule."""
    quotes = column_names.QUOTES - {"close"} <= {column_names.plain(name) for name in past}
    ahead = [name for name in past if is_ahead(name) and not (quotes and column_names.is_called(name, ("open",)))]
    if not ahead:
        return []
    verb = "is" if len(ahead) == 1 else "are"
    return [
        f"{first_few(ahead, 8)} {verb} taken as known up to the cutoff only: "
        f"known={','.join(ahead)!r} where they are known ahead"
    ]


def is_ahead(name: str) -> bool:
    """Whether a name is that of something known ahead as a rule, such as a promotion."""
    return column_names.is_called(name, column_names.AHEAD) or column_names.holds(name, column_names.AHEAD)
