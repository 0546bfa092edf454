"""Output heads of a network: points, quantiles, distributions, each with its loss."""

from forecastkit.networks.heads.base import Head
from forecastkit.networks.heads.distributions import DISTRIBUTIONS, Distribution
from forecastkit.networks.heads.points import POINT_LOSSES, Point, Quantiles
from forecastkit.utils.validation import check_choice

LOSSES = (*POINT_LOSSES, *DISTRIBUTIONS)

__all__ = ["LOSSES", "Distribution", "Head", "Point", "Quantiles", "make_head"]


def make_head(loss: str, levels=None) -> Head:
    """The head for the name of a loss or a distribution, or for quantile levels where given."""
    check_choice("loss", "loss", loss, LOSSES)
    if levels is not None:
        return Quantiles(levels)
    return DISTRIBUTIONS[loss]() if loss in DISTRIBUTIONS else Point(loss)
