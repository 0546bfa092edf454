"""tf.distribute strategies by name, and agreement among workers."""

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import keras
import numpy as np
import tensorflow as tf

from forecastkit.training.engines.cluster import Cluster, answers, meet, read_cluster
from forecastkit.utils.exceptions import ParameterError, WorkerError
from forecastkit.utils.undocumented import undocumented
from forecastkit.utils.validation import first_few, refuse

#: Seconds without a heartbeat after which a worker counts as lost. A terminated process is detected at once.
HEARTBEAT_TIMEOUT = 30
#: Seconds that a finished worker waits for the others.
SHUTDOWN_TIMEOUT = 60
KINDS = (tf.distribute.MirroredStrategy, tf.distribute.MultiWorkerMirroredStrategy, tf.distribute.OneDeviceStrategy)
#: Text of errors, of any class, after another worker is lost.
LOST = "Collective ops is aborted"

_made, _making = {}, threading.Lock()


def find_strategy(name: str | None, where: str = "fit"):
    """Return the strategy of a name, or None if there is nothing to distribute.

    None is the strategy of the caller's scope. 'auto' is 'multiworker' if TF_CONFIG contains several workers, otherwise
    'mirrored' if there are several devices, otherwise None. A strategy is created once per process, because workers can
    connect only once.
    """
    if tf.distribute.has_strategy():
        return _of_scope(name, where)
    if name is None:
        return None
    cluster = read_cluster() if name != "mirrored" else None
    if name == "multiworker" and cluster is None:
        rule = "distribute='multiworker' needs the addresses of at least two workers in TF_CONFIG"
        refuse(where, rule, "none", "Set it for each process before Python starts, or pass 'auto'.", ParameterError)
    with _making:
        if cluster is None and name == "auto" and len(local_devices()) < 2:
            return None
        if cluster not in _made:
            _made[cluster] = (
                _meet_workers(cluster, where) if cluster else tf.distribute.MirroredStrategy(local_devices())
            )
        return _made[cluster]


def _of_scope(name, where):
    strategy = tf.distribute.get_strategy()
    if name is not None:
        rule = "inside a strategy's own scope distribute must be None"
        refuse(where, rule, repr(name), "The strategy of the scope is used.", ParameterError)
    if not isinstance(strategy, KINDS):
        names = first_few((kind.__name__ for kind in KINDS), 12)
        refuse(where, f"the strategy of a scope must be one of {names}", type(strategy).__name__)
    return strategy


def local_devices() -> list[str]:
    """Return the names of this machine's GPUs, or of its logical CPUs if there are none."""
    found = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return [device.name for device in found]


def _meet_workers(cluster, where):
    if getattr(undocumented("tensorflow context")(), "_context_handle", None) is not None:
        rule = "workers must meet before TensorFlow is used for anything else in the process"
        refuse(where, rule, "a process where it was", "Make the distributed fit the first one of the script.")
    meet(cluster)
    _set_timeouts()
    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    except (RuntimeError, ValueError, tf.errors.OpError) as error:
        refuse(
            where,
            "workers must be able to connect to each other",
            first_line(error),
            "Restart all of them.",
            WorkerError,
        )
    if threading.current_thread() is threading.main_thread():
        # TensorFlow handles SIGTERM as a preemption notice and would continue; restore the previous handler.
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM) or signal.SIG_DFL)
    return strategy


def _set_timeouts():
    """Configure the coordination service to detect a lost worker within seconds instead of minutes."""
    job_of = undocumented("coordinated job")
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver().cluster_spec()
    jobs = [job_of(name=job, num_tasks=resolver.num_tasks(job)) for job in resolver.jobs]
    leader = "chief" if "chief" in resolver.jobs else "worker"
    undocumented("tensorflow context")().configure_coordination_service(
        service_type="standalone",
        service_leader=f"/job:{leader}/replica:0/task:0",
        cluster_register_timeout_in_ms=1000 * HEARTBEAT_TIMEOUT,
        heartbeat_timeout_in_ms=1000 * HEARTBEAT_TIMEOUT,
        shutdown_barrier_timeout_in_ms=1000 * SHUTDOWN_TIMEOUT,
        coordinated_jobs=jobs,
    )


def first_line(error: Exception) -> str:
    """Return the first line of a TensorFlow error."""
    return str(error).strip().split("\n")[0][:200] or type(error).__name__


def cluster_of(strategy) -> Cluster | None:
    """Return the workers of a strategy, or None if there is only one."""
    several = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
    return read_cluster() if several else None


@contextmanager
def all_workers_needed(strategy):
    """Turn errors caused by a lost worker into a `WorkerError` that names it."""
    try:
        yield
    except tf.errors.OpError as error:
        cluster = cluster_of(strategy)
        if cluster is None or not (isinstance(error, tf.errors.UnavailableError) or LOST in str(error)):
            raise
        lost = [address for address in cluster.others() if not answers(address)]
        # A hanging process still has an open port.
        got = (
            f"no answer from {first_few(lost)}"
            if lost
            else f"no sign of life from one of {first_few(cluster.others())}"
        )
        remedy = "Restart all workers; those that were left have ended."
        raise WorkerError(f"fit: all workers must stay up until the end, got {got}. {remedy}") from error


def agree(strategy, values) -> np.ndarray:
    """Return the values (n,) of the first replica on all workers, float64.

    Every decision about the course of training must be agreed on. Clocks, seeds and rounding differ between machines,
    and a worker that decides differently would leave the others waiting.
    """
    values = np.atleast_1d(np.asarray(values, dtype="float64"))
    if cluster_of(strategy) is None:
        return values
    with all_workers_needed(strategy):
        return _from_first(strategy, tf.constant(values)).numpy()


def on_all(strategy, truth: bool) -> bool:
    """Return whether a condition is true on all workers."""
    if cluster_of(strategy) is None:
        return truth
    with all_workers_needed(strategy):
        return int(_count(strategy, tf.constant(float(truth)))) == strategy.num_replicas_in_sync


def from_first(strategy, values):
    """Return a tensor of the first replica on all replicas."""
    return _add_up(strategy, values, first_only=True)


@tf.function(autograph=False)
def _from_first(strategy, values):
    return from_first(strategy, values)


@tf.function(autograph=False)
def _count(strategy, truth):
    return _add_up(strategy, truth, first_only=False)


def _add_up(strategy, values, first_only):
    def add(values):
        replica = tf.distribute.get_replica_context()
        counts = tf.equal(replica.replica_id_in_sync_group, 0) if first_only else True
        return replica.all_reduce("SUM", tf.where(counts, values, tf.zeros_like(values)))

    return strategy.experimental_local_results(strategy.run(add, (values,)))[0]


def outside(function, *arguments):
    """Call a function outside any strategy scope.

    Scopes belong to threads, so inside a scope the call runs in a new thread, with the caller's dtype policy.
    """
    if not tf.distribute.has_strategy():
        return function(*arguments)
    policy = keras.config.dtype_policy()

    def call():
        keras.config.set_dtype_policy(policy)
        return function(*arguments)

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()
