"""Layers that more than one backbone uses. All in `keras.ops`, so they run on every Keras backend."""

import contextvars
import random

import keras
import numpy as np
from keras import layers, ops


def sinusoid(length: int, units: int) -> np.ndarray:
    """Sinusoidal positions of shape (length, units), base 10,000 (Vaswani et al. 2017, section 3.5)."""
    position = np.arange(length)[:, None]
    rate = np.exp(-np.log(10_000.0) * (2 * (np.arange(units) // 2)) / units)
    angle = position * rate
    return np.where(np.arange(units) % 2 == 0, np.sin(angle), np.cos(angle)).astype("float32")


#: The seed of the training step being traced; layers of ours draw from it, so that a step is a function of its seed.
STEP_SEED = contextvars.ContextVar("forecastkit_step_seed", default=None)


class StepSeed(keras.random.SeedGenerator):
    """A seed generator without state during our own training steps: the step's seed and the layer's own number."""

    def __init__(self):
        self.own = random.randint(1, 2**31 - 1)  # as Keras draws the seeds of its layers
        super().__init__(seed=self.own)

    def next(self, ordered=True):
        step = STEP_SEED.get()
        if step is None:
            return super().next(ordered)
        return ops.stack([ops.cast(step, "uint32"), ops.convert_to_tensor(self.own, dtype="uint32")])


class Dropout(layers.Layer):
    """Dropout that two threads may train at once: its mask depends on the step, not on which thread came first."""

    def __init__(self, rate: float, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate
        self.seeds = StepSeed()

    def call(self, inputs, training=None):
        return keras.random.dropout(inputs, self.rate, seed=self.seeds) if training and self.rate else inputs


class Positions(layers.Layer):
    """Adds a position to every token; ``kind`` is 'sinusoidal', 'learned' or 'none'."""

    KINDS = ("learned", "sinusoidal", "none")

    def __init__(self, kind: str = "learned", **kwargs):
        super().__init__(**kwargs)
        self.kind = kind

    def build(self, shape):
        length, units = shape[-2], shape[-1]
        if self.kind == "learned":
            start = keras.initializers.RandomNormal(stddev=0.02)
            self.table = self.add_weight(name="table", shape=(length, units), initializer=start)
        elif self.kind == "sinusoidal":
            self.table = ops.convert_to_tensor(sinusoid(length, units))

    def call(self, tokens):
        return tokens if self.kind == "none" else tokens + ops.cast(self.table, tokens.dtype)


class FeedForward(layers.Layer):
    """Pre-norm residual feed-forward: ``x + dense(gelu(dense(norm(x))))``."""

    def __init__(self, width: int, dropout: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.width, self.dropout = width, dropout

    def build(self, shape):
        self.norm = layers.LayerNormalization(epsilon=1e-5)
        self.widen = layers.Dense(self.width, activation="gelu")
        self.narrow = layers.Dense(shape[-1])
        self.drop = Dropout(self.dropout)
        self.norm.build(shape)
        self.widen.build(shape)
        self.narrow.build((*shape[:-1], self.width))

    def call(self, tokens, training=None):
        return tokens + self.drop(self.narrow(self.widen(self.norm(tokens))), training=training)


class SelfAttention(layers.Layer):
    """Pre-norm residual multi-head attention of all tokens to all observed tokens.

    The scaled dot product ``softmax(q k' / sqrt(d)) v`` of Vaswani et al. (2017). ``mask`` of shape (batch, tokens) is
    1 for tokens that may be attended to. Written out, because Keras' own layer builds its kernel for rank 4 einsums
    that neither XLA nor oneDNN turns into one matrix product on a CPU.
    """

    def __init__(self, heads: int, dropout: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.heads, self.dropout = heads, dropout

    def build(self, shape):
        units = shape[-1]
        self.norm = layers.LayerNormalization(epsilon=1e-5)
        self.project = layers.Dense(3 * units)
        self.merge = layers.Dense(units)
        self.drop = Dropout(self.dropout)
        for layer in (self.norm, self.project, self.merge):
            layer.build(shape)

    def call(self, tokens, mask=None, training=None):
        context, _ = self.attend(tokens, mask)
        return tokens + self.drop(self.merge(context), training=training)

    def attend(self, tokens, mask=None):
        """Context (batch, tokens, units) and attention weights (batch, heads, tokens, tokens)."""
        length, units = tokens.shape[-2], tokens.shape[-1]
        width = units // self.heads
        qkv = ops.reshape(self.project(self.norm(tokens)), (-1, length, 3, self.heads, width))
        q, k, v = ops.unstack(ops.transpose(qkv, (2, 0, 3, 1, 4)), axis=0)
        scores = ops.matmul(q * width**-0.5, ops.swapaxes(k, -1, -2))
        if mask is not None:
            scores = scores + (ops.cast(mask, scores.dtype)[:, None, None, :] - 1.0) * 1e9
        weights = ops.softmax(scores)
        context = ops.transpose(ops.matmul(weights, v), (0, 2, 1, 3))
        return ops.reshape(context, (-1, length, units)), weights


class Recurrence(layers.Layer):
    """One recurrent layer over the past whose final state is stepped once into every future token.

    The future tokens do not see each other: each is one step from the end of the past ("parallel multi-step
    forecasting", Lin et al. 2023), so the horizon costs one batched step instead of a loop.

    Parameters
    ----------
    kind : {'rnn', 'lstm', 'gru'}
    units : int
    bidirectional : bool
        Reads the past in both directions and takes both final states; the two halves are merged by a dense layer.
    """

    KINDS = {"rnn": layers.SimpleRNN, "lstm": layers.LSTM, "gru": layers.GRU}

    def __init__(self, kind: str, units: int, bidirectional: bool = False, sequences: bool = False, **kwargs):
        super().__init__(**kwargs)
        make = self.KINDS[kind]
        self.kind, self.units, self.bidirectional, self.sequences = kind, units, bidirectional, sequences
        ways = (False, True) if bidirectional else (False,)
        self.readers = [make(units, return_sequences=sequences, return_state=True, go_backwards=way) for way in ways]

    def build(self, past_shape, future_shape):
        for reader in self.readers:
            reader.build(past_shape)
        if self.bidirectional:
            self.merge_past, self.merge_future = layers.Dense(self.units), layers.Dense(self.units)
            for merge, shape in ((self.merge_past, past_shape), (self.merge_future, future_shape)):
                merge.build((*shape[:-1], 2 * self.units))

    def call(self, past, future, training=None):
        pasts, futures = zip(*(self.read(reader, past, future) for reader in self.readers), strict=True)
        if not self.bidirectional:
            return pasts[0], futures[0]
        forward, backward = pasts[0], ops.flip(pasts[1], axis=1)
        past = self.merge_past(ops.concatenate([forward, backward], axis=-1))
        return past, self.merge_future(ops.concatenate(futures, axis=-1))

    def read(self, reader, past, future):
        steps = future.shape[1]
        outputs, *state = reader(past)
        # Each future token starts from the same state: (batch, units) -> (batch * steps, units).
        state = [ops.repeat(part, steps, axis=0) for part in state]
        stepped, _ = reader.cell(ops.reshape(future, (-1, future.shape[-1])), state)
        return outputs, ops.reshape(stepped, (-1, steps, self.units))
