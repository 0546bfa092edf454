"""Selection of variables and the Temporal Fusion Transformer against formulas and loops."""

import threading

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from conftest import ROLES, SMALL, make_panel
from keras import ops
from test_engines import assert_close, trained, weights
from test_engines import data as engine_data  # noqa: F401
from test_layers import dense, layer_norm, normal, sigmoid
from test_network import PLAIN, RICH, changed, make, run, windows

import forecastkit as fk
from forecastkit.networks.architectures.tft import SharedAttention
from forecastkit.networks.attention import watch_attention
from forecastkit.networks.backbone import Sizes
from forecastkit.networks.variable_selection import (
    DenseEach,
    Gate,
    GatedResidual,
    Selection,
    VariableTokens,
    watch_selection,
)
from forecastkit.training.engines.fused_adam import apply_adam

UNITS = 6


def built(layer, *inputs, **more):
    """The layer after a call, with biases that are not 0."""
    layer(*inputs, **more)
    rng = np.random.default_rng(9)
    for weight in layer.trainable_weights:
        weight.assign(weight + rng.normal(0, 0.1, weight.shape))
    return layer


def each(x, layer):
    """A dense layer for each variable of (batch, tokens, variables, width), one after the other."""
    kernel, bias = np.asarray(layer.kernel), np.asarray(layer.bias)
    return np.stack([x[:, :, v] @ kernel[v] + bias[v] for v in range(x.shape[2])], axis=2)


def slow_gate(inputs, skip, gate, apply):
    new, shut = np.split(apply(inputs, gate.both), 2, axis=-1)
    return layer_norm(skip + new * sigmoid(shut), gate.norm)


def slow_residual(x, layer, context=None, apply=dense):
    hidden = apply(x, layer.enter)
    if context is not None:
        hidden = hidden + (context @ np.asarray(layer.hint.kernel))[:, None]
    hidden = apply(np.where(hidden > 0, hidden, np.expm1(hidden)), layer.leave)
    return slow_gate(hidden, x if layer.skip is None else apply(x, layer.skip), layer.gate, apply)


def softmax(x):
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


# ---------------------------------------------------------------------------------------------- variables


def test_variables_have_weights_of_their_own():
    tokens = normal(2, 3, 4, 5)
    layer = built(DenseEach(UNITS), tokens)
    np.testing.assert_allclose(layer(tokens), each(tokens, layer), atol=1e-5)


@pytest.mark.parametrize("variables", [1, 8])
def test_every_variable_starts_as_a_dense_layer_would(variables):
    layer = DenseEach(60)
    layer.build((None, None, variables, 40))
    kernel = np.asarray(layer.kernel)
    assert kernel.shape == (variables, 40, 60)
    assert kernel.std() == pytest.approx(np.sqrt(2 / (60 + 40)), rel=0.05)
    assert np.abs(kernel).max() <= np.sqrt(6 / (60 + 40))


def test_a_token_is_made_from_the_patch_of_its_variable():
    """Groups come step by step, as the network cuts them: the columns of a step lie beside each other."""
    patch, columns = 3, 2
    series = normal(2, 4 * patch, columns)
    alone = normal(2, 4, 5, seed=1)
    layer = VariableTokens(UNITS, (columns, 1))
    groups = [series.reshape(2, 4, patch * columns), alone]
    tokens = np.asarray(built(layer, groups)(groups))
    assert tokens.shape == (2, 4, 3, UNITS)
    for variable in range(columns):
        kernel, bias = (np.asarray(w)[variable] for w in (layer.embeddings[0].kernel, layer.embeddings[0].bias))
        steps = series[..., variable].reshape(2, 4, patch)
        np.testing.assert_allclose(tokens[:, :, variable], steps @ kernel + bias, atol=1e-5)
    np.testing.assert_allclose(tokens[:, :, 2:], each(alone[:, :, None], layer.embeddings[1]), atol=1e-5)


def test_variables_are_named_in_the_order_of_their_tokens():
    named = RICH.variables()
    assert [len(named[place]) for place in ("past", "future", "static")] == [1 + 2 + 2 + 3, 1 + 2 + 3, 2 + 1]
    assert named["future"] == [("position", 0), ("known", 0), ("known", 1), *(("calendar", i) for i in range(3))]
    network, inputs = make("tft", RICH), windows(RICH)
    tokens = {place: np.asarray(part) for place, part in zip(named, embedded(network, inputs), strict=True)}
    for place, names in named.items():
        for number, (role, column) in enumerate(names):
            if role in ("position", "series"):
                continue
            perturbed = changed(inputs, role, (slice(None), -1) if role == "target" else (..., column))
            moved = embedded(network, perturbed)[list(named).index(place)]
            differs = (np.asarray(moved) != tokens[place]).any(axis=(0, 1, 3))
            assert differs.tolist() == [n == number for n in range(len(names))], (place, role, column)


