"""A year of daily updates of a saved model: 365 runs of `forecast update` on hourly bike rentals, and 20 kills.

A network and a linear forecaster are fitted on the first year. Every day of the second year is added to the file by the
command, and to a model that stays in memory; the forecast of the file, loaded anew, must equal the one in memory. Then
processes that update the file are killed with SIGKILL at random moments; after each, the file must hold the state
before or after its update, and the same command must succeed.
"""

import argparse
import json
import os
import platform
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

import forecastkit as fk
from forecastkit.cli import main as command

HORIZON, LOOKBACK, HOURS = 24, 168, 24


def rentals() -> pd.Series:
    """Hourly rentals of two years."""
    table = fk.load_dataset("bike_sharing")
    values = table["cnt"] if "cnt" in table else table.iloc[:, -1]
    return values.astype("float64").asfreq("h")


def makers() -> dict:
    """The forecasters, unfitted."""
    sizes = {"horizon": HORIZON, "lookback": LOOKBACK}
    return {
        "gru": fk.GRUForecaster(**sizes, epochs=2, units=32, random_state=0),
        "linear": fk.LinearForecaster(**sizes),
    }


def write_days(values: pd.Series, folder: Path, first: int, days: int) -> list[Path]:
    """Write a CSV file for each day from row `first` on."""
    paths = [folder / f"day{day:03}.csv" for day in range(days)]
    for day, path in enumerate(paths):
        rows = values.iloc[first + HOURS * day : first + HOURS * (day + 1)]
        rows.rename("cnt").rename_axis("datetime").reset_index().to_csv(path, index=False)
    return paths


def update_daily(path: Path, days: list[Path], values: pd.Series, first: int) -> dict:
    """Update the file by the command and a model in memory, and compare their forecasts after every day."""
    model, sizes, worst, spent = fk.load(path), [path.stat().st_size], 0.0, []
    for day, table in enumerate(days):
        began = time.perf_counter()
        code = command(["update", str(path), "--csv", str(table), "--quiet"])
        spent.append(time.perf_counter() - began)
        assert not code, f"update of day {day} ended with exit code {code}"
        model.update(values.iloc[first + HOURS * day : first + HOURS * (day + 1)])
        own, fresh = model.forecast(), fk.load(path).forecast()
        pd.testing.assert_frame_equal(own, fresh, rtol=1e-5, check_exact=False)
        worst = max(worst, float(np.abs(own["forecast"] - fresh["forecast"]).max() / values.std()))
        sizes.append(path.stat().st_size)
    return {
        "updates": len(days),
        "largest_deviation": worst,
        "bytes_first": sizes[0],
        "bytes_last": sizes[-1],
        "bytes_most": max(sizes),
        "median_seconds": round(float(np.median(spent)), 4),
    }


def kill(path: Path, tables: list[Path], kills: int) -> dict:
    """Kill processes that update the file, at random moments; every state must be that before or after an update."""
    rng, states = random.Random(0), {"before": 0, "after": 0}
    program = [sys.executable, "-m", "forecastkit", "update", str(path), "--quiet", "--csv"]
    began = time.perf_counter()
    subprocess.run([*program, str(tables[0])], check=True)
    seconds = time.perf_counter() - began
    for number in range(1, kills + 1):
        before = fk.load(path).cutoff_
        process = subprocess.Popen([*program, str(tables[number])], stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.0, seconds))
        process.send_signal(signal.SIGKILL)
        process.wait()
        after = fk.load(path).cutoff_
        assert after in (before, before + pd.Timedelta(hours=HOURS))
        states["before" if after == before else "after"] += 1
        subprocess.run([*program, str(tables[number])], check=True)
        assert fk.load(path).cutoff_ == before + pd.Timedelta(hours=HOURS)
    left = [name for name in os.listdir(path.parent) if name.startswith(".forecastkit-") and name.endswith(".tmp")]
    return {"kills": kills, **states, "temporary_files_left": len(left), "cold_update_seconds": round(seconds, 2)}


def main(argv: list[str] | None = None) -> None:
    """Run the loop for each forecaster, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--out", type=Path, help="JSON")
    args = parser.parse_args(argv)
    values, first, found = rentals(), 365 * HOURS, {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tables = write_days(values, folder, first, args.days)
        for kind, forecaster in makers().items():
            path = folder / f"{kind}.forecast"
            forecaster.fit(values.iloc[:first]).save(path)
            found[kind] = update_daily(path, tables, values, first)
            print(kind, found[kind], flush=True)
        path = folder / "killed.forecast"
        makers()["linear"].fit(values.iloc[:first]).save(path)
        found["kill"] = kill(path, tables, args.kills)
        print(found["kill"])
    if args.out:
        machine = {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()}
        args.out.write_text(json.dumps({**machine, **found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
