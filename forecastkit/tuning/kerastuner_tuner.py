"""keras-tuner adapter: requests trials from an oracle, runs them, reports the results."""

import contextlib
import random
import threading
import time

import grpc
import keras_tuner
from keras_tuner.engine.base_tuner import BaseTuner
from keras_tuner.engine.trial import TrialStatus

from forecastkit.tuning.kerastuner_oracles import OWN, SCORE

#: Seconds between questions to an oracle that waits for the trials of others.
PAUSE = 0.2
#: Seconds between the signs of life that a worker gives its chief.
SIGN = 2.0
#: Name of the key among a trial's values that hyperband sets.
EPOCHS = "tuner/epochs"
#: Names of what is told of a trial beside its score.
FOLD, SECONDS, BESIDE = "fold ", "seconds", "seconds beside training"


class Unfinished(Exception):
    """The time of a trial was over before it had a score."""


class Tuner(BaseTuner):
    """Runs the trials that an oracle proposes, one after another.

    Parameters
    ----------
    oracle : Oracle
    space : DictSpace or FunctionSpace
    run : callable
        Takes parameters, gives the trial's `Outcome`.
    folder : path
    project : str
        Name of the folder in it.
    name : str, optional
        Of this worker, where several threads share an oracle. Default: that of the environment.
    """

    def __init__(self, oracle, space, run, folder, project: str, name: str | None = None):
        self.space, self.run, self.stopped = space, run, threading.Event()
        super().__init__(oracle, _Hyper(space), directory=str(folder), project_name=project)
        self.tuner_id = name or self.tuner_id

    def search(self):
        """Run trials until the oracle has no more, or `stopped` is set."""
        while not self.stopped.is_set():
            trial = self.oracle.create_trial(self.tuner_id)
            if trial.status == TrialStatus.STOPPED:
                return
            if trial.status == TrialStatus.IDLE:
                time.sleep(PAUSE)
                continue
            self._try_run_and_update_trial(trial)
            if trial.status == TrialStatus.RUNNING:  # its time was over: a later search may run it again
                return
            self.oracle.end_trial(trial)

    def _try_run_and_update_trial(self, trial):
        """A trial that failed is recorded; everything that is no trial's fault is raised, and nothing is swallowed."""
        try:
            self._run_and_update_trial(trial)
            trial.status = TrialStatus.COMPLETED
        except keras_tuner.errors.FailedTrialError as error:
            trial.status, trial.message = TrialStatus.FAILED, str(error)
        except Unfinished:
            trial.status = TrialStatus.RUNNING

    def run_trial(self, trial):
        """Metrics of a trial, all of them Python floats, which JSON takes."""
        with self._signs_of_life(trial):
            outcome = self.run(parameters_of(self.space, trial))
        if outcome.error is not None:
            raise outcome.error
        if outcome.state == "unfinished":
            raise Unfinished
        if outcome.state == "failed":
            raise keras_tuner.errors.FailedTrialError(outcome.message)
        folds = {f"{FOLD}{number}": float(score) for number, score in outcome.scores.items()}
        beside = {} if outcome.beside is None else {BESIDE: float(outcome.beside)}
        return {SCORE: outcome.score, **folds, **beside, SECONDS: float(outcome.seconds)}

    def _get_tuner_fname(self):
        """No file: a tuner has no state, and keras-tuner would take up whatever lies there."""
        return ""

    def save(self):
        """Nothing: the oracle keeps its state itself."""

    def reload(self):
        """Nothing, as nothing is saved."""

    @contextlib.contextmanager
    def _signs_of_life(self, trial):
        """As a worker, ask the chief for the trial now and then, so that it knows us to be there."""
        if not self._is_worker():
            yield
            return
        over = threading.Event()
        thread = threading.Thread(target=self._ask, args=(trial.trial_id, over), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _ask(self, trial_id, over):
        while not over.wait(SIGN):
            with contextlib.suppress(grpc.RpcError):  # the next one may arrive
                self.oracle.get_trial(trial_id)


class _Hyper(keras_tuner.HyperModel):
    """The space as what keras-tuner explores."""

    def __init__(self, space):
        super().__init__()
        self.space = space

    def build(self, hp):
        return self.space.build(hp)


def parameters_of(space, trial) -> dict:
    """What a trial changes of the forecaster; nothing for its own parameters."""
    if OWN in trial.hyperparameters.values:
        return {}
    parameters = space.build(trial.hyperparameters)
    epochs = trial.hyperparameters.values.get(EPOCHS)
    return parameters if epochs is None else {**parameters, "epochs": int(epochs)}


@contextlib.contextmanager
def kept_random():
    """Leave Python's global generator as found: keras-tuner draws names from it."""
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)