def embedded(network, inputs):
    values, observed = network.normalise(inputs["target"])[:2]
    return network.embed(inputs, *network.patches(inputs, values, observed))


# ---------------------------------------------------------------------------------------------- gates


def test_a_gate_is_its_formula():
    inputs, skip = normal(2, 3, UNITS), normal(2, 3, UNITS, seed=1)
    gate = built(Gate(UNITS), inputs, skip)
    np.testing.assert_allclose(gate(inputs, skip), slow_gate(inputs, skip, gate, dense), atol=1e-5)


@pytest.mark.parametrize("context", [None, normal(2, 4, seed=3)], ids=["alone", "context"])
@pytest.mark.parametrize("outputs", [None, 5])
def test_a_gated_residual_network_is_its_formula(context, outputs):
    inputs = normal(2, 3, UNITS)
    layer = built(GatedResidual(UNITS, outputs=outputs), inputs, context)
    np.testing.assert_allclose(layer(inputs, context), slow_residual(inputs, layer, context), atol=1e-4)


def test_a_shut_gate_leaves_what_came_before():
    inputs, skip = normal(2, 3, UNITS), normal(2, 3, UNITS, seed=1)
    gate = built(Gate(UNITS), inputs, skip)
    gate.both.bias.assign(np.r_[np.zeros(UNITS), np.full(UNITS, -1e4)])
    np.testing.assert_allclose(gate(inputs, skip), layer_norm(skip, gate.norm), atol=1e-5)


@pytest.mark.parametrize("context", [None, normal(2, 4, seed=3)], ids=["alone", "context"])
def test_selection_is_its_formula(context):
    tokens = normal(2, 3, 4, UNITS)
    layer = built(Selection(UNITS, 0.0, "past"), tokens, context)
    chosen = softmax(slow_residual(tokens.reshape(2, 3, 4 * UNITS), layer.choose, context))
    variables = slow_residual(tokens, layer.each, apply=each)
    with watch_selection() as seen:
        got = layer(tokens, context)
    np.testing.assert_allclose(got, (chosen[..., None] * variables).sum(axis=2), atol=1e-4)
    np.testing.assert_allclose(seen["past"], chosen, atol=1e-5)


# ---------------------------------------------------------------------------------------------- attention


@pytest.mark.parametrize("mask", [None, np.float32([[1, 1, 1, 1, 1], [0, 1, 0, 1, 1]])], ids=["whole", "masked"])
def test_heads_share_their_values_and_are_averaged(mask):
    tokens, heads, steps, width = normal(2, 5, 8), 4, 2, 2
    layer = built(SharedAttention(heads), tokens, steps=steps)
    with watch_attention() as seen:
        got = layer(tokens, steps=steps, mask=mask)
    read = dense(tokens, layer.read)
    keys, values = read[..., :8], read[..., 8:]
    out = np.zeros((2, steps, width))
    for b in range(2):
        for m in range(steps):
            reach = np.arange(5) <= 3 + m
            reach &= True if mask is None else mask[b] > 0
            query = dense(tokens[b, 3 + m], layer.ask)
            for h in range(heads):
                part = slice(h * width, (h + 1) * width)
                scores = np.where(reach, keys[b, :, part] @ query[part] / np.sqrt(width), -np.inf)
                np.testing.assert_allclose(seen[0][b, h, m], softmax(scores), atol=1e-5)
                out[b, m] += softmax(scores) @ values[b] / heads
    np.testing.assert_allclose(got, dense(out, layer.merge), atol=1e-4)


# ---------------------------------------------------------------------------------------------- the network


def test_no_token_of_the_future_sees_a_later_one():
    sizes = Sizes(12, 9, 3, past=1, known=2, calendar=2, masked=True)
    network, inputs = make("tft", sizes), windows(sizes)
    before = run(network, inputs)
    for token in range(3):
        after = run(network, changed(inputs, "known", (slice(None), slice(12 + 3 * token, None))))
        np.testing.assert_array_equal(after[:, : 3 * token], before[:, : 3 * token])
        assert (after[:, 3 * token :] != before[:, 3 * token :]).all()


