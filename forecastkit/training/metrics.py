"""The user's Keras metrics, which are validated and created anew for each fit. Keras is loaded on use."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.keras_parts import Portable
from forecastkit.utils.validation import first_few, refuse

if TYPE_CHECKING:
    import keras


def evaluated(metric: "keras.metrics.Metric", *given: np.ndarray) -> float:
    """Return the value of a metric for these targets, forecasts and weights."""
    metric.reset_state()
    metric.update_state(*given)
    return float(metric.result())


def better(metric: "keras.metrics.Metric") -> str | None:
    """Return 'min' or 'max', as values of exact forecasts are below or above those of high and low ones; else None."""
    actual = np.array([[1.0], [2.0]], "float32")
    exact, high, low = (evaluated(metric, actual, actual + error) for error in (0, 3, -3))
    metric.reset_state()
    return "min" if exact < min(high, low) else "max" if exact > max(high, low) else None


def make_metrics(where: str, given: Sequence | None) -> list["keras.metrics.Metric"]:
    """Return fresh Keras metrics, after a trial of each.

    Raises
    ------
    ParameterError
        If a metric does not exist, does not return a number, or has the name of another one.
    """
    if given is None:
        return []
    if isinstance(given, str) or not isinstance(given, Sequence):
        refuse(where, "metrics must be a list", repr(given), "Pass metrics=[...].", ParameterError)
    found = [_metric(where, one) for one in given]
    names = ["loss", *(metric.name for metric in found)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        remedy = "Pass objects with a name of their own, such as keras.metrics.MeanAbsoluteError(name='error')."
        refuse(where, "metrics must have different names, and not that of the loss", first_few(twice), remedy,
               ParameterError)  # fmt: skip
    return found


def _metric(where, given) -> "keras.metrics.Metric":
    import keras  # here: forecasts of a saved model load no Keras

    remedy = "Pass a name such as 'mae', an object such as keras.metrics.RootMeanSquaredError(), or a function."
    try:
        found = keras.metrics.get(given) if isinstance(given, str) else given
    except (ValueError, TypeError):
        refuse(where, "metrics must be those of Keras", repr(given), remedy, ParameterError)
    if isinstance(found, keras.metrics.Metric):
        found = Portable.of(found).made() if found is given else found
        if isinstance(given, str):
            found.name = given  # as in Model.compile
    elif isinstance(found, type) or not callable(found):
        refuse(where, "metrics must be names, objects or functions", repr(given), remedy, ParameterError)
    else:
        name = given if isinstance(given, str) else getattr(found, "__name__", "metric")
        found = keras.metrics.MeanMetricWrapper(found, name=name)
    try:
        value = evaluated(found, np.array([[1.0], [2.0]], "float32"), np.array([[1.5], [1.0]], "float32"))
        reason = "" if np.isfinite(value) else f"{value}"
    except Exception as error:  # whatever the user's own code raises
        reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}"
    if reason:
        rule = f"the metric {found.name!r} must return a number for y_true and y_pred of shape (steps, 1)"
        refuse(where, rule, reason, error=ParameterError)
    found.reset_state()
    return found
