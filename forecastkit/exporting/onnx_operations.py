"""The operations of a graph in ONNX: each writes the nodes that give an operation's outputs, and returns their names.

A writer takes the tracer, the attributes, the values that the operation reads, and those that it gives.
"""

from collections.abc import Callable

import numpy as np
from onnx import TensorProto

from forecastkit.runtime.operations import MASKS, strided_index
from forecastkit.utils.exceptions import NotExportable
from forecastkit.utils.validation import refuse

#: Operations that ONNX has under another name or the same one.
SAME = {
    "Abs": "Abs", "Acosh": "Acosh", "Add": "Add", "AddV2": "Add", "AddN": "Sum", "Asinh": "Asinh", "Atan": "Atan",
    "Atanh": "Atanh", "BiasAdd": "Add", "Ceil": "Ceil", "Cos": "Cos", "Cosh": "Cosh", "Elu": "Elu", "Equal": "Equal",
    "Erf": "Erf", "Exp": "Exp", "Floor": "Floor", "Greater": "Greater", "GreaterEqual": "GreaterOrEqual",
    "IsNan": "IsNaN", "Less": "Less", "LessEqual": "LessOrEqual", "Log": "Log", "LogSoftmax": "LogSoftmax",
    "LogicalAnd": "And", "LogicalNot": "Not", "LogicalOr": "Or", "Maximum": "Max", "Minimum": "Min", "Mul": "Mul",
    "Neg": "Neg", "Pow": "Pow", "RealDiv": "Div", "Reciprocal": "Reciprocal", "Relu": "Relu", "SelectV2": "Where",
    "Sigmoid": "Sigmoid", "Sign": "Sign", "Sin": "Sin", "Sinh": "Sinh", "Softmax": "Softmax", "Softplus": "Softplus",
    "Softsign": "Softsign", "Sqrt": "Sqrt", "Sub": "Sub", "Tan": "Tan", "Tanh": "Tanh",
}  # fmt: skip


def type_of(dtype: str) -> int:
    """Return the number of a data type in ONNX."""
    return getattr(TensorProto, {"float32": "FLOAT", "float64": "DOUBLE"}.get(dtype, dtype.upper()))


def _same(operation: str) -> Callable:
    return lambda t, attributes, values, found: t.write(operation, *map(t.name, values))


def _composed(function: Callable) -> Callable:
    """An operation made of several ones: a function of the tracer, the value's name and its data type."""
    return lambda t, attributes, values, found: function(
        t, *map(t.name, values), lambda number: t.array(number, found[0].arrays[0].dtype)
    )


def _reduction(operation: str) -> Callable:
    def reduce(t, attributes, values, found):
        x, axes = t.name(values[0]), t.array(np.ravel(values[1].arrays[0]), "int64")
        keep = int(bool(attributes.get("keep_dims", False)))
        return t.write(operation, x, axes, keepdims=keep, noop_with_empty_axes=1)

    return reduce


def _logical(operation: str) -> Callable:
    """Reductions of truth values, which ONNX has of numbers."""

    def reduce(t, attributes, values, found):
        number = t.write("Cast", t.name(values[0]), to=type_of("int32"))
        axes, keep = t.array(np.ravel(values[1].arrays[0]), "int64"), int(bool(attributes.get("keep_dims", False)))
        return t.write("Cast", t.write(operation, number, axes, keepdims=keep), to=type_of("bool"))

    return reduce


def _place(operation: str) -> Callable:
    def find(t, attributes, values, found):
        x = t.name(values[0])
        if values[0].arrays[0].dtype == bool:
            x = t.write("Cast", x, to=type_of("int32"))
        place = t.write(operation, x, axis=int(values[1].arrays[0]), keepdims=0)
        return t.write("Cast", place, to=type_of(attributes.get("output_type", "int64")))

    return find


