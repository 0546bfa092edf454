"""An array that records what NumPy does with it, so that code written for NumPy becomes a graph.

`Recorded` implements NumPy's dispatch protocols (NEP 13 and NEP 18) for the operations that the pre-trained forecaster
uses. An operation is evaluated by ``t(name, *values, **attributes)`` with TensorFlow's names, which writes ONNX or
calls TensorFlow. The size of one axis, that of the batch, is unknown: None in `shape`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from forecastkit.runtime.operations import MASKS
from forecastkit.utils.exceptions import NotExportable
from forecastkit.utils.validation import refuse

#: Operations by the names of NumPy's universal functions: of numbers, comparisons, and of truth values.
NUMBERS = {
    "absolute": "Abs", "add": "AddV2", "exp": "Exp", "floor": "Floor", "log": "Log",
    "maximum": "Maximum", "minimum": "Minimum", "multiply": "Mul", "negative": "Neg", "power": "Pow",
    "divide": "RealDiv", "sqrt": "Sqrt", "subtract": "Sub", "tanh": "Tanh",
}  # fmt: skip
COMPARISONS = {
    "equal": "Equal", "greater": "Greater", "greater_equal": "GreaterEqual", "isnan": "IsNan", "less": "Less",
    "less_equal": "LessEqual",
}  # fmt: skip
TRUTHS = {"bitwise_and": "LogicalAnd", "bitwise_or": "LogicalOr", "invert": "LogicalNot"}
#: Functions of whole arrays, filled by `implements`.
FUNCTIONS: dict[Callable, Callable] = {}


class Recorded(NDArrayOperatorsMixin):
    """Value of a graph that supports NumPy operations.

    `value` is what `t` gives and takes. `exact` is the largest floating-point type of the graph: constants of larger
    types are converted to it.
    """

    def __init__(self, t: Any, value: Any, exact: str = "float64"):
        self.t, self.value, self.exact = t, value, np.dtype(exact)

    @property
    def shape(self) -> tuple:
        """Sizes of the axes, None where it depends on the batch."""
        arrays = getattr(self.value, "arrays", None)
        if arrays is None:
            return tuple(self.value.shape)
        one, other = (array.shape for array in arrays)
        return tuple(size if size == another else None for size, another in zip(one, other, strict=True))

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def dtype(self) -> np.dtype:
        """Data type of the elements."""
        arrays = getattr(self.value, "arrays", None)
        return np.dtype(self.value.dtype.as_numpy_dtype) if arrays is None else arrays[0].dtype

    def __array_ufunc__(self, function, method, *values, **options):
        if method == "accumulate" and function is np.maximum:
            return _running_maximum(values[0], options["axis"])
        name = function.__name__
        if method != "__call__" or options:
            _refuse(f"{name}.{method}")
        if name in TRUTHS:
            return self.apply(TRUTHS[name], *values)
        if name == "matmul":
            together = "MatMul" if all(len(value.shape) == 2 for value in values) else "BatchMatMulV2"
            return self.apply(together, *self.alike(*values))
        if name in COMPOSED:
            return COMPOSED[name](*values)
        if name not in NUMBERS and name not in COMPARISONS:
            _refuse(name)
        values = self.alike(*values, inexact=name in ("divide", "log", "sqrt", "exp"))
        return self.apply(NUMBERS.get(name) or COMPARISONS[name], *values)

    def __array_function__(self, function, types, arguments, options):
        if function not in FUNCTIONS:
            _refuse(function.__name__)
        return FUNCTIONS[function](*arguments, **options)

    def apply(self, operation: str, *values: Any, **attributes: Any) -> "Recorded":
        """Return the result of an operation of recorded values and arrays."""
        given = [value.value if isinstance(value, Recorded) else np.asarray(value) for value in values]
        return Recorded(self.t, self.t(operation, *given, **attributes), self.exact)

    def alike(self, *values: Any, inexact: bool = False) -> list:
        """Return the values in the data type that NumPy would use."""
        plain = (bool, int, float)
        common = np.result_type(*(value if type(value) in plain else value.dtype for value in values))
        if (inexact and common.kind in "biu") or (common.kind == "f" and common.itemsize > self.exact.itemsize):
            common = self.exact
        if common.kind in "iu":
            common = np.dtype("int64")
        return [v.astype(common) if isinstance(v, Recorded) else np.asarray(v, common) for v in values]

    def astype(self, dtype: Any) -> "Recorded":
        """Return the values in another data type."""
        dtype = self.exact if dtype == "float64" else np.dtype(dtype)
        return self if dtype == self.dtype else self.apply("Cast", self, DstT=dtype.name)

    def reshape(self, *shape: int) -> "Recorded":
        """Return the values in another shape, of which one size may be -1."""
        return self.apply("Reshape", self, np.array([-1 if size is None else size for size in shape], "int32"))

    def _reduced(self, operation, axis, keepdims, numbers=True):
        values = self.astype("int64") if numbers and self.dtype == bool else self
        return values.apply(operation, values, np.array([axis % self.ndim], "int32"), keep_dims=keepdims)

    def sum(self, axis: int, keepdims: bool = False) -> "Recorded":
        """Return the sum along an axis."""
        return self._reduced("Sum", axis, keepdims)

    def mean(self, axis: int, keepdims: bool = False) -> "Recorded":
        """Return the mean along an axis."""
        return self._reduced("Mean", axis, keepdims)

    def min(self, axis: int, keepdims: bool = False) -> "Recorded":
        """Return the minimum along an axis."""
        return self._reduced("Min", axis, keepdims)

    def max(self, axis: int, keepdims: bool = False) -> "Recorded":
        """Return the maximum along an axis."""
        return self._reduced("Max", axis, keepdims)

    def all(self, axis: int) -> "Recorded":
        """Return whether all values along an axis hold."""
        return self._reduced("All", axis, False, numbers=False)

    def any(self, axis: int) -> "Recorded":
        """Return whether a value along an axis holds."""
        return self._reduced("Any", axis, False, numbers=False)

    def argmax(self, axis: int) -> "Recorded":
        """Return the index of the first largest value along an axis."""
        numbers = self.astype("int32") if self.dtype == bool else self
        return numbers.apply("ArgMax", numbers, np.int32(axis), output_type="int64")

    def __getitem__(self, index: Any) -> "Recorded":
        index = index if isinstance(index, tuple) else (index,)
        for axis, part in enumerate(index):
            if isinstance(part, np.ndarray):  # the only array, after slices of whole axes
                return self.apply("GatherV2", self, part.astype("int32"), np.int32(axis))
        bits, bounds = dict.fromkeys(MASKS, 0), []
        for place, part in enumerate(index):
            whole = isinstance(part, slice)
            flags = (whole and part.start is None, whole and part.stop is None, part is Ellipsis, part is None,
                     isinstance(part, (int, np.integer)))  # fmt: skip
            for name, flag in zip(MASKS, flags, strict=True):
                bits[name] |= flag << place
            if whole:
                bounds.append((part.start or 0, part.stop or 0, part.step or 1))
            else:
                bounds.append((part, part + 1 or 2**30, 1) if flags[-1] else (0, 0, 1))
        return self.apply("StridedSlice", self, *np.array(bounds, "int32").T, **bits)

    def __len__(self) -> int:
        if self.shape[0] is None:
            raise TypeError("the size of a batch is unknown")
        return self.shape[0]

    def __iter__(self):
        return (self[place] for place in range(len(self)))

    def __bool__(self) -> bool:
        raise TypeError("what is recorded cannot depend on values")


def _refuse(name):
    refuse("export", "a forecast must consist of operations that can be recorded", repr(name), error=NotExportable)


def _first(values) -> Recorded:
    return next(value for value in values if isinstance(value, Recorded))


def _running_maximum(values, axis):
    """Return the running maximum along axis 1, over twice as many columns in each pass."""
    gap, width = 1, values.shape[axis]
    while gap < width:
        values, gap = np.maximum(values, np.concatenate([values[:, :gap], values[:, :-gap]], axis=1)), 2 * gap
    return values


def _arcsinh(values):
    size = np.abs(values)  # neither ONNX Runtime, for double precision, nor LiteRT has Asinh
    found = np.log(size + np.sqrt(size * size + 1.0))
    return np.where(values < 0, -found, found)


def _logaddexp(zero, values):
    """Return log(exp(0) + exp(x)), as `zero` is 0."""
    return np.maximum(values, 0) + np.log(1 + np.exp(-np.abs(values)))


def _floor_divide(values, divisor):
    return np.floor(values / divisor).astype("int64")  # LiteRT divides no integers of 64 bits


def _power(values, exponent):
    if type(exponent) is int and exponent == 2:
        return values * values
    first = _first((values, exponent))
    return first.apply("Pow", *first.alike(values, exponent, inexact=True))


#: Functions made of several operations.
COMPOSED = {
    "arcsinh": _arcsinh,
    "floor_divide": _floor_divide,
    "isfinite": lambda values: values - values == 0.0,
    "logaddexp": _logaddexp,
    "power": _power,
}


def implements(function: Callable) -> Callable:
    """Return a decorator that registers a function as the recorded form of a NumPy function."""

    def add(own):
        FUNCTIONS[function] = own
        return own

    return add


@implements(np.where)
def _where(condition, values, others):
    first = _first((condition, values, others))
    return first.apply("SelectV2", condition, *first.alike(values, others))


@implements(np.concatenate)
def _concatenate(values, axis=0):
    first = _first(values)
    return first.apply("ConcatV2", *first.alike(*values), np.int32(axis % first.ndim))


@implements(np.stack)
def _stack(values, axis=0):
    first = _first(values)
    return first.apply("Pack", *first.alike(*values), axis=axis % (first.ndim + 1))


@implements(np.take_along_axis)
def _take_along_axis(values, places, axis):
    return values.apply("GatherV2", values, places.astype("int32"), np.int32(axis), batch_dims=1)


@implements(np.zeros_like)
def _zeros_like(values):
    return values.apply("ZerosLike", values)


@implements(np.full_like)
def _full_like(values, number):
    return np.zeros_like(values) + number


@implements(np.swapaxes)
def _swapaxes(values, one, other):
    axes = np.arange(values.ndim, dtype="int32")
    axes[[one, other]] = axes[[other, one]]
    return values.apply("Transpose", values, axes)


@implements(np.cumsum)
def _cumsum(values, axis):
    return values.apply("Cumsum", values, np.int32(axis % values.ndim))


@implements(np.linalg.solve)
def _solve(matrices, right):
    """Return the solutions of positive definite systems (B, n, n) by Gauss-Jordan elimination without pivoting."""
    count = matrices.shape[1]
    table = np.concatenate([matrices, right], axis=2)
    for k in range(count):
        pivot = table[:, k : k + 1] / table[:, k : k + 1, k : k + 1]
        own = (np.arange(count) == k)[:, None]
        table = np.where(own, pivot, table - table[:, :, k : k + 1] * pivot)
    return table[:, :, count:]
