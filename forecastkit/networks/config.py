"""A network as a Keras config: how `model.save` stores it, and how `keras.saving.load_model` builds it again."""

from contextlib import contextmanager
from typing import Any

import keras

from forecastkit.networks import backbones
from forecastkit.networks.backbone import Backbone, LayerBackbone
from forecastkit.utils.exceptions import ArtifactError, ParameterError
from forecastkit.utils.validation import refuse


@contextmanager
def dtype_policy(name: str | None):
    """Layers made inside have this dtype policy. It is the thread's own, and put back."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name or before)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def backbone_config(backbone: Backbone) -> dict[str, Any]:
    """Class and parameters of a backbone, classes among the parameters by their names."""
    if isinstance(backbone, LayerBackbone):
        return {"layer": backbones.reference_to(backbone.layer)}
    parameters = {}
    for name, value in backbone.get_params(deep=False).items():
        if not isinstance(value, (type(None), bool, int, float, str, tuple, list, type)):
            rule = f"{type(backbone).__name__}.{name} must be a number, text or a class for Keras to save it"
            refuse("save", rule, repr(value), "Save the forecaster itself: forecaster.save(path).", ParameterError)
        parameters[name] = backbones.reference_to(value) if isinstance(value, type) else value
    return {"class": backbones.reference_to(type(backbone)), "parameters": parameters}


def backbone_from_config(config: dict[str, Any]) -> Backbone:
    """Return the backbone of `backbone_config`; classes of one's own are taken from Keras' custom objects.

    Raises
    ------
    ArtifactError
        Where a class of one's own is not among the custom objects.
    """
    if "layer" in config:
        return LayerBackbone(layer=_class(config["layer"]))
    parameters = {name: _class(value) if _is_class(value) else value for name, value in config["parameters"].items()}
    return _class(config["class"])(**parameters)


def _is_class(value):
    return isinstance(value, dict) and (value.keys() == {"own"} or value.keys() == {"registered"})


def _class(found):
    if "registered" in found:
        return backbones.find(found["registered"])
    name = found["own"]
    cls = keras.saving.get_registered_object(name, custom_objects=keras.saving.get_custom_objects())
    if cls is None:
        rule = f"the network holds a class of your own, {name!r}, which must be given"
        refuse("load", rule, "none", f"Pass custom_objects={{{name!r}: {name}}}.", ArtifactError)
    return cls
