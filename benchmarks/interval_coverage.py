"""Coverage of prediction intervals on simulated series, whose process is known: right after `fit`, and rolling.

Usage: python benchmarks/interval_coverage.py --series 60 --out benchmarks/results/interval_coverage.jsonl

For each process and forecaster, a panel of independent series is fitted on all rows but the last, and the horizons that
follow are forecast from several cutoffs without a refit. An interval that is right holds its nominal fraction of the
actuals. The standard error is that of means over series, which are independent.
"""

import argparse
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import forecastkit as fk

ROWS, HORIZON, SEASON, CUTOFFS = 600, 6, 12, 30
COVERAGES = (0.8, 0.95)
NETWORK = {"epochs": 2, "windows_per_epoch": 1024, "units": 16, "random_state": 0}


def autoregressive(rng: np.random.Generator, rows: int) -> np.ndarray:
    """A first-order autoregression with coefficient 0.8 around 20."""
    errors = rng.normal(size=rows + 50)
    for row in range(1, len(errors)):
        errors[row] += 0.8 * errors[row - 1]
    return 20 + errors[50:]


def seasonal(rng: np.random.Generator, rows: int) -> np.ndarray:
    """A fixed season with white noise."""
    return 20 + 5 * np.sin(2 * np.pi * (np.arange(rows) + rng.integers(SEASON)) / SEASON) + rng.normal(size=rows)


def trend(rng: np.random.Generator, rows: int) -> np.ndarray:
    """A random walk with drift."""
    return 50 + np.cumsum(0.1 + rng.normal(size=rows))


def heteroscedastic(rng: np.random.Generator, rows: int) -> np.ndarray:
    """White noise whose standard deviation changes slowly between 1 and 4."""
    deviation = 2.5 + 1.5 * np.sin(2 * np.pi * (np.arange(rows) / 120 + rng.random()))
    return 40 + deviation * rng.normal(size=rows)


PROCESSES: dict[str, Callable] = {f.__name__: f for f in (autoregressive, seasonal, trend, heteroscedastic)}
FORECASTERS: dict[str, Callable[..., fk.LinearForecaster]] = {
    "seasonal_naive": fk.SeasonalNaiveForecaster,
    "linear": fk.LinearForecaster,
    "damped_trend": fk.DampedTrendForecaster,
    "pretrained": fk.PretrainedForecaster,
    "tabular": fk.TabularForecaster,
    "gru": lambda **given: fk.GRUForecaster(**given, **NETWORK),
    "ensemble": lambda **given: fk.EnsembleForecaster(
        forecasters=[fk.GRUForecaster(**NETWORK), fk.LinearForecaster()], **given
    ),
}


def simulate(process: str, series: int, seed: int) -> pd.DataFrame:
    """A long table of independent series of one process."""
    rng, rows = np.random.default_rng(seed), ROWS + HORIZON + CUTOFFS - 1
    parts = [
        pd.DataFrame({"unique_id": number, "ds": np.arange(rows), "y": PROCESSES[process](rng, rows)})
        for number in range(series)
    ]
    return pd.concat(parts, ignore_index=True)


def measure(process: str, name: str, calibrate: bool | str, series: int, seed: int = 0) -> dict:
    """Coverage of the intervals of one forecaster on one process, in percent, with standard errors."""
    table, begun = simulate(process, series, seed), time.process_time()
    model = FORECASTERS[name](horizon=HORIZON, season_length=SEASON, calibrate=calibrate)
    model.fit(table[table["ds"] < ROWS])
    levels = sorted({level for coverage in COVERAGES for level in ((1 - coverage) / 2, (1 + coverage) / 2)})
    levels = [round(level, 6) for level in levels]
    forecasts = fk.backtest(model, table, start=ROWS, quantile_levels=levels).forecasts
    line = {"process": process, "forecaster": name, "calibrate": calibrate, "series": series}
    for coverage in COVERAGES:
        low, high = (f"q{round((1 + sign * coverage) / 2, 6):g}" for sign in (-1, 1))
        inside = forecasts["actual"].between(forecasts[low], forecasts[high])
        means = inside.groupby(forecasts["unique_id"]).mean()
        line[f"{coverage:g}"] = [round(float(100 * m), 1) for m in (means.mean(), means.std() / np.sqrt(len(means)))]
    return {**line, "seconds": round(time.process_time() - begun, 1)}


def main() -> None:
    """Measure all combinations and write one JSON line for each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--series", type=int, default=100, help="series of each process")
    parser.add_argument("--forecasters", default=",".join(FORECASTERS), help="comma-separated")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with options.out.open("w", encoding="utf-8") as out:
        for name in options.forecasters.split(","):
            for process in PROCESSES:
                for calibrate in (False, "rolling"):
                    line = measure(process, name, calibrate, options.series)
                    print(line, flush=True)
                    out.write(json.dumps(line) + "\n")
                    out.flush()


if __name__ == "__main__":
    main()
