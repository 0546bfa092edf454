"""Result of a search: leaderboard, best parameters."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecastkit.forecasters.base import Forecaster
from forecastkit.utils.formatting import number

#: States of a trial in words, by those of keras-tuner.
STATES = {"COMPLETED": "done", "FAILED": "failed", "INVALID": "failed", "RUNNING": "unfinished"}
DONE, DROPPED = "done", "dropped"
#: Part of its score by which the forecaster as it was given is ahead of the others: the lowest of several scores is low
#: by luck too, and gains below this on a few folds were none on new rows (docs/tuning.md).
HEAD_START = 0.01


@dataclass(frozen=True)
class Tuning:
    """Result of a search.

    Attributes
    ----------
    trials : DataFrame
        The leaderboard: a row for each trial, best first, by its number, 0 being the forecaster as it was given, which
        ranks before those that are less than 1 % better.
        ``score`` is the mean over the folds of the relative score, the MASE divided by that of the seasonal naive
        forecast of the same windows; ``fold 0`` and so on are its parts, ``seconds`` what the trial took, ``state`` is
        'done', 'dropped', 'failed' or 'unfinished', ``message`` says why it failed; then a column for each parameter.
        A dropped trial was worse than the best by more than 1 % on the latest folds and did not get the others; its
        score says what it would have come to.
    best_params : dict
        Parameters of the first row, as `set_params` of the forecaster takes them.
    best_score : float
        Its score.
    best_forecaster : Forecaster
        The forecaster with those parameters, not fitted.
    seconds : float
    """

    trials: pd.DataFrame
    best_params: dict
    best_score: float
    best_forecaster: Forecaster
    seconds: float


def make_trials(rows: list[dict]) -> pd.DataFrame:
    """The leaderboard.

    Parameters
    ----------
    rows : list of dict
        ``trial``, ``score``, ``folds``, ``seconds``, ``state``, ``message`` and ``parameters`` of each.
    """
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
    """What a trial is ranked by: its score, NaN where there is none, less the head start of the first one."""
    return row["score"] * (1.0 - HEAD_START if row["trial"] == 0 else 1.0)


def parameters_of(trials: pd.DataFrame) -> list[str]:
    """Columns of the leaderboard that are parameters."""
    return list(trials.columns[list(trials.columns).index("message") + 1 :])


def said(value) -> str:
    """A parameter's value for people."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def line(row: dict, best: float, place: str) -> str:
    """A line of progress on a trial that has ended."""
    parameters = ", ".join(f"{name} {said(value)}" for name, value in row["parameters"].items())
    got = f"{number(row['score'], 4)}  best {number(best, 4)}"
    if row["state"] not in (DONE, DROPPED):
        got = f"{row['state']}: {row['message']}"
    return f"{place}  {got}  {row['seconds']:.0f} s  {parameters}"
