"""One trial: fit a forecaster with given parameters and score it on every fold."""

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

#: Levels at which forecasters with a spread of their own are judged, unless they were trained for others.
LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
#: How much worse than the best, over the folds run so far, a trial may be to get the next fold.
MARGIN = 0.01


@dataclass(frozen=True)
class Task:
    """What all trials of a search have in common.

    Attributes
    ----------
    forecaster : Forecaster
        Not fitted.
    panel : Panel
        The training rows.
    schema : Schema
    folds : list of Fold
    season : int
    weight : ndarray or None
        Of the panel's rows.
    """

    forecaster: Forecaster
    panel: Panel
    schema: Schema
    folds: list
    season: int
    weight: np.ndarray | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a trial.

    Attributes
    ----------
    state : {'done', 'dropped', 'failed', 'unfinished'}
        'dropped': after the first folds it was worse than the best. 'unfinished': its time was over.
    scores : dict of int to float
        Relative score of each fold that was run.
    score : float
        Mean over the folds; of a dropped trial what it would have come to.
    seconds : float
    message : str
        Why it failed.
    error : Exception or None
        A mistake in a program, which the search must not hide.
    beside : float or None
        Seconds of its last fold that were not the training loop's: compiling, scaling, judging.
    """

    state: str
    scores: dict = field(default_factory=dict)
    score: float = float("nan")
    seconds: float = 0.0
    message: str = ""
    error: Exception | None = None
    beside: float | None = None


@dataclass(frozen=True)
class TrialLimits:
    """Under what a trial runs.

    Attributes
    ----------
    seconds : float or None
        That all folds may take: training is ended in time, so that what it found until then is judged.
    most : float or None
        After which its process is ended.
    rival : dict of int to float
        Scores of the best trial so far by fold; empty where there is none.
    beside : float or None
        Seconds beside training that a fold is expected to take, where that is known.
    """

    seconds: float | None = None
    most: float | None = None
    rival: dict = field(default_factory=dict)
    beside: float | None = None


def run_trial(task: Task, parameters: dict, terms: TrialLimits) -> Outcome:
    """Fit and judge on the folds, the latest first; what is wrong with parameters or data becomes a failed trial."""
    began, scores = time.monotonic(), {}
    try:
        state, beside = _race(task, parameters, terms, scores)
    except InputError as error:
        return Outcome("failed", scores, seconds=time.monotonic() - began, message=str(error))
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
        took = time.monotonic() - began
        return Outcome("failed", scores, seconds=took, message=told, error=None if is_shortage(error) else error)
    took, values = time.monotonic() - began, list(scores.values())
    if not np.isfinite(values).all():
        return Outcome("failed", scores, seconds=took, message="the forecasts are not finite")
    score = float(np.mean(values))
    if state == "dropped":
        score *= np.mean(list(terms.rival.values())) / np.mean([terms.rival[number] for number in scores])
    return Outcome(state, scores, float(score), took, beside=beside)


def _race(task, parameters, terms, scores) -> tuple[str, float | None]:
    """Fill in the scores until the rival is out of reach; the state, and seconds beside training."""
    until = None if terms.seconds is None else time.monotonic() + terms.seconds
    beside = terms.beside
    for number in reversed(range(len(task.folds))):
        began, limit = time.monotonic(), None
        if until is not None:
            limit = training_seconds((until - began) / (number + 1), beside)
        model = make_model(task.forecaster, parameters, limit)
        scores[number] = score_fold(task, task.folds[number], model)
        beside = time.monotonic() - began - trained(model, limit)
        if number and terms.rival and not is_near(scores, terms.rival):
            return "dropped", beside
    return "done", beside


def trained(model: Forecaster, limit: float | None) -> float:
    """Seconds that training took; what it took over its limit, such as compiling its first step, does not count."""
    records = [part.training_history_ for part in parts_of(model) if hasattr(part, "training_history_")]
    took = sum(record.seconds for record in records)
    return took if limit is None else min(took, limit)


def is_near(scores: dict, rival: dict) -> bool:
    """Whether these scores are not much worse than the rival's of the same folds."""
    reached = (1 + MARGIN) * np.mean([rival[number] for number in scores])
    return bool(np.mean(list(scores.values())) <= reached)


def is_shortage(error: Exception) -> bool:
    """Whether memory was short, which other parameters may help."""
    return isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError"


def make_model(forecaster: Forecaster, parameters: dict, limit: float | None) -> Forecaster:
    """A clone with the parameters, whose networks share so many seconds of training."""
    model = clone(forecaster).set_params(**parameters)
    return model if limit is None else Candidate("", model).for_run(None, limit)


def score_fold(task: Task, fold: Fold, model: Forecaster) -> float:
    """Fit the model on the rows before the fold, and its relative score on the fold; see `relative_score`."""
    model._check_parameters()
    fold.fit(model, task.panel, task.schema, task.weight)
    return relative_score(task, fold, model)


def relative_score(task: Task, fold: Fold, model: Forecaster) -> float:
    """MASE of a fitted model on the fold by that of the seasonal naive; docs/evaluation.md has the formula.

    A forecaster with quantiles of its own is scored by their scaled quantile loss, which is the MASE of a point.
    """
    windows = ForecastWindows(task.panel, fold.origins, model.horizon_, task.season)
    evaluation = evaluate(model, windows)
    forecasts = evaluation.forecasts
    return evaluation.relative_score((forecasts.levels or LEVELS) if forecasts.has_spread else ())
