"""Attention against its formulas, a window, a head and a pair of tokens at a time; what `watch_attention` is told."""

import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import ROTATED_BACKBONES, in_rotation
from keras import ops
from test_layers import built, dense, layer_norm, normal
from test_network import changed, make, run, windows

from forecastkit.networks import backbones
from forecastkit.networks.attention import (
    CrossAttention,
    Positions,
    RelativeAttention,
    SelfAttention,
    attend,
    rotate,
    shift,
    sinusoid,
    unwatched,
    watch_attention,
)
from forecastkit.networks.network import Sizes
from forecastkit.utils.exceptions import ParameterError

#: Networks in which tokens of the future attend to the past.
ATTENTIVE = [
    "cnn_transformer",
    "decoder_only",
    "encoder_decoder",
    "gru_transformer",
    "lstm_transformer",
    "rnn_transformer",
    "transformer",
    "transformer_xl",
]

# ---------------------------------------------------------------------------------------------- positions


@pytest.mark.parametrize("units", [8, 7])
def test_sinusoidal_positions_follow_the_formula(units):
    table = sinusoid(np.arange(-3, 50), units)
    for position in (-3, 0, 1, 13, 49):
        for i in range(units):
            angle = position / 10_000.0 ** (2 * (i // 2) / units)
            assert table[position + 3, i] == pytest.approx((np.sin, np.cos)[i % 2](angle), abs=1e-6)


def test_positions_add_a_table_or_nothing():
    tokens = normal(2, 5, 8)
    np.testing.assert_allclose(Positions("sinusoidal")(tokens) - tokens, [sinusoid(np.arange(5), 8)] * 2, atol=1e-6)
    for kind in ("rotary", "none"):
        np.testing.assert_array_equal(Positions(kind)(tokens), tokens)
    learned = Positions("learned")
    np.testing.assert_allclose(learned(tokens) - tokens, [np.asarray(learned.table)] * 2, atol=1e-6)
    assert [tuple(w.shape) for w in learned.trainable_weights] == [(5, 8)]


def slow_rotation(vector, position):
    """Each pair of places, half a width apart, turned by its own multiple of the position."""
    turned, half = np.empty_like(vector), len(vector) // 2
    for i in range(half):
        angle = position / 10_000.0 ** (2 * i / len(vector))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        turned[[i, i + half]] = turn @ vector[[i, i + half]]
    return turned


def test_rotation_follows_the_formula():
    vectors = normal(2, 3, 5, 8)
    turned = np.asarray(rotate(vectors, first=7))
    for index in np.ndindex(2, 3, 5):
        np.testing.assert_allclose(turned[index], slow_rotation(vectors[index], 7 + index[2]), atol=1e-5)


def test_turned_dot_products_depend_on_the_distance_only():
    query, key = normal(1, 1, 1, 8), normal(1, 1, 1, 8, seed=1)
    for distance in (-5, 0, 1, 17):
        products = [np.sum(rotate(query, p + distance) * rotate(key, p)) for p in (0, 1, 30, 400)]
        np.testing.assert_allclose(products, products[0], atol=1e-4)
    assert np.sum(rotate(query, 5) * rotate(key, 0)) != pytest.approx(np.sum(rotate(query, 6) * rotate(key, 0)))


def test_a_turn_keeps_the_length():
    vectors = normal(1, 2, 30, 6)
    np.testing.assert_allclose(np.linalg.norm(rotate(vectors), axis=-1), np.linalg.norm(vectors, axis=-1), rtol=1e-5)


# ---------------------------------------------------------------------------------------------- self-attention


def softmax(scores):
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def slow_attention(layer, tokens, mask=None):
    """softmax(q k' / sqrt(d)) v, a window and a head at a time."""
    units, length = tokens.shape[-1], tokens.shape[1]
    d = units // layer.heads
    out = np.empty_like(tokens)
    for b, window in enumerate(tokens):
        q, k, v = np.split(dense(layer_norm(window, layer.norm), layer.project), 3, axis=-1)
        for h in range(layer.heads):
            part = slice(h * d, (h + 1) * d)
            queries, keys = q[:, part], k[:, part]
            if layer.rotary:
                queries, keys = ([slow_rotation(x, p) for p, x in enumerate(side)] for side in (queries, keys))
            scores = np.array(queries) @ np.array(keys).T / np.sqrt(d)
            scores = scores if mask is None else np.where(mask[b] > 0, scores, -np.inf)
            scores = np.where(np.tri(length) > 0, scores, -np.inf) if layer.causal else scores
            out[b, :, part] = softmax(scores) @ v[:, part]
    return tokens + dense(out, layer.merge)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("rotary", [False, True])
def test_attention_is_the_scaled_dot_product(masked, rotary):
    tokens = normal(3, 6, 8)
    mask = np.array([[1, 1, 1, 1, 1, 1], [0, 1, 1, 0, 1, 1], [0, 0, 0, 0, 0, 1]], "float32") if masked else None
    layer = built(SelfAttention(heads=2, rotary=rotary), tokens.shape)
    np.testing.assert_allclose(layer(tokens, mask=mask), slow_attention(layer, tokens, mask), atol=1e-4)


def test_causal_attention_is_the_lower_triangle():
    tokens, mask = normal(2, 6, 8), np.array([[1] * 6, [1, 0, 1, 0, 0, 1]], "float32")
    layer = built(SelfAttention(heads=2, causal=True), tokens.shape)
    np.testing.assert_allclose(layer(tokens, mask=mask), slow_attention(layer, tokens, mask), atol=1e-4)


@pytest.mark.parametrize("rotary", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_later_tokens_change_nothing_before_them(rotary, masked):
    """Bit for bit, and also where everything up to a token is masked."""
    tokens, mask = normal(2, 6, 8), np.array([[0, 0, 1, 1, 1, 1]] * 2, "float32") if masked else None
    layer = built(SelfAttention(heads=2, rotary=rotary, causal=True), tokens.shape)
    before = np.asarray(layer(tokens, mask=mask))
    for t in range(1, 6):
        other = tokens.copy()
        other[:, t:] += normal(2, 6 - t, 8, seed=t)
        after = np.asarray(layer(other, mask=mask))
        np.testing.assert_array_equal(after[:, :t], before[:, :t])
        assert (after[:, t:] != before[:, t:]).any()


@pytest.mark.parametrize("options", [{}, {"rotary": True}, {"causal": True}, {"rotary": True, "causal": True}])
def test_only_the_last_tokens_leave_where_only_they_are_wanted(options):
    tokens, mask = normal(2, 6, 8), np.array([[0, 1, 1, 1, 1, 1]] * 2, "float32")
    layer = built(SelfAttention(heads=2, **options), tokens.shape)
    np.testing.assert_allclose(layer(tokens, mask=mask, steps=2), layer(tokens, mask=mask)[:, -2:], atol=1e-5)


def heads_of(layer, units, heads):
    """Weights of a `project` as those of Keras' own layer."""
    kernels = np.split(np.asarray(layer.kernel), layer.units // units, axis=1)
    biases = np.split(np.asarray(layer.bias), layer.units // units)
    pairs = zip(kernels, biases, strict=True)
    return [w for k, b in pairs for w in (k.reshape(units, heads, -1), b.reshape(heads, -1))]


def test_attention_equals_keras_multi_head_attention():
    tokens, heads, units = normal(2, 5, 8), 2, 8
    ours = built(SelfAttention(heads), tokens.shape)
    theirs = keras.layers.MultiHeadAttention(heads, units // heads)
    normed = ours.norm(tokens)
    theirs.build(normed.shape, normed.shape)
    merge = np.asarray(ours.merge.kernel).reshape(heads, -1, units), np.asarray(ours.merge.bias)
    theirs.set_weights([*heads_of(ours.project, units, heads), *merge])
    np.testing.assert_allclose(ours(tokens), tokens + theirs(normed, normed), atol=1e-5)


def test_masked_tokens_change_no_other_token():
    tokens = normal(2, 6, 8)
    mask = np.array([[0, 1, 1, 0, 1, 1]] * 2, "float32")
    layer = built(SelfAttention(heads=4), tokens.shape)
    other = np.where(mask[..., None] > 0, tokens, 1e3)
    seen = mask[0] > 0
    got, wanted = np.asarray(layer(other, mask=mask)), np.asarray(layer(tokens, mask=mask))
    np.testing.assert_array_equal(got[:, seen], wanted[:, seen])
    with watch_attention() as weights:
        layer(tokens, mask=mask)
    assert (weights[0][..., ~seen] == 0).all()


def test_attention_of_all_masked_tokens_is_finite():
    tokens = normal(1, 4, 8)
    layer = built(SelfAttention(heads=2), tokens.shape)
    assert np.isfinite(layer(tokens, mask=np.zeros((1, 4), "float32"))).all()


def test_a_token_alone_attends_to_itself():
    tokens = normal(3, 1, 8)
    layer = built(SelfAttention(heads=2), tokens.shape)
    np.testing.assert_allclose(layer(tokens), slow_attention(layer, tokens), atol=1e-5)


# ---------------------------------------------------------------------------------------------- cross-attention


def test_cross_attention_equals_keras_multi_head_attention():
    future, past, heads, units = normal(2, 3, 8), normal(2, 5, 8, seed=1), 2, 8
    mask = np.array([[1] * 5, [0, 0, 1, 0, 1]], "float32")
    ours = built(CrossAttention(heads), future.shape)
    theirs = keras.layers.MultiHeadAttention(heads, units // heads)
    theirs.build(future.shape, past.shape)
    merge = np.asarray(ours.merge.kernel).reshape(heads, -1, units), np.asarray(ours.merge.bias)
    theirs.set_weights([*heads_of(ours.ask, units, heads), *heads_of(ours.read, units, heads), *merge])
    expected = theirs(ours.norm(future), past, attention_mask=mask[:, None] > 0)
    np.testing.assert_allclose(ours(future, past, mask=mask), future + expected, atol=1e-5)


@pytest.mark.parametrize("rotary", [False, True])
def test_shared_queries_are_broadcast_over_the_batch(rotary):
    future, past = normal(1, 3, 8), normal(4, 5, 8, seed=1)
    layer = built(CrossAttention(2, rotary=rotary), future.shape)
    np.testing.assert_allclose(layer(future, past), layer(np.repeat(future, 4, axis=0), past), atol=1e-5)


def test_turned_queries_follow_the_past():
    """What counts is the distance to the past: a longer past of masked tokens before it changes nothing."""
    future, past = normal(2, 3, 8), normal(2, 5, 8, seed=1)
    layer = built(CrossAttention(2, rotary=True), future.shape)
    longer = np.concatenate([normal(2, 4, 8, seed=2), past], axis=1)
    mask = np.array([[0] * 4 + [1] * 5] * 2, "float32")
    np.testing.assert_allclose(layer(future, longer, mask=mask), layer(future, past), atol=1e-4)


# ---------------------------------------------------------------------------------------------- relative attention


def slow_relative(layer, tokens, memory, mask=None):
    """Dai et al. (2019), section 3.3: the four terms of every score, a pair of tokens at a time."""
    seen = np.concatenate([memory, tokens], axis=1)
    length, before, units = seen.shape[1], memory.shape[1], seen.shape[2]
    d = units // layer.heads
    u, v = np.asarray(layer.content_bias)[:, 0], np.asarray(layer.place_bias)[:, 0]
    out = np.zeros(tokens.shape)
    for b, window in enumerate(seen):
        normed = layer_norm(window, layer.norm)
        queries, (keys, values) = dense(normed, layer.ask), np.split(dense(normed, layer.read), 2, axis=-1)
        for h in range(layer.heads):
            part = slice(h * d, (h + 1) * d)
            for i in range(before, length):
                scores = np.full(length, -np.inf)
                for j in range(i + 1):
                    if mask is not None and not mask[b, j]:
                        continue
                    place = (sinusoid([i - j], units)[0] @ np.asarray(layer.place.kernel))[part]
                    q, k = queries[i, part], keys[j, part]
                    scores[j] = (q @ k + q @ place + u[h] @ k + v[h] @ place) / np.sqrt(d)
                out[b, i - before, part] = softmax(scores) @ values[:, part]
    return tokens + dense(out, layer.merge)


@pytest.mark.parametrize("remembered", [0, 1, 4])
@pytest.mark.parametrize("masked", [False, True])
def test_relative_attention_is_the_formula_of_every_pair(remembered, masked):
    tokens, memory = normal(2, 3, 8), normal(2, remembered, 8, seed=1)
    mask = np.ones((2, remembered + 3), "float32")
    mask[1, [1, -2]] = 0
    mask = mask if masked else None
    layer = built(RelativeAttention(heads=2), tokens.shape)
    wanted = slow_relative(layer, tokens, memory, mask)
    np.testing.assert_allclose(layer(tokens, memory, mask=mask), wanted, atol=1e-4)
    np.testing.assert_allclose(layer(tokens, memory, mask=mask, steps=1), wanted[:, -1:], atol=1e-4)


@pytest.mark.parametrize(("queries", "keys"), [(1, 1), (1, 4), (3, 3), (3, 7), (6, 6)])
def test_the_shift_puts_every_distance_under_its_key(queries, keys):
    by_distance = np.broadcast_to(np.arange(keys - 1, -2, -1.0), (2, 2, queries, keys + 1))
    shifted = np.asarray(shift(ops.convert_to_tensor(by_distance)))
    for i in range(queries):
        for j in range(keys - queries + i + 1):
            assert (shifted[..., i, j] == keys - queries + i - j).all()


def test_relative_attention_does_not_see_ahead():
    tokens, memory = normal(2, 5, 8), normal(2, 3, 8, seed=1)
    layer = built(RelativeAttention(heads=2), tokens.shape)
    other = tokens.copy()
    other[:, 2:] += 5
    np.testing.assert_array_equal(np.asarray(layer(other, memory))[:, :2], np.asarray(layer(tokens, memory))[:, :2])


# ---------------------------------------------------------------------------------------------- watching


def test_watched_weights_sum_to_one_and_are_copies_of_their_own():
    tokens = normal(3, 6, 8)
    layer = built(SelfAttention(heads=2), tokens.shape)
    with watch_attention() as seen:
        layer(tokens)
        layer(tokens, steps=2)
    layer(tokens)
    assert [weights.shape for weights in seen] == [(3, 2, 6, 6), (3, 2, 2, 6)]
    np.testing.assert_allclose(seen[0].sum(-1), 1, atol=1e-5)
    np.testing.assert_allclose(seen[0][:, :, -2:], seen[1], atol=1e-6)


def test_tokens_out_of_reach_have_weight_zero():
    with watch_attention() as seen:
        attend(normal(1, 2, 3, 4), normal(1, 2, 5, 4), normal(1, 2, 5, 4), unseen=2)
    assert seen[0].shape == (1, 2, 3, 7)
    assert (seen[0][..., :2] == 0).all()
    assert (seen[0][..., 2:] > 0).all()


def test_who_watches_sees_what_this_thread_does_there_and_no_more():
    tokens = normal(1, 4, 8)
    layer = built(SelfAttention(heads=2), tokens.shape)
    with watch_attention() as outer:
        with watch_attention() as inner:
            layer(tokens)
        with unwatched():
            layer(tokens)
        other = threading.Thread(target=layer, args=(tokens,))
        other.start()
        other.join()
        assert (len(outer), len(inner)) == (0, 1)
        layer(tokens)
    assert (len(outer), len(inner)) == (1, 1)


# ---------------------------------------------------------------------------------------------- networks

SIZES = Sizes(lookback=12, horizon=6, patch=3, known=2)
#: Twelve tokens of the past and three of the future.
LONG = Sizes(lookback=12, horizon=3, patch=1, masked=True)
LATE = ["decoder_only", "transformer_xl"]


@pytest.mark.parametrize("name", [*LATE, "transformer", "encoder_decoder"])
def test_what_is_known_of_later_segments_reaches_earlier_ones_unless_causal(name):
    network, inputs = make(name, SIZES), windows(SIZES)
    before, after = run(network, inputs), run(network, changed(inputs, "known", (slice(None), slice(15, None))))
    assert (after[:, 3:] != before[:, 3:]).any(axis=(1, 2)).all()
    if name in LATE:
        np.testing.assert_array_equal(after[:, :3], before[:, :3])
    else:
        assert (after[:, :3] != before[:, :3]).any(axis=(1, 2)).all()


def test_segments_that_remember_everything_are_one_causal_sequence():
    """Whatever the cuts, as later tokens change nothing before them."""
    cut, whole = (make("transformer_xl", LONG, segment=segment, memory=99) for segment in (5, 99))
    np.testing.assert_allclose(run(cut, windows(LONG)), run(whole, windows(LONG)), atol=1e-5)


def reach(parameters):
    """Which steps of the past a forecast depends on."""
    sizes = Sizes(lookback=12, horizon=3, patch=1)
    network = make("transformer_xl", sizes, **parameters)
    one = {"target": np.repeat(windows(sizes)["target"][:1], 12, axis=0)}
    steps = np.arange(12)
    after = run(network, changed(one, "target", (steps, steps)))
    return np.flatnonzero((after != run(network, one)).any(axis=(1, 2)))


@pytest.mark.parametrize(
    ("parameters", "first"),
    [
        ({"segment": 3, "memory": 0}, 9),
        ({"segment": 3, "layers": 1}, 6),
        ({"segment": 3, "layers": 2}, 3),
        ({"segment": 2, "memory": 1, "layers": 1}, 9),
        ({"layers": 1}, 0),
    ],
)
def test_memory_reaches_one_segment_back_for_each_layer(parameters, first):
    """The last step is the level of every window, and so reaches all forecasts."""
    np.testing.assert_array_equal(reach(parameters), np.arange(first, 12))


@pytest.mark.parametrize("training", [True, False])
def test_no_gradient_flows_through_memory_in_training(training):
    """Whoever asks a trained network what its forecast is made of is told of all of it."""
    layer = make("transformer_xl", LONG, segment=4).backbone
    past, future = tf.constant(normal(2, 12, 8)), tf.constant(normal(2, 3, 8, seed=1))
    with tf.GradientTape() as tape:
        tape.watch(past)
        loss = tf.reduce_sum(layer(past, future, training=training) ** 2)
    gradient = np.asarray(tape.gradient(loss, past))
    assert (gradient[:, :8] == 0).all() == training
    assert (gradient[:, 8:] != 0).any(axis=(0, 2)).all()


@pytest.mark.parametrize("name", in_rotation(ATTENTIVE, ROTATED_BACKBONES))
@pytest.mark.parametrize("sizes", [SIZES, LONG], ids=["known", "long"])
def test_every_network_reports_from_the_past_to_the_future(name, sizes):
    n, m = sizes.past_tokens, sizes.future_tokens
    network = make(name, sizes)
    with watch_attention() as seen:
        run(network, windows(sizes))
    assert len(seen) == backbones.find(name)().layers
    for weights in seen:
        assert weights.shape[:2] == (5, 4)
        assert weights.shape[2] >= m
        assert weights.shape[3] in (n, n + m)
        np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-5)
        assert (weights[:, :, -m:, n - 1] > 0).all()


@pytest.mark.parametrize("name", ["transformer", "cnn_transformer", "encoder_decoder", "decoder_only"])
def test_rotary_positions_need_pairs(name):
    with pytest.raises(ParameterError, match="an even number of units per head, got 12 units, 4 heads"):
        backbones.find(name)(units=12, heads=4, positions="rotary").check()
    backbones.find(name)(units=12, heads=4, positions="sinusoidal").check()


@pytest.mark.parametrize(("name", "value"), [("segment", 0), ("segment", 2.5), ("memory", -1), ("memory", "all")])
def test_segments_and_memories_are_whole_numbers(name, value):
    with pytest.raises(ParameterError, match=f"{name} must be a whole number of at least"):
        backbones.find("transformer_xl")(**{name: value}).check()
