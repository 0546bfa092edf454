"""Trials in processes of their own: ended, killed, several at a time; and a chief with workers."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import wave
from tuning_help import TroubledForecaster

import forecastkit as fk
from forecastkit.data.ingest.read_panel import read_panel
from forecastkit.tuning.processes import Processes
from forecastkit.tuning.search import Search
from forecastkit.tuning.settings import Settings
from forecastkit.tuning.trial import TrialLimits

SERIES = wave(120)
TESTS = Path(__file__).parent
SPACE = {"bias": [0.0, 1.0, 2.0, 3.0]}


def troubled(**parameters):
    return TroubledForecaster(**{"horizon": 4, "lookback": 24, "season_length": 24, **parameters})


def task_of(forecaster):
    panel, schema = read_panel(SERIES)
    return Search(forecaster, panel, schema, SPACE, Settings(n_folds=1, n_jobs=0, random_state=0)).task


@pytest.fixture(scope="module", params=[True, pytest.param(False, marks=pytest.mark.rotated)], ids=["copies", "anew"])
def processes(request):
    """Both ways to run trials; the one without copies starts anew for each."""
    opened = Processes(task_of(troubled()), forks=request.param)
    yield opened
    opened.close()
    assert not Path(opened.folder.name).exists()


def test_a_trial_says_what_it_says_here(processes):
    outcome = processes.run({"bias": 0.0}, TrialLimits())
    here = fk.tune(troubled(bias=0.0), SERIES, space=SPACE, n_trials=1, n_folds=1, n_jobs=0, random_state=0)
    assert outcome.state == "done"
    assert outcome.score == here.best_score


def test_a_trial_that_takes_too_long_is_ended(processes):
    began = time.monotonic()
    outcome = processes.run({"trouble": "sleep60"}, TrialLimits(2.0, kill_after=3.0))
    assert outcome.state == "unfinished"
    assert time.monotonic() - began < 20


def test_a_process_that_is_killed_is_a_failed_trial(processes):
    outcome = processes.run({"trouble": "killed"}, TrialLimits())
    assert (outcome.state, outcome.error) == ("failed", None)
    assert "ended from outside" in outcome.message
    assert processes.run({"bias": 0.0}, TrialLimits()).state == "done"


def test_a_bug_travels(processes):
    outcome = processes.run({"trouble": "bug"}, TrialLimits())
    assert isinstance(outcome.error, KeyError)


def test_processes_that_cannot_begin_are_a_bug(monkeypatch):
    monkeypatch.setattr("forecastkit.tuning.processes.SERVE", "raise ImportError('no such thing')")
    opened = Processes(task_of(troubled()), forks=True)
    try:
        with pytest.raises(RuntimeError, match="did not start: ImportError: no such thing"):
            opened.begin()
        with pytest.raises(RuntimeError, match="did not start: ImportError: no such thing"):
            opened.run({}, TrialLimits())
    finally:
        opened.close()


def test_two_at_a_time_find_the_same():
    one, two = (
        fk.tune(troubled(trouble="sleep0.2"), SERIES, space=SPACE, n_folds=1, random_state=0, n_jobs=jobs)
        for jobs in (1, 2)
    )
    assert one.best_params == two.best_params == {"bias": 0.0}
    scores = [dict(zip(found.trials["bias"], found.trials["score"], strict=True)) for found in (one, two)]
    assert scores[0] == scores[1], "with one fold none is dropped"


def test_a_bug_in_one_of_two_surfaces_and_nothing_is_left_running():
    before = children()
    with pytest.raises(KeyError, match="a bug"):
        fk.tune(
            troubled(), SERIES, space={"trouble": ["bug", "sleep30"]}, n_trials=3, n_folds=1, random_state=0, n_jobs=2
        )
    assert children() == before


def test_trials_that_a_stop_ends_are_not_taken_to_have_failed(tmp_path):
    space = {"bias": (0.0, 9.0), "trouble": ["sleep20"]}

    def stop(text):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        fk.tune(troubled(), SERIES, space=space, n_folds=1, n_jobs=2, directory=tmp_path, verbose=stop)
    states = [json.loads(path.read_text())["status"] for path in tmp_path.rglob("trial.json")]
    assert sorted(states) == ["COMPLETED", "RUNNING"]


def children(parent=None):
    """Processes that this one, or the parent, has begun."""
    listed = ["ps", "-o", "pid=,args=", "--ppid", str(parent or os.getpid())]
    found = subprocess.run(listed, capture_output=True, text=True).stdout.splitlines()
    return sorted(line.split()[0] for line in found if "ps -o" not in line)


def state_of(process):
    """What the system says of a process: Z for one that is over and was not asked for."""
    return subprocess.run(["ps", "-o", "stat=", "-p", process], capture_output=True, text=True).stdout


# ---------------------------------------------------------------------------------------------- classes of a script

SCRIPT = """
from dataclasses import dataclass
import numpy as np
import forecastkit as fk
from forecastkit.uncertainty.forecasts import PointForecast

