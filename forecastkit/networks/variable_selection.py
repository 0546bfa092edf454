"""Gated residual networks and variable selection (Temporal Fusion Transformer)."""

import contextvars
from contextlib import contextmanager

import keras
import numpy as np
from keras import layers, ops

from forecastkit.networks.layers import Dropout, draw_seed

_WATCHED = contextvars.ContextVar("forecastkit_watched_selection", default=None)


@contextmanager
def watch_selection():
    """Record the variable weights of networks called inside the context, in this thread and in eager mode.

    Yields
    ------
    dict of str to ndarray
        Weights of the last call: 'past' (batch, past tokens, variables), 'future' (batch, future tokens, variables)
        and, with static variables, 'static' (batch, 1, variables). Weights sum to 1 over the variables, which are those
        of `forecastkit.networks.backbone.Sizes.variables`.

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
    """A separate dense layer per variable, from (batch, tokens, variables, width) to (..., variables, units)."""

    def __init__(self, units: int, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, shape):
        variables, width = shape[-2:]
        limit = (6 / (width + self.units)) ** 0.5  # Glorot and Bengio (2010), with the fans of a single variable
        start = keras.initializers.RandomUniform(-limit, limit, draw_seed())
        self.kernel = self.add_weight(name="kernel", shape=(variables, width, self.units), initializer=start)
        self.bias = self.add_weight(name="bias", shape=(variables, self.units), initializer="zeros")

    def call(self, inputs):
        return ops.einsum("bnvw,vwu->bnvu", inputs, self.kernel) + self.bias


def linear(units: int, per_variable: bool = False):
    """Return a dense layer or, with `per_variable`, a separate one per variable."""
    return DenseEach(units) if per_variable else layers.Dense(units)


class VariableTokens(layers.Layer):
    """Embeds the patches of each variable into tokens with separate weights.

    Parameters
    ----------
    units : int
    columns : tuple of int
        Number of variables in each group. A group has the shape (batch, tokens, patch * variables), ordered by step.
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
    """Gated skip connection, ``norm(skip + (W x) * sigmoid(V x))`` (Lim et al. 2021, eq. 5).

    The gate is the gated linear unit of Dauphin et al. (2017).
    """

    def __init__(self, units: int, dropout: float = 0.0, per_variable: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.drop = Dropout(dropout)
        self.both = linear(2 * units, per_variable)
        self.norm = layers.LayerNormalization(epsilon=1e-5)

    def call(self, inputs, skip, training=None):
        new, gate = ops.split(self.both(self.drop(inputs, training=training)), 2, axis=-1)
        return self.norm(skip + new * ops.sigmoid(gate))


class GatedResidual(layers.Layer):
    """Gated residual network: a two-layer network with a gated skip connection (Lim et al. 2021, eq. 2-4).

    Parameters
    ----------
    units : int
        Width of the hidden layers.
    dropout : float
        Fraction dropped in training before the gate.
    outputs : int, optional
        Width of the outputs, if it differs from that of the inputs.
    apart : bool
        Whether every variable has separate weights.
    """

    def __init__(
        self, units: int, dropout: float = 0.0, outputs: int | None = None, per_variable: bool = False, **kwargs
    ):
        super().__init__(**kwargs)
        self.units = units
        self.enter, self.leave = linear(units, per_variable), linear(units, per_variable)
        self.skip = linear(outputs, per_variable) if outputs else None
        self.gate = Gate(outputs or units, dropout, per_variable)

    def build(self, inputs_shape, context_shape=None):
        self.hint = None if context_shape is None else layers.Dense(self.units, use_bias=False)

    def call(self, inputs, context=None, training=None):
        """Transform inputs (batch, tokens, ...) given an optional context (batch, units) of the whole window."""
        hidden = self.enter(inputs)
        if self.hint is not None:
            hidden = hidden + self.hint(context)[:, None]
        hidden = self.leave(ops.elu(hidden))
        return self.gate(hidden, inputs if self.skip is None else self.skip(inputs), training=training)


class Selection(layers.Layer):
    """Variable selection: the mean of the variables' tokens, weighted depending on all of them (Lim et al. 2021, 4.2).

    Parameters
    ----------
    units : int
    dropout : float
    place : {'past', 'future', 'static'}
        Key of the weights in `watch_selection`.
    """

    def __init__(self, units: int, dropout: float, place: str, **kwargs):
        super().__init__(**kwargs)
        self.units, self.dropout, self.place = units, dropout, place

    def build(self, shape):
        variables = shape[-2]
        self.each = GatedResidual(self.units, self.dropout, per_variable=True)
        self.choose = GatedResidual(self.units, self.dropout, outputs=variables) if variables > 1 else None

    def call(self, tokens, context=None, training=None):
        """Return tokens (batch, tokens, units) from those of the variables (batch, tokens, variables, units)."""
        weights = self.variable_weights(tokens, context, training)
        if (seen := _WATCHED.get()) is not None:
            seen[self.place] = np.array(ops.convert_to_numpy(weights))
        return ops.sum(weights[..., None] * self.each(tokens, training=training), axis=2)

    def variable_weights(self, tokens, context, training):
        if self.choose is None:
            return ops.ones_like(tokens[..., 0])
        length, variables = tokens.shape[1], tokens.shape[2]
        flat = ops.reshape(tokens, (-1, length, variables * self.units))
        return ops.softmax(self.choose(flat, context, training=training))
