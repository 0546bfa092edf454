"""Training engine for several devices or machines with tf.distribute."""

import zlib

import numpy as np
import tensorflow as tf

from forecastkit.data.windows import Buffers
from forecastkit.training.engines.strategies import agree, all_workers_needed, cluster_of, from_first, on_all, outside
from forecastkit.training.engines.tensorflow import TensorFlowEngine
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import refuse


class DistributedEngine(TensorFlowEngine):
    """Trains copies of a network on the replicas of a strategy, each on its part of every batch.

    All workers draw the same batches from the same data, so each selects its part by its number and all take the same
    number of steps. The copies, created by `replicate` in the strategy's scope, receive the network's weights before a
    run of steps and return theirs after it. Between runs the network is an ordinary one: forecasting, evaluation,
    saving and loading do not involve the strategy. The result equals that of one device with the same batch, up to the
    order of sums. Other parameters are those of `TensorFlowEngine`.
    """

    reusable = False

    def __init__(self, network, head, strategy, replicate, **options):
        super().__init__(network, head, **options)
        self.strategy = strategy
        with all_workers_needed(strategy), strategy.scope():
            self.learner = replicate()
        self.shapes = [tuple(weight.shape) for weight in self.weights]

    def prepare(self, buffers: Buffers, batch_size: int):
        """Prepare training as on one device, after checking that all workers have the same data."""
        if batch_size < (replicas := self.strategy.num_replicas_in_sync):
            rule = f"a batch must have a window for each of the {replicas} replicas"
            refuse("fit", rule, f"{batch_size}", "Pass a larger batch_size=.", ParameterError)
        self._check_same(buffers, batch_size)
        outside(super().prepare, buffers, batch_size)
        with all_workers_needed(self.strategy):
            self._push()
            self.pull()

    def _check_same(self, buffers, batch_size):
        mine = np.array([digest(buffers), batch_size], dtype="float64")
        if not on_all(self.strategy, np.array_equal(agree(self.strategy, mine), mine)):
            rule = "all workers must be given the same rows and parameters"
            refuse("fit", rule, "others on some of them", "Each worker selects its part of every batch.")

    def _place(self, buffers):
        super()._place(buffers)
        devices = self.strategy.extended.worker_devices  # those of this machine
        self.placed = [on_device(device, self.buffers) if devices[1:] else self.buffers for device in devices]

    # ------------------------------------------------------------------------------------------ training

    def _trace_steps(self, spec, integer):
        self.parts_of_share = self._parts_of_share()
        with self.strategy.scope():
            self._make_optimizer(self.learner)
        given = tf.TensorSpec((self.batch_size, 3), integer), tf.TensorSpec((), tf.int64), tf.TensorSpec(())
        self.step = self._traced(self._step, [spec] * len(self.placed), *given)
        self.pull = self._traced(self._pull)

    def _parts_of_share(self):
        """Return the number of parts that a replica computes in parallel on the cores of its machine."""
        several = len(self.strategy.extended.worker_devices) > 1
        return 1 if several else self._parts(self.batch_size // self.strategy.num_replicas_in_sync)

    def train(self, tables: np.ndarray, rates: np.ndarray, seeds: np.ndarray) -> float:
        """Run one step per table of shape (steps, batch, 3); returns the mean loss, the same on all workers."""
        with all_workers_needed(self.strategy):
            self._push()
            losses = []
            for table, rate, seed in zip(tables, rates, seeds, strict=True):
                given = (
                    tf.constant(table, self.integer),
                    tf.constant(int(seed), tf.int64),
                    tf.constant(rate, tf.float32),
                )
                losses.append(self.step(self.placed, *given))
            self.pull()
            return float(tf.add_n(losses)) / len(losses)

    def _step(self, placed, table, seed, rate):
        sums = self.strategy.run(self._sum_of_share, (placed, table, seed))
        loss, *gradients = self._split_results(self.strategy.experimental_local_results(sums)[0])
        self._update([gradients], rate)
        return loss

    def _sum_of_share(self, placed, table, seed):
        """Return loss and gradient of a replica's part of the batch, summed over all replicas, as one flat tensor."""
        replica = tf.distribute.get_replica_context()
        number = int(tf.get_static_value(replica.replica_id_in_sync_group))
        low, high = (self.batch_size * (number + i) // self.strategy.num_replicas_in_sync for i in (0, 1))
        total = []
        for part in range(self.parts_of_share):
            mine = slice(*(low + (high - low) * (part + i) // self.parts_of_share for i in (0, 1)))
            first = tf.constant(mine.start, tf.int64)
            results = self._gradients(placed[number % len(placed)], table[mine], seed, first)
            flat = tf.concat([tf.reshape(result, [-1]) for result in results], axis=0)
            total.append(flat * ((mine.stop - mine.start) / self.batch_size))
        return replica.all_reduce("SUM", tf.add_n(total))

    def _split_results(self, flat):
        """Split a flat tensor into the loss and the gradients in their shapes."""
        shapes = [(), *self.shapes]
        pieces = tf.split(flat, [int(np.prod(shape)) for shape in shapes])
        return [tf.reshape(piece, shape) for piece, shape in zip(pieces, shapes, strict=True)]

    def _push(self):
        for copied, weight in zip(self.learner.weights, self.network.weights, strict=True):
            copied.value.assign(weight.value)

    def _pull(self):
        """Copy the weights of the replicas to the network; with several machines, exactly those of the first."""
        both = zip(self.network.weights, self.learner.weights, strict=True)
        pairs = [(shown.value, copied.value) for shown, copied in both if shown.value.dtype.is_floating]
        pairs += [(mean, mean) for mean in self.average]
        flat = tf.concat([tf.reshape(source, [-1]) for _, source in pairs], axis=0)
        if cluster_of(self.strategy) is not None:
            flat = from_first(self.strategy, flat)
        pieces = tf.split(flat, [variable.shape.num_elements() for variable, _ in pairs])
        for (variable, _), piece in zip(pairs, pieces, strict=True):
            variable.assign(tf.reshape(piece, variable.shape))

    # ------------------------------------------------------------------------------------------ evaluating

    def evaluate(self, table: np.ndarray) -> float:
        """Return the mean loss over the origins in `table` (n, 3), as computed by the first worker.

        All workers must stop at the same step, and their rounding differs.
        """
        return float(self.agreed(super().evaluate(table)))

    def agreed(self, value: float) -> float:
        """Return the value of the first worker on all workers."""
        return float(agree(self.strategy, value)[0])

    def release(self):
        """Release the data; the network and its forecasts remain."""
        super().release()
        self.placed = None


def on_device(device: str, held: dict) -> dict:
    """Copy tensors to a device."""
    with tf.device(device):
        return {name: tf.identity(tensor) for name, tensor in held.items()}


def digest(buffers: Buffers) -> int:
    """Return a hash of the values and shapes of the buffers."""
    found = 0
    for name, array in vars(buffers).items():
        if array is not None:
            found = zlib.crc32(f"{name}{array.shape}".encode(), found)
            found = zlib.crc32(np.ascontiguousarray(array), found)
    return found
