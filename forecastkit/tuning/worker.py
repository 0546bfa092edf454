"""Worker process of `processes`: imports once and runs every trial in a forked copy.

It reads lines from its standard input, ``run NUMBER`` and ``kill NUMBER``, and answers ``ready`` once and ``ended
NUMBER`` whenever a trial's process is gone. Trials and what became of them are files in one folder. Where the system
cannot copy a process, or Keras computes with threads that do not survive it, the trial runs in the process itself,
which then ends.
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

#: Seconds between looks at the processes that run.
PAUSE = 0.02


def serve(folder: str, forks: bool) -> None:
    """Run trials until the standard input ends.

    Parameters
    ----------
    folder : str
        Where the task is, and where trials come and go.
    forks : bool
        Whether trials run in copies of this process.
    """
    folder = Path(folder)
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a trial prints must not be taken for an answer
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
    """Copies of this process by number, one for each trial that runs."""

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
            os._exit(0)  # no clean-up of what is the parent's

    def _collect(self):
        """Tell which trials have ended."""
        for number, copy in list(self.running.items()):
            if os.waitpid(copy, os.WNOHANG)[0]:
                del self.running[number]
                self.answers.write(f"ended {number}\n")


def work(folder: Path, task, number: str) -> None:
    """Run one trial and leave its outcome in the folder."""
    parameters, terms = read(folder / f"trial-{number}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # said once, when the best is fitted
        outcome = run_trial(task, parameters, terms)
    write(outcome, folder / f"outcome-{number}")


def write(value, path: Path) -> None:
    """Pickle into a file that is whole as soon as it is there."""
    with atomic_write(path) as temporary:
        temporary.write_bytes(_pickled(value))


def read(path: Path):
    """What our own other process wrote."""
    return pickle.loads(path.read_bytes())


def _pickled(value) -> bytes:
    try:
        return pickle.dumps(value)
    except Exception:
        if not isinstance(value, Outcome):
            raise
        # An exception that cannot travel arrives as its text.
        return pickle.dumps(replace(value, error=RuntimeError(value.message)))
