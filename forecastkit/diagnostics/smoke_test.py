"""Smoke test: train two steps in a subprocess with a timeout."""

import json
import subprocess
import sys
import time

from forecastkit.diagnostics.machine import Finding
from forecastkit.utils.exceptions import InputError

MARK = "forecastkit smoke test: "
BATCH, STEPS = 256, 2


def run_smoke_test(distribute: str | None = None, precision: str | None = None, timeout: float = 60.0) -> list[Finding]:
    """Train a small GRU for two steps in a subprocess, and report the devices and the duration.

    Parameters
    ----------
    distribute, precision : str, optional
        As for forecasters. With 'multiworker' the check must run on every worker of TF_CONFIG at the same time.
    timeout : float
        Seconds after which a check that hangs is terminated.
    """
    options = {"distribute": distribute, "precision": precision}
    options = {name: value for name, value in options.items() if value is not None}
    command = [sys.executable, "-c", f"from {__name__} import perform; perform()", json.dumps(options)]
    began = time.monotonic()
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        text = f"two steps{_option_text(options)} did not end within {timeout:g} s"
        return [Finding("dry run", text, _timeout_remedy(distribute), True)]
    lines = [line.removeprefix(MARK) for line in done.stdout.splitlines() if line.startswith(MARK)]
    if not lines:
        return [
            Finding("dry run", f"two steps{_option_text(options)} failed: {_last_error(done)}", "See the error.", True)
        ]
    return _findings(json.loads(lines[-1]), options, time.monotonic() - began)


def _option_text(options) -> str:
    return f" under {', '.join(f'{name}={value!r}' for name, value in options.items())}" if options else ""


def _timeout_remedy(distribute):
    if distribute in ("multiworker", "auto"):
        return "Run this command on all workers at the same time, and check that their ports are reachable."
    return "Pass a longer --timeout; if that does not help, reinstall the backend."


def _last_error(done) -> str:
    """Return the last line of the error output of a failed process."""
    lines_of_error = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return lines_of_error[-1][:300] if lines_of_error else f"it ended with code {done.returncode} without a message"


def _findings(found: dict, options: dict, seconds: float) -> list[Finding]:
    if "refused" in found:
        return [Finding("dry run", found["refused"], "See the message.", True)]
    findings = [Finding("devices", f"{found['backend']} trains on {found['devices']}")]
    findings += [Finding("cudnn", text) for text in found["hindrances"]]
    rate = f"{found['seconds']:.1f} s including compilation, {seconds:.0f} s with all imports"
    return [*findings, Finding("dry run", f"two steps of a GRU{_option_text(options)}: {rate}")]


# ---------------------------------------------------------------------------------------------- in the other process


def perform() -> None:
    """Run the training requested by `run_smoke_test` in the subprocess, and print the result as JSON."""
    options = json.loads(sys.argv[1])
    try:
        found = _train(options)
    except InputError as error:
        found = {"refused": str(error)}
    print(f"{MARK}{json.dumps(found)}", flush=True)


def _train(options):
    import keras
    import numpy as np

    from forecastkit.forecasters.networks import GRUForecaster
    from forecastkit.networks import backbones
    from forecastkit.training.engines.hardware import PROCESSOR, cudnn_hindrance, describe_devices

    sizes = {"horizon": 24, "lookback": 96, "batch_size": BATCH, "windows_per_epoch": STEPS * BATCH}
    model = GRUForecaster(**sizes, epochs=1, final_epochs=0, validation_size=48, random_state=0, **options)
    rows = np.arange(1200.0)
    model.fit(np.sin(rows * 2 * np.pi / 24))
    about = {"backend": keras.backend.backend(), "devices": describe_devices(), "hindrances": []}
    if about["backend"] == "tensorflow" and not about["devices"].startswith(PROCESSOR):
        found = (cudnn_hindrance(backbones.find(name)()) for name in backbones.names())
        about["hindrances"] = sorted(filter(None, found))
    return {**about, "seconds": model.training_history_.seconds}
