"""Time-series forecasting with recurrent and Transformer networks in Keras, at home in scikit-learn.

>>> import forecastkit as fk
>>> data = fk.load_dataset("airpassengers")
>>> fk.GRUForecaster(horizon=12).fit(data).predict()  # doctest: +SKIP
"""

import importlib

__version__ = "0.1.0"

#: Where each public name lives. Nothing heavy is imported until a name is used.
_HOMES = {
    "Backbone": "backbone",
    "DriftForecaster": "baselines",
    "EnsembleForecaster": "compose",
    "InputError": "checks",
    "KerasForecaster": "neural",
    "LinearForecaster": "baselines",
    "MeanForecaster": "baselines",
    "NaiveForecaster": "baselines",
    "Panel": "panel",
    "SeasonalNaiveForecaster": "baselines",
    "backtest": "backtesting",
    "list_datasets": "datasets",
    "load": "artifact",
    "load_dataset": "datasets",
    "plot_backtest": "plots",
    "plot_forecast": "plots",
    "window_dataset": "pipeline",
}
_MODULES = ("backbones", "metrics", "plots")


def _named() -> dict[str, str]:
    """Public names of the backbones and of the forecasters around them, from the registry."""
    from forecastkit.backbones import class_names

    classes = {name: f"backbones.{stem}" for stem, name in class_names().items()}
    return {**classes, **{f"{name}Forecaster": "neural" for name in classes}}


def __getattr__(name: str):
    if name.startswith("__") and name != "__all__":
        raise AttributeError(name)
    if name == "__all__":
        return sorted([*_HOMES, *_MODULES, *_named()])
    if name in _MODULES:
        return importlib.import_module(f"forecastkit.{name}")
    home = _HOMES.get(name) or _named().get(name)
    if home is None:
        raise AttributeError(f"module 'forecastkit' has no attribute {name!r}")
    return getattr(importlib.import_module(f"forecastkit.{home}"), name)


def __dir__():
    return sorted([*globals(), *__getattr__("__all__")])
