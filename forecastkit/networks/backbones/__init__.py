"""Registry of backbones: every file in this folder is one.

The file `lstm_transformer.py` holds the class `LSTMTransformer`: its name without underscores, in any case.
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

FOLDER = Path(__file__).parent


@cache
def names() -> tuple[str, ...]:
    """Names of all backbones, as the command line and `KerasForecaster(backbone="gru")` take them."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_")))


@cache
def class_names() -> Mapping[str, str]:
    """Class name of every backbone by its name, read from the files once and without importing them."""
    found = {}
    for name in names():
        classes = re.findall(r"^class (\w+)", (FOLDER / f"{name}.py").read_text(encoding="utf-8"), flags=re.MULTILINE)
        found[name] = next(c for c in classes if c.lower() == name.replace("_", ""))
    return MappingProxyType(found)


def find(name: str) -> "type[Backbone]":
    """The backbone class of this name.

    Raises
    ------
    ParameterError
        If there is none; the sentence names the nearest one.
    """
    if name not in names():
        from forecastkit.utils.exceptions import ParameterError  # here: the command line reads names without numpy
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
