"""Weights of the steps of the horizon and of the targets in the loss of a network."""

from collections.abc import Mapping
from numbers import Real

import numpy as np

from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import check_names, refuse


def make_loss_weight(where: str, steps: object, targets: object, horizon: int, names: tuple) -> np.ndarray | None:
    """Return the weight of each target and step, (targets, horizon) float32 with mean 1; None for equal weights.

    Targets without a name in a mapping have weight 1. Weights must be numbers from 0 with a positive sum, one for each
    step and each of the target `names`.
    """
    if steps is None and targets is None:
        return None
    if isinstance(targets, Mapping):
        check_names(where, "a target named in target_weight=", targets, names)
        targets = [targets.get(name, 1.0) for name in names]
    by_step = _weights(where, "step_weight", steps, horizon, "step of the horizon")
    by_target = _weights(where, "target_weight", targets, len(names), "target")
    return np.outer(by_target, by_step).astype("float32")


def _weights(where, parameter, given, count, of):
    """Return weights with mean 1, (count,)."""
    if given is None:
        return np.ones(count)
    rule = f"{parameter} must have a number from 0 for each {of}, {count}, and not only zeros"
    values = list(given) if np.iterable(given) and not isinstance(given, str) else []
    are_numbers = all(isinstance(value, Real) and not isinstance(value, bool) for value in values)
    if not are_numbers or len(values) != count:
        got = f"{len(values)} of them" if are_numbers and values else repr(given)
        refuse(where, rule, got, error=ParameterError)
    weights = np.asarray(values, dtype="float64")
    if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
        refuse(where, rule, repr(given), error=ParameterError)
    return weights / weights.mean()
