"""Distribution heads, trained with the negative log-likelihood.

The first output is the mean, which is the point forecast; a distribution that is read in the user's units gives
quantiles at any level, samples and densities by scipy.
"""

import math

import numpy as np
from keras import ops

from forecastkit.networks.heads.base import Head
from forecastkit.networks.heads.special import lgamma

#: Spreads and rates are at least this, in units of the window's scale.
SMALLEST = 1e-3
#: Where softplus gives 1: a head that starts at 0 starts with spreads and rates of 1.
ONE = math.log(math.e - 1)


def positive(raw):
    """Positive numbers, 1 where `raw` is 0."""
    return ops.softplus(raw + ONE) + SMALLEST


class Distribution(Head):
    """Base of the distribution heads.

    Parameters
    ----------
    spreads : tuple of int
        Outputs beside the mean that are in units of the target.
    above_zero : bool
        Whether the values cannot be negative. Windows and series are divided by their means then, nothing is
        subtracted.
    counts : bool
        Whether the values are whole numbers.
    smallest : float
        The least value that can be observed.
    """

    distribution = True
    spreads: tuple[int, ...] = ()
    above_zero = counts = False
    smallest = -np.inf

    def get_config(self):
        return {"loss": next(name for name, kind in DISTRIBUTIONS.items() if kind is type(self))}

    @property
    def normalization(self):
        return "mean" if self.above_zero else "last"

    def place(self, outputs, center, scale, unit=None):
        parts = [outputs[..., i : i + 1] for i in range(self.raw)]
        parts[0] = parts[0] * scale + center
        for i in self.spreads:
            parts[i] = parts[i] * scale
        if self.needs_unit:
            parts.append(ops.zeros_like(parts[0]) + unit)
        return ops.concatenate(parts, axis=-1)

    def restore(self, outputs: np.ndarray, affine) -> np.ndarray:
        """Outputs in the user's units; `affine` maps values there, and spreads where told so."""
        out = outputs.astype("float64")
        out[..., :1] = affine(outputs[..., :1])
        for i in self.spreads:
            out[..., i : i + 1] = affine(outputs[..., i : i + 1], spread=True)
        return out

    def frozen(self, outputs: np.ndarray):
        """The scipy distribution with these parameters (..., outputs) in the user's units."""
        raise NotImplementedError

    def quantiles(self, outputs: np.ndarray, levels) -> np.ndarray:
        """Quantiles (..., len(levels)) of the distributions with parameters (..., outputs)."""
        return np.stack([self.frozen(outputs).ppf(level) for level in levels], axis=-1)

    def log_density(self, outputs: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Log density (or probability, of counts) of the values (...) under parameters (..., outputs)."""
        frozen = self.frozen(outputs)
        return (frozen.logpmf if self.counts else frozen.logpdf)(values)


class Gaussian(Distribution):
    """Mean and standard deviation."""

    outputs = 2
    spreads = (1,)

    def shape(self, raw):
        return ops.concatenate([raw[..., :1], positive(raw[..., 1:])], axis=-1)

    def step_loss(self, target, forecast):
        mean, deviation = forecast[..., 0], forecast[..., 1]
        error = (target[..., 0] - mean) / deviation
        return 0.5 * error * error + ops.log(deviation) + 0.5 * math.log(2 * math.pi)

    def frozen(self, outputs):
        from scipy.stats import norm

        return norm(outputs[..., 0], outputs[..., 1])


class StudentT(Distribution):
    """Mean, scale, and degrees of freedom above 2, so that there is a variance; heavy tails forgive outliers."""

    outputs = 3
    spreads = (1,)

    def shape(self, raw):
        return ops.concatenate([raw[..., :1], positive(raw[..., 1:2]), 2.0 + positive(raw[..., 2:])], axis=-1)

    def step_loss(self, target, forecast):
        mean, scale, freedom = forecast[..., 0], forecast[..., 1], forecast[..., 2]
        error = (target[..., 0] - mean) / scale
        peak = lgamma(0.5 * freedom) - lgamma(0.5 * (freedom + 1.0)) + 0.5 * ops.log(math.pi * freedom)
        return peak + ops.log(scale) + 0.5 * (freedom + 1.0) * ops.log1p(error * error / freedom)

    def frozen(self, outputs):
        from scipy.stats import t

        return t(outputs[..., 2], outputs[..., 0], outputs[..., 1])


class LogNormal(Distribution):
    """Mean, and standard deviation of the logarithm; for positive values."""

    outputs = 2
    above_zero = True
    smallest = np.finfo("float64").tiny

    def shape(self, raw):
        return positive(raw)

    def step_loss(self, target, forecast):
        mean, deviation = forecast[..., 0], forecast[..., 1]
        log = ops.log(ops.maximum(target[..., 0], 1e-9))  # a missing step, whose loss does not count, is 0
        error = (log - ops.log(mean)) / deviation + 0.5 * deviation
        return 0.5 * error * error + ops.log(deviation) + log + 0.5 * math.log(2 * math.pi)

    def frozen(self, outputs):
        from scipy.stats import lognorm

        mean, deviation = outputs[..., 0], outputs[..., 1]
        return lognorm(deviation, scale=mean * np.exp(-0.5 * deviation**2))


class Poisson(Distribution):
    """The rate of counts that vary as little as chance lets them."""

    outputs = 1
    above_zero = counts = True
    smallest = 0.0

    def shape(self, raw):
        return positive(raw)

    def step_loss(self, target, forecast):
        # Up to terms without the rate this is the likelihood of counts, divided by the length of a unit.
        return (forecast - target * ops.log(forecast))[..., 0]

    def frozen(self, outputs):
        from scipy.stats import poisson

        return poisson(outputs[..., 0])


class NegativeBinomial(Distribution):
    """Mean, and dispersion a: the variance is ``mean + a mean ** 2`` (Salinas et al. 2020, "DeepAR", IJF 36)."""

    outputs = 3
    raw = 2
    above_zero = counts = needs_unit = True
    smallest = 0.0

    def shape(self, raw):
        return positive(raw)

    def step_loss(self, target, forecast):
        mean, dispersion, unit = forecast[..., 0], forecast[..., 1], forecast[..., 2]
        return -log_negative_binomial(target[..., 0] * unit, mean * unit, dispersion)

    def frozen(self, outputs):
        from scipy.stats import nbinom

        size = 1.0 / outputs[..., 1]
        return nbinom(size, size / (size + outputs[..., 0]))


def log_negative_binomial(count, mean, dispersion):
    """Log probability of counts."""
    size = 1.0 / dispersion
    choose = lgamma(count + size) - lgamma(size) - lgamma(count + 1.0)
    return choose - size * ops.log1p(dispersion * mean) - count * ops.log1p(size / mean)


class ZeroInflated(Distribution):
    """Mean, dispersion, and share of zeros beside those of a negative binomial; for intermittent demand.

    References
    ----------
    Lambert (1992), "Zero-inflated Poisson regression, with an application to defects in manufacturing",
    Technometrics 34, with a negative binomial for the counts.
    """

    outputs = 4
    raw = 3
    above_zero = counts = needs_unit = True
    smallest = 0.0

    def shape(self, raw):
        # Shares up to 0.98: the counts' own mean is the whole mean divided by what is left.
        return ops.concatenate([positive(raw[..., :2]), 0.98 * ops.sigmoid(raw[..., 2:] - 2.0)], axis=-1)

    def step_loss(self, target, forecast):
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
    """A distribution of counts with a share of zeros more, as far as scipy's are used here."""

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
