"""Batches of training hold windows that there is something to learn from."""

import numpy as np
from conftest import SMALL, wave

import forecastkit as fk
from forecastkit.forecasters import neural
from forecastkit.training.loop import train

SIZES = {**SMALL, "windows_per_epoch": 64, "final_epochs": 1}


def test_no_batch_holds_windows_without_targets(monkeypatch):
    """Their loss is 0: the mean loss of a batch, and what a gradient is clipped to, would shrink with their number."""
    drawn = []

    def record(engine, buffers, windows, *arguments, **options):
        origins = windows.at(windows.draw(np.random.default_rng(0), 500))
        steps = origins.row[:, None] + np.arange(1, SIZES["horizon"] + 1)
        drawn.append(buffers.target[steps, origins.channel[:, None]])
        return train(engine, buffers, windows, *arguments, **options)

    monkeypatch.setattr(neural, "train", record)
    values = wave(400)
    values[40:300] = np.nan
    fk.GRUForecaster(**SIZES).fit(values)
    assert len(drawn) == 2  # the fit and its final epoch
    assert all((~np.isnan(targets)).any(axis=1).all() for targets in drawn)