def _swapped(t, value, swap):
    if not swap:
        return t.name(value)
    axes = [*range(value.rank - 2), value.rank - 1, value.rank - 2]
    return t.write("Transpose", t.name(value), perm=axes)


def _matmul(t, attributes, values, found):
    swaps = (attributes.get("transpose_a") or attributes.get("adj_x"),
             attributes.get("transpose_b") or attributes.get("adj_y"))  # fmt: skip
    return t.write("MatMul", *(_swapped(t, *pair) for pair in zip(values, swaps, strict=True)))


def _einsum(t, attributes, values, found):
    return t.write("Einsum", *map(t.name, values), equation=attributes["equation"])


def _cast(t, attributes, values, found):
    return t.write("Cast", t.name(values[0]), to=type_of(attributes["DstT"]))


def _reshape(t, attributes, values, found):
    return t.write("Reshape", t.name(values[0]), t.shape(values[1]))


def _transpose(t, attributes, values, found):
    return t.write("Transpose", t.name(values[0]), perm=values[1].arrays[0].tolist())


def _expand(t, attributes, values, found):
    return t.write("Expand", t.name(values[0]), t.shape(values[1]))


def _fill(t, attributes, values, found):
    return t.write("Expand", t.name(values[1]), t.shape(values[0]))


def _tile(t, attributes, values, found):
    return t.write("Tile", t.name(values[0]), t.shape(values[1]))


def _expand_dims(t, attributes, values, found):
    return t.write("Unsqueeze", t.name(values[0]), t.array([int(values[1].arrays[0])], "int64"))


def _squeeze(t, attributes, values, found):
    one, other = (array.shape for array in values[0].arrays)
    axes = attributes["squeeze_dims"] or [i for i, size in enumerate(one) if size == 1 == other[i]]
    return t.write("Squeeze", t.name(values[0]), t.array(axes, "int64"))


def _concatenate(t, attributes, values, found):
    return t.write("Concat", *map(t.name, values[:-1]), axis=int(values[-1].arrays[0]))


def _pack(t, attributes, values, found):
    axis = int(attributes.get("axis", 0))
    wide = [t.write("Unsqueeze", t.name(value), t.array([axis], "int64")) for value in values]
    return t.write("Concat", *wide, axis=axis)


def _unpack(t, attributes, values, found):
    x, axis = t.name(values[0]), int(attributes.get("axis", 0))
    return [t.write("Gather", x, t.array(i, "int64"), axis=axis) for i in range(len(found))]


def _split(t, attributes, values, found):
    return _pieces(t, values[1], int(values[0].arrays[0]), found)


def _split_sizes(t, attributes, values, found):
    return _pieces(t, values[0], int(values[2].arrays[0]), found)


def _pieces(t, value, axis, found):
    sizes = t.array([part.arrays[0].shape[axis] for part in found], "int64")
    if len(found) == 1:
        return [t.name(value)]
    return t.write("Split", t.name(value), sizes, outputs=len(found), axis=axis)


def _strided_slice(t, attributes, values, found):
    """Write slices of several axes, then the axes with a single index, then new axes."""
    flags = tuple(attributes.get(name, 0) for name in MASKS)
    bounds = [tuple(map(int, value.arrays[0])) for value in values[1:]]
    if bounds != [tuple(map(int, value.arrays[1])) for value in values[1:]]:
        refuse("export", "slices must not depend on the size of the batch", "one that does", error=NotExportable)
    return _index(t, t.name(values[0]), values[0].rank, strided_index(flags, *bounds))


