"""Search over several machines: one chief with the oracle, and workers that request trials.

keras-tuner's own protocol and environment variables: ``KERASTUNER_TUNER_ID`` (``chief``, or a name of the worker's
own), ``KERASTUNER_ORACLE_IP`` and ``KERASTUNER_ORACLE_PORT``. Its chief waits for ever for a worker that is gone, and
sends the others home before all is done; this one gives the trial of a worker that shows no sign of life to another.
What travels is neither encrypted nor signed: it belongs into a network of one's own.
"""

import os
import threading
import time
from concurrent import futures

import grpc
from keras_tuner.engine.trial import TrialStatus
from keras_tuner.src import protos
from keras_tuner.src.distribute import oracle_chief
from keras_tuner.src.distribute import utils as environment

from forecastkit.tuning.space import WHERE
from forecastkit.utils.validation import refuse

#: Seconds without a sign of life after which a worker counts as gone.
LOST = 20.0
#: Seconds that the chief waits for workers to fetch the result, and a worker for the chief to send it.
LINGER = 5.0
PAUSE = 0.1
#: Every trial, in keras-tuner's question for the best ones.
ALL = 1_000_000


def is_chief() -> bool:
    """Whether the environment makes this process the chief."""
    return environment.has_chief_oracle() and environment.is_chief_oracle()


def is_worker() -> bool:
    """Whether the environment makes this process a worker."""
    return environment.has_chief_oracle() and not environment.is_chief_oracle()


class _Attentive(oracle_chief.OracleServicer):
    """Answers workers, and knows when each of them was heard of last."""

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
        return protos.get_service().EndTrialResponse()  # another one has run it meanwhile

    def is_lost(self, name) -> bool:
        """Whether too long a time has gone since a worker or its trial was heard of."""
        return time.monotonic() - self.heard.get(name, 0.0) > LOST


def serve(oracle, is_over) -> None:
    """Answer workers until all trials are done, or time is over and nobody works any more.

    Parameters
    ----------
    oracle : Oracle
    is_over : callable
        Whether no further trial is to be begun.
    """
    servicer = _Attentive(oracle)
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    protos.get_service_grpc().add_OracleServicer_to_server(servicer, server)
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
            _let_go(oracle, servicer)
        time.sleep(LINGER)
    finally:
        server.stop(grace=1.0).wait()


def _let_go(oracle, servicer):
    """Give back the trials of workers that are gone, and wait for them no longer."""
    for tuner_id in list(oracle.tuner_ids):
        trial = oracle.ongoing_trials.get(tuner_id)
        if servicer.is_lost(tuner_id if trial is None else trial.trial_id):
            oracle.give_back(tuner_id)


def fetch(client, oracle) -> None:
    """As a worker, take over all trials that the chief knows, if it still answers."""
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
