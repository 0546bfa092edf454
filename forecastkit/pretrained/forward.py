"""NumPy forward pass of the pre-trained network, equivalent to `networks.candidate_mixture`."""

from __future__ import annotations

import numpy as np

#: Quantile levels of the outputs.
LEVELS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.975, 0.99)
MEDIAN, LOW, HIGH = (LEVELS.index(level) for level in (0.5, 0.1, 0.9))
UNAVAILABLE = np.float32(-1e9)
#: Attention heads and blocks of the Transformer body.
HEADS, BLOCKS = 4, 2


def forward(weights: dict[str, np.ndarray], inputs: dict[str, np.ndarray]) -> np.ndarray:
    """Return quantiles (B, H, levels), float32, in units of each series' scale.

    Weights are named as by `CandidateMixture.arrays`, inputs as by `forecastkit.pretrained.inputs.Inputs.network`.
    """
    raw = dense(weights, "head", hidden_state(weights, inputs))
    return quantiles_of(weights, raw, inputs["forecasts"], inputs["available"])


def quantiles_of(weights, raw: np.ndarray, forecasts: np.ndarray, available: np.ndarray) -> np.ndarray:
    """Return quantiles (B, H, levels) from the outputs (B, H, candidates + levels) of the last layer."""
    number = forecasts.shape[-1]
    offsets = raw[..., number:]
    center = (mixture(raw[..., :number], available) * forecasts).sum(-1, keepdims=True)
    center = center + offsets[..., MEDIAN : MEDIAN + 1]
    gaps = np.logaddexp(np.float32(0), offsets - np.float32(1))
    factor = weights["widths/factor"]
    below = np.cumsum(gaps[..., :MEDIAN][..., ::-1], axis=-1)[..., ::-1] * factor[:MEDIAN]
    above = np.cumsum(gaps[..., MEDIAN + 1 :], axis=-1) * factor[MEDIAN + 1 :]
    return np.concatenate([center - below, center, center + above], axis=-1)


def mixture(logits: np.ndarray, available: np.ndarray) -> np.ndarray:
    """Return the weights of the candidates, which are 0 for unavailable ones."""
    return softmax(logits + (1 - available)[:, None] * UNAVAILABLE)


def hidden_state(weights, inputs) -> np.ndarray:
    """Return the state before the last layer, (B, H, units)."""
    forecasts, available = inputs["forecasts"], inputs["available"]
    state = inputs["context"]
    if "recurrent/kernel" in weights:
        state = np.concatenate([state, gated_recurrent(weights, inputs["patches"])], axis=-1)
    elif "transformer/embed" in weights:
        state = np.concatenate([state, transformer(weights, inputs["patches"])], axis=-1)
    state = silu(dense(weights, "context", state))
    state = state + silu(dense(weights, "deeper", state))
    fractions = available / np.maximum(available.sum(-1, keepdims=True), 1)
    mean = (forecasts * fractions[:, None]).sum(-1, keepdims=True)
    deviations = np.arcsinh(forecasts - mean) * available[:, None]
    step = np.concatenate([inputs["steps"], deviations], axis=-1)
    hidden = silu(dense(weights, "hidden", state)[:, None] + dense(weights, "step", step))
    return hidden + silu(dense(weights, "second", hidden))


def gated_recurrent(weights, sequence) -> np.ndarray:
    """Return the last state (B, units) of a GRU with the reset gate after the product, as in Keras."""
    kernel, recurrent = weights["recurrent/kernel"], weights["recurrent/recurrent_kernel"]
    given_bias, own_bias = weights["recurrent/bias"]
    given, units = sequence @ kernel + given_bias, len(recurrent)
    state = np.zeros_like(given[:, 0, :units])
    for step in range(given.shape[1]):
        step_inputs, recurrent_terms = given[:, step], state @ recurrent + own_bias
        gates = sigmoid(step_inputs[:, : 2 * units] + recurrent_terms[:, : 2 * units])
        update, reset = gates[:, :units], gates[:, units:]
        proposal = np.tanh(step_inputs[:, 2 * units :] + reset * recurrent_terms[:, 2 * units :])
        state = update * (state - proposal) + proposal
    return state


def transformer(weights, patches) -> np.ndarray:
    """Return the state of the latest patch (B, units), as `networks.patch_transformer`."""
    tokens = patches @ weights["transformer/embed"] + weights["transformer/position"]
    rows, length, units = tokens.shape
    for block in range(BLOCKS):
        attention, merge, widen, narrow = (
            weights[f"transformer/{name}_{block}"] for name in ("attention", "merge", "widen", "narrow")
        )
        projected = (normalized(tokens) @ attention).reshape(rows, length, 3, HEADS, -1)
        queries, keys, values = np.moveaxis(projected, (2, 3), (0, 2))
        scores = softmax(queries @ np.swapaxes(keys, -1, -2) * np.float32((units // HEADS) ** -0.5))
        tokens = tokens + np.swapaxes(scores @ values, 1, 2).reshape(rows, length, units) @ merge
        tokens = tokens + silu(normalized(tokens) @ widen) @ narrow
    return normalized(tokens[:, -1])


def normalized(tokens):
    """Divide tokens by their root mean square."""
    return tokens / np.sqrt(np.mean(tokens * tokens, axis=-1, keepdims=True) + np.float32(1e-5))


def body_units(weights: dict[str, np.ndarray]) -> dict[str, int]:
    """Return the units of the recurrent and of the Transformer body, 0 for none."""
    kernels = {"recurrent": "recurrent/recurrent_kernel", "transformer": "transformer/merge_0"}
    return {body: weights[kernel].shape[0] if kernel in weights else 0 for body, kernel in kernels.items()}


def dense(weights, name, values):
    return values @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]


def sigmoid(values):
    return np.float32(0.5) * (np.tanh(np.float32(0.5) * values) + np.float32(1))


def silu(values):
    return values * sigmoid(values)


def softmax(logits):
    shifted = np.exp(logits - logits.max(-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)
