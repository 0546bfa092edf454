"""Seconds and memory of reading a long table of ten million rows: a csv and a parquet file, from the disk to a panel.

The table has three columns, series, time and value; each figure is of a process of its own, memory is its peak above
what the imports need, in multiples of the values as float32. Exits with 1 where a limit is broken.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

#: What is allowed: seconds of ten million rows, and the values' float32 size times this.
SECONDS, TIMES = {"csv": 60, "parquet": 20}, 9
LENGTH = 10_000
MB = 1e6


def peak() -> float:
    """Peak resident memory of this process so far, in MB."""
    from forecastkit.comparison.measure import peak_mb  # ru_maxrss knows the peak of the parent too

    return peak_mb()


def write(folder: Path, rows: int) -> None:
    """The table in both forms, series after series."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    rng = np.random.default_rng(0)
    times = pa.array(pd.date_range("2023-01-01", periods=min(LENGTH, rows), freq="h")).cast(pa.timestamp("s"))
    writer = None
    with open(folder / "long.csv", "wb") as text:
        for number in range(max(rows // LENGTH, 1)):
            names = pa.array([f"s{number:05d}"] * len(times))
            values = np.round(100 + 10 * rng.standard_normal(len(times)), 3)
            table = pa.table({"unique_id": names, "ds": times, "y": values})
            pyarrow.csv.write_csv(table, text, pyarrow.csv.WriteOptions(include_header=number == 0))
            writer = writer or pyarrow.parquet.ParquetWriter(folder / "long.parquet", table.schema)
            writer.write_table(table)
    writer.close()


def child(path: Path) -> dict:
    """Read one file."""
    from forecastkit.cli.read_data import read_data

    floor, began = peak(), time.perf_counter()
    panel = read_data(path, {}).panel
    seconds = time.perf_counter() - began
    return {"rows": panel.rows, "seconds": round(seconds, 2), "mb": round(peak() - floor, 1)}


def measure(path: Path) -> dict:
    """What a child says of a file."""
    root = str(Path(__file__).resolve().parent.parent)
    command = [sys.executable, __file__, "--child", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": root}, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    found = json.loads(done.stdout)
    kind = path.suffix[1:]
    size = 4 * found["rows"] / MB
    found |= {
        "file": kind,
        "file_mb": round(path.stat().st_size / MB, 1),
        "times_float32": round(found["mb"] / size, 2),
    }
    found["within"] = found["seconds"] <= SECONDS[kind] * found["rows"] / 1e7 and found["times_float32"] < TIMES
    return found


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--out", type=Path, help="JSON file to write")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.child:
        print(json.dumps(child(args.child)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), args.rows)
        lines = [measure(Path(folder) / name) for name in ("long.csv", "long.parquet")]
    for line in lines:
        print(line)
    if args.out:
        about = {"machine": f"{platform.machine()}, {os.cpu_count()} cores", "allowed_times_float32": TIMES}
        args.out.write_text(json.dumps({**about, "allowed_seconds": SECONDS, "files": lines}, indent=2) + "\n")
    return int(not all(line["within"] for line in lines))


if __name__ == "__main__":
    sys.exit(main())
