"""Networks evaluated by NumPy: equal to TensorFlow's, whatever the backbone, the inputs and the head."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import ROTATED_BACKBONES, in_rotation
from keras import ops

from forecastkit.data.windows import Buffers, Origins
from forecastkit.networks import backbones
from forecastkit.networks.backbone import Backbone, Sizes
from forecastkit.networks.heads import LOSSES, make_head
from forecastkit.networks.network import Network
from forecastkit.runtime.evaluator import Evaluator
from forecastkit.runtime.graph import Graph, constant
from forecastkit.runtime.operations import ELEMENTWISE
from forecastkit.training.engines.graph_export import NoNumpyForm, numpy_graph
from forecastkit.training.engines.tensorflow import TensorFlowEngine
from forecastkit.training.trained_network import NUMPY_BATCH, TrainedNetwork
from forecastkit.utils.exceptions import ArtifactError

#: Everything that a window can bring: two covariates, a calendar, categories, series, missing values.
WHOLE = Sizes(12, 5, 4, past=1, known=1, calendar=3, static=2, series=3, masked=True, events=1,
              codes=(("known", 4), ("static", 5)))  # fmt: skip
TINY = {"units": 8}


def windows(sizes, count, rng):
    """Inputs of so many windows, a fifth of the target missing where it may be, and one window without any."""
    given = {}
    for name, (shape, dtype) in sizes.inputs.items():
        if dtype == "int32":
            most = sizes.series if name == "series" else min(sizes.code_counts(name.removesuffix("_codes")))
            given[name] = rng.integers(0, most, (count, *shape)).astype("int32")
        else:
            given[name] = rng.normal(2.0, 3.0, (count, *shape)).astype("float32")
    if sizes.masked:
        given["target"][rng.random(given["target"].shape) < 0.2] = np.nan
        given["target"][0] = np.nan
    return given


def engine_of(backbone, sizes, loss="mae", levels=None, normalization=None):
    """An engine whose weights are all random, also those that start at zero."""
    head = make_head(loss, levels)
    network = Network(backbone, replace(sizes, unit=head.needs_unit), head, normalization or head.normalization)
    rng = np.random.default_rng(1)
    network.set_weights(
        [w + rng.normal(0, 0.2, w.shape).astype(w.dtype) if w.dtype == "float32" else w for w in network.get_weights()]
    )
    return TensorFlowEngine(network, head)


def assert_equal(engine, graph, counts=(1, 4, 1)):
    rng = np.random.default_rng(2)
    call = Evaluator(graph, engine.network.get_weights())
    for count in counts:
        given = windows(engine.sizes, count, rng)
        expected = engine.predict_step({name: tf.constant(values) for name, values in given.items()}).numpy()
        got = call(given)
        assert (got.shape, got.dtype) == (expected.shape, expected.dtype)
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("name", in_rotation(backbones.names(), ROTATED_BACKBONES))
def test_every_network_equals_tensorflow_with_all_inputs(name):
    engine = engine_of(backbones.find(name)(**TINY), WHOLE, levels=(0.1, 0.5, 0.9))
    graph = engine.numpy_graph()
    # As it comes back from a file.
    assert_equal(engine, Graph(**graph._state()))


@pytest.mark.parametrize("loss", LOSSES)
def test_every_head_equals_tensorflow(loss):
    engine = engine_of(backbones.find("rnn")(**TINY), Sizes(8, 3, 2, masked=True), loss=loss)
    assert_equal(engine, engine.numpy_graph())


@pytest.mark.parametrize(
    ("name", "options", "sizes"),
    [
        ("lstm", {"bidirectional": True, "layers": 2}, Sizes(9, 3, 1)),
        ("transformer", {"positions": "rotary"}, Sizes(12, 4, 4)),
        ("inverted_transformer", {}, Sizes(8, 3, 2, channels=3, series=6)),
        ("gru", {}, Sizes(9, 3, 2, channels=2, known=1)),
        ("rnn", {}, Sizes(12, 4, 4, masked=True, linear=True)),
    ],
)
@pytest.mark.parametrize("normalization", in_rotation(["standard", "none"], ["none"]))
def test_options_and_channels_equal_tensorflow(name, options, sizes, normalization):
    engine = engine_of(backbones.find(name)(**TINY, **options), sizes, normalization=normalization)
    assert_equal(engine, engine.numpy_graph())


class OwnLayer(keras.layers.Layer):
    """Operations that no network of the library has."""

    def build(self, past_shape, future_shape):
        self.pick = self.add_weight(name="pick", shape=(past_shape[-1], past_shape[-1]))

    def call(self, past, future, mask=None, training=None):
        best = ops.max(past, axis=1, keepdims=True) - ops.min(ops.abs(past), axis=1, keepdims=True)
        return ops.sin(future) + ops.matmul(ops.log1p(ops.square(best)), self.pick)


class Sorting(OwnLayer):
    def call(self, past, future, mask=None, training=None):
        return future + ops.sort(past, axis=1)[:, -1:]


class Own(Backbone):
    layer = OwnLayer

    def build(self):
        return self.layer()


class OwnSorting(Own):
    layer = Sorting


def test_own_backbones_equal_tensorflow():
    engine = engine_of(Own(), Sizes(8, 3, 2))
    assert_equal(engine, engine.numpy_graph())


@pytest.mark.parametrize("wrong", [np.sin, lambda x: x[0, 0, 0, 0]])
def test_a_graph_that_forecasts_otherwise_is_not_stored(monkeypatch, wrong):
    engine = engine_of(backbones.find("rnn")(**TINY), Sizes(6, 3, 2))
    monkeypatch.setitem(ELEMENTWISE, "Tanh", wrong)
    assert numpy_graph(engine.predict_step, engine.network.weights) is not None
    assert engine.numpy_graph() is None


def test_an_operation_without_a_numpy_form_is_named():
    engine = engine_of(OwnSorting(), Sizes(8, 3, 2))
    assert engine.numpy_graph() is None
    with pytest.raises(NoNumpyForm, match="operation 'TopKV2'"):
        numpy_graph(engine.predict_step, engine.network.weights)


def test_fixed_values_are_those_of_each_batch_size():
    engine = engine_of(backbones.find("gru")(**TINY), WHOLE)
    assert_equal(engine, engine.numpy_graph(), counts=(1, 2, 3, 4, 5, 6, 1, 6))


def test_threads_do_not_disturb_each_other():
    engine = engine_of(backbones.find("gru")(**TINY), WHOLE)
    call, rng = Evaluator(engine.numpy_graph(), engine.network.get_weights()), np.random.default_rng(3)
    batches = [windows(engine.sizes, count, rng) for count in range(1, 8)]
    alone = [Evaluator(engine.numpy_graph(), engine.network.get_weights())(batch) for batch in batches]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(call, batches * 5))
    for got, expected in zip(found, alone * 5, strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    ("nodes", "named"),
    [
        ([["os.system", []]], "os.system"),
        ([["Neg", [0]]], "reads a later one"),
        ([["Input", [], {"name": "target"}], ["Neg", [[7, 0]]]], "reads a later one"),
    ],
)
def test_foreign_graphs_are_refused(nodes, named):
    with pytest.raises(ArtifactError, match=named):
        Graph(nodes, [0], [])


def test_a_graph_without_its_weights_is_refused():
    with pytest.raises(ArtifactError, match="reads 3 weights"):
        Evaluator(Graph([["Weight", [], {"index": 2}]], [0], []), [np.zeros(1)])


def test_a_loop_computes_what_its_passes_do():
    """Triangular numbers: (i, sum, n) -> (i + 1, sum + i, n) while i < n, where n is handed on as it is."""
    names = [["Input", [], {"name": number}] for number in range(3)]
    condition = Graph([*names, ["Less", [0, 2]]], [3], [])
    one = constant(np.int32(1))
    body = Graph([*names, [one.operation, [], one.attributes], ["Add", [0, 3]], ["Add", [1, 0]]], [4, 5, 2], [])
    given = [["Input", [], {"name": name}] for name in "isn"]
    graph = Graph([*given, ["While", [0, 1, 2], {"cond": 0, "body": 1}]], [[3, 1]], [], [condition, body])
    call = Evaluator(graph, [])
    for n in (0, 1, 5):
        assert call({"i": np.int32(0), "s": np.int32(0), "n": np.int32(n)}) == n * (n - 1) // 2


def test_results_share_few_arrays_which_no_output_contains(monkeypatch):
    """Of (exp(x) - rows) * exp(x) + tanh(-x), where exp(x) is read twice, and of its transposed sigmoid."""
    names = [["Input", [], {"name": name}] for name in ("x", "rows", "axes")]
    steps = [["Exp", [0]], ["Sub", [3, 1]], ["Mul", [4, 3]], ["Neg", [0]], ["Tanh", [6]], ["AddV2", [5, 7]]]
    graph = Graph([*names, *steps, ["Sigmoid", [8]], ["Transpose", [9, 2]], ["Sub", [10, 9]], ["Transpose", [11, 2]]],
                  [12], [])  # fmt: skip
    written = []
    for operation in ("Exp", "Sub", "Mul", "Neg", "Tanh", "AddV2", "Sigmoid"):
        function = ELEMENTWISE[operation]

        def call(*values, out=None, function=function):
            written.append(out)
            return function(*values, out=out)

        monkeypatch.setitem(ELEMENTWISE, operation, call)
    rng = np.random.default_rng(0)
    evaluate, results, rows = Evaluator(graph, []), [], rng.normal(size=(1, 4)).astype("float32")
    for _ in range(3):
        x = rng.normal(size=(4, 4)).astype("float32")
        given = {"x": x.copy(), "rows": rows, "axes": np.array([1, 0], "int32")}
        total = (np.exp(x) - rows) * np.exp(x) + np.tanh(-x)
        shown = np.tanh(total * np.float32(0.5)) * np.float32(0.5) + np.float32(0.5)
        results.append((evaluate(given), shown - shown.T))
        np.testing.assert_array_equal(given["x"], x)
    for got, expected in results:  # of which no later run has changed one
        np.testing.assert_array_equal(got, expected)
    later = [written[i : i + 8] for i in range(8, len(written), 8)]  # the first eight form the plan
    assert [out is None for out in later[0]] == [False] * 7 + [True]  # the last one is the output
    assert len({id(out) for run in later for out in run[:7]}) == 2
    evaluate.release()
    assert not any(plan.buffers for plan in evaluate.plans.values())


def test_only_forecasts_of_one_batch_keep_their_arrays():
    engine, rows = engine_of(backbones.find("rnn")(**TINY), Sizes(8, 3, 2)), NUMPY_BATCH + 20
    none = np.zeros((rows, 0), "float32")
    buffers = Buffers(
        target=np.random.default_rng(0).normal(size=(rows, 1)).astype("float32"), past=none, known=none, calendar=none,
        static=none[:1], begin=np.array([0]), end=np.array([rows]), shift=np.array([0]), series=np.array([0]),
        unit=np.ones((1, 1), "float32"),
    )  # fmt: skip
    known = {"weights": engine.network.get_weights(), "graph": engine.numpy_graph()}
    network = TrainedNetwork(backbones.find("rnn")(**TINY), engine.sizes, "last", "mae", None, **known)

    def forecast(count):
        return network.predict(buffers, Origins.every_channel(np.zeros(count, int), np.arange(count) + 10, 1))

    def kept():
        return sum(len(plan.buffers) for plan in network._evaluator.plans.values())

    few = forecast(9)
    assert kept() == 1
    many = forecast(NUMPY_BATCH + 1)
    assert kept() == 0
    np.testing.assert_allclose(many[:9], few, atol=1e-6)
