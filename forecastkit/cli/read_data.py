"""A table as commands use it: read, with the roles of its columns, as one panel."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from forecastkit.cli.flags import COLUMN_ROLES
from forecastkit.data.files.find_time import find_time
from forecastkit.data.files.infer_roles import Roles, find_roles
from forecastkit.data.files.multiple import STEM, find_paths, listed, read_several
from forecastkit.data.files.read_table import Table
from forecastkit.data.files.series_columns import series_codes
from forecastkit.data.files.wide_tables import melt_wide
from forecastkit.data.ingest.find_keys import melted_like
from forecastkit.data.ingest.read_panel import WHERE, Schema, read_panel
from forecastkit.data.ingest.timezones import check_timezone, in_zone
from forecastkit.data.panel import Panel, check_observed
from forecastkit.data.row_labels import Places
from forecastkit.data.schema import as_names
from forecastkit.utils.exceptions import DataWarning, InputError
from forecastkit.utils.validation import first_few, refuse
from forecastkit.utils.warn import handle_warnings

#: Parameters of reading that are not columns.
READING = ("freq", "timezone", "duplicates", "resample", "slots")
#: Parameters that name columns.
COLUMNS = ("target", "known", "past", "static")


@dataclass(frozen=True, eq=False)
class Data:
    """A table that was read once: every fit and test of a command uses its panel."""

    path: str  #: Name of the file in messages, or of several files
    table: Table
    roles: Roles
    frame: pd.DataFrame  #: The columns with a role
    panel: Panel
    reading: dict = field(default_factory=dict)  #: How the table is read, as the user gave it: `READING`
    warnings: tuple[str, ...] = ()  #: Warnings issued when the table was read

    @property
    def schema(self) -> Schema:
        """Names of the panel's columns."""
        return self.panel.schema

    @property
    def role_parameters(self) -> dict:
        """The constructor parameters that name the columns and how they are read."""
        lists = {name: list(getattr(self.roles, name)) or None for name in COLUMNS}
        keys = {"time": list(self.roles.time_parts) or self.roles.time, "series_id": _one_or_all(self.roles.series_id)}
        return {**keys, **self.reading, **lists}

    @property
    def lengths(self) -> np.ndarray:
        """Rows of each series up to its last observed one."""
        return self.panel.last_observed() + 1 - self.panel.indptr[:-1]

    @property
    def end(self) -> int:
        """Ordinal of the last observed row of all."""
        return int((self.panel.start + self.lengths - 1).max())

    def rows_before(self, ordinals: np.ndarray) -> Panel:
        """Return the rows of each series before its ordinal of the grid, if anything is observed there."""
        panel = self.panel
        stop = panel.row_at(np.arange(len(panel.ids)), ordinals)
        before = panel.between(panel.indptr[:-1], stop)
        observed = np.flatnonzero(before.last_observed() >= before.indptr[:-1])
        if not len(observed):
            rule = "a series must have a value before the rows of the test"
            refuse(self.path, rule, "only missing ones", "Pass a smaller --test-size, or more rows.")
        return before.take(observed)


#: A file, a folder, a pattern such as ``data/*.csv``, or several of them.
Sources = Path | Sequence[Path]


def join_paths(sources: Sources) -> str:
    """Return paths as shown in messages: the first two, and the number of others."""
    return first_few(listed(sources), 2)


def read_data(sources: Sources, roles: dict) -> Data:
    """Read one or several files as one table, and detect the roles of columns that are not given.

    Parameters
    ----------
    sources : Path or sequence of Path
    roles : dict
        Constructor parameters; those unrelated to columns and reading are ignored.

    Raises
    ------
    InputError
        As in `read_table`, `find_roles` and `read_panel`, and if a series or target has no value.
    """
    roles = {name: roles[name] for name in COLUMN_ROLES if name in roles}
    path = join_paths(sources)
    table = read_several(find_paths(listed(sources)), roles.get("series_id"), _only(as_names(roles.get("time"))))
    if STEM in table.frame and table.files:
        roles = {"series_id": STEM, **roles}
    reading = {name: roles[name] for name in READING if name in roles}
    given = {name: value for name, value in roles.items() if name not in READING}
    table, notes = _melt(table, given, path)
    found = find_roles(table.frame, **given, where=path)
    found = replace(found, notes=(*notes, *found.notes))
    frame = _select(found, table.frame, reading.get("timezone"))
    keys = {name: list(getattr(found, name)) or None for name in COLUMNS}
    with name_file_in_errors(sources), _kept_warnings() as kept:
        frame = _zoned(frame, found, reading.get("timezone"))
        time, series_id = list(found.time_parts) or found.time, _one_or_all(found.series_id)
        panel, schema = read_panel(frame, time=time, series_id=series_id, **reading, **keys)
        schema = replace(schema, date_order=found.date_order)
        check_observed(WHERE, schema, panel)
    return Data(path, table, found, frame, replace(panel, schema=schema), reading, tuple(kept))


