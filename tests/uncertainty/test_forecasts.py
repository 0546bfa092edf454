"""Forecasts as values: what points, quantiles, samples and densities of any kind of forecast have in common."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import forecastkit as fk
from forecastkit.data.windows import Origins
from forecastkit.networks.heads import make_head
from forecastkit.uncertainty.forecasts import (
    SHOWN_LEVELS,
    ClippedForecast,
    CombinedForecast,
    DistributionForecast,
    OriginResiduals,
    PointForecast,
    QuantileForecast,
    clipped,
    forecast_of,
)
from forecastkit.uncertainty.residuals import LEVELS
from forecastkit.utils.exceptions import InputError, ParameterError

RNG = np.random.default_rng(0)
N, HORIZON = 3, 2
TRAINED = (0.1, 0.3, 0.5, 0.9)
#: Losses of distributions and parameters of one step in the order of the head's outputs.
PARAMETERS = {
    "gaussian": [3.0, 2.0],
    "student_t": [3.0, 2.0, 5.0],
    "log_normal": [3.0, 0.6],
    "poisson": [4.0],
    "negative_binomial": [4.0, 0.4, 1.0],
    "zero_inflated": [4.0, 0.4, 0.2, 1.0],
}
COUNTS = ("poisson", "negative_binomial", "zero_inflated")


@pytest.fixture(scope="module")
def linear():
    """A fitted point forecaster, its panel, and the ends of its two series as origins."""
    rng = np.random.default_rng(1)
    values = 10 + np.sin(np.arange(120)[:, None] * 2 * np.pi / 12) + rng.normal(size=(120, 2)) * [1.0, 5.0]
    model = fk.LinearForecaster(horizon=HORIZON, lookback=12, recipes=1).fit(values)
    return model, model.history_, Origins.every_channel(np.zeros(1, int), model.history_.last_observed(), 2)


def distribution(loss):
    return DistributionForecast(np.tile(np.array(PARAMETERS[loss]), (N, HORIZON, 1)), make_head(loss))


def quantiles_of(rng=RNG):
    return QuantileForecast(np.sort(rng.normal(size=(N, HORIZON, len(TRAINED))), axis=-1), TRAINED)


def half_of_each(parts):
    return 0.5 * parts[0] + 0.5 * parts[1]


def kinds(linear):
    """A forecast of every kind, by name."""
    at = OriginResiduals(*linear)
    points = PointForecast(np.arange(4.0).reshape(2, HORIZON)).completed(at, None)
    trained = quantiles_of()
    return {
        "point": points,
        "quantile": trained,
        "combined": CombinedForecast(
            [trained, distribution("gaussian")], lambda parts: np.mean(parts, axis=0), TRAINED
        ),
        "clipped": ClippedForecast(trained, lower=-0.2, upper=0.4),
        **{loss: distribution(loss) for loss in PARAMETERS},
    }


@pytest.mark.parametrize("kind", ["point", "quantile", "combined", "clipped", *PARAMETERS])
def test_quantiles_rise_and_samples_converge_to_them(kind, linear):
    forecast = kinds(linear)[kind]
    levels = np.array(TRAINED)
    quantiles = forecast.quantiles(levels)
    n = len(quantiles)
    assert quantiles.shape == (n, HORIZON, 4)
    assert (np.diff(quantiles, axis=-1) >= 0).all()
    assert forecast.point().shape == (n, HORIZON)
    ranks = (np.arange(4_000) + 0.5) / 4_000  # every level alike: what random ranks come to
    paths = forecast.sample(np.broadcast_to(ranks[:, None], (n, 4_000, HORIZON)))
    for place, level in enumerate(levels):  # as many values lie below a quantile as its level says
        below = (paths < quantiles[:, None, :, place] - 1e-9).mean(axis=1)
        above = (paths > quantiles[:, None, :, place] + 1e-9).mean(axis=1)
        assert (below <= level + 5e-3).all()
        assert (above <= 1 - level + 5e-3).all()


@pytest.mark.parametrize("loss", PARAMETERS)
def test_densities_add_up_to_one_and_give_the_mean(loss):
    forecast = distribution(loss)
    if loss in COUNTS:
        grid, width = np.arange(400.0), 1.0
    else:
        grid = np.linspace(1e-4 if loss == "log_normal" else -400, 400, 400_001)
        width = grid[1] - grid[0]
    one = forecast[:1]
    density = np.exp(one.log_density(grid[:, None, None])[:, 0, 0]) * width
    assert density.sum() == pytest.approx(1.0, abs=2e-3)
    assert (density * grid).sum() == pytest.approx(one.point()[0, 0], rel=5e-3)
    below = np.cumsum(density)
    at = np.searchsorted(grid, one.quantiles([0.3])[0, 0, 0])
    assert below[at] >= 0.3 - 1e-3
    assert below[at] - density[at] <= 0.3 + 1e-3


@settings(max_examples=30, deadline=None)
@given(arrays("float64", (2, N, HORIZON, len(TRAINED)), elements=st.floats(-1e3, 1e3)), st.floats(0, 1))
def test_combined_quantiles_are_those_of_the_members_level_by_level(values, weight):
    members = [QuantileForecast(each, TRAINED) for each in values]
    both = CombinedForecast(members, lambda parts: weight * parts[0] + (1 - weight) * parts[1], TRAINED)
    first, second = (np.sort(each, axis=-1) for each in values)
    np.testing.assert_allclose(both.quantiles(TRAINED), weight * first + (1 - weight) * second, atol=1e-9)
    assert np.array_equal(CombinedForecast(members[:1], lambda parts: parts[0], TRAINED).point(), members[0].point())
    width = np.ptp(both.quantiles((0.1, 0.9)), axis=-1)
    widths = [np.ptp(member.quantiles((0.1, 0.9)), axis=-1) for member in members]
    assert (width <= np.maximum(*widths) + 1e-9).all()  # as sharp as its members, which a mixture is not


@settings(max_examples=30, deadline=None)
@given(arrays("float64", (N, HORIZON, len(TRAINED)), elements=st.floats(-1e6, 1e6)), st.floats(0.1, 0.9))
def test_the_point_of_quantiles_is_the_median_and_none_lies_beyond_the_trained(values, level):
    forecast = QuantileForecast(values, TRAINED)
    np.testing.assert_array_equal(forecast.point(), np.sort(values, axis=-1)[..., 2])
    inside = forecast.quantiles((level,))[..., 0]
    assert ((values.min(axis=-1) <= inside) & (inside <= values.max(axis=-1))).all()
    with pytest.raises(ParameterError, match="quantile levels must lie between"):
        forecast.quantiles((0.95,))
    low = QuantileForecast(values[..., :2], (0.1, 0.3))
    np.testing.assert_array_equal(low.point(), low.quantiles((0.3,))[..., 0])


def test_quantiles_of_points_are_those_of_residuals_of_each_series(linear):
    model, panel, origins = linear
    points = model._forecast(panel, origins)
    assert (points.has_spread, points.has_quantiles, points.shown_levels) == (False, False, ())
    complete = model._forecast_at(panel, origins)
    assert (complete.has_quantiles, complete.shown_levels) == (True, SHOWN_LEVELS)
    expected = model.predict(quantile_levels=[0.2, 0.8])
    np.testing.assert_array_equal(complete.quantiles((0.2, 0.8)).transpose(1, 0, 2).reshape(HORIZON, -1), expected)
    spread = np.ptp(complete.quantiles((0.1, 0.9)), axis=-1)
    assert (spread[1] > 2 * spread[0]).all()  # the second series has five times the noise
    np.testing.assert_array_equal(complete[1:].quantiles((0.1,)), complete.quantiles((0.1,))[1:])
    model.residuals_, kept = None, model.residuals_
    try:
        assert not model._forecast_at(panel, origins).has_quantiles
        with pytest.raises(InputError, match="quantiles need validation residuals"):
            complete.quantiles((0.1,))
    finally:
        model.residuals_ = kept


def test_samples_reach_beyond_trained_levels_as_far_as_residuals_do(linear):
    model, panel, origins = linear
    values = np.array([[[-1.0, 0.0, 1.0]] * HORIZON] * 2)
    bare = QuantileForecast(values, (0.1, 0.5, 0.9))
    ranks = np.full((2, 1, HORIZON), LEVELS[0])
    np.testing.assert_array_equal(bare.sample(ranks), -1.0)
    residuals = model._forecast_at(panel, origins).quantiles((LEVELS[0], 0.1))
    further = np.diff(residuals, axis=-1)[..., 0]
    found = bare.completed(OriginResiduals(model, panel, origins), None).sample(ranks)[:, 0]
    np.testing.assert_allclose(found, -1.0 - further)


def test_a_part_of_a_forecast_is_the_forecast_of_these_origins(linear):
    chosen = np.array([1, 0])
    for name, forecast in kinds(linear).items():
        np.testing.assert_array_equal(forecast[chosen].point(), forecast.point()[chosen], err_msg=name)
        np.testing.assert_array_equal(
            forecast[chosen].quantiles((0.2, 0.7)), forecast.quantiles((0.2, 0.7))[chosen], err_msg=name
        )


def test_bounds_hold_for_points_quantiles_and_samples():
    forecast = clipped(quantiles_of(), -0.1, 0.1)
    ranks = np.random.default_rng(0).random((N, 50, HORIZON))
    for values in (forecast.point(), forecast.quantiles((0.1, 0.9)), forecast.sample(ranks), forecast[:1].point()):
        assert np.abs(values).max() <= 0.1
    points = PointForecast(np.zeros((1, 1)))
    assert clipped(points, -np.inf, np.inf) is points
    assert clipped(points, 2.0, np.inf).point() == 2.0


def test_a_network_gives_the_kind_that_its_head_says():
    def unchanged(values, spread=False):
        return values

    outputs = np.arange(12.0).reshape(2, 2, 3)
    assert isinstance(forecast_of(outputs[..., :1], make_head("mae"), unchanged), PointForecast)
    levels = (0.1, 0.5, 0.9)
    assert forecast_of(outputs, make_head("mae", levels), unchanged).levels == levels
    assert forecast_of(outputs, make_head("student_t"), unchanged).log_density(np.zeros((2, 2))).shape == (2, 2)
    assert quantiles_of().log_density(np.zeros((N, HORIZON))) is None


def test_combinations_show_what_members_were_trained_for_and_all_can_give():
    wide = QuantileForecast(np.zeros((1, 1, 5)), (0.01, 0.1, 0.5, 0.9, 0.99), shown=(0.1, 0.5, 0.9))
    narrow = QuantileForecast(np.zeros((1, 1, 3)), (0.2, 0.5, 0.8))
    both = CombinedForecast([wide, narrow, distribution("gaussian")], sum, (0.2, 0.5, 0.8))
    assert both.shown_levels == (0.2, 0.5, 0.8)
    assert CombinedForecast([wide], sum, wide.levels).shown_levels == (0.1, 0.5, 0.9)
    assert CombinedForecast([distribution("gaussian")], sum).shown_levels == SHOWN_LEVELS
