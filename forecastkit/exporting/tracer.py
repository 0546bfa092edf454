"""Conversion of a stored graph to ONNX, by evaluating it for two sizes of a batch and writing down its operations.

What follows from weights and shapes alone becomes a constant, loops are unrolled, and shapes that differ between the
two evaluations are written as multiples of the size of the batch.
"""

from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from forecastkit.exporting.onnx_operations import WRITERS
from forecastkit.runtime.graph import Graph, constant_of
from forecastkit.runtime.operations import OPERATIONS, SHAPE_ONLY
from forecastkit.utils.exceptions import NotExportable
from forecastkit.utils.validation import refuse

#: Sizes of the batches that are compared.
BATCHES = (3, 5)
#: Version of the operations; onnxruntime reads it since 1.14.
OPSET, FORMAT = 18, 8
#: Operations that only the steps before and after a network have.
EXTRA = {"Sort": lambda attributes, x: np.sort(x, axis=-1)}
MOST_NODES = 200_000


class Value:
    """A tensor: its arrays for both batches, and its name in the ONNX graph; None for constants."""

    def __init__(self, arrays: tuple, name: str | None = None):
        self.arrays, self.name = arrays, name

    @classmethod
    def constant(cls, array: Any) -> "Value":
        """Return a value that is the same array for both batches."""
        return cls((np.asarray(array),) * 2)

    @property
    def rank(self) -> int:
        """Number of axes."""
        return self.arrays[0].ndim


