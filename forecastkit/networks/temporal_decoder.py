"""Per-step decoder of future covariates (TiDE), added to the patch head."""

from keras import layers, ops


class TemporalDecoder(layers.Layer):
    """A perceptron shared by all steps, whose outputs are added to those of the head.

    Its inputs are the future covariates and calendar of the step, the values at the same position of each past patch,
    and the step's token. Without it the head would have to learn covariate effects separately for each position in the
    patch. The last layer is initialized with zeros.

    Parameters
    ----------
    patch, horizon : int
    outputs : int
        Raw outputs per step.

    References
    ----------
    Das et al. (2023), "Long-term forecasting with TiDE: time-series dense encoder", TMLR, whose temporal decoder reads
    the step's covariates and the decoded vector. The values of past patches are an addition.
    """

    def __init__(self, patch: int, horizon: int, outputs: int, units: int = 64, **kwargs):
        super().__init__(**kwargs)
        self.patch, self.horizon = patch, horizon
        self.read_step = layers.Dense(units)
        self.read_values = layers.Dense(units, use_bias=False)
        self.read_token = layers.Dense(units, use_bias=False)
        self.hidden = layers.Dense(units, activation="relu")
        self.out = layers.Dense(outputs, kernel_initializer="zeros")

    def call(self, known, values, tokens):
        """Return raw outputs (batch, horizon, outputs).

        Parameters
        ----------
        known : tensor of shape (batch, horizon, features)
            Future covariates and calendar of the steps.
        values : tensor of shape (batch, past tokens, patch)
        tokens : tensor of shape (batch, future tokens, units)
        """
        places = self.read_values(ops.transpose(values, (0, 2, 1)))
        steps = ops.repeat(self.read_token(tokens), self.patch, axis=1) + ops.tile(places, (1, tokens.shape[1], 1))
        return self.out(self.hidden(ops.relu(steps[:, : self.horizon] + self.read_step(known))))
