"""Registry of backbones: every file in this folder defines one.

A file defines the class whose lower-case name is that of the file without underscores: `lstm_transformer.py` defines
`LSTMTransformer`.
"""

import importlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forecastkit.networks.backbone import Backbone

__all__ = ["class_names", "find", "names"]

FOLDER = Path(__file__).parent


@cache
def names() -> tuple[str, ...]:
    """Return the names of all backbones, as used by the command line and `KerasForecaster(backbone="gru")`."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_")))


@cache
def class_names() -> Mapping[str, str]:
    """Return the class name of every backbone by name, read from the files without importing them."""
    found = {}
    for name in names():
        classes = re.findall(r"^class (\w+)", (FOLDER / f"{name}.py").read_text(encoding="utf-8"), flags=re.MULTILINE)
        found[name] = next(c for c in classes if c.lower() == name.replace("_", ""))
    return MappingProxyType(found)


def find(name: str) -> "type[Backbone]":
    """Return the backbone class of this name."""
    if name not in names():
        from forecastkit.utils.exceptions import ParameterError  # imported late: names() must not import numpy
        from forecastkit.utils.validation import did_you_mean, refuse

        refuse(
            "backbone",
            "must be one of the registered ones",
            repr(name),
            did_you_mean(name.lower(), names()),
            ParameterError,
        )
    return getattr(importlib.import_module(f"{__name__}.{name}"), class_names()[name])


def reference_to(cls: type) -> dict[str, str]:
    """How a saved model finds a backbone class again: by its registered name, or among the reader's own."""
    for stem, name in class_names().items():
        if name == cls.__name__ and find(stem) is cls:
            return {"registered": stem}
    return {"own": cls.__name__}
