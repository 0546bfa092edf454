"""Base class of forecasters that consist of other forecasters."""

from dataclasses import fields

from forecastkit.forecasters.base import Forecaster
from forecastkit.forecasters.model import FitContext
from forecastkit.utils.estimator import clone


class Composite(Forecaster):
    """Base class of forecasters that consist of fitted members. Each member has its own `FitContext`.

    Attributes
    ----------
    forecasters_ : list of Forecaster
        The fitted members.
    """

    forecasters_: list[Forecaster]

    def _fit_member(self, member: Forecaster, context: FitContext, linear: Forecaster | None = None) -> Forecaster:
        """Fit a member on the rows before the validation block, and evaluate it there."""
        own = member._start_fit(context.panel, self.schema_, context.weight, linear)
        context.members.append((member, own))
        member._learn(own)
        return member

    def _finish(self, context):
        for member, own in context.members:
            member._finish(own)

    def _train_on(self, context):
        for member in self.forecasters_:
            own = FitContext(context.panel, context.stop, context.stop)
            context.members.append((member, own))
            member._continue_fit(own)

    def _release(self, context):
        for member, own in context.members:
            member._release(own)

    def _is_trained(self):
        return len(getattr(self, "forecasters_", ())) > 0

    def _take_history(self, history, n_revised):
        super()._take_history(history, n_revised)
        for member in self.forecasters_:
            member._take_history(history, n_revised)

    def _adapted(self, panel, stop):
        other = super()._adapted(panel, stop)
        if other is not self:  # members have scales of their own
            other.forecasters_ = [member._adapted(panel, stop) for member in self.forecasters_]
        return other

    def _memory(self, panel):
        return longest([member._rows_needed(panel) for member in self.forecasters_])

    def _rows_kept(self, panel):
        return longest([self._rows_needed(panel), *(member._rows_kept(panel) for member in self.forecasters_)])

    def _rows_to_train(self):
        return max(member._rows_to_train() for member in self.forecasters_)


def longest(reaches: list[int | None]) -> int | None:
    """Return the largest number of rows; None, which means all, if any is None."""
    return None if None in reaches else max(reaches)


def with_common_parameters(forecaster: Forecaster, outer: Forecaster) -> Forecaster:
    """Return a clone of a forecaster with the common parameters that are given to the one around it."""
    common = {one.name: one.default for one in fields(Forecaster)}
    given = {name: getattr(outer, name) for name in common if not _same(getattr(outer, name), common[name])}
    return clone(forecaster).set_params(**given)


def _same(value, default) -> bool:
    """Return whether a parameter has its default value."""
    return value is default or (isinstance(value, (bool, int, float, str)) and value == default)
