"""Compare models on the same folds, seeds and time budget."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict

import numpy as np
import pandas as pd

from forecastkit.baselines.seasonal_scales import first_cutoffs, seasonal_scales
from forecastkit.comparison.candidates import Candidate, make_candidates
from forecastkit.comparison.measure import AT_ONCE, METRICS, Task, measure_memory, run
from forecastkit.comparison.results import Comparison, make_table
from forecastkit.data.ingest.read_panel import read_panel
from forecastkit.data.output_frames import timestamps_at
from forecastkit.data.panel import Panel
from forecastkit.data.sizes import choose_horizon, choose_season
from forecastkit.data.windows import Origins
from forecastkit.evaluation.folds import Fold, make_folds, suited_sizes
from forecastkit.forecasters.base import Forecaster
from forecastkit.preprocessing.moments import without_broken
from forecastkit.training.trained_network import NETWORK_CACHE
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.formatting import minutes_and_seconds, number
from forecastkit.utils.run_log import RunLog, fingerprint
from forecastkit.utils.time_budget import IN_ANY_CASE, LEAST, MOST, WORTH_TRYING, TimeBudget, no_time_for, seconds_of
from forecastkit.utils.types import Data, Path
from forecastkit.utils.validation import check_choice, check_int, first_few, refuse

WHERE = "compare"
#: Written to run logs, so that runs of a version with another scale are not mixed in.
SCALE = "scaled by the rows up to the first cutoff of all folds"


class CompareOptions(TypedDict, total=False):
    """Options of `compare` that few calls need."""

    n_windows: int | None
    stride: int | None
    memory: bool
    lookbacks: Sequence[int]
    path: Path | None
    progress: Callable[[str], object] | None


def compare(
    models: str | Forecaster | Sequence[str | Forecaster] | Mapping[str, str | Forecaster],
    X: Data,
    y: Data | None = None,
    *,
    seeds: int | Sequence[int] = 3,
    folds: int | None = None,
    metric: str | None = None,
    budget: float | str | None = None,
    **parameters: Any,
) -> Comparison:
    """Compare models and three baselines on the same folds with the same seeds and training time.

    Every model is fitted to the rows before a fold and forecasts it from several cutoffs; rows of a fold are never used
    for training. Naive, seasonal naive and linear forecasts are always included.

    Parameters
    ----------
    models : str, Forecaster, list of them, or dict of name to one
        Names of networks (``"gru"``) and baselines, ``"ensemble"``, ``"all"`` for every network, or unfitted
        forecasters.
    X, y : as in `fit`
    seeds : int or list of int
        Number of seeds, or a list of them. Deterministic models run once.
    folds : int, optional
        Number of blocks of last rows, each forecast by models fitted on all rows before it; by default one if it has
        ten horizons, else three.
    metric : {'mase', 'mae', 'mse'}, optional
        Metric for ranking; by default MASE if it is defined, else MAE.
    budget : float or str, optional
        Time budget of the whole comparison in seconds, or ``"90s"``, ``"10m"``, ``"1h"``. All networks get the same
        training time, which is computed anew for every seed and fold from the remaining time.
    **parameters
        Constructor parameters: ``horizon=24, target="load"``. Models given by name receive those that they have,
        forecasters those that are None. See also Other Parameters.

    Other Parameters
    ----------------
    n_windows : int, optional
        Number of cutoffs per fold; by default those of the last tenth of the rows, at most 200.
    stride : int, optional
        Rows between cutoffs.
    memory : bool
        Whether to measure peak memory by an additional short fit of each model in a separate process; by default True.
    lookbacks : list of int, optional
        Lookbacks at which the time of one epoch of each model is measured.
    path : path-like, optional
        File to which each finished run is appended immediately as a JSON line; a comparison with the same data and
        settings resumes from it.
    progress : callable, optional
        Called with a line of text after every run, such as `print`.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        Before training, if models or parameters do not exist, folds are longer than the data, the budget is too small
        for one run of each model, or the path belongs to other data or settings.
    """
    budget = budget if isinstance(budget, TimeBudget) else TimeBudget(seconds_of(budget, WHERE))
    seeds = _seeds(seeds)
    check_choice(WHERE, "metric", metric, (*METRICS, None))
    options = {name: parameters.pop(name) for name in CompareOptions.__annotations__ if name in parameters}
    lookbacks = options.get("lookbacks", ())
    for lookback in lookbacks:
        check_int(WHERE, "lookbacks", lookback)
    candidates = make_candidates(models, parameters)
    panel, schema = read_panel(X, y, **candidates[0].forecaster._reading())
    panel = without_broken(WHERE, panel, schema.target)
    task, folds = prepare_folds(candidates, panel, schema, (folds, options.get("n_windows"), options.get("stride")))
    comparison_run = _ComparisonRun(candidates, task, folds, seeds, budget, options.get("progress"))
    comparison_run.open(options.get("path"))
    if options.get("memory", True):
        comparison_run.measure_memory()
    comparison_run.measure_growth(lookbacks)
    with NETWORK_CACHE.room_for(len(comparison_run.networks)):
        comparison_run.run_all()
    return comparison_run.result(metric)


def prepare_folds(candidates, panel: Panel, schema, choices=()) -> tuple[Task, list[Fold]]:
    """Return the common data of all runs, and the folds."""
    model = candidates[0].forecaster
    horizon = choose_horizon(model.horizon, model.season_length, panel, schema)
    calendar = panel.grid.is_time or schema.time is not None
    sizes, _ = suited_sizes(panel, horizon, calendar, *choices)
    folds = make_folds(panel, sizes, calendar)
    stop = first_cutoffs(panel, Origins.joined([fold.origins for fold in folds]))
    season = choose_season(model.season_length, panel, stop)
    return Task(panel, schema, season, sizes, seasonal_scales(panel, stop, season)[0]), folds


class _ComparisonRun:
    """The runs of a comparison in sequence."""

    def __init__(self, candidates, task: Task, folds, seeds, budget: TimeBudget, progress):
        self.candidates, self.task, self.folds, self.seeds, self.budget = candidates, task, folds, seeds, budget
        self.progress, self.notes, self.memory, self.growth, self.runs = progress, [], {}, [], []
        self.networks = [candidate for candidate in candidates if candidate.is_trained]
        self.n_seeds, self.not_run = len(seeds), []
        self.network_folds = len(folds)
        self._check_budget()

    def _check_budget(self):
        """Refuse a budget that is too small for one seed, and skip seeds that it does not allow."""
        if self.budget.seconds is None or not self.networks:
            return
        fits = len(self.networks) * len(self.folds)
        most = int(self.budget.seconds // (LEAST * fits))
        if not most:
            rule = f"budget must be at least {LEAST * fits:.0f} s for one run of {len(self.networks)} networks"
            rule += f" on {len(self.folds)} folds" if len(self.folds) > 1 else ""
            refuse(WHERE, rule, f"{self.budget.seconds:g} s", error=ParameterError)
        self.seeds = self.seeds[:most]

    def open(self, path):
        """Read finished runs."""
        sizes = self.task.sizes
        header = {name: getattr(sizes, name) for name in ("horizon", "folds", "n_windows", "stride")}
        header |= {"data": fingerprint(self.task.panel), "season_length": self.task.season, "mase": SCALE}
        self.run_log = RunLog(path, {**header, "budget": self.budget.seconds}, WHERE)
        self.budget.spent = sum(found.get("seconds") or 0.0 for found in self.run_log.done.values())
        for found in self.run_log.done.values():
            self._learn(found)
        if self.run_log.done and self.progress is not None:
            self.progress(f"{len(self.run_log.done)} finished results are read from {path}")

    def _learn(self, found):
        """Record the seconds of a fit outside its training loop."""
        if "train_seconds" in found and found["train_seconds"] > 0:
            whole = found["seconds"] if "mae" in found else found["fit_seconds"]
            # Time over the training limit, such as compilation of the first step, does not count as training.
            trained = min(found["train_seconds"], found.get("limit") or found["train_seconds"])
            self.budget.learn(found["model"], overhead=whole - trained)

    def _once(self, key: str, candidate: Candidate, work, **details) -> dict:
        """Return the result stored under this key, or compute and store it."""
        found = self.run_log.find(key)
        if found is None:
            began = time.monotonic()
            found = {"model": candidate.name, **details, **work()}
            found = self.run_log.add(key, {**found, "seconds": time.monotonic() - began})
            self._learn(found)
            self._report(found)
        return found

    # ------------------------------------------------------------------------------------------ the runs

    def run_all(self):
        """Run models without training first, then networks in rounds of one seed and fold."""
        for candidate in self.candidates:
            if not candidate.is_trained:
                for seed in self._seeds_of(candidate):
                    for fold in self.folds:
                        self._run(candidate, seed, fold, None)
        self._try_first()
        for place, seed in enumerate(self.seeds):
            self._leave_out_seeds(place)
            if place >= len(self.seeds):
                return
            for fold in self.folds:
                self._leave_out_folds(place, fold)
                if fold.number < self.network_folds:
                    self._round(seed, fold, self.budget.seconds_each(self._pending(place, fold)))

    def _leave_out_folds(self, place, fold):
        """Leave out the last folds of networks where each fit would train for less than is worthwhile; never the first.

        A fold is left out of the first seed, and then of all: networks are compared on the folds that all have.
        """
        while place == 0 and self.network_folds > max(fold.number, 1):
            pending = self._pending(place, fold)
            seconds = self.budget.seconds_each(pending)
            if seconds is None or not pending or seconds >= self.budget.worthwhile():
                return
            self.network_folds -= 1

    def _leave_out_seeds(self, place):
        """Leave out the last seeds where each fit would train for less than is worthwhile; never the first seed."""
        while len(self.seeds) > max(place, 1):
            pending = self._pending(place, self.folds[0])
            share = self.budget.seconds_each(pending)
            if share is None or not pending or share >= self.budget.worthwhile():
                return
            self.seeds = self.seeds[:-1]

    def _try_first(self):
        """Run a minimal fit to measure the time outside training before the budget is divided."""
        fits = len(self._pending(0, self.folds[0]))
        if (
            self.budget.seconds is None
            or not fits
            or self.budget.seconds / fits < WORTH_TRYING
            or self.budget.has_learned()
        ):
            return
        first = self.networks[0]
        self._learn({"model": first.name, **run(first.for_run(self.seeds[0], AT_ONCE), self.task, self.folds[0])})

    def _seeds_of(self, candidate):
        return self.seeds if candidate.is_random else [None]

    def _pending(self, place, fold) -> list[str]:
        """Return the names of the networks whose fits remain from this seed and fold, once per fit."""
        rounds = [(seed, each) for seed in self.seeds[place:] for each in self.folds[: self.network_folds]]
        left = [(seed, each, candidate) for seed, each in rounds[fold.number :] for candidate in self.networks]
        return [candidate.name for seed, each, candidate in left if not self._is_done(candidate, seed, each)]

    def _is_done(self, candidate, seed, fold) -> bool:
        return self.run_log.find(_key("run", candidate, seed, fold.number)) is not None

    def _round(self, seed, fold, limit):
        """Fit every network once with the same limit, or less if the others have used up the time."""
        limit = self._limit_before(seed, fold) or limit
        for candidate in self.networks:
            pending = self._pending(self.seeds.index(seed), fold)
            if not self._is_done(candidate, seed, fold) and self.budget.is_over(candidate.name):
                self.not_run.append(self._label(candidate.name, seed, fold.number))
                continue
            hardest = self.budget.seconds_each(pending, MOST)
            self._run(candidate, seed, fold, None if limit is None else max(min(limit, hardest), IN_ANY_CASE))

    def _limit_before(self, seed, fold):
        """Return the limit of a round that was started in an earlier process."""
        done = [found for found in self.run_log.done.values() if found.get("fold") == fold.number]
        return max((found.get("limit") or 0.0 for found in done if found.get("seed") == seed), default=None)

    def _run(self, candidate, seed, fold: Fold, limit):
        seed = seed if candidate.is_random else None
        first = seed in (None, self.seeds[0])

        def work():
            return run(candidate.for_run(seed, limit), self.task, fold, latency=first)

        details = {"seed": seed, "fold": fold.number, "limit": limit if candidate.is_trained else None}
        found = self._once(_key("run", candidate, seed, fold.number), candidate, work, **details)
        self.runs.append(found)

    def _report(self, found):
        if self.progress is None:
            return
        label = self._label(found["model"], found.get("seed"), found.get("fold"))
        if "fold" not in found and "lookback" in found:
            label += f", lookback {found['lookback']}"
        got = found.get("error") or (f"MAE {number(found['mae'], 4)}" if "mae" in found else "peak memory")
        planned = len(self.folds) * sum(len(self._seeds_of(candidate)) for candidate in self.candidates)
        place = f"{len(self.runs) + 1}/{planned}  " if "fold" in found else ""
        self.progress(f"{place}{label}: {got}  {minutes_and_seconds(self.budget.elapsed())}")

    def _label(self, name: str, seed: int | None, fold: int | None) -> str:
        """Return the description of a run: ``gru, seed 1, fold 2``."""
        seed = "" if seed is None else f", seed {seed}"
        return f"{name}{seed}" + (f", fold {fold + 1}" if fold is not None and len(self.folds) > 1 else "")

    # ------------------------------------------------------------------------------------------ further measurements

    def measure_memory(self):
        """Measure the peak memory of a fit of each model in a separate process."""
        until, left = self._measurement_deadline(), []
        for candidate in self.candidates:
            if time.monotonic() > until:
                left.append(candidate.name)
                continue
            model = candidate.for_run(self.seeds[0], AT_ONCE)
            found = self._once(
                _key("memory", candidate), candidate, lambda m=model: measure_memory(m, self.task, self.folds[-1])
            )
            self.memory[candidate.name] = found
            if "error" in found:
                self.notes.append(f"peak memory of {candidate.name} was not measured: {found['error']}")
        if left:
            self.notes.append(no_time_for(f"the peak memory of {first_few(left, 12)}"))

    def _measurement_deadline(self) -> float:
        """Return the time until which additional measurements may start: a sixth of the budget from now."""
        return math.inf if self.budget.seconds is None else time.monotonic() + self.budget.seconds / 6

    def measure_growth(self, lookbacks):
        """Measure seconds per epoch and milliseconds per forecast of each model at each of these lookbacks."""
        fold, until = self.folds[-1], self._measurement_deadline()
        for candidate in [each for each in self.candidates if each.looks_back]:
            for lookback in lookbacks:
                if time.monotonic() > until:
                    self.notes.append(no_time_for(f"{candidate.name} at lookback {lookback}"))
                    continue
                model = candidate.for_run(self.seeds[0], None, lookback=lookback, **_one_epoch(candidate))
                work = lambda m=model: run(m, self.task, fold, latency=True)  # noqa: E731
                found = self._once(_key("growth", candidate, lookback), candidate, work, lookback=lookback)
                self.growth.append(found)

    # ------------------------------------------------------------------------------------------ the result

    def result(self, metric) -> Comparison:
        names = [candidate.name for candidate in self.candidates]
        table, metric = make_table(names, self.runs, self.memory, self.task.sizes, metric)
        self._note_budget()
        settings = {
            **{name: getattr(self.task.sizes, name) for name in ("horizon", "folds", "n_windows", "stride")},
            "season_length": self.task.season,
            "first_cutoffs": [self._first_cutoff(fold) for fold in self.folds],
            "seeds": self.seeds if any(candidate.is_random for candidate in self.candidates) else [],
            "budget": self.budget.seconds,
            "seconds": self.budget.elapsed(),
        }
        runs = pd.DataFrame([{k: v for k, v in run.items() if k != "by_cutoff"} for run in self.runs])
        models = {candidate.name: candidate.forecaster for candidate in self.candidates}
        return Comparison(table, runs, metric, settings, self._growth_table(), self.notes, models)

    def _note_budget(self):
        """Add notes on the effects of the budget."""
        if len(self.seeds) < self.n_seeds:
            self.notes.append(no_time_for(f"{self.n_seeds - len(self.seeds)} of {self.n_seeds} seeds"))
        if self.networks and self.network_folds < len(self.folds):
            left = len(self.folds) - self.network_folds
            self.notes.append(
                f"{no_time_for(f'networks on {left} of {len(self.folds)} folds')}: scores are of the others"
            )
        if self.not_run:
            self.notes.append(no_time_for(self.not_run))
        trained = [run for run in self.runs if "ended" in run]
        ended = [run["limit"] for run in trained if run["ended"] == "time limit" and run["limit"]]
        if ended:
            ended_early = (
                f"the budget ended {len(ended)} of {len(trained)} trainings, after a median of {np.median(ended):.2g} s"
            )
            self.notes.append(f"{ended_early}: with a longer budget networks may be more accurate")
        if self.networks and len(self.seeds) == 1:
            self.notes.append("one seed: standard errors leave out the variation between seeds")

    def _first_cutoff(self, fold):
        origins = fold.origins
        ordinal = self.task.panel.ordinal_at(origins.entity, origins.row).min()
        return str(timestamps_at(self.task.panel, np.array([ordinal]))[0]).removesuffix(" 00:00:00")

    def _growth_table(self):
        if not self.growth:
            return None
        shown = ("model", "lookback", "parameters", "epoch_seconds", "fit_seconds", "one_ms", "many_ms")
        rows = [{name: found.get(name, math.nan) for name in shown} for found in self.growth]
        return pd.DataFrame(rows).set_index(["model", "lookback"])


def _key(kind: str, candidate: Candidate, *others) -> str:
    """Return the key of a task."""
    return " ".join(map(str, (kind, *others, candidate.name, candidate.fingerprint())))


def _one_epoch(candidate) -> dict:
    """Return parameters that end training after one epoch of an unchanged schedule."""
    if not candidate.is_trained:
        return {}
    from forecastkit.training.callbacks import OneEpoch

    return {"callbacks": [OneEpoch()], "final_epochs": 0}


def _seeds(seeds) -> list[int]:
    listed = isinstance(seeds, (list, tuple, range, np.ndarray))
    if not listed:
        check_int(WHERE, "seeds", seeds)
        return list(range(seeds))
    for seed in seeds:
        check_int(WHERE, "seeds", seed, low=0)
    if not len(seeds) or len(set(seeds)) < len(seeds):
        refuse(WHERE, "seeds must be distinct, at least one", list(seeds), error=ParameterError)
    return [int(seed) for seed in seeds]
