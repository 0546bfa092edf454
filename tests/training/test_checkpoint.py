"""Fits that are killed and begun again: the same weights as without, wherever it happened."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
from conftest import SMALL, in_rotation, wave, weights_of

import forecastkit as fk
from forecastkit.training import loop
from forecastkit.utils.exceptions import InputError

ROOT = Path(__file__).parents[2]
EPOCHS = 4
SIZES = {**SMALL, "epochs": EPOCHS, "final_epochs": 2, "patience": None}


class KilledError(Exception):
    """Stands for a death of the process."""


def series():
    return wave(300)


@pytest.fixture(scope="module")
def whole():
    """The fit that nobody interrupts."""
    return fk.GRUForecaster(**SIZES).fit(series())


def killed(monkeypatch, epoch: int, model, error=KilledError):
    """Fit, and die in the epoch of this number, counted over the whole process."""
    begun = []

    def die(*given):
        begun.append(1)
        if len(begun) > epoch:
            raise error
        return run(*given)

    run = loop._epoch
    with monkeypatch.context() as patch:
        patch.setattr(loop, "_epoch", die)
        try:
            model.fit(series())
        except error:  # `pytest.raises` would hold the traceback, and with it the traced network
            return
        pytest.fail("the fit came to its end")


def assert_same(model, other):
    for own, others in zip(weights_of(model), weights_of(other), strict=True):
        np.testing.assert_array_equal(own, others)
    np.testing.assert_array_equal(model.predict(), other.predict())
    assert model.scores_ == other.scores_
    assert model.training_history_.val_loss == other.training_history_.val_loss


@pytest.mark.parametrize("epoch", in_rotation(range(EPOCHS + 2), {*range(EPOCHS + 2)} - {1, EPOCHS + 1}))
def test_a_fit_goes_on_after_its_last_whole_epoch(monkeypatch, tmp_path, whole, epoch):
    killed(monkeypatch, epoch, fk.GRUForecaster(**SIZES, resume=tmp_path))
    left, run = [], loop._epoch
    monkeypatch.setattr(loop, "_epoch", lambda *given: left.append(given[3]) or run(*given))
    model = fk.GRUForecaster(**SIZES, resume=tmp_path).fit(series())
    assert left == [*range(EPOCHS), *range(2)][epoch:]
    assert_same(model, whole)
    assert not list(tmp_path.iterdir())


def test_killed_again_and_again(monkeypatch, tmp_path, whole):
    for _ in range(EPOCHS + 1):
        killed(monkeypatch, 1, fk.GRUForecaster(**SIZES, resume=tmp_path))
    assert_same(fk.GRUForecaster(**SIZES, resume=tmp_path).fit(series()), whole)


def test_patience_counts_epochs_from_before(monkeypatch, tmp_path):
    sizes = {**SIZES, "epochs": 40, "patience": 2, "learning_rate": 0.3, "final_epochs": 0}
    whole = fk.GRUForecaster(**sizes).fit(series())
    record = whole.training_history_
    assert record.ended == "patience"
    killed(monkeypatch, len(record.loss) - 1, fk.GRUForecaster(**sizes, resume=tmp_path))
    assert_same(fk.GRUForecaster(**sizes, resume=tmp_path).fit(series()), whole)


def test_without_a_random_state_the_seed_is_that_of_the_killed_fit(monkeypatch, tmp_path):
    sizes = {**SIZES, "random_state": None}
    killed(monkeypatch, 2, fk.GRUForecaster(**sizes, resume=tmp_path))
    kept = [path.read_bytes() for path in tmp_path.iterdir()]
    first = fk.GRUForecaster(**sizes, resume=tmp_path).fit(series())
    for path, data in zip(["again"], kept, strict=True):
        (tmp_path / path).write_bytes(data)
    assert len(first.training_history_.loss) == EPOCHS
    killed(monkeypatch, 2, fk.GRUForecaster(**sizes, resume=tmp_path))
    name = next(path for path in tmp_path.iterdir() if path.name != "again")
    os.replace(tmp_path / "again", name)
    assert_same(fk.GRUForecaster(**sizes, resume=tmp_path).fit(series()), first)


OTHERS = [{"learning_rate": 0.01}, {"random_state": 1}, {"lookback": 30}]


@pytest.mark.parametrize("other", in_rotation(OTHERS, OTHERS[1:]))
def test_other_parameters_begin_afresh(monkeypatch, tmp_path, other):
    killed(monkeypatch, 2, fk.GRUForecaster(**SIZES, resume=tmp_path))
    model = fk.GRUForecaster(**{**SIZES, **other}, resume=tmp_path).fit(series())
    assert_same(model, fk.GRUForecaster(**{**SIZES, **other}).fit(series()))


def test_other_data_and_weights_of_rows_begin_afresh(monkeypatch, tmp_path):
    killed(monkeypatch, 2, fk.GRUForecaster(**SIZES, resume=tmp_path))
    changed, weight = series(), np.ones(300)
    changed[10] += 1e-3
    weight[:50] = 2.0
    for given in ({"X": changed}, {"X": series(), "sample_weight": weight}):
        model = fk.GRUForecaster(**SIZES, resume=tmp_path).fit(**given)
        assert_same(model, fk.GRUForecaster(**SIZES).fit(**given))


def test_what_is_printed_and_called_does_not_matter(monkeypatch, tmp_path, whole):
    killed(monkeypatch, 3, fk.GRUForecaster(**SIZES, resume=tmp_path))
    seen = []
    listener = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: seen.append(epoch))
    model = fk.GRUForecaster(**SIZES, resume=str(tmp_path), callbacks=[listener])
    assert_same(model.fit(series()), whole)
    assert seen == [3]


def test_ctrl_c_keeps_what_a_later_fit_goes_on_from(monkeypatch, tmp_path, whole):
    model = fk.GRUForecaster(**SIZES, resume=tmp_path)
    killed(monkeypatch, 2, model, KeyboardInterrupt)
    assert len(model.training_history_.loss) == 2
    assert np.isfinite(model.predict()).all()
    assert_same(fk.GRUForecaster(**SIZES, resume=tmp_path).fit(series()), whole)


def test_members_of_an_ensemble_that_were_ready_are_not_trained_again(monkeypatch, tmp_path):
    def ensemble(**more):
        members = [fk.GRUForecaster(**SIZES, **more), fk.RNNForecaster(**SIZES, **more)]
        return fk.EnsembleForecaster(forecasters=members, horizon=6, lookback=24)

    whole = ensemble().fit(series())
    killed(monkeypatch, EPOCHS + 1, ensemble(resume=tmp_path))
    left, run = [], loop._epoch
    monkeypatch.setattr(loop, "_epoch", lambda *given: left.append(given[3]) or run(*given))
    model = ensemble(resume=tmp_path).fit(series())
    assert len(left) == EPOCHS - 1 + 2 * 2
    for own, others in zip(model.forecasters_, whole.forecasters_, strict=True):
        assert_same(own, others)
    assert not list(tmp_path.iterdir())


def test_partial_fit_and_clones_leave_no_files(tmp_path):
    model = fk.GRUForecaster(**SIZES, resume=tmp_path).fit(series()[:280])
    model.partial_fit(series()[280:])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"foreign"])
def test_a_damaged_file_is_refused(monkeypatch, tmp_path, damage):
    killed(monkeypatch, 2, fk.GRUForecaster(**SIZES, resume=tmp_path))
    [path] = tmp_path.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=r"must be a complete checkpoint, got damaged.*Delete it"):
        fk.GRUForecaster(**SIZES, resume=tmp_path).fit(series())


def test_a_folder_that_cannot_be_is_refused_before_training(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below", 3):
        with pytest.raises(InputError, match=r"GRUForecaster: resume must be a folder that can be written to, got "):
            fk.GRUForecaster(**SIZES, resume=folder).fit(series())


# ---------------------------------------------------------------------------------------------- kill -9

HELD = """
import sys
sys.path[:0] = sys.argv[1].split(":")
import time
import keras
from test_checkpoint import EPOCHS, SIZES, series
import forecastkit as fk

