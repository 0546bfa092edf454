"""Means and standard deviations at any size of the values."""

import itertools
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from forecastkit.preprocessing.moments import MAX_STANDARDIZED, Moments

VALUES = np.random.default_rng(0).normal(3, 2, size=(50, 2))
INDPTR = np.array([0, 20, 20, 50])


@pytest.mark.parametrize("power", [-1000, -600, -40, 0, 40, 600, 1000])
def test_moments_scale_with_the_values_to_the_last_bit(power):
    plain, sized = (Moments.of(values, INDPTR) for values in (VALUES, np.ldexp(VALUES, power)))
    np.testing.assert_array_equal(sized.center, np.ldexp(plain.center, power))
    np.testing.assert_array_equal(sized.scale, np.ldexp(plain.scale, power))
    np.testing.assert_array_equal(sized.apply(np.ldexp(VALUES, power), INDPTR), plain.apply(VALUES, INDPTR))


def test_values_beyond_float32_are_far_but_numbers():
    moments = Moments.of(VALUES, INDPTR)
    far = np.where(np.arange(50)[:, None] == 3, 1.7e308, VALUES)
    assert moments.apply(far, INDPTR)[3].tolist() == [np.float32(MAX_STANDARDIZED)] * 2


@given(
    hnp.arrays("float64", (12, 2), elements=st.floats(-1e6, 1e6) | st.just(np.nan)),
    st.lists(st.integers(0, 12), max_size=3),
    st.integers(1, 12),
)
def test_moments_are_those_of_each_series_alone(values, cuts, chunk):
    indptr = np.array([0, *sorted(cuts), 12])
    with mock.patch("forecastkit.preprocessing.moments.CHUNK", chunk):
        moments = Moments.of(values, indptr)
    for e, (first, stop) in enumerate(itertools.pairwise(indptr)):
        for channel in range(2):
            own = values[first:stop, channel]
            own = own[~np.isnan(own)]
            expected = (own.mean(), own.std()) if len(own) else (0.0, 0.0)
            found = moments.center[e, channel], moments.scale[e, channel]
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * max(1.0, np.abs(own).max(initial=0)))
