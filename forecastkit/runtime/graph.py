"""The graph of a network: its operations, their inputs, constants and references to weights."""

from dataclasses import dataclass, field

import numpy as np

from forecastkit.runtime.operations import OPERATIONS, STRUCTURE
from forecastkit.utils.exceptions import ArtifactError
from forecastkit.utils.validation import refuse

#: Types of constants and of casts.
DTYPES = ("float32", "float64", "int32", "int64", "bool")


@dataclass(frozen=True)
class Node:
    """One operation."""

    operation: str  #: A key of `OPERATIONS`, or 'Input', 'Weight', 'Constant' or 'While'
    inputs: list  #: Index of a node of the graph and of one of its outputs
    attributes: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Graph:
    """Operations in topological order.


    Raises
    ------
    ArtifactError
        If an operation is unknown, or a node reads a later one. Only the operations in `OPERATIONS` are ever executed.
    """

    nodes: list
    outputs: list  #: As the inputs of a node
    constants: list
    functions: list = field(default_factory=list)  #: Conditions and bodies of loops, whose inputs are numbered

    def __post_init__(self):
        nodes = [node if isinstance(node, Node) else _unpack(*node) for node in self.nodes]
        object.__setattr__(self, "nodes", nodes)
        object.__setattr__(self, "outputs", [_source(source) for source in self.outputs])
        for place, node in enumerate(nodes):
            if node.operation not in OPERATIONS and node.operation not in STRUCTURE:
                _refuse(f"one with the unknown operation {node.operation!r}")
            if any(not 0 <= source < place for source, _ in node.inputs):
                _refuse(f"one whose node {place} ({node.operation}) reads a later one")
        if any(not 0 <= source < len(nodes) for source, _ in self.outputs):
            _refuse("one whose output is not a node")
        if any(array.dtype.name not in DTYPES for array in self.constants):
            _refuse(f"one with constants of other types than {', '.join(DTYPES)}")

    def _state(self) -> dict:
        """Return the fields as lists, for the file of a model."""
        return {
            "nodes": [_pack(node) for node in self.nodes],
            "outputs": [list(source) for source in self.outputs],
            "constants": list(self.constants),
            "functions": list(self.functions),
        }

    @property
    def weights(self) -> int:
        """Smallest number of weights that the graph needs."""
        return 1 + max((n.attributes["index"] for n in self.nodes if n.operation == "Weight"), default=-1)


def constant(value: np.ndarray) -> Node:
    """Return a small constant that is stored in the graph itself, because many small arrays are slow to read."""
    value = np.asarray(value)
    return Node("Constant", [], {"type": value.dtype.name, "shape": list(value.shape), "of": value.ravel().tolist()})


def constant_of(node: Node, constants: list) -> np.ndarray:
    """Return the value of a 'Constant' node."""
    if "place" in node.attributes:
        return constants[node.attributes["place"]]
    return np.array(node.attributes["of"], dtype=node.attributes["type"]).reshape(node.attributes["shape"])


def _pack(node):
    """Return a node as JSON; an input is an index, with that of the output unless it is the first."""
    inputs = [[place, output] if output else place for place, output in node.inputs]
    return [node.operation, inputs, node.attributes] if node.attributes else [node.operation, inputs]


def _unpack(operation, inputs, attributes=None):
    return Node(operation, [_source(source) for source in inputs], attributes or {})


def _source(source):
    return (source, 0) if isinstance(source, int) else tuple(source)


def _refuse(got: str) -> None:
    refuse("load", "the graph of a network must be one that this version can evaluate", got, error=ArtifactError)
