"""Looking inside a network: attributions against known weights and other forecasts, attention against its tokens."""

import copy
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from conftest import ROLES, SMALL, in_rotation, make_future, make_panel, wave, weights_of
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import forecastkit as fk
from forecastkit.inspection.attribution import shared_by_patch
from forecastkit.inspection.input_names import choices
from forecastkit.inspection.integrated_gradients import Pairs, completeness_error
from forecastkit.inspection.interpretation import over_steps
from forecastkit.inspection.results import attends
from forecastkit.networks import backbones
from forecastkit.networks.attention import watch_attention
from forecastkit.networks.network import Sizes
from forecastkit.training.trained_network import TrainedNetwork
from forecastkit.utils.exceptions import ParameterError

ROOT = Path(__file__).parents[2]
KEYS = ["unique_id", "step"]


@pytest.fixture(scope="module")
def transformer(panel):
    """With all kinds of inputs, a calendar and quantiles whose median lies between two of them."""
    options = {"calendar": True, "embed_series": True, "quantile_levels": [0.1, 0.4, 0.9]}
    return fk.TransformerForecaster(**SMALL, **ROLES, **options).fit(panel)


@pytest.fixture(scope="module")
def wide(hourly):
    return fk.RNNForecaster(**SMALL).fit(hourly)


@pytest.fixture(scope="module")
def found(transformer, future):
    return fk.interpret(transformer, future)


# ---------------------------------------------------------------------------------------------- known weights


class Weighted(keras.layers.Layer):
    """Future tokens as weighted sums of those of the past."""

    def build(self, past_shape, future_shape):
        self.kernel = self.add_weight(name="kernel", shape=(past_shape[1], future_shape[1]))

    def call(self, past, future, mask=None, training=None):
        return keras.ops.swapaxes(keras.ops.matmul(keras.ops.swapaxes(past, 1, 2), self.kernel), 1, 2)


@dataclass(kw_only=True, eq=False, repr=False)
class Sums(fk.Backbone):
    reads_steps = True

    def build(self):
        return Weighted()


def linear(X, y=None, **options):
    sizes = {"horizon": 3, "lookback": 8, "patch": 1, "epochs": 1, "windows_per_epoch": 64, "normalization": "none"}
    sizes["linear_path"] = False  # whose weights are not among those of the backbone
    return fk.KerasForecaster(backbone=Sums(units=4), **{**sizes, "random_state": 0, **options}).fit(X, y)


def known_weights(model):
    """Weight of each input of a step in the forecast of each future step, (lookback, features, horizon)."""
    network = model.model_
    kernel, head = np.asarray(network.backbone.kernel), np.asarray(network.head.kernel)[:, 0]
    return kernel[:, None] * head[None, :, None]


@pytest.mark.parametrize("baseline", ["last", "mean"])
def test_a_linear_network_is_attributed_by_its_weights(baseline):
    series = wave(80) * 100
    model = linear(series)
    found = fk.interpret(model, baseline=baseline)
    past = series[-8:]
    level = past[-1] if baseline == "last" else past.mean()
    # The scale of the series cancels: it divides what comes in and multiplies what goes out.
    expected = known_weights(model)[:, 0].T * (past - level)
    np.testing.assert_allclose(found.arrays["target"][0, :, 0], expected, rtol=1e-4, atol=1e-3)
    assert found.completeness_error < 1e-4
    np.testing.assert_allclose(found.forecast["forecast"], model.predict())


