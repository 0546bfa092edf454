"""Layers against formulas written out in numpy, and against the Keras layers they stand in for."""

from itertools import pairwise

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from forecastkit.networks import layers, unrolled
from forecastkit.networks.layers import (
    STEP_PART,
    STEP_SEED,
    Dropout,
    FeedForward,
    Recurrence,
    as_uint32,
    mix,
    seeded,
)
from forecastkit.networks.unrolled import STEPS

CELLS = {"rnn": keras.layers.SimpleRNNCell, "gru": keras.layers.GRUCell, "lstm": keras.layers.LSTMCell}
READERS = {"rnn": keras.layers.SimpleRNN, "gru": keras.layers.GRU, "lstm": keras.layers.LSTM}


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def scatter(layer, seed=1):
    """Give every weight of a built layer a value that no initializer chooses, biases and norms too."""
    rng = np.random.default_rng(seed)
    for weight in layer.trainable_weights:
        weight.assign(rng.normal(0, 0.5, weight.shape).astype("float32"))
    return layer


def built(layer, *shapes):
    layer.build(*shapes)
    layer.built = True
    return scatter(layer)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def layer_norm(x, norm):
    gamma, beta = (np.asarray(w) for w in norm.weights)
    centered = x - x.mean(-1, keepdims=True)
    return centered / np.sqrt((centered**2).mean(-1, keepdims=True) + norm.epsilon) * gamma + beta


def dense(x, layer):
    return x @ np.asarray(layer.kernel) + np.asarray(layer.bias)


def test_feed_forward_is_a_residual_of_two_dense_layers():
    tokens = normal(2, 3, 8)
    layer = built(FeedForward(16), tokens.shape)
    inner = np.asarray(keras.activations.gelu(dense(layer_norm(tokens, layer.norm), layer.widen)))
    np.testing.assert_allclose(layer(tokens), tokens + dense(inner, layer.narrow), atol=1e-4)


# ---------------------------------------------------------------------------------------------- recurrences


def formula_rnn(cell, x, state):
    (h,) = state
    return [np.tanh(x @ cell["kernel"] + h @ cell["recurrent_kernel"] + cell["bias"])]


