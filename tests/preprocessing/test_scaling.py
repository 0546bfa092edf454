"""Scaling per series, and what happens to constants and to series met later."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_panel import make

from forecastkit.data.panel import pointers
from forecastkit.data.windows import Origins
from forecastkit.preprocessing import scaler as scaling
from forecastkit.preprocessing.moments import Moments
from forecastkit.preprocessing.scaler import Scaler

SIZES = {"a": (0, 40), "b": (4, 31), "c": (-3, 25)}


def origins_of(panel):
    return Origins.every_channel(np.arange(len(panel.ids)), panel.indptr[1:] - 1, panel.channels)


@given(st.integers(0, 99), st.lists(st.integers(1, 9), min_size=1, max_size=5), st.sampled_from([3, 1000]))
@settings(max_examples=40, deadline=None)
def test_moments_are_those_of_numpy(seed, lengths, chunk):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(sum(lengths), 2)) * 10.0 ** rng.integers(-8, 9)
    values[rng.random(values.shape) < 0.3] = np.nan
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scaling, "CHUNK", chunk)
        got = Moments.of(values, pointers(lengths))
        applied = got.apply(values, pointers(lengths))
    for e, part in enumerate(np.split(values, np.cumsum(lengths)[:-1])):
        for c in range(2):
            seen = part[~np.isnan(part[:, c]), c]
            if len(seen) == 0:
                assert (got.center[e, c], got.scale[e, c]) == (0, 0)
            else:
                np.testing.assert_allclose(got.center[e, c], seen.mean(), rtol=1e-9, atol=1e-12 * np.abs(seen).max())
                np.testing.assert_allclose(got.scale[e, c], seen.std(), rtol=1e-6, atol=1e-9 * np.abs(seen).max())
    np.testing.assert_array_equal(np.isnan(applied), np.isnan(values))


@pytest.mark.parametrize("value", [0.1, 1e8 + 0.1, -3e-9, 0.0])
def test_a_constant_has_itself_as_its_mean(value):
    moments = Moments.of(np.full((1001, 1), value), np.array([0, 1001]))
    assert moments.center[0, 0] == value
    assert moments.scale[0, 0] == 0
    assert (moments.apply(np.array([[value], [value + 7]]), np.array([0, 2])) == 0).all()


def test_large_and_small_series_share_buffers():
    panel = make(SIZES, 0.0)
    panel.target[:] *= np.repeat([1e8, 1e-3, 1.0], panel.lengths)[:, None]
    buffers = Scaler.fit(panel, panel.indptr[1:], 2, ()).buffers(panel, 4, 2)
    assert buffers.target.dtype == np.float32
    assert np.abs(buffers.target).max() < 8
    np.testing.assert_allclose([part.std() for part in np.split(buffers.target[:, 0], panel.indptr[1:-1])], 1, 1e-5)


def test_restore_undoes_scaling():
    panel = make(SIZES, 0.0)
    scaler = Scaler.fit(panel, panel.indptr[1:], 2, ())
    scaler.effect[:] = 0.25
    origins = Origins.every_channel(np.arange(3), panel.indptr[1:] - 3, 2)
    rows = origins.row[:, None] + np.array([1, 2])
    scaled = scaler.buffers(panel, 4, 2).target[rows, origins.channel[:, None]]
    np.testing.assert_allclose(
        scaler.restore(scaled, panel, origins), panel.target[rows, origins.channel[:, None]], 1e-5
    )
    both = np.stack([scaled, scaled], axis=-1)
    assert np.ptp(scaler.restore(both, panel, origins), axis=-1).max() == 0


def test_only_rows_before_the_stop_are_seen():
    panel = make(SIZES)
    stop = panel.indptr[1:] - 10
    one = Scaler.fit(panel, stop, 2, ())
    for e, low in enumerate(stop):
        panel.target[low : panel.indptr[e + 1]] = 1e6
        panel.known[low : panel.indptr[e + 1]] = -1e6
    other = Scaler.fit(panel, stop, 2, ())
    for name in ("target", "known", "past", "static"):
        np.testing.assert_array_equal(getattr(one, name).center, getattr(other, name).center)
        np.testing.assert_array_equal(getattr(one, name).scale, getattr(other, name).scale)
    np.testing.assert_array_equal(one.effect, other.effect)


def test_a_series_constant_in_training_goes_on_as_it_was_last():
    panel = make({"a": (0, 30)}, 0.0)
    panel.target[:20] = 5.0
    scaler = Scaler.fit(panel, np.array([20]), 2, ())
    anything = np.full((2, 3), 9.0, "float32")
    held = Origins(np.array([0, 0]), np.array([15, 15]), np.array([0, 1]))
    assert (scaler.restore(anything, panel, held) == 5.0).all()
    moved = Origins(np.array([0, 0]), np.array([25, 25]), np.array([0, 1]))
    assert (scaler.restore(anything, panel, moved) == panel.target[25][:, None]).all()


def test_new_series_are_scaled_by_their_own_past_only():
    panel, new = make({"a": (0, 40)}, 0.0), make({"a": (0, 40), "z": (0, 30)}, 0.0, seed=3)
    scaler = Scaler.fit(panel, panel.indptr[1:], 2, ())
    with pytest.raises(KeyError, match="'z'"):
        scaler.moments(new)
    stop = np.array([40, 60])
    one = scaler.extended(new, stop)
    new.target[60:] += 1000
    other = scaler.extended(new, stop)
    np.testing.assert_array_equal(one.target.center, other.target.center)
    np.testing.assert_allclose(one.moments(new).center[1], new.target[40:60].mean(axis=0))
    assert one.buffers(new, 3, 2).series.tolist() == [1, 0], "a new series has no number of its own"
    assert scaler.extended(panel, panel.indptr[1:]) is scaler


def test_known_effects_are_found_and_kept_only_where_they_help():
    rng = np.random.default_rng(0)
    panel = make({"a": (0, 400)}, 0.0)
    walk = np.cumsum(rng.normal(size=400)) * 0.05
    panel.target[:, 0] = 3 * panel.known[:, 0] + walk
    panel.target[:, 1] = walk
    scaler = Scaler.fit(panel, panel.indptr[1:], 4, ())
    share = scaler.effect[0] * scaler.target.scale[0] / scaler.known.scale[0, 0]
    assert share[0] == pytest.approx(3, abs=0.05)
    assert abs(share[1]) < 0.02


def test_forecasts_do_not_depend_on_how_many_rows_follow():
    panel = make({"a": (0, 64)}, 0.0)
    scaler = Scaler.fit(panel, panel.indptr[1:], 3, ())
    scaler.effect = np.array([[0.3, -0.7]])
    origins = Origins.every_channel(np.array([0]), np.array([40]), 2)
    scaled = np.zeros((2, 3), "float32")
    whole = scaler.restore(scaled, panel, origins)
    for stop in range(44, 64):
        cut = panel.between(np.array([0]), np.array([stop]))
        np.testing.assert_array_equal(whole, scaler.restore(scaled, cut, origins))
