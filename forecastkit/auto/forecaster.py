"""AutoForecaster: select and train an ensemble within a time limit."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from forecastkit.auto.candidates import WHERE, baselines, check_candidates, filled, make_candidates
from forecastkit.auto.final_fits import Schedule, refit
from forecastkit.auto.fold_scores import FoldEvaluator
from forecastkit.auto.select_members import choose
from forecastkit.auto.successive_halving import Halving
from forecastkit.auto.trials_file import append_line, check_trials_file
from forecastkit.comparison.candidates import Candidate
from forecastkit.comparison.measure import parts_of
from forecastkit.data.panel import Panel
from forecastkit.forecasters.base import Forecaster
from forecastkit.forecasters.ensemble import Combination
from forecastkit.forecasters.ensemble_members import is_usable
from forecastkit.uncertainty.forecasts import clipped
from forecastkit.utils import types
from forecastkit.utils.exceptions import InputError, ParameterError
from forecastkit.utils.formatting import percent
from forecastkit.utils.time_budget import MOST, TimeBudget, no_time_for, seconds_of
from forecastkit.utils.types import Data
from forecastkit.utils.validation import check_real, first_few, refuse
from forecastkit.utils.warn import warn_user

#: Parts of the time that the search may end at, and that the baselines may take before it.
SEARCHED, BASELINES = 0.42, 0.3
#: Multiplications a second that no machine does more of: what cannot be done at this rate is refused.
FASTEST = 1e11


@dataclass(kw_only=True, eq=False, repr=False)
class AutoForecaster(Combination):
    """An ensemble that is found and trained, within a time limit where one is given.

    What takes seconds comes first: the seasonal naive, the linear forecaster, a damped trend and the pre-trained
    network. Then networks are trained, where there are rows enough, in the order of what they are expected to gain, by
    successive halving over rolling-origin folds of the rows before the validation block.
    All whose errors on the folds are within a quarter of the least count alike in the average, the trained networks
    together as one of them. They are trained on all rows given to `fit`; the validation block stops their training and
    gives scores and intervals, and has no say in who they are.

    Parameters
    ----------
    forecasters : list of (str or Forecaster), optional
        Networks and others to try, the most promising first, by names such as ``"gru"`` or as forecasters. Default: a
        damped trend, the pre-trained network, and one network to be trained for every 1,500 values, up to ten.
    time_limit : float or str, optional
        Seconds of `fit`, reading included, or ``"90s"`` (the default), ``"15m"``, ``"1h"``; kept within 15 %. Networks
        for which there is no time are left out, with a warning; with very few seconds only the baselines remain. With
        seconds left, networks are trained with up to three seeds. With None all are tried and trained in full, with
        one seed: the more of them, and the longer it takes, the more rows there are.
    random_state : int, RandomState or None
        Seed of the networks. Without a time limit the same seed gives the same forecasts; with one, what is tried and
        how long depends on the machine's speed too.
    path : path-like, optional
        File that every trial is appended to at once, as a JSON line, so that what was found is there after a kill too:
        ``pd.read_json(path, lines=True)``.
    verbose : int
        1 prints a line for each trial and each member.

    Attributes
    ----------
    leaderboard_ : DataFrame
        A row for each forecaster, the best first: its mean ``score``, the MASE divided by that of the seasonal naive;
        the same on each fold (``fold_1`` is the latest); ``seconds`` spent on it in the search; the ``round`` it
        reached, 0 where there was no time to try it; and whether it is in the ensemble (``member``).
    forecasters_ : list of Forecaster
        The fitted members.
    best_forecaster_ : Forecaster
        The fitted member that had the best score.
    trials_ : list of dict
        Every fit of the search.
    lowest_ : float or None
        0 where no target is below 0: then forecasts, quantiles and sample paths are not either.

    Notes
    -----
    After Ctrl-C the leaderboard is that of the trials so far, and the forecaster works with the members that were
    ready, in the search the linear one.

    References
    ----------
    Jamieson and Talwalkar (2016), "Non-stochastic best arm identification and hyperparameter optimization", AISTATS
    (successive halving). Claeskens et al. (2016), "The forecast combination puzzle", International Journal of
    Forecasting 32 (plain averages).
    """

    forecasters: Sequence[str | Forecaster] | None = None
    time_limit: float | str | None = "90s"
    random_state: types.Seed | None = None
    path: types.Path | None = None
    verbose: int = 0

    _budget = None  # of the fit that is going on
    _cross_validates = False  # a second fit may take as long as its time limit
    _needed = 0.0  # seconds that its linear forecaster took

    def fit(self, X: Data, y: Data | None = None, sample_weight: ArrayLike | None = None) -> Self:
        self._check_parameters()
        self._budget = TimeBudget(self._seconds())
        try:
            return super().fit(X, y, sample_weight)
        finally:
            vars(self).pop("_budget", None)

    fit.__doc__ = Forecaster.fit.__doc__

    def _check_parameters(self):
        super()._check_parameters()
        check_real(WHERE, "time_limit", self._seconds(), 1.0, 1e9, optional=True)
        check_candidates(self.forecasters)
        if self.path is not None:
            check_trials_file(self.path)

    def _seconds(self):
        return seconds_of(self.time_limit, WHERE)

    def _fit(self, panel, split, stop):
        self._budget = self._budget or TimeBudget(self._seconds())
        self._refuse_too_little(panel)
        self.trials_, self.untried_, self.names_ = [], [], []
        self.lowest_ = lowest_of(panel)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        own, candidates = self._entrants(panel)
        self._first(own[0], panel)
        search = self._search(panel, split, own, candidates, seed)
        self._train(search, own, candidates, panel)
        if self.untried_:
            too_few = f"rows are too few to try {first_few(self.untried_, 12)}"
            reason = f"{no_time_for(self.untried_)}: pass a longer time_limit=" if search.had_folds else too_few
            warn_user(f"{WHERE}: {reason}.")

    def _refuse_too_little(self, panel):
        """Refuse a limit in which not even the linear forecaster can be solved."""
        windows = min(panel.rows * panel.channels, 200_000)
        least = windows * self.lookback_ * (self.lookback_ + self.horizon_) / FASTEST
        if least > self._budget.limit:
            rule = f"time_limit must leave the baselines, which are always in, at least {least:.0f} s"
            remedy = "Pass a larger time_limit=, or a shorter lookback=."
            refuse(WHERE, rule, f"{self._seconds():g} s", remedy, ParameterError)

    def _entrants(self, panel):
        """The baselines and the candidates."""
        names = ("season_length", "quantile_levels")
        common = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        common |= {"horizon": self.horizon_}
        given = make_candidates(self.forecasters, panel, {**common, "lookback": self.lookback_})
        # The linear forecaster chooses its own lookbacks where none is asked for.
        common |= {} if self.lookback is None else {"lookback": self.lookback_}
        own = [Candidate(one.name, filled(one.forecaster, common)) for one in baselines(self.season_length_)]
        return own, [one for one in given if one.name not in {each.name for each in own}]

    def _tell(self, label, text):
        if self.verbose:
            print(f"{label:<8} {text}", flush=True)

    # ------------------------------------------------------------------------------------------ the search

    def _first(self, contender, panel):
        """The linear forecaster on all rows, which is what remains where nothing else can be done."""
        before = self._budget.elapsed()
        self._linear = self._fitted(contender.for_run(None, None), panel)
        self._hold({contender.name: [self._linear]})
        self._needed = self._budget.elapsed() - before
        self._tell("trained", f"{contender.name}, {self._needed:.0f} s")

    def _fitted(self, member, panel):
        member.set_params(horizon=self.horizon_, validation_size=self.validation_size)
        member._weight, member._linear = self._weight, self._linear
        member._check_parameters()
        return member._fit_panel(panel, self.schema_, finish=False)

    def _hold(self, groups, weights=None):
        """Be the average of these, seeds of each member side by side; `weights` of names, equal ones by default."""
        groups = {name: group for name, group in groups.items() if group}
        if not groups:
            return
        self.names_ = list(groups)
        self.forecasters_ = [member for group in groups.values() for member in group]
        self.groups_ = [number for number, group in enumerate(groups.values()) for _ in group]
        self._settle(None if weights is None else [weights[name] for name in groups])

    def _search(self, panel, split, own, candidates, seed):
        """The search, as far as there is time for it."""
        before = self.scaler_.without_faults(panel).between(panel.indptr[:-1], split)
        calendar = panel.grid.is_time or self.schema_.time is not None
        sizes = self.horizon_, self.season_length_
        evaluator = FoldEvaluator(before, self.schema_, sizes, calendar, self._keep)
        values = {"validation_size": self._validation_part(panel, split), "final_epochs": 0}
        search = Halving(evaluator, self._budget, values, seed, self._tell)
        evaluator.use(int(min(BASELINES * self._budget.limit / max(self._needed, 1e-3), len(evaluator.folds))))
        try:
            for fold in range(len(evaluator.folds)):
                for contender in own:
                    evaluator.attempt(contender, fold, None, None, values)
            search.run(candidates, SEARCHED * self._budget.limit)
        finally:
            self.trials_, self.untried_ = [asdict(trial) for trial in evaluator.trials], search.untried
        return search

    def _keep(self, trial):
        """Write a trial to the file at once, where one was given."""
        if self.path is not None:
            append_line(self.path, asdict(trial))

    def _validation_part(self, panel, split):
        """Part of the rows that is for validation, which the rows before a fold keep."""
        lengths = panel.last_observed() + 1 - panel.indptr[:-1]
        longest = int(np.argmax(lengths))
        return float(np.clip(1 - (split - panel.indptr[:-1])[longest] / lengths[longest], 0.0, 0.5))

    # ------------------------------------------------------------------------------------------ the members

    def _train(self, search, own, candidates, panel):
        """Fit the members on all rows."""
        schedule = Schedule(self._budget, self._needed)
        known = {one.name: one for one in [*own, *candidates]}
        weights = choose(search, known, schedule, own[-1].name) or {own[0].name: 1.0}
        self._tell("chosen", ", ".join(f"{name} ({percent(weight)})" for name, weight in weights.items()))
        groups = {name: [] for name in weights}
        if own[0].name in groups:
            groups[own[0].name] = self.forecasters_[:1]

        def fit(name, member):
            began = self._budget.elapsed()
            try:
                groups[name].append(self._fitted(member, panel))
            except KeyboardInterrupt:
                groups[name] += [member] if is_usable(member) else []
                raise
            except InputError as error:
                self._tell("failed", f"{name}: {error}")
            finally:
                if any(groups.values()):
                    self._hold(groups, weights)
            self._tell("trained", f"{name}, {self._budget.elapsed() - began:.0f} s")

        self._hold(groups, weights)
        chosen = [known[name] for name in weights if not groups[name]]
        refit(chosen, schedule, search.seed, fit)

    def _finish(self, panel, split, stop):
        """Use the validation rows too, as far as there is time: what is solved in closed form first."""
        for member in sorted(self.forecasters_, key=lambda member: not hasattr(member, "ridge_")):
            seconds = self._needed if hasattr(member, "ridge_") else seconds_to_finish(member)
            if self._budget is None or self._budget.elapsed() + seconds <= MOST * self._budget.limit:
                member._finish(panel, split, stop)

    def _put_down(self):
        super()._put_down()
        for name in ("_budget", "_needed"):
            vars(self).pop(name, None)

    # ------------------------------------------------------------------------------------------ forecasts

    def _forecast(self, panel, origins):
        return clipped(super()._forecast(panel, origins), self._lowest(), None)

    def _forecast_at(self, panel, origins):
        return clipped(super()._forecast_at(panel, origins), self._lowest(), None)

    def _lowest(self):
        return getattr(self, "lowest_", None)  # files of earlier versions have none

    # ------------------------------------------------------------------------------------------ results

    @property
    def leaderboard_(self) -> pd.DataFrame:
        """See the class."""
        if not hasattr(self, "trials_"):
            raise AttributeError("leaderboard_ exists after fit")
        return leaderboard(self.trials_, self.untried_, self.names_)

    @property
    def best_forecaster_(self) -> Forecaster:
        """See the class."""
        if not self._is_trained():
            raise AttributeError("best_forecaster_ exists after fit")
        return self.forecasters_[0]


def lowest_of(panel: Panel) -> float | None:
    """0 where no target was observed below it, which forecasts then keep to; else None."""
    least = np.fmin.reduce(panel.target, axis=None)
    return 0.0 if least >= 0 else None


def seconds_to_finish(member) -> float:
    """Seconds that a fitted network's final epochs are expected to take; none for anything else."""
    parts = [part for part in parts_of(member) if hasattr(part, "training_history_")]
    return sum(part._final_epochs() * part.training_history_.epoch_seconds() for part in parts)


def leaderboard(trials: list[dict], untried: list[str], chosen: list[str]) -> pd.DataFrame:
    """A row for each forecaster, those of most rounds first, then by score."""
    rows = {}
    for trial in trials:
        row = rows.setdefault(trial["forecaster"], {"score": np.nan, "seconds": 0.0, "round": 0})
        row[f"fold_{trial['fold'] + 1}"] = trial["score"]
        row["seconds"] += trial["seconds"]
        row["round"] = max(row["round"], trial["fold"] + 1)
    for name in untried:
        rows[name] = {"score": np.nan, "seconds": 0.0, "round": 0}
    folds = sorted({name for row in rows.values() for name in row if name.startswith("fold_")})
    for row in rows.values():
        scores = [row[name] for name in folds if name in row]
        row["score"] = float(np.mean(scores)) if scores else np.nan
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["score", *folds, "seconds", "round"])
    table["member"] = table.index.isin(chosen)
    table = table.rename_axis("forecaster").reset_index()
    order = np.lexsort((table["score"].to_numpy(dtype="float64"), -table["round"].to_numpy()))
    return table.iloc[order].reset_index(drop=True)