def test_covariates_of_a_linear_network_are_attributed_by_weights_and_effect():
    rng = np.random.default_rng(0)
    times = pd.date_range("2024-01-01", periods=83, freq="D", name="day")
    X = pd.DataFrame({"heat": rng.normal(20, 5, 83), "noise": rng.normal(size=83)}, index=times)
    y = pd.Series(wave(80) + 4 * X["heat"].to_numpy()[:80], index=times[:80], name="sales")
    model = linear(X[:80], y, past="noise")
    path = model.model_.steps.out  # which would make it a network of several layers
    path.kernel.assign(np.zeros(path.kernel.shape))
    found = fk.interpret(model, X[80:])
    scaler, weights = model.scaler_, known_weights(model)
    scale, effect = scaler.target.scale[0, 0], scaler.effect[0, 0]
    heat = (X["heat"].to_numpy()[-11:] - scaler.known.center[0, 0]) / scaler.known.scale[0, 0]
    noise = (X["noise"].to_numpy()[72:80] - scaler.past.center[0, 0]) / scaler.past.scale[0, 0]
    values = (y.to_numpy()[-8:] - y.iloc[-1]) / scale
    assert effect > 0.5, "the effect of the heat is there to be told apart"
    by_values, by_noise, by_heat = weights.swapaxes(0, 1)
    got = {role: part[0, :, 0] for role, part in found.arrays.items()}
    tolerance = {"rtol": 1e-3, "atol": 1e-3}
    np.testing.assert_allclose(got["target"], scale * by_values.T * values, **tolerance)
    np.testing.assert_allclose(got["past"], scale * by_noise.T * noise, **tolerance)
    np.testing.assert_allclose(got["known"][:, :8], scale * (by_heat - effect * by_values).T * heat[:8], **tolerance)
    np.testing.assert_allclose(got["known"][:, 8:], scale * effect * np.diag(heat[8:]), **tolerance)


@pytest.mark.parametrize("transform", ["sqrt", "log"])
def test_attributions_under_a_transform_add_up_in_the_users_units(transform):
    model = fk.RNNForecaster(**{**SMALL, "target_transform": transform, "linear_path": True}).fit(wave(200))
    found = fk.interpret(model, tolerance=0.02)
    table = found.forecast
    change = (table["forecast"] - table["baseline"]).to_numpy()
    total = found.arrays["target"].sum(axis=(2, 3))[0]
    np.testing.assert_allclose(total, change, atol=0.02 * np.abs(change).max() + 1e-6)
    np.testing.assert_allclose(table["forecast"], model.predict())
    assert np.abs(change).max() > 0.1, "in units of a series about 10, not of its square root or logarithm"


def test_attribution_finds_the_lag_that_a_series_depends_on():
    lag, rng = 5, np.random.default_rng(0)
    values = list(rng.normal(size=lag))
    for _ in range(1200):
        values.append(0.9 * values[-lag] + rng.normal(0, 0.4))
    options = {"horizon": 3, "lookback": 9, "patch": 1, "units": 16, "layers": 1, "dropout": 0.0, "epochs": 8}
    model = fk.TransformerForecaster(**options, learning_rate=0.01, batch_size=64, random_state=0).fit(np.array(values))
    found = [fk.interpret(model, cutoff=cutoff, baseline="mean") for cutoff in (1100, 1140, 1180)]
    size = np.abs([each.arrays["target"][0, :, 0] for each in found]).mean(axis=0)
    for step in range(3):
        assert 9 - size[step].argmax() == lag - step
        assert size[step].max() > 0.6 * size[step].sum()


# ---------------------------------------------------------------------------------------------- completeness


def test_attributions_add_up_to_what_the_baseline_lacks(found):
    assert found.completeness_error <= 0.01
    frame, table = found.attribution, found.forecast
    total = frame.groupby(KEYS, sort=False)["attribution"].sum().to_numpy()
    change = table["forecast"] - table["baseline"]
    largest = change.abs().groupby(table["unique_id"]).transform("max")
    np.testing.assert_array_less(np.abs(total - change) / largest, 0.0101)


def test_the_forecast_is_the_one_that_predict_gives(found, transformer, future):
    np.testing.assert_allclose(found.forecast["forecast"], transformer.predict(future)["load"], rtol=1e-5)
    assert list(found.forecast.columns) == ["unique_id", "cutoff", "step", "ds", "forecast", "baseline"]


def test_the_baseline_is_the_forecast_of_a_series_that_stood_still():
    X = pd.DataFrame({"k": np.random.default_rng(0).normal(size=126)})
    y = wave(120) + 2 * X["k"].to_numpy()[:120]
    model = fk.RNNForecaster(**SMALL).fit(X[:120], y)
    found = fk.interpret(model, X[120:])
    mean = pd.DataFrame({"k": np.full(126, model.scaler_.known.center[0, 0])})
    stood = np.r_[y[:96], np.full(24, y[-1])]  # the lookback of the series that was fitted on, whose scale it keeps
    still = model.predict(mean[120:], history=(mean[:120], stood))
    np.testing.assert_allclose(found.forecast["baseline"], still, rtol=1e-5)


