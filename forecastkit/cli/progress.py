"""The progress of a training run, in one line that is updated."""

import math
import time
from collections.abc import Callable

import keras

from forecastkit.utils.formatting import minutes_and_seconds, number


class EpochProgress(keras.callbacks.Callback):
    """Prints epoch, loss, best loss and time after every epoch: ``9/20  loss 0.214  best 0.209 in epoch 8  00:52``.

    Parameters
    ----------
    show : callable
        Takes a label and a text.
    """

    uses_model = False  # so that the fit on all rows may train the network of the test

    def __init__(self, show: Callable[[str, str], None]):
        super().__init__()
        self.show, self.began = show, time.monotonic()
        # Training works on a shallow copy of its callbacks: the losses must be shared with it.
        self.losses: dict[int, float] = {}

    @property
    def best(self) -> int:
        """The epoch with the smallest loss, from 1; 0 before the first is over."""
        return min(self.losses, key=self.losses.get) + 1 if self.losses else 0

    def on_train_begin(self, logs=None):
        # A resumed run continues after epochs that were not seen here.
        done = self.params.get("record")
        self.losses.update(enumerate((done.val_loss or done.loss) if done else ()))

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        self.losses[epoch] = logs.get("val_loss", logs.get("loss", math.inf))
        self._show(epoch)

    def _show(self, epoch: int) -> None:
        loss, best = number(self.losses[epoch], 4), number(self.losses[self.best - 1], 4)
        elapsed = minutes_and_seconds(time.monotonic() - self.began)
        self.show(
            "epoch", f"{epoch + 1:>2}/{self.params['epochs']}  loss {loss}  best {best} in epoch {self.best}  {elapsed}"
        )

    def __deepcopy__(self, memo):
        return self
