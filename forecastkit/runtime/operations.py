"""The operations of graphs in NumPy, with the names and the semantics of TensorFlow.

Each function takes the attributes of a node and its input values, and returns its output or a tuple of several outputs.
"""

from collections.abc import Callable

import numpy as np

#: Nodes that are not operations on values.
STRUCTURE = ("Input", "Weight", "Constant", "While")
#: Inputs, by number, that determine the shape of the output.
SHAPE_INPUTS = {
    "BroadcastTo": (1,),
    "Fill": (0,),
    "GatherV2": (2,),
    "LinSpace": (2,),
    "OneHot": (1,),
    "Pad": (1,),
    "PadV2": (1,),
    "Range": (0, 1, 2),
    "Reshape": (1,),
    "Slice": (1, 2),
    "Split": (0,),
    "SplitV": (1, 2),
    "StridedSlice": (1, 2, 3),
    "TensorListReserve": (1,),
    "Tile": (1,),
    "Transpose": (1,),
}
#: Attributes of a strided slice, with a bit for each axis.
MASKS = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
#: Operations whose output depends on the shape of the input only.
SHAPE_ONLY = ("OnesLike", "Rank", "Shape", "Size", "ZerosLike")

#: Coefficients of the error function (Eigen, `erf` of single precision), the highest power first.
ERF = (
    (-2.72614225801306e-10, 2.77068142495902e-08, -2.10102402082508e-06, -5.69250639462346e-05,
     -7.34990630326855e-04, -2.95459980854025e-03, -1.60960333262415e-02),
    (-1.45660718464996e-05, -2.13374055278905e-04, -1.68282697438203e-03, -7.37332916720468e-03,
     -1.42647390514189e-02),
)  # fmt: skip


def _sigmoid(x, out=None):
    # By the hyperbolic tangent, which cannot overflow. In place, because new memory takes longer than the arithmetic.
    half, out = x.dtype.type(0.5), np.empty_like(x) if out is None else out
    np.tanh(np.multiply(x, half, out=out), out=out)
    out *= half
    out += half
    return out


def _softmax(x):
    grown = x - x.max(axis=-1, keepdims=True)
    np.exp(grown, out=grown)
    grown /= grown.sum(axis=-1, keepdims=True)
    return grown


def _log_softmax(x):
    apart = x - x.max(axis=-1, keepdims=True)
    return apart - np.log(np.exp(apart).sum(axis=-1, keepdims=True))


def _erf(x):
    """Return the error function to 5e-7, as Eigen and TensorFlow compute it: a ratio of polynomials in the square."""
    x = np.clip(x, -4, 4)
    square = x * x
    above, below = (_polynomial(np.array(values, dtype=x.dtype), square) for values in ERF)
    above *= x
    above /= below
    return above


def _polynomial(coefficients, x):
    total = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        total *= x
        total += coefficient
    return total


def _axes(axis):
    return tuple(int(a) for a in np.ravel(axis))


def _reduction(function: Callable) -> Callable:
    def reduce(attributes, x, axis):
        return function(x, axis=_axes(axis), keepdims=attributes.get("keep_dims", False))

    return reduce


def _place(function: Callable) -> Callable:
    return lambda attributes, x, axis: function(x, axis=int(axis)).astype(attributes.get("output_type", "int64"))


def _elementwise(function: Callable) -> Callable:
    return lambda attributes, *values: function(*values)


def _matmul(attributes, a, b, out=None):
    a = a.T if attributes.get("transpose_a") else a
    return np.matmul(a, b.T if attributes.get("transpose_b") else b, out=out)


def _batch_matmul(attributes, a, b, out=None):
    a = a.swapaxes(-1, -2) if attributes.get("adj_x") else a
    return np.matmul(a, b.swapaxes(-1, -2) if attributes.get("adj_y") else b, out=out)


def _einsum(attributes, *values):
    return np.einsum(attributes["equation"], *values, optimize=True)


class StridedSlice:
    """A strided slice, which caches the NumPy index of the latest bounds, as these rarely change between calls."""

    def __init__(self, attributes: dict):
        self.flags = tuple(attributes.get(name, 0) for name in MASKS)
        self.latest: tuple = (None, ())

    def __call__(self, x, begin, end, strides):
        bounds = begin.tobytes(), end.tobytes(), strides.tobytes()
        known, index = self.latest
        if known != bounds:
            index = strided_index(self.flags, begin.tolist(), end.tolist(), strides.tolist())
            self.latest = bounds, index  # in one assignment, because threads share it
        return x[index]


def strided_index(flags, begin, end, strides):
    """Return the NumPy index of a strided slice."""
    index = []
    for place, (low, high, step) in enumerate(zip(begin, end, strides, strict=True)):
        begins, ends, ellipsis, new, shrink = (flag >> place & 1 for flag in flags)
        if ellipsis:
            index.append(Ellipsis)
        elif new:
            index.append(None)
        elif shrink:
            index.append(low)
        else:
            index.append(slice(None if begins else low, None if ends else high, step))
    return tuple(index)


