"""The laws of the house, see docs/architecture.md: each is a test."""

import ast
import inspect
import os
import random
import re
import resource
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from conftest import ROLES, SMALL, wave
from sklearn.base import clone

import forecastkit as fk
from forecastkit.data.windows import Windows
from forecastkit.networks import backbones
from forecastkit.utils.docstrings import parameter_entries

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "forecastkit"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
HEAVY = ("tensorflow", "keras", "sklearn", "pandas")
PACKAGES = tuple(sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py")))
#: Subpackages with a floor of their own.
INNER = ("data.files", "networks.backbones", "networks.heads")
MAX_LINES, LONGEST_FUNCTION = 450, 50


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in PACKAGE.rglob("*.py")}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


def executed(tree: ast.AST):
    """All nodes of a tree outside of ``if TYPE_CHECKING:``."""
    for child in ast.iter_child_nodes(tree):
        if not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield child
            yield from executed(child)


def imported(name: str) -> set[str]:
    """Full names of everything that a module imports, also inside functions, but not for annotations alone."""
    found = set()
    for node in executed(TREES[name]):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: relative imports hide where things come from"
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def house_imports(name: str) -> set[str]:
    """Modules of ours that a module imports; '' is the top of the package."""
    found = set()
    for full in imported(name):
        if full.split(".")[0] != "forecastkit":
            continue
        inner = full.removeprefix("forecastkit").lstrip(".")
        while inner and inner not in MODULES:
            inner = inner.rpartition(".")[0]
        found.add(inner)
    return found - {name}


# ---------------------------------------------------------------------------------------------- floors


def floors() -> dict[str, int]:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = re.search(r"## Floors.*?```\n(.*?)```", text, flags=re.DOTALL)[1]
    rows = [line.split() for line in table.splitlines()]
    return {name: int(number) for number, *names in rows for name in names}


def floor_name(module: str) -> str:
    """The row of the table that a module belongs to: its package, or a subpackage that has a row of its own."""
    if module == "networks.backbones":
        return "registry"
    parts = module.split(".")
    inner = ".".join(parts[:2])
    return inner if inner in INNER else parts[0]


def test_every_module_has_a_floor():
    assert {floor_name(name) for name in MODULES if name} == set(floors())


def test_imports_go_strictly_down():
    floor, wrong = floors(), []
    for module in sorted(set(MODULES) - {""}):
        own = floor_name(module)
        for other in house_imports(module):
            if other == "":
                # The version, and the lazy names for what has a floor of its own.
                if own not in ("persistence", "cli"):
                    wrong.append(f"{module} imports the top of the package")
            elif own != (target := floor_name(other)) and floor[target] >= floor[own]:
                wrong.append(f"{module} (floor {floor[own]}) imports {other} (floor {floor[target]})")
    assert not wrong


def test_imports_make_no_circle():
    done: set[str] = set()

    def visit(name, path):
        assert name not in path, f"a circle: {' -> '.join([*path, name])}"
        if name not in done:
            # A package may import its members inside functions.
            for other in house_imports(name) - {""}:
                visit(other, [*path, name])
            done.add(name)

    for name in sorted(name for name in MODULES if not MODULES[name].name.startswith("__")):
        visit(name, [])


def test_tensorflow_is_imported_only_where_it_is_the_point():
    backends = {
        name for name in MODULES if {full.split(".")[0] for full in imported(name)} & {"tensorflow", "jax", "torch"}
    }
    # Keras has no gradients of its own, so that the plain engine asks JAX for those by the inputs.
    assert backends <= {
        "integrations.tf_dataset",
        "training.engines",
        "training.engines.forecast_function",
        "training.engines.distributed",
        "training.engines.fused_adam",
        "training.engines.graph_export",
        "training.engines.hardware",
        "training.engines.loss_scale",
        "training.engines.plain",
        "training.engines.strategies",
        "training.engines.tensorflow",
    }


def test_networks_are_written_in_keras():
    for name in MODULES:
        if name == "networks.network" or name.startswith("networks.architectures."):
            roots = {full.split(".")[0] for full in imported(name)}
            assert not roots & {"numpy", "scipy", "pandas"}, f"{name} computes outside keras.ops"


# ---------------------------------------------------------------------------------------------- light


