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
    "Backbone": "backbone",
    "Backtest": "evaluation",
    "DriftForecaster": "baselines",
    "EnsembleForecaster": "compose",
    "InputError": "checks",
    "KerasForecaster": "neural",
    "LinearForecaster": "baselines",
    "MappedData": "data.mapped",
    "MeanForecaster": "baselines",
    "NaiveForecaster": "baselines",
    "Panel": "data.panel",
    "RollingOrigin": "splitting",
    "SeasonalNaiveForecaster": "baselines",
    "TabularForecaster": "tabular",
    "TunedForecaster": "tuning.tuned",
    "WindowFeatures": "window_features",
    "audit": "auditing",
    "backtest": "backtesting",
    "compare": "comparison.comparing",
    "forecast_partition": "partitions",
    "forecast_partitions": "partitions",
    "is_chief": "engines.cluster",
    "interpret": "interpretation.interpreting",
    "list_datasets": "datasets",
    "load": "artifact",
    "load_dataset": "datasets",
    "map_parquet": "data.mapping",
    "open_mapped": "data.mapped",
    "partition_meta": "partitions",
    "plot_attention": "interpretation.plots",
    "plot_attribution": "interpretation.plots",
    "plot_backtest": "plots",
    "plot_comparison": "plots",
    "plot_forecast": "plots",
    "recommend": "comparison.recommending",
    "tune": "tuning.tune",
    "window_dataset": "pipeline",
}
_MODULES = ("backbones", "metrics", "plots")


def _homes() -> dict[str, str]:
    """Module of every public name; backbones and the forecasters around them come from the registry."""
    from forecastkit.backbones import class_names

    classes = {name: f"backbones.{stem}" for stem, name in class_names().items()}
    return {**_HOMES, **classes, **{f"{name}Forecaster": "neural" for name in classes}}


def __getattr__(name: str):
    if name == "__all__":
        return sorted([*_MODULES, *_homes()])
    if name in _MODULES:
        return importlib.import_module(f"forecastkit.{name}")
    home = None if name.startswith("__") else _homes().get(name)
    if home is None:
        this = importlib.import_module(__name__)
        raise AttributeError(f"module 'forecastkit' has no attribute {name!r}", name=name, obj=this)
    from forecastkit.checks import backend_needed

    with backend_needed():
        return getattr(importlib.import_module(f"forecastkit.{home}"), name)


def __dir__():
    return sorted({*globals(), *__getattr__("__all__")})
