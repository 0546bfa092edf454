"""Scaling of series by training statistics, and removal of linear covariate effects."""

from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np

from forecastkit.data.panel import Panel, pointers, spread
from forecastkit.data.windows import Buffers, last_values
from forecastkit.features.calendar import calendar_table, is_requested
from forecastkit.preprocessing.covariate_effects import calendar_effect, known_effect, products
from forecastkit.preprocessing.moments import (
    CHUNK,
    BrokenReadings,
    Moments,
    chunks,
    clean,
    constant_unit,
    error_units,
)
from forecastkit.preprocessing.transforms import TRANSFORMS, backward, forward, forward_clipped
from forecastkit.utils.arrays import map_rows, parts, without_missing

#: Mean relative change, see `lacks_autocorrelation`, above which the autocorrelation is below 0.22.
MIN_CHANGE = 1.25
#: Largest forecast of a transformed target, in units of the largest value of its training rows or of its last value.
FURTHEST = 100.0


@dataclass
class Scaler:
    """Scales panels into buffers and restores forecasts to the user's units.

    The linear effect of future covariates, a ridge regression shared by all series of a target, is subtracted from the
    targets and added to the forecasts: the network forecasts the error process of the regression. The effect is used
    only if it improves naive forecasts of the last training rows.
    """

    ids: tuple  #: Entities with known moments
    target: Moments  #: Moments of the targets, shape (E, C), in the user's units
    past: Moments  #: Moments of covariates, shape (1, features): all series share them
    known: Moments
    static: Moments
    #: (known features, C): coefficients of the standardized future covariates for the standardized targets
    effect: np.ndarray
    calendar: tuple[str, ...]  #: Names of the calendar features
    trained: int  #: Number of leading ids that were seen in training; later ids were added by `extended`
    #: Whether targets are divided by their mean absolute value without centering; there is no linear effect then
    divides: bool = False
    #: (calendar features, C): coefficients of the requested calendar features
    calendar_effect: np.ndarray | None = None
    #: For each role, which codes of each category column occur in training; other codes count as unknown
    met: dict = field(default_factory=dict)
    transform: str | None = None  #: Transform of the targets before scaling; see `forecastkit.preprocessing.transforms`
    transformed: Moments | None = None  #: Moments of the transformed targets
    #: (E, C): which targets are constant in training; given if `divides`, as the scale then does not show it
    constant: np.ndarray | None = None
    #: Faults among the targets. They are excluded from the moments and masked.
    broken: BrokenReadings = field(default_factory=BrokenReadings.none)
    #: (E, C): largest distance of a training value from the center of `target`; None in files of earlier versions
    largest: np.ndarray | None = None

    def __post_init__(self):
        if self.transform is not None and self.transform not in TRANSFORMS:
            raise ValueError(f"there is no transform {self.transform!r}")

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
        """Fit to the rows before ``stop[e]`` of each entity e.

        Parameters
        ----------
        panel : Panel
        stop : ndarray of int, shape (E,)
            End of each entity's training rows.
        horizon : int
        calendar : tuple of str
            Names of the calendar features.
        divides : bool
            Whether targets are divided by their mean absolute value without centering.
        weight : ndarray of shape (R,), optional
            Sample weights of the rows, used for linear effects.
        codes : dict, optional
            Numbers of categories by role, from `Schema.codes`.
        transform : str, optional
            Name of the target transform.
        """
        seen, met = panel.between(panel.indptr[:-1], stop), {}
        seen, moments, broken = clean(seen)
        for role, counts in (codes or {}).items():
            met[role] = tuple(map(_observed_codes, getattr(seen, role)[:, -len(counts) :].T, counts))
            seen = replace(seen, **{role: getattr(seen, role)[:, : -len(counts)]})
        target = _divisors(seen) if divides else moments
        scaler = cls(
            ids=panel.ids,
            target=target,
            past=Moments.of(seen.past, _one_group(seen.past)),
            known=Moments.of(seen.known, _one_group(seen.known)),
            static=Moments.of(seen.static, _one_group(seen.static)),
            effect=np.zeros((seen.known.shape[1], panel.channels)),
            met=met,
            calendar=calendar,
            trained=len(panel.ids),
            divides=divides,
            transform=transform,
            transformed=_transformed_moments(seen, divides, transform),
            constant=moments.scale == 0 if divides else None,
            broken=broken,
            largest=_largest(seen, target),
        )
        if divides:
            return scaler
        if weight is not None:
            entity, place = spread(panel.lengths)
            weight = weight[panel.indptr[entity] + place < stop[entity]]
        if seen.known.shape[1]:
            scaler.effect = known_effect(scaler, seen, horizon, weight)
        if any(map(is_requested, calendar)):
            scaler.calendar_effect = calendar_effect(scaler, seen, horizon, weight)
        return scaler

    def extended(self, panel: Panel, stop: np.ndarray) -> "Scaler":
        """Return the scaler with moments of entities not seen in training, from their rows before ``stop[e]``."""
        known = set(self.ids)
        new = np.array([e for e, name in enumerate(panel.ids) if name not in known], dtype="int64")
        if not len(new):
            return self
        seen, moments, _ = clean(panel.between(panel.indptr[:-1], stop).take(new))
        own = _divisors(seen) if self.divides else moments
        target = self.target.concatenate(own)
        constant, transformed, largest = self.constant, self.transformed, self.largest
        if largest is not None:
            largest = np.concatenate([largest, _largest(seen, own)])
        if constant is not None:
            constant = np.concatenate([constant, moments.scale == 0])
        if transformed is not None:
            transformed = transformed.concatenate(_transformed_moments(seen, self.divides, self.transform))
        changes = {"target": target, "transformed": transformed, "constant": constant, "largest": largest}
        return replace(self, ids=(*self.ids, *seen.ids), **changes)

    def places(self, panel: Panel, trained: bool = False) -> np.ndarray:
        """Return the index in `ids` of the panel's entities, -1 for unknown (or with `trained`, untrained) ones."""
        if panel.ids is self.ids:
            at = np.arange(len(self.ids))
        else:
            index = self._index
            at = np.array([index.get(name, -1) for name in panel.ids], dtype="int64")
        return np.where(at < self.trained, at, -1) if trained else at

    @cached_property
    def _index(self) -> dict:
        """Index of each identifier, cached because every forecast needs it several times."""
        return {name: e for e, name in enumerate(self.ids)}

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name != "_index"}

    def moments(self, panel: Panel) -> Moments:
        """Return the moments of the panel's entities in the user's units; add new entities with `extended` first."""
        return self._select(panel, self.target)

    def transformed_values(self, values: np.ndarray, clip: bool = False) -> np.ndarray:
        """Transform target values; values outside the domain become NaN or, with `clip`, its smallest value."""
        if self.transform is None:
            return values
        return (forward_clipped if clip else forward)(self.transform, values)

    def untransformed_values(self, values: np.ndarray) -> np.ndarray:
        """Invert `transformed_values`."""
        return backward(self.transform, values)

    def trained_scale(self) -> np.ndarray:
        """Return the scales of the transformed targets of the trained series, shape (trained, C)."""
        return (self.target if self.transformed is None else self.transformed).scale[: self.trained]

    def scaling_moments(self, panel: Panel) -> Moments:
        """Return the moments of the (transformed) targets of the panel's entities."""
        return self._select(panel, self.target if self.transformed is None else self.transformed)

    def positive_scale(self, panel: Panel, origins) -> np.ndarray:
        """Return the scale of each origin's (transformed) series, shape (n,); a tiny one for constant series."""
        moments = self.scaling_moments(panel)
        center, scale = (part[origins.entity, origins.channel] for part in (moments.center, moments.scale))
        return np.where(scale > 0, scale, constant_unit(center))

    def error_units(self, panel: Panel) -> np.ndarray:
        """Return `forecastkit.preprocessing.moments.error_units` of the targets, shape (E, C)."""
        return error_units(self.moments(panel), self.without_faults(panel), self.constant_in(panel))

    def transformed_error_units(self, panel: Panel) -> np.ndarray:
        """Return `forecastkit.preprocessing.moments.error_units` of the transformed targets, shape (E, C)."""
        panel = self.without_faults(panel)
        if self.transform is not None:
            panel = replace(panel, target=map_rows(partial(forward, self.transform), panel.target))
        return error_units(self.scaling_moments(panel), panel, self.constant_in(panel))

    def constant_in(self, panel: Panel) -> np.ndarray | None:
        """Return which targets were constant in training, (E, C); None if their scale of 0 shows it."""
        return None if self.constant is None else self.constant[self.places(panel)]

    def _select(self, panel, moments):
        at = self.places(panel)
        if (at < 0).any():
            raise KeyError(f"no moments of {panel.ids[int(np.argmin(at))]!r}: extend the scaler first")
        return Moments(moments.center[at], moments.scale[at])

    def standardised(self, panel: Panel) -> np.ndarray:
        """Return transformed and standardized targets (rows, C), float32, without removal of effects."""
        target = panel.target if self.transform is None else map_rows(partial(forward, self.transform), panel.target)
        out = self.scaling_moments(panel).apply(target, panel.indptr)
        if self.broken.entity.size:
            out[self.broken.rows(panel, self.places(panel))] = np.nan
        return out

    def without_faults(self, panel: Panel) -> Panel:
        """Return the panel with known faults replaced by NaN."""
        return self.broken.blanked(panel, self.places(panel)) if len(self.broken) else panel

    def with_faults_masked(self, panel: Panel, stop: np.ndarray) -> "Scaler":
        """Return the scaler with the faults among the rows before ``stop[e]`` added to those it masks."""
        seen = panel.between(panel.indptr[:-1], stop)
        broken = BrokenReadings.find(seen, Moments.of(seen.target, seen.indptr))
        if not len(broken):
            return self
        broken = replace(broken, entity=self.places(panel)[broken.entity])
        kept = broken.entity >= 0
        return replace(self, broken=self.broken.union(broken.at(kept)))

    def newer_faults(self, panel: Panel, until: np.ndarray) -> BrokenReadings:
        """Return faults among the rows after ordinal ``until[e]``; see `BrokenReadings.find_newer`."""
        if self.largest is None:
            return BrokenReadings.none()
        at = self.places(panel)
        known = ((at >= 0) & (at < len(self.largest)))[:, None]
        center, largest = (np.where(known, values[at], 0.0) for values in (self.target.center, self.largest))
        return BrokenReadings.find_newer(panel, center, largest, np.maximum(until, panel.start - 1))

    def buffers(self, panel: Panel, lookback: int, horizon: int) -> Buffers:
        """Return scaled float32 buffers of a panel, with calendar rows for windows that extend beyond its ends."""
        panel, codes = self._split_codes(panel)
        known = without_missing(self.known.apply(panel.known, _one_group(panel.known)))
        target = self.standardised(panel)
        if self.effect.any():
            self.subtract_effects(target, known)
        reach = 2 * lookback  # windows may start before an entity's first row, and patches pad them further
        first = int(panel.start.min()) - reach
        count = int(panel.ends.max()) + horizon + reach + 1 - first
        empty = np.zeros((count, 0), dtype="float32")
        calendar = calendar_table(panel.grid, first, count, self.calendar) if self.calendar else empty
        if self.calendar_effect is not None:
            self._subtract_calendar(target, panel, products(calendar, self.calendar_effect), first)
        return Buffers(
            target=target,
            past=self.past.apply(panel.past, _one_group(panel.past)),
            known=known,
            calendar=calendar,
            static=np.nan_to_num(self.static.apply(panel.static, _one_group(panel.static))),
            begin=panel.indptr[:-1],
            end=panel.indptr[1:],
            shift=panel.start - panel.indptr[:-1] - first,
            series=self.places(panel, trained=True) + 1,
            unit=np.minimum(self.scaling_moments(panel).scale, np.finfo("float32").max).astype("float32"),
            **codes,
        )

    def _split_codes(self, panel: Panel) -> tuple[Panel, dict]:
        """Split the panel into numeric columns and category codes (rows, columns), int32, by buffer name."""
        codes = {}
        for role, met in self.met.items():
            values = getattr(panel, role)
            given = np.nan_to_num(values[:, -len(met) :]).astype("int32")
            columns = [np.where(known[column], column, 0) for known, column in zip(met, given.T, strict=True)]
            codes[f"{role}_codes"] = np.stack(columns, axis=1).astype("int32")
            panel = replace(panel, **{role: values[:, : -len(met)]})
        return panel, codes

    def restore(self, forecast: np.ndarray, panel: Panel, origins, spread: bool = False) -> np.ndarray:
        """Convert forecasts (n, horizon, ...) from scaled units to the user's, float64.

        With `spread`, the forecasts are standard deviations, which are only multiplied by the scale.
        """
        if spread:
            return forecast * self.positive_scale(panel, origins).reshape(-1, *[1] * (forecast.ndim - 1))
        moments = self.scaling_moments(panel)
        center = moments.center[origins.entity, origins.channel]
        scale = moments.scale[origins.entity, origins.channel]
        is_constant = scale == 0
        if self.constant is not None:
            is_constant = is_constant | self.constant_in(panel)[origins.entity, origins.channel]
        if is_constant.any():
            # A series that was constant in training has no scale; its last value is the forecast.
            last = forward(self.transform, last_values(panel, origins))
            center = np.where(is_constant & ~np.isnan(last), last, center)
            scale = np.where(is_constant, 0.0, scale)
        forecast = forecast.astype("float64")
        along = (-1, *[1] * (forecast.ndim - 1))
        if self.effect.any():
            effect = self._future_effect(panel, origins, forecast.shape[1])
            forecast += effect.reshape(*effect.shape, *along[2:])
        if self.calendar_effect is not None:
            effect = self._future_calendar_effect(panel, origins, forecast.shape[1])
            forecast += effect.reshape(*effect.shape, *along[2:])
        forecast *= scale.reshape(along)
        forecast += center.reshape(along)
        if self.transform is None:
            return forecast
        limit = forward(self.transform, self._furthest(panel, origins))
        return backward(self.transform, np.fmin(forecast, limit.reshape(along)))

    def _furthest(self, panel: Panel, origins) -> np.ndarray:
        """Return the largest value that a forecast after each origin may have, (n,); NaN if it is not known.

        Small errors of extrapolated logarithms are large ones of the values.
        """
        if self.largest is None:
            return np.full(len(origins), np.nan)
        size = (np.abs(self.target.center) + self.largest)[self.places(panel)]
        with np.errstate(over="ignore"):  # no limit for values near 1e308
            return FURTHEST * np.fmax(size[origins.entity, origins.channel], last_values(panel, origins))

    def _future_effect(self, panel, origins, horizon):
        rows = origins.row[:, None] + np.arange(1, horizon + 1)
        within = rows < panel.indptr[origins.entity + 1][:, None]
        panel = self._split_codes(panel)[0]
        # Effects are computed once per row, because many origins share a row.
        known = without_missing(self.known.apply(panel.known, _one_group(panel.known)))
        effect = map_rows(partial(products, effect=self.effect), known)
        return np.where(within, effect[np.minimum(rows, panel.rows - 1), origins.channel[:, None]], 0.0)

    def subtract_effects(self, target, known):
        """Subtract the effects of scaled future covariates from scaled targets, in place."""
        for rows in parts(len(target)):
            target[rows] -= products(known[rows], self.effect)

    @staticmethod
    def _subtract_calendar(target, panel, effect, first):
        """Subtract effects (G, C) of the ordinals from `first` from scaled targets, in place and in chunks."""
        for rows, group in chunks(panel.indptr):
            ordinals = panel.ordinal_at(group, np.arange(rows.start, rows.stop))
            target[rows] -= effect[ordinals - first]

    def _future_calendar_effect(self, panel, origins, horizon):
        """Return the calendar effect at each step after these origins, shape (n, horizon)."""
        cutoff = panel.ordinal_at(origins.entity, origins.row)
        first = int(cutoff.min()) if len(cutoff) else 0
        table = calendar_table(panel.grid, first, int(cutoff.max(initial=first)) + horizon + 1 - first, self.calendar)
        ordinals = cutoff[:, None] + np.arange(1, horizon + 1)
        return products(table, self.calendar_effect)[ordinals - first, origins.channel[:, None]]


