"""The one network: what it takes out it puts back, missing cells change nothing; every backbone through one suite."""

import functools
import inspect
import random
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import ROTATED_BACKBONES, in_rotation

from forecastkit.forecasters.keras import LayerBackbone
from forecastkit.networks import backbones
from forecastkit.networks.attention import watch_attention
from forecastkit.networks.backbone import NORMALIZATIONS, Sizes
from forecastkit.networks.heads import make_head
from forecastkit.networks.layers import seeded
from forecastkit.networks.network import Network
from forecastkit.training.engines.fused_adam import apply_adam
from forecastkit.utils.exceptions import ParameterError

EVERY = backbones.names()
PLAIN = Sizes(lookback=12, horizon=6, patch=3)
RICH = Sizes(lookback=12, horizon=6, patch=3, past=2, known=2, calendar=3, static=2, series=4, masked=True)
#: Step by step and without vectors per series, a recurrent network reads the values without an embedding.
RAW = Sizes(lookback=12, horizon=6, patch=1, past=2, known=2, calendar=3, masked=True)
BATCH = 5


def make(backbone="gru", sizes=PLAIN, normalization="last", levels=None, **parameters):
    architecture = backbones.find(backbone)(**{"units": 8, "dropout": 0.0, **parameters})
    with seeded(0):
        network = Network(architecture, sizes, make_head("mae", levels), normalization)
        network(windows(sizes))
    return network


def windows(sizes, batch=BATCH, seed=0):
    """Random windows with all inputs that the sizes name; where masked, a few cells are missing."""
    rng = np.random.default_rng(seed)
    steps = sizes.lookback + sizes.horizon
    inputs = {"target": rng.normal(size=(batch, sizes.lookback)).astype("float32")}
    if sizes.masked:
        inputs["target"][:, [0, 1, 2, 7]] = np.nan
    shapes = {"past": (sizes.lookback, sizes.past), "known": (steps, sizes.known), "calendar": (steps, sizes.calendar)}
    for name, shape in shapes.items():
        if shape[1]:
            inputs[name] = rng.normal(size=(batch, *shape)).astype("float32")
    if sizes.static:
        inputs["static"] = rng.normal(size=(batch, sizes.static)).astype("float32")
    if sizes.series:
        inputs["series"] = (np.arange(batch) % sizes.series).astype("int32")
    return inputs


def changed(inputs, name, index, value=3.0):
    """The inputs with one part moved."""
    copy = inputs[name].copy()
    copy[index] += value
    return {**inputs, name: copy}


def run(network, inputs):
    return np.asarray(network(inputs))


def silence(network):
    """Zero the head, so that the network's own part of a forecast is 0."""
    for weight in network.head.weights:
        weight.assign(np.zeros(weight.shape, "float32"))
    return network


# ---------------------------------------------------------------------------------------------- normalisation


@pytest.mark.parametrize(
    ("normalization", "level"),
    [
        ("last", lambda window: window[:, -1]),
        ("standard", lambda window: window.mean(axis=1)),
        ("mean", lambda _: 0.0),
        ("none", lambda _: 0.0),
    ],
)
def test_a_silent_head_forecasts_the_level_taken_out(normalization, level):
    inputs = windows(PLAIN)
    forecast = run(silence(make(normalization=normalization)), inputs)
    expected = np.broadcast_to(np.reshape(level(inputs["target"]), (-1, 1)), (BATCH, 6))
    np.testing.assert_allclose(forecast[..., 0], expected, atol=1e-6)


