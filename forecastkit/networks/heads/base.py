"""Interface of output heads."""

from forecastkit.utils import lazy_ops as ops


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

    def get_config(self) -> dict:
        """Arguments of `forecastkit.networks.heads.make_head` that make it again."""
        raise NotImplementedError

    @property
    def raw(self) -> int:
        return self.outputs

    def shape(self, raw):
        """Convert values of the last layer (batch, horizon, raw) to outputs in normalized units."""
        return raw

    def place(self, outputs, center, scale, unit=None):
        """Convert outputs from normalized units to scaled units, given `center` and `scale` of the windows."""
        return outputs * scale + center

    def step_loss(self, target, forecast):
        """Return the losses (batch[, channels], horizon) of targets (..., 1) and forecasts (..., outputs)."""
        raise NotImplementedError

    def loss(self, target, forecast, weight=None):
        """Return the mean loss of each window over its observed steps, 0 if none is observed.

        Parameters
        ----------
        target : tensor of shape (batch[, channels], horizon)
            NaN where missing.
        forecast : tensor of shape (batch[, channels], horizon, outputs)
        weight : tensor of shape (batch, horizon), optional
            Multiplies the losses of the steps.

        Returns
        -------
        tensor of shape (batch,)
        """
        missing = ops.isnan(target)
        target = ops.where(missing, ops.zeros_like(target), target)
        return self.mean_of_observed(self.step_loss(target[..., None], forecast), missing, weight)

    @staticmethod
    def mean_of_observed(losses, missing, weight=None):
        """Mean of each window's losses by step over those that are not missing, weighted where a weight is given."""
        observed = 1.0 - ops.cast(missing, losses.dtype)
        losses = losses * observed
        if weight is not None:
            losses = losses * (weight[:, None] if len(losses.shape) > 2 else weight)
        axes = tuple(range(1, len(losses.shape)))
        return ops.sum(losses, axis=axes) / ops.maximum(ops.sum(observed, axis=axes), 1.0)
