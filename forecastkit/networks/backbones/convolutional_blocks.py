"""Transformer blocks with causal convolutions instead of attention."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


from forecastkit.networks.backbone import Backbone
from forecastkit.utils import validation


@dataclass(kw_only=True, eq=False, repr=False)
class ConvolutionalBlocks(Backbone):
    """Transformer blocks in which a causal convolution replaces self-attention.

    Parameters
    ----------
    units : int
        Width of every token.
    layers : int
        Number of blocks. The receptive field grows by a factor of `kernel` per block to ``kernel ** layers`` tokens.
    kernel : int
        Kernel size of the convolution in tokens, at least 2.
    feedforward : int, optional
        Width of the feed-forward layers; twice the units by default.
    dropout : float
        Fraction dropped in training after the convolution, after the feed-forward layer, and before the head.

    References
    ----------
    Domhan (2018), "How much attention do you need? A granular analysis of neural machine translation architectures",
    ACL, with the gated linear units of Gehring et al. (2017), "Convolutional sequence to sequence learning", ICML.
    Departures: one stack instead of encoder and decoder; dilation (van den Oord et al. 2016, "WaveNet",
    arXiv:1609.03499), so that three blocks cover four weeks of daily data; every future token directly follows the
    past; pre-norm; GELU; no positional encodings.
    """

    units: int = 64
    layers: int = 3
    kernel: int = 3
    feedforward: int | None = None
    dropout: float = 0.1

    counts = ("layers", "feedforward")
    learning_rate = 2e-3
    broadcasts = True

    def build(self) -> "keras.layers.Layer":
        from forecastkit.networks.architectures.convolutional_blocks import ConvolutionalBlock
        from forecastkit.networks.architectures.recurrent_blocks import Blocks

        width = self.feedforward or 2 * self.units
        dilations = [self.kernel**block for block in range(self.layers)]
        return Blocks([ConvolutionalBlock(self.kernel, step, width, self.dropout) for step in dilations])

    def check(self) -> None:
        super().check()
        where = type(self).__name__
        validation.check_int(where, "kernel", self.kernel, low=2)
