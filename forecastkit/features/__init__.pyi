from .window_features import WindowFeatures as WindowFeatures

__all__ = [
    "WindowFeatures",
]
