"""What networks cost: seconds and memory by length, parameters, and what one new observation asks for."""

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

from forecastkit.comparison.measure import peak_mb, resident_mb

#: Windows of a batch; calls that are timed, more where one is short; steps that are timed at once.
BATCH, REPEATS, MANY, SHORT, STEPS = 2, 3, 20, 0.02, 100
SCRIPT = Path(__file__).resolve().parent.parent / "study.py"


def in_child(name: str, key: dict, threads: int) -> dict:
    """What a measurement returns in a process of its own, with so many threads."""
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ, "TF_NUM_INTRAOP_THREADS": str(threads)}
    environment |= {"TF_NUM_INTEROP_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, str(SCRIPT), "--child", name, json.dumps(key)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        sys.exit(f"{name} {key} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def growth(network: str, lengths: list, patch: int, threads: int) -> dict:
    """Seconds and memory at each length, measured by a child, see `growth_here`."""
    return in_child("growth", {"network": network, "lengths": lengths, "patch": patch}, threads)


def growth_here(network: str, lengths: list, patch: int, units: int = 64) -> dict:
    """Seconds of a training step and of a prediction of two windows, and peak memory, by length.

    Loops over time are compiled by XLA, as in the library; it does not make the other networks faster. Memory is the
    peak of a process over what it held before the first network was built.
    """
    from study.probe import Steps

    before = resident_mb()
    rows = []
    for length in lengths:
        forget_peak()
        windows = np.random.default_rng(0).normal(size=(BATCH, length // patch, patch)).astype("float32")
        target = np.zeros((BATCH, 1), dtype="float32")
        net = Steps(network, units, windows)
        spent = {"predict": seconds(net.predict, windows), "train": seconds(net.train, windows, target)}
        rows.append({"length": length, **spent, "memory_mb": peak_mb() - before})
    return {"rows": rows}


def seconds(work, *given) -> float:
    """The least seconds of some calls after the first.

    With one thread they are seconds of the processor, so that other work on the machine does not count; with several
    they are seconds of the clock.
    """
    clock = time.process_time if os.environ.get("TF_NUM_INTRAOP_THREADS") == "1" else time.perf_counter
    work(*given)

    def once():
        began = clock()
        work(*given)
        return clock() - began

    first = once()
    return min(first, *(once() for _ in range(MANY if first < SHORT else REPEATS)))


def forget_peak() -> None:
    """On Linux, let the peak begin at what is held now."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def parameters(network: str, units: int) -> dict:
    """Weights of one layer of a network by count, and by the formula where there is a plain one.

    Recurrent layers read tokens of their own width: so many blocks of two square matrices and a bias; GRU keeps a
    second bias for its reset after the product. A Transformer block has four matrices of attention and, twice as wide
    inside, a feed-forward of four more, beside biases and two norms.
    """
    from study.probe import backbone_of

    layer = one_layer(backbone_of(network, units)).build()
    tokens = np.zeros((1, 4, units), dtype="float32")
    layer(tokens, tokens[:, :1])
    return {"counted": weights(layer), "formula": formula(network, units)}


def weights(layer) -> int:
    """How many numbers are trained; dropout keeps a counter that is not."""
    return sum(int(np.prod(weight.shape)) for weight in layer.trainable_weights)


def defaults(network: str) -> dict:
    """Weights of a backbone with its own defaults, and seconds of its gradient over 63 windows of 22 days."""
    import tensorflow as tf

    from forecastkit.networks import backbones

    chosen = backbones.find(network)()
    layer = chosen.build()
    beside, each = (9, 7) if chosen.mixes_channels else (63,), (1,) if chosen.selects_variables else ()
    past, future = (tf.random.normal((*beside, tokens, *each, chosen.units)) for tokens in (22, 4))
    layer(past, future)

    def gradient():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(past, future, training=True) ** 2)
        return tape.gradient(loss, [weight.value for weight in layer.trainable_weights])

    return {"weights": weights(layer), "seconds": seconds(tf.function(gradient, autograph=False))}


def one_layer(backbone):
    if hasattr(backbone, "positions"):
        backbone.positions = "none"
    backbone.layers = 1
    return backbone


def formula(network: str, units: int) -> int | None:
    square = units * units
    return {
        "rnn": 2 * square + units,
        "lstm": 4 * (2 * square + units),
        "gru": 3 * (2 * square + 2 * units),
        "transformer": 8 * square + 4 * units + 3 * units + 4 * units + 2 * units,
    }.get(network)


def observation(network: str, length: int, units: int = 64) -> dict:
    """Milliseconds that one new observation costs: one step from a carried state, or the window over again.

    For attention the carried state is the keys and values of the window, and a step is one query over them.
    """
    from study.probe import Steps

    windows = np.random.default_rng(0).normal(size=(1, length, 1)).astype("float32")
    net = Steps(network, units, windows)
    row = {"window_ms": 1000 * seconds(net.predict, windows)}
    step, numbers = attention_step(length, units) if network == "transformer" else recurrent_step(network, units)
    return {**row, "carried_ms": 1000 * seconds(step) / STEPS, "state_numbers": numbers}


def recurrent_step(network: str, units: int):
    """A call that takes many steps of a cell, each from the state before, and how many numbers its state has."""
    import tensorflow as tf
    from keras import layers

    made = {"rnn": layers.SimpleRNNCell, "lstm": layers.LSTMCell, "gru": layers.GRUCell}[network](units)
    state = [tf.zeros((1, units)) for _ in range(2 if network == "lstm" else 1)]
    made.build(state[0].shape)
    return in_turn(lambda state: made(state[0], state)[1], state), units * len(state)


def attention_step(length: int, units: int, heads: int = 4):
    """A call that takes many steps of one query over kept keys and values, and how many numbers are kept.

    A step has the matrices of a block around it. Only a causal network with positions by distance can keep what it
    knows: others change it with every new observation.
    """
    import tensorflow as tf

    from forecastkit.networks.attention import attend, split_heads

    kept = tf.zeros((1, heads, length, units // heads))
    project, widen = tf.zeros((units, 4 * units)), tf.zeros((units, 2 * units))

    def step(state):
        (query,) = split_heads((state[0] @ project)[..., :units], heads)
        return [tf.reshape(tf.matmul(attend(query, kept, kept) @ widen, widen, transpose_b=True), (1, 1, units))]

    return in_turn(step, [tf.zeros((1, 1, units))]), 2 * length * units


def in_turn(step, state: list):
    """A compiled call of many steps, each with what the one before left."""
    import tensorflow as tf

    def call():
        go_on, body = (lambda at, *_: at < STEPS), (lambda at, *now: (at + 1, *step(list(now))))
        return tf.while_loop(go_on, body, (tf.constant(0), *state))[1]

    compiled = tf.function(call, autograph=False)
    return lambda: compiled().numpy()


def forecaster(lookback: int) -> dict:
    """Milliseconds of `update` with one row and `predict` of a fitted GRU forecaster: it reads its window again."""
    import forecastkit as fk

    data = np.sin(np.arange(3 * lookback) / 4) + np.random.default_rng(0).normal(0, 0.1, 3 * lookback)
    sizes = {"horizon": 24, "lookback": lookback, "patch": 24, "season_length": 24, "epochs": 1}
    model = fk.GRUForecaster(**sizes, windows_per_epoch=64, final_epochs=0, random_state=0).fit(data)
    update = seconds(model.update, data[:1])
    return {"update_ms": 1000 * update, "predict_ms": 1000 * seconds(model.predict)}
