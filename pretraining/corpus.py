"""Public series for training, read from the files of R packages into one ``.npz`` file without pickles.

    pip install rdata
    python -m pretraining.corpus --files FOLDER --out corpus.npz --judged FOLDER

`SOURCES` lists the files, with their origin. None of these series belongs to a set of `real_series.py` or of
``benchmarks/out_of_the_box.py``; with ``--judged`` this is also verified: a series that shares twelve successive values
with one of these sets, none of them equal to its neighbour, is left out.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from forecastkit.pretrained.examples import FEWEST, divided, from_series, trimmed, windows

#: Successive equal values that make two series count as the same.
SAME = 12
#: Fractions of examples that are sums of two series of a set, and that are negated.
SUMS, NEGATED = 0.25, 0.05


@dataclass(frozen=True)
class Source:
    """A set of public series: season lengths, forecast horizons in steps, and relative sampling frequency."""

    name: str
    season: int
    second: int
    horizons: tuple[int, int]
    odds: float


SOURCES = {
    source.name: source
    for source in (
        Source("m3_yearly", 1, 0, (3, 8), 1.2),
        Source("m3_quarterly", 4, 0, (4, 12), 1.4),
        Source("m3_monthly", 12, 0, (6, 24), 2.5),
        Source("m3_other", 1, 0, (4, 12), 0.3),
        Source("tourism_yearly", 1, 0, (3, 6), 0.4),
        Source("tourism_quarterly", 4, 0, (4, 12), 0.6),
        Source("tourism_monthly", 12, 0, (6, 24), 0.8),
        Source("retail_monthly", 12, 0, (6, 24), 0.5),
        Source("passengers_weekly", 52, 0, (8, 52), 0.3),
        Source("pedestrians_hourly", 24, 168, (12, 96), 0.6),
        Source("temperatures_half_hourly", 48, 336, (24, 96), 0.3),
        Source("temperatures_hourly", 24, 168, (12, 96), 0.4),
        Source("temperatures_daily", 7, 365, (7, 48), 0.4),
    )
}


# -------------------------------------------------------------------------------------------------------- reading


def competition(path: Path, prefix: str) -> dict[str, list[np.ndarray]]:
    """Return the series of an R list of `Mcomp` objects by set; training and test rows are joined."""
    import rdata

    (series,) = rdata.read_rda(path).values()
    found: dict[str, list[np.ndarray]] = {}
    for one in series.values():
        fields = {str(name): value for name, value in one.items()}
        values = np.concatenate([np.asarray(fields[part], "float64") for part in ("x", "xx")])
        found.setdefault(f"{prefix}_{str(fields['period'][0]).lower()}", []).append(values)
    return found


def panel(path: Path, keys: list[str], time: str, value: str) -> list[np.ndarray]:
    """Return the series of an R data frame, in order of time."""
    import rdata

    (frame,) = rdata.read_rda(path).values()
    frame = frame.assign(**{name: frame[name].astype(str) for name in keys}).sort_values(time)
    return [group[value].to_numpy("float64") for _, group in frame.groupby(keys, sort=False)]


def temperatures(path: Path) -> np.ndarray:
    """Return half-hourly temperatures of one place."""
    return pd.to_numeric(pd.read_csv(path)["Temp"], errors="coerce").to_numpy("float64")


def read(folder: Path) -> dict[str, list[np.ndarray]]:
    """Return all series by set.

    Files: ``data/M3.rda`` of the R package Mcomp; ``tourism.rda`` of Tcomp; ``ansett.rda``, ``aus_retail.rda`` and the
    half-hourly temperatures of five states (``temp_*.csv``) of tsibbledata; ``pedestrian.rda`` of tsibble. All four
    packages are distributed under GPL-3.
    """
    found = competition(folder / "M3.rda", "m3") | competition(folder / "tourism.rda", "tourism")
    found["retail_monthly"] = panel(folder / "aus_retail.rda", ["State", "Industry"], "Month", "Turnover")
    found["passengers_weekly"] = panel(folder / "ansett.rda", ["Airports", "Class"], "Week", "Passengers")
    found["pedestrians_hourly"] = panel(folder / "pedestrian.rda", ["Sensor"], "Date_Time", "Count")
    half_hours = [temperatures(path) for path in sorted(folder.glob("temp_*.csv"))]
    found["temperatures_half_hourly"] = half_hours
    found["temperatures_hourly"] = [values[::2] for values in half_hours]
    days = [values[: len(values) // 48 * 48].reshape(-1, 48) for values in half_hours]
    found["temperatures_daily"] = [day.max(1) for day in days]
    return found


def runs(values: np.ndarray) -> set[bytes]:
    """Return the runs of `SAME` successive values in which every value differs from the next."""
    found = np.lib.stride_tricks.sliding_window_view(values, SAME) if len(values) >= SAME else np.empty((0, SAME))
    found = found[(np.diff(found, axis=1) != 0).all(1) & ~np.isnan(found).any(1)]
    return {np.ascontiguousarray(run).tobytes() for run in found}


def write(folder: Path, out: Path, judged: list[np.ndarray]) -> dict[str, tuple[int, int]]:
    """Write the corpus; return numbers of series kept and left out by set."""
    seen = set().union(*map(runs, judged)) if judged else set()
    arrays, counts = {}, {}
    for name, series in read(folder).items():
        kept = [values for values in series if len(values) > FEWEST + 3 and not (runs(values) & seen)]
        counts[name] = len(kept), len(series) - len(kept)
        arrays[f"{name}/values"] = np.concatenate(kept).astype("float64")
        arrays[f"{name}/lengths"] = np.array([len(values) for values in kept])
    np.savez_compressed(out, **arrays)
    return counts


# ------------------------------------------------------------------------------------------------------- examples


class Corpus:
    """The series of a corpus file, divided into training and held-out series.

    Parameters
    ----------
    path : path
        File written by ``python -m pretraining.corpus``.
    held_out : bool
        Whether to draw from the held-out tenth of the series instead of the others. Sets of fewer than ten series are
        divided by time: their last tenth is held out.
    """

    def __init__(self, path, held_out: bool = False):
        self.series: dict[str, list[np.ndarray]] = {}
        with np.load(path, allow_pickle=False) as saved:
            for name in SOURCES:
                series = np.split(saved[f"{name}/values"], np.cumsum(saved[f"{name}/lengths"])[:-1])
                self.series[name] = divided(series, held_out)
        odds = np.array([SOURCES[name].odds for name in self.series])
        self.odds = odds / odds.sum()

    def batch(self, rng, rows: int = 64) -> dict[str, np.ndarray]:
        """Draw examples of one set, like `pretraining.examples.batch`."""
        source = SOURCES[list(self.series)[rng.choice(len(self.odds), p=self.odds)]]
        horizon = int(rng.integers(source.horizons[0], source.horizons[1] + 1))
        longest = int(np.exp(rng.uniform(np.log(FEWEST + 4), np.log(900))))
        drawn = windows(rng, self.series[source.name], rows, longest, horizon)
        mixed = rng.random(rows) < SUMS
        other = windows(rng, self.series[source.name], rows, longest, horizon)
        sums = drawn / _size(drawn) + rng.uniform(0.2, 1.0, (rows, 1)) * other / _size(other)
        usable = mixed & ~np.isnan(sums).all(1)
        drawn[usable] = sums[usable]
        drawn = np.where(rng.random((rows, 1)) < NEGATED, -drawn, drawn)
        return from_series(rng, trimmed(drawn, horizon), horizon, source.season, source.second)


def _size(values):
    """Return the mean absolute deviation of each row from its last value."""
    size = np.nanmean(np.abs(values - values[:, -1:]), axis=1, keepdims=True)
    return np.where(size > 0, size, 1.0)


def main(arguments=None):
    """Write a corpus from the command line."""
    from pretraining.real_series import DEVELOPMENT, HELD_OUT

    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--files", required=True, type=Path, help="folder of the R data files")
    made.add_argument("--out", required=True, type=Path)
    made.add_argument("--judged", type=Path, help="folder of the evaluation sets, for the check of disjointness")
    options = made.parse_args(arguments)
    sets = {**DEVELOPMENT, **HELD_OUT}.values() if options.judged else ()
    judged = [values for known in sets for values in known.read(options.judged)]
    for name, (kept, left) in write(options.files, options.out, judged).items():
        print(f"{name}: {kept} series, {left} left out")


if __name__ == "__main__":
    main()
