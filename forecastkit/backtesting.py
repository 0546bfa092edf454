"""Backtest: forecasts from many origins of the past, each seeing only what was known then."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.base import clone

from forecastkit import closed_form, frames, metrics
from forecastkit.base import Forecaster, observed_after
from forecastkit.checks import ParameterError, check_int, check_levels, refuse, some
from forecastkit.door import Schema, open_door, read_more
from forecastkit.panel import Panel, spread
from forecastkit.windows import Origins

WHERE = "backtest"


@dataclass(frozen=True)
class Backtest:
    """Result of a backtest.

    Attributes
    ----------
    forecasts : DataFrame
        Long: ``[series_id,] time, [target,] cutoff, step, forecast, [quantiles,] actual``.
    scores : DataFrame
        A row for the forecaster and one for the seasonal naive on the same windows: MAE, MSE, RMSE, bias, WAPE,
        sMAPE, MASE, and the skill ``1 - MAE / MAE of the seasonal naive``.
    """

    forecasts: pd.DataFrame
    scores: pd.DataFrame


def backtest(
    forecaster: Forecaster,
    X,
    y=None,
    *,
    start=None,
    n_windows: int | None = None,
    stride: int = 1,
    gap: int = 0,
    refit: bool | int = False,
    quantile_levels=None,
) -> Backtest:
    """Forecast from a row of cutoffs and compare with what came.

    Parameters
    ----------
    forecaster : Forecaster
        Fitted: used as it is, and origins before its ``cutoff_`` are refused. Not fitted: a clone is fitted on the
        rows up to the first cutoff.
    X, y : as in `fit`
        All rows, past and to be forecast.
    start : label or int, optional
        First row forecast: its time, or its position. Default: after the fitted forecaster's cutoff, else the last
        fifth of the rows, else as `n_windows` says.
    n_windows : int, optional
        Number of cutoffs, counted back from the end unless `start` is given.
    stride : int
        Rows between cutoffs.
    gap : int
        Rows between the cutoff and the first row forecast; steps up to it are left out.
    refit : bool or int
        Fit a fresh clone at every cutoff (True), or at every k-th (int).
    quantile_levels : list of float, optional
        Adds quantile columns.

    Returns
    -------
    Backtest

    Raises
    ------
    InputError
        Where there is no complete window, or a fitted forecaster would be tested on rows it was fitted on.
    """
    _check(n_windows, stride, gap, refit)
    fitted = hasattr(forecaster, "history_")
    if fitted:
        schema = forecaster.schema_
        panel = read_more(schema, forecaster.history_.grid, X, y)
    else:
        forecaster._check_parameters()
        names = ("target", "time", "series_id", "known", "past", "static", "freq")
        panel, schema = open_door(X, y, **{name: getattr(forecaster, name) for name in names})
    horizon = forecaster.horizon_ if fitted else _horizon(forecaster, panel)
    if gap >= horizon:
        refuse(WHERE, "gap must be shorter than the horizon", f"gap {gap}, horizon {horizon}", error=ParameterError)
    cutoffs = _cutoffs(forecaster if fitted else None, panel, start, n_windows, stride, gap, horizon)
    levels = quantile_levels if quantile_levels is not None else forecaster.quantile_levels
    levels = check_levels(WHERE, levels) if levels is not None else ()
    parts = [
        _forecast_group(model, panel, schema, group, gap, levels)
        for model, group in _models(forecaster, panel, schema, cutoffs, refit, fitted)
    ]
    forecasts = parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
    season = forecaster.season_length_ if fitted else int(forecaster.season_length or panel.grid.seasons[0])
    return Backtest(forecasts, _scores(forecasts, panel, schema, cutoffs, horizon, gap, season, levels))


def _check(n_windows, stride, gap, refit):
    check_int(WHERE, "n_windows", n_windows, optional=True)
    check_int(WHERE, "stride", stride)
    check_int(WHERE, "gap", gap, low=0)
    if not isinstance(refit, (bool, np.bool_)):
        check_int(WHERE, "refit", refit)


def _horizon(forecaster, panel):
    season = int(forecaster.season_length or panel.grid.seasons[0])
    return int(forecaster.horizon or max(season, 1))


def _cutoffs(fitted, panel: Panel, start, n_windows, stride, gap, horizon) -> Origins:
    """Origins (channel 0 only) of all complete windows, by cutoff time."""
    last = panel.last_observed() - horizon  # row of the last cutoff whose steps are all in the data
    first = _first_cutoff(fitted, panel, start, n_windows, stride, last, gap)
    counts = np.maximum((last - first) // stride + 1, 0)
    if start is not None and n_windows is not None:
        counts = np.minimum(counts, n_windows)
    if not counts.sum():
        refuse(
            WHERE,
            f"horizon {horizon} must fit between the first cutoff and the end of the data",
            "no complete window",
            "Give more rows or an earlier start=.",
        )
    entity, place = spread(counts)
    row = first[entity] + place * stride
    if fitted is not None:
        _refuse_seen(fitted, panel, entity, row)
    order = np.lexsort((entity, panel.start[entity] + row - panel.indptr[entity]))
    return Origins(entity[order], row[order], np.zeros(len(row), dtype="int64"))


def _first_cutoff(fitted, panel, start, n_windows, stride, last, gap):
    begin = panel.indptr[:-1]
    if start is None and n_windows is not None:
        return np.maximum(last - (n_windows - 1) * stride, begin)
    if start is None and fitted is not None:
        place = {name: e for e, name in enumerate(fitted.history_.ids)}
        cutoff = fitted.trained_until_
        seen = [place.get(name, len(cutoff)) for name in panel.ids]  # series met later than fit are all new
        known = np.array([cutoff[e] if e < len(cutoff) else cutoff.max() for e in seen])
        return np.maximum(panel.row_at(np.arange(len(panel.ids)), known), begin)
    if start is None:
        return begin + np.maximum((0.8 * panel.lengths).astype("int64"), 1) - 1 - gap
    if isinstance(start, (int, np.integer)) and not isinstance(start, bool):
        first = begin + int(start) - 1 - gap
    else:
        ordinal = _ordinal(panel, start)
        first = panel.row_at(np.arange(len(panel.ids)), ordinal) - 1 - gap
    if (first < begin).all():
        refuse(WHERE, "start must leave at least one row before the first cutoff", repr(start), error=ParameterError)
    # A series that begins later has its first cutoff as soon as it can, on the same stride.
    return first + -(-np.maximum(begin - first, 0) // stride) * stride


def _ordinal(panel, start):
    try:
        stamps = pd.DatetimeIndex([pd.Timestamp(start)]) if panel.grid.is_time else pd.Index([int(start)])
        ordinals, fits = panel.grid.ordinals(stamps)
    except (TypeError, ValueError):
        refuse(WHERE, "start must be a time of the data or a position", repr(start), error=ParameterError)
    if not fits[0]:
        refuse(WHERE, f"start must lie on the data's grid ({panel.grid.name})", repr(start), error=ParameterError)
    return ordinals[0]


def _refuse_seen(fitted, panel, entity, row):
    place = {name: e for e, name in enumerate(fitted.history_.ids)}
    cutoff = fitted.trained_until_
    until = np.array(
        [
            cutoff[place[name]] if name in place and place[name] < len(cutoff) else np.iinfo("int64").min
            for name in panel.ids
        ]
    )
    ordinal = panel.start[entity] + row - panel.indptr[entity]
    early = ordinal < until[entity]
    if early.any():
        stamps = frames._stamps(panel, np.unique(ordinal[early]))
        refuse(
            WHERE,
            "a fitted forecaster is tested on rows after those it was fitted on",
            f"{len(stamps)} cutoffs before its own: {some(stamps)}",
            "Pass a later start=, or an unfitted forecaster.",
        )


def _models(forecaster, panel, schema, cutoffs, refit, fitted):
    """Pairs of a fitted forecaster and the cutoffs it is used for."""
    if not refit:
        model = forecaster if fitted else _fit_until(clone(forecaster), panel, schema, cutoffs, cutoffs[:1])
        yield model, cutoffs
        return
    ordinal = panel.start[cutoffs.entity] + cutoffs.row - panel.indptr[cutoffs.entity]
    distinct = np.unique(ordinal)
    every = 1 if refit is True else int(refit)
    for low in range(0, len(distinct), every):
        group = cutoffs[np.isin(ordinal, distinct[low : low + every])]
        yield _fit_until(clone(forecaster), panel, schema, cutoffs, cutoffs[ordinal == distinct[low]]), group


def _fit_until(model, panel: Panel, schema: Schema, cutoffs, first: Origins):
    """A model fitted on the rows up to the time of the first of these cutoffs."""
    until = panel.start[first.entity[0]] + first.row[0] - panel.indptr[first.entity[0]]
    stop = panel.row_at(np.arange(len(panel.ids)), until) + 1
    seen = panel.between(panel.indptr[:-1], stop)
    present = np.flatnonzero(seen.last_observed() >= seen.indptr[:-1])
    return model._fit_panel(seen.take(present).copy(), schema)


def _forecast_group(model, panel, schema, cutoffs, gap, levels):
    origins = Origins.every_channel(cutoffs.entity, cutoffs.row, panel.channels)
    forecast = model._forecast(panel, origins)
    quantiles = {}
    if levels:
        values = model._quantiles(panel, origins, forecast, levels)
        quantiles = {frames.level_name(level): values[..., i] for i, level in enumerate(levels)}
    frame = frames.long_frame(panel, schema, origins, model._points(forecast), quantiles, actual=True)
    return frame[frame["step"] > gap].reset_index(drop=True) if gap else frame


def _scores(forecasts, panel, schema, cutoffs, horizon, gap, season, levels):
    """Scores of the forecaster and of the seasonal naive on the same windows."""
    origins = Origins.every_channel(cutoffs.entity, cutoffs.row, panel.channels)
    naive = closed_form.seasonal_naive(panel, origins, horizon, season)[:, gap:].ravel()
    scale = _mase_scale(panel, cutoffs, season)[origins.entity, origins.channel]
    own = metrics.score_table(forecasts, scale=np.repeat(scale, horizon - gap))
    reference = forecasts.drop(columns=[frames.level_name(level) for level in levels]).assign(forecast=naive)
    other = metrics.score_table(reference, scale=np.repeat(scale, horizon - gap))
    table = pd.concat([own, other], ignore_index=True)
    table.index = pd.Index(["forecaster", "seasonal naive"], name="model")
    table["skill"] = 1 - table["mae"] / table.loc["seasonal naive", "mae"]
    return table


def _mase_scale(panel, cutoffs, season):
    """Mean seasonal difference of each entity and channel up to its first cutoff, (E, C)."""
    scale = np.full((len(panel.ids), panel.channels), np.nan)
    for entity in np.unique(cutoffs.entity):
        first = cutoffs.row[cutoffs.entity == entity].min()
        seen = panel.target[panel.indptr[entity] : first + 1].astype("float64")
        if len(seen) > season:
            scale[entity] = [metrics.seasonal_scale(seen[:, c], season) for c in range(panel.channels)]
    return scale
