"""TensorFlow engine: batches gathered in the graph from resident buffers, compiled steps on several cores."""

import os
import threading
import time
import weakref
from dataclasses import fields

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from forecastkit.data.windows import Buffers, forecast_in_batches, gather, loss_weights, most_at_once
from forecastkit.networks.heads.keras_loss import compile_network
from forecastkit.networks.layers import COMPILING, STEP_PART, STEP_SEED, sublayers
from forecastkit.runtime.evaluator import Evaluator
from forecastkit.runtime.graph import Graph
from forecastkit.training.engines.fused_adam import apply_adam
from forecastkit.training.engines.graph_export import NoNumpyForm, numpy_graph
from forecastkit.training.engines.loss_scale import LossScale
from forecastkit.training.optimizers import has_schedule, make_optimizer
from forecastkit.utils.arrays import ALIGNMENT, cores
from forecastkit.utils.exceptions import BackendError
from forecastkit.utils.validation import refuse

#: Building and tracing change global state of Keras.
TRACING = threading.RLock()
#: Number of targets from which rows are indexed with int64.
WIDE = 2**31
#: Seconds that a call of several training steps should take.
CALL_SECONDS = 0.5
#: Id of the process that first traced a function: TensorFlow's threads do not survive a fork.
_OWNER: list[int] = []


def check_process() -> None:
    """Refuse to compute in a fork of a process that has used TensorFlow, which would hang."""
    if not _OWNER:
        _OWNER.append(os.getpid())
    if _OWNER[0] != os.getpid():
        rule = "TensorFlow cannot compute in a fork of a process in which it has computed"
        remedy = "Start processes with multiprocessing.get_context('spawn'), or with joblib's loky."
        refuse("fork", rule, f"process {os.getpid()}, forked from {_OWNER[0]}", remedy, BackendError)


def can_share(array: np.ndarray) -> bool:
    """Return whether TensorFlow can use the memory of an array; unaligned addresses would crash the process."""
    fit = array.size > 0 and array.flags.c_contiguous and array.ctypes.data % ALIGNMENT == 0
    return fit and not tf.config.list_physical_devices("GPU")


def shared(array: np.ndarray):
    """Return a tensor that shares the array's memory, which must not be changed afterwards."""
    return tf.experimental.dlpack.from_dlpack(array.__dlpack__())


def compilable(network) -> bool:
    """Return whether XLA can compile the network: not if a layer calls cuDNN, which is faster."""
    return all(layer.supports_jit for layer in sublayers(network))


def as_buffers(held: dict) -> Buffers:
    """Return buffers of the given tensors, with None for absent ones."""
    return Buffers(**{field.name: held.get(field.name) for field in fields(Buffers)})


