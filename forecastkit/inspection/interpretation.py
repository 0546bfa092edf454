"""Interpret a fitted network: attribution, attention, variable selection."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from forecastkit.data.windows import Origins, crop, gather
from forecastkit.forecasters.base import Forecaster
from forecastkit.forecasters.future_steps import check_known_ahead
from forecastkit.forecasters.neural import NeuralForecaster
from forecastkit.inspection.attribution import BASELINES, Inputs, attribute
from forecastkit.inspection.input_names import choices, column_names
from forecastkit.inspection.results import Interpretation, Place, attends, blocks, refuse_attention
from forecastkit.networks.attention import watch_attention
from forecastkit.networks.variable_selection import watch_selection
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.types import Columns, Data
from forecastkit.utils.validation import check_choice, check_int, check_names, check_real, first_few, refuse

WHERE = "interpret"
WHAT = ("all", "attribution", "attention")
#: Attributions at most: they are held in memory, and a frame of them takes a hundred bytes for each.
MOST_CELLS = 50_000_000


def interpret(
    forecaster: Forecaster | Pipeline,
    X: Data | None = None,
    *,
    history: Data | None = None,
    cutoff: Any = None,
    series: Any = None,
    target: Columns | None = None,
    steps: int | Sequence[int] | None = None,
    what: str = "all",
    baseline: str = "last",
    tolerance: float = 0.01,
    max_points: int = 512,
) -> Interpretation:
    """Look inside a network: what its forecasts are made of, and what it attends to.

    Attributions are integrated gradients (Sundararajan et al. 2017): the gradient of a point forecast by an input,
    averaged over the straight line from a baseline to the inputs, times how far the input is from its baseline. They
    add up to the forecast less the forecast from the baseline, in the units of the target; `completeness_error` says
    how nearly. They hold for one forecast of one network and say nothing of causes in the world. They depend on the
    baseline: with ``'last'`` the question is why the forecast is not what it would be had the series stood still,
    and the last value itself, being the baseline, adds nothing. What the calendar of a patch adds is divided evenly
    among its steps.

    Attention weights say how a layer mixes the tokens of the past into each token of the future. They are no measure of
    importance: values are transformed before and after, residual connections go around attention, and other weights
    may give the same forecast (Jain and Wallace 2019, "Attention is not explanation"; Wiegreffe and Pinter 2019,
    "Attention is not not explanation"). What changes a forecast is told by the attributions. The weight of a patch is
    divided evenly among its steps; all steps of a forecast patch share one query. The weights of a query add up to one
    with those it pays to other tokens of the future, where a network has such, which are not shown.

    Parameters
    ----------
    forecaster : NeuralForecaster or Pipeline
        A fitted network, or a fitted scikit-learn pipeline that ends in one; its earlier steps transform X first.
    X, history
        As `predict` takes them: rows to forecast with their known covariates, and other series than the remembered.
    cutoff : label or int, optional
        Last row that the forecast sees: its time, or its position. Default: the last observed row of every series.
    series, target : scalar or list, optional
        Which series and targets. Default: all.
    steps : int or list of int, optional
        Which steps of the horizon, from 1. Default: all.
    what : {'all', 'attribution', 'attention'}
        'all' is attributions, and attention where the network has any.
    baseline : {'last', 'mean'}
        Where the past target stands still: at its last observed value, or at the mean of the window. Covariates are at
        their mean over the training rows, the calendar at its mean over a cycle.
    tolerance : float
        Completeness error aimed at: gradients are taken at 16 points of the line, and twice as many until it is met.
    max_points : int
        Points at most; where they do not suffice there is a warning.

    Returns
    -------
    Interpretation
        With `attribution`, `importance`, `attention`, `selection` and `forecast` as frames, `arrays` and `weights` as
        arrays, and `completeness_error`. `plot_attribution` and `plot_attention` draw it.

    Raises
    ------
    InputError
        Where the forecaster has no network, or attention is asked of one without any.

    References
    ----------
    Sundararajan, Taly and Yan (2017), "Axiomatic attribution for deep networks", ICML. Integrals by Gauss-Legendre
    quadrature instead of a Riemann sum.

    Examples
    --------
    >>> found = fk.interpret(fk.TransformerForecaster(horizon=12).fit(data))  # doctest: +SKIP
    >>> found.importance  # doctest: +SKIP
    >>> fk.plot_attention(found, path="attention.png")  # doctest: +SKIP
    """
    _check(what, baseline, tolerance, max_points)
    forecaster, X, history, names = _unwrapped(forecaster, X, history)
    _check_network(forecaster, what)
    check_is_fitted(forecaster, "history_")
    model, panel, origins, ahead = _origins(forecaster, X, history, cutoff)
    origins = _chosen(panel, model.schema_, origins, series, target)
    steps = _steps(steps, ahead)
    panel, origins = crop(panel, origins, model.lookback_, model.horizon_)
    sizes = model.network_.live()[0].sizes
    schema = replace(model.schema_, **names)
    place = Place(schema, panel, origins, steps, sizes.lookback, sizes.horizon, sizes.channels > 0)
    found, parts = None, ()
    if what != "attention":
        _check_size(origins, steps, sizes)
        found = attribute(model, panel, origins, steps, baseline, tolerance, max_points)
        _warn(found, tolerance)
        parts = tuple(blocks(found, _raw(model, panel, origins, sizes), place, model.scaler_.calendar))
    seen, chosen = (None, ()) if what == "attribution" else _watched(model, place, sizes)
    if what == "attention" and not seen:
        refuse_attention(model.network_.backbone)
    return Interpretation(place, model.network_.backbone, found, parts, seen, chosen)


def _check(what, baseline, tolerance, max_points):
    check_choice(WHERE, "what", what, WHAT)
    check_choice(WHERE, "baseline", baseline, BASELINES)
    check_real(WHERE, "tolerance", tolerance, 0.0, 1.0)
    check_int(WHERE, "max_points", max_points)


def _unwrapped(forecaster, X, history):
    """The forecaster at the end of a pipeline, X and history as it gets them, and the names of its covariates."""
    if not isinstance(forecaster, Pipeline):
        return forecaster, X, history, {}
    check_is_fitted(forecaster)
    before, last = forecaster[:-1], forecaster[-1]
    X = X if X is None else before.transform(X)
    if isinstance(history, tuple):
        history = (before.transform(history[0]), *history[1:])
    elif history is not None:
        history = before.transform(history)
    return last, X, history, _names_from(before, last)


def _names_from(before, forecaster):
    """Names of covariates that came as columns of an array, as the steps before call them where they can."""
    schema = getattr(forecaster, "schema_", None)
    if schema is None or schema.form != "array" or not schema.supervised:
        return {}
    try:
        names = {f"x{i}": str(name) for i, name in enumerate(before.get_feature_names_out())}
    except (AttributeError, ValueError):
        return {}
    return {role: tuple(names.get(name, name) for name in getattr(schema, role)) for role in ("known", "past")}


def _check_network(forecaster, what):
    if hasattr(forecaster, "forecasters"):
        rule, remedy = "an ensemble has no network of its own", "Pass one of its forecasters_, with the same history."
        refuse(WHERE, rule, type(forecaster).__name__, remedy, ParameterError)
    if not isinstance(forecaster, NeuralForecaster):
        rule, remedy = (
            "the forecaster must be a network, or a pipeline that ends in one",
            "A search has a best_estimator_.",
        )
        refuse(WHERE, rule, type(forecaster).__name__, remedy, ParameterError)
    unfitted = not hasattr(forecaster, "history_")
    if what == "attention" and unfitted and not attends(forecaster._architecture()):
        refuse_attention(forecaster._architecture())


def _origins(forecaster, X, history, cutoff):
    """The forecaster that knows all series, their panel, an origin for each target, and how many steps to explain."""
    panel, ahead = forecaster.history_ if history is None else None, forecaster.horizon_
    if X is not None:
        rows, panel, _ = forecaster._rows_asked(X, history)
        ahead = min(ahead, int(np.max(rows.ordinal - panel.cutoffs()[rows.entity], initial=0)))
    elif history is not None:
        panel = forecaster._read_history(history)
    row = panel.last_observed()
    if cutoff is not None:
        row, ahead = _rows_at(panel, cutoff), forecaster.horizon_
    if ahead < 1:
        refuse(WHERE, "X must hold rows after the history", "none", "Pass cutoff= to look at a forecast of the past.")
    lacking = panel.indptr[1:] - 1 - row < ahead
    if forecaster.schema_.known and lacking.any():
        check_known_ahead(WHERE, forecaster.schema_, panel.between(panel.indptr[:-1], row + 1), ahead)
    origins = Origins.every_channel(np.arange(len(panel.ids)), row, panel.channels)
    return forecaster._adapted(panel, row + 1), panel, origins, ahead


def _rows_at(panel, cutoff):
    """Row of each series at a time or position that all of them have."""
    if isinstance(cutoff, (int, np.integer)) and not isinstance(cutoff, bool):
        row = panel.indptr[:-1] + int(cutoff)
    else:
        try:
            timestamps = pd.DatetimeIndex([pd.Timestamp(cutoff)])
        except (TypeError, ValueError):
            refuse(WHERE, "cutoff must be a time of the data or a position", repr(cutoff), error=ParameterError)
        row = panel.row_at(np.arange(len(panel.ids)), panel.grid.ordinals_of(timestamps, WHERE)[0])
    outside = (row < panel.indptr[:-1]) | (row > panel.last_observed())
    if outside.any():
        names = [repr(panel.ids[e]) for e in np.flatnonzero(outside) if panel.ids[e] is not None]
        got = f"{cutoff!r}, which {first_few(names)} has not" if names else repr(cutoff)
        refuse(WHERE, "cutoff must lie among the observed rows of every series", got, error=ParameterError)
    return row


def _chosen(panel, schema, origins, series, target):
    """The origins of these series and targets."""
    keep = np.ones(len(origins), dtype=bool)
    for what, names, options, place in (
        ("series", series, panel.ids if schema.is_panel else (), origins.entity),
        ("target", target, schema.target, origins.channel),
    ):
        if names is not None:
            names = list(names) if isinstance(names, (list, tuple)) else [names]
            check_names(WHERE, f"the chosen {what}", names, options)
            keep &= np.isin(place, [options.index(name) for name in names])
    return origins[keep]


def _steps(steps, ahead: int) -> np.ndarray:
    """The steps to explain, from 0."""
    if steps is None:
        return np.arange(ahead)
    steps = list(steps) if np.iterable(steps) and not isinstance(steps, str) else [steps]
    for step in steps:
        check_int(WHERE, "steps", step)
    if not steps or max(steps) > ahead:
        refuse(WHERE, f"steps must be some of 1 to {ahead}", steps, error=ParameterError)
    return np.unique(steps) - 1


def _check_size(origins, steps, sizes):
    """Refuse more attributions than memory is likely to hold."""
    ever = sizes.lookback + sizes.horizon
    inputs = sizes.lookback * (max(sizes.channels, 1) + sizes.past) + ever * (sizes.known + sizes.calendar)
    cells = len(origins) * len(steps) * inputs
    if cells > MOST_CELLS:
        rule = f"attributions must be at most {MOST_CELLS:,}"
        refuse(WHERE, rule, f"{cells:,} of {len(origins)} series", "Choose series=, target= or steps=.")


def _warn(found, tolerance):
    if found.error > tolerance:
        said = f"{WHERE}: at {found.points} points the attributions miss the change of the forecast by "
        warnings.warn(f"{said}{found.error:.2g} of it, more than {tolerance:g}; raise max_points.", stacklevel=3)


def _raw(model, panel, origins, sizes) -> dict:
    """What the inputs are in the user's units: (n, [channels,] lookback) for the target, (n, ..., features) else."""
    scaled = model.scaler_.buffers(panel, sizes.lookback, sizes.horizon)
    numbers = {role: getattr(panel, role)[:, : getattr(scaled, role).shape[1]] for role in ("past", "known", "static")}
    plain = replace(scaled, target=panel.target, **numbers)
    return gather(np, plain, origins.table(), sizes.lookback, sizes.horizon, False, sizes.channels)[0]


