"""How the time and memory of each operation grow with each dimension of the data, as exponents.

One dimension is doubled four times while the others stay at their base sizes. An operation whose seconds are
proportional to `size ** k` has the exponent k: 1 is linear, 2 is quadratic. The exponent is the slope of the logarithm
over the two largest doublings, where constant costs matter least. Seconds are of the processor, the least of several
calls; memory is the peak of what Python and NumPy allocate during a call, measured in a call of its own because the
measurement slows it down. Operations under `--least` seconds or megabytes at the largest size have no exponent.

The script exits with 1 if an exponent is above `--limit`. Attention is quadratic in the lookback by design.
"""

import argparse
import json
import platform
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

import forecastkit as fk

#: Sizes that stay fixed while another one is doubled, and the sizes from which each is doubled four times.
BASE = {"rows": 400, "series": 20, "channels": 1, "horizon": 12, "lookback": 24, "covariates": 0, "origins": 10}
BASE |= {"levels": 3, "members": 1}
FIRST = {"rows": 2_000, "series": 500, "channels": 4, "horizon": 24, "lookback": 24, "covariates": 2, "origins": 40}
FIRST |= {"levels": 8, "members": 2}
#: Sizes of the base that change where a dimension needs longer series or fewer of them.
AROUND = {
    "rows": {"series": 4},
    "series": {"rows": 100},
    "horizon": {"rows": 4_000, "series": 4},
    "lookback": {"rows": 4_000, "series": 4},
    "origins": {"rows": 4_000, "series": 4},
    "channels": {"series": 4},
    "covariates": {"series": 4},
}
DOUBLINGS = 4


def table(sizes: dict[str, int]) -> pd.DataFrame:
    """Return a long frame of hourly series with daily cycles and noise, and covariates known in advance."""
    rng, rows, series = np.random.default_rng(0), sizes["rows"], sizes["series"]
    hours = np.tile(np.arange(rows), series)
    frame = pd.DataFrame(
        {
            "id": np.repeat([f"series {number}" for number in range(series)], rows),
            "time": np.tile(pd.date_range("2024-01-01", periods=rows, freq="h"), series),
        }
    )
    for number in range(sizes["channels"]):
        frame[f"y{number}"] = 10 + np.sin(2 * np.pi * hours / 24 + number) + 0.2 * rng.normal(size=len(frame))
    for number in range(sizes["covariates"]):
        frame[f"x{number}"] = rng.normal(size=len(frame))
    return frame


