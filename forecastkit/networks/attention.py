"""Attention layers and positional encodings; `watch_attention` records weights."""

import contextvars
from contextlib import contextmanager

import keras
import numpy as np
from keras import layers, ops

from forecastkit.networks.backbone import POSITIONS
from forecastkit.networks.layers import Dropout, draw_seed, own_mask

#: Added to the scores of masked keys. The penalty of later tokens exceeds that of missing ones, so that a token without
#: any observed token up to it still does not attend to later ones.
MISSING, FUTURE = -1e9, -1e12

_WATCHED = contextvars.ContextVar("forecastkit_watched_attention", default=None)


@contextmanager
def _watching(seen):
    token = _WATCHED.set(seen)
    try:
        yield seen
    finally:
        _WATCHED.reset(token)


def watch_attention():
    """Record the attention weights of networks called inside the context, in this thread and in eager mode.

    Yields
    ------
    list of ndarray of shape (batch, heads, queries, keys)
        One array per layer in which future tokens attend to the past, in the order of the calls. Keys start with all
        past tokens, oldest first and with weight 0 if not attended to; future tokens may follow. Queries end with all
        future tokens. Attention within the past or within the future only is not recorded.

    Examples
    --------
    >>> with watch_attention() as seen:  # doctest: +SKIP
    ...     network(inputs)
    """
    return _watching([])


def unwatched():
    """Return a context in which attention is not recorded, because no future token attends to the past."""
    return _watching(None)


