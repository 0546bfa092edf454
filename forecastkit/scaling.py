"""Scaling per series by training statistics, in float64, and the linear effect of known covariates."""

from dataclasses import dataclass

import numpy as np

from forecastkit.features import calendar_table
from forecastkit.panel import Panel, spread
from forecastkit.windows import Buffers

CHUNK = 1 << 20


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation per entity and column; a scale of 0 marks a constant column."""

    center: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, entity: np.ndarray, entities: int) -> "Moments":
        """Moments of the observed values of each entity, in float64 and a chunk of rows at a time."""

        def total(function):
            out = np.zeros((entities, values.shape[1]))
            for low in range(0, len(values), CHUNK):
                part, group = values[low : low + CHUNK].astype("float64"), entity[low : low + CHUNK]
                for column, cells in enumerate(function(part, group).T):
                    out[:, column] += np.bincount(group, weights=cells, minlength=entities)
            return out

        count = np.maximum(total(lambda part, group: ~np.isnan(part) * 1.0), 1.0)
        center = total(lambda part, group: np.nan_to_num(part)) / count
        spread_ = total(lambda part, group: np.nan_to_num(part - center[group]) ** 2)
        scale = np.sqrt(spread_ / count)
        return cls(center, np.where(scale > 1e-9 * np.abs(center), scale, 0.0))

    def apply(self, values: np.ndarray, entity: np.ndarray) -> np.ndarray:
        """Standardised values, float32, a chunk of rows at a time."""
        out = np.empty(values.shape, dtype="float32")
        divisor = np.where(self.scale == 0, 1.0, self.scale)
        for low in range(0, len(values), CHUNK):
            part = slice(low, low + CHUNK)
            out[part] = (values[part] - self.center[entity[part]]) / divisor[entity[part]]
        return out


@dataclass
class Scaler:
    """Turns a panel into buffers and scaled forecasts into the user's units.

    The linear effect of the known covariates, a ridge regression shared by all series of a target, is taken out of
    the targets before and added to the forecasts after: regression with what the network forecasts as its error
    process. It is kept only where it makes the last training rows easier to carry forward.

    Parameters
    ----------
    ids : tuple
        Entities seen in training.
    target : Moments
        Of shape (E, C).
    past, known, static : Moments
        Of shape (1, features): covariates share one scale over all series.
    effect : ndarray of shape (known features, C)
        Linear effect of the standardised known covariates on the standardised targets.
    calendar : tuple of str
        Names of the calendar features.
    """

    ids: tuple
    target: Moments
    past: Moments
    known: Moments
    static: Moments
    effect: np.ndarray
    calendar: tuple[str, ...]

    @classmethod
    def fit(cls, panel: Panel, stop: np.ndarray, horizon: int, calendar: tuple[str, ...]) -> "Scaler":
        """Learn from the rows before ``stop[e]`` of each entity, and from nothing else."""
        seen = panel.between(panel.indptr[:-1], stop)
        entity, _ = spread(seen.lengths)
        shared = np.zeros(seen.rows, dtype="int64")
        scaler = cls(
            ids=panel.ids,
            target=Moments.of(seen.target, entity, len(panel.ids)),
            past=Moments.of(seen.past, shared, 1),
            known=Moments.of(seen.known, shared, 1),
            static=Moments.of(seen.static, np.zeros(len(seen.static), dtype="int64"), 1),
            effect=np.zeros((panel.known.shape[1], panel.channels)),
            calendar=calendar,
        )
        if panel.known.shape[1]:
            scaler.effect = _known_effect(scaler, seen, entity, horizon)
        return scaler

    def moments(self, panel: Panel) -> Moments:
        """Moments of the panel's entities: as learned, and for new entities those of their own history."""
        place = {name: e for e, name in enumerate(self.ids)}
        at = np.array([place.get(name, -1) for name in panel.ids])
        center, scale = self.target.center[at], self.target.scale[at]
        new = np.flatnonzero(at < 0)
        if len(new):
            own = panel.take(new)
            fresh = Moments.of(own.target, spread(own.lengths)[0], len(new))
            center[new], scale[new] = fresh.center, fresh.scale
        return Moments(center, scale)

    def buffers(self, panel: Panel, lookback: int, horizon: int) -> Buffers:
        """Scaled float32 buffers of a panel, with calendar rows for every window that may reach over its ends."""
        entity, _ = spread(panel.lengths)
        shared = np.zeros(panel.rows, dtype="int64")
        known = np.nan_to_num(self.known.apply(panel.known, shared))
        target = self.moments(panel).apply(panel.target, entity)
        if self.effect.any():
            target -= (known @ self.effect).astype("float32")
        place = {name: e for e, name in enumerate(self.ids, start=1)}
        reach = 2 * lookback  # a window may start before an entity's first row, a patch's padding before that
        first = int(panel.start.min()) - reach
        count = int(panel.ends.max()) + horizon + reach + 1 - first
        return Buffers(
            target=target,
            past=self.past.apply(panel.past, shared),
            known=known,
            calendar=calendar_table(panel.grid, first, count, self.calendar),
            static=np.nan_to_num(self.static.apply(panel.static, np.zeros(len(panel.static), dtype="int64"))),
            begin=panel.indptr[:-1],
            end=panel.indptr[1:],
            shift=panel.start - panel.indptr[:-1] - first,
            series=np.array([place.get(name, 0) for name in panel.ids], dtype="int64"),
        )

    def restore(self, forecast: np.ndarray, panel: Panel, origins) -> np.ndarray:
        """Forecasts (n, horizon, ...) of these origins from scaled units to the user's, float64."""
        moments = self.moments(panel)
        center = moments.center[origins.entity, origins.channel]
        scale = moments.scale[origins.entity, origins.channel]
        forecast = forecast.astype("float64")
        if self.effect.any():
            forecast += self._future_effect(panel, origins, forecast.shape[1]).reshape(
                *forecast.shape[:2], *[1] * (forecast.ndim - 2)
            )
        along = (-1, *[1] * (forecast.ndim - 1))
        return forecast * scale.reshape(along) + center.reshape(along)

    def _future_effect(self, panel, origins, horizon):
        rows = origins.row[:, None] + np.arange(1, horizon + 1)
        inside = rows < panel.indptr[origins.entity + 1][:, None]
        # Effects per row first: a row is shared by many origins.
        known = np.nan_to_num(self.known.apply(panel.known, np.zeros(panel.rows, dtype="int64")))
        effect = known @ self.effect
        return np.where(inside, effect[np.minimum(rows, panel.rows - 1), origins.channel[:, None]], 0.0)


