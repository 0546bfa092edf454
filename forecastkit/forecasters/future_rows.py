"""Rows to forecast: which, up to where future covariates reach, and recursive forecasts of those beyond the horizon."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from forecastkit.data import output_frames
from forecastkit.data.panel import Panel, spread
from forecastkit.data.schema import Schema
from forecastkit.data.windows import Origins
from forecastkit.forecasters.new_series import with_new_series
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import check_levels, check_real, first_few, refuse
from forecastkit.utils.warn import warn_user

#: One-step forecasts made at a time: each fills a whole horizon.
CHUNK = 20_000


@dataclass(frozen=True)
class Rows:
    """Rows to forecast in the requested order: entity and ordinal of each."""

    entity: np.ndarray
    ordinal: np.ndarray

    @classmethod
    def after(cls, schema: Schema, panel: Panel, steps: int | np.ndarray) -> "Rows":
        """Return the rows of the next `steps` steps of every series, a number or one per series (E,).

        Steps at times of the week at which a series never occurs are left out.
        """
        entity, place = spread(np.broadcast_to(steps, len(panel.ids)))
        ordinal = panel.cutoffs()[entity] + 1 + place
        if not schema.weeks:
            return cls(entity, ordinal)
        kept = output_frames.occurring(schema, panel, entity, ordinal)
        return cls(entity[kept], ordinal[kept])

    def steps(self, panel: Panel) -> np.ndarray:
        """Return the number of steps from the history of each series to the last of its rows, (E,); 0 without any."""
        steps = np.zeros(len(panel.ids), dtype="int64")
        np.maximum.at(steps, self.entity, self.ordinal - panel.cutoffs()[self.entity])
        return steps


def read_rows_to_forecast(where: str, schema: Schema, panel: Panel, X, kept: int | None) -> tuple[Rows, Panel]:
    """Return the rows to forecast of `X`, and the panel of their series with the known covariates of `X`.

    `kept` is the number of latest rows of each series that a saved forecaster keeps, None for all.
    """
    from forecastkit.data.ingest.read_panel import one_row_each, read_rows  # here: a stored history is not read

    table = read_rows(schema, X, future=True, follow=panel)
    at = panel.places(table.ids)
    if (at < 0).any():
        panel = with_new_series(where, schema, panel, table.ids, X, kept)
        at = panel.places(table.ids)
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
    warn_missing_steps(where, schema, panel, slots)
    if schema.known:
        panel = _with_known(panel, slots, table.known)
        check_filled(where, schema, panel, slots)
    return rows if schema.supervised else slots, panel


def _refuse_twice(table, ordinal):
    """Refuse duplicate rows to forecast."""
    order = np.lexsort((ordinal, table.entity))
    entity, ordinal = table.entity[order], ordinal[order]
    again = np.zeros(len(order), dtype=bool)
    again[order[1:]] = (entity[1:] == entity[:-1]) & (ordinal[1:] == ordinal[:-1])
    if again.any():
        got = table.places.count(again, "duplicate", "duplicates")
        refuse("predict", "each (series, time) to forecast must be one row", got, "Remove the others.")


def _with_known(panel, rows, given):
    """Return the panel with these future covariates at these rows; missing cells change nothing."""
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
    panel = recent(panel, forecaster._rows_needed(panel))
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
    """Return the panel without the rows more than `memory` before the end of each history."""
    return panel if memory is None else panel.between(panel.last_observed() + 1 - memory, panel.indptr[1:])


def _append(panel, last, points):
    """Return the panel with point forecasts as its next targets, and the new last rows."""
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


def requested_levels(where: str, quantile_levels, coverage) -> tuple[tuple[float, ...] | None, tuple[str, ...]]:
    """Return the quantile levels, None without any, and the names of the result's columns."""
    if coverage is not None:
        if quantile_levels is not None:
            refuse(where, "either quantile_levels or coverage can be given", "both", error=ParameterError)
        if np.ndim(coverage):
            remedy = "Pass quantile_levels= for several intervals."
            refuse(where, "coverage must be one number", repr(coverage), remedy, error=ParameterError)
        check_real(where, "coverage", coverage, 1e-9, 1 - 1e-9)
        return ((1 - coverage) / 2, (1 + coverage) / 2), ("forecast", "lower", "upper")
    if quantile_levels is None:
        return None, ("forecast",)
    levels = check_levels(where, quantile_levels)
    return levels, tuple(output_frames.level_name(level) for level in levels)


