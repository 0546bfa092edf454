"""Factors of interval widths with which the quantiles of the network hold on held-out examples."""

from __future__ import annotations

import numpy as np

from forecastkit.pretrained.forward import HIGH, LEVELS, LOW, MEDIAN, forward

#: Bounds of the factors.
NARROWEST, WIDEST = 0.5, 2.0


def calibrated(weights: dict[str, np.ndarray], groups: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return the weights with new width factors, by which central intervals have their coverage on these examples.

    Groups have the inputs of the network by name, and ``target``; all groups count equally.
    """
    plain = weights | {"widths/factor": np.ones(len(LEVELS), dtype="float32")}
    ratios, counts = [], []
    for examples in groups:
        quantiles, target = forward(plain, examples), examples["target"]
        center = quantiles[..., MEDIAN]
        seen = ~np.isnan(target)
        distance = np.abs(quantiles - center[..., None])[seen]
        below = (target < center)[seen]
        half = np.where(below[:, None], distance[:, :MEDIAN][:, ::-1], distance[:, MEDIAN + 1 :])
        ratios.append(np.abs(target - center)[seen][:, None] / np.maximum(half, 1e-9))
        counts.append(np.full(len(half), 1.0 / len(half)))
    ratio, weight = np.concatenate(ratios), np.concatenate(counts)
    factors = [_quantile(ratio[:, k], weight, 2 * level - 1) for k, level in enumerate(LEVELS[MEDIAN + 1 :])]
    factors = np.clip(factors, NARROWEST, WIDEST)
    both = np.concatenate([factors[::-1], [1.0], factors])
    return weights | {"widths/factor": both.astype("float32")}


def needed_factor(actuals: np.ndarray, quantiles: np.ndarray) -> float:
    """Return the factor of widths with which central 80 % intervals of quantiles (N, H, levels) hold; else 1."""
    below, center, above = (quantiles[..., k] for k in (LOW, MEDIAN, HIGH))
    half = np.where(actuals < center, center - below, above - center)
    usable = ~np.isnan(actuals) & (half > 0)
    ratios = np.abs(actuals - center)[usable] / half[usable]
    return float(np.quantile(ratios, LEVELS[HIGH] - LEVELS[LOW])) if len(ratios) else 1.0


def _quantile(values, weight, level):
    """Return the smallest value up to which the fraction `level` of the weight lies."""
    order = np.argsort(values)
    total = np.cumsum(weight[order])
    return float(values[order[np.searchsorted(total, level * total[-1])]])
