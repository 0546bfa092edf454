"""Linear effects of future covariates on scaled targets, estimated by ridge regressions over all series."""

from dataclasses import dataclass

import numpy as np

from forecastkit.features.calendar import calendar_table, is_requested
from forecastkit.utils.arrays import without_missing

#: An effect is kept if it reduces the error of naive forecasts to less than this fraction.
MAX_REMAINING_ERROR = 0.99
#: Approximate largest number of rows from which effects are estimated.
MAX_ROWS = 1_000_000


def products(features: np.ndarray, effect: np.ndarray) -> np.ndarray:
    """Return the contribution (rows, C), float32, of features (rows, features) with coefficients (features, C)."""
    # Rounding in BLAS depends on the number of rows, and forecasts must not depend on later rows; einsum's does not.
    return np.einsum("rk,kc->rc", features, effect.astype("float32"))


@dataclass(frozen=True)
class _Sample:
    """Evenly spaced rows from which effects are estimated.

    An effect is validated on the last fifth of each series' training rows after a regression on the first four fifths.
    """

    rows: np.ndarray
    early: np.ndarray  #: Which of `rows` lie in the first four fifths of their series
    late: np.ndarray  #: Rows of the last fifth that have a row one horizon earlier
    before: np.ndarray  #: The rows one horizon before `late`

    @classmethod
    def of(cls, panel, horizon):
        rows = np.arange(0, panel.rows, max(-(-panel.rows // MAX_ROWS), 1))
        entity = np.searchsorted(panel.indptr, rows, side="right") - 1
        place = rows - panel.indptr[entity]
        early = place < 0.8 * panel.lengths[entity]
        late = rows[(place >= horizon) & ~early]
        return cls(rows, early, late, late - horizon)

    def at_samples(self, values):
        """Return the values at `rows`, `late` and `before`."""
        return values[self.rows], values[self.late], values[self.before]


def known_effect(scaler, panel, horizon: int, weight=None) -> np.ndarray:
    """Return ridge coefficients (known features, C) of the future covariates.

    They are 0 for channels whose naive forecasts over the horizon they do not improve.
    """
    sample, target = _Sample.of(panel, horizon), scaler.standardised(panel)
    known, late, before = (
        without_missing(scaler.known.apply(given, np.array([0, len(given)]))).astype("float64")
        for given in sample.at_samples(panel.known)
    )
    weight, effect = None if weight is None else weight[sample.rows], np.zeros((known.shape[1], panel.channels))
    for channel in range(panel.channels):
        values, last, first = (part.astype("float64") for part in sample.at_samples(target[:, channel]))
        observed = ~np.isnan(values)
        trial = _ridge(known, values, observed & sample.early, weight)
        if _change(last - late @ trial, first - before @ trial) < MAX_REMAINING_ERROR * _change(last, first):
            effect[:, channel] = _ridge(known, values, observed, weight)
    return effect


def calendar_effect(scaler, panel, horizon: int, weight=None) -> np.ndarray:
    """Return ridge coefficients (calendar features, C) of the requested calendar features.

    They are estimated after the effect of the future covariates is removed. They are 0 for channels whose naive
    forecasts they do not improve, because all series share them and may have different seasons.
    """
    first = int(panel.start.min())
    requested = [number for number, name in enumerate(scaler.calendar) if is_requested(name)]
    table = calendar_table(panel.grid, first, int(panel.ends.max()) + 1 - first, scaler.calendar)[:, requested]
    sample, target = _Sample.of(panel, horizon), scaler.standardised(panel)
    if scaler.effect.any():
        scaler.subtract_effects(target, without_missing(scaler.known.apply(panel.known, np.array([0, panel.rows]))))
    at, at_late, at_before = (
        panel.ordinal_at(np.searchsorted(panel.indptr, rows, side="right") - 1, rows) - first
        for rows in (sample.rows, sample.late, sample.before)
    )
    features, weight = table[at].astype("float64"), None if weight is None else weight[sample.rows]
    effect = np.zeros((len(scaler.calendar), panel.channels))
    for channel in range(panel.channels):
        values, last, before = (part.astype("float64") for part in sample.at_samples(target[:, channel]))
        observed = ~np.isnan(values)
        trial = table @ _ridge(features, values, observed & sample.early, weight)
        if _change(last - trial[at_late], before - trial[at_before]) < _change(last, before):
            effect[requested, channel] = _ridge(features, values, observed, weight)
    return effect


def _change(late, before):
    """Return the mean absolute change over a horizon, 0 if no pair is observed."""
    change = np.abs(late - before)
    return np.nanmean(change) if (~np.isnan(change)).any() else 0.0


def _ridge(x: np.ndarray, y: np.ndarray, rows: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """Return ridge coefficients with the penalty selected by generalized cross-validation.

    References
    ----------
    Golub, Heath and Wahba (1979), "Generalized cross-validation as a method for choosing a good ridge parameter",
    Technometrics 21.
    """
    if weight is not None:
        rows = rows & (weight > 0)
    x, y, n = x[rows], y[rows], int(rows.sum())
    if n < 3:
        return np.zeros(x.shape[1])
    weight = None if weight is None else weight[rows].astype("float64")
    x, y = x - np.average(x, axis=0, weights=weight), y - np.average(y, weights=weight)
    if weight is not None:
        root = np.sqrt(weight / weight.mean())
        x, y = x * root[:, None], y * root
    # In the eigenbasis of X'X every penalty costs only elementwise operations: coefficients b / (eigenvalue + penalty).
    eigenvalues, vectors = np.linalg.eigh(x.T @ x)
    eigenvalues = np.maximum(eigenvalues, 0.0)
    b = vectors.T @ (x.T @ y)
    best = (np.inf, np.zeros(x.shape[1]))
    for strength in n * np.logspace(-6, 2, 17):
        coefficients = b / (eigenvalues + strength)
        # |y - Xw|^2 = y'y - 2 b'c + c'Lc with c = V'w; the degrees of freedom of the fit are sum of L / (L + penalty).
        residual = max(float(y @ y - 2 * b @ coefficients + eigenvalues @ coefficients**2), 0.0)
        freedom = n - 1 - float((eigenvalues / (eigenvalues + strength)).sum())
        if freedom > 0 and (score := residual / freedom**2) < best[0]:
            best = (score, vectors @ coefficients)
    return best[1]
