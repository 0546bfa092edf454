"""Checks that the parts of a loaded forecaster are consistent, before they are used."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from forecastkit.data.aliases import LONGEST_STEP
from forecastkit.data.ingest.duplicates import RESAMPLING, RULES
from forecastkit.data.panel import Panel
from forecastkit.data.schema import ROLES, Schema
from forecastkit.data.time_grid import TimeGrid
from forecastkit.data.week_slots import is_week
from forecastkit.persistence.array_shapes import check_arrays, check_object, need

#: Kinds of grids, and the largest plausible size.
KINDS, LARGEST = ("position", "fixed", "month", "business"), 2**40
#: Largest value of hyperparameters that are not the size of a weight, such as kernels and heads.
FEW = 64


def check_consistent(forecaster: Any) -> None:
    """Check the sizes, the schema and the history of a fitted forecaster; ValueError names an inconsistent part."""
    if not hasattr(forecaster, "history_"):
        return
    for name in ("horizon_", "lookback_", "season_length_"):
        need(_is_whole(getattr(forecaster, name, None), 1), f"{name} is not a size")
    schema, panel = forecaster.schema_, forecaster.history_
    _check_schema(schema)
    _check_panel(panel)
    widths = {"target": len(schema.target), **{role: schema.width(getattr(schema, role)) for role in ROLES}}
    for name, width in widths.items():
        need(getattr(panel, name).shape[1] == width, f"the history's {name} has not the {width} columns of the schema")
    _check_learned(forecaster, len(schema.target))


def _check_learned(forecaster: Any, channels: int) -> None:
    scales = getattr(forecaster, "residual_scale_", None)
    whole = isinstance(scales, np.ndarray) and scales.ndim == 2
    entities = {"E": len(scales), "N": scales.size} if whole else {}
    regressed = getattr(forecaster, "_regressed", forecaster.horizon_)
    sizes = {"H": forecaster.horizon_, "R": regressed, "C": channels, **entities}
    check_object(forecaster, "Forecaster", type(forecaster).__name__, sizes)
    for name, value in vars(forecaster).items():
        if name.endswith("_"):
            check_arrays(value, name, sizes)


def _is_whole(value: Any, low: int) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and low <= value <= LARGEST


def _check_schema(schema: Any) -> None:
    need(isinstance(schema, Schema), "there is no schema")
    names = ("target", *ROLES, "coded", "time_parts")
    for name in names:
        need(_are_hashable(getattr(schema, name)), f"the schema's {name} is not a list of names")
    need(isinstance(schema.categories, dict), "the schema's categories are not lists of levels by name")
    need(
        all(isinstance(levels, tuple) for levels in schema.categories.values()),
        "the levels of a category are not a list",
    )
    weeks = isinstance(schema.weeks, dict) and all(map(is_week, schema.weeks.values()))
    need(weeks, "the schema's weeks do not consist of whole days")
    need(schema.duplicates in RULES and schema.resample in RESAMPLING, "the schema's duplicates or resample is unknown")
    for name in ("form", "library", "date_order"):
        need(isinstance(getattr(schema, name), str), f"the schema's {name} is not text")
    for name in ("supervised", "flat", "indexed", "series_indexed"):
        need(isinstance(getattr(schema, name), bool), f"the schema's {name} is neither true nor false")
    need(isinstance(schema.timezone, (str, type(None))), "the schema's time zone is not text")


def _are_hashable(names: Any) -> bool:
    return isinstance(names, tuple) and not any(isinstance(name, (list, dict, np.ndarray)) for name in names)


def _check_grid(grid: Any) -> None:
    need(isinstance(grid, TimeGrid) and grid.kind in KINDS, "the history has no time grid")
    step = isinstance(grid.step, int) and not isinstance(grid.step, bool) and 0 < grid.step < LONGEST_STEP
    need(step, "the step of the grid is not a size")
    need(
        isinstance(grid.phase, int) and isinstance(grid.day, int),
        "the phase or the day of the grid is not a whole number",
    )
    for name in ("tz", "period"):
        need(isinstance(getattr(grid, name), (str, type(None))), f"the grid's {name} is not text")
    need(is_week(grid.week), "the week of the grid does not consist of whole days")


def _check_panel(panel: Any) -> None:
    need(isinstance(panel, Panel), "there is no history")
    _check_grid(panel.grid)
    need(isinstance(panel.ids, tuple), "the names of the series are not a list")
    entities = len(panel.ids)
    need(_are_integers(panel.start, entities), "the starts of the series are not one whole number for each")
    need(_are_integers(panel.indptr, entities + 1), "the row pointers are not one whole number for each series")
    rising = panel.indptr[0] == 0 and (np.diff(panel.indptr) >= 0).all()
    need(bool(rising), "the row pointers do not increase from 0")
    rows = {"target": panel.rows, "past": panel.rows, "known": panel.rows, "static": entities}
    for name, count in rows.items():
        values = getattr(panel, name)
        whole = isinstance(values, np.ndarray) and values.ndim == 2 and values.dtype.kind == "f"
        need(whole and len(values) == count, f"the history's {name} are not {count} rows of numbers")


def _are_integers(values: Any, count: int) -> bool:
    return isinstance(values, np.ndarray) and values.shape == (count,) and values.dtype.kind == "i"


def check_network_sizes(parameters: dict, shapes: Iterable[tuple[int, ...]]) -> None:
    """Check that hyperparameters of a registered backbone need no weights larger than the stored ones of these shapes.

    ValueError names a parameter that is larger than any weight: a network of that size is not built to find out.
    """
    shapes = list(shapes)
    largest = max((size for shape in shapes for size in shape), default=0)
    for name, value in parameters.items():
        most = len(shapes) if name == "layers" else max(largest, FEW)
        if isinstance(value, int) and not isinstance(value, bool) and value > most:
            raise ValueError(f"{name}={value} needs larger weights than those of the file")
