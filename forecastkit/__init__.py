"""Time-series forecasting with recurrent and Transformer networks in Keras, at home in scikit-learn.

>>> import forecastkit as fk
>>> data = fk.load_dataset("airpassengers")
>>> fk.GRUForecaster(horizon=12).fit(data).predict()  # doctest: +SKIP
"""

import importlib

__version__ = "0.1.0"

#: Where each public name lives. Nothing heavy is imported until a name is used.
_HOMES = {
    "AutoForecaster": "auto.forecaster",
    "Backbone": "networks.backbone",
    "Backtest": "evaluation.results",
    "DampedTrendForecaster": "forecasters.baselines",
    "DriftForecaster": "forecasters.baselines",
    "EnsembleForecaster": "forecasters.ensemble",
    "InputError": "utils.exceptions",
    "KerasForecaster": "forecasters.neural",
    "LinearForecaster": "forecasters.baselines",
    "MappedData": "data.memmap.dataset",
    "MeanForecaster": "forecasters.baselines",
    "NaiveForecaster": "forecasters.baselines",
    "Panel": "data.panel",
    "RollingOrigin": "evaluation.rolling_origin",
    "SeasonalNaiveForecaster": "forecasters.baselines",
    "TabularForecaster": "forecasters.tabular",
    "ThetaForecaster": "forecasters.baselines",
    "TunedForecaster": "tuning.tuned_forecaster",
    "WindowFeatures": "features.window_features",
    "audit": "inspection.audit",
    "backtest": "evaluation.backtest",
    "compare": "comparison.compare",
    "forecast_partition": "integrations.partitions",
    "forecast_partitions": "integrations.partitions",
    "is_chief": "training.engines.cluster",
    "interpret": "inspection.interpret",
    "list_datasets": "datasets",
    "load": "persistence.artifact",
    "load_dataset": "datasets",
    "map_parquet": "data.memmap.build",
    "open_mapped": "data.memmap.dataset",
    "partition_meta": "integrations.partitions",
    "plot_attention": "plotting.interpretation",
    "plot_attribution": "plotting.interpretation",
    "plot_backtest": "plotting.forecasts",
    "plot_comparison": "plotting.forecasts",
    "plot_forecast": "plotting.forecasts",
    "recommend": "comparison.recommend",
    "tune": "tuning.api",
    "window_dataset": "integrations.tf_dataset",
}
_MODULES = {"backbones": "networks.backbones", "metrics": "metrics", "plots": "plotting"}


def _homes() -> dict[str, str]:
    """Module of every public name; backbones and the forecasters around them come from the registry."""
    from forecastkit.networks.backbones import class_names

    classes = {name: f"networks.backbones.{stem}" for stem, name in class_names().items()}
    return {**_HOMES, **classes, **{f"{name}Forecaster": "forecasters.neural" for name in classes}}


def __getattr__(name: str):
    if name == "__all__":
        return sorted([*_MODULES, *_homes()])
    if name in _MODULES:
        return importlib.import_module(f"forecastkit.{_MODULES[name]}")
    home = None if name.startswith("__") else _homes().get(name)
    if home is None:
        this = importlib.import_module(__name__)
        raise AttributeError(f"module 'forecastkit' has no attribute {name!r}", name=name, obj=this)
    from forecastkit.utils.exceptions import backend_needed

    with backend_needed():
        return getattr(importlib.import_module(f"forecastkit.{home}"), name)


def __dir__():
    return sorted({*globals(), *__getattr__("__all__")})
