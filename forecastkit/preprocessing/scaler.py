"""Scaling per series by training statistics, in float64, and the linear effect of future covariates."""

from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np

from forecastkit.data.array_storage import map_rows, parts, without_missing
from forecastkit.data.panel import Panel, pointers, spread
from forecastkit.data.windows import Buffers, last_values
from forecastkit.features.calendar import calendar_table, is_asked
from forecastkit.preprocessing.broken_readings import BrokenReadings
from forecastkit.preprocessing.covariate_effects import calendar_effect, known_effect, products
from forecastkit.preprocessing.moments import CHUNK, Moments, chunks
from forecastkit.preprocessing.target_transforms import backward, forward, forward_clipped

#: The spread of a constant series, as a fraction of its value or where that is 0 in the user's units: a distribution
#: needs one.
TINY = 1e-12
#: Values are scattered from this change between neighbours on, see `scattered`: a correlation below 0.22.
SCATTERED = 1.25


@dataclass
class Scaler:
    """Turns a panel into buffers and scaled forecasts into the user's units.

    The linear effect of the known covariates, a ridge regression shared by all series of a target, is taken out of
    the targets before and added to the forecasts after: regression with what the network forecasts as its error
    process. It is kept only where it makes the last training rows easier to carry forward.

    Parameters
    ----------
    ids : tuple
        Entities whose moments are known.
    target : Moments
        Of shape (E, C).
    past, known, static : Moments
        Of shape (1, features): covariates share one scale over all series.
    effect : ndarray of shape (known features, C)
        Linear effect of the standardised known covariates on the standardised targets.
    calendar : tuple of str
        Names of the calendar features.
    trained : int
        How many of the ids were seen in training; those after were met later, see `extended`.
    divides : bool
        Whether targets are divided by their means and nothing is subtracted; there is no linear effect then.
    calendar_effect : ndarray of shape (calendar features, C), optional
        Linear effect of those features of the calendar that were asked for.
    met : dict of tuple of ndarray
        For each coded column, the last ones of their role, which codes training met; the others are unknown to it.
    transform : str, optional
        Of the targets, value by value, before they are scaled; see `forecastkit.preprocessing.target_transforms`.
    transformed : Moments, optional
        Of the transformed targets; those of `target` are in the user's units.
    constant : ndarray of bool of shape (E, C), optional
        Which targets were constant in training, where their scale does not say so because it `divides` only.
    broken : BrokenReadings
        Faults among the targets, which count in no moments and are masked.
    """

    ids: tuple
    target: Moments
    past: Moments
    known: Moments
    static: Moments
    effect: np.ndarray
    calendar: tuple[str, ...]
    trained: int
    divides: bool = False
    calendar_effect: np.ndarray | None = None
    met: dict = field(default_factory=dict)
    transform: str | None = None
    transformed: Moments | None = None
    constant: np.ndarray | None = None
    broken: BrokenReadings = field(default_factory=BrokenReadings.none)

    @classmethod
    def fit(
        cls,
        panel: Panel,
        stop: np.ndarray,
        horizon: int,
        calendar: tuple[str, ...],
        divides: bool = False,
        weight: np.ndarray | None = None,
        codes: dict | None = None,
        transform: str | None = None,
    ) -> "Scaler":
        """Learn from the rows before ``stop[e]`` of each entity, and from nothing else.

        Linear effects heed the `weight` (R,) of rows where there is one. `codes` are those of `Schema.codes`.
        """
        seen, met = panel.between(panel.indptr[:-1], stop), {}
        moments = Moments.of(seen.target, seen.indptr)
        broken = BrokenReadings.find(seen, moments)
        if len(broken):
            seen = _without(seen, broken, np.arange(len(panel.ids)))
            moments = Moments.of(seen.target, seen.indptr)
        for role, counts in (codes or {}).items():
            met[role] = tuple(map(_met, getattr(seen, role)[:, -len(counts) :].T, counts))
            seen = replace(seen, **{role: getattr(seen, role)[:, : -len(counts)]})
        scaler = cls(
            ids=panel.ids,
            target=_mean_sizes(seen) if divides else moments,
            past=Moments.of(seen.past, _together(seen.past)),
            known=Moments.of(seen.known, _together(seen.known)),
            static=Moments.of(seen.static, _together(seen.static)),
            effect=np.zeros((seen.known.shape[1], panel.channels)),
            met=met,
            calendar=calendar,
            trained=len(panel.ids),
            divides=divides,
            transform=transform,
            transformed=_transformed_moments(seen, divides, transform),
            constant=moments.scale == 0 if divides else None,
            broken=broken,
        )
        if divides:
            return scaler
        if weight is not None:
            entity, place = spread(panel.lengths)
            weight = weight[panel.indptr[entity] + place < stop[entity]]
        if seen.known.shape[1]:
            scaler.effect = known_effect(scaler, seen, horizon, weight)
        if any(map(is_asked, calendar)):
            scaler.calendar_effect = calendar_effect(scaler, seen, horizon, weight)
        return scaler

    def extended(self, panel: Panel, stop: np.ndarray) -> "Scaler":
        """This scaler and the moments of entities not seen in training, from their rows before ``stop[e]``."""
        known = set(self.ids)
        new = np.array([e for e, name in enumerate(panel.ids) if name not in known], dtype="int64")
        if not len(new):
            return self
        seen = panel.between(panel.indptr[:-1], stop).take(new)
        broken = BrokenReadings.find(seen, Moments.of(seen.target, seen.indptr))
        seen = _without(seen, broken, np.arange(len(new))) if len(broken) else seen
        moments = Moments.of(seen.target, seen.indptr)
        target = self.target.and_those(_mean_sizes(seen) if self.divides else moments)
        constant, transformed = self.constant, self.transformed
        if constant is not None:
            constant = np.concatenate([constant, moments.scale == 0])
        if transformed is not None:
            transformed = transformed.and_those(_transformed_moments(seen, self.divides, self.transform))
        more = {"target": target, "transformed": transformed, "constant": constant}
        return replace(self, ids=(*self.ids, *seen.ids), **more)

    def places(self, panel: Panel, trained: bool = False) -> np.ndarray:
        """Number of each of the panel's entities among ours, -1 where it has none (or was not `trained` on)."""
        if panel.ids is self.ids:
            at = np.arange(len(self.ids))
        else:
            index = self._index
            at = np.array([index.get(name, -1) for name in panel.ids], dtype="int64")
        return np.where(at < self.trained, at, -1) if trained else at

    @cached_property
    def _index(self) -> dict:
        """Number of each identifier: made once, as every forecast asks for it several times."""
        return {name: e for e, name in enumerate(self.ids)}

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name != "_index"}

    def moments(self, panel: Panel) -> Moments:
        """Moments of the panel's entities in the user's units; those not met yet are added by `extended` first."""
        return self._of(panel, self.target)

    def transformed_values(self, values: np.ndarray, clip: bool = False) -> np.ndarray:
        """Values of the target transformed, NaN where they have no transform; `clip` moves these into its range."""
        return (forward_clipped if clip else forward)(self.transform, values)

    def untransformed_values(self, values: np.ndarray) -> np.ndarray:
        """Undo `transformed_values`."""
        return backward(self.transform, values)

    def inner_scale(self) -> np.ndarray:
        """Scales of what is scaled, of the series seen in training, (trained, C)."""
        return (self.target if self.transformed is None else self.transformed).scale[: self.trained]

    def inner_moments(self, panel: Panel) -> Moments:
        """Moments of what is scaled: the targets, or their transforms."""
        return self._of(panel, self.target if self.transformed is None else self.transformed)

    def _of(self, panel, moments):
        at = self.places(panel)
        if (at < 0).any():
            raise KeyError(f"no moments of {panel.ids[int(np.argmin(at))]!r}: extend the scaler first")
        return Moments(moments.center[at], moments.scale[at])

    def standardised(self, panel: Panel) -> np.ndarray:
        """The targets transformed and in units of their series' scale, (rows, C) float32; no effect is taken out."""
        target = panel.target if self.transform is None else map_rows(partial(forward, self.transform), panel.target)
        out = self.inner_moments(panel).apply(target, panel.indptr)
        if len(self.broken):
            out[self.broken.rows(panel, self.places(panel))] = np.nan
        return out

    def without_faults(self, panel: Panel) -> Panel:
        """The panel with the faults that are known blanked."""
        return _without(panel, self.broken, self.places(panel)) if len(self.broken) else panel

    def masking(self, panel: Panel, stop: np.ndarray) -> "Scaler":
        """This scaler, which also masks the faults among the rows before ``stop[e]`` that it was not fitted on."""
        seen = panel.between(panel.indptr[:-1], stop)
        broken = BrokenReadings.find(seen, Moments.of(seen.target, seen.indptr))
        if not len(broken):
            return self
        broken = replace(broken, entity=self.places(panel)[broken.entity])
        kept = broken.entity >= 0
        return replace(self, broken=self.broken.and_those(broken.at(kept)))

    def buffers(self, panel: Panel, lookback: int, horizon: int) -> Buffers:
        """Scaled float32 buffers of a panel, with calendar rows for every window that may reach over its ends."""
        panel, codes = self._apart(panel)
        known = without_missing(self.known.apply(panel.known, _together(panel.known)))
        target = self.standardised(panel)
        if self.effect.any():
            self.take_effects(target, known)
        reach = 2 * lookback  # a window may start before an entity's first row, a patch's padding before that
        first = int(panel.start.min()) - reach
        count = int(panel.ends.max()) + horizon + reach + 1 - first
        empty = np.zeros((count, 0), dtype="float32")
        calendar = calendar_table(panel.grid, first, count, self.calendar) if self.calendar else empty
        if self.calendar_effect is not None:
            self._take_out(target, panel, products(calendar, self.calendar_effect), first)
        return Buffers(
            target=target,
            past=self.past.apply(panel.past, _together(panel.past)),
            known=known,
            calendar=calendar,
            static=np.nan_to_num(self.static.apply(panel.static, _together(panel.static))),
            begin=panel.indptr[:-1],
            end=panel.indptr[1:],
            shift=panel.start - panel.indptr[:-1] - first,
            series=self.places(panel, trained=True) + 1,
            unit=np.minimum(self.inner_moments(panel).scale, np.finfo("float32").max).astype("float32"),
            **codes,
        )

    def _apart(self, panel: Panel) -> tuple[Panel, dict]:
        """The panel's numbers alone, and its codes (rows, columns) by the name of their buffer, int32."""
        codes = {}
        for role, met in self.met.items():
            values = getattr(panel, role)
            given = np.nan_to_num(values[:, -len(met) :]).astype("int32")
            columns = [np.where(known[column], column, 0) for known, column in zip(met, given.T, strict=True)]
            codes[f"{role}_codes"] = np.stack(columns, axis=1).astype("int32")
            panel = replace(panel, **{role: values[:, : -len(met)]})
        return panel, codes

    def restore(self, forecast: np.ndarray, panel: Panel, origins, spread: bool = False) -> np.ndarray:
        """Forecasts (n, horizon, ...) of these origins from scaled units to the user's, float64; or their `spread`."""
        moments = self.inner_moments(panel)
        center = moments.center[origins.entity, origins.channel]
        scale = moments.scale[origins.entity, origins.channel]
        if spread:
            least = TINY * np.where(center == 0, 1.0, np.abs(center))
            return forecast * np.where(scale > 0, scale, least).reshape(-1, *[1] * (forecast.ndim - 1))
        still = scale == 0
        if self.constant is not None:
            still = still | self.constant[self.places(panel)[origins.entity], origins.channel]
        if still.any():
            # A series that was constant in training has no scale: it goes on as it was last.
            last = forward(self.transform, last_values(panel, origins))
            center = np.where(still & ~np.isnan(last), last, center)
            scale = np.where(still, 0.0, scale)
        forecast = forecast.astype("float64")
        along = (-1, *[1] * (forecast.ndim - 1))
        if self.effect.any():
            effect = self._future_effect(panel, origins, forecast.shape[1])
            forecast += effect.reshape(*effect.shape, *along[2:])
        if self.calendar_effect is not None:
            effect = self._future_season(panel, origins, forecast.shape[1])
            forecast += effect.reshape(*effect.shape, *along[2:])
        forecast *= scale.reshape(along)
        forecast += center.reshape(along)
        return forecast if self.transform is None else backward(self.transform, forecast)

    def _future_effect(self, panel, origins, horizon):
        rows = origins.row[:, None] + np.arange(1, horizon + 1)
        inside = rows < panel.indptr[origins.entity + 1][:, None]
        panel = self._apart(panel)[0]
        # Effects per row first: a row is shared by many origins.
        known = without_missing(self.known.apply(panel.known, _together(panel.known)))
        effect = map_rows(partial(products, effect=self.effect), known)
        return np.where(inside, effect[np.minimum(rows, panel.rows - 1), origins.channel[:, None]], 0.0)

    def take_effects(self, target, known):
        """Take the effects of scaled known covariates out of scaled targets."""
        for rows in parts(len(target)):
            target[rows] -= products(known[rows], self.effect)

    @staticmethod
    def _take_out(target, panel, effect, first):
        """Take effects of ordinals from `first` on, (G, C), out of scaled targets, a chunk of rows at a time."""
        for rows, group in chunks(panel.indptr):
            ordinals = panel.ordinal_at(group, np.arange(rows.start, rows.stop))
            target[rows] -= effect[ordinals - first]

    def _future_season(self, panel, origins, horizon):
        """What the calendar adds to each step after these origins, (n, horizon)."""
        cutoff = panel.ordinal_at(origins.entity, origins.row)
        first = int(cutoff.min()) if len(cutoff) else 0
        table = calendar_table(panel.grid, first, int(cutoff.max(initial=first)) + horizon + 1 - first, self.calendar)
        ordinals = cutoff[:, None] + np.arange(1, horizon + 1)
        return products(table, self.calendar_effect)[ordinals - first, origins.channel[:, None]]


