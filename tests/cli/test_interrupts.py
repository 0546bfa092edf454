"""Ctrl-C."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from conftest import AIR, TINY

import forecastkit as fk


@pytest.fixture
def interrupted(monkeypatch):
    """Ctrl-C after the second epoch, or before the first is over."""
    from forecastkit.cli.progress import EpochProgress

    def after(epoch):
        name, original = ("on_epoch_end", EpochProgress.on_epoch_end) if epoch else ("on_epoch_begin", None)

        def stop(self, number, logs=None):
            if original:
                original(self, number, logs)
            if number == max(epoch - 1, 0):
                raise KeyboardInterrupt

        monkeypatch.setattr(EpochProgress, name, stop)

    return after


def test_ctrl_c_saves_the_best_weights_with_out(run, interrupted):
    interrupted(after := 2)
    said = run("train", "--csv", AIR, *TINY, "--epochs", "5", "--out", "m.forecast", code=130)
    assert "stopped: the best weights so far, of epoch" in said.err
    assert f"epoch     {after}/5" in said.out
    assert len(json.loads(run("predict", "m.forecast", "--json").out)["forecast"]) == 12


@pytest.mark.parametrize(
    ("epoch", "says"), [(2, "stopped: nothing was written; with --out"), (0, "before the first epoch")]
)
def test_ctrl_c_writes_nothing_without_out_or_training(run, interrupted, epoch, says):
    interrupted(epoch)
    out = () if epoch else ("--out", "m.forecast")
    assert says in run("train", "--csv", AIR, *TINY, *out, code=130).err
    assert os.listdir() == []


def test_the_same_command_resumes_a_stopped_training(run, monkeypatch):
    from forecastkit.cli.progress import EpochProgress

    def stop(self, epoch, logs=None):
        if epoch == 3:
            raise KeyboardInterrupt

    command = ("train", "--csv", AIR, *TINY, "--no-refit", "--epochs", "5", "--resume", "epochs")
    with monkeypatch.context() as patch:
        patch.setattr(EpochProgress, "on_epoch_begin", stop)
        said = run(*command, code=130)
    assert "resume   the same command continues from the epochs in epochs" in said.out
    said = run(*command)
    assert "epoch     4/5" in said.out
    assert "epoch     3/5" not in said.out
    assert os.listdir("epochs") == []
    whole = run(*command[:-2], "--overwrite")
    epochs = [re.findall(r"epoch +(\d/5 .* in epoch \d)", each.out) for each in (said, whole)]
    assert epochs[0] == epochs[1][3:] != []
    refused = run("train", "--csv", AIR, "--model", "linear", *command[-2:], "--overwrite", code=2).err
    assert "linear: the parameter must exist without a network, got 'resume'" in refused


def test_ctrl_c_during_the_refit_saves_the_tested_model(run, monkeypatch):
    from forecastkit.cli import train

    fit, fits = train.fit_model, []

    def stop(report, forecaster, panel):
        fits.append(panel.rows)
        if len(fits) == 2:
            raise train.Stopped("")
        fit(report, forecaster, panel)

    monkeypatch.setattr(train, "fit_model", stop)
    printed = run("train", "--csv", AIR, "--model", "linear")
    assert "fitted on the rows before the test only: the fit on all rows was stopped by Ctrl-C" in printed.err
    assert (fits, os.listdir()) == ([120, 144], ["model.forecast"])
    assert str(fk.load("model.forecast").cutoff_)[:7] == "1960-12"


@pytest.fixture
def default_handler():
    """Install Python's handler of Ctrl-C, which background processes of a shell lack."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("default_handler")
def test_two_interrupts_in_quick_succession_are_one(run, monkeypatch):
    """The second interrupt arrives during the evaluation of the best weights."""
    from forecastkit.cli.progress import EpochProgress
    from forecastkit.forecasters.neural import NeuralForecaster

    evaluate = NeuralForecaster._evaluate_validation

    def interrupt(*arguments):
        os.kill(os.getpid(), signal.SIGINT)
        return evaluate(*arguments)

    original = EpochProgress.on_epoch_end

    def stop(self, epoch, logs=None):
        original(self, epoch, logs)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)

    monkeypatch.setattr(EpochProgress, "on_epoch_end", stop)
    monkeypatch.setattr(NeuralForecaster, "_evaluate_validation", interrupt)
    err = run("train", "--csv", AIR, *TINY, "--out", "m.forecast", code=130).err
    assert "the best weights so far, of epoch 1, are in m.forecast" in err
    assert len(fk.load("m.forecast").predict()) == 12
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_later_second_interrupt_exits_at_once(run, monkeypatch):
    from forecastkit.cli import interrupts
    from forecastkit.cli.progress import EpochProgress
    from forecastkit.forecasters.neural import NeuralForecaster

    def stop(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(interrupts, "SECONDS", 0.0)
    monkeypatch.setattr(EpochProgress, "on_epoch_end", stop)
    monkeypatch.setattr(NeuralForecaster, "_evaluate_validation", stop)
    err = run("train", "--csv", AIR, *TINY, "--out", "m.forecast", code=130).err
    assert "nothing was written" in err
    assert os.listdir() == []


IMPORTING = """
import builtins

original = builtins.__import__

def interrupt(name, *arguments, **more):
    if name == "typer":
        raise KeyboardInterrupt
    return original(name, *arguments, **more)

builtins.__import__ = interrupt
from forecastkit.cli import main
"""


def test_an_interrupt_while_modules_are_imported_shows_no_traceback():
    done = subprocess.run([sys.executable, "-c", IMPORTING], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "")
