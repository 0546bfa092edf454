"""Backtest: forecasts from past cutoffs, each from the rows up to its cutoff."""

from collections.abc import Callable, Sequence
from typing import Any, TypedDict, Unpack

import numpy as np
import pandas as pd

from forecastkit.baselines import simple
from forecastkit.baselines.seasonal_scales import first_cutoffs, seasonal_scales
from forecastkit.data import output_frames
from forecastkit.data.ingest.read_panel import read_more, read_panel
from forecastkit.data.panel import Panel, spread
from forecastkit.data.sizes import choose_horizon, choose_season
from forecastkit.data.windows import Origins
from forecastkit.evaluation.refits import Refits, groups_of, refit_all
from forecastkit.evaluation.results import Backtest, Reference, both_scores, coverage_table
from forecastkit.forecasters.base import Forecaster
from forecastkit.forecasters.future_rows import ordinal_of
from forecastkit.forecasters.newer_rows import without_newer_faults
from forecastkit.preprocessing.moments import without_broken
from forecastkit.uncertainty.residuals import NEVER, trained_until
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.types import Data, Path
from forecastkit.utils.validation import check_int, check_levels, check_options, first_few, refuse
from forecastkit.utils.warn import warn_user

WHERE = "backtest"
#: Smallest fraction of the rows before each series' first cutoff that must lie before the earliest cutoff of all.
MIN_COMMON = 0.5


class BacktestOptions(TypedDict, total=False):
    """Options of `backtest` that few calls need."""

    gap: int
    max_train_size: int | None
    quantile_levels: Sequence[float] | None
    resume: Path | None
    verbose: bool | Callable[[str], object]


def backtest(
    forecaster: Forecaster,
    X: Data,
    y: Data | None = None,
    *,
    start: Any = None,
    n_windows: int | None = None,
    stride: int = 1,
    refit: bool | int = False,
    **options: Unpack[BacktestOptions],
) -> Backtest:
    """Forecast from successive cutoffs and compare with the actuals.

    Parameters
    ----------
    forecaster : Forecaster
        A fitted forecaster is used without refitting, and origins before its ``cutoff_`` are refused. An unfitted one
        is cloned and fitted on the rows up to the first cutoff; if series end so far apart that this would leave less
        than half of the rows before the first cutoffs of each, on the latter, with a warning.
    X, y : as in `fit`
        All rows, past and to forecast. For a fitted forecaster newer rows suffice, which follow its history.
    start : label or int, optional
        First row to forecast, as a time or a position; by default the row after the fitted forecaster's cutoff, else
        the last fifth of the rows, or as `n_windows` determines.
    n_windows : int, optional
        Number of cutoffs, counted from the end unless `start` is given.
    stride : int
        Rows between cutoffs.
    refit : bool or int
        Fit a new clone at every cutoff (True), or at every k-th (int); fits are independent of each other.
    **options
        See Other Parameters.

    Other Parameters
    ----------------
    gap : int
        Number of rows between the cutoff and the first forecast that is evaluated; by default 0.
    max_train_size : int, optional
        Largest number of rows of each series up to the cutoff for a fit (sliding window); by default all (expanding
        window).
    quantile_levels : list of float, optional
        Adds quantile columns, and the intervals of `Backtest.coverage`.
    resume : path-like, optional
        File to which the forecasts of each fit are appended immediately. A backtest with the same forecaster and data
        reuses them and continues.
    verbose : bool or callable
        Reports a line after every fit: True prints it, a function is called with it.

    Returns
    -------
    Backtest

    Raises
    ------
    InputError
        If there is no complete window, a fitted forecaster would be tested on its training rows, or `resume` belongs to
        other data or parameters.
    """
    fitted = hasattr(forecaster, "history_")
    check_options(backtest, options, BacktestOptions)
    gap, max_train_size, resume = options.get("gap", 0), options.get("max_train_size"), options.get("resume")
    levels, verbose = options.get("quantile_levels"), options.get("verbose", False)
    _check(n_windows, stride, gap, refit, max_train_size)
    _check_fits(fitted and not refit, max_train_size=max_train_size, resume=resume)
    if fitted:
        schema = forecaster.schema_
        panel = read_more(schema, forecaster.history_.grid, X, y, remembered=forecaster.history_)
        panel = without_newer_faults(WHERE, forecaster, after_history(forecaster, panel, start))
        horizon = forecaster.horizon_
    else:
        forecaster._check_parameters()
        panel, schema = read_panel(X, y, **forecaster._reading())
        panel = without_broken(WHERE, panel, schema.target)
        configured = forecaster._configured()
        horizon = choose_horizon(configured.horizon, configured.season_length, panel, schema)
    if gap >= horizon:
        refuse(WHERE, "gap must be shorter than the horizon", f"gap {gap}, horizon {horizon}", error=ParameterError)
    cutoffs = find_cutoffs(forecaster if fitted else None, panel, start, n_windows, stride, gap, horizon)
    known = forecaster.season_length_ if fitted else forecaster._configured().season_length
    season = choose_season(known, panel, first_cutoffs(panel, cutoffs))
    levels = levels if levels is not None else forecaster._configured().quantile_levels
    levels = check_levels(WHERE, levels) if levels is not None else ()
    common = fitted or refit or start is not None or not _are_staggered(panel, cutoffs)
    refits = Refits(forecaster, panel, schema, (horizon, season), gap, levels, max_train_size, bool(common))
    if fitted and not refit:
        forecasts = refits.without_gap(refits.forecast(forecaster, cutoffs))
    else:
        groups = groups_of(panel, cutoffs, int(refit) if refit else None)
        parts = refit_all(refits, groups, resume, verbose if callable(verbose) else print if verbose else None)
        forecasts = parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
    return _result(forecasts, panel, schema, cutoffs, horizon, gap, season)