def tail(history: Panel, scaler, memory: int | None) -> Panel:
    """Return the history without the rows that no forecast depends on.

    Series unknown to the scaler are scaled by their own history, so all their rows are kept.
    """
    panel = recent(history, memory)
    new = scaler.places(history) < 0
    if not new.any() or panel is history:
        return panel
    first = np.where(new, history.indptr[:-1], history.indptr[1:] - panel.lengths)
    return history.between(first, history.indptr[1:])


def steps_until(where: str, panel: Panel, until, horizon: int) -> np.ndarray:
    """Return the number of steps to forecast for each series, (E,): by default a horizon.

    With `until`, all end a horizon after the latest cutoff ('common'), or at a time.
    """
    if until is None:
        return np.full(len(panel.ids), horizon)
    cutoffs = panel.cutoffs()
    common = isinstance(until, str) and until == "common"
    steps = (cutoffs.max() + horizon if common else ordinal_of(where, "until", panel, until)) - cutoffs
    if (steps < 1).any():
        late = np.flatnonzero(steps < 1)
        rule = "until must lie after the last observed row of every series"
        refuse(
            where,
            rule,
            f"{until!r}, and a last row {first_few(_dated(panel, late, cutoffs[late]))}",
            error=ParameterError,
        )
    return steps


def ordinal_of(where: str, parameter: str, panel: Panel, label) -> int:
    """Return the ordinal of a time, or of an integer position if the grid has no times."""
    try:
        timestamps = pd.DatetimeIndex([pd.Timestamp(label)]) if panel.grid.is_time else pd.Index([int(label)])
        ordinals, fits = panel.grid.ordinals(timestamps)
    except (TypeError, ValueError):
        refuse(where, f"{parameter} must be a time of the data or a position", repr(label), error=ParameterError)
    if not fits[0]:
        rule = f"{parameter} must lie on the data's grid ({panel.grid.name})"
        refuse(where, rule, repr(label), error=ParameterError)
    return int(ordinals[0])


def check_known_ahead(where: str, schema: Schema, panel: Panel, steps: int | np.ndarray) -> np.ndarray:
    """Return how many of the `steps` after each history have future covariates, (E,).

    Series for which none are known are refused; where they end early there is a warning. Holes before their last value
    count as known: they are masked.
    """
    steps = np.broadcast_to(steps, len(panel.ids))
    if schema.weeks:
        steps = Rows.after(schema, panel, steps).steps(panel)
        _warn_none(where, schema, panel, steps)
    if not schema.known:
        return steps
    reach, cutoffs = _reach(panel, steps), panel.cutoffs()
    unknown = (reach == 0) & (steps > 0)[:, None]
    if unknown.any():
        lacking, names = np.flatnonzero(unknown.any(axis=1)), _names(schema, unknown.any(axis=0))
        _refuse_lacking(where, names, panel, lacking, cutoffs + 1, cutoffs + steps, "no rows")
    shortest = reach.min(axis=1)
    short = np.flatnonzero(shortest < steps)
    if len(short):
        names = _names(schema, (reach < steps[:, None]).any(axis=0))
        ends = _dated(panel, short, cutoffs[short] + shortest[short])
        said = f"{where}: known covariates {first_few(names)} end before the requested steps: {first_few(ends)}"
        warn_user(f"{said}; forecasts end with them.")
    return shortest


def _warn_none(where, schema, panel, steps):
    """Warn of series that have no rows at any time of the week among the steps to forecast."""
    none = [repr(panel.ids[e]) for e in np.flatnonzero(steps == 0)]
    if none:
        warn_user(
            f"{where}: no step to forecast is at a time of the week at which these series have rows: "
            f"{first_few(none)}. They are left out; fit a longer horizon=."
        )


def _reach(panel, steps):
    """Return the steps from each cutoff to the last value of each future covariate, (E, K)."""
    last = panel.last_observed()
    entity, place = spread(np.minimum(steps, panel.indptr[1:] - 1 - last))
    given = ~np.isnan(panel.known[last[entity] + 1 + place])
    reach = np.zeros((len(panel.ids), given.shape[1]), dtype="int64")
    np.maximum.at(reach, entity, np.where(given, place[:, None] + 1, 0))
    return reach


def _dated(panel, entity, ordinal):
    """Return series and their times as text."""
    timestamps = panel.grid.timestamps(ordinal)
    named = panel.ids[0] is not None
    return [f"{panel.ids[e]!r} at {at}" if named else str(at) for e, at in zip(entity, timestamps, strict=True)]