def forecaster(model: str, sizes: dict[str, int]) -> fk.LinearForecaster:
    """Return the forecaster of these sizes; an average of several if there are members."""
    levels = np.linspace(0.02, 0.98, sizes["levels"] // 2)
    common = {
        "horizon": sizes["horizon"],
        "lookback": sizes["lookback"],
        "target": [f"y{number}" for number in range(sizes["channels"])],
        "time": "time",
        "series_id": "id",
        "known": [f"x{number}" for number in range(sizes["covariates"])],
        "freq": "h",
        "season_length": 24,
        "quantile_levels": sorted({0.5, *np.round(levels, 4).tolist()}),
    }
    one = {"linear": fk.LinearForecaster, "seasonal_naive": fk.SeasonalNaiveForecaster, "gru": fk.GRUForecaster}[model]
    network = {"epochs": 1, "windows_per_epoch": 2_048, "random_state": 0} if model == "gru" else {}
    if sizes["members"] == 1:
        return one(**common, **network)
    members = [one(**common, **network) for _ in range(sizes["members"])]
    return fk.EnsembleForecaster(**common, forecasters=members)


def operations(model: str, sizes: dict[str, int], folder: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield the name of each operation and a call of it, in the order in which they need each other."""
    frame, path, saved = table(sizes), folder / "table.csv", folder / "model.forecast"
    frame.to_csv(path, index=False)
    new = forecaster(model, sizes)
    tested = sizes["horizon"] + sizes["origins"]
    last = frame["time"].max() - pd.Timedelta(hours=tested)
    fitted = forecaster(model, sizes).fit(frame[frame["time"] <= last])
    future = pd.concat([frame[frame["time"] == last].assign(time=last + pd.Timedelta(hours=1 + step))
                        for step in range(sizes["horizon"])])  # fmt: skip
    known = {"X": future[["id", "time", *fitted.known]]} if sizes["covariates"] else {}

    from forecastkit.cli.read_data import read_data

    hints = {"target": fitted.target, "known": fitted.known, "time": "time", "series_id": "id"}
    yield "read", lambda: read_data(path, hints)
    yield "fit", lambda: new.fit(frame)
    yield "predict", lambda: fitted.predict(**known)
    yield "quantiles", lambda: fitted.predict(coverage=0.8, **known)
    yield "backtest", lambda: fk.backtest(fitted, frame, n_windows=sizes["origins"]).scores
    yield "save", lambda: fitted.save(saved)
    yield "load", lambda: fk.load(saved)
    yield "audit", lambda: fk.audit(fitted, frame, refits=False)
    yield "compare", lambda: fk.compare(["naive", new], frame, horizon=sizes["horizon"], folds=2, seeds=1, memory=False)


def measure(call: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Return the processor seconds of a call, the least of several, and its peak of allocated megabytes."""
    seconds = []
    for _ in range(repeats):
        began = time.process_time()
        call()
        seconds.append(time.process_time() - began)
        if sum(seconds) > 20:
            break
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    call()
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    return min(seconds), peak / 1e6


def exponent(sizes: list[int], figures: list[float], least: float) -> float | None:
    """Return the slope of the logarithm over the two largest doublings; None if the largest figure is below `least`."""
    if figures[-1] < least or min(figures) <= 0:
        return None
    return round(float(np.polyfit(np.log(sizes[-3:]), np.log(figures[-3:]), 1)[0]), 2)


def grow(
    model: str, dimension: str, chosen: set[str], repeats: int, least: float, first: int | None = None
) -> list[dict]:
    """Return a line for each operation: its seconds, megabytes and exponents in this dimension."""
    start = first or FIRST[dimension]
    values = [start * 2**number for number in range(DOUBLINGS + 1)]
    figures: dict[str, list[tuple[float, float]]] = {}
    for value in values:
        sizes = {**BASE, **AROUND.get(dimension, {}), dimension: value}
        with tempfile.TemporaryDirectory() as folder:
            for name, call in operations(model, sizes, Path(folder)):
                if not chosen or name in chosen or name == "save":  # what is loaded has to be saved
                    figures.setdefault(name, []).append(measure(call, repeats))
    lines = []
    for name, found in figures.items():
        seconds, megabytes = (list(column) for column in zip(*found, strict=True))
        line = {"model": model, "dimension": dimension, "operation": name, "sizes": values}
        line |= {"seconds": [round(one, 4) for one in seconds], "mb": [round(one, 2) for one in megabytes]}
        line |= {"time_exponent": exponent(values, seconds, least), "memory_exponent": exponent(values, megabytes, 1.0)}
        lines.append(line)
    return lines


def main(argv: list[str] | None = None) -> int:
    """Measure the chosen dimensions and print a line for each operation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=("linear", "seasonal_naive", "gru"), default="linear")
    parser.add_argument("--dimensions", default=",".join(FIRST), help="comma-separated, default: all")
    parser.add_argument("--operations", default="", help="comma-separated, default: all")
    parser.add_argument("--first", type=int, help="size from which the dimensions are doubled, default: by dimension")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--least", type=float, default=0.05, help="seconds below which there is no exponent")
    parser.add_argument("--limit", type=float, default=1.1)
    parser.add_argument("--out", type=Path, help="JSON lines; those of the same model and dimension are replaced")
    args = parser.parse_args(argv)
    above = []
    for dimension in args.dimensions.split(","):
        chosen = set(filter(None, args.operations.split(",")))
        lines = grow(args.model, dimension, chosen, args.repeats, args.least, args.first)
        for line in lines:
            print(
                f"{dimension:10} {line['operation']:10} {line['seconds'][-1]:8.3f} s {line['mb'][-1]:9.1f} MB"
                f"   time {line['time_exponent']}   memory {line['memory_exponent']}", flush=True,
            )  # fmt: skip
            above += [line for kind in ("time", "memory") if (line[f"{kind}_exponent"] or 0) > args.limit]
        if args.out:
            write(args.out, lines)
    return int(bool(above))


def write(path: Path, lines: list[dict]) -> None:
    """Append the lines to a file, in the place of earlier ones of the same model and dimension."""
    old = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    new = {(line["model"], line["dimension"]) for line in lines}
    kept = [line for line in old if (line["model"], line["dimension"]) not in new]
    machine = {"python": platform.python_version(), "machine": platform.machine()}
    path.write_text("".join(json.dumps({**line, **machine}) + "\n" for line in kept + lines), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
