"""Forecasters made of other forecasters."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import clone

from forecastkit.base import Forecaster
from forecastkit.checks import ParameterError, check_choice, refuse


@dataclass(kw_only=True, eq=False, repr=False)
class EnsembleForecaster(Forecaster):
    """Mean or median of the point forecasts of its members.

    The members see the same rows and the same validation block; the ensemble's intervals come from its own residuals
    there. Plain averages are hard to beat (Claeskens et al. 2016, "The forecast combination puzzle", IJF 32).

    Parameters
    ----------
    forecasters : list of Forecaster, optional
        Members, which are cloned. Their horizon, lookback and roles are the ensemble's where they have none of their
        own. Default: a GRU and the linear forecaster.
    how : {'mean', 'median'}

    Attributes
    ----------
    forecasters_ : list of Forecaster
        The fitted members.
    """

    forecasters: object = None
    how: str = "mean"

    def _check_parameters(self):
        super()._check_parameters()
        check_choice("EnsembleForecaster", "how", self.how, ("mean", "median"))
        if self.forecasters is None:
            return
        members = self.forecasters
        listed = isinstance(members, (list, tuple)) and len(members) > 0
        if not listed or not all(isinstance(member, Forecaster) for member in members):
            refuse(
                "EnsembleForecaster", "forecasters must be a list of forecasters", repr(members), error=ParameterError
            )

    def _members(self):
        if self.forecasters is not None:
            return [clone(member) for member in self.forecasters]
        from forecastkit.baselines import LinearForecaster
        from forecastkit.neural import GRUForecaster

        return [GRUForecaster(random_state=0), LinearForecaster()]

    def _fit(self, panel, split, stop):
        self.forecasters_ = []
        for member in self._members():
            # Ours are the sizes that all members must share, whatever they would have chosen alone.
            for name, value in (("horizon", self.horizon_), ("validation_size", self.validation_size)):
                member.set_params(**{name: value})
            if member.lookback is None:
                member.set_params(lookback=self.lookback_)
            member._check_parameters()
            member._weight = self._weight
            self.forecasters_.append(member._fit_panel(panel, self.schema_, finish=False))

    def _finish(self, panel, split, stop):
        for member in self.forecasters_:
            member._finish(panel, split, stop)

    def _train_on(self, panel, stop):
        for member in self.forecasters_:
            member.scaler_ = member.scaler_.extended(panel, stop)
            member._train_on(panel, stop)
            member.history_ = panel

    def _put_down(self):
        super()._put_down()
        for member in getattr(self, "forecasters_", ()):
            member._put_down()

    def _forecast(self, panel, origins):
        forecasts = [member._points(member._forecast(panel, origins)) for member in self.forecasters_]
        combine = np.mean if self.how == "mean" else np.median
        return combine(forecasts, axis=0)[..., None]

    def _is_trained(self):
        return len(getattr(self, "forecasters_", ())) > 0

    def _memory(self):
        reaches = [member._memory() for member in self.forecasters_]
        return None if None in reaches else max(reaches)
