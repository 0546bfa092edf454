"""Final training of the selected members within the remaining time."""

from collections.abc import Callable

import numpy as np

from forecastkit.auto.successive_halving import COMPILING
from forecastkit.comparison.candidates import Candidate, members
from forecastkit.forecasters.ensemble_members import is_network
from forecastkit.training.loop import USUAL_EPOCHS
from forecastkit.utils.time_budget import IN_ANY_CASE, TimeBudget

#: Fraction of the budget that is planned; the rest covers estimates that are too low.
PLANNED = 0.97
#: Duration of a fit on all rows outside training, relative to that on the rows before a fold.
MORE_ROWS = 1.3
#: Largest number of seeds per network, if time is left.
SEEDS = 3
#: Duration of evaluating the ensemble, as a fraction of a fit's duration outside training.
EVALUATION = 0.25
#: Factor of the time limit of a fit that ends by epochs, because a time limit also lowers the learning rate.
SLACK = 1.2
#: Number of epochs from which final epochs on the validation rows are worthwhile.
ENOUGH = 4


class Schedule:
    """Time allotted to the final fits.

    Parameters
    ----------
    budget : TimeBudget
        Time budget, with the durations of fits so far.
    reserved : float
        Seconds reserved for work after all fits.
    """

    def __init__(self, budget: TimeBudget, reserved: float):
        self.budget, self.reserved = budget, reserved

    def seconds_left(self) -> float:
        """Return the seconds left for planning."""
        return self.budget.left(PLANNED) - self.reserved

    def epoch(self, name: str) -> float:
        """Return the seconds of an epoch, 0 if unknown."""
        return self.budget.known("epoch_at_most", name)

    def compiling(self, name: str) -> float:
        """Return the expected seconds of compilation."""
        return self.budget.expected("compiling", name, COMPILING)

    def overhead(self, name: str) -> float:
        """Return the seconds of a fit outside training."""
        return MORE_ROWS * self.budget.overhead(name)

    def minimum_seconds(self, name: str) -> float:
        """Return the seconds of a fit that trains as long as the last one in the search."""
        return self.overhead(name) + max(self.budget.known("training", name), self.budget.worthwhile())

    def can_fit(self, names: list[str]) -> bool:
        """Return whether all of these candidates can be fitted in the remaining time."""
        return sum(map(self.minimum_seconds, names)) <= self.seconds_left()

    def training_seconds(self, pending: list[str]) -> float:
        """Return the training seconds of each of these candidates."""
        return (self.seconds_left() - sum(map(self.overhead, pending))) / max(len(pending), 1)

    def values(self, candidate: Candidate, seconds: float) -> dict:
        """Return the epochs that fit into the seconds, or a time limit if too few fit."""
        if np.isinf(seconds):
            return {}
        each = max(self.epoch(candidate.name), 1e-6)
        possible, wanted = int(seconds / each), _epochs(candidate.forecaster)
        if possible >= wanted:
            return {}
        if possible < ENOUGH:
            return {"final_epochs": 0}
        final = max(1, possible // 6)
        return {"epochs": possible - final, "final_epochs": final}

    def reserve(self, name: str, epochs: int) -> None:
        """Reserve time for the final epochs of a member and for the evaluation of the ensemble."""
        self.reserved += epochs * self.epoch(name) + EVALUATION * self.budget.overhead(name)


def refit(chosen: list[Candidate], schedule: Schedule, seed: int, fit: Callable) -> None:
    """Fit the selected members, then networks with further seeds while time for a complete round is left.

    Parameters
    ----------
    fit : callable
        Takes a name and an unfitted forecaster.
    """
    networks = [one for one in chosen if one.is_trained]
    for one in chosen:
        if not one.is_trained:
            fit(one.name, one.for_run(seed, None))
    for number in range(SEEDS):
        if number and not _can_fit_again(networks, schedule):
            return
        for place, one in enumerate(networks):
            seconds = max(schedule.training_seconds([each.name for each in networks[place:]]), IN_ANY_CASE)
            values = schedule.values(one, seconds)
            by_epochs = "epochs" in values
            limit = (SLACK if by_epochs else 1.0) * seconds + schedule.compiling(one.name)
            model = one.for_run(seed + number, None if np.isinf(limit) else limit, **values)
            fit(one.name, model)
            schedule.reserve(one.name, _final_epochs(model))


def _can_fit_again(networks, schedule):
    """Return whether every network can be trained in full again within the limit."""
    costs = [
        schedule.overhead(one.name) * (1 + EVALUATION) + _epochs(one.forecaster) * schedule.epoch(one.name)
        for one in networks
    ]
    return bool(networks) and sum(costs) <= schedule.seconds_left() < np.inf


def _epochs(forecaster) -> int:
    """Return the epochs of a complete fit."""
    return max((part.epochs or USUAL_EPOCHS) + part._final_epochs() for part in members(forecaster) if is_network(part))


def _final_epochs(forecaster) -> int:
    """Return the epochs on all rows after the evaluation of the ensemble."""
    return max(part._final_epochs() for part in members(forecaster) if is_network(part))
