"""Fine-tuning of the last layer: gradients by finite differences, and what a few steps learn."""

import numpy as np
import pytest

from forecastkit.pretrained.candidates import NAMES, Context
from forecastkit.pretrained.fine_tune import DAMPING, Examples, _pinball, gradients, tuned, window_losses
from forecastkit.pretrained.forward import HIGH, LEVELS, LOW, forward, quantiles_of
from forecastkit.pretrained.inputs import context_width, make_inputs
from forecastkit.pretrained.weights import load_weights


@pytest.fixture(scope="module")
def weights():
    return load_weights()


def examples_of(weights, rows=12, horizon=6, seed=0):
    """Windows of persistent series, the last value of which is a good forecast."""
    rng = np.random.default_rng(seed)
    values = 50 + rng.normal(size=(rows, context_width(1) + horizon)).cumsum(1)
    inputs = make_inputs(Context(values[:, :-horizon], 1), horizon)
    return inputs, values[:, -horizon:]


def damped_loss(weights, examples, width):
    """The loss of the training with given widths, in float64."""
    raw = examples.hidden.astype("float64") @ weights["head/kernel"] + weights["head/bias"]
    loss, _, _ = _pinball(examples.target, quantiles_of(weights, raw, examples.forecasts, examples.available))
    return (DAMPING * np.log1p(loss / width / DAMPING)).mean()


def test_gradients_are_those_of_the_loss(weights):
    inputs, actual = examples_of(weights)
    actual[0, 2] = np.nan
    factor = np.linspace(0.8, 1.2, len(LEVELS)).astype("float32")
    weights = {name: values.astype("float64") for name, values in (weights | {"widths/factor": factor}).items()}
    examples = Examples.of(weights, inputs, actual)
    raw = examples.hidden @ weights["head/kernel"] + weights["head/bias"]
    width = _pinball(examples.target, quantiles_of(weights, raw, examples.forecasts, examples.available))[2]
    found = gradients(weights, examples)
    rng, step = np.random.default_rng(1), 1e-6
    for name in ("head/kernel", "head/bias"):
        for _ in range(8):
            place = tuple(rng.integers(size) for size in weights[name].shape)
            sides = []
            for sign in (1, -1):
                moved = weights[name].copy()
                moved[place] += sign * step
                sides.append(damped_loss(weights | {name: moved}, examples, width))
            assert found[name][place] == pytest.approx((sides[0] - sides[1]) / (2 * step), rel=1e-3, abs=1e-6)


def test_windows_are_those_of_the_forecast_and_their_negatives(weights):
    inputs, actual = examples_of(weights)
    examples = Examples.of(weights, inputs, actual)
    assert len(examples) == 2 * len(actual)
    for given, sign, half in ((inputs, 1, slice(0, 12)), (inputs.mirrored(), -1, slice(12, 24))):
        target = (sign * actual - given.center[:, None]) / given.scale[:, None]
        np.testing.assert_allclose(
            examples.losses(weights)[half], window_losses(target, forward(weights, given.network())), rtol=1e-4
        )


def test_tuning_learns_what_the_data_repeat_and_no_steps_change_nothing(weights):
    examples, fresh = (Examples.of(weights, *examples_of(weights, 60, seed=seed)) for seed in (1, 2))
    number = NAMES.index("linear drift")  # a forecast that is always right here
    for one in (examples, fresh):
        one.target[:] = one.forecasts[:, :, number]
    np.testing.assert_array_equal(tuned(weights, examples, 0)["head/kernel"], weights["head/kernel"])
    before, after = (fresh.losses(one).mean() for one in (weights, weights | tuned(weights, examples, 60)))
    assert after < 0.9 * before


def test_tuned_quantiles_are_widened_to_their_coverage_on_other_windows(weights):
    inputs, actual = examples_of(weights, 200)
    examples = Examples.of(weights, inputs, actual)
    narrow = weights | {"widths/factor": weights["widths/factor"] * np.float32(0.6)}
    widened = examples.quantiles(narrow | examples.widths(narrow))
    inside = (examples.target >= widened[..., LOW]) & (examples.target <= widened[..., HIGH])
    assert inside.mean() == pytest.approx(0.8, abs=0.01)
    wide = weights | {"widths/factor": weights["widths/factor"] * np.float32(3)}
    np.testing.assert_array_equal(examples.widths(wide)["widths/factor"], wide["widths/factor"])
