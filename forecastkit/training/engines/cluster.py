"""Workers of a distributed run, from TF_CONFIG, without TensorFlow."""

import json
import os
import re
import socket
import time
from contextlib import closing
from dataclasses import dataclass

from forecastkit.utils.exceptions import WorkerError
from forecastkit.utils.validation import first_few, refuse

#: Seconds that workers wait for each other to come up; TF's own time-out for it leaves the first worker hanging.
START_TIMEOUT = 300.0
#: Jobs of TF_CONFIG that train; the first of them is the chief.
JOBS = ("chief", "worker")
ADDRESS = re.compile(r".+:\d+")


@dataclass(frozen=True)
class Cluster:
    """All workers that train together, and which of them this process is.

    Parameters
    ----------
    addresses : tuple of str
        Host and port of each, the chief first.
    index : int
        This one among them.
    """

    addresses: tuple[str, ...]
    index: int

    @property
    def is_chief(self) -> bool:
        """Whether this worker is the one that writes."""
        return self.index == 0

    def others(self) -> list[str]:
        """The addresses of all but this worker."""
        return [address for place, address in enumerate(self.addresses) if place != self.index]


def read_cluster() -> Cluster | None:
    """The cluster that TF_CONFIG describes; None where it describes none, or only this process.

    Raises
    ------
    InputError
        Where TF_CONFIG cannot be read, has jobs that do not train, or does not say which worker this is.
    """
    text = os.environ.get("TF_CONFIG", "").strip()
    if not text:
        return None
    try:
        config = json.loads(text)
        jobs, task = config.get("cluster", {}), config.get("task", {})
        lists = {name: list(jobs[name]) for name in jobs}
    except (ValueError, TypeError, AttributeError):
        example = '{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}'
        refuse("TF_CONFIG", f"must be JSON like {example}", repr(text))
    if idle := [name for name in lists if name not in JOBS]:
        refuse("TF_CONFIG", "jobs must be chief and worker, which all train alike", first_few(map(repr, idle)))
    addresses = tuple(str(address) for name in JOBS for address in lists.get(name, ()))
    if wrong := [address for address in addresses if not ADDRESS.fullmatch(address) or port_of(address) >= 2**16]:
        refuse("TF_CONFIG", "addresses must be host:port", first_few(map(repr, wrong)))
    if len(addresses) < 2:
        return None
    places = [(name, index) for name in JOBS for index in range(len(lists.get(name, ())))]
    try:
        return Cluster(addresses, places.index((task["type"], int(task["index"]))))
    except (KeyError, TypeError, ValueError):
        return refuse("TF_CONFIG", "task must be one of the cluster's", repr(task), "Give each process its own index.")


def is_chief() -> bool:
    """Whether this process is the one that writes files: the only one, or the first worker of TF_CONFIG.

    All workers of a distributed run go through the same script and have the same model at the end.

    Returns
    -------
    bool

    Examples
    --------
    >>> if fk.is_chief():  # doctest: +SKIP
    ...     model.save("model.forecast")
    """
    cluster = read_cluster()
    return cluster is None or cluster.is_chief


def meet(cluster: Cluster, timeout: float | None = None) -> None:
    """Wait until every worker listens at its address; return with this worker's port free again.

    Raises
    ------
    WorkerError
        Where a worker does not come up in time, with its address.
    """
    timeout = START_TIMEOUT if timeout is None else timeout
    deadline, missing = time.monotonic() + timeout, cluster.others()
    with closing(_listen(cluster.addresses[cluster.index])):
        while missing := [address for address in missing if not answers(address)]:
            if time.monotonic() > deadline:
                refuse(
                    "fit",
                    f"every worker of TF_CONFIG must come up within {timeout:g} s",
                    f"no answer from {first_few(missing)}",
                    "Start the same script on each, and look whether its address and port can be reached.",
                    WorkerError,
                )
            time.sleep(0.1)


def _listen(address):
    try:
        # On all interfaces, as TensorFlow does: the address may be that of a service in front of this machine.
        return socket.create_server(("", port_of(address)), backlog=128)
    except OSError as error:
        rule = "a worker must be able to listen on its own port"
        return refuse("TF_CONFIG", rule, f"{address!r} ({error})", "Is another process there?", WorkerError)


def port_of(address: str) -> int:
    """The port of "host:port"."""
    return int(address.rpartition(":")[2])


def answers(address: str, timeout: float = 1.0) -> bool:
    """Whether somebody listens at an address "host:port"."""
    host = address.rpartition(":")[0].strip("[]")
    try:
        socket.create_connection((host, port_of(address)), timeout).close()
    except OSError:
        return False
    return True