def _divisors(panel):
    """Return moments for division without centering: center 0, and the mean absolute value as scale."""
    size = Moments.of(map_rows(np.abs, panel.target), panel.indptr).center
    return Moments(np.zeros_like(size), size)


def _largest(panel, moments):
    """Return the largest distance of each series' values from the center of these moments, (E, C); NaN for none."""
    out = np.full(moments.center.shape, np.nan)
    filled = np.flatnonzero(panel.lengths)
    if len(filled):
        begin, center = panel.indptr[filled], moments.center[filled]
        highest, lowest = (extreme.reduceat(panel.target, begin, axis=0) for extreme in (np.fmax, np.fmin))
        with np.errstate(over="ignore"):
            out[filled] = np.fmax(highest - center, center - lowest)
    return out


def _transformed_moments(panel, divides, transform):
    """Return the moments of the transformed targets, None without a transform."""
    if transform is None:
        return None
    panel = replace(panel, target=map_rows(partial(forward, transform), panel.target))
    return _divisors(panel) if divides else Moments.of(panel.target, panel.indptr)


def lacks_autocorrelation(buffers: Buffers, stop: np.ndarray, season: int) -> bool:
    """Return whether values before row ``stop[e]`` are uncorrelated with those a step and a season before.

    The last value is then not informative about the level.
    """
    return all(_change(buffers, stop, lag) > MIN_CHANGE for lag in {1, season})


