"""Training on several devices and machines: the same as on one, alike on all, and no hang where one is lost."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import ROLES, SMALL, make_future, make_panel, wave
from scaling import free_ports

import forecastkit as fk
from forecastkit.training.engines import cluster, find_strategy
from forecastkit.training.engines.cluster import Cluster, meet, read_cluster
from forecastkit.utils.exceptions import ParameterError, WorkerError

ROOT = Path(__file__).parents[2]
TIMEOUT = 580


def start(name: str, folder: Path, config: dict | None = None) -> subprocess.Popen:
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    more = {"TF_CONFIG": json.dumps(config)} if config else {}
    environment = {**os.environ, "PYTHONPATH": path, "CUDA_VISIBLE_DEVICES": "-1", **more}
    command = [
        sys.executable,
        "-W",
        "error",
        str(ROOT / "tests" / "training" / "distributed_runs.py"),
        name,
        str(folder),
    ]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


def finish(processes: list[subprocess.Popen]) -> list[tuple[int, str]]:
    """Exit status and what was said on stderr of each; none outlives the test."""
    said = ["" for _ in processes]

    def read(place):
        said[place] = processes[place].communicate()[1]

    readers = [threading.Thread(target=read, args=(place,)) for place in range(len(processes))]
    deadline = time.monotonic() + TIMEOUT
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(max(deadline - time.monotonic(), 0.1))
    for process in processes:
        process.kill()
    for reader in readers:
        reader.join()
    return [(process.returncode, text) for process, text in zip(processes, said, strict=True)]


def cluster_config(ports, index, **task) -> dict:
    addresses = [f"127.0.0.1:{port}" for port in ports]
    return {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index, **task}}


def run_workers(folder: Path, count: int) -> dict[str, np.ndarray]:
    """Start the workers and the same in one process; what they kept, by name."""
    ports = free_ports(count)
    workers = [start("worker", folder, cluster_config(ports, index)) for index in range(count)]
    alone = start("alone", folder)
    *ends, killed, single = finish([*workers, alone])
    assert killed[0] == -9, killed[1]
    assert single[0] == 0, single[1]
    for status, said in ends:
        assert status == 0, said
        assert "Traceback" not in said
    return load_all(folder)


def load_all(folder: Path) -> dict:
    return {path.stem: dict(np.load(path)) for path in folder.glob("*.npz")}


def assert_same(first: dict, second: dict, rtol=1e-5, atol=1e-6):
    """Weights, losses and forecasts alike."""
    names = [name for name in first if name != "chief"]
    assert set(names) == {name for name in second if name != "chief"}
    for name in names:
        np.testing.assert_allclose(first[name], second[name], rtol=rtol, atol=atol, err_msg=name)


# ---------------------------------------------------------------------------------------------- several devices


@pytest.fixture(scope="module")
def mirrored(tmp_path_factory):
    """Folder of a process with two devices, and what it kept."""
    folder = tmp_path_factory.mktemp("mirrored")
    ((status, said),) = finish([start("mirrored", folder)])
    assert status == 0, said
    return folder, load_all(folder)


@pytest.mark.rotated
def test_two_devices_train_as_one_with_the_same_batch(mirrored):
    kept = mirrored[1]
    assert_same(kept["one"], kept["two"])
    assert kept["two"]["loss"][1] < kept["two"]["loss"][0]


@pytest.mark.rotated
def test_the_strategy_of_a_scope_is_used(mirrored):
    assert_same(mirrored[1]["short"], mirrored[1]["own"])


@pytest.mark.rotated
def test_compiled_steps_are_the_same_too(tmp_path):
    ((status, said),) = finish([start("compiled", tmp_path)])
    assert status == 0, said
    kept = load_all(tmp_path)
    assert_same(kept["one-compiled"], kept["two-compiled"])


@pytest.mark.rotated
def test_what_two_devices_trained_is_loaded_on_one(mirrored):
    folder, kept = mirrored
    model = fk.load(folder / "two.forecast")
    assert model.distribute == "mirrored"
    np.testing.assert_allclose(model.forecast()["forecast"], kept["two"]["forecast"], rtol=1e-5)


# ---------------------------------------------------------------------------------------------- several machines


@pytest.fixture(scope="module")
def workers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workers")
    return folder, run_workers(folder, 2)


def check_workers(kept, count):
    assert_same(kept["alone"], kept["same0"])
    for name in ("same", "timed"):
        for index in range(1, count):
            assert_same(kept[f"{name}0"], kept[f"{name}{index}"], rtol=0, atol=0)
    assert [bool(kept[f"same{index}"]["chief"]) for index in range(count)] == [True] + [False] * (count - 1)


def check_lost(folder, index):
    seconds, said = (folder / f"lost{index}.txt").read_text(encoding="utf-8").split("\n")
    assert float(seconds) < 45
    assert said.startswith("fit: all workers must stay up until the end, got ")
    assert said.endswith("Restart all workers; those that were left have ended.")
    return said


@pytest.mark.rotated
def test_two_workers_train_as_one_process_and_end_alike(workers):
    check_workers(workers[1], 2)


@pytest.mark.rotated
def test_a_worker_with_other_rows_is_refused_by_all(workers):
    said = {(workers[0] / f"other{index}.txt").read_text(encoding="utf-8") for index in range(2)}
    assert len(said) == 1
    assert said.pop().startswith("fit: all workers must be given the same rows and parameters, got others")


@pytest.mark.rotated
def test_a_killed_worker_ends_the_other_with_a_sentence(workers):
    assert "no answer from 127.0.0.1:" in check_lost(workers[0], 0)


@pytest.mark.rotated
def test_only_the_first_worker_keeps_checkpoints(workers):
    folder = workers[0]
    assert [path.suffix for path in (folder / "kept0").iterdir()] == [".checkpoint"]
    assert not (folder / "kept1").exists()


@pytest.mark.slow
def test_three_workers_and_their_restart_after_a_kill(tmp_path):
    check_workers(run_workers(tmp_path, 3), 3)
    check_lost(tmp_path, 0)
    check_lost(tmp_path, 1)
    ports = free_ports(3)
    for status, said in finish([start("again", tmp_path, cluster_config(ports, index)) for index in range(3)]):
        assert status == 0, said
    kept = load_all(tmp_path)
    for index in range(3):
        assert int(kept[f"again{index}"].pop("begun")) == 2  # killed when two epochs were whole
        assert_same(kept["long"], kept[f"again{index}"])


# ---------------------------------------------------------------------------------------------- meeting


def test_workers_wait_for_each_other(monkeypatch):
    monkeypatch.setattr(cluster, "START_TIMEOUT", 20.0)
    addresses = tuple(f"127.0.0.1:{port}" for port in free_ports(2))
    seconds = []

    def late():
        time.sleep(0.5)
        began = time.monotonic()
        meet(Cluster(addresses, 1))
        seconds.append(time.monotonic() - began)
        # TensorFlow's own server takes the port over.
        with socket.create_server(("127.0.0.1", int(addresses[1].split(":")[1]))):
            time.sleep(1.0)

    thread = threading.Thread(target=late)
    began = time.monotonic()
    thread.start()
    meet(Cluster(addresses, 0))
    assert time.monotonic() - began >= 0.4
    with socket.create_server(("127.0.0.1", int(addresses[0].split(":")[1]))):
        thread.join()
    assert seconds


def test_a_worker_that_never_comes_up_is_named():
    first, second = free_ports(2)
    with pytest.raises(WorkerError, match=rf"come up within 0.3 s, got no answer from 127.0.0.1:{second}\. Start"):
        meet(Cluster((f"127.0.0.1:{first}", f"127.0.0.1:{second}"), 0), timeout=0.3)


def test_a_port_of_ones_own_that_is_taken_is_refused():
    with socket.create_server(("", 0)) as taken:
        own = taken.getsockname()[1]
        with pytest.raises(WorkerError, match=f"TF_CONFIG: a worker must be able to listen.*'127.0.0.1:{own}'"):
            meet(Cluster((f"127.0.0.1:{own}", "127.0.0.1:1"), 0), timeout=0.1)


# ---------------------------------------------------------------------------------------------- TF_CONFIG


def test_clusters_are_read(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert read_cluster() is None
    assert fk.is_chief()
    jobs = {"worker": ["b:2", "c:3"], "chief": ["a:1"]}
    for task, index in ((("chief", 0), 0), (("worker", 0), 1), (("worker", "1"), 2)):
        config = {"cluster": jobs, "task": dict(zip(("type", "index"), task, strict=True))}
        monkeypatch.setenv("TF_CONFIG", json.dumps(config))
        assert read_cluster() == Cluster(("a:1", "b:2", "c:3"), index)
        assert fk.is_chief() == (index == 0)
    assert read_cluster().others() == ["a:1", "b:2"]
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster_config([1], 0)))
    assert read_cluster() is None


@pytest.mark.parametrize(("config", "said"), [
    ("{", "must be JSON like"), ('[1]', "must be JSON like"), ('{"cluster": 3}', "must be JSON like"),
    ({"cluster": {"worker": ["a:1", "b:1"], "ps": ["c:1"]}}, "jobs must be chief and worker.*got 'ps'"),
    (cluster_config([1, 70000], 0), "addresses must be host:port, got '127.0.0.1:70000'"),
    ({"cluster": {"worker": ["a", "b:1"]}}, "addresses must be host:port, got 'a'"),
    (cluster_config([1, 2], 2), "task must be one of the cluster's"),
    (cluster_config([1, 2], 0, type="chief"), "task must be one of the cluster's"),
    ({"cluster": {"worker": ["a:1", "b:1"]}}, "task must be one of the cluster's"),
])  # fmt: skip
def test_a_wrong_TF_CONFIG_is_refused(monkeypatch, config, said):
    monkeypatch.setenv("TF_CONFIG", config if isinstance(config, str) else json.dumps(config))
    with pytest.raises(fk.InputError, match=f"TF_CONFIG: {said}"):
        read_cluster()


# ---------------------------------------------------------------------------------------------- names


def test_names_are_checked():
    with pytest.raises(ParameterError, match=r"distribute must be one of.*got 'miror'\. Did you mean 'mirrored'"):
        fk.GRUForecaster(**SMALL, distribute="miror").fit(wave(200))


def test_auto_is_nothing_where_there_is_but_one_device(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert find_strategy("auto", "fit") is None


def test_several_workers_need_addresses(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(ParameterError, match="GRUForecaster: distribute='multiworker' needs the addresses of at least"):
        fk.GRUForecaster(**SMALL, distribute="multiworker").fit(wave(200))


def test_workers_must_meet_before_tensorflow_is_used(monkeypatch):
    assert int(tf.constant(1)) == 1
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster_config([1, 2], 0)))
    with pytest.raises(fk.InputError, match="workers must meet before TensorFlow is used"):
        fk.GRUForecaster(**SMALL, distribute="multiworker").fit(wave(200))


def test_other_backends_are_refused(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    assert find_strategy("auto", "fit") is None
    with pytest.raises(ParameterError, match="needs the TensorFlow backend, got 'mirrored' with KERAS_BACKEND=jax"):
        find_strategy("mirrored", "fit")


def test_scopes_and_names_do_not_go_together():
    with tf.distribute.OneDeviceStrategy("/cpu:0").scope(), pytest.raises(ParameterError, match="must be None"):
        fk.GRUForecaster(**SMALL, distribute="mirrored").fit(wave(200))


def test_strategies_that_do_not_train_alike_are_refused():
    strategy, said = tf.distribute.experimental.CentralStorageStrategy(["/cpu:0"]), "must be one of MirroredStrategy, "
    with strategy.scope(), pytest.raises(fk.InputError, match=said + r".*got CentralStorageStrategy\."):
        fk.GRUForecaster(**SMALL).fit(wave(200))


def test_a_scope_with_one_device_changes_nothing():
    """In this very process: the same forecasts, and variables that are ordinary ones."""
    data = make_panel()
    with tf.distribute.OneDeviceStrategy("/cpu:0").scope():
        inside = fk.GRUForecaster(**SMALL, **ROLES).fit(data)
        values = inside.predict(make_future(data))["load"]
    assert type(inside.model_.trainable_variables[0].value) is type(tf.Variable(0.0))
    outside = fk.GRUForecaster(**SMALL, **ROLES).fit(data)
    np.testing.assert_allclose(values, outside.predict(make_future(data))["load"], rtol=1e-4)


# ---------------------------------------------------------------------------------------------- the benchmark


@pytest.mark.slow
def test_the_benchmark_of_scaling_runs(tmp_path):
    script, out = ROOT / "benchmarks" / "scaling.py", tmp_path / "scaling.json"
    few = ["--patch", "24", "--batch", "64", "--steps", "26", "--epochs", "2", "--rounds", "1"]
    command = [sys.executable, str(script), *few, "--out", str(out)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(out.read_text(encoding="utf-8"))
    one, two = found["runs"]["one"][0], found["runs"]["two"][0]
    assert two["loss"] == pytest.approx(one["loss"], rel=0.05)
    assert found["ratio"] == pytest.approx(
        two["steady_windows_per_second"] / one["steady_windows_per_second"], rel=0.02
    )
