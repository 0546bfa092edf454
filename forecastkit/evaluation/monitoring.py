"""Monitoring: a fitted forecaster's errors on newer rows beside those on its validation rows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from forecastkit.evaluation.backtesting import backtest
from forecastkit.utils.validation import refuse

if TYPE_CHECKING:
    from forecastkit.forecasters.base import Forecaster
    from forecastkit.utils.types import Data

WHERE = "monitor"
#: Coverage of the interval that is monitored, and its quantile levels.
COVERAGE, LEVELS = 0.8, (0.1, 0.9)
#: Cutoffs from which on a measure is tested.
MIN_CUTOFFS = 5
#: Significance level of both tests, and the least differences that are worth an alert.
ALPHA, MIN_GROWTH, MIN_GAP = 0.01, 1.1, 0.05


@dataclass(frozen=True)
class Drift:
    """One measure of the newer rows beside its expected value.

    Parameters
    ----------
    measure : {'mae', 'coverage'}
    value, expected : float
    p_value : float or None
        None where there are too few cutoffs for a test.
    drifted : bool
    """

    measure: str
    value: float
    expected: float
    p_value: float | None
    drifted: bool


@dataclass(frozen=True)
class Monitoring:
    """Result of `monitor`.

    Parameters
    ----------
    cutoffs : int
        Forecasts that were compared with the actuals, of windows that do not overlap.
    first, last : object
        The first and the last cutoff.
    measures : tuple of Drift
    """

    cutoffs: int
    first: object
    last: object
    measures: tuple[Drift, ...]

    @property
    def drifted(self) -> bool:
        """Whether any measure has drifted."""
        return any(each.drifted for each in self.measures)

    def to_dict(self) -> dict:
        """Return the result as plain values."""
        return {
            "cutoffs": self.cutoffs,
            "first": str(self.first),
            "last": str(self.last),
            "drifted": self.drifted,
            "measures": [asdict(each) for each in self.measures],
        }


def monitor(forecaster: Forecaster, X: Data, y: Data | None = None) -> Monitoring:
    """Compare forecasts of rows after the fit with their actuals, and test whether the errors have drifted.

    The forecaster is used as it is, from cutoffs a horizon apart. The mean error of a cutoff counts as one observation,
    because series and steps err together. Two t-tests at a level of 1 % follow, from five cutoffs on: whether the mean
    absolute error is above that of the validation rows (one-sided), and whether the coverage of the 80 % interval
    differs from 80 % (two-sided). Differences below 10 % of the error and 5 points of the coverage are not drift. The
    error of the validation rows counts as known, and windows that follow each other as independent.

    Parameters
    ----------
    forecaster : Forecaster
        Fitted, with validation rows.
    X, y : as in `fit`
        Rows after those of the fit; earlier ones may be among them.

    Returns
    -------
    Monitoring

    Raises
    ------
    InputError
        Where the forecaster has no validation scores, or no complete window follows its fit.
    """
    expected = forecaster.scores_.get("mae")
    if expected is None:
        got = "a forecaster without validation rows"
        refuse(WHERE, "the forecaster must have validation scores", got, "Fit with a validation_size=.")
    found = backtest(forecaster, X, y, stride=forecaster.horizon_, quantile_levels=LEVELS).forecasts
    error = (found["forecast"] - found["actual"]).abs()
    inside = ((found["actual"] >= found["q0.1"]) & (found["actual"] <= found["q0.9"])).where(found["actual"].notna())
    by_cutoff = found.assign(error=error, inside=inside.astype(float)).groupby("cutoff")[["error", "inside"]].mean()
    errors, coverage = (by_cutoff[name].dropna().to_numpy() for name in ("error", "inside"))
    measures = (_error_drift(errors, expected), _coverage_drift(coverage))
    return Monitoring(len(by_cutoff), by_cutoff.index.min(), by_cutoff.index.max(), measures)


def _error_drift(errors: np.ndarray, expected: float) -> Drift:
    p_value = _t_test(errors, expected, "greater")
    value = float(errors.mean())
    return Drift("mae", value, expected, p_value, _is_alarming(p_value) and value > MIN_GROWTH * expected)


def _coverage_drift(coverage: np.ndarray) -> Drift:
    p_value = _t_test(coverage, COVERAGE, "two-sided")
    value = float(coverage.mean())
    return Drift("coverage", value, COVERAGE, p_value, _is_alarming(p_value) and abs(value - COVERAGE) > MIN_GAP)


def _is_alarming(p_value: float | None) -> bool:
    return p_value is not None and p_value < ALPHA


def _t_test(values: np.ndarray, expected: float, alternative: str) -> float | None:
    """Return the p-value of a one-sample t-test; for constant values it is 0 or 1."""
    if len(values) < MIN_CUTOFFS:
        return None
    if np.ptp(values) < 1e-12 * max(abs(expected), 1.0):
        differs = values[0] > expected if alternative == "greater" else values[0] != expected
        return float(not differs)
    from scipy import stats

    return float(stats.ttest_1samp(values, expected, alternative=alternative).pvalue)
