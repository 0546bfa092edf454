"""Training examples of real series, their division, and the calibration of widths."""

import numpy as np
import pytest

from forecastkit.pretrained.calibration import calibrated
from forecastkit.pretrained.examples import FEWEST, divided, from_series, trimmed, windows
from forecastkit.pretrained.forward import HIGH, LEVELS, LOW, MEDIAN, forward
from forecastkit.pretrained.weights import load_weights


def test_windows_are_ends_of_series_at_random_origins():
    rng = np.random.default_rng(0)
    series = [np.arange(100 * number, 100 * number + length, dtype="float64") for number, length in ((1, 9), (2, 50))]
    rows = windows(rng, series, 1000, 20, 6)
    assert rows.shape == (1000, 26)
    seen = set()
    for row in rows:
        known = row[~np.isnan(row)]
        assert not np.isnan(row[-1])
        assert np.isnan(row[: -len(known)]).all()
        np.testing.assert_array_equal(np.diff(known), 1)
        seen.add(row[-1])
    assert {108.0, 249.0} <= seen <= {*np.arange(100.0, 109.0), *np.arange(200.0, 250.0)}
    kept = trimmed(rows, 6)
    assert ((~np.isnan(kept[:, :-6])).sum(1) >= FEWEST).all()


def test_a_tenth_is_held_out_by_series_or_by_time():
    many = [np.full(5, float(number)) for number in range(23)]
    kept, held = divided(many, False), divided(many, True)
    assert [one[0] for one in held] == [9, 19]
    assert len(kept) == 21
    few = [np.arange(40.0), np.arange(7.0)]
    assert [len(one) for one in divided(few, False)] == [36, 7]
    np.testing.assert_array_equal(divided(few, True)[0], [36, 37, 38, 39])


@pytest.mark.parametrize("season", [1, 12])
def test_calibrated_widths_have_their_coverage(season):
    rng = np.random.default_rng(3)
    values = rng.normal(size=(400, 80)) * np.exp(rng.normal(size=(400, 1))) + 5
    examples = from_series(rng, values, 8, season, 0)
    weights = load_weights() | {"widths/factor": np.full(len(LEVELS), 0.7, dtype="float32")}
    found = calibrated(weights, [examples])
    quantiles = forward(found, examples)
    inside = (examples["target"] >= quantiles[..., LOW]) & (examples["target"] <= quantiles[..., HIGH])
    assert inside.mean() == pytest.approx(0.8, abs=0.01)
    np.testing.assert_allclose(quantiles[..., MEDIAN], forward(weights, examples)[..., MEDIAN])
    np.testing.assert_allclose(found["widths/factor"], found["widths/factor"][::-1])
