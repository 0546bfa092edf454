"""Fine-tuning of the network's last layer by gradient steps in NumPy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecastkit.pretrained.calibration import WIDEST, needed_factor
from forecastkit.pretrained.forward import HIGH, LEVELS, LOW, MEDIAN, hidden_state, mixture, quantiles_of, sigmoid
from forecastkit.pretrained.inputs import Inputs

#: Largest number of steps of a window that are used, windows of a gradient step, and learning rate.
MOST_STEPS, BATCH, LEARNING_RATE = 16, 64, 1e-3
#: Loss above which losses grow logarithmically; constant added to interval widths.
DAMPING, LEAST_WIDTH = 10.0, 0.02


@dataclass(frozen=True, eq=False)
class Examples:
    """Windows with the state before the last layer, which fine-tuning does not change."""

    hidden: np.ndarray  #: (N, S, units)
    forecasts: np.ndarray  #: (N, S, K)
    available: np.ndarray  #: (N, K)
    target: np.ndarray  #: (N, S): actuals in units of each series' scale, NaN where missing

    @classmethod
    def of(cls, weights: dict[str, np.ndarray], inputs: Inputs, actual: np.ndarray) -> Examples:
        """Return the windows of `inputs`, with actuals (N, H) in the units of the series, and the same ones negated."""
        steps = np.unique(np.linspace(0, actual.shape[1] - 1, MOST_STEPS).astype(int))
        usable = (inputs.scale > 0) & ~np.isnan(actual[:, steps]).all(1)
        found = []
        for sign, one in ((1, inputs), (-1, inputs.mirrored())):
            arrays = {name: values[usable] for name, values in one.network().items()}
            arrays |= {name: arrays[name][:, steps] for name in ("steps", "forecasts")}
            scale = np.where(one.scale > 0, one.scale, 1.0)[usable, None]
            target = (sign * actual[usable][:, steps] - one.center[usable, None]) / scale
            hidden = hidden_state(weights, arrays)
            found.append(cls(hidden, arrays["forecasts"], arrays["available"], target.astype("float32")))
        return joined(found)

    def __len__(self):
        return len(self.target)

    def take(self, places: np.ndarray) -> Examples:
        """Return the windows at these places."""
        return Examples(*(getattr(self, name)[places] for name in self.__dataclass_fields__))

    def losses(self, weights: dict[str, np.ndarray]) -> np.ndarray:
        """Return the `window_losses` of the forecasts with these weights, (N,)."""
        return window_losses(self.target, self.quantiles(weights))

    def quantiles(self, weights: dict[str, np.ndarray]) -> np.ndarray:
        """Return the quantiles (N, S, levels) with these weights."""
        raw = self.hidden @ weights["head/kernel"] + weights["head/bias"]
        return quantiles_of(weights, raw, self.forecasts, self.available)

    def widths(self, weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return ``widths/factor``, larger by what central 80 % intervals lack to hold on these windows.

        Quantiles that were fine-tuned on a few windows are too narrow for others. They are never made narrower: the
        errors on later rows tend to be larger.
        """
        factor = np.clip(needed_factor(self.target, self.quantiles(weights)), 1.0, WIDEST)
        return {"widths/factor": weights["widths/factor"] * np.float32(factor)}


def joined(examples: list[Examples]) -> Examples:
    """Concatenate windows."""
    names = Examples.__dataclass_fields__
    return Examples(*(np.concatenate([getattr(one, name) for one in examples]) for name in names))


def window_losses(target: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Return the mean quantile loss of each window in units of its scale, (N,); large ones grow logarithmically."""
    return DAMPING * np.log1p(_pinball(target, quantiles)[0] / DAMPING)


def tuned(weights: dict[str, np.ndarray], examples: Examples, steps: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Return the last layer after gradient steps (Adam) on these windows, ``head/kernel`` and ``head/bias``.

    The loss is that of the pre-training: the mean quantile loss relative to the width of the central 80 % interval.
    """
    rng = np.random.default_rng(seed)
    head = {name: weights[name].astype("float32") for name in ("head/kernel", "head/bias")}
    first = {name: np.zeros_like(values) for name, values in head.items()}
    second = {name: np.zeros_like(values) for name, values in head.items()}
    for step in range(1, steps + 1):
        part = examples.take(rng.permutation(len(examples))[:BATCH])
        rate = LEARNING_RATE * np.sqrt(1 - 0.999**step) / (1 - 0.9**step) * (1 - (step - 1) / steps)
        for name, gradient in gradients(weights | head, part).items():
            first[name] = 0.9 * first[name] + 0.1 * gradient
            second[name] = 0.999 * second[name] + 0.001 * gradient**2
            head[name] = head[name] - np.float32(rate) * first[name] / (np.sqrt(second[name]) + np.float32(1e-8))
    return head


def gradients(weights: dict[str, np.ndarray], examples: Examples) -> dict[str, np.ndarray]:
    """Return the gradients of the mean damped loss with respect to the last layer."""
    raw = examples.hidden @ weights["head/kernel"] + weights["head/bias"]
    quantiles = quantiles_of(weights, raw, examples.forecasts, examples.available)
    loss, by_quantile, width = _pinball(examples.target, quantiles)
    relative = loss / width
    by_quantile = by_quantile / (width * (1 + relative / DAMPING) * len(loss))[:, None, None]
    by_center = by_quantile.sum(-1, keepdims=True)
    by_width = by_quantile * weights["widths/factor"]
    number = examples.forecasts.shape[-1]
    by_offset = np.empty_like(by_quantile)
    by_offset[..., :MEDIAN] = -np.cumsum(by_width[..., :MEDIAN], axis=-1)
    by_offset[..., MEDIAN + 1 :] = np.cumsum(by_width[..., MEDIAN + 1 :][..., ::-1], axis=-1)[..., ::-1]
    by_offset *= sigmoid(raw[..., number:] - np.float32(1))
    by_offset[..., MEDIAN] = by_center[..., 0]
    shares = mixture(raw[..., :number], examples.available)
    mixed = (shares * examples.forecasts).sum(-1, keepdims=True)
    by_raw = np.concatenate([by_center * shares * (examples.forecasts - mixed), by_offset], axis=-1)
    flat = by_raw.reshape(-1, by_raw.shape[-1])
    return {
        "head/kernel": examples.hidden.reshape(-1, examples.hidden.shape[-1]).T @ flat,
        "head/bias": flat.sum(0),
    }


def _pinball(target, quantiles):
    """Return the mean loss of each window, its derivative by quantile, and the width of the 80 % interval."""
    levels = np.asarray(LEVELS, dtype="float32")
    observed = ~np.isnan(target)
    count = np.maximum(observed.sum(1), 1)
    error = np.where(observed, target, 0)[..., None] - quantiles
    losses = 2 * np.maximum(levels * error, (levels - 1) * error).mean(-1)
    each = (2 / len(LEVELS) / count)[:, None, None].astype("float32") * observed[..., None]
    derivative = np.where(error > 0, -levels, 1 - levels) * each
    width = ((quantiles[..., HIGH] - quantiles[..., LOW]) * observed).sum(1) / count + LEAST_WIDTH
    return (losses * observed).sum(1) / count, derivative, width