@pytest.mark.parametrize("masked", [False, True])
def test_windows_divided_by_their_means_are_forecast_in_proportion(masked):
    """Mean sizes are drawn towards 1 by one value: (12 * 40 + 1) / 13 for a window of 40s, a tenth nearly for 4s."""
    sizes = Sizes(12, 6, 3, masked=masked)
    network = make(sizes=sizes, normalization="mean")
    large = {"target": np.full((1, 12), 40.0, "float32")}
    small = {"target": np.full((1, 12), 4.0, "float32")}
    if masked:
        large["target"][0, :3] = np.nan
    count = 9 if masked else 12
    scales = [(count * 40 + 1) / (count + 1), (12 * 4 + 1) / 13]
    center, scale = network.center_and_scale(*seen(large["target"]))
    np.testing.assert_allclose(center, 0.0)
    np.testing.assert_allclose(scale, scales[0], rtol=1e-6)
    np.testing.assert_allclose(network.center_and_scale(*seen(small["target"]))[1], scales[1], rtol=1e-6)


def seen(window):
    """A window without its missing values, where they were, and how many are there, as `Network.normalise` has them."""
    observed = (~np.isnan(window)).astype("float32")
    return np.nan_to_num(window), observed, observed.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("normalization", "level"),
    [
        ("last", lambda window: [row[~np.isnan(row)][-1] for row in window]),
        ("standard", lambda window: np.nanmean(window, axis=1)),
    ],
)
def test_the_level_is_that_of_the_observed_values(normalization, level):
    sizes = Sizes(12, 6, 3, masked=True)
    inputs = windows(sizes)
    inputs["target"][2, 9:] = np.nan
    forecast = run(silence(make(sizes=sizes, normalization=normalization)), inputs)
    np.testing.assert_allclose(forecast[:, 0, 0], level(inputs["target"]), atol=1e-6)


@pytest.mark.parametrize("normalization", ["last", "standard"])
@pytest.mark.parametrize("sizes", [PLAIN, RICH], ids=["plain", "rich"])
def test_a_shift_of_the_window_shifts_the_forecast(normalization, sizes):
    network, inputs = make(sizes=sizes, normalization=normalization), windows(sizes)
    np.testing.assert_allclose(
        run(network, changed(inputs, "target", slice(None))), run(network, inputs) + 3, atol=1e-4
    )


