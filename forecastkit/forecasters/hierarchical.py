"""HierarchicalForecaster: forecasts of a hierarchy of series that add up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from forecastkit.data.levels import Hierarchy, hierarchy_of, with_levels, with_sums
from forecastkit.data.panel import Panel
from forecastkit.data.windows import Origins
from forecastkit.forecasters.base import Forecaster
from forecastkit.forecasters.composite import Composite, with_common_parameters
from forecastkit.forecasters.model import FitContext
from forecastkit.hierarchy.reconciliation import BY_ERRORS, METHODS, Method, reconciled
from forecastkit.uncertainty.forecasts import Forecast, PointForecast
from forecastkit.uncertainty.residuals import observed_after
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import check_choice, refuse

#: Learned attributes of the wrapped forecaster.
SHARED = ("schema_", "n_features_in_", "horizon_", "season_length_", "lookback_", "scaler_")
#: Largest number of validation windows whose errors are kept, and the smallest for quantiles from them.
MOST_WINDOWS, FEWEST_WINDOWS = 200, 10


@dataclass(frozen=True, kw_only=True)
class CoherentForecast(Forecast):
    """Forecasts of all series of a hierarchy, with paths that are points plus past errors of all series together."""

    values: np.ndarray  #: (times, series, targets, horizon): points that add up
    #: (windows, series, targets, horizon): errors of such points on validation windows, which add up too
    errors: np.ndarray
    #: From values (..., series, targets, horizon) to values within bounds that add up
    bounded: Callable[[np.ndarray], np.ndarray]
    place: tuple[np.ndarray, np.ndarray, np.ndarray]  #: (n,): time, series and target of each origin

    def point(self) -> np.ndarray:
        return self.values[self.place]

    def quantiles(self, levels: Sequence[float]) -> np.ndarray:
        return self._of_paths(lambda paths: np.moveaxis(np.quantile(paths, levels, axis=0), 0, -1))

    def sample(self, ranks: np.ndarray) -> np.ndarray:
        """Return paths (n, paths, horizon); a path has the errors of one window for all series, so that it adds up."""
        chosen = np.minimum((ranks[0, :, 0] * len(self.errors)).astype("int64"), len(self.errors) - 1)
        return np.moveaxis(self._of_paths(lambda paths: np.moveaxis(paths[chosen], 0, -1)), -1, 1)

    def _of_paths(self, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Return a function of the paths of each time, for every origin; one time after another, to save memory."""
        times, series, target = self.place
        parts = {time: function(self.bounded(self.values[time] + self.errors)) for time in np.unique(times)}
        return np.stack([parts[time][e, c] for time, e, c in zip(times, series, target, strict=True)])

    def __getitem__(self, chosen) -> "CoherentForecast":
        return replace(self, place=tuple(part[chosen] for part in self.place))


