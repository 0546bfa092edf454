"""What the arithmetic of speed.py's networks would take at the rate of the machine's own matrix products."""

import time

LOOKBACK, HORIZON, UNITS, PATCH, LAYERS, FEEDFORWARD = 96, 24, 64, 16, 2, 128
GATES = {"gru": 3, "lstm": 4}
#: A gradient takes two products for each one of the forward pass: by the inputs and by the weights.
PRODUCTS = 3


def multiply_adds(model: str) -> int:
    """Multiply-adds of our network's matrix products for the forecast of one window."""
    if model in GATES:
        step = GATES[model] * UNITS
        # One more product with the state leads into the future, where a dense layer reads every step.
        return LOOKBACK * (1 + UNITS) * step + UNITS * step + HORIZON * UNITS
    past, future = -(-LOOKBACK // PATCH), -(-HORIZON // PATCH)
    tokens = past + future
    block = 4 * UNITS * UNITS + 2 * tokens * UNITS + 2 * UNITS * FEEDFORWARD
    return past * PATCH * UNITS + LAYERS * tokens * block + future * UNITS * PATCH


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


def training_fraction(model: str, windows_per_second: float, rate: float) -> float:
    """Which part of the machine's rate a training at that speed makes use of."""
    return 2 * PRODUCTS * multiply_adds(model) * windows_per_second / rate
