"""Search on several machines: a chief with the oracle, and workers that request trials.

The protocol and the environment variables are those of keras-tuner: ``KERASTUNER_TUNER_ID`` (``chief``, or a unique
worker name), ``KERASTUNER_ORACLE_IP`` and ``KERASTUNER_ORACLE_PORT``. Unlike keras-tuner, the chief reassigns the trial
of a worker without heartbeat instead of waiting, and does not dismiss the other workers before all trials are done.
Messages are neither encrypted nor signed, so the network must be private.
"""

import os
import threading
import time
from concurrent import futures

import grpc
from keras_tuner.engine.trial import TrialStatus

from forecastkit.tuning.space import WHERE
from forecastkit.utils.undocumented import undocumented
from forecastkit.utils.validation import refuse

#: Seconds without a heartbeat after which a worker counts as lost.
LOST = 20.0
#: Seconds that the chief waits for workers to fetch the result, and that a worker waits for the chief to send it.
LINGER = 5.0
PAUSE = 0.1
#: Number of trials in keras-tuner's request for the best ones: all.
ALL = 1_000_000


def is_chief() -> bool:
    """Return whether the environment makes this process the chief."""
    return _has_chief() and "chief" in os.environ["KERASTUNER_TUNER_ID"]


def is_worker() -> bool:
    """Return whether the environment makes this process a worker."""
    return _has_chief() and not is_chief()


def _has_chief() -> bool:
    if "KERASTUNER_ORACLE_IP" not in os.environ:
        return False
    for name in ("KERASTUNER_ORACLE_PORT", "KERASTUNER_TUNER_ID"):
        if name not in os.environ:
            refuse(WHERE, f"the environment must have {name} if it has KERASTUNER_ORACLE_IP", "none")
    return True


class _ChiefServicer(undocumented("tuner servicer")):
    """Answers workers and records their latest messages."""

    def __init__(self, oracle):
        super().__init__(oracle)
        self.heard: dict[str, float] = {}

    def _hear(self, name):
        self.heard[name] = time.monotonic()

    def CreateTrial(self, request, context):
        self._hear(request.tuner_id)
        response = super().CreateTrial(request, context)
        self._hear(response.trial.trial_id)
        return response

    def GetTrial(self, request, context):
        self._hear(request.trial_id)
        return super().GetTrial(request, context)

    def EndTrial(self, request, context):
        if self.oracle.trials[request.trial.trial_id].status == TrialStatus.RUNNING:
            return super().EndTrial(request, context)
        return undocumented("tuner messages")().EndTrialResponse()  # another one has run it meanwhile

    def is_lost(self, name) -> bool:
        """Return whether a worker, or the worker of a trial, has sent no heartbeat for too long."""
        return time.monotonic() - self.heard.get(name, 0.0) > LOST


def serve(oracle, is_over) -> None:
    """Answer workers until all trials are done, or the time is over (`is_over`) and no worker is active."""
    servicer = _ChiefServicer(oracle)
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    undocumented("tuner service")().add_OracleServicer_to_server(servicer, server)
    address = f"{os.environ['KERASTUNER_ORACLE_IP']}:{os.environ['KERASTUNER_ORACLE_PORT']}"
    try:
        bound = server.add_insecure_port(address)
    except RuntimeError:
        bound = 0
    if not bound:
        refuse(WHERE, "KERASTUNER_ORACLE_IP and _PORT must be an address of this machine that is free", repr(address))
    server.start()
    try:
        while not (servicer.stop_triggered or is_over()) or oracle.ongoing_trials or oracle.tuner_ids:
            time.sleep(PAUSE)
            _release_lost(oracle, servicer)
        time.sleep(LINGER)
    finally:
        server.stop(grace=1.0).wait()


def _release_lost(oracle, servicer):
    """Release the trials of lost workers, and stop waiting for them."""
    for tuner_id in list(oracle.tuner_ids):
        trial = oracle.ongoing_trials.get(tuner_id)
        if servicer.is_lost(tuner_id if trial is None else trial.trial_id):
            oracle.give_back(tuner_id)


def fetch(client, oracle) -> None:
    """Fetch all trials from the chief to a worker, if the chief still answers."""
    found = []

    def ask():
        try:
            found.extend(client.get_best_trials(ALL))
        except grpc.RpcError:
            return

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(LINGER)
    oracle.trials = {trial.trial_id: trial for trial in found} or oracle.trials
