"""Running a search: parallel trials, time limit, resuming."""

import hashlib
import math
import os
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state

from forecastkit.comparison.candidates import Candidate, changed, members
from forecastkit.data.panel import Panel, check_observed
from forecastkit.data.sizes import choose_horizon, choose_season
from forecastkit.training.loop import USUAL_EPOCHS
from forecastkit.tuning.default_spaces import DataContext, default_space
from forecastkit.tuning.processes import Processes
from forecastkit.tuning.results import DONE, DROPPED, STATES, Tuning, make_trials, progress_line, rank_key
from forecastkit.tuning.settings import MAX_TRIALS, Settings, make_folds
from forecastkit.tuning.space import WHERE, find_parameter_error, make_space
from forecastkit.tuning.trial import Task, TrialLimits, make_model, run_trial
from forecastkit.utils.exceptions import InputError, ParameterError
from forecastkit.utils.run_log import fingerprint
from forecastkit.utils.time_budget import LEAST, TimeBudget, training_seconds
from forecastkit.utils.validation import refuse
from forecastkit.utils.warn import without_warnings

#: Fraction of a usual trial's duration that must be left to start another one.
WORTHWHILE = 0.6
#: Estimated duration of the final fit on all rows, in units of a fit on a fold.
REFIT = 1.4
#: Fraction of its time limit, and seconds, by which a trial may exceed the limit before it is terminated.
OVER, GRACE = 1.1, 3.0
#: Number of trials after which a search with failures only is aborted.
HOPELESS = 5


