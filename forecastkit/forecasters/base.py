"""Base class of all forecasters: fit, predict, forecast, update, score, save."""

import copy
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from forecastkit.data.ingest.leakage import refuse_leaks
from forecastkit.data.panel import Panel, check_observed
from forecastkit.data.row_labels import refuse_targets
from forecastkit.data.schema import READING, Schema
from forecastkit.data.sizes import choose_horizon, choose_lookback, choose_season, validation_start
from forecastkit.data.windows import Origins
from forecastkit.features.calendar import calendar_names, requested_names
from forecastkit.forecasters.future_rows import tail
from forecastkit.forecasters.model import FitContext
from forecastkit.forecasters.newer_rows import Updating
from forecastkit.forecasters.predict import NOT_SAVED, Predicting
from forecastkit.forecasters.streaming import Streaming
from forecastkit.preprocessing.moments import warn_broken
from forecastkit.preprocessing.scaler import Scaler
from forecastkit.preprocessing.transforms import TRANSFORMS, outside_domain
from forecastkit.uncertainty import validation
from forecastkit.uncertainty.forecasts import Bounds
from forecastkit.utils.arrays import is_mapped, map_rows
from forecastkit.utils.docstrings import inherit_parameters
from forecastkit.utils.estimator import BaseEstimator, RegressorMixin
from forecastkit.utils.exceptions import InputError, refuse_missing
from forecastkit.utils.types import Calibrate, Columns, Data, Path
from forecastkit.utils.validation import check_choice, check_int, check_levels, check_real, refuse
from forecastkit.utils.warn import warn_user

#: Fitted attributes that are short enough to display.
SHOWN = ("horizon_", "lookback_", "patch_", "season_length_", "n_features_in_", "scores_")


