"""Residual intervals of point forecasts where validation blocks are short: with the side errors lay on, or without it.

Each series of M1 and M4 has a forecaster of its own, fitted on all but its last rows, which are forecast with
intervals; the official test rows of the competitions are left out. One line for each forecaster, way and number of
validation windows that have no step in common: shares held by 50 and 80 % intervals, and the mean pinball loss in units
of the series' mean seasonal difference. `forecastkit.uncertainty.residuals.MIN_SEPARATE_WINDOWS` was chosen by
this.
"""

import argparse
import itertools
import json
import warnings
from pathlib import Path

import accuracy
import numpy as np
import pandas as pd

#: File, season, horizon, blocks of a horizon to forecast, and whether the last horizon is the official test.
SETS = {
    "m1_monthly": (12, 18, 1, True),
    "m1_quarterly": (4, 8, 1, True),
    "m1_yearly": (1, 6, 1, True),
    "m4_weekly_train": (1, 13, 5, False),
    "m4_hourly_train": (24, 48, 3, False),
}
LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
MODELS = ("linear", "seasonal_naive", "naive")
FOUND = ("held_80", "held_50", "pinball")
BINS = (0, 3, 6, 12, 25, 10**9)


def series_of(path: Path) -> list[np.ndarray]:
    """The series of a file of M1 (long) or M4 (a row each)."""
    table = pd.read_csv(path)
    if path.name.startswith("m4"):
        return [row[~np.isnan(row)] for row in table.iloc[:, 1:].to_numpy("float64")]
    name, _, value = table.columns[:3]
    return [part.dropna().to_numpy("float64") for _, part in table.groupby(name)[value]]


def measure(model: str, past: np.ndarray, future: np.ndarray, season: int, horizon: int) -> tuple:
    """Windows apart, shares held by 80 and 50 %, and the scaled pinball loss of one series."""
    fitted = accuracy.as_it_is(model).set_params(horizon=horizon, season_length=season).fit(past)
    parts = []
    for begin in range(0, len(future), horizon):
        parts.append(np.asarray(fitted.predict(quantile_levels=list(LEVELS))).reshape(horizon, -1)[:, -len(LEVELS) :])
        fitted.update(future[begin : begin + horizon])
    quantiles, actual = np.concatenate(parts), future[:, None]
    held = [((actual >= quantiles[:, [i]]) & (actual <= quantiles[:, [-1 - i]])).mean() for i in (0, 1)]
    above = np.asarray(LEVELS) - (actual < quantiles)
    scale = np.abs(past[season:] - past[:-season]).mean() + 1e-9
    independent_windows = fitted.scores_.get("windows", 0) // horizon + 1
    return independent_windows, *held, ((actual - quantiles) * above).mean() / scale


def lines(args: argparse.Namespace):
    """What is found, by forecaster, way and windows apart."""
    from forecastkit.uncertainty import residual_quantiles

    for model in MODELS:
        for way, limit in (("with the side", 0), ("without it", 10**9)):
            residual_quantiles.MIN_SEPARATE_WINDOWS = limit
            found = np.array([measure(model, *each) for each in tasks(args)])
            for low, high in itertools.pairwise(BINS):
                rows = found[(found[:, 0] >= low) & (found[:, 0] < high)]
                if len(rows):
                    means = dict(zip(FOUND, rows[:, 1:].mean(axis=0).round(4).tolist(), strict=True))
                    yield {"model": model, "way": way, "windows_apart": [low, high], "series": len(rows), **means}


def tasks(args: argparse.Namespace):
    """Past, future, season and horizon of so many series of each file, drawn with a seed."""
    for name, (season, horizon, blocks, has_test) in SETS.items():
        every = series_of(args.data / f"{name}.csv.gz")
        for place in np.random.default_rng(0).permutation(len(every))[: args.series]:
            series = every[place][:-horizon] if has_test else every[place]
            if len(series) >= (blocks + 3) * horizon:
                yield series[: -blocks * horizon], series[-blocks * horizon :], season, horizon


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the files of M1 and M4")
    parser.add_argument("--series", type=int, default=60, help="of each file")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    warnings.simplefilter("ignore")  # of short series, one each
    with args.out.open("w", encoding="utf-8") as file:
        for line in lines(args):
            print(line, flush=True)
            file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
