"""TunedForecaster: a forecaster whose parameters are searched by `fit`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras  # noqa: F401  imported here because its import draws from the global generators
import pandas as pd

from forecastkit.forecasters.base import Forecaster
from forecastkit.forecasters.composite import Composite, with_common_parameters
from forecastkit.forecasters.model import FitContext
from forecastkit.tuning.search import Search
from forecastkit.tuning.settings import Settings
from forecastkit.tuning.space import make_space
from forecastkit.utils import types
from forecastkit.utils.exceptions import InputError, ParameterError
from forecastkit.utils.validation import refuse

#: Learned attributes that are copied from the best forecaster.
SHARED = (
    "schema_",
    "n_features_in_",
    "horizon_",
    "season_length_",
    "lookback_",
    "scaler_",
    "residuals_",
    "paths_",
    "residual_scale_",
    "corrections_",
    "rolling_errors_",
    "local_scale_",
    "pending_scores_",
    "history_",
    "history_is_tail_",
    "n_revised_",
    "trained_until_",
    "trained_levels_",
)


@dataclass(kw_only=True, eq=False, repr=False)
class TunedForecaster(Composite):
    """A forecaster with the parameters that have the smallest error on rolling-origin folds.

    `fit` runs the search of `forecastkit.tune` and fits the best forecaster on all rows. Parameters of `Forecaster`
    that are given here, such as `horizon` or `target`, replace those of the given forecaster.

    Parameters
    ----------
    forecaster : Forecaster
        Forecaster to clone; its own parameters are the first trial.
    space : dict or callable, optional
        ``{"units": [32, 64], "learning_rate": (1e-4, 1e-2, "log"), "lookback": [96, 192, 336]}``, or a function of
        keras-tuner's ``hp`` that returns a dict of parameters. By default a space that suits the forecaster.
    search : {'local', 'random', 'bayesian', 'hyperband'}
        How keras-tuner proposes parameters.
    n_trials : int, optional
        Number of trials; by default 20, or as many as the time limit allows.
    time_limit : float or str, optional
        Time limit of the search and the final fit in seconds, or ``"90s"``, ``"10m"``, ``"1h"``.
    n_folds : int, optional
        Number of blocks of last rows, each forecast by fits on all rows before it; by default three, or fewer for few
        rows.
    directory : path-like, optional
        Folder in which finished trials are stored, from which a stopped search resumes.
    n_jobs : int
        Number of parallel trials, each in a separate process; 0 runs them in this process.
    random_state : int, RandomState or None
        Seed of the proposals, and of the forecaster if it has none.
    verbose : int
        1 prints one line per trial.

    Attributes
    ----------
    best_forecaster_ : Forecaster
        The best forecaster, fitted on all rows.
    best_params_ : dict
        The values of the searched parameters.
    best_score_ : float
        Its error on the folds, relative to that of the seasonal naive forecast.
    trials_ : DataFrame
        The leaderboard, see `forecastkit.tuning.results.Tuning`. After Ctrl-C it contains the results so far, as do
        `best_params_` and `best_score_`.

    References
    ----------
    As `forecastkit.tune`.
    """

    forecaster: Forecaster = field(kw_only=False)
    space: Mapping[str, Any] | Callable[..., Mapping[str, Any]] | None = field(default=None, kw_only=False)
    search: str = "local"
    n_trials: int | None = None
    time_limit: float | str | None = None
    n_folds: int | None = None
    directory: types.Path | None = None
    n_jobs: int = 1
    random_state: types.Seed | None = None
    verbose: int = 0

    def _check_parameters(self):
        where = type(self).__name__
        if not isinstance(self.forecaster, Forecaster):
            refuse(where, "forecaster must be a Forecaster", repr(self.forecaster), error=ParameterError)
        super()._check_parameters()
        self._settings().check(where)
        template = self._configured()
        template._check_parameters()
        if self.space is not None:
            make_space(self.space, template)

    def _settings(self):
        names = ("search", "n_trials", "time_limit", "n_folds", "directory", "n_jobs", "random_state")
        return Settings(**{name: getattr(self, name) for name in names}, refits=1)

    def _configured(self) -> Forecaster:
        """Return the forecaster with the parameters given here."""
        template = with_common_parameters(self.forecaster, self)
        if getattr(template, "random_state", 0) is None and self.random_state is not None:
            template.set_params(random_state=self.random_state)
        return template

    def _reading(self):
        return self._configured()._reading()

    # ------------------------------------------------------------------------------------------ fit

    def _start_fit(self, panel, schema, weight=None, linear=None):
        self._forget()
        self.schema_, stop = schema, panel.last_observed() + 1
        return FitContext(panel, stop, stop, weight, linear)

    def _learn(self, context):
        """Search, and let the best forecaster learn within the time that is left."""
        panel, schema, weight = context.panel, self.schema_, context.weight
        search = Search(self._configured(), panel, schema, self.space, self._settings(), weight)
        try:
            search.run(print if self.verbose else None)
        except KeyboardInterrupt:
            self._keep(search)
            raise
        best = self._keep(search)
        limited = search.limited(best, 1)
        context.parameters = best.get_params(deep=False)
        try:
            self._fit_member(limited, context, context.linear)
        finally:  # an interrupted training still gives a usable forecaster
            if hasattr(limited, "history_"):
                self.forecasters_ = [limited]
                self._share()

    def _keep(self, search):
        """Store the results of the search and return the best forecaster, unfitted."""
        if search.best() is None:
            return None
        found = search.result()
        self.trials_, self.best_params_, self.best_score_ = found.trials, found.best_params, found.best_score
        return found.best_forecaster

    def _share(self):
        """Take over what the best forecaster has learned."""
        best = vars(self.best_forecaster_)
        vars(self).update((name, best[name]) for name in SHARED if name in best)

    def _finish(self, context):
        try:
            super()._finish(context)
        finally:
            self._share()

    def _train_on(self, context):
        super()._train_on(context)
        self._share()

    def _release(self, context):
        super()._release(context)
        for best, _ in context.members:
            best.set_params(**context.parameters)

    @property
    def best_forecaster_(self) -> Forecaster:
        """The best forecaster; see the class."""
        if not self._is_trained():
            raise AttributeError("best_forecaster_ exists after fit")
        return self.forecasters_[0]

    def _learned_nothing(self, error):
        return isinstance(error, InputError) or not hasattr(self, "trials_")

    # ------------------------------------------------------------------------------------------ forecasts

    def _forecast(self, panel, origins):
        return self.best_forecaster_._forecast(panel, origins)

    def _unclipped_at(self, panel, origins):
        return self.best_forecaster_._unclipped_at(panel, origins)

    def _bounds_at(self, panel, origins):
        return self.best_forecaster_._bounds_at(panel, origins)

    def _check_targets(self, panel):
        """The best forecaster checks its bounds."""

    def _rows_needed(self, panel):
        return self._memory(panel)

    # ------------------------------------------------------------------------------------------ saving

    def _state(self):
        table = self.trials_.reset_index()
        cells = {"columns": list(table.columns), "rows": table.astype(object).to_numpy().tolist()}
        return {**super()._state(), "trials_": cells}

    def _set_state(self, learned):
        learned = dict(learned)
        if "best_forecaster_" in learned:  # files of earlier versions
            learned["forecasters_"] = [learned.pop("best_forecaster_")]
        super()._set_state(learned)
        table = pd.DataFrame(self.trials_["rows"], columns=self.trials_["columns"], dtype="object")
        after = list(table.columns).index("state")
        numbers = dict.fromkeys(table.columns[1:after], "float64")
        self.trials_ = table.astype({"trial": "int64", **numbers}).set_index("trial")
