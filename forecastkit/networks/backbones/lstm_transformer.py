"""Transformer with an LSTM before every block."""

from dataclasses import dataclass

import keras
from keras import layers, ops

from forecastkit.networks.attention import SelfAttention
from forecastkit.networks.backbone import Backbone, check_blocks
from forecastkit.networks.layers import FeedForward, Recurrence


class Hybrid(keras.layers.Layer):
    """Blocks of a recurrent layer, attention over past and future tokens, and a feed-forward layer."""

    def __init__(self, kind, units, depth, heads, feedforward, dropout, **kwargs):
        super().__init__(**kwargs)
        self.recurrences = [Recurrence(kind, units, sequences=True) for _ in range(depth)]
        self.blocks = [(SelfAttention(heads, dropout), FeedForward(feedforward, dropout)) for _ in range(depth)]
        self.norm = layers.LayerNormalization(epsilon=1e-5)

    def call(self, past, future, mask=None, training=None):
        steps = future.shape[1]
        if mask is not None:
            mask = ops.pad(mask, [[0, 0], [0, steps]], constant_values=1)
        for recurrence, (attention, feedforward) in zip(self.recurrences, self.blocks, strict=True):
            past, future = recurrence(past, future)
            tokens = ops.concatenate([past, future], axis=1)
            # The past tokens of the last block's output are not used.
            last = attention is self.blocks[-1][0]
            tokens = attention(tokens, mask=mask, training=training, steps=steps if last else None)
            tokens = feedforward(tokens, training=training)
            past, future = tokens[:, :-steps], tokens[:, -steps:]
        return self.norm(future)


@dataclass(kw_only=True, eq=False, repr=False)
class LSTMTransformer(Backbone):
    """Transformer with an LSTM before every block, which encodes the order of the tokens.

    Parameters
    ----------
    units : int
        Width of tokens and states; a multiple of `heads`.
    layers : int
        Number of blocks of an LSTM, attention and a feed-forward layer.
    heads : int
        Number of attention heads.
    feedforward : int, optional
        Width of the feed-forward layers; twice the units by default.
    dropout : float
        Fraction dropped in training after attention, after the feed-forward layer, and before the head.

    References
    ----------
    Wang et al. (2019), "R-Transformer: Recurrent neural network enhanced Transformer", arXiv:1907.05572, which has a
    recurrent layer before attention in every block and no positional encodings. Departures: the recurrence reads the
    whole past rather than a local window and takes one step into every future token; it has no residual connection;
    attention is not causal; pre-norm. The cell is that of `LSTM`.
    """

    units: int = 128
    layers: int = 1
    heads: int = 4
    feedforward: int | None = None
    dropout: float = 0.1

    learning_rate = 1e-3
    kind = "lstm"
    broadcasts = True

    def build(self) -> keras.layers.Layer:
        return Hybrid(self.kind, self.units, self.layers, self.heads, self.feedforward or 2 * self.units, self.dropout)

    def check(self) -> None:
        super().check()
        check_blocks(self)
