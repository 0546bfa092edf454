"""What was found in a table, for people and for programs."""

from dataclasses import asdict

import numpy as np
import pandas as pd

from forecastkit.cli.console import Report
from forecastkit.cli.flags import as_flags
from forecastkit.cli.read_data import Data
from forecastkit.data.files.infer_roles import Roles
from forecastkit.data.files.multiple import STEM
from forecastkit.data.ingest.timezones import clock_changes
from forecastkit.data.panel import Panel, spread
from forecastkit.data.time_grid import DAY, TimeGrid
from forecastkit.utils.validation import some

KINDS = {"business": "business day", "month": "step"}


def say_data(report: Report, data: Data) -> None:
    """Lines on the file, its series, times, gaps and columns."""
    roles, panel = data.roles, data.panel
    report.line("file", data.table.describe(roles.date_order))
    if roles.series_id is not None:
        stems = "      each file is one" if data.table.files and roles.series_id == STEM else ""
        report.line("series", f"{roles.series_id}: {some(panel.ids, 5)}{stems}")
    report.line("time", _time_words(data))
    if gaps := _gap_words(data):
        report.line("gaps", gaps)
    _say_columns(report, roles)


def data_dict(data: Data) -> dict:
    """The same for programs."""
    roles, panel = data.roles, data.panel
    return {
        "file": str(data.path),
        "rows": len(data.table.frame),
        "separator": data.table.separator,
        "decimal": data.table.decimal,
        "encoding": data.table.encoding,
        "date_order": roles.date_order,
        "time": roles.time,
        "freq": panel.grid.name,
        "timezone": panel.grid.tz,
        "clock": asdict(clock_changes(panel)),
        "first": said(panel.grid, int(panel.start.min())),
        "last": said(panel.grid, data.end),
        "series_id": roles.series_id,
        "series": len(panel.ids),
        "missing": sum(longest_gap(data)[:1]),
        "target": roles.target,
        "known": roles.known,
        "past": roles.past,
        "static": roles.static,
        "unused": dict(roles.unused),
    }


def _say_columns(report: Report, roles: Roles) -> None:
    names = ("target", "known", "past", "static")
    parts = {name: some(getattr(roles, name), 8) for name in names if getattr(roles, name)}
    if roles.unused:
        parts["unused"] = some((as_flags(f"{name} ({reason})") for name, reason in roles.unused), 4)
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
    return f"{data.roles.time}, {grid.name}, {span}{known}{_clock_words(panel)}"


def _clock_words(panel: Panel) -> str:
    changes = clock_changes(panel)
    kinds = {"repeated": changes.repeated, "repeated without rows": changes.dropped, "skipped": changes.skipped}
    found = [f"{count:,} {kind}" for kind, count in kinds.items() if count]
    hours = "hour" if max(kinds.values()) == 1 == len(found) else "hours"
    return f"      clock: {', '.join(found)} {hours}" if found else ""


def _gap_words(data: Data) -> str:
    count, longest, entity, row = longest_gap(data)
    if not count:
        return ""
    panel = data.panel
    since = said(panel.grid, int(panel.start[entity] + row - panel.indptr[entity]), short=True)
    place = since if panel.ids[entity] is None else f"{panel.ids[entity]}, {since}"
    cells = units(panel.grid, count, exact=True) if panel.channels == 1 else f"{count:,} values"
    return f"{cells} masked, longest {units(panel.grid, longest, exact=True)} ({place})"


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
        row = int(missing[first[runs.argmax()]])
        longest = max(found[1:], (int(runs.max()), int(entity[row]), row), key=lambda run: run[0])
        found = (found[0] + len(missing), *longest)
    return found


def said(grid: TimeGrid, ordinal: int, short: bool = False) -> str:
    """The time at an ordinal as one would say it; `short` leaves out the time of day."""
    stamp = grid.timestamps(np.array([ordinal]))[0]
    if not grid.is_time:
        return str(stamp)
    stamp = pd.Timestamp(stamp.to_timestamp() if isinstance(stamp, pd.Period) else stamp)
    if grid.kind == "month" and grid.day == 1:
        return f"{stamp:%Y-%m}"
    return f"{stamp:%Y-%m-%d}" if short or grid.by_wall else f"{stamp:%Y-%m-%d %H:%M}"


def units(grid: TimeGrid, steps: int, exact: bool = False) -> str:
    """A number of steps in words: ``24 months``, ``31 hours``; unless `exact`, ``73 days`` for many hours."""
    if not exact and grid.kind == "fixed" and grid.step < DAY and steps * grid.step >= 3 * DAY:
        return _count(round(steps * grid.step / DAY), "day")
    if grid.kind == "month" and grid.step in (1, 3, 12):
        return _count(steps, {1: "month", 3: "quarter", 12: "year"}[grid.step])
    words = {DAY // 24: "hour", DAY: "day", 7 * DAY: "week"}
    return _count(steps, words.get(grid.step, "step") if grid.kind == "fixed" else KINDS.get(grid.kind, "row"))


def _count(number: int, unit: str) -> str:
    return f"{number:,} {unit}{'s' * (number != 1)}"