def _change(buffers, stop, lag):
    """Return the mean change over `lag` steps relative to the mean absolute deviation: 1.41 for white noise."""
    before = pointers(np.maximum(stop - buffers.begin - lag, 0))
    # At most CHUNK evenly spaced pairs of rows, numbered over all entities.
    number = np.unique(np.linspace(0, before[-1] - 1, min(before[-1], CHUNK)).astype("int64"))
    entity = np.searchsorted(before, number, side="right") - 1
    rows = buffers.begin[entity] + number - before[entity]
    change = np.abs(buffers.target[rows + lag] - buffers.target[rows])
    compared = ~np.isnan(change)
    deviation = np.abs(buffers.target[rows])[compared].sum()
    return change[compared].sum() / deviation if deviation > 0 else 0.0


def _observed_codes(codes, count):
    """Return which of the `count` codes occur; code 0, unknown, never counts."""
    met = np.bincount(np.nan_to_num(codes).astype("int64"), minlength=count) > 0
    met[0] = False
    return met


def _one_group(values):
    """Return row pointers that treat all rows as one group."""
    return np.array([0, len(values)])


def buffers_of(context, scaler: Scaler, lookback: int, horizon: int, loss_weight: np.ndarray | None = None) -> Buffers:
    """Return the panel of a `FitContext` in the units of a scaler, with the weights; the context keeps the result."""
    sizes = lookback, horizon
    if context.buffers is None or context.buffers[0] is not scaler or context.buffers[1] != sizes:
        context.buffers = None  # released first: the buffers are as large as the data
        buffers = scaler.buffers(context.panel, lookback, horizon)
        context.buffers = scaler, sizes, replace(buffers, weight=context.weight, loss_weight=loss_weight)
    return context.buffers[2]
