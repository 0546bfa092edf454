"""Panels instead of frames: their schema is checked against the parameters of the forecaster."""

from dataclasses import replace

import numpy as np

from forecastkit.data.panel import Panel
from forecastkit.data.schema import ROLES, WHERE, Schema, as_names
from forecastkit.data.time_grid import TimeGrid
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import first_few, refuse


def panel_with_schema(
    panel: Panel, y=None, *, timezone=None, duplicates="refuse", resample=None, slots=None, **roles
) -> tuple[Panel, Schema]:
    """Return the panel and its schema: that of the panel, or names from the parameters.

    Parameters
    ----------
    panel : Panel
        Not copied. Without a schema, columns are numeric and named by the parameters, by default ``y``, ``known0`` ...
    y : None
    timezone, duplicates, resample, slots, **roles
        As in `forecastkit.data.ingest.read_panel.read_panel`.

    Raises
    ------
    InputError
        If the parameters name other columns than the panel has.
    """
    _refuse_y(y)
    given = {role: as_names(roles.get(role)) for role in ("target", *ROLES)}
    keys = {name: roles.get(name) for name in ("time", "series_id")}
    if resample != (panel.schema.resample if panel.schema else None) and resample is not None:
        rule = "a Panel is regular, and resample= must be left out"
        refuse(WHERE, rule, repr(resample), error=ParameterError)
    if slots is not None and panel.grid.kind != "business":
        refuse(WHERE, "a Panel is regular, and slots= must be left out", repr(slots), error=ParameterError)
    if panel.schema is not None:
        _check_same(panel.schema, given, keys)
        return replace(panel, schema=None), panel.schema
    if np.isinf(panel.target).any():
        refuse(WHERE, "targets must be finite", f"{int(np.isinf(panel.target).sum())} infinite values")
    names = {role: _column_names(role, given[role], _width(panel, role)) for role in given}
    series_id = keys["series_id"] or (None if panel.ids == (None,) else "unique_id")
    form = "frame" if series_id is None else "panel"
    columns = tuple(name for role in names.values() for name in role)
    time = keys["time"] or ("time" if panel.grid.is_time else None)
    zone = {"timezone": timezone, "duplicates": duplicates}
    return panel, Schema(form, flat=False, time=time, series_id=series_id, columns=columns, **zone, **names)


def more_rows(schema: Schema, grid: TimeGrid, panel: Panel, y=None) -> Panel:
    """Return a panel of new rows after checking that columns and grid are those of the fitted panel.

    Raises
    ------
    InputError
        If columns, categories or grid differ.
    """
    _refuse_y(y)
    if panel.grid != grid:
        refuse(WHERE, f"a panel must be on the grid seen at fit ({grid.name})", panel.grid.name)
    for role in ("target", *ROLES):
        seen = len(schema.target) if role == "target" else schema.width(getattr(schema, role))
        if _width(panel, role) != seen:
            rule = f"a panel must have the {seen} {role} column{'s' * (seen != 1)} seen at fit"
            refuse(WHERE, rule, str(_width(panel, role)))
    if panel.schema is not None and panel.schema.categories != schema.categories:
        rule = "categories of a panel must have the levels seen at fit, in their order"
        refuse(WHERE, rule, "others", "Pass the rows as a frame.")
    return replace(panel, schema=None)


def _refuse_y(y):
    if y is not None:
        refuse(WHERE, "a Panel includes its targets, and y must not be given", "both", error=ParameterError)


def _check_same(schema, given, keys):
    for role, names in given.items():
        if names and set(names) != set(getattr(schema, role)):
            rule = f"{role}= must name the {role} columns of the panel ({first_few(getattr(schema, role), 8)})"
            refuse(WHERE, rule, first_few(map(repr, names), 8), error=ParameterError)
    for key, name in keys.items():
        own = getattr(schema, key)
        parts = schema.time_parts if key == "time" else ()
        if name is not None and as_names(name) != as_names(own) and (not parts or as_names(name) != parts):
            refuse(WHERE, f"{key}= must be that of the panel ({own!r})", repr(name), "", ParameterError)


def _column_names(role, given, width):
    if given and len(given) != width:
        rule = f"{role}= must name each of the {width} {role} columns of the panel"
        refuse(WHERE, rule, first_few(map(repr, given), 8), error=ParameterError)
    if given:
        return given
    return (
        ("y",)
        if (role, width) == ("target", 1)
        else tuple(f"{'y' if role == 'target' else role}{i}" for i in range(width))
    )


def _width(panel, role):
    return getattr(panel, role).shape[1]
