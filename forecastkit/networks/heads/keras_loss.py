"""The loss of a head as a Keras loss, with which a network is compiled."""

import keras

from forecastkit.networks.heads import make_head
from forecastkit.networks.heads.base import Head


@keras.saving.register_keras_serializable("forecastkit")
class HeadLoss(keras.losses.Loss):
    """The loss of a head; Keras would squeeze the outputs of one given as a function.

    With weights, the targets come with those of their losses along a first axis after the batch: Keras' own
    `sample_weight` is one number for a window.
    """

    def __init__(self, head: Head, weighted: bool = False):
        super().__init__(name="loss")
        self.head, self.weighted = head, weighted

    def get_config(self):
        return {"head": self.head.get_config(), "weighted": self.weighted}

    @classmethod
    def from_config(cls, config):
        return cls(make_head(**config["head"]), config["weighted"])

    def call(self, y_true, y_pred):
        return self.head.loss(y_true[:, 0], y_pred, y_true[:, 1]) if self.weighted else self.head.loss(y_true, y_pred)


def compile_network(network: keras.Model, optimizer: keras.Optimizer, head: Head, weighted: bool = False) -> None:
    """Give a network its optimizer and the loss of its head, as callbacks and `model.save` look for them."""
    network.compile(optimizer=optimizer, loss=HeadLoss(head, weighted), auto_scale_loss=False)
