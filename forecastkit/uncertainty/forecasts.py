"""Forecast objects: points, quantiles, samples and densities of the steps after some origins, and their bounds.

All arrays are in the units of the target. ``n`` counts the origins; the second axis is the step of the horizon.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, Self

import numpy as np

from forecastkit.data.panel import Panel
from forecastkit.data.row_labels import refuse_targets
from forecastkit.data.windows import Origins
from forecastkit.uncertainty import validation
from forecastkit.uncertainty.conformal import corrected
from forecastkit.uncertainty.residuals import (
    LEVELS,
    add_residuals,
    at_ranks,
    interpolate_quantiles,
    residual_scale,
    widened,
)
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import first_few, refuse

__all__ = [
    "Bounds",
    "CalibratedForecast",
    "ClippedForecast",
    "CombinedForecast",
    "DistributionForecast",
    "Forecast",
    "OriginResiduals",
    "PointForecast",
    "QuantileForecast",
    "forecast_of",
]

#: Default levels of `forecast`.
SHOWN_LEVELS = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class OriginResiduals:
    """Validation residuals of a forecaster, applied to the series of some origins."""

    forecaster: Any  #: Fitted forecaster, which has the scales of the series
    panel: Panel
    origins: Origins

    @property
    def known(self) -> bool:
        """Whether there are residuals."""
        return self.forecaster.residuals_ is not None

    def around(self, points: np.ndarray, levels: Sequence[float]) -> np.ndarray:
        """Return quantiles (n, horizon, len(levels)) of the actuals, given point forecasts (n, horizon)."""
        if not self.known:
            refuse(type(self.forecaster).__name__, "quantiles need validation residuals", "none", "Give more rows.")
        validation.replace_in_sample(self.forecaster)
        residuals = validation.residual_quantiles(self.forecaster, self.panel, self.origins, levels)
        return add_residuals(self.forecaster, self.panel, self.origins, points[..., None], residuals)

    def widen(self, values: np.ndarray, trained: Sequence[float]) -> np.ndarray:
        """Return quantiles at `LEVELS` (n, horizon, Q), beyond trained levels at the distances of the residuals."""
        residuals = validation.residual_quantiles(self.forecaster, self.panel, self.origins, LEVELS)
        residuals = residuals * residual_scale(self.forecaster, self.panel, self.origins)[:, None, None]
        scaler = self.forecaster.scaler_
        return scaler.untransformed_values(widened(scaler.transformed_values(values, clip=True), trained, residuals))

    def __getitem__(self, chosen) -> OriginResiduals:
        return replace(self, origins=self.origins[chosen])


@dataclass(frozen=True, kw_only=True)
class Forecast(ABC):
    """Forecasts of n origins over a horizon. Base class."""

    #: They give point forecasts their quantiles, and samples the quantiles beyond trained levels
    residuals: OriginResiduals | None = None
    shown: Sequence[float] | None = None  #: Levels of `forecast`, if the user gives none

    #: Whether the model itself gives quantiles, as opposed to its residuals.
    has_spread = True
    #: Increasing trained levels, outside of which there are no quantiles; None if there are quantiles at any level.
    levels = None

    @abstractmethod
    def point(self) -> np.ndarray:
        """Return point forecasts, (n, horizon)."""

    @abstractmethod
    def quantiles(self, levels: Sequence[float]) -> np.ndarray:
        """Return quantiles at increasing levels, (n, horizon, len(levels)), which do not cross."""

    @abstractmethod
    def __getitem__(self, chosen) -> Self:
        """Return the forecasts of some of the origins."""

    def sample(self, ranks: np.ndarray) -> np.ndarray:
        """Return the quantiles of each step at the levels `ranks`, shape (n, paths, horizon)."""
        if self.levels is None:
            return at_ranks(self.quantiles(LEVELS), LEVELS, ranks)
        values = self.quantiles(self.levels)
        if self.residuals is None or not self.residuals.known:
            return at_ranks(values, self.levels, ranks)
        return at_ranks(self.residuals.widen(values, self.levels), LEVELS, ranks)

    def log_density(self, actual: np.ndarray) -> np.ndarray | None:
        """Return the log density (log probability of counts) of actuals (n, horizon), or None without a density."""
        return None

    @property
    def has_quantiles(self) -> bool:
        """Whether there are quantiles."""
        return True

    @property
    def uncorrected(self) -> Forecast:
        """The forecast before any calibration."""
        return self

    @property
    def shown_levels(self) -> tuple[float, ...]:
        """Levels of `forecast`, if the user gives none."""
        return tuple(self.shown) if self.shown is not None else SHOWN_LEVELS

    def completed(self, residuals: OriginResiduals, shown: Sequence[float] | None) -> Self:
        """Return the forecast with residuals, and with levels to show if these are given."""
        return replace(self, residuals=residuals, shown=self.shown if shown is None else shown)


@dataclass(frozen=True)
class PointForecast(Forecast):
    """Point forecasts with quantiles from residuals."""

    values: np.ndarray  #: (n, horizon)

    has_spread = False

    def point(self) -> np.ndarray:
        return self.values

    def quantiles(self, levels: Sequence[float]) -> np.ndarray:
        return self.residuals.around(self.values, levels)

    def __getitem__(self, chosen) -> PointForecast:
        return replace(self, values=self.values[chosen], residuals=_of(self.residuals, chosen))

    @property
    def has_quantiles(self) -> bool:
        return self.residuals is not None and self.residuals.known

    @property
    def shown_levels(self) -> tuple[float, ...]:
        return super().shown_levels if self.shown is not None or self.has_quantiles else ()


@dataclass(frozen=True)
class QuantileForecast(Forecast):
    """Quantiles at trained levels. Other levels are interpolated; the point is the median."""

    values: np.ndarray  #: (n, horizon, len(levels))
    #: Increasing. If they do not include 0.5 in their range, the point is the quantile of the nearest level.
    levels: tuple[float, ...]

    def point(self) -> np.ndarray:
        nearest = min(max(0.5, self.levels[0]), self.levels[-1])
        return self.quantiles((nearest,))[..., 0]

    def quantiles(self, levels: Sequence[float]) -> np.ndarray:
        return interpolate_quantiles(self.values, self.levels, levels)

    def __getitem__(self, chosen) -> QuantileForecast:
        return replace(self, values=self.values[chosen], residuals=_of(self.residuals, chosen))

    @property
    def shown_levels(self) -> tuple[float, ...]:
        return tuple(self.levels if self.shown is None else self.shown)


@dataclass(frozen=True)
class DistributionForecast(Forecast):
    """A parametric distribution for each step; the point is its mean."""

    parameters: np.ndarray  #: (n, horizon, P): the first parameter is the mean
    family: Any  #: Quantiles and densities, see `forecastkit.networks.heads.distributions`

    def point(self) -> np.ndarray:
        return self.parameters[..., 0]

    def quantiles(self, levels: Sequence[float]) -> np.ndarray:
        return self.family.quantiles(self.parameters, levels)

    def sample(self, ranks: np.ndarray) -> np.ndarray:
        return self.family.frozen(self.parameters[:, None]).ppf(ranks)

    def log_density(self, actual: np.ndarray) -> np.ndarray:
        return self.family.log_density(self.parameters, actual)

    def __getitem__(self, chosen) -> DistributionForecast:
        return replace(self, parameters=self.parameters[chosen], residuals=_of(self.residuals, chosen))


@dataclass(frozen=True)
class CombinedForecast(Forecast):
    """Forecasts of several members, combined level by level.

    A mixture averages densities and is wider than its members if they disagree; averaged quantiles
    are as sharp as those of the members [1]_.

    References
    ----------
    .. [1] Lichtendahl, K. C., Grushka-Cockayne, Y., & Winkler, R. L. (2013). Is it better to average probabilities or
       quantiles? Management Science 59.
    """

    members: list[Forecast]
    #: Function of arrays of one shape, which returns an array of that shape
    combine: Callable[[list[np.ndarray]], np.ndarray]
    levels: tuple[float, ...] | None = None  #: Levels that all members have

    def point(self) -> np.ndarray:
        return self.combine([member.point() for member in self.members])

    def quantiles(self, levels: Sequence[float]) -> np.ndarray:
        return self.combine([member.quantiles(levels) for member in self.members])

    def __getitem__(self, chosen) -> CombinedForecast:
        members = [member[chosen] for member in self.members]
        return replace(self, members=members, residuals=_of(self.residuals, chosen))

    @property
    def shown_levels(self) -> tuple[float, ...]:
        """Levels of the members with trained levels, as far as all members have them."""
        if self.shown is not None or self.levels is None:
            return super().shown_levels
        trained = [member for member in self.members if member.levels is not None]
        shown = {level for member in trained for level in member.shown_levels}
        return tuple(sorted(level for level in shown if self.levels[0] <= level <= self.levels[-1]))


@dataclass(frozen=True)
class _Wrapped(Forecast):
    """Base class of forecasts that modify another one."""

    forecast: Forecast

    @property
    def has_spread(self) -> bool:
        return self.forecast.has_spread

    @property
    def has_quantiles(self) -> bool:
        return self.forecast.has_quantiles

    @property
    def levels(self) -> tuple[float, ...] | None:
        return self.forecast.levels

    @property
    def shown_levels(self) -> tuple[float, ...]:
        return self.forecast.shown_levels

    def point(self) -> np.ndarray:
        return self.forecast.point()

    def log_density(self, actual: np.ndarray) -> np.ndarray | None:
        return self.forecast.log_density(actual)

    def completed(self, residuals: OriginResiduals, shown: Sequence[float] | None) -> Self:
        return replace(self, forecast=self.forecast.completed(residuals, shown))

    def __getitem__(self, chosen) -> Self:
        return replace(self, forecast=self.forecast[chosen])


@dataclass(frozen=True)
class CalibratedForecast(_Wrapped):
    """A forecast with conformal corrections of its quantiles, see `forecastkit.uncertainty.conformal`."""

    at: OriginResiduals  #: The forecaster whose errors give the corrections, and the origins

    @property
    def uncorrected(self) -> Forecast:
        return self.forecast

    def quantiles(self, levels: Sequence[float]) -> np.ndarray:
        return corrected(self.at.forecaster, self.at.panel, self.at.origins, self.forecast, levels)

    def sample(self, ranks: np.ndarray) -> np.ndarray:
        if self.levels is None and not isinstance(self.forecast, DistributionForecast):
            return at_ranks(self.quantiles(LEVELS), LEVELS, ranks)
        return self.forecast.sample(ranks)

    def __getitem__(self, chosen) -> CalibratedForecast:
        return replace(self, forecast=self.forecast[chosen], at=self.at[chosen])


@dataclass(frozen=True)
class ClippedForecast(_Wrapped):
    """A forecast with all values limited to bounds."""

    lower: float | np.ndarray = -np.inf  #: One bound, or one of each origin, (n,)
    upper: float | np.ndarray = np.inf

    @property
    def uncorrected(self) -> Forecast:
        return replace(self, forecast=self.forecast.uncorrected)

    def point(self) -> np.ndarray:
        return self._clip(self.forecast.point())

    def quantiles(self, levels: Sequence[float]) -> np.ndarray:
        return self._clip(self.forecast.quantiles(levels))

    def sample(self, ranks: np.ndarray) -> np.ndarray:
        return self._clip(self.forecast.sample(ranks))

    def __getitem__(self, chosen) -> ClippedForecast:
        lower, upper = (bound[chosen] if np.ndim(bound) else bound for bound in (self.lower, self.upper))
        return replace(self, forecast=self.forecast[chosen], lower=lower, upper=upper)

    def _clip(self, values):
        # A bound of each origin applies to all its steps and levels.
        lower, upper = (np.reshape(bound, (-1, *[1] * (values.ndim - 1))) for bound in (self.lower, self.upper))
        return np.clip(values, lower, upper)


def _of(residuals: OriginResiduals | None, chosen) -> OriginResiduals | None:
    return None if residuals is None else residuals[chosen]


def clipped(forecast: Forecast, lower: float | np.ndarray, upper: float | np.ndarray) -> Forecast:
    """Return the forecast limited to bounds; unchanged without finite bounds.

    Residuals are added before values are clipped, so that an interval holds the same actuals as before.
    """
    return ClippedForecast(forecast, lower, upper) if np.isfinite(lower).any() or np.isfinite(upper).any() else forecast


def forecast_of(outputs: np.ndarray, head: Any, restore: Callable[..., np.ndarray]) -> Forecast:
    """Return the forecast for the outputs (n, horizon, outputs) of a network's head.

    `restore` maps values to the units of the target, and scale parameters with ``spread=True``.
    """
    if head.distribution:
        return DistributionForecast(head.restore(outputs, restore), head)
    values = restore(outputs)
    return PointForecast(values[..., 0]) if head.levels is None else QuantileForecast(values, head.levels)


class Bounds:
    """Mixin: bounds of points, quantiles and sample paths, with the parameters `lower` and `upper`.

    Values beyond a bound are set to the bound. As no actual lies beyond it, the coverage of intervals does not change.
    """

    lower: float | dict | None
    upper: float | dict | None

    def _check_bounds(self) -> None:
        """Refuse bounds that are not numbers, and a lower bound that is not below the upper one."""
        where = type(self).__name__
        for name, bound in (("lower", self.lower), ("upper", self.upper)):
            values = bound.values() if isinstance(bound, dict) else () if bound is None else (bound,)
            wrong = [value for value in values if not _is_number(value)]
            if wrong:
                rule = f"{name} must be a number, or a dict of numbers by the name of a series or target"
                refuse(where, rule, first_few(map(repr, wrong)), error=ParameterError)
        if _is_number(self.lower) and _is_number(self.upper) and not self.lower < self.upper:
            got = f"lower={self.lower:g} and upper={self.upper:g}"
            refuse(where, "lower must be below upper", got)

    def _check_targets(self, panel: Panel) -> None:
        """Refuse targets beyond given bounds."""
        if self.lower is None and self.upper is None:
            return
        where, names = type(self).__name__, (*panel.ids, *self.schema_.target)
        for bound in (self.lower, self.upper):
            unknown = [repr(name) for name in bound if name not in names] if isinstance(bound, dict) else []
            if unknown:
                known = first_few([repr(name) for name in names if name is not None])
                refuse(where, f"bounds must be those of a series or target, {known}", first_few(unknown))
        lower, upper = self._bounds_of(panel)
        crossed = np.argwhere(~(lower < upper))
        if len(crossed):
            entity, channel = crossed[0]
            got = f"{lower[entity, channel]:g} and {upper[entity, channel]:g}"
            refuse(where, "the lower bound of a series must be below its upper bound", got)
        entity = np.repeat(np.arange(len(panel.ids)), panel.lengths)
        for wrong, rule in ((panel.target < lower[entity], "lower"), (panel.target > upper[entity], "upper")):
            side = "at or above" if rule == "lower" else "at or below"
            remedy = f"Pass another {rule}=, or correct the values."
            refuse_targets(where, f"all targets must be {side} {rule}=", wrong, panel, self.schema_.target, remedy)

    def _bounds_of(self, panel: Panel) -> tuple[np.ndarray, np.ndarray]:
        """Return the lower and the upper bounds of the panel's series, (E, C) each, infinite where there are none."""
        found = []
        for bound, none in ((self.lower, -np.inf), (self.upper, np.inf)):
            same = none if bound is None or isinstance(bound, dict) else float(bound)
            values = np.full((len(panel.ids), panel.channels), same)
            if isinstance(bound, dict):
                for channel, name in enumerate(self.schema_.target):
                    values[:, channel] = bound.get(name, none)
                for entity, name in enumerate(panel.ids):
                    if name in bound:
                        values[entity] = bound[name]
            found.append(values)
        if self.lower is None:
            found[0][:, self._is_nonnegative(panel.channels)] = 0.0
        return found[0], found[1]

    def _is_nonnegative(self, channels: int) -> np.ndarray:
        """Return which targets have 0 as their default lower bound, (C,)."""
        if "nonnegative_" in vars(self):
            return self.nonnegative_
        # A file of an earlier version, in which only automatic forecasters had such a bound.
        return np.full(channels, vars(self).get("lowest_") is not None)

    def _bounds_at(self, panel: Panel, origins: Origins) -> tuple[np.ndarray, np.ndarray]:
        """Return the lower and the upper bound of each origin's series, (n,) each."""
        lower, upper = self._bounds_of(panel)
        return lower[origins.entity, origins.channel], upper[origins.entity, origins.channel]


def _is_number(value) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and not np.isnan(value)
