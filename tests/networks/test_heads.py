"""Heads: quantiles that never cross, and losses against slow loops and numbers worked by hand."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from keras import ops

from forecastkit.metrics.functions import pinball
from forecastkit.networks.heads import Point, Quantiles, make_head
from forecastkit.networks.heads.base import POINT_LOSSES, monotone
from forecastkit.utils.exceptions import ParameterError

LEVELS = (0.05, 0.25, 0.5, 0.9)
# TensorFlow flushes subnormal numbers to zero, so they are no numbers to it.
RAW = st.floats(-1e4, 1e4, width=32, allow_subnormal=False)


def loss(head, target, forecast):
    return np.asarray(head.loss(np.asarray(target, "float32"), ops.convert_to_tensor(np.asarray(forecast, "float32"))))


@settings(deadline=None, max_examples=60)
@given(raw=arrays("float32", (3, 5), elements=RAW), anchor=st.integers(0, 4))
def test_quantiles_never_cross_and_the_anchor_stays(raw, anchor):
    shaped = np.asarray(monotone(raw, anchor))
    assert (np.diff(shaped, axis=-1) >= 0).all()
    np.testing.assert_array_equal(shaped[:, anchor], raw[:, anchor])


def test_quantiles_are_an_anchor_and_positive_steps_away_from_it():
    raw = np.array([[0.3, -1.0, 2.0, 0.5, -4.0]], "float32")
    gap = np.log1p(np.exp(raw[0]))
    expected = [2 - gap[1] - gap[0], 2 - gap[1], 2, 2 + gap[3], 2 + gap[3] + gap[4]]
    np.testing.assert_allclose(monotone(raw, 2)[0], expected, rtol=1e-5)


@pytest.mark.parametrize(("levels", "anchor"), [((0.5,), 0), ((0.1, 0.9), 0), (LEVELS, 2), ((0.9, 0.99), 0)])
def test_the_anchor_is_the_level_nearest_the_median(levels, anchor):
    head = Quantiles(levels)
    assert (head.anchor, head.outputs, head.levels) == (anchor, len(levels), levels)


def test_pinball_loss_equals_a_slow_loop():
    rng = np.random.default_rng(0)
    target, forecast = rng.normal(size=(3, 4)), rng.normal(size=(3, 4, len(LEVELS)))
    for window in range(3):
        total = 0.0
        for step in range(4):
            for level, value in zip(LEVELS, forecast[window, step], strict=True):
                error = target[window, step] - value
                total += 2 * (level * error if error >= 0 else (level - 1) * error)
        assert loss(Quantiles(LEVELS), target, forecast)[window] == pytest.approx(total / 4 / len(LEVELS), rel=1e-5)


def test_the_loss_of_the_median_is_the_absolute_error():
    rng = np.random.default_rng(0)
    target, forecast = rng.normal(size=(3, 4)), rng.normal(size=(3, 4, 1))
    np.testing.assert_allclose(
        loss(Quantiles((0.5,)), target, forecast), loss(Point("mae"), target, forecast), rtol=1e-5
    )


def test_the_pinball_loss_is_the_metric_of_the_same_name_up_to_its_factor():
    rng = np.random.default_rng(0)
    target, forecast = rng.normal(size=12), rng.normal(size=12)
    expected = 2 * pinball(target, forecast, 0.9)
    assert loss(Quantiles((0.9,)), target[None], forecast[None, :, None])[0] == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mae", (0.5 + 3.0) / 2),
        ("mse", (0.25 + 9.0) / 2),
        ("huber", (0.125 + 2.5) / 2),
    ],
)
def test_point_losses_by_hand(name, expected):
    """Errors of 0.5 and -3: squares 0.25 and 9; Huber with delta 1 halves the first and is 3 - 1/2 on the second."""
    assert loss(Point(name), [[1.0, 2.0]], [[[0.5], [5.0]]])[0] == pytest.approx(expected)


HEADS = [*map(Point, POINT_LOSSES), Quantiles(LEVELS)]


@pytest.mark.parametrize("head", HEADS, ids=[*POINT_LOSSES, "pinball"])
class TestEveryHead:
    def test_missing_targets_are_left_out(self, head):
        forecast = np.random.default_rng(0).normal(size=(1, 4, head.outputs))
        holed = loss(head, [[1.0, np.nan, -2.0, np.nan]], forecast)
        np.testing.assert_allclose(holed, loss(head, [[1.0, -2.0]], forecast[:, [0, 2]]), rtol=1e-6)

    def test_a_window_of_missing_targets_costs_nothing(self, head):
        assert loss(head, [[np.nan] * 3], np.ones((1, 3, head.outputs)))[0] == 0.0

    def test_gradients_are_finite_and_only_where_a_target_is(self, head):
        target = tf.constant([[1.0, np.nan, 1e6], [np.nan] * 3])
        raw = tf.constant(np.random.default_rng(0).normal(0, 50, (2, 3, head.outputs)).astype("float32"))
        with tf.GradientTape() as tape:
            tape.watch(raw)
            total = tf.reduce_sum(head.loss(target, head.shape(raw)))
        gradient = tape.gradient(total, raw).numpy()
        assert np.isfinite(gradient).all()
        assert (gradient[0, [0, 2]] != 0).any(axis=-1).all()
        assert not gradient[0, 1].any()
        assert not gradient[1].any()

    def test_the_right_forecast_costs_nothing(self, head):
        target = np.random.default_rng(0).normal(size=(2, 3)).astype("float32")
        np.testing.assert_array_equal(loss(head, target, np.repeat(target[..., None], head.outputs, axis=-1)), 0.0)


@pytest.mark.parametrize(("head", "best"), [(Point("mae"), "median"), (Point("mse"), "mean")])
def test_the_point_minimises_its_loss(head, best):
    sample = np.random.default_rng(0).exponential(size=501).astype("float32")
    candidates = np.linspace(0, 3, 301, dtype="float32")
    costs = [loss(head, sample[None], np.full((1, 501, 1), c))[0] for c in candidates]
    assert candidates[np.argmin(costs)] == pytest.approx(getattr(np, best)(sample), abs=0.011)


def test_make_head():
    assert make_head("mse").name == "mse"
    assert make_head("mse", [0.1, 0.9]).levels == (0.1, 0.9)


@pytest.mark.parametrize("levels", [[0.9, 0.1], [0.1, 0.1], [0.0, 0.5], [], ["a"]])
def test_bad_levels_are_refused(levels):
    with pytest.raises(ParameterError, match="quantile_levels"):
        make_head("mae", levels)


def test_an_unknown_loss_is_refused_with_the_nearest():
    with pytest.raises(ParameterError, match="Did you mean 'huber'"):
        make_head("hubert")