def _known_effect(scaler, panel, entity, horizon):
    """Ridge effect of the known covariates per channel, 0 where it does not help to carry the series forward."""
    shared = np.zeros(panel.rows, dtype="int64")
    known = np.nan_to_num(scaler.known.apply(panel.known, shared)).astype("float64")
    target = scaler.target.apply(panel.target, entity).astype("float64")
    effect = np.zeros((known.shape[1], panel.channels))
    # Judged on the last fifth of the training rows by a regression on the first four.
    _, place = spread(panel.lengths)
    early = place < 0.8 * panel.lengths[entity]
    carried = np.flatnonzero((place >= horizon) & ~early)
    for channel in range(panel.channels):
        values = target[:, channel]
        observed = ~np.isnan(values)
        trial = _ridge(known[observed & early], values[observed & early])
        plain = _carried_error(values, carried, horizon)
        explained = _carried_error(values - known @ trial, carried, horizon)
        if explained < plain:
            effect[:, channel] = _ridge(known[observed], values[observed])
    return effect


def _carried_error(values, rows, horizon):
    change = np.abs(values[rows] - values[rows - horizon])
    return np.nanmean(change) if (~np.isnan(change)).any() else 0.0


def _ridge(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Ridge regression whose strength generalised cross-validation chooses (Golub, Heath and Wahba 1979)."""
    n = len(y)
    if n < 3:
        return np.zeros(x.shape[1])
    x, y = x - x.mean(axis=0), y - y.mean()
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
