"""Strategies of tf.distribute by name, and checks that all workers agree."""

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context  # the one place where a coordination service takes its time-outs

from forecastkit.training.engines.cluster import Cluster, answers, meet, read_cluster
from forecastkit.utils.exceptions import ParameterError, WorkerError
from forecastkit.utils.validation import first_few, refuse

#: Seconds without a sign of life after which a worker is taken for lost. One that is killed is noticed at once.
HEARTBEAT_TIMEOUT = 30
#: A worker that is done waits so long at most for the others to be done.
SHUTDOWN_TIMEOUT = 60
KINDS = (tf.distribute.MirroredStrategy, tf.distribute.MultiWorkerMirroredStrategy, tf.distribute.OneDeviceStrategy)
#: What an error says, of whichever class, once another worker is gone.
LOST = "Collective ops is aborted"

_made, _making = {}, threading.Lock()


def find_strategy(name: str | None, where: str = "fit"):
    """The strategy of a name; None where there is nothing to distribute.

    A strategy is made once and kept for the process, because workers can meet only once.

    Parameters
    ----------
    name : {None, 'auto', 'mirrored', 'multiworker'}
        None is that of the scope which the caller is in. 'auto' is 'multiworker' where TF_CONFIG names several
        workers, else 'mirrored' where there are several devices, else None.

    Raises
    ------
    InputError
        Where the name does not go with the scope, TF_CONFIG, or what TensorFlow was used for before.
    WorkerError
        Where another worker does not come up.
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
            _made[cluster] = _meet_workers(cluster, where) if cluster else _mirrored()
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
    """Names of this machine's GPUs, else of its logical CPUs."""
    found = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return [device.name for device in found]


def _mirrored():
    return tf.distribute.MirroredStrategy(local_devices())


def _meet_workers(cluster, where):
    if getattr(context.context(), "_context_handle", None) is not None:
        rule = "workers must meet before TensorFlow is used for anything else in the process"
        refuse(where, rule, "a process where it was", "Make the distributed fit the first one of the script.")
    meet(cluster)
    _set_timeouts(cluster)
    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    except (RuntimeError, ValueError, tf.errors.OpError) as error:
        refuse(where, "workers must be able to meet", first_line(error), "Restart all of them.", WorkerError)
    if threading.current_thread() is threading.main_thread():
        # TensorFlow has taken SIGTERM as a notice of preemption and would go on; it shall end the process as before.
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM) or signal.SIG_DFL)
    return strategy


def _set_timeouts(cluster):
    """Have the coordination service of the workers notice a lost one in a stated time instead of minutes."""
    from tensorflow.compiler.xla.tsl.protobuf.coordination_config_pb2 import CoordinatedJob

    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver().cluster_spec()
    jobs = [CoordinatedJob(name=job, num_tasks=resolver.num_tasks(job)) for job in resolver.jobs]
    leader = "chief" if "chief" in resolver.jobs else "worker"
    context.context().configure_coordination_service(
        service_type="standalone",
        service_leader=f"/job:{leader}/replica:0/task:0",
        cluster_register_timeout_in_ms=1000 * HEARTBEAT_TIMEOUT,
        heartbeat_timeout_in_ms=1000 * HEARTBEAT_TIMEOUT,
        shutdown_barrier_timeout_in_ms=1000 * SHUTDOWN_TIMEOUT,
        coordinated_jobs=jobs,
    )


def first_line(error: Exception) -> str:
    """What an error of TensorFlow says first."""
    return str(error).strip().split("\n")[0][:200] or type(error).__name__


def cluster_of(strategy) -> Cluster | None:
    """The workers of a strategy; None where it has but one."""
    several = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
    return read_cluster() if several else None


@contextmanager
def all_workers_needed(strategy):
    """Say in one sentence which worker was lost, where what is computed inside fails for want of it."""
    try:
        yield
    except tf.errors.OpError as error:
        cluster = cluster_of(strategy)
        if cluster is None or not (isinstance(error, tf.errors.UnavailableError) or LOST in str(error)):
            raise
        lost = [address for address in cluster.others() if not answers(address)]
        # One that hangs still has its port.
        got = (
            f"no answer from {first_few(lost)}"
            if lost
            else f"no sign of life from one of {first_few(cluster.others())}"
        )
        remedy = "Restart all workers; those that were left have ended."
        raise WorkerError(f"fit: all workers must stay up until the end, got {got}. {remedy}") from error


def agree(strategy, values) -> np.ndarray:
    """What the first replica has, on all workers. (n,), float64.

    Whatever decides how training goes on is agreed on, because a clock, a random seed or the last bits of a loss differ
    from machine to machine, and a worker that takes another turn would leave the others waiting.
    """
    values = np.atleast_1d(np.asarray(values, dtype="float64"))
    if cluster_of(strategy) is None:
        return values
    with all_workers_needed(strategy):
        return _from_first(strategy, tf.constant(values)).numpy()


def on_all(strategy, truth: bool) -> bool:
    """Whether something is true on all workers."""
    if cluster_of(strategy) is None:
        return truth
    with all_workers_needed(strategy):
        return int(_count(strategy, tf.constant(float(truth)))) == strategy.num_replicas_in_sync


def from_first(strategy, values):
    """A tensor of the first replica on all of them."""
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
    """Call a function where no strategy is in scope, though the caller may be in one.

    Scopes belong to a thread, so the call has a thread of its own there, with the caller's dtype policy.
    """
    if not tf.distribute.has_strategy():
        return function(*arguments)
    policy = keras.config.dtype_policy()

    def call():
        keras.config.set_dtype_policy(policy)
        return function(*arguments)

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()
