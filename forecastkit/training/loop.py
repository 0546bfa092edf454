"""The training loop: epochs of sampled windows, learning-rate schedule, early stopping, best weights.

References
----------
.. [1] Loshchilov, I., & Hutter, F. (2017). SGDR: stochastic gradient descent with warm restarts. ICLR: cosine decay.
.. [2] Li, M., Yumer, E., & Ramanan, D. (2020). Budgeted training. ICLR: decay by the fraction of a budget.
.. [3] Hägele, A., et al. (2024). Scaling laws and compute-optimal training beyond fixed training durations. NeurIPS: a
   constant rate followed by a short decay. Departure: the decay begins when the validation loss stalls.
"""

import copy
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from forecastkit.data.windows import Buffers, Origins, Windows
from forecastkit.training.checkpoint import Checkpoint
from forecastkit.training.optimizers import has_schedule, rate_setters
from forecastkit.utils.validation import refuse
from forecastkit.utils.warn import warn_user

if TYPE_CHECKING:
    import keras

WARM_UP = 50  # steps until the full learning rate
MIN_BATCH, MIN_STEPS, MAX_STEPS = 16, 50, 100
#: Epochs of a plan without validation windows.
USUAL_EPOCHS = 10
#: With validation windows: the largest number of epochs, and of those before the learning rate decays.
MOST_EPOCHS, MOST_CONSTANT = 40, 32
#: Epochs of the decay: half of those before it, within these bounds.
SHORTEST_DECAY, LONGEST_DECAY = 3, 8
#: Relative decrease of the validation loss that counts as an improvement before the decay.
IMPROVEMENT = 1e-3
#: Epochs without such an improvement after which the decay begins.
STALLED = 3
#: Fraction of a time limit after which the decay begins at the latest.
DECAY_BY = 0.6
#: Keras names of the hooks of single steps.
BATCH_HOOKS = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
#: Number of steps between calls of callbacks without hooks of single steps.
PIECE = 25


