"""Processes that run trials, so that memory is released and trials can be terminated at any time."""

import contextlib
import os
import pickle
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from joblib import wrap_non_picklable_objects

from forecastkit.tuning.trial import Outcome, Task, TrialLimits
from forecastkit.tuning.worker import read, write

SERVE = "import sys; from forecastkit.tuning.worker import serve; serve(sys.argv[1], sys.argv[2] == 'True')"
#: Seconds that a terminated process has to exit.
PATIENCE = 10.0


class Processes:
    """Runs trials in separate processes; thread-safe.

    A server process imports all modules and reads the data once. If the system supports it (`forks`, by default on
    Linux with TensorFlow, whose threads do not start at import), each trial runs in a fork of the server, which starts
    at once, shares the data and releases all memory. Otherwise each trial gets a new server.
    """

    def __init__(self, task: Task, forks: bool | None = None):
        self.forks = can_fork() if forks is None else forks
        self.folder = tempfile.TemporaryDirectory(prefix="forecastkit-")
        write_task(task, Path(self.folder.name) / "task")
        self.lock, self.number, self.servers, self.closed = threading.Lock(), 0, set(), False
        self.shared = None

    def run(self, parameters: dict, limits: TrialLimits) -> Outcome:
        """Return the outcome of a trial, which is terminated if it exceeds its time limit by far."""
        with self.lock:
            self.number += 1
            number = str(self.number)
        write((parameters, limits), Path(self.folder.name) / f"trial-{number}")
        server = self._server()
        ended = server.send("run", number)
        if not ended.wait(limits.kill_after):
            server.end(number)
            ended.wait(PATIENCE)
            return Outcome("unfinished", seconds=limits.seconds, message="its time was over")
        if self.closed:
            return Outcome("unfinished", message="the search was stopped")
        if not self.forks:
            self._drop(server)
        path = Path(self.folder.name) / f"outcome-{number}"
        if not path.exists():
            server.check()
            return Outcome("failed", message="its process was ended from outside, as it is where memory is short")
        return read(path)

    def begin(self) -> None:
        """Wait until a trial can start at once, if processes are forked."""
        if self.forks:
            server = self._server()
            server.begun.wait()
            server.check()

    def _server(self) -> "Server":
        with self.lock:
            if self.closed:
                raise RuntimeError("the processes are closed")
            if not self.forks:
                server = Server(self.folder.name, False)
                self.servers.add(server)
                return server
            if self.shared is None or not self.shared.alive():
                self.shared = Server(self.folder.name, True)
                self.servers.add(self.shared)
            return self.shared

    def _drop(self, server):
        server.close()
        with self.lock:
            self.servers.discard(server)

    def close(self) -> None:
        """Terminate all running processes."""
        with self.lock:
            self.closed, servers = True, list(self.servers)
        for server in servers:
            server.close()
        self.folder.cleanup()


class Server:
    """A server process and the thread that reads its messages."""

    def __init__(self, folder: str, forks: bool):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        environment.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        for name in [name for name in environment if name.startswith("KERASTUNER_")]:
            del environment[name]
        self.folder, self.forks, self.ended, self.lock = Path(folder), forks, {}, threading.Lock()
        self.ready, self.over, self.begun = False, False, threading.Event()
        with (self.folder / "stderr").open("ab") as stderr:  # TensorFlow prints messages during import
            self.process = subprocess.Popen(
                [sys.executable, "-c", SERVE, folder, str(forks)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env=environment,
                start_new_session=True,  # Ctrl-C is handled by the parent, which terminates the server
            )
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()

    def alive(self) -> bool:
        """Return whether the process is running."""
        return not self.over

    def send(self, verb: str, number: str) -> threading.Event:
        """Send a request; the returned event is set when the trial is over."""
        with self.lock:
            event = self.ended.setdefault(number, threading.Event())
            if self.over:
                event.set()
            self._write(f"{verb} {number}\n")
        return event

    def end(self, number: str) -> None:
        """Terminate a running trial."""
        if self.forks:
            self.send("kill", number)
        else:
            self.process.kill()

    def check(self) -> None:
        """Raise an error if the process could not start."""
        if not self.ready:
            told = (self.folder / "stderr").read_text(errors="replace").strip().splitlines()
            raise RuntimeError(f"the process that runs trials did not start: {told[-1] if told else 'no message'}")

    def close(self) -> None:
        """Terminate the process and all its forks."""
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        if not self.forks:
            self.process.kill()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.listener.join(PATIENCE)
        self.process.stdout.close()

    def _write(self, line):
        try:
            self.process.stdin.write(line)
            self.process.stdin.flush()
        except (OSError, ValueError):  # it is gone, which the listener notices
            return

    def _listen(self):
        for line in self.process.stdout:
            verb, _, number = line.strip().partition(" ")
            self.ready = True
            self.begun.set()
            if verb == "ended":
                self.ended[number].set()
        with self.lock:
            self.over, events = True, list(self.ended.values())
        for event in [self.begun, *events]:
            event.set()


def write_task(task: Task, path: Path) -> None:
    """Pickle the task, including the code of classes defined in a notebook or script."""
    parts = [task.forecaster, *task.forecaster.get_params().values()]
    homes = {getattr(part if isinstance(part, type) else type(part), "__module__", None) for part in parts}
    try:
        pickle.dumps(task.forecaster)
        elsewhere = "__main__" not in homes
    except (pickle.PicklingError, AttributeError, TypeError):
        elsewhere = False
    write(task if elsewhere else wrap_non_picklable_objects(task, keep_wrapper=False), path)


def can_fork() -> bool:
    """Return whether a process can be forked after all imports."""
    import keras

    return sys.platform == "linux" and keras.backend.backend() == "tensorflow"
