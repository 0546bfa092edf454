"""A forecast of a saved network from a cold start, with NumPy and with TensorFlow, in one run.

Each figure is of processes of their own: seconds on the clock and on the processor and the peak resident memory of
`forecast predict`, the least of several, and milliseconds of `predict` and of the network alone for one series in a
warm process. The TensorFlow side is the same model without its stored graph. The largest difference between the
forecasts of both is relative to their scale. Sizes of environments are those of the files of all packages that an extra
installs, in megabytes.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import tomllib
from importlib import metadata
from pathlib import Path

#: Runs the command line from a small process, since a child's peak memory includes that of the process it came from.
COLD = """
import json, resource, subprocess, sys, time

started = time.perf_counter()
command = [sys.executable, "-m", "forecastkit", "predict", sys.argv[1], "--quiet"]
subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
seconds, used = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({
    "seconds": seconds,
    "processor_seconds": used.ru_utime + used.ru_stime,
    "peak_mb": used.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3),
}))
"""
#: What a warm process does: the fastest of many forecasts, and the forecast itself.
WARM = """
import json, sys, time
import numpy as np
import forecastkit as fk
from forecastkit.data.windows import Origins

def fastest(call, times=100):
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return 1e3 * min(seconds)

model = fk.load(sys.argv[1])
forecast = np.asarray(model.predict(), dtype="float64").ravel()
origins = Origins(np.array([0]), model.history_.last_observed(), np.array([0]))
buffers = model.scaler_.buffers(model.history_, model.lookback_, model.horizon_)
print(json.dumps({
    "predict_ms": fastest(model.predict),
    "network_ms": fastest(lambda: model.network_.predict(buffers, origins)),
    "forecast": forecast.tolist(),
    "tensorflow": "tensorflow" in sys.modules,
}))
"""


def main() -> None:
    """Fit, save, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="GRU", help="name of the network, such as GRU or Transformer")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, help="write the figures to this file as JSON")
    given = parser.parse_args()
    sizes = {extra: installed(extra) for extra in ("runtime", "cpu")}
    with tempfile.TemporaryDirectory() as folder:
        paths = save_both(given.model, Path(folder))
        found = {name: {**cold(path, given.repeats), **started(WARM, path)} for name, path in paths.items()}
    report(given.model, found, sizes, given.out)


def installed(extra: str) -> dict:
    """Number and megabytes of the packages that an extra installs here, besides forecastkit."""
    from packaging.requirements import Requirement

    root = Path(__file__).resolve().parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found, waiting = {}, [*project["dependencies"], *project["optional-dependencies"][extra]]
    while waiting:
        needed = Requirement(waiting.pop())
        name = re.sub(r"[-_.]+", "-", needed.name).lower()
        if needed.marker and not needed.marker.evaluate({"extra": ""}):
            continue
        if name == project["name"]:
            waiting += [text for own in needed.extras for text in project["optional-dependencies"][own]]
        elif name not in found:
            found[name] = metadata.distribution(name)
            waiting += [text for text in found[name].requires or () if "extra ==" not in text]
    files = [Path(file.locate()) for package in found.values() for file in package.files or ()]
    return {"packages": len(found), "mb": round(sum(file.stat().st_size for file in files if file.is_file()) / 1e6)}


def save_both(name: str, folder: Path) -> dict[str, Path]:
    """The same model with its graph and without, as an earlier version would have saved it."""
    import numpy as np
    import pandas as pd

    import forecastkit as fk

    step = np.arange(2000)
    values = 100 + 10 * np.sin(2 * np.pi * step / 24) + np.random.default_rng(0).normal(0, 1, len(step))
    series = pd.Series(values, index=pd.date_range("2024-01-01", periods=len(step), freq="h"), name="load")
    model = getattr(fk, f"{name}Forecaster")(horizon=24, epochs=2, random_state=0).fit(series)
    paths = {"NumPy": folder / "numpy.forecast", "TensorFlow": folder / "tensorflow.forecast"}
    model.save(paths["NumPy"])
    kind = type(model.network_)
    kind._state = lambda self: {**self._arguments(), "graph": None}
    model.save(paths["TensorFlow"])
    return paths


def cold(path: Path, repeats: int) -> dict:
    """Seconds and memory of `forecast predict`, the least of several runs."""
    runs = [started(COLD, path) for _ in range(repeats)]
    return {name: min(run[name] for run in runs) for name in runs[0]}


def started(program: str, path: Path) -> dict:
    """What a process prints that runs this program for a model."""
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def report(name: str, found: dict, sizes: dict, out: Path | None) -> None:
    """Print a table, and write the figures."""
    import numpy as np

    own, other = (np.array(found[side].pop("forecast")) for side in ("NumPy", "TensorFlow"))
    deviation = float(np.abs(own - other).max() / np.ptp(other))
    if found["NumPy"].pop("tensorflow") or not found["TensorFlow"].pop("tensorflow"):
        raise SystemExit("the sides were not those that were to be compared")
    print(f"{name}, deviation {deviation:.1e} of the scale")
    for measure in found["NumPy"]:
        print(f"{measure:>18}" + "".join(f"  {side} {values[measure]:9.2f}" for side, values in found.items()))
    for extra, size in sizes.items():
        print(f"forecastkit[{extra}]: {size['packages']} packages, {size['mb']:,} MB")
    if out is not None:
        machine = {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()}
        out.write_text(
            json.dumps({"model": name, "deviation": deviation, **machine, "sizes": sizes, "figures": found}, indent=1)
            + "\n"
        )


if __name__ == "__main__":
    main()