def test_what_is_chosen_and_attended_to_can_be_watched():
    network, inputs = make("tft", RICH), windows(RICH)
    with watch_selection() as chosen, watch_attention() as attended:
        before = run(network, inputs)
    assert {place: part.shape for place, part in chosen.items()} == {
        place: (5, tokens, len(RICH.variables()[place]))
        for place, tokens in (("past", 4), ("future", 2), ("static", 1))
    }
    assert [part.shape for part in attended] == [(5, 4, 2, 6)]
    for part in (*chosen.values(), *attended):
        np.testing.assert_allclose(part.sum(axis=-1), 1.0, atol=1e-5)
    with watch_selection() as outer, watch_selection() as inner:
        np.testing.assert_array_equal(run(network, inputs), before)
    assert (list(outer), sorted(inner)) == ([], ["future", "past", "static"])


def test_other_threads_are_not_watched():
    network = make("tft", PLAIN)
    with watch_selection() as seen:
        thread = threading.Thread(target=lambda: run(network, windows(PLAIN)))
        thread.start()
        thread.join()
    assert seen == {}


def test_a_single_variable_has_all_the_weight():
    network = make("tft", PLAIN)
    with watch_selection() as seen:
        run(network, windows(PLAIN))
    assert sorted(seen) == ["future", "past"]
    assert all((part == 1).all() for part in seen.values())


def test_the_variable_that_tells_is_chosen():
    """The target is a bent image of one known covariate; the other is noise."""
    sizes = Sizes(12, 6, 3, known=2)
    network, inputs = make("tft", sizes, units=16), windows(sizes, batch=256)
    target = np.abs(inputs["known"][:, 12:, 0]) + inputs["target"][:, -1:]
    optimizer = keras.optimizers.Adam(1e-2)
    optimizer.build(network.trainable_variables)
    values = [variable.value for variable in network.trainable_variables]

    @tf.function(autograph=False)
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(network.output_head.loss(target, network(inputs, training=True)))
        apply_adam(optimizer, tape.gradient(loss, values), network.trainable_variables)
        return loss

    for _ in range(60):
        loss = float(step())
    with watch_selection() as seen:
        run(network, inputs)
    assert loss < 0.25
    tells, noise = (seen["future"][..., RICH.variables()["future"].index(("known", i))].mean() for i in (0, 1))
    assert tells > 2 * noise


@pytest.mark.slow
def test_compiled_steps_train_alike(engine_data):  # noqa: F811
    assert_close(*(weights(trained(engine_data, name="tft", compiled=compiled)[0]) for compiled in (False, True)))


# ---------------------------------------------------------------------------------------------- the forecaster


@pytest.mark.rotated
@pytest.mark.parametrize("more", [{}, {"embed_series": True, "layers": 2}])
def test_a_panel_with_all_roles_is_forecast_saved_and_loaded(tmp_path, more):
    panel = make_panel(120, ("x", "y"))
    options = {"quantile_levels": [0.1, 0.5, 0.9], "calendar": True, **more}
    model = fk.TFTForecaster(**SMALL, **ROLES, **options).fit(panel)
    future = model.future_frame().assign(temp=0.0, size=1.0)
    forecast = model.forecast(future)
    assert np.isfinite(forecast[["forecast", "q0.1", "q0.9"]]).all(axis=None)
    model.save(tmp_path / "model.forecast")
    pd.testing.assert_frame_equal(fk.load(tmp_path / "model.forecast").forecast(future), forecast)
    assert set(model.network_.sizes.variables()["past"]) >= {("past", 0), ("known", 0), ("calendar", 0)}


@pytest.mark.parametrize(
    ("parameters", "rule"),
    [
        ({"units": 10, "heads": 4}, "heads must divide units, got 10 units, 4 heads"),
        ({"heads": 0}, "heads must be a whole number"),
        ({"layers": 0}, "layers must be a whole number"),
    ],
)
def test_what_cannot_be_built_is_refused(parameters, rule):
    with pytest.raises(fk.InputError, match=rule):
        fk.TFTForecaster(**SMALL | parameters).fit(np.arange(60.0))


def test_weights_are_of_the_tokens_in_other_frameworks_too():
    """`keras.ops` only: the layers take and give whatever the backend's tensors are."""
    layer = Selection(UNITS, 0.0, "past")
    assert ops.is_tensor(layer(ops.convert_to_tensor(normal(2, 3, 4, UNITS))))