def test_points_are_doubled_until_the_tolerance_is_met(transformer, future):
    options = {"series": "b", "steps": 6, "what": "attribution"}
    coarse = fk.interpret(transformer, future, **options, tolerance=1.0, max_points=2)
    fine = fk.interpret(transformer, future, **options, tolerance=1e-3)
    assert coarse.points == 2
    assert fine.completeness_error <= 1e-3
    assert fine.points >= 16
    with pytest.warns(UserWarning, match="at 1 points .* raise max_points"):
        fk.interpret(transformer, future, **options, tolerance=1e-6, max_points=1)


def test_the_completeness_error_counts_in_changes_of_the_same_origin():
    pairs = Pairs(np.array([0, 0, 1, 1]), np.zeros(4, int), np.array([0, 1, 0, 1]))
    change, total = np.array([4.0, 1.0, 0.0, 0.0]), np.array([4.0, 2.0, 0.0, 1e-4])
    assert completeness_error(total, change, pairs) == pytest.approx(0.25)
    assert completeness_error(total[2:], change[2:], pairs[2:]) == pytest.approx(0.1)


def test_the_point_is_read_off_the_outputs_of_the_head(transformer, gru):
    np.testing.assert_allclose(transformer.network_.head.point_weights, [0, 0.8, 0.2])
    np.testing.assert_allclose(gru.network_.head.point_weights, [1])


def test_the_calendar_of_a_patch_is_shared_by_its_steps():
    part = np.zeros((1, 7 + 4, 1))
    part[0, [1, 4, 7, 10], 0] = [3.0, 6.0, 9.0, 1.0]
    shared = shared_by_patch(part, Sizes(lookback=7, horizon=4, patch=3))[0, :, 0]
    np.testing.assert_array_equal(shared, [0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 1])


def test_a_network_that_mixes_columns_is_attributed_to_all_of_them(hourly):
    model = fk.InvertedTransformerForecaster(**{**SMALL, "units": 16}, calendar=True).fit(hourly)
    found = fk.interpret(model, steps=[2, 5])
    np.testing.assert_allclose(found.forecast["forecast"], model.predict().iloc[[1, 4]].to_numpy().T.ravel(), rtol=1e-5)
    assert found.inputs["target"] == ["north", "south"]
    assert found.arrays["target"].shape == (2, 2, 2, 24)
    frame = found.attribution
    total = frame.groupby(["target", "step"], sort=False)["attribution"].sum().to_numpy()
    change = (found.forecast["forecast"] - found.forecast["baseline"]).to_numpy()
    np.testing.assert_allclose(total, change, atol=0.011 * np.abs(change).max())
    assert np.abs(found.arrays["target"][0, :, 1]).sum() > 0, "north is due to south, too"
    own = frame.query("target == 'north' and input == 'south' and step == 2")
    np.testing.assert_allclose(own["value"], hourly["south"].iloc[-24:])
    rows = fk.plot_attribution(found, target="north").axes[2].get_yticklabels()
    assert [label.get_text() for label in rows] == ["south", "calendar:day", "calendar:week"]
    with pytest.raises(ParameterError, match="got InvertedTransformer"):
        found.attention  # noqa: B018


ATTRIBUTED = ("gru", "inverted_transformer", "transformer")


@pytest.mark.parametrize("name", in_rotation(backbones.names(), {*backbones.names()} - {*ATTRIBUTED}))
def test_every_network_is_attributed_and_says_whether_it_attends(name, wide):
    backbone = backbones.find(name)(units=8)
    sizes = Sizes(lookback=24, horizon=6, patch=4, channels=2 * backbone.mixes_channels)
    model = copy.copy(wide)
    model.network_ = TrainedNetwork(backbone, sizes, "last", "mae", None)  # fresh weights do as well, and cost nothing
    found = fk.interpret(model, target="south", steps=[1, 6], tolerance=0.05)
    assert found.completeness_error <= 0.05
    assert np.abs(found.arrays["target"]).sum() > 0
    with watch_attention() as seen:
        model.model_({"target": np.zeros((1, *sizes.inputs["target"][0]), "float32")}, training=False)
    assert attends(backbone) == (len(seen) > 0 and not backbone.mixes_channels) == (len(found.seen) > 0)


# ---------------------------------------------------------------------------------------------- frames


