"""Monotonic transforms of targets before scaling."""

import numpy as np

#: For each name: the transform, its inverse, and the smallest value of its domain.
TRANSFORMS = {
    "sqrt": (np.sqrt, np.square, 0.0),
    "log1p": (np.log1p, np.expm1, 0.0),
    "log": (np.log, np.exp, np.nextafter(0.0, 1.0)),
}


def outside_domain(name: str, values: np.ndarray) -> np.ndarray:
    """Return which values are outside the domain of the transform."""
    return values < TRANSFORMS[name][2]


def forward(name: str | None, values: np.ndarray) -> np.ndarray:
    """Transform the values in their own dtype; NaN outside the domain. Without a name they are unchanged."""
    if name is None:
        return values
    with np.errstate(invalid="ignore", divide="ignore"):
        transformed = np.asarray(TRANSFORMS[name][0](values))
    outside = outside_domain(name, values)
    if outside.any():
        transformed[outside] = np.nan
    return transformed


def forward_clipped(name: str | None, values: np.ndarray) -> np.ndarray:
    """Transform the values after clipping them to the domain."""
    return values if name is None else forward(name, np.maximum(values, TRANSFORMS[name][2]))


def backward(name: str | None, values: np.ndarray) -> np.ndarray:
    """Invert `forward` after clipping to its image."""
    if name is None:
        return values
    _, undo, smallest = TRANSFORMS[name]
    # The image of log is unbounded; those of sqrt and log1p begin at 0, which is also the smallest value.
    return undo(values) if name == "log" else undo(np.maximum(values, smallest))