def _mean_sizes(panel):
    """Moments of targets that are to be divided only: the mean size of the values is their scale."""
    size = Moments.of(map_rows(np.abs, panel.target), panel.indptr).center
    return Moments(np.zeros_like(size), size)


def _without(panel, broken, places):
    """The panel with faults blanked; the panel given stays as it is."""
    target = map_rows(np.copy, panel.target)
    target[broken.rows(panel, places)] = np.nan
    return replace(panel, target=target)


def _transformed_moments(panel, divides, transform):
    """Moments of the transformed targets, None where nothing is transformed."""
    if transform is None:
        return None
    panel = replace(panel, target=map_rows(partial(forward, transform), panel.target))
    return _mean_sizes(panel) if divides else Moments.of(panel.target, panel.indptr)


def scattered(buffers: Buffers, stop: np.ndarray, season: int) -> bool:
    """Whether values before row ``stop[e]`` lie about their mean without regard to those a step or a season before.

    Then the last value says nothing about the level.
    """
    return all(_change(buffers, stop, lag) > SCATTERED for lag in {1, season})


def _change(buffers, stop, lag):
    """Mean change over `lag` steps in units of the mean distance from the mean: 1.41 for white noise, 0 if constant."""
    before = pointers(np.maximum(stop - buffers.begin - lag, 0))
    # Evenly spaced rows, at most as many as a chunk has.
    number = np.unique(np.linspace(0, before[-1] - 1, min(before[-1], CHUNK)).astype("int64"))
    entity = np.searchsorted(before, number, side="right") - 1
    rows = buffers.begin[entity] + number - before[entity]
    change = np.abs(buffers.target[rows + lag] - buffers.target[rows])
    compared = ~np.isnan(change)
    apart = np.abs(buffers.target[rows])[compared].sum()
    return change[compared].sum() / apart if apart > 0 else 0.0


def _met(codes, count):
    """Which of so many codes occur; never the unknown one, which is 0."""
    met = np.bincount(np.nan_to_num(codes).astype("int64"), minlength=count) > 0
    met[0] = False
    return met


def _together(values):
    """Row pointers of all rows as one group."""
    return np.array([0, len(values)])
