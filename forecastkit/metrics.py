"""Measures of forecast error: plain functions on arrays, and one table of scores from a long frame.

Throughout, `actual` may hold NaN where nothing was observed: those places are left out. A NaN forecast of an observed
value is not left out, it makes the score NaN, because a model must not gain by not answering. Sums are float64. Every
mean is over `axis`, by default over everything; where nothing was observed it is NaN.

References
----------
.. [1] Hyndman, R. J., & Koehler, A. B. (2006). Another look at measures of forecast accuracy. International Journal of
   Forecasting, 22(4), 679-688.
.. [2] Makridakis, S., Spiliotis, E., & Assimakopoulos, V. (2020). The M4 Competition: 100,000 time series and 61
   forecasting methods. International Journal of Forecasting, 36(1), 54-74; and the M4 Competitor's Guide (2018).
.. [3] Makridakis, S., Spiliotis, E., & Assimakopoulos, V. (2022). M5 accuracy competition: Results, findings, and
   conclusions. International Journal of Forecasting, 38(4), 1346-1364.
.. [4] Gneiting, T., & Raftery, A. E. (2007). Strictly proper scoring rules, prediction, and estimation. Journal of the
   American Statistical Association, 102(477), 359-378.
.. [5] Winkler, R. L. (1972). A decision-theoretic approach to interval estimation. Journal of the American Statistical
   Association, 67(337), 187-191.
.. [6] Koenker, R., & Bassett, G. (1978). Regression quantiles. Econometrica, 46(1), 33-50.
.. [7] Kolassa, S., & Schütz, W. (2007). Advantages of the MAD/MEAN ratio over the MAPE. Foresight, 6, 40-43.
.. [8] Park, Y., Maddix, D., Aubet, F.-X., Kan, K., Gasthaus, J., & Wang, Y. (2022). Learning quantile functions without
   quantile crossing for distribution-free time series forecasting. AISTATS.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from forecastkit.checks import check_int, check_keys, check_levels, refuse

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "bias",
    "coverage",
    "mae",
    "mase",
    "mse",
    "msis",
    "owa",
    "pinball",
    "quantile_columns",
    "rmse",
    "rmsse",
    "score_table",
    "seasonal_scale",
    "seasonal_scale_squared",
    "skill",
    "smape",
    "symmetric_pairs",
    "wape",
    "winkler",
    "wql",
]

Axis = int | tuple[int, ...] | None


def mae(actual: ArrayLike, forecast: ArrayLike, axis: Axis = None) -> np.ndarray | float:
    """Mean absolute error, ``mean |y - f|``, in the unit of the data; least at the median.

    Parameters
    ----------
    actual, forecast : array-like of one shape
        Usually (time,) or (series, time). NaN in `actual` is left out.
    axis : int, tuple of int or None
        The axes averaged over; None for all.

    Returns
    -------
    float or ndarray
        `actual`'s shape without `axis`.
    """
    actual, forecast = _alike("mae", actual=actual, forecast=forecast)
    return _mean(np.abs(actual - forecast), _seen(actual), axis)


def mse(actual: ArrayLike, forecast: ArrayLike, axis: Axis = None) -> np.ndarray | float:
    """Mean squared error, ``mean (y - f)^2``, in the squared unit of the data; least at the mean.

    Parameters and result are those of `mae`.
    """
    actual, forecast = _alike("mse", actual=actual, forecast=forecast)
    return _mean(np.square(actual - forecast), _seen(actual), axis)


def rmse(actual: ArrayLike, forecast: ArrayLike, axis: Axis = None) -> np.ndarray | float:
    """Root of the mean squared error, in the unit of the data; parameters and result are those of `mae`."""
    return np.sqrt(mse(actual, forecast, axis))


def bias(actual: ArrayLike, forecast: ArrayLike, axis: Axis = None) -> np.ndarray | float:
    """Mean of ``f - y``, in the unit of the data: above zero the forecasts are too high.

    Parameters and result are those of `mae`.
    """
    actual, forecast = _alike("bias", actual=actual, forecast=forecast)
    return _mean(forecast - actual, _seen(actual), axis)


def wape(actual: ArrayLike, forecast: ArrayLike, axis: Axis = None) -> np.ndarray | float:
    """Weighted absolute percentage error, ``sum |y - f| / sum |y|``, as a share (0.1 is 10 %) [7]_.

    NaN where all actuals are zero. Parameters and result are those of `mae`.
    """
    actual, forecast = _alike("wape", actual=actual, forecast=forecast)
    return _divide(mae(actual, forecast, axis), _mean(np.abs(actual), _seen(actual), axis))


def smape(actual: ArrayLike, forecast: ArrayLike, axis: Axis = None) -> np.ndarray | float:
    """Symmetric percentage error of the M4 competition, ``mean 200 |y - f| / (|y| + |f|)``, from 0 to 200 [2]_.

    Zero forecast as zero counts as no error. M4's figure for many series is the mean of the series' means. Parameters
    and result are those of `mae`.
    """
    actual, forecast = _alike("smape", actual=actual, forecast=forecast)
    return _mean(_symmetric(actual, forecast), _seen(actual), axis)


def mase(actual: ArrayLike, forecast: ArrayLike, scale: ArrayLike, axis: Axis = None) -> np.ndarray | float:
    """Mean absolute scaled error, ``mean |y - f| / scale``, without unit [1]_.

    Below 1 the forecast errs less than seasonal naive did, one season ahead, within the history.

    Parameters
    ----------
    actual, forecast : array-like of one shape
        Usually (series, time). NaN in `actual` is left out.
    scale : array-like
        `seasonal_scale` of the history: one number, one per series (`actual`'s shape without the last axis), or one per
        value. Values without a scale (NaN: too short or constant history) are left out.
    axis : int, tuple of int or None
        The axes averaged over; None for all.

    Returns
    -------
    float or ndarray
        `actual`'s shape without `axis`.
    """
    actual, forecast = _alike("mase", actual=actual, forecast=forecast)
    scale = _per_value("mase", scale, actual)
    return _mean(_divide(np.abs(actual - forecast), scale), _seen(actual) & _seen(scale), axis)


def rmsse(actual: ArrayLike, forecast: ArrayLike, scale: ArrayLike, axis: Axis = None) -> np.ndarray | float:
    """Root mean squared scaled error of the M5 competition, ``sqrt(mean (y - f)^2 / scale)``, without unit [3]_.

    `scale` is `seasonal_scale_squared` of the history. M5 averages the roots of the series: ``rmsse(..., axis=-1)``,
    then the mean. The other parameters and the result are those of `mase`.
    """
    actual, forecast = _alike("rmsse", actual=actual, forecast=forecast)
    scale = _per_value("rmsse", scale, actual)
    return np.sqrt(_mean(_divide(np.square(actual - forecast), scale), _seen(actual) & _seen(scale), axis))


def seasonal_scale(history: ArrayLike, season_length: int) -> np.ndarray | float:
    """Mean absolute error of seasonal naive within the history, ``mean |y_t - y_{t-m}|``: the scale of `mase` [1]_.

    Parameters
    ----------
    history : array-like, (..., time)
        The training values; pairs with a NaN are left out, so series may be padded.
    season_length : int
        Steps in a season, m; 1 gives the scale by plain naive.

    Returns
    -------
    float or ndarray, (...)
        In the unit of the data; NaN where there is no pair or all differences are zero.
    """
    return _scale("seasonal_scale", history, season_length, np.abs)


def seasonal_scale_squared(history: ArrayLike, season_length: int) -> np.ndarray | float:
    """Mean squared error of seasonal naive within the history, ``mean (y_t - y_{t-m})^2``: the scale of `rmsse` [3]_.

    Parameters and result are those of `seasonal_scale`, in the squared unit. M5 starts each history at its first sale.
    """
    return _scale("seasonal_scale_squared", history, season_length, np.square)


def owa(smape: ArrayLike, mase: ArrayLike, naive2_smape: ArrayLike, naive2_mase: ArrayLike) -> np.ndarray | float:
    """Overall weighted average of the M4 competition [2]_.

    ``(smape / naive2_smape + mase / naive2_mase) / 2``, of figures already averaged over all series; below 1 is better
    than Naive2 (naive on seasonally adjusted values).
    """
    return (_divide(smape, naive2_smape) + _divide(mase, naive2_mase)) / 2


def pinball(actual: ArrayLike, quantile_forecast: ArrayLike, level: float, axis: Axis = None) -> np.ndarray | float:
    """Mean pinball (quantile) loss, ``mean max(a (y - q), (a - 1) (y - q))``, in the unit of the data [6]_, [4]_.

    Least at the quantile of that level; at level 0.5 it is half of `mae`.

    Parameters
    ----------
    actual, quantile_forecast : array-like of one shape
        NaN in `actual` is left out.
    level : float
        The level a of the quantile, inside (0, 1).
    axis : int, tuple of int or None
        The axes averaged over; None for all.

    Returns
    -------
    float or ndarray
        `actual`'s shape without `axis`.
    """
    check_levels("pinball", level)
    actual, quantile = _alike("pinball", actual=actual, quantile_forecast=quantile_forecast)
    return _mean(_pinball(actual, quantile, level), _seen(actual), axis)


def wql(actual: ArrayLike, quantiles: ArrayLike, levels: ArrayLike) -> float:
    """Weighted quantile loss, the mean over levels of ``2 sum pinball / sum |y|``, as a share [8]_.

    With evenly spaced levels it approaches the continuous ranked probability score over the mean size of the data; with
    the median alone it is `wape`.

    Parameters
    ----------
    actual : array-like
        Any shape; NaN is left out.
    quantiles : array-like, (..., len(levels))
        The forecast of each level on the last axis.
    levels : array-like of float
        Rising, inside (0, 1).

    Returns
    -------
    float
    """
    levels = check_levels("wql", levels)
    actual, quantiles = np.asarray(actual, dtype="float64"), np.asarray(quantiles, dtype="float64")
    if quantiles.shape != (*actual.shape, len(levels)):
        refuse("wql", f"quantiles must have the shape {(*actual.shape, len(levels))}", quantiles.shape)
    loss = np.mean([pinball(actual, quantiles[..., i], level) for i, level in enumerate(levels)])
    return _divide(2 * loss, _mean(np.abs(actual), _seen(actual)))


def coverage(actual: ArrayLike, lower: ArrayLike, upper: ArrayLike, axis: Axis = None) -> np.ndarray | float:
    """Share of actuals inside their interval, ends included: near the nominal coverage where a model is honest.

    Parameters
    ----------
    actual, lower, upper : array-like of one shape
        NaN in `actual` is left out.
    axis : int, tuple of int or None
        The axes averaged over; None for all.

    Returns
    -------
    float or ndarray
        `actual`'s shape without `axis`.
    """
    actual, lower, upper = _alike("coverage", actual=actual, lower=lower, upper=upper)
    return _mean(_inside(actual, lower, upper), _seen(actual), axis)


def winkler(
    actual: ArrayLike, lower: ArrayLike, upper: ArrayLike, level: float, axis: Axis = None
) -> np.ndarray | float:
    """Interval score, ``mean (u - l) + 2/a (l - y)+ + 2/a (y - u)+``, in the unit of the data [5]_, [4]_.

    Rewards narrow intervals and fines each miss by its size; least at the true quantiles a/2 and 1 - a/2.

    Parameters
    ----------
    actual, lower, upper : array-like of one shape
        NaN in `actual` is left out.
    level : float
        The nominal coverage, 1 - a, inside (0, 1): 0.8 for the interval from q0.1 to q0.9.
    axis : int, tuple of int or None
        The axes averaged over; None for all.

    Returns
    -------
    float or ndarray
        `actual`'s shape without `axis`.
    """
    check_levels("winkler", level)
    actual, lower, upper = _alike("winkler", actual=actual, lower=lower, upper=upper)
    return _mean(_winkler(actual, lower, upper, level), _seen(actual), axis)


def msis(
    actual: ArrayLike, lower: ArrayLike, upper: ArrayLike, scale: ArrayLike, level: float = 0.95, axis: Axis = None
) -> np.ndarray | float:
    """Mean scaled interval score of the M4 competition: `winkler` over `scale`, without unit [2]_.

    `scale` is as in `mase`, `level` (M4: 0.95) and the rest as in `winkler`.
    """
    check_levels("msis", level)
    actual, lower, upper = _alike("msis", actual=actual, lower=lower, upper=upper)
    scale = _per_value("msis", scale, actual)
    return _mean(_divide(_winkler(actual, lower, upper, level), scale), _seen(actual) & _seen(scale), axis)


def skill(score: ArrayLike, baseline: ArrayLike) -> np.ndarray | float:
    """Share of the baseline's error that a forecast saves, ``1 - score / baseline``; NaN where the baseline is zero.

    1 is perfect, 0 no better than the baseline, below 0 worse.
    """
    return 1 - _divide(score, baseline)


def quantile_columns(frame: pd.DataFrame) -> dict[float, str]:
    """The quantile columns (``q0.1``, ``q0.5``, ...) of a forecast frame, by rising level."""
    named = {_level_of(name): name for name in frame.columns}
    return {level: named[level] for level in sorted(level for level in named if 0 < level < 1)}


def score_table(
    frame: pd.DataFrame,
    *,
    by: str | Sequence[str] = (),
    scale: float | ArrayLike | pd.Series | None = None,
    levels: Sequence[float] | None = None,
) -> pd.DataFrame:
    """Scores of a long forecast frame, one row per group.

    Parameters
    ----------
    frame : DataFrame
        With the columns ``actual`` and ``forecast``, and quantile columns (``q0.1``) or ``lower`` and ``upper`` where
        the forecasts have them.
    by : str or list of str
        The columns whose groups are scored, such as the series, the target, ``step`` or ``cutoff``; none for one row.
    scale : float, Series or array-like, optional
        `seasonal_scale` of the history: one number, a Series whose index levels are named like columns of the frame
        (the series), or one value per row. Rows without a scale are left out of the scaled scores only.
    levels : list of float, optional
        The quantile levels scored; all that the frame has if not given.

    Returns
    -------
    DataFrame
        Indexed by `by`: ``rows`` (those observed), ``mae, mse, rmse, bias, wape, smape``; with `scale` ``mase``; for
        each quantile ``pinball_q0.1``, over all ``wql``; for each pair of symmetric quantiles ``coverage_0.8``,
        ``winkler_0.8`` and with `scale` ``msis_0.8``; for lower and upper ``coverage`` and ``width``. Means are over
        the rows of a group. Units are those of the functions of the same names.

    Raises
    ------
    InputError
        If a column is absent, or `scale` does not fit the rows.
    """
    import pandas as pd

    by = [by] if isinstance(by, str) else list(by)
    columns = _wanted_quantiles(frame, levels)
    check_keys("score_table", "the columns scored", ["actual", "forecast", *by, *columns.values()], frame.columns)
    codes, index = _groups(frame, by)
    actual = _column(frame, "actual")
    seen = _seen(actual)
    scale = None if scale is None else _row_scale(frame, scale)[seen]
    rows = _Rows(actual[seen], codes[seen], len(index), scale)
    table = rows.point(_column(frame, "forecast")[seen])
    table |= rows.quantiles({level: _column(frame, name)[seen] for level, name in columns.items()})
    if {"lower", "upper"} <= set(frame.columns):
        table |= rows.interval(_column(frame, "lower")[seen], _column(frame, "upper")[seen])
    return pd.DataFrame(table, index=index)


class _Rows:
    """Observed rows and the group each is in; sums by `bincount`, which unlike pandas' lets a NaN forecast show."""

    def __init__(self, actual: np.ndarray, codes: np.ndarray, n_groups: int, scale: np.ndarray | None):
        self.actual, self.codes, self.n_groups, self.scale = actual, codes, n_groups, scale
        self.counts = np.bincount(codes, minlength=n_groups)
        self.size = self.mean(np.abs(actual))

    def mean(self, values: np.ndarray) -> np.ndarray:
        return _divide(np.bincount(self.codes, values, self.n_groups), self.counts)

    def scaled(self, name: str, values: np.ndarray) -> dict[str, np.ndarray]:
        if self.scale is None:
            return {}
        use = _seen(self.scale)
        codes = self.codes[use]
        total = np.bincount(codes, _divide(values[use], self.scale[use]), self.n_groups)
        return {name: _divide(total, np.bincount(codes, minlength=self.n_groups))}

    def point(self, forecast: np.ndarray) -> dict[str, np.ndarray]:
        error = forecast - self.actual
        size = np.abs(error)
        mean_size, mean_square = self.mean(size), self.mean(np.square(error))
        return {
            "rows": self.counts,
            "mae": mean_size,
            "mse": mean_square,
            "rmse": np.sqrt(mean_square),
            "bias": self.mean(error),
            "wape": _divide(mean_size, self.size),
            "smape": self.mean(_symmetric(self.actual, forecast)),
            **self.scaled("mase", size),
        }

    def quantiles(self, quantiles: dict[float, np.ndarray]) -> dict[str, np.ndarray]:
        losses = {level: self.mean(_pinball(self.actual, values, level)) for level, values in quantiles.items()}
        table = {f"pinball_q{level:g}": loss for level, loss in losses.items()}
        if losses:
            table["wql"] = _divide(2 * np.mean(list(losses.values()), axis=0), self.size)
        for level, low, high in symmetric_pairs(quantiles):
            score = _winkler(self.actual, quantiles[low], quantiles[high], level)
            table[f"coverage_{level:g}"] = self.mean(_inside(self.actual, quantiles[low], quantiles[high]))
            table[f"winkler_{level:g}"] = self.mean(score)
            table |= self.scaled(f"msis_{level:g}", score)
        return table

    def interval(self, lower: np.ndarray, upper: np.ndarray) -> dict[str, np.ndarray]:
        return {"coverage": self.mean(_inside(self.actual, lower, upper)), "width": self.mean(upper - lower)}


def symmetric_pairs(levels: Sequence[float]) -> list[tuple[float, float, float]]:
    """(coverage, low, high) of each pair of levels that lies evenly about the median, the widest first."""
    upper = {round(level, 9): level for level in levels if level > 0.5}
    pairs = [(low, upper.get(round(1 - low, 9))) for low in sorted(levels) if low < 0.5]
    return [(round(high - low, 9), low, high) for low, high in pairs if high is not None]


def _level_of(name: object) -> float:
    """The level that a column such as ``q0.1`` is named for, 0 for other columns."""
    try:
        return float(name[1:]) if isinstance(name, str) and name.startswith("q") else 0.0
    except ValueError:
        return 0.0


def _wanted_quantiles(frame: pd.DataFrame, levels: Sequence[float] | None) -> dict[float, str]:
    if levels is None:
        return quantile_columns(frame)
    return {level: f"q{level:g}" for level in check_levels("score_table", levels)}


def _groups(frame: pd.DataFrame, by: list[str]) -> tuple[np.ndarray, pd.Index]:
    """Each row's group as an integer, and the index of the groups."""
    import pandas as pd

    if not by:
        return np.zeros(len(frame), dtype="int64"), pd.RangeIndex(1)
    groups = frame.groupby(by if len(by) > 1 else by[0], observed=True, dropna=False)
    return groups.ngroup().to_numpy(), groups.size().index


def _row_scale(frame: pd.DataFrame, scale: object) -> np.ndarray:
    """The scale of each row, (rows,)."""
    import pandas as pd

    if isinstance(scale, pd.Series) and any(name is not None for name in scale.index.names):
        keys = list(scale.index.names)
        check_keys("score_table", "the index levels of scale", keys, frame.columns)
        # One look-up per group: joining a million rows to the scales costs ten times as much.
        codes, index = _groups(frame, keys)
        return scale.reindex(index).to_numpy("float64", na_value=np.nan)[codes]
    scale = np.asarray(scale, dtype="float64")
    if scale.shape not in ((), (len(frame),)):
        refuse("score_table", f"scale must be one number, one per row ({len(frame)}) or a Series by key", scale.shape)
    return np.broadcast_to(scale, len(frame))


def _column(frame: pd.DataFrame, name: str) -> np.ndarray:
    return frame[name].to_numpy("float64", na_value=np.nan)


def _alike(where: str, **arrays: ArrayLike) -> list[np.ndarray]:
    """The arrays in float64, refused unless of one shape: (n,) against (n, 1) would silently compare all with all."""
    given = {name: np.asarray(array, dtype="float64") for name, array in arrays.items()}
    if len({array.shape for array in given.values()}) > 1:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in given.items())
        refuse(where, f"{', '.join(given)} must have one shape", shapes)
    return list(given.values())


