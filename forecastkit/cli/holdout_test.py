"""Test of a trained model on the last rows, with linear and seasonal naive forecasts as references."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from forecastkit.cli import models
from forecastkit.cli.choose_sizes import Sizes
from forecastkit.cli.console import Reporter
from forecastkit.cli.read_data import Data
from forecastkit.evaluation.backtesting import backtest
from forecastkit.evaluation.results import covered_levels
from forecastkit.utils.exceptions import InputError
from forecastkit.utils.formatting import coverage_text, decimals, number, percent

REFERENCES = {"linear": "linear", "seasonal_naive": "seasonal naive"}
COLUMNS = ("mae", "mase", "coverage")
MAX_WORSE = 5


@dataclass(frozen=True)
class Worse:
    """A series that a reference forecasts better than the model.

    Attributes
    ----------
    series : str
    reference : str
    error, own_error : float
        Mean absolute errors of the reference and of the model.
    """

    series: str
    reference: str
    error: float
    own_error: float


@dataclass(frozen=True)
class Holdout:
    """Scores of a model and the references on the test rows.

    Attributes
    ----------
    scores : DataFrame
        ``mae``, ``mase`` and ``coverage`` by model, the tested one first; empty if it could not be tested.
    worse : list of Worse
        Sorted by the ratio of the errors, the largest first.
    series : int
        Number of compared series and targets.
    coverage : list of dict
        Fractions of actuals inside the intervals of the tested model, see `forecastkit.Backtest`.
    """

    scores: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(COLUMNS)))
    worse: list[Worse] = field(default_factory=list)
    series: int = 0
    coverage: list[dict] = field(default_factory=list)

    @property
    def model(self) -> str | None:
        """Name of the tested model."""
        return self.scores.index[0] if len(self.scores) else None

    @property
    def best(self) -> str | None:
        """Name of the best model, by MASE if all have it, which is comparable between series, otherwise by MAE."""
        measure = self.scores["mase"] if self.scores["mase"].notna().all() else self.scores["mae"]
        return str(measure.idxmin()) if measure.notna().any() else self.model


def evaluate_holdout(model: str, forecaster, data: Data, sizes: Sizes) -> Holdout:
    """Forecast the test rows with the fitted forecaster and with references fitted on the same rows.

    Raises
    ------
    InputError
        If no window of the test rows has an actual.
    """
    name = REFERENCES.get(model, model)
    candidates = {name: forecaster}
    for reference, label in REFERENCES.items():
        if label != name:
            candidates[label] = _fit_reference(reference, data, sizes)
    tests = {
        label: backtest(candidate, data.panel, stride=sizes.stride, quantile_levels=covered_levels(candidate))
        for label, candidate in candidates.items()
    }
    rows = {label: _scores(test) for label, test in tests.items()}
    scores = pd.DataFrame.from_dict(rows, orient="index", columns=list(COLUMNS))
    errors = {label: test.by("series")["mae"] for label, test in tests.items()} if tests[name].reference.series else {}
    worse = _find_worse(name, errors) if errors else []
    return Holdout(scores, worse, len(errors.get(name, [None])), tests[name].ranges())


def try_holdout(report: Reporter, model: str, forecaster, data: Data, sizes: Sizes) -> Holdout:
    """Return the result of `evaluate_holdout`; a failure gives a warning, so that the trained model is not lost."""
    try:
        return evaluate_holdout(model, forecaster, data, sizes)
    except InputError as error:
        report.warning(f"the model was not tested: {error}")
        return Holdout()


def _fit_reference(name: str, data: Data, sizes: Sizes):
    forecaster = models.make_forecaster(name, {**sizes.parameters, **data.role_parameters})
    return forecaster.fit(data.rows_before(sizes.test_start))


def _scores(test) -> tuple[float, float, float]:
    own = test.scores.loc["forecaster"]
    return own["mae"], own.get("mase", np.nan), own.get("coverage_0.8", np.nan)


def _find_worse(name: str, errors: dict[str, pd.Series]) -> list[Worse]:
    """Return the series in which a reference has the smaller error, the largest ratios first."""
    others = pd.DataFrame({label: error for label, error in errors.items() if label != name}).dropna(how="all")
    own = errors[name].reindex(others.index)
    better, least = others.idxmin(axis=1), others.min(axis=1)
    lost = own[own > least]
    order = (lost / least[lost.index].clip(lower=1e-300)).sort_values(ascending=False).index
    return [Worse(_series_name(key), better[key], float(least[key]), float(own[key])) for key in order]


def _series_name(key) -> str:
    return ", ".join(map(str, key)) if isinstance(key, tuple) else str(key)


def print_holdout(report: Reporter, holdout: Holdout) -> None:
    """Print the table of scores, and the series in which a reference is better."""
    if holdout.model is None:
        return
    places = decimals(holdout.scores["mae"])
    rows = [
        (name, number(row["mae"], places), number(row["mase"]), percent(row["coverage"]))
        for name, row in holdout.scores.iterrows()
    ]
    best = list(holdout.scores.index).index(holdout.best)
    report.table("test", ("MAE", "MASE", "80 % interval holds"), rows, best)
    if held := coverage_text(holdout.coverage):
        report.info("coverage", held)
    for each in holdout.worse[:MAX_WORSE]:
        errors = f"MAE {number(each.error, places)}, {holdout.model} {number(each.own_error, places)}"
        report.info("worse", f"{each.series}: {each.reference} is better ({errors})", "yellow")
    if len(holdout.worse) > MAX_WORSE:
        report.info("worse", f"and {len(holdout.worse) - MAX_WORSE} more of {holdout.series} series", "yellow")
    if holdout.best != holdout.model:
        flag = next(flag for flag, label in REFERENCES.items() if label == holdout.best)
        advice = f"consider --model {flag}" + " or ensemble" * (holdout.model != "ensemble")
        report.warning(f"{holdout.best} forecasts these rows better than {holdout.model}: {advice}")


def summarize_holdout(holdout: Holdout) -> dict:
    """Return the results as a dict."""
    return {
        "test": holdout.scores.astype("float64").to_dict(orient="index"),
        "best": holdout.best,
        "coverage": holdout.coverage,
        "weak": [
            {"series": each.series, "better": each.reference, "mae": each.error, "mae_of_model": each.own_error}
            for each in holdout.worse
        ],
    }
