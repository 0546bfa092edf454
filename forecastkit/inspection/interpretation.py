"""Interpret a fitted forecaster: attribution; attention and variable selection of networks."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypedDict, Unpack

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from forecastkit.data.windows import Origins, crop, gather
from forecastkit.forecasters.base import Forecaster
from forecastkit.forecasters.composite import Composite
from forecastkit.forecasters.future_rows import check_known_ahead
from forecastkit.forecasters.neural import NeuralForecaster
from forecastkit.inspection.attribution import BASELINES, Inputs
from forecastkit.inspection.contributions import contributions
from forecastkit.inspection.input_names import choices, column_names
from forecastkit.inspection.results import Interpretation, Place, attends, blocks, refuse_attention
from forecastkit.networks.attention import watch_attention
from forecastkit.networks.variable_selection import watch_selection
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.types import Columns, Data
from forecastkit.utils.validation import (
    check_choice,
    check_int,
    check_names,
    check_options,
    check_real,
    first_few,
    refuse,
)
from forecastkit.utils.warn import warn_user

WHERE = "interpret"
WHAT = ("all", "attribution", "attention")
#: Largest number of attributions, which are held in memory; a frame takes about a hundred bytes for each.
MAX_CELLS = 50_000_000


class InterpretOptions(TypedDict, total=False):
    """Options of `interpret` that few calls need."""

    what: str
    baseline: str
    tolerance: float
    max_points: int


def interpret(
    forecaster: Forecaster | Pipeline,
    X: Data | None = None,
    *,
    history: Data | None = None,
    cutoff: Any = None,
    series: Any = None,
    target: Columns | None = None,
    steps: int | Sequence[int] | None = None,
    **options: Unpack[InterpretOptions],
) -> Interpretation:
    """Attribute forecasts to their inputs, and return the attention and variable selection weights of networks.

    Attributions sum to the difference between the forecast and the forecast at the baseline, in the units of the
    target, up to `completeness_error`. They describe one forecast of one forecaster, not causal effects, and depend on
    the baseline. With ``'last'`` they explain the difference from the forecast of a constant series, so the last value
    itself has no attribution.

    - Those of networks are integrated gradients (Sundararajan et al. 2017): the gradient of a point forecast with
      respect to an input, averaged along the straight line from a baseline to the inputs, times the difference between
      the input and its baseline. Attributions to the calendar of a patch are divided evenly among its steps.
    - Those of the mean of an ensemble, of an automatic or of a tuned forecaster are the weighted sum of its members'.
    - Those of other forecasters are changes of the forecast as inputs are replaced one after another. For the linear
      forecaster they are coefficients times differences from the baseline, unless it transforms the target; otherwise
      they are averaged over orders of replacement, an estimate of Shapley values (Castro et al. 2009). Times and
      embedded categories are not replaced, and of more than 400 inputs steps are replaced in blocks.

    Attention weights describe how a layer mixes past tokens into each future token. They do not measure importance:
    values are transformed before and after, residual connections bypass attention, and other weights can give the same
    forecast (Jain and Wallace 2019, "Attention is not explanation"; Wiegreffe and Pinter 2019, "Attention is not not
    explanation"). Use attributions to explain a forecast. The weight of a patch is divided evenly among its steps, and
    all steps of a forecast patch share one query. The weights of a query sum to one together with those of other future
    tokens, if the network has these; they are not shown.

    Parameters
    ----------
    forecaster : Forecaster or Pipeline
        A fitted forecaster, or a fitted scikit-learn pipeline that ends with one; its earlier steps transform X first.
    X, history
        As in `predict`: rows to forecast with future covariates, and other series than those of the fit.
    cutoff : label, int, or list of these, optional
        Last row that the forecast uses, as a time or a position; by default the last observed row of every series.
        Several cutoffs give several forecasts of each series, with an importance for each.
    series, target : scalar or list, optional
        Series and targets to explain; all by default.
    steps : int or list of int, optional
        Steps of the horizon to explain, counted from 1; all by default.
    **options
        See Other Parameters.

    Other Parameters
    ----------------
    what : {'all', 'attribution', 'attention'}
        'all', the default, returns attributions, and attention if there is any.
    baseline : {'last', 'mean'}
        Constant value of the past target: its last observed value (the default) or the mean of the window. Baselines of
        covariates are their means over the training rows, those of the calendar its means over a cycle.
    tolerance : float
        Largest completeness error, by default 0.01. Gradients of networks are computed at 16 points, and the number is
        doubled until the error is met.
    max_points : int
        Largest number of points, by default 512; a warning is issued if the tolerance is not met.

    Returns
    -------
    Interpretation
        The result, with the frames `attribution`, `importance`, `attention`, `selection` and `forecast`, the arrays
        `arrays` and `weights`, and `completeness_error`. `plot_attribution` and `plot_attention` plot it.

    Raises
    ------
    InputError
        If the forecaster is not fitted, or attention is requested from a forecaster without any.

    References
    ----------
    Sundararajan, Taly and Yan (2017), "Axiomatic attribution for deep networks", ICML. Departure: integrals use
    Gauss-Legendre quadrature instead of a Riemann sum. Castro, Gómez and Tejada (2009), "Polynomial calculation of the
    Shapley value based on sampling", Computers & Operations Research.

    Examples
    --------
    >>> found = fk.interpret(fk.TransformerForecaster(horizon=12).fit(data))  # doctest: +SKIP
    >>> found.importance  # doctest: +SKIP
    >>> fk.plot_attention(found, path="attention.png")  # doctest: +SKIP
    """
    check_options(interpret, options, InterpretOptions)
    what, baseline = options.get("what", "all"), options.get("baseline", "last")
    tolerance, max_points = options.get("tolerance", 0.01), options.get("max_points", 512)
    _check(what, baseline, tolerance, max_points)
    forecaster, X, history, names = _unwrap_pipeline(forecaster, X, history)
    _check_kind(forecaster, what)
    check_is_fitted(forecaster, "history_")
    model, panel, origins, n_steps = _origins(forecaster, X, history, cutoff)
    origins = _select_origins(panel, model.schema_, origins, series, target)
    steps = _steps(steps, n_steps)
    attribution, calendar, lookback, mixed = None, (), model.lookback_, False
    if what != "attention":
        _check_size(model, panel, origins, steps)
        attribution, calendar = contributions(model, panel, origins, steps, baseline, tolerance, max_points)
        _warn(attribution, tolerance)
        mixed, lookback = attribution.target.shape[2] > 1, attribution.target.shape[3]
    panel, origins = crop(panel, origins, lookback, model.horizon_)
    place = Place(replace(model.schema_, **names), panel, origins, steps, lookback, model.horizon_, mixed)
    parts = () if attribution is None else tuple(blocks(attribution, _raw(model, place), place, calendar))
    if not isinstance(model, NeuralForecaster):
        return Interpretation(place, model, attribution, parts, ())
    seen, chosen = (None, ()) if what == "attribution" else _record_weights(model, place)
    if what == "attention" and not seen:
        refuse_attention(model.network_.backbone)
    return Interpretation(place, model.network_.backbone, attribution, parts, seen, chosen)


def _check(what, baseline, tolerance, max_points):
    check_choice(WHERE, "what", what, WHAT)
    check_choice(WHERE, "baseline", baseline, BASELINES)
    check_real(WHERE, "tolerance", tolerance, 0.0, 1.0)
    check_int(WHERE, "max_points", max_points)


def _unwrap_pipeline(forecaster, X, history):
    """Return the last forecaster of a pipeline, its transformed X and history, and the names of its covariates."""
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
    """Return covariate names from the preceding pipeline steps, if these provide them."""
    schema = getattr(forecaster, "schema_", None)
    if schema is None or schema.form != "array" or not schema.supervised:
        return {}
    try:
        names = {f"x{i}": str(name) for i, name in enumerate(before.get_feature_names_out())}
    except (AttributeError, ValueError):
        return {}
    return {role: tuple(names.get(name, name) for name in getattr(schema, role)) for role in ("known", "past")}


def _check_kind(forecaster, what):
    if not isinstance(forecaster, Forecaster):
        rule, remedy = "a forecaster or a pipeline that ends in one must be given", "A search has a best_estimator_."
        refuse(WHERE, rule, type(forecaster).__name__, remedy, ParameterError)
    if what == "attention" and not isinstance(forecaster, NeuralForecaster):
        remedy = "Pass one of its forecasters_, with the same history." if isinstance(forecaster, Composite) else ""
        refuse(WHERE, "only networks have attention", type(forecaster).__name__, remedy, ParameterError)
    unfitted = not hasattr(forecaster, "history_")
    if what == "attention" and unfitted and not attends(forecaster._architecture()):
        refuse_attention(forecaster._architecture())


def _origins(forecaster, X, history, cutoff):
    """Return the forecaster that knows all series, their panel, the origins, and the number of steps to explain."""
    panel, n_steps = forecaster.history_ if history is None else None, forecaster.horizon_
    if X is not None:
        rows, panel, _ = forecaster._rows_to_forecast(X, history)
        n_steps = min(n_steps, int(np.max(rows.ordinal - panel.cutoffs()[rows.entity], initial=0)))
    elif history is not None:
        panel = forecaster._read_history(history)
    rows = [panel.last_observed()]
    if cutoff is not None:
        several = list(dict.fromkeys(cutoff)) if np.iterable(cutoff) and not isinstance(cutoff, str) else [cutoff]
        if not several:
            refuse(
                WHERE, "cutoff must be a time, a position, or a list of these", "an empty list", error=ParameterError
            )
        rows, n_steps = [_rows_at(panel, one) for one in several], forecaster.horizon_
    if n_steps < 1:
        refuse(WHERE, "X must hold rows after the history", "none", "Pass cutoff= for a forecast of the past.")
    for row in rows:
        lacking = panel.indptr[1:] - 1 - row < n_steps
        if forecaster.schema_.known and lacking.any():
            check_known_ahead(WHERE, forecaster.schema_, panel.between(panel.indptr[:-1], row + 1), n_steps)
    entity = np.tile(np.arange(len(panel.ids)), len(rows))
    origins = Origins.every_channel(entity, np.concatenate(rows), panel.channels)
    return forecaster._adapted(panel, np.min(rows, axis=0) + 1), panel, origins, n_steps


def _rows_at(panel, cutoff):
    """Return the row of each series at a time or position that all series have."""
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


def _select_origins(panel, schema, origins, series, target):
    """Return the origins of these series and targets."""
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


def _steps(steps, n_steps: int) -> np.ndarray:
    """Return the steps to explain, counted from 0."""
    if steps is None:
        return np.arange(n_steps)
    steps = list(steps) if np.iterable(steps) and not isinstance(steps, str) else [steps]
    for step in steps:
        check_int(WHERE, "steps", step)
    if not steps or max(steps) > n_steps:
        refuse(WHERE, f"steps must be some of 1 to {n_steps}", steps, error=ParameterError)
    return np.unique(steps) - 1


def _check_size(model, panel, origins, steps):
    """Refuse more attributions than fit in memory."""
    memory, channels = model._memory(panel), panel.channels
    lookback = int(panel.lengths.max()) if memory is None else memory
    total_steps = lookback + model.horizon_
    columns = model.schema_.width(model.schema_.known) + len(model.scaler_.calendar)
    inputs = lookback * (channels + model.schema_.width(model.schema_.past)) + total_steps * columns
    cells = len(origins) * len(steps) * inputs
    if cells > MAX_CELLS:
        rule = f"attributions must be at most {MAX_CELLS:,}"
        refuse(WHERE, rule, f"{cells:,} of {len(origins)} series", "Choose series=, target= or steps=.")


def _warn(attribution, tolerance):
    if attribution.error > tolerance:
        said = f"{WHERE}: at {attribution.points} points the attributions miss the change of the forecast by "
        warn_user(f"{said}{attribution.error:.2g} of it, more than {tolerance:g}; raise max_points.")


def _raw(model, place) -> dict:
    """Return the inputs in the user's units: target (n, [channels,] lookback), others (n, ..., features)."""
    panel, channels = place.panel, place.panel.channels if place.mixed else 0
    scaled = model.scaler_.buffers(panel, place.lookback, place.horizon)
    numbers = {role: getattr(panel, role)[:, : getattr(scaled, role).shape[1]] for role in ("past", "known", "static")}
    unscaled = replace(scaled, target=panel.target, **numbers)
    return gather(np, unscaled, place.origins.table(), place.lookback, place.horizon, False, channels)[0]


def _record_weights(model, place):
    """Return attention by layer, each (n, heads, S, lookback), and variable selection weights."""
    network = model.network_.live()[0]
    sizes = network.sizes
    given = Inputs.of(model, place.panel, place.origins, sizes).given
    with watch_attention() as seen, watch_selection() as selected:
        network(given, training=False)
    chosen = choices(selected, sizes, column_names(place.schema, model.scaler_.calendar))
    if model.network_.backbone.mixes_channels:
        return (), chosen  # its tokens are not steps
    return tuple(over_steps(weights, sizes, len(place.origins))[:, :, place.steps] for weights in seen), chosen


def over_steps(weights: np.ndarray, sizes, windows: int) -> np.ndarray:
    """Convert attention between tokens to that between steps, (windows, heads, horizon, lookback).

    Weights have the shape (windows or 1, heads, queries, keys); the first keys are past tokens, and the last queries
    are future tokens. The weight of a token is divided evenly among its steps, so that the weights of each step sum to
    those of its query for past tokens.
    """
    patch, tokens = sizes.patch, sizes.past_tokens
    padding = tokens * patch - sizes.lookback
    lengths = np.full(tokens, patch)
    lengths[0] -= padding
    step_weights = np.repeat(weights[:, :, -sizes.future_tokens :, :tokens] / lengths, patch, axis=3)[..., padding:]
    steps = np.repeat(step_weights, patch, axis=2)[:, :, : sizes.horizon]
    return np.broadcast_to(steps, (windows, *steps.shape[1:]))
