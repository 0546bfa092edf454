"""Output heads of a network (points, quantiles, distributions) and their losses."""

from forecastkit.networks.heads.base import Head
from forecastkit.networks.heads.distributions import DISTRIBUTIONS, Distribution
from forecastkit.networks.heads.points import POINT_LOSSES, Point, Quantiles
from forecastkit.utils.validation import check_choice

LOSSES = (*POINT_LOSSES, *DISTRIBUTIONS)

__all__ = ["LOSSES", "Distribution", "Head", "Point", "Quantiles", "make_head"]


def make_head(loss: str, levels=None) -> Head:
    """Return the head for a loss or distribution; with `levels`, a quantile head.

    Raises
    ------
    ParameterError
        If the name or the levels are invalid.
    """
    check_choice("loss", "loss", loss, LOSSES)
    if levels is not None:
        return Quantiles(levels)
    return DISTRIBUTIONS[loss]() if loss in DISTRIBUTIONS else Point(loss)
