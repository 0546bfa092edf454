"""Accuracy measures of forecasts, as functions of arrays.

NaN in `actual` marks missing observations, which are excluded. A NaN forecast of an observed value makes the score NaN,
so that a model does not score better by leaving out forecasts. Sums are computed in float64. Means are taken over
`axis`, by default over all elements, and are NaN if nothing is observed.

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

import numpy as np
from numpy.typing import ArrayLike

from forecastkit.metrics import elementwise
from forecastkit.metrics.elementwise import Axis, divide, mean, seen
from forecastkit.metrics.grouped_scores import symmetric_pairs
from forecastkit.metrics.score_table import quantile_columns, score_table
from forecastkit.utils.validation import check_int, check_levels, refuse

__all__ = [
    "bias",
    "coverage",
    "crps_gaussian",
    "crps_quantiles",
    "crps_sample",
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


def mae(actual: ArrayLike, forecast: ArrayLike, axis: Axis = None) -> np.ndarray | float:
    """Mean absolute error, ``mean |y - f|``, in the unit of the data; minimised by the median.

    Parameters
    ----------
    actual, forecast : array-like of one shape
        Usually (time,) or (series, time). NaN in `actual` is excluded.
    axis : int, tuple of int or None
        Axes to average over; None for all.

    Returns
    -------
    float or ndarray
        `actual`'s shape without `axis`.
    """
    actual, forecast = _same_shape("mae", actual=actual, forecast=forecast)
    return mean(np.abs(actual - forecast), seen(actual), axis)


def mse(actual: ArrayLike, forecast: ArrayLike, axis: Axis = None) -> np.ndarray | float:
    """Mean squared error, ``mean (y - f)^2``, in the squared unit of the data; minimised by the mean.

    Parameters and result are those of `mae`.
    """
    actual, forecast = _same_shape("mse", actual=actual, forecast=forecast)
    return mean(np.square(actual - forecast), seen(actual), axis)


def rmse(actual: ArrayLike, forecast: ArrayLike, axis: Axis = None) -> np.ndarray | float:
    """Root of the mean squared error, in the unit of the data; parameters and result are those of `mae`."""
    return np.sqrt(mse(actual, forecast, axis))


def bias(actual: ArrayLike, forecast: ArrayLike, axis: Axis = None) -> np.ndarray | float:
    """Mean of ``f - y``, in the unit of the data; positive if the forecasts are too high.

    Parameters and result are those of `mae`.
    """
    actual, forecast = _same_shape("bias", actual=actual, forecast=forecast)
    return mean(forecast - actual, seen(actual), axis)


def wape(actual: ArrayLike, forecast: ArrayLike, axis: Axis = None) -> np.ndarray | float:
    """Weighted absolute percentage error, ``sum |y - f| / sum |y|``, as a fraction (0.1 is 10 %) [7]_.

    NaN where all actuals are zero. Parameters and result are those of `mae`.
    """
    actual, forecast = _same_shape("wape", actual=actual, forecast=forecast)
    return divide(mae(actual, forecast, axis), mean(np.abs(actual), seen(actual), axis))


def smape(actual: ArrayLike, forecast: ArrayLike, axis: Axis = None) -> np.ndarray | float:
    """Symmetric percentage error of the M4 competition, ``mean 200 |y - f| / (|y| + |f|)``, from 0 to 200 [2]_.

    The error is 0 where actual and forecast are both zero. The M4 figure of many series is the mean of the series'
    means. Parameters and result are those of `mae`.
    """
    actual, forecast = _same_shape("smape", actual=actual, forecast=forecast)
    return mean(elementwise.symmetric(actual, forecast), seen(actual), axis)


def mase(actual: ArrayLike, forecast: ArrayLike, scale: ArrayLike, axis: Axis = None) -> np.ndarray | float:
    """Mean absolute scaled error, ``mean |y - f| / scale``, dimensionless [1]_.

    Values below 1 mean a smaller error than that of seasonal naive forecasts, one season ahead, within the history.

    Parameters
    ----------
    actual, forecast : array-like of one shape
        Usually (series, time). NaN in `actual` is excluded.
    scale : array-like
        `seasonal_scale` of the history: one number, one per series (`actual`'s shape without the last axis), or one per
        value. Values with a scale of NaN (a history that is too short or constant) are excluded.
    axis : int, tuple of int or None
        Axes to average over; None for all.

    Returns
    -------
    float or ndarray
        `actual`'s shape without `axis`.
    """
    actual, forecast = _same_shape("mase", actual=actual, forecast=forecast)
    scale = _per_value("mase", scale, actual)
    return mean(divide(np.abs(actual - forecast), scale), seen(actual) & seen(scale), axis)


def rmsse(actual: ArrayLike, forecast: ArrayLike, scale: ArrayLike, axis: Axis = None) -> np.ndarray | float:
    """Root mean squared scaled error of the M5 competition, ``sqrt(mean (y - f)^2 / scale)``, dimensionless [3]_.

    `scale` is `seasonal_scale_squared` of the history. M5 averages the roots of the series: ``rmsse(..., axis=-1)``,
    then the mean. The other parameters and the result are those of `mase`.
    """
    actual, forecast = _same_shape("rmsse", actual=actual, forecast=forecast)
    scale = _per_value("rmsse", scale, actual)
    return np.sqrt(mean(divide(np.square(actual - forecast), scale), seen(actual) & seen(scale), axis))


def seasonal_scale(history: ArrayLike, season_length: int) -> np.ndarray | float:
    """Mean absolute error of seasonal naive within the history, ``mean |y_t - y_{t-m}|``: the scale of `mase` [1]_.

    Parameters
    ----------
    history : array-like, (..., time)
        Training values. Pairs with a NaN are excluded, so series may be padded with NaN.
    season_length : int
        Steps per season, m; 1 gives the scale of the naive forecast.

    Returns
    -------
    float or ndarray, (...)
        In the unit of the data; NaN if there is no pair or all differences are zero.
    """
    return _scale("seasonal_scale", history, season_length, np.abs)


def seasonal_scale_squared(history: ArrayLike, season_length: int) -> np.ndarray | float:
    """Mean squared error of seasonal naive within the history, ``mean (y_t - y_{t-m})^2``: the scale of `rmsse` [3]_.

    Parameters and result are those of `seasonal_scale`, in the squared unit. M5 starts each history at its first
    non-zero sale.
    """
    return _scale("seasonal_scale_squared", history, season_length, np.square)


def owa(smape: ArrayLike, mase: ArrayLike, naive2_smape: ArrayLike, naive2_mase: ArrayLike) -> np.ndarray | float:
    """Overall weighted average of the M4 competition [2]_.

    ``(smape / naive2_smape + mase / naive2_mase) / 2``, computed from scores that are averaged over all series. Values
    below 1 are better than Naive2 (naive forecasts of seasonally adjusted values).
    """
    return (divide(smape, naive2_smape) + divide(mase, naive2_mase)) / 2


def pinball(actual: ArrayLike, quantile_forecast: ArrayLike, level: float, axis: Axis = None) -> np.ndarray | float:
    """Mean pinball (quantile) loss, ``mean max(a (y - q), (a - 1) (y - q))``, in the unit of the data [6]_, [4]_.

    It is minimised by the quantile of that level; at level 0.5 it equals half of `mae`.

    Parameters
    ----------
    actual, quantile_forecast : array-like of one shape
        NaN in `actual` is excluded.
    level : float
        The level a of the quantile, inside (0, 1).
    axis : int, tuple of int or None
        Axes to average over; None for all.

    Returns
    -------
    float or ndarray
        `actual`'s shape without `axis`.
    """
    check_levels("pinball", level)
    actual, quantile = _same_shape("pinball", actual=actual, quantile_forecast=quantile_forecast)
    return mean(elementwise.pinball(actual, quantile, level), seen(actual), axis)


def wql(actual: ArrayLike, quantiles: ArrayLike, levels: ArrayLike) -> float:
    """Weighted quantile loss, the mean over levels of ``2 sum pinball / sum |y|``, as a fraction [8]_.

    With many evenly spaced levels it approaches the continuous ranked probability score divided by the mean absolute
    actual; with the median alone it equals `wape`.

    Parameters
    ----------
    actual : array-like
        Any shape; NaN is excluded.
    quantiles : array-like, (..., len(levels))
        Forecasts, with the levels on the last axis.
    levels : array-like of float
        Strictly increasing, inside (0, 1).

    Returns
    -------
    float
    """
    levels = check_levels("wql", levels)
    actual, quantiles = _with_levels("wql", actual, quantiles, levels)
    loss = np.mean([pinball(actual, quantiles[..., i], level) for i, level in enumerate(levels)])
    return divide(2 * loss, mean(np.abs(actual), seen(actual)))


def coverage(actual: ArrayLike, lower: ArrayLike, upper: ArrayLike, axis: Axis = None) -> np.ndarray | float:
    """Fraction of actuals inside their interval, bounds included; close to the nominal coverage if calibrated.

    Parameters
    ----------
    actual, lower, upper : array-like of one shape
        NaN in `actual` is excluded.
    axis : int, tuple of int or None
        Axes to average over; None for all.

    Returns
    -------
    float or ndarray
        `actual`'s shape without `axis`.
    """
    actual, lower, upper = _same_shape("coverage", actual=actual, lower=lower, upper=upper)
    return mean(elementwise.inside(actual, lower, upper), seen(actual), axis)


def winkler(
    actual: ArrayLike, lower: ArrayLike, upper: ArrayLike, level: float, axis: Axis = None
) -> np.ndarray | float:
    """Interval score, ``mean (u - l) + 2/a (l - y)+ + 2/a (y - u)+``, in the unit of the data [5]_, [4]_.

    It penalises wide intervals and actuals outside them; it is minimised by the true quantiles a/2 and 1 - a/2.

    Parameters
    ----------
    actual, lower, upper : array-like of one shape
        NaN in `actual` is excluded.
    level : float
        The nominal coverage, 1 - a, inside (0, 1): 0.8 for the interval from q0.1 to q0.9.
    axis : int, tuple of int or None
        Axes to average over; None for all.

    Returns
    -------
    float or ndarray
        `actual`'s shape without `axis`.
    """
    check_levels("winkler", level)
    actual, lower, upper = _same_shape("winkler", actual=actual, lower=lower, upper=upper)
    return mean(elementwise.winkler(actual, lower, upper, level), seen(actual), axis)


def msis(
    actual: ArrayLike, lower: ArrayLike, upper: ArrayLike, scale: ArrayLike, level: float = 0.95, axis: Axis = None
) -> np.ndarray | float:
    """Mean scaled interval score of the M4 competition: `winkler` divided by `scale`, dimensionless [2]_.

    `scale` is that of `mase`; `level` (0.95 in M4) and the other parameters are those of `winkler`.
    """
    check_levels("msis", level)
    actual, lower, upper = _same_shape("msis", actual=actual, lower=lower, upper=upper)
    scale = _per_value("msis", scale, actual)
    return mean(
        divide(elementwise.winkler(actual, lower, upper, level), scale),
        seen(actual) & seen(scale),
        axis,
    )


def crps_gaussian(actual: ArrayLike, center: ArrayLike, deviation: ArrayLike, axis: Axis = None) -> np.ndarray | float:
    """Continuous ranked probability score of normal distributions in closed form, in the unit of the data [4]_.

    Parameters
    ----------
    actual, center, deviation : array-like of one shape
        NaN in `actual` is excluded; deviations are positive.
    axis : int, tuple of int or None
        Axes to average over; None for all.

    Returns
    -------
    float or ndarray
        `actual`'s shape without `axis`. As the deviation goes to 0 it approaches the absolute error.
    """
    from scipy.stats import norm

    actual, center, deviation = _same_shape("crps_gaussian", actual=actual, center=center, deviation=deviation)
    z = (actual - center) / deviation
    score = deviation * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))
    return mean(score, seen(actual), axis)


def crps_sample(actual: ArrayLike, samples: ArrayLike, axis: Axis = None) -> np.ndarray | float:
    """Continuous ranked probability score of samples: ``mean |x - y| - mean |x - x'| / 2``, in the data's unit [4]_.

    Only pairs of two different samples are used, which makes the score fair: its expectation does not depend on their
    number.

    Parameters
    ----------
    actual : array-like, (...)
        NaN is excluded.
    samples : array-like, (..., m)
        At least two samples per actual.
    axis : int, tuple of int or None
        Axes of `actual` to average over; None for all.

    Returns
    -------
    float or ndarray
        `actual`'s shape without `axis`.

    Raises
    ------
    InputError
        If there are fewer than two samples, or their shape without the last axis is not that of `actual`.
    """
    actual, samples = np.asarray(actual, dtype="float64"), np.asarray(samples, dtype="float64")
    if samples.shape[:-1] != actual.shape or samples.shape[-1] < 2:
        got = f"{samples.shape} for {actual.shape}"
        refuse("crps_sample", "samples must be (..., m) for actuals (...), with m of at least 2", got)
    m = samples.shape[-1]
    # The i-th smallest value is above i others and below m - 1 - i, so it enters the sum of |x - x'| 2i - m + 1 times.
    spread = (np.sort(samples, axis=-1) * (2 * np.arange(m) - m + 1)).sum(axis=-1) / (m * (m - 1))
    return mean(np.abs(samples - actual[..., None]).mean(axis=-1) - spread, seen(actual), axis)


def crps_quantiles(actual: ArrayLike, quantiles: ArrayLike, levels: ArrayLike, axis: Axis = None) -> np.ndarray | float:
    """Continuous ranked probability score from quantiles: twice the pinball loss, integrated over levels [4]_.

    Each level is weighted by the part of (0, 1) nearest to it, so the approximation improves with the number of levels.
    With the median alone the score equals the mean absolute error.

    Parameters
    ----------
    actual : array-like, (...)
        NaN is left out.
    quantiles : array-like, (..., len(levels))
        Forecasts, with the levels on the last axis.
    levels : array-like of float
        Strictly increasing, inside (0, 1).
    axis : int, tuple of int or None
        Axes of `actual` to average over; None for all.

    Returns
    -------
    float or ndarray
        In the unit of the data, `actual`'s shape without `axis`.
    """
    levels = check_levels("crps_quantiles", levels)
    actual, quantiles = _with_levels("crps_quantiles", actual, quantiles, levels)
    losses = [pinball(actual, quantiles[..., i], level, axis) for i, level in enumerate(levels)]
    return 2 * np.average(losses, axis=0, weights=elementwise.level_weights(levels))


def skill(score: ArrayLike, baseline: ArrayLike) -> np.ndarray | float:
    """Relative reduction of the baseline's error, ``1 - score / baseline``; NaN where the baseline is zero.

    1 is a perfect forecast, 0 equals the baseline, and negative values are worse.
    """
    return 1 - divide(score, baseline)


def _same_shape(where: str, **arrays: ArrayLike) -> list[np.ndarray]:
    """Return the arrays in float64; refuse different shapes, as (n,) and (n, 1) would broadcast to all pairs."""
    given = {name: np.asarray(array, dtype="float64") for name, array in arrays.items()}
    if len({array.shape for array in given.values()}) > 1:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in given.items())
        refuse(where, f"{', '.join(given)} must have one shape", shapes)
    return list(given.values())


def _with_levels(where: str, actual: ArrayLike, quantiles: ArrayLike, levels: tuple) -> tuple[np.ndarray, np.ndarray]:
    """Return actuals and quantiles in float64, with the levels on the last axis of the quantiles."""
    actual, quantiles = np.asarray(actual, dtype="float64"), np.asarray(quantiles, dtype="float64")
    if quantiles.shape != (*actual.shape, len(levels)):
        refuse(where, f"quantiles must have the shape {(*actual.shape, len(levels))}", quantiles.shape)
    return actual, quantiles


def _per_value(where: str, scale: ArrayLike, actual: np.ndarray) -> np.ndarray:
    """Broadcast `scale`, one number, one per series or one per value, to the shape of `actual`."""
    scale = np.asarray(scale, dtype="float64")
    if scale.shape == actual.shape[:-1]:
        scale = scale[..., None]
    fits = scale.ndim in (0, actual.ndim) and all(a in (1, b) for a, b in zip(scale.shape, actual.shape, strict=False))
    if not fits:
        refuse(where, f"scale must be one number, one per series or one per value of {actual.shape}", scale.shape)
    return np.broadcast_to(scale, actual.shape)


def _scale(where: str, history: ArrayLike, season_length: int, size: np.ufunc) -> np.ndarray | float:
    """Return the mean of `size` of the seasonal differences along the last axis; NaN where it is zero."""
    check_int(where, "season_length", season_length)
    history = np.asarray(history, dtype="float64")
    if history.ndim == 0:
        refuse(where, "history must have a time axis", "one number")
    difference = size(history[..., season_length:] - history[..., :-season_length])
    size = mean(difference, seen(difference), axis=-1)
    return size / np.where(size == 0, np.nan, 1.0)
