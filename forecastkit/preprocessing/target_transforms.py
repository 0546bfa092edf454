"""Monotonic transforms of the target, so that quantiles pass through them."""

import numpy as np

#: By name: forward, backward, and the smallest value that has a transform.
TRANSFORMS = {
    "sqrt": (np.sqrt, np.square, 0.0),
    "log1p": (np.log1p, np.expm1, 0.0),
    "log": (np.log, np.exp, np.nextafter(0.0, 1.0)),
}


def outside(name: str, values: np.ndarray) -> np.ndarray:
    """Which values have no transform of this name."""
    return values < TRANSFORMS[name][2]


def forward(name: str | None, values: np.ndarray) -> np.ndarray:
    """The values transformed, in their own dtype; NaN where there is no transform, and the values where no name."""
    if name is None:
        return values
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(outside(name, values), np.nan, TRANSFORMS[name][0](values)).astype(values.dtype, copy=False)


def forward_clipped(name: str | None, values: np.ndarray) -> np.ndarray:
    """As `forward`; forecasts below the smallest value that has a transform are taken as it."""
    return values if name is None else forward(name, np.maximum(values, TRANSFORMS[name][2]))


def backward(name: str | None, values: np.ndarray) -> np.ndarray:
    """Undo `forward`; what lies below the transform of the smallest value becomes that value."""
    if name is None:
        return values
    _, undo, smallest = TRANSFORMS[name]
    # The logarithm reaches everywhere; roots and log1p of what is allowed begin at 0.
    return undo(values) if name == "log" else undo(np.maximum(values, smallest))
