"""What the doctor finds on machines that lack something, and its dry run."""

import importlib
import json
import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

from forecastkit import cli
from forecastkit.diagnostics import machine, smoke_test


@pytest.fixture
def bare(monkeypatch):
    """No variable that says anything about training."""
    for name in ("TF_CONFIG", "KERAS_BACKEND", "TF_USE_LEGACY_KERAS", *machine.THREADS):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def found(subject, findings=None):
    return [finding for finding in findings or machine.examine() if finding.subject == subject]


def test_a_machine_that_lacks_nothing(bare):
    findings = machine.examine()
    assert not any(finding.prevents for finding in findings)
    [versions], [cpu, *_], [memory] = found("versions"), found("cpu"), found("memory")
    assert "keras 3." in versions.text
    assert f"{os.cpu_count()} core" in cpu.text
    assert float(memory.text.split()[0]) > 0.1


def test_a_backend_that_is_none_or_not_there(bare):
    bare.setenv("KERAS_BACKEND", "theano")
    [finding] = found("backend")
    assert (finding.prevents, "'theano'" in finding.text) == (True, True)
    bare.setenv("KERAS_BACKEND", "tensorflow")
    bare.setattr(machine.util, "find_spec", lambda name: None)
    [finding] = found("backend")
    assert finding.prevents
    assert (finding.text, finding.remedy) == ("tensorflow is not installed", "pip install 'forecastkit[cpu]'")
    bare.undo()


def test_legacy_keras_prevents(bare):
    bare.setenv("TF_USE_LEGACY_KERAS", "1")
    assert [finding.prevents for finding in found("backend")] == [False, True]


def test_threads_that_leave_cores_idle(bare):
    bare.setattr(machine, "usable_cores", lambda: 8.0)
    bare.setenv("TF_NUM_INTRAOP_THREADS", "2")
    bare.setenv("OMP_NUM_THREADS", "8")
    [finding] = found("threads")
    assert finding.text == "TF_NUM_INTRAOP_THREADS=2 leaves 2 within an operation of TensorFlow"
    assert finding.remedy


def test_a_container_that_grants_a_part_of_the_cores(bare):
    bare.setattr(machine, "usable_cores", lambda: 0.5)
    assert found("cpu")[0].text.endswith("of which 0.5 may be used")
    assert "TF_NUM_INTRAOP_THREADS=1" in found("cpu")[1].remedy


def test_little_memory_is_told(bare):
    bare.setattr(machine, "free_memory", lambda: 0.3)
    [finding] = found("memory")
    assert (finding.text, bool(finding.remedy)) == ("0.3 GiB free", True)


def test_a_card_that_tensorflow_cannot_use(bare):
    bare.setattr(machine.shutil, "which", lambda name: f"/usr/bin/{name}")
    bare.setattr(machine, "_version", lambda package: "2.21.0" if package == "tensorflow-cpu" else "")
    assert found("gpu")[0].remedy == "pip install 'forecastkit[gpu]'"


def config(*addresses, index=0):
    return json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}})


def test_workers_that_answer_and_that_do_not(bare):
    with socket.create_server(("127.0.0.1", 0)) as server:
        here = f"127.0.0.1:{server.getsockname()[1]}"
        bare.setenv("TF_CONFIG", config("127.0.0.1:1", here))
        assert found("workers")[0].text == "this is the chief of 2; all others answer"
        bare.setenv("TF_CONFIG", config("127.0.0.1:1", here, index=1))
        assert found("workers")[0].text == "this is worker 1 of 2; no answer from 127.0.0.1:1"
    bare.setenv("TF_CONFIG", config("127.0.0.1:1"))
    assert found("workers")[0].text == "TF_CONFIG names no other worker"
    bare.setenv("TF_CONFIG", "{")
    assert found("workers")[0].prevents


# ---------------------------------------------------------------------------------------------- the dry run


@pytest.mark.rotated
def test_two_steps_are_trained_in_another_process(bare):
    devices, dry = smoke_test.run_smoke_test()
    assert devices.text.startswith("tensorflow trains on ")
    assert dry.text.startswith("two steps of a GRU: ")
    assert not any(finding.prevents for finding in (devices, dry))


def test_what_hangs_is_ended(bare):
    run = subprocess.run
    bare.setattr(smoke_test.subprocess, "run", lambda command, **how: run(["sleep", "60"], **how))
    began = time.monotonic()
    [finding] = smoke_test.run_smoke_test("multiworker", timeout=1.0)
    assert time.monotonic() - began < 10
    assert finding.prevents
    assert finding.text == "two steps under distribute='multiworker' did not end within 1 s"
    assert "all workers at the same time" in finding.remedy


def test_what_breaks_is_told_by_its_last_line(bare):
    run = subprocess.run
    bare.setattr(
        smoke_test.subprocess, "run", lambda command, **how: run(["sh", "-c", "echo a >&2; echo why >&2"], **how)
    )
    [finding] = smoke_test.run_smoke_test()
    assert (finding.prevents, finding.text) == (True, "two steps failed: why")
    bare.setattr(smoke_test.subprocess, "run", lambda command, **how: run(["sh", "-c", "kill -9 $$"], **how))
    [finding] = smoke_test.run_smoke_test()
    assert finding.text == "two steps failed: it ended with code -9 without a message"


# ---------------------------------------------------------------------------------------------- the command


def test_the_command_says_what_was_found(bare, capsys):
    command = importlib.import_module("forecastkit.cli.doctor")
    bare.setattr(command, "run_smoke_test", lambda *asked: [machine.Finding("dry run", f"asked {asked}")])
    assert cli.main(["doctor", "--precision", "mixed_bfloat16", "--timeout", "5"]) == 0
    said = capsys.readouterr().out
    assert "versions Python 3." in said
    assert "dry run  asked (None, 'mixed_bfloat16', 5.0)" in said


def test_the_command_ends_with_1_where_training_cannot_work(bare, capsys):
    bare.setenv("KERAS_BACKEND", "theano")
    assert cli.main(["doctor", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["works"] is False
    assert [one["subject"] for one in told["findings"] if one["prevents"]] == ["backend"]


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (("--distribute", "mirrord"), "it must be one of None, 'auto', 'mirrored', 'multiworker', got 'mirrord'"),
        (("--precision", "half"), "it must be one of None, 'float32', 'mixed_bfloat16', 'mixed_float16', got 'half'"),
        (("--timeout", "0"), "it must be a number in [1, 86400], got 0"),
    ],
)
def test_wrong_usage(capsys, flags, sentence):
    assert cli.main(["doctor", *flags]) == 2
    assert sentence in capsys.readouterr().err


def test_without_a_run_nothing_heavy_is_loaded():
    code = "import sys; from forecastkit import cli; cli.main(['doctor', '--no-run']); print(sorted(sys.modules))"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([smoke_test.sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert "'tensorflow'" not in done.stdout
