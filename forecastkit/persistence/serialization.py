"""Conversion of fitted forecasters to JSON and NumPy arrays, and back.

JSON values represent themselves. Other values are objects with the key ``$``, which names their kind. Only the classes
listed here, public forecasters and registered backbones are instantiated; user-defined backbone classes must be passed
by the caller.
"""

import dataclasses
import datetime
import hashlib
import importlib
import math
import os
from typing import ClassVar

import numpy as np
import pandas as pd

from forecastkit.networks import backbones
from forecastkit.networks.backbone import Backbone
from forecastkit.persistence import keras_parts
from forecastkit.persistence.consistency import check_consistent, check_network_sizes
from forecastkit.utils.exceptions import ArtifactError, ParameterError
from forecastkit.utils.keras_parts import is_part, settings
from forecastkit.utils.validation import refuse

#: Classes that are rebuilt from their fields or their `_state`, and their modules.
REBUILT = {
    "BrokenReadings": "preprocessing.moments",
    "ConformalAdjustment": "uncertainty.conformal",
    "Earlier": "data.earlier",
    "Lags": "features.lags",
    "Graph": "runtime.graph",
    "LayerBackbone": "networks.backbone",
    "LinearPart": "forecasters.linear_recipes",
    "LocalScale": "uncertainty.validation",
    "Moments": "preprocessing.moments",
    "Panel": "data.panel",
    "Record": "training.loop",
    "ResidualQuantiles": "uncertainty.residuals",
    "Ridge": "baselines.ridge",
    "Scaler": "preprocessing.scaler",
    "Schema": "data.schema",
    "SeriesCorrections": "baselines.series_corrections",
    "ValidationErrors": "uncertainty.conformal",
    "Sizes": "networks.backbone",
    "Statistics": "baselines.ridge",
    "TimeGrid": "data.time_grid",
    "TrainedNetwork": "training.trained_network",
}
#: Names in files of earlier versions, and the current names of these classes and attributes.
EARLIER_CLASSES = {"Corrections": "ConformalAdjustment", "Grid": "TimeGrid"}
EARLIER_ATTRIBUTES = {"history_of_training_": "training_history_"}
#: Archive member for the arrays of an attribute; all other arrays are stored with the weights.
FILES = {
    "history_": "history",
    "local_scale_": "calibration",
    "residuals_": "calibration",
    "paths_": "calibration",
    "corrections_": "calibration",
    "rolling_errors_": "calibration",
}


