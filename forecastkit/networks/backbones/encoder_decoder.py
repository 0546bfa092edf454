"""Encoder-decoder Transformer."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


from forecastkit.networks.backbones.transformer import Transformer


@dataclass(kw_only=True, eq=False, repr=False)
class EncoderDecoder(Transformer):
    """Encoder-decoder Transformer: queries of the horizon attend to each other and to the encoded past.

    Future covariates are inputs of the decoder, in which every token is one segment of the horizon.

    Parameters
    ----------
    layers : int
        Number of blocks of the encoder and of the decoder.

    References
    ----------
    Vaswani et al. (2017), "Attention is all you need", NeurIPS. Departures: tokens are segments; the decoder forecasts
    all segments at once from learned queries (like the placeholders of Zhou et al. 2021, "Informer", AAAI), without a
    causal mask or feedback of forecasts; these queries serve as the decoder's positions for all additive encodings;
    pre-norm, with a normalization after each stack; GELU.
    """

    def build(self) -> "keras.layers.Layer":
        from forecastkit.networks.architectures.encoder_decoder import Stacks

        return Stacks(**self.arguments())
