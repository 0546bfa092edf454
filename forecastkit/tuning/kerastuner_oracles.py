"""keras-tuner oracles with fixes for resuming, locking and duplicates."""

import functools
import inspect
import json
import threading
import warnings
from pathlib import Path

import keras_tuner
import numpy as np
from keras_tuner.engine.trial import TrialStatus
from keras_tuner.oracles import BayesianOptimizationOracle, HyperbandOracle, RandomSearchOracle
from sklearn.exceptions import ConvergenceWarning

from forecastkit.utils.atomic_write import atomic_write
from forecastkit.utils.exceptions import BackendError
from forecastkit.utils.validation import refuse

#: Name of the objective, and key of trial values that marks the forecaster's own parameters.
SCORE, OWN = "score", "own"
#: Number of further draws if values were tried before or are not valid for the forecaster.
DRAWS = 50
#: Allowed number of consecutive failures; the search itself decides when to stop.
NEVER = 10**9


def _serial(name: str):
    """Run keras-tuner's method under our own lock, because its lock is not released after an exception."""
    original = getattr(keras_tuner.Oracle, name)
    inner = inspect.getclosurevars(original).nonlocals.get("func")
    if inner is None:
        rule = f"Oracle.{name} of keras-tuner must be decorated by synchronized, as in version 1.4.8"
        refuse("tune", rule, f"version {keras_tuner.__version__}", "Install keras-tuner 1.4.8.", BackendError)

    @functools.wraps(inner)
    def call(self, *args, **kwargs):
        with self.turn:
            return inner(self, *args, **kwargs)

    return call


class ResumableOracle:
    """Base class of the oracles: everything except proposing values.

    The first trial has the forecaster's own parameters, to which the values `own` correspond, as far as they are in the
    space. Values are proposed only once and only if the forecaster accepts them (`feasible`), until `is_over`; `on_end`
    is called with every finished trial. Files are written atomically, and a resumed search repeats the trials that were
    running.
    """

    def __init__(self, *, n_trials: int, own: dict, feasible, is_over, on_end, **options):
        self.turn = threading.RLock()
        self.n_trials, self.own, self.feasible, self.is_over, self.on_end = n_trials, own, feasible, is_over, on_end
        objective = keras_tuner.Objective(SCORE, "min")
        super().__init__(objective=objective, max_consecutive_failed_trials=NEVER, **options)
        self.max_trials = None  # counted here, so that other workers wait for trials that may have to be repeated
        self.verbose = 0

    create_trial, update_trial, _end_trial = map(_serial, ("create_trial", "update_trial", "end_trial"))

    def use_folder(self, folder: Path, project: str) -> None:
        """Keep the trials in this folder."""
        self._set_project_dir(str(folder), project)

    def end_trial(self, trial):
        """Record the result of a trial."""
        with self.turn:  # so that no thread sees an incomplete trial of another
            self._end_trial(trial)
            self.on_end(self.trials[trial.trial_id])

    def populate_space(self, trial_id):
        """Return the values of the next trial."""
        if not self.trials:
            return {"status": TrialStatus.RUNNING, "values": self._first()}
        if self.is_over():
            return {"status": TrialStatus.STOPPED}
        proposal = {"status": TrialStatus.STOPPED}
        if len(self.trials) < self.n_trials:
            proposal = self._proposal(trial_id)
        if proposal["status"] == TrialStatus.STOPPED and self.ongoing_trials:
            return {"status": TrialStatus.IDLE}  # the trial of a lost worker may have to be repeated
        return proposal

    def _proposal(self, trial_id):
        return super().populate_space(trial_id)

    def _first(self):
        """Return the forecaster's own parameters, which count as tried if they are in the space."""
        values = {hp.name: self.own.get(hp.name, hp.default) for hp in self.hyperparameters.space}
        if self.own and set(self.own) == set(values):
            self._tried_so_far.add(self._compute_values_hash(values))
        return {**values, OWN: 1}

    def _random_values(self):
        for _ in range(DRAWS):
            values = super()._random_values()
            if values is None or self.feasible(values):
                return values
            self._tried_so_far.add(self._compute_values_hash(values))
        return None

    def give_back(self, tuner_id: str) -> None:
        """Release the trial of a lost worker."""
        with self.turn:
            trial = self.ongoing_trials.pop(tuner_id, None)
            self.tuner_ids.discard(tuner_id)
            if trial is not None:
                self._again(trial)

    def _again(self, trial):
        trial.metrics, trial.status, trial.score = type(trial.metrics)(), TrialStatus.RUNNING, None
        self._retry_queue.append(trial.trial_id)

    # ------------------------------------------------------------------------------------------ files

    def save(self):
        """Write the state atomically."""
        write_json(Path(self._get_oracle_fname()), self.get_state())

    def _save_trial(self, trial):
        write_json(Path(self._get_trial_dir(trial.trial_id)) / "trial.json", trial.get_state())

    def reload(self):
        """Read the state; running trials are repeated, finished ones are not."""
        super().reload()
        self._retry_queue = []
        for trial in self.trials.values():
            if trial.status in (TrialStatus.RUNNING, TrialStatus.INVALID):
                self._again(trial)
            elif trial.trial_id not in self.end_order:
                self.end_order.append(trial.trial_id)


