"""Layers shared by several backbones, in `keras.ops` for every Keras backend."""

import contextvars
import math
import random
from typing import ClassVar

import numpy as np
from keras import initializers, layers, ops

#: The seed of the training step being traced; layers of ours draw from it, so that a step is a function of its seed.
STEP_SEED = contextvars.ContextVar("forecastkit_step_seed", default=None)

#: Where a batch is computed in parts: the number of the first window of this one, and how many windows it has.
STEP_PART = contextvars.ContextVar("forecastkit_step_part", default=None)


class Dropout(layers.Layer):
    """Dropout whose mask is a hash of the step's seed, this layer's own number and the place in the tensor.

    The place is that in the whole batch, into however many parts it was cut for threads, devices or machines. Two
    threads may train at once and a resumed run draws the same masks, because steps change nothing here. The number is a
    weight, so that a network given the weights of another draws as that one does. It is also many times cheaper on a
    CPU than the counter-based generators of Keras, which XLA compiles to scalar code there: the hash is the finaliser
    of MurmurHash3 (Appleby 2011), element by element.
    """

    def __init__(self, rate: float, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate
        self.own = random.randint(1, 2**31 - 1)  # where Keras draws the seeds of its layers from, too

    def build(self, shape):
        # A type that workers can send each other when they make their variables.
        more = {"dtype": "int32", "initializer": initializers.Constant(self.own), "trainable": False}
        self.number = self.add_weight(name="number", shape=(), **more)

    def call(self, inputs, training=None):
        if not training or not self.rate:
            return inputs
        kept = ops.cast(self.draw(ops.shape(inputs)) >= whole(int(self.rate * 2**32)), inputs.dtype)
        return inputs * kept * (1.0 / (1.0 - self.rate))

    def draw(self, shape):
        """Whole numbers of this shape, uniform over all of uint32."""
        step = STEP_SEED.get()
        if step is None:  # someone else's training loop: count the calls
            self.number.assign(self.number + 1)
            step = 0
        bits = ops.cast(ops.reshape(ops.arange(math.prod(shape), dtype="int32"), shape), "uint32")
        if (part := STEP_PART.get()) is not None and shape[0] % part[1] == 0:  # else all windows have it together
            first, windows = part
            bits = bits + ops.cast(first, "uint32") * whole(math.prod(shape) // windows)
        bits = mix(bits * whole(0x9E3779B1) + ops.cast(step, "uint32") * whole(0x85EBCA77))
        return mix(ops.bitwise_xor(bits, ops.cast(self.number.value, "uint32")))


def mix(bits):
    """The finaliser of MurmurHash3 on uint32: every bit in changes every bit out with probability near one half."""
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        bits = ops.bitwise_xor(bits, ops.right_shift(bits, whole(shift))) * whole(factor)
    return bits


def whole(number: int):
    """A uint32 scalar."""
    return ops.convert_to_tensor(np.uint32(number))


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


def own_mask(layer):
    """Mark the layer as consuming `mask` without propagating it; Keras would pass it to later layers, or warn."""
    layer.supports_masking = True
    layer.compute_mask = lambda inputs, previous_mask=None: None
    return layer


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

    KINDS: ClassVar = {"rnn": layers.SimpleRNN, "lstm": layers.LSTM, "gru": layers.GRU}

    def __init__(self, kind: str, units: int, bidirectional: bool = False, sequences: bool = False, **kwargs):
        super().__init__(**kwargs)
        make = self.KINDS[kind]
        self.kind, self.units, self.bidirectional, self.sequences = kind, units, bidirectional, sequences
        ways = (False, True) if bidirectional else (False,)
        self.readers = [make(units, return_sequences=sequences, return_state=True, go_backwards=way) for way in ways]

    def build(self, past_shape, future_shape):
        for reader in self.readers:
            reader.build(past_shape)
        # Tokens of the future enter by the weights of the past where they have its width, else by their own.
        self.entries = [reader.cell.kernel for reader in self.readers]
        if past_shape[-1] != future_shape[-1]:
            shape = (future_shape[-1], self.entries[0].shape[-1])
            self.entries = [self.add_weight(name=f"entry_{i}", shape=shape) for i in range(len(self.readers))]
        if self.bidirectional:
            self.merge_past, self.merge_future = layers.Dense(self.units), layers.Dense(self.units)
            for merge, shape in ((self.merge_past, past_shape), (self.merge_future, future_shape)):
                merge.build((*shape[:-1], 2 * self.units))

    def call(self, past, future, training=None):
        pasts, futures = zip(*map(self.read, self.readers, self.entries, [past] * 2, [future] * 2), strict=True)
        if not self.bidirectional:
            return pasts[0], futures[0]
        forward, backward = pasts[0], ops.flip(pasts[1], axis=1)
        past = self.merge_past(ops.concatenate([forward, backward], axis=-1))
        return past, self.merge_future(ops.concatenate(futures, axis=-1))

    def read(self, reader, entry, past, future):
        outputs, *state = reader(past)
        return outputs, STEPS[self.kind](reader.cell, ops.matmul(future, entry), [part[:, None] for part in state])


def step_rnn(cell, given, state):
    """One step of a SimpleRNN cell from a state (batch, 1, units) into each of several tokens.

    ``given`` (batch or 1, steps, gates * units) are the tokens times their weights. It and the product with the state
    are made once each and broadcast, where calling the cell would repeat them for every pair.
    """
    (hidden,) = state
    return ops.tanh(given + cell.bias + ops.matmul(hidden, cell.recurrent_kernel))


def step_gru(cell, given, state):
    """One step of a GRU cell (reset after the product), as `step_rnn`."""
    (hidden,) = state
    given = given + cell.bias[0]
    kept = ops.matmul(hidden, cell.recurrent_kernel) + cell.bias[1]
    units = hidden.shape[-1]
    gates = ops.sigmoid(given[..., : 2 * units] + kept[..., : 2 * units])
    update, reset = gates[..., :units], gates[..., units:]
    candidate = ops.tanh(given[..., 2 * units :] + reset * kept[..., 2 * units :])
    return update * hidden + (1.0 - update) * candidate


def step_lstm(cell, given, state):
    """One step of an LSTM cell, as `step_rnn`."""
    hidden, carry = state
    both = given + cell.bias + ops.matmul(hidden, cell.recurrent_kernel)
    enter, forget, candidate, leave = ops.split(both, 4, axis=-1)
    carry = ops.sigmoid(forget) * carry + ops.sigmoid(enter) * ops.tanh(candidate)
    return ops.sigmoid(leave) * ops.tanh(carry)


STEPS = {"rnn": step_rnn, "gru": step_gru, "lstm": step_lstm}
