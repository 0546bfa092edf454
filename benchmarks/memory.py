"""Peak memory of fitting a GRU on one long series, against TensorFlow's import + 4 x the raw array + 300 MB.

Every figure is the peak resident memory (ru_maxrss) of a process of its own. Exits with 1 where a fit is over.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path

LOOKBACK, HORIZON, BATCH = 336, 96, 256
ALLOWED_ARRAYS, ALLOWED_MB = 4, 300
MB = 1e6


def peak() -> float:
    """Peak resident memory of this process so far, in MB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MB


def child_import() -> dict:
    """The floor: a process that imports TensorFlow and does nothing."""
    import tensorflow  # noqa: F401

    return {"peak": peak()}


def child_fit(rows: int, steps: int, epochs: int) -> dict:
    """Fit on a noisy daily wave of so many hours; peaks after each phase."""
    import keras

    import forecastkit as fk

    series = wave(rows)
    peaks = {"imports and array": peak()}

    class Phases(keras.callbacks.Callback):
        """Notes the peak when data are ready, after the first epoch, and at the end of training."""

        def on_train_begin(self, logs=None):
            peaks["data"] = peak()

        def on_epoch_end(self, epoch, logs=None):
            peaks.setdefault("first epoch", peak())

        def on_train_end(self, logs=None):
            peaks["training"] = peak()

    model = fk.GRUForecaster(
        horizon=HORIZON,
        lookback=LOOKBACK,
        season_length=24,
        batch_size=BATCH,
        epochs=epochs,
        windows_per_epoch=steps // epochs * BATCH,
        random_state=0,
        callbacks=[Phases()],
    )
    began = time.perf_counter()
    model.fit(series)
    seconds = time.perf_counter() - began
    peaks["calibration"] = peak()
    model.predict()
    return {"peak": peak(), "peaks": peaks, "array": series.nbytes / MB, "fit_seconds": round(seconds, 1)}


def wave(rows: int):
    """A float32 series made a piece at a time, so that making it leaves no peak."""
    import numpy as np

    rng = np.random.default_rng(0)
    series = np.empty(rows, dtype="float32")
    for low in range(0, rows, 100_000):
        hours = np.arange(low, min(low + 100_000, rows))
        noise = rng.standard_normal(len(hours), dtype="float32")
        series[low : low + len(hours)] = 10 + 3 * np.sin(2 * np.pi * hours / 24) + noise
    return series


def run(*arguments: object) -> dict:
    """What a child of this script reports."""
    root = str(Path(__file__).resolve().parent.parent)
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ, "PYTHONPATH": root}
    command = [sys.executable, __file__, "--child", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def measure(rows: int, steps: int, epochs: int, floor: float) -> dict:
    """One fit against what it is allowed."""
    fitted = run("fit", rows, steps, epochs)
    allowed = floor + ALLOWED_ARRAYS * fitted["array"] + ALLOWED_MB
    line = {"rows": rows, "steps": steps, "import": floor, "allowed": allowed, **fitted}
    print(
        f"{rows:,} rows, {steps:,} steps: peak {fitted['peak']:.0f} MB, allowed {allowed:.0f} MB "
        f"({floor:.0f} + {ALLOWED_ARRAYS} x {fitted['array']:.0f} + {ALLOWED_MB}), {fitted['fit_seconds']:.0f} s",
        flush=True,
    )
    print("  peak after " + ", ".join(f"{phase} {value:.0f}" for phase, value in fitted["peaks"].items()), flush=True)
    return {key: rounded(value) for key, value in line.items()}


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    return round(value, 1) if isinstance(value, float) else value


def arguments(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="10000000", help="lengths of the series, comma-separated")
    parser.add_argument("--steps", type=int, default=2000, help="training steps of 256 windows, at least")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--out", type=Path, help="JSON file to write")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def child(task: str, *numbers: str) -> dict:
    return child_import() if task == "import" else child_fit(*map(int, numbers))


def main(argv=None) -> int:
    args = arguments(argv)
    if args.child:
        print(json.dumps(child(*args.child)))
        return 0
    floor = run("import")["peak"]
    steps = -(-args.steps // args.epochs) * args.epochs
    fits = [measure(int(rows), steps, args.epochs, floor) for rows in args.rows.split(",")]
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        about = {"unit": "MB", "machine": f"{platform.machine()}, {os.cpu_count()} cores", "fits": fits}
        args.out.write_text(json.dumps(about, indent=2) + "\n")
    return int(any(fit["peak"] > fit["allowed"] for fit in fits))


if __name__ == "__main__":
    sys.exit(main())
