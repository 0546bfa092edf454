"""Options of a search, and the folds that follow from them."""

import os
import re
from dataclasses import dataclass

from forecastkit.data.panel import Panel
from forecastkit.evaluation.folds import most_folds
from forecastkit.tuning.space import WHERE
from forecastkit.utils import types
from forecastkit.utils.exceptions import InputError, ParameterError
from forecastkit.utils.time_budget import seconds_of
from forecastkit.utils.validation import check_choice, check_int, refuse

SEARCHES = ("local", "random", "bayesian", "hyperband")
#: Number of trials without a number or time limit, and with a time limit.
USUAL_TRIALS, MAX_TRIALS = 20, 10_000
FOLDS = 3


@dataclass(frozen=True)
class Settings:
    """Options of a search."""

    search: str = "local"  #: {'local', 'random', 'bayesian', 'hyperband'}
    n_trials: int | None = None
    time_limit: float | str | None = None
    n_folds: int | None = None
    directory: types.Path | None = None
    n_jobs: int = 1
    random_state: types.Seed | None = None
    refits: int = 0  #: Number of fits on all rows that follow within the time limit

    def check(self, where: str = WHERE) -> None:
        """Validate the options."""
        check_choice(where, "search", self.search, SEARCHES)
        check_int(where, "n_trials", self.n_trials, optional=True)
        check_int(where, "n_folds", self.n_folds, optional=True)
        check_int(where, "n_jobs", self.n_jobs, low=0)
        seconds_of(self.time_limit, where)
        if self.directory is not None and not isinstance(self.directory, (str, os.PathLike)):
            refuse(where, "directory must be a path", repr(self.directory), error=ParameterError)

    @property
    def seconds(self) -> float | None:
        """The time limit in seconds."""
        return seconds_of(self.time_limit, WHERE)

    @property
    def trials(self) -> int:
        """Largest number of trials."""
        if self.n_trials is not None:
            return int(self.n_trials)
        return USUAL_TRIALS if self.seconds is None else MAX_TRIALS


def make_folds(panel: Panel, schema, horizon: int, n_folds: int | None) -> list:
    """Return the folds of every trial: blocks of the last training rows."""
    counts = range(FOLDS, 0, -1) if n_folds is None else [int(n_folds)]
    try:
        return most_folds(panel, counts, horizon, panel.grid.is_time or schema.time is not None)
    except InputError as error:
        message = re.sub(r"\bfolds= or n_windows=", "n_folds=", str(error))
        raise InputError(re.sub("^compare", WHERE, message)) from None
