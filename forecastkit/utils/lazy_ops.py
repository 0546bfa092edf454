"""`keras.ops`, imported by its first use: forecasts by a saved graph load no Keras."""

from collections.abc import Callable


def __getattr__(name: str) -> Callable:
    from keras import ops

    globals()[name] = found = getattr(ops, name)  # found without this function from now on
    return found