def _gather(attributes, x, indices, axis):
    axis, batch = int(axis), int(attributes.get("batch_dims", 0))
    if not batch:
        return np.take(x, indices, axis=axis)
    shape = x.shape[:batch] + indices.shape[batch:] + x.shape[batch + 1 :]
    wide = indices.reshape(*indices.shape, *[1] * (x.ndim - batch - 1))
    return np.take_along_axis(x, np.broadcast_to(wide, shape), axis=axis)


def _pad(attributes, x, paddings, value=0):
    return np.pad(x, paddings.tolist(), constant_values=value)


def _convolution(attributes, x, kernel):
    """Return the two-dimensional cross-correlation of (batch, height, width, channels), by one matrix product."""
    (_, *steps, _), (_, *spread, _) = attributes["strides"], attributes.get("dilations", [1, 1, 1, 1])
    size = [(length - 1) * gap + 1 for length, gap in zip(kernel.shape[:2], spread, strict=True)]
    if attributes["padding"] == "SAME":
        x = np.pad(x, [(0, 0), *(_same(*axis) for axis in zip(x.shape[1:3], size, steps, strict=True)), (0, 0)])
    seen = np.lib.stride_tricks.sliding_window_view(x, size, axis=(1, 2))
    seen = seen[:, :: steps[0], :: steps[1], :, :: spread[0], :: spread[1]]
    return np.tensordot(seen, kernel, axes=([4, 5, 3], [0, 1, 2]))


