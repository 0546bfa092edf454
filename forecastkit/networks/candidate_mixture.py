"""The pre-trained network: an encoder of the latest values, and a head that mixes candidates and adds quantiles.

References
----------
Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder", EMNLP (the recurrent encoder; for the
other one see `networks.patch_transformer`).
Montero-Manso et al. (2020), "FFORMA: feature-based forecast model averaging", International Journal of Forecasting 36,
which learns weights of simple forecasts from features of a series. Here the weights also depend on the step and on
recent errors of the candidates, and are learned together with a correction and the quantiles.
"""

import keras
import numpy as np
from keras import initializers, layers, ops

from forecastkit.networks.patch_transformer import PatchTransformer
from forecastkit.pretrained.forward import HIGH, LEVELS, LOW, MEDIAN

#: Added to the logits of unavailable candidates.
UNAVAILABLE = -1e9
#: Relative loss above which losses grow logarithmically.
DAMPING = 10.0


class Widths(layers.Layer):
    """Multiplies the distances of quantiles from the median by factors, which are set after training.

    Quantiles that are learned on a finite number of examples are too narrow for new ones; the factors are those with
    which they hold on held-out series.
    """

    def build(self, shape):
        self.factor = self.add_weight(name="factor", shape=(len(LEVELS),), initializer="ones", trainable=False)

    def call(self, quantiles):
        center = quantiles[..., MEDIAN : MEDIAN + 1]
        return center + (quantiles - center) * self.factor


class CandidateMixture(keras.Model):
    """Maps the inputs of `forecastkit.pretrained.inputs` to quantiles (batch, horizon, levels) in scaled units.

    Called with a dict of ``context`` (batch, features), ``patches`` (batch, patches, channels), ``steps``
    (batch, horizon, step features), ``forecasts`` (batch, horizon, candidates) and ``available`` (batch, candidates).

    Parameters
    ----------
    candidates : int
        Number of candidate forecasts.
    units : int
        Width of the hidden layers.
    recurrent : int
        Units of the gated recurrent unit that reads the patches; 0 for none.
    transformer : int
        Units of the Transformer that reads the patches in its place; 0 for none.
    dropout : float
        Fraction of hidden units dropped in training.
    seed : int
        Of the initial weights and of the dropout.
    """

    def __init__(
        self,
        candidates: int,
        units: int = 192,
        recurrent: int = 64,
        dropout: float = 0.0,
        seed: int = 0,
        transformer: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        seeds = iter(np.random.SeedSequence(seed).generate_state(32).tolist())

        def random():
            return initializers.GlorotUniform(next(seeds))

        def dense(name):
            return layers.Dense(units, kernel_initializer=random(), name=name)

        self.candidates = candidates
        self.body = None
        if transformer:
            self.body = PatchTransformer(transformer, seeds, name="transformer")
        elif recurrent:
            start = {"kernel_initializer": random(), "recurrent_initializer": initializers.Orthogonal(seed=next(seeds))}
            self.body = layers.GRU(recurrent, **start, seed=next(seeds), name="recurrent")
        self.context, self.deeper, self.step = dense("context"), dense("deeper"), dense("step")
        self.hidden, self.second = dense("hidden"), dense("second")
        self.drop = layers.Dropout(dropout, seed=next(seeds), name="drop")
        self.head = layers.Dense(candidates + len(LEVELS), kernel_initializer="zeros", name="head")
        self.widths = Widths(name="widths")

    def call(self, inputs, training=False):
        forecasts, available = inputs["forecasts"], inputs["available"]
        state = inputs["context"]
        if self.body is not None:
            state = ops.concatenate([state, self.body(inputs["patches"])], axis=-1)
        state = ops.silu(self.context(state))
        state = self.drop(state + ops.silu(self.deeper(state)), training=training)
        # Candidates enter as deviations from their mean, because their common level is irrelevant to the weights.
        fractions = available / ops.maximum(ops.sum(available, axis=-1, keepdims=True), 1.0)
        mean = ops.sum(forecasts * fractions[:, None], axis=-1, keepdims=True)
        deviations = ops.arcsinh(forecasts - mean) * available[:, None]
        step = ops.concatenate([inputs["steps"], deviations], axis=-1)
        hidden = ops.silu(self.hidden(state)[:, None] + self.step(step))
        hidden = self.drop(hidden + ops.silu(self.second(hidden)), training=training)
        return self.mixed(self.head(hidden), forecasts, available)

    def mixed(self, raw, forecasts, available):
        """Return quantiles from the raw outputs (batch, horizon, candidates + levels) of the head."""
        logits = raw[..., : self.candidates] + (1.0 - available)[:, None] * UNAVAILABLE
        center = ops.sum(ops.softmax(logits, axis=-1) * forecasts, axis=-1, keepdims=True)
        offsets = raw[..., self.candidates :]
        center = center + offsets[..., MEDIAN : MEDIAN + 1]
        gaps = ops.softplus(offsets - 1.0)
        below = ops.flip(ops.cumsum(ops.flip(gaps[..., :MEDIAN], axis=-1), axis=-1), axis=-1)
        above = ops.cumsum(gaps[..., MEDIAN + 1 :], axis=-1)
        return self.widths(ops.concatenate([center - below, center, center + above], axis=-1))

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the weights by name, such as ``head/kernel``."""
        return {f"{layer.name}/{w.name}": np.asarray(w) for layer in self.layers for w in layer.weights}

    def set_arrays(self, arrays: dict[str, np.ndarray]):
        """Assign the weights of `arrays`; the model must be built."""
        for layer in self.layers:
            for weight in layer.weights:
                weight.assign(arrays[f"{layer.name}/{weight.name}"])


def pinball(target, forecast):
    """Return the mean quantile loss of each window over its observed steps, relative to its interval width, (batch,).

    The width is that of the mean central 80 % interval, without gradient. It limits the influence of windows that are
    hard to forecast. As it does not depend on the actuals, the quantiles stay calibrated, unlike under a logarithmic
    loss. Losses of many widths are damped. Targets (batch, horizon) may be NaN.
    """
    missing = ops.isnan(target)
    target = ops.where(missing, ops.zeros_like(target), target)
    observed = 1.0 - ops.cast(missing, forecast.dtype)
    levels = ops.convert_to_tensor(np.asarray(LEVELS, dtype="float32"))
    error = target[..., None] - forecast
    losses = 2.0 * ops.mean(ops.maximum(levels * error, (levels - 1.0) * error), axis=-1)
    count = ops.maximum(ops.sum(observed, axis=1), 1.0)
    width = ops.sum((forecast[..., HIGH] - forecast[..., LOW]) * observed, axis=1) / count
    relative = ops.sum(losses * observed, axis=1) / count / (ops.stop_gradient(width) + 0.02)
    return DAMPING * ops.log1p(relative / DAMPING)
