"""One trial: fits a forecaster with given parameters and scores it on every fold."""

import time
from dataclasses import dataclass, field

import numpy as np
from sklearn.base import clone

from forecastkit.comparison.candidates import Candidate
from forecastkit.comparison.measure import parts_of
from forecastkit.data.panel import Panel
from forecastkit.data.schema import Schema
from forecastkit.evaluation.evaluate import ForecastWindows, evaluate
from forecastkit.evaluation.folds import Fold
from forecastkit.forecasters.base import Forecaster
from forecastkit.utils.exceptions import InputError
from forecastkit.utils.time_budget import training_seconds

#: Quantile levels at which probabilistic forecasters are scored, unless they were trained for others.
LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
#: Factor by which a trial may be worse than the best on the folds so far to run on the next fold.
MARGIN = 0.01


@dataclass(frozen=True)
class Task:
    """The common data of all trials of a search."""

    forecaster: Forecaster  #: Unfitted
    panel: Panel  #: Training rows
    schema: Schema
    folds: list
    season: int
    weight: np.ndarray | None = None  #: Sample weights of the panel's rows


@dataclass(frozen=True)
class Outcome:
    """Outcome of a trial."""

    #: 'done', 'failed', 'dropped' (worse than the best on the first folds) or 'unfinished' (its time was over)
    state: str
    scores: dict = field(default_factory=dict)  #: Relative error of each fold that was run
    score: float = float("nan")  #: Mean over the folds; for a dropped trial an estimate
    seconds: float = 0.0
    message: str = ""  #: Reason of a failure
    error: Exception | None = None  #: A programming error, which the search must raise
    #: Seconds of its last fold outside the training loop: compilation, scaling, evaluation
    overhead: float | None = None


@dataclass(frozen=True)
class TrialLimits:
    """Limits of a trial."""

    seconds: float | None = None  #: Seconds for all folds; training ends early enough to evaluate its result
    kill_after: float | None = None  #: Seconds after which its process is terminated
    rival: dict = field(default_factory=dict)  #: Scores of the best trial so far by fold; empty if there is none
    overhead: float | None = None  #: Expected seconds of a fold outside training, if known


def run_trial(task: Task, parameters: dict, limits: TrialLimits) -> Outcome:
    """Fit and evaluate on the folds, the latest first; invalid parameters or data give a failed trial."""
    began, scores = time.monotonic(), {}
    try:
        state, overhead = _race(task, parameters, limits, scores)
    except InputError as error:
        return Outcome("failed", scores, seconds=time.monotonic() - began, message=str(error))
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
        took = time.monotonic() - began
        return Outcome("failed", scores, seconds=took, message=told, error=None if is_memory_error(error) else error)
    took, values = time.monotonic() - began, list(scores.values())
    if not np.isfinite(values).all():
        return Outcome("failed", scores, seconds=took, message="the forecasts are not finite")
    score = float(np.mean(values))
    if state == "dropped":
        score *= np.mean(list(limits.rival.values())) / np.mean([limits.rival[number] for number in scores])
    return Outcome(state, scores, float(score), took, overhead=overhead)


def _race(task, parameters, limits, scores) -> tuple[str, float | None]:
    """Fill in scores until the best trial is out of reach; return the state and the seconds outside training."""
    until = None if limits.seconds is None else time.monotonic() + limits.seconds
    overhead = limits.overhead
    for number in reversed(range(len(task.folds))):
        began, limit = time.monotonic(), None
        if until is not None:
            limit = training_seconds((until - began) / (number + 1), overhead)
        model = make_model(task.forecaster, parameters, limit)
        scores[number] = score_fold(task, task.folds[number], model)
        overhead = time.monotonic() - began - trained(model, limit)
        if number and limits.rival and not is_near(scores, limits.rival):
            return "dropped", overhead
    return "done", overhead


def trained(model: Forecaster, limit: float | None) -> float:
    """Return the seconds of training, without those over its limit, such as compilation of the first step."""
    records = [part.training_history_ for part in parts_of(model) if hasattr(part, "training_history_")]
    took = sum(record.seconds for record in records)
    return took if limit is None else min(took, limit)


def is_near(scores: dict, rival: dict) -> bool:
    """Return whether these scores are not much worse than the rival's on the same folds."""
    reached = (1 + MARGIN) * np.mean([rival[number] for number in scores])
    return bool(np.mean(list(scores.values())) <= reached)


def is_memory_error(error: Exception) -> bool:
    """Return whether an error was caused by lack of memory, which other parameters may avoid."""
    return isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError"


def make_model(forecaster: Forecaster, parameters: dict, limit: float | None) -> Forecaster:
    """Return a clone with the parameters, whose networks share `limit` seconds of training."""
    model = clone(forecaster).set_params(**parameters)
    return model if limit is None else Candidate("", model).for_run(None, limit)


def score_fold(task: Task, fold: Fold, model: Forecaster) -> float:
    """Fit the model on the rows before the fold, and its relative score on the fold; see `relative_score`."""
    model._check_parameters()
    fold.fit(model, task.panel, task.schema, task.weight)
    return relative_score(task, fold, model)


def relative_score(task: Task, fold: Fold, model: Forecaster) -> float:
    """Return the MASE of a fitted model on the fold, relative to that of seasonal naive; see docs/evaluation.md."""
    windows = ForecastWindows(task.panel, fold.origins, model.horizon_, task.season)
    evaluation = evaluate(model, windows)
    forecasts = evaluation.forecasts
    return evaluation.relative_score((forecasts.levels or LEVELS) if forecasts.has_spread else ())