class Packer:
    """Converts values to JSON and collects their arrays by file and name.

    Equal arrays are stored once: members of an ensemble share their history.
    """

    def __init__(self):
        self.arrays = {"weights": {}, "calibration": {}, "history": {}}
        self._file = "weights"

    def pack(self, value, name: str = "value"):
        """Return the JSON of a value of the attribute `name`; refuse what only foreign code could rebuild."""
        if isinstance(value, np.generic) and not isinstance(value, (np.datetime64, np.timedelta64)):
            value = value.item()
        if value is None or isinstance(value, (bool, int, str)):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else {"$": "float", "of": repr(value)}
        if isinstance(value, (list, pd.Index)):
            return [self.pack(item, name) for item in value]
        if isinstance(value, tuple):
            return {"$": "tuple", "of": [self.pack(item, name) for item in value]}
        if isinstance(value, dict):
            return self._mapping(value)
        if isinstance(value, np.ndarray):
            return self._array(value, name)
        if (stamp := pack_timestamp(value)) is not None:
            return stamp
        return self._object(value, name)

    def _mapping(self, value):
        if all(type(key) is str for key in value) and "$" not in value:
            return {key: self._within(key, item) for key, item in value.items()}
        return {"$": "dict", "of": [[self.pack(key), self.pack(item)] for key, item in value.items()]}

    def _within(self, name, value):
        """Pack an attribute, with arrays in the file that belongs to its name."""
        file, self._file = self._file, FILES.get(name, self._file)
        try:
            return self.pack(value, name)
        finally:
            self._file = file

    def _array(self, value, name):
        if value.dtype == object:
            cells = [self.pack(cell, name) for cell in value.ravel()]
            return {"$": "cells", "of": cells, "shape": list(value.shape)}
        value = np.asarray(value, order="C")
        digest = hashlib.sha256(f"{value.dtype.str}{value.shape}".encode() + value.tobytes()).hexdigest()
        name = f"{name.strip('_')}-{digest[:16]}"
        self.arrays[self._file][name] = value
        return {"$": "array", "file": self._file, "name": name}

    def _object(self, value, name):
        if isinstance(value, type):
            return {"$": "class", **backbones.reference_to(value)}
        own = type(value)
        if own.__module__ == f"forecastkit.{REBUILT.get(own.__name__)}":
            return {"$": "object", "class": own.__name__, "of": self._mapping(fields_of(value))}
        if is_part(value):
            return {"$": "keras", **keras_parts.reference_to(own), "of": self._mapping(settings(value))}
        if name in ("loss", "metrics") and (reference := keras_parts.reference_to(value)):
            return {"$": "keras", **reference, "of": None}
        is_forecaster = hasattr(value, "_set_state")
        if is_forecaster and public_forecaster(own.__name__) is own:
            return self._forecaster(value)
        if isinstance(value, Backbone) and not is_forecaster:
            return {"$": "backbone", **backbones.reference_to(own), "of": self._mapping(value.get_params(deep=False))}
        return refuse(
            "save",
            "a model must contain only JSON values, arrays and registered classes",
            f"{own.__name__} in {name!r}",
            "Save this one with joblib.dump(forecaster, path).",
            ParameterError,
        )

    def _forecaster(self, forecaster):
        """Pack class, constructor parameters and, if fitted, the learned state."""
        fitted = hasattr(forecaster, "history_")
        return {
            "$": "forecaster",
            "class": type(forecaster).__name__,
            "parameters": self._mapping(storable_parameters(forecaster)),
            "learned": self._mapping(forecaster._state()) if fitted else None,
        }


