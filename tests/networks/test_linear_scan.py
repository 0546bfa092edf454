"""The scan against a loop over the steps, its gradients too; what never enters changes nothing."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from forecastkit.networks.linear_scan import delayed, linear_scan, spread_memories

LENGTHS = (1, 2, 3, 7, 8, 22, 96)


def gates(length, rest=(5,), batch=3, seed=0):
    """Shares kept in [0, 1) and what enters, float64."""
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 1, (batch, length, *rest)), rng.normal(size=(batch, length, *rest))


def slow_scan(keep, enter):
    """One step after the other."""
    state, states = np.zeros_like(enter[:, 0]), []
    for step in range(enter.shape[1]):
        state = keep[:, step] * state + enter[:, step]
        states.append(state)
    return np.stack(states, axis=1)


def slow_gradients(keep, enter, upstream):
    """Of ``sum(upstream * states)``: what a state hands back to the one before it, from the last step on."""
    states = slow_scan(keep, enter)
    back, of_keep, of_enter = np.zeros_like(enter[:, 0]), np.zeros_like(keep), np.zeros_like(enter)
    for step in reversed(range(enter.shape[1])):
        back = back + upstream[:, step]
        of_enter[:, step] = back
        of_keep[:, step] = back * states[:, step - 1] if step else 0.0
        back = back * keep[:, step]
    return of_keep, of_enter


def gradients(keep, enter, upstream, compiled=False):
    keep, enter = tf.constant(keep), tf.constant(enter)

    @tf.function(jit_compile=compiled, autograph=False)
    def run(keep, enter):
        with tf.GradientTape() as tape:
            tape.watch([keep, enter])
            total = tf.reduce_sum(upstream * linear_scan(keep, enter))
        return tape.gradient(total, [keep, enter])

    return run(keep, enter)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("rest", [(), (5,), (4, 3)])
def test_the_scan_is_the_loop(length, rest):
    keep, enter = gates(length, rest)
    states = linear_scan(keep, enter)
    assert states.shape == enter.shape
    np.testing.assert_allclose(states, slow_scan(keep, enter), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("compiled", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize("length", LENGTHS)
def test_the_gradients_are_the_loops(length, compiled):
    keep, enter = gates(length)
    upstream = np.random.default_rng(1).normal(size=enter.shape)
    for got, wanted in zip(
        gradients(keep, enter, upstream, compiled), slow_gradients(keep, enter, upstream), strict=True
    ):
        np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("steps", [0, 1, 3, 7, 9])
def test_delayed_tokens_come_later_after_zeros(steps):
    tokens = np.random.default_rng(0).normal(size=(2, 7, 3))
    longer = np.concatenate([np.zeros((2, steps, 3)), tokens], axis=1)[:, :7]
    np.testing.assert_array_equal(delayed(tokens, steps), longer)


@settings(deadline=None, max_examples=30)
@given(length=st.integers(1, 40), steps=st.integers(0, 12), seed=st.integers(0, 1000))
def test_delayed_input_has_its_effect_later(length, steps, seed):
    keep, enter = gates(length, seed=seed)
    later = linear_scan(delayed(keep, steps), delayed(enter, steps))
    np.testing.assert_allclose(later, delayed(linear_scan(keep, enter), steps), atol=1e-12)


@pytest.mark.parametrize("length", [9, 64])
def test_an_impulse_fades_by_the_product_of_what_is_kept(length):
    keep, enter = gates(length)
    enter[:] = 0.0
    enter[:, 2] = 1.0
    states = np.asarray(linear_scan(keep, enter))
    assert (states[:, :2] == 0).all()
    np.testing.assert_allclose(states[:, 2:], np.cumprod(np.insert(keep[:, 3:], 0, 1.0, axis=1), axis=1), rtol=1e-10)


def test_steps_that_keep_all_and_let_nothing_in_change_nothing():
    keep, enter = gates(12)
    hole = np.array([3, 4, 5, 9])
    keep[:, hole], enter[:, hole] = 1.0, 0.0
    seen = np.setdiff1d(np.arange(12), hole)
    states = np.asarray(linear_scan(keep, enter))
    np.testing.assert_allclose(states[:, seen], linear_scan(keep[:, seen], enter[:, seen]), rtol=1e-10)
    np.testing.assert_array_equal(states[:, 4], states[:, 3])


def test_the_scan_is_stable_where_products_vanish():
    """Gates that close in turn, in float32: a scan that divides by products of gates would give NaN."""
    keep, enter = (part.astype("float32") for part in gates(512))
    keep[:, ::5] = 0.0
    keep[:, 1::5] = 1e-30
    np.testing.assert_allclose(linear_scan(keep, enter), slow_scan(keep, enter), atol=1e-5)


def test_gates_start_with_memories_up_to_the_length():
    """The share let in, 1 / T, is that of a memory of T tokens."""
    bias = np.asarray(spread_memories(22)((10,)))
    np.testing.assert_allclose(1 + np.exp(-bias), np.linspace(2, 22, 10), rtol=1e-5)
    assert np.isfinite(spread_memories(1)((3,))).all()
