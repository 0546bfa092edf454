"""Time-series forecasting with recurrent and Transformer networks in Keras, at home in scikit-learn.

Public names are imported on first use; `__init__.pyi` lists them, and says where each one lives.

>>> import forecastkit as fk
>>> data = fk.load_dataset("airpassengers")
>>> fk.GRUForecaster(horizon=12).fit(data).predict()  # doctest: +SKIP
"""

import lazy_loader

__version__ = "0.1.0"

_load, _, _listed = lazy_loader.attach_stub(__name__, __file__)


def _newer_names() -> dict[str, str]:
    """Modules of the names that backbone files give which are newer than the stub."""
    from forecastkit.networks.backbones import class_names

    new = {stem: name for stem, name in class_names().items() if name not in _listed}
    homes = {name: f"networks.backbones.{stem}" for stem, name in new.items()}
    return {**homes, **{f"{name}Forecaster": "forecasters.networks" for name in new.values()}}


def __getattr__(name: str) -> object:
    if name == "__all__":
        return sorted([*set(_listed) - {"plotting"}, "plots", *_newer_names()])
    if name.startswith("__"):
        raise AttributeError(f"module 'forecastkit' has no attribute {name!r}")
    from forecastkit.utils.exceptions import backend_needed

    with backend_needed():
        if name in _listed:
            return _load(name)
        if name == "plots":
            return _load("plotting")
        return _newer(name)


def _newer(name: str) -> object:
    """The class of a backbone file that is newer than the stub."""
    import importlib

    home = _newer_names().get(name)
    if home is None:
        this = importlib.import_module(__name__)
        raise AttributeError(f"module 'forecastkit' has no attribute {name!r}", name=name, obj=this)
    return getattr(importlib.import_module(f"forecastkit.{home}"), name)


def __dir__() -> list[str]:
    return [*__getattr__("__all__"), "__version__"]