def _per_value(where: str, scale: ArrayLike, actual: np.ndarray) -> np.ndarray:
    """`scale` in the shape of `actual`: given for all, for each series or for each value."""
    scale = np.asarray(scale, dtype="float64")
    if scale.shape == actual.shape[:-1]:
        scale = scale[..., None]
    fits = scale.ndim in (0, actual.ndim) and all(a in (1, b) for a, b in zip(scale.shape, actual.shape, strict=False))
    if not fits:
        refuse(where, f"scale must be one number, one per series or one per value of {actual.shape}", scale.shape)
    return np.broadcast_to(scale, actual.shape)


def _scale(where: str, history: ArrayLike, season_length: int, size: np.ufunc) -> np.ndarray | float:
    check_int(where, "season_length", season_length)
    history = np.asarray(history, dtype="float64")
    if history.ndim == 0:
        refuse(where, "history must have a time axis", "one number")
    difference = size(history[..., season_length:] - history[..., :-season_length])
    mean = _mean(difference, _seen(difference), axis=-1)
    return mean / np.where(mean == 0, np.nan, 1.0)


def _mean(values: np.ndarray, seen: np.ndarray, axis: Axis = None) -> np.ndarray | float:
    return _divide(np.where(seen, values, 0.0).sum(axis), seen.sum(axis))


