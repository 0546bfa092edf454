"""Detection of unnamed keys of a frame: text that contains times, and columns that name series, with a warning.

Given roles are used as they are. Without them, every column that may contain times or series is used with a warning, or
refused by name.
"""

from dataclasses import dataclass, field, replace

import pandas as pd

from forecastkit.data.files import column_names
from forecastkit.data.files.column_kinds import NAMES_SERIES, describe_column, is_calendar, is_counter, refuse_unread
from forecastkit.data.files.datetimes import Times, read_times
from forecastkit.data.files.find_targets import is_ahead
from forecastkit.data.files.find_time import find_time
from forecastkit.data.files.series_columns import find_series, series_codes
from forecastkit.data.files.time_columns import joined_name
from forecastkit.data.files.time_parts import join_times
from forecastkit.data.schema import WHERE, Schema, are_numbers, as_names, holds_times
from forecastkit.utils.exceptions import DataWarning, ParameterError
from forecastkit.utils.validation import check_names, first_few, refuse
from forecastkit.utils.warn import warn_user


@dataclass(frozen=True)
class _Search:
    """A frame, the given and detected roles of its columns, and how its keys are read."""

    frame: pd.DataFrame
    roles: dict
    supervised: bool
    layout: dict = field(default_factory=dict)

    def named(self, *roles: str) -> tuple:
        """Return the columns with these roles, by default with any role."""
        roles = roles or ("target", "time", "series_id", "known", "past", "static")
        return tuple(name for role in roles for name in as_names(self.roles.get(role)))

    @property
    def free(self) -> pd.DataFrame:
        """Return the columns without a role."""
        named = self.named()
        return self.frame[[name for name in self.frame.columns if name not in named]]

    def with_roles(self, **roles) -> "_Search":
        return replace(self, roles={**self.roles, **roles})


def find_keys(X: pd.DataFrame, y, roles: dict, duplicates: str) -> tuple:
    """Return the data with one time column, the given and detected roles, and fields of the schema.

    Parameters
    ----------
    X, y
        As in `fit`, converted to pandas.
    roles : dict
        As in `read_panel`.
    duplicates : str
        If duplicates are refused, repeated times require series columns.

    Returns
    -------
    X, roles : as given
    layout : dict
        `time_parts` and `date_order` of the schema.

    Raises
    ------
    InputError
        If a column that may contain times or series cannot be read, or there are several candidates.
    """
    if X.columns.has_duplicates or not _are_named_rightly(X, roles):
        return X, roles, {}  # invalid roles are refused by `find_schema`
    if not len(X):
        refuse(WHERE, "there must be rows", "0 rows")
    search = _Search(X, dict(roles), y is not None)
    search = _find_time(_melt(search), y)
    if duplicates == "refuse":
        search = _find_series(search, y)
    if y is None:
        search = _find_rest(search, _times_of(search, y))
    return search.frame, search.roles, search.layout


def _are_named_rightly(X: pd.DataFrame, roles: dict) -> bool:
    """Return whether the given columns exist and none has two roles."""
    named = [name for role in ("target", "known", "past", "static") for name in as_names(roles.get(role))]
    keys = [*as_names(roles.get("time")), *as_names(roles.get("series_id"))]
    once = len(set(named)) == len(named)
    joined = joined_name(as_names(roles.get("time"))) in X.columns
    return once and set(named) <= {*X.columns} and (joined or set(keys) <= {*X.columns, *X.index.names})


