"""The pre-trained network: Keras and NumPy agree, quantiles are ordered, and the loss is what it says."""

import numpy as np
import pytest
from keras import ops

from forecastkit.networks.candidate_mixture import CandidateMixture, pinball
from forecastkit.pretrained.candidates import NAMES, Context
from forecastkit.pretrained.forward import LEVELS, MEDIAN, body_units, forward
from forecastkit.pretrained.inputs import context_width, make_inputs
from forecastkit.pretrained.weights import VERSIONS, load_weights

RNG = np.random.default_rng(0)


def some_inputs(season=12, second=0, horizon=7, rows=5):
    width = context_width(season, second)
    values = RNG.normal(size=(rows, width)).cumsum(1) + 30
    values[0, : width - 9] = np.nan
    values[1, -20:-10] = np.nan
    return make_inputs(Context(values, season, second), horizon).network()


@pytest.fixture(scope="module", params=["recurrent", "transformer"])
def network(request):
    """A small network with random weights, the head's too."""
    model = CandidateMixture(len(NAMES), units=16, **{"recurrent": 0, request.param: 8})
    model(some_inputs())
    model.set_arrays({name: RNG.normal(size=a.shape).astype("float32") * 0.3 for name, a in model.arrays().items()})
    return model


@pytest.mark.parametrize(("season", "second"), [(1, 0), (12, 0), (7, 365), (24, 168)])
def test_numpy_gives_what_keras_gives(network, season, second):
    inputs = some_inputs(season, second)
    wanted = ops.convert_to_numpy(network(inputs))
    np.testing.assert_allclose(forward(network.arrays(), inputs), wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("version", VERSIONS)
def test_packaged_weights_give_the_same_in_keras(version):
    weights, inputs = load_weights(version), some_inputs()
    model = CandidateMixture(len(NAMES), weights["second/kernel"].shape[0], **body_units(weights))
    model(inputs)
    model.set_arrays(weights)
    np.testing.assert_allclose(forward(weights, inputs), ops.convert_to_numpy(model(inputs)), rtol=1e-5, atol=1e-5)


def test_quantiles_rise_and_the_untrained_network_averages_the_candidates():
    inputs = some_inputs()
    fresh = CandidateMixture(len(NAMES), units=16, recurrent=8)
    quantiles = ops.convert_to_numpy(fresh(inputs))
    assert quantiles.shape == (5, 7, len(LEVELS))
    assert (np.diff(quantiles, axis=-1) > 0).all()
    share = inputs["available"] / inputs["available"].sum(1, keepdims=True)
    mean = (inputs["forecasts"] * share[:, None]).sum(-1)
    np.testing.assert_allclose(quantiles[..., MEDIAN], mean, rtol=1e-5, atol=1e-5)


def test_candidates_that_are_not_available_do_not_matter(network):
    inputs = some_inputs()
    changed = inputs | {"forecasts": np.where(inputs["available"][:, None] > 0, inputs["forecasts"], 1e3)}
    np.testing.assert_allclose(forward(network.arrays(), inputs), forward(network.arrays(), changed), rtol=1e-5)


def test_loss_of_a_window_by_hand():
    forecast = np.tile(np.array(LEVELS, dtype="float32"), (2, 3, 1))  # width 0.8
    target = np.array([[0.5, np.nan, np.nan], [np.nan, np.nan, np.nan]], dtype="float32")
    error = 0.5 - np.array(LEVELS)
    quantile_loss = 2 * np.mean(np.maximum(LEVELS * error, (np.array(LEVELS) - 1) * error))
    relative = quantile_loss / 0.82
    found = ops.convert_to_numpy(pinball(ops.convert_to_tensor(target), ops.convert_to_tensor(forecast)))
    np.testing.assert_allclose(found, [10 * np.log1p(relative / 10), 0.0], rtol=1e-5, atol=1e-7)
