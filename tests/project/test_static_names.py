"""Public names that an editor and a type checker find: the stubs, and the classes named after backbones."""

import ast
import inspect
import pickle

import pytest
import write_stubs

import forecastkit as fk
from forecastkit.forecasters import networks
from forecastkit.forecasters.keras import named_forecaster
from forecastkit.networks import backbones


@pytest.mark.parametrize("path", write_stubs.FILES, ids=lambda path: path.name)
def test_written_files_are_up_to_date(path):
    text = write_stubs.formatted(write_stubs.FILES[path](), path)
    assert text == path.read_text(encoding="utf-8"), "run: python tools/write_stubs.py"


@pytest.mark.parametrize("name", backbones.class_names().values())
def test_a_named_forecaster_is_a_class_in_the_source(name):
    cls = getattr(fk, f"{name}Forecaster")
    assert cls.architecture is getattr(fk, name)
    assert f"class {name}Forecaster(" in inspect.getsource(networks)
    assert pickle.loads(pickle.dumps(cls)) is cls


def test_the_stub_has_the_names_and_parameters_of_the_module():
    stub = ast.parse(write_stubs.STUB.read_text(encoding="utf-8"))
    classes = {node.name: node for node in stub.body if isinstance(node, ast.ClassDef)}
    assert set(classes) == {f"{name}Forecaster" for name in backbones.class_names().values()}
    for name, node in classes.items():
        init = next(item for item in node.body if isinstance(item, ast.FunctionDef))
        assert ast.get_docstring(node) == inspect.cleandoc(getattr(networks, name).__doc__)
        assert {argument.arg for argument in init.args.kwonlyargs} == set(
            getattr(networks, name)().get_params(deep=False)
        )


def test_the_registry_is_read_once(monkeypatch):
    names = backbones.class_names()
    monkeypatch.setattr(backbones, "FOLDER", None)
    assert backbones.class_names() is names
    assert fk.GRUForecaster is networks.GRUForecaster


def test_a_class_made_from_a_newer_file_is_made_once():
    made = named_forecaster(fk.GRU)
    assert named_forecaster(fk.GRU) is made
    assert made.__qualname__ == "GRUForecaster"
    assert set(made().get_params()) == set(fk.GRUForecaster().get_params())
    with pytest.raises(AttributeError, match="has no attribute 'GRUForcaster'"):
        networks.GRUForcaster  # noqa: B018


def test_packages_show_public_names_only():
    assert dir(fk.metrics) == sorted(fk.metrics.__all__)
    assert "np" not in dir(fk.metrics)
    public = {name for name in dir(fk) if not name.startswith("_")}
    assert public == set(fk.__all__)


@pytest.mark.parametrize("name", ["GRUForecaster", "LinearForecaster", "TunedForecaster", "EnsembleForecaster"])
def test_constructors_list_the_sizes_first_and_hyperparameters_last(name):
    names = [name for name in inspect.signature(getattr(fk, name)).parameters if name not in ("forecaster", "space")]
    assert names[:2] == ["horizon", "lookback"]
    if name == "GRUForecaster":
        assert set(names[-3:]) == {"units", "layers", "dropout"}
