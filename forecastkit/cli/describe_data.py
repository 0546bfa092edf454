"""What was detected in a table, as lines and as a dict."""

from dataclasses import asdict

import numpy as np
import pandas as pd

from forecastkit.cli.console import Reporter
from forecastkit.cli.flags import as_flags
from forecastkit.cli.read_data import Data
from forecastkit.data.files.infer_roles import Roles
from forecastkit.data.files.multiple import STEM
from forecastkit.data.ingest.timezones import clock_changes
from forecastkit.data.panel import Panel, spread
from forecastkit.data.time_grid import TimeGrid
from forecastkit.data.week_slots import BUSINESS, DAY
from forecastkit.utils.validation import first_few


def print_data(report: Reporter, data: Data) -> None:
    """Print the file, its series, timestamps, gaps and columns."""
    roles, panel = data.roles, data.panel
    report.info("file", data.table.describe(roles.date_order))
    if roles.series_id:
        stems = "      one per file" if data.table.files and roles.series_id == (STEM,) else ""
        report.info("series", f"{', '.join(roles.series_id)}: {first_few(map(series_name, panel.ids), 5)}{stems}")
    report.info("time", _describe_time(data))
    if gaps := _describe_gaps(data):
        report.info("gaps", gaps)
    _print_columns(report, roles)
    for note in roles.notes:
        report.info("note", as_flags(note))
    for warning in data.warnings:
        report.warning(as_flags(warning))


def series_name(name: object) -> str:
    """Return the name of a series; one that several columns make is written ``Rome / bread``."""
    return " / ".join(map(str, name)) if isinstance(name, tuple) else str(name)


def summarize_data(data: Data) -> dict:
    """Return the same as a dict."""
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
        "first": format_time(panel.grid, int(panel.start.min())),
        "last": format_time(panel.grid, data.end),
        "series_id": roles.series_id if len(roles.series_id) > 1 else next(iter(roles.series_id), None),
        "series": len(panel.ids),
        "missing": sum(longest_gap(data)[:1]),
        "target": roles.target,
        "known": roles.known,
        "past": roles.past,
        "static": roles.static,
        "unused": dict(roles.unused),
    }


def _print_columns(report: Reporter, roles: Roles) -> None:
    names = ("target", "known", "past", "static")
    parts = {name: first_few(getattr(roles, name), 8) for name in names if getattr(roles, name)}
    if roles.unused:
        parts["unused"] = first_few((as_flags(f"{name} ({reason})") for name, reason in roles.unused), 4)
    head = parts.pop("target")
    joined = "      ".join([head, *(f"{name}  {text}" for name, text in parts.items())])
    if len(joined) <= 90:
        report.info("target", joined)
        return
    for name, text in {"target": head, **parts}.items():
        report.info(name, text)


def _describe_time(data: Data) -> str:
    grid, panel = data.panel.grid, data.panel
    if data.roles.time is None:
        return "no column of timestamps: rows are assumed to be in order"
    span = f"{format_time(grid, int(panel.start.min()), short=True)} to {format_time(grid, data.end, short=True)}"
    ahead = int((panel.ends - panel.start + 1 - data.lengths).max())
    known = (
        f"      {format_steps(grid, ahead)} after it with known covariates"
        if ahead > 0 and panel.known.shape[1]
        else ""
    )
    name = " + ".join(data.roles.time_parts) or data.roles.time
    return f"{name}, {grid.name}, {span}{known}{_describe_clock_changes(panel)}"


def _describe_clock_changes(panel: Panel) -> str:
    changes = clock_changes(panel)
    kinds = {"repeated": changes.repeated, "repeated without rows": changes.dropped, "skipped": changes.skipped}
    found = [f"{count:,} {kind}" for kind, count in kinds.items() if count]
    hours = "hour" if max(kinds.values()) == 1 == len(found) else "hours"
    return f"      clock: {', '.join(found)} {hours}" if found else ""


def _describe_gaps(data: Data) -> str:
    count, longest, entity, row = longest_gap(data)
    if not count:
        return ""
    panel = data.panel
    since = format_time(panel.grid, int(panel.start[entity] + row - panel.indptr[entity]), short=True)
    place = since if panel.ids[entity] is None else f"{series_name(panel.ids[entity])}, {since}"
    cells = format_steps(panel.grid, count, exact=True) if panel.channels == 1 else f"{count:,} values"
    return f"{cells} missing, longest {format_steps(panel.grid, longest, exact=True)} ({place})"


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


def format_time(grid: TimeGrid, ordinal: int, short: bool = False) -> str:
    """Return the time at an ordinal; `short` leaves out the time of day."""
    stamp = grid.timestamps(np.array([ordinal]))[0]
    if not grid.is_time:
        return str(stamp)
    stamp = pd.Timestamp(stamp.to_timestamp() if isinstance(stamp, pd.Period) else stamp)
    text = stamp.isoformat(" ", "minutes")  # `strftime` writes the year 1 without zeros
    if grid.kind == "month" and grid.day == 1:
        return text[: len("yyyy-mm")]
    of_days = grid.by_wall and grid.slot % DAY == 0 and stamp == stamp.normalize()
    return text[: len("yyyy-mm-dd")] if short or of_days else text[: len("yyyy-mm-dd hh:mm")]


def format_steps(grid: TimeGrid, steps: int, exact: bool = False) -> str:
    """Return a number of steps: ``24 months``, ``31 hours``; unless `exact`, ``73 days`` for many hours."""
    if not exact and grid.kind == "fixed" and grid.step < DAY and steps * grid.step >= 3 * DAY:
        return _count(round(steps * grid.step / DAY), "day")
    if grid.kind == "month" and grid.step in (1, 3, 12):
        return _count(steps, {1: "month", 3: "quarter", 12: "year"}[grid.step])
    if grid.kind == "position":
        return _count(steps, "row")
    words = {DAY // 24: "hour", 7 * DAY: "week"}
    words[DAY] = "business day" if grid.kind == "business" and grid.week == BUSINESS else "day"
    return _count(steps, words.get(grid.slot, "step"))


def _count(number: int, unit: str) -> str:
    return f"{number:,} {unit}{'s' * (number != 1)}"
