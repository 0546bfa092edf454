"""The progress of a training run, as one line that changes."""

import time

import keras

from forecastkit.utils.formatting import clock


class Epochs(keras.callbacks.Callback):
    """Says epoch, best epoch and time after every epoch: ``9/20  best 8  00:52``.

    Parameters
    ----------
    say : callable
        Takes a label and a text.
    """

    def __init__(self, say):
        super().__init__()
        self.say, self.began = say, time.monotonic()
        # Training works on a shallow copy of its callbacks: what is counted must be shared with it.
        self.losses: dict[int, float] = {}

    @property
    def best(self) -> int:
        """The epoch with the least loss, from 1; 0 before the first is over."""
        return min(self.losses, key=self.losses.get) + 1 if self.losses else 0

    def on_train_begin(self, logs=None):
        # A run that is resumed goes on after epochs that were not seen here.
        done = self.params.get("record")
        self.losses.update(enumerate((done.val_loss or done.loss) if done else ()))

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        self.losses[epoch] = logs.get("val_loss", logs.get("loss", float("inf")))
        self._say(epoch + 1)

    def _say(self, epoch):
        best = f"  best {self.best}" if self.best else ""
        self.say("epoch", f"{epoch:>2}/{self.params['epochs']}{best}  {clock(time.monotonic() - self.began)}")

    def __deepcopy__(self, memo):
        return self
