"""Select the ensemble's members and weights."""

import numpy as np

from forecastkit.auto.successive_halving import KEPT, Halving
from forecastkit.comparison.candidates import Candidate

#: Fraction by which an average of networks may be worse with one more of them: it is steadier.
AS_GOOD = 0.002
#: How many times the error of the best one on the folds a member may have. Folds are few, and what they say of smaller
#: differences is mostly noise: on short panels those that were a tenth behind there were ahead afterwards.
WITHIN = 1.25


def choose(search: Halving, known: dict[str, Candidate], schedule, reference: str = "") -> dict[str, float]:
    """Members, and what each counts.

    All whose errors on the folds are within a quarter of the best one's count alike, the trained networks together as
    one of them: their plain average, of the best and of whoever does it no harm.

    Parameters
    ----------
    known : dict of str to Candidate
        All that may have been tried.
    schedule : Schedule
        Which says whether there is time for one more network.
    reference : str
        The baseline that scores are relative to, a member only where nothing else is better.

    Returns
    -------
    dict of str to float
        The best first; empty where nothing was tried.
    """
    folds = search.shared([one for one in known.values() if one.is_trained])
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
    """The plain average of the best and of whoever does it no harm, as many as there is time for."""
    chosen: dict[str, float] = {}
    for name in ranked:
        names = [*chosen, name]
        if len(names) > KEPT or not schedule.has_room(names):
            continue
        joined = dict.fromkeys(names, 1 / len(names))
        if not chosen or error(joined) <= error(chosen) * (1 + AS_GOOD):
            chosen = joined
    return chosen
