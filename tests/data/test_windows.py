"""Windows as index arithmetic against windows cut one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_panel import make

from forecastkit.data.windows import Origins, Windows, crop, gather, grouped, last_rows, last_values
from forecastkit.preprocessing.scaler import Scaler

SIZES = {"a": (0, 30), "b": (4, 11), "c": (-3, 5)}


def every_origin(panel) -> Origins:
    rows = np.arange(panel.rows)
    entity = np.repeat(np.arange(len(panel.ids)), panel.lengths)
    return Origins.every_channel(entity, rows, panel.channels)


def test_gather_cuts_what_a_loop_cuts():
    panel = make(SIZES)
    buffers = Scaler.fit(panel, panel.indptr[1:], 3, ()).buffers(panel, 6, 3)
    origins = every_origin(panel)
    inputs, target = gather(np, buffers, origins.table(), 6, 3)
    for i in range(len(origins)):
        e, row, channel = origins.entity[i], origins.row[i], origins.channel[i]
        for step in range(-5, 4):
            inside = panel.indptr[e] <= row + step < panel.indptr[e + 1]
            expected = buffers.target[row + step, channel] if inside else np.nan
            got = inputs["target"][i, step + 5] if step <= 0 else target[i, step - 1]
            assert np.array_equal(got, expected, equal_nan=True)
            known = buffers.known[row + step] if inside else [np.nan]
            assert np.array_equal(inputs["known"][i, step + 5], known, equal_nan=True)
    assert inputs["series"].tolist() == ((origins.entity + 1) * 2 + origins.channel).tolist()


def test_a_forecast_gathers_no_targets():
    panel = make(SIZES)
    buffers = Scaler.fit(panel, panel.indptr[1:], 3, ()).buffers(panel, 6, 3)
    assert gather(np, buffers, every_origin(panel).table(), 6, 3, targets=False)[1] is None


def test_training_windows_are_all_that_fit():
    panel = make({"a": (0, 20), "b": (0, 9)})
    stop = np.array([18, 29])
    windows = Windows.training(panel, stop, lookback=5, horizon=3)
    got = {(e, row) for e, row in zip(*(windows.at(np.arange(len(windows))).table().T[:2]), strict=True)}
    # 'b' is shorter than two horizons and a window: its windows see at least half of what is there.
    assert got == {(0, row) for row in range(4, 15)} | {(1, row) for row in range(22, 26)}
    assert len(windows) == 2 * len(got)


@pytest.mark.parametrize(("rows", "first", "last"), [(8, 3, 5), (7, 1, 4), (6, 1, 3), (4, 0, 1), (3, 0, 0)])
def test_first_training_window_of_short_series(rows, first, last):
    """With a lookback of 4 and a horizon of 2, full windows need 8 rows; those of shorter series are shorter."""
    panel = make({"a": (0, rows)})
    windows = Windows.training(panel, panel.indptr[1:], 4, 2)
    origins = windows.at(np.arange(len(windows)))
    assert sorted({*origins.row.tolist()}) == [*range(first, last + 1)]


def test_validation_windows_lie_wholly_in_the_block():
    panel = make({"a": (0, 20), "b": (0, 9)})
    windows = Windows.validation(panel, np.array([12, 29]), np.array([20, 29]), horizon=3)
    assert windows.at(np.arange(len(windows))).row.tolist() == np.repeat(np.arange(11, 17), 2).tolist()


@given(st.integers(1, 400), st.integers(1, 60))
@settings(max_examples=50, deadline=None)
def test_spaced_windows_take_every_channel_and_both_ends(count, most):
    windows = Windows(np.array([0]), np.array([count]), 3)
    chosen = windows.spaced(most)
    assert len(chosen) <= max(most, 3)
    assert chosen.channel.tolist() == list(range(3)) * (len(chosen) // 3)
    assert chosen.row[0] == 0
    if len(chosen) > 3:
        assert chosen.row[-1] == count - 1


def test_draws_repeat_only_once_all_are_drawn():
    windows = Windows(np.array([0]), np.array([10]), 1)
    rng = np.random.default_rng(0)
    assert sorted(windows.draw(rng, 10)) == list(range(10))
    assert np.bincount(windows.draw(rng, 25)).min() >= 2
    assert len(set(windows.draw(rng, 7))) == 7


@given(st.integers(0, 50), st.sampled_from([0.0, 0.5, 0.95]))
@settings(max_examples=30, deadline=None)
def test_last_values_against_a_loop(seed, missing):
    panel = make(SIZES, missing, seed)
    origins = every_origin(panel)
    rows, values = last_rows(panel, origins), last_values(panel, origins)
    for i in range(len(origins)):
        column = panel.target[: origins.row[i] + 1, origins.channel[i]]
        seen = [r for r in range(panel.indptr[origins.entity[i]], len(column)) if not np.isnan(column[r])]
        assert rows[i] == (seen[-1] if seen else -1)
        assert np.array_equal(values[i], column[seen[-1]] if seen else np.nan, equal_nan=True)


def test_nothing_is_observed_before_a_series():
    panel = make(SIZES, 0.0)
    origins = Origins(np.array([0, 1]), panel.indptr[:2] - 1, np.array([0, 0]))
    assert np.isnan(last_values(panel, origins)).all()


def test_crop_keeps_what_the_origins_see():
    panel = make(SIZES)
    scaler = Scaler.fit(panel, panel.indptr[1:], 3, ())
    origins = Origins.every_channel(np.array([0, 0]), np.array([12, 20]), 2)
    cut, moved = crop(panel, origins, 6, 3)
    assert cut.lengths.tolist() == [17, 1, 1]
    whole = gather(np, scaler.buffers(panel, 6, 3), origins.table(), 6, 3)
    part = gather(np, scaler.buffers(cut, 6, 3), moved.table(), 6, 3)
    for one, other in zip((*whole[0].values(), whole[1]), (*part[0].values(), part[1]), strict=True):
        np.testing.assert_array_equal(one, other)


@given(st.lists(st.integers(0, 4)))
def test_grouped_places(keys):
    groups = grouped(np.array(keys, dtype=int))
    assert [keys[g[0]] for g in groups] == sorted(set(keys))
    assert sorted(place for g in groups for place in g) == list(range(len(keys)))


@pytest.mark.parametrize(("rows", "dtype"), [(5, "int32"), (2**31, "int64")])
def test_tables_are_as_wide_as_they_must_be(rows, dtype):
    assert Origins(np.array([0]), np.array([rows]), np.array([0])).table().dtype == dtype


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.booleans(), st.sampled_from([0.0, 0.2, 0.7, 0.95, 1.0]))
def test_windows_with_targets_are_those_that_a_loop_finds(seed, together, fraction):
    panel, horizon = make(SIZES), 2
    target = np.where(np.random.default_rng(seed).random(panel.target.shape) < fraction, np.nan, panel.target)
    windows = Windows.training(panel, panel.indptr[1:], 4, horizon, together=together)
    found = windows.with_targets(target, horizon)
    expected = []
    for number in range(len(windows)):
        origin = windows.at(np.array([number]))
        after = target[origin.row[0] + 1 : origin.row[0] + 1 + horizon]
        if not np.isnan(after if together else after[:, origin.channel[0]]).all():
            expected.append(number)
    expected = expected or list(range(len(windows)))
    np.testing.assert_array_equal(found.at(np.arange(len(found))).table(), windows.at(np.array(expected)).table())
    drawn = found.at(found.draw(np.random.default_rng(0), 3 * len(found)))
    np.testing.assert_array_equal(np.unique(drawn.table(), axis=0), np.unique(windows.at(expected).table(), axis=0))
