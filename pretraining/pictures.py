"""Draw series of the generator for the documentation: ``python -m pretraining.pictures docs/images/generator.png``.

One row per family with monthly, daily and hourly series, and a last row with the mixtures and disturbances that
training examples have.
"""

import sys

import numpy as np
from matplotlib.figure import Figure

from pretraining.generator import FAMILIES, FREQUENCIES, draw

#: Frequency and number of steps of each column; series drawn over each other in a cell.
COLUMNS = (("monthly", 96), ("daily", 112), ("hourly", 168))
SERIES = 2


def pictures(seed: int = 4) -> Figure:
    """Return the figure."""
    rng = np.random.default_rng(seed)
    rows = {family.__name__.replace("_", " "): family for family in FAMILIES} | {"training examples": draw}
    figure = Figure(figsize=(11, 1.5 * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), len(COLUMNS), squeeze=False)
    frequencies = {frequency.name: frequency for frequency in FREQUENCIES}
    for line, (name, family) in zip(axes, rows.items(), strict=True):
        for cell, (column, steps) in zip(line, COLUMNS, strict=True):
            frequency = frequencies[column]
            series = family(rng, 40, steps, frequency.season, frequency.second)[:SERIES]
            spread = np.nanstd(series, axis=1, keepdims=True)
            scaled = (series - np.nanmean(series, axis=1, keepdims=True)) / np.where(spread > 0, spread, 1)
            cell.plot(scaled.T + 4 * np.arange(SERIES), linewidth=0.8)
            cell.set(xticks=[], yticks=[])
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    for cell, (column, steps) in zip(axes[0], COLUMNS, strict=True):
        cell.set_title(f"{column}, {steps} steps", fontsize=10)
    return figure


if __name__ == "__main__":
    pictures().savefig(sys.argv[1], dpi=80)
