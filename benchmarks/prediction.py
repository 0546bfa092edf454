"""How fast forecasts are: one series in a warm process, very many in one call, and the command from a cold start.

- `one`: milliseconds of `forecast()` and of `predict(history=...)` for one series, the median over calls.
- `many`: seconds of one `forecast` of 100,000 unknown series, 28 steps each, from rows of their own history; and which
  part of the machine's rate of matrix products that is, by the multiply-adds of the network.
- `cold`: seconds of `forecast predict` on a saved model, each time beside those of importing TensorFlow.

The exit code is 1 where a limit is passed: 5 ms for one series, 1.5 s beside the import for a cold start.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import accuracy
import arithmetic
import numpy as np
import pandas as pd

#: Milliseconds for one series, seconds that the command may take beside the import of TensorFlow.
LIMITS = {"one": 5.0, "cold": 1.5}
HORIZON, LOOKBACK, UNITS = 28, 56, 64


def sales(series: int, rows: int = 70) -> pd.DataFrame:
    """Daily rows of so many series, long."""
    rng = np.random.default_rng(series)
    week = np.sin(2 * np.pi * np.arange(rows) / 7)
    values = 10 + week + rng.normal(size=(series, rows)) + rng.uniform(0, 5, (series, 1))
    days = pd.date_range("2024-01-01", periods=rows, freq="D")
    names = np.repeat(np.arange(series), rows)
    return pd.DataFrame({"shop": names, "day": np.tile(days, series), "sold": values.ravel()})


def fitted():
    """A GRU that reads day by day."""
    import forecastkit as fk

    sizes = {"horizon": HORIZON, "lookback": LOOKBACK, "patch": 1, "units": UNITS, "epochs": 1, "final_epochs": 0}
    roles = {"target": "sold", "time": "day", "series_id": "shop", "freq": "D"}
    return fk.GRUForecaster(**sizes, **roles, windows_per_epoch=2560, random_state=0).fit(sales(200, 160))


def one(model, calls: int) -> dict:
    """Milliseconds of warm calls for one series."""
    import forecastkit as fk

    own = sales(1, 160)
    alone = fk.GRUForecaster(horizon=HORIZON, lookback=LOOKBACK, epochs=1, random_state=0).fit(own["sold"].to_numpy())

    def of(call):
        times = []
        for _ in range(calls + 20):
            began = time.perf_counter()
            call()
            times.append(1e3 * (time.perf_counter() - began))
        return round(statistics.median(times[20:]), 2)

    return {
        "forecast_ms": of(alone.forecast),
        "predict_ms": of(alone.predict),
        "predict_history_ms": of(lambda: alone.predict(history=own["sold"].to_numpy())),
        "panel_history_ms": of(lambda: model.forecast(history=own)),
    }


def many(model, series: int) -> dict:
    """Seconds of one call for unknown series, and the part of the machine's rate."""
    frame = sales(series)
    model.forecast(history=sales(50))
    began = time.perf_counter()
    rows = len(model.forecast(history=frame))
    seconds = time.perf_counter() - began
    assert rows == series * HORIZON
    work = 2 * series * arithmetic.multiply_adds("gru", LOOKBACK, HORIZON, UNITS)
    part = work / seconds / arithmetic.matmul_rate()
    return {"series": series, "seconds": round(seconds, 2), "per_second": round(rows / seconds), "part": round(part, 4)}


def cold(model, rounds: int) -> dict:
    """Seconds of the command and of the import, in turns, and the least difference of a round."""
    pairs = []
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "m.forecast")
        root = Path(__file__).resolve().parent.parent
        command = [sys.executable, str(root / "cli.py"), "predict", "m.forecast", "--json"]
        for _ in range(rounds):
            pairs.append([seconds_of(each, folder) for each in ([sys.executable, "-c", "import tensorflow"], command)])
    least = min(predict - imported for imported, predict in pairs)
    return {"pairs": pairs, "beside_import": round(least, 2)}


def seconds_of(command, folder) -> float:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent), "TF_CPP_MIN_LOG_LEVEL": "3"}
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return round(time.perf_counter() - began, 2)


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=100_000)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, help="JSON")
    args = parser.parse_args(argv)
    model = fitted()
    found = {"one": one(model, args.calls), "many": many(model, args.series), "cold": cold(model, args.rounds)}
    for name, values in found.items():
        print(f"{name}: {', '.join(f'{key} {value}' for key, value in values.items())}", flush=True)
    if args.out:
        args.out.write_text(json.dumps({**found, **accuracy.environment()}, indent=1) + "\n", encoding="utf-8")
    within = max(found["one"].values()) <= LIMITS["one"] and found["cold"]["beside_import"] <= LIMITS["cold"]
    return 0 if within else 1


if __name__ == "__main__":
    accuracy.sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    sys.exit(main())