class Search:
    """A search for parameters of an unfitted forecaster: its task and space, validated before training."""

    def __init__(self, forecaster, panel: Panel, schema, space, settings: Settings, weight=None):
        self.settings, self.forecaster = settings, forecaster
        self.seed = int(
            check_random_state(settings.random_state).randint(1, 2**31 - 1)
        )  # keras-tuner treats 0 as no seed
        self.budget = TimeBudget(settings.seconds)
        check_observed(type(forecaster).__name__, schema, panel)
        _choose(forecaster, panel, schema)  # raises an error if the data are too short for any fold
        horizon = choose_horizon(forecaster.horizon, forecaster.season_length, panel, schema)
        folds = make_folds(panel, schema, horizon, settings.n_folds)
        season = choose_season(forecaster.season_length, panel, folds[0].stop)
        self.task = Task(self._seeded(forecaster), panel, schema, folds, season, weight)
        self._check_time()
        self._prepare_space(horizon, season, space)
        self.rows, self.hopeless = [], False

    def _seeded(self, forecaster):
        """Return the forecaster of the trials: without output, and with a common seed if it has none."""
        values = {"verbose": 0}
        if all(getattr(member, "random_state", 0) is None for member in members(forecaster)):
            values["random_state"] = self.seed
        return changed(forecaster, values)

    def _check_time(self):
        """Refuse a time limit that is too short for one trial."""
        if self.settings.seconds is None or not self._is_network():
            return
        fits = len(self.task.folds) + self.settings.refits
        if self.settings.seconds < LEAST * fits:
            rule = f"the time limit must be at least {LEAST * fits:.0f} s for one trial on {len(self.task.folds)} folds"
            rule += " and what follows" if self.settings.refits else ""
            refuse(WHERE, rule, f"{self.settings.seconds:g} s", error=ParameterError)

    def _is_network(self):
        return any("time_limit" in member.get_params(deep=False) for member in members(self.forecaster))

    def _prepare_space(self, horizon, season, space):
        """Return the space, the forecaster's own values in it, and the name of the search."""
        seen = self.task.folds[0].seen(self.task.panel)
        model = _choose(self.task.forecaster, seen, self.task.schema)
        patch = getattr(model, "patch_", None)
        self.own = {"lookback": model.lookback_, **({} if patch is None else {"patch": patch})}
        if space is None:
            rows = int((seen.last_observed() + 1 - seen.indptr[:-1]).max())
            target = seen.target[np.isfinite(seen.target)]
            max_lookback = max((rows - horizon) // 2, 1)
            ground = DataContext(
                model.lookback_, patch, max_lookback, horizon, season, seen.grid, bool((target >= 0).all())
            )
            space = default_space(model, ground)
        self.space = make_space(space, self.task.forecaster)
        given = {name: value for name, value in self.task.forecaster.get_params().items() if value is not None}
        if hasattr(model, "_architecture"):
            self.own["learning_rate"] = model._architecture().learning_rate
        self.own = {**dict.fromkeys(self.task.forecaster.get_params()), **self.own, **given}
        if self.settings.search == "hyperband" and "epochs" not in self.own:
            rule = "hyperband needs a forecaster that is trained by epochs"
            refuse(WHERE, rule, type(self.forecaster).__name__, "Pass search='random'.", ParameterError)
        self.project = f"tune-{self._name()}"

    def _name(self) -> str:
        """Return a text that identifies data, forecaster, space, folds and kind of search."""
        task, settings, digest = self.task, self.settings, hashlib.sha256()
        seed = None if settings.random_state is None else self.seed  # without a given seed it differs between runs
        limit = [getattr(member, "time_limit", None) for member in members(task.forecaster)]
        own = Candidate("", task.forecaster).fingerprint(), limit, seed
        folds = [(fold.stop.tolist(), fold.origins.table().tobytes()) for fold in task.folds]
        digest.update(repr((own, self.space.describe(), settings.search, folds)).encode())
        digest.update(fingerprint(task.panel).encode())
        digest.update(b"" if task.weight is None else task.weight.tobytes())
        return digest.hexdigest()[:16]

    # ------------------------------------------------------------------------------------------ running

    def run(self, progress=None) -> None:
        """Run trials until their number or the time limit is reached; after Ctrl-C the results so far remain."""
        self.progress = progress
        with without_warnings(), self._folder() as folder:
            self._run(folder)
        if not any(row["state"] == DONE for row in self.rows):
            self._give_up()

    @contextmanager
    def _folder(self):
        if self.settings.directory is not None:
            path = Path(self.settings.directory)
            try:
                path.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                refuse(WHERE, "directory must be writable", f"{str(path)!r} ({error.strerror})")
            yield path
            return
        with tempfile.TemporaryDirectory(prefix="forecastkit-") as path:
            yield Path(path)

    def _run(self, folder):
        from forecastkit.tuning import kerastuner_chief
        from forecastkit.tuning.kerastuner_tuner import Tuner

        oracle = self._oracle(folder)
        name = os.environ["KERASTUNER_TUNER_ID"] if kerastuner_chief.is_worker() else "tuner"
        # A chief runs no trials.
        here = self.settings.n_jobs == 0 or kerastuner_chief.is_chief()
        processes = None if here else Processes(self.task)

        def run(parameters):
            if processes is None:
                return run_trial(self.task, parameters, self._trial_limits())
            processes.begin()
            return processes.run(parameters, self._trial_limits())

        jobs = range(max(self.settings.n_jobs, 1))
        tuners = [Tuner(oracle, self.space, run, folder, self.project, f"{name}-{job}") for job in jobs]
        try:
            if kerastuner_chief.is_chief():
                kerastuner_chief.serve(oracle, self._is_over)
            else:
                _run_in_threads(tuners)
            if kerastuner_chief.is_worker():
                kerastuner_chief.fetch(tuners[0].oracle, oracle)
        finally:
            for tuner in tuners:
                tuner.stopped.set()
            if processes is not None:
                processes.close()
            self._take(oracle)

    def _oracle(self, folder):
        from forecastkit.tuning.kerastuner_oracles import make_oracle

        oracle = make_oracle(
            self.settings.search,
            self.settings.trials,
            self.seed,
            self.own.get("epochs") or USUAL_EPOCHS,
            own=self.space.codes(self.own),
            feasible=self._is_feasible,
            is_over=self._is_over,
            on_end=self._report,
        )
        oracle.use_folder(folder, self.project)
        self.oracle = oracle
        if (folder / self.project / "oracle.json").exists():
            oracle.reload()
            self._take(oracle)
            self.budget.spent = sum(row["seconds"] for row in self.rows) / max(self.settings.n_jobs, 1)
            if self.progress is not None:
                self.progress(f"{len(self.rows)} trials are taken from {folder}")
        return oracle

    def _is_feasible(self, values) -> bool:
        """Return whether the forecaster accepts proposed values."""
        hp = self.oracle.get_space()
        hp.values = dict(values)
        return find_parameter_error(self.task.forecaster, self.space.build(hp)) is None

    def _take(self, oracle):
        """Update the leaderboard rows from the oracle."""
        self.rows = [self._row(trial) for _, trial in sorted(oracle.trials.items())]

    def _row(self, trial) -> dict:
        from forecastkit.tuning.kerastuner_oracles import OWN
        from forecastkit.tuning.kerastuner_tuner import FOLD, OVERHEAD, SECONDS, parameters_of

        metrics = {name: trial.metrics.get_best_value(name) for name in trial.metrics.metrics}
        folds = {int(name.removeprefix(FOLD)): score for name, score in metrics.items() if name.startswith(FOLD)}
        is_own = OWN in trial.hyperparameters.values
        # The state is set to completed shortly before the score is.
        state = "unfinished" if trial.status == "COMPLETED" and trial.score is None else STATES[trial.status]
        done = state == DONE
        return {
            "trial": int(trial.trial_id),
            "own": is_own,
            "score": float(trial.score) if done else math.nan,
            "folds": folds if done else {},
            "seconds": float(metrics.get(SECONDS, 0.0)),
            "overhead": metrics.get(OVERHEAD),
            "state": DROPPED if done and len(folds) < len(self.task.folds) else state,
            "message": trial.message or "",
            "parameters": self._own_shown() if is_own else parameters_of(self.space, trial),
        }

    def _own_shown(self):
        """Return the forecaster's own values of the searched parameters."""
        return {name: self.own[name] for name in self.names()}

    def _report(self, trial):
        """Report a finished trial, and abort if all trials fail."""
        self._take(self.oracle)
        ended = [row for row in self.rows if row["state"] != "unfinished"]
        if self.progress is not None:
            row = next(row for row in self.rows if row["trial"] == int(trial.trial_id))
            most = "" if self.settings.trials == MAX_TRIALS else f"/{self.settings.trials}"
            best = self.best()
            self.progress(progress_line(row, math.nan if best is None else best["score"], f"{len(ended)}{most}"))
        self.hopeless = len(ended) >= HOPELESS and all(row["state"] == "failed" for row in ended)

    def _give_up(self):
        failed = [row for row in self.rows if row["state"] == "failed"]
        if not failed:
            rule = "the time limit must suffice for one trial"
            refuse(WHERE, rule, f"{self.budget.seconds:g} s", "Give more time, or fewer n_folds=.", ParameterError)
        raise InputError(f"{WHERE}: all of {len(failed)} trials failed; error of the first: {failed[0]['message']}")

    # ------------------------------------------------------------------------------------------ time

    def _left(self) -> float:
        """Return the seconds left for trials."""
        return self.budget.left() - self._reserve()

    def _reserve(self) -> float:
        """Return the seconds reserved for the final fit on all rows."""
        best, fits = self.best(), self.settings.refits
        if best is None:
            return self.budget.seconds * fits / (len(self.task.folds) + fits)
        return fits * REFIT * best["seconds"] / len(self.task.folds)

    def for_refit(self, fits: int = 1) -> float | None:
        """Return the training seconds available to each of `fits` fits on all rows, or None without a limit."""
        if self.budget.seconds is None or not self._is_network():
            return None
        return training_seconds(self.budget.left() / fits, self._overhead())

    def _overhead(self) -> float | None:
        """Return the seconds per fold of the latest trial outside training; None before the first trial."""
        known = [row["overhead"] for row in self.rows if row["overhead"] is not None]
        return known[-1] if known else None

    def limited(self, forecaster, fits: int):
        """Return the unfitted forecaster with a training limit such that `fits` fits finish in time."""
        return make_model(forecaster, {}, self.for_refit(fits))

    def names(self) -> list[str]:
        """Return the searched parameters, as far as the space lists them."""
        return self.space.names()

    def _trial_limits(self) -> TrialLimits:
        """Return the limits of a trial that starts now."""
        best = self.best()
        rival = {} if best is None else best["folds"]
        if self.budget.seconds is None:
            return TrialLimits(rival=rival)
        left = max(self._left(), 1.0)
        # The first trial may use the reserved time, because there is no result without it.
        most = OVER * left + GRACE if best else self.budget.left(OVER)
        return TrialLimits(left, max(most, 1.0), rival, self._overhead())

    def _is_over(self) -> bool:
        """Return whether no further trial should start."""
        if self.hopeless or self.budget.seconds is None:
            return self.hopeless
        usual = [row["seconds"] for row in self.rows if row["state"] in (DONE, DROPPED)]
        return self._left() < (WORTHWHILE * float(np.median(usual)) if usual else 1.0)

    # ------------------------------------------------------------------------------------------ the result

    def best(self) -> dict | None:
        """Return the row of the best trial, or None if none is done."""
        done = [row for row in self.rows if row["state"] == DONE]
        return min(done, key=rank_key, default=None)

    def best_params(self) -> dict:
        """Return the parameters of the best trial; the forecaster's own values if that is the first."""
        best = self.best()
        if not best["own"]:
            return best["parameters"]
        own = self.forecaster.get_params()
        return {name: own[name] for name in self._own_shown()}

    def result(self) -> Tuning:
        """Return the result of the search."""
        parameters = self.best_params()
        forecaster = clone(self.forecaster).set_params(**parameters)
        trials = make_trials(self.rows)
        return Tuning(trials, parameters, self.best()["score"], forecaster, self.budget.elapsed())


def _choose(forecaster, panel, schema):
    """Return a clone that has chosen its sizes for these rows."""
    model = clone(forecaster)
    model.schema_ = schema
    with without_warnings():  # issued by the final fit
        model._choose_sizes(panel, panel.last_observed() + 1)
    return model


def _run_in_threads(tuners) -> None:
    """Run the tuners in threads until all are done or one raises an exception."""
    errors = []

    def search(tuner):
        try:
            with without_warnings():
                tuner.search()
        except BaseException as error:
            errors.append(error)
            for other in tuners:
                other.stopped.set()

    if len(tuners) == 1:
        tuners[0].search()
        return
    threads = [threading.Thread(target=search, args=(tuner,), daemon=True) for tuner in tuners]
    for thread in threads:
        thread.start()
    while not errors and any(thread.is_alive() for thread in threads):
        time.sleep(0.05)
    if errors:
        raise errors[0]
