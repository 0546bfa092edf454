"""Evaluation on all folds without training, then successive halving of networks: a fold and half of them per round."""

from collections.abc import Callable

import numpy as np

from forecastkit.auto.fold_scores import FoldEvaluator, Trial
from forecastkit.comparison.candidates import Candidate, members
from forecastkit.forecasters.ensemble_members import is_network
from forecastkit.training.loop import USUAL_EPOCHS
from forecastkit.utils.formatting import number
from forecastkit.utils.time_budget import TimeBudget, no_time_for

#: Fewest networks in the next round, and most of them in an ensemble.
KEPT = 4
#: Largest number of folds on which networks are evaluated, the latest ones.
ROUNDS = 2
#: Fewest epochs of a trial, or seconds while the duration of an epoch is unknown; shorter trials are not informative.
WORTHWHILE, IN_SECONDS = 3, 5.0
#: Default compilation seconds, and training seconds of a trial run.
COMPILING, WARM_UP_SECONDS = 5.0, 10.0
#: Factor of the time limit of a trial that ends by epochs.
SLACK = 1.5
#: Fraction of the remaining time for a round that is not the last; in the first round all networks are compiled.
EARLY = 0.6
#: Duration of a search from which a trial run measures the time outside training first.
WARM_UP_FROM = 100.0


