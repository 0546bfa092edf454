"""Metrics against figures worked by hand and against slow loops."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from forecastkit import metrics
from forecastkit.metrics.grouped_scores import symmetric_pairs
from forecastkit.metrics.score_table import quantile_columns
from forecastkit.utils.exceptions import InputError

NAN = np.nan
SIZES = st.floats(-1e6, 1e6, allow_subnormal=False)


# By hand --------------------------------------------------------------------------------------------------------------


def test_errors_by_hand():
    actual, forecast = [10, 20, NAN, 40], [12, 16, 99, 40]
    assert metrics.mae(actual, forecast) == 2
    assert metrics.mse(actual, forecast) == pytest.approx(20 / 3)
    assert metrics.rmse(actual, forecast) == pytest.approx((20 / 3) ** 0.5)
    assert metrics.bias(actual, forecast) == pytest.approx(-2 / 3)
    assert metrics.wape(actual, forecast) == pytest.approx(6 / 70)


def test_m4_formulas_by_hand():
    # Two series of two steps, a season of two steps; the scale is the mean seasonal difference of the history.
    history = np.array([[1.0, 4.0, 3.0, 8.0, 5.0], [NAN, 10.0, 20.0, 20.0, 10.0]])
    actual, forecast = np.array([[6.0, 4.0], [20.0, 0.0]]), np.array([[2.0, 4.0], [30.0, 0.0]])
    scale = metrics.seasonal_scale(history, 2)
    np.testing.assert_allclose(scale, [(2 + 4 + 2) / 3, (10 + 10) / 2])
    assert metrics.smape(actual, forecast) == pytest.approx((200 * 4 / 8 + 0 + 200 * 10 / 50 + 0) / 4)
    assert metrics.mase(actual, forecast, scale) == pytest.approx((4 / (8 / 3) + 0 + 10 / 10 + 0) / 4)
    assert metrics.owa(12, 1.5, 16, 2) == pytest.approx((12 / 16 + 1.5 / 2) / 2)


def test_msis_by_hand():
    # M4: (u - l) + 2/0.05 (l - y) where y < l + 2/0.05 (y - u) where y > u, over the MASE scale.
    actual, lower, upper = [1.0, 5.0, 12.0], [2.0, 2.0, 2.0], [10.0, 10.0, 10.0]
    assert metrics.winkler(actual, lower, upper, 0.95) == pytest.approx((8 + 40 * 1 + 8 + 8 + 40 * 2) / 3)
    assert metrics.msis(actual, lower, upper, 4.0) == pytest.approx((8 + 40 * 1 + 8 + 8 + 40 * 2) / 12)
    assert metrics.coverage(actual, lower, upper) == pytest.approx(1 / 3)


def test_coverage_counts_the_ends():
    assert metrics.coverage([1, 3, NAN], [1, 1, 1], [3, 3, 3]) == 1


def test_crps_by_hand():
    # Samples 1 and 3 of 2: errors of 1 each, and the two differ by 2. Of 0: errors of 1 and 3.
    assert metrics.crps_sample(2.0, [1.0, 3.0]) == pytest.approx(1 - 2 / 2)
    assert metrics.crps_sample([2.0, 0.0, NAN], [[1.0, 3.0]] * 3) == pytest.approx(((1 - 1) + (2 - 1)) / 2)
    # At the mean of a standard normal distribution: 2 pdf(0) - 1 / sqrt(pi).
    assert metrics.crps_gaussian(5.0, 5.0, 1.0) == pytest.approx(2 / (2 * np.pi) ** 0.5 - np.pi**-0.5)
    assert metrics.crps_gaussian([5.0, 8.0], [5.0, 5.0], [1e-9, 1e-9]) == pytest.approx(1.5)


def test_crps_of_samples_is_that_of_their_distribution_and_fair():
    rng = np.random.default_rng(0)
    actual = rng.normal(size=2_000)
    exact = metrics.crps_gaussian(actual, np.zeros(2_000), np.full(2_000, 1.5))
    for m in (2, 10, 200):  # however few samples, on average the same
        assert metrics.crps_sample(actual, rng.normal(0, 1.5, size=(2_000, m))) == pytest.approx(exact, rel=0.08)


@settings(deadline=None, max_examples=30)
@given(hnp.arrays("float64", (3, 5), elements=st.floats(-100, 100)))
def test_crps_of_samples_against_a_slow_loop(samples):
    actual = np.array([0.0, 1.0, -2.0])
    for one, others in zip(actual, samples, strict=True):
        pairs = [abs(a - b) for i, a in enumerate(others) for j, b in enumerate(others) if i != j]
        expected = np.mean([abs(x - one) for x in others]) - np.mean(pairs) / 2
        assert metrics.crps_sample(one, others) == pytest.approx(expected, abs=1e-9)


def test_crps_of_quantiles_by_hand():
    # Levels 0.2 and 0.6 stand for 0.4 and 0.6 of all: pinball losses 0.2 * 2 and 0.4 * 1, twice.
    assert metrics.crps_quantiles([10.0, NAN], [[8.0, 11.0]] * 2, [0.2, 0.6]) == pytest.approx(
        2 * (0.4 * 0.4 + 0.6 * 0.4)
    )
    assert metrics.crps_quantiles([3.0, 5.0], [[4.0], [1.0]], [0.5]) == metrics.mae([3, 5], [4, 1])


def test_crps_of_many_quantiles_is_that_of_their_distribution():
    from scipy.stats import norm

    levels = np.arange(1, 200) / 200
    actual = np.array([-1.0, 0.0, 2.5])
    found = metrics.crps_quantiles(actual, np.tile(norm.ppf(levels), (3, 1)), levels)
    assert found == pytest.approx(metrics.crps_gaussian(actual, np.zeros(3), np.ones(3)), rel=2e-3)


def test_rmsse_by_hand():
    scale = metrics.seasonal_scale_squared([1, 3, 7], 1)
    assert scale == pytest.approx((4 + 16) / 2)
    assert metrics.rmsse([10, 10], [12, 16], scale) == pytest.approx(((4 + 36) / 2 / 10) ** 0.5)


def test_quantile_losses_by_hand():
    actual, low, high = [10.0, 20.0], [8.0, 21.0], [15.0, 15.0]
    assert metrics.pinball(actual, low, 0.1) == pytest.approx((0.1 * 2 + 0.9 * 1) / 2)
    assert metrics.pinball(actual, high, 0.9) == pytest.approx((0.1 * 5 + 0.9 * 5) / 2)
    both = np.stack([low, high], axis=-1)
    assert metrics.wql(actual, both, [0.1, 0.9]) == pytest.approx((2 * 1.1 / 30 + 2 * 5 / 30) / 2)


def test_median_alone_is_wape():
    actual, forecast = np.array([3.0, 5.0, NAN]), np.array([4.0, 1.0, 0.0])
    assert metrics.wql(actual, forecast[:, None], [0.5]) == pytest.approx(metrics.wape(actual, forecast))


def test_skill():
    assert metrics.skill(3, 4) == 0.25
    assert np.isnan(metrics.skill(3, 0))
    np.testing.assert_allclose(metrics.skill([1, 2], [2, 1]), [0.5, -1])


# Missing, empty, constant ---------------------------------------------------------------------------------------------


def test_a_missing_forecast_shows():
    assert np.isnan(metrics.mae([1, 2], [1, NAN]))
    assert np.isnan(metrics.coverage([1, 2], [0, NAN], [3, 3]))
    table = metrics.score_table(pd.DataFrame({"actual": [1.0, 2.0], "forecast": [1.0, NAN]}))
    assert np.isnan(table.loc[0, "mae"])


@pytest.mark.parametrize("values", [[], [NAN, NAN]])
def test_nothing_observed_is_nan(values):
    for measure in (metrics.mae, metrics.rmse, metrics.wape, metrics.smape, metrics.bias):
        assert np.isnan(measure(values, np.zeros(len(values))))


def test_no_scale_is_nan():
    assert np.isnan(metrics.seasonal_scale([5, 5, 5], 1))
    assert np.isnan(metrics.seasonal_scale([1, 2], 2))
    np.testing.assert_allclose(metrics.seasonal_scale([[1, 2], [3, 3]], 1), [1, NAN])


def test_series_without_a_scale_are_left_out():
    assert metrics.mase([[1, 2], [5, 5]], [[2, 3], [9, 9]], [2.0, NAN]) == 0.5


def test_scale_for_all_for_each_series_and_for_each_value():
    actual, forecast = np.zeros((2, 2)), np.array([[1.0, 2.0], [3.0, 4.0]])
    one_each = metrics.mase(actual, forecast, [1.0, 2.0], axis=1)
    np.testing.assert_allclose(one_each, [1.5, 1.75])
    np.testing.assert_allclose(metrics.mase(actual, forecast, [[1.0, 1.0], [2.0, 2.0]], axis=1), one_each)
    assert metrics.mase(actual, forecast, 2.0) == 1.25


# Refusals -------------------------------------------------------------------------------------------------------------


def test_refusals():
    with pytest.raises(InputError, match=r"mae: actual, forecast must have one shape, got actual \(2,\)"):
        metrics.mae([1, 2], [[1], [2]])
    with pytest.raises(InputError, match="mase: scale must be one number, one per series"):
        metrics.mase(np.zeros((2, 3)), np.zeros((2, 3)), np.ones(3))
    with pytest.raises(InputError, match=r"wql: quantiles must have the shape \(2, 1\)"):
        metrics.wql([1, 2], [1, 2], [0.5])
    with pytest.raises(InputError, match=r"crps_quantiles: quantiles must have the shape \(2, 1\)"):
        metrics.crps_quantiles([1, 2], [1, 2], [0.5])
    with pytest.raises(InputError, match="inside"):
        metrics.pinball([1], [1], 1.0)
    with pytest.raises(InputError, match="season_length"):
        metrics.seasonal_scale([1, 2], 0)
    with pytest.raises(InputError, match="history must have a time axis"):
        metrics.seasonal_scale(3.0, 1)
    with pytest.raises(InputError, match=r"samples must be \(\.\.\., m\).* got \(3, 1\) for \(3,\)"):
        metrics.crps_sample(np.zeros(3), np.zeros((3, 1)))


# Against slow loops ---------------------------------------------------------------------------------------------------


def observed(draw, shape):
    values = draw(hnp.arrays("float64", shape, elements=SIZES))
    return np.where(draw(hnp.arrays("bool", shape)), values, NAN)


@st.composite
def panels(draw):
    shape = draw(st.tuples(st.integers(1, 3), st.integers(1, 6)))
    forecasts = [draw(hnp.arrays("float64", shape, elements=SIZES)) for _ in range(2)]
    return observed(draw, shape), *np.sort(forecasts, axis=0)


def slow_mean(error, *arrays):
    errors = [error(*row) for row in zip(*(a.ravel().tolist() for a in arrays), strict=True) if not np.isnan(row[0])]
    return sum(errors) / len(errors) if errors else NAN


@settings(max_examples=60, deadline=None)
@given(panels(), st.floats(0.01, 0.99))
def test_against_slow_loops(panel, level):
    actual, low, high = panel

    def interval(y, a, b):
        return b - a + 2 / (1 - level) * (a - y if y < a else y - b if y > b else 0)

    slow = {
        "mae": slow_mean(lambda y, f: abs(y - f), actual, low),
        "mse": slow_mean(lambda y, f: (y - f) ** 2, actual, low),
        "bias": slow_mean(lambda y, f: f - y, actual, low),
        "smape": slow_mean(lambda y, f: 200 * abs(y - f) / (abs(y) + abs(f)) if y or f else 0, actual, low),
    }
    for name, expected in slow.items():
        np.testing.assert_allclose(getattr(metrics, name)(actual, low), expected, rtol=1e-9, err_msg=name)
    pinball = slow_mean(lambda y, q: level * (y - q) if y > q else (1 - level) * (q - y), actual, low)
    np.testing.assert_allclose(metrics.pinball(actual, low, level), pinball, rtol=1e-9)
    np.testing.assert_allclose(metrics.winkler(actual, low, high, level), slow_mean(interval, actual, low, high))
    np.testing.assert_allclose(metrics.coverage(actual, low, high), slow_mean(lambda y, a, b: a <= y <= b, *panel))


@settings(max_examples=40, deadline=None)
@given(st.data(), st.integers(1, 4))
def test_scale_against_a_slow_loop(data, season):
    history = observed(data.draw, (2, 7))
    for row, scale in zip(history.tolist(), metrics.seasonal_scale(history, season), strict=True):
        pairs = [abs(b - a) for a, b in zip(row, row[season:], strict=False) if not np.isnan(a + b)]
        np.testing.assert_allclose(scale, sum(pairs) / len(pairs) if sum(pairs) else NAN)


# The table ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        [(site, target, step) for site in "abc" for target in ("load", "price") for step in range(1, 9)],
        columns=["site", "target", "step"],
    )
    table["actual"] = rng.normal(10, 3, len(table))
    table.loc[[0, 5, 17], "actual"] = NAN
    table["forecast"] = table.actual.fillna(0) + rng.normal(size=len(table))
    for level in (0.05, 0.1, 0.5, 0.9):
        table[f"q{level:g}"] = table.forecast + 3 * (level - 0.5)
    return table.assign(lower=table["q0.1"], upper=table["q0.9"]).sample(frac=1, random_state=0)


@pytest.fixture
def scale():
    keys = pd.MultiIndex.from_product([["load", "price"], ["c", "a", "b"]], names=["target", "site"])
    return pd.Series([1.0, 2.0, 3.0, 4.0, NAN, 6.0], index=keys)


@pytest.mark.parametrize("by", [(), "step", ["site", "target"]])
def test_table_agrees_with_the_functions(frame, scale, by):
    table = metrics.score_table(frame, by=by, scale=scale)
    groups = frame.groupby(by) if by else [(0, frame)]
    assert len(table) == len(list(groups))
    for key, group in groups:
        row, y, f = table.loc[key], group.actual, group.forecast
        own = scale.reindex(pd.MultiIndex.from_frame(group[["target", "site"]])).to_numpy()
        assert row["rows"] == y.notna().sum()
        for name in ("mae", "mse", "rmse", "bias", "wape", "smape"):
            assert row[name] == pytest.approx(getattr(metrics, name)(y, f)), name
        assert row["mase"] == pytest.approx(metrics.mase(y, f, own), nan_ok=True)
        assert row["pinball_q0.1"] == pytest.approx(metrics.pinball(y, group["q0.1"], 0.1))
        levels = [0.05, 0.1, 0.5, 0.9]
        assert row["wql"] == pytest.approx(metrics.wql(y, group[[f"q{level:g}" for level in levels]], levels))
        assert row["coverage_0.8"] == row["coverage"] == metrics.coverage(y, group["q0.1"], group["q0.9"])
        assert row["winkler_0.8"] == pytest.approx(metrics.winkler(y, group["q0.1"], group["q0.9"], 0.8))
        msis = metrics.msis(y, group["q0.1"], group["q0.9"], own, 0.8)
        assert row["msis_0.8"] == pytest.approx(msis, nan_ok=True)


def test_table_columns_follow_the_frame(frame):
    assert list(metrics.score_table(frame[["actual", "forecast"]])) == [
        *("rows", "mae", "mse", "rmse", "bias", "wape", "smape")
    ]
    assert "pinball_q0.9" not in metrics.score_table(frame, levels=[0.1, 0.5])
    assert {"mase", "msis_0.8"} <= set(metrics.score_table(frame, scale=2.0))


def test_table_keeps_unobserved_groups_and_the_frame(frame):
    frame.loc[frame.site == "a", "actual"] = NAN
    before = frame.copy()
    table = metrics.score_table(frame, by="site")
    assert table.loc["a", "rows"] == 0
    assert np.isnan(table.loc["a", "mae"])
    pd.testing.assert_frame_equal(frame, before)


def test_table_reads_nullable_columns(frame):
    nullable = frame.convert_dtypes()
    pd.testing.assert_frame_equal(metrics.score_table(nullable), metrics.score_table(frame))


def test_table_refusals(frame):
    with pytest.raises(InputError, match=r"columns scored must exist, got 'sitee'\. Did you mean 'site'"):
        metrics.score_table(frame, by="sitee")
    with pytest.raises(InputError, match=r"'q0\.7'"):
        metrics.score_table(frame, levels=[0.7])
    with pytest.raises(InputError, match="scale must be one number"):
        metrics.score_table(frame, scale=[1.0, 2.0])


def test_quantile_columns_are_read_by_level():
    frame = pd.DataFrame(columns=["q0.9", "quality", "q1", "q", "q1e-05", 7, "q0.1"])
    assert quantile_columns(frame) == {1e-5: "q1e-05", 0.1: "q0.1", 0.9: "q0.9"}
    assert symmetric_pairs([0.05, 0.1, 0.3, 0.5, 0.9, 0.95]) == [(0.9, 0.05, 0.95), (0.8, 0.1, 0.9)]
