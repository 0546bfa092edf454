"""A table as the commands see it: read, its columns' roles found, laid on a grid."""

import re
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from forecastkit.data.files.infer_roles import Roles, find_roles
from forecastkit.data.files.multiple import STEM, find_paths, listed, read_several
from forecastkit.data.files.read_table import Table
from forecastkit.data.ingest.read_panel import WHERE, Schema, read_panel
from forecastkit.data.ingest.timezones import check_timezone, in_zone
from forecastkit.data.panel import Panel
from forecastkit.data.row_labels import Places
from forecastkit.utils.exceptions import InputError
from forecastkit.utils.validation import refuse, some

#: Parameters that are no columns.
READING = ("freq", "timezone", "duplicates")


@dataclass(frozen=True, eq=False)
class Data:
    """A file, read.

    Attributes
    ----------
    path : str
        Or paths, as one would say them.
    table : Table
    roles : Roles
    frame : DataFrame
        The columns that play a part.
    panel : Panel
    schema : Schema
    reading : dict
        How the table is to be read, as the user gave it: `READING`.
    """

    path: str
    table: Table
    roles: Roles
    frame: pd.DataFrame
    panel: Panel
    schema: Schema
    reading: dict = field(default_factory=dict)

    @property
    def keys(self) -> dict:
        """The constructor parameters that say the roles."""
        roles = self.roles
        lists = {name: list(getattr(roles, name)) or None for name in ("target", "known", "past", "static")}
        return {"time": roles.time, "series_id": roles.series_id, **self.reading, **lists}

    @property
    def lengths(self) -> np.ndarray:
        """Rows of each series up to its last observed one."""
        return self.panel.last_observed() + 1 - self.panel.indptr[:-1]

    @property
    def end(self) -> int:
        """Ordinal of the last observed row of all."""
        return int((self.panel.start + self.lengths - 1).max())

    def rows_before(self, ordinal: int) -> pd.DataFrame:
        """The rows of the frame before this place of the grid, of series in which anything is observed there."""
        before = self.frame[self._ordinals() < ordinal]
        if self.roles.series_id is None:
            return before
        seen = before.loc[before[list(self.roles.target)].notna().any(axis=1), self.roles.series_id].unique()
        return before[before[self.roles.series_id].isin(seen)]

    def _ordinals(self) -> np.ndarray:
        if self.roles.time is not None:
            return self.panel.grid.ordinals(pd.Index(self.frame[self.roles.time]))[0]
        if self.roles.series_id is None:
            return np.arange(len(self.frame))
        return self.frame.groupby(self.roles.series_id, sort=False).cumcount().to_numpy()


#: A file, a folder, a pattern such as ``data/*.csv``, or several of them.
Sources = Path | Sequence[Path]


def said_paths(sources: Sources) -> str:
    """Paths as one would say them."""
    return some(listed(sources), 2)


def read_data(sources: Sources, roles: dict) -> Data:
    """Read a file, or several as one, with the roles that were given and find the others.

    Raises
    ------
    InputError
        As `read_table`, `find_roles` and the door do; and where a series or target holds nothing.
    """
    path = said_paths(sources)
    table = read_several(find_paths(listed(sources)), roles.get("series_id"), roles.get("time"))
    if STEM in table.frame and table.files:
        roles = {"series_id": STEM, **roles}
    reading = {name: roles[name] for name in READING if name in roles}
    given = {name: value for name, value in roles.items() if name not in READING}
    found = find_roles(table.frame, **given, where=path)
    frame = _select(found, table.frame, reading.get("timezone"))
    keys = {name: list(getattr(found, name)) or None for name in ("target", "known", "past", "static")}
    with about(sources):
        frame = _zoned(frame, found, reading.get("timezone"))
        panel, schema = read_panel(frame, time=found.time, series_id=found.series_id, **reading, **keys)
        _check_observed(panel, schema)
    return Data(path, table, found, frame, panel, schema, reading)


def _select(roles: Roles, frame: pd.DataFrame, timezone: str | None) -> pd.DataFrame:
    """The columns that play a part; where a zone is asked for, unix times are those of UTC."""
    selected = roles.select(frame)
    if timezone is None or not roles.date_order.startswith("unix"):
        return selected
    return selected.assign(**{roles.time: selected[roles.time].dt.tz_localize("UTC")})


def _zoned(frame: pd.DataFrame, roles: Roles, timezone: str | None) -> pd.DataFrame:
    """The frame with times of the zone, so that any part of it says what the whole does."""
    check_timezone(timezone)
    if timezone is None or roles.time is None:
        return frame
    names = None if roles.series_id is None else frame[roles.series_id]
    entity, ids = (np.zeros(len(frame), "int64"), (None,)) if names is None else pd.factorize(names)
    timestamps = pd.Index(frame[roles.time])
    timestamps = in_zone(timestamps, Places(entity, tuple(ids), timestamps), timezone)
    return frame.assign(**{roles.time: timestamps})


@contextmanager
def about(sources: Sources):
    """Refusals of the door name the file instead."""
    path = said_paths(sources)
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
        Rows to forecast: targets and past covariates may lack.

    Raises
    ------
    InputError
        Naming the columns that lack.
    """
    path = said_paths(sources)
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
    """The frame with its keys where the model's own data had them."""
    keys = [name for name in (schema.series_id, schema.time) if name is not None]
    return frame.set_index(keys) if schema.indexed and schema.time is not None else frame
