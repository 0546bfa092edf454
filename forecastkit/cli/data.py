"""A table as the commands see it: read, its columns' roles found, laid on a grid; and what was found, in words."""

from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from forecastkit.checks import InputError, refuse, some
from forecastkit.door import WHERE, Schema, open_door
from forecastkit.files import Table, read_table
from forecastkit.grid import DAY, Grid
from forecastkit.panel import Panel, spread
from forecastkit.report import Report
from forecastkit.roles import Roles, find_roles


@dataclass(frozen=True, eq=False)
class Data:
    """A file, read.

    Attributes
    ----------
    path : pathlib.Path
    table : Table
    roles : Roles
    frame : DataFrame
        The columns that play a part.
    panel : Panel
    schema : Schema
    freq : str or None
        As the user gave it.
    """

    path: Path
    table: Table
    roles: Roles
    frame: pd.DataFrame
    panel: Panel
    schema: Schema
    freq: str | None = None

    @property
    def keys(self) -> dict:
        """The constructor parameters that say the roles."""
        roles = self.roles
        lists = {name: list(getattr(roles, name)) or None for name in ("target", "known", "past", "static")}
        return {"time": roles.time, "series_id": roles.series_id, "freq": self.freq, **lists}

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


def read_data(path: Path, roles: dict) -> Data:
    """Read a file with the roles that were given and find the others.

    Raises
    ------
    InputError
        As `read_table`, `find_roles` and the door do; and where a series or target holds nothing.
    """
    table = read_table(path)
    freq = roles.get("freq")
    given = {name: value for name, value in roles.items() if name != "freq"}
    found = find_roles(table.frame, **given, where=str(path))
    frame = found.select(table.frame)
    keys = {name: list(getattr(found, name)) or None for name in ("target", "known", "past", "static")}
    with about(path):
        panel, schema = open_door(frame, time=found.time, series_id=found.series_id, freq=freq, **keys)
        _check_observed(panel, schema)
    return Data(path, table, found, frame, panel, schema, freq)


@contextmanager
def about(path: Path):
    """Refusals of the door name the file instead."""
    try:
        yield
    except InputError as error:
        sentence = str(error)
        raise type(error)(f"{path}{sentence.removeprefix(WHERE)}" if sentence.startswith(WHERE) else sentence) from error


def _check_observed(panel: Panel, schema: Schema) -> None:
    empty = [panel.ids[e] for e in np.flatnonzero(panel.last_observed() < panel.indptr[:-1])]
    if empty:
        got = f"none in {some(map(repr, empty))}" if schema.is_panel else f"nothing but missing values in {some(schema.target)}"
        refuse(WHERE, "every series must have an observed value", got, "Remove what is empty.")
    blank = [name for name, lacks in zip(schema.target, np.isnan(panel.target).all(axis=0), strict=True) if lacks]
    if blank:
        refuse(WHERE, "every target must have an observed value", f"only missing values in {some(map(repr, blank))}")


def read_like(path: Path, schema: Schema, future: bool = False) -> pd.DataFrame:
    """Read a file whose columns are those that a model was fitted on.

    Parameters
    ----------
    future : bool
        Rows to forecast: targets and past covariates may lack.

    Raises
    ------
    InputError
        Naming the columns that lack.
    """
    frame = read_table(path).frame
    roles = {"target": schema.target, "known": schema.known, "past": schema.past, "static": schema.static}
    if future:
        roles |= {"target": (), "past": ()}
    needed = [name for names in roles.values() for name in names]
    needed += [name for name in (schema.series_id, schema.time) if name is not None]
    lacking = [name for name in needed if name not in frame]
    if lacking:
        rule = f"the columns that the model was trained on must be there ({some(needed, 8)})"
        refuse(str(path), rule, f"no {some(map(repr, lacking))} among {some(frame.columns, 8)}")
    if future:
        frame = frame.assign(**{name: np.nan for name in schema.target})
    found = find_roles(
        frame, time=schema.time, series_id=schema.series_id, where=str(path),
        **roles | {"target": schema.target, "past": roles["past"]},
    )
    return _indexed(found.select(frame), replace(schema, time=found.time))


