"""`partial_fit` of networks: other learning rates, and frozen layers."""

import copy

import numpy as np
import pytest
from conftest import wave

import forecastkit as fk
from forecastkit.utils.exceptions import InputError, ParameterError

SERIES = wave(170)


@pytest.fixture(scope="module")
def fitted():
    return fk.RNNForecaster(horizon=3, lookback=12, patch=3, units=4, epochs=1, windows_per_epoch=64, batch_size=16,
                            random_state=0, linear_path=False).fit(SERIES[:150])  # fmt: skip


def moved(model, before):
    """How far each weight moved, by the name of its layer."""
    pairs = zip(model.model_.weights, before, strict=True)
    return {weight.path: float(np.abs(weight.numpy() - old).max()) for weight, old in pairs}


def trained(fitted, **more):
    """The weights' way, and the model, of a copy that trained on."""
    model = copy.deepcopy(fitted)
    before = model.model_.get_weights()
    model.partial_fit(SERIES[150:], **more)
    return moved(model, before), model


def test_only_the_head_is_trained_where_layers_are_frozen(fitted):
    count = len(fitted.model_.trainable_variables)
    way, model = trained(fitted, train="head")
    head = {weight.path for weight in model.model_.head.weights}
    assert head <= set(way)
    assert all(way[path] > 0 for path in head)
    assert all(distance == 0 for path, distance in way.items() if path not in head)
    assert len(model.model_.trainable_variables) == count  # nothing is frozen afterwards
    everything, _ = trained(model)
    assert sum(distance > 0 for distance in everything.values()) > len(head)


def test_the_learning_rate_is_that_of_this_training(fitted):
    slow, fast = (max(trained(fitted, learning_rate=rate)[0].values()) for rate in (1e-6, 1e-2))
    assert 0 < slow < 1e-3 < fast


@pytest.mark.parametrize(("parameters", "sentence"), [
    ({"train": "tail"}, "train must be one of 'all', 'head'"),
    ({"learning_rate": -1.0}, "learning_rate"),
], ids=range(2))  # fmt: skip
def test_parameters_of_the_wrong_kind_are_refused(parameters, sentence, fitted):
    with pytest.raises(ParameterError, match=sentence):
        fitted.partial_fit(SERIES[150:], **parameters)


def test_nothing_can_be_frozen_before_it_is_trained():
    with pytest.raises(ParameterError, match="are for forecasters that are fitted"):
        fk.RNNForecaster(horizon=3).partial_fit(SERIES, train="head")


def test_a_refused_call_leaves_the_layers_trainable(fitted):
    model = copy.deepcopy(fitted)
    count = len(model.model_.trainable_variables)
    with pytest.raises(InputError):
        model.partial_fit(np.array(["a"]), train="head")
    assert len(model.model_.trainable_variables) == count