@dataclass(kw_only=True, eq=False, repr=False)
class Forecaster(Updating, Streaming, Predicting, Bounds, RegressorMixin, BaseEstimator):
    """Base class of all forecasters. Constructor parameters are stored unchanged and validated by `fit`.

    Parameters
    ----------
    horizon : int, optional
        Number of steps forecast at once; by default the usual one of the frequency, such as 48 hours, 14 days, 13 weeks
        or 12 months, and 12 steps without times, at most a fifth of the rows. For `X` and `y` without times it is 1.
    lookback : int, optional
        Number of past steps used by a forecast; by default three of the longest season or three horizons, at most a
        quarter of the data and 1,920 steps.
    target : str or list of str, optional
        Columns of X to forecast if there is no y; by default all columns without another role.
    time, series_id : str or list of str, optional
        Columns or index levels with the time and the series identifier. Several time columns are a date and a time of
        day or hours, or a year and months (days, hours), quarters or weeks; several series columns form one key.
    known, past, static : str or list of str, optional
        Future covariates, past covariates, and static covariates (constant within a series).
    freq : str, optional
        Pandas alias of the frequency; by default inferred from the times.
    timezone : str, optional
        Time zone of times without one, such as ``"Europe/Berlin"``. Repeated and skipped hours at clock changes are
        resolved by date and row order. Times of other zones are converted, and results are returned in this zone.
    duplicates : {'refuse', 'mean', 'first', 'last', 'sum', 'max', 'min'}
        How duplicate rows of one series and time are resolved: an aggregation of the non-missing numeric values;
        categories keep the last value.
    resample : {None, 'mean', 'sum', 'first', 'last', 'max', 'min', 'nearest'}
        How irregular rows are read: those of one series in one slot of `freq`, labelled by its start, are aggregated
        by this rule; of categories the last is taken. 'nearest' moves each row to the nearest step of a regular grid.
        Default: rows close to a regular grid are moved to it with a warning, other irregular ones are refused.
    slots : {None, 'observed', 'all'}
        Which times of the week are forecast: 'observed', only those with rows, such as the hours of a shop; 'all',
        every one of the frequency. Default: those observed where their pattern is clear and `freq` is not given.
    season_length : int, optional
        Length of the main season in steps; by default that of the frequency, or of the values if rows have no times.
    validation_size : int or float
        Validation block at the end of every series (number of steps or fraction), used for early stopping and residual
        quantiles.
    quantile_levels : list of float, optional
        Quantile levels of `forecast`, for which networks are trained.
    calibrate : {False, True, 'rolling'}
        Whether quantiles are calibrated by the errors on the validation block (True), if at least 20 of its windows do
        not overlap, or by those of each series' latest 500 windows before a forecast if there are at least 60
        ('rolling'), which adapts to changes. These windows are those of the validation block and of rows after the
        training rows; see `forecastkit.uncertainty.conformal`. Quantiles of point forecasts are always those of
        validation errors.
    lower, upper : float or dict, optional
        Bounds of points, quantiles and samples. A dict has bounds by the names of series or targets; series and targets
        without a name in it have none. By default, `lower` is 0 for each target that was never observed below 0;
        ``lower=-numpy.inf`` means no bound.

    Attributes
    ----------
    horizon_, lookback_, season_length_ : int
        The sizes in use.
    history_ : Panel
        Rows from which forecasts start; extended by `update`.
    cutoff_ : timestamp or int, or Series of them by series
        Time of the last observed row.
    nonnegative_ : ndarray of bool
        Targets never observed below 0, whose forecasts are not below 0 either unless `lower` is given.
    trained_until_ : ndarray
        Grid ordinal of the last training row of each series, which `update` does not change.
    history_is_tail_ : bool
        Whether the history lacks rows of the fit, as that of a loaded forecaster does.
    n_revised_ : int
        Number of training rows whose targets `update` has changed since.
    scores_ : dict
        Scores on the validation block, see docs/evaluation.md: ``mae`` and ``mase`` of this forecaster and, with
        ``_seasonal_naive`` and ``_linear`` appended, of the references; ``skill_seasonal_naive`` and ``skill_linear``,
        the fraction of a reference's MAE that it saves; ``windows``, their number. A MASE without a scale is left out.
    """

    horizon: int | None = None
    lookback: int | None = None
    target: Columns | None = None
    time: str | list[str] | None = None
    series_id: str | list[str] | None = None
    known: Columns | None = None
    past: Columns | None = None
    static: Columns | None = None
    freq: str | None = None
    timezone: str | None = None
    duplicates: str = "refuse"
    resample: str | None = None
    slots: str | None = None
    season_length: int | None = None
    validation_size: float = 0.2
    quantile_levels: Sequence[float] | None = None
    calibrate: Calibrate = False
    lower: float | dict | None = None
    upper: float | dict | None = None

    _most_validation_windows = None  # windows that scores and residuals are taken from; None for the usual number

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        inherit_parameters(cls)

    # ------------------------------------------------------------------------------------------ fit

    def fit(self, X: Data, y: Data | None = None, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the forecaster, discarding any previous fit.

        Parameters
        ----------
        X : array, Series, frame or Panel
            Without `y` the series themselves, in order of time; with `y` the future covariates of its rows.
        y : array, Series or frame, optional
            Target or targets of the same rows.
        sample_weight : array of shape (rows of X,), optional
            Weights of the rows as targets. Networks multiply the losses of rows by them; the linear forecaster weights
            a window by the mean of its horizon; baselines ignore them. Rows of weight 0 are still used as inputs.

        Returns
        -------
        self

        Raises
        ------
        InputError
            If data or parameters are invalid; the message states where, why, and the remedy.
        """
        from forecastkit.data.ingest.read_panel import read_panel  # here: a stored history is not read
        from forecastkit.data.ingest.sample_weight import read_weights

        began, weight = time.monotonic(), None
        try:
            self._check_parameters()
            panel, schema = read_panel(X, y, **self._reading())
            if sample_weight is not None:
                weight = read_weights(sample_weight, X, y, panel, schema, self._reading())
            warn_broken(type(self).__name__, panel, schema.target)
            with self._restored(when=self._learned_nothing):
                return self._fit_panel(panel, schema, weight, began)
        except ModuleNotFoundError as error:
            refuse_missing(error)

    def _learned_nothing(self, error: BaseException) -> bool:
        """Return whether a `fit` with this error learned nothing; an interrupted training keeps its best weights."""
        return isinstance(error, InputError) or not hasattr(self, "history_")

    @contextmanager
    def _restored(self, when: Callable[[BaseException], bool] = lambda error: True) -> Iterator[None]:
        """Restore the fitted attributes of this forecaster and its members if the block raises and `when` is true.

        Networks are kept as their weights alone: until the block is over there is never a second compiled network.
        """
        before = [(part, {name: _kept(value) for name, value in vars(part).items()}) for part in _parts(self)]
        try:
            yield
        except BaseException as error:
            if when(error):
                for part, attributes in before:
                    vars(part).clear()
                    vars(part).update(attributes)
            raise

    def _reading(self):
        return {name: getattr(self, name) for name in READING}

    def _configured(self) -> "Forecaster":
        """Return the forecaster whose parameters define the forecast: itself, or the wrapped one."""
        return self

    def _fit_panel(
        self, panel: Panel, schema: Schema, weight: np.ndarray | None = None, began: float | None = None
    ) -> Self:
        """Fit on a panel: learn, evaluate on the validation block, then use its rows too."""
        context = self._start_fit(panel, schema, weight)
        context.began = context.began if began is None else began
        try:
            self._learn(context)
            self._finish(context)
            remove_checkpoints(context)
        finally:
            self._release(context)
        return self

    def _start_fit(self, panel: Panel, schema: Schema, weight=None, linear: "Forecaster | None" = None) -> FitContext:
        """Discard any previous fit; choose sizes, split and scales for a fit on this panel."""
        self._forget()
        self.schema_ = schema
        self.n_features_in_ = len(schema.columns)
        stop = panel.last_observed() + 1
        check_observed(type(self).__name__, self.schema_, panel)
        self._choose_sizes(panel, stop)
        if schema.known:
            refuse_leaks(schema, panel, self.horizon_)
        self._check_transform(panel)
        split = validation_start(panel.indptr[:-1], stop, self.validation_size, self.horizon_)
        self.scaler_ = self._scaler(panel, split, self._calendar(panel.grid), weight).with_faults_masked(panel, stop)
        clean = self.scaler_.without_faults(panel)
        with np.errstate(invalid="ignore"):
            self.nonnegative_ = np.fmin.reduce(clean.target, axis=0) >= 0
        self._check_targets(clean)
        return FitContext(panel, split, stop, weight, linear)

    def _forget(self):
        """Delete all fitted attributes."""
        for name in [name for name in vars(self) if name.endswith("_")]:
            del vars(self)[name]

    def _learn(self, context: FitContext):
        """Learn from the rows before the validation block, and evaluate on it."""
        try:
            self._fit(context)
        except InputError:  # nothing was learned
            raise
        except BaseException:  # an interrupted training still leaves a forecaster that works
            if self._is_trained():
                self._evaluate_validation(context)
            raise
        self._evaluate_validation(context)

    def _evaluate_validation(self, context: FitContext):
        panel = context.panel
        self.residual_scale_ = self.scaler_.transformed_error_units(panel)
        found = validation.calibrate(self, context)
        self.residuals_, self.paths_, self.corrections_ = found.residuals, found.paths, found.corrections
        self.rolling_errors_, self.pending_scores_ = found.rolling_errors, found.scores
        self.local_scale_ = found.local_scale
        if self.residuals_ is not None and not self.residuals_.held_out and not is_mapped(panel.target):
            self.fit_data_ = validation.FitData.of(context, self.scaler_)
        self.history_, self.trained_until_, self.n_revised_ = panel, panel.cutoffs(), 0
        self.history_is_tail_ = is_mapped(panel.target)
        if self.history_is_tail_:  # forecasts write rows into a copy of the history, which would be as large
            self.history_ = tail(panel, self.scaler_, self._rows_kept(panel))

    def _scaler(self, panel, stop, calendar, weight) -> Scaler:
        """Return the scaler, fitted on the rows before ``stop[e]``."""
        more = {"weight": weight, "codes": self.schema_.codes(), "transform": self._transform()}
        return Scaler.fit(panel, stop, self.horizon_, calendar, self._divides(), **more)

    def _transform(self) -> str | None:
        """Return the name of the target transform; None without one."""
        name = getattr(self, "target_transform", None)
        return None if name == "none" else name

    def _check_transform(self, panel):
        name = self._transform()
        if name is None:
            return
        rule = f"target_transform={name!r} is for values {'above' if name == 'log' else 'from'} 0"
        wrong = map_rows(partial(outside_domain, name), panel.target)
        refuse_targets(type(self).__name__, rule, wrong, panel, self.schema_.target, "Pass another target_transform=.")

    def _divides(self) -> bool:
        """Return whether series are scaled without centering."""
        return False

    def _check_parameters(self):
        where = type(self).__name__
        for name in ("horizon", "lookback", "season_length"):
            check_int(where, name, getattr(self, name), optional=True)
        self._check_bounds()
        if self.quantile_levels is not None:
            check_levels(where, self.quantile_levels)
        check_choice(where, "target_transform", getattr(self, "target_transform", None), (*TRANSFORMS, "none", None))
        check_choice(where, "calibrate", self.calibrate, (False, True, "rolling"))
        if isinstance(self.validation_size, (int, np.integer)) and not isinstance(self.validation_size, bool):
            check_int(where, "validation_size", self.validation_size, low=0)
        else:
            check_real(where, "validation_size", self.validation_size, 0.0, 0.9)

    def _choose_sizes(self, panel, stop):
        longest = int((stop - panel.indptr[:-1]).max())
        self.horizon_ = choose_horizon(self.horizon, self.season_length, panel, self.schema_)
        if longest < self.horizon_ + 2:
            rule = f"a series must have at least horizon + 2 = {self.horizon_ + 2} rows"
            got = f"{longest} rows (n_samples={longest})"
            refuse(type(self).__name__, rule, got, "Pass a shorter horizon= or more rows.")
        split = validation_start(panel.indptr[:-1], stop, self.validation_size, self.horizon_)
        self.season_length_ = choose_season(self.season_length, panel, split)
        self.lookback_ = self._choose_lookback(longest, (self.season_length_, *panel.grid.seasons))

    def _choose_lookback(self, longest, seasons):
        if self.lookback is None:
            return self._round_lookback(choose_lookback(self.horizon_, seasons, longest))
        most = longest - self.horizon_
        if self.lookback > most:
            warn_user(
                f"{type(self).__name__}: {longest} rows leave {most} for the lookback beside a horizon of "
                f"{self.horizon_}; lookback {self.lookback} is shortened to {most}."
            )
        return min(int(self.lookback), most)

    def _round_lookback(self, lookback: int) -> int:
        """Return a default lookback that suits the architecture."""
        return lookback

    def _calendar(self, grid) -> tuple[str, ...]:
        """Return the names of the calendar features in use."""
        calendar, holidays, fourier = (getattr(self, name, None) for name in ("calendar", "holidays", "fourier"))
        names = calendar_names(grid) if calendar else ()
        if holidays is None and fourier is None:
            return names
        return names + requested_names(type(self).__name__, grid, holidays, fourier, self.season_length)

    def _validation(self, context: FitContext, most: int | None = None) -> Origins:
        return validation.sample_validation_windows(context.panel, context.split, context.stop, self.horizon_, most)

    def _linear_reference(self, context: FitContext, panel, origins, own):
        """Return point forecasts (n, horizon) of a linear model already fitted, as a reference; else None."""
        return None if context.linear is None else context.linear._forecast(panel, origins).point()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.multi_output, tags.target_tags.required = True, False
        return tags

    def _get_fitted_attr_html(self, doc_link=""):
        """Return the fitted attributes that scikit-learn displays: sizes and scores, without loading a network."""
        shown = object.__new__(type(self))
        vars(shown).update((name, value) for name, value in vars(self).items() if name in SHOWN)
        return BaseEstimator._get_fitted_attr_html(shown, doc_link)

    def save(self, path: Path) -> None:
        """Save the forecaster to the file `path` (a zip without pickles); see `forecastkit.load`."""
        from forecastkit.persistence.artifact import save

        self._check_is_fitted()
        save(self, path)

    def _state(self) -> dict:
        """Return the fitted attributes to save, with as much of the history as forecasts need."""
        learned = {name: value for name, value in vars(self).items() if name.endswith("_") and name not in NOT_SAVED}
        rows = self._rows_kept(self.history_)
        return {**learned, "scores_": self.scores_, "history_": tail(self.history_, self.scaler_, rows)}

    def _set_state(self, learned: dict):
        """Set the fitted attributes returned by `_state`."""
        vars(self).update((name, value) for name, value in learned.items() if name.endswith("_"))
        self.history_is_tail_, self.n_revised_ = True, 0
        if "residual_scale_" not in vars(self):  # a file of an earlier version
            self.residual_scale_, self.rolling_errors_ = self.scaler_.trained_scale(), None
        vars(self).setdefault("local_scale_", None)

    def _rows_kept(self, panel: Panel) -> int | None:
        """Return the number of latest rows of each series of the panel that are saved; None for all."""
        return self._rows_needed(panel)

    def _rows_to_train(self) -> float:
        """Return the smallest number of rows of a series that `partial_fit` needs."""
        return 0


def _parts(forecaster: Forecaster) -> Iterator[Forecaster]:
    """Yield the forecaster and its fitted members."""
    yield forecaster
    for name, value in vars(forecaster).items():
        if name.endswith("_"):
            for member in value if isinstance(value, list) else [value]:
                if hasattr(member, "_set_state"):
                    yield from _parts(member)


def _kept(value):
    """Return a copy of the value if later steps change it in place."""
    # A network is here only where its module is loaded; an import would load Keras for forecasters without one.
    module = sys.modules.get("forecastkit.training.trained_network")
    if module is not None and isinstance(value, module.TrainedNetwork):
        return copy.copy(value)
    return list(value) if isinstance(value, list) else value


def remove_checkpoints(context: FitContext) -> None:
    """Delete the files from which a fit and the fits of its members could have been resumed."""
    for checkpoint in context.checkpoints:
        checkpoint.remove()
    for _, member in context.members:
        remove_checkpoints(member)