def fresh(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """A Python process of its own, run from the checkout."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=env, timeout=300)


def import_seconds(statement: str) -> float:
    """Seconds that a statement's imports take, the least of three: the machine has other work."""
    best = float("inf")
    for _ in range(3):
        lines = fresh("-X", "importtime", "-c", statement).stderr.splitlines()
        ours = [line for line in lines if line.rpartition("|")[2].strip() == "forecastkit"]
        best = min(best, int(ours[-1].split("|")[1]) / 1e6)
    return best


def test_importing_is_light():
    run = fresh("-c", f"import sys, forecastkit; print([m for m in {HEAVY} if m in sys.modules])")
    assert run.stdout.strip() == "[]", run.stderr
    assert import_seconds("import forecastkit") < 0.1


HELP = f"""
import sys
from forecastkit.cli import main
code = main(["--help"])
print([m for m in {HEAVY} if m in sys.modules], code)
"""


def test_help_is_light():
    run = fresh("-c", HELP)
    assert run.stdout.splitlines()[-1] == "[] 0", run.stderr
    # Time on the processor, not on the clock: the machine has other work. A slow one may take six starts of Python.
    pairs = [(processor_seconds("-m", "forecastkit", "--help"), processor_seconds("-c", "pass")) for _ in range(3)]
    seconds, start = (min(times) for times in zip(*pairs, strict=True))
    assert seconds < max(0.2, 6 * start)


def processor_seconds(*arguments):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    fresh(*arguments)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


NO_BACKEND = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name == "tensorflow":
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Blocker())
import forecastkit as fk
data = fk.load_dataset("airpassengers")
print(len(fk.LinearForecaster(horizon=3).fit(data).predict()))
try:
    fk.GRUForecaster(horizon=3).fit(data)
except ImportError as error:
    print(isinstance(error, fk.InputError), error)
"""


def test_a_missing_backend_is_one_sentence():
    run = fresh("-c", NO_BACKEND, KERAS_BACKEND="tensorflow")
    expected = ["3", "True forecastkit needs a Keras backend: pip install 'forecastkit[cpu]'"]
    assert run.stdout.splitlines() == expected, run.stderr


# ---------------------------------------------------------------------------------------------- the public surface


def test_all_is_sorted_and_resolves():
    assert fk.__all__ == sorted(set(fk.__all__))
    for name in fk.__all__:
        assert getattr(fk, name) is not None
        assert name in dir(fk)
    with pytest.raises(AttributeError, match="no attribute 'GRUForcaster'"):
        fk.GRUForcaster  # noqa: B018


def public_objects():
    objects = {name: getattr(fk, name) for name in fk.__all__}
    return {name: thing for name, thing in objects.items() if not inspect.ismodule(thing)}


def documented(thing) -> set[str]:
    """Names under Parameters in the docstring of the class or function itself."""
    return {name for entry in parameter_entries(thing.__doc__) for name in entry.names}


def test_every_package_says_what_it_has():
    for path in PACKAGE.rglob("*/__init__.py"):  # those of the package itself are tested above
        tree = TREES[module_name(path)]
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        assert ast.get_docstring(tree), f"{path} needs a docstring"
        assert "__all__" in names, f"{path} needs __all__"


@pytest.mark.parametrize("name", sorted(fk.__all__))
def test_public_names_are_documented(name):
    thing = getattr(fk, name)
    text = thing.__doc__ or ""  # not that of a base
    assert len(text.split()) > 3, f"{name} needs a docstring"
    if inspect.ismodule(thing) or (inspect.isclass(thing) and issubclass(thing, Exception)):
        return
    assert not text.startswith(f"{name}("), f"{name} needs a docstring of its own"
    parameters = set(inspect.signature(thing).parameters) - {"self", "args", "kwargs"}
    assert parameters == documented(thing)
    if inspect.isclass(thing):
        assert not [entry for entry in parameter_entries(text) if entry.body.strip().startswith("As in")]


@pytest.mark.parametrize("name", sorted(name for name, thing in public_objects().items() if inspect.isclass(thing)))
def test_public_methods_are_documented(name):
    for method, member in inspect.getmembers(getattr(fk, name), inspect.isfunction):
        if not method.startswith("_") and member.__module__.startswith("forecastkit"):
            assert inspect.getdoc(member), f"{name}.{method} needs a docstring"


def test_functions_and_files_are_short():
    long = [
        f"{name}: {len(path.read_text().splitlines())} lines"
        for name, path in MODULES.items()
        if len(path.read_text().splitlines()) > MAX_LINES
    ]
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
                if lines > LONGEST_FUNCTION:
                    long.append(f"{name}.{node.name}: {lines} lines")
    assert not long


# ---------------------------------------------------------------------------------------------- states left as found


def surroundings(folder) -> dict:
    return {
        "python": random.getstate(),
        "numpy": [np.asarray(part).tolist() for part in np.random.get_state()],  # noqa: NPY002
        "floatx": keras.config.floatx(),
        "policy": keras.config.dtype_policy().name,
        "backend": keras.config.backend(),
        "environment": dict(os.environ),
        "files": sorted(path.name for path in folder.rglob("*")),
    }


def test_fitting_leaves_the_world_as_it_was(tmp_path, monkeypatch, panel, future):
    monkeypatch.chdir(tmp_path)
    model = fk.GRUForecaster(**SMALL, **ROLES)
    states, given = (random.getstate(), np.random.get_state()), panel.copy(deep=True)  # noqa: NPY002
    try:
        keras.utils.set_random_seed(3)
        expected = [np.asarray(keras.random.uniform((2,))) for _ in range(2)]
        keras.utils.set_random_seed(3)
        first = keras.random.uniform((2,))
        before = surroundings(tmp_path)
        model.fit(panel).predict(future)
        assert surroundings(tmp_path) == before
        np.testing.assert_array_equal([first, keras.random.uniform((2,))], expected)
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
    pd.testing.assert_frame_equal(panel, given)


def test_callbacks_are_left_as_they_were(hourly):
    callback = keras.callbacks.EarlyStopping(monitor="loss")
    before = dict(vars(callback))
    fk.GRUForecaster(**SMALL, callbacks=[callback]).fit(hourly)
    assert vars(callback) == before


def test_two_threads_do_not_disturb_each_other(hourly):
    models = [fk.GRUForecaster(**SMALL), fk.GRUForecaster(**SMALL | {"random_state": 5, "units": 4})]
    alone = [clone(model).fit(hourly).predict() for model in models]
    together = [clone(model) for model in models]
    threads = [threading.Thread(target=model.fit, args=(hourly,)) for model in together]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for expected, model in zip(alone, together, strict=True):
        pd.testing.assert_frame_equal(model.predict(), expected)


# ---------------------------------------------------------------------------------------------- no look-ahead


def test_scaling_sees_the_training_rows_only(hourly):
    changed = hourly.copy()
    changed.iloc[-48:] *= 100
    scalers = [fk.GRUForecaster(**SMALL, validation_size=48).fit(data).scaler_ for data in (hourly, changed)]
    np.testing.assert_array_equal(scalers[0].target.center, scalers[1].target.center)
    np.testing.assert_array_equal(scalers[0].target.scale, scalers[1].target.scale)


def test_windows_hold_no_rows():
    rows = 10_000_000
    windows = Windows(np.array([0]), np.array([rows]), 1)
    held = sum(value.nbytes for value in vars(windows).values() if isinstance(value, np.ndarray))
    assert len(windows) == rows
    assert held < 1000


# ---------------------------------------------------------------------------------------------- other backends

JAX = """
import sys
import numpy as np
import keras
import forecastkit as fk