@dataclass(kw_only=True, eq=False, repr=False)
class HierarchicalForecaster(Composite):
    """Forecasts of a hierarchy of series, such as shops, regions and their total, that add up.

    The series that are given are those of the lowest level. Their keys (`series_id`) make the levels: with
    ``series_id=["region", "shop"]`` the sums of each region and the total are series too, named ``"total"`` in the keys
    over which they sum. The forecaster inside forecasts the series of all levels; then its forecasts are changed as
    little as possible such that they add up, also where bounds of the lowest level, such as 0, are reached. Covariates
    of a sum are the means of those of its parts. A single series is a hierarchy of its own.

    Quantiles and sample paths are those of points plus the errors of all series in one validation window, so that the
    dependence between the series is kept and every path adds up. Quantiles of a sum are not sums of quantiles.

    Parameters
    ----------
    forecaster : Forecaster
        Forecaster to clone. Parameters of `Forecaster` that are given here, such as `horizon` or `series_id`, replace
        its own.
    method : {'auto', 'bottom_up', 'top_down', 'ols', 'wls_struct', 'wls_var', 'mint_shrink'}
        See `forecastkit.reconcile`. 'auto' is 'mint_shrink' if there are validation windows, else 'wls_struct'. All but
        'bottom_up' need the package ``hierarchicalforecast`` (the extra ``hierarchy``), most of them for `fit` only.

    Attributes
    ----------
    forecasters_ : list of Forecaster
        The fitted forecaster of the series of all levels.
    method_ : str
        The method in use.

    References
    ----------
    .. [1] Wickramasuriya, S. L., Athanasopoulos, G., & Hyndman, R. J. (2019). Optimal forecast reconciliation for
       hierarchical and grouped time series through trace minimization. JASA 114.
    .. [2] Panagiotelis, A., Gamakumara, P., Athanasopoulos, G., & Hyndman, R. J. (2023). Probabilistic forecast
       reconciliation: properties, evaluation and score optimisation. European Journal of Operational Research 306.
    """

    forecaster: Forecaster = field(kw_only=False)
    method: Method = "auto"

    def _check_parameters(self):
        where = type(self).__name__
        if not isinstance(self.forecaster, Forecaster):
            refuse(where, "forecaster must be a Forecaster", repr(self.forecaster), error=ParameterError)
        check_choice(where, "method", self.method, METHODS)
        super()._check_parameters()
        self._configured()._check_parameters()

    def _configured(self):
        return with_common_parameters(self.forecaster, self)

    def _reading(self):
        return {**self._configured()._reading(), "levels": True}

    # ------------------------------------------------------------------------------------------ fit

    def _start_fit(self, panel, schema, weight=None, linear=None):
        self._forget()
        if schema.is_panel and weight is not None:
            refuse(type(self).__name__, "sums cannot be weighted", "sample_weight", "Leave it out.", ParameterError)
        if not schema.levels:  # read for other forecasters too
            panel, schema = with_sums(panel, schema)
        self.schema_, stop = schema, panel.last_observed() + 1
        return FitContext(panel, stop, stop, weight, linear)

    def _learn(self, context):
        member = self._fit_member(self._configured(), context, context.linear)
        self.forecasters_, own = [member], context.members[-1][1]
        vars(self).update((name, vars(member)[name]) for name in SHARED)
        panel = self.scaler_.without_faults(own.panel)
        base, actual = self._validation_windows(panel, own)
        self.method_ = self.method
        if self.method == "auto":
            self.method_ = "mint_shrink" if len(base) else "wls_struct"
        if not self.schema_.levels:  # one series
            self.method_ = "bottom_up"
        if self.method_ in BY_ERRORS and not len(base):
            got, remedy = "none without missing values", "Give more rows, or another method=."
            refuse(type(self).__name__, f"method={self.method_!r} needs validation windows", got, remedy)
        self.projections_ = self._projections(base, actual)
        self.path_errors_ = actual - self._reconciled(base, panel)
        self._evaluate_validation(own)

    def _validation_windows(self, panel: Panel, context: FitContext) -> tuple[np.ndarray, np.ndarray]:
        """Return forecasts and actuals (windows, series, targets, horizon) of windows without missing actuals."""
        validated = np.flatnonzero(context.split < context.stop)
        first = panel.ordinal_at(validated, context.split[validated])
        low = max([int(panel.start.max()) + 1, *first]) if len(first) else int(panel.cutoffs().max())
        times = np.arange(low - 1, int(panel.cutoffs().min()) - self.horizon_ + 1)
        if len(times) > MOST_WINDOWS:
            times = times[np.linspace(0, len(times) - 1, MOST_WINDOWS).astype("int64")]
        shape = len(times), len(panel.ids), panel.channels, self.horizon_
        actual = observed_after(panel, _all_series(panel, times), self.horizon_).reshape(shape)
        complete = ~np.isnan(actual).any(axis=(1, 2, 3))
        return self._base(panel, times[complete]), actual[complete]

    def _projections(self, base: np.ndarray, actual: np.ndarray) -> np.ndarray | None:
        """Return the matrices (targets, series, series) of a linear method; None for 'top_down'."""
        hierarchy = self._hierarchy
        if self.method_ == "top_down":
            reconciled(np.ones((len(hierarchy.names), 1)), hierarchy, self.method_)  # refuses what is not installed
            return None
        everything, errors, found = np.eye(len(hierarchy.names)), {}, []
        for target in range(base.shape[2]):
            if self.method_ in BY_ERRORS:
                own = (values[:, :, target].swapaxes(0, 1).reshape(len(everything), -1) for values in (actual, base))
                errors = dict(zip(("y_insample", "y_hat_insample"), own, strict=True))
            found.append(reconciled(everything, hierarchy, self.method_, errors))
        return np.stack(found)

    # ------------------------------------------------------------------------------------------ forecasts

    @property
    def _hierarchy(self) -> Hierarchy:
        levels = self.schema_.levels
        return hierarchy_of(levels, self.schema_.series_keys if levels else ())

    def _forecast(self, panel, origins):
        ordinal, chosen, series = panel.ordinal_at(origins.entity, origins.row), panel, origins.entity
        history = self.forecasters_[0].history_
        if self.schema_.levels and panel.ids != history.ids:
            chosen = with_levels(panel, self.schema_.series_keys, self.schema_.levels)
            if panel.earlier is not None:
                chosen = replace(chosen, earlier=history.earlier.take(history.places(chosen.ids)))
            series = chosen.places(panel.ids)[origins.entity]
        times, place = np.unique(ordinal, return_inverse=True)
        values = self._reconciled(self._base(chosen, times), chosen)
        if len(self.path_errors_) < FEWEST_WINDOWS:
            return PointForecast(values[place, series, origins.channel])
        return CoherentForecast(
            values=values,
            errors=self.path_errors_,
            bounded=lambda paths: self._bounded(paths, chosen),
            place=(place, series, origins.channel),
        )

    def _base(self, panel: Panel, times: np.ndarray) -> np.ndarray:
        """Return forecasts (times, series, targets, horizon) at ordinals; 0 for series that have not begun."""
        shape = len(times), len(panel.ids), panel.channels, self.horizon_
        if not len(times):
            return np.zeros(shape)
        origins = _all_series(panel, times)
        points = self.forecasters_[0]._forecast_at(panel, origins).point().reshape(shape)
        return np.where((times[:, None] >= panel.start)[..., None, None], points, 0.0)

    def _reconciled(self, base: np.ndarray, panel: Panel) -> np.ndarray:
        """Return values that add up, in the shape of `base`."""
        if self.projections_ is not None:
            return self._bounded(np.einsum("cij,tjch->tich", self.projections_, base), panel)
        wide = np.moveaxis(base, 1, 0)
        changed = reconciled(wide.reshape(len(wide), -1), self._hierarchy, self.method_) if base.size else wide
        return self._bounded(np.moveaxis(changed.reshape(wide.shape), 0, 1), panel)

    def _bounded(self, values: np.ndarray, panel: Panel) -> np.ndarray:
        """Return values (..., series, targets, horizon) with the lowest level within its bounds, and its sums."""
        summing = self._hierarchy.summing
        count = summing.shape[1]
        lower, upper = (bound[-count:, :, None] for bound in self.forecasters_[0]._bounds_of(panel))
        return np.einsum("nb,...bch->...nch", summing, np.clip(values[..., -count:, :, :], lower, upper))

    def _bounds_of(self, panel):
        """Return the bounds of the lowest level, which determine those of sums."""
        shape = len(panel.ids), panel.channels
        return np.full(shape, -np.inf), np.full(shape, np.inf)

    def _check_targets(self, panel):
        """Do nothing: the wrapped forecaster checks its bounds."""


def _all_series(panel: Panel, times: np.ndarray) -> Origins:
    """Return origins of all series and targets at each of some ordinals, in the order (times, series, targets)."""
    entity = np.tile(np.arange(len(panel.ids)), len(times))
    ordinal = np.maximum(np.repeat(times, len(panel.ids)), panel.start[entity])
    return Origins.every_channel(entity, panel.row_at(entity, ordinal), panel.channels)
