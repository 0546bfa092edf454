"""Selection of the ensemble's members and weights."""

import numpy as np

from forecastkit.auto.successive_halving import KEPT, Halving
from forecastkit.comparison.candidates import Candidate

#: Fraction by which the error of an average of networks may increase with an additional network, as a larger average
#: varies less.
AS_GOOD = 0.002
#: Largest error of a member relative to the best one on the folds. There are few folds, and smaller differences are
#: mostly noise: on short panels, forecasters that were 10 % worse were better afterwards.
WITHIN = 1.25


def choose(search: Halving, known: dict[str, Candidate], schedule, reference: str = "") -> dict[str, float]:
    """Select the members and their weights.

    Forecasters whose errors on the folds are within a quarter of the best one's have equal weights; the trained
    networks together count as one forecaster, the average of the selected networks.

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

    networks = _networks([name for name in ranked if known[name].is_trained], error, schedule)
    groups = [({name: 1.0}, scores[name]) for name in ranked if not known[name].is_trained]
    groups += [(networks, error(networks))] if networks else []
    least = min((wrong for _, wrong in groups), default=np.inf)
    better = any(wrong <= least for group, wrong in groups if reference not in group)
    kept = [group for group, wrong in groups if wrong <= WITHIN * least and not (better and reference in group)]
    weights = {name: weight / len(kept) for group in kept for name, weight in group.items()}
    return {name: weights[name] for name in ranked if name in weights}


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