def _watched(model, place, sizes):
    """Attention by layer, (n, heads, S, lookback) each, and the variables selected."""
    given = Inputs.of(model, place.panel, place.origins, sizes).given
    network = model.network_.live()[0]
    with watch_attention() as seen, watch_selection() as selected:
        network(given, training=False)
    chosen = choices(selected, sizes, column_names(place.schema, model.scaler_.calendar))
    if model.network_.backbone.mixes_channels:
        return (), chosen  # its tokens are no steps
    return tuple(over_steps(weights, sizes, len(place.origins))[:, :, place.steps] for weights in seen), chosen


def over_steps(weights: np.ndarray, sizes, windows: int) -> np.ndarray:
    """Attention among tokens as attention of the steps of the horizon to those of the lookback.

    Parameters
    ----------
    weights : ndarray of shape (windows or 1, heads, queries, keys)
        Whose first keys are the tokens of the past, and whose last queries are those of the future.
    sizes : Sizes

    Returns
    -------
    ndarray of shape (windows, heads, horizon, lookback)
        The weight of a token is divided evenly among its steps, so that each step's weights add up to what its query
        paid to the tokens.
    """
    patch, tokens = sizes.patch, sizes.past_tokens
    padding = tokens * patch - sizes.lookback
    lengths = np.full(tokens, patch)
    lengths[0] -= padding
    shares = np.repeat(weights[:, :, -sizes.future_tokens :, :tokens] / lengths, patch, axis=3)[..., padding:]
    steps = np.repeat(shares, patch, axis=2)[:, :, : sizes.horizon]
    return np.broadcast_to(steps, (windows, *steps.shape[1:]))
