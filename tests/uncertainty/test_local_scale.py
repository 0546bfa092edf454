"""Local scales: against a slow loop, by hand-worked numbers, and in the intervals of a series that has grown."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import forecastkit as fk
from forecastkit.data.ingest.read_panel import read_panel
from forecastkit.data.windows import Origins
from forecastkit.uncertainty.validation import LEAST, MOST, LocalScale, scales


def panel_of(values):
    return read_panel(np.asarray(values, dtype="float64"), None)[0]


def origins_at(rows):
    rows = np.asarray(rows)
    return Origins(np.zeros_like(rows), rows, np.zeros_like(rows))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(-5, 5) | st.just(np.nan), min_size=12, max_size=20),
    st.integers(1, 4),
    st.integers(2, 12),
)
def test_scales_against_a_slow_loop(values, lag, width):
    values = [1.0, *values]  # a series has an observed value
    found = scales(panel_of(values), origins_at(range(len(values))), lag, width)
    for row in range(len(values)):
        latest = [place for place in range(row - width + 1, row + 1) if place >= 0]
        changes = [abs(values[place] - values[place - lag]) for place in latest if place >= lag]
        for scale, sizes in zip(found[:, row], (changes, [abs(values[place]) for place in latest]), strict=True):
            known = [size for size in sizes if not np.isnan(size)]
            assert scale == pytest.approx(np.mean(known) if known else np.nan, nan_ok=True)


@pytest.mark.parametrize(("growth", "has_level", "ratio"), [
    (1.5, True, 1.5),  # changes and values are 1.5 times as large
    (1.5, False, np.sqrt(1.5)),  # only changes count
    (0.75, True, 0.75),
    (9.0, True, MOST),
    (0.01, True, LEAST),
])  # fmt: skip
def test_the_ratio_is_that_of_changes_and_values(growth, has_level, ratio):
    quiet, loud = np.tile([1.0, 3.0], 40), growth * np.tile([1.0, 3.0], 10)
    panel = panel_of([*quiet, *loud])
    local = LocalScale.fit(panel, np.array([60]), np.array([80]), horizon=2, season=1)
    arguments = panel, origins_at([99]), np.array([0]), np.array([has_level])
    np.testing.assert_allclose(local.ratio(*arguments), ratio)
    np.testing.assert_array_equal(local.ratio(*arguments[:2], np.array([-1]), arguments[3]), 1.0)  # a new series


def test_a_constant_series_keeps_its_residuals():
    panel = panel_of(np.ones(60))
    local = LocalScale.fit(panel, np.array([40]), np.array([60]), horizon=2, season=1)
    np.testing.assert_array_equal(local.ratio(panel, origins_at([59]), np.array([0]), np.array([True])), 1.0)
    assert LocalScale.fit(panel, np.array([60]), np.array([60]), horizon=2, season=1) is None


def test_intervals_follow_the_size_of_the_latest_rows(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.gamma(5.0, 2.0, size=200)
    model = fk.NaiveForecaster(horizon=2, season_length=1, lower=-np.inf).fit(values)
    model.save(tmp_path / "naive.forecast")
    grown = np.concatenate([values, 1.8 * values[-60:]])

    def width(forecaster, history):
        frame = forecaster.forecast(history=history, quantile_levels=[0.1, 0.9])
        return (frame["q0.9"] - frame["q0.1"]).to_numpy()

    assert (width(model, grown) > 1.5 * width(model, values)).all()
    np.testing.assert_array_equal(width(fk.load(tmp_path / "naive.forecast"), grown), width(model, grown))
    loaded = fk.load(tmp_path / "naive.forecast").forecast(quantile_levels=[0.1, 0.9])
    np.testing.assert_array_equal(loaded["q0.9"], model.forecast(quantile_levels=[0.1, 0.9])["q0.9"])  # from its tail
