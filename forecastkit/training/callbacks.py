"""Keras callbacks of our own, and the calls of the user's."""

import copy
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from forecastkit.training.optimizers import has_schedule, rate_setters

#: Keras names of the hooks of single steps.
BATCH_HOOKS = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
#: Number of steps between calls of callbacks without hooks of single steps.
PIECE = 25


class Lines(keras.callbacks.Callback):
    """Prints a line per epoch."""

    def __init__(self, name: str):
        super().__init__()
        self.name = name

    def on_epoch_end(self, epoch, logs=None):
        losses = "  ".join(f"{key} {value:.4f}" for key, value in (logs or {}).items())
        print(f"{self.name}  epoch {epoch + 1}/{self.params['epochs']}  {losses}", flush=True)


class OneEpoch(keras.callbacks.Callback):
    """Ends the training after its first epoch."""

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = True


def _has_batch_hooks(callback: keras.callbacks.Callback) -> bool:
    base = keras.callbacks.Callback
    return any(
        # LambdaCallback keeps its hooks in the object, others in the class.
        hook in vars(callback) or getattr(type(callback), hook) is not getattr(base, hook)
        for hook in BATCH_HOOKS
    )


class Listeners(keras.callbacks.CallbackList):
    """Copies of the callbacks of a fit, called with the network as their model."""

    def __init__(self, callbacks: Sequence, network: keras.Model, learning_rate: float, **params: Any):
        super().__init__([copy.copy(callback) for callback in callbacks], model=network, **params)
        self.network = network
        #: Steps until callbacks are called again.
        self.piece = 1 if any(map(_has_batch_hooks, callbacks)) else PIECE
        self.sets_rate = any(isinstance(callback, rate_setters()) for callback in callbacks)
        self.last_rate = None
        network.stop_training = False
        if callbacks and self._rate() is not None:
            network.optimizer.learning_rate = self.last_rate = np.float32(learning_rate)

    def rates(self, planned: np.ndarray) -> np.ndarray:
        """Return the learning rates of the next steps: as planned, or that of the optimizer after a callback has set
        it.
        """
        if self.last_rate is None:
            return planned
        self.sets_rate = self.sets_rate or self._rate() != self.last_rate
        return np.full(len(planned), self._rate()) if self.sets_rate else planned

    def _rate(self):
        optimizer = getattr(self.network, "optimizer", None)
        if optimizer is None or has_schedule(optimizer):
            return None
        rate = optimizer.learning_rate
        copies = getattr(getattr(rate, "value", rate), "values", None)
        # Under a distribution strategy there is an equal copy for each replica, which float() cannot read.
        return np.float32(float(copies[0] if isinstance(copies, tuple) else rate))

    def before_steps(self, step: int) -> None:
        """Call the hooks before a step, if there are hooks of single steps."""
        if self.piece == 1:
            self.on_train_batch_begin(step)

    def after_steps(self, step: int, loss: float) -> None:
        """Record the learning rate, and call the hooks after a step with the mean loss of the epoch so far."""
        if self.last_rate is not None:
            self.last_rate = self._rate()
        if self.piece == 1:
            self.on_train_batch_end(step, {"loss": loss})

    def stopped(self, agreed) -> bool:
        """Return whether a hook of a step has stopped the training; `agreed` returns the first worker's answer."""
        return self.piece == 1 and bool(agreed(self.network.stop_training))
