"""Keras objects among a forecaster's parameters: copied, pickled and saved by their settings.

Keras pickles an object of a user's own class only where the class is registered; class and settings always work. Keras'
own losses leave arguments such as the delta of Huber out of their settings; these are put back.
"""

import sys
from dataclasses import dataclass
from typing import Any

from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import refuse


def is_part(value: Any) -> bool:
    """Whether a value is a loss, a metric or an optimizer of Keras, or of a class derived from theirs."""
    keras = sys.modules.get("keras")  # not imported by those who have none
    return keras is not None and isinstance(value, (keras.losses.Loss, keras.metrics.Metric, keras.Optimizer))


def settings(part: Any) -> dict[str, Any]:
    """The config of a Keras object, complete: arguments that Keras leaves out are put back."""
    return {**part.get_config(), **getattr(part, "_fn_kwargs", {})}


def from_settings(cls: type, config: dict[str, Any]) -> Any:
    """A Keras object of this class."""
    try:
        return cls.from_config(dict(config))
    except (TypeError, ValueError) as error:
        remedy = "Define get_config() so that it returns every argument of __init__."
        rule = f"{cls.__name__} must be made again by from_config(get_config())"
        return refuse("Keras", rule, f"{type(error).__name__}: {error}", remedy, ParameterError)


@dataclass(frozen=True)
class Portable:
    """What a pickle holds of a Keras object."""

    cls: type
    config: dict


def portable(state: dict[str, Any]) -> dict[str, Any]:
    """A state with its Keras objects as class and settings, for pickles and deep copies."""
    return {name: _portable(item) for name, item in state.items()}


def _portable(item):
    if isinstance(item, (list, tuple)) and any(map(is_part, item)):
        return type(item)(map(_portable, item))
    return Portable(type(item), settings(item)) if is_part(item) else item


def restored(state: dict[str, Any]) -> dict[str, Any]:
    """The state that `portable` was given."""
    return {name: _restored(item) for name, item in state.items()}


def _restored(item):
    if isinstance(item, (list, tuple)) and any(isinstance(part, Portable) for part in item):
        return type(item)(map(_restored, item))
    return from_settings(item.cls, item.config) if isinstance(item, Portable) else item
