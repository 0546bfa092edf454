"""Loss scaling for float16, so that small gradients do not underflow."""

import tensorflow as tf

START, PATIENCE = 2.0**15, 2_000


class LossScale:
    """Dynamic loss scale, halved if a gradient overflows and doubled after many finite steps.

    A step with a gradient that is not finite is skipped.

    References
    ----------
    Micikevicius et al. (2018), "Mixed precision training", ICLR. The constants are those of Keras.
    """

    def __init__(self):
        self.value, self.good = tf.Variable(START), tf.Variable(0)

    def reset(self):
        """Reset to the initial scale."""
        self.value.assign(START)
        self.good.assign(0)

    def follow(self, finite):
        """Update the scale, given whether the gradient of a step is finite."""
        good = tf.where(finite, self.good + 1, 0)
        grown = good >= PATIENCE
        self.value.assign(self.value * tf.where(finite, tf.where(grown, 2.0, 1.0), 0.5))
        self.good.assign(tf.where(grown, 0, good))