@dataclass(kw_only=True, eq=False, repr=False)
class Mine(fk.LinearForecaster):
    bias: float = 3.0
    def _forecast(self, panel, origins):
        return PointForecast(super()._forecast(panel, origins).point() + self.bias)

y = 10 + np.sin(np.arange(120.0) / 4)
found = fk.tune(Mine(horizon=4, lookback=24), y, space={"bias": [0.0, 3.0]}, n_folds=1, random_state=0)
print(found.best_params)
"""


def fresh(*arguments, **environment):
    """A Python process of its own that sees the package and these tests."""
    paths = os.pathsep.join([str(TESTS.parents[1]), str(TESTS.parent), str(TESTS)])
    env = {**os.environ, "PYTHONPATH": paths, **environment}
    return subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    )


@pytest.mark.rotated
def test_a_script_needs_no_guard_and_may_hold_its_own_classes(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    out, err = fresh(str(tmp_path / "script.py")).communicate(timeout=250)
    assert out.strip() == "{'bias': 0.0}", err


# ---------------------------------------------------------------------------------------------- killed searches

KILLED = """
import sys
from conftest import wave
from tuning_help import TroubledForecaster
import forecastkit as fk

model = TroubledForecaster(horizon=4, lookback=24, season_length=24, trouble="sleep0.5")
options = {"space": {"bias": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]}, "n_folds": 1, "random_state": 0}
found = fk.tune(model, wave(120), directory=sys.argv[1], verbose=lambda text: print(text, flush=True), **options)
print(sorted(found.trials["bias"]), flush=True)
"""


@pytest.mark.rotated
def test_a_killed_search_goes_on_where_it_was(tmp_path):
    first = fresh("-c", KILLED, str(tmp_path))
    on_end = [first.stdout.readline() for _ in range(3)]
    (server,) = children(first.pid)
    first.kill()
    first.communicate()
    assert on_end[2].startswith("3/20"), on_end
    until = time.monotonic() + 20
    while Path(f"/proc/{server}/task").exists() and "Z" not in state_of(server):
        assert time.monotonic() < until, "the process of the trials outlived the search"
        time.sleep(0.1)
    out, err = fresh("-c", KILLED, str(tmp_path)).communicate(timeout=250)
    lines = out.splitlines()
    assert "trials are taken from" in lines[0], err
    assert lines[1][0] in "45", "what was done is not done again"
    assert lines[-1] == "[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]"


# ---------------------------------------------------------------------------------------------- chief and workers

WORK = """
import sys
from conftest import wave
from tuning_help import TroubledForecaster
import forecastkit as fk

from forecastkit.tuning import kerastuner_chief
kerastuner_chief.LOST = 6.0
model = TroubledForecaster(horizon=4, lookback=24, season_length=24, trouble="sleep1")
options = {"space": {"bias": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]}, "n_folds": 1, "random_state": 0}
print("begun", flush=True)
found = fk.tune(model, wave(120), directory=sys.argv[1], verbose=lambda text: print(text, flush=True), **options)
print(sorted(found.trials["bias"]), found.best_params, "unfinished" in set(found.trials["state"]), flush=True)
"""


@pytest.mark.slow
def test_a_chief_and_two_workers_one_of_which_is_killed(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    network = {"KERASTUNER_ORACLE_IP": "127.0.0.1", "KERASTUNER_ORACLE_PORT": port}
    running = {
        name: fresh("-c", WORK, str(tmp_path / name), KERASTUNER_TUNER_ID=name, **network)
        for name in ("chief", "one", "two")
    }
    try:
        assert running["chief"].stdout.readline() == "begun\n"
        assert running["chief"].stdout.readline().startswith("1/20")
        os.kill(running["two"].pid, signal.SIGKILL)
        expected = "[0.0, 1.0, 2.0, 3.0, 4.0, 5.0] {'bias': 0.0} False"
        for name in ("chief", "one"):
            out, err = running[name].communicate(timeout=200)
            assert out.splitlines()[-1] == expected, (name, out, err)
    finally:
        for process in running.values():
            process.kill()
            process.communicate()


@pytest.mark.slow
def test_memory_does_not_grow_over_thirty_trials():
    import tuning_memory

    found = tuning_memory.measure(trials=30)
    assert len(found) == 30
    assert np.ptp(found[5:]) < 30.0, json.dumps(found)
