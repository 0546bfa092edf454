"""Combination weights (Bates-Granger) and common quantile levels."""

import numpy as np

from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import first_few, refuse

#: Fraction by which weights learned from errors are shrunk towards equal ones.
SHRUNK = 0.5


def combination_weights(errors: np.ndarray, shrunk: float = SHRUNK) -> np.ndarray:
    """Return non-negative weights (m,) of sum 1 that minimize the mean square of the weighted errors (m, n).

    The second moments of the errors, NaN where nothing was observed, are mixed with the same variance for all and no
    correlation, under which equal weights are best, because differences on one block of windows are mostly noise.
    `shrunk` is the fraction taken from these; 1 gives equal weights.

    References
    ----------
    Bates and Granger (1969), "The combination of forecasts", Operational Research Quarterly 20. For the shrinkage Stock
    and Watson (2004), "Combination forecasts of output growth in a seven-country data set", Journal of Forecasting 23.
    """
    from scipy.optimize import nnls

    errors = np.asarray(errors, dtype="float64")
    errors = errors[:, ~np.isnan(errors).any(axis=0)]
    moments = errors @ errors.T / max(errors.shape[1], 1)
    size = np.trace(moments) / len(errors)
    if not size > 0:  # nothing was observed, or all errors are 0
        return np.full(len(errors), 1 / len(errors))
    mixed = (1 - shrunk) * moments / size + (shrunk + 1e-9) * np.eye(len(errors))
    # Least squares of the root with a row of ones for the constraint that the sum is 1.
    root = np.vstack([np.linalg.cholesky(mixed).T, np.ones(len(errors))])
    weights = nnls(root, np.r_[np.zeros(len(errors)), 1.0])[0]
    return weights / weights.sum()


def check_weights(where: str, weights, members: int | None) -> None:
    """Refuse weights that are not non-negative numbers, one per member (any number if None)."""
    rule = f"weights must be None, 'backtest' or {'a' if members is None else members} numbers from 0 on"
    try:
        values = np.asarray(weights, dtype="float64")
    except (TypeError, ValueError):
        refuse(where, rule, repr(weights), error=ParameterError)
    if values.ndim != 1 or not np.isfinite(values).all() or (values < 0).any() or not values.sum() > 0:
        refuse(where, rule, repr(weights), error=ParameterError)
    if members is not None and len(values) != members:
        refuse(where, f"weights must be as many as forecasters, {members}", repr(weights), error=ParameterError)


def shared_levels(where: str, levels) -> tuple[float, ...] | None:
    """Return the quantile levels, among those that some members were trained for, that all can give; else None.

    `levels` are those of each member; None gives quantiles at any level.
    """
    given = [tuple(own) for own in levels if own is not None]
    if not given:
        return None
    low, high = max(own[0] for own in given), min(own[-1] for own in given)
    if low > high:
        got = first_few(" to ".join(f"{level:g}" for level in dict.fromkeys([own[0], own[-1]])) for own in given)
        rule = "the ranges of the members' quantile_levels must overlap, as their quantiles are averaged"
        refuse(where, rule, got, error=ParameterError)
    return tuple(sorted({level for own in given for level in own if low <= level <= high}))