def _index(t, x, rank, index):
    taken = sum(part is not None and part is not Ellipsis for part in index)
    at = index.index(Ellipsis) if Ellipsis in index else len(index)
    index = (*index[:at], *[slice(None)] * (rank - taken), *index[at + 1 :])
    slices, single, new, axis, place = [], [], [], 0, 0
    for part in index:
        if part is None:
            new.append(place)
        elif isinstance(part, int):
            single.append((axis, part))
        elif part != slice(None, None, 1):
            slices.append((axis, part))
        place += not isinstance(part, int)
        axis += part is not None
    if slices := [(axis, part) for axis, part in slices if part != slice(None)]:
        far = np.iinfo("int64").max
        steps = [1 if part.step is None else part.step for _, part in slices]
        starts = [(0 if step > 0 else far) if part.start is None else part.start
                  for (_, part), step in zip(slices, steps, strict=True)]  # fmt: skip
        stops = [(far if step > 0 else -far) if part.stop is None else part.stop
                 for (_, part), step in zip(slices, steps, strict=True)]  # fmt: skip
        bounds = (starts, stops, [axis for axis, _ in slices], steps)
        x = t.write("Slice", x, *(t.array(bound, "int64") for bound in bounds))
    for axis, number in reversed(single):
        x = t.write("Gather", x, t.array(number, "int64"), axis=axis)
    return t.write("Unsqueeze", x, t.array(new, "int64")) if new else x


def _slice(t, attributes, values, found):
    begin, size = (value.arrays[0].tolist() for value in values[1:])
    if [begin, size] != [value.arrays[1].tolist() for value in values[1:]]:
        refuse("export", "slices must not depend on the size of the batch", "one that does", error=NotExportable)
    parts = [slice(low, None if count < 0 else low + count) for low, count in zip(begin, size, strict=True)]
    return _index(t, t.name(values[0]), values[0].rank, tuple(parts))


def _gather(t, attributes, values, found):
    x, indices, axis = t.name(values[0]), t.name(values[1]), int(values[2].arrays[0])
    if not int(attributes.get("batch_dims", 0)):
        return t.write("Gather", x, indices, axis=axis)
    if axis != 1 or int(attributes["batch_dims"]) != 1:
        refuse("export", "a batch must be gathered from its first axis", f"axis {axis}", error=NotExportable)
    wide = t.write("Cast", t.write("Unsqueeze", indices, t.array([-1], "int64")), to=type_of("int64"))
    return t.write("GatherND", x, wide, batch_dims=1)


def _gather_nd(t, attributes, values, found):
    return t.write("GatherND", t.name(values[0]), t.write("Cast", t.name(values[1]), to=type_of("int64")))


def _pad(t, attributes, values, found):
    before, after = values[1].arrays[0].T.tolist()
    more = [t.name(values[2])] if len(values) > 2 else []
    return t.write("Pad", t.name(values[0]), t.array([*before, *after], "int64"), *more)


def _cumulative_sum(t, attributes, values, found):
    flags = {name: int(bool(attributes.get(name, False))) for name in ("exclusive", "reverse")}
    return t.write("CumSum", t.name(values[0]), t.array(int(values[1].arrays[0]), "int64"), **flags)


def _reverse(t, attributes, values, found):
    axes = np.ravel(values[1].arrays[0])
    far = np.full(len(axes), np.iinfo("int64").min)
    bounds = (np.full(len(axes), -1), far, axes, np.full(len(axes), -1))
    return t.write("Slice", t.name(values[0]), *(t.array(bound, "int64") for bound in bounds))


def _convolution(t, attributes, values, found):
    """Write a convolution; in ONNX, channels are the second axis."""
    padding = "SAME_UPPER" if attributes["padding"] == "SAME" else "VALID"
    x = t.write("Transpose", t.name(values[0]), perm=[0, 3, 1, 2])
    kernel = t.write("Transpose", t.name(values[1]), perm=[3, 2, 0, 1])
    spread = attributes.get("dilations", [1, 1, 1, 1])[1:3]
    out = t.write("Conv", x, kernel, auto_pad=padding, strides=attributes["strides"][1:3], dilations=spread)
    return t.write("Transpose", out, perm=[0, 2, 3, 1])


