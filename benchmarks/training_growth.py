"""How training speed and memory of a step-by-step GRU grow with lookback, batch, series and cores.

One thing is varied at a time around 96 steps, 256 windows, seven series and all cores. Each run is a process of its own
and trains two epochs of `--windows` windows; the rate leaves out the first piece of 25 steps, with the compiling.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import accuracy
import numpy as np

BASE = {"lookback": 96, "batch": 256, "series": 7, "cores": os.cpu_count() or 1}
GRID = {
    "lookback": (24, 96, 384, 1536),
    "batch": (32, 64, 256, 1024),
    "series": (1, 7, 100, 2000),
    "cores": tuple(range(1, BASE["cores"] + 1)),
}
#: So many rows that batches of one series are as large as those of all.
ROWS, HORIZON, UNITS = 5_000, 24, 64
MARK = "measured: "


def rows_of(series: int):
    """Hourly waves with noise, side by side."""
    import pandas as pd

    hours, noise = np.arange(ROWS)[:, None], np.random.default_rng(0).normal(size=(ROWS, series))
    waves = np.sin(2 * np.pi * hours / 24 + np.arange(series)) + 0.3 * noise
    columns = [f"s{number}" for number in range(series)]
    return pd.DataFrame(waves.astype("float32"), pd.date_range("2024-01-01", periods=ROWS, freq="h"), columns)


def train(lookback: int, batch: int, series: int, cores: int, windows: int) -> dict:
    """Windows a second, seconds of the whole fit, and the most memory held, MB."""
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:cores]))
    os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = str(cores)
    import forecastkit as fk
    from forecastkit.comparison.measure import peak_mb  # of this process: ru_maxrss knows its parent's too

    data = rows_of(series)
    sizes = {"horizon": HORIZON, "lookback": lookback, "patch": 1, "units": UNITS, "batch_size": batch}
    plan = {"epochs": 2, "windows_per_epoch": windows // 2, "final_epochs": 0, "validation_size": 0.05}
    model = fk.GRUForecaster(**sizes, **plan, random_state=0).fit(data)
    record = model.training_history_
    steps, seconds = (sum(values) for values in zip(*record.pieces[1:], strict=True))
    return {
        "windows_per_second": round(steps * (windows // 2) / record.steps / seconds),
        "fit_seconds": round(record.seconds, 1),
        "mb": round(peak_mb()),
    }


def measured(sizes: dict) -> dict:
    """The same in a process of its own."""
    root = Path(__file__).resolve().parent.parent
    environment = {**os.environ, "PYTHONPATH": str(root), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, __file__, "--child", json.dumps(sizes)],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(next(line for line in done.stdout.splitlines() if line.startswith(MARK)).removeprefix(MARK))


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--windows", type=int, default=51_200)
    parser.add_argument("--out", type=Path, help="JSON")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.child:
        print(f"{MARK}{json.dumps(train(**json.loads(args.child)))}")
        return
    lines = []
    for varied, values in GRID.items():
        for value in values:
            sizes = {**BASE, varied: value}
            found = measured({**sizes, "windows": args.windows})
            lines.append({"varied": varied, **sizes, **found})
            print(f"{varied} {value}: {', '.join(f'{key} {number:,}' for key, number in found.items())}", flush=True)
    if args.out:
        found = {"windows": args.windows, "runs": lines, **accuracy.environment()}
        args.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
