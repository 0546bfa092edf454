"""Selection of the ensemble's members and weights."""

import numpy as np

from forecastkit.auto.successive_halving import KEPT, Halving
from forecastkit.comparison.candidates import Candidate

#: Fraction by which the error of an average of networks may increase with an additional network, as a larger average
#: varies less.
AS_GOOD = 0.002
#: Largest errors of a member relative to the best one on the folds: if it is significantly larger, and in any case. On
#: short panels, where there are few folds, forecasters that were 10 % worse were better afterwards.
WITHIN, WITHIN_ANY_CASE = 1.25, 3.0


def choose(search: Halving, known: dict[str, Candidate], schedule, reference: str = "") -> dict[str, float]:
    """Select the members and their weights.

    Forecasters without training have equal weights, except those whose error on the folds is significantly larger than
    the smallest one and by more than a quarter, or three times as large. The selected networks together count as one
    more forecaster if they reduce the error of the average significantly.

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
        Weights by name, the best member first; empty if nothing was tried.
    """
    folds = search.folds_for_selection([one for one in known.values() if one.is_trained])
    scores = {name: search.mean_score(name, folds) for name in known} if folds else {}
    ranked = sorted((name for name, value in scores.items() if np.isfinite(value)), key=scores.get)

    def error(weights):
        return float(np.mean([search.evaluator.errors(weights, fold).mean() for fold in range(folds)]))

    groups = {(name,): {name: 1.0} for name in ranked if not known[name].is_trained}
    networks = _networks([name for name in ranked if known[name].is_trained], error, schedule)
    if networks:
        groups[tuple(networks)] = networks
    kept = _without_the_worse(groups, error, search.evaluator, folds, reference)
    weights = _average(kept)
    quick = [group for group in kept if group is not networks]
    if networks in kept and quick and not search.evaluator.is_clearly_worse(_average(quick), weights, folds):
        weights = _average(quick)
    return {name: weights[name] for name in ranked if name in weights}


def _average(groups: list[dict[str, float]]) -> dict[str, float]:
    """Return equal weights of the groups."""
    return {name: weight / len(groups) for group in groups for name, weight in group.items()}


def _without_the_worse(groups, error, evaluator, folds, reference) -> list[dict[str, float]]:
    """Return the groups that are not much worse than the best, without the reference if another group is better."""
    errors = {names: error(group) for names, group in groups.items()}
    if not errors:
        return []
    best = min(errors, key=errors.get)
    better = any(wrong <= errors[best] for names, wrong in errors.items() if reference not in names)
    kept = []
    for names, group in groups.items():
        ratio = errors[names] / max(errors[best], 1e-12)
        far = ratio > WITHIN_ANY_CASE
        far = far or (ratio > WITHIN and evaluator.is_clearly_worse(group, groups[best], folds))
        if not far and not (better and reference in names):
            kept.append(group)
    return kept


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