def test_standard_windows_scale_their_forecasts():
    network, inputs = make(normalization="standard"), windows(PLAIN)
    louder = {"target": 100 * inputs["target"]}
    np.testing.assert_allclose(run(network, louder), 100 * run(network, inputs), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_constant_and_empty_windows_are_forecast_finitely(normalization):
    network = make(sizes=Sizes(12, 6, 3, masked=True), normalization=normalization)
    window = np.stack([np.full(12, 7.0), np.full(12, np.nan)]).astype("float32")
    assert np.isfinite(run(network, {"target": window})).all()


# ---------------------------------------------------------------------------------------------- patches


@pytest.mark.parametrize(
    ("lookback", "horizon", "patch"), [(12, 6, 3), (13, 6, 3), (12, 7, 3), (10, 5, 4), (3, 1, 3), (1, 4, 1)]
)
def test_sizes_need_not_be_multiples_of_the_patch(lookback, horizon, patch):
    sizes = Sizes(lookback, horizon, patch, known=1, calendar=2)
    network, inputs = make(sizes=sizes), windows(sizes)
    assert run(network, inputs).shape == (BATCH, horizon, 1)
    one = {part: np.repeat(values[:1], lookback, axis=0) for part, values in inputs.items()}
    steps = np.arange(lookback)
    after = run(network, changed(one, "target", (steps, steps)))
    assert (after != run(network, one)).any(axis=(1, 2)).all()


def test_patches_are_padded_on_the_side_away_from_the_cutoff():
    network = make(sizes=Sizes(5, 5, 3))
    steps = np.arange(1.0, 6.0).reshape(1, 5, 1)
    np.testing.assert_array_equal(network.patchify(steps), [[[0, 1, 2], [3, 4, 5]]])
    np.testing.assert_array_equal(network.patchify(steps, right=True), [[[1, 2, 3], [4, 5, 0]]])


def test_a_token_is_masked_where_nothing_of_it_is_observed():
    network = make(sizes=Sizes(12, 6, 3, masked=True))
    observed = np.float32([[0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1, 1], [1] * 12])
    np.testing.assert_array_equal(network.token_mask(observed), [[0, 0, 1, 1], [1, 1, 1, 1]])


# ---------------------------------------------------------------------------------------------- every backbone


@functools.cache
def shared(name, sizes):
    """A network of the backbone with its first weights, not to be trained."""
    return make(name, sizes)


every_backbone = pytest.mark.parametrize("name", in_rotation(EVERY, ROTATED_BACKBONES))
every_size = pytest.mark.parametrize("sizes", in_rotation([PLAIN, RICH, RAW], [PLAIN]), ids=["plain", "rich", "raw"])
covariates = pytest.mark.parametrize("sizes", [RICH, RAW], ids=["rich", "raw"])


@every_backbone
@every_size
def test_a_window_has_the_same_forecast_in_any_batch(name, sizes):
    network, inputs = shared(name, sizes), windows(sizes)
    together = run(network, inputs)
    assert together.shape == (BATCH, sizes.horizon, 1)
    for low, high in ((0, 1), (1, BATCH)):
        part = run(network, {key: value[low:high] for key, value in inputs.items()})
        np.testing.assert_allclose(part, together[low:high], atol=1e-5)


@every_backbone
def test_the_same_seed_gives_the_same_weights(name, monkeypatch):
    def used(*args):
        raise AssertionError("Python's global generator belongs to the user's program")

    first = shared(name, RICH)
    for function in ("seed", "setstate", "randint", "random", "getrandbits"):
        monkeypatch.setattr(random, function, used)
    for weight, other in zip(first.weights, make(name, RICH).weights, strict=True):
        np.testing.assert_array_equal(weight, other)


@every_backbone
@every_size
def test_every_weight_has_a_finite_gradient(name, sizes):
    network = shared(name, sizes)
    with tf.GradientTape() as tape:
        forecast = network(windows(sizes), training=True)
        loss = tf.reduce_mean((forecast - np.linspace(-1, 1, sizes.horizon)[None, :, None]) ** 2)
    variables = network.trainable_variables
    for variable, gradient in zip(variables, tape.gradient(loss, [v.value for v in variables]), strict=True):
        assert gradient is not None, variable.path
        assert np.isfinite(tf.convert_to_tensor(gradient)).all(), variable.path


@every_backbone
@every_size
def test_every_part_of_the_input_reaches_its_own_forecast_only(name, sizes):
    network, inputs = shared(name, sizes), windows(sizes)
    before, others = run(network, inputs), np.arange(BATCH) != 1
    for part in set(inputs) - {"series"}:
        after = run(network, changed(inputs, part, 1))
        assert (after[1] != before[1]).any(), part
        np.testing.assert_allclose(after[others], before[others], atol=1e-5)


@every_backbone
@covariates
def test_every_known_value_of_the_horizon_reaches_the_forecast(name, sizes):
    steps = sizes.lookback + np.repeat(np.arange(sizes.horizon), sizes.known)
    features = np.tile(np.arange(sizes.known), sizes.horizon)
    one = {part: np.repeat(values[:1], len(steps), axis=0) for part, values in windows(sizes).items()}
    network = shared(name, sizes)
    after = run(network, changed(one, "known", (np.arange(len(steps)), steps, features)))
    assert (after != run(network, one)).any(axis=(1, 2)).all()


@every_backbone
@covariates
def test_missing_covariates_are_at_their_mean(name, sizes):
    network, inputs = shared(name, sizes), windows(sizes)
    filled = {**inputs, "past": inputs["past"].copy(), "known": inputs["known"].copy()}
    for part in ("past", "known"):
        inputs[part][:, 4], filled[part][:, 4] = np.nan, 0.0
    np.testing.assert_array_equal(run(network, inputs), run(network, filled))


@every_backbone
def test_series_have_vectors_of_their_own(name):
    network, inputs = shared(name, RICH), windows(RICH)
    other = {**inputs, "series": (inputs["series"] + 1) % RICH.series}
    np.testing.assert_allclose(run(network, other), run(network, inputs), atol=1e-6)  # all start at zero
    table = network.embed_series.embeddings
    table.assign(np.random.default_rng(0).normal(size=table.shape))
    moved = run(network, other) != run(network, inputs)
    table.assign(np.zeros(table.shape))  # as it was: the network is shared
    assert moved.any(axis=(1, 2)).all()


@every_backbone
def test_every_backbone_forecasts_quantiles_that_do_not_cross(name):
    """Without known covariates, tokens of the future come as a batch of one, and the mask does not."""
    sizes = Sizes(12, 6, 3, masked=True)
    forecast = run(make(name, sizes, levels=(0.1, 0.5, 0.9)), windows(sizes))
    assert forecast.shape == (BATCH, 6, 3)
    assert (np.diff(forecast) > 0).all()


@every_backbone
def test_every_backbone_learns_a_sine(name):
    network = make(name, Sizes(24, 6, 6), units=16)
    places = np.random.default_rng(0).integers(0, 1000, (64, 1))
    series = np.sin(2 * np.pi * (places + np.arange(30)) / 12).astype("float32")
    inputs, target = {"target": series[:, :24]}, series[:, 24:]
    optimizer = keras.optimizers.Adam(1e-2)
    values = [variable.value for variable in network.trainable_variables]

    @tf.function(autograph=False)
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(network.output_head.loss(target, network(inputs, training=True)))
        apply_adam(optimizer, tape.gradient(loss, values), network.trainable_variables)
        return loss

    optimizer.build(network.trainable_variables)
    losses = [float(step()) for _ in range(30)]
    assert losses[-1] < losses[0] / 2


@every_backbone
def test_every_backbone_says_what_it_is(name):
    """Class docstrings name the parameters; what is not derived from another cites its paper."""
    backbone = backbones.find(name)
    text = inspect.getdoc(backbone)
    assert "Parameters" in text
    for field in set(backbone.__annotations__) & set(vars(backbone)):
        assert re.search(rf"\b{field}\b", text), field
    assert re.search(r"\b(19|20)\d\d\b", text)


@pytest.mark.parametrize(
    ("parameters", "rule"),
    [
        ({"units": 0}, "units must be a whole number"),
        ({"units": 8.0}, "units must be a whole number"),
        ({"dropout": 1.0}, "dropout must be a number"),
        ({"layers": 0}, "layers must be a whole number"),
    ],
)
@every_backbone
def test_every_backbone_refuses_what_cannot_be_built(name, parameters, rule):
    with pytest.raises(ParameterError, match=rule):
        backbones.find(name)(**parameters).check()


def with_field(field):
    """Every backbone that has a hyperparameter of this name."""
    return pytest.mark.parametrize("name", [name for name in EVERY if hasattr(backbones.find(name), field)])


@pytest.mark.parametrize(
    ("parameters", "rule"),
    [
        ({"units": 10, "heads": 4}, "heads must divide units, got 10 units, 4 heads"),
        ({"heads": 0}, "heads must be a whole number"),
    ],
)
@with_field("heads")
def test_heads_that_cannot_be_built_are_refused(name, parameters, rule):
    with pytest.raises(ParameterError, match=rule):
        backbones.find(name)(**parameters).check()


@with_field("feedforward")
def test_a_feedforward_width_that_cannot_be_built_is_refused(name):
    with pytest.raises(ParameterError, match="feedforward must be a whole number"):
        backbones.find(name)(feedforward=0).check()


def test_unknown_positions_are_refused_with_the_nearest():
    with pytest.raises(ParameterError, match="Did you mean 'sinusoidal'"):
        backbones.find("transformer")(positions="sinus").check()


def test_a_direction_is_yes_or_no():
    with pytest.raises(ParameterError, match="bidirectional must be one of True, False"):
        backbones.find("lstm")(bidirectional="both").check()


# ---------------------------------------------------------------------------------------------- particular backbones


def weights_of_reader(name, units=16, width=16):
    network = make(name, Sizes(24, 6, 6), units=units)
    return sum(int(np.prod(weight.shape)) for weight in network.backbone.floors[0].readers[0].trainable_weights)


def test_lstm_has_four_gates_and_gru_three():
    """Kernel, recurrent kernel and bias per gate; the GRU's reset after the product needs a second bias."""
    gate = 16 * 16 + 16 * 16 + 16
    assert weights_of_reader("rnn") == gate
    assert weights_of_reader("lstm") == 4 * gate
    assert weights_of_reader("gru") == 3 * (gate + 16)


@pytest.mark.parametrize(
    ("parameters", "sizes"),
    [
        ({"layers": 2}, PLAIN),
        ({"bidirectional": True}, RAW),
        *(({"layers": 2, "bidirectional": True}, sizes) for sizes in (PLAIN, RICH, RAW)),
    ],
)
def test_stacked_and_bidirectional_lstm(parameters, sizes):
    network, inputs = make("lstm", sizes, **parameters), windows(sizes)
    before = run(network, inputs)
    assert before.shape == (BATCH, sizes.horizon, 1)
    if not sizes.masked:
        assert (run(network, changed(inputs, "target", (slice(None), 0))) != before).any(axis=(1, 2)).all()


@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "rotary", "none"])
def test_without_positions_a_transformer_cannot_tell_the_order(positions):
    network, inputs = make("transformer", PLAIN, positions=positions), windows(PLAIN)
    order = np.r_[6:9, 0:6, 9:12]  # the last patch, and with it the level, stays
    shuffled = {"target": inputs["target"][:, order]}
    assert np.allclose(run(network, shuffled), run(network, inputs), atol=1e-5) is (positions == "none")


