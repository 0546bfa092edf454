"""Worker process of `processes`: imports modules once and runs every trial in a fork.

It reads the lines ``run NUMBER`` and ``kill NUMBER`` from standard input, and writes ``ready`` once and ``ended
NUMBER`` whenever the process of a trial has exited. Trials and outcomes are files in one folder. If the system cannot
fork, or Keras uses threads that do not survive a fork, the trial runs in the process itself, which then exits.
"""

import os
import pickle
import select
import signal
import sys
import warnings
from dataclasses import replace
from pathlib import Path

from forecastkit.tuning.trial import Outcome, run_trial
from forecastkit.utils.atomic_write import atomic_write

#: Seconds between checks of the running processes.
PAUSE = 0.02


def serve(folder: str, forks: bool) -> None:
    """Run trials until standard input is closed, in forks of this process if `forks`; files are in the folder."""
    folder = Path(folder)
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # output of a trial must not be read as a message
    task = read(folder / "task")
    answers.write("ready\n")
    if forks:
        _Copies(folder, task, answers).serve()
        return
    for line in sys.stdin:
        number = line.split()[1]
        work(folder, task, number)
        answers.write(f"ended {number}\n")


class _Copies:
    """Forks of this process by trial number."""

    def __init__(self, folder: Path, task, answers):
        self.folder, self.task, self.answers, self.running = folder, task, answers, {}

    def serve(self):
        """Process commands from stdin until EOF, then terminate all children."""
        rest = b""
        while True:
            self._collect()
            if not select.select([0], [], [], PAUSE)[0]:
                continue
            got = os.read(0, 1 << 12)
            if not got:
                break
            *lines, rest = (rest + got).split(b"\n")
            for line in lines:
                self._obey(*line.decode().split())
        for number in list(self.running):
            self._obey("kill", number)

    def _obey(self, verb, number):
        if verb == "kill":
            if number in self.running:
                os.kill(self.running[number], signal.SIGKILL)
            return
        copy = os.fork()
        if copy:
            self.running[number] = copy
            return
        try:
            os.close(0)
            os.close(self.answers.fileno())
            work(self.folder, self.task, number)
        finally:
            os._exit(0)  # no cleanup of the parent's resources

    def _collect(self):
        """Report the trials that have ended."""
        for number, copy in list(self.running.items()):
            if os.waitpid(copy, os.WNOHANG)[0]:
                del self.running[number]
                self.answers.write(f"ended {number}\n")


def work(folder: Path, task, number: str) -> None:
    """Run one trial and write its outcome to the folder."""
    parameters, limits = read(folder / f"trial-{number}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # this process runs the trial alone; the final fit issues them
        outcome = run_trial(task, parameters, limits)
    write(outcome, folder / f"outcome-{number}")


def write(value, path: Path) -> None:
    """Pickle to a file atomically."""
    with atomic_write(path) as temporary:
        temporary.write_bytes(_pickled(value))


def read(path: Path):
    """Read a pickle of our own process."""
    return pickle.loads(path.read_bytes())


def _pickled(value) -> bytes:
    try:
        return pickle.dumps(value)
    except Exception:
        if not isinstance(value, Outcome):
            raise
        # An exception that cannot be pickled is replaced by its text.
        return pickle.dumps(replace(value, error=RuntimeError(value.message)))
