"""The test of a trained model, beside the linear and the seasonal naive forecast on the same windows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecastkit.cli import models
from forecastkit.cli.choose_sizes import Plan
from forecastkit.cli.console import Report
from forecastkit.cli.read_data import Data
from forecastkit.evaluation.backtesting import backtest
from forecastkit.evaluation.results import covered_levels
from forecastkit.metrics.functions import score_table
from forecastkit.utils.formatting import decimals, number, ranges, share

REFERENCES = {"linear": "linear", "seasonal_naive": "seasonal naive"}
MOST_WEAK = 5


@dataclass(frozen=True)
class Trial:
    """Scores of a model and the references.

    Attributes
    ----------
    scores : DataFrame
        ``mae``, ``mase`` and ``coverage`` by model, the tested one first.
    weak : list of (str, str, float, float)
        Where a reference is better, worst first: the series, the reference, its error and that of the model.
    parts : int
        Series that were compared.
    coverage : list of dict
        How often intervals of the tested model held what came, see `forecastkit.Backtest`.
    """

    scores: pd.DataFrame
    weak: list
    parts: int
    coverage: list

    @property
    def best(self) -> str:
        return str(_measure(self.scores).idxmin()) if _measure(self.scores).notna().any() else self.model

    @property
    def model(self) -> str:
        return self.scores.index[0]


def try_out(model: str, forecaster, data: Data, plan: Plan) -> Trial:
    """Forecast the test rows with the fitted forecaster and with references fitted on the same rows."""
    name = REFERENCES.get(model, model)
    candidates = {name: forecaster}
    for reference, shown in REFERENCES.items():
        if shown != name:
            candidates[shown] = _reference(reference, data, plan)
    tests = {
        shown: backtest(contender, data.frame, stride=plan.stride, quantile_levels=covered_levels(contender))
        for shown, contender in candidates.items()
    }
    rows = {shown: _scores(test) for shown, test in tests.items()}
    scores = pd.DataFrame.from_dict(rows, orient="index", columns=["mae", "mase", "coverage"])
    keys = [key for key in (data.roles.series_id, "target") if key in tests[name].forecasts]
    errors = {shown: _errors(test.forecasts, keys) for shown, test in tests.items()}
    return Trial(scores, _weak(name, errors) if keys else [], len(errors[name]), tests[name].ranges())


def _reference(name: str, data: Data, plan: Plan):
    parameters = {"horizon": plan.horizon, "lookback": plan.lookback, "validation_size": plan.validation, **data.keys}
    return models.make_forecaster(name, parameters).fit(data.rows_before(plan.test_start))


def _scores(test) -> tuple[float, float, float]:
    own = test.scores.loc["forecaster"]
    return own["mae"], own.get("mase", np.nan), own.get("coverage_0.8", np.nan)


def _errors(forecasts: pd.DataFrame, keys: list[str]) -> pd.Series:
    return score_table(forecasts[[*keys, "actual", "forecast"]], by=keys)["mae"]


def _weak(name: str, errors: dict[str, pd.Series]) -> list:
    """Series in which a reference has the lesser error, those with the largest ratio first."""
    own = errors[name]
    others = pd.DataFrame({shown: error for shown, error in errors.items() if shown != name})
    better, least = others.idxmin(axis=1), others.min(axis=1)
    lost = own[own > least]
    order = (lost / least[lost.index].clip(lower=1e-300)).sort_values(ascending=False).index
    return [(_part(key), better[key], float(least[key]), float(own[key])) for key in order]


def _part(key) -> str:
    return ", ".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _measure(scores: pd.DataFrame) -> pd.Series:
    """What models are ranked by: MASE, which mixes series of all sizes fairly, else MAE."""
    return scores["mase"] if scores["mase"].notna().all() else scores["mae"]


def say_trial(report: Report, trial: Trial) -> None:
    """The table of scores, and where the model loses."""
    places = decimals(trial.scores["mae"])
    rows = [
        (name, number(row["mae"], places), number(row["mase"]), share(row["coverage"]))
        for name, row in trial.scores.iterrows()
    ]
    strong = list(trial.scores.index).index(trial.best)
    report.table("test", ("MAE", "MASE", "in 80 % range"), rows, strong)
    if held := ranges(trial.coverage):
        report.line("ranges", held)
    for part, better, least, own in trial.weak[:MOST_WEAK]:
        report.line(
            "weak",
            f"{part}: {better} is better ({number(least, places)}, {trial.model} {number(own, places)})",
            "yellow",
        )
    if len(trial.weak) > MOST_WEAK:
        report.line("weak", f"and {len(trial.weak) - MOST_WEAK} more of {trial.parts} series", "yellow")
    if trial.best != trial.model:
        flag = next(flag for flag, shown in REFERENCES.items() if shown == trial.best)
        advice = f"consider --model {flag}" + " or ensemble" * (trial.model != "ensemble")
        report.warning(f"{trial.best} forecasts these rows better than {trial.model}: {advice}")


def trial_dict(trial: Trial) -> dict:
    """The same for programs."""
    return {
        "test": trial.scores.astype("float64").to_dict(orient="index"),
        "best": trial.best,
        "coverage": trial.coverage,
        "weak": [
            {"series": part, "better": better, "mae": least, "mae_of_model": own}
            for part, better, least, own in trial.weak
        ],
    }