def test_the_long_frame_has_the_users_names_and_times(found, panel):
    frame = found.attribution
    columns = ["unique_id", "cutoff", "step", "ds", "role", "input", "input_step", "input_time", "value", "attribution"]
    assert list(frame.columns) == columns
    inputs = frame[["role", "input"]].drop_duplicates().to_numpy().tolist()
    assert inputs == [["target", "load"], ["past", "wind"], ["known", "temp"], ["calendar", "calendar:day"],
                      ["calendar", "calendar:week"], ["static", "size"]]  # fmt: skip
    timed = frame[frame["role"] != "static"]
    hours = (timed["input_time"] - timed["cutoff"]) / pd.Timedelta("1h")
    np.testing.assert_array_equal(hours, timed["input_step"].astype(float))
    assert frame.loc[frame["role"] == "static", ["input_step", "input_time"]].isna().all().all()
    known = timed[timed["role"].isin(["target", "past"])].merge(panel, left_on=["unique_id", "input_time"],
                                                               right_on=["unique_id", "ds"], how="left")  # fmt: skip
    raw = np.where(known["role"] == "target", known["load"], known["wind"])
    np.testing.assert_allclose(known["value"], raw, rtol=1e-6)
    assert len(frame) == 3 * 6 * (24 + 24 + 3 * 30 + 1)


def test_missing_values_add_nothing(transformer, panel, future):
    found = fk.interpret(transformer, future, cutoff="2024-01-02 12:00", series="a", what="attribution").attribution
    missing = found[(found["role"] == "target") & found["value"].isna()]
    assert len(missing) == 6 * 6
    assert (missing["attribution"] == 0).all()


def test_arrays_and_frame_hold_the_same(found):
    frame = found.attribution
    part = frame[(frame["unique_id"] == "b") & (frame["step"] == 4)]
    for role, names in found.inputs.items():
        given = part.loc[part["role"] == role, "attribution"].to_numpy()
        assert given.size == found.arrays[role][1, 3].size
        np.testing.assert_array_equal(given.reshape(len(names), -1), found.arrays[role][1, 3])


def test_importance_is_the_sum_of_sizes(found):
    table = found.importance
    np.testing.assert_allclose(table.groupby("unique_id")["share"].sum(), 1)
    size = np.abs(found.arrays["known"][2]).sum(axis=(1, 2)).mean()
    own = table[(table["unique_id"] == "c") & (table["input"] == "temp")]
    assert own["attribution"].item() == pytest.approx(size)


def test_categories_and_cycles_are_one_input_each():
    rng = np.random.default_rng(0)
    times = pd.date_range("2024-01-01", periods=100, freq="h")
    X = pd.DataFrame({"sky": rng.choice(["clear", "cloud", "rain"], 100), "k": rng.normal(size=100)}, index=times)
    model = fk.RNNForecaster(**SMALL, calendar=True).fit(X[:94], wave(94))
    found = fk.interpret(model, X[94:])
    assert found.inputs["known"] == ["sky", "k"]
    assert found.inputs["calendar"] == ["calendar:day", "calendar:week"]
    assert found.arrays["known"].shape == (1, 6, 2, 30)
    values = found.attribution.query("role == 'known' and step == 1")
    assert values.loc[values["input"] == "sky", "value"].isna().all()
    np.testing.assert_allclose(values.loc[values["input"] == "k", "value"], X["k"][-30:], rtol=1e-6)


def test_a_wide_frame_has_its_columns_as_targets(wide):
    found = fk.interpret(wide)
    assert set(zip(found.attribution["target"], found.attribution["input"], strict=True)) == {
        ("north", "north"),
        ("south", "south"),
    }
    np.testing.assert_allclose(found.forecast["forecast"], wide.predict().to_numpy().T.ravel(), rtol=1e-5)
    one = fk.interpret(wide, target="south")
    assert one.arrays["target"].shape == (1, 6, 1, 24)
    np.testing.assert_allclose(one.arrays["target"][0], found.arrays["target"][1], rtol=1e-4, atol=1e-4)


def test_polars_come_back_as_polars(hourly):
    polars = pytest.importorskip("polars")
    model = fk.RNNForecaster(**SMALL).fit(polars.from_pandas(hourly.reset_index()))
    found = fk.interpret(model, steps=1)
    for frame in (found.attribution, found.importance, found.forecast):
        assert isinstance(frame, polars.DataFrame)


# ---------------------------------------------------------------------------------------------- pipelines, cutoffs


