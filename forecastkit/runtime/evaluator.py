"""Evaluation of a stored graph by NumPy."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter

import numpy as np

from forecastkit.runtime.graph import Graph, constant_of
from forecastkit.runtime.operations import (
    ALLOCATING,
    ELEMENTWISE,
    OPERATIONS,
    OVERWRITING,
    SHAPE_INPUTS,
    SHAPE_ONLY,
    WRITING,
    StridedSlice,
)
from forecastkit.utils.exceptions import ArtifactError
from forecastkit.utils.validation import refuse

#: Number of sets of input shapes whose fixed values are cached.
MAX_PLANS = 4
#: Largest number of iterations of a loop.
MAX_ITERATIONS = 10_000_000


class Evaluator:
    """A graph as a function of its inputs.

    Values that depend only on the weights and on the shapes of the inputs are computed in the first call with these
    shapes and cached. Calls from several threads are safe.

    Parameters
    ----------
    graph : Graph
    weights : list of ndarray
        In the order of the Keras model.
    """

    def __init__(self, graph: Graph, weights: list[np.ndarray]):
        if len(weights) < graph.weights:
            rule = f"a graph that reads {graph.weights} weights must come with them"
            refuse("load", rule, f"{len(weights)} weights", error=ArtifactError)
        self.program, self.weights = Program(graph), [np.asarray(weight) for weight in weights]
        self.plans: dict[tuple, Plan] = {}

    def __call__(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        """Return the output of the network for a batch of inputs by name."""
        shapes = tuple(inputs[name].shape for name in self.program.inputs)
        plan = self.plans.get(shapes)
        # As TensorFlow does, computations with infinities and NaN issue no warnings.
        with np.errstate(all="ignore"):
            if plan is None:
                plan, _ = self.program.first_run(inputs, self.weights)
                if len(self.plans) >= MAX_PLANS:
                    self.plans = {}
                self.plans[shapes] = plan
            return self.program.run(plan, inputs)[0]

    def release(self) -> None:
        """Release the memory that is kept for further calls."""
        for plan in list(self.plans.values()):  # other threads may add one meanwhile
            plan.buffers.clear()


@dataclass
class Plan:
    """How a program runs with inputs of some shapes.

    Results that no output contains are written to buffers, which are kept between runs: the C library returns large
    arrays of the main thread to the operating system, and new ones take longer than the arithmetic.

    Parameters
    ----------
    fixed : list
        Values of the nodes that are fixed, None for the others.
    steps : list of tuple
        Index, function and inputs of a node, the values that can be released after it, and the number of the buffer of
        its result or None.
    forms : list of tuple
        Shapes and types of the buffers.
    buffers : list of list of ndarray
        Those of runs that have ended; each run in progress has its own.
    """

    fixed: list
    steps: list
    forms: list
    buffers: list = field(default_factory=list)

    def take(self) -> list[np.ndarray]:
        """Return the buffers of a run."""
        try:
            return self.buffers.pop()  # safe in several threads, unlike a test before it
        except IndexError:
            return [np.empty(*form) for form in self.forms]


class Program:
    """A graph as a sequence of calls.

    A value is fixed if it depends only on weights, constants and the shapes of the inputs. In the body of a loop, the
    inputs that every iteration returns unchanged are fixed too.

    Parameters
    ----------
    graph : Graph
    fixed_inputs : set, optional
        Names of inputs that are fixed.
    """

    def __init__(self, graph: Graph, fixed_inputs=frozenset()):
        self.graph, self.fixed_inputs = graph, fixed_inputs
        self.inputs = {n.attributes["name"]: i for i, n in enumerate(graph.nodes) if n.operation == "Input"}
        self.is_fixed, has_fixed_shape = [], []
        for node in graph.nodes:
            shape = all(has_fixed_shape[i] for i, _ in node.inputs)
            shape &= all(self.is_fixed[node.inputs[i][0]] for i in SHAPE_INPUTS.get(node.operation, ()))
            if node.operation == "Input":
                fixed = node.attributes["name"] in fixed_inputs
            elif node.operation in SHAPE_ONLY:
                fixed = shape
            else:
                fixed = all(self.is_fixed[i] for i, _ in node.inputs)
            self.is_fixed.append(fixed)
            has_fixed_shape.append(shape or fixed)
        self.calls = [self._call(node) for node in graph.nodes]
        self.all_steps = self._schedule(range(len(graph.nodes)))
        self.steps = self._schedule([i for i, fixed in enumerate(self.is_fixed) if not fixed])
        self.last_reads = self._last_reads()

    def _call(self, node):
        """Return the function that computes a node; None for inputs, weights and constants."""
        if node.operation == "While":
            condition, body = (self.graph.functions[node.attributes[name]] for name in ("cond", "body"))
            return Loop(condition, body)
        if node.operation in ELEMENTWISE:
            return ELEMENTWISE[node.operation]
        if node.operation == "StridedSlice":
            return StridedSlice(node.attributes)
        if node.operation in OPERATIONS:
            return partial(OPERATIONS[node.operation], node.attributes)
        return None

    def _schedule(self, places):
        """Return index, function and inputs of each node, and the values that can be released after it."""
        last = {}
        for place in places:
            for source, _ in self.graph.nodes[place].inputs:
                last[source] = place
        kept = {source for source, _ in self.graph.outputs}
        done = {}
        for source, place in last.items():
            if source not in kept and not self.is_fixed[source]:
                done.setdefault(place, []).append(source)
        several = {i for i, node in enumerate(self.graph.nodes) if node.operation in SEVERAL}
        steps = []
        for place in places:
            if (call := self.calls[place]) is not None:
                sources = [(i, output if i in several else None) for i, output in self.graph.nodes[place].inputs]
                steps.append((place, call, _reader(sources), done.get(place, ())))
        self.read_outputs = _reader([(i, output if i in several else None) for i, output in self.graph.outputs])
        return steps

    def _last_reads(self):
        """Return, for each new array that no output contains, the last node that reads its memory."""
        held, last = [], {}  # arrays whose memory a value may share
        for place, node in enumerate(self.graph.nodes):
            is_new = node.operation in ALLOCATING and not self.is_fixed[place]
            inputs = frozenset().union(*(held[source] for source, _ in node.inputs))
            held.append(frozenset([place]) if is_new else inputs)
            last.update(dict.fromkeys(inputs | held[place], place))
        for source, _ in self.graph.outputs:
            for array in held[source]:
                last.pop(array, None)
        return last

    def first_run(self, inputs, weights) -> tuple[Plan, list]:
        """Return the plan of further runs with inputs of these shapes, and the outputs of this one."""
        values = self._given(inputs, weights)
        # All nodes are computed once, because a value that is not fixed may have a fixed shape.
        for place, call, read, _ in self.all_steps:
            values[place] = call(*read(values))
        kept = [value if fixed else None for value, fixed in zip(values, self.is_fixed, strict=True)]
        buffers, forms = self._buffers(values)
        steps = [(place, *rest, buffers.get(place)) for place, *rest in self.steps]
        return Plan(kept, steps, forms), list(self.read_outputs(values))

    def _buffers(self, values) -> tuple[dict[int, int], list]:
        """Return the number of the buffer of each result that has one, and shapes and types of the buffers.

        A result takes the buffer of an operand that is not read again, if the operation can overwrite it, or the one
        that was released last, which is in the processor's cache.
        """
        buffers, forms, unused, ending = {}, [], defaultdict(list), defaultdict(list)
        for array, place in self.last_reads.items():
            ending[place].append(array)
        for place, *_ in self.steps:
            node, result, taken = self.graph.nodes[place], values[place], None
            if place in self.last_reads and node.operation in WRITING and isinstance(result, np.ndarray):
                form = result.shape, result.dtype
                operands = {source for source, _ in node.inputs} & set(ending[place]) & buffers.keys()
                if node.operation in OVERWRITING:
                    taken = next((buffers[i] for i in operands if forms[buffers[i]] == form), None)
                if taken is None and unused[form]:
                    taken = unused[form].pop()
                if taken is None:
                    taken = len(forms)
                    forms.append(form)
                buffers[place] = taken
            for array in ending[place]:
                if array in buffers and (array == place or buffers[array] != taken):
                    unused[forms[buffers[array]]].append(buffers[array])
        return buffers, forms

    def _given(self, inputs, weights):
        values = []
        for node in self.graph.nodes:
            if node.operation == "Input":
                values.append(inputs[node.attributes["name"]])
            elif node.operation == "Weight":
                values.append(weights[node.attributes["index"]])
            else:
                values.append(constant_of(node, self.graph.constants) if node.operation == "Constant" else None)
        return values

    def run(self, plan: Plan, inputs: dict) -> list:
        """Return the outputs."""
        values, buffers = plan.fixed.copy(), plan.take()
        for name, place in self.inputs.items():
            values[place] = inputs[name]
        for place, call, read, done, buffer in plan.steps:
            operands = read(values)
            values[place] = call(*operands) if buffer is None else call(*operands, out=buffers[buffer])
            for source in done:
                values[source] = None
        plan.buffers.append(buffers)
        return list(self.read_outputs(values))


#: Operations with several outputs.
SEVERAL = frozenset({"Split", "SplitV", "Unpack", "While"})


def _reader(sources) -> Callable[[list], Sequence]:
    """Return a fast function from the values of all nodes to those of some."""
    if any(output is not None for _, output in sources):
        return lambda values: [values[i] if output is None else values[i][output] for i, output in sources]
    if len(sources) > 1:
        return itemgetter(*(i for i, _ in sources))
    return lambda values: [values[i] for i, _ in sources]


class Loop:
    """A while loop, whose invariant values are computed once for all iterations."""

    def __init__(self, condition: Graph, body: Graph):
        places = {i: node.attributes["name"] for i, node in enumerate(body.nodes) if node.operation == "Input"}
        same = {number for number, (source, _) in enumerate(body.outputs) if places.get(source) == number}
        self.condition, self.body = Program(condition), Program(body, frozenset(same))

    def __call__(self, *state):
        given = dict(enumerate(state))
        condition, (again, *_) = self.condition.first_run(given, ())
        if not again:
            return state
        body, state = self.body.first_run(given, ())
        for _ in range(MAX_ITERATIONS):
            given = dict(enumerate(state))
            if not self.condition.run(condition, given)[0]:
                return tuple(state)
            state = self.body.run(body, given)
        return refuse("predict", "a loop of the network must end", f"{MAX_ITERATIONS} iterations", error=ArtifactError)
