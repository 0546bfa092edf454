from .artifact import load as load

__all__ = [
    "load",
]
