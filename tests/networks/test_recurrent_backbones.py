"""The parallel recurrent networks and the blocks without attention, against their formulas a step at a time."""

import numpy as np
import pytest
from test_layers import arrays, built, dense, layer_norm, normal, sigmoid

from forecastkit.networks import backbones
from forecastkit.networks.architectures.convolutional_blocks import ConvolutionalBlock
from forecastkit.networks.architectures.mamba import SelectiveStateSpace, spread_paces
from forecastkit.networks.architectures.min_gru import MinimalGRU
from forecastkit.networks.architectures.min_lstm import MinimalLSTM
from forecastkit.networks.architectures.recurrent_blocks import RecurrentBlock
from forecastkit.networks.backbones.min_gru import MinGRU
from forecastkit.networks.backbones.min_lstm import MinLSTM
from forecastkit.utils.exceptions import ParameterError

BATCH, PAST, FUTURE, UNITS = 3, 9, 4, 8
IN_TURN = ("min_gru", "min_lstm", "mamba")
MASKING = (*IN_TURN, "convolutional_blocks")
SEEN = np.array([[1] * 9, [0, 0, 1, 1, 0, 1, 0, 1, 1], [0, 0, 0, 0, 1, 1, 1, 1, 0]], "float32")


def layer_of(name, **parameters):
    """The backbone's layer with weights from everywhere, and tokens for it."""
    layer = backbones.find(name)(**{"units": UNITS, "dropout": 0.0, **parameters}).build()
    past, future = normal(BATCH, PAST, UNITS), normal(BATCH, FUTURE, UNITS, seed=1)
    layer(past, future)
    rng = np.random.default_rng(2)
    for weight in layer.trainable_weights:
        weight.assign(np.asarray(weight) + rng.normal(0, 0.2, weight.shape))
    return layer, past, future


def softplus(x):
    return np.log1p(np.exp(x))


def silu(x):
    return x * sigmoid(x)


# ---------------------------------------------------------------------------------------------- minimal cells


def slow_min_gru(layer, tokens, mask):
    """h = (1 - z) h + z c, a step at a time (Feng et al. 2024, section 3.1)."""
    states, state = [], np.zeros_like(tokens[:, 0])
    for step in range(tokens.shape[1]):
        x, seen = tokens[:, step], mask[:, step, None]
        z = sigmoid(dense(x, layer.gates[0]))
        state = np.where(seen, (1 - z) * state + z * dense(x, layer.candidate), state)
        states.append(state)
    return np.stack(states, axis=1)


def slow_min_lstm(layer, tokens, mask):
    """h = f' h + i' c with f' = f / (f + i), i' = i / (f + i) (Feng et al. 2024, section 3.2)."""
    states, state = [], np.zeros_like(tokens[:, 0])
    for step in range(tokens.shape[1]):
        x, seen = tokens[:, step], mask[:, step, None]
        i, f = (sigmoid(dense(x, gate)) for gate in layer.gates)
        state = np.where(seen, f / (f + i) * state + i / (f + i) * dense(x, layer.candidate), state)
        states.append(state)
    return np.stack(states, axis=1)


MINIMAL = [(MinimalGRU, slow_min_gru), (MinimalLSTM, slow_min_lstm)]


@pytest.mark.parametrize(("kind", "formula"), MINIMAL)
@pytest.mark.parametrize("masked", [False, True])
def test_minimal_cells_follow_their_formulas(kind, formula, masked):
    tokens, layer = normal(BATCH, PAST, UNITS), built(kind(16), (BATCH, PAST, UNITS))
    expected = formula(layer, tokens, SEEN if masked else np.ones_like(SEEN))
    np.testing.assert_allclose(layer.recur(tokens, SEEN if masked else None), expected, atol=1e-5)


@pytest.mark.parametrize(("kind", "formula"), MINIMAL)
def test_a_minimal_block_adds_states_and_feed_forward(kind, formula):
    tokens, layer = normal(BATCH, PAST, UNITS), built(kind(16), (BATCH, PAST, UNITS))
    mixed = tokens + formula(layer, layer_norm(tokens, layer.norm), np.ones_like(SEEN))
    np.testing.assert_allclose(layer(tokens), layer.feedforward(mixed), atol=1e-4)


def test_a_minimal_lstm_with_both_gates_closed_is_finite():
    layer = built(MinimalLSTM(16), (BATCH, PAST, UNITS))
    for gate in layer.gates:
        gate.bias.assign(np.full(UNITS, -200.0))
    assert np.isfinite(layer(normal(BATCH, PAST, UNITS))).all()


def test_minimal_cells_have_fewer_weights_than_those_they_come_from():
    """Two and three dense layers of the tokens, where GRU and LSTM have three and four of tokens and states."""
    square = UNITS * UNITS + UNITS
    for kind, count in ((MinimalGRU, 2), (MinimalLSTM, 3)):
        layer = built(kind(16), (BATCH, PAST, UNITS))
        parts = [layer.candidate, *layer.gates]
        assert sum(part.count_params() for part in parts) == count * square


# ---------------------------------------------------------------------------------------------- state space


