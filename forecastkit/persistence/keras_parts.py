"""Losses, metrics and optimizers of Keras in the file of a saved model: by class name and settings."""

from typing import Any

from forecastkit.utils.exceptions import ArtifactError
from forecastkit.utils.keras_parts import from_config
from forecastkit.utils.validation import refuse

#: Where Keras' own classes and functions are looked up.
NAMESPACES = ("losses", "optimizers", "metrics")


def reference_to(value: Any) -> dict[str, str] | None:
    """Return the reference of a class or function in a saved model: a name in Keras, or one passed to `load`."""
    import keras

    if not callable(value) or not getattr(value, "__name__", "").isidentifier():
        return None
    for space in NAMESPACES:
        if getattr(getattr(keras, space), value.__name__, None) is value:
            return {"keras": space, "name": value.__name__}
    return {"own": value.__name__}


def find(data: dict[str, str], own: dict[str, Any]) -> Any:
    """Return the class or function of `reference_to`."""
    import keras

    if "keras" in data:
        if data["keras"] not in NAMESPACES:
            raise ValueError(f"no namespace {data['keras']!r}")
        return getattr(getattr(keras, data["keras"]), data["name"])
    name = data["own"]
    if name not in own:
        got = f"only {', '.join(own)}" if own else "none"
        rule = f"the model was trained with a loss, metric or optimizer of your own, {name!r}, which must be given"
        refuse("load", rule, got, f"Pass custom_objects={{{name!r}: {name}}}.", ArtifactError)
    return own[name]


def rebuild(data: dict[str, Any], config: dict[str, Any] | None, own: dict[str, Any]) -> Any:
    """Return the loss, optimizer or function of a saved model."""
    found = find(data, own)
    if config is None:
        return found
    _check_nested(config, own)
    try:
        return from_config(found, config, own)
    except (TypeError, ValueError, AttributeError) as error:
        remedy = "Pass the class that was used, with a get_config() that returns every argument of __init__."
        rule = f"{getattr(found, '__name__', found)!r} must accept the settings in the file"
        return refuse("load", rule, f"{type(error).__name__}: {error}", remedy, ArtifactError)


def _check_nested(config, own):
    """Refuse objects in settings that are neither in Keras nor passed to `load`: a file must not import anything."""
    if isinstance(config, list):
        for item in config:
            _check_nested(item, own)
    elif isinstance(config, dict):
        if "class_name" in config:
            name, module = str(config["class_name"]), str(config.get("module"))
            name = str(config.get("config")) if name == "function" else name
            if not (module == "keras" or module.startswith("keras.")) and name not in own:
                rule = f"the model's settings contain a user-defined class, {name!r}, which must be passed"
                refuse("load", rule, "none", f"Pass custom_objects={{{name!r}: {name}}}.", ArtifactError)
        for item in config.values():
            _check_nested(item, own)
