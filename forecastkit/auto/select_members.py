"""Select the ensemble's members and weights."""

import numpy as np

from forecastkit.auto.candidates import LINEAR
from forecastkit.auto.successive_halving import KEPT, Halving
from forecastkit.comparison.candidates import Candidate

#: Part by which a plain average may be worse with one more member: it is steadier.
AS_GOOD = 0.002
#: How sure it must be that the folds speak against a family, and the part of the error by which they do in any case.
SURE, MUCH = 0.975, 0.1


def choose(search: Halving, known: dict[str, Candidate], schedule, nested: str = "") -> dict[str, float]:
    """Members, and what each counts.

    There are two families, networks and the others, the linear forecaster among them. Within a family are the best one
    on the folds, then down the ranking whoever does their plain average no harm. Both families count half, unless the
    folds speak clearly for one of them alone: networks have fewer rows and seconds there than they will
    have in the end, so folds rank them among themselves, and are a poor judge between families.

    Parameters
    ----------
    known : dict of str to Candidate
        All that may have been tried.
    schedule : Schedule
        Which says whether there is time for one more.
    nested : str
        A baseline that is a special case of the linear forecaster, and a member only where it is clearly better.

    Returns
    -------
    dict of str to float
        The best first; empty where nothing was tried.
    """
    folds = search.shared([one for one in known.values() if one.is_trained])
    scores = {name: search.mean_score(name, folds) for name in known} if folds else {}
    ranked = sorted((name for name, value in scores.items() if np.isfinite(value)), key=scores.get)

    def errors(weights):
        """By fold: series of one time share its shocks, and do not count as independent."""
        return np.array([search.evaluator.errors(weights, fold).mean() for fold in range(folds)])

    if {LINEAR, nested} <= {*ranked} and not is_worse(errors({LINEAR: 1.0}), errors({nested: 1.0})):
        ranked.remove(nested)
    networks, others = (
        _family([name for name in ranked if known[name].is_trained == trained], errors, trained and schedule)
        for trained in (True, False)
    )
    mixed = {name: part / 2 for name, part in {**networks, **others}.items()}
    for alone, rest in ((networks, others), (others, networks)):
        if not rest or (alone and is_worse(errors(mixed), errors(alone))):
            return alone
    return {name: mixed[name] for name in ranked if name in mixed}


def _family(ranked, errors, schedule) -> dict[str, float]:
    """The plain average of the best and of whoever does it no harm; of networks as many as there is time for."""
    chosen: dict[str, float] = {}
    for name in ranked:
        names = [*chosen, name]
        if schedule and (len(names) > KEPT or not schedule.has_room(names)):
            continue
        joined = dict.fromkeys(names, 1 / len(names))
        if not chosen or errors(joined).mean() <= errors(chosen).mean() * (1 + AS_GOOD):
            chosen = joined
    return chosen


def is_worse(errors: np.ndarray, others: np.ndarray) -> bool:
    """Whether errors of the same folds are clearly greater: by a tenth, or beyond doubt by a t test over folds."""
    from scipy.stats import t

    difference = errors - others
    if difference.mean() > MUCH * others.mean():
        return True
    if len(difference) < 2 or not difference.mean() > 0:
        return False
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    return bool(difference.mean() > t.ppf(SURE, len(difference) - 1) * error)
