"""Interface of output heads."""

from keras import ops


class Head:
    """Base: what the outputs of one step are, and the loss of a window.

    Parameters
    ----------
    levels : tuple of float or None
        Quantile levels of the outputs, rising; None where they are something else.
    outputs, raw : int
        Outputs per step, and numbers per step that the network's last layer gives for them.
    distribution : bool
        Whether the outputs are the parameters of a distribution.
    normalization : str
        What suits windows where the user does not say.
    needs_unit : bool
        Whether the loss counts in the user's units, and the network must know how long one is.
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
        """The network's raw numbers (batch, horizon, raw) as outputs in the window's normalised units."""
        return raw

    def place(self, outputs, center, scale, unit=None):
        """Outputs of normalised windows in the units of the series' scale, given the `center` and `scale` taken out."""
        return outputs * scale + center

    def step_loss(self, target, forecast):
        """Loss of every step, (batch[, channels], horizon), of targets (..., 1) and forecasts (..., outputs)."""
        raise NotImplementedError

    def loss(self, target, forecast, weight=None):
        """Mean loss of each window over its observed steps, shape (batch,); 0 where none is observed.

        ``target`` is (batch[, channels], horizon) and ``forecast`` the same with the outputs as its last axis.
        A `weight` (batch, horizon) multiplies the losses of its steps.
        """
        missing = ops.isnan(target)
        target = ops.where(missing, ops.zeros_like(target), target)
        observed = 1.0 - ops.cast(missing, forecast.dtype)
        losses = self.step_loss(target[..., None], forecast) * observed
        if weight is not None:
            losses = losses * (weight[:, None] if len(losses.shape) > 2 else weight)
        axes = tuple(range(1, len(losses.shape)))
        return ops.sum(losses, axis=axes) / ops.maximum(ops.sum(observed, axis=axes), 1.0)
