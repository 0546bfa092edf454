"""Attention layers and positional encodings; `watch_attention` records weights."""

import contextvars
from contextlib import contextmanager

import keras
import numpy as np
from keras import layers, ops

from forecastkit.networks.layers import Dropout, own_mask

#: Added to the scores of what may not be attended to. The later counts more than the missing, so that a token with
#: nothing observed up to it still sees nothing of what comes after it.
MISSING, LATER = -1e9, -1e12

_WATCHED = contextvars.ContextVar("forecastkit_watched_attention", default=None)


@contextmanager
def _watching(seen):
    token = _WATCHED.set(seen)
    try:
        yield seen
    finally:
        _WATCHED.reset(token)


def watch_attention():
    """Collect the attention weights of the networks called inside, in this thread and outside compiled functions.

    Yields
    ------
    list of ndarray of shape (batch, heads, queries, keys)
        One for each time that tokens of the future attend to the past, in the order of the calls. Keys begin with all
        tokens of the past, oldest first and with weight 0 where out of reach; those of the future may follow. Queries
        end with all tokens of the future. Attention within the past or within the future only is left out.

    Examples
    --------
    >>> with watch_attention() as seen:  # doctest: +SKIP
    ...     network(inputs)
    """
    return _watching([])


def unwatched():
    """A context in which attention is not reported, because no token of the future attends to the past there."""
    return _watching(None)


def attend(queries, keys, values, mask=None, bias=None, unseen: int = 0):
    """Scaled dot-product attention, ``softmax(q k' / sqrt(width) + bias) v``.

    Parameters
    ----------
    queries : (batch, heads, queries, width)
    keys, values : (batch, heads, keys, width)
        A batch of one, or one head, serves all.
    mask : (batch, keys), optional
        1 for keys that may be attended to.
    bias : broadcastable to (batch, heads, queries, keys), optional
    unseen : int
        Tokens of the past before the first key, for `watch_attention`.

    Returns
    -------
    (batch, queries, heads * width)
    """
    width = queries.shape[-1]
    scores = ops.matmul(queries * width**-0.5, ops.swapaxes(keys, -1, -2))
    if bias is not None:
        scores = scores + ops.cast(bias, scores.dtype)
    if mask is not None:
        scores = scores + (1.0 - ops.cast(mask, scores.dtype)[:, None, None, :]) * MISSING
    weights = ops.softmax(scores) if keys.shape[2] > 1 else ops.ones_like(scores)  # Keras warns of a single key
    if (seen := _WATCHED.get()) is not None:
        reported = ops.convert_to_numpy(weights).astype("float32")
        seen.append(np.pad(reported, [(0, 0), (0, 0), (0, 0), (unseen, 0)]))
    context = ops.transpose(ops.matmul(weights, values), (0, 2, 1, 3))
    return ops.reshape(context, (-1, queries.shape[2], queries.shape[1] * width))


def split_heads(tokens, heads: int, parts: int = 1):
    """Tokens (batch, tokens, parts * units) as `parts` tensors of shape (batch, heads, tokens, units / heads)."""
    length, width = tokens.shape[1], tokens.shape[2] // (parts * heads)
    tokens = ops.reshape(tokens, (-1, length, parts, heads, width))
    return ops.unstack(ops.transpose(tokens, (2, 0, 3, 1, 4)), parts, axis=0)


def later(queries: int, keys: int):
    """Bias (queries, keys) against what is later, where the queries are the last ones of the keys."""
    ahead = ops.arange(keys) > ops.arange(keys - queries, keys)[:, None]
    return ops.where(ahead, LATER, 0.0)


# ---------------------------------------------------------------------------------------------- positions


