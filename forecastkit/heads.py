"""What a network's outputs mean: point and quantile heads, and the losses that train them."""

import numpy as np
from keras import ops

from forecastkit.checks import check_choice, check_levels

LOSSES = ("mae", "mse", "huber")


def monotone(raw, anchor: int):
    """Outputs (..., Q) that rise along the last axis: an anchor, and positive steps away from it on both sides."""
    middle = raw[..., anchor : anchor + 1]
    above = middle + ops.cumsum(ops.softplus(raw[..., anchor + 1 :]), axis=-1)
    below = middle - ops.flip(ops.cumsum(ops.softplus(ops.flip(raw[..., :anchor], axis=-1)), axis=-1), axis=-1)
    return ops.concatenate([below, middle, above], axis=-1)


class Head:
    """Base: what one output per step is, and its loss per window.

    Parameters
    ----------
    levels : tuple of float or None
        Quantile levels of the outputs, rising; None is a point.
    """

    levels: tuple[float, ...] | None = None
    outputs = 1

    def shape(self, raw):
        """The network's raw outputs (batch, horizon, outputs) as forecasts in the window's normalised units."""
        return raw

    def loss(self, target, forecast):
        """Mean loss of each window over its observed steps, shape (batch,); 0 where none is observed.

        ``target`` is (batch[, channels], horizon) and ``forecast`` the same with the outputs as its last axis.
        """
        missing = ops.isnan(target)
        target = ops.where(missing, ops.zeros_like(target), target)
        observed = 1.0 - ops.cast(missing, forecast.dtype)
        losses = self.step_loss(target[..., None], forecast) * observed
        axes = tuple(range(1, len(losses.shape)))
        return ops.sum(losses, axis=axes) / ops.maximum(ops.sum(observed, axis=axes), 1.0)


class Point(Head):
    """One value per step: the median under 'mae', the mean under 'mse', between them under 'huber' (delta 1)."""

    def __init__(self, loss: str = "mae"):
        check_choice("loss", "loss", loss, LOSSES)
        self.name = loss

    def step_loss(self, target, forecast):
        error = ops.abs(target - forecast)[..., 0]
        if self.name == "mae":
            return error
        square = 0.5 * error * error
        return 2.0 * square if self.name == "mse" else ops.where(error < 1.0, square, error - 0.5)


class Quantiles(Head):
    """Several quantiles per step that never cross, trained by the pinball loss (Koenker and Bassett 1978)."""

    def __init__(self, levels):
        self.levels = check_levels("quantile_levels", levels)
        self.outputs = len(self.levels)
        self.anchor = int(np.argmin(np.abs(np.asarray(self.levels) - 0.5)))

    def shape(self, raw):
        return monotone(raw, self.anchor)

    def step_loss(self, target, forecast):
        levels = np.asarray(self.levels, dtype="float32")
        error = target - forecast
        # Twice the pinball loss, so that the loss of the median is the absolute error.
        return 2.0 * ops.mean(ops.maximum(levels * error, (levels - 1.0) * error), axis=-1)


def make_head(loss: str, levels=None) -> Head:
    """The head for a loss name, or for quantile levels where given."""
    return Point(loss) if levels is None else Quantiles(levels)
