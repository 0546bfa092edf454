"""Names of other packages that are not part of their public interface, for which there is no public counterpart."""

import importlib
from importlib import metadata
from typing import Any

from forecastkit.utils.exceptions import BackendError
from forecastkit.utils.validation import refuse

#: Module, name and distribution of each, and the version with which it was tested.
NAMES = {
    "tensorflow context": ("tensorflow.python.eager.context", "context", "tensorflow", "2.21"),
    "coordinated job": (
        "tensorflow.compiler.xla.tsl.protobuf.coordination_config_pb2", "CoordinatedJob", "tensorflow", "2.21"
    ),
    "tuner messages": ("keras_tuner.src.protos", "get_service", "keras-tuner", "1.4.8"),
    "tuner service": ("keras_tuner.src.protos", "get_service_grpc", "keras-tuner", "1.4.8"),
    "tuner servicer": ("keras_tuner.src.distribute.oracle_chief", "OracleServicer", "keras-tuner", "1.4.8"),
}  # fmt: skip


def undocumented(key: str) -> Any:
    """Return an object of another package by its key in `NAMES`."""
    module, name, package, tested = NAMES[key]
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        try:
            found = metadata.version(package)
        except metadata.PackageNotFoundError:
            found = "of another name"
        rule = f"{package} must have {module}.{name}, as version {tested} does"
        return refuse(package, rule, f"version {found}", f"Install {package} {tested}.", BackendError)
