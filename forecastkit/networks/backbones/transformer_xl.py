"""Transformer-XL: segments with memory and relative positions."""

from dataclasses import dataclass
from itertools import pairwise

import keras
from keras import layers, ops

from forecastkit.networks.attention import RelativeAttention, unwatched
from forecastkit.networks.backbone import Backbone, check_blocks
from forecastkit.networks.layers import FeedForward, own_mask
from forecastkit.utils import validation


class Segments(keras.layers.Layer):
    """Blocks of relative attention over one segment after the other; the future belongs to the last one."""

    def __init__(self, depth, heads, feedforward, segment, memory, dropout, **kwargs):
        super().__init__(**kwargs)
        own_mask(self)
        self.segment, self.memory = segment, memory
        self.blocks = [(RelativeAttention(heads, dropout), FeedForward(feedforward, dropout)) for _ in range(depth)]
        self.norm = layers.LayerNormalization(epsilon=1e-5)

    def call(self, past, future, mask=None, training=None):
        count, steps = past.shape[1], future.shape[1]
        *earlier, (start, _) = self.cut(count)
        memories = [past[:, :0]] * len(self.blocks)
        with unwatched():
            for begin, end in earlier:
                known = None if mask is None else mask[:, begin - memories[0].shape[1] : end]
                _, memories = self.read(past[:, begin:end], memories, mask=known, training=training)
        unseen = start - memories[0].shape[1]
        if mask is not None:
            mask = ops.pad(mask[:, unseen:], [[0, 0], [0, steps]], constant_values=1)
        tokens = ops.concatenate([past[:, start:], future], axis=1)
        tokens, _ = self.read(tokens, memories, mask=mask, training=training, steps=steps, unseen=unseen)
        return self.norm(tokens)

    def cut(self, count):
        """First and one past the last token of every segment; the first segment may be a shorter one."""
        length = min(self.segment or -(-count // (len(self.blocks) + 1)), count)
        return list(pairwise([0, *range((count - 1) % length + 1, count + 1, length)]))

    def read(self, tokens, memories, mask, training, steps=None, unseen=0):
        """One segment through all blocks, and what the next segment may remember of what each block was given."""
        most = tokens.shape[1] if self.memory is None else self.memory
        given = []
        for (attention, feedforward), memory in zip(self.blocks, memories, strict=True):
            seen = ops.concatenate([memory, tokens], axis=1)
            kept = seen[:, max(seen.shape[1] - most, 0) :]
            given.append(ops.stop_gradient(kept) if training else kept)  # who asks what a forecast is made of sees all
            # Nobody reads what the last block makes of the past.
            leaving = steps if attention is self.blocks[-1][0] else None
            tokens = attention(tokens, memory, mask=mask, training=training, steps=leaving, unseen=unseen)
            tokens = feedforward(tokens, training=training)
        return tokens, given


@dataclass(kw_only=True, eq=False, repr=False)
class TransformerXL(Backbone):
    """Transformer-XL: reads the past in segments that attend to a memory of earlier ones, by content and distance.

    Parameters
    ----------
    units : int
        Width of every token; a multiple of `heads`.
    layers : int
        Blocks of attention and feed-forward. The forecast is reached by about ``layers * memory`` tokens before the
        last segment, since each block looks one memory further back.
    heads : int
    feedforward : int, optional
        Width inside the feed-forward layers. Default: twice the units.
    segment : int, optional
        Tokens of the past that are read together; the past as a whole where it has no more. Default: the past in one
        part more than there are layers, so that all of it reaches the forecast.
    memory : int, optional
        Tokens before a segment that it attends to; 0 forgets them. Default: the segment before.
    dropout : float
        Fraction dropped in training after attention, after feed-forward, and before the head.

    References
    ----------
    Dai et al. (2019), "Transformer-XL: Attentive language models beyond a fixed-length context", ACL: relative
    positions with biases for content and place (section 3.3), causal attention, and a memory through which no gradient
    flows in training (section 3.2). Departures: tokens are segments of the series; all segments of a window are read at
    once in training and forecasting, so that no memory outlives its window; those of the future are learned queries in
    the last segment, and the loss is taken on them only; the biases are each layer's own; pre-norm; GELU.
    """

    units: int = 64
    layers: int = 2
    heads: int = 4
    feedforward: int | None = None
    segment: int | None = None
    memory: int | None = None
    dropout: float = 0.1

    learning_rate = 2e-3

    def build(self) -> keras.layers.Layer:
        width = self.feedforward or 2 * self.units
        return Segments(self.layers, self.heads, width, self.segment, self.memory, self.dropout)

    def check(self) -> None:
        super().check()
        check_blocks(self)
        where = type(self).__name__
        validation.check_int(where, "segment", self.segment, optional=True)
        validation.check_int(where, "memory", self.memory, low=0, optional=True)