def _one_hot(t, attributes, values, found):
    axis, depth = attributes.get("axis", -1), int(values[1].arrays[0])
    if axis != -1:
        refuse("export", "the last axis of OneHot must be the new one", f"axis {axis}", error=NotExportable)
    wide = t.write("Unsqueeze", t.name(values[0]), t.array([-1], "int64"))
    hot = t.write("Equal", wide, t.array(np.arange(depth), values[0].arrays[0].dtype))
    return t.write("Where", hot, t.name(values[2]), t.name(values[3]))


def _sort(t, attributes, values, found):
    size = t.array([values[0].arrays[0].shape[-1]], "int64")
    return t.write("TopK", t.name(values[0]), size, outputs=2, axis=-1, largest=0, sorted=1)[0]


def _leaky(t, attributes, values, found):
    return t.write("LeakyRelu", t.name(values[0]), alpha=float(attributes.get("alpha", 0.2)))


def _bits(t, attributes, values, found):
    """Write the bits of numbers; only their sign is used."""
    return t.name(values[0])


def _sign_bit(t, attributes, values, found):
    x, mask = (next(value for value in values if (value.name is None) == constant) for constant in (False, True))
    sign = np.iinfo("int32").min
    if int(mask.arrays[0]) != sign:
        refuse("export", "only the sign bit of a number can be read", "others", error=NotExportable)
    negative = t.write("Less", x.name, t.array(0, "float32"))
    return t.write("Where", negative, t.array(sign, "int32"), t.array(0, "int32"))


WRITERS: dict[str, Callable] = {
    **{name: _same(operation) for name, operation in SAME.items()},
    "All": _logical("ReduceMin"),
    "Any": _logical("ReduceMax"),
    "ArgMax": _place("ArgMax"),
    "ArgMin": _place("ArgMin"),
    "BatchMatMulV2": _matmul,
    "Bitcast": _bits,
    "BitwiseAnd": _sign_bit,
    "BroadcastTo": _expand,
    "Cast": _cast,
    "ConcatV2": _concatenate,
    "Conv2D": _convolution,
    "Cumsum": _cumulative_sum,
    "Einsum": _einsum,
    "Erfc": _composed(lambda t, x, one: t.write("Sub", one(1), t.write("Erf", x))),
    "ExpandDims": _expand_dims,
    "Expm1": _composed(lambda t, x, one: t.write("Sub", t.write("Exp", x), one(1))),
    "Fill": _fill,
    "FloorDiv": _composed(lambda t, a, b, one: t.write("Div", a, b)),
    "GatherNd": _gather_nd,
    "GatherV2": _gather,
    "LeakyRelu": _leaky,
    "Log1p": _composed(lambda t, x, one: t.write("Log", t.write("Add", x, one(1)))),
    "MatMul": _matmul,
    "Max": _reduction("ReduceMax"),
    "Mean": _reduction("ReduceMean"),
    "Min": _reduction("ReduceMin"),
    "NotEqual": _composed(lambda t, a, b, one: t.write("Not", t.write("Equal", a, b))),
    "OneHot": _one_hot,
    "Pack": _pack,
    "Pad": _pad,
    "PadV2": _pad,
    "Prod": _reduction("ReduceProd"),
    "Relu6": _composed(lambda t, x, one: t.write("Clip", x, one(0), one(6))),
    "Reshape": _reshape,
    "ReverseV2": _reverse,
    "Rsqrt": _composed(lambda t, x, one: t.write("Reciprocal", t.write("Sqrt", x))),
    "Slice": _slice,
    "Sort": _sort,
    "Split": _split,
    "SplitV": _split_sizes,
    "Square": _composed(lambda t, x, one: t.write("Mul", x, x)),
    "SquaredDifference": _composed(lambda t, a, b, one: t.write("Mul", *[t.write("Sub", a, b)] * 2)),
    "Squeeze": _squeeze,
    "StridedSlice": _strided_slice,
    "Sum": _reduction("ReduceSum"),
    "Tile": _tile,
    "Transpose": _transpose,
    "Unpack": _unpack,
}