def attend(queries, keys, values, mask=None, bias=None, unseen: int = 0):
    """Scaled dot-product attention, ``softmax(q k' / sqrt(width) + bias) v``.

    Parameters
    ----------
    queries : (batch, heads, queries, width)
    keys, values : (batch, heads, keys, width)
        A batch or head axis of size 1 is broadcast.
    mask : (batch, keys), optional
        1 for keys that can be attended to.
    bias : broadcastable to (batch, heads, queries, keys), optional
    unseen : int
        Number of past tokens before the first key, for `watch_attention`.

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
    """Split tokens (batch, tokens, parts * units) into `parts` tensors (batch, heads, tokens, units / heads)."""
    length, width = tokens.shape[1], tokens.shape[2] // (parts * heads)
    tokens = ops.reshape(tokens, (-1, length, parts, heads, width))
    return ops.unstack(ops.transpose(tokens, (2, 0, 3, 1, 4)), parts, axis=0)


def causal_bias(queries: int, keys: int):
    """Return the causal bias (queries, keys), where the queries are the last ones of the keys."""
    is_future = ops.arange(keys) > ops.arange(keys - queries, keys)[:, None]
    return ops.where(is_future, FUTURE, 0.0)


# ---------------------------------------------------------------------------------------------- positions


def sinusoid(positions: np.ndarray, units: int) -> np.ndarray:
    """Return sines and cosines (n, units) of positions (n,), base 10,000 (Vaswani et al. 2017, section 3.5)."""
    rate = np.exp(-np.log(10_000.0) * (2 * (np.arange(units) // 2)) / units)
    angle = np.asarray(positions)[:, None] * rate
    return np.where(np.arange(units) % 2 == 0, np.sin(angle), np.cos(angle)).astype("float32")


class Positions(layers.Layer):
    """Adds positional encodings to tokens if ``kind`` is 'learned' or 'sinusoidal'.

    Rotary positions are applied to queries and keys instead, see `rotate`.
    """

    KINDS = POSITIONS

    def __init__(self, kind: str = "learned", **kwargs):
        super().__init__(**kwargs)
        self.kind = kind

    def build(self, shape):
        length, units = shape[-2], shape[-1]
        if self.kind == "learned":
            start = keras.initializers.RandomNormal(stddev=0.02, seed=draw_seed())
            self.table = self.add_weight(name="table", shape=(length, units), initializer=start)
        elif self.kind == "sinusoidal":
            # A NumPy array, because a tensor created here could belong to a graph that is being traced.
            self.table = sinusoid(np.arange(length), units)

    def call(self, tokens):
        return tokens if self.kind in ("rotary", "none") else tokens + ops.cast(self.table, tokens.dtype)


def rotate(tokens, first: int = 0):
    """Rotate queries or keys (batch, heads, tokens, width) by their positions, which start at `first`.

    With rotary positions (Su et al. 2021, RoFormer, section 3.2) the dot product of a rotated query and key depends on
    their contents and distance only. A rotated pair consists of the same index in both halves of the width instead of
    two neighbours, which is equivalent up to the order of the weights.
    """
    length, half = tokens.shape[-2], tokens.shape[-1] // 2
    angle = np.arange(first, first + length)[:, None] * 10_000.0 ** (-np.arange(half) / half)
    cosine, sine = ops.cast(np.cos(angle), tokens.dtype), ops.cast(np.sin(angle), tokens.dtype)
    left, right = tokens[..., :half], tokens[..., half:]
    return ops.concatenate([left * cosine - right * sine, left * sine + right * cosine], axis=-1)


def shift(scores):
    """Convert scores by distance into scores by key (Dai et al. 2019, appendix B).

    Parameters
    ----------
    scores : tensor of shape (batch, heads, queries, keys + 1)
        By decreasing distance, starting at ``keys - 1``.

    Returns
    -------
    tensor of shape (batch, heads, queries, keys)
        Scores of keys later than the query are meaningless and must be masked.

    Notes
    -----
    The distance to a key grows by one from each query to the next, so each row must move by one position. Flattening
    all rows, dropping the first ``queries - 1`` scores and reshaping to rows that are one shorter does that.
    """
    heads, queries, keys = scores.shape[1], scores.shape[2], scores.shape[3] - 1
    flat = ops.reshape(scores, (-1, heads, queries * (keys + 1)))
    flat = flat[..., queries - 1 : queries - 1 + queries * keys]
    return ops.reshape(flat, (-1, heads, queries, keys))


# ---------------------------------------------------------------------------------------------- layers


class Attention(layers.Layer):
    """Base of the attention layers: pre-norm residual multi-head attention.

    `keras.layers.MultiHeadAttention` is not used, because its rank-4 einsums are not compiled to single matrix products
    on a CPU by XLA or oneDNN.
    """

    def __init__(self, heads: int, dropout: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.heads, self.dropout = heads, dropout
        own_mask(self)

    def build_layers(self, shape, **widths):
        """Build the normalization, the output projection, and a dense layer for each of `widths` (name to units)."""
        self.norm = layers.LayerNormalization(epsilon=1e-5)
        self.norm.build(shape)
        for name, units in {**widths, "merge": shape[-1]}.items():
            dense = layers.Dense(units)
            dense.build(shape)
            setattr(self, name, dense)
        self.drop = Dropout(self.dropout)

    def add_residual(self, tokens, context, training):
        """Add the projected attention context to the tokens."""
        return tokens + self.drop(self.merge(context), training=training)


class SelfAttention(Attention):
    """Attention of all tokens to all observed tokens (Vaswani et al. 2017).

    Parameters
    ----------
    heads : int
    dropout : float
    rotary : bool
        Whether to use rotary positions, see `rotate`.
    causal : bool
        Whether a token attends only to itself and earlier tokens.
    """

    def __init__(self, heads: int, dropout: float = 0.0, rotary: bool = False, causal: bool = False, **kwargs):
        super().__init__(heads, dropout, **kwargs)
        self.rotary, self.causal = rotary, causal

    def build(self, shape):
        self.build_layers(shape, project=3 * shape[-1])

    def call(self, tokens, mask=None, training=None, steps=None):
        """Attend with tokens (batch, tokens, units), or with the last `steps` of them, which are returned."""
        length = tokens.shape[1]
        steps = steps or length
        queries, keys, values = split_heads(self.project(self.norm(tokens)), self.heads, 3)
        queries = queries[:, :, length - steps :]
        if self.rotary:
            queries, keys = rotate(queries, first=length - steps), rotate(keys)
        context = attend(queries, keys, values, mask, causal_bias(steps, length) if self.causal else None)
        return self.add_residual(tokens[:, length - steps :], context, training)


class CrossAttention(Attention):
    """Attention of future tokens to encoded past tokens.

    Parameters
    ----------
    heads : int
    dropout : float
    rotary : bool
        Whether to use rotary positions, see `rotate`; those of the future follow those of the past.
    """

    def __init__(self, heads: int, dropout: float = 0.0, rotary: bool = False, **kwargs):
        super().__init__(heads, dropout, **kwargs)
        self.rotary = rotary

    def build(self, future_shape):
        units = future_shape[-1]
        self.build_layers(future_shape, ask=units, read=2 * units)

    def call(self, future, past, mask=None, training=None):
        (queries,) = split_heads(self.ask(self.norm(future)), self.heads)
        keys, values = split_heads(self.read(past), self.heads, 2)
        if self.rotary:
            queries, keys = rotate(queries, first=past.shape[1]), rotate(keys)
        return self.add_residual(future, attend(queries, keys, values, mask), training)


class RelativeAttention(Attention):
    """Causal attention to a memory and the tokens, by content and distance (Dai et al. 2019).

    The score of query i and key j is ``(q_i + u) k_j + (q_i + v) W r_(i-j)`` divided by the root of the width, where r
    is a sinusoid of the distance, W is learned, and u and v are learned for each head (section 3.3).
    """

    def build(self, tokens_shape):
        units = tokens_shape[-1]
        self.build_layers(tokens_shape, ask=units, read=2 * units)
        self.place = layers.Dense(units, use_bias=False)
        self.place.build(tokens_shape)
        start, shape = (
            keras.initializers.RandomNormal(stddev=0.02, seed=draw_seed()),
            (self.heads, 1, units // self.heads),
        )
        self.content_bias = self.add_weight(name="content_bias", shape=shape, initializer=start)
        self.place_bias = self.add_weight(name="place_bias", shape=shape, initializer=start)

    def call(self, tokens, memory, mask=None, training=None, steps=None, unseen=0):
        """Attend with tokens (batch, tokens, units) that follow a memory (batch, memory, units).

        `steps` is that of `SelfAttention`, `unseen` that of `attend`.
        """
        sequence = ops.concatenate([memory, tokens], axis=1)
        length, steps = sequence.shape[1], steps or tokens.shape[1]
        normed = self.norm(sequence)
        (queries,) = split_heads(self.ask(normed[:, length - steps :]), self.heads)
        keys, values = split_heads(self.read(normed), self.heads, 2)
        bias = self.by_distance(queries + ops.cast(self.place_bias, queries.dtype), length)
        bias = bias + ops.cast(causal_bias(steps, length), bias.dtype)
        context = attend(queries + ops.cast(self.content_bias, queries.dtype), keys, values, mask, bias, unseen)
        return self.add_residual(sequence[:, length - steps :], context, training)

    def by_distance(self, queries, length):
        """Return distance scores of the queries, the last ones of `length` tokens, for all tokens as keys."""
        units, width = self.heads * queries.shape[-1], queries.shape[-1]
        table = ops.cast(sinusoid(np.arange(length - 1, -2, -1), units), queries.dtype)
        (places,) = split_heads(self.place(table[None]), self.heads)
        return shift(ops.matmul(queries * width**-0.5, ops.swapaxes(places, -1, -2)))
