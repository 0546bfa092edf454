"""`keras.ops`, imported by its first use: forecasts by a saved graph load no Keras."""

from collections.abc import Callable


def __getattr__(name: str) -> Callable:
    from keras import ops

    return getattr(ops, name)
