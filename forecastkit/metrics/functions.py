"""Measures of forecast error, as functions of arrays.

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

import numpy as np
from numpy.typing import ArrayLike

from forecastkit.metrics import elementwise
from forecastkit.metrics.elementwise import Axis, divide, mean, seen
from forecastkit.metrics.score_table import quantile_columns, score_table, symmetric_pairs
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
    return mean(np.abs(actual - forecast), seen(actual), axis)


def mse(actual: ArrayLike, forecast: ArrayLike, axis: Axis = None) -> np.ndarray | float:
    """Mean squared error, ``mean (y - f)^2``, in the squared unit of the data; least at the mean.

    Parameters and result are those of `mae`.
    """
    actual, forecast = _alike("mse", actual=actual, forecast=forecast)
    return mean(np.square(actual - forecast), seen(actual), axis)


def rmse(actual: ArrayLike, forecast: ArrayLike, axis: Axis = None) -> np.ndarray | float:
    """Root of the mean squared error, in the unit of the data; parameters and result are those of `mae`."""
    return np.sqrt(mse(actual, forecast, axis))


def bias(actual: ArrayLike, forecast: ArrayLike, axis: Axis = None) -> np.ndarray | float:
    """Mean of ``f - y``, in the unit of the data: above zero the forecasts are too high.

    Parameters and result are those of `mae`.
    """
    actual, forecast = _alike("bias", actual=actual, forecast=forecast)
    return mean(forecast - actual, seen(actual), axis)


def wape(actual: ArrayLike, forecast: ArrayLike, axis: Axis = None) -> np.ndarray | float:
    """Weighted absolute percentage error, ``sum |y - f| / sum |y|``, as a share (0.1 is 10 %) [7]_.

    NaN where all actuals are zero. Parameters and result are those of `mae`.
    """
    actual, forecast = _alike("wape", actual=actual, forecast=forecast)
    return divide(mae(actual, forecast, axis), mean(np.abs(actual), seen(actual), axis))


def smape(actual: ArrayLike, forecast: ArrayLike, axis: Axis = None) -> np.ndarray | float:
    """Symmetric percentage error of the M4 competition, ``mean 200 |y - f| / (|y| + |f|)``, from 0 to 200 [2]_.

    Zero forecast as zero counts as no error. M4's figure for many series is the mean of the series' means. Parameters
    and result are those of `mae`.
    """
    actual, forecast = _alike("smape", actual=actual, forecast=forecast)
    return mean(elementwise.symmetric(actual, forecast), seen(actual), axis)


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
    return mean(divide(np.abs(actual - forecast), scale), seen(actual) & seen(scale), axis)


def rmsse(actual: ArrayLike, forecast: ArrayLike, scale: ArrayLike, axis: Axis = None) -> np.ndarray | float:
    """Root mean squared scaled error of the M5 competition, ``sqrt(mean (y - f)^2 / scale)``, without unit [3]_.

    `scale` is `seasonal_scale_squared` of the history. M5 averages the roots of the series: ``rmsse(..., axis=-1)``,
    then the mean. The other parameters and the result are those of `mase`.
    """
    actual, forecast = _alike("rmsse", actual=actual, forecast=forecast)
    scale = _per_value("rmsse", scale, actual)
    return np.sqrt(mean(divide(np.square(actual - forecast), scale), seen(actual) & seen(scale), axis))


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
    return (divide(smape, naive2_smape) + divide(mase, naive2_mase)) / 2


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
    return mean(elementwise.pinball(actual, quantile, level), seen(actual), axis)


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
    actual, quantiles = _with_levels("wql", actual, quantiles, levels)
    loss = np.mean([pinball(actual, quantiles[..., i], level) for i, level in enumerate(levels)])
    return divide(2 * loss, mean(np.abs(actual), seen(actual)))


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
    return mean(elementwise.inside(actual, lower, upper), seen(actual), axis)


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
    return mean(elementwise.winkler(actual, lower, upper, level), seen(actual), axis)


def msis(
    actual: ArrayLike, lower: ArrayLike, upper: ArrayLike, scale: ArrayLike, level: float = 0.95, axis: Axis = None
) -> np.ndarray | float:
    """Mean scaled interval score of the M4 competition: `winkler` over `scale`, without unit [2]_.

    `scale` is as in `mase`, `level` (M4: 0.95) and the rest as in `winkler`.
    """
    check_levels("msis", level)
    actual, lower, upper = _alike("msis", actual=actual, lower=lower, upper=upper)
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
        NaN in `actual` is left out; deviations are above 0.
    axis : int, tuple of int or None
        The axes averaged over; None for all.

    Returns
    -------
    float or ndarray
        `actual`'s shape without `axis`; the absolute error where the deviation goes to 0.
    """
    from scipy.stats import norm

    actual, center, deviation = _alike("crps_gaussian", actual=actual, center=center, deviation=deviation)
    z = (actual - center) / deviation
    score = deviation * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))
    return mean(score, seen(actual), axis)


