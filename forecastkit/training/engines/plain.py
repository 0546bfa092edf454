"""Engine on public Keras calls, for the JAX and torch backends: NumPy batches and `train_on_batch`."""

import keras
import numpy as np

from forecastkit.data.windows import Buffers, forecast_in_batches, gather, loss_weights, most_at_once
from forecastkit.networks.heads.keras_loss import compile_network
from forecastkit.training.optimizers import has_schedule, make_optimizer
from forecastkit.utils.validation import refuse


class PlainEngine:
    """The interface of `TensorFlowEngine` on public Keras calls.

    The parameters are the same; `compiled` is ignored, as JAX always compiles.
    """

    reusable = False

    def __init__(self, network, head, compiled=False, decay=0.99, clip=1.0, scaled=False, optimizer=None):
        self.network, self.head, self.decay, self.clip, self.scaled = network, head, decay, clip, scaled
        self.sizes, self.wanted = network.sizes, optimizer
        self.batch_size = self.input_gradient_step = None

    def prepare(self, buffers: Buffers, batch_size: int):
        """Store the buffers, and compile the network with optimizer and loss."""
        self.buffers, self.batch_size = buffers, batch_size
        self.optimizer = make_optimizer(self.wanted, self.clip)
        if self.scaled:
            self.optimizer = keras.optimizers.LossScaleOptimizer(self.optimizer)
        weighted = buffers.weight is not None or buffers.loss_weight is not None
        compile_network(self.network, self.optimizer, self.head, weighted)
        self.average = self._weights()
        self.count = 0

    def show(self):
        """Do nothing: the network is already compiled."""

    @staticmethod
    def agreed(value: float) -> float:
        """Return the value: there is only one worker."""
        return value

    def release(self):
        """Release the data; the network and its forecasts remain."""
        self.buffers = None

    def train(self, tables: np.ndarray, rates: np.ndarray, seeds: np.ndarray) -> float:
        """Run one step per table of shape (steps, batch, 3); returns the mean loss."""
        losses, sizes = [], self.sizes
        for table, rate in zip(tables, rates, strict=True):
            inputs, target = gather(np, self.buffers, table, sizes.lookback, sizes.horizon, True, sizes.channels)
            if (weight := self._loss_weights(table)) is not None:
                target = np.stack([target, np.broadcast_to(weight, target.shape)], axis=1)
            if not has_schedule(self.optimizer):
                self.optimizer.learning_rate = float(rate)
            losses.append(float(self.network.train_on_batch(inputs, target)))
            self._follow()
        return float(np.mean(losses))

    def _weights(self):
        """Copies on the device: JAX reuses the memory of weights in the next step."""
        return [keras.ops.copy(weight.value) for weight in self.network.trainable_variables]

    def _follow(self):
        """Move the average towards the weights; both stay on the device."""
        self.count += 1
        decay = min(self.decay, self.count / (10.0 + self.count))
        pairs = zip(self.average, self.network.trainable_variables, strict=True)
        self.average = [decay * mean + (1 - decay) * keras.ops.stop_gradient(weight.value) for mean, weight in pairs]

    def swap(self):
        """Exchange the weights and their moving average."""
        kept = self._weights()
        for weight, mean in zip(self.network.trainable_variables, self.average, strict=True):
            weight.assign(mean)
        self.average = kept

    def state(self) -> dict[str, list[np.ndarray]]:
        """See `TensorFlowEngine.state`."""
        kept = [variable.numpy() for variable in self.optimizer.variables]
        count = [np.array(self.count)]
        average = [keras.ops.convert_to_numpy(mean) for mean in self.average]
        return {"weights": self.network.get_weights(), "average": average, "optimizer": kept, "count": count}

    def restore(self, state: dict[str, list[np.ndarray]]) -> None:
        """See `TensorFlowEngine.restore`."""
        self.network.set_weights(state["weights"])
        self.optimizer.build(self.network.trainable_variables)
        for variable, value in zip(self.optimizer.variables, state["optimizer"], strict=True):
            variable.assign(value)
        self.average = [keras.ops.convert_to_tensor(mean) for mean in state["average"]]
        self.count = int(state["count"][0])

    def predict(self, buffers: Buffers, table: np.ndarray) -> np.ndarray:
        """Return scaled forecasts (n[, channels], horizon, outputs) of the origins in `table` (n, 3).

        The last batch is padded by repetition, because JAX compiles anew for every size.
        """
        size = min(most_at_once(self.sizes), 1 << (len(table) - 1).bit_length())
        filled = np.resize(table, (-(-len(table) // size) * size, 3))
        return forecast_in_batches(self._forecast, self.sizes, self.head.outputs, buffers, filled, size)[: len(table)]

    def _forecast(self, inputs):
        return np.asarray(self.network.predict_on_batch(inputs))

    @staticmethod
    def numpy_graph() -> None:
        """Return None: graphs for NumPy are converted from TensorFlow's trace."""

    def _loss_weights(self, table):
        return loss_weights(np, self.buffers, table, self.sizes.horizon, self.sizes.channels)

    def input_gradients(self, inputs: dict, weights: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return forecasts of windows and their input gradients, as `TensorFlowEngine` does; JAX only."""
        if keras.backend.backend() != "jax":
            got = f"KERAS_BACKEND={keras.backend.backend()}"
            refuse("interpret", "gradients by inputs need the TensorFlow or the JAX backend", got)
        self.input_gradient_step = self.input_gradient_step or self._slopes()
        given = {name: np.asarray(inputs[name], dtype) for name, (_, dtype) in self.sizes.inputs.items()}
        real = {name: values for name, values in given.items() if values.dtype.kind == "f"}
        integers = {name: values for name, values in given.items() if name not in real}
        kinds = self.network.trainable_variables, self.network.non_trainable_variables
        state = [[variable.value for variable in kind] for kind in kinds]
        forecast, gradients = self.input_gradient_step(real, integers, np.asarray(weights, "float32"), *state)
        return np.asarray(forecast), {name: np.asarray(gradient) for name, gradient in gradients.items()}

    def _slopes(self):
        import jax

        def total(real, integers, weights, trainable, fixed):
            forecast, _ = self.network.stateless_call(trainable, fixed, {**real, **integers}, training=False)
            return keras.ops.sum(forecast * weights), forecast

        def input_gradients(*given):
            (_, forecast), gradients = jax.value_and_grad(total, has_aux=True)(*given)
            return forecast, gradients

        return jax.jit(input_gradients)

    def evaluate(self, table: np.ndarray) -> float:
        """Return the mean loss over the origins in `table` (n, 3)."""
        sizes = self.sizes
        _, target = gather(np, self.buffers, table, 0, sizes.horizon, True, sizes.channels)
        forecast = keras.ops.convert_to_tensor(self.predict(self.buffers, table))
        losses = self.head.loss(keras.ops.convert_to_tensor(target), forecast, self._loss_weights(table))
        return float(keras.ops.mean(losses))
