"""AutoForecaster: select and train an ensemble within a time limit."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from forecastkit.auto.candidates import WHERE, baselines, check_candidates, filled, make_candidates
from forecastkit.auto.final_fits import Schedule, refit
from forecastkit.auto.fold_scores import FoldEvaluator
from forecastkit.auto.select_members import choose
from forecastkit.auto.successive_halving import Halving
from forecastkit.comparison.candidates import Candidate
from forecastkit.comparison.measure import parts_of
from forecastkit.forecasters.base import Forecaster
from forecastkit.forecasters.ensemble import Combination
from forecastkit.forecasters.ensemble_members import is_usable
from forecastkit.utils import types
from forecastkit.utils.exceptions import InputError, ParameterError
from forecastkit.utils.formatting import percent
from forecastkit.utils.run_log import RunLog, check_log
from forecastkit.utils.time_budget import MOST, TimeBudget, no_time_for, seconds_of
from forecastkit.utils.validation import check_real, draw_seed, first_few, refuse
from forecastkit.utils.warn import warn_user

#: Fractions of the time at which the search ends, and at which forecasters without training are evaluated.
SEARCHED, BASELINES = 0.42, 0.4
#: Multiplications per second that no machine exceeds; limits that would require more are refused.
FASTEST = 1e11


@dataclass(kw_only=True, eq=False, repr=False)
class AutoForecaster(Combination):
    """An ensemble that is selected and trained automatically, optionally within a time limit.

    Fast forecasters are evaluated first on up to four rolling-origin folds of the rows before the validation block:
    seasonal naive, linear, damped trend and the pre-trained network. If there are enough rows, networks are then
    trained in the order of their expected gain, by successive halving on the latest two folds. The forecasters are
    averaged with weights that fall with the sixth power of their errors as far as the folds agree on them; weights
    below a tenth of the largest are set to 0. The trained networks together count as one more forecaster if they reduce
    the error of the average significantly. Members are trained on all rows given to `fit`. The validation block is used
    for early stopping, scores and intervals, but not for the selection of members.

    Parameters
    ----------
    forecasters : list of (str or Forecaster), optional
        Networks and other forecasters to try, the most promising first, by names such as ``"gru"`` or as forecasters.
        By default a damped trend, the pre-trained network, and one network to train per 5,000 values, up to ten.
    time_limit : float or str, optional
        Time limit of `fit` in seconds, including the reading of data, or ``"90s"`` (the default), ``"15m"``, ``"1h"``;
        it is met within 15 %. Networks for which there is no time are skipped with a warning; with very few seconds
        only the baselines remain. Remaining time is used to train networks with up to three seeds. With None all
        candidates are tried and trained in full with one seed, so the duration grows with the number of rows.
    random_state : int, RandomState or None
        Seed of the networks. Without a time limit the same seed gives the same forecasts; with one, the search also
        depends on the speed of the machine.
    path : path-like, optional
        Run log to which every trial is appended immediately as a JSON line, so that results survive an interruption.
        The first line names the log.
    verbose : int
        1 prints one line per trial and member.

    Attributes
    ----------
    leaderboard_ : DataFrame
        A row for each forecaster, the best first: its mean ``score``, the MASE divided by that of the seasonal naive;
        the same on each fold (``fold_1`` is the latest); ``seconds`` spent on it in the search; its number of folds
        (``round``), 0 where there was no time to try it; and whether it is in the ensemble (``member``).
    forecasters_ : list of Forecaster
        The fitted members.
    best_forecaster_ : Forecaster
        The fitted member with the best score.
    trials_ : list of dict
        All fits of the search.

    Notes
    -----
    After Ctrl-C the leaderboard contains the trials so far, and the forecaster uses the members that were fitted;
    during the search, the linear one.

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

    _cross_validates = False  # every fit has its own time limit

    def _check_parameters(self):
        super()._check_parameters()
        check_real(WHERE, "time_limit", self._seconds(), 1.0, 1e9, optional=True)
        check_candidates(self.forecasters)
        if self.path is not None:
            check_log(self.path, WHERE)

    def _seconds(self):
        return seconds_of(self.time_limit, WHERE)

    def _fit(self, context):
        panel = context.panel
        context.budget = TimeBudget(self._seconds(), spent=time.monotonic() - context.began)
        self._refuse_too_little(panel, context.budget)
        self.trials_, self.untried_, self.names_ = [], [], []
        seed = draw_seed(self.random_state)
        own, candidates = self._all_candidates(panel)
        self._fit_fallback(own[0], context)
        search = self._search(context, own, candidates, seed)
        self._train(search, own, candidates, context)
        if self.untried_:
            too_few = f"rows are too few to try {first_few(self.untried_, 12)}"
            reason = f"{no_time_for(self.untried_)}: pass a longer time_limit=" if search.had_folds else too_few
            warn_user(f"{WHERE}: {reason}.")

    def _refuse_too_little(self, panel, budget):
        """Refuse a limit that is too short for the linear forecaster."""
        windows = min(panel.rows * panel.channels, 200_000)
        least = windows * self.lookback_ * (self.lookback_ + self.horizon_) / FASTEST
        if least > budget.limit:
            rule = f"time_limit must leave the baselines, which are always included, at least {least:.0f} s"
            remedy = "Pass a larger time_limit=, or a shorter lookback=."
            refuse(WHERE, rule, f"{self._seconds():g} s", remedy, ParameterError)

    def _all_candidates(self, panel):
        """Return the baselines and the candidates."""
        names = ("season_length", "quantile_levels")
        common = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        common |= {"horizon": self.horizon_}
        if not panel.grid.is_time:  # the season of the values, the same in all folds
            common["season_length"] = self.season_length_
        given = make_candidates(self.forecasters, panel, {**common, "lookback": self.lookback_})
        # The linear forecaster chooses its lookbacks if none is given.
        common |= {} if self.lookback is None else {"lookback": self.lookback_}
        own = [Candidate(one.name, filled(one.forecaster, common)) for one in baselines(self.season_length_)]
        return own, [one for one in given if one.name not in {each.name for each in own}]

    def _report(self, label, text):
        if self.verbose:
            print(f"{label:<8} {text}", flush=True)

    # ------------------------------------------------------------------------------------------ the search

    def _fit_fallback(self, candidate, context):
        """Fit the linear forecaster on all rows, as the fallback."""
        before = context.budget.elapsed()
        context.linear = self._fitted(candidate.for_run(None, None), context)
        self._set_members({candidate.name: [context.linear]})
        context.linear_seconds = context.budget.elapsed() - before
        self._report("trained", f"{candidate.name}, {context.linear_seconds:.0f} s")

    def _fitted(self, member, context):
        member.set_params(horizon=self.horizon_, validation_size=self.validation_size)
        member._check_parameters()
        return self._fit_member(member, context, context.linear)

    def _set_members(self, groups, weights=None):
        """Set the members, with the seeds of each member in sequence; `weights` by name, equal by default."""
        groups = {name: group for name, group in groups.items() if group}
        if not groups:
            return
        self.names_ = list(groups)
        self.forecasters_ = [member for group in groups.values() for member in group]
        self.groups_ = [number for number, group in enumerate(groups.values()) for _ in group]
        self._set_weights(None if weights is None else [weights[name] for name in groups])

    def _search(self, context, own, candidates, seed):
        """Run the search within the time limit."""
        panel, split, budget = context.panel, context.split, context.budget
        before = self.scaler_.without_faults(panel).between(panel.indptr[:-1], split)
        calendar = panel.grid.is_time or self.schema_.time is not None
        sizes = self.horizon_, self.season_length_
        run_log = RunLog(self.path, {}, WHERE)

        def keep(trial):
            run_log.add(f"{trial.forecaster}, fold {trial.fold + 1}", asdict(trial))

        evaluator = FoldEvaluator(before, self.schema_, sizes, calendar, keep)
        values = {"validation_size": self._validation_part(panel, split), "final_epochs": 0}
        search = Halving(evaluator, budget, values, seed, self._report)
        if context.linear_seconds > BASELINES * budget.limit:
            evaluator.use(0)
            search.untried = [one.name for one in candidates if not one.is_trained]
        # The linear forecaster comes last, as it is the slowest of them where there are many covariates.
        quick = [*own[1:], *(one for one in candidates if not one.is_trained), own[0]]
        try:
            search.evaluate_all(quick, BASELINES * budget.limit)
            search.run([one for one in candidates if one.is_trained], SEARCHED * budget.limit)
        finally:
            self.trials_, self.untried_ = [asdict(trial) for trial in evaluator.trials], search.untried
        return search

    def _validation_part(self, panel, split):
        """Return the fraction of validation rows, which is also used before a fold."""
        lengths = panel.last_observed() + 1 - panel.indptr[:-1]
        longest = int(np.argmax(lengths))
        return float(np.clip(1 - (split - panel.indptr[:-1])[longest] / lengths[longest], 0.0, 0.5))

    # ------------------------------------------------------------------------------------------ the members

    def _train(self, search, own, candidates, context):
        """Fit the members on all rows."""
        budget = context.budget
        schedule = Schedule(budget, context.linear_seconds)
        known = {one.name: one for one in [*own, *candidates]}
        weights = choose(search, known, schedule, own[-1].name) or {own[0].name: 1.0}
        self._report("chosen", ", ".join(f"{name} ({percent(weight)})" for name, weight in weights.items()))
        groups = {name: [] for name in weights}
        if own[0].name in groups:
            groups[own[0].name] = self.forecasters_[:1]

        def fit(name, member):
            began = budget.elapsed()
            try:
                groups[name].append(self._fitted(member, context))
            except KeyboardInterrupt:
                groups[name] += [member] if is_usable(member) else []
                raise
            except InputError as error:
                self._report("failed", f"{name}: {error}")
            finally:
                if any(groups.values()):
                    self._set_members(groups, weights)
            self._report("trained", f"{name}, {budget.elapsed() - began:.0f} s")

        self._set_members(groups, weights)
        chosen = [known[name] for name in weights if not groups[name]]
        refit(chosen, schedule, search.seed, fit)

    def _finish(self, context):
        """Train on the validation rows too, if time allows; closed-form members first."""
        fits, budget = {id(member): own for member, own in context.members}, context.budget
        for member in sorted(self.forecasters_, key=lambda member: not hasattr(member, "ridge_")):
            seconds = context.linear_seconds if hasattr(member, "ridge_") else seconds_to_finish(member)
            if budget.elapsed() + seconds <= MOST * budget.limit:
                member._finish(fits[id(member)])

    # ------------------------------------------------------------------------------------------ results

    @property
    def leaderboard_(self) -> pd.DataFrame:
        """The leaderboard; see the class."""
        if not hasattr(self, "trials_"):
            raise AttributeError("leaderboard_ exists after fit")
        return leaderboard(self.trials_, self.untried_, self.names_)

    @property
    def best_forecaster_(self) -> Forecaster:
        """The best member; see the class."""
        if not self._is_trained():
            raise AttributeError("best_forecaster_ exists after fit")
        return self.forecasters_[0]


def seconds_to_finish(member) -> float:
    """Return the expected seconds of a fitted network's final epochs; 0 for other forecasters."""
    parts = [part for part in parts_of(member) if hasattr(part, "training_history_")]
    return sum(part._final_epochs() * part.training_history_.epoch_seconds() for part in parts)


def leaderboard(trials: list[dict], untried: list[str], chosen: list[str]) -> pd.DataFrame:
    """Return one row per forecaster, the best first and untried ones last."""
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
    return table.sort_values("score", kind="stable").reset_index(drop=True)
