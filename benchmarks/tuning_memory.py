"""Memory of a search over many trials: that of the process that searches, and of the one that runs the trials.

python benchmarks/tuning_memory.py --trials 30
"""

import argparse
import os
import subprocess

import numpy as np

import forecastkit as fk
from forecastkit.comparison.measure import resident_mb

SMALL = {"horizon": 6, "lookback": 24, "epochs": 1, "windows_per_epoch": 256, "batch_size": 64, "final_epochs": 0}


def measure(trials: int, n_jobs: int = 1) -> list[float]:
    """Resident memory in MB after each trial of a small GRU, of this process and its children together.

    Parameters
    ----------
    trials : int
    n_jobs : int
        0 runs the trials in this process, for comparison.
    """
    rng = np.random.default_rng(0)
    series = 10 + np.sin(np.arange(400) / 4) + rng.normal(0, 0.1, 400)
    found = []
    fk.tune(
        fk.GRUForecaster(**SMALL, random_state=0),
        series,
        space={"units": list(range(4, 4 + 2 * trials)), "learning_rate": (1e-4, 1e-2, "log")},
        n_trials=trials,
        n_folds=1,
        n_jobs=n_jobs,
        random_state=0,
        verbose=lambda text: found.append(round(resident_mb() + children_mb(), 1)),
    )
    return found


def children_mb() -> float:
    """Resident memory of the processes that this one has started, in MB."""

    listed = subprocess.run(["ps", "-o", "rss=", "--ppid", str(os.getpid())], capture_output=True, text=True).stdout
    return sum(int(line) for line in listed.split()) * 1024 / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--n-jobs", type=int, default=1)
    asked = parser.parse_args()
    found = measure(asked.trials, asked.n_jobs)
    print(f"MB after trial 1: {found[0]}, after trial {len(found)}: {found[-1]}; all: {found}")


if __name__ == "__main__":
    main()