def _indexed(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """The frame with its keys where the model's own data had them."""
    keys = [name for name in (schema.series_id, schema.time) if name is not None]
    return frame.set_index(keys) if schema.indexed and schema.time is not None else frame


# ---------------------------------------------------------------------------------------------- words


def say_data(report: Report, data: Data) -> None:
    """Lines on the file, its series, times, gaps and columns."""
    roles, panel = data.roles, data.panel
    report.line("file", data.table.describe(roles.date_order))
    if roles.series_id is not None:
        report.line("series", f"{roles.series_id}: {some(panel.ids, 5)}")
    report.line("time", _time_words(data))
    if gaps := _gap_words(data):
        report.line("gaps", gaps)
    _say_columns(report, roles)


def data_dict(data: Data) -> dict:
    """The same for programs."""
    roles, panel = data.roles, data.panel
    return {
        "file": str(data.path), "rows": len(data.table.frame), "separator": data.table.separator,
        "decimal": data.table.decimal, "encoding": data.table.encoding, "date_order": roles.date_order,
        "time": roles.time, "freq": panel.grid.name, "first": said(panel.grid, int(panel.start.min())),
        "last": said(panel.grid, data.end), "series_id": roles.series_id, "series": len(panel.ids),
        "missing": sum(longest_gap(data)[:1]), "target": roles.target, "known": roles.known, "past": roles.past,
        "static": roles.static, "unused": dict(roles.unused),
    }


def _say_columns(report: Report, roles: Roles) -> None:
    names = ("target", "known", "past", "static")
    parts = {name: some(getattr(roles, name), 8) for name in names if getattr(roles, name)}
    if roles.unused:
        parts["unused"] = some((f"{name} ({reason})" for name, reason in roles.unused), 4)
    head = parts.pop("target")
    joined = "      ".join([head, *(f"{name}  {text}" for name, text in parts.items())])
    if len(joined) <= 90:
        report.line("target", joined)
        return
    for name, text in {"target": head, **parts}.items():
        report.line(name, text)


def _time_words(data: Data) -> str:
    grid, panel = data.panel.grid, data.panel
    if data.roles.time is None:
        return "no column of times: rows are taken in their order"
    span = f"{said(grid, int(panel.start.min()), short=True)} to {said(grid, data.end, short=True)}"
    ahead = int((panel.ends - panel.start + 1 - data.lengths).max())
    known = f"      {units(grid, ahead)} after it with known columns" if ahead > 0 and panel.known.shape[1] else ""
    return f"{data.roles.time}, {grid.name}, {span}{known}"


def _gap_words(data: Data) -> str:
    count, longest, entity, row = longest_gap(data)
    if not count:
        return ""
    panel = data.panel
    since = said(panel.grid, int(panel.start[entity] + row - panel.indptr[entity]), short=True)
    place = since if panel.ids[entity] is None else f"{panel.ids[entity]}, {since}"
    cells = units(panel.grid, count) if panel.channels == 1 else f"{count:,} values"
    return f"{cells} masked, longest {units(panel.grid, longest)} ({place})"


def longest_gap(data: Data) -> tuple[int, int, int, int]:
    """Number of missing cells up to the last observed row, length of the longest run, its series and first row."""
    panel = data.panel
    entity, place = spread(panel.lengths)
    inside = place < data.lengths[entity]
    found = (0, 0, 0, 0)
    for values in panel.target.T:
        missing = np.flatnonzero(np.isnan(values) & inside)
        if not len(missing):
            continue
        breaks = (np.diff(missing) != 1) | (np.diff(entity[missing]) != 0)
        first = np.concatenate([[0], np.flatnonzero(breaks) + 1])
        runs = np.diff(np.append(first, len(missing)))
        longest = max(found[1:], (int(runs.max()), int(entity[missing[first[runs.argmax()]]]), int(missing[first[runs.argmax()]])),
                      key=lambda run: run[0])
        found = (found[0] + len(missing), *longest)
    return found


def said(grid: Grid, ordinal: int, short: bool = False) -> str:
    """The time at an ordinal as one would say it; `short` leaves out the time of day."""
    stamp = grid.stamps(np.array([ordinal]))[0]
    if not grid.is_time:
        return str(stamp)
    stamp = pd.Timestamp(stamp.to_timestamp() if isinstance(stamp, pd.Period) else stamp)
    if grid.kind == "month" and grid.day == 1:
        return f"{stamp:%Y-%m}"
    return f"{stamp:%Y-%m-%d}" if short or grid.by_wall else f"{stamp:%Y-%m-%d %H:%M}"


def units(grid: Grid, steps: int) -> str:
    """A number of steps in words: ``24 months``, ``31 hours``, ``73 days`` for many hours."""
    if grid.kind == "fixed" and grid.step < DAY and steps * grid.step >= 3 * DAY:
        return _count(round(steps * grid.step / DAY), "day")
    if grid.kind == "month" and grid.step in (1, 3, 12):
        return _count(steps, {1: "month", 3: "quarter", 12: "year"}[grid.step])
    words = {DAY // 24: "hour", DAY: "day", 7 * DAY: "week"}
    unit = words.get(grid.step, "step") if grid.kind == "fixed" else "business day" if grid.kind == "business" else "row"
    return _count(steps, unit)


def _count(number: int, unit: str) -> str:
    return f"{number:,} {unit}{'s' * (number != 1)}"
