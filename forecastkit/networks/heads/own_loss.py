"""A head trained by a Keras loss: any name, object or function that `Model.compile` takes."""

from collections.abc import Callable
from typing import Any

import numpy as np

from forecastkit.networks.heads.base import Head
from forecastkit.utils import lazy_ops as ops
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import did_you_mean, refuse

#: Keras losses that a number per step cannot be trained by: of classes, and of directions of vectors.
UNSUITABLE = ("crossentropy", "cross_entropy", "hinge", "cosine", "dice", "tversky", "circle", "ctc")


def find_loss(where: str, given: Any, names: tuple[str, ...]) -> Callable:
    """Return the Keras loss of a name, an object, a function or a config.

    Parameters
    ----------
    where : str
        Name of the parameter, for error messages.
    given : str, keras.losses.Loss, callable or dict
    names : tuple of str
        Names of the losses of this library, for suggestions.
    """
    remedy = "Pass a name, an object of keras.losses.Loss, or a function of y_true and y_pred."
    if isinstance(given, (str, dict)):
        import keras  # here: forecasts of a saved model load no Keras

        try:
            return keras.losses.get(given)
        except (ValueError, TypeError):
            remedy = did_you_mean(given, names) if isinstance(given, str) else remedy
            rule = f"loss must be one of {', '.join(map(repr, names))}, or a loss of Keras"
            refuse(where, rule, repr(given), remedy, ParameterError)
    if isinstance(given, type) or not callable(given):
        refuse(where, "loss must be a name, an object or a function", repr(given), remedy, ParameterError)
    return given


def check_by_trial(where: str, loss: Callable) -> None:
    """Refuse a loss that returns no number per step or per window, or does not depend on the size of an error."""
    name, target = name_of(loss), np.zeros((2, 3, 1), "float32")
    if any(word in name.lower() for word in UNSUITABLE):
        remedy = "Pass a loss of numbers, such as keras.losses.LogCosh()."
        refuse(where, "loss must be one of numbers, step by step", name, remedy, ParameterError)
    try:
        near, far = (ops.convert_to_tensor(call(loss, target, np.full_like(target, error))) for error in (0.5, 1.5))
    except Exception as error:  # whatever the user's own code raises
        shown = str(error).splitlines()[0] if str(error) else "no message"
        rule = "loss must take y_true and y_pred of shape (windows, steps, 1)"
        refuse(where, rule, f"{type(error).__name__} from {name}: {shown}", error=ParameterError)
    if tuple(near.shape) not in ((2,), (2, 3), (2, 3, 1)):
        rule = f"{name} must return a number for each step, (windows, steps), or for each window, (windows,)"
        remedy = "Take means over the last axis only: missing steps are left out afterwards."
        refuse(where, rule, f"shape {tuple(near.shape)} for (2, 3, 1)", remedy, ParameterError)
    near, far = np.asarray(near), np.asarray(far)
    if not np.isfinite(near).all() or np.array_equal(near, far):
        got = "the same for both" if np.isfinite(near).all() else "no finite number"
        refuse(where, f"{name} must tell an error of 0.5 from one of 1.5", got, error=ParameterError)


def name_of(loss: Any) -> str:
    """Return the name of a loss."""
    return getattr(loss, "__name__", None) or type(loss).__name__


def call(loss: Callable, target: Any, forecast: Any) -> Any:
    """Return the loss of each window or step, without the mean over the batch."""
    import keras

    return loss.call(target, forecast) if isinstance(loss, keras.losses.Loss) else loss(target, forecast)


class OwnLoss(Head):
    """One value per step that makes a Keras loss small, in units of each series' scale.

    Parameters
    ----------
    loss : keras.losses.Loss or callable
        Of targets and forecasts (windows, steps, 1); a number per step, or per window.
    """

    def __init__(self, loss: Callable):
        self.keras_loss = loss

    def get_config(self) -> dict:
        import keras

        return {"loss": keras.losses.serialize(self.keras_loss)}

    def loss(self, target: Any, forecast: Any, weight: Any = None) -> Any:
        """As `Head.loss`. To a loss of whole windows a missing step is one that was forecast exactly."""
        missing = ops.isnan(target)
        target = ops.where(missing, ops.stop_gradient(forecast[..., 0]), target)
        horizon = target.shape[-1]
        # Targets of several channels are windows of their own, as without them.
        found = call(self.keras_loss, *(ops.reshape(given, (-1, horizon, 1)) for given in (target, forecast)))
        found = ops.cast(found, forecast.dtype)
        if len(found.shape) == 1:
            if weight is not None:
                expanded = weight + ops.zeros_like(target)
                found = found * ops.mean(ops.reshape(expanded, (-1, horizon)), axis=-1)
            found = ops.where(ops.reshape(ops.all(missing, axis=-1), (-1,)), ops.zeros_like(found), found)
            return found if len(target.shape) == 2 else ops.mean(ops.reshape(found, (-1, target.shape[1])), axis=1)
        return self.mean_of_observed(ops.reshape(found, ops.shape(target)), missing, weight)