def after_history(fitted, panel: Panel, start) -> Panel:
    """Return the panel after the fitted history if it contains only newer rows; a `start` position then counts its
    rows.
    """
    at = fitted.history_.places(panel.ids)
    known = np.flatnonzero(at >= 0)
    by_position = isinstance(start, (int, np.integer)) and not isinstance(start, bool)
    newer = panel.start[known] > fitted.trained_until_[np.minimum(at[known], len(fitted.trained_until_) - 1)]
    if by_position or not len(known) or not newer.all():
        return panel
    return fitted.history_.take(at[known]).merge(panel)[0]


def _check(n_windows, stride, gap, refit, max_train_size):
    check_int(WHERE, "n_windows", n_windows, optional=True)
    check_int(WHERE, "stride", stride)
    check_int(WHERE, "gap", gap, low=0)
    if not isinstance(refit, (bool, np.bool_)):
        check_int(WHERE, "refit", refit)
    check_int(WHERE, "max_train_size", max_train_size, optional=True)


def _check_fits(without: bool, **given):
    """Refuse arguments about fits if there are no fits."""
    asked = [name for name, value in given.items() if value is not None]
    if without and asked:
        rule = f"{asked[0]} is about fits, and a fitted forecaster is used as it is"
        refuse(WHERE, rule, f"refit=False, {asked[0]}={given[asked[0]]!r}", "Pass refit=.", ParameterError)


