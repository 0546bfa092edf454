"""Residual quantiles: their ranks, their coverage, and what they refuse."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import forecastkit as fk
from forecastkit.data.ingest.read_panel import read_panel
from forecastkit.data.windows import Origins
from forecastkit.uncertainty.residual_quantiles import (
    FEW_APART,
    LEVELS,
    OWN_TABLE_RESIDUALS,
    ResidualQuantiles,
    interpolate_quantiles,
)
from forecastkit.uncertainty.residuals import independent_windows
from forecastkit.utils.exceptions import ArtifactError, InputError, ParameterError

NAN = np.nan


# Ranks ----------------------------------------------------------------------------------------------------------------


def test_ranks_by_hand():
    # Nine residuals: n + 1 = 10, so q0.1 is the least, q0.9 the greatest, q0.75 rank ceil(7.5), q0.25 rank floor(2.5).
    residuals = np.arange(1.0, 10.0)[:, None, None]
    quantiles = ResidualQuantiles.fit(residuals, levels=[0.1, 0.25, 0.5, 0.75, 0.9]).at([0.1, 0.25, 0.5, 0.75, 0.9])
    np.testing.assert_array_equal(quantiles, [[[1, 2, 5, 8, 9]]])


def test_median_of_an_even_number_is_between_the_middle_two():
    assert ResidualQuantiles.fit(np.array([1.0, 2.0, 4.0, 9.0])[:, None, None]).at([0.5]) == 3


def test_ranks_are_not_moved_by_rounding():
    residuals = np.arange(1.0, 100.0)[:, None, None]  # 0.55 * 100 is a little above 55
    assert ResidualQuantiles.fit(residuals).at([0.55]) == 55


def test_levels_too_fine_for_the_number_take_the_outermost_residual():
    quantiles = ResidualQuantiles.fit(np.array([-1.0, 2.0])[:, None, None]).at([0.005, 0.995])
    np.testing.assert_array_equal(quantiles, [[[-1, 2]]])


def test_the_side_of_errors_counts_only_where_many_windows_are_apart():
    residuals = np.stack([np.arange(1.0, 10.0), np.arange(11.0, 20.0)], axis=1)[:, :, None]
    levels = [0.1, 0.25, 0.5, 0.75, 0.9]
    signed, many = (
        ResidualQuantiles.fit(residuals, levels, independent_windows=independent_windows)
        for independent_windows in (None, [19, 1])
    )
    np.testing.assert_array_equal(many.tables, signed.tables)
    few = ResidualQuantiles.fit(residuals[:, :1], levels, independent_windows=[FEW_APART - 1]).at(levels)
    # -9 ... -1 and 1 ... 9: n + 1 = 19, so q0.9 is rank 18, q0.75 rank ceil(14.25).
    np.testing.assert_array_equal(few, [[[-9, -6, 0, 6, 9]]])


def test_a_series_with_a_table_of_its_own_has_its_own_count():
    rng = np.random.default_rng(0)
    residuals = rng.normal(2.0, 1.0, (OWN_TABLE_RESIDUALS, 2, 3))
    both = ResidualQuantiles.fit(residuals, independent_windows=[FEW_APART, FEW_APART - 1])
    one, two = (ResidualQuantiles.fit(residuals[:, [place]]) for place in (0, 1))
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
    fitted = ResidualQuantiles.fit(rng.standard_t(3, (n, 1, draws)))
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
    quantiles = ResidualQuantiles.fit(residuals).at(levels)
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
    fitted = ResidualQuantiles.fit(residuals)
    np.testing.assert_array_equal(fitted.table_of, [1, 0, 2])
    alone = ResidualQuantiles.fit(residuals[:, [2]])
    np.testing.assert_array_equal(fitted.at(LEVELS)[2], alone.at(LEVELS)[0])
    pooled = ResidualQuantiles.fit(residuals.reshape(-1, 1, 2))
    np.testing.assert_array_equal(fitted.at(LEVELS)[1], pooled.at(LEVELS)[0])


def test_series_chosen_and_unseen(residuals):
    fitted = ResidualQuantiles.fit(residuals)
    quantiles = fitted.at([0.1, 0.9], series=[2, -1, 1])
    np.testing.assert_array_equal(quantiles[0], fitted.at([0.1, 0.9])[2])
    np.testing.assert_array_equal(quantiles[1], quantiles[2])


def test_missing_residuals_are_left_out(residuals):
    padded = np.concatenate([residuals, np.full((7, 3, 2), NAN)])
    np.testing.assert_array_equal(ResidualQuantiles.fit(padded).tables, ResidualQuantiles.fit(residuals).tables)


def test_steps_with_few_residuals_borrow_from_their_neighbours():
    rng = np.random.default_rng(0)
    residuals = rng.normal(size=(20, 1, 9))
    table = ResidualQuantiles.fit(residuals).at([0.1, 0.9])[0]
    three = ResidualQuantiles.fit(residuals[:, :, 3:6].reshape(60, 1, 1)).at([0.1, 0.9])[0, 0]
    np.testing.assert_array_equal(table[4], three)  # 60 residuals: its own and those of a step on either side
    many = rng.normal(size=(60, 1, 2)) + np.array([0.0, 100.0])
    independent_windows = ResidualQuantiles.fit(many).at([0.5])[0, :, 0]
    assert independent_windows[1] - independent_windows[0] > 90  # nothing is borrowed where there are enough


def test_a_step_never_observed_takes_those_of_its_neighbours():
    residuals = np.array([[[1.0, NAN, 3.0]], [[2.0, NAN, 4.0]]])
    quantiles = ResidualQuantiles.fit(residuals).at([0.005, 0.5, 0.995])
    np.testing.assert_array_equal(quantiles[0, 1], [1, 2.5, 4])


def test_the_residuals_are_left_as_they_were(residuals):
    before = residuals.copy()
    ResidualQuantiles.fit(residuals)
    np.testing.assert_array_equal(residuals, before)


def test_saved_and_read(residuals, tmp_path):
    fitted = ResidualQuantiles.fit(residuals)
    np.savez(tmp_path / "calibration.npz", **fitted.to_arrays())
    with np.load(tmp_path / "calibration.npz", allow_pickle=False) as arrays:
        read = ResidualQuantiles.from_arrays(arrays)
    np.testing.assert_array_equal(read.at(LEVELS), fitted.at(LEVELS))


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
    fitted = ResidualQuantiles.fit(residuals)
    with pytest.raises(ParameterError, match=r"outermost known ones, 0\.1 and 0\.9, got 0\.95"):
        interpolate_quantiles([[1.0, 2.0]], [0.1, 0.9], [0.5, 0.95])
    with pytest.raises(ParameterError, match=r"0\.005 and 0\.995, got 0\.001"):
        fitted.at([0.001])
    with pytest.raises(InputError, match=r"must be \(n_windows, n_series, horizon\), got \(200, 3\)"):
        ResidualQuantiles.fit(residuals[..., 0])
    with pytest.raises(InputError, match="residuals must hold a number, got none"):
        ResidualQuantiles.fit(np.full((2, 1, 3), NAN))


def test_arrays_that_do_not_belong_together_are_refused(residuals):
    arrays = ResidualQuantiles.fit(residuals).to_arrays()
    with pytest.raises(ArtifactError, match="got no table_of"):
        ResidualQuantiles.from_arrays({name: arrays[name] for name in ("levels", "tables")})
    with pytest.raises(ArtifactError, match="must fit each other"):
        ResidualQuantiles.from_arrays(arrays | {"levels": arrays["levels"][1:]})
    with pytest.raises(ArtifactError, match="must fit each other"):
        ResidualQuantiles.from_arrays(arrays | {"table_of": np.array([0, 9])})
