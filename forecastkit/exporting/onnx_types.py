"""Data types of ONNX, and the error for what a format lacks."""

from onnx import TensorProto

from forecastkit.utils.exceptions import InputError


class NotExportable(InputError):
    """Raised if a forecaster, or an operation of its network, has no form in the format."""


def type_of(dtype: str) -> int:
    """The number of a data type in ONNX."""
    return getattr(TensorProto, {"float32": "FLOAT", "float64": "DOUBLE"}.get(dtype, dtype.upper()))
