"""Peak memory of fitting a GRU on one long series, against TensorFlow's import + 4 x the raw array + 300 MB.

Every figure is the peak resident memory (ru_maxrss) of a process of its own. Exits with 1 where a fit is over.

With --mapped the series is a Parquet file that `fk.map_parquet` maps, and the import + 300 MB are allowed, whatever
the length. Pages of mapped files are resident too while there is room for them: there all figures are of the resident
memory that is in no file (RssAnon, on Linux), looked at every 20 ms.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

LOOKBACK, HORIZON, BATCH = 336, 96, 256
ALLOWED_ARRAYS, ALLOWED_MB = 4, 300
MB = 1e6


def peak() -> float:
    """Peak resident memory of this process so far, in MB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MB


def anonymous() -> float:
    """Resident memory of this process now that is in no file, in MB."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0]) * 1024 / MB


def watch_anonymous() -> None:
    """From now on `peak` is that of `anonymous`."""
    seen = [anonymous()]

    def look():
        while True:
            seen[0] = max(seen[0], anonymous())
            time.sleep(0.02)

    threading.Thread(target=look, daemon=True).start()
    globals()["peak"] = lambda: seen[0]


def child_import() -> dict:
    """The floor: a process that imports TensorFlow and does nothing."""
    import tensorflow  # noqa: F401

    time.sleep(0.1)
    return {"peak": peak()}


def child_fit(rows: int, steps: int, epochs: int, folder: Path | None = None) -> dict:
    """Fit on a noisy daily wave of so many hours, mapped from the folder if there is one; peaks after each phase."""
    import keras

    import forecastkit as fk

    series = wave(rows) if folder is None else mapped_wave(rows, folder)
    array = 4 * rows / MB
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
    return {"peak": peak(), "peaks": peaks, "array": array, "fit_seconds": round(seconds, 1)}


def pieces(rows: int):
    """Hours and float32 values of a series a piece at a time, so that making it leaves no peak."""
    import numpy as np

    rng = np.random.default_rng(0)
    for low in range(0, rows, 100_000):
        hours = np.arange(low, min(low + 100_000, rows))
        noise = rng.standard_normal(len(hours), dtype="float32")
        yield hours, (10 + 3 * np.sin(2 * np.pi * hours / 24) + noise).astype("float32")


def wave(rows: int):
    """The series as an array."""
    import numpy as np

    series = np.empty(rows, dtype="float32")
    for hours, values in pieces(rows):
        series[hours[0] : hours[0] + len(hours)] = values
    return series


def mapped_wave(rows: int, folder: Path):
    """The series from a Parquet file of the folder."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    import forecastkit as fk

    schema = pa.schema([("hour", pa.int64()), ("y", pa.float32())])
    with pq.ParquetWriter(folder / "wave.parquet", schema) as file:
        for hours, values in pieces(rows):
            file.write_table(pa.table({"hour": hours, "y": values}, schema=schema))
    return fk.map_parquet(folder / "wave.parquet", folder / "wave.map", time="hour", target="y")


def run(*arguments: object) -> dict:
    """What a child of this script reports."""
    root = str(Path(__file__).resolve().parent.parent)
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ, "PYTHONPATH": root}
    command = [sys.executable, __file__, "--child", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def measure(rows: int, steps: int, epochs: int, floor: float, mapped: Path | None) -> dict:
    """One fit against what it is allowed."""
    arrays = ALLOWED_ARRAYS if mapped is None else 0
    with tempfile.TemporaryDirectory(dir=mapped) as folder:
        fitted = run("fit", rows, steps, epochs, *([] if mapped is None else [folder]))
    allowed = floor + arrays * fitted["array"] + ALLOWED_MB
    line = {"rows": rows, "steps": steps, "import": floor, "allowed": allowed, **fitted}
    print(
        f"{rows:,} rows, {steps:,} steps: peak {fitted['peak']:.0f} MB, allowed {allowed:.0f} MB "
        f"({floor:.0f} + {arrays} x {fitted['array']:.0f} + {ALLOWED_MB}), {fitted['fit_seconds']:.0f} s",
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
    parser.add_argument("--mapped", type=Path, metavar="FOLDER", help="map the series from files in this folder")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def child(task: str, *given: str) -> dict:
    if task == "import":
        if given:
            watch_anonymous()
        return child_import()
    rows, steps, epochs, *folder = given
    if folder:
        watch_anonymous()
    return child_fit(int(rows), int(steps), int(epochs), Path(folder[0]) if folder else None)


def main(argv=None) -> int:
    args = arguments(argv)
    if args.child:
        print(json.dumps(child(*args.child)))
        return 0
    floor = run("import", *([] if args.mapped is None else ["mapped"]))["peak"]
    steps = -(-args.steps // args.epochs) * args.epochs
    fits = [measure(int(rows), steps, args.epochs, floor, args.mapped) for rows in args.rows.split(",")]
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        about = {"unit": "MB", "machine": f"{platform.machine()}, {os.cpu_count()} cores", "fits": fits}
        args.out.write_text(json.dumps(about, indent=2) + "\n")
    return int(any(fit["peak"] > fit["allowed"] for fit in fits))


if __name__ == "__main__":
    sys.exit(main())
