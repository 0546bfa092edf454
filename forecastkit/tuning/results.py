"""Result of a search: leaderboard, best parameters."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecastkit.forecasters.base import Forecaster
from forecastkit.utils.formatting import number
from forecastkit.utils.mixins import Printable

#: States of a trial by keras-tuner's states.
STATES = {"COMPLETED": "done", "FAILED": "failed", "INVALID": "failed", "RUNNING": "unfinished"}
DONE, DROPPED = "done", "dropped"
#: Fraction by which another trial must be better than the given forecaster. The smallest of several scores is partly
#: luck, and smaller gains on a few folds did not carry over to new rows (docs/tuning.md).
HEAD_START = 0.01


@dataclass(frozen=True, repr=False)
class Tuning(Printable):
    """Result of a search.

    Attributes
    ----------
    trials : DataFrame
        The leaderboard, one row per trial, best first. Trial 0 is the given forecaster, which ranks before trials that
        are less than 1 % better. ``score`` is the mean over the folds of the error relative to the seasonal naive
        forecast of the same windows; below 1 is better. ``fold 0`` and so on are the errors of the folds, ``seconds``
        the duration, ``state`` is 'done', 'dropped', 'failed' or 'unfinished', and ``message`` explains failures.
        Further columns contain the parameters. A dropped trial was worse than the best by more than 1 % on the latest
        folds and did not run on the others; its score is an estimate.
    best_params : dict
        Parameters of the first row, for `set_params` of the forecaster.
    best_score : float
        Score of the first row.
    best_forecaster : Forecaster
        The unfitted forecaster with these parameters.
    seconds : float
    """

    trials: pd.DataFrame
    best_params: dict
    best_score: float
    best_forecaster: Forecaster
    seconds: float

    def summary(self) -> str:
        """Return a description of the search in one line."""
        count = len(self.trials)
        return f"Search of {count} trial{'s' * (count != 1)}, {self.seconds:.0f} s, best score {self.best_score:.4g}"

    def _shown(self):
        """Return the leaderboard without the errors of single folds and messages."""
        return self.trials[[name for name in self.trials if name != "message" and not str(name).startswith("fold ")]]


def make_trials(rows: list[dict]) -> pd.DataFrame:
    """Return the leaderboard of trials, each a dict of ``trial, score, folds, seconds, state, message, parameters``."""
    names = list(dict.fromkeys(name for row in rows for name in row["parameters"]))
    folds = max((len(row["folds"]) for row in rows), default=0)
    table = {
        "score": [row["score"] for row in rows],
        **{f"fold {number}": [row["folds"].get(number) for row in rows] for number in range(folds)},
        "seconds": [row["seconds"] for row in rows],
    }
    table = {name: pd.Series(values, dtype="float64") for name, values in table.items()}
    cells = {name: [row[name] for row in rows] for name in ("state", "message")}
    cells |= {name: [row["parameters"].get(name) for row in rows] for name in names}
    table |= {name: pd.Series(values, dtype="object") for name, values in cells.items()}
    frame = pd.DataFrame(table)
    frame.index = pd.Index([row["trial"] for row in rows], name="trial")
    return frame.iloc[np.argsort([rank_key(row) for row in rows], kind="stable")]


def rank_key(row: dict) -> float:
    """Return the sort key of a trial: its score (NaN if none), with the advantage of the first trial."""
    return row["score"] * (1.0 - HEAD_START if row["trial"] == 0 else 1.0)


def parameters_of(trials: pd.DataFrame) -> list[str]:
    """Return the parameter columns of the leaderboard."""
    return list(trials.columns[list(trials.columns).index("message") + 1 :])


def value_text(value) -> str:
    """Format a parameter value."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def progress_line(row: dict, best: float, place: str) -> str:
    """Return a progress line for a finished trial."""
    parameters = ", ".join(f"{name} {value_text(value)}" for name, value in row["parameters"].items())
    got = f"{number(row['score'], 4)}  best {number(best, 4)}"
    if row["state"] not in (DONE, DROPPED):
        got = f"{row['state']}: {row['message']}"
    return f"{place}  {got}  {row['seconds']:.0f} s  {parameters}"
