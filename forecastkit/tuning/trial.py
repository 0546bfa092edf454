"""One trial: a forecaster under given parameters, fitted and judged on every fold."""

import time
from dataclasses import dataclass

import numpy as np
from sklearn.base import clone

from forecastkit import closed_form
from forecastkit.base import Forecaster
from forecastkit.checks import InputError
from forecastkit.comparison.contenders import changed
from forecastkit.comparison.folds import Fold
from forecastkit.data.panel import Panel
from forecastkit.data.schema import Schema
from forecastkit.errors import observed_after

#: Levels at which forecasters with a spread of their own are judged, unless they were trained for others.
LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
#: Part of a fold's seconds that training may take, and seconds of compiling and judging beside it.
TRAINED, BESIDE = 0.75, 1.0
#: Seconds of training that a fold gets in any case.
IN_ANY_CASE = 0.5


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
    state : {'done', 'failed', 'unfinished'}
        'unfinished': its time was over.
    scores : list of float
        Relative error of each fold.
    seconds : float
    message : str
        Why it failed.
    error : Exception or None
        A mistake in a program, which the search must not hide.
    """

    state: str
    scores: tuple = ()
    seconds: float = 0.0
    message: str = ""
    error: Exception | None = None

    @property
    def score(self) -> float:
        """Mean over the folds."""
        return float(np.mean(self.scores)) if self.scores else float("nan")


def run_trial(task: Task, parameters: dict, seconds: float | None = None) -> Outcome:
    """Fit and judge on every fold; what is wrong with parameters or data becomes a failed trial.

    Parameters
    ----------
    seconds : float, optional
        That all folds may take: training is ended in time, so that what it found until then is judged.
    """
    began, scores = time.monotonic(), []
    try:
        for number, fold in enumerate(task.folds):
            left = None if seconds is None else seconds - (time.monotonic() - began)
            share = None if left is None else left / (len(task.folds) - number)
            scores.append(score_fold(task, fold, make_model(task.forecaster, parameters, share)))
    except InputError as error:
        return Outcome("failed", tuple(scores), time.monotonic() - began, str(error))
    except Exception as error:
        if is_shortage(error):
            return Outcome("failed", tuple(scores), time.monotonic() - began, f"{type(error).__name__}: {error}")
        return Outcome("failed", tuple(scores), time.monotonic() - began, str(error), error)
    took = time.monotonic() - began
    if not np.isfinite(scores).all():
        return Outcome("failed", tuple(scores), took, "the forecasts are not finite")
    return Outcome("done", tuple(scores), took)


def is_shortage(error: Exception) -> bool:
    """Whether memory was short, which other parameters may help."""
    return isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError"


def make_model(forecaster: Forecaster, parameters: dict, seconds: float | None) -> Forecaster:
    """A clone with the parameters, whose networks train no longer than the seconds of a fold allow."""
    model = clone(forecaster).set_params(**parameters)
    if seconds is None:
        return model
    limit = max(TRAINED * seconds - BESIDE, IN_ANY_CASE)
    own = model.get_params(deep=False).get("time_limit")
    return changed(model, {"time_limit": limit if own is None else min(limit, own)})


def score_fold(task: Task, fold: Fold, model: Forecaster) -> float:
    """Error of the model on the fold, as a part of that of the seasonal naive forecast of the same windows."""
    model._check_parameters()
    model._weight = seen_weight(task, fold)
    model._fit_panel(fold.seen(task.panel), task.schema)
    return relative_error(task, fold, model)


def relative_error(task: Task, fold: Fold, model: Forecaster) -> float:
    """Mean scaled error over all series, origins and steps observed, divided by the seasonal naive forecast's.

    The error of a step is the absolute one; for a forecaster with quantiles of its own it is twice their mean pinball
    loss, which is the same for a point. Every series is scaled by its mean seasonal difference before the fold.
    """
    panel, origins = task.panel, fold.origins
    actual = observed_after(panel, origins, model.horizon_)
    known = model._adapted(panel, fold.stop)
    scale = series_scale(fold.scale(panel, task.season))[:, None]
    own = np.nanmean(_errors(known, panel, origins, actual) / scale)
    naive = closed_form.seasonal_naive(panel, origins, model.horizon_, task.season)
    reference = np.nanmean(np.abs(actual - naive) / scale)
    return float(own / reference) if reference > 0 else float(own)


def _errors(model, panel, origins, actual):
    """Errors (n, horizon), NaN where nothing was observed."""
    forecast = model._forecast(panel, origins)
    if not model._has_spread:
        return np.abs(actual - model._points(forecast))
    levels = tuple(model._trained_levels or LEVELS)
    error = actual[..., None] - model._own_quantiles(panel, origins, forecast, levels)
    return 2 * np.maximum(error * levels, error * (np.asarray(levels) - 1)).mean(axis=-1)


def series_scale(scale: np.ndarray) -> np.ndarray:
    """Scales above zero: a series without one, as a constant one is, takes the median of the others', else 1."""
    usable = scale > 0
    typical = np.median(scale[usable]) if usable.any() else 1.0
    return np.where(usable, scale, typical)


def seen_weight(task: Task, fold: Fold) -> np.ndarray | None:
    """Weights of the rows that `Fold.seen` gives."""
    if task.weight is None:
        return None
    panel = task.panel
    before = panel.between(panel.indptr[:-1], fold.stop)
    present = np.flatnonzero(before.last_observed() >= before.indptr[:-1])
    return np.concatenate([task.weight[panel.indptr[e] : fold.stop[e]] for e in present])
