"""Measurement of one run of a comparison: errors, durations, peak memory."""

import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from forecastkit.data.panel import Panel
from forecastkit.data.schema import Schema
from forecastkit.evaluation.evaluate import Evaluation, ForecastWindows, evaluate
from forecastkit.evaluation.folds import Fold, Sizes
from forecastkit.utils.exceptions import InputError

#: Metrics for ranking.
METRICS = ("mae", "mse", "mase")
#: Number of forecasts in a batch whose latency is measured, and number of repetitions.
MANY, REPEATS = 1_000, 5
#: Time limit after which training ends with its first steps; memory does not grow after them.
AT_ONCE = 1e-3
MB = 1e6
CHILD = "import sys; from forecastkit.comparison.measure import measure_here; measure_here(sys.argv[1])"


@dataclass(frozen=True)
class Task:
    """The common data of all runs."""

    panel: Panel  #: All rows
    schema: Schema
    season: int
    sizes: Sizes
    #: (n_ids, targets): scale of MASE from the rows of each series up to its first cutoff in any fold
    scale: np.ndarray


def run(model, task: Task, fold: Fold, latency: bool = False) -> dict:
    """Fit an unfitted model on the rows before the fold, and forecast the fold.

    The result has ``mae, mse, mase`` over the fold and by cutoff, ``parameters``, ``epochs``, ``ended``, and the
    seconds of the fit, of its training loop, of the steps of an epoch, and in total; with `latency`, the milliseconds
    of one forecast and of many; or ``error`` with a message.
    """
    began = time.monotonic()
    try:
        fold.fit(model, task.panel, task.schema)
    except InputError as error:
        return {"error": str(error), "seconds": time.monotonic() - began}
    fitted = time.monotonic()
    found = evaluate(model, ForecastWindows(task.panel, fold.origins, task.sizes.horizon, task.season))
    measured = {**_errors(found, task, fold), "fit_seconds": fitted - began, **_training(model)}
    if latency:
        measured |= latencies(found)
    return {**measured, "seconds": time.monotonic() - began}


def _errors(found: Evaluation, task: Task, fold: Fold) -> dict:
    """Return errors over all cutoffs; in ``by_cutoff`` those of each, the observed steps and those inside intervals."""
    scale, n_windows = task.scale[fold.origins.entity, fold.origins.channel], task.sizes.n_windows
    whole = found.windows.scores(scale=scale).point_scores(found.forecast)
    rows = found.windows.scores(fold.place, n_windows, scale)
    errors = rows.point_scores(found.forecast)
    by_cutoff = {"steps": rows.counts.tolist(), "scaled_steps": rows.scaled_counts.tolist()}
    by_cutoff |= {name: errors[name].tolist() for name in METRICS}
    by_cutoff["held"] = {name: counts.tolist() for name, counts in found.covered(fold.place, n_windows).items()}
    return {**{name: float(whole[name][0]) for name in METRICS}, "by_cutoff": by_cutoff}


def parts_of(model) -> list:
    """Return the fitted members of an ensemble, or the model itself."""
    return [part for member in getattr(model, "forecasters_", ()) for part in parts_of(member)] or [model]


def count_parameters(model) -> int:
    """Return the number of learned parameters: weights of networks and regressions."""
    networks = [part.network_.count_parameters() for part in parts_of(model) if hasattr(part, "network_")]
    ridges = [one.parameters for part in parts_of(model) for one in getattr(part, "parts_", ())]
    return int(sum(networks) + sum(ridges))


def _training(model) -> dict:
    """Return parameters, epochs and seconds of the training loops."""
    records = [part.training_history_ for part in parts_of(model) if hasattr(part, "training_history_")]
    found = {"parameters": count_parameters(model), "lookback": model.lookback_}
    if not records:
        return {**found, "train_seconds": 0.0}
    return {
        **found,
        "epochs": max(len(record.loss) for record in records),
        "ended": records[0].ended,
        "train_seconds": sum(record.seconds for record in records),
        "epoch_seconds": sum(map(_epoch_seconds, records)),
    }


def _epoch_seconds(record) -> float:
    """Return the seconds of an epoch's steps; unknown if the time limit left only the first step with compilation."""
    cut_short = record.ended == "time limit" and len(record.pieces) == 1
    return float("nan") if cut_short else record.epoch_seconds()


def latencies(found: Evaluation) -> dict:
    """Return the median milliseconds of one forecast of one series, and of `MANY` forecasts in one call."""
    panel, origins = found.windows.panel, found.windows.origins
    many = origins[np.resize(np.arange(len(origins)), MANY)]
    return {
        f"{name}_ms": _milliseconds(found.model, panel, each) for name, each in (("one", origins[-1:]), ("many", many))
    }


def _milliseconds(model, panel, origins):
    model._forecast(panel, origins).point()
    seconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        model._forecast(panel, origins).point()
        seconds.append(time.perf_counter() - began)
    return 1000 * float(np.median(seconds))


# Memory ---------------------------------------------------------------------------------------------------------------


def measure_memory(model, task: Task, fold: Fold) -> dict:
    """Measure the peak memory of a fit in a separate process, so that earlier allocations do not hide it.

    The fit is the actual one, except that training ends with the first 25 steps. The result has ``memory_mb``, the peak
    resident memory minus that before the fit, with all modules imported and the data loaded, and ``fit_seconds`` of
    that short fit including compilation; or ``error``.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "work.pickle"
        try:
            path.write_bytes(pickle.dumps((model, fold.seen(task.panel), task.schema)))
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            return {"error": f"the model cannot be sent to another process: {error}"}
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        command = [sys.executable, "-c", CHILD, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["the process was terminated"])[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def measure_here(path: str) -> None:
    """Read (model, panel, schema) written by the parent process, fit, and print the peak memory."""
    model, panel, schema = pickle.loads(Path(path).read_bytes())
    _forget_peak()
    before, began = resident_mb(), time.monotonic()
    model._fit_panel(panel, schema)
    found = {"memory_mb": max(peak_mb() - before, 0.0), "fit_seconds": time.monotonic() - began}
    print(json.dumps({**found, "train_seconds": _training(model)["train_seconds"]}))


def _forget_peak():
    """Reset the recorded peak on Linux, because imports may have had a higher one."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def _status(name: str) -> float | None:
    """Return a value of the process status in MB, if the system provides it."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
    return float(found[0]) * 1024 / MB if found else None


def peak_mb() -> float:
    """Return the peak resident memory of this process in MB."""
    if (status := _status("VmHWM")) is not None:
        return status
    import resource  # not on every system

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MB


def resident_mb() -> float:
    """Return the current resident memory of this process in MB; its peak if the system does not report it."""
    return _status("VmRSS") or peak_mb()
