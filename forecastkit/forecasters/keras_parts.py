"""Forecasters with Keras objects among their parameters: cloned and pickled by settings."""

from forecastkit.networks.heads import check_by_trial
from forecastkit.utils.estimator import BaseEstimator
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.keras_parts import from_settings, is_part, portable, restored, settings
from forecastkit.utils.validation import refuse


class KerasParts(BaseEstimator):
    """Copies losses and optimizers by class and settings: Keras itself copies registered classes only."""

    def __sklearn_clone__(self):
        own = {name: value for name, value in self.get_params(deep=False).items() if is_part(value)}
        if not own:
            return super().__sklearn_clone__()
        bare = type(self)(**{**self.get_params(deep=False), **dict.fromkeys(own)})
        copies = {name: from_settings(type(value), settings(value)) for name, value in own.items()}
        return bare.__sklearn_clone__().set_params(**copies)

    def _check_own_loss(self, where, loss):
        """Refuse a Keras loss that cannot be evaluated on forecasts or that contradicts other parameters."""
        check_by_trial(where, loss)
        if self.quantile_levels is not None:
            rule = "quantile_levels are trained by the pinball loss, and do not go with a loss of Keras"
            refuse(where, rule, f"{self.quantile_levels!r}", "Pass them to predict.", ParameterError)

    def __getstate__(self):
        return portable(super().__getstate__())

    def __setstate__(self, state):
        vars(self).update(restored(state))
