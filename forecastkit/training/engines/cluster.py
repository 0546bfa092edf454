"""Workers of a distributed run, read from TF_CONFIG without importing TensorFlow."""

import json
import os
import re
import socket
import time
from contextlib import closing
from dataclasses import dataclass

from forecastkit.utils.exceptions import WorkerError
from forecastkit.utils.validation import first_few, refuse

#: Seconds that workers wait for each other to start; the timeout of TensorFlow leaves the first worker hanging.
START_TIMEOUT = 300.0
#: Jobs of TF_CONFIG that train; the first of them is the chief.
JOBS = ("chief", "worker")
ADDRESS = re.compile(r".+:\d+")


@dataclass(frozen=True)
class Cluster:
    """All workers of a training run, and the position of this process among them."""

    addresses: tuple[str, ...]  #: Host and port of each worker, the chief first
    index: int  #: Position of this process

    @property
    def is_chief(self) -> bool:
        """Whether this worker writes files."""
        return self.index == 0

    def others(self) -> list[str]:
        """Return the addresses of all other workers."""
        return [address for place, address in enumerate(self.addresses) if place != self.index]


def read_cluster() -> Cluster | None:
    """Return the cluster of TF_CONFIG, or None if it has no other worker."""
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
        refuse("TF_CONFIG", "jobs must be chief and worker, which all train", first_few(map(repr, idle)))
    addresses = tuple(str(address) for name in JOBS for address in lists.get(name, ()))
    if wrong := [address for address in addresses if not ADDRESS.fullmatch(address) or port_of(address) >= 2**16]:
        refuse("TF_CONFIG", "addresses must be host:port", first_few(map(repr, wrong)))
    if len(addresses) < 2:
        return None
    places = [(name, index) for name in JOBS for index in range(len(lists.get(name, ())))]
    try:
        return Cluster(addresses, places.index((task["type"], int(task["index"]))))
    except (KeyError, TypeError, ValueError):
        return refuse(
            "TF_CONFIG", "task must be one of the cluster's", repr(task), "Give each process a different index."
        )


def is_chief() -> bool:
    """Return whether this process writes files: the only process, or the first worker of TF_CONFIG.

    All workers of a distributed run execute the same script and end with the same model.

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
    """Wait until every worker listens at its address; the port of this worker is free again afterwards."""
    timeout = START_TIMEOUT if timeout is None else timeout
    deadline, missing = time.monotonic() + timeout, cluster.others()
    with closing(_listen(cluster.addresses[cluster.index])):
        while missing := [address for address in missing if not answers(address)]:
            if time.monotonic() > deadline:
                refuse(
                    "fit",
                    f"every worker of TF_CONFIG must come up within {timeout:g} s",
                    f"no answer from {first_few(missing)}",
                    "Start the same script on each, and check that its address and port are reachable.",
                    WorkerError,
                )
            time.sleep(0.1)


def _listen(address):
    try:
        # All interfaces, as in TensorFlow: the address may be that of a service in front of this machine.
        return socket.create_server(("", port_of(address)), backlog=128)
    except OSError as error:
        rule = "a worker must be able to listen on its own port"
        return refuse(
            "TF_CONFIG", rule, f"{address!r} ({error})", "Check whether another process uses the port.", WorkerError
        )


def port_of(address: str) -> int:
    """Return the port of "host:port"."""
    return int(address.rpartition(":")[2])


def answers(address: str, timeout: float = 1.0) -> bool:
    """Return whether a process listens at "host:port"."""
    host = address.rpartition(":")[0].strip("[]")
    try:
        socket.create_connection((host, port_of(address)), timeout).close()
    except OSError:
        return False
    return True
