"""Selection of the ensemble's members and weights."""

import numpy as np

from forecastkit.auto.successive_halving import KEPT, Halving
from forecastkit.comparison.candidates import Candidate

#: Weights are proportional to the inverse errors to this power (benchmarks/member_rule.py).
EXPONENT = 6
#: Members with less than this fraction of the largest weight are left out.
LEAST = 0.1
#: Fraction by which the error of an average of networks may increase with an additional network, as a larger average
#: varies less.
AS_GOOD = 0.002


def choose(search: Halving, known: dict[str, Candidate], schedule, reference: str = "") -> dict[str, float]:
    """Select the members and their weights.

    Weights are proportional to a power of the inverse errors on the folds [1]_, which moves them from equal weights as
    far as errors differ: 10 % more error means 44 % less weight. The selected networks together count as one more
    forecaster if they reduce the error of the average by more than chance. Without folds the forecasters without
    training have equal weights.

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
        Weights by name, the largest first; empty if nothing was evaluated for want of time.

    References
    ----------
    .. [1] Bates, J. M., & Granger, C. W. J. (1969). The combination of forecasts. Operational Research Quarterly 20:
       inverse mean squared errors. Departure: a higher power of mean absolute errors.
    """
    quick = [name for name, one in known.items() if not one.is_trained]
    if not search.had_folds:
        return dict.fromkeys([name for name in quick if name != reference], 1 / max(len(quick) - 1, 1))
    folds = len(search.evaluator.folds)
    if not folds:
        return {}
    weights = _inverse_errors({name: search.mean_score(name, folds) for name in quick}, reference)
    return _with_networks(search, known, schedule, weights, reference)


def _inverse_errors(scores: dict[str, float], reference: str = "") -> dict[str, float]:
    """Return the weights of forecasters with these errors, the largest first."""
    scores = {name: max(error, 1e-12) for name, error in scores.items() if np.isfinite(error)}
    least = min(scores.values(), default=1.0)
    others = [name for name in scores if name != reference]
    if others and min(scores[name] for name in others) <= scores.get(reference, np.inf):
        scores.pop(reference, None)
    powers = {name: (least / error) ** EXPONENT for name, error in sorted(scores.items(), key=lambda item: item[1])}
    powers = {name: power for name, power in powers.items() if power >= LEAST * max(powers.values())}
    return {name: power / sum(powers.values()) for name, power in powers.items()}


def _with_networks(search, known, schedule, weights, reference) -> dict[str, float]:
    """Return the weights with those of the networks if the average is clearly better with them."""
    trained = [one for one in known.values() if one.is_trained]
    folds, evaluator = search.folds_for_selection(trained), search.evaluator

    def error(own, folds=folds):
        return float(np.mean([evaluator.errors(own, fold).mean() for fold in range(folds)]))

    scores = {one.name: search.mean_score(one.name, folds) for one in trained}
    ranked = sorted((name for name, value in scores.items() if np.isfinite(value)), key=scores.get)
    networks = _networks(ranked, error, schedule)
    if not networks:
        return weights
    if not weights:
        return networks
    every = len(evaluator.folds)
    members = {name: error({name: 1.0}, every) for name in weights}
    # Networks have seen the latest folds only, on which all errors may be larger or smaller.
    members[""] = error(networks) / error(weights) * error(weights, every)
    joined = _inverse_errors(members, reference)
    share = joined.pop("", 0.0)
    joined = joined | {name: share * weight for name, weight in networks.items() if share}
    if share and evaluator.is_clearly_worse(weights, joined, folds):
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
