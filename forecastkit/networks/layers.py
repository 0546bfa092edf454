"""Layers shared by several backbones, written in `keras.ops` for every Keras backend."""

import contextvars
import inspect
import math
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np
from keras import Layer, config, distribution, initializers, layers, ops, saving

from forecastkit.networks import unrolled
from forecastkit.networks.backbone import CELLS

#: Tokens, and windows of a training batch, up to which recurrences are written out.
MAX_UNROLLED, MAX_UNROLLED_BATCH = 32, 64
#: Whether XLA compiles what is traced. It compiles recurrences that are written out several times as long as loops.
COMPILING = contextvars.ContextVar("forecastkit_compiling", default=False)
#: Seed of the current training step. Random layers use it, so that a step is a function of its seed.
STEP_SEED = contextvars.ContextVar("forecastkit_step_seed", default=None)

#: If a batch is processed in parts: the index of the first window of the part, and its number of windows.
STEP_PART = contextvars.ContextVar("forecastkit_step_part", default=None)

#: Draws the seeds of initial weights while a network is built.
SEEDS: contextvars.ContextVar[random.Random | None] = contextvars.ContextVar("forecastkit_seeds", default=None)


def draw_seed(largest: int = 10**9) -> int:
    """Return a seed from the generator of the network that is being built, or a random one outside `seeded`."""
    return (SEEDS.get() or random.SystemRandom()).randint(1, largest)


@dataclass(frozen=True)
class SeededByName:
    """Initializer that Keras finds by its name, with a seed of the network.

    Without it Keras would draw the seed from Python's global generator, which belongs to the user's program and is
    shared by all threads.
    """

    make: Callable

    def from_config(self, config: dict) -> initializers.Initializer:
        """Return the initializer, as Keras calls for it."""
        return self.make(**{"seed": draw_seed(), **config})


@cache
def _random_initializers() -> dict[str, SeededByName]:
    found = {**vars(initializers), "normal": initializers.RandomNormal, "uniform": initializers.RandomUniform}
    classes = {name: cls for name, cls in found.items() if inspect.isclass(cls)}
    return {n: SeededByName(cls) for n, cls in classes.items() if "seed" in inspect.signature(cls).parameters}


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw the seeds of all layers made inside from a generator with this seed; other threads are not affected."""
    token = SEEDS.set(random.Random(seed))
    try:
        with saving.custom_object_scope(_random_initializers()):
            yield
    finally:
        SEEDS.reset(token)


def seed_random_states(layer: Layer) -> None:
    """Draw new states for the random generators of Keras layers, such as a user-defined layer's own dropout."""
    for variable in layer.variables:
        if variable.name == "seed_generator_state":
            variable.assign([draw_seed(), 0])


def recurrent(make: type[layers.RNN], units: int, **options) -> layers.RNN:
    """Return a recurrent layer of Keras, which has a generator for dropout even if it uses none.

    The seed that Keras would draw for this generator is drawn too, so that a seed still gives the weights that it gave
    in earlier versions.
    """
    first = make is layers.SimpleRNN
    if first:
        draw_seed()
    layer = make(units, seed=0, **options)
    if not first:
        draw_seed()
    return layer


def sublayers(layer: Layer) -> list[Layer]:
    """Return a layer and all layers within it, each once."""
    seen, waiting = {}, [layer]
    while waiting:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen[id(item)] = item
        if isinstance(item, Layer):
            waiting.extend(vars(item).values())
        elif isinstance(item, dict):  # whose keys may be layers, which have no order
            waiting.extend(item.values())
        elif isinstance(item, (list, tuple)):
            waiting.extend(item)
    return [item for item in seen.values() if isinstance(item, Layer)]


