"""A forecast as one TensorFlow function, for SavedModel and LiteRT."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from forecastkit.utils.exceptions import NotExportable
from forecastkit.utils.validation import first_few, refuse

#: Operations by the names of `forecastkit.runtime.operations`.
CALLS = {
    "Abs": tf.abs,
    "AddV2": tf.add,
    "BatchMatMulV2": tf.matmul,
    "Equal": tf.equal,
    "Exp": tf.exp,
    "ExpandDims": tf.expand_dims,
    "Floor": tf.floor,
    "Greater": tf.greater,
    "GreaterEqual": tf.greater_equal,
    "Expm1": tf.math.expm1,
    "IsNan": tf.math.is_nan,
    "Less": tf.less,
    "LessEqual": tf.less_equal,
    "Log": tf.math.log,
    "Log1p": tf.math.log1p,
    "LogicalAnd": tf.logical_and,
    "LogicalNot": tf.logical_not,
    "LogicalOr": tf.logical_or,
    "MatMul": tf.matmul,
    "Maximum": tf.maximum,
    "Minimum": tf.minimum,
    "Mul": tf.multiply,
    "Neg": tf.negative,
    "Pow": tf.pow,
    "RealDiv": tf.divide,
    "Reshape": tf.reshape,
    "SelectV2": tf.where,
    "Shape": tf.shape,
    "Sort": tf.sort,
    "Sqrt": tf.sqrt,
    "Square": tf.square,
    "Sub": tf.subtract,
    "Tanh": tf.tanh,
    "Tile": tf.tile,
    "Transpose": tf.transpose,
    "ZerosLike": tf.zeros_like,
}
REDUCTIONS = {
    "All": tf.reduce_all,
    "Any": tf.reduce_any,
    "Max": tf.reduce_max,
    "Mean": tf.reduce_mean,
    "Min": tf.reduce_min,
    "Sum": tf.reduce_sum,
}


def call(operation: str, *values: Any, **attributes: Any) -> tf.Tensor:
    """Return the result of an operation by its name."""
    if operation == "Cast":
        return tf.cast(values[0], attributes["DstT"])
    if operation == "GatherV2":
        return tf.gather(values[0], values[1], axis=int(values[2]), batch_dims=attributes.get("batch_dims", 0))
    if operation in REDUCTIONS:
        axis = np.ravel(values[1]).tolist()
        return REDUCTIONS[operation](values[0], axis=axis, keepdims=attributes["keep_dims"])
    if operation == "ConcatV2":
        return tf.concat(values[:-1], axis=int(values[-1]))
    if operation == "Cumsum":
        return tf.cumsum(values[0], axis=int(values[1]))
    if operation == "ArgMax":
        return tf.argmax(values[0], axis=int(values[1]), output_type=attributes["output_type"])
    if operation == "StridedSlice":
        return tf.strided_slice(*values, **attributes)
    if operation == "Pack":
        return tf.stack(values, axis=attributes.get("axis", 0))
    return CALLS[operation](*values)


class ForecastFunction(tf.Module):
    """A function from raw windows to forecasts.

    `forecast` gives a dict of outputs for `call` and a dict of inputs, and reads the weights of the network. `inputs`
    are shapes without the batch axis and data types by name, `batch` the windows of a call, by default any number.
    """

    def __init__(self, forecast: Callable, network: Any, inputs: dict, batch: int | None = None):
        super().__init__()
        self.held = [variable.value for variable in network.weights] if network else []
        specs = [tf.TensorSpec((batch, *shape), dtype, name) for name, (shape, dtype) in inputs.items()]

        def forecasts(*values):
            return forecast(call, dict(zip(inputs, values, strict=True)))

        self.forecasts = tf.function(forecasts, input_signature=specs)

    def save(self, path: Path) -> None:
        """Write a SavedModel with the signature 'serving_default'."""
        tf.saved_model.save(self, str(path), signatures=self.forecasts.get_concrete_function())

    def litert(self) -> bytes:
        """Return the function in the format of LiteRT (TensorFlow Lite), with LiteRT's own operations only."""
        function = self.forecasts.get_concrete_function()
        converter = tf.lite.TFLiteConverter.from_concrete_functions([function], self)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        try:
            return converter.convert()
        except Exception as error:  # the class of conversion errors is not public
            lacking = sorted(set(re.findall(r"'tf\.(\w+)' op", str(error))))
            if not lacking:
                raise
            remedy = "Export with format='onnx' or 'saved_model'."
            refuse("export", "a network must have operations of LiteRT only", first_few(lacking), remedy, NotExportable)
