"""Run a search: trials in parallel, time limit, resuming."""

import hashlib
import math
import os
import tempfile
import threading
import time
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state

from forecastkit.comparison.candidates import Candidate, changed, members
from forecastkit.data.panel import Panel
from forecastkit.data.sizes import choose_horizon
from forecastkit.forecasters.recursive import check_observed
from forecastkit.tuning.default_spaces import DataContext, default_space
from forecastkit.tuning.processes import InProcessRunner, Processes
from forecastkit.tuning.results import DONE, DROPPED, STATES, Tuning, line, make_trials, rank_key
from forecastkit.tuning.settings import MOST_TRIALS, Settings, lay_folds
from forecastkit.tuning.space import WHERE, find_parameter_error, make_space
from forecastkit.tuning.trial import Task, TrialLimits, make_model
from forecastkit.utils.exceptions import InputError, ParameterError
from forecastkit.utils.run_log import fingerprint
from forecastkit.utils.time_budget import LEAST, TimeBudget, training_seconds
from forecastkit.utils.validation import refuse

#: Part of a usual trial's seconds without which another one is not begun.
WORTHWHILE = 0.6
#: What fitting the best on all rows takes, in fits of a fold.
REFIT = 1.4
#: Part of its seconds, and seconds beyond, after which a trial that does not end by itself is ended.
OVER, GRACE = 1.1, 3.0
#: Trials after which a search in which every one failed is given up.
HOPELESS = 5


