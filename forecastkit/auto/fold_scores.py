"""Scores of candidates on rolling-origin folds of the training rows."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from forecastkit.comparison.candidates import Candidate
from forecastkit.comparison.measure import parts_of
from forecastkit.data.panel import Panel
from forecastkit.data.schema import Schema
from forecastkit.evaluation.evaluate import Evaluation, ForecastWindows, evaluate
from forecastkit.evaluation.folds import Fold, most_folds
from forecastkit.metrics.elementwise import independent_blocks, is_clearly_larger
from forecastkit.uncertainty.residuals import series_number
from forecastkit.utils.exceptions import InputError

#: Largest number of folds.
FOLDS = 4
#: Largest number of steps per epoch, as in networks.
STEPS = 100


@dataclass(frozen=True)
class Trial:
    """One fit of a candidate on the rows before a fold."""

    forecaster: str  #: Name of the candidate
    fold: int  #: Number of the fold from 0, the latest first
    score: float  #: MASE by that of the seasonal naive (docs/evaluation.md); infinite where it could not forecast
    seconds: float  #: Total duration
    trained: float = 0.0  #: Seconds of the steps of the training loop
    compiled: float = 0.0  #: Seconds in which its first step was compiled
    epoch: float = 0.0  #: Seconds of an epoch of `STEPS` steps; 0 without networks
    error: str = ""  #: Reason of a failure


class FoldEvaluator:
    """Folds, errors of the reference, and all forecasts.

    Parameters
    ----------
    panel : Panel
        Rows before the validation block.
    schema : Schema
    sizes : tuple of int
        Horizon and season length.
    calendar : bool
        Whether rows have times.
    keep : callable
        Called with every trial as soon as its score is known.
    """

    def __init__(self, panel: Panel, schema: Schema, sizes: tuple[int, int], calendar: bool, keep: Callable):
        self.panel, self.schema, self.horizon = panel, schema, sizes[0]
        self.folds, self._keep = self._folds(calendar)[::-1], keep
        self.windows = [ForecastWindows(panel, fold.origins, *sizes) for fold in self.folds]
        self.forecasts: dict[tuple[str, int], np.ndarray] = {}
        self.trials: list[Trial] = []

    def _folds(self, calendar) -> list[Fold]:
        """Return as many folds as the rows allow."""
        try:
            return most_folds(self.panel, range(FOLDS, 0, -1), self.horizon, calendar)
        except InputError:
            return []

    def use(self, most: int) -> None:
        """Restrict the evaluation to the latest `most` folds."""
        self.folds = self.folds[:most]

    def evaluate_candidate(
        self, candidate: Candidate, fold: int, seed: int, limit: float | None, values: dict
    ) -> Trial:
        """Fit on the rows before a fold, forecast it, and store forecast and score."""
        trial = self.evaluate_unrecorded(candidate, fold, seed, limit, values)
        self.trials.append(trial)
        self._keep(trial)
        return trial

    def evaluate_unrecorded(
        self, candidate: Candidate, fold: int, seed: int, limit: float | None, values: dict
    ) -> Trial:
        """Evaluate a candidate like `evaluate_candidate` without recording the trial."""
        began, model = time.monotonic(), candidate.for_run(seed, limit, **values)
        try:
            found = self._fit(model, fold)
            self.forecasts[candidate.name, fold] = found.forecast.astype("float32")
            trial = Trial(candidate.name, fold, found.relative_score(), 0.0, **seconds_of_training(model))
        except InputError as error:
            trial = Trial(candidate.name, fold, float("inf"), 0.0, error=str(error))
        return replace(trial, seconds=time.monotonic() - began)

    def _fit(self, model, number) -> Evaluation:
        fold = self.folds[number]
        most = max(int((fold.stop - self.panel.first_observed()).max()) - self.horizon, 1)
        if model.lookback is not None and model.lookback > most:
            model.set_params(lookback=most)  # a fold has fewer rows than the final fit
        fold.fit(model, self.panel, self.schema)
        return evaluate(model, self.windows[number])

    def errors(self, weights: dict[str, float], fold: int) -> np.ndarray:
        """Return relative scores of a weighted average of forecasters, one per observed series."""
        windows = self.windows[fold]
        _, series = np.unique(series_number(self.panel, windows.origins), return_inverse=True)
        rows = windows.scores(series, series.max() + 1, windows.ranking_scale)
        forecast = sum(weight * self.forecasts[name, fold] for name, weight in weights.items())
        return rows.mase(forecast)[rows.scaled_counts > 0] / windows.reference

    def is_clearly_worse(self, own: dict[str, float], other: dict[str, float], folds: int) -> bool:
        """Whether a weighted average has larger errors than another on the first folds, by more than chance."""
        errors, series, cutoffs = ([], []), [], []
        for fold in range(folds):
            windows = self.windows[fold]
            known = ~np.isnan(windows.actual).all(axis=1)
            for found, weights in zip(errors, (own, other), strict=True):
                forecast = sum(weight * self.forecasts[name, fold] for name, weight in weights.items())
                wrong = np.nanmean(np.abs(forecast - windows.actual)[known], axis=1)
                found.append(wrong / windows.ranking_scale[known])
            series.append(windows.origins.entity[known])
            cutoffs.append(self.panel.ordinal_at(windows.origins.entity, windows.origins.row)[known])
        *errors, series, cutoff = (np.concatenate(each) for each in (*errors, series, cutoffs))
        known = ~np.isnan(errors[0])  # series without a scale do not count
        own, other, series, cutoff = (each[known] for each in (*errors, series, cutoff))
        return is_clearly_larger(own, other, independent_blocks(cutoff, self.horizon, series))


def seconds_of_training(model) -> dict[str, float]:
    """Return `trained`, `compiled` and `epoch` of a fitted model for `Trial`."""
    total = {"trained": 0.0, "compiled": 0.0, "epoch": 0.0}
    for part in parts_of(model):
        if not hasattr(part, "training_history_"):
            continue
        record = part.training_history_
        steps, first = sum(count for count, _ in record.pieces), record.pieces[0][1]
        usual = record.pieces[0][0] * record.epoch_seconds() / record.steps
        # With a single piece the compilation time is not known.
        compiled = max(first - usual, 0.0) if len(record.pieces) > 1 else first
        trained = max(record.seconds - compiled, 0.0)
        total["compiled"] += compiled
        total["trained"] += trained
        total["epoch"] += STEPS / steps * (trained or first)
    return total
