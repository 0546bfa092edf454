"""Weights of steps and targets in the loss of networks."""

import numpy as np
import pandas as pd
import pytest
from conftest import make_panel, wave

import forecastkit as fk
from forecastkit.data.windows import Buffers, loss_weights
from forecastkit.networks.heads import make_head
from forecastkit.utils.exceptions import ParameterError

TINY = {"horizon": 3, "lookback": 12, "patch": 3, "units": 4, "windows_per_epoch": 64, "batch_size": 16, "epochs": 1,
        "random_state": 0, "linear_path": False, "final_epochs": 0}  # fmt: skip
SERIES = wave(150)


def buffers(weight, loss_weight):
    """Buffers of two series of four rows, two columns."""
    names = dict.fromkeys(["past", "known", "calendar", "static", "shift", "series", "unit"], np.zeros((8, 0)))
    begin = np.array([0, 4])
    return Buffers(target=np.zeros((8, 2)), begin=begin, end=begin + 4, weight=weight, loss_weight=loss_weight, **names)


@pytest.mark.parametrize("rows", [None, np.arange(8.0)])
@pytest.mark.parametrize("own", [None, np.array([[1.0, 2.0], [3.0, 4.0]])])
@pytest.mark.parametrize("channels", [0, 2])
def test_weights_are_products_of_those_of_rows_steps_and_targets(rows, own, channels):
    table = np.array([[0, 1, 0], [1, 4, 1], [1, 5, 0]])
    found = loss_weights(np, buffers(rows, own), table, 2, channels)
    if rows is None and own is None:
        assert found is None
        return
    expected = np.ones((3, 2, 2))
    for i, (_, row, _) in enumerate(table):
        for channel in range(2):
            for step in range(2):
                expected[i, channel, step] *= 1.0 if rows is None else rows[row + 1 + step]
                expected[i, channel, step] *= 1.0 if own is None else own[channel, step]
    expected = expected if channels else expected[np.arange(3), table[:, 2]]
    np.testing.assert_array_equal(np.broadcast_to(found, expected.shape), expected)


def test_losses_of_several_channels_are_weighted_one_by_one():
    rng = np.random.default_rng(0)
    target, forecast, weight = rng.normal(size=(5, 2, 3)), rng.normal(size=(5, 2, 3, 1)), rng.random((1, 2, 3))
    expected = (np.abs(target - forecast[..., 0]) * weight).mean(axis=(1, 2))
    np.testing.assert_allclose(make_head("mae").loss(target, forecast, weight), expected)


@pytest.mark.parametrize("loss", ["mae", lambda y_true, y_pred: abs(y_true - y_pred)])
def test_steps_of_weight_zero_are_not_trained(loss):
    first = fk.RNNForecaster(**{**TINY, "learning_rate": 1e-12}, loss=loss).fit(SERIES).model_.head.kernel.numpy()
    model = fk.RNNForecaster(**TINY, loss=loss, step_weight=[0, 0, 5.0]).fit(SERIES)
    moved = np.abs(model.model_.head.kernel.numpy() - first).max(axis=0)
    assert (moved[:2] < 1e-9).all()
    assert moved[2] > 1e-4


@pytest.mark.parametrize("more", [{}, {"model": fk.InvertedTransformerForecaster, "layers": 1, "heads": 2}])
def test_targets_of_weight_zero_change_no_weights(hourly, more):
    """Those that a channel mixer reads are inputs still, so there only the loss is without them."""
    model = more.pop("model", fk.RNNForecaster)
    mixes, more = model is not fk.RNNForecaster, {**TINY, **more, "target_weight": {"south": 0}}
    other = hourly.assign(south=hourly["south"].iloc[::-1].to_numpy())
    fits = [model(**more).fit(data) for data in (hourly, other)]
    losses = [one.training_history_.val_loss[0] for one in fits]
    if not mixes:
        pd.testing.assert_series_equal(*(one.predict()["north"] for one in fits))
        assert losses[0] == losses[1]
    one, both = (model(**{**more, "target_weight": weight}).fit(hourly) for weight in ([2, 0], [7, 0]))
    assert one.training_history_.val_loss == both.training_history_.val_loss  # weights count relative to their mean


def test_equal_weights_change_nothing():
    plain, weighted = (fk.RNNForecaster(**TINY, step_weight=weight).fit(SERIES) for weight in (None, [2, 2, 2]))
    np.testing.assert_allclose(weighted.predict(), plain.predict(), rtol=1e-5)


def test_validation_losses_are_weighted():
    panel = make_panel(120, ("a",))[["ds", "load"]]  # with gaps
    more = {**TINY, "target": "load", "time": "ds"}
    apart = [
        fk.RNNForecaster(**{**more, "learning_rate": 1e-12}, step_weight=weight)
        .fit(panel)
        .training_history_.val_loss[0]
        for weight in ([1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 2, 3])
    ]
    assert apart[3] == pytest.approx(np.average(apart[:3], weights=[1, 2, 3]), rel=1e-4)


def test_weights_are_kept_in_files(tmp_path):
    model = fk.RNNForecaster(**TINY, step_weight=[0, 0, 1], target_weight={"y": 2.0}).fit(SERIES)
    model.save(tmp_path / "m.forecast")
    loaded = fk.load(tmp_path / "m.forecast")
    assert (loaded.step_weight, loaded.target_weight) == ([0, 0, 1], {"y": 2.0})
    loaded.partial_fit(SERIES[-20:])


@pytest.mark.parametrize(("parameters", "sentence"), [
    ({"step_weight": [1, 2]}, "step_weight must have a number from 0 for each step of the horizon, 3, .*got 2 of them"),
    ({"step_weight": [1, -1, 2]}, r"got \[1, -1, 2\]"),
    ({"step_weight": [0, 0, 0]}, r"got \[0, 0, 0\]"),
    ({"step_weight": [1, np.nan, 2]}, "step_weight must have a number from 0"),
    ({"step_weight": "123"}, "got '123'"),
    ({"step_weight": ["1", "2", "3"]}, r"got \['1', '2', '3'\]"),
    ({"step_weight": 2.0}, "got 2.0"),
    ({"target_weight": {"z": 1.0}}, "a target named in target_weight= must exist, got 'z'"),
    ({"target_weight": [1.0, 2.0]}, "target_weight must have a number from 0 for each target, 1, .*got 2 of them"),
], ids=range(9))  # fmt: skip
def test_weights_of_the_wrong_kind_are_refused(parameters, sentence):
    with pytest.raises(ParameterError, match=sentence) as refused:
        fk.RNNForecaster(**TINY, **parameters).fit(SERIES)
    assert "\n" not in str(refused.value)
