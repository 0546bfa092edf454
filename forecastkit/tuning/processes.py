"""Processes that run trials, so that memory does not grow and a trial can be ended at any time."""

import contextlib
import os
import pickle
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from joblib import wrap_non_picklable_objects

from forecastkit.tuning.trial import Outcome, Task, TrialLimits, run_trial
from forecastkit.tuning.worker import read, write

SERVE = "import sys; from forecastkit.tuning.worker import serve; serve(sys.argv[1], sys.argv[2] == 'True')"
#: Seconds that an ended process gets to go.
PATIENCE = 10.0


class InProcessRunner:
    """Trials in this process, one after another."""

    def __init__(self, task: Task):
        self.task = task

    def run(self, parameters: dict, terms: TrialLimits) -> Outcome:
        """What becomes of a trial."""
        return run_trial(self.task, parameters, terms)

    def begin(self) -> None:
        """Nothing is to be waited for."""

    def close(self) -> None:
        """Nothing is open."""


class Processes:
    """Trials in processes of their own, any number of threads asking for them.

    A server imports everything and reads the data once; where the system can copy a process, each trial is a copy of
    it, which begins at once, shares the data and gives all memory back. Elsewhere each trial gets a new server.

    Parameters
    ----------
    task : Task
    forks : bool, optional
        Whether to copy. Default: on Linux, with TensorFlow, whose threads do not begin with its import.
    """

    def __init__(self, task: Task, forks: bool | None = None):
        self.forks = can_fork() if forks is None else forks
        self.folder = tempfile.TemporaryDirectory(prefix="forecastkit-")
        write_task(task, Path(self.folder.name) / "task")
        self.lock, self.number, self.servers, self.closed = threading.Lock(), 0, set(), False
        self.shared = None

    def run(self, parameters: dict, terms: TrialLimits) -> Outcome:
        """What becomes of a trial; it is ended where it takes many more seconds than it may."""
        with self.lock:
            self.number += 1
            number = str(self.number)
        write((parameters, terms), Path(self.folder.name) / f"trial-{number}")
        server = self._server()
        ended = server.send("run", number)
        if not ended.wait(terms.most):
            server.end(number)
            ended.wait(PATIENCE)
            return Outcome("unfinished", seconds=terms.seconds, message="its time was over")
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
        """Wait until a trial would begin at once, where processes are copied."""
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
        """End everything that runs."""
        with self.lock:
            self.closed, servers = True, list(self.servers)
        for server in servers:
            server.close()
        self.folder.cleanup()


class Server:
    """One process that serves, and a thread that listens to it."""

    def __init__(self, folder: str, forks: bool):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        environment.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        for name in [name for name in environment if name.startswith("KERASTUNER_")]:
            del environment[name]
        self.folder, self.forks, self.ended, self.lock = Path(folder), forks, {}, threading.Lock()
        self.ready, self.over, self.begun = False, False, threading.Event()
        with (self.folder / "stderr").open("ab") as stderr:  # TensorFlow talks there while it is imported
            self.process = subprocess.Popen(
                [sys.executable, "-c", SERVE, folder, str(forks)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env=environment,
                start_new_session=True,  # Ctrl-C is for us: we end it
            )
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()

    def alive(self) -> bool:
        """Whether it still serves."""
        return not self.over

    def send(self, verb: str, number: str) -> threading.Event:
        """Ask for something; the event is set when the trial is over."""
        with self.lock:
            event = self.ended.setdefault(number, threading.Event())
            if self.over:
                event.set()
            self._write(f"{verb} {number}\n")
        return event

    def end(self, number: str) -> None:
        """End a trial that runs."""
        if self.forks:
            self.send("kill", number)
        else:
            self.process.kill()

    def check(self) -> None:
        """Raise where it could not even begin."""
        if not self.ready:
            told = (self.folder / "stderr").read_text(errors="replace").strip().splitlines()
            raise RuntimeError(f"the process that runs trials did not start: {told[-1] if told else 'no word'}")

    def close(self) -> None:
        """End the process and all its copies."""
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
    """The task as a pickle, with classes that live in a notebook or script written out."""
    parts = [task.forecaster, *task.forecaster.get_params().values()]
    homes = {getattr(part if isinstance(part, type) else type(part), "__module__", None) for part in parts}
    try:
        pickle.dumps(task.forecaster)
        elsewhere = "__main__" not in homes
    except (pickle.PicklingError, AttributeError, TypeError):
        elsewhere = False
    write(task if elsewhere else wrap_non_picklable_objects(task, keep_wrapper=False), path)


def can_fork() -> bool:
    """Whether a process may be copied once everything is imported."""
    import keras

    return sys.platform == "linux" and keras.backend.backend() == "tensorflow"
