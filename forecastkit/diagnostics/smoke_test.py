"""Smoke test: train two steps in a subprocess with a timeout."""

import json
import subprocess
import sys
import time

from forecastkit.diagnostics.machine import Finding
from forecastkit.utils.exceptions import InputError

MARK = "forecastkit rehearsal: "
BATCH, STEPS = 256, 2


def rehearse(distribute: str | None = None, precision: str | None = None, timeout: float = 60.0) -> list[Finding]:
    """Train a small GRU for two steps, and tell on what and how fast.

    Parameters
    ----------
    distribute, precision : str, optional
        As forecasters take them. With 'multiworker' every worker of TF_CONFIG has to do it at the same time.
    timeout : float
        Seconds until a rehearsal that hangs is ended.
    """
    asked = {"distribute": distribute, "precision": precision}
    asked = {name: value for name, value in asked.items() if value is not None}
    command = [sys.executable, "-c", f"from {__name__} import perform; perform()", json.dumps(asked)]
    began = time.monotonic()
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        text = f"two steps{_under(asked)} did not end within {timeout:g} s"
        return [Finding("dry run", text, _waiting(distribute), True)]
    lines = [line.removeprefix(MARK) for line in done.stdout.splitlines() if line.startswith(MARK)]
    if not lines:
        return [Finding("dry run", f"two steps{_under(asked)} broke: {_last(done)}", "See the error.", True)]
    return _told(json.loads(lines[-1]), asked, time.monotonic() - began)


def _under(asked) -> str:
    return f" under {', '.join(f'{name}={value!r}' for name, value in asked.items())}" if asked else ""


def _waiting(distribute):
    if distribute in ("multiworker", "auto"):
        return "Run this command on all workers at the same time, and look whether their ports can be reached."
    return "Pass a longer --timeout; if that does not help, reinstall the backend."


def _last(done) -> str:
    """What a broken process said last."""
    said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return said[-1][:300] if said else f"it ended with code {done.returncode} and said nothing"


def _told(found: dict, asked: dict, seconds: float) -> list[Finding]:
    if "refused" in found:
        return [Finding("dry run", found["refused"], "See the sentence.", True)]
    findings = [Finding("devices", f"{found['backend']} trains on {found['devices']}")]
    findings += [Finding("cudnn", text) for text in found["hindrances"]]
    rate = f"{found['seconds']:.1f} s with compiling, {seconds:.0f} s with all imports"
    return [*findings, Finding("dry run", f"two steps of a GRU{_under(asked)}: {rate}")]


# ---------------------------------------------------------------------------------------------- in the other process


def perform() -> None:
    """Do what `rehearse` asked for, and print what was found."""
    asked = json.loads(sys.argv[1])
    try:
        found = _train(asked)
    except InputError as error:
        found = {"refused": str(error)}
    print(f"{MARK}{json.dumps(found)}", flush=True)


def _train(asked):
    import keras
    import numpy as np

    from forecastkit.forecasters.networks import GRUForecaster
    from forecastkit.networks import backbones
    from forecastkit.training.engines.hardware import PROCESSOR, cudnn_hindrance, describe_devices

    sizes = {"horizon": 24, "lookback": 96, "batch_size": BATCH, "windows_per_epoch": STEPS * BATCH}
    model = GRUForecaster(**sizes, epochs=1, final_epochs=0, validation_size=48, random_state=0, **asked)
    rows = np.arange(1200.0)
    model.fit(np.sin(rows * 2 * np.pi / 24))
    about = {"backend": keras.backend.backend(), "devices": describe_devices(), "hindrances": []}
    if about["backend"] == "tensorflow" and not about["devices"].startswith(PROCESSOR):
        found = (cudnn_hindrance(backbones.find(name)()) for name in backbones.names())
        about["hindrances"] = sorted(filter(None, found))
    return {**about, "seconds": model.training_history_.seconds}
