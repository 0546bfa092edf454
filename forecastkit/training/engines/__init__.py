"""Engines run training steps and predict batches; there is one per Keras backend and kind of distribution."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from forecastkit.utils.exceptions import ParameterError, backend_needed
from forecastkit.utils.validation import refuse

__all__ = [
    "DISTRIBUTIONS",
    "PRECISIONS",
    "agreed",
    "backend",
    "find_strategy",
    "is_first",
    "make_engine",
    "shared_bytes",
    "unscoped",
]

#: Ways to distribute training, see `forecastkit.training.engines.strategies.find_strategy`.
DISTRIBUTIONS = (None, "auto", "mirrored", "multiworker")
#: Dtype policies of the layers of a network.
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


def backend() -> str:
    """Return the name of the backend that Keras computes with, or raise BackendError if none is installed."""
    if "keras" not in sys.modules:
        with backend_needed():
            import keras
    import keras

    return keras.backend.backend()


def make_engine(
    network: Any, head: Any, strategy: Any = None, replicate: Callable | None = None, **options: Any
) -> Any:
    """Return the engine of the active Keras backend: compiled TensorFlow steps, or plain Keras for other backends.

    With a strategy of tf.distribute, the engine trains copies of the network, which `replicate` creates.
    """
    if strategy is not None:
        from forecastkit.training.engines.distributed import DistributedEngine

        return DistributedEngine(network, head, strategy, replicate, **options)
    if backend() == "tensorflow":
        from forecastkit.training.engines.tensorflow import TensorFlowEngine

        return TensorFlowEngine(network, head, **options)
    from forecastkit.training.engines.plain import PlainEngine

    return PlainEngine(network, head, **options)


def find_strategy(name: str | None, where: str) -> Any:
    """Return the tf.distribute strategy of a name, see `forecastkit.training.engines.strategies.find_strategy`."""
    if name is None and not _in_scope():
        return None
    if backend() == "tensorflow":
        from forecastkit.training.engines import strategies

        return strategies.find_strategy(name, where)
    if name not in (None, "auto"):
        got = f"{name!r} with KERAS_BACKEND={backend()}"
        refuse(where, "distribute needs the TensorFlow backend", got, "Set KERAS_BACKEND=tensorflow.", ParameterError)
    return None


def _in_scope() -> bool:
    """Return whether the calling thread is inside the scope of a tf.distribute strategy."""
    if backend() != "tensorflow":
        return False
    import tensorflow as tf

    return tf.distribute.has_strategy()


def agreed(strategy: Any, value: float) -> float:
    """Return the value of the first worker of a strategy on all workers; without a strategy the value itself."""
    if strategy is None:
        return value
    from forecastkit.training.engines.strategies import agree

    return float(agree(strategy, value)[0])


def is_first(strategy: Any) -> bool:
    """Return whether this process writes files: the only process, or the first worker of a strategy."""
    if strategy is None:
        return True
    from forecastkit.training.engines.strategies import cluster_of

    cluster = cluster_of(strategy)
    return cluster is None or cluster.is_chief


def shared_bytes(strategy: Any, data: bytes) -> bytes:
    """Return the bytes of the first worker of a strategy on all workers."""
    if strategy is None:
        return data
    from forecastkit.training.engines.strategies import agree

    held = np.frombuffer(data, "uint8")
    size = int(agree(strategy, len(held))[0])
    return agree(strategy, np.resize(held, size)).astype("uint8").tobytes() if size else b""


def unscoped(function: Callable, *arguments: Any) -> Any:
    """Call a function outside any strategy scope, so that it creates ordinary variables."""
    if not _in_scope():
        return function(*arguments)
    from forecastkit.training.engines.strategies import outside

    return outside(function, *arguments)
