"""Loss scaling for float16, so that small gradients do not underflow."""

import tensorflow as tf

START, PATIENCE = 2.0**15, 2_000


class LossScale:
    """A factor of the loss, halved where a gradient overflows and doubled after many steps where none does.

    A step with a gradient that is not finite is left out.

    References
    ----------
    Micikevicius et al. (2018), "Mixed precision training", ICLR. The constants are those of Keras.
    """

    def __init__(self):
        self.value, self.good = tf.Variable(START), tf.Variable(0)

    def reset(self):
        """Start afresh."""
        self.value.assign(START)
        self.good.assign(0)

    def follow(self, finite):
        """Take note of whether a step's gradient was finite."""
        good = tf.where(finite, self.good + 1, 0)
        grown = good >= PATIENCE
        self.value.assign(self.value * tf.where(finite, tf.where(grown, 2.0, 1.0), 0.5))
        self.good.assign(tf.where(grown, 0, good))
