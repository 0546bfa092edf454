"""Forecasters with Keras objects among their parameters: cloned and pickled by settings."""

from forecastkit.networks.heads import check_by_trial
from forecastkit.training.metrics import make_metrics
from forecastkit.training.optimizers import check_callbacks, check_optimizer
from forecastkit.utils.estimator import BaseEstimator
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.keras_parts import portable, restored
from forecastkit.utils.validation import refuse


class KerasParts(BaseEstimator):
    """Copies Keras objects by class and settings: Keras itself copies registered classes only."""

    def __sklearn_clone__(self):
        given = self.get_params(deep=False)
        own = {name: value for name, value in portable(given).items() if value is not given[name]}
        if not own:
            return super().__sklearn_clone__()
        bare = type(self)(**{**given, **dict.fromkeys(own)})
        return bare.__sklearn_clone__().set_params(**restored(own))

    def _check_parts(self, where):
        """Refuse metrics, optimizers or callbacks that are not those of Keras."""
        make_metrics(where, self.metrics)
        if self.optimizer is not None:
            check_optimizer(where, self.optimizer, self.callbacks)
        if self.callbacks is not None:
            check_callbacks(where, self.callbacks)

    def _listeners(self, engine, buffers, windows, validation_origins):
        """Return the callbacks of a fit: of metrics, the user's, and of the printed lines."""
        listeners = list(self.callbacks or ())
        if self.metrics:
            from forecastkit.training.callbacks import EpochMetrics  # here: it loads Keras

            metrics = make_metrics(type(self).__name__, self.metrics)
            watch = EpochMetrics.on(windows, validation_origins, metrics, engine, buffers)
            listeners = [watch, *map(watch.with_direction, listeners)]  # before the callbacks that read them
        if self.verbose:
            from forecastkit.training.callbacks import Lines  # here: it loads Keras

            listeners.append(Lines(type(self).__name__))
        return listeners

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