def test_a_pipeline_transforms_first():
    rng = np.random.default_rng(0)
    times = pd.date_range("2024-01-01", periods=106, freq="h", name="when")
    X = pd.DataFrame({"heat": rng.normal(size=106), "wind": rng.normal(size=106)}, index=times)
    y = pd.Series(wave(100), index=times[:100])
    pipeline = make_pipeline(StandardScaler(), fk.RNNForecaster(**SMALL)).fit(X[:100], y)
    found = fk.interpret(pipeline, X[100:])
    assert found.inputs["known"] == ["heat", "wind"]
    np.testing.assert_allclose(found.forecast["forecast"], pipeline.predict(X[100:]), rtol=1e-5)
    direct = fk.interpret(pipeline[-1], pipeline[0].transform(X[100:]))
    np.testing.assert_array_equal(found.arrays["known"], direct.arrays["known"])
    assert direct.inputs["known"] == ["x0", "x1"]
    assert found.attribution["input_time"].max() == times[-1]


def test_a_cutoff_of_the_past_is_that_history(wide, hourly):
    at = fk.interpret(wide, cutoff="2024-01-08 03:00")
    assert (at.forecast["cutoff"] == pd.Timestamp("2024-01-08 03:00")).all()
    before = fk.interpret(wide, history=hourly[:"2024-01-08 03:00"])
    np.testing.assert_allclose(at.arrays["target"], before.arrays["target"], rtol=1e-5, atol=1e-5)
    place = hourly.index.get_loc("2024-01-08 03:00")
    np.testing.assert_array_equal(fk.interpret(wide, cutoff=place).arrays["target"], at.arrays["target"])


def test_several_cutoffs_are_interpreted_one_by_one(wide, hourly):
    cutoffs = list(hourly.index[[130, 170, 130]])
    both = fk.interpret(wide, cutoff=cutoffs)
    for cutoff in cutoffs:
        one = fk.interpret(wide, cutoff=cutoff)
        for name in ("attribution", "importance", "forecast"):
            given, alone = getattr(both, name), getattr(one, name)
            given = given[given["cutoff"] == cutoff].reset_index(drop=True)
            pd.testing.assert_frame_equal(given, alone, rtol=1e-3, atol=1e-4)
    assert both.importance["cutoff"].nunique() == 2


def test_other_series_are_scaled_by_themselves(transformer):
    other = make_panel(series=("z",))
    ahead = make_future(other)
    found = fk.interpret(transformer, ahead, history=other)
    np.testing.assert_allclose(found.forecast["forecast"], transformer.predict(ahead, history=other)["load"], rtol=1e-5)


def test_looking_changes_nothing(transformer, future):
    before = transformer.predict(future)
    weights = weights_of(transformer)
    fk.interpret(transformer, future, series="a", steps=1)
    pd.testing.assert_frame_equal(transformer.predict(future), before)
    for old, new in zip(weights, weights_of(transformer), strict=True):
        np.testing.assert_array_equal(old, new)


# ---------------------------------------------------------------------------------------------- attention