@contextmanager
def _kept_warnings() -> Iterator[list[str]]:
    """Collect data warnings as sentences, which are printed with the description of the data."""
    kept: list[str] = []

    def keep(message, category):
        if issubclass(category, DataWarning):
            kept.append(message.removeprefix(f"{WHERE}: "))
        return not issubclass(category, DataWarning)

    with handle_warnings(keep):
        yield kept


def _melt(table: Table, given: dict, where: str) -> tuple[Table, tuple[str, ...]]:
    """Return the table, in long form if its headers are times, and the notes to print."""
    if any(given.get(name) for name in ("time", "target", "known", "past")):
        return table, ()
    melted = melt_wide(table.frame, where=where)
    if melted is None:
        return table, ()
    return replace(table, frame=melted.frame), (f"wide table: {melted.sentence}",)


def _only(names: tuple) -> str | None:
    """Return the name, where there is one."""
    return names[0] if len(names) == 1 else None


def _one_or_all(names: tuple) -> str | list | None:
    """Return a single name as text, several as a list."""
    return list(names) if len(names) > 1 else _only(names)


def _select(roles: Roles, frame: pd.DataFrame, timezone: str | None) -> pd.DataFrame:
    """Return the columns with a role; with a time zone, unix times are those of UTC."""
    return _in_utc(roles.select(frame), roles.time, roles.date_order, timezone)


def _in_utc(frame: pd.DataFrame, time: str | None, order: str, timezone: str | None) -> pd.DataFrame:
    if timezone is None or not order.startswith("unix"):
        return frame
    return frame.assign(**{time: frame[time].dt.tz_localize("UTC")})


def _zoned(frame: pd.DataFrame, roles: Roles, timezone: str | None) -> pd.DataFrame:
    """Return the frame with localized times, so that parts of it are read like the whole."""
    check_timezone(timezone)
    if timezone is None or roles.time is None:
        return frame
    entity, ids = np.zeros(len(frame), "int64"), (None,)
    if roles.series_id:
        entity = series_codes(frame, roles.series_id)
        names = frame[list(roles.series_id)].iloc[np.unique(entity, return_index=True)[1]]
        ids = tuple(names.itertuples(index=False, name=None)) if len(roles.series_id) > 1 else names.iloc[:, 0]
    timestamps = pd.Index(frame[roles.time])
    timestamps = in_zone(timestamps, Places(entity, tuple(ids), timestamps), timezone)
    return frame.assign(**{roles.time: timestamps})


@contextmanager
def name_file_in_errors(sources: Sources) -> Iterator[None]:
    """Name the file in refusals of `read_panel` and `update`."""
    path = join_paths(sources)
    try:
        yield
    except InputError as error:
        raise type(error)(re.sub(rf"^({WHERE}|(\w+\.)?update):", lambda _: f"{path}:", str(error))) from error


def read_like(sources: Sources, schema: Schema, future: bool = False) -> pd.DataFrame:
    """Read files with the columns of a fitted model.

    Parameters
    ----------
    sources : Path or sequence of Path
    schema : Schema
    future : bool
        Rows to forecast: targets and past covariates may be missing.
    """
    path = join_paths(sources)
    frame = read_several(find_paths(listed(sources)), schema.series_keys or None, schema.time).frame
    frame = melted_like(schema, frame)
    roles = {role: getattr(schema, role) for role in COLUMNS}
    roles["static"] = tuple(name for name in schema.static if name in frame)  # those of known series are remembered
    if future:
        roles |= {"target": (), "past": ()}
    time = as_names(schema.time)
    if schema.time_parts and schema.time not in frame:
        time = schema.time_parts
    needed = [*(name for names in roles.values() for name in names), *schema.series_keys, *time]
    lacking = [name for name in needed if name not in frame]
    if lacking:
        rule = f"the columns that the model was fitted on must be present ({first_few(needed, 8)})"
        refuse(path, rule, f"no {first_few(map(repr, lacking))} among {first_few(frame.columns, 8)}")
    if future:
        frame = frame.assign(**dict.fromkeys(schema.target, np.nan))
    selected = {name: frame[name] for name in schema.series_keys}
    if time:
        selected[schema.time] = find_time(frame, frame[[]], time, (), path, schema.date_order).values
    for name in (*schema.target, *roles["known"], *roles["past"], *roles["static"]):
        is_number = name in schema.target or pd.api.types.is_numeric_dtype(frame[name])
        selected[name] = frame[name] if is_number else frame[name].astype("category")
    frame = _in_utc(pd.DataFrame(selected, copy=False), schema.time, schema.date_order, schema.timezone)
    return _indexed(frame, schema)


def _indexed(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Return the frame with its keys in the index if they were there at fit."""
    keys = [*schema.series_keys, *as_names(schema.time)]
    return frame.set_index(keys) if schema.indexed and schema.time is not None else frame