class Tracer:
    """Evaluates operations by their TensorFlow names, and writes those that depend on inputs to an ONNX graph."""

    def __init__(self):
        self.nodes, self.initializers, self.inputs, self._names, self._count = [], [], [], {}, 0
        self._batch = None

    # -------------------------------------------------------------------------------------- writing

    def input(self, name: str, shape: tuple, dtype: str, sample: Any) -> Value:
        """An input (batch, *shape) of the graph; `sample` gives a batch of a size for the evaluation."""
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        self.inputs.append(helper.make_tensor_value_info(name, kind, ["batch", *shape]))
        return Value(tuple(np.asarray(sample(count), dtype) for count in BATCHES), name)

    def write(self, operation: str, *names: str, outputs: int = 1, **attributes: Any) -> Any:
        """Add a node and return its output, or the tuple of its outputs."""
        self._count += 1
        if self._count > MOST_NODES:
            refuse("export", f"the graph must have at most {MOST_NODES:,} operations", "more", error=NotExportable)
        made = [f"{operation}_{self._count}_{i}" if i else f"{operation}_{self._count}" for i in range(outputs)]
        self.nodes.append(helper.make_node(operation, list(names), made, **attributes))
        return made[0] if outputs == 1 else tuple(made)

    def array(self, array: Any, dtype: str | None = None) -> str:
        """Return the name of a constant."""
        array = np.ascontiguousarray(np.asarray(array, dtype)).reshape(np.shape(array))
        key = array.dtype.str, array.shape, array.tobytes()
        if key not in self._names:
            self._names[key] = f"constant_{len(self._names)}"
            self.initializers.append(numpy_helper.from_array(array, self._names[key]))
        return self._names[key]

    def name(self, value: Value) -> str:
        """Return the name of a value; a value without a name is written as a constant first."""
        if value.name is None:
            one, other = value.arrays
            if one.shape == other.shape and one.tobytes() == other.tobytes():
                return self.array(one)
            return self._expanded(one, other)
        return value.name

    def _expanded(self, one, other):
        """The name of a constant that is the same for every window of a batch: along one axis, or blocks along it."""
        rule = "a constant must be the same for every window of a batch"
        axes = [axis for axis, (low, high) in enumerate(zip(one.shape, other.shape, strict=False)) if low != high]
        if one.ndim != other.ndim or len(axes) != 1 or one.shape[axes[0]] % BATCHES[0]:
            refuse("export", rule, f"shapes {one.shape} and {other.shape}", error=NotExportable)
        axis, before, after = axes[0], one.shape[: axes[0]], one.shape[axes[0] + 1 :]
        block = one.shape[axis] // BATCHES[0]
        if other.shape[axis] != block * BATCHES[1]:
            refuse("export", rule, f"shapes {one.shape} and {other.shape}", error=NotExportable)
        wide = [
            array.reshape(*before, count, block, *after) for array, count in zip((one, other), BATCHES, strict=True)
        ]
        first = wide[0].take([0], axis)
        # Products of equal rows can differ by rounding.
        rounding = 4e-6 * np.max(np.abs(first), initial=0.0, where=np.isfinite(first))
        if not all(np.allclose(array, first, 0, rounding, equal_nan=True) for array in wide):
            refuse("export", rule, "one that differs between them", error=NotExportable)
        shapes = Value(tuple(np.array(array.shape) for array in wide))
        name = self.write("Expand", self.array(first), self.shape(shapes))
        return self.write("Reshape", name, self.array([*before, -1, *after], "int64"))

    def shape(self, value: Value) -> str:
        """Return the name of an int64 vector of dimensions, some of which may be multiples of the batch size."""
        one, other = (np.asarray(array).tolist() for array in value.arrays)
        if value.name is not None or len(one) != len(other):
            refuse("export", "shapes must not depend on values", "one that does", error=NotExportable)
        if one == other:
            return self.array(one, "int64")
        parts = []
        for low, high in zip(one, other, strict=True):
            if low == high:
                parts.append(self.array([low], "int64"))
            elif low * BATCHES[1] == high * BATCHES[0]:
                factor = self.array([low // BATCHES[0]], "int64")
                parts.append(self.batch if low == BATCHES[0] else self.write("Mul", self.batch, factor))
            else:
                refuse("export", "shapes must be multiples of the batch's size", f"{low}", error=NotExportable)
        return self.write("Concat", *parts, axis=0)

    @property
    def batch(self) -> str:
        """Return the batch size as a vector of one element."""
        if self._batch is None:
            shape = self.write("Shape", self.inputs[0].name)
            self._batch = self.write("Gather", shape, self.array([0], "int64"), axis=0)
        return self._batch

    def model(self, outputs: dict[str, tuple[Value, tuple]], producer: str) -> onnx.ModelProto:
        """Return the ONNX model. `outputs` maps names to values and their shapes without the batch axis."""
        declared = []
        for name, (value, shape) in outputs.items():
            kind = helper.np_dtype_to_tensor_dtype(value.arrays[0].dtype)
            self.nodes.append(helper.make_node("Identity", [self.name(value)], [name]))
            declared.append(helper.make_tensor_value_info(name, kind, ["batch", *shape]))
        graph = helper.make_graph(self.nodes, "forecast", self.inputs, declared, self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name=producer)
        model.ir_version = FORMAT
        onnx.checker.check_model(model)
        return model

    # -------------------------------------------------------------------------------------- evaluating

    def __call__(self, operation: str, *values: Any, **attributes: Any) -> Any:
        """Return the result of an operation, given by its TensorFlow name, on values or arrays."""
        return self._apply(operation, attributes, [v if isinstance(v, Value) else Value.constant(v) for v in values])

    def _apply(self, operation, attributes, values):
        function = EXTRA.get(operation) or OPERATIONS[operation]
        with np.errstate(all="ignore"):
            arrays = [function(attributes, *(value.arrays[i] for value in values)) for i in range(len(BATCHES))]
        several = isinstance(arrays[0], tuple)
        parts = list(zip(*arrays, strict=True)) if several else [tuple(arrays)]
        found = [Value(tuple(map(np.asarray, part))) for part in parts]
        if operation not in SHAPE_ONLY and any(value.name is not None for value in values):
            if operation not in WRITERS:
                refuse("export", "a network must have operations of ONNX only", repr(operation), error=NotExportable)
            names = WRITERS[operation](self, attributes, values, found)
            for value, name in zip(found, names if several else [names], strict=True):
                value.name = name
        return tuple(found) if several else found[0]

    def run(self, graph: Graph, inputs: dict, weights: list[np.ndarray]) -> list:
        """Return the outputs of a stored graph for inputs by name."""
        values: list[Any] = []
        for node in graph.nodes:
            given = [values[place][output] if isinstance(values[place], tuple) else values[place]
                     for place, output in node.inputs]  # fmt: skip
            if node.operation == "Input":
                values.append(inputs[node.attributes["name"]])
            elif node.operation == "Weight":
                values.append(Value.constant(weights[node.attributes["index"]]))
            elif node.operation == "Constant":
                values.append(Value.constant(constant_of(node, graph.constants)))
            elif node.operation == "While":
                values.append(tuple(self._loop(graph, node, given)))
            elif node.operation.startswith("TensorList"):
                values.append(self._list(node.operation, given))
            else:
                values.append(self._apply(node.operation, node.attributes, given))
        return [values[place][output] if isinstance(values[place], tuple) else values[place]
                for place, output in graph.outputs]  # fmt: skip

    def _loop(self, graph, node, state):
        condition, body = (graph.functions[node.attributes[name]] for name in ("cond", "body"))
        while True:
            (again,) = self.run(condition, dict(enumerate(state)), [])
            if again.name is not None:
                refuse("export", "loops must have a fixed number of passes", "another", error=NotExportable)
            if not again.arrays[0]:
                return state
            state = self.run(body, dict(enumerate(state)), [])

    def _list(self, operation, given):
        """Return a list of tensors, or the tensor if there is one."""
        first = given[0]
        if operation == "TensorListFromTensor":
            return [self("GatherV2", first, np.int32(i), np.int32(0)) for i in range(len(first.arrays[0]))]
        if operation == "TensorListReserve":
            return [None] * int(given[1].arrays[0])
        if operation == "TensorListStack":
            return self("Pack", *first)
        place = int(given[1].arrays[0])
        return first[place] if operation == "TensorListGetItem" else [*first[:place], given[2], *first[place + 1 :]]
