"""Recursive forecasts beyond the horizon, and one-step forecasts inside the history."""

from dataclasses import dataclass, replace

import numpy as np

from forecastkit.data import output_frames
from forecastkit.data.panel import Panel, spread
from forecastkit.data.schema import Schema
from forecastkit.data.windows import Origins
from forecastkit.forecasters.future_steps import check_filled, warn_missing_steps
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import check_levels, check_real, first_few, refuse

#: One-step forecasts made at a time: each fills a whole horizon.
CHUNK = 20_000


@dataclass(frozen=True)
class Rows:
    """Rows to forecast in the order asked for: entity and ordinal of each."""

    entity: np.ndarray
    ordinal: np.ndarray

    @classmethod
    def after(cls, panel: Panel, steps: int | np.ndarray) -> "Rows":
        """The next `steps` rows of every series: one number, or one for each, (E,)."""
        entity, place = spread(np.broadcast_to(steps, len(panel.ids)))
        return cls(entity, panel.cutoffs()[entity] + 1 + place)


def read_asked(where: str, schema: Schema, panel: Panel, X) -> tuple[Rows, Panel]:
    """The rows that `X` asks for, and the panel of their series with the known covariates of `X` laid over it."""
    from forecastkit.data.ingest.read_panel import read_rows  # here: a stored history is not read
    from forecastkit.data.ingest.regularize import one_row_each

    table = read_rows(schema, X, future=True, follow=panel)
    at = panel.places(table.ids)
    if (at < 0).any():
        unknown = [repr(name) for name, place in zip(table.ids, at, strict=True) if place < 0]
        refuse("predict", "every series must have a history", f"none for {first_few(unknown)}", "Pass history=.")
    panel, entity = panel.take(at), table.entity
    if table.timestamps is None:
        order = np.argsort(entity, kind="stable")
        ordinal = np.empty(len(entity), dtype="int64")
        ordinal[order] = spread(np.bincount(entity, minlength=len(panel.ids)))[1]
        ordinal += panel.cutoffs()[entity] + 1
    else:
        ordinal = panel.grid.ordinals_of(table.timestamps, "predict")
        if schema.resample is None:
            _refuse_twice(table, ordinal)
    rows = slots = Rows(entity, ordinal)
    if schema.resample is not None:
        table, ordinal = one_row_each(replace(table, entity=entity), ordinal)
        slots = Rows(table.entity, ordinal)
    warn_missing_steps(where, panel, slots)
    if schema.known:
        panel = _with_known(panel, slots, table.known)
        check_filled(where, schema, panel, slots)
    return rows if schema.supervised else slots, panel


def _refuse_twice(table, ordinal):
    """Refuse several rows to forecast of one series and time."""
    order = np.lexsort((ordinal, table.entity))
    entity, ordinal = table.entity[order], ordinal[order]
    again = np.zeros(len(order), dtype=bool)
    again[order[1:]] = (entity[1:] == entity[:-1]) & (ordinal[1:] == ordinal[:-1])
    if again.any():
        got = table.places.count(again, "duplicate", "duplicates")
        refuse("predict", "each (series, time) to forecast must be one row", got, "Remove the others.")


def _with_known(panel, rows, given):
    """The panel with these known covariates at these rows; missing cells leave what is there."""
    ends = panel.ends.copy()
    np.maximum.at(ends, rows.entity, rows.ordinal)
    panel = panel.pad(ends - panel.ends)
    inside = rows.ordinal >= panel.start[rows.entity]
    at, given = panel.row_at(rows.entity, rows.ordinal)[inside], given[inside]
    known = panel.known.copy()
    known[at] = np.where(np.isnan(given), known[at], given)
    return replace(panel, known=known)


def values_at(forecaster, panel: Panel, rows: Rows, levels=None) -> np.ndarray:
    """Return forecasts (rows, C, 1 + levels) of these rows: the point, then the quantiles."""
    ahead = rows.ordinal - panel.cutoffs()[rows.entity]
    future = ahead >= 1
    out = np.empty((len(ahead), panel.channels, 1 + len(levels or ())))
    if future.any():
        values = forecast_recursively(forecaster, panel, int(ahead.max()), levels)
        out[future] = values[rows.entity[future], :, ahead[future] - 1]
    if not future.all():
        out[~future] = _fitted(forecaster, panel, rows.entity[~future], rows.ordinal[~future], levels)
    return out


