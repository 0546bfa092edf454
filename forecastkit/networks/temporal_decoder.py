"""Per-step decoder of future covariates (TiDE), added to the patch head."""

from keras import layers, ops


class TemporalDecoder(layers.Layer):
    """A small perceptron shared by all steps, whose outputs are added to those of the head.

    It reads the step's own known covariates and calendar, the values at the same place in each past patch, and the
    step's token. The head alone would have to learn what an hour's weather does anew for each place in the patch. The
    last layer starts at 0.

    Parameters
    ----------
    patch, horizon : int
    outputs : int
        Raw outputs of a step.
    units : int

    References
    ----------
    Das et al. (2023), "Long-term forecasting with TiDE: time-series dense encoder", TMLR: its temporal decoder reads
    the step's covariates beside the decoded vector. The values at the same place of past patches are ours.
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
        """Raw outputs (batch, horizon, outputs) for features (batch, horizon, features) of the steps.

        `values` are (batch, past tokens, patch), `tokens` (batch, future tokens, units).
        """
        places = self.read_values(ops.transpose(values, (0, 2, 1)))
        whole = ops.repeat(self.read_token(tokens), self.patch, axis=1) + ops.tile(places, (1, tokens.shape[1], 1))
        return self.out(self.hidden(ops.relu(whole[:, : self.horizon] + self.read_step(known))))