def crps_sample(actual: ArrayLike, samples: ArrayLike, axis: Axis = None) -> np.ndarray | float:
    """Continuous ranked probability score of samples: ``mean |x - y| - mean |x - x'| / 2``, in the data's unit [4]_.

    Pairs are of two different samples, which makes it fair: its mean does not depend on how many there are.

    Parameters
    ----------
    actual : array-like, (...)
        NaN is left out.
    samples : array-like, (..., m)
        At least two of each actual.
    axis : int, tuple of int or None
        The axes of `actual` averaged over; None for all.

    Returns
    -------
    float or ndarray
        `actual`'s shape without `axis`.

    Raises
    ------
    InputError
        If the samples are fewer than two, or not of the shape of `actual` but for their axis.
    """
    actual, samples = np.asarray(actual, dtype="float64"), np.asarray(samples, dtype="float64")
    if samples.shape[:-1] != actual.shape or samples.shape[-1] < 2:
        got = f"{samples.shape} for {actual.shape}"
        refuse("crps_sample", "samples must be (..., m) for actuals (...), with m of at least 2", got)
    m = samples.shape[-1]
    # In rising order each value is above i others and below m - 1 - i, so that its differences to them add up so.
    spread = (np.sort(samples, axis=-1) * (2 * np.arange(m) - m + 1)).sum(axis=-1) / (m * (m - 1))
    return mean(np.abs(samples - actual[..., None]).mean(axis=-1) - spread, seen(actual), axis)


def crps_quantiles(actual: ArrayLike, quantiles: ArrayLike, levels: ArrayLike, axis: Axis = None) -> np.ndarray | float:
    """Continuous ranked probability score from quantiles: twice the pinball loss, integrated over levels [4]_.

    Each level stands for the part of (0, 1) nearest to it: the more levels, the closer; with the median alone it is the
    mean absolute error.

    Parameters
    ----------
    actual : array-like, (...)
        NaN is left out.
    quantiles : array-like, (..., len(levels))
        The forecast of each level on the last axis.
    levels : array-like of float
        Rising, inside (0, 1).
    axis : int, tuple of int or None
        The axes of `actual` averaged over; None for all.

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
    """Share of the baseline's error that a forecast saves, ``1 - score / baseline``; NaN where the baseline is zero.

    1 is perfect, 0 no better than the baseline, below 0 worse.
    """
    return 1 - divide(score, baseline)


def _alike(where: str, **arrays: ArrayLike) -> list[np.ndarray]:
    """The arrays in float64, refused unless of one shape: (n,) against (n, 1) would silently compare all with all."""
    given = {name: np.asarray(array, dtype="float64") for name, array in arrays.items()}
    if len({array.shape for array in given.values()}) > 1:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in given.items())
        refuse(where, f"{', '.join(given)} must have one shape", shapes)
    return list(given.values())


def _with_levels(where: str, actual: ArrayLike, quantiles: ArrayLike, levels: tuple) -> tuple[np.ndarray, np.ndarray]:
    """Actuals, and the quantiles of each on the last axis, in float64."""
    actual, quantiles = np.asarray(actual, dtype="float64"), np.asarray(quantiles, dtype="float64")
    if quantiles.shape != (*actual.shape, len(levels)):
        refuse(where, f"quantiles must have the shape {(*actual.shape, len(levels))}", quantiles.shape)
    return actual, quantiles


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
    size = mean(difference, seen(difference), axis=-1)
    return size / np.where(size == 0, np.nan, 1.0)
