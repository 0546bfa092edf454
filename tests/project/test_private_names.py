"""Private names of other packages that this one uses: where a release drops one, the name is seen here first."""

import importlib
import inspect

import pytest

#: Module, name in it, and the file that uses it.
NAMES = [
    ("tensorflow.python.eager.context", "context", "training/engines/strategies.py"),
    ("tensorflow.compiler.xla.tsl.protobuf.coordination_config_pb2", "CoordinatedJob", "training/engines"),
    ("keras.layers", "Layer._flatten_layers", "training/engines, inspection/results.py"),
    ("keras_tuner.src.protos", "get_service", "tuning/kerastuner_chief.py"),
    ("keras_tuner.src.protos", "get_service_grpc", "tuning/kerastuner_chief.py"),
    ("keras_tuner.src.distribute.oracle_chief", "OracleServicer", "tuning/kerastuner_chief.py"),
    ("keras_tuner.src.distribute.utils", "has_chief_oracle", "tuning/kerastuner_chief.py"),
    ("keras_tuner.src.distribute.utils", "is_chief_oracle", "tuning/kerastuner_chief.py"),
    ("keras_tuner.src.engine.metrics_tracking", "MetricsTracker", "tuning/kerastuner_oracles.py"),
    ("keras_tuner", "Oracle._set_project_dir", "tuning/search.py"),
    ("keras_tuner", "Oracle._get_oracle_fname", "tuning/search.py"),
]


@pytest.mark.parametrize(("module", "name", "user"), NAMES, ids=[name for _, name, _ in NAMES])
def test_the_private_name_exists(module, name, user):
    found = importlib.import_module(module)
    for part in name.split("."):
        assert hasattr(found, part), f"{module}.{name} is gone: forecastkit/{user} needs another way"
        found = getattr(found, part)


@pytest.mark.parametrize("name", ["create_trial", "end_trial", "update_trial"])
def test_the_undecorated_methods_of_oracles_are_found(name):
    """The decorator of keras-tuner keeps the method in its closure only, where kerastuner_oracles.py takes it."""
    decorated = getattr(importlib.import_module("keras_tuner").Oracle, name)
    assert callable(inspect.getclosurevars(decorated).nonlocals.get("func"))
