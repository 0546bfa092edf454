"""Test of a trained model on the last rows, with linear and seasonal naive forecasts as references."""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from forecastkit.cli import models
from forecastkit.cli.choose_sizes import Sizes
from forecastkit.cli.console import Reporter
from forecastkit.cli.read_data import Data
from forecastkit.evaluation.backtesting import backtest
from forecastkit.evaluation.results import Backtest, coverage_by_third, covered_levels, drift
from forecastkit.metrics.elementwise import independent_blocks, is_clearly_larger
from forecastkit.utils.exceptions import InputError
from forecastkit.utils.formatting import coverage_text, decimals, number, percent

REFERENCES = {"linear": "linear", "seasonal_naive": "seasonal naive"}
COLUMNS = ("mae", "mase", "coverage")
MAX_WORSE = 5
#: Fraction of its error that another model must save at least to be recommended, however clear the difference.
LEAST_GAIN = 0.02
#: Nominal coverage of the interval that is shown by thirds of the test, and fewest cutoffs for that.
INTERVAL, MIN_CUTOFFS = 0.8, 6


@dataclass(frozen=True)
class Worse:
    """A series that a reference forecasts better than the model."""

    series: str
    reference: str
    error: float  #: Mean absolute error of the reference
    own_error: float  #: That of the model


@dataclass(frozen=True)
class Holdout:
    """Scores of a model and the references on the test rows."""

    #: ``mae``, ``mase`` and ``coverage`` by model, the tested one first; empty if it could not be tested
    scores: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(COLUMNS)))
    better: str | None = None  #: The best reference, if its errors on the same windows are clearly smaller
    #: Series of several in which a reference has errors that are smaller by more than chance, by the ratio of the
    #: errors, the largest first
    worse: list[Worse] = field(default_factory=list)
    series: int = 0  #: Number of compared series and targets
    #: Fractions of actuals inside the intervals of the tested model, see `forecastkit.Backtest`
    coverage: list[dict] = field(default_factory=list)
    #: Fractions inside the 80 % interval in the first, middle and last third of the cutoffs; empty for few cutoffs
    thirds: dict[str, float] = field(default_factory=dict)
    drift: float = 0.0  #: See `forecastkit.evaluation.results.drift`
    backtest: Backtest | None = None  #: The forecasts of the tested model

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
    keys = list(tests[name].reference.series)
    errors = _paired_errors(tests, keys)
    block = _blocks(errors, keys, sizes)
    holdout = Holdout(scores, coverage=tests[name].ranges(), backtest=tests[name], **_thirds(tests[name], sizes.stride))
    best = holdout.best
    better = best if _is_worth_changing(*_relative(errors, keys)[[name, best]].to_numpy().T, block) else None
    series = errors.groupby(keys).ngroups if keys else 1
    return replace(holdout, better=better, worse=_find_worse(name, errors, keys, block), series=series)


def _is_worth_changing(own: np.ndarray, other: np.ndarray, block: np.ndarray) -> bool:
    """Return whether other errors are smaller by more than chance, and by enough to matter."""
    return is_clearly_larger(own, other, block) and other.mean() <= (1 - LEAST_GAIN) * own.mean()


def _thirds(test: Backtest, stride: int) -> dict:
    """Return `thirds` and `drift` of a `Holdout`."""
    if INTERVAL not in test.coverage.index or test.forecasts["cutoff"].nunique() < MIN_CUTOFFS:
        return {}
    return {"thirds": coverage_by_third(test).loc[INTERVAL].to_dict(), "drift": drift(test, INTERVAL, stride)}


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


def _paired_errors(tests: dict, keys: list[str]) -> pd.DataFrame:
    """Absolute errors by model in columns, on the steps that all models forecast, with the keys of series first."""
    index = [*keys, "cutoff", "step"]
    errors = {
        label: (test.forecasts["actual"] - test.forecasts["forecast"])
        .abs()
        .set_axis(pd.MultiIndex.from_frame(test.forecasts[index]))
        for label, test in tests.items()
    }
    return pd.DataFrame(errors).dropna().reset_index()


def _relative(errors: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Errors in units of the mean of all models' errors in each series, so that series count alike."""
    labels = [label for label in errors if label not in (*keys, "cutoff", "step")]
    if not keys:
        return errors[labels]
    unit = errors.groupby(keys)[labels].transform("mean").mean(axis=1).clip(lower=1e-300)
    return errors[labels].div(unit, axis=0)


def _find_worse(name: str, errors: pd.DataFrame, keys: list[str], block: np.ndarray) -> list[Worse]:
    """Series in which a reference is clearly better, those with the largest ratio of errors first."""
    found = []
    labels = [label for label in errors if label not in (name, *keys, "cutoff", "step")]
    for key, rows in errors.groupby(keys) if keys else ():
        means = rows[[name, *labels]].mean()
        best = str(means[labels].idxmin())
        if is_clearly_larger(rows[name].to_numpy(), rows[best].to_numpy(), block[rows.index]):
            found.append(Worse(_series_name(key), best, float(means[best]), float(means[name])))
    return sorted(found, key=lambda each: each.own_error / max(each.error, 1e-300), reverse=True)


def _blocks(errors: pd.DataFrame, keys: list[str], sizes: Sizes) -> np.ndarray:
    """Return blocks of errors that can be treated as independent."""
    times = np.unique(errors["cutoff"], return_inverse=True)[1]
    series = errors.groupby(keys, sort=False).ngroup().to_numpy() if keys else np.zeros(len(errors), dtype="int64")
    return independent_blocks(times * sizes.stride + errors["step"].to_numpy(), sizes.horizon, series)


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
    if holdout.thirds:
        held = ", ".join(f"{percent(share)} in the {third}" for third, share in holdout.thirds.items())
        report.info("thirds", f"the 80 % interval holds {held} of the test")
    if holdout.drift:
        change = "fewer" if holdout.drift < 0 else "more"
        report.info(
            "drift",
            f"it holds {change} actuals towards the end; --set calibrate=rolling follows the errors of later updates",
            "yellow",
        )
    for each in holdout.worse[:MAX_WORSE]:
        errors = f"MAE {number(each.error, places)}, {holdout.model} {number(each.own_error, places)}"
        report.info("worse", f"{each.series}: {each.reference} is better ({errors})", "yellow")
    if len(holdout.worse) > MAX_WORSE:
        report.info("worse", f"and {len(holdout.worse) - MAX_WORSE} more of {holdout.series} series", "yellow")
    if holdout.better is not None:
        flag = next(flag for flag, label in REFERENCES.items() if label == holdout.better)
        advice = f"consider --model {flag}" + " or ensemble" * (holdout.model != "ensemble")
        report.warning(f"{holdout.better} forecasts these rows better than {holdout.model}: {advice}")


def summarize_holdout(holdout: Holdout) -> dict:
    """Return the results as a dict."""
    return {
        "test": holdout.scores.astype("float64").to_dict(orient="index"),
        "best": holdout.best,
        "better": holdout.better,
        "coverage": holdout.coverage,
        "coverage_by_third": holdout.thirds,
        "coverage_drift": holdout.drift,
        "weak": [
            {"series": each.series, "better": each.reference, "mae": each.error, "mae_of_model": each.own_error}
            for each in holdout.worse
        ],
    }
