"""Write the classes named after backbones, and the stubs that editors and type checkers read.

Usage: python tools/write_stubs.py

Run it after a change of a public name, a constructor parameter or a docstring of a forecaster; a test compares the
files with what it writes. `forecastkit/forecasters/networks.py` has a short class for each file of
`networks/backbones/`; `networks.pyi` beside it has the same classes with all parameters and the whole docstring;
`forecastkit/__init__.pyi` has the public names, to which this adds those of the backbones.
"""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

from forecastkit.networks import backbones

PACKAGE = Path(__file__).resolve().parents[1] / "forecastkit"
FORECASTERS = PACKAGE / "forecasters" / "networks.py"
STUB = PACKAGE / "forecasters" / "networks.pyi"
TOP = PACKAGE / "__init__.pyi"

#: Modules whose names are those of the backbone files.
WRITTEN = ("networks.backbones.", "forecasters.networks")
NOTE = "# Written by tools/write_stubs.py: run it after changes.\n"


def imports() -> str:
    lines = [
        f"from forecastkit.networks.backbones.{stem} import {name}" for stem, name in backbones.class_names().items()
    ]
    return "\n".join(lines)


def write_forecasters() -> str:
    """The module of the named forecasters."""
    parts = [
        '"""A forecaster for each backbone, named after it."""\n',
        NOTE,
        "from forecastkit.forecasters.keras import named, named_forecaster",
        "from forecastkit.forecasters.neural import NamedForecaster",
        "from forecastkit.networks import backbones",
        imports(),
    ]
    for name in backbones.class_names().values():
        parts.append(f"\n\n@named\nclass {name}Forecaster(NamedForecaster, {name}):\n    architecture = {name}")
    parts.append(
        '''

def __getattr__(name: str) -> type[NamedForecaster]:
    """The forecaster of a backbone whose file is newer than this one."""
    for stem, own in backbones.class_names().items():
        if name == f"{own}Forecaster":
            return named_forecaster(backbones.find(stem))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
'''
    )
    return "\n".join(parts)


def annotations(cls: type) -> dict[str, str]:
    """Source of the annotation of every field of a class, its bases' included."""
    found: dict[str, str] = {}
    for owner in reversed(cls.__mro__):
        if owner.__module__.startswith("forecastkit"):
            body = ast.parse(inspect.getsource(owner)).body[0].body
            found |= {n.target.id: ast.unparse(n.annotation) for n in body if isinstance(n, ast.AnnAssign)}
    return found


def constructor(cls: type) -> str:
    """`__init__` of a forecaster with all parameters, in the order of its docstring."""
    from forecastkit.utils.docstrings import parameter_entries

    parameters = inspect.signature(cls).parameters
    kinds = annotations(cls)
    order = [name for entry in parameter_entries(cls.__doc__) for name in entry.names]
    lines = [f"        {name}: {kinds[name]} = {parameters[name].default!r}," for name in order]
    assert set(order) == set(parameters), f"{cls.__name__}: {set(order) ^ set(parameters)}"
    return "\n".join(["    def __init__(", "        self,", "        *,", *lines, "    ) -> None: ..."])


def write_stub() -> str:
    """The stub of the named forecasters: what the module has, and every parameter with its documentation."""
    from forecastkit.forecasters import networks

    parts = [
        NOTE,
        "from collections.abc import Sequence",
        "from typing import ClassVar",
        "from forecastkit.utils import types",
        "from forecastkit.utils.types import Calibrate, Columns",
        "from forecastkit.forecasters.neural import NamedForecaster",
        imports(),
    ]
    for name in backbones.class_names().values():
        cls = getattr(networks, f"{name}Forecaster")
        doc = "\n".join(f"    {line}".rstrip() for line in cls.__doc__.splitlines())
        parts.append(
            # Both bases have a learning rate: the user's, and the backbone's own for where the user gives none.
            f"\nclass {cls.__name__}(NamedForecaster, {name}):  # type: ignore[misc]\n"
            f'    """{doc.lstrip()}\n    """\n\n'
            f"    architecture: ClassVar[type[{name}]]\n\n{constructor(cls)}"
        )
    return "\n".join(parts) + "\n"


def write_top() -> str:
    """The stub of the package: where each public name lives. Lines of other modules than `WRITTEN` stay as they are."""
    homes: dict[str, list[str]] = {}
    for node in ast.parse(TOP.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module and not node.module.startswith(WRITTEN):
            homes.setdefault(node.module, []).extend(alias.name for alias in node.names)
    homes |= {f"networks.backbones.{stem}": [name] for stem, name in backbones.class_names().items()}
    homes["forecasters.networks"] = [f"{name}Forecaster" for name in backbones.class_names().values()]
    lines = [f"from .{home} import {name} as {name}" for home in sorted(homes) for name in sorted(homes[home])]
    names = sorted([*(name for names in homes.values() for name in names), "metrics", "plots"])
    listed = "".join(f'    "{name}",\n' for name in names)
    return (
        "# Public names and their modules; tools/write_stubs.py adds those of the backbones and sorts.\n"
        "from . import metrics as metrics\nfrom . import plotting as plotting\n"
        + "\n".join(lines)
        + f"\n\nplots = plotting\n__version__: str\n\n__all__ = [\n{listed}]\n"
    )


def formatted(text: str, path: Path) -> str:
    """The text of a file as ruff leaves it."""
    for command in (["check", "-q", "--fix", "--exit-zero", "--select", "I,RUF022"], ["format", "-q"]):
        command = [sys.executable, "-m", "ruff", *command, "--stdin-filename", str(path), "-"]
        text = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    return text


#: Files in the order in which they are written: the stub is read off the classes.
FILES = {FORECASTERS: write_forecasters, TOP: write_top, STUB: write_stub}


def main() -> None:
    for path, write in FILES.items():
        path.write_text(formatted(write(), path), encoding="utf-8")


if __name__ == "__main__":
    main()
