"""Checks of Keras callbacks, and callbacks of our own."""

from collections.abc import Sequence
from importlib.util import find_spec

import keras

from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import refuse


def check_callbacks(where: str, callbacks: Sequence) -> None:
    """Refuse what is no Keras callback, and those that need Keras' own training loop.

    Raises
    ------
    ParameterError
    """
    if isinstance(callbacks, (keras.callbacks.Callback, str)) or not isinstance(callbacks, Sequence):
        refuse(where, "callbacks must be a list", repr(callbacks), "Pass callbacks=[...].", ParameterError)
    for callback in callbacks:
        if not isinstance(callback, keras.callbacks.Callback):
            remedy = "Pass objects, such as keras.callbacks.EarlyStopping(patience=3)."
            refuse(where, "callbacks must be objects of keras.callbacks", repr(callback), remedy, ParameterError)
        if isinstance(callback, keras.callbacks.BackupAndRestore):
            rule = "callbacks must not need Keras' own training loop"
            refuse(where, rule, "BackupAndRestore", "Pass resume=FOLDER, which does the same.", ParameterError)
        if isinstance(callback, keras.callbacks.TensorBoard) and find_spec("tensorboard") is None:
            rule = "keras.callbacks.TensorBoard needs the package tensorboard"
            refuse(where, rule, "none installed", "Run: pip install tensorboard.", ParameterError)


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
