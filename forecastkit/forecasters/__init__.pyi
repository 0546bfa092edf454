from .base import Forecaster as Forecaster
from .baselines import (
    DampedTrendForecaster as DampedTrendForecaster,
)
from .baselines import (
    DriftForecaster as DriftForecaster,
)
from .baselines import (
    MeanForecaster as MeanForecaster,
)
from .baselines import (
    NaiveForecaster as NaiveForecaster,
)
from .baselines import (
    SeasonalNaiveForecaster as SeasonalNaiveForecaster,
)
from .baselines import (
    ThetaForecaster as ThetaForecaster,
)
from .ensemble import EnsembleForecaster as EnsembleForecaster
from .hierarchical import HierarchicalForecaster as HierarchicalForecaster
from .keras import KerasForecaster as KerasForecaster
from .linear import LinearForecaster as LinearForecaster
from .neural import NeuralForecaster as NeuralForecaster
from .pretrained import PretrainedForecaster as PretrainedForecaster
from .tabular import TabularForecaster as TabularForecaster

__all__ = [
    "DampedTrendForecaster",
    "DriftForecaster",
    "EnsembleForecaster",
    "Forecaster",
    "HierarchicalForecaster",
    "KerasForecaster",
    "LinearForecaster",
    "MeanForecaster",
    "NaiveForecaster",
    "NeuralForecaster",
    "PretrainedForecaster",
    "SeasonalNaiveForecaster",
    "TabularForecaster",
    "ThetaForecaster",
]
