"""Decoder-only causal Transformer over past and future tokens."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecastkit.networks.backbones.transformer import Transformer

if TYPE_CHECKING:
    import keras


@dataclass(kw_only=True, eq=False, repr=False)
class DecoderOnly(Transformer):
    """Causal decoder-only Transformer over segments: past tokens followed by future tokens.

    A token attends to itself and earlier ones, so a forecast depends on future covariates up to its segment only.

    References
    ----------
    Liu et al. (2018), "Generating Wikipedia by summarizing long sequences", ICLR, which drops the encoder; over
    segments of a series as in Das et al. (2024), "A decoder-only foundation model for time-series forecasting", ICML.
    Departures: learned queries forecast the whole horizon at once, instead of one segment at a time with feedback; the
    loss covers the horizon only, not the next segment after every past token; a dense layer embeds segments instead of
    a residual block; pre-norm; GELU.
    """

    def build(self) -> "keras.layers.Layer":
        from forecastkit.networks.architectures.transformer import Encoder

        return Encoder(**self.arguments(), causal=True)
