"""Bounds of forecasts: given by the user, or 0 for targets that were never observed below 0."""

from numbers import Real

import numpy as np

from forecastkit.data.panel import Panel
from forecastkit.data.row_labels import refuse_targets
from forecastkit.data.windows import Origins
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import first_few, refuse


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
            refuse(where, "lower must be below upper", got, error=ParameterError)

    def _set_bounds(self, panel: Panel) -> None:
        """Set the default bounds from the targets of the fit; see also `_check_targets`."""
        with np.errstate(invalid="ignore"):
            self.nonnegative_ = np.fmin.reduce(panel.target, axis=0) >= 0
        self._check_targets(panel)

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
            refuse(where, "the lower bound of a series must be below its upper bound", got, error=ParameterError)
        entity = np.repeat(np.arange(len(panel.ids)), panel.lengths)
        for wrong, rule in ((panel.target < lower[entity], "lower"), (panel.target > upper[entity], "upper")):
            side = "at or above" if rule == "lower" else "at or below"
            remedy = f"Pass another {rule}=, or correct the values."
            refuse_targets(where, f"all targets must be {side} {rule}=", wrong, panel, self.schema_.target, remedy)

    def _update_bounds(self, panel: Panel) -> None:
        """Remove default bounds that newer rows lie beyond."""
        if "nonnegative_" in vars(self):
            self.nonnegative_ = self.nonnegative_ & ~(panel.target < 0).any(axis=0)

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
