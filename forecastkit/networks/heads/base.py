"""Interface of output heads, and the heads of points and quantiles."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecastkit.utils import lazy_ops as ops
from forecastkit.utils.validation import check_levels

POINT_LOSSES = ("mae", "mse", "huber")


class Head:
    """Base class of output heads: the outputs of a step, and the loss of a window.

    Attributes
    ----------
    levels : tuple of float or None
        Quantile levels of the outputs in increasing order; None if the outputs are not quantiles.
    outputs, raw : int
        Number of outputs per step, and of the last layer's values per step from which they are computed.
    distribution : bool
        Whether the outputs are the parameters of a distribution.
    normalization : str
        Default normalization of windows.
    needs_unit : bool
        Whether the loss depends on the user's units, so that the network needs the scale of the series.
    """

    levels: tuple[float, ...] | None = None
    outputs = 1
    distribution = needs_unit = False
    normalization = "last"

    @property
    def point_weights(self) -> np.ndarray:
        """Weight of each output in the point forecast, shape (outputs,)."""
        return np.eye(self.outputs)[0]

    def get_config(self) -> dict:
        """Return the arguments of `forecastkit.networks.heads.make_head` that recreate the head."""
        raise NotImplementedError

    @property
    def raw(self) -> int:
        return self.outputs

    def shape(self, raw: Any) -> Any:
        """Convert values of the last layer (batch, horizon, raw) to outputs in normalized units."""
        return raw

    def place(self, outputs: Any, center: Any, scale: Any, unit: Any = None) -> Any:
        """Convert outputs from normalized units to scaled units, given `center` and `scale` of the windows."""
        return outputs * scale + center

    def step_loss(self, target: Any, forecast: Any) -> Any:
        """Return the losses (batch[, channels], horizon) of targets (..., 1) and forecasts (..., outputs)."""
        raise NotImplementedError

    def loss(self, target: Any, forecast: Any, weight: Any = None) -> Any:
        """Return the mean loss of each window over its observed steps, 0 if none is observed.

        Parameters
        ----------
        target : tensor of shape (batch[, channels], horizon)
            NaN where missing.
        forecast : tensor of shape (batch[, channels], horizon, outputs)
        weight : tensor, optional
            Multiplies the losses of the steps, and is broadcastable to `target`.

        Returns
        -------
        tensor of shape (batch,)
        """
        missing = ops.isnan(target)
        target = ops.where(missing, ops.zeros_like(target), target)
        return self.mean_of_observed(self.step_loss(target[..., None], forecast), missing, weight)

    @staticmethod
    def mean_of_observed(losses: Any, missing: Any, weight: Any = None) -> Any:
        """Return the mean of each window's losses over its observed steps, weighted if a weight is given."""
        observed = 1.0 - ops.cast(missing, losses.dtype)
        losses = losses * observed
        if weight is not None:
            losses = losses * weight
        axes = tuple(range(1, len(losses.shape)))
        return ops.sum(losses, axis=axes) / ops.maximum(ops.sum(observed, axis=axes), 1.0)


def monotone(raw, anchor: int):
    """Return increasing outputs (..., Q): an anchor, and cumulative positive distances on both sides."""
    middle = raw[..., anchor : anchor + 1]
    above = middle + ops.cumsum(ops.softplus(raw[..., anchor + 1 :]), axis=-1)
    below = middle - ops.flip(ops.cumsum(ops.softplus(ops.flip(raw[..., :anchor], axis=-1)), axis=-1), axis=-1)
    return ops.concatenate([below, middle, above], axis=-1)


@dataclass(eq=False)
class Point(Head):
    """One value per step: the median for 'mae', the mean for 'mse', a value between them for 'huber' (delta 1)."""

    name: str = "mae"

    def get_config(self) -> dict:
        return {"loss": self.name}

    def step_loss(self, target: Any, forecast: Any) -> Any:
        error = ops.abs(target - forecast)[..., 0]
        if self.name == "mae":
            return error
        square = 0.5 * error * error
        return 2.0 * square if self.name == "mse" else ops.where(error < 1.0, square, error - 0.5)


class Quantiles(Head):
    """Quantiles per step that cannot cross, trained with the pinball loss (Koenker and Bassett 1978)."""

    def __init__(self, levels: Sequence[float]):
        self.levels = check_levels("quantile_levels", levels)
        self.outputs = len(self.levels)
        self.anchor = int(np.argmin(np.abs(np.asarray(self.levels) - 0.5)))

    @property
    def point_weights(self) -> np.ndarray:
        nearest = min(max(0.5, self.levels[0]), self.levels[-1])
        return np.array([np.interp(nearest, self.levels, unit) for unit in np.eye(self.outputs)])

    def get_config(self) -> dict:
        return {"loss": "mae", "levels": list(self.levels)}

    def shape(self, raw: Any) -> Any:
        return monotone(raw, self.anchor)

    def step_loss(self, target: Any, forecast: Any) -> Any:
        levels = np.asarray(self.levels, dtype="float32")
        error = target - forecast
        # Twice the pinball loss: the loss of the median equals the absolute error.
        return 2.0 * ops.mean(ops.maximum(levels * error, (levels - 1.0) * error), axis=-1)
