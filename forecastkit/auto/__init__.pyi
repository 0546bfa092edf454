from .forecaster import AutoForecaster as AutoForecaster

__all__ = [
    "AutoForecaster",
]
