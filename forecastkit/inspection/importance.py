"""Permutation importance of covariates, for every forecaster."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from forecastkit.data.ingest.read_panel import read_more
from forecastkit.data.panel import Panel
from forecastkit.data.schema import ROLES, Schema
from forecastkit.data.windows import Origins
from forecastkit.evaluation.backtesting import after_history, find_cutoffs
from forecastkit.evaluation.evaluate import ForecastWindows, evaluate
from forecastkit.forecasters.base import Forecaster
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.types import Data, Seed
from forecastkit.utils.validation import check_int, draw_seed, refuse
from forecastkit.utils.warn import warn_user

WHERE = "importance"
#: Errors below this multiple of that of the seasonal naive are rounding.
NO_ERROR = 1e-6


def importance(
    forecaster: Forecaster,
    X: Data,
    y: Data | None = None,
    *,
    start: Any = None,
    n_windows: int | None = None,
    stride: int = 1,
    repeats: int = 5,
    random_state: Seed = None,
) -> pd.DataFrame:
    """Measure how much the error of a fitted forecaster rises if a covariate is replaced by values of other times.

    The forecaster is not fitted again. Past and future covariates are shifted in time by a random number of rows,
    circularly within each series, so that their distribution and autocorrelation stay and only their relation to the
    target is lost. Static covariates are exchanged among series. The rise is that of the mean absolute error over all
    windows, in units of each series' scale, relative to the error with the true values, or, with a warning, relative to
    that of the seasonal naive if there is no error with the true values. A covariate that others can
    replace has a small rise, although the forecast would change without it; see `interpret` for single forecasts of
    networks.

    Parameters
    ----------
    forecaster : Forecaster
        Fitted, of any kind: networks, linear and tabular forecasters, ensembles.
    X, y, start, n_windows, stride
        Rows after those of the fit, and the cutoffs among them, as in `backtest`.
    repeats : int
        Number of random shifts of each covariate.
    random_state : int, RandomState or None
        Seed of the shifts.

    Returns
    -------
    DataFrame
        One row for each covariate, the most important first: its `role`, the mean relative `increase` of the error,
        such as 0.25 for a quarter, and its standard deviation `std` over the repeats.

    Raises
    ------
    InputError
        If the forecaster is not fitted or has no covariates, or if no window is complete.

    References
    ----------
    Breiman (2001), "Random forests", Machine Learning. Fisher, Rudin and Dominici (2019), "All models are wrong, but
    many are useful", JMLR. Departure: values are shifted in time rather than permuted, because covariates of
    neighbouring rows are similar.

    Examples
    --------
    >>> bikes = fk.load_dataset("bike_sharing")[["cnt", "temp", "workingday"]].iloc[-1500:]
    >>> model = fk.TabularForecaster(horizon=24, target="cnt", known=["temp", "workingday"]).fit(bikes[:-240])
    >>> fk.importance(model, bikes, random_state=0).index.tolist()  # doctest: +SKIP
    ['temp', 'workingday']
    """
    forecaster._check_is_fitted()
    check_int(WHERE, "repeats", repeats)
    schema = forecaster.schema_
    inputs = list(_inputs(schema, len(forecaster.history_.ids)))
    if not inputs:
        rule, got = "the forecaster must be fitted with covariates", f"a {type(forecaster).__name__} without any"
        refuse(WHERE, rule, got, "Pass them as known= or past=, or as static= for several series.", ParameterError)
    panel = after_history(
        forecaster, read_more(schema, forecaster.history_.grid, X, y, remembered=forecaster.history_), start
    )
    cutoffs = find_cutoffs(forecaster, panel, start, n_windows, stride, 0, forecaster.horizon_)
    origins = Origins.every_channel(cutoffs.entity, cutoffs.row, panel.channels)
    windows = ForecastWindows(panel, origins, forecaster.horizon_, forecaster.season_length_)
    error = evaluate(forecaster, windows).relative_score()
    unit = error
    if error < NO_ERROR:
        warn_user(f"{WHERE}: the forecasts have no error; rises are relative to the error of the seasonal naive.")
        unit = 1.0
    rng = np.random.default_rng(draw_seed(random_state))
    rows = []
    for role, name, columns in inputs:
        rises = []
        for _ in range(repeats):
            changed = _without_relation(panel, role, columns, rng)
            rises.append((evaluate(forecaster, windows, changed).relative_score() - error) / unit)
        rows.append({"input": name, "role": role, "increase": np.mean(rises), "std": np.std(rises)})
    return pd.DataFrame(rows).sort_values("increase", ascending=False, kind="stable").set_index("input")


def _inputs(schema: Schema, series: int) -> Iterator[tuple[str, Any, slice]]:
    """Yield role, name and panel columns of each covariate; static ones only if there are several series."""
    for role in ROLES:
        begin = 0
        for name in getattr(schema, role):
            end = begin + schema.width((name,))
            if role != "static" or series > 1:
                yield role, name, slice(begin, end)
            begin = end


def _without_relation(panel: Panel, role: str, columns: slice, rng: np.random.Generator) -> Panel:
    """Return the panel with these columns shifted in time, or exchanged among series if they are static."""
    values = getattr(panel, role).copy()
    if role == "static":
        values[:, columns] = values[rng.permutation(len(values)), columns]
        return replace(panel, static=values)
    for begin, end in zip(panel.indptr[:-1], panel.indptr[1:], strict=True):
        shift = rng.integers(1, max(end - begin, 2))
        values[begin:end, columns] = np.roll(values[begin:end, columns], shift, axis=0)
    return replace(panel, **{role: values})