class Halving:
    """Evaluation of candidates on folds within a time budget.

    Parameters
    ----------
    evaluator : FoldEvaluator
    budget : TimeBudget
        Time budget.
    values : dict
        Constructor parameters of every fit.
    seed : int
    tell : callable
        Called with a label and a line of text.

    References
    ----------
    Jamieson and Talwalkar (2016), "Non-stochastic best arm identification and hyperparameter optimization", AISTATS:
    rounds of equal duration, after each of which half of the candidates are dropped. Departure: each round uses a
    different fold, and the last `KEPT` networks are never dropped.
    """

    def __init__(self, evaluator: FoldEvaluator, budget: TimeBudget, values: dict, seed: int, tell: Callable):
        self.evaluator, self.budget, self.values, self.seed, self.tell = evaluator, budget, values, seed, tell
        self.untried: list[str] = []
        self.had_folds = bool(evaluator.folds)

    def evaluate_all(self, candidates: list[Candidate], until: float) -> None:
        """Evaluate forecasters without training on every fold, the latest first.

        After `until` seconds of the budget no further fold is begun, so that all are compared on the same folds.
        Candidates for which the latest fold leaves no time are not tried.
        """
        for fold in range(len(self.evaluator.folds)):
            begun = self.budget.elapsed()
            for candidate in candidates:
                if fold == 0 and self.budget.elapsed() >= until:
                    self.untried.append(candidate.name)
                    continue
                trial = self.evaluator.evaluate_candidate(candidate, fold, self.seed, None, self.values)
                self.tell("trial", trial_line(trial, self.budget))
            if 2 * self.budget.elapsed() - begun > until:  # an earlier fold takes about as long
                self.evaluator.use(fold + 1)
                return

    def run(self, networks: list[Candidate], until: float) -> None:
        """Run all rounds, ending at about `until` seconds of the budget."""
        alive, folds = list(networks), min(len(self.evaluator.folds), ROUNDS)
        self.untried += [] if folds else [one.name for one in networks]
        if folds and networks and WARM_UP_FROM <= until - self.budget.elapsed() < np.inf:
            self._warm_up(networks[0])
        for fold in range(folds):
            begun = self.budget.elapsed()
            part = 1.0 if fold == folds - 1 else EARLY
            alive = self._round(alive, fold, begun + part * (until - begun))
            alive = sorted(alive, key=lambda one: self.mean_score(one.name, fold + 1))
            alive = alive[: max(KEPT, -(-len(alive) // 2))]
            if not alive:
                return

    def _warm_up(self, first):
        """Run a fit of a few steps to measure compilation, which is slowest the first time in a process."""
        self._learn(self.evaluator.evaluate_unrecorded(first, 0, self.seed, WARM_UP_SECONDS, self.values))

    def _learn(self, trial):
        """Record the seconds of a fit outside training, and those of compilation."""
        costs = {"overhead": trial.seconds - trial.trained, "compiling": trial.compiled, "training": trial.trained}
        if trial.epoch > 0:
            costs["epoch_at_most"] = trial.epoch  # with compiling in it where training ended with its first steps
        if trial.trained > 0:
            costs["epoch"] = trial.epoch
        self.budget.learn(trial.forecaster, **costs)

    def _compiling(self, name: str) -> float:
        """Return the expected compilation seconds: the last ones of this model, else the mean of others."""
        return self.budget.expected("compiling", name, COMPILING)

    def _min_training_seconds(self, left) -> float:
        """Return the training seconds below which a trial of these candidates is not worthwhile."""
        seconds_of_each = [
            WORTHWHILE * self.budget.expected("epoch", one.name, IN_SECONDS / WORTHWHILE) for one in left
        ]
        return max(seconds_of_each, default=0.0)

    def _round(self, alive, fold, until):
        """Return the candidates that could be tried on this fold before `until` with equal training time."""
        done, limit = [], float("inf")
        for place, candidate in enumerate(alive):
            count, seconds = self._affordable(alive[place:], until)
            if not count:
                left = [one.name for one in alive[place:]]
                self.untried += left if fold == 0 else []
                self.tell("left out", f"fold {fold + 1}: {no_time_for(left)}")
                return done
            limit = min(limit, seconds)
            trial = self.evaluator.evaluate_candidate(candidate, fold, self.seed, *self._plan(candidate, limit))
            self._learn(trial)
            self.tell("trial", trial_line(trial, self.budget))
            if np.isfinite(trial.score):
                done.append(candidate)
        return done

    def _plan(self, candidate, seconds) -> tuple[float | None, dict]:
        """Return the time limit and parameters of a trial with this many training seconds, which may be infinite.

        The learning rate decays by epochs or by time, whichever is further advanced. Epochs are used if their duration
        is known, so that compilation does not count.
        """
        if np.isinf(seconds):
            return None, self.values
        each, most = self.budget.known("epoch", candidate.name), self._most_epochs(candidate)
        if each <= 0:
            values = {**self.values, "epochs": most} if most else self.values
            return seconds + self._compiling(candidate.name), values
        epochs = min(max(1, round(seconds / each)), most)
        return SLACK * seconds + self._compiling(candidate.name), {**self.values, "epochs": epochs}

    @staticmethod
    def _most_epochs(candidate) -> int:
        """Return the largest number of epochs of a trial; 0 without networks."""
        networks = [part for part in members(candidate.forecaster) if is_network(part)]
        return max((part.epochs or USUAL_EPOCHS for part in networks), default=0)

    def _affordable(self, left, until) -> tuple[int, float]:
        """Return how many of the candidates can be trained for long enough, and their training seconds."""
        for count in range(len(left), 0, -1):
            overhead = sum(self.budget.overhead(one.name) for one in left[:count])
            seconds = (until - self.budget.elapsed() - overhead) / count
            if seconds >= max(self._min_training_seconds(left[:count]), self.budget.worthwhile()):
                return count, seconds
        return 0, 0.0

    def mean_score(self, name: str, folds: int) -> float:
        """Return the mean score over the first folds, infinite if one is missing."""
        scores = {trial.fold: trial.score for trial in self.evaluator.trials if trial.forecaster == name}
        return float(np.mean([scores.get(fold, float("inf")) for fold in range(folds)]))

    def folds_for_selection(self, candidates: list[Candidate]) -> int:
        """Return the number of folds with enough of the networks for a selection; all their folds if there is none."""
        folds = min(len(self.evaluator.folds), ROUNDS)
        counts = [sum(np.isfinite(self.mean_score(one.name, n)) for one in candidates) for n in range(1, folds + 1)]
        enough = max(1, min(KEPT, max(counts, default=0)) // 2)
        return max((n for n, count in enumerate(counts, start=1) if count >= enough), default=folds)


def trial_line(trial: Trial, budget: TimeBudget) -> str:
    """Format a trial as one line."""
    score = trial.error or f"{number(trial.score, 3)} of the seasonal naive error"
    of = "" if budget.seconds is None else f" of {budget.seconds:.0f}"
    where = f"{trial.forecaster}, fold {trial.fold + 1}"
    return f"{where}: {score}, {trial.seconds:.0f} s ({budget.elapsed():.0f}{of} s elapsed)"
