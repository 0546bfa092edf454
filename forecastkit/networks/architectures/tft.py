"""Layers: Temporal Fusion Transformer: variable selection, LSTM, attention."""

import keras
from keras import layers, ops

from forecastkit.networks.attention import Attention, attend, causal_bias, split_heads
from forecastkit.networks.layers import recurrent
from forecastkit.networks.variable_selection import Gate, GatedResidual, Selection


class SharedAttention(Attention):
    """Causal attention of the last tokens with values shared among heads and averaged outputs (eq. 13-16)."""

    def build(self, shape):
        units = shape[-1]
        self.ask, self.merge = layers.Dense(units), layers.Dense(units)
        self.read = layers.Dense(units + units // self.heads)

    def call(self, tokens, steps=None, mask=None):
        length, units = tokens.shape[1], tokens.shape[2]
        (queries,) = split_heads(self.ask(tokens[:, length - steps :]), self.heads)
        read = self.read(tokens)
        (keys,), (values,) = (
            split_heads(read[..., :units], self.heads),
            split_heads(read[..., units:], 1),
        )
        context = attend(queries, keys, values, mask, causal_bias(steps, length))
        return self.merge(ops.mean(ops.reshape(context, (-1, steps, self.heads, units // self.heads)), axis=2))


class TemporalFusion(keras.layers.Layer):
    """Variable selection, recurrence over past and future, static enrichment, and attention."""

    def __init__(self, units, depth, heads, dropout, **kwargs):
        super().__init__(**kwargs)
        self.units, self.dropout = units, dropout
        self.select_past, self.select_future = Selection(units, dropout, "past"), Selection(units, dropout, "future")
        self.recurrences = [
            [recurrent(layers.LSTM, units, return_sequences=True, return_state=True) for _ in range(2)]
            for _ in range(depth)
        ]
        self.enrich, self.feedforward = GatedResidual(units, dropout), GatedResidual(units, dropout)
        self.attention = SharedAttention(heads)
        self.after_recurrence, self.after_attention = Gate(units, dropout), Gate(units, dropout)
        self.after_all = Gate(units)

    def build(self, past_shape, future_shape, static_shape=None):
        # Contexts of variable selection, of enrichment, and of both parts of the initial state of the recurrence.
        self.select_static, self.contexts = None, []
        if static_shape is not None:
            self.select_static = Selection(self.units, self.dropout, "static")
            self.contexts = [GatedResidual(self.units, self.dropout) for _ in range(4)]

    def call(self, past, future, mask=None, static=None, training=None):
        steps = future.shape[1]
        selection_context, enrichment_context, *state = self.static_contexts(static, training)
        past = self.select_past(past, selection_context, training=training)
        future = self.select_future(future, selection_context, training=training)
        chosen = ops.concatenate([past, future], axis=1)
        local = self.after_recurrence(self.recur(past, future, state), chosen, training=training)
        enriched = self.enrich(local, enrichment_context, training=training)
        if mask is not None:
            mask = ops.pad(mask, [[0, 0], [0, steps]], constant_values=1)
        distant = self.attention(enriched, steps=steps, mask=mask)
        distant = self.after_attention(distant, enriched[:, -steps:], training=training)
        return self.after_all(self.feedforward(distant, training=training), local[:, -steps:], training=training)

    def static_contexts(self, static, training):
        """Return the static contexts of selection, enrichment and the two initial states, each (batch, units)."""
        if self.select_static is None:
            return [None] * 4
        selected = self.select_static(static, training=training)
        return [context(selected, training=training)[:, 0] for context in self.contexts]

    def recur(self, past, future, state):
        """Return the outputs of the recurrent layers for all tokens; decoders start from the encoders' states."""
        state = None if state[0] is None else state
        for encoder, decoder in self.recurrences:
            past, *last = encoder(past, initial_state=state)
            future = decoder(future, initial_state=last)[0]
        return ops.concatenate([past, future], axis=1)