assert keras.backend.backend() == "jax"
np.save(sys.argv[2], fk.load(sys.argv[1]).predict())
sizes = dict(horizon=4, lookback=16, epochs=1, windows_per_epoch=32, batch_size=16, random_state=0)
y = np.sin(np.arange(120.0))
for stem in sys.argv[3:]:
    forecast = fk.KerasForecaster(backbone=stem, **sizes).fit(y).predict()
    assert np.isfinite(forecast).all(), stem
"""


def run_on_jax(folder, stems):
    model = fk.TransformerForecaster(**SMALL).fit(wave(240))
    model.save(folder / "m.forecast")
    run = fresh("-c", JAX, str(folder / "m.forecast"), str(folder / "jax.npy"), *stems, KERAS_BACKEND="jax")
    assert run.returncode == 0, run.stderr
    np.testing.assert_allclose(np.load(folder / "jax.npy"), model.predict(), rtol=1e-4)


@pytest.mark.rotated
def test_a_saved_network_gives_the_same_on_jax_and_trains_there(tmp_path):
    pytest.importorskip("jax")
    run_on_jax(tmp_path, ["gru"])


@pytest.mark.slow
def test_every_network_trains_on_jax(tmp_path):
    pytest.importorskip("jax")
    run_on_jax(tmp_path, backbones.names())


# ---------------------------------------------------------------------------------------------- house papers


def test_readme_and_ci_run_the_same_test_command():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    command = re.search(r"^TEST_COMMAND='(.+)'$", script, flags=re.MULTILINE)[1]
    assert command in readme.splitlines()
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_every_rotated_test_is_in_a_group():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    groups = re.search(r"^groups=\((.+?)^\)$", script, flags=re.MULTILINE | re.DOTALL)[1]
    folders = [Path(folder) for folder in re.findall(r"tests/\w+", groups)]
    assert len({*folders}) == len(folders)
    texts = {path: path.read_text(encoding="utf-8") for path in ROOT.glob("tests/*/test_*.py")}
    marked = {path.parent for path, text in texts.items() if "rotated" in text or "in_rotation" in text}
    assert marked == {ROOT / folder for folder in folders}


def test_the_version_is_said_once():
    assert PROJECT["project"]["version"] == fk.__version__


def test_every_folder_is_packed():
    folders = {".".join(path.parent.relative_to(ROOT).parts) for path in PACKAGE.rglob("__init__.py")}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == folders | {"forecastkit._datasets"}
