"""Transformer encoder over past and future tokens together."""

from dataclasses import dataclass

import keras
from keras import layers, ops

from forecastkit.networks.attention import Positions, SelfAttention
from forecastkit.networks.backbone import Backbone, check_blocks
from forecastkit.networks.layers import FeedForward, own_mask
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import check_choice, refuse


class Encoder(keras.layers.Layer):
    """Blocks of attention and feed-forward over past and future together."""

    def __init__(self, depth, heads, feedforward, positions, dropout, causal=False, **kwargs):
        super().__init__(**kwargs)
        own_mask(self)
        self.positions = Positions(positions)
        self.blocks = [
            (SelfAttention(heads, dropout, positions == "rotary", causal), FeedForward(feedforward, dropout))
            for _ in range(depth)
        ]
        self.norm = layers.LayerNormalization(epsilon=1e-5)

    def call(self, past, future, mask=None, training=None):
        steps = future.shape[1]
        if mask is not None:
            mask = ops.pad(mask, [[0, 0], [0, steps]], constant_values=1)
        tokens = self.positions(ops.concatenate([past, future], axis=1))
        for attention, feedforward in self.blocks:
            # Nobody reads what the last block makes of the past.
            last = attention is self.blocks[-1][0]
            tokens = attention(tokens, mask=mask, training=training, steps=steps if last else None)
            tokens = feedforward(tokens, training=training)
        return self.norm(tokens)


@dataclass(kw_only=True, eq=False, repr=False)
class Transformer(Backbone):
    """Transformer encoder over the tokens of past and future together; the future's leave it as the forecast.

    Parameters
    ----------
    units : int
        Width of every token; a multiple of `heads`.
    layers : int
        Blocks of attention and feed-forward.
    heads : int
    feedforward : int, optional
        Width inside the feed-forward layers. Default: twice the units.
    positions : {'learned', 'sinusoidal', 'rotary', 'none'}
        What tells tokens apart: a vector added to each, learned or of sines and cosines; or their queries and keys
        turned by their place, so that attention knows their distance.
    dropout : float
        Fraction dropped in training after attention, after feed-forward, and before the head.

    References
    ----------
    Vaswani et al. (2017), "Attention is all you need", NeurIPS; tokens are segments as in Nie et al. (2023), "A time
    series is worth 64 words" (PatchTST), ICLR; rotary positions are those of Su et al. (2021), "RoFormer",
    arXiv:2104.09864. Departures: the encoder only, where tokens of the future are learned queries that attend and are
    attended to; pre-norm (Xiong et al. 2020, "On layer normalization in the Transformer architecture", ICML); GELU;
    learned positions by default; embeddings not scaled by the root of their width.
    """

    units: int = 64
    layers: int = 2
    heads: int = 4
    feedforward: int | None = None
    positions: str = "learned"
    dropout: float = 0.1

    learning_rate = 2e-3

    def build(self) -> keras.layers.Layer:
        return Encoder(**self.arguments())

    def arguments(self) -> dict:
        """What the layer is made from."""
        return {
            "depth": self.layers,
            "heads": self.heads,
            "feedforward": self.feedforward or 2 * self.units,
            "positions": self.positions,
            "dropout": self.dropout,
        }

    def check(self) -> None:
        super().check()
        check_blocks(self)
        where = type(self).__name__
        check_choice(where, "positions", self.positions, Positions.KINDS)
        if self.positions == "rotary" and self.units // self.heads % 2:
            got = f"{self.units} units, {self.heads} heads"
            refuse(where, "rotary positions need an even number of units per head", got, error=ParameterError)
