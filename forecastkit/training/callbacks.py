"""Keras callbacks of our own, and the calls of the user's."""

import copy
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from forecastkit.data.windows import Buffers, Origins, Windows, gather, loss_weights
from forecastkit.training.metrics import evaluated
from forecastkit.training.optimizers import has_schedule, rate_setters

#: Keras names of the hooks of single steps.
BATCH_HOOKS = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
#: Number of steps between calls of callbacks without hooks of single steps.
PIECE = 25
#: Training windows on which metrics are computed if there are no validation windows.
MEASURED = 4_000


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


class EpochMetrics(keras.callbacks.Callback):
    """Adds metrics to the logs and the record of every epoch.

    They see point forecasts and actuals of all observed steps, (steps, 1), in units of each series' scale, with the
    weights of the losses.

    Parameters
    ----------
    metrics : list of keras.metrics.Metric
    engine : engine
    buffers : Buffers
    tables : dict of str to ndarray of shape (n, 3)
        Origins of the windows, by the prefix of the names.
    """

    def __init__(self, metrics: list[keras.metrics.Metric], engine: Any, buffers: Buffers, tables: dict):
        super().__init__()
        self.metrics, self.engine, self.buffers, self.tables = metrics, engine, buffers, tables

    @classmethod
    def on(cls, windows: Windows, validation_origins: Origins, metrics: list, engine: Any, buffers: Buffers):
        """Return the callback for the validation windows, and as many training windows evenly spaced."""
        some = np.linspace(0, len(windows) - 1, len(validation_origins) or MEASURED).astype("int64")
        tables = {"": windows.at(np.unique(some)).table(), "val_": validation_origins.table()}
        return cls(metrics, engine, buffers, {prefix: table for prefix, table in tables.items() if len(table)})

    def on_epoch_end(self, epoch, logs=None):
        for prefix, table in self.tables.items():
            steps = self._steps(table)
            for metric in self.metrics:
                # All workers of a strategy see the same value, as callbacks may decide by it.
                logs[prefix + metric.name] = self.engine.agreed(evaluated(metric, *steps))
                self.params["record"].metrics.setdefault(prefix + metric.name, []).append(logs[prefix + metric.name])

    def _steps(self, table):
        """Return actuals, forecasts and, if there are any, weights of the observed steps of these windows."""
        sizes = self.engine.sizes
        actual = gather(np, self.buffers, table, 0, sizes.horizon, True, sizes.channels)[1]
        forecast = self.engine.predict(self.buffers, table) @ self.engine.head.point_weights
        weight = loss_weights(np, self.buffers, table, sizes.horizon, sizes.channels)
        observed = ~np.isnan(actual)
        steps = [values[observed][:, None].astype("float32") for values in (actual, forecast)]
        return steps if weight is None else [*steps, np.broadcast_to(weight, actual.shape)[observed]]


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
