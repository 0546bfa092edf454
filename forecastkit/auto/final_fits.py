"""Final training of the selected members within the remaining time."""

from collections.abc import Callable

import numpy as np

from forecastkit.auto.successive_halving import COMPILING
from forecastkit.comparison.candidates import Candidate, members
from forecastkit.forecasters.ensemble_members import is_network
from forecastkit.utils.time_budget import IN_ANY_CASE, TimeBudget

#: Part of the budget that is planned with; what is beyond is for estimates that were too low.
PLANNED = 0.97
#: What a fit costs beside training on all rows, by what it cost on the rows before a fold.
MORE_ROWS = 1.3
#: Seeds of each network at most, where time is left.
SEEDS = 3
#: Part of what a fit costs beside training that judging the ensemble costs once more.
JUDGING = 0.25
#: How much longer than planned a fit may take that ends with its epochs: a time limit lets the rate fall as well.
SLACK = 1.2
#: Epochs from which on some are worth spending on the validation rows.
ENOUGH = 4


class Schedule:
    """Who is fitted how long.

    Parameters
    ----------
    budget : TimeBudget
        With what the fits of the search took.
    reserved : float
        Seconds of what is to come after all fits.
    """

    def __init__(self, budget: TimeBudget, reserved: float):
        self.budget, self.reserved = budget, reserved

    def room(self) -> float:
        """Seconds left to plan with."""
        return self.budget.left(PLANNED) - self.reserved

    def epoch(self, name: str) -> float:
        """Seconds of an epoch; 0 where that is not known."""
        return self.budget.known("epoch_at_most", name)

    def compiling(self, name: str) -> float:
        """Seconds expected for compiling."""
        return self.budget.expected("compiling", name, COMPILING)

    def beside(self, name: str) -> float:
        """Seconds that a fit takes beside training."""
        return MORE_ROWS * self.budget.overhead(name)

    def least(self, name: str) -> float:
        """Seconds of a fit that trains no less than the last one in the search did."""
        return self.beside(name) + max(self.budget.known("training", name), self.budget.worthwhile())

    def has_room(self, names: list[str]) -> bool:
        """Whether all of these can be fitted."""
        return sum(map(self.least, names)) <= self.room()

    def share(self, pending: list[str]) -> float:
        """Seconds of training for each of these."""
        return (self.room() - sum(map(self.beside, pending))) / max(len(pending), 1)

    def values(self, contender: Candidate, seconds: float) -> dict:
        """Epochs that fit into the seconds, and a limit where not even a few do."""
        if np.isinf(seconds):
            return {}
        each = max(self.epoch(contender.name), 1e-6)
        possible, wanted = int(seconds / each), _epochs(contender.forecaster)
        if possible >= wanted:
            return {}
        if possible < ENOUGH:
            return {"final_epochs": 0}
        final = max(1, possible // 6)
        return {"epochs": possible - final, "final_epochs": final}

    def reserve(self, name: str, epochs: int) -> None:
        """Keep time for epochs that come after all fits, and for judging what was fitted beside the others."""
        self.reserved += epochs * self.epoch(name) + JUDGING * self.budget.overhead(name)


def refit(chosen: list[Candidate], schedule: Schedule, seed: int, fit: Callable) -> None:
    """Fit the chosen, then networks again with further seeds as long as there is time for a whole round.

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
        if number and not _once_more(networks, schedule):
            return
        for place, one in enumerate(networks):
            seconds = max(schedule.share([each.name for each in networks[place:]]), IN_ANY_CASE)
            values = schedule.values(one, seconds)
            by_epochs = values.get("final_epochs", 1) > 0
            limit = (SLACK if by_epochs else 1.0) * seconds + schedule.compiling(one.name)
            model = one.for_run(seed + number, None if np.isinf(limit) else limit, **values)
            fit(one.name, model)
            schedule.reserve(one.name, _final_epochs(model))


def _once_more(networks, schedule):
    """Whether every network can be trained in full once more with seconds of a limit that are left."""
    costs = [
        schedule.beside(one.name) * (1 + JUDGING) + _epochs(one.forecaster) * schedule.epoch(one.name)
        for one in networks
    ]
    return bool(networks) and sum(costs) <= schedule.room() < np.inf


def _epochs(forecaster) -> int:
    """Epochs of a whole fit."""
    return max(part.epochs + part._final_epochs() for part in members(forecaster) if is_network(part))


def _final_epochs(forecaster) -> int:
    """Epochs on all rows, after the ensemble is judged."""
    return max(part._final_epochs() for part in members(forecaster) if is_network(part))
