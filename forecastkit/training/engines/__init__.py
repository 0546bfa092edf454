"""Engines run training steps and predict batches; one per Keras backend and way of distributing."""

import numpy as np

#: Names of the ways to distribute training, see `forecastkit.training.engines.strategies.find_strategy`.
DISTRIBUTIONS = (None, "auto", "mirrored", "multiworker")
#: Dtype policies of a network's layers.
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


def make_engine(network, head, strategy=None, replicate=None, **options):
    """The engine of the Keras backend in use: our own TensorFlow steps, or plain Keras for the others.

    With a strategy of tf.distribute it is the one that trains copies of the network, which `replicate` makes.
    """
    import keras

    if strategy is not None:
        from forecastkit.training.engines.distributed import DistributedEngine

        return DistributedEngine(network, head, strategy, replicate, **options)
    if keras.backend.backend() == "tensorflow":
        from forecastkit.training.engines.tensorflow import TensorFlowEngine

        return TensorFlowEngine(network, head, **options)
    from forecastkit.training.engines.plain import PlainEngine

    return PlainEngine(network, head, **options)


def find_strategy(name: str | None, where: str):
    """The strategy of tf.distribute that goes with a name, see `forecastkit.training.engines.strategies.find_strategy`.

    Raises
    ------
    InputError
        Also where Keras computes with something else than TensorFlow, which has no strategies.
    """
    import keras

    from forecastkit.utils.exceptions import ParameterError
    from forecastkit.utils.validation import refuse

    if keras.backend.backend() == "tensorflow":
        from forecastkit.training.engines import strategies

        return strategies.find_strategy(name, where)
    if name not in (None, "auto"):
        got = f"{name!r} with KERAS_BACKEND={keras.backend.backend()}"
        refuse(where, "distribute needs the TensorFlow backend", got, "Set KERAS_BACKEND=tensorflow.", ParameterError)
    return None


def agreed(strategy, value: float) -> float:
    """What the first worker of a strategy has, on all of them; without a strategy the value itself."""
    if strategy is None:
        return value
    from forecastkit.training.engines.strategies import agree

    return float(agree(strategy, value)[0])


def is_first(strategy) -> bool:
    """Whether this process is the one that writes files: the only one, or the first worker of a strategy."""
    if strategy is None:
        return True
    from forecastkit.training.engines.strategies import cluster_of

    cluster = cluster_of(strategy)
    return cluster is None or cluster.is_chief


def shared_bytes(strategy, data: bytes) -> bytes:
    """The bytes of the first worker of a strategy, on all of them."""
    if strategy is None:
        return data
    from forecastkit.training.engines.strategies import agree

    held = np.frombuffer(data, "uint8")
    size = int(agree(strategy, len(held))[0])
    return agree(strategy, np.resize(held, size)).astype("uint8").tobytes() if size else b""


def unscoped(function, *arguments):
    """Call a function where variables it makes are ordinary ones, though the caller may be in a strategy's scope."""
    import keras

    if keras.backend.backend() != "tensorflow":
        return function(*arguments)
    from forecastkit.training.engines.strategies import outside

    return outside(function, *arguments)