class Unpacker:
    """Rebuilds values from JSON, and from user-defined backbones, losses, metrics and optimizers by name (`own`)."""

    def __init__(self, arrays: dict, own: dict):
        self.arrays, self.own = arrays, own

    def unpack(self, data):
        """Return the value of this JSON."""
        if isinstance(data, list):
            return [self.unpack(item) for item in data]
        if not isinstance(data, dict):
            return data
        if "$" not in data:
            return {key: self.unpack(item) for key, item in data.items()}
        return self.KINDS[data["$"]](self, data)

    def _float(self, data):
        return float(data["of"])

    def _tuple(self, data):
        return tuple(self.unpack(item) for item in data["of"])

    def _dict(self, data):
        return {self.unpack(key): self.unpack(item) for key, item in data["of"]}

    def _array(self, data):
        return self.arrays[data["file"]][data["name"]]

    def _cells(self, data):
        cells = np.empty(len(data["of"]), dtype=object)
        cells[:] = [self.unpack(cell) for cell in data["of"]]
        return cells.reshape(data["shape"])

    def _stamp(self, data):
        stamp = pd.Timestamp(data["of"], unit=data["unit"]).as_unit(data["unit"])
        return stamp if data["tz"] is None else stamp.tz_localize("UTC").tz_convert(data["tz"])

    def _period(self, data):
        return pd.Period(data["of"], freq=data["freq"])

    def _moment(self, data):
        return datetime.datetime.fromisoformat(data["of"])

    def _date(self, data):
        return datetime.date.fromisoformat(data["of"])

    def _keras(self, data):
        return keras_parts.rebuild(data, self.unpack(data["of"]), self.own)

    def _backbone(self, data):
        return self._find(data)(**self.unpack(data["of"]))

    def _object(self, data):
        name = EARLIER_CLASSES.get(data["class"], data["class"])
        module = importlib.import_module(f"forecastkit.{REBUILT[name]}")
        fields = self.unpack(data["of"])
        if name == "TrainedNetwork" and "registered" in data["of"]["backbone"]:
            shapes = [weight.shape for weight in fields["weights"]]
            check_network_sizes(fields["backbone"].get_params(deep=False), shapes)
        return getattr(module, name)(**fields)

    def forecaster(self, data):
        """Return the forecaster of this JSON."""
        known = public_forecaster(data["class"])
        if known is None:
            refuse(
                "load",
                "the model's class must be a forecaster of this version",
                repr(data["class"]),
                error=ArtifactError,
            )
        forecaster = known(**self.unpack(data["parameters"]))
        if data["learned"] is not None:
            learned = self.unpack(data["learned"])
            forecaster._set_state({EARLIER_ATTRIBUTES.get(name, name): value for name, value in learned.items()})
            check_consistent(forecaster)
        return forecaster

    def _find(self, data):
        """Return a registered backbone class, or one passed by the user."""
        if "registered" in data:
            return backbones.find(data["registered"])
        name = data["own"]
        if name not in self.own:
            got = f"only {', '.join(self.own)}" if self.own else "none"
            refuse(
                "load",
                f"the model contains a user-defined backbone, {name!r}, whose class must be passed",
                got,
                f"Pass backbones={{{name!r}: {name}}}.",
                ArtifactError,
            )
        if not isinstance(self.own[name], type):
            refuse("load", f"backbones[{name!r}] must be the class", repr(self.own[name]), error=ArtifactError)
        return self.own[name]

    #: Valid values of ``$``.
    KINDS: ClassVar = {
        "array": _array,
        "backbone": _backbone,
        "cells": _cells,
        "class": _find,
        "date": _date,
        "dict": _dict,
        "float": _float,
        "keras": _keras,
        "forecaster": forecaster,
        "moment": _moment,
        "object": _object,
        "period": _period,
        "stamp": _stamp,
        "tuple": _tuple,
    }


def pack_timestamp(value):
    """Return the JSON of a date or time, or None for other values."""
    if isinstance(value, pd.Timestamp):
        tz = None if value.tz is None else str(value.tz)
        return {"$": "stamp", "of": int(value.asm8.astype("int64")), "unit": value.unit, "tz": tz}
    if isinstance(value, pd.Period):
        return {"$": "period", "of": str(value), "freq": value.freqstr}
    if isinstance(value, datetime.datetime):
        return {"$": "moment", "of": value.isoformat()}
    if isinstance(value, datetime.date):
        return {"$": "date", "of": value.isoformat()}
    if isinstance(value, np.datetime64):
        return pack_timestamp(pd.Timestamp(value))
    return None


def fields_of(value) -> dict:
    """Constructor arguments from which the object can be rebuilt."""
    if hasattr(value, "_state"):
        return value._state()
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def storable_parameters(forecaster) -> dict:
    """Return the constructor parameters with callbacks, functions, generators and `resume` set to None."""
    parameters = forecaster.get_params(deep=False)
    if "callbacks" in parameters:
        parameters["callbacks"] = None
    if callable(parameters.get("space")):
        parameters["space"] = None
    if "resume" in parameters:
        parameters["resume"] = None  # a local folder
    for name, value in parameters.items():
        if isinstance(value, os.PathLike):
            parameters[name] = str(value)
    if not isinstance(parameters.get("random_state"), (int, np.integer, type(None))):
        parameters["random_state"] = None
    return parameters


def public_forecaster(name: str):
    """Return the public forecaster class of this name, or None."""
    # The lazy public names of the package are the registry of forecasters.
    package = importlib.import_module("forecastkit")
    named = name.endswith("Forecaster") and name in package.__all__
    return getattr(package, name) if named else None
