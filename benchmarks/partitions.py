"""Forecasts of very many short series by partitions: a Parquet folder, Dask, two processes, one of them killed.

For each number of series: writes the folder, fits on two thousand other series, forecasts all by
`fk.forecast_partition`, kills a worker when a third of the files is written, and checks that every series has every
step once. Exits with 1 where that is not so.
"""

import argparse
import json
import os
import platform
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

import dask
import dask.dataframe as dd
import numpy as np
import pandas as pd
import psutil
from distributed import Client, LocalCluster

import forecastkit as fk

HORIZON, LOOKBACK, FEWEST, MOST = 14, 28, 30, 60
TRAINED, COMPARED = 2_000, 200
MB = 1e6


def sales(first: int, series: int) -> pd.DataFrame:
    """Daily series of 30 to 60 rows with a week in them, numbered from `first`."""
    rng = np.random.default_rng([0, first])
    lengths = rng.integers(FEWEST, MOST + 1, series)
    number = np.repeat(np.arange(series), lengths)
    day = np.arange(len(number)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    level = 10.0 ** rng.uniform(0, 4, series)
    week = 1 + 0.4 * np.sin(2 * np.pi * (day + rng.integers(0, 7, series)[number]) / 7)
    values = level[number] * week * rng.gamma(20, 0.05, len(day))
    ids = "s" + pd.Series(np.arange(first, first + series)).astype(str).str.zfill(8)
    return pd.DataFrame(
        {
            "unique_id": ids.to_numpy()[number],
            "ds": np.datetime64("2024-01-01", "us") + day.astype("timedelta64[D]"),
            "y": values.astype("float32"),
        }
    )


def write_data(folder: Path, series: int, size: int) -> None:
    """The folder, `size` series to a file."""
    folder.mkdir(parents=True)
    for low in range(0, series, size):
        sales(low, min(size, series - low)).to_parquet(folder / f"part{low // size:05}.parquet", index=False)


def fit(path: Path, name: str) -> float:
    """Fit on series that are not in the folder, save, and return the seconds."""
    sizes = {"horizon": HORIZON, "lookback": LOOKBACK}
    if name != "LinearForecaster":
        sizes |= {"random_state": 0}
    began = time.perf_counter()
    getattr(fk, name)(**sizes).fit(sales(10**8, TRAINED)).save(path)
    return time.perf_counter() - began


class Watch(threading.Thread):
    """Notes the resident memory of the worker processes, and kills one when so many files are written."""

    def __init__(self, client, out: Path, files: int):
        super().__init__(daemon=True)
        self.out, self.files, self.peaks = out, files, {}
        self.doomed = min(client.run(os.getpid).values())
        self.killed_after, self.ended = None, threading.Event()

    def run(self):
        while not self.ended.wait(0.2):
            for process in psutil.Process().children(recursive=True):
                self._note(process)
            written = len(list(self.out.glob("*.parquet")))
            if self.killed_after is None and written >= self.files:
                os.kill(self.doomed, signal.SIGKILL)
                self.killed_after = written

    def _note(self, process):
        try:
            if "resource_tracker" not in " ".join(process.cmdline()):
                resident = process.memory_info().rss / MB
                self.peaks[process.pid] = max(resident, self.peaks.get(process.pid, 0.0))
        except psutil.NoSuchProcess:
            pass


def forecast(data: Path, model: Path, out: Path, workers: int) -> dict:
    """Forecast the folder, a worker being killed on the way."""
    threads = {f"distributed.nanny.pre-spawn-environ.TF_NUM_{kind}_THREADS": 1 for kind in ("INTRAOP", "INTEROP")}
    scratch = {"temporary-directory": str(out.parent / "scratch")}
    with (
        dask.config.set({**threads, **scratch}),
        LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        frame = dd.read_parquet(data, split_row_groups=False, aggregate_files=False)
        out.mkdir()
        watch = Watch(client, out, max(frame.npartitions // 3, 1))
        watch.start()
        began = time.perf_counter()
        frame.map_partitions(fk.forecast_partition, model, meta=fk.partition_meta(model)).to_parquet(
            out, write_index=False
        )
        seconds = time.perf_counter() - began
        watch.ended.set()
        watch.join()
    peaks = sorted(watch.peaks.values(), reverse=True)
    return {"partitions": frame.npartitions, "seconds": seconds, "killed_after": watch.killed_after, "peaks_mb": peaks}


def check(data: Path, model: Path, out: Path, series: int) -> dict:
    """Whether every series has every step once, and some of them what one call gives."""
    met = np.zeros(series * HORIZON, dtype="uint8")
    foreign = 0
    for path in sorted(out.glob("*.parquet")):
        keys = pd.read_parquet(path, columns=["unique_id", "step"])
        number = keys["unique_id"].str[1:].astype("int64").to_numpy()
        place = number * HORIZON + keys["step"].to_numpy() - 1
        foreign += int((place >= len(met)).sum())
        np.add.at(met, place[place < len(met)], 1)
    chosen = pd.read_parquet(min(data.glob("*.parquet")))
    chosen = chosen[chosen["unique_id"].isin(chosen["unique_id"].unique()[:COMPARED])]
    wanted = fk.load(model).forecast(history=chosen)["forecast"].to_numpy()
    names = [("unique_id", "in", chosen["unique_id"].unique().tolist())]
    got = pd.read_parquet(out, filters=names).sort_values(["unique_id", "step"])["forecast"].to_numpy()
    apart = float(np.abs(got / wanted - 1).max()) if len(got) == len(wanted) else float("inf")
    return {
        "missing": int((met == 0).sum()),
        "doubled": int((met > 1).sum()),
        "foreign": foreign,
        "largest_relative_difference_to_one_call": apart,
    }


def measure(series: int, args: argparse.Namespace) -> dict:
    """One folder from writing to checking."""
    with tempfile.TemporaryDirectory(dir=args.scratch) as scratch:
        data, model, out = (Path(scratch) / name for name in ("data", "model.forecast", "forecasts"))
        write_data(data, series, args.series_per_file)
        size = sum(path.stat().st_size for path in data.iterdir()) / MB
        fitted = fit(model, args.model)
        line = {"series": series, "model": args.model, "data_mb": size, "fit_seconds": fitted}
        line |= forecast(data, model, out, args.workers)
        line |= check(data, model, out, series)
        shutil.rmtree(out)
    line["series_per_second"] = series / line["seconds"]
    line = {key: rounded(value) for key, value in line.items()}
    print(json.dumps(line), flush=True)
    return line


def rounded(value):
    if isinstance(value, list):
        return [round(each) for each in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def arguments(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", default="50000,1000000", help="numbers of series, comma-separated")
    parser.add_argument("--series-per-file", type=int, default=10_000, help="those of a partition")
    parser.add_argument("--model", default="GRUForecaster", help="a forecaster")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--scratch", help="folder for data and forecasts; default: the system's temporary one")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    return parser.parse_args(argv)


def main(argv=None) -> int:
    args = arguments(argv)
    runs = [measure(int(series), args) for series in args.series.split(",")]
    if args.out:
        about = {"machine": f"{platform.machine()}, {os.cpu_count()} cores", "workers": args.workers, "runs": runs}
        args.out.write_text(json.dumps(about, indent=2) + "\n")
    whole = all(run["killed_after"] and not run["missing"] + run["doubled"] + run["foreign"] for run in runs)
    same = all(run["largest_relative_difference_to_one_call"] < 1e-4 for run in runs)
    return int(not (whole and same))


if __name__ == "__main__":
    sys.exit(main())
