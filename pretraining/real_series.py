"""Readers of public data sets for evaluation.

All sets are files of one folder with the names and sources listed in ``docs/pretraining.md``. Nothing is downloaded.
`DEVELOPMENT` sets were used while the generator and the network were designed, `HELD_OUT` sets only once at the end.
No series of these sets is trained on: see `corpus.py` for those that are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Set:
    """A data set: its reader, frequency, horizon, and number of origins.

    Each series has `origins` forecasts, `horizon` steps apart; the last one ends with the series.
    """

    read: Callable[[Path], list[np.ndarray]]
    freq: str
    season: int
    horizon: int
    origins: int = 1


def competition(name: str) -> Callable[[Path], list[np.ndarray]]:
    """Return the series of a subset of M1, with the official test rows last."""

    def read(folder):
        table = pd.read_csv(folder / f"m1_{name}.csv.gz")
        return [group["y"].to_numpy("float64") for _, group in table.groupby(table.columns[0], sort=False)]

    return read


def m4(name: str) -> Callable[[Path], list[np.ndarray]]:
    """Return the series of a subset of M4, with the official test rows last."""

    def read(folder):
        parts = [pd.read_csv(folder / f"m4_{name}_{part}.csv.gz", index_col=0) for part in ("train", "test")]
        rows = [part.to_numpy("float64") for part in parts]
        return [np.concatenate([row[~np.isnan(row)] for row in pair]) for pair in zip(*rows, strict=True)]

    return read


def columns(file: str, names=None, rows: int | None = None, before: int = 0) -> Callable[[Path], list[np.ndarray]]:
    """Return numeric columns of a table; with `rows` only its first rows, of which the last `before` and the test."""

    def read(folder):
        table = pd.read_csv(folder / file)
        table = table[names] if names else table.select_dtypes("number")
        values = table.to_numpy("float64")[:rows]
        return list(values[-before:].T if before else values.T)

    return read


def bike(folder: Path) -> list[np.ndarray]:
    """Return hourly rentals, with 0 for absent hours."""
    table = pd.read_csv(folder / "bike_sharing_hourly.csv", parse_dates=["datetime"])
    return [table.set_index("datetime")["cnt"].astype("float64").asfreq("h", fill_value=0.0).to_numpy()]


def temperatures(folder: Path) -> list[np.ndarray]:
    """Return daily minimum temperatures with NaN for the two absent days."""
    table = pd.read_csv(folder / "daily_min_temperatures.csv")
    index = pd.to_datetime(table[table.columns[0]])
    return [pd.to_numeric(table[table.columns[1]]).set_axis(index).asfreq("D").to_numpy("float64")]


def ett(file: str, season: int) -> Set:
    """Return the end of an ETT table up to its last test month: 300 days of all columns, or 90 of one column by 15
    minutes.

    Longer tables only increase the run time: the linear regression of a set uses windows of three weeks.
    """
    if season == 24:
        return Set(columns(file, rows=600 * 24, before=300 * 24), "h", 24, 48, origins=30)
    return Set(columns(file, ["OT"], rows=600 * 96, before=90 * 96), "15min", 96, 96, origins=30)


DEVELOPMENT = {
    "m1_monthly": Set(competition("monthly"), "MS", 12, 18),
    "m1_quarterly": Set(competition("quarterly"), "QS", 4, 8),
    "daily_min_temperatures": Set(temperatures, "D", 7, 14, 26),
    "sunspots": Set(columns("sunspots_monthly.csv"), "MS", 12, 12, 20),
    "airpassengers": Set(columns("AirPassengers.csv"), "MS", 12, 24),
}
HELD_OUT = {
    "m1_yearly": Set(competition("yearly"), "YS", 1, 6),
    "shampoo": Set(columns("shampoo_sales.csv"), "MS", 12, 12),
    "illness": Set(columns("national_illness.csv"), "W", 52, 24, 7),
    "m4_weekly": Set(m4("weekly"), "W", 52, 13),
    "exchange": Set(columns("exchange_rate.csv"), "D", 7, 30, 40),
    "bike_sharing": Set(bike, "h", 24, 24, 60),
    "m4_hourly": Set(m4("hourly"), "h", 24, 48),
    "etth1": ett("ETTh1.csv", 24),
    "etth2": ett("ETTh2.csv", 24),
    "ettm1": ett("ETTm1.csv.gz", 96),
    "taylor": Set(columns("taylor_halfhourly.csv", ["demand"]), "30min", 48, 48, 28),
}


def long_frame(series: list[np.ndarray], freq: str) -> pd.DataFrame:
    """Return the series as a long table with a common last time, so that one call forecasts all of them."""
    longest = max(map(len, series))
    times = pd.date_range("2000-01-03", periods=longest, freq=freq)
    parts = [
        pd.DataFrame({"unique_id": f"s{number}", "ds": times[longest - len(values) :], "y": values})
        for number, values in enumerate(series)
    ]
    return pd.concat(parts, ignore_index=True)