def check_filled(where: str, schema: Schema, panel: Panel, rows) -> None:
    """Refuse future rows of a series that all lack a known covariate."""
    ahead = rows.ordinal > panel.cutoffs()[rows.entity]
    entity, ordinal = rows.entity[ahead], rows.ordinal[ahead]
    given = np.zeros((len(panel.ids), panel.known.shape[1]), dtype=bool)
    np.logical_or.at(given, entity, ~np.isnan(panel.known[panel.row_at(entity, ordinal)]))
    lacking = np.flatnonzero(~given.all(axis=1) & np.isin(np.arange(len(panel.ids)), entity))
    if len(lacking):
        first, last = np.full(len(panel.ids), np.iinfo("int64").max), np.full(len(panel.ids), np.iinfo("int64").min)
        np.minimum.at(first, entity, ordinal)
        np.maximum.at(last, entity, ordinal)
        _refuse_lacking(where, _names(schema, ~given[lacking].all(axis=0)), panel, lacking, first, last, "only blanks")


def _names(schema, columns):
    """Return the names of the future covariates of the chosen columns, (K,) bool."""
    own = [name for name in schema.known for _ in range(schema.width((name,)))]
    return list(dict.fromkeys(name for name, chosen in zip(own, columns, strict=True) if chosen))


def _refuse_lacking(where, names, panel, lacking, first, last, got):
    """Refuse series without future covariates from the ordinals `first` to `last`, (E,) each."""
    spans = [_span(panel, first[e], last[e]) for e in lacking[:3]]
    rule = (
        f"known covariates {first_few(names)} are needed from {_span(panel, first[lacking].min(), last[lacking].max())}"
    )
    if panel.ids[lacking[0]] is not None:
        lack = [f"{panel.ids[e]!r} lacks {span}" for e, span in zip(lacking, spans, strict=False)]
        more = f", ... and {len(lacking) - 3} more" if len(lacking) > 3 else ""
        got = f"{got}: {', '.join(lack)}{more}"
    refuse(where, rule, got, "Fill future_frame(), or what `forecast future` writes, and pass it to predict.")


def _span(panel, first, last):
    first, last = panel.grid.timestamps(np.array([first, last]))
    return f"{first} to {last}"


def warn_blank(where: str, schema: Schema, panel: Panel, rows) -> None:
    """Warn of missing future covariates in rows to forecast, which are replaced by their mean."""
    ahead = np.flatnonzero(rows.ordinal > panel.cutoffs()[rows.entity]) if schema.known else ()
    if not len(ahead):
        return
    entity, ordinal = rows.entity[ahead], rows.ordinal[ahead]
    blank = np.isnan(panel.known[panel.row_at(entity, ordinal)])
    lacking = blank.any(axis=1)
    if lacking.any():
        names = _names(schema, blank.any(axis=0))
        said = f"{where}: {lacking.sum()} of {len(ahead)} rows to forecast lack known covariates {first_few(names)}: "
        said += first_few(_dated(panel, entity[lacking], ordinal[lacking]))
        warn_user(f"{said}; missing values are replaced by their mean.")


def warn_missing_steps(where: str, schema: Schema, panel: Panel, rows: Rows) -> None:
    """Warn of steps without future covariates between the history and the last row to forecast."""
    if not panel.known.shape[1]:
        return
    cutoffs = panel.cutoffs()
    ahead, wanted = rows.ordinal - cutoffs[rows.entity], rows.steps(panel)
    given = np.bincount(rows.entity[ahead > 0], minlength=len(panel.ids))
    short = np.flatnonzero(given < wanted)
    if not len(short):
        return
    missing = []
    for entity in short:
        own = np.setdiff1d(np.arange(1, wanted[entity] + 1), ahead[rows.entity == entity])
        own = own[output_frames.occurring(schema, panel, np.full(len(own), entity), cutoffs[entity] + own)]
        row = panel.row_at(np.full(len(own), entity), cutoffs[entity] + own)
        known = (row < panel.indptr[entity + 1]) & ~np.isnan(panel.known[np.minimum(row, panel.rows - 1)]).all(axis=1)
        missing += [(entity, cutoffs[entity] + step) for step in own[~known]]
    if missing:
        entities, ordinals = (np.array(values) for values in zip(*missing, strict=True))
        said = f"{where}: {len(missing)} step{'s' * (len(missing) != 1)} before the last row to forecast have no row: "
        said += first_few(_dated(panel, entities, ordinals))
        warn_user(f"{said}; their known covariates are replaced by their mean.")