def find_cutoffs(fitted, panel: Panel, start, n_windows, stride, gap, horizon) -> Origins:
    """Return the origins (channel 0 only) of all complete windows, by cutoff time."""
    # Origins of a series range from its first observed row to the last one whose steps are all in the data.
    begin, last = panel.first_observed(), panel.last_observed() - horizon
    if start is None and n_windows is not None:
        back = np.minimum(n_windows - 1, np.maximum(last - begin, 0) // stride)
        first = last - back * stride
    else:
        first = _first_cutoff(fitted, panel, start, gap)
        if start is not None and (first < begin).all():
            rule = "start must leave at least one observed row before the first cutoff"
            refuse(WHERE, rule, repr(start), error=ParameterError)
        # A series that starts later has its first cutoff as early as possible, on the same stride.
        first = first + -(-np.maximum(begin - first, 0) // stride) * stride
    counts = np.where(first >= begin, np.maximum((last - first) // stride + 1, 0), 0)
    if n_windows is not None:
        counts = np.minimum(counts, n_windows)
    if not counts.sum():
        rule = f"horizon {horizon} must fit between the first cutoff and the end of the data"
        refuse(WHERE, rule, "no complete window", "Give more rows or an earlier start=.")
    entity, place = spread(counts)
    row = first[entity] + place * stride
    order = np.lexsort((entity, panel.ordinal_at(entity, row)))
    cutoffs = Origins(entity[order], row[order], np.zeros(len(row), dtype="int64"))
    if fitted is not None:
        _refuse_seen(fitted, panel, cutoffs)
    return cutoffs


def _first_cutoff(fitted, panel, start, gap):
    """Return the row of the first cutoff of each series, which may lie before its first row."""
    begin = panel.indptr[:-1]
    if start is None and fitted is not None:
        until = trained_until(fitted, panel)
        return panel.row_at(np.arange(len(panel.ids)), np.where(until == NEVER, fitted.trained_until_.max(), until))
    if start is None:
        return begin + np.maximum((0.8 * panel.lengths).astype("int64"), 1) - 1 - gap
    if isinstance(start, (int, np.integer)) and not isinstance(start, bool):
        return begin + min(max(int(start), -panel.rows), 2 * panel.rows) - 1 - gap  # further out is outside as well
    return panel.row_at(np.arange(len(panel.ids)), ordinal_of(WHERE, "start", panel, start)) - 1 - gap


def _refuse_seen(fitted, panel, cutoffs):
    ordinal = panel.ordinal_at(cutoffs.entity, cutoffs.row)
    early = ordinal < trained_until(fitted, panel)[cutoffs.entity]
    if early.any():
        timestamps = output_frames.timestamps_at(panel, np.unique(ordinal[early]))
        rule = "a fitted forecaster is tested on rows after those it was fitted on"
        got = f"{len(timestamps)} cutoffs before its own: {first_few(timestamps)}"
        refuse(WHERE, rule, got, "Pass a later start=, or an unfitted forecaster.")


def _are_staggered(panel, cutoffs):
    """Return whether series end so far apart that a common training period would hold few rows, with a warning."""
    tested = np.unique(cutoffs.entity)
    begin, own = panel.indptr[tested], first_cutoffs(panel, cutoffs)[tested]
    earliest = panel.ordinal_at(cutoffs.entity, cutoffs.row).min()
    common = np.clip(panel.row_at(tested, np.full(len(tested), earliest)) + 1, begin, own)
    if (common - begin).sum() >= MIN_COMMON * (own - begin).sum():
        return False
    warn_user(
        f"{WHERE}: series end at different times, and few rows lie before the earliest cutoff: the forecaster is "
        "fitted on the rows of each series up to its own first cutoff, which may be later than cutoffs of others. "
        "Pass start= for a common cutoff."
    )
    return True


def _result(forecasts, panel, schema, cutoffs, horizon, gap, season) -> Backtest:
    """Return forecasts with their scores and those of the seasonal naive on the same windows."""
    origins = Origins.every_channel(cutoffs.entity, cutoffs.row, panel.channels)
    naive = simple.seasonal_naive(panel, origins, horizon, season)[:, gap:].ravel()
    place = np.repeat(panel.ordinal_at(origins.entity, origins.row), horizon - gap)
    if schema.weeks:
        entity, ordinal = np.repeat(origins.entity, horizon - gap), place + forecasts["step"].to_numpy()
        kept = output_frames.occurring(schema, panel, entity, ordinal) | forecasts["actual"].notna().to_numpy()
        forecasts, naive, place = forecasts[kept].reset_index(drop=True), naive[kept], place[kept]
    series = tuple(name for name in (*schema.series_keys, "target") if name in forecasts)
    about = Reference(series, naive, *_scales(panel, schema, cutoffs, season, series))
    return Backtest(forecasts, both_scores(forecasts, about), coverage_table(forecasts, place, horizon), about)


def _scales(panel, schema, cutoffs, season, series):
    """Scales of MASE and RMSSE by series, from its rows up to its first cutoff; one number each of a single series."""
    entities = np.unique(cutoffs.entity)
    scales = seasonal_scales(panel, first_cutoffs(panel, cutoffs), season)[:, entities]
    if not series:
        return scales[0, 0, 0], scales[1, 0, 0]
    channels = range(panel.channels)
    keys = output_frames.series_columns(schema, panel.ids, np.repeat(entities, len(channels)))
    keys |= {"target": np.tile(np.array(schema.target, dtype=object), len(entities))}
    index = pd.MultiIndex.from_arrays([keys[name] for name in series], names=series)
    index = index if len(series) > 1 else index.get_level_values(0)
    return tuple(pd.Series(scale.ravel(), index=index) for scale in scales)
