"""Output heads of a network (points, quantiles, distributions) and their losses."""

from collections.abc import Sequence
from typing import Any

from forecastkit.networks.heads.base import POINT_LOSSES, Head, Point, Quantiles
from forecastkit.networks.heads.distributions import DISTRIBUTIONS, Distribution
from forecastkit.networks.heads.own_loss import OwnLoss, check_by_trial, find_loss

LOSSES = (*POINT_LOSSES, *DISTRIBUTIONS)

__all__ = ["LOSSES", "Distribution", "Head", "OwnLoss", "Point", "Quantiles", "check_by_trial", "make_head"]


def make_head(loss: Any, levels: Sequence[float] | None = None, where: str = "loss") -> Head:
    """Return the head for a loss or distribution, also a Keras loss; with `levels`, a quantile head.

    Raises
    ------
    ParameterError
        If the loss or the levels are invalid; see `forecastkit.networks.heads.own_loss.find_loss`.
    """
    if not isinstance(loss, str) or loss not in LOSSES:
        return OwnLoss(find_loss(where, loss, LOSSES))
    if levels is not None:
        return Quantiles(levels)
    return DISTRIBUTIONS[loss]() if loss in DISTRIBUTIONS else Point(loss)
