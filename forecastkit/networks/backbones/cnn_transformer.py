"""Transformer with a causal convolution before its blocks."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


from forecastkit.networks.backbones.transformer import Transformer
from forecastkit.utils import validation


@dataclass(kw_only=True, eq=False, repr=False)
class CNNTransformer(Transformer):
    """Causal convolution over past tokens (local features), followed by Transformer blocks (global attention).

    Parameters
    ----------
    kernel : int
        Kernel size of the convolution in tokens.

    References
    ----------
    Li et al. (2019), "Enhancing the locality and breaking the memory bottleneck of Transformer on time series
    forecasting", NeurIPS. Departures: the convolution is a residual layer before the blocks instead of inside the
    attention's projections.
    """

    layers: int = 1
    kernel: int = 3

    def build(self) -> "keras.layers.Layer":
        from forecastkit.networks.architectures.cnn_transformer import ConvolutionalEncoder
        from forecastkit.networks.architectures.transformer import Encoder

        return ConvolutionalEncoder(self.kernel, self.units, Encoder(**self.arguments()))

    def check(self) -> None:
        super().check()
        validation.check_int(type(self).__name__, "kernel", self.kernel)
