"""Names of other packages that are not public: kept in one module, found where installed, or refused by name."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

import forecastkit
from forecastkit.utils.exceptions import BackendError
from forecastkit.utils.undocumented import NAMES, undocumented

SOURCES = sorted(Path(forecastkit.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("key", NAMES)
def test_an_undocumented_name_exists(key):
    assert undocumented(key) is not None


@pytest.mark.parametrize("key", NAMES)
def test_a_version_without_the_name_is_refused(key, monkeypatch):
    module, name, package, tested = NAMES[key]
    monkeypatch.delattr(importlib.import_module(module), name)
    with pytest.raises(BackendError, match=f"{package} must have .*{name}, as version .*Install {package} {tested}"):
        undocumented(key)


def test_no_other_module_imports_one():
    private = re.compile(r"^\s*(?:from|import) (?:tensorflow\.(?:python|compiler)|keras\.src|keras_tuner\.src)", re.M)
    assert [str(path) for path in SOURCES if private.search(path.read_text(encoding="utf-8"))] == []


#: Methods of a base class that a subclass of ours uses.
@pytest.mark.parametrize("name", ["_set_project_dir", "_get_oracle_fname"])
def test_the_methods_that_our_oracles_inherit_exist(name):
    assert callable(getattr(importlib.import_module("keras_tuner").Oracle, name))


@pytest.mark.parametrize("name", ["create_trial", "end_trial", "update_trial"])
def test_the_undecorated_methods_of_oracles_are_found(name):
    """The decorator of keras-tuner keeps the method in its closure only, where kerastuner_oracles.py takes it."""
    decorated = getattr(importlib.import_module("keras_tuner").Oracle, name)
    assert callable(inspect.getclosurevars(decorated).nonlocals.get("func"))


def test_filters_of_warnings_are_changed_where_the_process_is_ours_only():
    """`warnings.catch_warnings` holds for all threads, those of the user's program too."""
    ours = {"console.py", "worker.py", "ensemble_members.py"}  # the command, and processes of ours
    ours |= {"read_table.py", "kerastuner_oracles.py"}  # one category of pandas or scikit-learn, for one call
    assert {path.name for path in SOURCES if "catch_warnings(" in path.read_text(encoding="utf-8")} <= ours
