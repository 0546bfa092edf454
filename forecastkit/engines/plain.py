"""Plain Keras engine: batches gathered in numpy, `train_on_batch`. For the JAX and torch backends."""

import keras
import numpy as np

from forecastkit.windows import Buffers, carried, gather

PREDICT_BATCH = 1024


class HeadLoss(keras.losses.Loss):
    """The loss of a head; Keras would squeeze the outputs of one given as a function."""

    def __init__(self, head):
        super().__init__(name="loss")
        self.head = head

    def call(self, y_true, y_pred):
        return self.head.loss(y_true, y_pred)


class PlainEngine:
    """The interface of `TensorFlowEngine` on nothing but public Keras calls.

    Parameters
    ----------
    network : Network
    head : Head
    compiled : bool
        Left to the backend: JAX always compiles.
    decay, clip : float
        See `TensorFlowEngine`.
    """

    def __init__(self, network, head, compiled=False, decay=0.99, clip=1.0):
        self.network, self.head, self.decay, self.clip = network, head, decay, clip
        self.sizes = network.sizes
        self.batch_size = None

    def prepare(self, buffers: Buffers, batch_size: int):
        """Keep the buffers, compile the network with optimizer and loss."""
        self.buffers, self.batch_size = buffers, batch_size
        self.optimizer = keras.optimizers.Adam(1e-3, global_clipnorm=self.clip)
        self.network.compile(optimizer=self.optimizer, loss=HeadLoss(self.head))
        self.average = self._weights()
        self.count = 0

    def train(self, tables: np.ndarray, rates: np.ndarray, seeds: np.ndarray) -> float:
        """Run one step per table of shape (steps, batch, 3); returns the mean loss."""
        losses = []
        for table, rate in zip(tables, rates, strict=True):
            inputs, target = gather(np, self.buffers, table, self.sizes.lookback, self.sizes.horizon)
            self.optimizer.learning_rate = float(rate)
            losses.append(float(self.network.train_on_batch(inputs, target)))
            self._follow()
        return float(np.mean(losses))

    def _weights(self):
        return [weight.numpy() for weight in self.network.trainable_variables]

    def _follow(self):
        self.count += 1
        decay = min(self.decay, self.count / (10.0 + self.count))
        pairs = zip(self.average, self._weights(), strict=True)
        self.average = [decay * mean + (1 - decay) * weight for mean, weight in pairs]

    def swap(self):
        """Exchange the weights and their moving average."""
        kept = self._weights()
        for weight, mean in zip(self.network.trainable_variables, self.average, strict=True):
            weight.assign(mean)
        self.average = kept

    def predict(self, buffers: Buffers, table: np.ndarray) -> np.ndarray:
        """Scaled forecasts (n, horizon, outputs) of the origins in `table` (n, 3).

        The last batch is filled up by repetition: JAX compiles anew for every size.
        """
        out = np.empty((len(table), self.sizes.horizon, self.head.outputs), dtype="float32")
        size = min(PREDICT_BATCH, 1 << (len(table) - 1).bit_length())
        for low in range(0, len(table), size):
            part = table[low : low + size]
            filled = np.resize(part, (size, 3))
            inputs, _ = gather(np, buffers, filled, self.sizes.lookback, self.sizes.horizon, targets=False)
            if not self.sizes.masked:
                inputs["target"] = carried(inputs["target"])
            out[low : low + size] = np.asarray(self.network.predict_on_batch(inputs))[: len(part)]
        return out

    def evaluate(self, table: np.ndarray) -> float:
        """Mean loss over the origins in `table` (n, 3)."""
        _, target = gather(np, self.buffers, table, self.sizes.lookback, self.sizes.horizon)
        losses = self.head.loss(
            keras.ops.convert_to_tensor(target), keras.ops.convert_to_tensor(self.predict(self.buffers, table))
        )
        return float(keras.ops.mean(losses))