class Dropout(layers.Layer):
    """Dropout with a mask that is a hash of the step's seed, the layer's number and the element's index.

    The index refers to the whole batch, even if it is split among threads, devices or machines. Steps do not change the
    state of the layer, so threads can train concurrently and a resumed run draws the same masks. The number is stored
    as a weight, so that copied weights reproduce the masks. The elementwise hash, the finalizer of MurmurHash3
    (Appleby 2011), is also many times faster on a CPU than the counter-based generators of Keras, which XLA compiles to
    scalar code.
    """

    def __init__(self, rate: float, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate
        self.own = draw_seed(2**31 - 1)

    def build(self, shape):
        # int32 can be broadcast among distributed workers when variables are created; uint32 cannot.
        options = {"dtype": "int32", "initializer": initializers.Constant(self.own), "trainable": False}
        self.number = self.add_weight(name="number", shape=(), **options)

    def call(self, inputs, training=None):
        if not training or not self.rate:
            return inputs
        retained = ops.cast(self.random_bits(ops.shape(inputs)) >= as_uint32(int(self.rate * 2**32)), inputs.dtype)
        return inputs * retained * (1.0 / (1.0 - self.rate))

    def random_bits(self, shape):
        """Return integers of this shape that are uniformly distributed over uint32."""
        step = STEP_SEED.get()
        if step is None:  # in a training loop without step seeds, calls are counted instead
            self.number.assign(self.number + 1)
            step = 0
        bits = ops.cast(ops.reshape(ops.arange(math.prod(shape), dtype="int32"), shape), "uint32")
        if (part := STEP_PART.get()) is not None and shape[0] % part[1] == 0:  # else the tensor is not per window
            first, windows = part
            bits = bits + ops.cast(first, "uint32") * as_uint32(math.prod(shape) // windows)
        bits = mix(bits * as_uint32(0x9E3779B1) + ops.cast(step, "uint32") * as_uint32(0x85EBCA77))
        return mix(ops.bitwise_xor(bits, ops.cast(self.number.value, "uint32")))


def mix(bits):
    """Apply the finalizer of MurmurHash3 to uint32: each input bit flips each output bit with probability near 0.5."""
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        bits = ops.bitwise_xor(bits, ops.right_shift(bits, as_uint32(shift))) * as_uint32(factor)
    return bits


def as_uint32(number: int):
    """Return a uint32 scalar."""
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
    """Mark the layer as consuming `mask` without propagating it, so that Keras neither passes it on nor warns."""
    layer.supports_masking = True
    layer.compute_mask = lambda inputs, previous_mask=None: None
    return layer


class Recurrence(layers.Layer):
    """Recurrent layer over the past with one parallel step from its final state into every future token.

    Future tokens do not depend on each other: each is one step from the end of the past ("parallel multi-step
    forecasting", Lin et al. 2023), so the horizon costs one batched step instead of a loop.

    Parameters
    ----------
    kind : {'rnn', 'lstm', 'gru'}
    units : int
    bidirectional : bool
        Whether to read the past in both directions. The outputs and final states of both are merged by dense layers.
    sequences : bool
        Whether to return the outputs of all past tokens, as a further layer needs them.
    """

    KINDS: ClassVar = dict(zip(CELLS, (layers.SimpleRNN, layers.LSTM, layers.GRU), strict=True))

    def __init__(self, kind: str, units: int, bidirectional: bool = False, sequences: bool = False, **kwargs):
        super().__init__(**kwargs)
        make = self.KINDS[kind]
        self.kind, self.units, self.bidirectional, self.sequences = kind, units, bidirectional, sequences
        directions = (False, True) if bidirectional else (False,)
        self.readers = [
            recurrent(make, units, return_sequences=sequences, return_state=True, go_backwards=direction)
            for direction in directions
        ]

    def build(self, past_shape, future_shape):
        for reader in self.readers:
            reader.build(past_shape)
        # Future tokens share the input weights of past tokens if they have the same width.
        self.entries = [reader.cell.kernel for reader in self.readers]
        if past_shape[-1] != future_shape[-1]:
            shape = (future_shape[-1], self.entries[0].shape[-1])
            self.entries = [self.add_weight(name=f"entry_{i}", shape=shape) for i in range(len(self.readers))]
        if self.bidirectional:
            self.merge_past, self.merge_future = layers.Dense(self.units), layers.Dense(self.units)
            for merge, shape in ((self.merge_past, past_shape), (self.merge_future, future_shape)):
                merge.build((*shape[:-1], 2 * self.units))

    def call(self, past, future, training=None):
        past_outputs, future_outputs = zip(
            *map(self.read, self.readers, self.entries, [past] * 2, [future] * 2), strict=True
        )
        if not self.bidirectional:
            return past_outputs[0], future_outputs[0]
        forward, backward = past_outputs[0], ops.flip(past_outputs[1], axis=1)
        past = self.merge_past(ops.concatenate([forward, backward], axis=-1))
        return past, self.merge_future(ops.concatenate(future_outputs, axis=-1))

    def read(self, reader, input_weight, past, future):
        few = past.shape[1] <= MAX_UNROLLED and (past.shape[0] or 1) <= MAX_UNROLLED_BATCH
        if few and not COMPILING.get() and on_cpu():
            outputs, state = unrolled.read(self.kind, reader.cell, past, reader.go_backwards)
            outputs = outputs if self.sequences else state[0]
        else:
            outputs, *state = reader(past)
        return outputs, unrolled.step(self.kind, reader.cell, ops.matmul(future, input_weight), state)


@cache
def on_cpu() -> bool:
    """Return whether Keras computes on the CPU; on a GPU recurrent layers call cuDNN."""
    listed = config.backend() in ("tensorflow", "jax")  # Keras lists the devices of no other backend
    return listed and all(name.lower().startswith("cpu") for name in distribution.list_devices())
