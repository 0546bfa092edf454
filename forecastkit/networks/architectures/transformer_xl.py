"""Layers: Transformer-XL: segment-level memory and relative positions."""

from itertools import pairwise

import keras
from keras import layers, ops

from forecastkit.networks.attention import RelativeAttention, unwatched
from forecastkit.networks.layers import FeedForward, own_mask


class Segments(keras.layers.Layer):
    """Blocks of relative attention over successive segments; future tokens belong to the last one."""

    def __init__(self, depth, heads, feedforward, segment, memory, dropout, **kwargs):
        super().__init__(**kwargs)
        own_mask(self)
        self.segment, self.memory = segment, memory
        self.blocks = [(RelativeAttention(heads, dropout), FeedForward(feedforward, dropout)) for _ in range(depth)]
        self.norm = layers.LayerNormalization(epsilon=1e-5)

    def call(self, past, future, mask=None, training=None):
        count, steps = past.shape[1], future.shape[1]
        *earlier, (start, _) = self.segment_bounds(count)
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

    def segment_bounds(self, count):
        """Return (begin, end) of every segment; the first segment may be shorter."""
        length = min(self.segment or -(-count // (len(self.blocks) + 1)), count)
        return list(pairwise([0, *range((count - 1) % length + 1, count + 1, length)]))

    def read(self, tokens, memories, mask, training, steps=None, unseen=0):
        """Apply all blocks to one segment, and return its output and the memory of each block for the next segment."""
        size = tokens.shape[1] if self.memory is None else self.memory
        inputs = []
        for (attention, feedforward), memory in zip(self.blocks, memories, strict=True):
            seen = ops.concatenate([memory, tokens], axis=1)
            remembered = seen[:, max(seen.shape[1] - size, 0) :]
            # Gradients stop at the memory in training only: attributions of a forecast cover the whole lookback.
            inputs.append(ops.stop_gradient(remembered) if training else remembered)
            # The past tokens of the last block's output are not used.
            returned = steps if attention is self.blocks[-1][0] else None
            tokens = attention(tokens, memory, mask=mask, training=training, steps=returned, unseen=unseen)
            tokens = feedforward(tokens, training=training)
        return tokens, inputs
