from .api import tune as tune
from .tuned_forecaster import TunedForecaster as TunedForecaster

__all__ = [
    "TunedForecaster",
    "tune",
]
