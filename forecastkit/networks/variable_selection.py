"""Gated residual networks and variable selection (Temporal Fusion Transformer)."""

import contextvars
from contextlib import contextmanager

import keras
import numpy as np
from keras import layers, ops

from forecastkit.networks.layers import Dropout

_WATCHED = contextvars.ContextVar("forecastkit_watched_selection", default=None)


@contextmanager
def watch_selection():
    """Collect the weights of the variables in networks called inside, in this thread and outside compiled functions.

    Yields
    ------
    dict of str to ndarray
        Of the last call: 'past' (batch, past tokens, variables), 'future' (batch, future tokens, variables), and where
        there are any 'static' (batch, 1, variables). Weights add up to 1 over the variables, which are those of
        `forecastkit.networks.network.Sizes.variables`.

    Examples
    --------
    >>> with watch_selection() as seen:  # doctest: +SKIP
    ...     network(inputs)
    """
    seen = {}
    token = _WATCHED.set(seen)
    try:
        yield seen
    finally:
        _WATCHED.reset(token)


class DenseEach(layers.Layer):
    """A dense layer for each variable: (batch, tokens, variables, width) to (batch, tokens, variables, units)."""

    def __init__(self, units: int, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, shape):
        variables, width = shape[-2:]
        limit = (6 / (width + self.units)) ** 0.5  # of each by itself (Glorot and Bengio 2010)
        start = keras.initializers.RandomUniform(-limit, limit)
        self.kernel = self.add_weight(name="kernel", shape=(variables, width, self.units), initializer=start)
        self.bias = self.add_weight(name="bias", shape=(variables, self.units), initializer="zeros")

    def call(self, inputs):
        return ops.einsum("bnvw,vwu->bnvu", inputs, self.kernel) + self.bias


def linear(units: int, apart: bool = False):
    """A dense layer, or one for each variable."""
    return DenseEach(units) if apart else layers.Dense(units)


class VariableTokens(layers.Layer):
    """A token for each variable, from its patches by weights of its own.

    Parameters
    ----------
    units : int
    columns : tuple of int
        Variables of each group. Groups come as patches (batch, tokens, patch * variables), step by step.
    """

    def __init__(self, units: int, columns: tuple[int, ...], **kwargs):
        super().__init__(**kwargs)
        self.columns = columns
        self.embeddings = [DenseEach(units) for _ in columns]

    def call(self, groups):
        tokens = []
        for group, columns, embedding in zip(groups, self.columns, self.embeddings, strict=True):
            steps = ops.reshape(group, (-1, group.shape[1], group.shape[2] // columns, columns))
            tokens.append(embedding(ops.swapaxes(steps, 2, 3)))
        return ops.concatenate(tokens, axis=2)


class Gate(layers.Layer):
    """What came before and a gated part of what is new: ``norm(skip + (W x) * sigmoid(V x))`` (Lim et al. 2021, eq. 5).

    The gated linear unit of Dauphin et al. (2017).
    """

    def __init__(self, units: int, dropout: float = 0.0, apart: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.drop = Dropout(dropout)
        self.both = linear(2 * units, apart)
        self.norm = layers.LayerNormalization(epsilon=1e-5)

    def call(self, inputs, skip, training=None):
        new, gate = ops.split(self.both(self.drop(inputs, training=training)), 2, axis=-1)
        return self.norm(skip + new * ops.sigmoid(gate))


class GatedResidual(layers.Layer):
    """Gated residual network: as much of a small network as its gate lets through (Lim et al. 2021, eq. 2-4).

    Parameters
    ----------
    units : int
        Width inside.
    dropout : float
        Fraction dropped in training before the gate.
    outputs : int, optional
        Width outside, where it is not that of the inputs.
    apart : bool
        Whether every variable has weights of its own.
    """

    def __init__(self, units: int, dropout: float = 0.0, outputs: int | None = None, apart: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.enter, self.leave = linear(units, apart), linear(units, apart)
        self.skip = linear(outputs, apart) if outputs else None
        self.gate = Gate(outputs or units, dropout, apart)

    def build(self, inputs_shape, context_shape=None):
        self.hint = None if context_shape is None else layers.Dense(self.units, use_bias=False)

    def call(self, inputs, context=None, training=None):
        """Inputs (batch, tokens, ...) and what is known of the whole window, (batch, units)."""
        hidden = self.enter(inputs)
        if self.hint is not None:
            hidden = hidden + self.hint(context)[:, None]
        hidden = self.leave(ops.elu(hidden))
        return self.gate(hidden, inputs if self.skip is None else self.skip(inputs), training=training)


class Selection(layers.Layer):
    """Variable selection: a mean of the variables' tokens by weights that depend on all of them (Lim et al. 2021, 4.2).

    Parameters
    ----------
    units : int
    dropout : float
    place : {'past', 'future', 'static'}
        What `watch_selection` calls its weights.
    """

    def __init__(self, units: int, dropout: float, place: str, **kwargs):
        super().__init__(**kwargs)
        self.units, self.dropout, self.place = units, dropout, place

    def build(self, shape):
        variables = shape[-2]
        self.each = GatedResidual(self.units, self.dropout, apart=True)
        self.choose = GatedResidual(self.units, self.dropout, outputs=variables) if variables > 1 else None

    def call(self, tokens, context=None, training=None):
        """Tokens (batch, tokens, variables, units) as (batch, tokens, units)."""
        weights = self.weigh(tokens, context, training)
        if (seen := _WATCHED.get()) is not None:
            seen[self.place] = np.array(ops.convert_to_numpy(weights))
        return ops.sum(weights[..., None] * self.each(tokens, training=training), axis=2)

    def weigh(self, tokens, context, training):
        if self.choose is None:
            return ops.ones_like(tokens[..., 0])
        length, variables = tokens.shape[1], tokens.shape[2]
        flat = ops.reshape(tokens, (-1, length, variables * self.units))
        return ops.softmax(self.choose(flat, context, training=training))