def hold(epoch, logs):
    if epoch == EPOCHS - 1:
        print("held", flush=True)
        time.sleep(600)

callback = keras.callbacks.LambdaCallback(on_epoch_begin=hold)
fk.GRUForecaster(**SIZES, resume=sys.argv[2], callbacks=[callback]).fit(series())
"""


@pytest.mark.rotated
def test_another_process_that_is_killed_has_trained_bit_for_bit_the_same(monkeypatch, tmp_path, whole):
    with child(tmp_path, "", HELD) as process:
        assert process.stdout.readline() == "held\n"
        process.send_signal(signal.SIGKILL)
    left, run = [], loop._epoch
    monkeypatch.setattr(loop, "_epoch", lambda *given: left.append(given[3]) or run(*given))
    assert_same(fk.GRUForecaster(**SIZES, resume=tmp_path).fit(series()), whole)
    assert left == [EPOCHS - 1, 0, 1]


CHILD = """
import sys
sys.path[:0] = sys.argv[1].split(":")
import numpy as np
from test_checkpoint import SIZES, series
import forecastkit as fk
fit = {**SIZES, "epochs": 14, "windows_per_epoch": 640, "final_epochs": 4}
print("ready", flush=True)
model = fk.GRUForecaster(**fit, resume=sys.argv[2] or None).fit(series())
np.savez(sys.argv[3], *model.model_.get_weights())
"""


def child(folder, out, code=CHILD, **environment):
    paths = f"{ROOT}:{ROOT / 'tests'}:{ROOT / 'tests' / 'training'}"
    command = [sys.executable, "-c", code, paths, str(folder), str(out)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, **environment}, text=True)


def kills(tmp_path, count, **environment):
    """Kill a fit at random moments until it was killed so many times, then let it end; weights without and with it."""
    began = time.monotonic()
    with child("", tmp_path / "whole.npz", **environment) as process:
        process.stdout.read()
    assert process.returncode == 0
    rng, folder, seconds = random.Random(0), tmp_path / "runs", time.monotonic() - began
    for number in range(count):
        with child(folder, tmp_path / f"killed{number}.npz", **environment) as process:
            process.stdout.readline()
            time.sleep(rng.uniform(0.0, 2.0 * seconds / count))
            process.send_signal(signal.SIGKILL)
    with child(folder, tmp_path / "resumed.npz", **environment) as process:
        process.stdout.read()
    assert process.returncode == 0
    assert not list(folder.iterdir())
    with np.load(tmp_path / "whole.npz") as whole, np.load(tmp_path / "resumed.npz") as resumed:
        for name in whole.files:
            np.testing.assert_array_equal(whole[name], resumed[name])


@pytest.mark.rotated
def test_kill_9_changes_nothing(tmp_path):
    kills(tmp_path, 2)


@pytest.mark.slow
def test_kill_9_at_twenty_moments_changes_nothing(tmp_path):
    kills(tmp_path, 20)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_kill_9_changes_nothing_on_other_backends(tmp_path, backend):
    pytest.importorskip(backend)
    kills(tmp_path, 2, KERAS_BACKEND=backend)