class RandomOracle(ResumableOracle, RandomSearchOracle):
    """Proposes random values without repetition."""


class LocalOracle(ResumableOracle, RandomSearchOracle):
    """Changes one parameter of the best values at a time, in the order of the space.

    With the few trials that cross-validation of networks allows, drawing all parameters at once is nearly always worse.

    References
    ----------
    Wu, Wang and Huang (2021), "Frugal optimization for cost-related hyperparameters", AAAI: search around the best
    values, starting from the defaults. Departure: one parameter is changed at a time, as most have few choices.
    """

    def _proposal(self, trial_id):
        base, space = self._best_values(), self.hyperparameters.space
        turn = (len(self.trials) - 1) % max(len(space), 1)
        for changed in (*space[turn:], *space[:turn]):
            for _ in range(DRAWS):
                values = self._with_another(base, changed)
                if not self._duplicate(values) and self.feasible(values):
                    self._tried_so_far.add(self._compute_values_hash(values))
                    return {"status": TrialStatus.RUNNING, "values": values}
        return super()._proposal(trial_id)

    def _best_values(self):
        ended = [trial for trial in self.trials.values() if trial.status == TrialStatus.COMPLETED]
        best = min(ended, key=lambda trial: trial.score, default=None)
        return {} if best is None else best.hyperparameters.values

    def _with_another(self, base, changed):
        """Return the values with one drawn anew, including conditional values that it activates."""
        found = keras_tuner.HyperParameters()
        for hp in self.hyperparameters.space:
            found.merge([hp])
            if found.is_active(hp):
                kept = hp.name in base and hp.name != changed.name
                found.values[hp.name] = base[hp.name] if kept else hp.random_sample(self._seed_state)
                self._seed_state += 1
        return found.values


class BayesianOracle(ResumableOracle, BayesianOptimizationOracle):
    """Proposes values by the expected improvement of a Gaussian process."""

    def _proposal(self, trial_id):
        # keras-tuner does not store the state of its generator, on which proposals of a resumed search must not depend.
        self._random_state = np.random.RandomState((self.seed + len(self.trials)) % 2**32)
        with warnings.catch_warnings():  # filters apply to all threads, so only this one is added, briefly
            warnings.filterwarnings("ignore", category=ConvergenceWarning, module="sklearn.gaussian_process")
            proposal = super()._proposal(trial_id)
        values = proposal.get("values")
        if values is not None and (self._duplicate(values) or not self.feasible(values)):
            return self._random_populate_space()
        return proposal

    def _vectorize_trials(self):
        """Return the training data of the process, without a first trial outside the space."""
        every = self.trials
        self.trials = {name: trial for name, trial in every.items() if self._lies_inside(trial)}
        try:
            return super()._vectorize_trials()
        finally:
            self.trials = every

    def _lies_inside(self, trial):
        return OWN not in trial.hyperparameters.values or set(self.own) == {
            hp.name for hp in self.hyperparameters.space
        }


class HalvingOracle(ResumableOracle, HyperbandOracle):
    """Hyperband: many trials of few epochs, the best of which continue."""


def make_oracle(search: str, n_trials: int, seed: int, max_epochs: int | None, **options):
    """Return the oracle for ``local``, ``random``, ``bayesian`` or ``hyperband``.

    The seed is positive, because keras-tuner treats 0 as no seed; `max_epochs` are those of the forecaster, for
    hyperband.
    """
    common = {"n_trials": n_trials, "seed": seed, **options}
    if search in ("local", "random"):
        return (LocalOracle if search == "local" else RandomOracle)(**common)
    if search == "hyperband":
        return HalvingOracle(max_epochs=max_epochs, hyperband_iterations=NEVER, **common)
    return BayesianOracle(num_initial_points=max(3, min(10, n_trials // 3)), **common)


def write_json(path: Path, value) -> None:
    """Write a JSON file atomically."""
    try:
        with atomic_write(path) as temporary:
            temporary.write_text(json.dumps(value), encoding="utf-8")
    except OSError as error:
        remedy = "Finished trials are kept: free some space and repeat the call."
        refuse("tune", "directory must have free disk space", f"{str(path)!r} ({error.strerror})", remedy)