def slow_mamba(block, tokens, mask):
    """The block of Gu and Dao (2023), a window, a step and a channel at a time."""
    states, inner = block.states, block.skip.shape[0]
    taps, bias = np.asarray(block.filter), np.asarray(block.filter_bias)
    decay, out = -np.exp(np.asarray(block.log_decay)), np.zeros((*tokens.shape[:2], inner))
    both = layer_norm(tokens, block.norm) @ np.asarray(block.enter.kernel)
    given, gate = both[..., :inner] * mask[..., None], both[..., inner:]
    for b in range(len(tokens)):
        h = np.zeros((states, inner))
        for t in range(tokens.shape[1]):
            x = silu(bias + sum(taps[lag] * given[b, t - lag] for lag in range(block.kernel) if lag <= t))
            chosen = x @ np.asarray(block.select.kernel)
            into, outof = chosen[block.rank : block.rank + states], chosen[block.rank + states :]
            pace = softplus(dense(chosen[: block.rank], block.pace)) * mask[b, t]
            for c in range(inner):
                h[:, c] = np.exp(pace[c] * decay[:, c]) * h[:, c] + pace[c] * into * x[c]
                out[b, t, c] = outof @ h[:, c] + block.skip[c] * x[c]
    return tokens + (out * silu(gate)) @ np.asarray(block.leave.kernel)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("expand", "states", "kernel"), [(2, 3, 4), (1, 1, 1)])
def test_a_selective_block_follows_its_formula(expand, states, kernel, masked):
    tokens = normal(BATCH, PAST, UNITS)
    block = built(SelectiveStateSpace(expand, states, kernel), tokens.shape)
    expected = slow_mamba(block, tokens, SEEN if masked else np.ones_like(SEEN))
    np.testing.assert_allclose(block(tokens, mask=SEEN if masked else None), expected, rtol=1e-3, atol=1e-4)


def test_paces_start_from_a_thousandth_to_a_tenth():
    np.testing.assert_allclose(softplus(np.asarray(spread_paces((5,)))), np.geomspace(1e-3, 0.1, 5), rtol=1e-3)


def test_the_states_of_a_channel_start_with_rising_decays():
    block = SelectiveStateSpace(2, 4, 3)
    block.build((BATCH, PAST, UNITS))
    np.testing.assert_allclose(np.exp(block.log_decay), np.arange(1, 5)[:, None] * np.ones(16), rtol=1e-6)


# ---------------------------------------------------------------------------------------------- in turn, masked


@pytest.mark.parametrize("name", IN_TURN)
def test_tokens_are_read_in_order(name):
    layer, past, future = layer_of(name)
    before = np.asarray(layer(past, future))
    for step in range(FUTURE):
        later = future.copy()
        later[:, step] += normal(UNITS, seed=5)
        after = np.asarray(layer(past, later))
        np.testing.assert_allclose(after[:, :step], before[:, :step], atol=1e-6)
        assert (np.abs(after - before).max(axis=(0, 2))[step:] > 1e-6).all()


@pytest.mark.parametrize("name", MASKING)
def test_what_is_in_a_masked_token_changes_nothing(name):
    layer, past, future = layer_of(name)
    other = np.where(SEEN[..., None] > 0, past, 99.0).astype("float32")
    np.testing.assert_array_equal(layer(other, future, mask=SEEN), layer(past, future, mask=SEEN))
    assert not np.allclose(layer(past, future), layer(past, future, mask=SEEN), atol=1e-3)


@pytest.mark.parametrize("name", MASKING)
def test_a_mask_of_ones_is_none(name):
    layer, past, future = layer_of(name)
    np.testing.assert_allclose(layer(past, future, mask=np.ones_like(SEEN)), layer(past, future), atol=1e-6)


@pytest.mark.parametrize("name", ["min_gru", "min_lstm", "mamba"])
def test_unseen_tokens_before_the_first_change_no_forecast(name):
    """The same tokens after others that hold nothing: the state waits."""
    layer, past, future = layer_of(name, layers=1)
    longer = np.concatenate([normal(BATCH, 5, UNITS, seed=3), past], axis=1)
    mask = np.float32([[0] * 5 + [1] * PAST] * BATCH)
    np.testing.assert_allclose(layer(longer, future, mask=mask), layer(past, future), atol=1e-5)


@pytest.mark.parametrize("name", ["min_gru", "min_lstm"])
def test_unseen_tokens_in_between_change_no_forecast(name):
    layer, past, future = layer_of(name)
    torn = np.insert(past, [4, 4, 6], normal(1, UNITS, seed=3), axis=1)
    mask = np.insert(np.ones((BATCH, PAST), "float32"), [4, 4, 6], 0.0, axis=1)
    np.testing.assert_allclose(layer(torn, future, mask=mask), layer(past, future), atol=1e-5)