def _same(length, size, step):
    """Return the numbers of zeros before and after the input, as TensorFlow pads it."""
    total = max((-(-length // step) - 1) * step + size - length, 0)
    return total // 2, total - total // 2


def _cumsum(attributes, x, axis):
    axis, reverse = int(axis), attributes.get("reverse")
    x = np.flip(x, axis) if reverse else x
    total = np.cumsum(x, axis=axis, dtype=x.dtype)
    total = total - x if attributes.get("exclusive") else total
    return np.flip(total, axis) if reverse else total


def _split(attributes, axis, x):
    count, before = attributes["num_split"], (slice(None),) * (int(axis) % x.ndim)
    size = x.shape[len(before)] // count
    return tuple(x[(*before, slice(i * size, (i + 1) * size))] for i in range(count))


def _split_sizes(attributes, x, sizes, axis):
    axis, sizes = int(axis), sizes.tolist()
    if -1 in sizes:
        sizes[sizes.index(-1)] = x.shape[axis] - sum(sizes) - 1
    return tuple(np.split(x, np.cumsum(sizes)[:-1], axis=axis))


def _unpack(attributes, x):
    return tuple(np.moveaxis(x, attributes.get("axis", 0), 0))


def _slice(attributes, x, begin, size):
    parts = zip(begin.tolist(), size.tolist(), strict=True)
    return x[tuple(slice(low, None if count < 0 else low + count) for low, count in parts)]


def _one_hot(attributes, indices, depth, on, off):
    hot = np.where(np.asarray(indices)[..., None] == np.arange(int(depth)), on, off)
    return np.moveaxis(hot, -1, attributes.get("axis", -1))


def _elu(x):
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def _softplus(x):
    return np.logaddexp(x, x.dtype.type(0))


def _set_item(attributes, held, index, item, *_):
    return [*held[: int(index)], item, *held[int(index) + 1 :]]


def _squeeze(attributes, x):
    return np.squeeze(x, axis=tuple(attributes["squeeze_dims"]) or None)


def _leaky(attributes, x):
    return np.where(x > 0, x, x * x.dtype.type(attributes.get("alpha", 0.2)))


#: Functions of the values alone.
ELEMENTWISE = {
    "Abs": np.abs,
    "Acosh": np.arccosh,
    "Add": np.add,
    "AddV2": np.add,
    "Asinh": np.arcsinh,
    "Atan": np.arctan,
    "Atanh": np.arctanh,
    "BiasAdd": np.add,
    "BitwiseAnd": np.bitwise_and,
    "BitwiseOr": np.bitwise_or,
    "BitwiseXor": np.bitwise_xor,
    "Ceil": np.ceil,
    "Cos": np.cos,
    "Cosh": np.cosh,
    "Elu": _elu,
    "Equal": np.equal,
    "Erf": _erf,
    "Erfc": lambda x: 1 - _erf(x),
    "Exp": np.exp,
    "Expm1": np.expm1,
    "Floor": np.floor,
    "FloorDiv": np.floor_divide,
    "FloorMod": np.mod,
    "Greater": np.greater,
    "GreaterEqual": np.greater_equal,
    "IsNan": np.isnan,
    "Less": np.less,
    "LessEqual": np.less_equal,
    "Log": np.log,
    "Log1p": np.log1p,
    "LogSoftmax": _log_softmax,
    "LogicalAnd": np.logical_and,
    "LogicalNot": np.logical_not,
    "LogicalOr": np.logical_or,
    "Maximum": np.maximum,
    "Minimum": np.minimum,
    "Mul": np.multiply,
    "Neg": np.negative,
    "NotEqual": np.not_equal,
    "OnesLike": np.ones_like,
    "Pow": np.power,
    "RealDiv": np.divide,
    "Reciprocal": np.reciprocal,
    "Relu": lambda x: np.maximum(x, 0),
    "Relu6": lambda x: np.clip(x, 0, 6),
    "Rsqrt": lambda x: x.dtype.type(1) / np.sqrt(x),
    "SelectV2": np.where,
    "Sigmoid": _sigmoid,
    "Sign": np.sign,
    "Sin": np.sin,
    "Sinh": np.sinh,
    "Softmax": _softmax,
    "Softplus": _softplus,
    "Softsign": lambda x: x / (1 + np.abs(x)),
    "Sqrt": np.sqrt,
    "Square": np.square,
    "SquaredDifference": lambda a, b: np.square(a - b),
    "Sub": np.subtract,
    "Tan": np.tan,
    "Tanh": np.tanh,
    "ZerosLike": np.zeros_like,
}

#: Those that can write their result, of the type of their operands, over an operand.
OVERWRITING = frozenset([
    "Add", "AddV2", "BiasAdd", "Exp", "Maximum", "Minimum", "Mul", "Neg", "RealDiv", "Sigmoid", "Sqrt", "Square", "Sub",
    "Tanh",
])  # fmt: skip
#: Those that can write their result to a given array.
WRITING = OVERWRITING | {"BatchMatMulV2", "MatMul"}
#: Operations whose result is a new array, which shares no memory with their inputs.
ALLOCATING = WRITING | {"Erf", "Softmax"}

OPERATIONS: dict[str, Callable] = {
    **{name: _elementwise(function) for name, function in ELEMENTWISE.items()},
    "AddN": lambda attributes, *values: sum(values[1:], values[0]),
    "All": _reduction(np.all),
    "Any": _reduction(np.any),
    "ArgMax": _place(np.argmax),
    "ArgMin": _place(np.argmin),
    "BatchMatMulV2": _batch_matmul,
    "Bitcast": lambda attributes, x: np.asarray(x).view(attributes["type"]),
    "BroadcastArgs": lambda attributes, a, b: np.array(np.broadcast_shapes(tuple(a), tuple(b)), dtype=a.dtype),
    "BroadcastTo": lambda attributes, x, shape: np.broadcast_to(x, shape.tolist()),
    "Cast": lambda attributes, x: np.asarray(x).astype(attributes["DstT"]),
    "ConcatV2": lambda attributes, *values: np.concatenate(values[:-1], axis=int(values[-1])),
    "Conv2D": _convolution,
    "Cumsum": _cumsum,
    "Einsum": _einsum,
    "ExpandDims": lambda attributes, x, axis: np.expand_dims(x, int(axis)),
    "Fill": lambda attributes, shape, value: np.full(shape.tolist(), value),
    "GatherNd": lambda attributes, x, indices: x[tuple(np.moveaxis(indices, -1, 0))],
    "GatherV2": _gather,
    "LeakyRelu": _leaky,
    "LinSpace": lambda attributes, start, stop, count: np.linspace(start, stop, int(count), dtype=start.dtype),
    "MatMul": _matmul,
    "Max": _reduction(np.max),
    "Mean": _reduction(np.mean),
    "Min": _reduction(np.min),
    "OneHot": _one_hot,
    "Pack": lambda attributes, *values: np.stack(values, axis=attributes.get("axis", 0)),
    "Pad": _pad,
    "PadV2": _pad,
    "Prod": _reduction(np.prod),
    "Range": lambda attributes, start, stop, step: np.arange(start, stop, step, dtype=start.dtype),
    "Rank": lambda attributes, x: np.int32(np.ndim(x)),
    "Reshape": lambda attributes, x, shape: np.reshape(x, shape.tolist()),
    "ReverseV2": lambda attributes, x, axis: np.flip(x, _axes(axis)),
    "Shape": lambda attributes, x: np.array(np.shape(x), dtype=attributes.get("out_type", "int32")),
    "Size": lambda attributes, x: np.int32(np.size(x)),
    "Slice": _slice,
    "Split": _split,
    "SplitV": _split_sizes,
    "Squeeze": _squeeze,
    "StridedSlice": lambda attributes, *values: StridedSlice(attributes)(*values),
    "Sum": _reduction(np.sum),
    "TensorListFromTensor": lambda attributes, x, shape: list(x),
    "TensorListGetItem": lambda attributes, held, index, shape: held[int(index)],
    "TensorListReserve": lambda attributes, shape, count: [None] * int(count),
    "TensorListSetItem": _set_item,
    "TensorListStack": lambda attributes, held, shape: np.stack(held),
    "Tile": lambda attributes, x, times: np.tile(x, times.tolist()),
    "Transpose": lambda attributes, x, axes: np.transpose(x, axes.tolist()),
    "Unpack": _unpack,
}
