"""What out_of_the_box.py measures: forecasters of this library by name, and peers in their own environment."""

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import accuracy
import numpy as np

from suite.scores import LEVELS
from suite.sets import Task

#: Peers by name; see peer_models.py.
PEERS = ("auto_ets", "auto_theta", "mstl", "lightgbm", "nhits", "patchtst")

#: Forecasters with parameters, by name.
VARIANTS = {"pretrained_zero_shot": ("pretrained", {"fine_tune": False})}


@dataclass(frozen=True)
class Forecasts:
    """Forecasts (series, origins, horizon), their deciles (..., 9) or None, and the seconds of fitting and of all."""

    point: np.ndarray
    quantiles: np.ndarray | None
    fit_seconds: float
    seconds: float


def run(name: str, task: Task, peers_python: Path | None) -> Forecasts:
    """The forecasts of one method from every origin of a task."""
    if name in PEERS:
        if peers_python is None:
            raise SystemExit(f"{name} is a peer: pass --peers-python PATH, a Python that has its package")
        return peer(name, task, peers_python)
    return ours(name, task)


def ours(name: str, task: Task) -> Forecasts:
    """A forecaster of this library: fitted once on the rows before the test block, nothing but the horizon given."""
    import forecastkit as fk

    kind, parameters = VARIANTS.get(name, (name, {}))
    about = task.about
    forecaster = getattr(fk, accuracy.class_name(kind))(
        horizon=about.horizon, series_id="series", time="time", target="y", **parameters
    )
    if "random_state" in forecaster.get_params(deep=False):
        forecaster.set_params(random_state=0)
    began = time.perf_counter()
    forecaster.fit(task.train)
    fitted = time.perf_counter()
    result = fk.backtest(
        forecaster, task.frame, n_windows=about.origins, stride=about.stride, quantile_levels=list(LEVELS)
    )
    frame = result.forecasts.sort_values(["series", "cutoff", "step"])
    shape = len(task.ids), about.origins, about.horizon
    if len(frame) != np.prod(shape):
        raise ValueError(f"{name} on {about.name}: {len(frame)} forecasts where {np.prod(shape)} were expected")
    order = np.argsort(np.argsort(task.ids))
    columns = [f"q{level:g}" for level in LEVELS]
    point = frame["forecast"].to_numpy("float64").reshape(shape)[order]
    quantiles = frame[columns].to_numpy("float64").reshape(*shape, len(LEVELS))[order]
    return Forecasts(point, quantiles, fitted - began, time.perf_counter() - began)


def peer(name: str, task: Task, python: Path) -> Forecasts:
    """A method of peer_models.py, run by another Python; values that are missing are those before them there."""
    about = task.about
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder) / "given.npz", Path(folder) / "made.npz"
        sizes = {name: getattr(about, name) for name in ("horizon", "season", "origins", "stride", "test_rows")}
        filled = [carried(values) for values in task.values]
        np.savez(given, values=np.concatenate(filled), lengths=[len(v) for v in filled], sizes=json.dumps(sizes))
        script = Path(__file__).with_name("peer_models.py")
        done = subprocess.run([python, script, name, given, made], check=False, stdout=sys.stderr)
        if done.returncode:
            raise RuntimeError(f"{name} on {about.name} failed with exit code {done.returncode}")
        found = np.load(made)
        quantiles = found.get("quantiles", None)
        return Forecasts(found["point"], quantiles, float(found["fit_seconds"]), float(found["seconds"]))


def carried(values: np.ndarray) -> np.ndarray:
    """Missing values as the last one before them, or the first one after where none is before."""
    place = np.where(np.isnan(values), 0, np.arange(len(values)))
    place = np.maximum.accumulate(place)
    out = values[place]
    first = np.flatnonzero(~np.isnan(values))[0]
    return np.where(np.isnan(out), values[first], out)


def average(parts: list[Forecasts]) -> Forecasts:
    """The plain average of points, and of deciles where all have them."""
    quantiles = [part.quantiles for part in parts]
    mean = None if any(q is None for q in quantiles) else np.mean(quantiles, axis=0)
    seconds = sum(part.seconds for part in parts)
    return Forecasts(np.mean([p.point for p in parts], axis=0), mean, sum(p.fit_seconds for p in parts), seconds)
