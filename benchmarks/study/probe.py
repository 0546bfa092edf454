"""A backbone by itself: tokens in, a number or some out, and its compiled steps."""

import keras
import tensorflow as tf
from keras import layers, ops

from forecastkit.networks import backbones

#: Networks that XLA makes several times faster, because a loop over time is inside.
LOOPS = ("rnn", "lstm", "gru")


def backbone_of(label: str, units: int):
    """The backbone of a label such as 'gru' or 'transformer:rotary', without dropout, all else as by default."""
    name, _, positions = label.partition(":")
    own = {"positions": positions} if positions else {}
    return backbones.find(name)(units=units, dropout=0.0, **own)


class Probe(keras.Model):
    """Windows (batch, tokens, features) through a dense layer and a backbone to (batch, outputs).

    The future is one learned token, so that nothing but the backbone carries a value from the past to the output.
    """

    def __init__(self, label: str, units: int, outputs: int = 1):
        super().__init__()
        self.units = units
        self.embed = layers.Dense(units)
        self.backbone = backbone_of(label, units).build()
        self.head = layers.Dense(outputs)

    def build(self, shape):
        start = keras.initializers.RandomNormal(stddev=0.5)
        self.query = self.add_weight(name="query", shape=(1, 1, self.units), initializer=start)
        self.built = True

    def call(self, windows, training=None):
        past = self.embed(windows)
        future = self.query + ops.zeros_like(past[:, :1])
        return self.head(self.backbone(past, future, training=training))[:, 0]


class Steps:
    """Compiled training, prediction and input gradients of one probe.

    Parameters
    ----------
    label : str
    units : int
    windows : ndarray of shape (batch, tokens, features)
        An example, from which everything is built.
    outputs : int
    seed : int
    compiled : bool, optional
        Whether XLA compiles the training step. Default: for loops over time.
    """

    def __init__(self, label, units, windows, outputs=1, seed=0, compiled=None):
        keras.utils.set_random_seed(seed)
        self.probe = Probe(label, units, outputs)
        self.probe(keras.Input(batch_shape=windows.shape))  # symbolic: loops over time are slow outside a graph
        self.optimizer = keras.optimizers.Adam(2e-3, global_clipnorm=1.0)
        self.optimizer.build(self.probe.trainable_variables)
        compiled = label in LOOPS if compiled is None else compiled
        self._train = tf.function(self._train_step, jit_compile=compiled, autograph=False)
        self._predict = tf.function(lambda given: self.probe(given, training=False), autograph=False)
        self._slopes = tf.function(self._input_gradient, autograph=False)

    def train(self, windows, target) -> float:
        """One step of Adam on the mean squared error, which is returned."""
        return float(self._train(tf.constant(windows), tf.constant(target)))

    def predict(self, windows):
        return self._predict(tf.constant(windows)).numpy()

    def input_gradients(self, windows):
        """Gradient of each window's output by its own tokens, (batch, tokens, features)."""
        return self._slopes(tf.constant(windows)).numpy()

    def _train_step(self, windows, target):
        weights = self.probe.trainable_variables
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self.probe(windows, training=True) - target) ** 2)
        input_gradients = tape.gradient(loss, [weight.value for weight in weights], unconnected_gradients="zero")
        self.optimizer.apply_gradients(zip(input_gradients, weights, strict=True))
        return loss

    def _input_gradient(self, windows):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(windows)
            output = tf.reduce_sum(self.probe(windows, training=False))
        return tape.gradient(output, windows, unconnected_gradients="zero")