@pytest.mark.parametrize("sizes", [Sizes(12, 6, 3), Sizes(13, 7, 3), Sizes(5, 4, 1)])
def test_the_weight_of_a_patch_is_shared_by_its_steps(sizes):
    rng = np.random.default_rng(0)
    past, future = sizes.past_tokens, sizes.future_tokens
    weights = rng.dirichlet(np.ones(past + future), size=(2, 3, past + future))
    got = over_steps(weights, sizes, 2)
    assert got.shape == (2, 3, sizes.horizon, sizes.lookback)
    for step in range(sizes.horizon):
        query = weights[:, :, past + step // sizes.patch]
        np.testing.assert_allclose(got[:, :, step].sum(-1), query[..., :past].sum(-1))
        for token in range(past):
            ends = sizes.lookback - (past - token - 1) * sizes.patch
            rows = np.arange(max(ends - sizes.patch, 0), ends)
            for row in rows:
                np.testing.assert_allclose(got[:, :, step, row], query[..., token] / len(rows))


def test_attention_is_there_by_layer_head_and_step(found):
    assert [part.shape for part in found.weights] == [(3, 4, 6, 24)] * 2
    frame = found.attention
    columns = ["unique_id", "cutoff", "step", "ds", "layer", "head", "input_step", "input_time", "weight"]
    assert list(frame.columns) == columns
    picked = frame.query("unique_id == 'b' and step == 3 and layer == 2 and head == 4")
    np.testing.assert_array_equal(picked["weight"], found.weights[1][1, 3, 2])
    np.testing.assert_array_equal(picked["input_step"], np.arange(-23, 1))
    np.testing.assert_array_equal((picked["input_time"] - picked["cutoff"]) / pd.Timedelta("1h"), np.arange(-23, 1))
    total = frame.groupby([*KEYS, "layer", "head"])["weight"].sum()
    assert ((total > 0) & (total <= 1 + 1e-6)).all()


def test_attention_alone_takes_no_gradients(transformer, future):
    alone = fk.interpret(transformer, future, what="attention", steps=[2])
    assert [part.shape for part in alone.weights] == [(3, 4, 1, 24)] * 2
    with pytest.raises(ParameterError, match="attributions must have been computed"):
        alone.attribution  # noqa: B018


# ---------------------------------------------------------------------------------------------- selection


@pytest.mark.rotated
def test_selected_variables_are_called_as_the_user_does(panel, future):
    model = fk.TFTForecaster(**{**SMALL, "patch": 4}, **ROLES, calendar=True).fit(panel)
    frame = fk.interpret(model, future, what="attention").selection
    columns = ["unique_id", "cutoff", "part", "role", "input", "input_step", "input_time", "weight"]
    assert list(frame.columns) == columns
    inputs = {part: list(dict.fromkeys(rows["input"])) for part, rows in frame.groupby("part")}
    cycles = ["calendar:day", "calendar:week"]
    assert inputs == {
        "past": ["target", "wind", "temp", *cycles],
        "future": ["position", "temp", *cycles],
        "static": ["size"],
    }
    total = frame.groupby(["unique_id", "part", "input_step"], dropna=False)["weight"].sum()
    np.testing.assert_allclose(total, 1, rtol=1e-5)
    assert len(total) == 3 * (24 + 6 + 1)
    one = frame.query("unique_id == 'b' and part == 'future' and input == 'temp'")
    np.testing.assert_array_equal(one["input_time"], future.loc[future["unique_id"] == "b", "ds"])
    assert one["weight"].iloc[:4].nunique() == 1, "the steps of a patch share its weights"


def test_weights_of_categories_are_added_up():
    sizes = Sizes(lookback=5, horizon=3, patch=2, known=3)
    weights = np.random.default_rng(0).dirichlet(np.ones(4), size=(2, 3))
    (choice,) = choices({"past": weights}, sizes, {"known": ["sky", "sky", "heat"]})
    assert choice.names == [("target", "target"), ("known", "sky"), ("known", "heat")]
    expected = np.stack([weights[..., 0], weights[..., 1] + weights[..., 2], weights[..., 3]], axis=1)
    np.testing.assert_allclose(choice.weights, expected[..., [0, 1, 1, 2, 2]])
    np.testing.assert_array_equal(choice.offsets, [-4, -3, -2, -1, 0])


def test_networks_that_select_nothing_say_so(found):
    with pytest.raises(ParameterError, match="must select variables, as the TFT does, got Transformer"):
        found.selection  # noqa: B018


# ---------------------------------------------------------------------------------------------- refusals


def refused(match, *arguments, error=ParameterError, **options):
    with pytest.raises(error, match=match) as caught:
        fk.interpret(*arguments, **options)
    assert re.match(r"\w+: .*[.?]$", str(caught.value))


def test_networks_without_attention_are_told_which_have_it(gru, future):
    # Before anything is fitted, too.
    refused("those that do are .*transformer.*got RNN", fk.RNNForecaster(), what="attention")
    refused("got InvertedTransformer", fk.InvertedTransformerForecaster(), what="attention")
    found = fk.interpret(gru, future, series="a", steps=1)
    with pytest.raises(ParameterError, match="must attend to its past"):
        found.weights  # noqa: B018
    with pytest.raises(ParameterError, match="attention must have been computed"):
        fk.interpret(gru, future, series="a", steps=1, what="attribution").attention  # noqa: B018


def test_what_has_no_attention_or_is_no_forecaster_is_refused():
    refused("only networks have attention.*LinearForecaster", fk.LinearForecaster(), what="attention")
    refused("Pass one of its forecasters_", fk.EnsembleForecaster(), what="attention")
    refused("a forecaster or a pipeline that ends in one.*str.*best_estimator_", "gru")


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"what": "weights"}, "what must be one of"),
        ({"baseline": "zero"}, "baseline must be one of"),
        ({"tolerance": -1}, "tolerance"),
        ({"max_points": 0}, "max_points"),
        ({"steps": 7}, "steps must be some of 1 to 6"),
        ({"steps": [0]}, "steps must be a whole number"),
        ({"steps": []}, "steps must be some of"),
        ({"series": "d"}, "chosen series must exist, got 'd'"),
        ({"target": "lod"}, "chosen target must exist, got 'lod'. Did you mean 'load'"),
        ({"cutoff": "yesterday"}, "cutoff must be a time"),
        ({"cutoff": "2024-01-10 20:00"}, "observed rows of every series, got .* which 'b', 'c' has not"),
        ({"cutoff": 10**6}, "observed rows of every series"),
        ({"cutoff": [100, "yesterday"]}, "cutoff must be a time"),
        ({"cutoff": []}, "cutoff must be a time, a position, or a list of these, got an empty list"),
    ],
)
def test_what_breaks_a_rule_is_refused(gru, future, options, match):
    refused(match, gru, future, **options)