class TensorFlowEngine:
    """Trains and runs one network on resident buffers.

    Python calls many steps at once. If they are compiled by XLA, which uses one core for small products, each divides
    the batch into parts whose gradients are computed in parallel, followed by one update. The number of parts and
    compilation change results only by the order of sums.

    Parameters
    ----------
    network : Network
    head : Head
    compiled : bool
        Whether to compile training steps with XLA.
    decay : float
        Decay of the exponential moving average of the weights, which is used for validation and forecasts.
    clip : float
        Largest norm of a gradient.
    scaled : bool
        Whether to scale losses for layers that compute in float16, see `LossScale`.
    optimizer : str, keras.Optimizer or dict, optional
        See `forecastkit.training.optimizers.make_optimizer`.
    """

    #: Whether later fits of the same kind can reuse the traced steps.
    reusable = True

    def __init__(self, network, head, compiled=False, decay=0.99, clip=1.0, scaled=False, optimizer=None):
        self.network, self.head, self.decay, self.clip, self.wanted = network, head, decay, clip, optimizer
        self.compiled = compiled and compilable(network)
        self.sizes = network.sizes
        #: The network that is trained; a subclass trains copies of it on several devices.
        self.learner = network
        self.scale = LossScale() if scaled else None
        self.weights = [weight.value for weight in network.trainable_variables]
        self.signature = {
            name: tf.TensorSpec((None, *shape), dtype) for name, (shape, dtype) in self.sizes.inputs.items()
        }
        self.predict_step = self._traced(self._predict, self.signature)
        self.optimizer = self.average = self.count = self.input_gradient_step = self.kind = None
        self.shown = False
        self.exported: list[Graph | None] = []  # empty until it is requested
        self.release()

    @staticmethod
    def _traced(function, *signature):
        """Trace a concrete function; tf.function would warn of retracing if there are many models."""
        check_process()
        with TRACING:
            return tf.function(function, autograph=False).get_concrete_function(*signature)

    # ------------------------------------------------------------------------------------------ training

    def prepare(self, buffers: Buffers, batch_size: int):
        """Place the buffers on the device, trace the step for this batch size, and reset the optimizer.

        Buffers are arguments of the steps, so that other data of the same kind do not cause retracing.
        """
        check_process()
        # The final epochs of a fit reuse the buffers. A weak reference does not keep a second copy of the data alive.
        if self.given is None or self.given() is not buffers:
            self._place(buffers)
        self._trace(batch_size)
        if self.shown:
            self.show()
        for variable, first in zip(self.optimizer.variables, self.first, strict=True):
            variable.assign(first)
        for mean, weight in zip(self.average, self.weights, strict=True):
            mean.assign(weight)
        self.count.assign(0.0)
        if self.scale is not None:
            self.scale.reset()

    def show(self):
        """Give the network the optimizer and the loss, for callbacks; if there are none yet, in the next `prepare`."""
        self.shown = True
        if self.optimizer is not None:
            compile_network(self.network, self.optimizer, self.head)

    def _place(self, buffers):
        self.wide = buffers.target.size >= WIDE
        resident = vars(buffers.resident(self._tensor))
        self.buffers = {name: tensor for name, tensor in resident.items() if tensor is not None}
        self.given = weakref.ref(buffers)

    def _trace(self, batch_size):
        self.batch_size = batch_size
        integer = self.integer
        spec = {name: tf.TensorSpec((None, *held.shape[1:]), held.dtype) for name, held in self.buffers.items()}
        if self.kind != (kind := (batch_size, integer, tuple(spec.items()))):
            self.average = [tf.Variable(weight) for weight in self.weights]
            self.count = tf.Variable(0.0)
            self.evaluate_step = self._traced(self._evaluate, spec, tf.TensorSpec((None, 3), integer))
            # A separate function only if XLA compiles it.
            self.learn = tf.function(self._learn, jit_compile=True, autograph=False) if self.compiled else self._learn
            self._trace_steps(spec, integer)
            self.kind = kind

    def _trace_steps(self, spec, integer):
        self.parts, self.at_once = self._parts(self.batch_size), 1
        self._make_optimizer(self.network)
        self.update_step = tf.function(self._update, jit_compile=self.compiled, autograph=False)
        tables, seeds = tf.TensorSpec((None, self.batch_size, 3), integer), tf.TensorSpec((None,), tf.int64)
        self.steps = self._traced(self._steps, spec, tables, tf.TensorSpec((None,)), seeds)

    def _make_optimizer(self, network):
        self.optimizer = keras.optimizers.Adam(1e-3) if self.wanted is None else make_optimizer(self.wanted)
        self.scheduled = self.wanted is not None and has_schedule(self.optimizer)
        # Variables of a strategy are updated by Keras, which knows the replicas.
        self.fused = self.wanted is None and network is self.network
        self.optimizer.build(network.trainable_variables)
        self.first = [variable.numpy() for variable in self.optimizer.variables]

    def _parts(self, batch_size):
        if not self.compiled or tf.config.list_physical_devices("GPU"):
            return 1
        return next(
            p for p in range(min(cores(), 8), 0, -1) if batch_size % p == 0 and batch_size // p >= min(32, batch_size)
        )

    def train(self, tables: np.ndarray, rates: np.ndarray, seeds: np.ndarray) -> float:
        """Run one step per table of shape (steps, batch, 3); returns the mean loss."""
        losses, low = [], 0
        while low < len(tables):
            piece, began = slice(low, low + self.at_once), time.perf_counter()
            given = ((tables, self.integer), (rates, tf.float32), (seeds, tf.int64))
            tensors = (tf.constant(values[piece], dtype) for values, dtype in given)
            losses.append(self.steps(self.buffers, *tensors).numpy())
            done, seconds = len(rates[piece]), time.perf_counter() - began
            low += done
            # Python handles an interrupt only between calls.
            self.at_once = max(1, int(done * min(CALL_SECONDS / seconds, 16)))
        return float(np.mean(np.concatenate(losses), dtype="float64"))

    def _steps(self, buffers, tables, rates, seeds):
        """Take one step per table, and return the loss of each."""
        size, count = self.batch_size // self.parts, tf.shape(tables)[0]

        def step(number, losses):
            results = [  # which the graph computes in parallel
                self._gradients(buffers, part, seeds[number], tf.constant(place * size, tf.int64))
                for place, part in enumerate(tf.split(tables[number], self.parts))
            ]
            self.update_step([gradients for _, *gradients in results], rates[number])
            loss = tf.add_n([loss for loss, *_ in results]) / self.parts
            return number + 1, losses.write(number, tf.cast(loss, tf.float32))

        first = 0, tf.TensorArray(tf.float32, count, element_shape=())
        return tf.while_loop(lambda number, losses: number < count, step, first, parallel_iterations=1)[1].stack()

    def _gradients(self, buffers, table, seed, first):
        # Not in the compiled function, because XLA would compile anew for every number of rows.
        inputs, target = self._gather(ops, as_buffers(buffers), table)
        weight = loss_weights(ops, as_buffers(buffers), table, self.sizes.horizon, self.sizes.channels)
        scale = 1.0 if self.scale is None else tf.identity(self.scale.value)
        return self.learn(inputs, target, () if weight is None else (weight,), seed, first, scale)

    def _learn(self, inputs, target, weight, seed, first, scale):
        token, part = STEP_SEED.set(seed), STEP_PART.set((first, target.shape[0]))
        compiling = COMPILING.set(self.compiled)
        try:
            with tf.GradientTape() as tape:
                forecast = self.learner(inputs, training=True)
                loss = tf.reduce_mean(self.head.loss(target, forecast, *weight))
                scaled = loss * scale
        finally:
            STEP_SEED.reset(token)
            STEP_PART.reset(part)
            COMPILING.reset(compiling)
        weights = [weight.value for weight in self.learner.trainable_variables]
        gradients = tape.gradient(scaled, weights, unconnected_gradients="zero")
        return loss, *[tf.convert_to_tensor(gradient) / scale for gradient in gradients]

    def _update(self, parts, rate):
        gradients = parts[0]
        if parts[1:]:
            gradients = [tf.add_n(list(same)) / len(parts) for same in zip(*parts, strict=True)]
        gradients, norm = tf.clip_by_global_norm(gradients, self.clip)
        if self.scale is None:
            self._apply(gradients, rate)
        else:
            finite = tf.math.is_finite(norm)
            self.scale.follow(finite)
            tf.cond(finite, lambda: self._apply(gradients, rate), lambda: None)

    def _apply(self, gradients, rate):
        if not self.scheduled:
            self.optimizer.learning_rate.assign(rate)
        weights = self.learner.trainable_variables
        if self.fused:
            apply_adam(self.optimizer, gradients, weights)
        else:
            self.optimizer.apply_gradients(zip(gradients, weights, strict=True))
        # The decay is smaller in the first steps, so that the initial weights are soon forgotten.
        self.count.assign_add(1.0)
        nearer = 1.0 - tf.minimum(self.decay, self.count / (10.0 + self.count))
        for mean, weight in zip(self.average, weights, strict=True):
            mean.assign_add(nearer * (weight.value - mean), read_value=False)

    def swap(self):
        """Exchange the weights and their moving average."""
        for mean, weight in zip(self.average, self.weights, strict=True):
            kept = weight.numpy()
            weight.assign(mean)
            mean.assign(kept)

    def state(self) -> dict[str, list[np.ndarray]]:
        """Return everything on which the next step depends: weights, their moving average and the optimizer's state."""
        values = {name: [variable.numpy() for variable in held] for name, held in self._kept().items()}
        return {"weights": self.network.get_weights(), **values}

    def restore(self, state: dict[str, list[np.ndarray]]) -> None:
        """Restore the result of `state`; call after `prepare`."""
        self.network.set_weights(state["weights"])
        for name, variables in self._kept().items():
            for variable, value in zip(variables, state[name], strict=True):
                variable.assign(value)

    def _kept(self):
        kept = {"average": self.average, "optimizer": self.optimizer.variables, "count": [self.count]}
        return kept if self.scale is None else {**kept, "scale": [self.scale.value, self.scale.good]}

    def _tensor(self, array):
        if array.dtype.kind == "f":
            return shared(array) if can_share(array) else tf.constant(array)
        return tf.constant(array, dtype=self.integer)

    @property
    def integer(self):
        """Return the integer dtype of row numbers; row number times channels must fit."""
        return tf.int64 if self.wide else tf.int32

    @staticmethod
    def agreed(value: float) -> float:
        """Return the value: there is only one worker."""
        return value

    def release(self):
        """Release the data; the network, its forecasts and the traced steps remain."""
        self.buffers = self.batch_size = self.given = None

    def _gather(self, xp, buffers, table, targets=True):
        sizes = self.sizes
        return gather(xp, buffers, table, sizes.lookback, sizes.horizon, targets, sizes.channels)

    # ------------------------------------------------------------------------------------------ forecasting

    def _predict(self, inputs):
        return self.network(inputs, training=False)

    def _evaluate(self, buffers, table):
        inputs, target = self._gather(ops, as_buffers(buffers), table)
        # The traced forecast is called, because tracing the network again takes a fifth of the time of a tiny fit.
        forecast = self.predict_step({name: tf.cast(inputs[name], s.dtype) for name, s in self.signature.items()})
        weight = loss_weights(ops, as_buffers(buffers), table, self.sizes.horizon, self.sizes.channels)
        return tf.reduce_sum(self.head.loss(target, forecast, weight))

    def predict(self, buffers: Buffers, table: np.ndarray) -> np.ndarray:
        """Return scaled forecasts (n[, channels], horizon, outputs) of the origins in `table` (n, 3)."""
        check_process()
        most = most_at_once(self.sizes)
        return forecast_in_batches(self._forecast, self.sizes, self.head.outputs, buffers, table, most)

    def _forecast(self, inputs):
        # A concrete function traces nothing, so that threads need not wait for each other.
        return self.predict_step({name: tf.constant(values) for name, values in inputs.items()}).numpy()

    def numpy_graph(self) -> Graph | None:
        """Return the network as a graph for NumPy; None if there is none that gives the same forecasts."""
        with TRACING:
            if not self.exported:
                self.exported.append(self._export())
        return self.exported[0]

    def _export(self):
        try:
            graph = numpy_graph(self.predict_step, self.network.weights)
        except NoNumpyForm:
            return None
        # Operations of user-defined layers may have unknown options, so forecasts are compared first.
        rng = np.random.default_rng(0)
        windows = {
            name: (rng.normal(size=(3, *shape)) if dtype == "float32" else np.zeros((3, *shape))).astype(dtype)
            for name, (shape, dtype) in self.sizes.inputs.items()
        }
        expected = self._forecast(windows)
        try:
            found = Evaluator(graph, self.network.get_weights())(windows)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            return None
        scale = np.nanmax(np.abs(expected), initial=1e-9)
        same = found.shape == expected.shape and np.allclose(found, expected, 0, 1e-4 * scale, equal_nan=True)
        return graph if same else None

    def input_gradients(self, inputs: dict, weights: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return scaled forecasts of windows, and gradients of each window's weighted sum of outputs by its inputs.

        The inputs are those of the network, see `Sizes.inputs`; gradients (n, ...) are those by the floating-point
        ones. Forecasts and weights have the shape (n, [channels,] horizon, outputs).
        """
        if self.input_gradient_step is None:
            shape = (None, *self.sizes.channel_shape, self.sizes.horizon, self.head.outputs)
            self.input_gradient_step = self._traced(self._slopes, (self.signature, tf.TensorSpec(shape, tf.float32)))
        given = {name: tf.constant(inputs[name], spec.dtype) for name, spec in self.signature.items()}
        forecast, gradients = self.input_gradient_step((given, tf.constant(weights, tf.float32)))
        return forecast.numpy(), {name: gradient.numpy() for name, gradient in gradients.items()}

    def _slopes(self, given):
        inputs, weights = given
        real = {name: values for name, values in inputs.items() if values.dtype.is_floating}
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(real)
            forecast = self.network({**inputs, **real}, training=False)
            total = tf.reduce_sum(tf.cast(forecast, tf.float32) * weights)
        gradients = tape.gradient(total, real, unconnected_gradients="zero")
        return forecast, {name: tf.convert_to_tensor(gradient) for name, gradient in gradients.items()}

    def evaluate(self, table: np.ndarray) -> float:
        """Return the mean loss over the origins in `table` (n, 3) of the prepared buffers."""
        parts = np.array_split(table, -(-len(table) // most_at_once(self.sizes)))
        losses = (float(self.evaluate_step(self.buffers, tf.constant(part, self.integer))) for part in parts)
        return sum(losses) / len(table)
