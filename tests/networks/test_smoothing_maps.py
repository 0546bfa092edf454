"""Exponential smoothing as linear maps, and its average by the errors inside a window."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecastkit.forecasters.linear_recipes import fitting_seasons
from forecastkit.networks.backbone import Sizes
from forecastkit.networks.backbones.gru import GRU
from forecastkit.networks.heads import make_head
from forecastkit.networks.network import Network
from forecastkit.networks.smoothing_maps import (
    LEVELS,
    TRENDS,
    SmoothingMaps,
    smoothing_maps,
)

LENGTH, HORIZON, SEASON = 24, 6, 4
MAPS = len(LEVELS) * len(TRENDS)


def slow_forecast(values, alpha, beta, damping, season):
    """Seasonal adjustment by the latest three seasons, then exponential smoothing, one value after the other."""
    factors = np.zeros(season)
    if season > 1:
        cycles = values[-3 * season :].reshape(3, season)
        slope = (cycles[2].mean() - cycles[0].mean()) / (2 * season)
        for cycle in cycles:
            factors += (cycle - cycle.mean() - slope * (np.arange(season) - (season - 1) / 2)) / 3
    adjusted = values - [factors[(place - len(values)) % season] for place in range(len(values))]
    level, trend = adjusted[:4].mean(), 0.0
    for value in adjusted[1:]:
        error = value - level - damping * trend
        level, trend = level + damping * trend + alpha * error, damping * trend + alpha * beta * error
    ahead = np.cumsum(damping ** np.arange(1, HORIZON + 1))
    return level + trend * ahead + factors[np.arange(HORIZON) % season]


def test_maps_are_those_of_a_loop():
    values = np.random.default_rng(0).normal(size=LENGTH).cumsum()
    grid = [(season, alpha, *trend) for season in (1, SEASON) for alpha in LEVELS for trend in TRENDS]
    expected = [slow_forecast(values, alpha, beta, damping, season) for season, alpha, beta, damping in grid]
    found = np.einsum("l,mlh->mh", values, smoothing_maps(LENGTH, HORIZON, (1, SEASON)))
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_errors_are_those_of_earlier_origins():
    """Three, two and six steps before the end, in the order of their length."""
    values = np.random.default_rng(1).normal(size=LENGTH)
    maps = SmoothingMaps.of(LENGTH, HORIZON, (1, SEASON))
    found = (values @ maps.matrix).reshape(2 * MAPS, HORIZON + maps.compared)[:, HORIZON:]
    expected = []
    for back in (2, 3, 6):
        past = smoothing_maps(LENGTH - back, back, (1, SEASON))
        expected.append(np.einsum("l,mlh->mh", values[:-back], past) - values[-back:])
    np.testing.assert_allclose(found, np.concatenate(expected, axis=1), atol=1e-4)


@given(st.integers(0, 10_000), st.floats(0.01, 100.0))
def test_average_follows_the_size_of_a_window(seed, size):
    window = np.random.default_rng(seed).normal(size=(1, LENGTH)).cumsum(axis=1)
    maps = SmoothingMaps.of(LENGTH, HORIZON, (1, SEASON))
    once, larger = (maps.forecast((window * factor).astype("float32")) for factor in (1.0, size))
    np.testing.assert_allclose(larger, size * once, rtol=1e-3, atol=1e-3 * size)


@pytest.mark.parametrize("season", [1, SEASON])
def test_pattern_that_a_map_knows_is_forecast(season):
    pattern = np.array([3.0, -1.0, 4.0, -2.0])[:season]
    values = np.tile(pattern, LENGTH + HORIZON)[: LENGTH + HORIZON] - pattern[(LENGTH - 1) % season]
    forecast = SmoothingMaps.of(LENGTH, HORIZON, (1, SEASON)).forecast(values[None, :LENGTH].astype("float32"))
    np.testing.assert_allclose(forecast[0], values[LENGTH:], atol=1e-4)


def test_network_computes_the_same_average():
    maps = SmoothingMaps.of(LENGTH, HORIZON, (1, SEASON))
    sizes = Sizes(LENGTH, HORIZON, SEASON, linear=True, smoothings=maps.maps, compared=maps.compared)
    network = Network(GRU(units=4), sizes, make_head("mae"))
    network.build_layers()
    linear = np.random.default_rng(2).normal(size=(LENGTH, HORIZON)).astype("float32")
    network.linear.assign(linear)
    network.smoothing.assign(maps.matrix)
    windows = np.random.default_rng(3).normal(size=(5, LENGTH)).astype("float32")
    windows[0] = 2.0
    last = windows[:, -1:]
    expected = (maps.forecast(windows - last) + (windows - last) @ linear) / 2 + last
    np.testing.assert_allclose(network({"target": windows})[..., 0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("lookback", "horizon", "main", "longer", "expected"),
    [
        (36, 12, 12, (12,), (1, 12)),  # 33 steps before the last three
        (26, 12, 12, (12,), ()),
        (27, 12, 12, (12,), (1, 12)),
        (20, 6, 1, (1,), (1,)),
        (528, 96, 24, (24, 168), (1, 24, 168)),
        (252, 96, 24, (24, 168), (1, 24)),
        (252, 96, 25, (24, 168), (1, 25)),
    ],
)
def test_seasons_of_which_two_fit(lookback, horizon, main, longer, expected):
    assert fitting_seasons(lookback, horizon, main, longer) == expected
