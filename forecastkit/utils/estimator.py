"""The base classes of estimators: those of scikit-learn, or stand-ins in a process that only forecasts.

Importing scikit-learn imports most of SciPy, which takes longer than everything else that a forecast needs. A process
that hands no estimator to scikit-learn, such as that of ``forecast predict``, calls `forecast_only` first.
"""

import inspect
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator as BaseEstimator
    from sklearn.base import RegressorMixin as RegressorMixin

_bases: dict[str, type] = {}


def forecast_only() -> None:
    """Do without scikit-learn in this process, unless it or a forecaster has already been imported."""
    if sys.modules.get("sklearn") is None:
        _bases.setdefault("BaseEstimator", ParametersOnly)
        _bases.setdefault("RegressorMixin", Nothing)


def clone(estimator: Any) -> Any:
    """Return an unfitted estimator with the same parameters, by `sklearn.base.clone`, which is imported here."""
    from sklearn.base import clone

    return clone(estimator)


class ParametersOnly:
    """The parameters of an estimator, without the rest of `sklearn.base.BaseEstimator`."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Constructor parameters by name; parameters of parameters are not included."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def set_params(self, **parameters: Any) -> "ParametersOnly":
        """Set constructor parameters by name."""
        for name, value in parameters.items():
            setattr(self, name, value)
        return self

    def __getstate__(self) -> dict[str, Any]:
        return vars(self).copy()


class Nothing:
    """Stands in for a mixin that only scikit-learn uses."""


def __getattr__(name: str) -> type:
    if name not in ("BaseEstimator", "RegressorMixin"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name not in _bases:
        try:
            from sklearn import base
        except ModuleNotFoundError:  # an installation for forecasting with saved models
            forecast_only()
        else:
            _bases.update(BaseEstimator=base.BaseEstimator, RegressorMixin=base.RegressorMixin)
    return _bases[name]
