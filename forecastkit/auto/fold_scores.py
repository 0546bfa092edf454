"""Scores of candidates on rolling-origin folds of the training rows."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from forecastkit.comparison.candidates import Candidate
from forecastkit.comparison.measure import parts_of
from forecastkit.data.panel import Panel
from forecastkit.data.schema import Schema
from forecastkit.evaluation.folds import Fold, most_folds
from forecastkit.uncertainty.residuals import observed_after, scale_of
from forecastkit.utils.exceptions import InputError

#: Folds at most.
FOLDS = 2
#: Steps of an epoch at most, as networks choose them.
STEPS = 100


@dataclass(frozen=True)
class Trial:
    """One fit of one candidate on the rows before one fold.

    Attributes
    ----------
    forecaster : str
        Its name.
    fold : int
        From 0, the latest first.
    score : float
        Mean absolute error, in units of each series' scale, by that of the seasonal naive; infinite where it could not
        forecast.
    seconds : float
        Of everything.
    trained, compiled : float
        Of the training loop: of its steps, and of compiling the first of them.
    epoch : float
        Seconds of an epoch of `STEPS` steps; 0 without networks.
    error : str
        Why it failed.
    """

    forecaster: str
    fold: int
    score: float
    seconds: float
    trained: float = 0.0
    compiled: float = 0.0
    epoch: float = 0.0
    error: str = ""


class FoldEvaluator:
    """Folds, the reference's errors on them, and every forecast made.

    Parameters
    ----------
    panel : Panel
        Rows before the validation block.
    schema : Schema
    horizon : int
    calendar : bool
        Whether rows have times.
    keep : callable
        Takes every trial as soon as its score is known.
    """

    def __init__(self, panel: Panel, schema: Schema, horizon: int, calendar: bool, keep: Callable):
        self.panel, self.schema, self.horizon = panel, schema, horizon
        self.folds, self._keep = self._folds(calendar)[::-1], keep
        self.actual = [observed_after(panel, fold.origins, horizon) for fold in self.folds]
        self.scale: dict[int, np.ndarray] = {}
        self.forecasts: dict[tuple[str, int], np.ndarray] = {}
        self.trials: list[Trial] = []
        self.reference: dict[int, float] = {}

    def _folds(self, calendar) -> list[Fold]:
        """As many folds as the rows suffice for."""
        try:
            return most_folds(self.panel, range(FOLDS, 0, -1), self.horizon, calendar)
        except InputError:
            return []

    def use(self, most: int) -> None:
        """Use no more than so many folds, the latest."""
        self.folds = self.folds[:most]

    def attempt(self, contender: Candidate, fold: int, seed: int, limit: float | None, values: dict) -> Trial:
        """Fit on the rows before the fold, forecast it, and keep forecast and score."""
        trial = self.rehearse(contender, fold, seed, limit, values)
        self.trials.append(trial)
        if self.reference:
            self._keep(trial)
        return trial

    def rehearse(self, contender: Candidate, fold: int, seed: int, limit: float | None, values: dict) -> Trial:
        """The same, and the trial does not count."""
        began, model = time.monotonic(), contender.for_run(seed, limit, **values)
        try:
            spent = self._fit(model, contender.name, fold)
            trial = Trial(contender.name, fold, self.score(contender.name, fold), 0.0, **spent)
        except InputError as error:
            trial = Trial(contender.name, fold, float("inf"), 0.0, error=str(error))
        return replace(trial, seconds=time.monotonic() - began)

    def _fit(self, model, name, number):
        fold = self.folds[number]
        most = max(int((fold.stop - self.panel.first_observed()).max()) - self.horizon, 1)
        if model.lookback is not None and model.lookback > most:
            model.set_params(lookback=most)  # fewer rows than there are in the end
        model._fit_panel(fold.seen(self.panel), self.schema)
        known = model._adapted(self.panel, fold.stop)
        # Of the first, the linear one, for all. Seasonal differences would let series that hardly move decide alone.
        self.scale.setdefault(number, scale_of(known.scaler_, self.panel, fold.origins)[:, None])
        forecast = model._points(known._forecast(self.panel, fold.origins))
        self.forecasts[name, number] = forecast.astype("float32")
        return seconds_of_training(model)

    def refer_to(self, name: str) -> None:
        """Let this baseline be what scores are relative to, its own among them."""
        self.reference = {fold: self.score(name, fold) for fold in range(len(self.folds))}
        self.trials = [
            trial if trial.error else replace(trial, score=self.score(trial.forecaster, trial.fold))
            for trial in self.trials
        ]
        for trial in self.trials:
            self._keep(trial)

    def _wrong(self, weights, fold) -> np.ndarray:
        """Errors of a weighted average of forecasters, (n, horizon), NaN where nothing was observed."""
        forecast = sum(weight * self.forecasts[name, fold] for name, weight in weights.items())
        return np.abs(forecast - self.actual[fold]) / self.scale[fold]

    def errors(self, weights: dict[str, float], fold: int) -> np.ndarray:
        """Mean errors of a weighted average of forecasters, by the reference's, of each series that was observed."""
        origins, wrong = self.folds[fold].origins, self._wrong(weights, fold)
        _, series = np.unique(origins.entity * self.panel.channels + origins.channel, return_inverse=True)
        counts = np.bincount(series, (~np.isnan(wrong)).sum(axis=1))
        sums = np.bincount(series, np.nansum(wrong, axis=1))
        return sums[counts > 0] / counts[counts > 0] / max(self.reference[fold], 1e-12)

    def score(self, name: str, fold: int) -> float:
        """Mean error of a forecaster by the reference's; infinite where it cannot be told."""
        wrong = self._wrong({name: 1.0}, fold)
        if np.isnan(wrong).all() or not np.isfinite(error := float(np.nanmean(wrong))):
            return float("inf")
        return error / max(self.reference.get(fold, 1.0), 1e-12)


def seconds_of_training(model) -> dict[str, float]:
    """What the training loops of a fitted model took: `trained`, `compiled` and `epoch` of `Trial`."""
    total = {"trained": 0.0, "compiled": 0.0, "epoch": 0.0}
    for part in parts_of(model):
        if not hasattr(part, "training_history_"):
            continue
        record = part.training_history_
        steps, first = sum(count for count, _ in record.pieces), record.pieces[0][1]
        usual = record.pieces[0][0] * record.epoch_seconds() / record.steps
        # Of a single piece nobody knows which part was compiling.
        compiled = max(first - usual, 0.0) if len(record.pieces) > 1 else first
        trained = max(record.seconds - compiled, 0.0)
        total["compiled"] += compiled
        total["trained"] += trained
        total["epoch"] += STEPS / steps * (trained or first)
    return total
