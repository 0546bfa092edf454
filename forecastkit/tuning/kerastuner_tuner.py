"""keras-tuner adapter: requests trials from an oracle, runs them and reports the results."""

import contextlib
import copy
import threading
import time

import grpc
import keras_tuner
from keras_tuner.engine.base_tuner import BaseTuner
from keras_tuner.engine.trial import TrialStatus

from forecastkit.tuning.kerastuner_oracles import OWN, SCORE

#: Seconds between requests to an oracle that waits for other trials.
PAUSE = 0.2
#: Seconds between the heartbeats of a worker.
SIGN = 2.0
#: Key of trial values that hyperband sets.
EPOCHS = "tuner/epochs"
#: Names of the values that are reported in addition to the score.
FOLD, SECONDS, OVERHEAD = "fold ", "seconds", "seconds beside training"


class Unfinished(Exception):
    """Raised if the time of a trial is over before it has a score."""


class Tuner(BaseTuner):
    """Runs the trials that an oracle proposes in sequence: `run` takes parameters and returns the `Outcome`.

    `project` is the name of the subfolder, `name` that of this worker if several threads share an oracle.
    """

    def __init__(self, oracle, space, run, folder, project: str, name: str | None = None):
        self.space, self.run, self.stopped = space, run, threading.Event()
        super().__init__(oracle, _Hyper(space), directory=str(folder), project_name=project)
        self.tuner_id = name or self.tuner_id

    def search(self):
        """Run trials until the oracle has no more, or `stopped` is set."""
        while not self.stopped.is_set():
            # A copy, so that no other thread sees a completed trial before `end_trial` has set its score.
            trial = copy.copy(self.oracle.create_trial(self.tuner_id))
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
        """Record failed trials; exceptions that are not caused by the trial are raised."""
        try:
            self._run_and_update_trial(trial)
            trial.status = TrialStatus.COMPLETED
        except keras_tuner.errors.FailedTrialError as error:
            trial.status, trial.message = TrialStatus.FAILED, str(error)
        except Unfinished:
            trial.status = TrialStatus.RUNNING

    def run_trial(self, trial):
        """Return the metrics of a trial as Python floats, which are JSON-serializable."""
        with self._heartbeat(trial):
            outcome = self.run(parameters_of(self.space, trial))
        if outcome.error is not None:
            raise outcome.error
        if outcome.state == "unfinished":
            raise Unfinished
        if outcome.state == "failed":
            raise keras_tuner.errors.FailedTrialError(outcome.message)
        folds = {f"{FOLD}{number}": float(score) for number, score in outcome.scores.items()}
        overhead = {} if outcome.overhead is None else {OVERHEAD: float(outcome.overhead)}
        return {SCORE: outcome.score, **folds, **overhead, SECONDS: float(outcome.seconds)}

    def _get_tuner_fname(self):
        """Return no file, because a tuner has no state."""
        return ""

    def save(self):
        """Do nothing: the oracle stores its state."""

    def reload(self):
        """Do nothing, as nothing is saved."""

    @contextlib.contextmanager
    def _heartbeat(self, trial):
        """Request the trial from the chief regularly as a heartbeat."""
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
    """The space as a keras-tuner hypermodel."""

    def __init__(self, space):
        super().__init__()
        self.space = space

    def build(self, hp):
        return self.space.build(hp)


def parameters_of(space, trial) -> dict:
    """Return the parameters that a trial changes; none for the forecaster's own parameters."""
    if OWN in trial.hyperparameters.values:
        return {}
    parameters = space.build(trial.hyperparameters)
    epochs = trial.hyperparameters.values.get(EPOCHS)
    return parameters if epochs is None else {**parameters, "epochs": int(epochs)}
