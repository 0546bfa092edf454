"""Keras objects among a forecaster's parameters: copied, pickled and saved by their settings.

Keras pickles an object of a user's own class only where the class is registered; class and settings always work. Keras'
own losses leave arguments such as the delta of Huber out of their settings; these are put back.
"""

import sys
from dataclasses import dataclass
from inspect import isfunction
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


def from_config(cls: type, config: dict[str, Any], own: dict[str, Any]) -> Any:
    """Return a Keras object by its settings, in which classes and functions of the user are found by name."""
    import keras

    name = config.get("name")
    with keras.saving.custom_object_scope(own):
        if name not in own:
            return cls.from_config(dict(config))
        # Keras would take the name itself for the function of this name.
        made = cls.from_config({key: value for key, value in config.items() if key != "name"})
    made.name = name
    return made


@dataclass(frozen=True)
class Portable:
    """What a pickle holds of a Keras object, with the functions that it wraps, which its settings only name."""

    cls: type
    config: dict
    functions: dict

    @classmethod
    def of(cls, part: Any) -> "Portable":
        """Take the class and settings of a Keras object."""
        return cls(type(part), settings(part), {f.__name__: f for f in vars(part).values() if isfunction(f)})

    def made(self) -> Any:
        """Return a new object of this class and with these settings."""
        try:
            return from_config(self.cls, self.config, self.functions)
        except (TypeError, ValueError) as error:
            remedy = "Define get_config() so that it returns every argument of __init__."
            rule = f"{self.cls.__name__} must be made again by from_config(get_config())"
            return refuse("Keras", rule, f"{type(error).__name__}: {error}", remedy, ParameterError)


def portable(state: dict[str, Any]) -> dict[str, Any]:
    """A state with its Keras objects as class and settings, for pickles and deep copies."""
    return {name: _portable(item) for name, item in state.items()}


def _portable(item):
    if isinstance(item, (list, tuple)) and any(map(is_part, item)):
        return type(item)(map(_portable, item))
    return Portable.of(item) if is_part(item) else item


def restored(state: dict[str, Any]) -> dict[str, Any]:
    """The state that `portable` was given."""
    return {name: _restored(item) for name, item in state.items()}


def _restored(item):
    if isinstance(item, (list, tuple)) and any(isinstance(part, Portable) for part in item):
        return type(item)(map(_restored, item))
    return item.made() if isinstance(item, Portable) else item