def test_known_covariates_must_reach_over_the_horizon(gru):
    refused("known covariates temp are needed", gru, error=fk.InputError)


def test_too_many_attributions_are_refused(gru, future, monkeypatch):
    monkeypatch.setattr("forecastkit.inspection.interpretation.MAX_CELLS", 1000)
    refused("at most 1,000.*Choose series=", gru, future, error=fk.InputError)


# ---------------------------------------------------------------------------------------------- pictures


def test_pictures_are_drawn(found, tmp_path):
    figure = fk.plot_attribution(found, series="c", path=tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 10_000
    panels = [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]
    assert [len(axes.patches) for axes in panels] == [0, 24, 0]
    heights = [patch.get_height() for patch in panels[1].patches]
    np.testing.assert_allclose(heights, found.arrays["target"][2, :, 0].mean(axis=0))
    assert [label.get_text() for label in panels[2].get_yticklabels()] == [
        "wind", "temp", "calendar:day", "calendar:week"]  # fmt: skip
    assert panels[0].get_title(loc="left") == "Attribution: c"


@pytest.mark.parametrize(("by", "rows"), [("head", 8), ("step", 6)])
def test_attention_is_drawn_row_by_row(found, by, rows):
    figure = fk.plot_attention(found, by=by, step=None if by == "step" else 2)
    panels = [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]
    assert len(panels[2].get_yticks()) == rows
    weights = np.concatenate(found.weights, axis=1)[0].mean(axis=0)
    expected = weights.mean(axis=0) if by == "step" else weights[1]
    np.testing.assert_allclose([patch.get_height() for patch in panels[1].patches], expected)


def test_pictures_without_covariates_times_or_attributions(hourly):
    model = fk.TransformerForecaster(**SMALL).fit(hourly["north"].to_numpy())
    both = fk.interpret(model)
    assert len(fk.plot_attribution(both, step=1).axes) == 2
    fk.plot_attention(fk.interpret(model, what="attention"), by="step")
    for plot in (fk.plot_attribution, fk.plot_attention):
        with pytest.raises(ParameterError, match="step must be one of those explained"):
            plot(both, step=9)
        with pytest.raises(ParameterError, match="chosen series must exist"):
            plot(both, series="a")


# ---------------------------------------------------------------------------------------------- JAX

ON_JAX = """
import sys
sys.path.insert(0, sys.argv[3])
import numpy as np
import forecastkit as fk
from conftest import make_future, make_panel

found = fk.interpret(fk.load(sys.argv[1]), make_future(make_panel()), steps=[1, 6])
np.savez(sys.argv[2], weights=found.weights[0], **found.arrays)
"""


@pytest.mark.slow
def test_the_same_is_found_on_jax(transformer, future, tmp_path):
    pytest.importorskip("jax")
    transformer.save(tmp_path / "m.forecast")
    paths = [str(tmp_path / "m.forecast"), str(tmp_path / "found.npz"), str(ROOT / "tests")]
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": str(ROOT)}
    run = subprocess.run([sys.executable, "-c", ON_JAX, *paths], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    found = fk.interpret(transformer, future, steps=[1, 6])
    with np.load(paths[1]) as there:
        for name, expected in {"weights": found.weights[0], **found.arrays}.items():
            np.testing.assert_allclose(there[name], expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())