def formula_lstm(cell, x, state):
    """f, i, o = sigmoid(W[h, x] + b), c = f c + i tanh(W[h, x] + b), h = o tanh(c); Keras orders i, f, c, o."""
    h, c = state
    i, f, g, o = np.split(x @ cell["kernel"] + h @ cell["recurrent_kernel"] + cell["bias"], 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return [sigmoid(o) * np.tanh(c), c]


def formula_gru(cell, x, state):
    """Cho et al. (2014) with the reset after the product; Keras orders z, r, candidate."""
    (h,) = state
    xz, xr, xh = np.split(x @ cell["kernel"] + cell["bias"][0], 3, axis=-1)
    hz, hr, hh = np.split(h @ cell["recurrent_kernel"] + cell["bias"][1], 3, axis=-1)
    z, r = sigmoid(xz + hz), sigmoid(xr + hr)
    return [z * h + (1 - z) * np.tanh(xh + r * hh)]


FORMULAS = {"rnn": formula_rnn, "gru": formula_gru, "lstm": formula_lstm}


def arrays(cell):
    return {name: np.asarray(getattr(cell, name)) for name in ("kernel", "recurrent_kernel", "bias")}


def run(formula, weights, past, backwards=False):
    """All hidden states (batch, time, units) in the order read, and the final state."""
    units = weights["recurrent_kernel"].shape[0]
    state = [np.zeros((len(past), units))] * (2 if formula is formula_lstm else 1)
    hidden = []
    for x in (past[:, ::-1] if backwards else past).swapaxes(0, 1):
        state = formula(weights, x, state)
        hidden.append(state[0])
    return np.stack(hidden, axis=1), state


@pytest.mark.parametrize("kind", STEPS)
def test_one_step_equals_the_keras_cell_and_the_formula(kind):
    batch, steps, units, width = 3, 4, 5, 6
    tokens = normal(batch, steps, width)
    cell = built(CELLS[kind](units), (None, width))
    state = [normal(batch, units, seed=s) for s in (3, 4)][: 2 if kind == "lstm" else 1]
    got = np.asarray(
        unrolled.step(kind, cell, ops.matmul(tokens, cell.kernel), list(map(ops.convert_to_tensor, state)))
    )
    for step in range(steps):
        expected, _ = cell(tokens[:, step], state)
        np.testing.assert_allclose(got[:, step], expected, atol=1e-5)
        np.testing.assert_allclose(got[:, step], FORMULAS[kind](arrays(cell), tokens[:, step], state)[0], atol=1e-5)


@pytest.mark.parametrize("kind", STEPS)
def test_a_step_into_shared_tokens_is_broadcast_over_the_batch(kind):
    cell = built(CELLS[kind](5), (None, 6))
    tokens = normal(1, 4, 6)
    state = [ops.convert_to_tensor(normal(3, 5, seed=s)) for s in (3, 4)][: 2 if kind == "lstm" else 1]
    shared = unrolled.step(kind, cell, ops.matmul(tokens, cell.kernel), state)
    whole_batch = unrolled.step(kind, cell, ops.matmul(np.repeat(tokens, 3, axis=0), cell.kernel), state)
    np.testing.assert_allclose(shared, whole_batch, atol=1e-6)


@pytest.mark.parametrize("kind", STEPS)
def test_recurrence_reads_the_past_and_steps_once_into_the_future(kind):
    past, future = normal(2, 7, 4), normal(2, 3, 4, seed=1)
    layer = built(Recurrence(kind, 5, sequences=True), past.shape, future.shape)
    weights = arrays(layer.readers[0].cell)
    hidden, state = run(FORMULAS[kind], weights, past)
    outputs, stepped = layer(past, future)
    np.testing.assert_allclose(outputs, hidden, atol=1e-5)
    for step in range(3):
        np.testing.assert_allclose(stepped[:, step], FORMULAS[kind](weights, future[:, step], state)[0], atol=1e-5)


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("tokens", [1, 7])
@pytest.mark.parametrize("kind", STEPS)
def test_gradients_of_unrolled_cells_are_those_of_keras(kind, tokens, sequences, monkeypatch):
    past, future = ops.convert_to_tensor(normal(2, tokens, 4)), normal(2, 3, 4, seed=1)
    layer = built(Recurrence(kind, 5, bidirectional=sequences, sequences=sequences), past.shape, future.shape)

    def results():
        with tf.GradientTape() as tape:
            tape.watch(past)
            outputs, stepped = layer(past, future)
            total = ops.sum(ops.sin(stepped)) + ops.sum(ops.sin(2 * outputs))
        return [outputs, stepped, *tape.gradient(total, [past, *(w.value for w in layer.trainable_variables)])]

    unrolled_results = results()
    monkeypatch.setattr(layers, "MAX_UNROLLED", 0)
    for mine, expected in zip(unrolled_results, results(), strict=True):
        np.testing.assert_allclose(mine, expected, atol=1e-4)


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_gradients_of_unrolled_cells_repeat_no_product(kind):
    """One product per token forwards and backwards, and one for the gradient of the recurrent weights."""
    tokens, units, gates = 7, 5, {"gru": 3, "lstm": 4}[kind]
    kernel, bias = ops.convert_to_tensor(normal(units, gates * units)), [ops.zeros(gates * units)] * (kind == "gru")

    @tf.function(autograph=False)
    def gradients(given):
        with tf.GradientTape() as tape:
            tape.watch([given, kernel])
            outputs = getattr(unrolled, f"unrolled_{kind}")(given, kernel, *bias)
        return tape.gradient(outputs, [given, kernel])

    graph = gradients.get_concrete_function(tf.TensorSpec((2, tokens, gates * units))).graph
    assert sum(operation.type == "MatMul" for operation in graph.get_operations()) <= 2 * tokens


def test_only_few_tokens_of_small_batches_are_written_out_and_none_for_xla(monkeypatch):
    layer, read = built(Recurrence("gru", 5), (None, 7, 4), (None, 3, 4)), []
    monkeypatch.setattr(unrolled, "read", lambda *given: read.append(given) or (None, [ops.zeros((1, 5))]))
    future = normal(1, 3, 4)
    layer(normal(64, 32, 4), future)
    assert len(read) == 1
    layer(normal(65, 32, 4), future)
    layer(normal(64, 33, 4), future)
    compiling = layers.COMPILING.set(True)
    layer(normal(64, 32, 4), future)
    layers.COMPILING.reset(compiling)
    assert len(read) == 1


@pytest.mark.parametrize("kind", STEPS)
def test_both_directions_end_where_they_have_read_everything(kind):
    """The backward direction's last output in time order has seen one step only; its final state all of them."""
    past, future = normal(2, 7, 4), normal(2, 3, 4, seed=1)
    layer = built(Recurrence(kind, 5, bidirectional=True, sequences=True), past.shape, future.shape)
    sides, futures = [], []
    for reader, backwards in zip(layer.readers, (False, True), strict=True):
        weights = arrays(reader.cell)
        hidden, state = run(FORMULAS[kind], weights, past, backwards)
        sides.append(hidden[:, ::-1] if backwards else hidden)
        futures.append(np.stack([FORMULAS[kind](weights, future[:, m], state)[0] for m in range(3)], axis=1))
    outputs, stepped = layer(past, future)
    np.testing.assert_allclose(outputs, dense(np.concatenate(sides, -1), layer.merge_past), atol=1e-4)
    np.testing.assert_allclose(stepped, dense(np.concatenate(futures, -1), layer.merge_future), atol=1e-4)


def test_futures_of_another_width_enter_by_weights_of_their_own():
    past, future = normal(2, 7, 1), normal(2, 3, 4, seed=1)
    layer = built(Recurrence("gru", 5), past.shape, future.shape)
    assert [tuple(entry.shape) for entry in layer.entries] == [(4, 15)]
    assert layer(past, future)[1].shape == (2, 3, 5)


def test_unseen_steps_do_not_reach_a_state():
    past, future = normal(2, 7, 4), normal(2, 3, 4, seed=1)
    layer = built(Recurrence("lstm", 5, sequences=True), past.shape, future.shape)
    later = past.copy()
    later[:, 4:] += 9
    np.testing.assert_array_equal(np.asarray(layer(past, future)[0])[:, :4], np.asarray(layer(later, future)[0])[:, :4])


# ---------------------------------------------------------------------------------------------- dropout


def random_bits(layer, step, shape=(64, 500)):
    token = STEP_SEED.set(np.int64(step))
    try:
        return np.asarray(layer(np.ones(shape, "float32"), training=True))
    finally:
        STEP_SEED.reset(token)


@pytest.mark.parametrize("rows", [1, 3])
def test_parts_of_a_batch_have_the_masks_of_the_whole(rows):
    """Of six windows with so many rows each, in parts of two and of unequal sizes; what all share is drawn for all."""
    layer = Dropout(0.4)
    whole = random_bits(layer, step=3, shape=(6 * rows, 50))
    for edges in ((0, 2, 4, 6), (0, 1, 6)):
        pieces = []
        for low, high in pairwise(edges):
            part = STEP_PART.set((np.int64(low), high - low))
            pieces.append(random_bits(layer, step=3, shape=((high - low) * rows, 50)))
            STEP_PART.reset(part)
        np.testing.assert_array_equal(np.concatenate(pieces), whole)
    part = STEP_PART.set((np.int64(2), 2))
    shared = random_bits(layer, step=3, shape=(1, 50))
    STEP_PART.reset(part)
    np.testing.assert_array_equal(shared, random_bits(layer, step=3, shape=(1, 50)))


@pytest.fixture
def pair():
    """Two layers with numbers of their own."""
    with seeded(7):
        return Dropout(0.3), Dropout(0.3)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropped_share_is_near_nominal_and_the_expectation_kept(rate):
    out = random_bits(Dropout(rate), step=5, shape=(200, 1000))
    deviation = np.sqrt(rate * (1 - rate) / out.size)
    assert abs((out == 0).mean() - rate) < 5 * deviation
    assert out.mean() == pytest.approx(1.0, abs=5 * deviation / (1 - rate))
    np.testing.assert_allclose(np.unique(out), [0, 1 / (1 - rate)], rtol=1e-5)


def test_masks_of_steps_and_layers_are_uncorrelated(pair):
    first, second = pair
    masks = [
        random_bits(first, 1),
        random_bits(first, 2),
        random_bits(first, 1 << 33),
        random_bits(second, 1),
        random_bits(second, 2),
    ]
    correlation = np.corrcoef([mask.ravel() for mask in masks])
    assert np.abs(correlation - np.eye(len(masks))).max() < 5 / np.sqrt(masks[0].size)


def test_masks_are_uncorrelated_along_rows_and_columns(pair):
    mask = random_bits(pair[0], 3, shape=(256, 256))
    for shift in (1, 2, 16, 64):
        for axis in (0, 1):
            shifted = np.roll(mask, shift, axis)
            assert abs(np.corrcoef(mask.ravel(), shifted.ravel())[0, 1]) < 5 / 256


def test_the_same_step_draws_the_same_mask(pair):
    np.testing.assert_array_equal(random_bits(pair[0], 4), random_bits(pair[0], 4))


def test_dropout_is_the_identity_in_inference_and_at_rate_zero(pair):
    ones = np.ones((4, 5), "float32")
    np.testing.assert_array_equal(pair[0](ones), ones)
    np.testing.assert_array_equal(pair[0](ones, training=False), ones)
    np.testing.assert_array_equal(random_bits(Dropout(0.0), 1), 1.0)


def test_in_a_loop_of_someone_else_every_call_has_its_own_mask(pair):
    ones = np.ones((16, 64), "float32")
    first, second = (np.asarray(pair[0](ones, training=True)) for _ in range(2))
    assert (first != second).any()
    assert int(pair[0].number) == pair[0].own + 2


def test_the_hash_is_the_finaliser_of_murmur():
    """Known values of fmix32: 0 stays 0, and 1 becomes 0x514e28b7."""
    assert [int(mix(as_uint32(value))) for value in (0, 1)] == [0, 0x514E28B7]
