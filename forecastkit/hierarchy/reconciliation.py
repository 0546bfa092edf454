"""Reconciliation of forecasts: those of every series become the sum of those of its parts."""

import re
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd

from forecastkit.data.levels import Hierarchy
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import check_choice, first_few, refuse
from forecastkit.utils.warn import warn_user

WHERE = "reconcile"
#: Methods that need past errors.
BY_ERRORS = ("wls_var", "mint_shrink")
METHODS = ("auto", "bottom_up", "top_down", "ols", "wls_struct", *BY_ERRORS)
#: Columns that identify a forecast beside its series.
KEYS = ("cutoff", "step", "path")
Method = Literal["auto", "bottom_up", "top_down", "ols", "wls_struct", "wls_var", "mint_shrink"]


def reconcile(
    forecasts: pd.DataFrame,
    hierarchy: Hierarchy,
    *,
    method: Method = "auto",
    errors: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Change forecasts of a hierarchy as little as possible such that they add up.

    If no forecast is negative, no reconciled one is: negative values of the lowest level are set to 0 and summed again.

    Quantiles of a sum are not the sum of quantiles, so quantile columns are left out with a warning: reconcile
    ``forecaster.sample(...)`` instead, whose paths add up each by itself, and take the quantiles of the paths.

    Parameters
    ----------
    forecasts : DataFrame
        Long forecasts of all series of the hierarchy, as `forecast` or `sample` of a forecaster that was fitted on the
        frame of `aggregate` returns them.
    hierarchy : Hierarchy
    method : {'auto', 'bottom_up', 'top_down', 'ols', 'wls_struct', 'wls_var', 'mint_shrink'}
        'bottom_up' sums the forecasts of the bottom level; 'top_down' divides that of the total in proportion to the
        forecasts. The others minimise the trace of the covariance of the errors, which is assumed to be that of
        independent errors of equal variance ('ols'), of variances proportional to the number of bottom series
        ('wls_struct'), or is estimated from `errors`: variances only ('wls_var'), or a covariance matrix shrunk towards
        its diagonal ('mint_shrink'). 'auto' is 'mint_shrink' with `errors`, else 'wls_struct'.
    errors : DataFrame, optional
        Past forecasts and actuals of all series, such as ``fk.backtest(...).forecasts``.

    Returns
    -------
    DataFrame
        `forecasts` with reconciled values, without quantile columns.

    Raises
    ------
    InputError
        If forecasts or errors lack series, actuals do not add up, or the package ``hierarchicalforecast`` is not
        installed (the extra ``hierarchy``; 'bottom_up' needs none).

    References
    ----------
    Wickramasuriya, Athanasopoulos and Hyndman (2019), "Optimal forecast reconciliation for hierarchical and grouped
    time series through trace minimization", JASA. Computed by the package hierarchicalforecast.

    Examples
    --------
    >>> past = fk.backtest(fk.LinearForecaster(horizon=14), frame, n_windows=20)  # doctest: +SKIP
    >>> fk.reconcile(model.forecast(), hierarchy, errors=past.forecasts)  # doctest: +SKIP
    """
    check_choice(WHERE, "method", method, METHODS)
    if method == "auto":
        method = "wls_struct" if errors is None else "mint_shrink"
    if method in BY_ERRORS and errors is None:
        refuse(WHERE, f"method={method!r} needs errors=", "none", "Pass fk.backtest(...).forecasts.", ParameterError)
    frame, place, values = _wide(forecasts, hierarchy, "forecast")
    given = {}
    if method in BY_ERRORS:
        actual = _wide(errors, hierarchy, "actual")[2]
        hierarchy.check_sums(actual, WHERE)
        given = {"y_insample": actual, "y_hat_insample": _wide(errors, hierarchy, "forecast")[2]}
        known = ~np.isnan(actual).any(axis=0)
        given = {name: array[:, known] for name, array in given.items()}
        if known.sum() < 2:
            refuse(WHERE, "errors= must have at least two forecasts with actuals of all series", f"{known.sum()}")
    coherent = nonnegative(reconciled(values, hierarchy, method, given), values, hierarchy)
    left_out = [name for name in frame if re.fullmatch(r"q0?\.\d+|lower|upper", str(name))]
    if left_out:
        warn_user(
            f"{WHERE}: quantile columns are left out, as quantiles of sums are not sums of quantiles: "
            f"{first_few(left_out)}. Reconcile the paths of sample() and take their quantiles."
        )
    return frame.drop(columns=left_out).assign(forecast=coherent[place])


def _wide(frame: pd.DataFrame, hierarchy: Hierarchy, column: str) -> tuple[pd.DataFrame, tuple, np.ndarray]:
    """Return the frame, the place of each row in a matrix of series by forecasts, and that matrix of a column."""
    lacking = [name for name in ("unique_id", "step", column) if name not in frame]
    if lacking:
        got = f"none named {first_few(map(repr, lacking))}"
        refuse(WHERE, "forecasts must be long, with the columns unique_id, step and forecast", got, "Pass forecast().")
    names = frame["unique_id"].astype(str)
    series = pd.Index(hierarchy.names).get_indexer(names)
    if (series < 0).any():
        unknown = first_few(map(repr, names[series < 0].unique()))
        refuse(WHERE, "all series of forecasts must be series of the hierarchy", unknown)
    number = frame.groupby([name for name in KEYS if name in frame], sort=False, dropna=False).ngroup().to_numpy()
    values = np.full((len(hierarchy.names), number.max(initial=-1) + 1), np.nan)
    found = np.zeros(values.shape, dtype=int)
    np.add.at(found, (series, number), 1)
    if (found != 1).any():
        row = int(np.argwhere(found != 1)[0][0])
        rule = "every series of the hierarchy must have one forecast of each cutoff and step"
        got = f"{found[row].min() if found[row].min() != 1 else found[row].max()} of {hierarchy.names[row]!r}"
        refuse(WHERE, rule, got, "Forecast the frame of fk.aggregate, with slots='all'.")
    values[series, number] = frame[column].to_numpy("float64")
    return frame, (series, number), values


def nonnegative(coherent: np.ndarray, given: np.ndarray, hierarchy: Hierarchy) -> np.ndarray:
    """Return coherent values (series, n) without negative ones, as sums of the lowest level, if none given is."""
    if not (given >= 0).all() or (coherent >= 0).all():
        return coherent
    return hierarchy.summing @ np.maximum(coherent[len(coherent) - hierarchy.summing.shape[1] :], 0.0)


def reconciled(values: np.ndarray, hierarchy: Hierarchy, method: str, given: dict | None = None) -> np.ndarray:
    """Return coherent values (series, n) by a method of hierarchicalforecast."""
    if method == "bottom_up":
        return hierarchy.summing @ values[len(hierarchy.names) - hierarchy.summing.shape[1] :]
    try:
        from hierarchicalforecast import methods
    except ImportError:
        remedy = "pip install 'forecastkit[hierarchy]' brings it."
        refuse(WHERE, f"method={method!r} needs the package hierarchicalforecast", "none", remedy, ParameterError)
    if method == "top_down":
        ends = np.cumsum([0, *(len(level) for level in hierarchy.levels.values())])
        places = (np.arange(low, high) for low, high in pairwise(ends))
        given = {"tags": dict(zip(hierarchy.levels, places, strict=True))}
        solver = methods.TopDown("forecast_proportions")
    else:
        solver = methods.MinTrace(method)
    return np.asarray(solver.fit_predict(S=hierarchy.summing, y_hat=values, **(given or {}))["mean"])
