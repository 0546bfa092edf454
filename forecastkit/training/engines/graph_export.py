"""The graph of a traced TensorFlow function, as `forecastkit.runtime` stores and evaluates it."""

import numpy as np
import tensorflow as tf

from forecastkit.runtime.graph import DTYPES, Graph, Node, constant
from forecastkit.runtime.operations import OPERATIONS

#: Operations whose output is their input.
ALIASES = ("Identity", "IdentityN", "PreventGradient", "ReadVariableOp", "Snapshot", "StopGradient")
#: Constants of up to this size are written out in the graph.
WRITTEN_OUT = 32
WHILE = ("StatelessWhile", "While")
#: Attributes that do not change a value, or that are determined by the values.
LEFT_OUT = {"T", "Tidx", "Tshape", "Tpaddings", "Tindices", "Tparams", "Taxis", "dtype", "N", "Index", "Tlen", "Tdim",
            "Tperm", "Tmultiples", "TI", "Toutput_types", "SrcT", "element_dtype", "shape_type", "out_idx",
            "explicit_paddings", "use_cudnn_on_gpu", "num", "Tin", "Tout", "parallel_iterations", "output_shapes",
            "Truncate", "grad_x", "grad_y", "grad_a", "grad_b", "validate_shape", "Tcomplex"}  # fmt: skip


class NoNumpyForm(Exception):
    """A network has an operation or a data type that `forecastkit.runtime` does not have."""


def numpy_graph(function: "tf.types.experimental.ConcreteFunction", variables: list) -> Graph:
    """Return the graph of a function of one dict of tensors; weights are positions in `variables`."""
    definition = function.graph.as_graph_def()
    held = {id(variable.value.handle): place for place, variable in enumerate(variables)}
    given = {}
    for outer, inner in function.graph.captures:
        if id(outer) in held:
            given[inner.op.name] = Node("Weight", [], {"index": held[id(outer)]})
        elif outer.dtype == tf.resource:
            raise NoNumpyForm("a variable that is not a weight of the network")
        else:
            given[inner.op.name] = outer.numpy()
    names = sorted(function.structured_input_signature[0][0])
    captured = {inner.op.name for _, inner in function.graph.captures}
    own = [tensor.op.name for tensor in function.inputs if tensor.op.name not in captured]
    given.update((inner, Node("Input", [], {"name": name})) for inner, name in zip(own, names, strict=True))
    (output,) = function.outputs
    library = {item.signature.name: item for item in definition.library.function}
    return Conversion(definition.node, given, library).graph([output.name])


class Conversion:
    """Conversion of one function to a graph; `given` are the nodes or arrays of its arguments."""

    def __init__(self, nodes, given, library):
        self.definitions, self.given, self.library = {node.name: node for node in nodes}, given, library
        self.nodes, self.constants, self.functions, self.places = [], [], [], {}

    def graph(self, outputs: list[str]) -> Graph:
        """Return the nodes that the outputs depend on."""
        return Graph(self.nodes, [self._place(name) for name in outputs], self.constants, self.functions)

    def _place(self, name):
        """Return the node of the value `name`, and the number of its output."""
        waiting = [name]
        while waiting:  # an explicit stack: chains of nodes can be longer than the recursion limit
            first, number = _parts(waiting[-1])
            node = self.definitions.get(first)
            needed = [] if first in self.given or node is None else [n for n in node.input if not n.startswith("^")]
            if node is not None and node.op == "IdentityN":
                needed = [needed[number]]
            missing = [n for n in needed if self._key(n) not in self.places]
            if missing and self._key(waiting[-1]) not in self.places:
                waiting += missing
                continue
            self._make(waiting.pop(), node, needed)
        return self.places[self._key(name)]

    def _key(self, name):
        return _parts(name)

    def _make(self, name, node, needed):
        first, number = key = _parts(name)
        if key in self.places:
            return
        if node is not None and node.op in ALIASES and first not in self.given:
            self.places[key] = self.places[self._key(needed[0])]
            return
        if (first, "node") not in self.places:
            self.places[first, "node"] = len(self.nodes)
            self.nodes.append(self._node(first, node, needed))
        self.places[key] = (self.places[first, "node"], number)

    def _node(self, name, node, needed):
        if name in self.given:
            value = self.given[name]
            return value if isinstance(value, Node) else self._constant(value)
        if node.op == "Const":
            return self._constant(tf.make_ndarray(node.attr["value"].tensor))
        inputs = [self.places[self._key(n)] for n in needed]
        if node.op in WHILE:
            return Node("While", inputs, {part: self._function(node.attr[part].func.name) for part in ("cond", "body")})
        if node.op not in OPERATIONS:
            raise NoNumpyForm(f"operation {node.op!r}")
        kept = [name for name in node.attr if name not in LEFT_OUT and not name.startswith("_")]
        attributes = {name: _attribute(node.attr[name]) for name in kept}
        if node.op == "Cast" and attributes["DstT"] not in DTYPES:
            raise NoNumpyForm(f"numbers of type {attributes['DstT']}")
        return Node(node.op, inputs, {name: value for name, value in attributes.items() if value is not None})

    def _constant(self, value):
        if value.dtype.name not in DTYPES:
            raise NoNumpyForm(f"numbers of type {value.dtype.name}")
        if value.size <= WRITTEN_OUT and np.isfinite(value).all():
            return constant(value)
        self.constants.append(value)
        return Node("Constant", [], {"place": len(self.constants) - 1})

    def _function(self, name):
        body = self.library[name]
        arguments = [argument.name for argument in body.signature.input_arg]
        given = {argument: Node("Input", [], {"name": number}) for number, argument in enumerate(arguments)}
        inner = Conversion(body.node_def, given, self.library)
        # Arguments are numbered, so unused ones have a node too.
        for argument in arguments:
            inner._place(argument)
        self.functions.append(inner.graph([body.ret[out.name] for out in body.signature.output_arg]))
        return len(self.functions) - 1


def _parts(name):
    """Return node and output number of a name: 'node', 'node:1', or inside functions 'node:output:1'."""
    first, *rest = name.split(":")
    return first, int(rest[-1]) if rest else 0


def _attribute(value):
    """Return an attribute as JSON; None if it is not a number, text or list of them."""
    kind = value.WhichOneof("value")
    if kind == "type":
        return tf.dtypes.as_dtype(value.type).name
    if kind == "s":
        return value.s.decode()
    if kind == "list":
        return [int(item) for item in value.list.i]
    return getattr(value, kind) if kind in ("i", "f", "b") else None