def _divide(a: ArrayLike, b: ArrayLike) -> np.ndarray | float:
    """``a / b``, NaN where b is zero."""
    a, b = np.asarray(a, dtype="float64"), np.asarray(b, dtype="float64")
    with np.errstate(divide="ignore", invalid="ignore"):
        return a / np.where(b == 0, np.nan, b)


def _seen(values: np.ndarray) -> np.ndarray:
    return ~np.isnan(values)


def _symmetric(actual: np.ndarray, forecast: np.ndarray) -> np.ndarray:
    size = np.abs(actual) + np.abs(forecast)
    return 200 * np.abs(actual - forecast) / np.where(size == 0, 1, size)


def _pinball(actual: np.ndarray, quantile: np.ndarray, level: float) -> np.ndarray:
    above = actual - quantile
    return np.maximum(level * above, (level - 1) * above)


def _inside(actual: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """1 inside the interval, 0 outside, NaN where an end is missing."""
    inside = (lower <= actual) & (actual <= upper)
    return np.where(np.isnan(lower) | np.isnan(upper), np.nan, inside)


def _winkler(actual: np.ndarray, lower: np.ndarray, upper: np.ndarray, level: float) -> np.ndarray:
    miss = np.maximum(lower - actual, 0) + np.maximum(actual - upper, 0)
    return upper - lower + 2 / (1 - level) * miss
