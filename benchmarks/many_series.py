"""Very many short series in one process: read from Parquet, fit, forecast, quantiles, save and load.

Writes a Parquet folder of daily series, maps it by `fk.map_parquet`, fits a linear forecaster and, for a minute, a GRU,
and forecasts all series 28 steps ahead. Prints seconds of the wall clock and of the processor and the peak of resident
memory after every stage. Exits with 1 if the peak is above `--limit`.
"""

import argparse
import json
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import forecastkit as fk

HORIZON, SERIES_OF_A_FILE = 28, 50_000


def write(folder: Path, series: int, rows: int) -> None:
    """Write daily series with a weekly cycle and noise, each of its own level."""
    folder.mkdir()
    days = pd.date_range("2024-01-01", periods=rows, freq="D")
    for first in range(0, series, SERIES_OF_A_FILE):
        count = min(SERIES_OF_A_FILE, series - first)
        rng = np.random.default_rng(first)
        week = 1 + 0.4 * np.sin(2 * np.pi * (np.arange(rows) + rng.integers(0, 7, (count, 1))) / 7)
        values = 10.0 ** rng.uniform(0, 4, (count, 1)) * week * rng.gamma(20, 0.05, (count, rows))
        columns = {"id": np.repeat(np.arange(first, first + count), rows), "time": np.tile(days, count)}
        frame = pd.DataFrame({**columns, "y": values.astype("float32").ravel()})
        frame.to_parquet(folder / f"part{first}.parquet", index=False)


def main(argv: list[str] | None = None) -> int:
    """Take the stages and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=100_000)
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--models", default="linear,gru", help="comma-separated, default: both")
    parser.add_argument("--seconds", type=float, default=60.0, help="time limit of the GRU")
    parser.add_argument("--limit", type=float, default=8 * 2**10, help="largest peak of resident memory, in MiB")
    parser.add_argument("--scratch", type=Path, help="folder for the data; by default that of the system")
    parser.add_argument("--out", type=Path, help="JSON lines, to which one is appended")
    args = parser.parse_args(argv)
    stages: dict[str, dict] = {}

    def stage(name: str, call: Callable[[], Any]) -> Any:
        began, used = time.perf_counter(), time.process_time()
        result = call()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
        found = {"seconds": time.perf_counter() - began, "processor": time.process_time() - used, "peak_mib": peak}
        stages[name] = {key: round(value, 1) for key, value in found.items()}
        print(f"{name:20}", *(f"{key} {value:10,.1f}" for key, value in stages[name].items()), flush=True)
        return result

    with tempfile.TemporaryDirectory(dir=args.scratch) as name:
        folder = Path(name)
        stage("write", lambda: write(folder / "parquet", args.series, args.rows))
        data = stage("read", lambda: fk.map_parquet(folder / "parquet", folder / "mapped", time="time", series_id="id"))
        common = {"horizon": HORIZON, "time": "time", "series_id": "id"}
        options = {"linear": {}, "gru": {"time_limit": args.seconds, "final_epochs": 0, "random_state": 0}}
        for kind in args.models.split(","):
            new = {"linear": fk.LinearForecaster, "gru": fk.GRUForecaster}[kind](**common, **options[kind])
            model = stage(f"fit, {kind}", partial(new.fit, data))
            stage(f"predict, {kind}", model.predict)
            stage(f"quantiles, {kind}", partial(model.predict, quantile_levels=[0.1, 0.5, 0.9]))
            stage(f"save, {kind}", partial(model.save, folder / kind))
            del new, model
            loaded = stage(f"load, {kind}", partial(fk.load, folder / kind))
            forecast = stage(f"predict, loaded {kind}", loaded.predict)
    assert len(forecast) == args.series * HORIZON
    if args.out:
        line = {"series": args.series, "rows": args.rows, "machine": platform.machine(), "stages": stages}
        with args.out.open("a") as file:
            file.write(json.dumps(line) + "\n")
    return int(any(found["peak_mib"] > args.limit for found in stages.values()))


if __name__ == "__main__":
    sys.exit(main())
