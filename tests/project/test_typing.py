"""Annotations of the public names are complete; that they are true is for mypy, see `typed_use.py`."""

import importlib
import inspect
import pkgutil

import pytest

import forecastkit as fk


def public_functions():
    """Public functions, methods and properties of the library by their full names."""
    packages = [info.name for info in pkgutil.walk_packages(fk.__path__, "forecastkit.") if info.ispkg]
    for module in (fk, *map(importlib.import_module, packages)):
        for name in module.__all__:
            thing = getattr(module, name)
            members = [(name, thing)] if inspect.isfunction(thing) else []
            if inspect.isclass(thing):
                members = [
                    (key, inspect.getattr_static(thing, key))
                    for key, _ in inspect.getmembers_static(thing)
                    if not key.startswith("_")
                ]
            for _, member in members:
                function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
                if inspect.isfunction(function) and function.__module__.startswith("forecastkit"):
                    yield f"{function.__module__}.{function.__qualname__}", function


FUNCTIONS = dict(public_functions())


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_public_functions_are_annotated(name):
    signature = inspect.signature(FUNCTIONS[name])
    bare = [p.name for p in signature.parameters.values() if p.annotation is p.empty and p.name not in ("self", "cls")]
    assert not bare
    assert signature.return_annotation is not signature.empty


def test_constructors_are_annotated():
    for name in fk.__all__:
        thing = getattr(fk, name)
        if inspect.isclass(thing) and not issubclass(thing, Exception):
            for parameter in inspect.signature(thing).parameters.values():
                assert parameter.annotation not in (parameter.empty, object), f"{name}.{parameter.name}"
