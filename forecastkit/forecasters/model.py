"""What a model implements; `Forecaster` does everything else: data, scales, intervals, bounds, updates and files."""

from forecastkit.data.panel import Panel
from forecastkit.data.windows import Origins
from forecastkit.forecasters.fit_context import FitContext
from forecastkit.uncertainty.forecasts import Forecast


class Model:
    """The methods by which forecasters differ, in the order in which `fit` and `predict` call them.

    When `_fit` is called, the sizes (`horizon_`, `lookback_`, `season_length_`), the columns (`schema_`) and the scales
    (`scaler_`) have been chosen. What a model learns is kept in attributes that end in ``_``.
    """

    def _fit(self, context: FitContext) -> None:
        """Learn from the rows before ``context.split``; later rows may only decide when training stops."""

    def _forecast(self, panel: Panel, origins: Origins) -> Forecast:
        """Return the forecast in the user's units, from no row after an origin except future covariates."""
        raise NotImplementedError

    def _finish(self, context: FitContext) -> None:
        """Use the validation rows too, after the evaluation."""

    def _train_on(self, context: FitContext) -> None:
        """Continue learning from all rows before ``context.stop``, with unchanged scales."""

    def _memory(self, panel: Panel) -> int | None:
        """Return the number of rows of the panel's past that a forecast needs; None for all."""
        return None

    def _release(self, context: FitContext) -> None:
        """Release resources that only training needs and the context does not hold."""

    def _is_trained(self) -> bool:
        """Return whether an interrupted `_fit` has left a model that can forecast."""
        return True
