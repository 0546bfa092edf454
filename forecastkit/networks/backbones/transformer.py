"""Transformer encoder over past and future tokens."""

from dataclasses import dataclass

import keras
from keras import layers, ops

from forecastkit.networks.attention import Positions, SelfAttention
from forecastkit.networks.backbone import Backbone, check_blocks
from forecastkit.networks.layers import FeedForward, own_mask
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import check_choice, refuse


class Encoder(keras.layers.Layer):
    """Blocks of attention and feed-forward layers over past and future tokens."""

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
            # The past tokens of the last block's output are not used.
            last = attention is self.blocks[-1][0]
            tokens = attention(tokens, mask=mask, training=training, steps=steps if last else None)
            tokens = feedforward(tokens, training=training)
        return self.norm(tokens)


@dataclass(kw_only=True, eq=False, repr=False)
class Transformer(Backbone):
    """Transformer encoder over past and future tokens; the encoded future tokens give the forecast.

    Parameters
    ----------
    units : int
        Width of tokens; a multiple of `heads`.
    layers : int
        Number of blocks of attention and a feed-forward layer.
    heads : int
        Number of attention heads.
    feedforward : int, optional
        Width of the feed-forward layers; twice the units by default.
    positions : {'learned', 'sinusoidal', 'rotary', 'none'}
        Positional encoding: a learned or sinusoidal vector added to each token, or a rotation of queries and keys by
        their position, so that attention depends on distances.
    dropout : float
        Fraction dropped in training after attention, after the feed-forward layer, and before the head.

    References
    ----------
    Vaswani et al. (2017), "Attention is all you need", NeurIPS; tokens are segments as in Nie et al. (2023), "A time
    series is worth 64 words" (PatchTST), ICLR; rotary positions are those of Su et al. (2021), "RoFormer",
    arXiv:2104.09864. Departures: encoder only, in which future tokens are learned queries that attend and are attended
    to; pre-norm (Xiong et al. 2020, "On layer normalization in the Transformer architecture", ICML); GELU; learned
    positions by default; embeddings are not scaled by the root of their width.
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
        """Return the arguments of the layer."""
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
