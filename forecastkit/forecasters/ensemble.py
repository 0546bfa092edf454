"""EnsembleForecaster: combines other forecasters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from forecastkit.forecasters.base import Forecaster
from forecastkit.forecasters.composite import Composite
from forecastkit.forecasters.ensemble_members import (
    fit_in_processes,
    is_network,
    is_usable,
    linear_for,
    seeded,
    uses_processes,
)
from forecastkit.forecasters.ensemble_weights import check_weights, combination_weights, shared_levels
from forecastkit.uncertainty.forecasts import CombinedForecast, PointForecast
from forecastkit.uncertainty.residuals import observed_after, scale_of
from forecastkit.utils.estimator import clone
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import check_choice, check_int, refuse


@dataclass(kw_only=True, eq=False, repr=False)
class Combination(Composite):
    """Base class of forecasters that combine the forecasts of fitted members.

    Attributes
    ----------
    forecasters_ : list of Forecaster
        The fitted members; those that differ only by their seed are adjacent.
    weights_ : ndarray of shape (members,)
        Weights in the average, with a sum of 1.
    groups_ : list of int
        For each fitted member the number of the given member of which it is a copy.
    trained_levels_ : tuple of float or None
        Levels that members were trained for and all of them can give.
    """

    def _set_weights(self, weights=None):
        """Set the levels and the weights of the fitted members from `weights` of the given ones, equal by default."""
        counts = np.bincount(self.groups_)
        own = np.ones(len(counts)) if weights is None else np.asarray(weights, dtype="float64")[: len(counts)]
        shares = np.where(counts > 0, own, 0.0) / np.maximum(counts, 1)
        if not shares.any():  # members with a weight were not fitted before an interruption
            shares = 1 / np.maximum(counts, 1)
        shares = shares[self.groups_]
        self.weights_ = shares / shares.sum()
        levels = [getattr(member, "trained_levels_", None) for member in self.forecasters_]
        self.trained_levels_ = shared_levels(type(self).__name__, levels)

    def _combine(self, parts):
        """Return the weighted mean of the members' arrays."""
        total = 0.0
        for weight, part in zip(self.weights_, parts, strict=True):
            total = total + weight * part  # not a product of matrices, whose rounding depends on the number of rows
        return total

    def _forecast(self, panel, origins):
        """Combine the points of the members, or their quantiles if any member provides them."""
        members = [_of_member(member, panel, origins) for member in self.forecasters_]
        if not any(member.has_spread for member in members):
            return PointForecast(self._combine([member.point() for member in members]))
        return CombinedForecast(members, self._combine, self.trained_levels_)

    def _evaluate_validation(self, context):
        context.linear = context.linear or linear_for(self, self.forecasters_)
        super()._evaluate_validation(context)


def _of_member(member: Forecaster, panel, origins):
    """Return a member's forecast within bounds that it was given; those of the combination are applied to all."""
    given = member.lower is not None or member.upper is not None
    return member._forecast_at(panel, origins) if given else member._unclipped_at(panel, origins)