def forecast_recursively(forecaster, panel: Panel, steps: int, levels=None) -> np.ndarray:
    """Return forecasts (E, C, steps, 1 + levels) from the end of the history, a horizon at a time."""
    horizon, parts = forecaster.horizon_, []
    if levels is not None and steps > horizon:
        where = type(forecaster).__name__
        refuse(where, f"quantiles reach {horizon} steps, the horizon", f"{steps} steps", error=ParameterError)
    panel = recent(panel, forecaster._rows_needed())
    last = panel.last_observed()
    while True:
        origins = Origins.every_channel(np.arange(len(panel.ids)), last, panel.channels)
        values = _point_and_quantiles(forecaster._forecast_at(panel, origins), levels)
        parts.append(values.reshape(len(panel.ids), panel.channels, horizon, -1))
        if len(parts) * horizon >= steps:
            return np.concatenate(parts, axis=2)[:, :, :steps]
        panel, last = _append(panel, last, values[..., 0])


def _point_and_quantiles(forecast, levels):
    points = forecast.point()[..., None]
    return points if levels is None else np.concatenate([points, forecast.quantiles(levels)], axis=-1)


def recent(panel: Panel, memory: int | None) -> Panel:
    """The panel without the rows more than `memory` before the end of each history."""
    return panel if memory is None else panel.between(panel.last_observed() + 1 - memory, panel.indptr[1:])


def _append(panel, last, points):
    """The panel with point forecasts as if they had been observed, and its new last rows."""
    horizon = points.shape[1]
    seen = last - panel.indptr[:-1]
    panel = panel.pad(np.maximum(last + 1 + horizon - panel.indptr[1:], 0))
    last = panel.indptr[:-1] + seen
    target = panel.target.astype("float64")
    rows = last[:, None] + np.arange(1, horizon + 1)
    target[rows] = points.reshape(len(last), panel.channels, horizon).transpose(0, 2, 1)
    return replace(panel, target=target), last + horizon


def _fitted(forecaster, panel, entity, ordinal, levels):
    """Return one-step forecasts (rows, C, 1 + levels) of times inside the history."""
    early = ordinal < panel.start[entity]
    if early.any():
        got = first_few(output_frames.timestamps_at(panel, np.unique(ordinal[early])))
        refuse("predict", "rows to forecast must not lie before the history", got)
    row = panel.row_at(entity, ordinal) - 1
    parts = []
    for low in range(0, len(row), CHUNK):
        part = slice(low, low + CHUNK)
        origins = Origins.every_channel(entity[part], row[part], panel.channels)
        values = _point_and_quantiles(forecaster._forecast_at(panel, origins), levels)
        parts.append(values[:, 0].reshape(len(row[part]), panel.channels, -1))
    return np.concatenate(parts)


def asked_levels(where: str, quantile_levels, coverage) -> tuple[tuple[float, ...] | None, tuple[str, ...]]:
    """Return the quantile levels, None without any, and the names of the columns to give."""
    if coverage is not None:
        if quantile_levels is not None:
            refuse(where, "either quantile_levels or coverage can be asked for", "both", error=ParameterError)
        check_real(where, "coverage", coverage, 1e-9, 1 - 1e-9)
        return ((1 - coverage) / 2, (1 + coverage) / 2), ("forecast", "lower", "upper")
    if quantile_levels is None:
        return None, ("forecast",)
    levels = check_levels(where, quantile_levels)
    return levels, tuple(output_frames.level_name(level) for level in levels)


def check_observed(where: str, schema: Schema, panel: Panel) -> None:
    """Refuse series without a single observed target."""
    several = len(schema.target) > 1
    blank = [
        " of ".join(repr(n) for n in (schema.target[c] if several else None, panel.ids[e]) if n is not None)
        for e, c in np.argwhere(~panel.observed())
    ]
    if blank:
        rule = "every series must have an observed target"
        refuse(where, rule, f"none in {first_few(blank) or 'the data'}", "All its cells are missing.")


def tail(history: Panel, scaler, memory: int | None) -> Panel:
    """The history without the rows that predicting never looks at.

    Series that the scaler has not met are scaled by their own history: it stays whole.
    """
    panel = recent(history, memory)
    new = scaler.places(history) < 0
    if not new.any() or panel is history:
        return panel
    first = np.where(new, history.indptr[:-1], history.indptr[1:] - panel.lengths)
    return history.between(first, history.indptr[1:])


def count_revised(history: Panel, newer: Panel, until: np.ndarray) -> int:
    """Rows up to the ordinals `until` (E,) whose targets newer rows change or fill in; where the history has them."""
    at = history.places(newer.ids)
    entity, place = spread(newer.lengths)
    ordinal, own = newer.start[entity] + place, at[entity]
    known = np.flatnonzero((own >= 0) & (own < len(until)))
    own, ordinal = own[known], ordinal[known]
    inside = (ordinal <= until[own]) & (ordinal >= history.start[own]) & (ordinal <= history.ends[own])
    given = newer.target[known[inside]]
    before = history.target[history.row_at(own[inside], ordinal[inside])]
    return int((~np.isnan(given) & (given != before)).any(axis=1).sum())
