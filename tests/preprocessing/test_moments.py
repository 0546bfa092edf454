"""Means and standard deviations at any size of the values."""

import numpy as np
import pytest

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
