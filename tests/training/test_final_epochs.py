"""The final epochs use the validation rows, and nothing is traced for them again."""

import numpy as np
import pytest
from conftest import weights_of

import forecastkit as fk
from forecastkit.training import trained_network
from forecastkit.training.engines.tensorflow import TensorFlowEngine
from forecastkit.training.trained_network import NetworkCache

TINY = {"horizon": 4, "lookback": 12, "patch": 4, "epochs": 2, "units": 8, "random_state": 0, "linear_path": False}


def test_the_step_is_traced_once(monkeypatch):
    traced = []
    trace = TensorFlowEngine._traced

    def counting(function, *signature):
        traced.append(function.__name__)
        return trace(function, *signature)

    monkeypatch.setattr(TensorFlowEngine, "_traced", staticmethod(counting))
    monkeypatch.setattr(trained_network, "NETWORK_CACHE", NetworkCache())
    fk.RNNForecaster(**TINY, final_epochs=2).fit(np.sin(np.arange(150) / 3.0))
    assert traced.count("_steps") == 1


@pytest.mark.parametrize(("epochs", "final"), [(4, 0), (5, 1), (9, 1)])
def test_there_is_one_for_every_five(epochs, final):
    rows, sizes = np.sin(np.arange(150) / 3.0), {**TINY, "epochs": epochs, "windows_per_epoch": 64}
    chosen, given = (fk.RNNForecaster(**sizes, final_epochs=n).fit(rows) for n in (None, final))
    np.testing.assert_array_equal(chosen.predict(), given.predict())


def test_they_see_the_validation_rows_and_scores_do_not():
    rows = np.sin(np.arange(150) / 3.0)
    perturbed = rows.copy()
    perturbed[-8:] += 3.0
    models = [fk.RNNForecaster(**TINY, validation_size=30, final_epochs=n).fit(rows) for n in (0, 2)]
    assert models[0].scores_ == models[1].scores_
    assert not np.array_equal(models[0].predict(), models[1].predict())
    changed = fk.RNNForecaster(**TINY, validation_size=30, final_epochs=2).fit(perturbed)
    assert not np.array_equal(weights_of(changed)[0], weights_of(models[1])[0])
