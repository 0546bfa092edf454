"""`export`: a network or the pre-trained forecaster as an ONNX, SavedModel or LiteRT graph."""

import json
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from forecastkit.utils import types
from forecastkit.utils.atomic_write import atomic_write
from forecastkit.utils.exceptions import BackendError, NotExportable, ParameterError
from forecastkit.utils.validation import check_choice, refuse

if TYPE_CHECKING:
    from forecastkit.forecasters.base import Forecaster

FORMATS = ("onnx", "saved_model", "litert")


def export(
    forecaster: "Forecaster", path: types.Path, format: str = "onnx", quantile_levels: list[float] | None = None
) -> None:
    """Write a network or a pre-trained forecaster as a graph that other software runs.

    The graph takes raw windows in the user's units, with NaN where values are missing, and gives point forecasts and
    quantiles in the user's units: scaling, transforms, the linear path, intervals, calibration and bounds are inside.
    Its inputs and outputs are described in a JSON file beside it.

    Quantiles of networks that were trained for points come from residuals, which `predict` scales by the latest rows of
    a series; those of the graph keep the scale of the time of the export.

    Parameters
    ----------
    forecaster : Forecaster
        Fitted network or `PretrainedForecaster`.
    path : str or path
        File, or for ``'saved_model'`` a folder, which must not exist. The description is written to ``<path>.json``.
    format : {'onnx', 'saved_model', 'litert'}
        ONNX needs the package `onnx`, the others TensorFlow. LiteRT computes in single precision throughout.
    quantile_levels : list of float, optional
        Levels of the quantiles; by default those that `forecast` shows.

    Raises
    ------
    NotExportable
        For other forecasters than single networks and the pre-trained one, losses that are distributions, and
        ``calibrate='rolling'``.
    ParameterError
        For an unknown format.
    InputError
        If the path cannot be written.
    """
    check_choice("export", "format", format, FORMATS)
    if not hasattr(forecaster, "history_"):
        refuse("export", "the forecaster must be fitted", "one that is not", "Call fit first.", ParameterError)
    from forecastkit.exporting.constants import check_exportable, constants_of
    from forecastkit.exporting.description import describe_export
    from forecastkit.exporting.steps import raw_inputs

    path = Path(path)
    check_exportable(forecaster)
    constants = constants_of(forecaster, quantile_levels)
    inputs = raw_inputs(forecaster, "float32" if format == "litert" else "float64")
    writer = {"onnx": _onnx, "saved_model": _saved_model, "litert": _litert}[format]
    described = {"format": format, **describe_export(forecaster, constants, inputs, metadata.version("forecastkit"))}
    try:
        writer(forecaster, constants, inputs, path)
        with atomic_write(Path(f"{path}.json")) as temporary:
            temporary.write_text(json.dumps(described, indent=1) + "\n")
    except OSError as error:
        refuse("export", "the path must be writable", f"{str(path)!r} ({error.strerror or error})")


def _onnx(forecaster, constants, inputs, path):
    try:
        from forecastkit.exporting.tracer import Tracer
    except ModuleNotFoundError as error:
        raise BackendError("export needs the package 'onnx': pip install 'forecastkit[onnx]'") from error

    t = Tracer()
    values = {name: t.input(name, shape, dtype, _sample(name, shape)) for name, (shape, dtype) in inputs.items()}
    found = _traced(t, forecaster, constants, values)
    outputs = {name: (value, value.arrays[0].shape[1:]) for name, value in found.items()}
    content = t.model(outputs, "forecastkit").SerializeToString()
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)


def _traced(t, forecaster, constants, values):
    """Return the forecasts of a graph that is written to ONNX."""
    from forecastkit.exporting.pretrained_steps import PretrainedSteps
    from forecastkit.exporting.steps import Steps

    if not hasattr(forecaster, "network_"):
        return PretrainedSteps(t, forecaster, constants, values).all_forecasts()
    state = forecaster.network_._state()
    if state["graph"] is None:
        rule = "the network must consist of operations that have a form outside TensorFlow"
        refuse("export", rule, "others", "Export with format='saved_model'.", NotExportable)
    steps = Steps(t, forecaster, constants, values)
    (output,) = t.run(state["graph"], steps.network_inputs(), state["weights"])
    return steps.forecasts(output)


def _sample(name, shape):
    """Return batches of an input, for the evaluation of a graph."""
    if name == "series" or name.endswith("_codes"):
        return lambda count: np.zeros((count, *shape))
    return lambda count: np.random.default_rng(0).normal(1.0, 1.0, (count, *shape))


def _saved_model(forecaster, constants, inputs, path):
    if path.exists():
        refuse("export", "the folder must not exist", repr(str(path)), "Remove it first, or pass another path.")
    path.parent.mkdir(parents=True, exist_ok=True)
    _function(forecaster, constants, inputs).save(path)


def _litert(forecaster, constants, inputs, path):
    content = _function(forecaster, constants, inputs, batch=1).litert()
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)


def _function(forecaster, constants, inputs, batch=None):
    """Return the whole graph as a TensorFlow function."""
    from forecastkit.exporting.pretrained_steps import PretrainedSteps
    from forecastkit.exporting.steps import Steps
    from forecastkit.training.engines.forecast_function import ForecastFunction

    exact = inputs["target"][1]
    network = forecaster.network_.live()[0] if hasattr(forecaster, "network_") else None

    def forecast(t, values):
        if network is None:
            return PretrainedSteps(t, forecaster, constants, values, exact).all_forecasts()
        steps = Steps(t, forecaster, constants, values, exact)
        return steps.forecasts(network(steps.network_inputs(), training=False))

    return ForecastFunction(forecast, network, inputs, batch)