# ---------------------------------------------------------------------------------------------- without attention


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_a_recurrent_block_keeps_residuals_and_feed_forward(cell):
    past, future = normal(BATCH, PAST, UNITS), normal(1, FUTURE, UNITS, seed=1)
    block = RecurrentBlock(cell, UNITS, 16, 0.0)
    got = block(past, future)
    states = block.recurrence(layer_norm(past, block.norm), layer_norm(future, block.norm))
    for tokens, state, out in zip((past, future), states, got, strict=True):
        np.testing.assert_allclose(out, block.feedforward(tokens + np.asarray(state)), atol=1e-5)
    assert got[1].shape == (BATCH, FUTURE, UNITS)


@pytest.mark.parametrize(("cell", "gates"), [("rnn", 1), ("gru", 3), ("lstm", 4)])
def test_the_cell_is_the_one_asked_for(cell, gates):
    layer, _, _ = layer_of("recurrent_blocks", cell=cell)
    weights = arrays(layer.blocks[0].recurrence.readers[0].cell)
    assert weights["recurrent_kernel"].shape == (UNITS, gates * UNITS)


def slow_convolution(block, past, future, mask):
    """Gated sums over places at multiples of the dilation, a place at a time."""
    own, own_bias, before = (np.asarray(w) for w in (block.own.kernel, block.own.bias, block.before.kernel))
    before = before.reshape(block.kernel - 1, past.shape[-1], -1)
    seen = layer_norm(past, block.norm) * mask[..., None]

    def place(token, index):
        """The value at one place with the past before it."""
        both = token @ own + own_bias
        for tap in range(1, block.kernel):
            if index >= tap * block.dilation:
                both = both + seen[:, index - tap * block.dilation] @ before[tap - 1]
        value, gate = np.split(both, 2, axis=-1)
        return value * sigmoid(gate)

    n = past.shape[1]
    after = layer_norm(future, block.norm)
    pasts = [place(seen[:, t], t) for t in range(n)]
    return np.stack(pasts, 1), np.stack([place(after[:, m], n) for m in range(future.shape[1])], 1)


@pytest.mark.parametrize(("kernel", "dilation"), [(2, 1), (3, 2), (4, 5)])
@pytest.mark.parametrize("masked", [False, True])
def test_a_convolutional_block_follows_its_formula(kernel, dilation, masked):
    past, future = normal(BATCH, PAST, UNITS), normal(BATCH, FUTURE, UNITS, seed=1)
    block = built(ConvolutionalBlock(kernel, dilation, 16), past.shape, future.shape)
    mixed = slow_convolution(block, past, future, SEEN if masked else np.ones_like(SEEN))
    got = block(past, future, mask=SEEN if masked else None)
    for tokens, new, out in zip((past, future), mixed, got, strict=True):
        np.testing.assert_allclose(out, block.feedforward(tokens + new.astype("float32")), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("kernel", "layers"), [(2, 1), (2, 3), (3, 2)])
def test_blocks_of_convolutions_see_a_power_of_the_kernel(kernel, layers):
    layer, past, future = layer_of("convolutional_blocks", kernel=kernel, layers=layers)
    before = np.asarray(layer(past, future))
    for lag in range(1, PAST + 1):
        other = past.copy()
        other[:, PAST - lag] += normal(UNITS, seed=5)
        reached = np.abs(np.asarray(layer(other, future)) - before).max() > 1e-6
        assert reached == (lag < kernel**layers), lag


@pytest.mark.parametrize("name", ["recurrent_blocks", "convolutional_blocks"])
def test_tokens_of_the_future_do_not_see_each_other(name):
    layer, past, future = layer_of(name)
    order = [2, 0, 3, 1]
    np.testing.assert_allclose(layer(past, future[:, order]), np.asarray(layer(past, future))[:, order], atol=1e-5)


# ---------------------------------------------------------------------------------------------- parameters


@pytest.mark.parametrize(
    ("name", "parameters", "rule"),
    [
        ("min_gru", {"feedforward": 0}, "MinGRU: feedforward must be a whole number of at least 1, got 0"),
        ("min_lstm", {"layers": 0}, "MinLSTM: layers must be a whole number of at least 1, got 0"),
        ("mamba", {"states": 0}, "Mamba: states must be a whole number of at least 1, got 0"),
        ("mamba", {"expand": 1.5}, "Mamba: expand must be a whole number of at least 1, got 1.5"),
        ("mamba", {"kernel": 0}, "Mamba: kernel must be a whole number of at least 1, got 0"),
        ("recurrent_blocks", {"cell": "gur"}, "cell must be one of .*Did you mean 'gru'"),
        ("recurrent_blocks", {"feedforward": -1}, "feedforward must be a whole number of at least 1, got -1"),
        ("convolutional_blocks", {"kernel": 1}, "kernel must be a whole number of at least 2, got 1"),
        ("convolutional_blocks", {"feedforward": 2.5}, "feedforward must be a whole number of at least 1, got 2.5"),
    ],
)
def test_what_cannot_be_built_is_refused(name, parameters, rule):
    with pytest.raises(ParameterError, match=rule):
        backbones.find(name)(**parameters).check()


def test_feed_forward_is_twice_the_units_unless_said():
    for cls in (MinGRU, MinLSTM):
        assert [cls(units=8, feedforward=f).build().blocks[0].feedforward.width for f in (None, 24)] == [16, 24]