@dataclass(frozen=True)
class Plan:
    """Duration and learning rate of training; `Plan.suited` chooses values for the amount of data.

    The rate rises linearly and then decays to 0 along half a cosine [1]_ over all epochs. In an adaptive plan it is
    constant until the validation loss stalls, and then decays within a few epochs [3]_.
    """

    epochs: int  #: The largest number of epochs of an adaptive plan, the number of others
    steps: int  #: Steps per epoch
    batch_size: int  #: Windows per step
    learning_rate: float  #: Peak rate
    patience: int | None  #: Epochs without an improvement of the validation loss after which training stops
    time_limit: float | None  #: Time limit in seconds
    seed: int
    #: Whether the weights that training starts with may be the best: those of a network that corrects a forecast
    start_may_be_best: bool = False
    adaptive: bool = False  #: Whether the validation loss determines the number of epochs

    @classmethod
    def suited(
        cls,
        windows: int,
        *,
        epochs: int | None,
        batch_size: int,
        windows_per_epoch: int | None,
        validated: bool = True,
        **rest,
    ) -> "Plan":
        """Choose small batches for few windows, so that there are enough steps, and limit the epochs of very many
        windows.

        With `epochs` None the plan is adaptive if there are validation windows (`validated`).
        """
        batch = min(batch_size, max(MIN_BATCH, 1 << int(np.log2(max(windows // 16, 1)))))
        if windows_per_epoch is not None:
            steps = max(1, -(-windows_per_epoch // batch))
        else:
            steps = int(np.clip(-(-windows // batch), MIN_STEPS, MAX_STEPS))
        adaptive = epochs is None and validated
        epochs = epochs or (MOST_EPOCHS if adaptive else USUAL_EPOCHS)
        return cls(epochs=epochs, steps=steps, batch_size=batch, adaptive=adaptive, **rest)

    def rates(self, epoch: int, spent: float = 0.0, decay_start: int | None = None) -> np.ndarray:
        """Return the learning rate of each step of an epoch.

        `spent`, the used fraction of the time limit, counts as progress, so that the rate has decayed when the time is
        over [2]_. `decay_start` is the first epoch of the decay of an adaptive plan, None before it.
        """
        step, spent = epoch * self.steps + np.arange(self.steps), min(spent, 1.0)
        total = self.epochs * self.steps
        warm = np.minimum(1.0, (step + 1) / min(WARM_UP, max(1, total // 4)))
        if self.adaptive:
            decayed, spent = 0.0, max(spent - DECAY_BY, 0.0) / (1 - DECAY_BY)
            if decay_start is not None:
                decayed = (step - decay_start * self.steps) / (self.decay_epochs(decay_start) * self.steps)
        else:
            decayed = step / total
        progress = np.minimum(np.maximum(decayed, spent), 1.0)
        return self.learning_rate * warm * 0.5 * (1 + np.cos(np.pi * progress))

    def decay_epochs(self, decay_start: int) -> int:
        """Return the number of epochs of a decay that begins with this epoch."""
        return int(np.clip(decay_start // 2, SHORTEST_DECAY, LONGEST_DECAY))

    def decay_reason(self, losses: list[float], spent: float = 0.0) -> str:
        """Return why the rate of an adaptive plan decays from the next epoch; empty if it does not.

        It is 'convergence' if the validation losses so far have stalled; 'epochs' or 'time limit', of which `spent` is
        the used fraction, if they may still improve. The loss before the first epoch is not among them: the first steps
        from a linear forecast may increase it, and later ones still improve on it.
        """
        before, latest = losses[:-STALLED], losses[-STALLED:]
        if before and min(latest) > min(before) - IMPROVEMENT * abs(min(before)):
            return "convergence"
        if len(losses) >= MOST_CONSTANT:
            return "epochs"
        return "time limit" if spent >= DECAY_BY else ""


@dataclass
class Record:
    """Losses by epoch, the best epoch, seconds, and the reason why training ended.

    `start_loss` is the validation loss before the first epoch, of a network that corrects a linear forecast: where no
    epoch is better, `best_epoch` is -1.
    `decay_start` is the first epoch (from 0) of the decay of an adaptive plan, and `decay_reason` why it began.
    `metrics` holds the user's metrics by epoch, those on validation windows with ``val_`` before the name.
    `steps` are those of a whole epoch; `pieces` holds steps and seconds of every piece of one, compiling in the first.
    """

    loss: list = field(default_factory=list)
    val_loss: list = field(default_factory=list)
    best_epoch: int = 0
    seconds: float = 0.0
    ended: str = "epochs"
    steps: int = 0
    pieces: list = field(default_factory=list)
    start_loss: float | None = None
    decay_start: int | None = None
    decay_reason: str = ""
    metrics: dict[str, list[float]] = field(default_factory=dict)

    @property
    def history(self) -> dict[str, list[float]]:
        """Losses and metrics by epoch under their Keras names, as in `keras.callbacks.History`."""
        losses = {"loss": self.loss, "val_loss": self.val_loss}
        return {name: values for name, values in (losses | self.metrics).items() if values}

    def logs(self) -> dict[str, float]:
        """Return losses and metrics of the last epoch by their Keras names."""
        return {name: values[-1] for name, values in self.history.items()}

    def latest(self) -> dict[str, float]:
        """Return the losses of the last epoch by their Keras names."""
        losses = {"loss": self.loss, "val_loss": self.val_loss}
        return {name: values[-1] for name, values in losses.items() if values}

    def epoch_seconds(self) -> float:
        """Return the seconds of an epoch: the median over pieces, without the first one if there are others."""
        pieces = self.pieces[1:] or self.pieces
        return self.steps * float(np.median([seconds / steps for steps, seconds in pieces])) if pieces else float("nan")

    def diverged(self) -> bool:
        """Return whether a loss of the last epoch is not finite."""
        return not np.isfinite(list(self.latest().values())).all()

    @property
    def gain(self) -> float:
        """Return the fraction of the validation loss before the first epoch that the best epoch saves; at least 0."""
        if self.start_loss is None or self.start_loss <= 0 or not self.val_loss:
            return 0.0
        return max(0.0, 1 - min(self.val_loss) / self.start_loss)

    def improved(self) -> bool:
        """Whether the last epoch is the best one; without validation, every epoch is."""
        if self.diverged() or not self.val_loss:
            return not self.diverged()
        before = [] if self.start_loss is None else [self.start_loss]
        return self.val_loss[-1] == min(before + self.val_loss)


def train(
    engine,
    buffers: Buffers,
    windows: Windows,
    validation_origins: Origins | None,
    plan: Plan,
    callbacks=(),
    record: Record | None = None,
    checkpoint: Checkpoint | None = None,
) -> Record:
    """Train until the plan, patience or the time limit ends it; the network then has its best weights.

    Parameters
    ----------
    engine : engine
    windows : Windows
        Those to draw batches from.
    validation_origins : Origins or None
        Validation windows; without them the last weights are kept.
    callbacks : list of keras.callbacks.Callback
        Copies of them are called, see `Listeners`; the record is among their `params`.
    record : Record, optional
        Updated during training, so that it is available after an interruption.
    checkpoint : Checkpoint, optional
        Initial state of the run, updated after every epoch.

    Raises
    ------
    InputError
        If the loss is not finite before any epoch has completed.
    KeyboardInterrupt
        Raised again after the best weights have been restored.
    """
    network = engine.network
    engine.prepare(buffers, plan.batch_size)
    record = Record() if record is None else record
    best, is_over = _resume(checkpoint, engine, record)
    record.steps = plan.steps
    table = validation_origins.table() if validation_origins is not None and len(validation_origins) else None
    params = {"epochs": plan.epochs, "steps": plan.steps, "verbose": 0, "record": record}
    listeners = Listeners(callbacks, network, plan.learning_rate, **params)
    calls = listeners.calls
    began = time.monotonic() - record.seconds

    def spent():  # seconds of the first worker, because all workers must stop at the same step
        return engine.agreed(time.monotonic() - began)

    calls.on_train_begin()
    if table is not None and plan.start_may_be_best and not record.loss:
        record.start_loss, best, record.best_epoch = engine.evaluate(table), network.get_weights(), -1
    try:
        for epoch in range(plan.epochs if is_over else len(record.loss), plan.epochs):
            calls.on_epoch_begin(epoch)
            record.loss.append(_epoch(engine, windows, plan, epoch, spent, record, listeners))
            engine.swap()
            if table is not None:
                calls.on_test_begin()
                record.val_loss.append(engine.evaluate(table))
            if record.improved():
                best, record.best_epoch = network.get_weights(), epoch
            if table is not None:  # after the weights are taken: `SwapEMAWeights` takes its averages back here
                calls.on_test_end({"loss": record.val_loss[-1]})
            calls.on_epoch_end(epoch, record.latest())
            engine.swap()
            record.seconds = time.monotonic() - began
            reason = _reason_to_end(record, plan, epoch, spent, engine.agreed(network.stop_training))
            record.ended = reason or record.ended
            _start_decay(record, plan, spent)
            _keep(checkpoint, engine, best, record, is_over=bool(reason) or epoch + 1 == plan.epochs)
            if reason:
                break
    except KeyboardInterrupt:
        record.ended = "interrupted"
        raise
    finally:
        record.seconds = time.monotonic() - began
        if best is not None:
            network.set_weights(best)
    calls.on_train_end(record.logs())
    if record.diverged():
        _report_divergence(record, best is not None)
    return record


def _resume(checkpoint, engine, record):
    """Restore a stored state; return the best weights, or None, and whether the run was complete."""
    if checkpoint is None or not checkpoint.arrays:
        return None, False
    arrays = checkpoint.take()
    best = arrays.pop("best", None)
    engine.restore(arrays)
    vars(record).update(checkpoint.about["record"])
    return best, checkpoint.about["is_over"]


def _keep(checkpoint, engine, best, record, is_over):
    """Store the state of the run unless training diverged."""
    if checkpoint is None or record.diverged():
        return
    state = engine.state() if best is None else {**engine.state(), "best": best}
    checkpoint.write(state, record=asdict(record), is_over=is_over)


def _report_divergence(record, saved):
    """Warn that training diverged if weights of an earlier epoch exist, otherwise raise an error."""
    rule, got = "losses must stay finite", f"{record.latest()} in epoch {len(record.loss)}"
    remedy = "Pass a lower learning_rate=, and look for extreme values in the data."
    if not saved:
        refuse("fit", rule, got, remedy)
    best = record.best_epoch + 1
    kept = f"The weights of epoch {best} are kept." if best else "The linear forecast is kept."
    warn_user(f"fit: {rule}, got {got}. {kept} {remedy}")


def _epoch(engine, windows, plan, epoch, spent, record, listeners):
    """Train one epoch in parts, so that a time limit is met within seconds and callbacks can observe each step."""
    rng = np.random.default_rng([plan.seed, epoch])
    numbers = windows.draw(rng, plan.steps * plan.batch_size)
    seeds = epoch * plan.steps + np.arange(plan.steps) + 1
    losses = []
    for low in range(0, plan.steps, listeners.piece):
        part = slice(low, min(low + listeners.piece, plan.steps))
        chosen = numbers[part.start * plan.batch_size : part.stop * plan.batch_size]
        tables = windows.at(chosen).table().reshape(-1, plan.batch_size, 3)
        listeners.before_steps(low)
        started = time.monotonic()
        planned = plan.rates(epoch, _fraction(spent, plan), record.decay_start)
        losses.append(engine.train(tables, listeners.rates(planned[part]), seeds[part]))
        record.pieces.append((len(tables), time.monotonic() - started))
        listeners.after_steps(low, float(np.mean(losses)))
        if listeners.stopped(engine.agreed) or (plan.time_limit is not None and spent() > plan.time_limit):
            break
    return float(np.mean(losses))


def _fraction(spent, plan) -> float:
    """Return the used fraction of the time limit, 0 without one."""
    return spent() / plan.time_limit if plan.time_limit else 0.0


def _start_decay(record, plan, spent):
    """Begin the decay of an adaptive plan if it is due."""
    if not plan.adaptive or record.decay_start is not None or not record.val_loss:
        return
    record.decay_reason = plan.decay_reason(record.val_loss, _fraction(spent, plan))
    if record.decay_reason:
        record.decay_start = len(record.loss)


def _reason_to_end(record, plan, epoch, spent, stopped):
    if record.diverged():
        return "loss is not finite"
    if plan.time_limit is not None and spent() > plan.time_limit:
        return "time limit"
    if plan.adaptive:
        if record.decay_start is not None and epoch + 1 >= record.decay_start + plan.decay_epochs(record.decay_start):
            return record.decay_reason
    elif plan.patience is not None and record.val_loss and epoch - record.best_epoch >= plan.patience:
        return "patience"
    return "callback" if stopped else ""


def _has_batch_hooks(callback: "keras.callbacks.Callback") -> bool:
    from keras.callbacks import Callback as base

    return any(
        # LambdaCallback keeps its hooks in the object, others in the class.
        hook in vars(callback) or getattr(type(callback), hook) is not getattr(base, hook)
        for hook in BATCH_HOOKS
    )


class Listeners:
    """Copies of the callbacks of a fit, called with the network as their model."""

    def __init__(self, callbacks: Sequence, network: "keras.Model", learning_rate: float, **params: Any):
        from keras.callbacks import CallbackList  # here: forecasts of a saved model load no Keras

        copies = [copy.copy(callback) for callback in callbacks]
        self.calls = CallbackList(copies, add_history=True, model=network, **params)
        self.network = network
        #: Steps until callbacks are called again.
        self.piece = 1 if any(map(_has_batch_hooks, callbacks)) else PIECE
        self.sets_rate = any(isinstance(callback, rate_setters()) for callback in callbacks)
        self.last_rate = None
        network.stop_training = False
        if callbacks and self._rate() is not None:
            network.optimizer.learning_rate = self.last_rate = np.float32(learning_rate)

    def rates(self, planned: np.ndarray) -> np.ndarray:
        """Return the learning rates of the next steps: as planned, or as a callback has set that of the optimizer."""
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
            self.calls.on_train_batch_begin(step)

    def after_steps(self, step: int, loss: float) -> None:
        """Record the learning rate, and call the hooks after a step with the mean loss of the epoch so far."""
        if self.last_rate is not None:
            self.last_rate = self._rate()
        if self.piece == 1:
            self.calls.on_train_batch_end(step, {"loss": loss})

    def stopped(self, agreed) -> bool:
        """Return whether a hook of a step has stopped the training; `agreed` returns the first worker's answer."""
        return self.piece == 1 and bool(agreed(self.network.stop_training))
