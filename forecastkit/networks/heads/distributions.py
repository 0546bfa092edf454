"""Distribution heads, trained with the negative log-likelihood.

The first output is the mean, which is the point forecast. With parameters in the user's units, SciPy provides quantiles
of any level, samples and densities.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from forecastkit.networks.heads.base import Head
from forecastkit.utils import lazy_ops as ops
from forecastkit.utils.exceptions import backend_needed

#: Lower bound of scale parameters and rates, in units of the window's scale.
SMALLEST = 1e-3
#: softplus(ONE) = 1, so that raw outputs of 0 give scale parameters and rates of 1.
ONE = math.log(math.e - 1)
#: Smaller arguments of `lgamma` are shifted by its recurrence.
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


def positive(raw):
    """Map raw outputs to positive numbers, 0 to about 1."""
    return ops.softplus(raw + ONE) + SMALLEST


def stats():
    """Return `scipy.stats`, imported when a distribution is first evaluated."""
    with backend_needed():
        from scipy import stats

        return stats


class Distribution(Head):
    """Base class of the distribution heads.

    Attributes
    ----------
    spreads : tuple of int
        Indices of the outputs, other than the mean, that are in units of the target.
    above_zero : bool
        Whether values cannot be negative. Windows and series are then divided by their means without centering.
    counts : bool
        Whether values are integers.
    smallest : float
        Smallest value of the support.
    """

    distribution = True
    spreads: tuple[int, ...] = ()
    above_zero = counts = False
    smallest = -np.inf

    def get_config(self) -> dict:
        return {"loss": next(name for name, kind in DISTRIBUTIONS.items() if kind is type(self))}

    @property
    def normalization(self) -> str:
        return "mean" if self.above_zero else "last"

    def place(self, outputs: Any, center: Any, scale: Any, unit: Any = None) -> Any:
        parts = [outputs[..., i : i + 1] for i in range(self.raw)]
        parts[0] = parts[0] * scale + center
        for i in self.spreads:
            parts[i] = parts[i] * scale
        if self.needs_unit:
            parts.append(ops.zeros_like(parts[0]) + unit)
        return ops.concatenate(parts, axis=-1)

    def restore(self, outputs: np.ndarray, affine: Callable) -> np.ndarray:
        """Return outputs in the user's units; `affine` converts values or, if told so, spreads."""
        out = outputs.astype("float64")
        out[..., :1] = affine(outputs[..., :1])
        for i in self.spreads:
            out[..., i : i + 1] = affine(outputs[..., i : i + 1], spread=True)
        return out

    def frozen(self, outputs: np.ndarray) -> Any:
        """Return the SciPy distribution with these parameters (..., outputs) in the user's units."""
        raise NotImplementedError

    def quantiles(self, outputs: np.ndarray, levels: Sequence[float]) -> np.ndarray:
        """Return quantiles (..., len(levels)) of the distributions with parameters (..., outputs)."""
        return np.stack([self.frozen(outputs).ppf(level) for level in levels], axis=-1)

    def log_density(self, outputs: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Return the log density, or log probability of counts, of values (...) given parameters (..., outputs)."""
        frozen = self.frozen(outputs)
        return (frozen.logpmf if self.counts else frozen.logpdf)(values)


class Gaussian(Distribution):
    """Normal distribution; outputs are mean and standard deviation."""

    outputs = 2
    spreads = (1,)

    def shape(self, raw: Any) -> Any:
        return ops.concatenate([raw[..., :1], positive(raw[..., 1:])], axis=-1)

    def step_loss(self, target: Any, forecast: Any) -> Any:
        mean, deviation = forecast[..., 0], forecast[..., 1]
        error = (target[..., 0] - mean) / deviation
        return 0.5 * error * error + ops.log(deviation) + 0.5 * math.log(2 * math.pi)

    def frozen(self, outputs):
        return stats().norm(outputs[..., 0], outputs[..., 1])


class StudentT(Distribution):
    """Student's t distribution, robust to outliers; outputs are mean, scale, and degrees of freedom above 2."""

    outputs = 3
    spreads = (1,)

    def shape(self, raw: Any) -> Any:
        return ops.concatenate([raw[..., :1], positive(raw[..., 1:2]), 2.0 + positive(raw[..., 2:])], axis=-1)

    def step_loss(self, target: Any, forecast: Any) -> Any:
        mean, scale, freedom = forecast[..., 0], forecast[..., 1], forecast[..., 2]
        error = (target[..., 0] - mean) / scale
        peak = lgamma(0.5 * freedom) - lgamma(0.5 * (freedom + 1.0)) + 0.5 * ops.log(math.pi * freedom)
        return peak + ops.log(scale) + 0.5 * (freedom + 1.0) * ops.log1p(error * error / freedom)

    def frozen(self, outputs):
        return stats().t(outputs[..., 2], outputs[..., 0], outputs[..., 1])


class LogNormal(Distribution):
    """Log-normal distribution of positive values; outputs are the mean and the standard deviation of the logarithm."""

    outputs = 2
    above_zero = True
    smallest = np.finfo("float64").tiny

    def shape(self, raw: Any) -> Any:
        return positive(raw)

    def step_loss(self, target: Any, forecast: Any) -> Any:
        mean, deviation = forecast[..., 0], forecast[..., 1]
        log = ops.log(ops.maximum(target[..., 0], 1e-9))  # missing targets are 0 here and their loss is ignored
        error = (log - ops.log(mean)) / deviation + 0.5 * deviation
        return 0.5 * error * error + ops.log(deviation) + log + 0.5 * math.log(2 * math.pi)

    def frozen(self, outputs):
        mean, deviation = outputs[..., 0], outputs[..., 1]
        return stats().lognorm(deviation, scale=mean * np.exp(-0.5 * deviation**2))


class Poisson(Distribution):
    """Poisson distribution of counts; the output is the mean."""

    outputs = 1
    above_zero = counts = True
    smallest = 0.0

    def shape(self, raw: Any) -> Any:
        return positive(raw)

    def step_loss(self, target: Any, forecast: Any) -> Any:
        # The negative log-likelihood of counts divided by the scale, without terms that do not depend on the mean.
        return (forecast - target * ops.log(forecast))[..., 0]

    def frozen(self, outputs):
        return stats().poisson(outputs[..., 0])


class NegativeBinomial(Distribution):
    """Negative binomial distribution of counts (Salinas et al. 2020, "DeepAR", IJF 36).

    Outputs are the mean and the dispersion a: the variance is ``mean + a mean ** 2``.
    """

    outputs = 3
    raw = 2
    above_zero = counts = needs_unit = True
    smallest = 0.0

    def shape(self, raw: Any) -> Any:
        return positive(raw)

    def step_loss(self, target: Any, forecast: Any) -> Any:
        mean, dispersion, unit = forecast[..., 0], forecast[..., 1], forecast[..., 2]
        return -log_negative_binomial(target[..., 0] * unit, mean * unit, dispersion)

    def frozen(self, outputs):
        size = 1.0 / outputs[..., 1]
        return stats().nbinom(size, size / (size + outputs[..., 0]))


def log_negative_binomial(count, mean, dispersion):
    """Return the log probability of counts."""
    size = 1.0 / dispersion
    choose = lgamma(count + size) - lgamma(size) - lgamma(count + 1.0)
    return choose - size * ops.log1p(dispersion * mean) - count * ops.log1p(size / mean)


class ZeroInflated(Distribution):
    """Zero-inflated negative binomial distribution, for intermittent demand.

    Outputs are the mean, the dispersion, and the fraction of additional zeros.

    References
    ----------
    Lambert (1992), "Zero-inflated Poisson regression, with an application to defects in manufacturing",
    Technometrics 34, here with a negative binomial distribution of counts.
    """

    outputs = 4
    raw = 3
    above_zero = counts = needs_unit = True
    smallest = 0.0

    def shape(self, raw: Any) -> Any:
        # Fractions are at most 0.98, because the mean of the counts is the total mean divided by 1 - fraction.
        return ops.concatenate([positive(raw[..., :2]), 0.98 * ops.sigmoid(raw[..., 2:] - 2.0)], axis=-1)

    def step_loss(self, target: Any, forecast: Any) -> Any:
        mean, dispersion, zeros, unit = (forecast[..., i] for i in range(4))
        count, mean = target[..., 0] * unit, mean * unit / (1.0 - zeros)
        counted = log_negative_binomial(count, mean, dispersion) + ops.log1p(-zeros)
        at_zero = ops.logaddexp(ops.log(zeros + 1e-9), ops.log1p(-zeros) - ops.log1p(dispersion * mean) / dispersion)
        return -ops.where(count < 0.5, at_zero, counted)

    def frozen(self, outputs):
        counts = outputs[..., :3].copy()
        counts[..., 0] /= 1.0 - outputs[..., 2]
        return _WithZeros(NegativeBinomial().frozen(counts), outputs[..., 2])


class _WithZeros:
    """Zero-inflated distribution of counts with the methods of SciPy distributions that are used here."""

    def __init__(self, counts, zeros):
        self.counts, self.zeros = counts, zeros

    def ppf(self, level):
        within = np.clip((level - self.zeros) / (1.0 - self.zeros), 0.0, 1.0)
        return np.where(level <= self.zeros, 0.0, self.counts.ppf(within))

    def logpmf(self, values):
        counted = self.counts.logpmf(values) + np.log1p(-self.zeros)
        return np.where(values == 0, np.logaddexp(np.log(self.zeros), counted), counted)


DISTRIBUTIONS = {
    "gaussian": Gaussian,
    "student_t": StudentT,
    "log_normal": LogNormal,
    "poisson": Poisson,
    "negative_binomial": NegativeBinomial,
    "zero_inflated": ZeroInflated,
}
