"""Special functions that are missing in keras.ops."""

import math

from forecastkit.utils import lazy_ops as ops

_SHIFT = 8
_HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)


def lgamma(x):
    """Return the differentiable logarithm of the gamma function of positive numbers.

    Stirling's series is used for arguments of at least 8; smaller arguments are shifted by the recurrence (Abramowitz
    and Stegun 1964, 6.1.15 and 6.1.41). In float32 the relative error is below 1e-6 except near the roots 1 and 2.
    """
    small = x < _SHIFT
    low = ops.where(small, x, ops.ones_like(x))
    high = ops.where(small, low + _SHIFT, x)
    raised = sum(ops.log(low + step) for step in range(_SHIFT))
    inverse = 1.0 / high
    series = inverse * (1 / 12 - inverse * inverse * (1 / 360 - inverse * inverse / 1260))
    return (high - 0.5) * ops.log(high) - high + _HALF_LOG_TWO_PI + series - ops.where(small, raised, 0.0 * raised)