def melted_like(schema: Schema, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a wide table in long format if the data at fit were wide; other tables are unchanged."""
    if (
        not isinstance(frame, pd.DataFrame)
        or schema.time is None
        or schema.time in frame
        or len(schema.target) != 1
        or not set(schema.series_keys) <= {*frame}
    ):
        return frame
    if schema.time_parts and set(schema.time_parts) <= {*frame}:
        return frame
    from forecastkit.data.files.wide_tables import melt_wide  # here: it needs PyArrow, which forecasts do not

    melted = melt_wide(frame, None if schema.time_parts else schema.time, schema.target[0])
    return frame if melted is None else melted.frame


def keyed_like(schema: Schema, X: pd.DataFrame) -> pd.DataFrame:
    """Return further rows in the layout of the data at fit: in long format, with one time column."""
    X = melted_like(schema, X)
    if not schema.time_parts or schema.time in X.columns:
        return X
    if missing := [name for name in schema.time_parts if name not in X.columns]:
        rule = f"the columns that form the time must be present: {first_few(map(repr, schema.time_parts), 8)}"
        refuse(WHERE, rule, f"none named {first_few(map(repr, missing))} among {first_few(map(repr, X.columns), 8)}")
    return X.assign(**{schema.time: join_times(X, schema.time_parts, WHERE, schema.date_order).values})


# Wide tables ----------------------------------------------------------------------------------------------------------


def _melt(search: _Search) -> _Search:
    """Return a wide table, whose headers are times, in long format."""
    frame = search.frame
    if search.supervised or search.named("target", "time", "known", "past") or isinstance(frame.index, pd.MultiIndex):
        return search
    if holds_times(frame.index):
        return search
    from forecastkit.data.files.wide_tables import melt_wide  # here: it needs PyArrow, which forecasts do not

    named = frame if isinstance(frame.index, pd.RangeIndex) else frame.reset_index()
    melted = melt_wide(named, where=WHERE)
    if melted is None:
        return search
    names = [name for name in melted.frame if name not in (melted.time, melted.value)]
    if not names and len(frame) > 1:
        rule = (
            f"rows of a wide table, whose headers {first_few(melted.headers, 2)} are times, must be named by a column"
        )
        refuse(WHERE, rule, f"{len(frame)} rows without names", "Add one, or transpose the frame.")
    warn_user(f"{WHERE}: {melted.sentence}. Melt the frame to say so.", DataWarning)
    return replace(search, frame=melted.frame).with_roles(target=melted.value)


# Times ----------------------------------------------------------------------------------------------------------------


def _find_time(search: _Search, y) -> _Search:
    given, frame = as_names(search.roles.get("time")), search.frame
    if len(given) > 1:
        return _join(search, given)
    if given and given[0] in frame.columns:
        return _with_order(search, given[0])
    if given or _has_times(search, y) or not len(frame):
        return search
    if "ds" in frame.columns and ("unique_id" in frame.columns or search.roles.get("series_id") is not None):
        return _with_order(search, "ds")
    text, stamped = _text_columns(search.free), _stamped_columns(search.free)
    if search.supervised and not (text or stamped):
        return search
    candidates = search.free
    if search.supervised:  # numbers of X are covariates, but for hours beside a date
        hours = column_names.HOURS | column_names.MINUTES
        wanted = {*text, *stamped, *(name for name in candidates if column_names.is_called(name, hours))}
        candidates = candidates[[name for name in candidates if name in wanted]]
    found = find_time(frame, candidates, (), _given_series(search), WHERE)
    if found.name is None:
        if not search.supervised:
            refuse_unread(WHERE, search.free[text])
        return search
    if found.tied:
        several = first_few(map(repr, (*found.columns, *found.others)), 8)
        refuse(WHERE, "one column must contain the times", several, "Name it with time=.", ParameterError)
    if found.parts:
        return _say_time(_join(search, found.parts, found.times), found.columns, found.times)
    if found.name in stamped:
        return search.with_roles(time=found.name)
    layout = {**search.layout, "date_order": found.times.order}
    frame = _with_column(frame, found.name, found.values)
    return _say_time(
        replace(search, frame=frame, layout=layout).with_roles(time=found.name), found.columns, found.times
    )


def _has_times(search: _Search, y) -> bool:
    """Return whether an index or one of its named levels contains times."""
    index = search.frame.index
    if isinstance(index, pd.MultiIndex) or holds_times(index):
        return True
    return isinstance(y, (pd.Series, pd.DataFrame)) and holds_times(y.index)


def _given_series(search: _Search) -> tuple:
    given = as_names(search.roles.get("series_id"))
    given = given or (("unique_id",) if "unique_id" in search.frame.columns else ())
    return tuple(name for name in given if name in search.frame.columns)


def _text_columns(frame: pd.DataFrame) -> list:
    """Return the columns of text, or of objects other than numbers."""
    kinds = (pd.CategoricalDtype, pd.PeriodDtype)
    return [
        name
        for name in frame
        if not pd.api.types.is_numeric_dtype(frame[name])
        and not isinstance(frame[name].dtype, kinds)
        and frame[name].dtype.kind not in "mM"
        and not are_numbers(frame[name])
    ]


def _stamped_columns(frame: pd.DataFrame) -> list:
    """Return the columns of datetimes or periods."""
    return [c for c in frame if frame[c].dtype.kind == "M" or isinstance(frame[c].dtype, pd.PeriodDtype)]


def _with_order(search: _Search, name: str) -> _Search:
    """Store the order of day, month and year of a text column."""
    if name not in _text_columns(search.frame[[name]]):
        return search
    times = read_times(search.frame[name], f"{WHERE}: the time column {name!r}")
    if times.sentence:
        warn_user(
            f"{WHERE}: in {name!r} {times.sentence}. Pass datetimes, such as those of pandas.to_datetime.", DataWarning
        )
    frame = _with_column(search.frame, name, times.values)
    return replace(search, frame=frame, layout={**search.layout, "date_order": times.order})


def _join(search: _Search, parts: tuple, times: Times | None = None) -> _Search:
    """Return the search with one column for the times that these columns form together."""
    name = joined_name(parts)
    layout = {**search.layout, "time_parts": tuple(parts)}
    frame = search.frame
    if name not in frame.columns:
        check_names(WHERE, "a column named in time=", parts, frame.columns)
        taken = [part for part in parts if part in search.named("target", "series_id")]
        if taken:
            refuse(
                WHERE,
                "a column of the time cannot have another role",
                first_few(map(repr, taken)),
                error=ParameterError,
            )
        times = times or join_times(frame, parts, WHERE)
        frame = _with_column(frame, name, times.values)
        layout["date_order"] = times.order
    unnamed = [part for part in parts if part in frame.columns and part not in search.named("known", "past", "static")]
    frame = frame.drop(columns=unnamed)
    return replace(search, frame=frame, layout=layout).with_roles(time=name)


def _with_column(frame: pd.DataFrame, name, values: pd.Series) -> pd.DataFrame:
    """Return the frame with a column replaced or added; its name may be of any type."""
    frame = frame.copy(deep=False)
    frame[name] = values
    return frame


def _say_time(search: _Search, columns: tuple, times: Times) -> _Search:
    """Warn of the columns that are read as the time; names of several levels are refused."""
    if isinstance(columns[0], tuple):
        remedy = "Join them: frame.columns = frame.columns.map('_'.join)."
        refuse(WHERE, "columns must have one level of names", f"a time called {columns[0]!r}", remedy)
    names = repr(columns[0]) if len(columns) == 1 else f"{first_few(map(repr, columns), 8)} together"
    order = f", written {times.order}," if times.order and len(columns) == 1 else ""
    value = repr(columns[0]) if len(columns) == 1 else repr(list(columns))
    guess = f" ({times.sentence})" if times.sentence else ""
    verb = "is" if len(columns) == 1 else "are"
    warn_user(f"{WHERE}: {names}{order} {verb} read as the time{guess}. Pass time={value}.", DataWarning)
    return search


def _times_of(search: _Search, y) -> pd.Series | None:
    """Return the times of the rows as datetimes or whole numbers, None if they are unknown."""
    time, frame = search.roles.get("time"), search.frame
    if isinstance(time, str) and time in frame.columns:
        column = frame[time]
        return column if column.dtype.kind in "Miu" and column.notna().all() else None
    if time is None:
        stamped = [c for c in search.free if pd.api.types.is_datetime64_any_dtype(frame[c])]
        if len(stamped) == 1 and frame[stamped[0]].notna().all():
            return frame[stamped[0]]
    for index in (frame.index, getattr(y, "index", None)):
        if holds_times(index) and not index.hasnans:
            index = index.to_timestamp() if isinstance(index, pd.PeriodIndex) else index
            return pd.Series(index, index=frame.index)
    return None


# Series ---------------------------------------------------------------------------------------------------------------


def _find_series(search: _Search, y) -> _Search:
    """Find the columns that name series if times repeat or start again and no series columns are given."""
    frame = search.frame
    if search.roles.get("series_id") is not None or "unique_id" in frame.columns:
        return search
    if isinstance(frame.index, pd.MultiIndex) or (times := _times_of(search, y)) is None:
        return search
    free = search.free.drop(columns=[name for name in search.free if frame[name].dtype.kind in "mM"])
    named = [
        c for c in free if not pd.api.types.is_numeric_dtype(free[c]) or column_names.holds(c, column_names.SERIES)
    ]
    found = find_series(free[named].reset_index(drop=True), times.reset_index(drop=True))
    if not found:
        return search
    names = first_few(map(repr, found), 8)
    value = repr(found[0]) if len(found) == 1 else repr(list(found))
    begun = "repeat" if times.duplicated().any() else "start again"
    warn_user(
        f"{WHERE}: times {begun}, and not within {names}: taken as the name of the series. Pass series_id={value}.",
        DataWarning,
    )
    return search.with_roles(series_id=found[0] if len(found) == 1 else found)


# Other columns --------------------------------------------------------------------------------------------------------


def _find_rest(search: _Search, times: pd.Series | None) -> _Search:
    """Assign roles to the columns beside a target; text becomes classes, and unused columns are named in a warning."""
    frame, target = search.frame, as_names(search.roles.get("target"))
    keys = {*_given_series(search), *search.frame.index.names}
    free = search.free[[name for name in search.free if name not in keys and name != "ds"]]
    if times is not None and times.name in free.columns:
        free = free.drop(columns=[times.name])
    if not len(frame):
        return search
    if not as_names(search.roles.get("static")):
        search, free = _with_static(search, free.drop(columns=[name for name in target if name in free]))
    if not target:
        return _without_counters(search, free, times)
    past, unused = [], {}
    for name in (name for name in free if name not in target):
        plain = pd.api.types.is_numeric_dtype(frame[name]) or are_numbers(frame[name])
        reason = "" if plain else _why_unused(frame[name])
        if reason:
            unused[name] = reason
        else:
            past.append(name)
    if unused:
        said = first_few((f"{name!r} ({reason})" for name, reason in unused.items()), 8)
        warn_user(
            f"{WHERE}: unused columns: {said}. Name them in known=, past= or static=, or leave them out.", DataWarning
        )
    if past:
        warn_user(f"{WHERE}: {say_past(past)}", DataWarning)
    frame = frame.drop(columns=list(unused))
    return replace(search, frame=frame).with_roles(past=(*as_names(search.roles.get("past")), *past))


def _with_static(search: _Search, free: pd.DataFrame) -> tuple[_Search, pd.DataFrame]:
    """Use columns that are constant within each of several series as static, without those that repeat series names.

    The remaining columns without a role are returned too.
    """
    keys = list(_given_series(search))
    if not keys:
        return search, free
    try:
        codes = series_codes(search.frame, tuple(keys))
    except TypeError:
        return search, free  # names that cannot be hashed are refused when they are read
    kinds = {name: describe_column(free[name], codes, None) for name in free}
    static = [name for name, kind in kinds.items() if kind.role == "static"]
    unused = [name for name, kind in kinds.items() if kind.reason == NAMES_SERIES]
    if not as_names(search.roles.get("target")) and len(static) + len(unused) == len(kinds):
        return search, free  # nothing would be left to forecast
    for said, names in (("taken as static, the same within each series", static), ("unused, " + NAMES_SERIES, unused)):
        if names:
            warn_user(
                f"{WHERE}: {said}: {first_few(map(repr, names), 8)}. Name them in target=, past= or static= otherwise.",
                DataWarning,
            )
    frame = search.frame.drop(columns=unused)
    return replace(search, frame=frame).with_roles(static=tuple(static)), free.drop(columns=[*static, *unused])


def say_past(names: list) -> str:
    """Return the warning on columns that became past covariates by default."""
    said = f"taken as past covariates, known up to the cutoff only: {first_few(map(repr, names), 8)}. "
    ahead = [name for name in names if is_ahead(name)]
    hint = f" (such as {first_few(map(repr, ahead))})" if ahead else ""
    return f"{said}Name in known= those that are known ahead{hint}, in past= the others, or leave them out."


def _why_unused(column: pd.Series) -> str:
    """Return why a column without numbers is unused; empty if it contains classes."""
    if column.dtype.kind in "mM" or isinstance(column.dtype, pd.PeriodDtype):
        return "times as well"
    if isinstance(column.dtype, pd.CategoricalDtype):
        return ""
    return describe_column(column, None, None).reason


def _without_counters(search: _Search, free: pd.DataFrame, times: pd.Series | None) -> _Search:
    """Exclude columns that count rows or repeat the calendar from the targets if no targets are given."""
    unused = {}
    for name in free:
        column = free[name]
        if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            continue
        counter = column_names.is_called(name, column_names.COUNTERS) or column_names.holds(name, ("unnamed",))
        if counter and is_counter(column):
            unused[name] = "counts rows"
        elif times is not None and times.dtype.kind == "M" and is_calendar(column, times):
            unused[name] = "repeats the calendar"
    if not unused or len(unused) == len(free.columns):
        return search
    said = first_few((f"{name!r} ({reason})" for name, reason in unused.items()), 8)
    warn_user(f"{WHERE}: unused columns: {said}. Name the columns to forecast with target=.", DataWarning)
    return replace(search, frame=search.frame.drop(columns=list(unused)))
