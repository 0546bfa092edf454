"""Exported graphs: the same forecasts from raw windows, and a refusal by name for what has no graph."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import tensorflow as tf
from conftest import ROLES, SMALL
from hypothesis import given, settings
from hypothesis import strategies as st
from test_benchmarks import ROOT, script
from test_graph import TINY, WHOLE, engine_of, windows

import forecastkit as fk
from forecastkit.cli import main
from forecastkit.exporting.recorded import Recorded
from forecastkit.exporting.tracer import Tracer
from forecastkit.forecasters.future_rows import read_rows_to_forecast
from forecastkit.networks import backbones
from forecastkit.networks.backbone import Sizes
from forecastkit.training.engines.forecast_function import ForecastFunction
from forecastkit.utils.exceptions import BackendError, InputError, NotExportable, ParameterError

parity = script("export_parity")


def session_of(path):
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


# Networks -------------------------------------------------------------------------------------------------------------


def assert_onnx_equals(name, sizes, **options):
    """A graph in ONNX equals TensorFlow, for batches of other sizes than it was traced with."""
    engine = engine_of(backbones.find(name)(**TINY, **options), sizes, levels=(0.1, 0.5, 0.9))
    tracer, rng = Tracer(), np.random.default_rng(0)
    inputs = {
        key: tracer.input(key, shape, dtype, lambda count, key=key: windows(sizes, count, rng)[key])
        for key, (shape, dtype) in sizes.inputs.items()
    }
    (output,) = tracer.run(engine.numpy_graph(), inputs, engine.network.get_weights())
    model = tracer.model({"forecast": (output, output.arrays[0].shape[1:])}, "test")
    session = session_of_bytes(model.SerializeToString())
    for count in (1, 4):
        given = windows(sizes, count, rng)
        expected = engine.predict_step({key: tf.constant(values) for key, values in given.items()}).numpy()
        (got,) = session.run(None, {item.name: given[item.name] for item in session.get_inputs()})
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def session_of_bytes(content):
    return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])


CHANNELS = Sizes(8, 3, 2, channels=3, series=6)
LINEAR = Sizes(12, 4, 4, masked=True, linear=True)


def test_a_network_with_all_inputs_equals_onnx():
    assert_onnx_equals("gru", WHOLE)


@pytest.mark.rotated
@pytest.mark.parametrize("sizes", [WHOLE, LINEAR, CHANNELS, Sizes(9, 3, 1)], ids=["all", "linear", "channels", "steps"])
@pytest.mark.parametrize("name", backbones.names())
def test_every_network_equals_onnx(name, sizes):
    assert_onnx_equals(name, sizes)


# Forecasters ----------------------------------------------------------------------------------------------------------


def given_to(model, panel, description):
    raw = parity.raw_windows(model, panel, description["lookback"])
    return {name: raw[name].astype(item["type"]) for name, item in description["inputs"].items()}


def assert_exported(model, path, panel=None, frame=None, **options):
    model.export(path, **options)
    with open(f"{path}.json") as file:
        description = json.load(file)
    given = given_to(model, panel or model.history_, description)
    for name, item in description["inputs"].items():
        assert list(given[name].shape[1:]) == item["shape"][1:]
    found = session_of(path).run(None, given)
    levels = description["outputs"].get("quantiles", {}).get("levels", ())
    frame = model.forecast(quantile_levels=levels) if frame is None else frame
    for got, expected in zip(found, parity.forecast_arrays(model, frame, description), strict=False):
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5 * np.ptp(expected))
    return description, given


def test_covariates_of_all_roles_and_several_series(tmp_path, gru, future):
    panel = read_rows_to_forecast("test", gru.schema_, gru.history_, future, None)[1]
    description, _ = assert_exported(gru, tmp_path / "gru.onnx", panel, gru.forecast(future))
    assert description["inputs"]["known"]["columns"] == [ROLES["known"]]
    assert description["inputs"]["series"]["series"] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("options", "gaps"),
    [
        ({"calibrate": True, "target_transform": "log1p", "upper": 2000.0}, False),
        (
            {"calibrate": True, "quantile_levels": [0.1, 0.5, 0.9], "target_transform": "sqrt", "validation_size": 70},
            True,
        ),
        ({"embed_series": True, "calendar": True, "normalization": "standard"}, False),
    ],
)
def test_transforms_calibration_bounds_and_gaps(tmp_path, hourly, options, gaps):
    rows = hourly.abs()
    if gaps:
        rows[np.arange(len(rows)) % 7 == 0] = np.nan
    model = fk.RNNForecaster(**{**SMALL, **options}).fit(rows)
    assert_exported(model, tmp_path / "model.onnx")


def test_a_loaded_model_exports_other_levels_and_fills_gaps_of_complete_networks(tmp_path, hourly):
    fk.RNNForecaster(**SMALL).fit(hourly["north"]).save(tmp_path / "model.forecast")
    model = fk.load(tmp_path / "model.forecast")
    description, given = assert_exported(model, tmp_path / "model.onnx", quantile_levels=[0.05, 0.95])
    assert description["outputs"]["quantiles"]["levels"] == [0.05, 0.95]
    assert not model.network_.sizes.masked
    given["target"][:, [0, 5, 6, -1]] = np.nan
    rows = model.history_.target[-model.lookback_ :, 0].astype("float64")
    rows[[0, 5, 6]] = np.nan
    # The forecast is made after the last observed row, so the gap at the end is one of the window only.
    filled = pd.Series(given["target"][0]).ffill().bfill().to_numpy()[None]
    session = session_of(tmp_path / "model.onnx")
    point = session.run(None, given)[0]
    np.testing.assert_allclose(point, session.run(None, {**given, "target": filled})[0])


def test_series_that_never_changed_are_forecast_by_their_last_value(tmp_path, hourly):
    rows = pd.DataFrame({"same": np.full(len(hourly), 7.0), "north": hourly["north"]}, index=hourly.index)
    model = fk.RNNForecaster(**SMALL).fit(rows)
    _, given = assert_exported(model, tmp_path / "model.onnx")
    given["target"][..., 0] = 9.0
    np.testing.assert_allclose(session_of(tmp_path / "model.onnx").run(None, given)[0][..., 0], 9.0)


def test_categories_of_few_and_many_levels_with_gaps(tmp_path):
    parity.main(["--networks", "gru", "--cases", "covariates", "--formats", "onnx", "--out", str(tmp_path / "r.jsonl")])
    line = json.loads((tmp_path / "r.jsonl").read_text())
    assert max(line["forecast"], line["quantiles"]) < 1e-5


def test_the_page_shows_the_deviations_of_the_results(tmp_path):
    page = ROOT / "docs" / "saving.md"
    copy = tmp_path / "saving.md"
    copy.write_text(page.read_text(encoding="utf-8"), encoding="utf-8")
    results = ROOT / "benchmarks" / "results" / "export_parity.jsonl"
    parity.main(["--out", str(results), "--page", str(copy)])
    told = "python benchmarks/export_parity.py --out benchmarks/results/export_parity.jsonl --page docs/saving.md"
    assert copy.read_text(encoding="utf-8") == page.read_text(encoding="utf-8"), told


@pytest.mark.rotated
@pytest.mark.filterwarnings("ignore::UserWarning")  # of TensorFlow's deprecated interpreter
def test_saved_models_and_litert_equal_onnx(tmp_path, hourly):
    rows = hourly.copy()
    rows.iloc[[3, 200]] = np.nan
    model = fk.RNNForecaster(**SMALL).fit(rows)
    description, given = assert_exported(model, tmp_path / "model.onnx")
    expected = dict(zip(description["outputs"], session_of(tmp_path / "model.onnx").run(None, given), strict=True))
    model.export(tmp_path / "saved", format="saved_model")
    model.export(tmp_path / "model.tflite", format="litert")
    saved = tf.saved_model.load(str(tmp_path / "saved")).signatures["serving_default"]
    lite = tf.lite.Interpreter(str(tmp_path / "model.tflite")).get_signature_runner("serving_default")
    exact = saved(**{name: tf.constant(values) for name, values in given.items()})
    single = lite(**{name: values.astype("float32") for name, values in given.items()})
    for name, values in expected.items():
        scale = np.ptp(values)
        np.testing.assert_allclose(exact[name].numpy(), values, rtol=0, atol=1e-5 * scale)
        np.testing.assert_allclose(single[name], values, rtol=0, atol=1e-5 * scale)


# The pre-trained forecaster -------------------------------------------------------------------------------------------


def test_a_fine_tuned_pretrained_forecaster_of_two_seasons(tmp_path, hourly):
    rows = hourly["north"].copy()
    rows.iloc[[3, 200]] = np.nan
    model = fk.PretrainedForecaster(horizon=30, fine_tune=5).fit(rows)
    assert model.second_season_ == 168
    description, _ = assert_exported(model, tmp_path / "model.onnx")
    assert description["inputs"]["target"]["shape"] == ["batch", description["lookback"]]
    assert description["outputs"]["quantiles"]["levels"] == [0.1, 0.5, 0.9]


@pytest.fixture(scope="module")
def monthly(tmp_path_factory):
    """A pre-trained forecaster, its graph and the length of its windows."""
    path = tmp_path_factory.mktemp("monthly") / "model.onnx"
    rows = fk.load_dataset("airpassengers") - 300.0
    model = fk.PretrainedForecaster(horizon=7).fit(rows)
    model.export(path)
    return model, session_of(path), json.loads(Path(f"{path}.json").read_text())["lookback"]


@settings(max_examples=40, deadline=None)
@given(
    length=st.integers(2, 150),
    level=st.sampled_from([-50.0, 0.0, 3.0, 80.0]),
    change=st.sampled_from([0.0, 0.01, 1.0]),
    missing=st.sampled_from([0.0, 0.2]),
    rounded=st.booleans(),
    seed=st.integers(0, 10**6),
)
def test_a_graph_forecasts_any_series_like_the_pretrained_forecaster(
    monthly, length, level, change, missing, rounded, seed
):
    model, session, lookback = monthly
    rng = np.random.default_rng(seed)
    values = change * rng.normal(size=length).cumsum() + level
    values = values.round() if rounded else values
    values[:-1][rng.random(length - 1) < missing] = np.nan
    values[0] = level
    window = np.full((1, lookback), np.nan)
    window[0, max(lookback - length, 0) :] = values[-lookback:]
    got = session.run(None, {"target": window})[0][0]
    history = pd.Series(values, pd.date_range("2000-01-01", periods=length, freq="MS"))
    expected = np.ravel(model.predict(history=history))
    spread = np.nanstd(values) or 1.0
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-4 * spread)


def test_channels_calibration_and_bounds_of_a_pretrained_forecaster(tmp_path):
    rng, days = np.random.default_rng(0), pd.date_range("2024-01-01", periods=300, name="day")
    rows = pd.DataFrame({"a": rng.normal(size=300).cumsum(), "b": 5.0, "c": 9 * rng.random(300)}, days)
    model = fk.PretrainedForecaster(horizon=7, fine_tune=False, calibrate=True, upper=100).fit(rows)
    assert_exported(model, tmp_path / "model.onnx")


def test_known_covariates_and_several_series_of_a_pretrained_forecaster(tmp_path):
    rows, ahead, roles = parity.covariates()
    roles = {name: roles[name] for name in ("target", "known")}
    rows, ahead = rows.drop(columns=["wind", "size", "group"]), ahead.drop(columns=["size", "group"])
    model = fk.PretrainedForecaster(horizon=6, fine_tune=False, fourier=1, **roles).fit(rows)
    panel = read_rows_to_forecast("test", model.schema_, model.history_, ahead, None)[1]
    assert_exported(model, tmp_path / "model.onnx", panel, model.forecast(ahead))


def test_functions_and_conditions_that_cannot_be_recorded_are_refused():
    tracer = Tracer()
    values = Recorded(tracer, tracer.input("x", (4,), "float64", lambda count: np.ones((count, 4))))
    for function in (np.sort, np.cosh, np.add.accumulate):
        with pytest.raises(NotExportable, match="operations that can be recorded, got '"):
            function(values)
    with pytest.raises(TypeError, match="cannot depend on values"):
        bool(values[0, 0] > 0)
    with pytest.raises(TypeError, match="size of a batch"):
        len(values)


@pytest.mark.rotated
@pytest.mark.filterwarnings("ignore::UserWarning")  # of TensorFlow's deprecated interpreter
@pytest.mark.parametrize(("format", "bound"), [("saved_model", 1e-5), ("litert", 1e-3)])
def test_a_pretrained_forecaster_in_other_formats(tmp_path, format, bound):
    model = fk.PretrainedForecaster(horizon=3).fit(fk.load_dataset("airpassengers"))
    found = parity.deviations(model, None, format, tmp_path / "model")
    assert max(found["forecast"], found["quantiles"]) < bound


# Refusals -------------------------------------------------------------------------------------------------------------


def test_what_has_no_graph_is_refused_by_name(tmp_path, gru, hourly):
    path = tmp_path / "model.onnx"
    linear = fk.LinearForecaster(horizon=6, lookback=24).fit(hourly)
    with pytest.raises(NotExportable, match="must be a network or a PretrainedForecaster, got LinearForecaster"):
        linear.export(path)
    with pytest.raises(ParameterError, match="format"):
        gru.export(path, format="pickle")
    with pytest.raises(ParameterError, match="must be fitted"):
        fk.GRUForecaster().export(path)
    rolling = fk.GRUForecaster().set_params(calibrate="rolling")
    vars(rolling).update({name: value for name, value in vars(gru).items() if name.endswith("_")})
    with pytest.raises(NotExportable, match="calibrate='rolling'"):
        rolling.export(path)
    with pytest.raises(InputError, match="must be writable"):
        gru.export(tmp_path / "none" / "model.onnx")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="must not exist"):
        gru.export(tmp_path / "folder", format="saved_model")
    assert sorted(item.name for item in tmp_path.iterdir()) == ["folder"]


def test_only_onnx_needs_the_package_onnx(tmp_path, gru, monkeypatch):
    for name in ("tracer", "onnx_operations"):
        monkeypatch.delitem(sys.modules, f"forecastkit.exporting.{name}")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(BackendError, match="the package 'onnx'"):
        gru.export(tmp_path / "model.onnx")
    with pytest.raises(InputError, match="the folder must not exist"):  # which is found when the graph is written
        gru.export(tmp_path, format="saved_model")


def test_operations_that_litert_lacks_are_refused_by_name():
    def forecast(t, values):
        return {"forecast": tf.bitwise.bitwise_and(values["target"], 1)}

    function = ForecastFunction(forecast, SimpleNamespace(weights=[]), {"target": ((4,), "int32")}, 1)
    with pytest.raises(NotExportable, match=r"operations of LiteRT only, got BitwiseAnd. Export with format='onnx'"):
        function.litert()


def test_the_command_exports_and_refuses(tmp_path, gru, capsys):
    model, out = tmp_path / "model.forecast", tmp_path / "model.onnx"
    gru.save(model)
    assert main(["export", str(model), "--out", str(out), "--quantile-levels", "0.2,0.8"]) == 0
    assert json.loads((tmp_path / "model.onnx.json").read_text())["outputs"]["quantiles"]["levels"] == [0.2, 0.8]
    assert session_of(out).get_outputs()[0].name == "forecast"
    assert main(["export", str(model), "--out", str(out)]) == 1
    assert "must not exist" in capsys.readouterr().err
    assert main(["export", str(model), "--out", str(tmp_path / "other"), "--format", "pmml"]) == 1
    assert "--format must be one of onnx, saved_model, litert, got 'pmml'." in capsys.readouterr().err
    assert main(["export", str(model), "--out", str(tmp_path / "none" / "model.onnx")]) == 1
    assert "a folder that can be written" in capsys.readouterr().err


def test_steps_that_depend_on_a_batch_are_refused():
    tracer = Tracer()
    value = tracer.input("x", (4,), "float32", lambda count: np.ones((count, 4)))
    numbers = replace_shape(tracer, value)
    with pytest.raises(NotExportable, match="every window"):
        tracer("AddV2", value, numbers)


def replace_shape(tracer, value):
    """The numbers of the windows in a batch, (batch, 1), which differ between windows."""
    count = tracer("GatherV2", tracer("Shape", value), np.int32(0), np.int32(0))
    numbers = tracer("Range", np.int32(0), count, np.int32(1))
    return tracer("ExpandDims", tracer("Cast", numbers, DstT="float32"), np.int32(1))
