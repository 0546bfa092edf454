"""Autoregressions of changes: slow loops, and what they continue exactly."""

import numpy as np
import pytest

from forecastkit.pretrained import autoregressions
from forecastkit.pretrained.autoregressions import autoregression, changes, continued

RNG = np.random.default_rng(0)


def of_changes(values, inside, season, horizon, lag=1):
    ahead = autoregression(*changes(values, inside, lag), season, horizon)
    return continued(values, ahead, lag)


@pytest.mark.parametrize(("lag", "horizon"), [(1, 5), (12, 5), (12, 30)])
def test_changes_are_forecast_and_added_up(lag, horizon):
    values = RNG.normal(size=(3, 120)).cumsum(1)
    inside = np.ones_like(values, dtype=bool)
    ahead = autoregression(values[:, lag:] - values[:, :-lag], inside[:, lag:], 12, horizon)
    series = [list(row) for row in values]
    for row, change in zip(series, ahead, strict=True):
        for value in change:
            row.append(row[-lag] + value)
    np.testing.assert_allclose(of_changes(values, inside, 12, horizon, lag), np.array(series)[:, -horizon:])


def test_seasonal_growth_is_continued():
    pattern = np.array([3.0, -1.0, 0.0, -2.0])
    values = (5 + 0.5 * np.arange(60) + pattern[np.arange(60) % 4])[None]
    found = of_changes(values[:, :48], np.ones((1, 48), dtype=bool), 4, 12, lag=4)
    np.testing.assert_allclose(found, values[:, 48:])


def test_values_before_a_series_do_not_matter():
    values = RNG.normal(size=(1, 90)).cumsum(1)
    inside = np.arange(90)[None] >= 40
    changed = np.where(inside, values, 7.0)
    for lag in (1, 12):
        one, other = (of_changes(given, inside, 12, 6, lag) for given in (values, changed))
        np.testing.assert_allclose(one, other)


def test_series_are_forecast_alike_in_blocks_and_alone(monkeypatch):
    values, inside = RNG.normal(size=(9, 60)).cumsum(1), np.arange(60) >= np.arange(0, 45, 5)[:, None]
    whole = autoregression(values, inside, 12, 8)
    sizes, solve = [], np.linalg.solve
    monkeypatch.setattr(np.linalg, "solve", lambda gram, cross: sizes.append(len(gram)) or solve(gram, cross))
    monkeypatch.setattr(autoregressions, "BLOCK", 4)
    np.testing.assert_array_equal(autoregression(values, inside, 12, 8), whole)
    assert sizes == [4, 4, 1]