@dataclass(kw_only=True, eq=False, repr=False)
class EnsembleForecaster(Combination):
    """Mean or median of the forecasts of several forecasters.

    Members use the same rows and the same validation block. If no member provides quantiles, those of the ensemble are
    computed from its residuals on that block. Otherwise quantiles are averaged by level over all members, with residual
    quantiles for point forecasts; averaged quantiles are as sharp as those of the members, and `calibrate` corrects the
    average.

    Parameters
    ----------
    forecasters : list of Forecaster, optional
        Members, which are cloned. Horizon, lookback and roles that they do not set are those of the ensemble. By
        default a GRU and the linear forecaster.
    how : {'mean', 'median'}
        How forecasts are combined.
    weights : {None, 'backtest'} or list of float
        Weights of the members in the mean. None: equal weights. 'backtest': non-negative weights that minimize the mean
        squared error on the windows of the validation block, shrunk halfway to equal weights. In experiments equal
        weights were better than weights estimated on one block.
    seeds : int
        Number of times each network is trained, with its `random_state` and the following seeds; the weight of a member
        does not depend on it.
    n_jobs : int, optional
        Number of joblib processes in which members are fitted: None is 1 unless in a ``joblib.parallel_config``, -1
        uses all cores. Forecasts do not depend on it, and each process has as many threads as this one. Callbacks of
        members are copied.

    Attributes
    ----------
    forecasters_ : list of Forecaster
        The fitted members, in the order given, copies with other seeds side by side.
    weights_ : ndarray of shape (len(forecasters_),)
        What each counts; their sum is 1.

    Notes
    -----
    After Ctrl-C the ensemble consists of the members fitted so far, including networks that have completed an epoch.

    References
    ----------
    .. [1] Claeskens, G., Magnus, J. R., Vasnev, A. L., & Wang, W. (2016). The forecast combination puzzle: a simple
       theoretical explanation. International Journal of Forecasting 32: why plain averages are hard to beat.
    .. [2] Lichtendahl, K. C., Grushka-Cockayne, Y., & Winkler, R. L. (2013). Is it better to average probabilities or
       quantiles? Management Science 59.
    """

    forecasters: Sequence[Forecaster] | None = None
    how: str = "mean"
    weights: Literal["backtest"] | Sequence[float] | None = None
    seeds: int = 1
    n_jobs: int | None = None

    def _check_parameters(self):
        super()._check_parameters()
        where = "EnsembleForecaster"
        check_choice(where, "how", self.how, ("mean", "median"))
        check_int(where, "seeds", self.seeds)
        check_int(where, "n_jobs", self.n_jobs, low=-(2**20), optional=True)
        if self.n_jobs == 0:
            refuse(where, "n_jobs must be a whole number other than 0", "0", error=ParameterError)
        self._check_members(where)
        if isinstance(self.weights, str):
            check_choice(where, "weights", self.weights, ("backtest", None))
        elif self.weights is not None:
            check_weights(where, self.weights, len(self._members()))
        if self.how == "median" and self.weights is not None:
            rule = "how='median' gives all members equal weights"
            refuse(where, rule, f"weights={self.weights!r}", "Leave one of the two out.", ParameterError)

    def _transform(self):
        """Return the transform that all members share, under which residuals of their average are computed."""
        members = self.forecasters if isinstance(self.forecasters, (list, tuple)) else ()
        transforms = {member._transform() for member in members if isinstance(member, Forecaster)}
        return transforms.pop() if len(transforms) == 1 else None

    def _check_members(self, where):
        if self.forecasters is None:
            return
        members = self.forecasters
        listed = isinstance(members, (list, tuple)) and len(members) > 0
        if not listed or not all(isinstance(member, Forecaster) for member in members):
            refuse(where, "forecasters must be a list of forecasters", repr(members), error=ParameterError)
        shared_levels(where, [member.quantile_levels for member in members])

    def _members(self):
        if self.forecasters is not None:
            return [clone(member) for member in self.forecasters]
        from forecastkit.forecasters.linear import LinearForecaster
        from forecastkit.forecasters.networks import GRUForecaster

        return [GRUForecaster(random_state=0), LinearForecaster()]

    def _combine(self, parts):
        if self.how == "mean":
            return super()._combine(parts)
        groups = np.asarray(self.groups_)
        means = [np.mean([parts[at] for at in np.flatnonzero(groups == group)], axis=0) for group in np.unique(groups)]
        return np.median(means, axis=0)

    def _fit(self, context):
        if isinstance(self.weights, str) and not len(self._validation(context)):
            remedy = "Pass a larger validation_size=, or leave weights= out."
            refuse("EnsembleForecaster", "weights='backtest' needs a validation block", "no window in it", remedy)
        parts = [(group, part) for group, member in enumerate(self._members()) for part in seeded(member, self.seeds)]
        members, ready = [self._prepared(member) for _, member in parts], {}
        # Fast members are fitted before slow ones.
        order = sorted(range(len(members)), key=lambda place: is_network(members[place]))
        try:
            if uses_processes(self.n_jobs, len(members)):
                self._fit_in_processes(members, order, context, ready)
            else:
                self._fit_here(members, order, context, ready)
        finally:
            self.forecasters_ = [ready[place] for place in sorted(ready)]
            self.groups_ = [parts[place][0] for place in sorted(ready)]
            if ready:
                self._set_weights(self._chosen_weights(context, complete=len(ready) == len(parts)))

    def _prepared(self, member):
        """Return the member with the sizes that all members share."""
        member.set_params(horizon=self.horizon_, validation_size=self.validation_size)
        if member.lookback is None:
            member.set_params(lookback=self.lookback_)
        member._check_parameters()
        return member

    def _fit_here(self, members, order, context, ready):
        """Fit members in this order; `ready` takes them by index, and an interrupted one if it can forecast."""
        for place in order:
            member = members[place]
            try:
                self._fit_member(member, context, linear_for(member, ready.values()))
            except KeyboardInterrupt:
                if is_usable(member):
                    ready[place] = member
                raise
            ready[place] = member

    def _fit_in_processes(self, members, order, context, ready):
        apart = fit_in_processes([members[place] for place in order], context, self.schema_, self.n_jobs)
        for place, (evaluated, finished, own) in zip(order, apart, strict=True):
            ready[place] = evaluated
            context.members.append((finished, own))
            context.finished[place] = finished

    def _chosen_weights(self, context, complete):
        """Return the weights of the given members; None for equal ones, also after an interruption."""
        if not isinstance(self.weights, str):
            return self.weights
        if not complete:
            return None
        panel, validation_origins = context.panel, self._validation(context)
        actual = observed_after(self.scaler_.without_faults(panel), validation_origins, self.horizon_)
        scale = scale_of(self.scaler_, panel, validation_origins)[:, None]
        errors = [
            (actual - member._forecast(panel, validation_origins).point()) / scale for member in self.forecasters_
        ]
        groups = np.asarray(self.groups_)
        means = [np.mean([errors[at].ravel() for at in np.flatnonzero(groups == g)], axis=0) for g in np.unique(groups)]
        return combination_weights(np.stack(means))

    def _finish(self, context):
        if not context.finished:
            super()._finish(context)
        else:
            self.forecasters_ = [context.finished[place] for place in sorted(context.finished)]

    def _release(self, context):
        if not context.finished:  # other processes have done so
            super()._release(context)
