"""Selection of the ensemble's members and weights."""

import numpy as np

from forecastkit.auto.successive_halving import KEPT, Halving
from forecastkit.comparison.candidates import Candidate

#: Weights are proportional to the inverse of shrunken errors to this power (benchmarks/member_rule.py).
EXPONENT = 6
#: Members with less than this fraction of the largest weight are left out.
LEAST = 0.1
#: Number of groups of series that take the place of folds if there is a single fold, and fewest series of a group.
GROUPS, MIN_SERIES = 4, 10
#: Fraction by which the error of an average of networks may increase with an additional network, as a larger average
#: varies less.
AS_GOOD = 0.002


def choose(search: Halving, known: dict[str, Candidate], schedule, reference: str = "") -> dict[str, float]:
    """Select the members and their weights.

    Weights are proportional to a power of the inverse errors on the folds [1]_, after the differences between errors
    have been shrunk towards zero by as much as they vary between folds [2]_, or between groups of series if there is
    one fold of many series. So members that are better on all folds have larger weights, and where folds disagree
    weights are equal. The selected networks together count as one more forecaster if they reduce the error of the
    average by more than chance. Without folds the forecasters without training have equal weights.

    Parameters
    ----------
    known : dict of str to Candidate
        All candidates.
    schedule : Schedule
        Determines whether there is time for an additional network.
    reference : str
        Name of the baseline to which scores are relative; it is a member only if nothing else is better.

    Returns
    -------
    dict of str to float
        Weights by name, the largest first; empty if there was no time to evaluate any.

    References
    ----------
    .. [1] Bates, J. M., & Granger, C. W. J. (1969). The combination of forecasts. Operational Research Quarterly 20:
       inverse mean squared errors. Departure: a higher power of mean absolute errors.
    .. [2] James, W., & Stein, C. (1961). Estimation with quadratic loss. Proceedings of the Fourth Berkeley Symposium.
    """
    quick = [name for name, one in known.items() if not one.is_trained]
    if not search.had_folds:
        return dict.fromkeys([name for name in quick if name != reference], 1 / max(len(quick) - 1, 1))
    folds = len(search.evaluator.folds)
    errors = {
        name: _errors(search, {name: 1.0}, folds) for name in quick if np.isfinite(search.mean_score(name, folds))
    }
    others = [error.mean() for name, error in errors.items() if name != reference]
    if others and min(others) <= errors.get(reference, np.full(1, np.inf)).mean():
        errors.pop(reference, None)
    return _with_networks(search, known, schedule, weights_by_errors(errors), reference)


def _errors(search, weights: dict[str, float], folds: int) -> np.ndarray:
    """Return the mean error of a weighted average on each of the first folds, or on groups of series of one fold."""
    if folds == 1 and len(errors := search.evaluator.errors(weights, 0)) >= GROUPS * MIN_SERIES:
        return np.array([errors[number::GROUPS].mean() for number in range(GROUPS)])
    return np.array([search.evaluator.errors(weights, fold).mean() for fold in range(folds)])


def weights_by_errors(errors: dict[str, np.ndarray], prior: dict[str, float] | None = None) -> dict[str, float]:
    """Return the weights of forecasters with these errors on folds, the largest first.

    Parameters
    ----------
    prior : dict of str to float, optional
        Weights, up to a factor, of forecasters with equal errors; by default equal.
    """
    if not errors:
        return {}
    logs = np.log(np.maximum(np.stack(list(errors.values())), 1e-12))
    logs -= logs.mean(axis=0)
    mean, folds = logs.mean(axis=1), logs.shape[1]
    # One fold of few series does not show how errors vary.
    noise = logs.var(axis=1, ddof=1).sum() / folds if folds > 1 else np.inf
    kept = max(0.0, 1 - noise / max(float(np.sum(mean**2)), 1e-12))
    powers = dict(zip(errors, np.exp(-EXPONENT * kept * mean).tolist(), strict=True))
    powers = {name: power * (prior or {}).get(name, 1.0) for name, power in powers.items()}
    powers = {name: power for name, power in powers.items() if power >= LEAST * max(powers.values())}
    return {name: powers[name] / sum(powers.values()) for name in sorted(powers, key=powers.get, reverse=True)}


def _with_networks(search, known, schedule, weights: dict[str, float], reference: str) -> dict[str, float]:
    """Return the weights with those of the networks if the average is clearly better with them."""
    trained = [one for one in known.values() if one.is_trained]
    folds = search.folds_for_selection(trained)
    scores = {one.name: search.mean_score(one.name, folds) for one in trained}
    ranked = sorted((name for name, value in scores.items() if np.isfinite(value)), key=scores.get)
    networks = _networks(ranked, lambda own: float(_errors(search, own, folds).mean()), schedule)
    if not networks or not weights:
        return weights or networks
    groups = {"average": weights, "networks": networks}
    errors = {name: _errors(search, group, folds) for name, group in groups.items()}
    fractions = weights_by_errors(errors, {"average": float(len(weights))})
    if set(weights) == {reference}:
        fractions = {"networks": 1.0}
    joined = {name: fractions[group] * weight for group in fractions for name, weight in groups[group].items()}
    if "networks" in fractions and search.evaluator.is_clearly_worse(weights, joined, folds):
        return dict(sorted(joined.items(), key=lambda item: -item[1]))
    return weights


def _networks(ranked, error, schedule) -> dict[str, float]:
    """Return equal weights of the best network and of those that do not increase the error of the average."""
    chosen: dict[str, float] = {}
    for name in ranked:
        names = [*chosen, name]
        if len(names) > KEPT or not schedule.can_fit(names):
            continue
        joined = dict.fromkeys(names, 1 / len(names))
        if not chosen or error(joined) <= error(chosen) * (1 + AS_GOOD):
            chosen = joined
    return chosen
