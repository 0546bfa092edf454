"""Linear effects of future covariates on the scaled targets, shared by all series: ridge regressions."""

from dataclasses import dataclass

import numpy as np

from forecastkit.data.array_storage import without_missing
from forecastkit.features.calendar import calendar_table, is_asked

#: An effect of known covariates is taken out where it makes carrying forward err by less than this part of it.
WORTHWHILE = 0.99
#: Rows at most, about, that effects are learned from.
MOST_ROWS = 1_000_000


def products(features: np.ndarray, effect: np.ndarray) -> np.ndarray:
    """What rows of features (rows, features) add to each channel by this effect (features, C): (rows, C) float32."""
    # Not by BLAS, whose sums depend on how many rows there are: forecasts may not depend on rows after them.
    return np.einsum("rk,kc->rc", features, effect.astype("float32"))


@dataclass(frozen=True)
class _Sample:
    """Evenly spread rows that effects are learned from, all of them where they are few.

    Effects are judged on the last fifth of each series' training rows by a regression on the first four: `early` marks
    those, and `late` are rows of the last fifth with one a horizon `before`.
    """

    rows: np.ndarray
    early: np.ndarray
    late: np.ndarray
    before: np.ndarray

    @classmethod
    def of(cls, panel, horizon):
        rows = np.arange(0, panel.rows, max(-(-panel.rows // MOST_ROWS), 1))
        entity = np.searchsorted(panel.indptr, rows, side="right") - 1
        place = rows - panel.indptr[entity]
        early = place < 0.8 * panel.lengths[entity]
        late = rows[(place >= horizon) & ~early]
        return cls(rows, early, late, late - horizon)

    def of_each(self, values):
        """What these values, of all rows, are at the three."""
        return values[self.rows], values[self.late], values[self.before]


def known_effect(scaler, panel, horizon: int, weight=None) -> np.ndarray:
    """Ridge effect (known features, C) of the known covariates, 0 where it does not help to carry a series forward."""
    sample, target = _Sample.of(panel, horizon), scaler.standardised(panel)
    known, late, before = (
        without_missing(scaler.known.apply(given, np.array([0, len(given)]))).astype("float64")
        for given in sample.of_each(panel.known)
    )
    weight, effect = None if weight is None else weight[sample.rows], np.zeros((known.shape[1], panel.channels))
    for channel in range(panel.channels):
        values, last, first = (part.astype("float64") for part in sample.of_each(target[:, channel]))
        observed = ~np.isnan(values)
        trial = _ridge(known, values, observed & sample.early, weight)
        if _change(last - late @ trial, first - before @ trial) < WORTHWHILE * _change(last, first):
            effect[:, channel] = _ridge(known, values, observed, weight)
    return effect


def calendar_effect(scaler, panel, horizon: int, weight=None) -> np.ndarray:
    """Ridge effect (calendar features, C) of those that were asked for, on what known covariates leave.

    Like theirs it is 0 where it does not help to carry the series forward: all series share it, and may not have it.
    """
    first = int(panel.start.min())
    asked = [number for number, name in enumerate(scaler.calendar) if is_asked(name)]
    table = calendar_table(panel.grid, first, int(panel.ends.max()) + 1 - first, scaler.calendar)[:, asked]
    sample, target = _Sample.of(panel, horizon), scaler.standardised(panel)
    if scaler.effect.any():
        scaler.take_effects(target, without_missing(scaler.known.apply(panel.known, np.array([0, panel.rows]))))
    at, at_late, at_before = (
        panel.ordinal_at(np.searchsorted(panel.indptr, rows, side="right") - 1, rows) - first
        for rows in (sample.rows, sample.late, sample.before)
    )
    features, weight = table[at].astype("float64"), None if weight is None else weight[sample.rows]
    effect = np.zeros((len(scaler.calendar), panel.channels))
    for channel in range(panel.channels):
        values, last, before = (part.astype("float64") for part in sample.of_each(target[:, channel]))
        observed = ~np.isnan(values)
        trial = table @ _ridge(features, values, observed & sample.early, weight)
        if _change(last - trial[at_late], before - trial[at_before]) < _change(last, before):
            effect[asked, channel] = _ridge(features, values, observed, weight)
    return effect


def _change(late, before):
    """Mean change over a horizon, 0 where none is known."""
    change = np.abs(late - before)
    return np.nanmean(change) if (~np.isnan(change)).any() else 0.0


def _ridge(x: np.ndarray, y: np.ndarray, rows: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """Ridge regression whose strength generalised cross-validation chooses (Golub, Heath and Wahba 1979)."""
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
    roots, vectors = np.linalg.eigh(x.T @ x)
    roots = np.maximum(roots, 0.0)
    b = vectors.T @ (x.T @ y)
    best = (np.inf, np.zeros(x.shape[1]))
    for strength in n * np.logspace(-6, 2, 17):
        coefficients = b / (roots + strength)
        residual = max(float(y @ y - 2 * b @ coefficients + roots @ coefficients**2), 0.0)
        freedom = n - 1 - float((roots / (roots + strength)).sum())
        if freedom > 0 and (score := residual / freedom**2) < best[0]:
            best = (score, vectors @ coefficients)
    return best[1]
