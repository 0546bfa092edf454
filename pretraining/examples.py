"""Training examples of synthetic series."""

import numpy as np

from forecastkit.pretrained.examples import from_series
from forecastkit.pretrained.inputs import usable_second
from pretraining.generator import Frequency, draw, draw_frequency


def batch(rng, rows: int = 64, frequency: Frequency | None = None) -> dict[str, np.ndarray]:
    """Draw examples of one frequency: the network's inputs by name, and ``target`` (rows, STEPS), NaN where missing."""
    frequency = frequency or draw_frequency(rng)
    horizon = int(rng.integers(frequency.horizons[0], frequency.horizons[1] + 1))
    season, second = frequency.season, usable_second(frequency.season, frequency.second)
    low, high = frequency.lengths
    longest = int(np.exp(rng.uniform(np.log(low + 4), np.log(high))))
    series = draw(rng, rows, longest + horizon, season, second)
    told = (1, 0) if season > 1 and rng.random() < 0.04 else (season, second)
    return from_series(rng, series, horizon, *told)
