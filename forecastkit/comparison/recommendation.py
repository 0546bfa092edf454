"""Recommend a model for a data set, with the reasons."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from forecastkit.baselines import simple
from forecastkit.comparison.candidates import Candidate, make_candidates
from forecastkit.comparison.comparison import compare, prepare_folds
from forecastkit.comparison.measure import Task
from forecastkit.comparison.results import Comparison, is_decided
from forecastkit.data.ingest.read_panel import read_panel
from forecastkit.data.windows import Windows
from forecastkit.evaluation.folds import Fold
from forecastkit.forecasters.linear import LinearForecaster
from forecastkit.uncertainty.residuals import observed_after
from forecastkit.utils.formatting import number, percent
from forecastkit.utils.time_budget import LEAST, TimeBudget, no_time_for, seconds_of
from forecastkit.utils.types import Data, Path
from forecastkit.utils.validation import refuse

WHERE = "recommend"
#: Number of windows below which a network has too little data, and above which it has enough.
FEW, PLENTY = 2_000, 500_000
#: Horizon from which the linear forecast was as good as any network in benchmarks.
FAR = 336
#: Fractions of error reduced by a season, from which it is called weak and strong.
WEAK, STRONG = 0.05, 0.25
#: Seconds of a fit in a quick comparison, and the largest number of networks.
QUICK, MAX_NETWORKS = 10.0, 4
#: Networks tried in addition to that of the rule of thumb, the most promising first.
CHALLENGERS = ("ensemble", "gru", "lstm_transformer", "transformer", "lstm")
#: Relative difference that counts even if it is not significant.
CLEAR = 0.1
MAX_WINDOWS = 2_000
PLAIN = (str, int, float, bool, type(None))


@dataclass(frozen=True)
class Facts:
    """Properties of the data, measured on rows before the folds of the comparison.

    Attributes
    ----------
    rows : int
        Number of rows of the longest series.
    series : int
        Number of series times number of targets.
    windows : int
        Number of rows with a complete horizon after them, over all series.
    horizon, season : int
    missing : float
        Fraction of missing values.
    seasonality : float
        Fraction of the naive forecast's error that the seasonal naive one avoids; negative if it is worse.
    covariates : int
        Number of future, past and static covariates.
    """

    rows: int
    series: int
    windows: int
    horizon: int
    season: int
    missing: float
    seasonality: float
    covariates: int


@dataclass(frozen=True, eq=False, repr=False)
class Recommendation:
    """Result of `forecastkit.recommend`.

    Attributes
    ----------
    name : str
        Name of the model for `forecast train --model`.
    model : Forecaster
        Unfitted.
    reasons : list of str
        Reasons as sentences.
    comparison : Comparison
        The quick comparison.
    facts : Facts
    """

    name: str
    model: object
    reasons: list
    comparison: Comparison
    facts: Facts

    def __repr__(self) -> str:
        return "\n".join([f"{self.name}: {self.model!r}", *(f"- {reason}" for reason in self.reasons)])

    def to_dict(self) -> dict:
        """Return everything as plain values."""
        parameters = self.model.get_params(deep=False).items()
        return {
            "model": self.name,
            "class": type(self.model).__name__,
            "parameters": {name: value if isinstance(value, PLAIN) else repr(value) for name, value in parameters},
            "reasons": self.reasons,
            "facts": asdict(self.facts),
            "comparison": self.comparison.to_dict(),
        }


def recommend(
    X: Data,
    y: Data | None = None,
    *,
    budget: float | str = "2m",
    path: Path | None = None,
    progress: Callable[[str], object] | None = None,
    **parameters: Any,
) -> Recommendation:
    """Recommend a model for these data by a rule of thumb that is tested by a quick comparison.

    If the comparison contradicts the rule, the comparison decides.

    Parameters
    ----------
    X, y : as in `fit`
    budget : float or str
        Time budget in seconds, or ``"90s"``, ``"10m"``.
    path : path-like, optional
        File of finished runs, as in `compare`.
    progress : callable, optional
        Called with a line of text after every run.
    **parameters
        Constructor parameters: ``horizon=24, target="load"``.

    Returns
    -------
    Recommendation

    Raises
    ------
    InputError
        As in `compare`.
    """
    budget = budget if isinstance(budget, TimeBudget) else TimeBudget(seconds_of(budget, WHERE))
    common = {name: value for name, value in parameters.items() if name in LinearForecaster._get_param_names()}
    candidates = make_candidates("linear", common)
    task, folds = prepare_folds(candidates, *read_panel(X, y, **candidates[0].forecaster._reading()))
    facts = measure(task, folds[0])
    rule, reason = rule_of_thumb(facts)
    names = shortlist(rule, facts, budget.seconds, len(folds))
    seeds = {"seeds": 1, "memory": False, "path": path, "progress": progress}
    comparison = compare(names, X, y, budget=budget, **seeds, **parameters)
    name, verdict = decide(rule, comparison)
    model = Candidate(name, comparison.models[name]).for_run(0, None)
    thumb = f"The rule of thumb suggests {named(rule)}: {reason}."
    left = [named(each) for each in shortlist(rule, facts, None, len(folds)) if each not in names]
    untried = [f"{no_time_for(left).capitalize()}: a longer budget tries them too."] if left else []
    return Recommendation(name, model, [*describe(facts), thumb, *verdict, *untried], comparison, facts)


def measure(task: Task, first: Fold) -> Facts:
    """Return the facts of the rows before the first fold."""
    panel = first.seen(task.panel)
    lengths = panel.last_observed() + 1 - panel.first_observed()
    windows = Windows.training(panel, panel.last_observed() + 1, 1, task.sizes.horizon)
    inside = np.concatenate(
        [panel.target[a:b] for a, b in zip(panel.first_observed(), panel.last_observed() + 1, strict=True)]
    )
    covariates = panel.known.shape[1] + panel.past.shape[1] + panel.static.shape[1]
    return Facts(
        rows=int(lengths.max()),
        series=len(panel.ids) * panel.channels,
        windows=len(windows),
        horizon=task.sizes.horizon,
        season=task.season,
        missing=float(np.isnan(inside).mean()),
        seasonality=_seasonality(panel, task),
        covariates=covariates,
    )


def _seasonality(panel, task) -> float:
    """Return the fraction of the naive forecast's error that the seasonal naive forecast avoids."""
    horizon = task.sizes.horizon
    windows = Windows.training(panel, panel.last_observed() + 1, task.season, horizon)
    if task.season == 1 or not len(windows):
        return 0.0
    origins = windows.spaced(MAX_WINDOWS)
    actual = observed_after(panel, origins, horizon)
    naive = np.nanmean(np.abs(simple.naive(panel, origins, horizon) - actual))
    seasonal = np.nanmean(np.abs(simple.seasonal_naive(panel, origins, horizon, task.season) - actual))
    return float(1 - seasonal / naive) if naive > 0 else 0.0


