"""Evaluate forecasts on real sets, zero-shot and fine-tuned: MASE and quantile loss relative to the seasonal naive.

    python -m pretraining.evaluate --data FOLDER --weights runs/first/weights.npz
    python -m pretraining.evaluate --data FOLDER --sets held_out --models pretrained linear seasonal_naive --out a.jsonl

A forecaster is fitted on the rows before the first origin of a set and forecasts from every origin without refitting.
MASE divides by the mean seasonal change of those rows. Relative figures divide by those of the seasonal naive on the
same forecasts; its quantiles are those of its validation errors. A JSON line for each set and model; the table is
printed.
"""

import argparse
import json
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np

import forecastkit as fk
from pretraining.real_series import DEVELOPMENT, HELD_OUT, Set, long_frame

LEVELS = [round(0.1 * i, 1) for i in range(1, 10)]
CLASSES = {
    "pretrained": partial(fk.PretrainedForecaster, fine_tune=False),
    "fine_tuned": fk.PretrainedForecaster,
    "linear": fk.LinearForecaster,
    "theta": fk.ThetaForecaster,
    "seasonal_naive": fk.SeasonalNaiveForecaster,
}


def evaluate(known: Set, folder: Path, model: str, **parameters) -> dict:
    """Return the scores of one model on one data set."""
    series = known.read(folder)
    table = long_frame(series, known.freq)
    test = known.horizon * known.origins
    times = np.sort(table["ds"].unique())
    fitted_rows = table[table["ds"] < times[-test]]
    roles = {"series_id": "unique_id", "time": "ds", "target": "y", "freq": known.freq}
    maker = CLASSES[model](**{"horizon": known.horizon, "season_length": known.season, **roles, **parameters})
    begin = time.perf_counter()
    fitted = maker.fit(fitted_rows)
    middle = time.perf_counter()
    found = fk.backtest(
        fitted, table, start=str(times[-test]), stride=known.horizon, quantile_levels=LEVELS
    ).forecasts.dropna(subset=["actual"])
    seconds = time.perf_counter() - middle
    scale = {f"s{i}": _scale(values[:-test], known.season) for i, values in enumerate(series)}
    errors = (found["forecast"] - found["actual"]).abs() / found["unique_id"].map(scale)
    wql = _quantile_loss(found)
    held = found["actual"].between(found["q0.1"], found["q0.9"])
    by_series = errors.replace([np.inf], np.nan).groupby(found["unique_id"], sort=False).mean()
    return {
        "model": model,
        "mase": float(by_series.mean()),
        "wql": wql,
        "coverage80": float(held.mean()),
        "fit_seconds": round(middle - begin, 3),
        "ms_a_forecast": round(1000 * seconds / max(len(found) / known.horizon, 1), 3),
        "series": len(series),
        "forecasts": len(found) // known.horizon,
    }


def _scale(values, season):
    change = np.abs(values[season:] - values[:-season])
    if np.isnan(change).all() or len(change) == 0:
        change = np.abs(np.diff(values))
    scale = float(np.nanmean(change)) if len(change) else np.nan
    return scale if scale > 0 else np.nan


def _quantile_loss(found):
    """Return the weighted quantile loss over nine levels: twice the sum of pinball losses divided by the sum of
    absolute actuals.
    """
    actual = found["actual"].to_numpy()
    total = 0.0
    for level in LEVELS:
        error = actual - found[f"q{level:g}"].to_numpy()
        total += 2 * np.maximum(level * error, (level - 1) * error).sum()
    return float(total / len(LEVELS) / np.abs(actual).sum())


def report(rows: list[dict]):
    """Return a table by data set relative to seasonal naive, with geometric means."""
    reference = {row["set"]: row for row in rows if row["model"] == "seasonal_naive"}
    models = [name for name in CLASSES if name != "seasonal_naive" and any(row["model"] == name for row in rows)]
    print(f"{'set':24}" + "".join(f"{name:>12} rel   wql   80%" for name in models))
    logs = {name: [] for name in models}
    for name, naive in reference.items():
        line = f"{name:24}"
        for model in models:
            row = next((row for row in rows if row["set"] == name and row["model"] == model), None)
            if row is None:
                line += " " * 28
                continue
            pair = row["mase"] / naive["mase"], row["wql"] / naive["wql"]
            logs[model].append(np.log(pair))
            line += f"{row['mase']:12.3f} {pair[0]:.3f} {pair[1]:.3f} {row['coverage80']:.2f}"
        print(line)
    for model, values in logs.items():
        mase, wql = np.exp(np.mean(values, axis=0))
        print(f"{model}: geometric mean of MASE {mase:.3f}, of WQL {wql:.3f}, {len(values)} sets")


def main(arguments=None):
    """Run the evaluation from the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--data", required=True, type=Path, help="folder of the sets")
    made.add_argument("--sets", choices=("development", "held_out"), default="development")
    made.add_argument("--models", nargs="+", choices=CLASSES, default=list(CLASSES))
    made.add_argument("--weights", help="file or version; default: the packaged weights")
    made.add_argument("--out", type=Path, help="file of JSON lines to add to")
    options = made.parse_args(arguments)
    warnings.simplefilter("ignore")
    rows = []
    for name, known in (DEVELOPMENT if options.sets == "development" else HELD_OUT).items():
        for model in options.models:
            more = {"weights": options.weights} if model in ("pretrained", "fine_tuned") and options.weights else {}
            rows.append({"set": name} | evaluate(known, options.data, model, **more))
            if options.out:
                with open(options.out, "a", encoding="utf-8") as file:
                    print(json.dumps(rows[-1]), file=file)
    report(rows)


if __name__ == "__main__":
    main()
