"""Transformer with a causal convolution before its blocks."""

from dataclasses import dataclass

import keras

from forecastkit.networks.backbones.transformer import Encoder, Transformer
from forecastkit.utils import validation


class ConvolutionalEncoder(keras.layers.Layer):
    """Residual causal convolution over past tokens, followed by an encoder over past and future tokens."""

    def __init__(self, kernel, units, encoder, **kwargs):
        super().__init__(**kwargs)
        self.norm = keras.layers.LayerNormalization(epsilon=1e-5)
        self.convolution = keras.layers.Conv1D(units, kernel, padding="causal", activation="gelu")
        self.encoder = encoder

    def call(self, past, future, mask=None, training=None):
        past = past + self.convolution(self.norm(past))
        return self.encoder(past, future, mask=mask, training=training)


@dataclass(kw_only=True, eq=False, repr=False)
class CNNTransformer(Transformer):
    """Causal convolution over past tokens (local features), followed by Transformer blocks (global attention).

    Parameters
    ----------
    kernel : int
        Kernel size of the convolution in tokens.
    layers, heads, feedforward, positions
        As in `Transformer`.

    References
    ----------
    Li et al. (2019), "Enhancing the locality and breaking the memory bottleneck of Transformer on time series
    forecasting", NeurIPS. Departures: the convolution is a residual layer before the blocks instead of inside the
    attention's projections.
    """

    layers: int = 1
    kernel: int = 3

    def build(self) -> keras.layers.Layer:
        return ConvolutionalEncoder(self.kernel, self.units, Encoder(**self.arguments()))

    def check(self) -> None:
        super().check()
        validation.check_int(type(self).__name__, "kernel", self.kernel)