class Search:
    """A search: its task and space, laid out and checked before anything is trained.

    Parameters
    ----------
    forecaster : Forecaster
        Not fitted.
    panel : Panel
        Training rows.
    schema : Schema
    space : dict, callable or None
    settings : Settings
    weight : ndarray or None
    """

    def __init__(self, forecaster, panel: Panel, schema, space, settings: Settings, weight=None):
        self.settings, self.forecaster = settings, forecaster
        self.seed = int(check_random_state(settings.random_state).randint(1, 2**31 - 1))  # 0 is none to keras-tuner
        self.budget = TimeBudget(settings.seconds)
        check_observed(type(forecaster).__name__, schema, panel)
        _choose(forecaster, panel)  # refuses data that are too short for any fold, in its own words
        horizon, season = choose_horizon(forecaster.horizon, forecaster.season_length, panel.grid)
        folds = lay_folds(panel, schema, horizon, settings.n_folds)
        self.task = Task(self._seeded(forecaster), panel, schema, folds, season, weight)
        self._check_time()
        self._look_around(horizon, season, space)
        self.rows, self.hopeless = [], False

    def _seeded(self, forecaster):
        """The forecaster of the trials: silent, and with one seed for all where it has none."""
        values = {"verbose": 0}
        if all(getattr(member, "random_state", 0) is None for member in members(forecaster)):
            values["random_state"] = self.seed
        return changed(forecaster, values)

    def _check_time(self):
        """Refuse a time limit in which not even one trial can be run."""
        if self.settings.seconds is None or not self._is_network():
            return
        fits = len(self.task.folds) + self.settings.refits
        if self.settings.seconds < LEAST * fits:
            rule = f"the time limit must be at least {LEAST * fits:.0f} s for one trial on {len(self.task.folds)} folds"
            rule += " and what follows" if self.settings.refits else ""
            refuse(WHERE, rule, f"{self.settings.seconds:g} s", error=ParameterError)

    def _is_network(self):
        return any("time_limit" in member.get_params(deep=False) for member in members(self.forecaster))

    def _look_around(self, horizon, season, space):
        """The space, the forecaster's own place in it, and the name of the search."""
        seen = self.task.folds[0].seen(self.task.panel)
        model = _choose(self.task.forecaster, seen)
        patch = getattr(model, "patch_", None)
        self.own = {"lookback": model.lookback_, **({} if patch is None else {"patch": patch})}
        if space is None:
            rows = int((seen.last_observed() + 1 - seen.indptr[:-1]).max())
            target = seen.target[np.isfinite(seen.target)]
            room = max((rows - horizon) // 2, 1)
            ground = DataContext(model.lookback_, patch, room, horizon, season, seen.grid, bool((target >= 0).all()))
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
        """A text that differs where data, forecaster, space, folds or the kind of search do."""
        task, settings, digest = self.task, self.settings, hashlib.sha256()
        seed = None if settings.random_state is None else self.seed  # where none is given, it is another one every time
        limit = [getattr(member, "time_limit", None) for member in members(task.forecaster)]
        own = Candidate("", task.forecaster).fingerprint(), limit, seed
        folds = [(fold.stop.tolist(), fold.origins.table().tobytes()) for fold in task.folds]
        digest.update(repr((own, self.space.describe(), settings.search, folds)).encode())
        digest.update(fingerprint(task.panel).encode())
        digest.update(b"" if task.weight is None else task.weight.tobytes())
        return digest.hexdigest()[:16]

    # ------------------------------------------------------------------------------------------ running

    def run(self, progress=None) -> None:
        """Run trials until their number or the time is over; after Ctrl-C what was found is there."""
        self.progress = progress
        with _quiet(), self._folder() as folder:
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
                refuse(WHERE, "directory must be a place that can be written", f"{str(path)!r} ({error.strerror})")
            yield path
            return
        with tempfile.TemporaryDirectory(prefix="forecastkit-") as path:
            yield Path(path)

    def _run(self, folder):
        from forecastkit.tuning import kerastuner_chief
        from forecastkit.tuning.kerastuner_tuner import Tuner, kept_random

        with kept_random():
            oracle = self._oracle(folder)
            name = os.environ["KERASTUNER_TUNER_ID"] if kerastuner_chief.is_worker() else "tuner"
            runner = self._runner(idle=kerastuner_chief.is_chief())

            def run(parameters):
                runner.begin()
                return runner.run(parameters, self._terms())

            jobs = range(max(self.settings.n_jobs, 1))
            tuners = [Tuner(oracle, self.space, run, folder, self.project, f"{name}-{job}") for job in jobs]
        try:
            if kerastuner_chief.is_chief():
                kerastuner_chief.serve(oracle, self._is_over)
            else:
                _together(tuners)
            if kerastuner_chief.is_worker():
                kerastuner_chief.fetch(tuners[0].oracle, oracle)
        finally:
            for tuner in tuners:
                tuner.stopped.set()
            runner.close()
            self._take(oracle)

    def _runner(self, idle: bool):
        """What runs trials; a chief has none to run."""
        return InProcessRunner(self.task) if self.settings.n_jobs == 0 or idle else Processes(self.task)

    def _oracle(self, folder):
        from forecastkit.tuning.kerastuner_oracles import make_oracle

        oracle = make_oracle(
            self.settings.search,
            self.settings.trials,
            self.seed,
            self.own.get("epochs"),
            own=self.space.codes(self.own),
            feasible=self._is_feasible,
            is_over=self._is_over,
            told=self._tell,
        )
        oracle._set_project_dir(str(folder), self.project)
        self.oracle = oracle
        if Path(oracle._get_oracle_fname()).exists():
            oracle.reload()
            self._take(oracle)
            self.budget.spent = sum(row["seconds"] for row in self.rows) / max(self.settings.n_jobs, 1)
            if self.progress is not None:
                self.progress(f"{len(self.rows)} trials are taken from {folder}")
        return oracle

    def _is_feasible(self, values) -> bool:
        """Whether the forecaster takes what was proposed."""
        hp = self.oracle.get_space()
        hp.values = dict(values)
        return find_parameter_error(self.task.forecaster, self.space.build(hp)) is None

    def _take(self, oracle):
        """Rows of the leaderboard from what the oracle knows."""
        self.rows = [self._row(trial) for _, trial in sorted(oracle.trials.items())]

    def _row(self, trial) -> dict:
        from forecastkit.tuning.kerastuner_oracles import OWN
        from forecastkit.tuning.kerastuner_tuner import BESIDE, FOLD, SECONDS, parameters_of

        metrics = {name: trial.metrics.get_best_value(name) for name in trial.metrics.metrics}
        folds = {int(name.removeprefix(FOLD)): score for name, score in metrics.items() if name.startswith(FOLD)}
        is_own = OWN in trial.hyperparameters.values
        # Its thread calls a trial completed a moment before it is scored.
        state = "unfinished" if trial.status == "COMPLETED" and trial.score is None else STATES[trial.status]
        done = state == DONE
        return {
            "trial": int(trial.trial_id),
            "own": is_own,
            "score": float(trial.score) if done else math.nan,
            "folds": folds if done else {},
            "seconds": float(metrics.get(SECONDS, 0.0)),
            "beside": metrics.get(BESIDE),
            "state": DROPPED if done and len(folds) < len(self.task.folds) else state,
            "message": trial.message or "",
            "parameters": self._own_shown() if is_own else parameters_of(self.space, trial),
        }

    def _own_shown(self):
        """The forecaster's own values of what is searched."""
        return {name: self.own[name] for name in self.names()}

    def _tell(self, trial):
        """Say a word on a trial that has ended, and see whether all fail."""
        self._take(self.oracle)
        ended = [row for row in self.rows if row["state"] != "unfinished"]
        if self.progress is not None:
            row = next(row for row in self.rows if row["trial"] == int(trial.trial_id))
            most = "" if self.settings.trials == MOST_TRIALS else f"/{self.settings.trials}"
            best = self.best()
            self.progress(line(row, math.nan if best is None else best["score"], f"{len(ended)}{most}"))
        self.hopeless = len(ended) >= HOPELESS and all(row["state"] == "failed" for row in ended)

    def _give_up(self):
        failed = [row for row in self.rows if row["state"] == "failed"]
        if not failed:
            rule = "the time limit must suffice for one trial"
            refuse(WHERE, rule, f"{self.budget.seconds:g} s", "Give more time, or fewer n_folds=.", ParameterError)
        raise InputError(f"{WHERE}: all of {len(failed)} trials failed, the first one so: {failed[0]['message']}")

    # ------------------------------------------------------------------------------------------ time

    def _left(self) -> float:
        """Seconds that trials may still take."""
        return self.budget.left() - self._reserve()

    def _reserve(self) -> float:
        """Seconds kept for the fit of the best on all rows."""
        best, fits = self.best(), self.settings.refits
        if best is None:
            return self.budget.seconds * fits / (len(self.task.folds) + fits)
        return fits * REFIT * best["seconds"] / len(self.task.folds)

    def for_refit(self, fits: int = 1) -> float | None:
        """Seconds of training that are left for each of some fits on all rows, None without a limit."""
        if self.budget.seconds is None or not self._is_network():
            return None
        return training_seconds(self.budget.left() / fits, self._beside())

    def _beside(self) -> float | None:
        """Seconds beside training of a fold of the latest trial, None before there is one."""
        known = [row["beside"] for row in self.rows if row["beside"] is not None]
        return known[-1] if known else None

    def limited(self, forecaster, fits: int):
        """The forecaster, not fitted, that trains as long as the time left allows before so many fits are done."""
        return make_model(forecaster, {}, self.for_refit(fits))

    def names(self) -> list[str]:
        """Parameters that are searched, as far as the space says."""
        return self.space.names()

    def _terms(self) -> TrialLimits:
        """Under what a trial runs that begins now."""
        best = self.best()
        rival = {} if best is None else best["folds"]
        if self.budget.seconds is None:
            return TrialLimits(rival=rival)
        left = max(self._left(), 1.0)
        # A first trial may use up what was kept for later: without it there is no result.
        most = OVER * left + GRACE if best else self.budget.left(OVER)
        return TrialLimits(left, max(most, 1.0), rival, self._beside())

    def _is_over(self) -> bool:
        """Whether no further trial is to be begun."""
        if self.hopeless or self.budget.seconds is None:
            return self.hopeless
        usual = [row["seconds"] for row in self.rows if row["state"] in (DONE, DROPPED)]
        return self._left() < (WORTHWHILE * float(np.median(usual)) if usual else 1.0)

    # ------------------------------------------------------------------------------------------ the result

    def best(self) -> dict | None:
        """The row of the best trial, None where none is done."""
        done = [row for row in self.rows if row["state"] == DONE]
        return min(done, key=rank_key, default=None)

    def best_params(self) -> dict:
        """Parameters of the best trial; the forecaster's own values where that is the first."""
        best = self.best()
        if not best["own"]:
            return best["parameters"]
        own = self.forecaster.get_params()
        return {name: own[name] for name in self._own_shown()}

    def result(self) -> Tuning:
        """What was found."""
        parameters = self.best_params()
        forecaster = clone(self.forecaster).set_params(**parameters)
        trials = make_trials(self.rows)
        return Tuning(trials, parameters, self.best()["score"], forecaster, self.budget.elapsed())


def _choose(forecaster, panel):
    """A clone that has chosen its sizes for these rows."""
    model = clone(forecaster)
    with _quiet():
        model._choose_sizes(panel, panel.last_observed() + 1)
    return model


@contextmanager
def _quiet():
    """No warnings of trials, which are said when the best is fitted, nor of keras-tuner's own habits."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _together(tuners) -> None:
    """Let the tuners search, each in a thread, until all are done or one raises."""
    errors = []

    def search(tuner):
        try:
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