@pytest.mark.parametrize(
    "name", ["transformer", "lstm_transformer", "encoder_decoder", "decoder_only", "transformer_xl"]
)
def test_masked_tokens_are_not_attended_to(name):
    """Attention gives nothing to tokens before the series' first value, whatever their embedding."""
    sizes = Sizes(12, 6, 3, masked=True)
    network = make(name, sizes)
    window = np.random.default_rng(0).normal(size=(2, 12)).astype("float32")
    window[:, :6] = np.nan
    with watch_attention() as seen:
        run(network, {"target": window})
    assert seen
    for weights in seen:
        past = weights[:, :, -2:, :4]
        assert (past[..., :2] == 0).all()
        assert (past[..., 2:] > 0).all()
        np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-5)


class Copies(keras.layers.Layer):
    """A user's own layer: the mean of the past into every token of the future."""

    def call(self, past, future, mask=None, training=None):
        return future + keras.ops.mean(past, axis=1, keepdims=True)


def test_a_layer_of_ones_own_is_a_backbone():
    network = Network(LayerBackbone(layer=Copies, units=8), PLAIN, make_head("mae"))
    assert run(network, windows(PLAIN)).shape == (BATCH, 6, 1)


def test_a_patch_that_begins_before_the_window_has_the_calendar_of_its_first_real_step():
    sizes = Sizes(lookback=7, horizon=3, patch=3, calendar=2)
    calendar = np.arange(1.0, 21.0, dtype="float32").reshape(1, 10, 2)
    network = make(sizes=sizes)
    inputs = {"target": np.zeros((1, 7), "float32"), "calendar": calendar}
    past, _ = network.patches(inputs, keras.ops.convert_to_tensor(inputs["target"]), None)
    begins = keras.ops.convert_to_numpy(past[-1])[0]
    np.testing.assert_array_equal(begins, calendar[0, [0, 1, 4]])
