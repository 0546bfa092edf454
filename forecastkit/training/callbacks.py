"""Keras callbacks of the library."""

import copy
from typing import Any

import keras
import numpy as np

from forecastkit.data.windows import Buffers, Origins, Windows, gather, loss_weights
from forecastkit.training.metrics import better, evaluated

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

    They are computed from point forecasts and actuals of all observed steps, (steps, 1), in units of each series'
    scale, with the weights of the losses. `tables` has the origins (n, 3) of windows by the prefix of the names.
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

    def with_direction(self, callback: keras.callbacks.Callback) -> keras.callbacks.Callback:
        """Return a copy of a callback that knows whether small or large values of the metric it monitors are better.

        Keras looks for the direction in a network that was compiled with the metric.
        """
        callback = copy.copy(callback)
        names = {prefix + one.name: one for prefix in self.tables for one in self.metrics}
        metric = names.get(getattr(callback, "monitor", None))
        if metric is not None and getattr(callback, "mode", None) == "auto":
            callback.mode = better(metric) or "auto"
        return callback

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
