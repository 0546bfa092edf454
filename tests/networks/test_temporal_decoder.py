"""The path from what is known of a step to its forecast."""

import numpy as np
import pytest
from conftest import ROLES, make_panel

import forecastkit as fk
from forecastkit.networks.temporal_decoder import TemporalDecoder

BATCH, PATCH, HORIZON, PAST, FEATURES, UNITS = 2, 3, 5, 4, 2, 6


@pytest.fixture
def given():
    rng = np.random.default_rng(0)
    shapes = (BATCH, HORIZON, FEATURES), (BATCH, PAST, PATCH), (BATCH, 2, UNITS)
    return [rng.normal(size=shape).astype("float32") for shape in shapes]


def test_it_starts_at_nothing(given):
    np.testing.assert_array_equal(TemporalDecoder(PATCH, HORIZON, 1)(*given), np.zeros((BATCH, HORIZON, 1)))


def test_a_step_reads_its_own_features_its_place_in_past_patches_and_its_token(given):
    path = TemporalDecoder(PATCH, HORIZON, 2, units=8)
    path(*given)
    rng = np.random.default_rng(1)
    path.set_weights([rng.normal(size=weight.shape) for weight in path.get_weights()])
    weights = {name: getattr(path, name).get_weights() for name in ("read_step", "read_values", "read_token")}
    hidden, out = path.hidden.get_weights(), path.out.get_weights()
    known, values, tokens = given
    expected = np.empty((BATCH, HORIZON, 2))
    for b in range(BATCH):
        for step in range(HORIZON):
            token, place = divmod(step, PATCH)
            cell = known[b, step] @ weights["read_step"][0] + weights["read_step"][1]
            cell += values[b, :, place] @ weights["read_values"][0] + tokens[b, token] @ weights["read_token"][0]
            cell = np.maximum(np.maximum(cell, 0) @ hidden[0] + hidden[1], 0)
            expected[b, step] = cell @ out[0] + out[1]
    np.testing.assert_allclose(path(*given), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("options", "there"), [
    ({}, False), ({"known": "temp"}, True), pytest.param({"calendar": True}, True, marks=pytest.mark.rotated),
])  # fmt: skip
def test_networks_have_it_where_something_is_known_ahead(options, there):
    frame = make_panel(80, series=("a",))[["ds", "load", "temp"]]
    sizes = {"horizon": 6, "lookback": 12, "units": 8, "epochs": 1, "windows_per_epoch": 32, "final_epochs": 0}
    if "known" not in options:
        frame = frame.drop(columns="temp")
    model = fk.GRUForecaster(time="ds", target="load", patch=4, random_state=0, **sizes, **options).fit(frame)
    assert (model.model_.steps is not None) == there
    assert any("temporal_decoder" in weight.path for weight in model.model_.trainable_weights) == there


@pytest.mark.rotated
def test_it_learns_what_differs_from_step_to_step():
    """A target that is the known covariate's sign times its size: a patch's linear head cannot say that."""
    frame = make_panel(400, series=("a",))
    frame["load"] = np.abs(frame["temp"]) * 10
    options = {"target": "load", "known": "temp", "horizon": 6, "lookback": 12, "patch": 6, "units": 8}
    roles = {key: value for key, value in ROLES.items() if key not in options}
    training = {"epochs": 25, "learning_rate": 0.01, "final_epochs": 0, "random_state": 0, "patience": None}
    model = fk.GRUForecaster(**options, **roles, **training).fit(frame)
    assert model.scores_["mae"] < 0.5 * model.scores_["mae_linear"]