def sinusoid(positions: np.ndarray, units: int) -> np.ndarray:
    """Sines and cosines of positions (n,), shape (n, units), base 10,000 (Vaswani et al. 2017, section 3.5)."""
    rate = np.exp(-np.log(10_000.0) * (2 * (np.arange(units) // 2)) / units)
    angle = np.asarray(positions)[:, None] * rate
    return np.where(np.arange(units) % 2 == 0, np.sin(angle), np.cos(angle)).astype("float32")


class Positions(layers.Layer):
    """Adds a position to every token, where ``kind`` is 'learned' or 'sinusoidal'; 'rotary' ones come in later."""

    KINDS = ("learned", "sinusoidal", "rotary", "none")

    def __init__(self, kind: str = "learned", **kwargs):
        super().__init__(**kwargs)
        self.kind = kind

    def build(self, shape):
        length, units = shape[-2], shape[-1]
        if self.kind == "learned":
            start = keras.initializers.RandomNormal(stddev=0.02)
            self.table = self.add_weight(name="table", shape=(length, units), initializer=start)
        elif self.kind == "sinusoidal":
            # numpy: a tensor made here may belong to a graph being traced
            self.table = sinusoid(np.arange(length), units)

    def call(self, tokens):
        return tokens if self.kind in ("rotary", "none") else tokens + ops.cast(self.table, tokens.dtype)


def rotate(tokens, first: int = 0):
    """Queries or keys (batch, heads, tokens, width) turned by their position, the first one's being `first`.

    Rotary positions (Su et al. 2021, RoFormer, section 3.2): the dot product of a turned query and a turned key depends
    on their distance only. A pair that turns together is the same place in both halves of the width instead of two
    neighbours, which is the same up to the order of the weights.
    """
    length, half = tokens.shape[-2], tokens.shape[-1] // 2
    angle = np.arange(first, first + length)[:, None] * 10_000.0 ** (-np.arange(half) / half)
    cosine, sine = ops.cast(np.cos(angle), tokens.dtype), ops.cast(np.sin(angle), tokens.dtype)
    left, right = tokens[..., :half], tokens[..., half:]
    return ops.concatenate([left * cosine - right * sine, left * sine + right * cosine], axis=-1)


def shift(scores):
    """Scores (batch, heads, queries, keys + 1) by falling distance, from ``keys - 1``, as scores by key.

    Every query is one step further from all keys than the query before it, so that its row begins one place earlier:
    dropping the first few of all scores in a row and cutting them one shorter moves every row into place (Dai et al.
    2019, appendix B). Where the key is later than the query, what comes out is of no use.
    """
    heads, queries, keys = scores.shape[1], scores.shape[2], scores.shape[3] - 1
    flat = ops.reshape(scores, (-1, heads, queries * (keys + 1)))
    flat = flat[..., queries - 1 : queries - 1 + queries * keys]
    return ops.reshape(flat, (-1, heads, queries, keys))


# ---------------------------------------------------------------------------------------------- layers


class Attention(layers.Layer):
    """Base of the layers below: pre-norm residual multi-head attention.

    Written out, because Keras' own layer builds its kernel for rank 4 einsums that neither XLA nor oneDNN turns into
    one matrix product on a CPU.
    """

    def __init__(self, heads: int, dropout: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.heads, self.dropout = heads, dropout
        own_mask(self)

    def make(self, shape, **widths):
        """Build the norm, a dense layer for each of these names and units, and what comes after attention."""
        self.norm = layers.LayerNormalization(epsilon=1e-5)
        self.norm.build(shape)
        for name, units in {**widths, "merge": shape[-1]}.items():
            dense = layers.Dense(units)
            dense.build(shape)
            setattr(self, name, dense)
        self.drop = Dropout(self.dropout)

    def leave(self, tokens, context, training):
        """The tokens, and what attention adds to them."""
        return tokens + self.drop(self.merge(context), training=training)


class SelfAttention(Attention):
    """Attention of all tokens to all observed tokens (Vaswani et al. 2017).

    Parameters
    ----------
    heads : int
    dropout : float
    rotary : bool
        Whether queries and keys are turned by their position, see `rotate`.
    causal : bool
        Whether a token attends to itself and earlier ones only.
    """

    def __init__(self, heads: int, dropout: float = 0.0, rotary: bool = False, causal: bool = False, **kwargs):
        super().__init__(heads, dropout, **kwargs)
        self.rotary, self.causal = rotary, causal

    def build(self, shape):
        self.make(shape, project=3 * shape[-1])

    def call(self, tokens, mask=None, training=None, steps=None):
        """Tokens (batch, tokens, units), of which with `steps` only that many, the last, attend and are returned."""
        length = tokens.shape[1]
        steps = steps or length
        queries, keys, values = split_heads(self.project(self.norm(tokens)), self.heads, 3)
        queries = queries[:, :, length - steps :]
        if self.rotary:
            queries, keys = rotate(queries, first=length - steps), rotate(keys)
        context = attend(queries, keys, values, mask, later(steps, length) if self.causal else None)
        return self.leave(tokens[:, length - steps :], context, training)


class CrossAttention(Attention):
    """Attention of the tokens of the future to the encoded tokens of the past.

    Parameters
    ----------
    heads : int
    dropout : float
    rotary : bool
        Whether queries and keys are turned by their position, the future's being those after the past.
    """

    def __init__(self, heads: int, dropout: float = 0.0, rotary: bool = False, **kwargs):
        super().__init__(heads, dropout, **kwargs)
        self.rotary = rotary

    def build(self, future_shape):
        units = future_shape[-1]
        self.make(future_shape, ask=units, read=2 * units)

    def call(self, future, past, mask=None, training=None):
        (queries,) = split_heads(self.ask(self.norm(future)), self.heads)
        keys, values = split_heads(self.read(past), self.heads, 2)
        if self.rotary:
            queries, keys = rotate(queries, first=past.shape[1]), rotate(keys)
        return self.leave(future, attend(queries, keys, values, mask), training)


class RelativeAttention(Attention):
    """Causal attention to a memory and to the tokens themselves, by content and by distance (Dai et al. 2019).

    The score of query i and key j is ``(q_i + u) k_j + (q_i + v) W r_(i-j)`` over the root of the width, where r is a
    sinusoid of the distance, W is learned, and u and v are learned for each head (section 3.3).
    """

    def build(self, tokens_shape):
        units = tokens_shape[-1]
        self.make(tokens_shape, ask=units, read=2 * units)
        self.place = layers.Dense(units, use_bias=False)
        self.place.build(tokens_shape)
        start, shape = keras.initializers.RandomNormal(stddev=0.02), (self.heads, 1, units // self.heads)
        self.content_bias = self.add_weight(name="content_bias", shape=shape, initializer=start)
        self.place_bias = self.add_weight(name="place_bias", shape=shape, initializer=start)

    def call(self, tokens, memory, mask=None, training=None, steps=None, unseen=0):
        """Tokens (batch, tokens, units) after a memory (batch, remembered, units); `steps` as in `SelfAttention`."""
        everything = ops.concatenate([memory, tokens], axis=1)
        length, steps = everything.shape[1], steps or tokens.shape[1]
        normed = self.norm(everything)
        (queries,) = split_heads(self.ask(normed[:, length - steps :]), self.heads)
        keys, values = split_heads(self.read(normed), self.heads, 2)
        bias = self.by_distance(queries + ops.cast(self.place_bias, queries.dtype), length)
        bias = bias + ops.cast(later(steps, length), bias.dtype)
        context = attend(queries + ops.cast(self.content_bias, queries.dtype), keys, values, mask, bias, unseen)
        return self.leave(everything[:, length - steps :], context, training)

    def by_distance(self, queries, length):
        """Scores of the distance from the queries, the last ones of `length` tokens, to all of them."""
        units, width = self.heads * queries.shape[-1], queries.shape[-1]
        table = ops.cast(sinusoid(np.arange(length - 1, -2, -1), units), queries.dtype)
        (places,) = split_heads(self.place(table[None]), self.heads)
        return shift(ops.matmul(queries * width**-0.5, ops.swapaxes(places, -1, -2)))
