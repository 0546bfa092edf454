"""What the arithmetic of speed.py's networks would take at the rate of the machine's own matrix products."""

import time

LOOKBACK, HORIZON, UNITS, PATCH, LAYERS, FEEDFORWARD = 96, 24, 64, 16, 2, 128
GATES = {"gru": 3, "lstm": 4}
#: A gradient takes two products for each one of the forward pass: by the inputs and by the weights.
PRODUCTS = 3


def multiply_adds(
    model: str, lookback: int = LOOKBACK, horizon: int = HORIZON, units: int = UNITS, feedforward: int = FEEDFORWARD
) -> int:
    """Multiply-adds of our network's matrix products for the forecast of one window."""
    if model in GATES:
        step = GATES[model] * units
        # One more product with the state leads into the future, where a dense layer reads every step.
        return lookback * (1 + units) * step + units * step + horizon * units
    past, future = -(-lookback // PATCH), -(-horizon // PATCH)
    tokens = past + future
    block = 4 * units * units + 2 * tokens * units + 2 * units * feedforward
    return past * PATCH * units + LAYERS * tokens * block + future * units * PATCH


def matmul_rate(size: int = 2048, runs: int = 7) -> float:
    """Floating point operations per second of a float32 product in numpy, the best of some; a multiply-add is two."""
    import numpy as np

    one = np.random.default_rng(0).normal(size=(size, size)).astype("float32")
    seconds = []
    for _ in range(runs):
        began = time.perf_counter()
        one @ one
        seconds.append(time.perf_counter() - began)
    return 2 * size**3 / min(seconds)


def training_fraction(model: str, windows_per_second: float, rate: float, **sizes) -> float:
    """Which part of the machine's rate a training at that speed makes use of; `sizes` as `multiply_adds` has them."""
    return 2 * PRODUCTS * multiply_adds(model, **sizes) * windows_per_second / rate