def rule_of_thumb(facts: Facts) -> tuple[str, str]:
    """Return the name of a model and the reasons, before any comparison.

    The statements were measured in the benchmarks of the project, or are claims that the comparison tests.
    """
    if facts.windows < 3 * facts.season or facts.windows < 30:
        name = "seasonal_naive" if facts.seasonality > WEAK else "naive"
        return name, f"{facts.windows:,} windows are too few to learn from"
    if facts.windows < FEW and not facts.covariates:
        return "linear", f"{facts.windows:,} windows are few, and a closed-form model does not overfit as networks do"
    if facts.windows < FEW:
        return "ensemble", "windows are few, so a network that uses the covariates is averaged with the linear forecast"
    if facts.horizon >= FAR and not facts.covariates:
        return "linear", f"at a horizon of {facts.horizon} steps the linear forecast was as good as any network"
    if facts.windows >= PLENTY:
        return "lstm_transformer", f"{facts.windows:,} windows are enough, also for attention after recurrence"
    return "ensemble", "the plain average of a GRU and the linear forecast was the most accurate in benchmarks"


def shortlist(rule: str, facts: Facts, seconds: float | None, folds: int) -> list[str]:
    """Return the rule's model and as many alternatives as time allows."""
    most = MAX_NETWORKS if seconds is None else int(seconds // (QUICK * folds))
    if seconds is not None and seconds < LEAST * folds:
        return ["linear"]
    networks = list(dict.fromkeys([*([rule] if rule in CHALLENGERS else []), *CHALLENGERS]))
    if facts.windows < FEW:
        networks.sort(key=lambda name: name not in (rule, "gru"))
    return [*networks[: max(1, min(most, MAX_NETWORKS))], *([rule] if rule not in networks else [])]


def decide(rule: str, comparison: Comparison) -> tuple[str, list[str]]:
    """Return the selected model and the reasons from the comparison."""
    table, metric = comparison.table, comparison.metric
    best = comparison.best
    if not np.isfinite(table.loc[best, metric]):
        refuse(WHERE, "forecasts must be finite", str(table.loc[best, "verdict"]), "Check the data for extreme values.")
    count = int(np.isfinite(table[metric]).sum())
    found = f"{named(best)} has the smallest error of {count} ({metric.upper()} {_score(table, best, metric)})"
    if rule == best:
        return best, [f"The quick comparison agrees: {found}.", *_next(comparison), *_notes(comparison)]
    row = table.loc[rule]
    if str(row["verdict"]).startswith("not run"):
        untried = f"The rule names {named(rule)}, which was {row['verdict']}. In the quick comparison {found}."
        return best, [untried, *_next(comparison), *_notes(comparison)]
    if not is_decided(str(row["verdict"])) and row["difference"] <= CLEAR * table.loc[best, metric]:
        stands = (
            f"In the quick comparison {found}, but {named(rule)} is not significantly worse, so the rule is followed."
        )
        return rule, [stands, *_notes(comparison)]
    worse = f"{100 * row['difference'] / table.loc[best, metric]:.0f} % more" if np.isfinite(row[metric]) else "failed"
    wins = f"The quick comparison disagrees: {found}, {named(rule)} {worse}. The comparison decides."
    return best, [wins, *_next(comparison), *_notes(comparison)]


def _next(comparison) -> list[str]:
    """Return an equally good model that is faster to fit, or None."""
    table, metric = comparison.table, comparison.metric
    rest = table.iloc[1:]
    near = ~rest["verdict"].astype(str).map(is_decided) & (rest["difference"] <= CLEAR * table[metric].iloc[0])
    cheap = rest[near & (rest["fit_seconds"] < 0.2 * table["fit_seconds"].iloc[0])]
    if not len(cheap):
        return []
    return [f"If time matters: {named(cheap.index[0])} is not significantly worse, and much faster to fit."]


def _notes(comparison) -> list[str]:
    return [f"{note[0].upper()}{note[1:]}." for note in comparison.notes]


def _score(table, name, metric) -> str:
    error = table.loc[name, "se"]
    return number(table.loc[name, metric], 3) + (f" ± {number(error, 3)}" if np.isfinite(error) else "")


def describe(facts: Facts) -> list[str]:
    """Return the facts as sentences."""
    sentences = [
        f"{facts.series:,} series, the longest of {facts.rows:,} rows before the test, give {facts.windows:,} windows "
        f"of horizon {facts.horizon}."
    ]
    if facts.season > 1:
        saved = facts.seasonality
        kind = "strong" if saved >= STRONG else "weak" if saved >= WEAK else "of no use"
        better = f"{percent(abs(saved))} {'better' if saved >= 0 else 'worse'}"
        season = f"Last season's values ({facts.season} steps back)"
        sentences.append(f"{season} forecast {better} than the last one: the season is {kind}.")
    if facts.missing:
        sentences.append(
            f"{percent(facts.missing)} of the values are missing, which networks mask and baselines bridge."
        )
    if facts.covariates:
        sentences.append(f"{facts.covariates} covariates may explain more than the past alone.")
    return sentences


def named(name: str) -> str:
    """Return the name of a model as used in sentences."""
    return {"ensemble": "the ensemble of GRU and linear"}.get(name, name.replace("_", " "))
