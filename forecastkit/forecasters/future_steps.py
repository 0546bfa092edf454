"""Number of steps to forecast per series, limited by the future covariates."""

import numpy as np
import pandas as pd

from forecastkit.data.panel import Panel, spread
from forecastkit.data.schema import Schema
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import first_few, refuse
from forecastkit.utils.warn import warn_user


def steps_until(where: str, panel: Panel, until, horizon: int) -> np.ndarray:
    """How many steps to forecast for each series, (E,).

    Parameters
    ----------
    until : None, 'common', or label
        None is a horizon for each; else all end together: a horizon after the latest cutoff, or at a time.
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
    """Ordinal of a time of the grid, or of a whole number where the grid has no times."""
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
    """How many of the `steps` after each history known covariates reach, (E,).

    Series for which none are known are refused; where they end early there is a warning. Holes before their last value
    count as known: they are masked.
    """
    steps = np.broadcast_to(steps, len(panel.ids))
    if not schema.known:
        return steps
    reach, cutoffs = _reach(panel, steps), panel.cutoffs()
    if not reach.all():
        lacking = np.flatnonzero((reach == 0).any(axis=1))
        names = _names(schema, (reach == 0).any(axis=0))
        _refuse_lacking(where, names, panel, lacking, cutoffs + 1, cutoffs + steps, "no rows")
    shortest = reach.min(axis=1)
    short = np.flatnonzero(shortest < steps)
    if len(short):
        names = _names(schema, (reach < steps[:, None]).any(axis=0))
        ends = _dated(panel, short, cutoffs[short] + shortest[short])
        said = f"{where}: known covariates {first_few(names)} end before the steps asked for: {first_few(ends)}"
        warn_user(f"{said}; forecasts go as far as they reach.")
    return shortest


def _reach(panel, steps):
    """Steps after each cutoff to the last row where each known covariate has a value, (E, K)."""
    last = panel.last_observed()
    entity, place = spread(np.minimum(steps, panel.indptr[1:] - 1 - last))
    given = ~np.isnan(panel.known[last[entity] + 1 + place])
    reach = np.zeros((len(panel.ids), given.shape[1]), dtype="int64")
    np.maximum.at(reach, entity, np.where(given, place[:, None] + 1, 0))
    return reach


def _dated(panel, entity, ordinal):
    """Series and a time of each as text."""
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
    """The known covariates that any of these columns, (K,) bool, belong to."""
    own = [name for name in schema.known for _ in range(schema.width((name,)))]
    return list(dict.fromkeys(name for name, chosen in zip(own, columns, strict=True) if chosen))


def _refuse_lacking(where, names, panel, lacking, first, last, got):
    """Refuse for these series, which lack known covariates at the ordinals from `first` to `last`, (E,) each."""
    spans = [_span(panel, first[e], last[e]) for e in lacking[:3]]
    rule = (
        f"known covariates {first_few(names)} are needed from {_span(panel, first[lacking].min(), last[lacking].max())}"
    )
    if panel.ids[lacking[0]] is not None:
        lack = [f"{panel.ids[e]!r} lacks {span}" for e, span in zip(lacking, spans, strict=False)]
        more = f", ... and {len(lacking) - 3} more" if len(lacking) > 3 else ""
        got = f"{got}: {', '.join(lack)}{more}"
    refuse(where, rule, got, "Fill future_frame() and pass it to predict.")


def _span(panel, first, last):
    first, last = panel.grid.timestamps(np.array([first, last]))
    return f"{first} to {last}"


def warn_blank(where: str, schema: Schema, panel: Panel, rows) -> None:
    """Say which cells of known covariates are blank in rows to forecast: the forecast takes them at their mean."""
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
        warn_user(f"{said}; what is missing is taken at its mean.")


def warn_missing_steps(where: str, panel: Panel, rows) -> None:
    """Name the steps with known covariates that are missing between the history and the last row to forecast."""
    if not panel.known.shape[1]:
        return
    cutoffs = panel.cutoffs()
    ahead = rows.ordinal - cutoffs[rows.entity]
    wanted = np.zeros(len(panel.ids), dtype="int64")
    np.maximum.at(wanted, rows.entity, ahead)
    given = np.bincount(rows.entity[ahead > 0], minlength=len(panel.ids))
    short = np.flatnonzero(given < wanted)
    if not len(short):
        return
    missing = []
    for entity in short:
        own = np.setdiff1d(np.arange(1, wanted[entity] + 1), ahead[rows.entity == entity])
        row = panel.row_at(np.full(len(own), entity), cutoffs[entity] + own)
        known = (row < panel.indptr[entity + 1]) & ~np.isnan(panel.known[np.minimum(row, panel.rows - 1)]).all(axis=1)
        missing += [(entity, cutoffs[entity] + step) for step in own[~known]]
    if missing:
        entities, ordinals = (np.array(values) for values in zip(*missing, strict=True))
        said = f"{where}: {len(missing)} step{'s' * (len(missing) != 1)} before the last row to forecast have no row: "
        said += first_few(_dated(panel, entities, ordinals))
        warn_user(f"{said}; their known covariates are taken at their mean.")
