"""Successive halving: each round uses an earlier fold, twice the time and half the candidates."""

from collections.abc import Callable

import numpy as np

from forecastkit.auto.fold_scores import FoldEvaluator, Trial
from forecastkit.comparison.candidates import Candidate, members
from forecastkit.forecasters.ensemble_members import is_network
from forecastkit.utils.formatting import number
from forecastkit.utils.time_budget import TimeBudget, no_time_for

#: Candidates that go on to the next round at least: as many as an ensemble may have.
KEPT = 4
#: Epochs that a trial should have, or seconds before it is known what one takes: less says nothing of a network.
WORTHWHILE, IN_SECONDS = 3, 5.0
#: Seconds of compiling before any was seen, and of training in a rehearsal.
COMPILING, REHEARSAL = 5.0, 10.0
#: How much longer than planned a trial may take that ends with its epochs.
SLACK = 1.5
#: Part of the time left that a round may take which is not the last: in the first one all have to be compiled.
EARLY = 0.6
#: Seconds of a search from which on some are spent on learning first what a fit costs beside training.
REHEARSED = 100.0


class Halving:
    """The search.

    Parameters
    ----------
    arena : FoldEvaluator
        In which the baselines have been already.
    budget : TimeBudget
    values : dict
        Constructor parameters of every fit.
    seed : int
    tell : callable
        Takes a label and a line of text.

    References
    ----------
    Jamieson and Talwalkar (2016), "Non-stochastic best arm identification and hyperparameter optimization", AISTATS:
    rounds of equal seconds, half of the candidates leaving after each. Departure: each round is on a fold of its own
    and nobody leaves from the last `KEPT`.
    """

    def __init__(self, evaluator: FoldEvaluator, budget: TimeBudget, values: dict, seed: int, tell: Callable):
        self.evaluator, self.budget, self.values, self.seed, self.tell = evaluator, budget, values, seed, tell
        self.untried: list[str] = []
        self.had_folds = bool(evaluator.folds)

    def run(self, candidates: list[Candidate], until: float) -> None:
        """All rounds, so that the last ends about `until`, in seconds of the budget."""
        alive, folds = list(candidates), len(self.evaluator.folds)
        self.untried = [] if folds else [one.name for one in candidates]
        if folds and REHEARSED <= until - self.budget.elapsed() < np.inf:
            self._rehearse([one for one in candidates if one.is_trained][:1])
        for fold in range(folds):
            begun = self.budget.elapsed()
            part = 1.0 if fold == folds - 1 else EARLY
            alive = self._round(alive, fold, begun + part * (until - begun))
            alive = sorted(alive, key=lambda one: self.mean_score(one.name, fold + 1))
            alive = alive[: max(KEPT, -(-len(alive) // 2))]
            if not alive:
                return

    def _rehearse(self, first):
        """A fit that ends with its first steps: compiling is slow, and the most so in a process that never did it."""
        for one in first:
            self._learn(self.evaluator.rehearse(one, 0, self.seed, REHEARSAL, self.values))

    def _learn(self, trial):
        """What a fit takes beside the steps of training, and how much of that is compiling."""
        costs = {"overhead": trial.seconds - trial.trained, "compiling": trial.compiled, "training": trial.trained}
        if trial.epoch > 0:
            costs["epoch_at_most"] = trial.epoch  # with compiling in it where training ended with its first steps
        if trial.trained > 0:
            costs["epoch"] = trial.epoch
        self.budget.learn(trial.forecaster, **costs)

    def _compiling(self, name: str) -> float:
        """Seconds expected for compiling: the model's own last, else the mean of others."""
        return self.budget.expected("compiling", name, COMPILING)

    def _least(self, left) -> float:
        """Seconds of training below which a trial of these is not worthwhile."""
        least = [WORTHWHILE * self.budget.expected("epoch", one.name, IN_SECONDS / WORTHWHILE) for one in left]
        return max(least, default=0.0)

    def _round(self, alive, fold, until):
        """Those that could be tried on this fold before `until`, each with the same seconds of training."""
        done, limit = [], float("inf")
        for place, candidate in enumerate(alive):
            count, seconds = self._affordable(alive[place:], until)
            if not count:
                left = [one.name for one in alive[place:]]
                self.untried += left if fold == 0 else []
                self.tell("left out", f"fold {fold + 1}: {no_time_for(left)}")
                return done
            limit = min(limit, seconds)
            trial = self.evaluator.attempt(candidate, fold, self.seed, *self._plan(candidate, limit))
            self._learn(trial)
            self.tell("trial", said(trial, self.budget))
            if np.isfinite(trial.score):
                done.append(candidate)
        return done

    def _plan(self, candidate, seconds) -> tuple[float | None, dict]:
        """Time limit and parameters of a trial with so many seconds of training, which may be infinitely many.

        The rate falls with epochs or with seconds, whatever is further on: epochs where they are known, so that
        seconds of compiling do not count.
        """
        if np.isinf(seconds):
            return None, self.values
        each = self.budget.known("epoch", candidate.name)
        if not candidate.is_trained or each <= 0:
            return seconds + self._compiling(candidate.name), self.values
        networks = [part for part in members(candidate.forecaster) if is_network(part)]
        epochs = min(max(1, round(seconds / each)), max(part.epochs for part in networks))
        return SLACK * seconds + self._compiling(candidate.name), {**self.values, "epochs": epochs}

    def _affordable(self, left, until) -> tuple[int, float]:
        """How many of those left can be tried for long enough, the first ones first, and their seconds of training."""
        for count in range(len(left), 0, -1):
            trained = [one for one in left[:count] if one.is_trained]
            seconds = until - self.budget.elapsed() - sum(map(self._beside, left[:count]))
            if seconds >= max(self._least(trained), self.budget.worthwhile()) * len(trained):
                return count, seconds / max(len(trained), 1)
        return 0, 0.0

    def _beside(self, contender) -> float:
        """Seconds beside training; what is not trained is thought to be quick until it was seen."""
        known = contender.is_trained or self.budget.has_learned(contender.name)
        return self.budget.overhead(contender.name) if known else 0.0

    def mean_score(self, name: str, folds: int) -> float:
        """Mean over the first folds; infinite where one is missing."""
        scores = {trial.fold: trial.score for trial in self.evaluator.trials if trial.forecaster == name}
        return float(np.mean([scores.get(fold, float("inf")) for fold in range(folds)]))

    def shared(self, candidates: list[Candidate]) -> int:
        """Folds that enough of the candidates have been on to be chosen by; all where there are none."""
        folds = len(self.evaluator.folds)
        counts = [sum(np.isfinite(self.mean_score(one.name, n)) for one in candidates) for n in range(1, folds + 1)]
        enough = max(1, min(KEPT, max(counts, default=0)) // 2)
        return max((n for n, count in enumerate(counts, start=1) if count >= enough), default=folds)


def said(trial: Trial, budget: TimeBudget) -> str:
    """A trial in a line."""
    score = trial.error or f"{number(trial.score, 3)} of the seasonal naive error"
    of = "" if budget.seconds is None else f" of {budget.seconds:.0f}"
    where = f"{trial.forecaster}, fold {trial.fold + 1}"
    return f"{where}: {score}, {trial.seconds:.0f} s ({budget.elapsed():.0f}{of} s gone)"
