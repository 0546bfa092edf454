"""Detection of the times of a table in one column or in several columns together."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from forecastkit.data.files import column_names
from forecastkit.data.files.column_kinds import is_target_name
from forecastkit.data.files.datetimes import read_numbers, read_times
from forecastkit.data.files.series_columns import find_series, series_codes, some_times
from forecastkit.data.files.time_columns import (
    TimeColumns,
    find_text_times,
    joined_name,
    numbered_times,
    rank_times,
    try_times,
)
from forecastkit.data.files.time_parts import find_parts, join_times
from forecastkit.utils.validation import first_few, refuse


def find_time(
    frame: pd.DataFrame,
    free: pd.DataFrame,
    given: Sequence[str],
    series_id: Sequence[str],
    where: str,
    order: str = "",
) -> TimeColumns:
    """Return the times of a table from the given columns, or those found among the `free` ones.

    `order` is the format of earlier times of the same source.
    """
    if len(given) == 1:
        times = read_times(frame[given[0]], f"{where}: time column {given[0]!r}", order)
        others = [name for name in free if name not in given and try_times(free[name]) is not None]
        return TimeColumns(given[0], (), times, tuple(others))
    if given:
        return _joined(frame, tuple(given), (), where, order)
    found = find_text_times(free, where)
    ranked, tied = rank_times(found)
    if ranked:
        name, others = ranked[0], tuple(ranked[1:])
        parts = find_parts(free.drop(columns=list(others)), name, found[name], where)
        if parts:
            return _joined(frame, parts, others, where)
        return TimeColumns(name, (), found[name], others, tied)
    if parts := find_parts(free, None, None, where):
        return _joined(frame, parts, (), where)
    if filled := _filled_down(free):
        free = free.assign(**filled)
        if parts := find_parts(free, None, None, where):
            found = _joined(frame.assign(**filled), parts, (), where)
            said = f"blank cells of {first_few(map(repr, filled))} are filled from the row above"
            return replace(found, times=replace(found.times, sentence=said))
    return _find_numbered(frame, free, series_id, where)


def _filled_down(free: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the parts of dates that only the first row of each group has, as spreadsheets save merged cells."""
    names = column_names.YEARS | column_names.QUARTERS | column_names.MONTHS
    called = [name for name in free if column_names.is_called(name, names)]
    return {name: free[name].ffill() for name in called if pd.notna(free[name].iloc[0]) and free[name].isna().any()}


def _joined(
    frame: pd.DataFrame, parts: tuple[str, ...], others: tuple[str, ...], where: str, order: str = ""
) -> TimeColumns:
    return TimeColumns(joined_name(parts), parts, join_times(frame, parts, where, order), others)


def _find_numbered(frame: pd.DataFrame, free: pd.DataFrame, series_id: Sequence[str], where: str) -> TimeColumns:
    """Return whole numbers in a column named like a time, such as years, if they are distinct within each series."""
    ranked = []
    for name in free:
        if (times := numbered_times(free[name])) is None:
            continue
        if pd.api.types.is_datetime64_any_dtype(times):
            parts = find_parts(free, name, read_numbers(free[name], where), where)
            if parts:
                return _joined(frame, parts, (), where)
        if _tell_apart(frame, free.drop(columns=name), times, series_id):
            ranked.append(name)
    if not ranked:
        return _find_counted(frame, free, series_id, where)
    dated = [name for name in ranked if not column_names.is_called(name, column_names.CALENDAR)]
    name = (dated or ranked)[0]
    return TimeColumns(name, (), read_numbers(free[name], where), tuple(other for other in ranked if other != name))


def _find_counted(frame: pd.DataFrame, free: pd.DataFrame, series_id: Sequence[str], where: str) -> TimeColumns:
    """Return whole numbers with any name that count the rows of each of several series.

    Raises
    ------
    InputError
        If numbers increase within each series, but not by one: they may be times in unknown units.
    """
    for name in free:
        column, others = free[name], free.drop(columns=name)
        named = column_names.is_called(name, column_names.CALENDAR) or is_target_name(name)
        if named or not pd.api.types.is_integer_dtype(column):
            continue
        series = tuple(series_id) or find_series(others, column)
        if not series or not _tell_apart(frame, others, column, series):
            continue
        codes = series_codes(frame, series)
        rows = np.argsort(codes, kind="stable")
        steps = np.diff(column.to_numpy()[rows])[np.diff(codes[rows]) == 0]
        if len(steps) < 2 * (codes.max() + 1) or not ((steps > 0).all() or (steps < 0).all()):
            continue
        if (np.abs(steps) != 1).any():
            rule = f"the rows of several series ({first_few(map(repr, series))}) need a column of times"
            remedy = f"Pass time={name!r} if these are times, or leave it out of the table."
            refuse(where, rule, f"{name!r}, which rises within each series by different numbers", remedy)
        return TimeColumns(name, (), read_numbers(column, where))
    return TimeColumns()


def _tell_apart(frame: pd.DataFrame, free: pd.DataFrame, times: pd.Series, series_id: Sequence[str]) -> bool:
    series = tuple(series_id) or find_series(free, times)
    rows = some_times(times)
    frame, times = frame[rows], times[rows]
    return not pd.DataFrame({"series": series_codes(frame, series), "time": times}).duplicated().any()


def find_times(frame: pd.DataFrame, time: str | None = None) -> pd.Series | None:
    """Return the times of a table, None without a time column."""
    given = (time,) if isinstance(time, str) and time in frame else ()
    return find_time(frame, frame, given, (), "data").values
