"""The user's optimizers and callbacks, which are validated; optimizers are created anew for each fit. Keras is loaded
on use."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.keras_parts import Portable
from forecastkit.utils.validation import refuse

if TYPE_CHECKING:
    import keras


def rate_setters() -> tuple[type, ...]:
    """Return the classes of callbacks that set the learning rate by epoch and replace the schedule of the loop."""
    import keras

    return keras.callbacks.LearningRateScheduler, keras.callbacks.ReduceLROnPlateau


def check_optimizer(where: str, given: Any, callbacks: Sequence | None) -> None:
    """Refuse invalid optimizers, and callbacks that set the learning rate of an optimizer with a schedule."""
    optimizer = make_optimizer(given, where=where)
    setters = [type(callback).__name__ for callback in callbacks or () if isinstance(callback, rate_setters())]
    if setters and has_schedule(optimizer):
        rule = f"{setters[0]} needs an optimizer whose learning rate is a number"
        got = type(optimizer._learning_rate).__name__
        refuse(where, rule, got, "Leave one of the two out.", ParameterError)


def make_optimizer(given: Any = None, clip: float | None = None, where: str = "fit") -> "keras.Optimizer":
    """Return a new optimizer by name, or with the settings of an object or config; Adam by default.

    If the optimizer does not clip gradients, `clip` is their largest global norm.
    """
    import keras

    optimizer = keras.optimizers.Adam(1e-3) if given is None else _fresh(given, where)
    clips = (optimizer.clipnorm, optimizer.global_clipnorm, optimizer.clipvalue)
    if clip is not None and not any(clips):
        optimizer.global_clipnorm = clip
    return optimizer


def _fresh(given, where):
    import keras

    remedy = "Pass a name such as 'adamw', or an object such as keras.optimizers.AdamW(weight_decay=1e-2)."
    if isinstance(given, type) or not isinstance(given, (str, dict, keras.Optimizer)):
        refuse(where, "optimizer must be a name, an object or a config", repr(given), remedy, ParameterError)
    try:
        if isinstance(given, keras.Optimizer):
            return Portable.of(given).made()
        return keras.optimizers.get(dict(given) if isinstance(given, dict) else given)
    except (ValueError, TypeError):
        return refuse(where, "optimizer must be a Keras optimizer", repr(given), remedy, ParameterError)


def has_schedule(optimizer: "keras.Optimizer") -> bool:
    """Return whether the learning rate is a schedule of the optimizer, which cannot be set."""
    import keras

    return isinstance(getattr(optimizer, "_learning_rate", None), keras.optimizers.schedules.LearningRateSchedule)


def own_rate(given: Any) -> float | None:
    """Return the learning rate of an optimizer given as an object or config; None without one."""
    if given is None or isinstance(given, str):
        return None
    optimizer = make_optimizer(given)
    return None if has_schedule(optimizer) else float(optimizer.learning_rate)


def check_callbacks(where: str, callbacks: Sequence) -> None:
    """Refuse invalid callbacks, and those that need Keras' training loop."""
    import keras

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
