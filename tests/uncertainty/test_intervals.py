"""Residual quantiles: their ranks, their coverage, and what they refuse."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.ensemble import RandomForestRegressor

import forecastkit as fk
from forecastkit.data.ingest.read_panel import read_panel
from forecastkit.data.windows import Origins
from forecastkit.uncertainty.residuals import (
    LEVELS,
    MIN_SEPARATE_WINDOWS,
    OWN_TABLE_RESIDUALS,
    ResidualQuantiles,
    error_ranks,
    independent_windows,
    interpolate_quantiles,
)
from forecastkit.utils.exceptions import InputError, ParameterError

NAN = np.nan


def fit(cube, levels=LEVELS, independent_windows=None):
    """Of residuals (windows, series, horizon)."""
    count, series, horizon = cube.shape
    flat, numbers = cube.reshape(-1, horizon), np.tile(np.arange(series), count)
    return ResidualQuantiles.fit(flat, numbers, levels, independent_windows)


# Ranks ----------------------------------------------------------------------------------------------------------------


def test_ranks_by_hand():
    # Nine residuals: n + 1 = 10, so q0.1 is the least, q0.9 the greatest, q0.75 rank ceil(7.5), q0.25 rank floor(2.5).
    residuals = np.arange(1.0, 10.0)[:, None, None]
    quantiles = fit(residuals, levels=[0.1, 0.25, 0.5, 0.75, 0.9]).at([0.1, 0.25, 0.5, 0.75, 0.9])
    np.testing.assert_array_equal(quantiles, [[[1, 2, 5, 8, 9]]])


def test_median_of_an_even_number_is_between_the_middle_two():
    assert fit(np.array([1.0, 2.0, 4.0, 9.0])[:, None, None]).at([0.5]) == 3


def test_ranks_are_not_moved_by_rounding():
    residuals = np.arange(1.0, 100.0)[:, None, None]  # 0.55 * 100 is a little above 55
    assert fit(residuals).at([0.55]) == 55


def test_levels_too_fine_for_the_number_take_the_outermost_residual():
    quantiles = fit(np.array([-1.0, 2.0])[:, None, None]).at([0.005, 0.995])
    np.testing.assert_array_equal(quantiles, [[[-1, 2]]])


def test_the_side_of_errors_counts_only_where_many_windows_are_apart():
    residuals = np.stack([np.arange(1.0, 10.0), np.arange(11.0, 20.0)], axis=1)[:, :, None]
    levels = [0.1, 0.25, 0.5, 0.75, 0.9]
    signed, many = (
        fit(residuals, levels, independent_windows=independent_windows) for independent_windows in (None, [19, 1])
    )
    np.testing.assert_array_equal(many.tables, signed.tables)
    few = fit(residuals[:, :1], levels, independent_windows=[MIN_SEPARATE_WINDOWS - 1]).at(levels)
    # -9 ... -1 and 1 ... 9: n + 1 = 19, so q0.9 is rank 18, q0.75 rank ceil(14.25).
    np.testing.assert_array_equal(few, [[[-9, -6, 0, 6, 9]]])


def test_a_series_with_a_table_of_its_own_has_its_own_count():
    rng = np.random.default_rng(0)
    residuals = rng.normal(2.0, 1.0, (OWN_TABLE_RESIDUALS, 2, 3))
    both = fit(residuals, independent_windows=[MIN_SEPARATE_WINDOWS, MIN_SEPARATE_WINDOWS - 1])
    one, two = (fit(residuals[:, [place]]) for place in (0, 1))
    np.testing.assert_array_equal(both.at(LEVELS)[0], one.at(LEVELS)[0])
    low, middle, high = np.moveaxis(both.at([0.1, 0.5, 0.9])[1], -1, 0)
    np.testing.assert_allclose([middle, low + high], 0.0, atol=0.02)
    assert (two.at([0.5]) > 1.5).all()


def test_windows_apart_are_counted_by_blocks_of_a_horizon():
    panel, _ = read_panel(pd.DataFrame({"a": np.arange(30.0), "b": np.arange(30.0)}))
    rows = np.array([10, 11, 12, 13, 20, 29])
    origins = Origins(np.zeros(7, int), np.append(rows, 5), np.array([0] * 6 + [1]))
    np.testing.assert_array_equal(independent_windows(origins, panel, 4), [4, 1])  # blocks 2, 3, 5 and 7
    np.testing.assert_array_equal(independent_windows(origins, panel, 1), [6, 1])


def test_few_windows_put_the_range_about_the_forecast():
    level = 100.0 + 10.0 * np.arange(60.0)  # a mean forecast always lies below
    few = fk.MeanForecaster(horizon=6, lookback=12).fit(level)
    assert few.residuals_.tables.min() < 0 < few.residuals_.tables.max()
    low, middle, high = few.predict(quantile_levels=[0.1, 0.5, 0.9]).to_numpy().T
    np.testing.assert_allclose(middle, np.ravel(few.predict()))
    np.testing.assert_allclose(high - middle, middle - low)


# Coverage and order ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "level"), [(9, 0.5), (9, 0.8), (40, 0.8), (40, 0.95), (400, 0.5), (400, 0.95)])
def test_coverage_of_exchangeable_residuals(n, level):
    rng = np.random.default_rng(n)
    draws = 4000
    fitted = fit(rng.standard_t(3, (n, 1, draws)))
    low, high = np.moveaxis(fitted.at([(1 - level) / 2, (1 + level) / 2]), -1, 0)
    fresh = rng.standard_t(3, (1, draws))
    covered = ((low <= fresh) & (fresh <= high)).mean()
    assert level - 0.02 < covered < level + 2 / (n + 1) + 0.02


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays("float64", (6, 2, 3), elements=st.one_of(st.floats(-1e6, 1e6), st.just(NAN))),
    st.lists(st.floats(0.005, 0.995), min_size=1, max_size=6, unique=True).map(sorted),
)
def test_quantiles_rise_with_the_level(residuals, levels):
    if np.isnan(residuals).all():
        return
    quantiles = fit(residuals).at(levels)
    assert quantiles.shape == (2, 3, len(levels))
    assert np.isfinite(quantiles).all()
    # Straight lines between equal ends may differ in the last place.
    assert (np.diff(quantiles) >= -1e-9).all()


# Shared and own tables ------------------------------------------------------------------------------------------------


@pytest.fixture
def residuals():
    """Two series with enough residuals, of unlike sizes, and one that lacks a single one at its second step."""
    rng = np.random.default_rng(1)
    residuals = rng.normal(size=(OWN_TABLE_RESIDUALS, 3, 2)) * np.array([1.0, 5.0, 25.0])[:, None]
    residuals[0, 1, 1] = NAN
    return residuals


def test_series_with_enough_residuals_have_their_own_table(residuals):
    fitted = fit(residuals)
    np.testing.assert_array_equal(fitted.table_of, [1, 0, 2])
    alone = fit(residuals[:, [2]])
    np.testing.assert_array_equal(fitted.at(LEVELS)[2], alone.at(LEVELS)[0])
    pooled = fit(residuals.reshape(-1, 1, 2))
    np.testing.assert_array_equal(fitted.at(LEVELS)[1], pooled.at(LEVELS)[0])


def test_series_chosen_and_unseen(residuals):
    fitted = fit(residuals)
    quantiles = fitted.at([0.1, 0.9], series=[2, -1, 1])
    np.testing.assert_array_equal(quantiles[0], fitted.at([0.1, 0.9])[2])
    np.testing.assert_array_equal(quantiles[1], quantiles[2])


def test_missing_residuals_are_left_out(residuals):
    padded = np.concatenate([residuals, np.full((7, 3, 2), NAN)])
    np.testing.assert_array_equal(fit(padded).tables, fit(residuals).tables)


def test_steps_with_few_residuals_borrow_from_their_neighbours():
    rng = np.random.default_rng(0)
    residuals = rng.normal(size=(20, 1, 9))
    table = fit(residuals).at([0.1, 0.9])[0]
    three = fit(residuals[:, :, 3:6].reshape(60, 1, 1)).at([0.1, 0.9])[0, 0]
    np.testing.assert_array_equal(table[4], three)  # 60 residuals: its own and those of a step on either side
    many = rng.normal(size=(60, 1, 2)) + np.array([0.0, 100.0])
    independent_windows = fit(many).at([0.5])[0, :, 0]
    assert independent_windows[1] - independent_windows[0] > 90  # nothing is borrowed where there are enough


def test_a_step_never_observed_takes_those_of_its_neighbours():
    residuals = np.array([[[1.0, NAN, 3.0]], [[2.0, NAN, 4.0]]])
    quantiles = fit(residuals).at([0.005, 0.5, 0.995])
    np.testing.assert_array_equal(quantiles[0, 1], [1, 2.5, 4])


def test_the_residuals_are_left_as_they_were(residuals):
    before = residuals.copy()
    fit(residuals)
    np.testing.assert_array_equal(residuals, before)


def test_memory_follows_the_windows_and_not_the_longest_series():
    """One series of many windows beside very many of one: a table padded to the longest would be 20 million cells."""
    many = 10_000
    series = np.concatenate([np.zeros(2_000, int), np.arange(1, many)])
    residuals = np.random.default_rng(0).normal(size=(len(series), 1)).astype("float32")
    tracemalloc.start()
    fitted = ResidualQuantiles.fit(residuals, series)
    ranks = error_ranks(residuals, series)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6
    np.testing.assert_array_equal(fitted.table_of, [1] + [0] * (many - 1))
    assert ranks.shape == (200, 1)


def test_without_validation_windows_intervals_come_from_a_second_fit_and_it_is_said():
    rng = np.random.default_rng(0)
    walk = np.cumsum(rng.normal(size=900))
    forest = RandomForestRegressor(20, random_state=0)
    model = fk.TabularForecaster(regressor=forest, horizon=2, lookback=8, validation_size=0).fit(walk[:600])
    with pytest.warns(UserWarning, match="no validation window gave residuals, so intervals come from a second fit"):
        found = fk.backtest(model, walk, quantile_levels=[0.1, 0.9]).forecasts
    held = (found["q0.1"] <= found["actual"]) & (found["actual"] <= found["q0.9"])
    assert 0.7 < held.mean() < 0.92


def test_few_rows_widen_intervals_by_a_shorter_horizon():
    walk = np.cumsum(np.random.default_rng(0).normal(size=26))
    model = fk.NaiveForecaster(horizon=12).fit(walk[:22])
    with pytest.warns(UserWarning, match="a second fit"):
        _, low, high = model.predict(coverage=0.8).to_numpy().T
    assert (np.diff(high - low)[7:] > 0).all()


def test_intervals_of_the_linear_forecaster_keep_the_units_of_their_residuals():
    """The variance grows sixfold in the validation block; the final scale must not be applied to its residuals."""
    rng = np.random.default_rng(0)
    loud = np.where(np.arange(600) < 480, 1.0, 6.0)
    data = 10 + loud * rng.normal(size=600)
    model = fk.LinearForecaster(horizon=1, lookback=4).fit(data)
    _, low, high = np.ravel(model.predict(coverage=0.8))
    assert model.scaler_.target.scale[0, 0] > 1.5 * model.residual_scale_[0, 0]
    assert high - low == pytest.approx(2 * 1.2816 * 6.0, rel=0.2)


# Between trained levels -----------------------------------------------------------------------------------------------


def test_trained_levels_come_back_and_others_lie_between():
    values = np.array([[[1.0, 3.0, 9.0]], [[9.0, 1.0, 3.0]]], dtype="float32")  # the second one crosses
    quantiles = interpolate_quantiles(values, [0.1, 0.5, 0.9], [0.1, 0.3, 0.5, 0.6, 0.9])
    np.testing.assert_allclose(quantiles, np.broadcast_to([1, 2, 3, 4.5, 9], (2, 1, 5)), rtol=1e-6)
    assert quantiles.dtype == "float32"


def test_levels_off_by_rounding_are_taken_as_trained():
    level = (1 - 0.8) / 2
    assert level < 0.1
    assert interpolate_quantiles([[1.0, 2.0]], [0.1, 0.9], [level]) == 1


def test_one_trained_level():
    assert interpolate_quantiles([[4.0]], [0.5], [0.5]) == 4


# Refusals -------------------------------------------------------------------------------------------------------------


def test_refusals(residuals):
    fitted = fit(residuals)
    with pytest.raises(ParameterError, match=r"outermost known ones, 0\.1 and 0\.9, got 0\.95"):
        interpolate_quantiles([[1.0, 2.0]], [0.1, 0.9], [0.5, 0.95])
    with pytest.raises(ParameterError, match=r"0\.005 and 0\.995, got 0\.001"):
        fitted.at([0.001])
    with pytest.raises(InputError, match=r"must be \(n_windows, horizon\), and .* got \(200, 3, 2\) and \(200,\)"):
        ResidualQuantiles.fit(residuals, np.zeros(200, int))
    with pytest.raises(InputError, match="residuals must contain an observed value, got none"):
        fit(np.full((2, 1, 3), NAN))


def test_series_without_validation_windows_have_the_shared_intervals():
    """Also the last ones of a panel, which no validation window tells of."""
    rows = {"a": 40, "b": 40, "c": 5}
    frame = pd.concat([pd.DataFrame({"id": key, "y": np.sin(np.arange(n) * 7.0)}) for key, n in rows.items()])
    model = fk.LinearForecaster(horizon=3, lookback=3, series_id="id", target="y", recipes=1).fit(frame)
    forecast = model.forecast(quantile_levels=[0.1, 0.9]).set_index("id")
    assert (forecast.loc["c", "q0.9"] > forecast.loc["c", "q0.1"]).all()
