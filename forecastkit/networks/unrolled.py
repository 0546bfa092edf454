"""Recurrent cells over few tokens, written out token by token with gradients by hand.

For small batches a loop over tokens costs more than its arithmetic. Written out, the products with the tokens are one
product for all of them, and so are activations and gradients of weights: the derivative of a step in its state is a
product with factors that follow from the states alone.

References
----------
Werbos (1990), "Backpropagation through time: what it does and how to do it", Proceedings of the IEEE 78(10).
"""

from collections.abc import Callable
from typing import Any

from keras import ops

Tensor = Any


def rnn_step(given: Tensor, retained: Tensor, state: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """Return the state after a token of a simple cell, and its gates, of which it has none.

    Parameters
    ----------
    given, retained : tensor of shape (batch, gates * units)
        Products of the token and of the hidden state with their weights, including biases.
    state : list of tensor
        Before the token.
    """
    return [ops.tanh(given + retained)], []


def gru_step(given: Tensor, retained: Tensor, state: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """Return the state after a token of a GRU with the reset gate after the product; arguments as in `rnn_step`.

    Its gates are update gate, reset gate, candidate, and the retained product of the candidate.
    """
    (hidden,), (*gates, last), (*kept, own) = state, ops.split(given, 3, axis=-1), ops.split(retained, 3, axis=-1)
    update, reset = (ops.sigmoid(one + other) for one, other in zip(gates, kept, strict=True))
    candidate = ops.tanh(last + reset * own)
    return [update * hidden + (1.0 - update) * candidate], [update, reset, candidate, own]


def lstm_step(given: Tensor, retained: Tensor, state: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """Return hidden state and carry after a token of an LSTM; arguments as in `rnn_step`.

    Its gates are input gate, forget gate, candidate, output gate, and the hyperbolic tangent of the carry.
    """
    _, carry = state
    input_gate, forget_gate, candidate, output_gate = ops.split(given + retained, 4, axis=-1)
    input_gate, forget_gate, output_gate = (ops.sigmoid(gate) for gate in (input_gate, forget_gate, output_gate))
    candidate = ops.tanh(candidate)
    carry = forget_gate * carry + input_gate * candidate
    shown = ops.tanh(carry)
    return [output_gate * shown, carry], [input_gate, forget_gate, candidate, output_gate, shown]


def _states(
    step: Callable, given: Tensor, kernel: Tensor, bias: Tensor | float, count: int
) -> tuple[list[Tensor], list[Tensor]]:
    """Return the states after each token and the gates at each, (batch, tokens, units) each.

    All states are 0 before the first token. The gates cost less to keep than to compute again for the gradient.
    """
    tokens = ops.unstack(given, axis=1)
    state, found = [ops.zeros_like(tokens[0][:, : kernel.shape[0]])] * count, []
    for token in tokens:
        retained = ops.matmul(state[0], kernel) if found else ops.zeros_like(token)
        state, gates = step(token, retained + bias, state)
        found.append([*state, *gates])
    stacked = [ops.stack(values, axis=1) for values in zip(*found, strict=True)]
    return stacked[:count], stacked[count:]


def _before(states: Tensor) -> Tensor:
    """Return the state before each token."""
    return ops.concatenate([ops.zeros_like(states[:, :1]), states[:, :-1]], axis=1)


def _through_time(slope: Tensor, factors: Tensor, kept: Tensor | None, kernel: Tensor) -> Tensor:
    """Return the derivatives in the states of all tokens, of cells with a single state.

    Parameters
    ----------
    slope : tensor of shape (batch, tokens, units)
        Derivatives in the outputs.
    factors : tensor of shape (batch, tokens, gates, units)
        Derivatives of each state in the products retained from the state before.
    kept : tensor of shape (batch, tokens, units), optional
        Derivatives of each state with respect to the previous one, except those through the products.
    kernel : tensor of shape (units, gates * units)
    """
    back, slopes, factors = ops.transpose(kernel), ops.unstack(slope, axis=1), ops.unstack(factors, axis=1)
    kept = [None] * len(slopes) if kept is None else ops.unstack(kept, axis=1)
    found = [slopes[-1]]
    for own, factor, direct in zip(slopes[-2::-1], factors[:0:-1], kept[:0:-1], strict=True):
        through = ops.matmul(ops.reshape(factor * found[-1][:, None], (-1, kernel.shape[1])), back)
        found.append(own + through if direct is None else own + through + direct * found[-1])
    return ops.stack(found[::-1], axis=1)


def _kernel_gradient(before: Tensor, retained: Tensor) -> Tensor:
    """Return the gradient of the recurrent weights, given that of the retained products."""
    flat = (ops.reshape(values, (-1, values.shape[-1])) for values in (before, retained))
    return ops.matmul(ops.transpose(next(flat)), next(flat))


@ops.custom_gradient
def unrolled_rnn(given: Tensor, kernel: Tensor) -> Tensor:
    """Return the hidden states (batch, tokens, units) of a simple cell.

    Parameters
    ----------
    given : tensor of shape (batch, tokens, gates * units)
        Products of the tokens with their weights, including biases.
    kernel : tensor of shape (units, gates * units)
        Recurrent weights.
    """
    (hidden,), _ = _states(rnn_step, given, kernel, 0.0, 1)

    def gradient(*slopes, upstream=None):
        factors = 1.0 - hidden * hidden
        total = factors * _through_time(_one(slopes, upstream), factors[:, :, None], None, kernel)
        return total, _kernel_gradient(_before(hidden), total)

    return hidden, gradient


@ops.custom_gradient
def unrolled_gru(given: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """Return the hidden states of a GRU; arguments as in `unrolled_rnn`, and the bias of the retained products."""
    (hidden,), (update, reset, candidate, own) = _states(gru_step, given, kernel, bias, 1)

    def gradient(*slopes, upstream=None):
        before, units = _before(hidden), kernel.shape[0]
        in_candidate = (1.0 - update) * (1.0 - candidate * candidate)
        in_update = (before - candidate) * update * (1.0 - update)
        in_reset = in_candidate * own * reset * (1.0 - reset)
        factors = ops.stack([in_update, in_reset, in_candidate * reset], axis=2)
        total = _through_time(_one(slopes, upstream), factors, update, kernel)
        through = ops.reshape(factors * total[:, :, None], (-1, given.shape[1], 3 * units))
        in_given = ops.concatenate([through[..., : 2 * units], in_candidate * total], axis=-1)
        return in_given, _kernel_gradient(before, through), ops.sum(through, axis=(0, 1))

    return hidden, gradient


@ops.custom_gradient
def unrolled_lstm(given: Tensor, kernel: Tensor) -> Tensor:
    """Return hidden states and carries (batch, tokens, 2 * units) of an LSTM; arguments as in `unrolled_rnn`."""
    (hidden, carry), gates = _states(lstm_step, given, kernel, 0.0, 2)
    input_gate, forget_gate, candidate, output_gate, shown = gates

    def gradient(*slopes, upstream=None):
        before, carried, units = _before(hidden), _before(carry), kernel.shape[0]
        factors = ops.stack(
            [
                candidate * input_gate * (1.0 - input_gate),
                carried * forget_gate * (1.0 - forget_gate),
                input_gate * (1.0 - candidate * candidate),
                shown * output_gate * (1.0 - output_gate),
            ],
            axis=2,
        )
        slope = _one(slopes, upstream)
        through_output = output_gate * (1.0 - shown * shown)
        columns = slope[..., :units], slope[..., units:], factors, through_output, forget_gate
        back, found = ops.transpose(kernel), []
        hidden_later = carry_later = 0.0
        tokens = zip(*(ops.unstack(column, axis=1) for column in columns), strict=True)
        for own, own_carry, factor, to_carry, keep in reversed(list(tokens)):
            in_hidden = own + hidden_later
            in_carry = own_carry + carry_later + in_hidden * to_carry
            both = ops.stack([in_carry, in_carry, in_carry, in_hidden], axis=1)
            found.append(ops.reshape(factor * both, (-1, 4 * units)))
            hidden_later, carry_later = ops.matmul(found[-1], back), in_carry * keep
        total = ops.stack(found[::-1], axis=1)
        return total, _kernel_gradient(before, total)

    return ops.concatenate([hidden, carry], axis=-1), gradient


def _one(slopes, upstream):
    """Return the derivative in the only output: backends pass it by position or by name."""
    return slopes[0] if upstream is None else upstream


STEPS = {"rnn": rnn_step, "gru": gru_step, "lstm": lstm_step}


def biases(kind: str, cell: Any) -> tuple[Tensor, Tensor | float]:
    """Return the biases of the products of a cell with tokens and with the hidden state."""
    return (cell.bias[0], cell.bias[1]) if kind == "gru" else (cell.bias, 0.0)


def as_tensor(weight: Any) -> Tensor:
    """Return the value of a weight, as functions with own gradients need it, which TensorFlow denies variables."""
    return ops.reshape(weight, weight.shape)


def read(kind: str, cell: Any, past: Tensor, backwards: bool = False) -> tuple[Tensor, list[Tensor]]:
    """Return the outputs of all tokens (batch, tokens, units) and the last state, as the Keras layer of the cell does.

    Parameters
    ----------
    kind : {'rnn', 'gru', 'lstm'}
    cell : keras.layers.Layer
    past : tensor of shape (batch, tokens, features)
    backwards : bool
        Whether to read from the last token to the first.
    """
    past = ops.flip(past, axis=1) if backwards else past
    kernel, (first, second), units = as_tensor(cell.recurrent_kernel), biases(kind, cell), cell.units
    given = ops.matmul(past, cell.kernel) + first
    if kind == "lstm":
        both = unrolled_lstm(given, kernel)
        return both[..., :units], [both[:, -1, :units], both[:, -1, units:]]
    hidden = unrolled_gru(given, kernel, second) if kind == "gru" else unrolled_rnn(given, kernel)
    return hidden, [hidden[:, -1]]


def step(kind: str, cell: Any, given: Tensor, state: list[Tensor]) -> Tensor:
    """Return the hidden state after one token, for several tokens from the same state.

    Parameters
    ----------
    kind : {'rnn', 'gru', 'lstm'}
    cell : keras.layers.Layer
    given : tensor of shape (batch or 1, tokens, gates * units)
        The tokens multiplied by their weights. They and the product with the state are computed once and broadcast;
        calling the cell would repeat them for every pair.
    state : list of tensor of shape (batch, units)
    """
    first, second = biases(kind, cell)
    state = [values[:, None] for values in state]
    (hidden, *_), _ = STEPS[kind](given + first, ops.matmul(state[0], cell.recurrent_kernel) + second, state)
    return hidden
