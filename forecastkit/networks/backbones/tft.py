"""Temporal Fusion Transformer: variable selection, LSTM, attention."""

from dataclasses import dataclass

import keras
from keras import layers, ops

from forecastkit.networks.attention import Attention, attend, later, split_heads
from forecastkit.networks.backbone import Backbone, check_heads
from forecastkit.networks.variable_selection import Gate, GatedResidual, Selection


class SharedAttention(Attention):
    """Causal attention of the last tokens by heads that share their values and are averaged (eq. 13-16)."""

    def build(self, shape):
        units = shape[-1]
        self.ask, self.merge = layers.Dense(units), layers.Dense(units)
        self.read = layers.Dense(units + units // self.heads)

    def call(self, tokens, steps=None, mask=None):
        length, units = tokens.shape[1], tokens.shape[2]
        (queries,) = split_heads(self.ask(tokens[:, length - steps :]), self.heads)
        read = self.read(tokens)
        (keys,), (values,) = split_heads(read[..., :units], self.heads), split_heads(read[..., units:], 1)
        context = attend(queries, keys, values, mask, later(steps, length))
        return self.merge(ops.mean(ops.reshape(context, (-1, steps, self.heads, units // self.heads)), axis=2))


class TemporalFusion(keras.layers.Layer):
    """Selection of variables, recurrence over past and future, enrichment by what is static, and attention."""

    def __init__(self, units, depth, heads, dropout, **kwargs):
        super().__init__(**kwargs)
        self.units, self.dropout = units, dropout
        self.select_past, self.select_future = Selection(units, dropout, "past"), Selection(units, dropout, "future")
        self.floors = [
            [layers.LSTM(units, return_sequences=True, return_state=True) for _ in range(2)] for _ in range(depth)
        ]
        self.enrich, self.feedforward = GatedResidual(units, dropout), GatedResidual(units, dropout)
        self.attention = SharedAttention(heads)
        self.after_floors, self.after_attention = Gate(units, dropout), Gate(units, dropout)
        self.after_all = Gate(units)

    def build(self, past_shape, future_shape, static_shape=None):
        # What selects in past and future, what enriches, and both parts of the first state of the recurrence.
        self.select_static, self.contexts = None, []
        if static_shape is not None:
            self.select_static = Selection(self.units, self.dropout, "static")
            self.contexts = [GatedResidual(self.units, self.dropout) for _ in range(4)]

    def call(self, past, future, mask=None, static=None, training=None):
        steps = future.shape[1]
        choice, hint, *state = self.describe(static, training)
        past = self.select_past(past, choice, training=training)
        future = self.select_future(future, choice, training=training)
        chosen = ops.concatenate([past, future], axis=1)
        near = self.after_floors(self.remember(past, future, state), chosen, training=training)
        enriched = self.enrich(near, hint, training=training)
        if mask is not None:
            mask = ops.pad(mask, [[0, 0], [0, steps]], constant_values=1)
        far = self.attention(enriched, steps=steps, mask=mask)
        far = self.after_attention(far, enriched[:, -steps:], training=training)
        return self.after_all(self.feedforward(far, training=training), near[:, -steps:], training=training)

    def describe(self, static, training):
        """What selection, enrichment and the first state of the recurrence know of the series, (batch, units) each."""
        if self.select_static is None:
            return [None] * 4
        whole = self.select_static(static, training=training)
        return [context(whole, training=training)[:, 0] for context in self.contexts]

    def remember(self, past, future, state):
        """Outputs of the recurrent layers over all tokens; the future's go on from the last state of the past's."""
        state = None if state[0] is None else state
        for encoder, decoder in self.floors:
            past, *last = encoder(past, initial_state=state)
            future = decoder(future, initial_state=last)[0]
        return ops.concatenate([past, future], axis=1)


@dataclass(kw_only=True, eq=False, repr=False)
class TFT(Backbone):
    """Temporal Fusion Transformer: weighs its variables, and `fk.interpret` shows the weights.

    Every covariate, calendar feature and static feature has tokens of its own, whose weights depend on the window; an
    LSTM over past and future carries what is near, attention finds what is far, and gates skip what does not help.

    Parameters
    ----------
    units : int
        Width of every token and state; a multiple of `heads`.
    layers : int
        LSTM layers, of past and future each.
    heads : int
        Heads of attention; they share their values, so that their mean weight tells what was attended to.
    dropout : float
        Fraction dropped in training before each gate but the last, and before the head.

    References
    ----------
    Lim et al. (2021), "Temporal Fusion Transformers for interpretable multi-horizon time series forecasting",
    International Journal of Forecasting 37(4). Departures: tokens are segments (``patch=1`` gives the paper's steps);
    a variable that is not known ahead is absent from the future, where the place in the horizon, learned, is one
    more; the target and what of it is missing are one variable, and tokens without anything observed are not attended
    to; all variables of a group share their layer normalisation; tokens of the past do not attend, because nobody reads
    what they would; no dropout before the last gate; head, loss and normalisation of windows are those of all
    networks here.
    """

    units: int = 64
    layers: int = 1
    heads: int = 4
    dropout: float = 0.1

    learning_rate = 1e-3
    selects_variables = True

    def build(self) -> keras.layers.Layer:
        return TemporalFusion(self.units, self.layers, self.heads, self.dropout)

    def check(self) -> None:
        super().check()
        check_heads(self)
