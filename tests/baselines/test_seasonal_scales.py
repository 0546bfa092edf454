"""Scales of all series at once, against the function of one series."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_panel import make

from forecastkit.baselines import seasonal_scales as module
from forecastkit.baselines.seasonal_scales import seasonal_scales
from forecastkit.metrics import seasonal_scale, seasonal_scale_squared


@given(st.integers(0, 50), st.sampled_from([0.0, 0.4, 0.9]), st.integers(1, 7))
@settings(max_examples=25, deadline=None)
def test_each_series_as_alone(seed, missing, season):
    panel = make({"a": (0, 30), "b": (4, 11), "c": (-3, 5), "d": (0, 1)}, missing, seed)
    stop = panel.indptr[:-1] + np.random.default_rng(seed).integers(0, panel.lengths + 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CHUNK", 7)
        found = seasonal_scales(panel, stop, season)
    for entity in range(4):
        rows = panel.target[panel.indptr[entity] : stop[entity]].T
        alone = np.full((2, 2), np.nan)
        if rows.shape[1] > season:
            alone = np.stack([seasonal_scale(rows, season), seasonal_scale_squared(rows, season)])
        np.testing.assert_allclose(found[:, entity], alone, rtol=1e-9)
