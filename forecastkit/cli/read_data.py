"""A table as commands use it: read, with the roles of its columns, as one panel."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from forecastkit.cli.flags import COLUMN_ROLES
from forecastkit.data.files.infer_roles import Roles, find_roles
from forecastkit.data.files.multiple import STEM, find_paths, listed, read_several
from forecastkit.data.files.read_table import Table
from forecastkit.data.ingest.read_panel import WHERE, Schema, read_panel
from forecastkit.data.ingest.timezones import check_timezone, in_zone
from forecastkit.data.panel import Panel
from forecastkit.data.row_labels import Places
from forecastkit.utils.exceptions import InputError
from forecastkit.utils.validation import refuse, some

#: Parameters that say how a table is read, and are no columns.
READING = ("freq", "timezone", "duplicates")
#: Parameters that name columns.
COLUMNS = ("target", "known", "past", "static")


@dataclass(frozen=True, eq=False)
class Data:
    """A table that was read once: every fit and test of a command uses its panel.

    Attributes
    ----------
    path : str
        Or several, as messages name them.
    table : Table
    roles : Roles
    frame : DataFrame
        The columns with a role.
    panel : Panel
        With its schema.
    reading : dict
        How the table is read, as the user gave it: `READING`.
    """

    path: str
    table: Table
    roles: Roles
    frame: pd.DataFrame
    panel: Panel
    reading: dict = field(default_factory=dict)

    @property
    def schema(self) -> Schema:
        """Names of the panel's columns."""
        return self.panel.schema

    @property
    def role_parameters(self) -> dict:
        """The constructor parameters that name the columns and how they are read."""
        lists = {name: list(getattr(self.roles, name)) or None for name in COLUMNS}
        return {"time": self.roles.time, "series_id": self.roles.series_id, **self.reading, **lists}

    @property
    def lengths(self) -> np.ndarray:
        """Rows of each series up to its last observed one."""
        return self.panel.last_observed() + 1 - self.panel.indptr[:-1]

    @property
    def end(self) -> int:
        """Ordinal of the last observed row of all."""
        return int((self.panel.start + self.lengths - 1).max())

    def rows_before(self, ordinal: int) -> Panel:
        """The rows before this ordinal of the grid, of the series in which anything is observed there."""
        panel = self.panel
        stop = panel.row_at(np.arange(len(panel.ids)), ordinal)
        before = panel.between(panel.indptr[:-1], stop)
        return before.take(np.flatnonzero(before.last_observed() >= before.indptr[:-1]))


#: A file, a folder, a pattern such as ``data/*.csv``, or several of them.
Sources = Path | Sequence[Path]


def join_paths(sources: Sources) -> str:
    """Paths as messages name them: the first two, and how many more."""
    return some(listed(sources), 2)


def read_data(sources: Sources, roles: dict) -> Data:
    """Read a file, or several as one, with the roles that were given, and detect the others.

    Parameters
    ----------
    sources : Path or sequence of Path
    roles : dict
        Constructor parameters; those that say nothing of columns and their reading are ignored.

    Raises
    ------
    InputError
        As `read_table`, `find_roles` and `read_panel` do; and where a series or target has no value.
    """
    roles = {name: roles[name] for name in COLUMN_ROLES if name in roles}
    path = join_paths(sources)
    table = read_several(find_paths(listed(sources)), roles.get("series_id"), roles.get("time"))
    if STEM in table.frame and table.files:
        roles = {"series_id": STEM, **roles}
    reading = {name: roles[name] for name in READING if name in roles}
    given = {name: value for name, value in roles.items() if name not in READING}
    found = find_roles(table.frame, **given, where=path)
    frame = _select(found, table.frame, reading.get("timezone"))
    keys = {name: list(getattr(found, name)) or None for name in COLUMNS}
    with name_file_in_errors(sources):
        frame = _zoned(frame, found, reading.get("timezone"))
        panel, schema = read_panel(frame, time=found.time, series_id=found.series_id, **reading, **keys)
        _check_observed(panel, schema)
    return Data(path, table, found, frame, replace(panel, schema=schema), reading)


def _select(roles: Roles, frame: pd.DataFrame, timezone: str | None) -> pd.DataFrame:
    """The columns with a role; with a time zone, unix times are those of UTC."""
    selected = roles.select(frame)
    if timezone is None or not roles.date_order.startswith("unix"):
        return selected
    return selected.assign(**{roles.time: selected[roles.time].dt.tz_localize("UTC")})


def _zoned(frame: pd.DataFrame, roles: Roles, timezone: str | None) -> pd.DataFrame:
    """The frame with times of the zone, so that any part of it is read like the whole."""
    check_timezone(timezone)
    if timezone is None or roles.time is None:
        return frame
    names = None if roles.series_id is None else frame[roles.series_id]
    entity, ids = (np.zeros(len(frame), "int64"), (None,)) if names is None else pd.factorize(names)
    timestamps = pd.Index(frame[roles.time])
    timestamps = in_zone(timestamps, Places(entity, tuple(ids), timestamps), timezone)
    return frame.assign(**{roles.time: timestamps})


@contextmanager
def name_file_in_errors(sources: Sources) -> Iterator[None]:
    """Name the file in refusals of `read_panel`."""
    path = join_paths(sources)
    try:
        yield
    except InputError as error:
        raise type(error)(re.sub(f"^{WHERE}:", lambda _: f"{path}:", str(error))) from error


def _check_observed(panel: Panel, schema: Schema) -> None:
    empty = [panel.ids[e] for e in np.flatnonzero(panel.last_observed() < panel.indptr[:-1])]
    if empty:
        got = (
            f"none in {some(map(repr, empty))}" if schema.is_panel else f"only missing values in {some(schema.target)}"
        )
        refuse(WHERE, "every series must have an observed value", got, "Remove what is empty.")
    blank = [name for name, lacks in zip(schema.target, np.isnan(panel.target).all(axis=0), strict=True) if lacks]
    if blank:
        refuse(WHERE, "every target must have an observed value", f"only blanks in {some(map(repr, blank))}")


def read_like(sources: Sources, schema: Schema, future: bool = False) -> pd.DataFrame:
    """Read files whose columns are those that a model was fitted on.

    Parameters
    ----------
    sources : Path or sequence of Path
    schema : Schema
    future : bool
        Rows to forecast: targets and past covariates may be missing.

    Raises
    ------
    InputError
        Naming the missing columns.
    """
    path = join_paths(sources)
    frame = read_several(find_paths(listed(sources)), schema.series_id, schema.time).frame
    roles = {"target": schema.target, "known": schema.known, "past": schema.past, "static": schema.static}
    if future:
        roles |= {"target": (), "past": ()}
    needed = [name for names in roles.values() for name in names]
    needed += [name for name in (schema.series_id, schema.time) if name is not None]
    lacking = [name for name in needed if name not in frame]
    if lacking:
        rule = f"the columns that the model was trained on must be there ({some(needed, 8)})"
        refuse(path, rule, f"no {some(map(repr, lacking))} among {some(frame.columns, 8)}")
    if future:
        frame = frame.assign(**dict.fromkeys(schema.target, np.nan))
    found = find_roles(
        frame,
        time=schema.time,
        series_id=schema.series_id,
        where=path,
        **roles | {"target": schema.target, "past": roles["past"]},
    )
    return _indexed(_select(found, frame, schema.timezone), replace(schema, time=found.time))


def _indexed(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """The frame with its keys in the index where the model's own data had them there."""
    keys = [name for name in (schema.series_id, schema.time) if name is not None]
    return frame.set_index(keys) if schema.indexed and schema.time is not None else frame
