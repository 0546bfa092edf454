"""Point and quantile heads and their losses."""

import numpy as np

from forecastkit.networks.heads.base import Head
from forecastkit.utils import lazy_ops as ops
from forecastkit.utils.validation import check_levels

POINT_LOSSES = ("mae", "mse", "huber")


def monotone(raw, anchor: int):
    """Return increasing outputs (..., Q): an anchor, and cumulative positive distances on both sides."""
    middle = raw[..., anchor : anchor + 1]
    above = middle + ops.cumsum(ops.softplus(raw[..., anchor + 1 :]), axis=-1)
    below = middle - ops.flip(ops.cumsum(ops.softplus(ops.flip(raw[..., :anchor], axis=-1)), axis=-1), axis=-1)
    return ops.concatenate([below, middle, above], axis=-1)


class Point(Head):
    """One value per step: the median for 'mae', the mean for 'mse', a value between them for 'huber' (delta 1)."""

    def __init__(self, loss: str = "mae"):
        self.name = loss

    def get_config(self):
        return {"loss": self.name}

    def step_loss(self, target, forecast):
        error = ops.abs(target - forecast)[..., 0]
        if self.name == "mae":
            return error
        square = 0.5 * error * error
        return 2.0 * square if self.name == "mse" else ops.where(error < 1.0, square, error - 0.5)


class Quantiles(Head):
    """Quantiles per step that cannot cross, trained with the pinball loss (Koenker and Bassett 1978)."""

    def __init__(self, levels):
        self.levels = check_levels("quantile_levels", levels)
        self.outputs = len(self.levels)
        self.anchor = int(np.argmin(np.abs(np.asarray(self.levels) - 0.5)))

    def get_config(self):
        return {"loss": "mae", "levels": list(self.levels)}

    def shape(self, raw):
        return monotone(raw, self.anchor)

    def step_loss(self, target, forecast):
        levels = np.asarray(self.levels, dtype="float32")
        error = target - forecast
        # Twice the pinball loss: the loss of the median equals the absolute error.
        return 2.0 * ops.mean(ops.maximum(levels * error, (levels - 1.0) * error), axis=-1)
